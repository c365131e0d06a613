/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune report on a whole model: how dense its layers are, how their weights are distributed and, with samples and
 * labels, what pruning without training costs.
 */
#include "graphs.h"

#include <stdlib.h>
#include <string.h>

#include "pruning.h"

#define MAX_LAYERS 2000
#define MAX_POINTS 32
#define MAX_HISTOGRAMS 60
#define BINS 60

struct layer {
    const char *name;
    const prune_tensor *tensor;
    int64_t count, nonzero;
};

struct job {
    struct common common;
    struct pruning pruning;
    struct samples samples;
    struct labels labels;
    struct words recover;
    const char *model, *out, *steps;
    int64_t batch, calibrate; /* -1: not given */
    prune_context *context;
    prune_graph *graph;
    struct layer *layers;
    int32_t layer_count;
    double sparsities[MAX_POINTS];
    int64_t points;
    json_t *curves;
    int64_t correct;
    const char *counted; /* the model whose samples are counted */
};

static int find_layers(struct job *job)
{
    job->layers = calloc(MAX_LAYERS, sizeof *job->layers);
    if (!job->layers)
        return complain(NO_MEMORY, "out of memory for a list of layers");
    for (int32_t i = 0; i < prune_graph_parameter_count(job->graph); i++) {
        struct layer layer = {.name = prune_graph_parameter_name(job->graph, i)};
        layer.tensor = prune_graph_parameter(job->graph, layer.name);
        if (prune_tensor_rank(layer.tensor) > 1 && graph_count(layer.tensor, &layer.count, &layer.nonzero) &&
            layer.count && job->layer_count < MAX_LAYERS)
            job->layers[job->layer_count++] = layer;
    }
    return job->layer_count
               ? DONE
               : complain(BAD_INPUT, "%s has no weights: no floating parameter of 2 dimensions or more", job->model);
}

static int add_summary(const struct job *job, prune_report *page)
{
    char text[1024], a[AMOUNT_SIZE], b[AMOUNT_SIZE], c[AMOUNT_SIZE];
    int64_t parameters = 0, nonzero = 0;
    graph_counts(job->graph, &parameters, &nonzero);
    snprintf(text, sizeof text, "%.400s: opset %lld, %d nodes, %s parameters, %s of them not zero, a file of %s bytes.",
             job->model, (long long)prune_graph_opset(job->graph), (int)prune_graph_node_count(job->graph),
             amount_count(a, parameters), amount_count(b, nonzero), amount_count(c, file_bytes(job->model)));
    int32_t status = prune_report_text(page, text);
    return status ? complain_status(status, NULL) : DONE;
}

static int add_densities(const struct job *job, prune_report *page)
{
    const char **names = calloc((size_t)job->layer_count, sizeof *names);
    double *values = calloc((size_t)job->layer_count, sizeof *values);
    int32_t status = names && values ? PRUNE_OK : prune_fail(PRUNE_E_NOMEM, "out of memory for the densities");
    for (int32_t i = 0; !status && i < job->layer_count; i++) {
        names[i] = job->layers[i].name;
        values[i] = 100 * (double)job->layers[i].nonzero / (double)job->layers[i].count;
    }
    if (!status)
        status = prune_report_heading(page, "Density");
    if (!status)
        status = prune_report_bars(page, "Weights that are not zero, in percent", job->layer_count, names, values, 100);
    free(names);
    free(values);
    return status ? complain_status(status, NULL) : DONE;
}

static int add_histogram(prune_report *page, const struct layer *layer)
{
    prune_tensor *floats = NULL;
    prune_mask *mask = NULL;
    int32_t status = prune_tensor_convert(&floats, layer->tensor, PRUNE_F32);
    if (!status)
        status = prune_mask_from_nonzero(&mask, floats);
    if (!status)
        status = prune_report_histogram(page, layer->name, floats, mask, BINS, 0);
    prune_mask_free(mask);
    prune_tensor_free(floats);
    return status ? complain_status(status, layer->name) : DONE;
}

static int add_histograms(const struct job *job, prune_report *page)
{
    int code = DONE;
    int32_t status = prune_report_heading(page, "Weights that are not zero");
    for (int32_t i = 0; !status && !code && i < job->layer_count && i < MAX_HISTOGRAMS; i++)
        code = add_histogram(page, &job->layers[i]);
    if (!status && !code && job->layer_count > MAX_HISTOGRAMS) {
        char text[100];
        snprintf(text, sizeof text, "The first %d of %d weights are shown.", MAX_HISTOGRAMS, (int)job->layer_count);
        status = prune_report_text(page, text);
    }
    return status ? complain_status(status, NULL) : code;
}

static int count_part(void *user, prune_session *session, int64_t first, int64_t count)
{
    struct job *job = user;
    return labels_count(&job->labels, &job->samples, job->counted, session, first + job->calibrate, count,
                        &job->correct);
}

