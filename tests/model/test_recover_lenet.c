/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LeNet-300-100 on Fashion-MNIST, where that is installed: 2:4 in every layer without retraining. SparseGPT, layer
 * after layer on the inputs that the pruned layers before give, keeps more accuracy than magnitude does.
 */
#include <unistd.h>

#include "prune/model.h"
#include "testing.h"

#define FOLDER "/usr/share/datasets/fashion-mnist"
enum { SAMPLES = 1000, TRAINED = 20000, SEEDS = 3 };
static const int64_t widths[4] = {784, 300, 100, 10};

struct data {
    prune_tensor *images, *labels, *test_images, *test_labels;
};

/* The first TRAINED images or labels. */
static void first(prune_tensor **tensor)
{
    prune_tensor *some = NULL;
    OK(prune_tensor_slice(&some, *tensor, 0, 0, TRAINED, 1));
    prune_tensor_free(*tensor); /* the view keeps it */
    *tensor = some;
}

static int64_t right(const prune_network *network, const struct data *data)
{
    int64_t correct = 0;
    OK(prune_network_evaluate(network, data->test_images, data->test_labels, 64, &correct));
    return correct;
}

/* The next layer's inputs: relu(W x + b). */
static float *forward(prune_network *network, int layer, const float *x)
{
    char name[32];
    int64_t in = widths[layer], out = widths[layer + 1];
    float *y = malloc(sizeof *y * (size_t)(SAMPLES * out));
    snprintf(name, sizeof name, "fc%d.weight", layer + 1);
    const float *w = prune_tensor_const_data(prune_network_parameter(network, name));
    snprintf(name, sizeof name, "fc%d.bias", layer + 1);
    const float *b = prune_tensor_const_data(prune_network_parameter(network, name));
    for (int64_t s = 0; s < SAMPLES; s++)
        for (int64_t o = 0; o < out; o++) {
            float sum = b[o];
            for (int64_t i = 0; i < in; i++)
                sum += w[o * in + i] * x[s * in + i];
            y[s * out + o] = sum > 0 ? sum : 0;
        }
    return y;
}

static void by_magnitude(prune_network *network, const char *name, const prune_granularity *two_of_four)
{
    prune_criterion *l1 = NULL;
    prune_scores *scores = NULL;
    prune_mask *mask = NULL;
    OK(prune_criterion_create(&l1, NULL, "l1"));
    OK(prune_criterion_score(&scores, l1, prune_network_parameter(network, name), NULL, two_of_four));
    OK(prune_mask_select(&mask, scores, PRUNE_QUOTA, 0));
    OK(prune_network_set_mask(network, name, mask));
    prune_mask_free(mask);
    prune_scores_free(scores);
    prune_criterion_free(l1);
}

static void by_sparsegpt(prune_network *network, const char *name, const prune_granularity *two_of_four, float *x,
                         int64_t in)
{
    prune_recovery *sparsegpt = NULL;
    prune_observations *observations = NULL;
    prune_tensor *inputs = NULL;
    prune_mask *mask = NULL;
    prune_repair *report = NULL;
    double error, plain;
    OK(prune_recovery_create(&sparsegpt, NULL, "sparsegpt"));
    OK(prune_observations_create(&observations, NULL, prune_recovery_needs(sparsegpt)));
    OK(prune_tensor_borrow(&inputs, NULL, x, PRUNE_F32, 2, (int64_t[2]){SAMPLES, in}, NULL));
    OK(prune_observations_feed(observations, PRUNE_INPUTS, inputs));
    OK(prune_recovery_prune(prune_network_parameter(network, name), &mask, sparsegpt, two_of_four, PRUNE_QUOTA, 0,
                            observations, &report));
    OK(prune_repair_get(report, PRUNE_REPAIR_ERROR, &error));
    OK(prune_repair_get(report, PRUNE_REPAIR_PLAIN_ERROR, &plain));
    ck_assert_msg(error < plain, "%s: error %g, %g without repair", name, error, plain);
    OK(prune_network_set_mask(network, name, mask));
    ck_assert_int_eq(2 * prune_mask_kept(mask), prune_mask_count(mask));
    prune_repair_free(report);
    prune_mask_free(mask);
    prune_tensor_free(inputs);
    prune_observations_free(observations);
    prune_recovery_free(sparsegpt);
}

/* Prunes every layer; how many test images are right then. */
static int64_t pruned(const prune_network *dense, const struct data *data, int repair)
{
    prune_network *network = NULL;
    prune_granularity *two_of_four = NULL;
    OK(prune_network_copy(&network, dense));
    OK(prune_granularity_create(&two_of_four, NULL, "nm:keep_n=2,group_m=4"));
    float *x = malloc(sizeof *x * (size_t)(SAMPLES * widths[0]));
    memcpy(x, prune_tensor_const_data(data->images), sizeof *x * (size_t)(SAMPLES * widths[0]));
    for (int layer = 0; layer < 3; layer++) {
        char name[32];
        snprintf(name, sizeof name, "fc%d.weight", layer + 1);
        if (!repair) {
            by_magnitude(network, name, two_of_four);
            continue;
        }
        by_sparsegpt(network, name, two_of_four, x, widths[layer]);
        float *y = forward(network, layer, x);
        free(x);
        x = y;
    }
    int64_t correct = right(network, data);
    free(x);
    prune_granularity_free(two_of_four);
    prune_network_free(network);
    return correct;
}

START_TEST(two_of_four_without_retraining)
{
    struct data data = {0};
    int64_t dense = 0, magnitude = 0, sparsegpt = 0;
    if (access(FOLDER, R_OK) != 0) {
        skip("2:4 without retraining", "Debian's dataset-fashion-mnist is not installed");
        return;
    }
    prune_blas_set_threads(1);
    OK(prune_dataset_read(&data.images, &data.labels, NULL, FOLDER, "train"));
    OK(prune_dataset_read(&data.test_images, &data.test_labels, NULL, FOLDER, "test"));
    first(&data.images);
    first(&data.labels);
    ck_assert_int_eq(prune_tensor_dtype(data.images), PRUNE_F32);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        prune_network *network = NULL;
        prune_trainer *trainer = NULL;
        OK(prune_network_create_mlp(&network, NULL, "784-300-100-10"));
        OK(prune_network_initialize(network, seed));
        OK(prune_trainer_create(&trainer, network, "epochs=2"));
        OK(prune_trainer_run(trainer, data.images, data.labels, NULL));
        prune_trainer_free(trainer);
        dense += right(network, &data);
        magnitude += pruned(network, &data, 0);
        sparsegpt += pruned(network, &data, 1);
        prune_network_free(network);
    }
    printf("# of %d: dense %lld, by magnitude %lld, by SparseGPT %lld\n", SEEDS * 10000, (long long)dense,
           (long long)magnitude, (long long)sparsegpt);
    fflush(stdout);
    ck_assert_msg(sparsegpt > magnitude, "of %d images right: %lld by SparseGPT, %lld by magnitude", SEEDS * 10000,
                  (long long)sparsegpt, (long long)magnitude);
    prune_tensor_free(data.images);
    prune_tensor_free(data.labels);
    prune_tensor_free(data.test_images);
    prune_tensor_free(data.test_labels);
}
END_TEST

TEST_MAIN("recover_lenet", two_of_four_without_retraining)
