/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune model on a whole model: plan, prune and repair it layer by layer on calibration data.
 */
#include "graphs.h"

#include <stdlib.h>
#include <string.h>

#include "pruning.h"

struct job {
    struct common common;
    struct pruning pruning;
    struct samples samples;
    struct words include, exclude;
    const char *recover, *columns, *parameters, *macs, *bytes, *model, *out, *form;
    int dry_run, bn_recalibrate, global;
    prune_recovery *recovery;
    int32_t renewed;
};

/* What the target is, from the options that say so. */
static int set_target(const struct job *job, prune_pruner *pruner)
{
    int quota = prune_granularity_has_quota(job->pruning.granularity);
    int given = (job->pruning.sparsity != NULL) + (job->parameters != NULL) + (job->macs != NULL) +
                (job->bytes != NULL) + quota;
    const char *text = job->parameters ? job->parameters : job->macs ? job->macs : job->bytes;
    const char *cost = job->macs ? "macs" : job->bytes ? "bytes" : "parameters";
    double amount = 0;
    int32_t status;
    if (given != 1)
        return complain(USAGE, "say how much goes, once: --sparsity S, --params N, --macs N, --bytes N, or a "
                               "granularity with a quota (nm)");
    if (text) {
        char *end;
        amount = strtod(text, &end);
        if (end == text || *end || !(amount >= 0))
            return complain(USAGE, "%s takes a number of 0 or more, not \"%s\"",
                            job->macs    ? "--macs"
                            : job->bytes ? "--bytes"
                                         : "--params",
                            text);
        status = prune_pruner_set_target(pruner, PRUNE_BUDGET, amount, cost);
    } else if (quota) {
        status = prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform");
    } else {
        int code = fraction(&amount, job->pruning.sparsity, "--sparsity");
        if (code)
            return code;
        status = prune_pruner_set_target(pruner, PRUNE_SPARSITY, amount, job->global ? "parameters" : "uniform");
    }
    return status ? complain_status(status, NULL) : DONE;
}

int pruner_method(prune_pruner *pruner, const struct pruning *pruning, const prune_recovery *recovery)
{
    int chooses = recovery && prune_recovery_chooses(recovery) &&
                  (!kind_choice_asked(&pruning->criterion_choice) || !prune_recovery_repairs(recovery));
    int32_t status =
        prune_pruner_set_method(pruner, chooses ? NULL : pruning->criterion, pruning->granularity, recovery);
    return status ? complain_status(status, NULL) : DONE;
}

static int include(const struct words *words, prune_pruner *pruner, int32_t value)
{
    for (int i = 0; i < words->count; i++) {
        int32_t matched = 0, status = prune_pruner_include(pruner, words->items[i], value, &matched);
        if (status)
            return complain_status(status, NULL);
        if (!matched)
            return complain(USAGE, "no layer is named \"%s\"; `prune model ... --dry-run` lists them", words->items[i]);
    }
    return DONE;
}

static int choose_layers(const struct job *job, prune_pruner *pruner)
{
    if (job->include.count) /* those alone */
        prune_pruner_include(pruner, "*", 0, NULL);
    int code = include(&job->include, pruner, 1);
    return code ? code : include(&job->exclude, pruner, 0);
}

static int set_method(struct job *job, prune_pruner *pruner, prune_context *context)
{
    int32_t status = job->recover ? prune_recovery_create(&job->recovery, context, job->recover) : PRUNE_OK;
    return status ? complain_status(status, "--recover") : pruner_method(pruner, &job->pruning, job->recovery);
}

static double number(const prune_pruner *pruner, int32_t layer, int32_t what)
{
    return prune_pruner_layer_number(pruner, layer, what);
}