/* Right answers of a model on the samples behind those that calibrate. */
static int measure(struct job *job, const prune_graph *graph, int64_t *correct)
{
    struct samples rest = job->samples;
    prune_tensor *part[MAX_INPUTS];
    int64_t count = job->samples.samples - job->calibrate;
    int code = samples_part(part, &job->samples, job->calibrate, count);
    if (code)
        return code;
    memcpy(rest.arrays, part, sizeof rest.arrays);
    rest.samples = count;
    job->correct = 0;
    code = samples_run(&rest, graph, job->batch, NULL, count_part, job);
    samples_part_free(part, &job->samples);
    *correct = job->correct;
    return code;
}

static int prune_copy(struct job *job, prune_graph *copy, const prune_recovery *recovery, double sparsity)
{
    prune_pruner *pruner = NULL;
    prune_tensor *part[MAX_INPUTS];
    const struct samples *samples = &job->samples;
    int64_t count = job->calibrate ? job->calibrate : 1;
    int code = samples_part(part, samples, 0, count);
    if (code)
        return code;
    int32_t status = prune_pruner_create(&pruner, copy, samples->count, samples->names,
                                         (const prune_tensor *const *)part, samples->fixed);
    code = status ? complain_status(status, job->model) : pruner_method(pruner, &job->pruning, recovery);
    if (!code) {
        int quota = prune_granularity_has_quota(job->pruning.granularity);
        status = prune_pruner_set_target(pruner, quota ? PRUNE_QUOTA : PRUNE_SPARSITY, quota ? 0 : sparsity, "uniform");
        if (!status)
            status = prune_pruner_run(pruner);
        progress_end();
        code = status ? complain_status(status, job->model) : DONE;
    }
    prune_pruner_free(pruner);
    samples_part_free(part, samples);
    return code;
}

/* The fraction of all layers' weights that is zero. */
static double sparsity_of(const struct job *job, const prune_graph *graph)
{
    int64_t all = 0, kept = 0;
    for (int32_t i = 0; i < job->layer_count; i++) {
        int64_t count = 0, nonzero = 0;
        graph_count(prune_graph_parameter(graph, job->layers[i].name), &count, &nonzero);
        all += count;
        kept += nonzero;
    }
    return 1 - (double)kept / (double)all;
}

static int sweep(struct job *job, prune_report *page, const char *name, const prune_recovery *recovery)
{
    double xy[2 * (MAX_POINTS + 1)];
    int32_t points = 0;
    int code = DONE;
    json_t *list = json_array();
    int quota = prune_granularity_has_quota(job->pruning.granularity);
    for (int64_t i = -1; i < (quota ? 1 : job->points) && !code; i++) {
        prune_graph *copy = NULL;
        int64_t correct = 0;
        progress_label(name);
        int32_t status = prune_graph_copy(&copy, job->graph);
        code = status ? complain_status(status, job->model) : DONE;
        if (!code && i >= 0)
            code = prune_copy(job, copy, recovery, quota ? 0 : job->sparsities[i]);
        if (!code)
            code = measure(job, copy, &correct);
        if (!code) {
            xy[2 * points] = 100 * sparsity_of(job, copy);
            xy[2 * points + 1] = 100 * (double)correct / (double)(job->samples.samples - job->calibrate);
            json_array_append_new(
                list, json_pack("{s:f, s:I}", "sparsity", xy[2 * points] / 100, "correct", (json_int_t)correct));
            points++;
        }
        prune_graph_free(copy);
    }
    progress_label("");
    if (!code) {
        int32_t status = prune_report_line(page, name, xy, points);
        code = status ? complain_status(status, NULL) : DONE;
    }
    json_array_append_new(job->curves, json_pack("{s:o, s:o}", "name", json_text(name), "points", list));
    return code;
}

static int sweep_recovery(struct job *job, prune_report *page, const char *spec)
{
    prune_recovery *recovery = NULL;
    int32_t status = prune_recovery_create(&recovery, job->context, spec);
    int code = status ? complain_status(status, "--recover") : sweep(job, page, spec, recovery);
    prune_recovery_free(recovery);
    return code;
}

/* Whether something of the sweep looks at data, which then is not what is measured on. */
static int split(struct job *job)
{
    int needs = job->recover.count || prune_criterion_needs(job->pruning.criterion);
    if (job->calibrate < 0)
        job->calibrate = !needs ? 0 : job->samples.samples / 2 < 128 ? job->samples.samples / 2 : 128;
    if (job->calibrate >= job->samples.samples || (needs && job->calibrate < 1))
        return complain(USAGE,
                        "%lld of %lld samples calibrate; at least one must, where the method needs data, and one "
                        "must be left to measure",
                        (long long)job->calibrate, (long long)job->samples.samples);
    return DONE;
}

