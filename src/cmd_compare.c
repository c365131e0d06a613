/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune compare: two whole models on the same samples.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graphs.h"
#include "timing.h"

/* One model runs at least this long in a round. */
#define SLICE 0.002

struct side {
    const char *path;
    prune_graph *graph;
    prune_session *session; /* for parts of `made_for` samples */
    int64_t made_for;
    int64_t parameters, nonzero, macs, kept_macs; /* multiply-adds of the timed batch */
    int64_t correct, runs;                        /* runs in a slice */
    double times[MAX_ROUNDS], seconds;
};

struct job {
    struct common common;
    struct samples samples;
    struct labels labels;
    int64_t batch, rounds, timed; /* samples in the batch that is timed */
    int no_times;
    const char *within; /* the most that outputs may lie apart; NULL: any */
    double bound;
    double largest[MAX_INPUTS], relative[MAX_INPUTS];
    int32_t outputs;
    double speedup;
    struct side sides[2];
};

static int check_outputs(struct job *job)
{
    int32_t counts[2];
    for (int i = 0; i < 2; i++)
        counts[i] = prune_graph_output_count(job->sides[i].graph);
    job->outputs = counts[0];
    if (counts[0] != counts[1] || counts[0] > MAX_INPUTS)
        return complain(BAD_INPUT,
                        "%s has %d outputs, %s %d; two models with the same outputs, at most %d, are compared",
                        job->sides[0].path, (int)counts[0], job->sides[1].path, (int)counts[1], MAX_INPUTS);
    return DONE;
}

static int run_side(struct job *job, struct side *side, prune_tensor *const *part, int64_t count)
{
    const prune_tensor *const *arrays = (const prune_tensor *const *)part;
    const struct samples *samples = &job->samples;
    int32_t status = PRUNE_OK;
    if (count != side->made_for) {
        prune_session_free(side->session);
        side->session = NULL;
        status = prune_session_create(&side->session, side->graph, samples->count, samples->names, arrays,
                                      samples->fixed, NULL);
        side->made_for = count;
    }
    if (!status)
        status = prune_session_run(side->session, samples->count, arrays);
    return status ? complain_status(status, side->path) : DONE;
}

static int compare_outputs(struct job *job, int64_t first)
{
    for (int32_t i = 0; i < job->outputs; i++) {
        double largest = 0, relative = 0;
        int32_t status = prune_outputs_difference(&largest, &relative, prune_session_output(job->sides[0].session, i),
                                                  prune_session_output(job->sides[1].session, i));
        if (status) {
            char about[SPEC_SIZE];
            snprintf(about, sizeof about, "output %d of %.150s, \"%.80s\", from sample %lld on", (int)i,
                     job->sides[1].path, prune_graph_output_name(job->sides[1].graph, i), (long long)first);
            return complain_status(status, about);
        }
        job->largest[i] = largest > job->largest[i] ? largest : job->largest[i];
        job->relative[i] = relative > job->relative[i] ? relative : job->relative[i];
    }
    return DONE;
}

static int compare_all(struct job *job)
{
    int64_t all = job->samples.samples ? job->samples.samples : 1;
    int code = samples_batch(&job->samples, job->sides[0].graph, &job->batch);
    if (!code)
        code = samples_batch(&job->samples, job->sides[1].graph, &job->batch);
    for (int64_t done = 0, count = 0; done < all && !code; done += count) {
        prune_tensor *part[MAX_INPUTS];
        count = all - done < job->batch ? all - done : job->batch;
        code = samples_part(part, &job->samples, done, count);
        if (code)
            break;
        for (int i = 0; i < 2 && !code; i++) {
            code = run_side(job, &job->sides[i], part, count);
            if (!code && job->labels.path)
                code = labels_count(&job->labels, &job->samples, job->sides[i].path, job->sides[i].session, done, count,
                                    &job->sides[i].correct);
        }
        if (!code)
            code = compare_outputs(job, done);
        samples_part_free(part, &job->samples);
        progress_show("samples", done + count, all);
    }
    progress_end();
    return code;
}

