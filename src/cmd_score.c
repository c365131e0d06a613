/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "pruning.h"
#include "tensors.h"

struct job {
    struct common common;
    struct pruning pruning;
    struct data data;
    const char *out;
};

static int show(const struct job *job, const prune_tensor *scores)
{
    const double *value = prune_tensor_const_data(scores);
    int64_t count = prune_tensor_count(scores);
    double least = INFINITY, most = -INFINITY, sum = 0;
    const char *criterion = prune_criterion_spec(job->pruning.criterion);
    const char *granularity = prune_granularity_spec(job->pruning.granularity);
    for (int64_t i = 0; i < count; i++) {
        least = value[i] < least ? value[i] : least;
        most = value[i] > most ? value[i] : most;
        sum += value[i];
    }
    if (job->common.json) {
        json_t *fields = json_pack("{s:o, s:I, s:s, s:s}", "scores", json_text(job->out), "units", (json_int_t)count,
                                   "criterion", criterion, "granularity", granularity);
        if (count && isfinite(least) && isfinite(most) && isfinite(sum))
            json_object_update_new(fields, json_pack("{s:f, s:f, s:f}", "least", least, "most", most, "sum", sum));
        return print_json(fields, "score");
    }
    char a[AMOUNT_SIZE];
    printf("%s: %s scores", job->out, amount_count(a, count));
    if (count)
        printf(" from %.6g to %.6g, sum %.9g", least, most, sum);
    printf(" (%s, %s)\n", criterion, granularity);
    return DONE;
}

static int work(void *argument, const char *path)
{
    struct job *job = argument;
    const struct pruning *pruning = &job->pruning;
    struct layer layer = {NULL, NULL, NULL};
    prune_scores *scores = NULL;
    int code = context_open(&layer.context, &job->common);
    if (!code)
        code = pruning_open(&job->pruning, layer.context);
    if (!code)
        code = layer_read(&layer, path, &job->data, prune_criterion_needs(pruning->criterion),
                          prune_criterion_spec(pruning->criterion));
    if (!code) {
        int32_t status =
            prune_criterion_score(&scores, pruning->criterion, layer.weights, layer.observations, pruning->granularity);
        code = status ? complain_status(status, path) : DONE;
    }
    if (!code)
        code = tensor_write(prune_scores_values(scores), job->out, "scores");
    if (!code)
        code = show(job, prune_scores_values(scores));
    prune_scores_free(scores);
    pruning_close(&job->pruning);
    layer_close(&layer);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.out = NULL};
    pruning_add_kinds(&job.pruning, &options);
    data_add_options(&job.data, &options);
    options_add_output(&options, &job.out, "SCORES.npy");
    options_add_common(&options, &job.common);
    return options_run(&options, self, argc, argv, work, &job);
}

const struct command cmd_score = {
    "score",
    "from an array of weights to the importance of each unit",
    "WEIGHTS [--criterion KIND] [--granularity KIND] [--inputs X.npy ...] -o SCORES.npy",
    "Writes one float64 for each unit, in the shape of the grid of units. Files are .npy, or .safetensors with one\n"
    "tensor, or FILE.safetensors:NAME. Criteria that need data say so; `prune list criteria` has one line on each.",
    run,
};