static int add_sweep(struct job *job, prune_report *page)
{
    char text[400];
    int code = samples_load(&job->samples, job->graph, job->context);
    if (!code)
        code = labels_load(&job->labels, &job->samples, job->context);
    if (!code)
        code = samples_check(&job->samples, job->graph, job->batch, 1, (const int32_t[]){0});
    if (!code)
        code = split(job);
    if (code)
        return code;
    job->counted = job->model;
    snprintf(text, sizeof text,
             "Each layer pruned to the same sparsity, granularity %.150s, without training; %lld samples calibrate, "
             "%lld others are counted.",
             prune_granularity_spec(job->pruning.granularity), (long long)job->calibrate,
             (long long)(job->samples.samples - job->calibrate));
    int32_t status = prune_report_heading(page, "What pruning costs");
    if (!status)
        status = prune_report_text(page, text);
    if (!status)
        status = prune_report_chart(page, "Accuracy over sparsity", "weights pruned (%)", "accuracy (%)");
    code = status ? complain_status(status, NULL) : DONE;
    if (!code)
        code = sweep(job, page, prune_criterion_spec(job->pruning.criterion), NULL);
    for (int i = 0; i < job->recover.count && !code; i++)
        code = sweep_recovery(job, page, job->recover.items[i]);
    return code;
}

static int show(const struct job *job)
{
    if (job->common.json)
        return print_json(json_pack("{s:o, s:o, s:i, s:I, s:O}", "model", json_text(job->model), "output",
                                    json_text(job->out), "layers", (int)job->layer_count, "calibrated",
                                    (json_int_t)(job->calibrate < 0 ? 0 : job->calibrate), "curves", job->curves),
                          "report");
    printf("%s: written\n", job->out);
    return DONE;
}

static int write_page(const struct job *job, const prune_report *page)
{
    write_begin();
    int32_t status = prune_report_write(page, job->out);
    write_end();
    return status ? complain_status(status, NULL) : DONE;
}

static int work(struct job *job)
{
    prune_report *page = NULL;
    int code = context_open(&job->context, &job->common);
    if (!code)
        code = numbers_of(job->sparsities, MAX_POINTS, &job->points, job->steps, "--sparsities");
    for (int64_t i = 0; !code && i < job->points; i++)
        if (!(job->sparsities[i] >= 0 && job->sparsities[i] <= 1))
            code = complain(USAGE, "--sparsities has %g; each is a fraction from 0 to 1", job->sparsities[i]);
    if (!code)
        code = pruning_open(&job->pruning, job->context);
    if (!code)
        code = graph_read(&job->graph, job->context, job->model, job->samples.external);
    if (!code)
        code = find_layers(job);
    if (!code) {
        int32_t status = prune_report_create(&page, job->context, job->model);
        code = status ? complain_status(status, NULL) : add_summary(job, page);
    }
    if (!code && job->labels.path)
        code = add_sweep(job, page);
    if (!code)
        code = add_densities(job, page);
    if (!code)
        code = add_histograms(job, page);
    if (!code)
        code = write_page(job, page);
    if (!code)
        code = show(job);
    prune_report_free(page);
    samples_free(&job->samples);
    prune_tensor_free(job->labels.array);
    free(job->layers);
    json_decref(job->curves);
    prune_graph_free(job->graph);
    pruning_close(&job->pruning);
    prune_context_free(job->context);
    return code;
}

static void add_options(struct options *options, struct job *job)
{
    options_add(
        options,
        (struct option[]){
            {OPTION_TEXT, "output", 'o', &job->out, "PAGE.html", "the page to write", 0, 0},
            {OPTION_TEXT, "labels", 0, &job->labels.path, "Y.npy", "the right classes: show accuracy over sparsity", 0,
             0},
            {OPTION_TEXT, "sparsities", 0, &job->steps, "S,S,...", "the points of its curves (0.3,0.5,0.7,0.8,0.9)", 0,
             0},
            {OPTION_LIST, "recover", 0, &job->recover, "SPEC", "one more curve, with this repair; again for each", 0,
             0},
            {OPTION_WHOLE, "calibrate", 0, &job->calibrate, "N",
             "the first N samples calibrate and are not counted (half of them, at most 128, where data is needed)", 0,
             INT64_MAX / 2},
            {OPTION_WHOLE, "batch", 0, &job->batch, "B", "samples at a time (64)", 1, 65536},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    samples_add_options(&job->samples, options);
    pruning_add_kinds(&job->pruning, options);
    options_add_common(options, &job->common);
}

int graph_report(const struct command *self, int argc, char **argv)
{
    static struct job job;
    struct options options = {.count = 0};
    job = (struct job){.batch = 64, .calibrate = -1, .steps = "0.3,0.5,0.7,0.8,0.9", .curves = json_array()};
    add_options(&options, &job);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help)
        code = options_operands(&options, self, 1, 1, "one model");
    if (!code && !options.help) {
        job.model = options.operands.items[0];
        if (!job.out)
            code = option_missing(self, "-o PAGE.html, the page to write");
        else if ((job.samples.inputs.count > 0) != (job.labels.path != NULL))
            code = complain(USAGE, "accuracy over sparsity takes both --inputs and --labels");
        else
            code = work(&job);
    } else {
        json_decref(job.curves);
    }
    options_free(&options);
    return code;
}
