/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/network/runner.h"

int64_t pm_choose(const float *logits, int64_t classes)
{
    int64_t best = -1;
    for (int64_t c = 0; c < classes; c++)
        if (best < 0 ? logits[c] == logits[c] : logits[c] > logits[best])
            best = c;
    return best;
}

static int32_t count_correct(prune_runner *runner, const float *x, const int64_t *labels, int64_t count, float *logits,
                             int64_t *correct)
{
    int64_t size = prune_runner_input_size(runner), classes = prune_runner_output_size(runner, 0), right = 0;
    for (int64_t first = 0; first < count; first += runner->batch) {
        int64_t n = count - first < runner->batch ? count - first : runner->batch;
        PR_TRY(pm_runner_execute(runner, x + first * size, n, 0, logits));
        for (int64_t i = 0; i < n; i++)
            right += pm_choose(logits + i * classes, classes) == labels[first + i];
    }
    *correct = right;
    return PRUNE_OK;
}

static int32_t evaluate(prune_runner *runner, const prune_tensor *images, const prune_tensor *labels, int64_t *correct)
{
    const float *x;
    const int64_t *wanted;
    float *logits = NULL;
    prune_tensor *x_copy = NULL, *label_copy = NULL;
    int64_t count, classes = prune_runner_output_size(runner, 0), numbers = 0;
    PR_TRY(pm_samples(images, prune_runner_input_size(runner), &x, &count, &x_copy));
    int32_t status = pm_labels(labels, count, classes, &wanted, &label_copy);
    if (!status)
        status = pr_mul(runner->batch, classes, &numbers);
    if (!status)
        status = pr_alloc(runner->context, numbers, sizeof *logits, &logits);
    if (!status)
        status = count_correct(runner, x, wanted, count, logits, correct);
    pr_release(runner->context, logits);
    prune_tensor_free(x_copy);
    prune_tensor_free(label_copy);
    return status;
}

int32_t prune_network_evaluate(const prune_network *network, const prune_tensor *images, const prune_tensor *labels,
                               int64_t batch, int64_t *correct)
{
    prune_runner *runner;
    PR_REQUIRE(network);
    PR_REQUIRE(images);
    PR_REQUIRE(labels);
    PR_REQUIRE(correct);
    PR_TRY(pm_runner_create(&runner, network, batch, 0));
    int32_t status = evaluate(runner, images, labels, correct);
    prune_runner_free(runner);
    return status;
}
