/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pruning.h"
#include "tensors.h"

struct job {
    struct common common;
    struct pruning pruning;
    struct data data;
    const char *out;
};

static int show(const struct job *job, const prune_mask *mask, const char *criterion, const char *granularity)
{
    int64_t count = prune_mask_count(mask), kept = prune_mask_kept(mask);
    double sparsity = count ? 1 - (double)kept / (double)count : 0;
    if (job->common.json)
        return print_json(json_pack("{s:o, s:I, s:I, s:f, s:s, s:s}", "mask", json_text(job->out), "elements",
                                    (json_int_t)count, "kept", (json_int_t)kept, "sparsity", sparsity, "criterion",
                                    criterion, "granularity", granularity),
                          "mask");
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    printf("%s: %s of %s kept, sparsity %.4g (%s, %s)\n", job->out, amount_count(a, kept), amount_count(b, count),
           sparsity, criterion, granularity);
    return DONE;
}

static int work(void *argument, const char *path)
{
    struct job *job = argument;
    struct pruning *pruning = &job->pruning;
    struct layer layer = {NULL, NULL, NULL};
    prune_mask *mask = NULL;
    int code = context_open(&layer.context, &job->common);
    if (!code)
        code = pruning_open(pruning, layer.context);
    if (!code)
        code = pruning_target(pruning);
    if (!code)
        code = layer_read(&layer, path, &job->data, prune_criterion_needs(pruning->criterion),
                          prune_criterion_spec(pruning->criterion));
    pruning->observations = layer.observations;
    if (!code)
        code = pruning_mask(&mask, pruning, layer.weights, NULL, pruning->amount, path);
    if (!code)
        code = mask_write(mask, layer.context, job->out);
    if (!code)
        code = show(job, mask, prune_criterion_spec(pruning->criterion), prune_granularity_spec(pruning->granularity));
    prune_mask_free(mask);
    pruning_close(pruning);
    layer_close(&layer);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.out = NULL};
    pruning_add_options(&job.pruning, &options);
    data_add_options(&job.data, &options);
    options_add_output(&options, &job.out, "MASK.npy");
    options_add_common(&options, &job.common);
    return options_run(&options, self, argc, argv, work, &job);
}

const struct command cmd_mask = {
    "mask",
    "from an array of weights to the mask of what to keep",
    "WEIGHTS [--criterion KIND] [--granularity KIND] [--inputs X.npy ...] --sparsity S -o MASK.npy\n"
    "WEIGHTS [--criterion KIND] --granularity nm --keep-n N --group-m M -o MASK.npy",
    "Scores the weights, selects, and writes a bool array of the same shape: true = kept. Files are .npy, or\n"
    ".safetensors with one tensor, or FILE.safetensors:NAME. Criteria that need data take it from the files named.\n"
    "A granularity with a quota (nm) needs no --sparsity and takes none.",
    run,
};
