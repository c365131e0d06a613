/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "pruning.h"

struct job {
    struct common common;
    struct pruning pruning;
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

static int write_mask(const prune_mask *mask, prune_context *context, const char *path)
{
    prune_tensor *bytes = NULL;
    int32_t status = prune_tensor_create(&bytes, context, PRUNE_BOOL, prune_mask_rank(mask), prune_mask_shape(mask));
    if (!status)
        status = prune_mask_to_bytes(mask, prune_tensor_data(bytes), prune_mask_count(mask));
    if (!status) {
        write_begin();
        status = prune_npy_write(bytes, path);
        write_end();
    }
    prune_tensor_free(bytes);
    return status ? complain_status(status, NULL) : DONE;
}

static int work(struct job *job, const char *path)
{
    prune_context *context = NULL;
    prune_tensor *weights = NULL;
    prune_mask *mask = NULL;
    int code = context_open(&context, &job->common);
    if (!code)
        code = pruning_open(&job->pruning, context);
    if (!code)
        code = pruning_target(&job->pruning);
    if (!code) {
        int32_t status = prune_npy_read(&weights, context, path);
        code = status ? complain_status(status, NULL) : DONE;
    }
    if (!code)
        code = pruning_mask(&mask, &job->pruning, weights, NULL, job->pruning.amount, path);
    if (!code)
        code = write_mask(mask, context, job->out);
    if (!code)
        code = show(job, mask, prune_criterion_spec(job->pruning.criterion),
                    prune_granularity_spec(job->pruning.granularity));
    prune_mask_free(mask);
    prune_tensor_free(weights);
    pruning_close(&job->pruning);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.out = NULL};
    pruning_add_options(&job.pruning, &options);
    options_add(&options, (struct option[]){
                              {OPTION_TEXT, "output", 'o', &job.out, "MASK.npy", "the file to write", 0, 0},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 1, 1, "one npy file of weights");
        if (!code && !job.out)
            code = option_missing(self, "-o MASK.npy, the file to write");
        if (!code)
            code = work(&job, options.operands.items[0]);
    }
    options_free(&options);
    return code;
}

const struct command cmd_mask = {
    "mask",
    "from an array of weights to the mask of what to keep",
    "WEIGHTS.npy [--criterion KIND] [--granularity KIND] --sparsity S -o MASK.npy\n"
    "WEIGHTS.npy [--criterion KIND] --granularity nm --keep-n N --group-m M -o MASK.npy",
    "Scores the weights of a NumPy file, selects, and writes a bool array of the same shape: true = kept.\n"
    "A granularity with a quota (nm) needs no --sparsity and takes none.",
    run,
};