static int run_slice(struct job *job, struct side *side, prune_tensor *const *part, double *seconds)
{
    int32_t status = PRUNE_OK;
    double begun = now();
    for (int64_t i = 0; i < side->runs && !status; i++)
        status = prune_session_run(side->session, job->samples.count, (const prune_tensor *const *)part);
    *seconds = (now() - begun) / (double)side->runs;
    return status ? complain_status(status, side->path) : DONE;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int64_t count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* The two take turns, the first of a round the second of the next: what disturbs the machine disturbs both. */
static int take_turns(struct job *job, prune_tensor *const *part)
{
    double ratios[MAX_ROUNDS], seconds = 0;
    int code = DONE;
    for (int i = 0; i < 2 && !code; i++)
        for (job->sides[i].runs = 1; job->sides[i].runs < 1 << 20 && !code; job->sides[i].runs *= 2) {
            code = run_slice(job, &job->sides[i], part, &seconds);
            if (seconds * (double)job->sides[i].runs >= SLICE)
                break;
        }
    for (int64_t round = 0; round < job->rounds && !code; round++)
        for (int turn = 0; turn < 2 && !code; turn++) {
            struct side *side = &job->sides[(round + turn) % 2];
            code = run_slice(job, side, part, &side->times[round]);
        }
    if (code)
        return code;
    for (int64_t round = 0; round < job->rounds; round++)
        ratios[round] = job->sides[0].times[round] / job->sides[1].times[round];
    job->speedup = median(ratios, job->rounds);
    for (int i = 0; i < 2; i++)
        job->sides[i].seconds = median(job->sides[i].times, job->rounds);
    return DONE;
}

/* The first batch again, for the times and what it costs. */
static int measure(struct job *job)
{
    prune_tensor *part[MAX_INPUTS];
    int64_t all = job->samples.samples ? job->samples.samples : 1;
    job->timed = all < job->batch ? all : job->batch;
    int code = samples_part(part, &job->samples, 0, job->timed);
    if (code)
        return code;
    for (int i = 0; i < 2 && !code; i++) {
        struct side *side = &job->sides[i];
        code = run_side(job, side, part, job->timed);
        for (int32_t k = 0; !code && k < prune_session_step_count(side->session); k++) {
            side->macs += prune_session_step_macs(side->session, k);
            side->kept_macs += prune_session_step_kept_macs(side->session, k);
        }
        graph_counts(side->graph, &side->parameters, &side->nonzero);
    }
    if (!code && !job->no_times)
        code = take_turns(job, part);
    samples_part_free(part, &job->samples);
    return code;
}

static json_t *number_json(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

static int show_json(const struct job *job)
{
    json_t *models = json_array(), *outputs = json_array();
    int64_t samples = job->samples.samples;
    for (int i = 0; i < 2; i++) {
        const struct side *side = &job->sides[i];
        json_t *model = json_pack("{s:o, s:I, s:I, s:I, s:I, s:I}", "model", json_text(side->path), "file_bytes",
                                  (json_int_t)file_bytes(side->path), "parameters", (json_int_t)side->parameters,
                                  "nonzero", (json_int_t)side->nonzero, "macs", (json_int_t)(side->macs / job->timed),
                                  "macs_kept", (json_int_t)(side->kept_macs / job->timed));
        if (job->labels.path) {
            json_object_set_new(model, "correct", json_integer((json_int_t)side->correct));
            json_object_set_new(model, "accuracy", json_real((double)side->correct / (double)samples));
        }
        if (!job->no_times)
            json_object_set_new(model, "seconds", json_real(side->seconds));
        json_array_append_new(models, model);
    }
    for (int32_t i = 0; i < job->outputs; i++)
        json_array_append_new(
            outputs, json_pack("{s:o, s:o, s:o}", "name", json_text(prune_graph_output_name(job->sides[0].graph, i)),
                               "largest", number_json(job->largest[i]), "relative", number_json(job->relative[i])));
    return print_json(json_pack("{s:I, s:I, s:o, s:o, s:o}", "samples", (json_int_t)samples, "batch",
                                (json_int_t)job->timed, "models", models, "outputs", outputs, "speedup",
                                job->no_times ? json_null() : json_real(job->speedup)),
                      "compare");
}

static int model_row(const struct job *job, const struct side *side, struct table *table)
{
    char a[AMOUNT_SIZE];
    int code = table_cell(table, "%s", side->path) ||
               table_cell(table, "%s", amount_count(a, file_bytes(side->path))) ||
               table_cell(table, "%s", amount_count(a, side->parameters)) ||
               table_cell(table, "%s", amount_count(a, side->nonzero)) ||
               table_cell(table, "%s", amount_count(a, side->macs / job->timed)) ||
               table_cell(table, "%s", amount_count(a, side->kept_macs / job->timed));
    if (!code && job->labels.path)
        code = table_cell(table, "%.2f %%", 100 * (double)side->correct / (double)job->samples.samples);
    if (!code && !job->no_times)
        code = table_cell(table, "%s", amount_time(a, side->seconds));
    return code;
}

static int show(const struct job *job)
{
    struct table models = {.cells = NULL}, outputs = {.cells = NULL};
    int code = table_cell(&models, "model") || table_cell(&models, "bytes") || table_cell(&models, "parameters") ||
               table_cell(&models, "not zero") || table_cell(&models, "multiply-adds") || table_cell(&models, "kept");
    if (!code && job->labels.path)
        code = table_cell(&models, "accuracy");
    if (!code && !job->no_times)
        code = table_cell(&models, "time");
    models.columns = models.count;
    for (int i = 0; i < 2 && !code; i++)
        code = model_row(job, &job->sides[i], &models);
    code = code || table_cell(&outputs, "output") || table_cell(&outputs, "largest difference") ||
           table_cell(&outputs, "relative");
    outputs.columns = outputs.count;
    for (int32_t i = 0; i < job->outputs && !code; i++)
        code = table_cell(&outputs, "%s", prune_graph_output_name(job->sides[0].graph, i)) ||
               table_cell(&outputs, "%.4g", job->largest[i]) || table_cell(&outputs, "%.4g", job->relative[i]);
    if (!code) {
        table_print(&models, stdout);
        putchar('\n');
        table_print(&outputs, stdout);
        if (!job->no_times)
            printf("\n%.2f times as fast on batches of %lld\n", job->speedup, (long long)job->timed);
    }
    table_free(&models);
    table_free(&outputs);
    return code ? NO_MEMORY : DONE;
}

/* --within: the answer is no where an output lies further apart, or nobody knows how far. */
static int judge(const struct job *job)
{
    for (int32_t i = 0; job->within && i < job->outputs; i++)
        if (!(job->relative[i] <= job->bound))
            return NEGATIVE;
    return DONE;
}

static int work(struct job *job)
{
    prune_context *context = NULL;
    int64_t numbers = 0;
    int code = job->within ? numbers_of(&job->bound, 1, &numbers, job->within, "--within") : DONE;
    if (!code && job->bound < 0)
        code = complain(USAGE, "--within takes a number of 0 or more, not %s", job->within);
    if (!code)
        code = context_open(&context, &job->common);
    for (int i = 0; i < 2 && !code; i++)
        code = graph_read(&job->sides[i].graph, context, job->sides[i].path, job->samples.external);
    if (!code)
        code = check_outputs(job);
    if (!code)
        code = samples_load(&job->samples, job->sides[0].graph, context);
    if (!code)
        code = samples_freeze(&job->samples, job->sides[1].graph);
    if (!code && job->labels.path)
        code = labels_load(&job->labels, &job->samples, context);
    for (int i = 0; i < 2 && !code && job->labels.path; i++)
        code = samples_check(&job->samples, job->sides[i].graph, job->batch, 1, (const int32_t[]){0});
    if (!code)
        code = compare_all(job);
    if (!code)
        code = measure(job);
    if (!code)
        code = job->common.json ? show_json(job) : show(job);
    if (!code)
        code = judge(job);
    for (int i = 0; i < 2; i++) {
        prune_session_free(job->sides[i].session);
        prune_graph_free(job->sides[i].graph);
    }
    prune_tensor_free(job->labels.array);
    samples_free(&job->samples);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    static struct job job;
    struct options options = {.count = 0};
    memset(&job, 0, sizeof job);
    job.batch = 64;
    job.rounds = 15;
    options_add(&options,
                (struct option[]){
                    {OPTION_TEXT, "labels", 0, &job.labels.path, "Y.npy", "the right classes, whole numbers", 0, 0},
                    {OPTION_WHOLE, "batch", 0, &job.batch, "B", "samples at a time (64)", 1, 65536},
                    {OPTION_WHOLE, "rounds", 0, &job.rounds, "N", "rounds of timing (15)", 1, MAX_ROUNDS},
                    {OPTION_TEXT, "within", 0, &job.within, "R",
                     "exit with 1 unless every output's relative difference is at most R", 0, 0},
                    {OPTION_FLAG, "no-times", 0, &job.no_times, NULL, "measure no times", 0, 0},
                    {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                });
    samples_add_options(&job.samples, &options);
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help)
        code = options_operands(&options, self, 2, 2, "two models");
    if (!code && !options.help) {
        job.sides[0].path = options.operands.items[0];
        job.sides[1].path = options.operands.items[1];
        code = work(&job);
    }
    options_free(&options);
    return code;
}

const struct command cmd_compare = {
    "compare",
    "two models side by side: outputs, accuracy, size, cost and time",
    "A.onnx B.onnx --inputs [NAME=]X.npy... [--labels Y.npy] [--batch B] [--rounds N] [--json]",
    "Runs both models on the same samples. For each output the largest difference, and that by the largest number of\n"
    "the first model's; multiply-adds are those of one sample, dense and with the weights that are kept. Times are\n"
    "medians for one batch, the models taking turns.",
    run,
};