static json_t *layers_json(const prune_pruner *pruner)
{
    json_t *layers = json_array();
    for (int32_t i = 0; i < prune_pruner_layer_count(pruner); i++) {
        double planned = number(pruner, i, PRUNE_LAYER_PLANNED);
        json_array_append_new(layers, json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:o, s:I}", "name",
                                                json_text(prune_pruner_layer_name(pruner, i)), "node",
                                                json_text(prune_pruner_layer_node(pruner, i)), "kind",
                                                prune_pruner_layer_kind(pruner, i), "out",
                                                (json_int_t)number(pruner, i, PRUNE_LAYER_OUT), "in",
                                                (json_int_t)number(pruner, i, PRUNE_LAYER_IN), "groups",
                                                (json_int_t)number(pruner, i, PRUNE_LAYER_GROUPS), "parameters",
                                                (json_int_t)number(pruner, i, PRUNE_LAYER_PARAMETERS), "macs",
                                                (json_int_t)number(pruner, i, PRUNE_LAYER_MACS), "included",
                                                number(pruner, i, PRUNE_LAYER_INCLUDED) != 0, "kept",
                                                (json_int_t)number(pruner, i, PRUNE_LAYER_KEPT), "planned_sparsity",
                                                planned < 0 ? json_null() : json_real(planned), "bytes",
                                                (json_int_t)number(pruner, i, PRUNE_LAYER_BYTES)));
    }
    return layers;
}

static int show_table(const prune_pruner *pruner)
{
    struct table table = {.cells = NULL};
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    int code = table_cell(&table, "layer") || table_cell(&table, "kind") || table_cell(&table, "out x in") ||
               table_cell(&table, "multiply-adds") || table_cell(&table, "sparsity planned") ||
               table_cell(&table, "kept") || table_cell(&table, "bytes");
    table.columns = table.count;
    for (int32_t i = 0; i < prune_pruner_layer_count(pruner) && !code; i++) {
        double planned = number(pruner, i, PRUNE_LAYER_PLANNED), all = number(pruner, i, PRUNE_LAYER_PARAMETERS);
        double kept = number(pruner, i, PRUNE_LAYER_KEPT);
        code =
            table_cell(&table, "%s", prune_pruner_layer_name(pruner, i)) ||
            table_cell(&table, "%s", prune_pruner_layer_kind(pruner, i)) ||
            table_cell(&table, "%.0f x %.0f", number(pruner, i, PRUNE_LAYER_OUT), number(pruner, i, PRUNE_LAYER_IN)) ||
            table_cell(&table, "%s", amount_count(a, (int64_t)number(pruner, i, PRUNE_LAYER_MACS)));
        if (!code && number(pruner, i, PRUNE_LAYER_INCLUDED) == 0)
            code = table_cell(&table, "left out");
        else if (!code)
            code = planned < 0 ? table_cell(&table, "quota") : table_cell(&table, "%.4g", planned);
        if (!code)
            code =
                table_cell(&table, "%s (%.1f %%)", amount_count(b, (int64_t)kept), all > 0 ? 100 * kept / all : 100) ||
                table_cell(&table, "%s", amount_count(a, (int64_t)number(pruner, i, PRUNE_LAYER_BYTES)));
    }
    if (!code)
        table_print(&table, stdout);
    table_free(&table);
    return code ? NO_MEMORY : DONE;
}

static int show(const struct job *job, const prune_pruner *pruner)
{
    if (job->common.json)
        return print_json(json_pack("{s:o, s:o, s:b, s:s, s:o, s:s, s:i, s:o}", "model", json_text(job->model),
                                    "output", job->out ? json_text(job->out) : json_null(), "dry_run", job->dry_run,
                                    "criterion", prune_criterion_spec(job->pruning.criterion), "recovery",
                                    job->recovery ? json_text(prune_recovery_spec(job->recovery)) : json_null(),
                                    "granularity", prune_granularity_spec(job->pruning.granularity), "recalibrated",
                                    (int)job->renewed, "layers", layers_json(pruner)),
                          "model");
    return show_table(pruner);
}

