/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tensors.h"

#define VARIANTS 4

struct job {
    struct common common;
    struct kind_choice order_choice, granularity_choice;
    const char *out, *state_out, *state_in;
    int64_t rounds;
    char order[SPEC_SIZE], granularity[SPEC_SIZE];
};

/* How a pattern that some rows share fares, before and after. */
struct variant {
    char granularity[SPEC_SIZE + 32];
    double before, after, all;
};

static int search(const struct job *job, prune_order *order, prune_context *context, int32_t *finished)
{
    int32_t status = PRUNE_OK;
    if (job->state_in) {
        prune_tensor *state = NULL;
        int code = tensor_read(&state, context, job->state_in);
        if (code)
            return code;
        status = prune_order_resume(order, state);
        prune_tensor_free(state);
        if (status)
            return complain_status(status, job->state_in);
    }
    status = prune_order_search(order, job->rounds, finished);
    if (!status && job->state_out) {
        prune_tensor *state = NULL;
        status = prune_order_state(&state, order);
        int code = status ? DONE : tensor_write(state, job->state_out, "state");
        prune_tensor_free(state);
        if (code)
            return code;
    }
    return status ? complain_status(status, NULL) : DONE;
}

static int write_order(const prune_order *order, prune_context *context, const char *path)
{
    prune_tensor *list = NULL;
    int64_t count = prune_order_count(order);
    int32_t status = prune_tensor_create(&list, context, PRUNE_I64, 1, &count);
    if (status)
        return complain_status(status, NULL);
    memcpy(prune_tensor_data(list), prune_order_channels(order), (size_t)count * sizeof(int64_t));
    int code = tensor_write(list, path, "order");
    prune_tensor_free(list);
    return code;
}

/* Searches for one variant; the first is the one that was asked for. */
static int run_variant(struct job *job, struct variant *variant, prune_context *context, const prune_tensor *weights,
                       int first, int32_t *finished)
{
    prune_granularity *granularity = NULL;
    prune_order *order = NULL;
    int code = DONE;
    int32_t status = prune_granularity_create(&granularity, context, variant->granularity), end = 0;
    if (!status)
        status = prune_order_create(&order, weights, granularity, job->order);
    if (!status && first)
        code = search(job, order, context, finished);
    else if (!status)
        status = prune_order_search(order, job->rounds, &end);
    if (!status && !code)
        status = prune_order_retained(order, &variant->before, &variant->after, &variant->all);
    if (!status && !code && first)
        code = write_order(order, context, job->out);
    prune_order_free(order);
    prune_granularity_free(granularity);
    return status ? complain_status(status, NULL) : code;
}

static int show(const struct job *job, const struct variant *variants, int count, int32_t finished)
{
    if (job->common.json) {
        json_t *list = json_array();
        for (int i = 0; i < count; i++)
            json_array_append_new(list, json_pack("{s:s, s:f, s:f}", "granularity", variants[i].granularity, "plain",
                                                  variants[i].before, "ordered", variants[i].after));
        return print_json(json_pack("{s:o, s:s, s:b, s:f, s:o}", "order", json_text(job->out), "kind", job->order,
                                    "finished", (int)finished, "magnitude", variants[0].all, "retained", list),
                          "order");
    }
    struct table table = {.columns = 4};
    int code = table_cell(&table, "pattern") || table_cell(&table, "plain") || table_cell(&table, "ordered") ||
               table_cell(&table, "of all");
    for (int i = 0; i < count && !code; i++)
        code = table_cell(&table, "%s", variants[i].granularity) || table_cell(&table, "%.6f", variants[i].before) ||
               table_cell(&table, "%.6f", variants[i].after) ||
               table_cell(&table, "%.2f %%", variants[i].all > 0 ? 100 * variants[i].after / variants[i].all : 100.0);
    if (!code) {
        table_print(&table, stdout);
        printf("%s: the order of the first, by %s%s; all magnitudes are %.6f\n", job->out, job->order,
               finished ? "" : " (not finished)", variants[0].all);
    }
    table_free(&table);
    return code;
}

static int work(void *argument, const char *path)
{
    struct job *job = argument;
    static const int rows[VARIANTS] = {1, 2, 4, 8};
    struct variant variants[VARIANTS];
    prune_context *context = NULL;
    prune_tensor *weights = NULL;
    int32_t finished = 0;
    int code = kind_choice_spec(&job->order_choice, job->order);
    if (!code)
        code = kind_choice_spec(&job->granularity_choice, job->granularity);
    if (!code)
        code = context_open(&context, &job->common);
    if (!code)
        code = tensor_read(&weights, context, path);
    int count = strstr(job->granularity, "unit_rows") || (weights && prune_tensor_rank(weights) < 2) ? 1 : VARIANTS;
    for (int i = 0; i < count && !code; i++) {
        snprintf(variants[i].granularity, sizeof variants[i].granularity, i ? "%s,unit_rows=%d" : "%s",
                 job->granularity, rows[i]);
        code = run_variant(job, &variants[i], context, weights, i == 0, &finished);
    }
    if (!code)
        code = show(job, variants, count, finished);
    prune_tensor_free(weights);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.out = NULL};
    kind_choice_add(&job.order_choice, &options, "orders", "order", "stripe-groups");
    kind_choice_add(&job.granularity_choice, &options, "granularities", "granularity", "nm");
    options_add(
        &options,
        (struct option[]){
            {OPTION_WHOLE, "rounds", 0, &job.rounds, "N", "rounds of search at most (0: no limit)", 0, INT32_MAX},
            {OPTION_TEXT, "resume", 0, &job.state_in, "STATE.npy", "go on from this state", 0, 0},
            {OPTION_TEXT, "state", 0, &job.state_out, "STATE.npy", "where to write the state of the search", 0, 0},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    options_add_output(&options, &job.out, "ORDER.npy");
    options_add_common(&options, &job.common);
    return options_run(&options, self, argc, argv, work, &job);
}

const struct command cmd_order = {
    "order",
    "find the order of channels that lets N:M keep more",
    "WEIGHTS --keep-n N --group-m M [--order KIND] [--window W] -o ORDER.npy",
    "Writes a list of channels: place j takes channel ORDER[j]. `prune apply --order` puts the weights into it, and "
    "with\n"
    "--axis 0 those of the layer before. Prints what the pattern retains of the magnitudes, plain and in the best "
    "order,\n"
    "and the same where 2, 4 or 8 rows share a pattern.",
    run,
};
