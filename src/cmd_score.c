/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "pruning.h"
#include "tensors.h"

struct job {
    struct common common;
    struct kind_choice criterion_choice, granularity_choice;
    struct data data;
    const char *out;
    prune_criterion *criterion;
    prune_granularity *granularity;
    prune_observations *observations;
};

static int open_kinds(struct job *job, prune_context *context)
{
    char criterion[SPEC_SIZE], granularity[SPEC_SIZE];
    int code = kind_choice_spec(&job->criterion_choice, criterion);
    if (!code)
        code = kind_choice_spec(&job->granularity_choice, granularity);
    if (code)
        return code;
    int32_t status = prune_criterion_create(&job->criterion, context, criterion);
    if (!status)
        status = prune_granularity_create(&job->granularity, context, granularity);
    return status ? complain_status(status, NULL) : DONE;
}

static int show(const struct job *job, const prune_tensor *scores)
{
    const double *value = prune_tensor_const_data(scores);
    int64_t count = prune_tensor_count(scores);
    double least = INFINITY, most = -INFINITY, sum = 0;
    const char *criterion = prune_criterion_spec(job->criterion);
    const char *granularity = prune_granularity_spec(job->granularity);
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
    prune_context *context = NULL;
    prune_tensor *weights = NULL;
    prune_scores *scores = NULL;
    int code = context_open(&context, &job->common);
    if (!code)
        code = open_kinds(job, context);
    if (!code)
        code = tensor_read(&weights, context, path);
    if (!code)
        code = data_observe(&job->observations, &job->data, context, prune_criterion_needs(job->criterion), weights,
                            prune_criterion_spec(job->criterion));
    if (!code) {
        int32_t status = prune_criterion_score(&scores, job->criterion, weights, job->observations, job->granularity);
        code = status ? complain_status(status, path) : DONE;
    }
    if (!code)
        code = tensor_write(prune_scores_values(scores), job->out, "scores");
    if (!code)
        code = show(job, prune_scores_values(scores));
    prune_scores_free(scores);
    prune_observations_free(job->observations);
    prune_criterion_free(job->criterion);
    prune_granularity_free(job->granularity);
    prune_tensor_free(weights);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.out = NULL};
    kind_choice_add(&job.granularity_choice, &options, "granularities", "granularity", "element");
    kind_choice_add(&job.criterion_choice, &options, "criteria", "criterion", "l1");
    data_add_options(&job.data, &options);
    options_add(&options, (struct option[]){
                              {OPTION_TEXT, "output", 'o', &job.out, "SCORES.npy", "the file to write", 0, 0},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    options_add_common(&options, &job.common);
    return options_run(&options, self, argc, argv, &job.out, "-o SCORES.npy, the file to write", work, &job);
}

const struct command cmd_score = {
    "score",
    "from an array of weights to the importance of each unit",
    "WEIGHTS [--criterion KIND] [--granularity KIND] [--inputs X.npy ...] -o SCORES.npy",
    "Writes one float64 for each unit, in the shape of the grid of units. Files are .npy, or .safetensors with one\n"
    "tensor, or FILE.safetensors:NAME. Criteria that need data say so; `prune list criteria` has one line on each.",
    run,
};