static int prune_it(struct job *job, prune_graph *graph, prune_context *context)
{
    prune_pruner *pruner = NULL;
    const struct samples *samples = &job->samples;
    int32_t status = prune_pruner_create(&pruner, graph, samples->count, samples->names,
                                         (const prune_tensor *const *)samples->arrays, samples->fixed);
    int code = status ? complain_status(status, job->model) : choose_layers(job, pruner);
    if (!code && job->columns && (status = prune_pruner_set_columns(pruner, job->columns)) != PRUNE_OK)
        code = complain_status(status, NULL);
    if (!code)
        code = set_method(job, pruner, context);
    if (!code)
        code = set_target(job, pruner);
    if (!code) {
        status = job->dry_run ? prune_pruner_plan(pruner) : prune_pruner_run(pruner);
        if (!status && job->bn_recalibrate && !job->dry_run)
            status = prune_pruner_recalibrate(pruner, &job->renewed);
        progress_end();
        code = status ? complain_status(status, job->model) : DONE;
    }
    if (!code && !job->dry_run)
        code = graph_write(graph, job->out, job->form);
    if (!code)
        code = show(job, pruner);
    prune_pruner_free(pruner);
    return code;
}

static int work(struct job *job)
{
    prune_context *context = NULL;
    prune_graph *graph = NULL;
    int code = context_open(&context, &job->common);
    if (!code)
        code = pruning_open(&job->pruning, context);
    if (!code)
        code = graph_read(&graph, context, job->model, job->samples.external);
    if (!code)
        code = samples_load(&job->samples, graph, context);
    if (!code)
        code = prune_it(job, graph, context);
    samples_free(&job->samples);
    prune_graph_free(graph);
    prune_recovery_free(job->recovery);
    pruning_close(&job->pruning);
    prune_context_free(context);
    return code;
}

static void add_options(struct options *options, struct job *job)
{
    options_add(
        options,
        (struct option[]){
            {OPTION_TEXT, "output", 'o', &job->out, "OUT.onnx", "the file to write", 0, 0},
            {OPTION_TEXT, "params", 0, &job->parameters, "N", "keep at most N weights, ranked over all layers", 0, 0},
            {OPTION_TEXT, "macs", 0, &job->macs, "N", "keep at most N multiply-adds a sample, ranked over all layers",
             0, 0},
            {OPTION_TEXT, "bytes", 0, &job->bytes, "N",
             "keep at most N bytes of weights, each layer in the smallest of dense, csr and bitmap", 0, 0},
            {OPTION_FLAG, "global", 0, &job->global, NULL, "--sparsity of all layers together, not of each", 0, 0},
            {OPTION_TEXT, "recover", 0, &job->recover, "SPEC",
             "repair what stays: obs, sparsegpt, obc, least-squares, ... with settings, e.g. sparsegpt:damping=0.01", 0,
             0},
            {OPTION_TEXT, "columns", 0, &job->columns, "kernel-last|channels-last",
             "the order of a convolution's columns, along which nm, vectors and blocks group", 0, 0},
            {OPTION_FLAG, "bn-recalibrate", 0, &job->bn_recalibrate, NULL,
             "then measure mean and variance of every batch normalisation anew", 0, 0},
            {OPTION_LIST, "include", 0, &job->include, "NAME", "prune these layers only (* for any characters)", 0, 0},
            {OPTION_LIST, "exclude", 0, &job->exclude, "NAME", "leave these layers out", 0, 0},
            {OPTION_TEXT, "form", 0, &job->form, "parameters=dense|sparse", "how pruned weights are written", 0, 0},
            {OPTION_FLAG, "dry-run", 0, &job->dry_run, NULL, "show the plan for each layer, write nothing", 0, 0},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    samples_add_options(&job->samples, options);
    pruning_add_options(&job->pruning, options);
    options_add_common(options, &job->common);
}

int graph_model(const struct command *self, int argc, char **argv)
{
    static struct job job;
    struct options options = {.count = 0};
    memset(&job, 0, sizeof job);
    add_options(&options, &job);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help)
        code = options_operands(&options, self, 1, 1, "one model");
    if (!code && !options.help) {
        job.model = options.operands.items[0];
        code = job.out || job.dry_run ? work(&job) : option_missing(self, "-o OUT.onnx, the file to write");
    }
    options_free(&options);
    return code;
}
