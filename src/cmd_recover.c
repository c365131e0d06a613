/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "pruning.h"
#include "tensors.h"

struct job {
    struct common common;
    struct kind_choice method_choice, granularity_choice;
    struct data data;
    const char *mask, *sparsity, *mask_out, *out;
    prune_recovery *recovery;
    prune_granularity *granularity;
    prune_repair *report;
};

static const struct {
    int32_t what;
    const char *key, *text;
} facts[] = {
    {PRUNE_REPAIR_ERROR, "error", "layer error"},       {PRUNE_REPAIR_PLAIN_ERROR, "plain_error", "without repair"},
    {PRUNE_REPAIR_PREDICTED, "predicted", "predicted"}, {PRUNE_REPAIR_DAMPING, "damping", "damping"},
    {PRUNE_REPAIR_CONDITION, "condition", "condition"}, {PRUNE_REPAIR_DEAD_COLUMNS, "dead_columns", "dead columns"},
    {PRUNE_REPAIR_SAMPLES, "samples", "samples"},       {PRUNE_REPAIR_MEMORY, "memory", "bytes of memory"},
};
#define FACTS ((int)(sizeof facts / sizeof *facts))

static int show(const struct job *job, const prune_mask *mask)
{
    int64_t count = prune_mask_count(mask), kept = prune_mask_kept(mask);
    double value[FACTS];
    for (int i = 0; i < FACTS; i++) {
        int32_t status = prune_repair_get(job->report, facts[i].what, &value[i]);
        if (status)
            return complain_status(status, NULL);
    }
    if (job->common.json) {
        json_t *fields =
            json_pack("{s:o, s:s, s:I, s:I}", "weights", json_text(job->out), "method",
                      prune_recovery_spec(job->recovery), "elements", (json_int_t)count, "kept", (json_int_t)kept);
        for (int i = 0; i < FACTS && fields; i++)
            if (isfinite(value[i]))
                json_object_set_new(fields, facts[i].key, json_real(value[i]));
        return print_json(fields, "recover");
    }
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    printf("%s: %s of %s kept (%s)\n", job->out, amount_count(a, kept), amount_count(b, count),
           prune_recovery_spec(job->recovery));
    for (int i = 0; i < FACTS; i++)
        printf("%s%s %.6g", i ? ", " : "  ", facts[i].text, value[i]);
    putchar('\n');
    return DONE;
}

static int open_recovery(struct job *job, prune_context *context)
{
    char method[SPEC_SIZE], granularity[SPEC_SIZE];
    int code = kind_choice_spec(&job->method_choice, method);
    if (!code)
        code = kind_choice_spec(&job->granularity_choice, granularity);
    if (code)
        return code;
    int32_t status = prune_recovery_create(&job->recovery, context, method);
    if (!status)
        status = prune_granularity_create(&job->granularity, context, granularity);
    if (status)
        return complain_status(status, NULL);
    if (job->mask && !prune_recovery_repairs(job->recovery))
        return complain(USAGE, "%s chooses its own mask; leave --mask out", method);
    if (!job->mask && !prune_recovery_chooses(job->recovery))
        return complain(USAGE, "%s needs to know what goes: --mask MASK.npy", method);
    if (job->mask && (job->sparsity || strcmp(granularity, "element") != 0))
        return complain(USAGE, "--mask says what goes; leave --sparsity and --granularity out");
    return DONE;
}

/* The target of a recovery that chooses: what prune mask takes. */
static int target_of(const struct job *job, int32_t *target, double *amount)
{
    const char *spec = prune_granularity_spec(job->granularity);
    *target = PRUNE_QUOTA;
    *amount = 0;
    if (prune_granularity_has_quota(job->granularity))
        return job->sparsity
                   ? complain(USAGE, "%s has a quota, which already says how many stay; leave --sparsity out", spec)
                   : DONE;
    if (!job->sparsity)
        return complain(USAGE, "%s has no quota: say how many go with --sparsity S, or which with --mask", spec);
    *target = PRUNE_SPARSITY;
    return fraction(amount, job->sparsity, "--sparsity");
}

static int change(struct job *job, struct layer *layer, prune_mask **mask, const char *path)
{
    int32_t target, status;
    double amount;
    if (job->mask) {
        int code = mask_read(mask, layer->context, job->mask);
        if (code)
            return code;
        status = prune_recovery_repair(layer->weights, job->recovery, *mask, layer->observations, &job->report);
    } else {
        int code = target_of(job, &target, &amount);
        if (code)
            return code;
        status = prune_recovery_prune(layer->weights, mask, job->recovery, job->granularity, target, amount,
                                      layer->observations, &job->report);
    }
    return status ? complain_status(status, path) : DONE;
}

static int work(void *argument, const char *path)
{
    struct job *job = argument;
    struct layer layer = {NULL, NULL, NULL};
    prune_mask *mask = NULL;
    int code = context_open(&layer.context, &job->common);
    if (!code)
        code = open_recovery(job, layer.context);
    if (!code)
        code = layer_read(&layer, path, &job->data, prune_recovery_needs(job->recovery),
                          prune_recovery_spec(job->recovery));
    if (!code)
        code = change(job, &layer, &mask, path);
    if (!code)
        code = tensor_write(layer.weights, job->out, "weight");
    if (!code && job->mask_out)
        code = mask_write(mask, layer.context, job->mask_out);
    if (!code)
        code = show(job, mask);
    prune_repair_free(job->report);
    prune_recovery_free(job->recovery);
    prune_granularity_free(job->granularity);
    prune_mask_free(mask);
    layer_close(&layer);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.out = NULL};
    options_add(&options, (struct option[]){
                              {OPTION_TEXT, "mask", 0, &job.mask, "MASK.npy", "true where a weight is kept", 0, 0},
                              {OPTION_TEXT, "sparsity", 0, &job.sparsity, "S", "the fraction to remove, 0 to 1", 0, 0},
                              {OPTION_TEXT, "mask-output", 0, &job.mask_out, "MASK.npy",
                               "where to write the mask that was chosen", 0, 0},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    kind_choice_add(&job.granularity_choice, &options, "granularities", "granularity", "element");
    kind_choice_add(&job.method_choice, &options, "recoveries", "method", "obs");
    data_add_options(&job.data, &options);
    options_add_output(&options, &job.out, "WEIGHTS");
    options_add_common(&options, &job.common);
    return options_run(&options, self, argc, argv, work, &job);
}

const struct command cmd_recover = {
    "recover",
    "change the weights that stay to make up for those that go",
    "WEIGHTS --mask MASK.npy --inputs X.npy [--method KIND] [--damping D] -o WEIGHTS\n"
    "WEIGHTS --inputs X.npy --method KIND [--granularity KIND] --sparsity S -o WEIGHTS",
    "Weights are out x in, inputs samples x in. With --mask the method repairs; without it, it chooses the mask too.\n"
    "The errors printed are the summed squares of the change of the layer's outputs on these inputs.",
    run,
};
