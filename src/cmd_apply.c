/* SPDX-License-Identifier: BSD-2-Clause */
#include "tensors.h"

struct job {
    struct common common;
    const char *mask, *order, *out;
    int64_t axis;
};

static int show(const struct job *job, const prune_mask *mask)
{
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    int64_t count = mask ? prune_mask_count(mask) : 0, kept = mask ? prune_mask_kept(mask) : 0;
    if (job->common.json)
        return mask ? print_json(json_pack("{s:o, s:I, s:I}", "weights", json_text(job->out), "elements",
                                           (json_int_t)count, "kept", (json_int_t)kept),
                                 "apply")
                    : print_json(json_pack("{s:o, s:I}", "weights", json_text(job->out), "axis", (json_int_t)job->axis),
                                 "apply");
    if (mask)
        printf("%s: %s of %s kept, the others are +0.0\n", job->out, amount_count(a, kept), amount_count(b, count));
    else
        printf("%s: axis %lld in the order of %s\n", job->out, (long long)job->axis, job->order);
    return DONE;
}

static int apply_order(const struct job *job, prune_context *context, prune_tensor **weights, const char *path)
{
    prune_tensor *read = NULL, *order = NULL, *ordered = NULL;
    int code = tensor_read(&read, context, job->order);
    if (code)
        return code;
    int32_t status = prune_tensor_convert(&order, read, PRUNE_I64);
    prune_tensor_free(read);
    if (status)
        return complain_status(status, job->order);
    status = prune_order_apply(&ordered, *weights, (int32_t)job->axis, prune_tensor_const_data(order),
                               prune_tensor_count(order));
    prune_tensor_free(order);
    if (status)
        return complain_status(status, path);
    prune_tensor_free(*weights);
    *weights = ordered;
    return DONE;
}

static int work(void *argument, const char *path)
{
    const struct job *job = argument;
    if (!job->mask && !job->order)
        return option_missing(&cmd_apply, "--mask MASK.npy or --order ORDER.npy");
    prune_context *context = NULL;
    prune_tensor *weights = NULL;
    prune_mask *mask = NULL;
    int code = context_open(&context, &job->common);
    if (!code)
        code = tensor_read(&weights, context, path);
    if (!code && job->order)
        code = apply_order(job, context, &weights, path);
    if (!code && job->mask)
        code = mask_read(&mask, context, job->mask);
    if (!code && mask) {
        int32_t status = prune_mask_apply(mask, weights);
        code = status ? complain_status(status, path) : DONE;
    }
    if (!code)
        code = tensor_write(weights, job->out, "weight");
    if (!code)
        code = show(job, mask);
    prune_mask_free(mask);
    prune_tensor_free(weights);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.out = NULL, .axis = 1};
    options_add(&options, (struct option[]){
                              {OPTION_TEXT, "mask", 0, &job.mask, "MASK.npy", "true where a weight is kept", 0, 0},
                              {OPTION_TEXT, "order", 0, &job.order, "ORDER.npy",
                               "an order of channels, as prune order writes it", 0, 0},
                              {OPTION_WHOLE, "axis", 0, &job.axis, "N",
                               "the axis that is ordered: 1 (the standard) of the consumer, 0 of the producer", 0, 7},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    options_add_output(&options, &job.out, "WEIGHTS");
    options_add_common(&options, &job.common);
    return options_run(&options, self, argc, argv, work, &job);
}

const struct command cmd_apply = {
    "apply",
    "set what a mask prunes to zero, or put channels into an order",
    "WEIGHTS --mask MASK.npy -o WEIGHTS\n"
    "WEIGHTS --order ORDER.npy [--axis N] [--mask MASK.npy] -o WEIGHTS",
    "With both, the mask is that of the weights in their new order.",
    run,
};
