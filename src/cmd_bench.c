/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune bench: does sparse pay for this layer, on this machine?
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define MOST_CASES 32
#define MOST_WAYS 6

struct job {
    struct common common;
    int64_t m, n, k, milliseconds, keep_n, group_m, unit_rows;
    struct words sparsities;
    const char *pattern, *weights, *format, *out;
    int calibrate;
    prune_context *context;
    struct machine machine;
    json_t *records;
};

/* What one pattern gave. */
struct result {
    char pattern[256];
    double sparsity;
    double least[2], roofline;    /* shortest times of a dense and a sparse product; of the sparse one as a speed-up */
    struct contender *contenders; /* 0 is OpenBLAS, 1 packed dense, the rest sparse */
    int count, best;              /* best of the sparse ones, 0 when there are none */
    char advice[SPEC_SIZE];       /* what prune_packed_create would take */
    int advice_dense;
};

/* What the machine could do at best: the products at the peak, or the weights once from where they lie. */
static void find_limits(const struct job *job, const struct problem *problem, struct result *result)
{
    double elements = (double)job->m * (double)job->k, n = (double)job->n, threads = (double)job->common.threads;
    double density = 1 - problem->sparsity;
    double bytes = elements * machine_weight_bytes(density, problem->unit_rows);
    double fastest = result->contenders[0].seconds_median, own = result->contenders[1].seconds_median;
    result->least[0] = machine_least_seconds(&job->machine, elements * n, 4 * elements, 0) / threads;
    result->least[1] = machine_least_seconds(&job->machine, density * elements * n, bytes, 0) / threads;
    if (!(result->least[1] > 1e-9))
        result->least[1] = 1e-9;
    result->roofline = (own < fastest ? own : fastest) / result->least[1];
}

static double part_of_limit(const struct result *result, int index)
{
    return result->least[index > 1] / result->contenders[index].seconds_median;
}

/* By the ratios within rounds, against the faster of the two dense ones. */
static double ratio_of(const struct result *result, int index)
{
    double own = result->contenders[1].ratio;
    return result->contenders[index].ratio / (own > 1 ? own : 1);
}

static int add_ways(const struct job *job, struct race *race, const struct problem *problem, struct result *result)
{
    prune_advice *advice = NULL;
    char spec[SPEC_SIZE];
    snprintf(spec, sizeof spec, "columns=%lld%s%s", (long long)job->n, job->format ? ",format=" : "",
             job->format ? job->format : "");
    int32_t status = prune_packed_advise(&advice, problem->weights, problem->mask, spec);
    if (status)
        return complain_status(status, NULL);
    int code = DONE, count = prune_advice_count(advice);
    if (count > 0) {
        snprintf(result->advice, sizeof result->advice, "%s, %s", prune_advice_format(advice, 0),
                 prune_advice_form(advice, 0));
        result->advice_dense = strcmp(prune_advice_format(advice, 0), "dense") == 0;
    }
    for (int i = 0, added = 0; i < count && added < MOST_WAYS && !code; i++) {
        const char *format = prune_advice_format(advice, i), *arguments = strchr(format, ':');
        if (strcmp(format, "dense") == 0)
            continue;
        snprintf(spec, sizeof spec, "columns=%lld,format=%.*s,form=%s%s%s", (long long)job->n,
                 (int)strcspn(format, ":"), format, prune_advice_form(advice, i), arguments ? "," : "",
                 arguments ? arguments + 1 : "");
        code = race_add_packed(race, problem, spec, 1, 1);
        added++;
    }
    prune_advice_free(advice);
    return code;
}

/* As tests/bench/bench.schema.json describes them. */
static int add_records(struct job *job, const struct problem *problem, const struct result *result)
{
    double products = 2.0 * (double)job->m * (double)job->n * (double)job->k;
    char names[MOST_WAYS + 2][64];
    for (int i = 0; i < result->count; i++)
        snprintf(names[i], sizeof names[i], i ? "libprune/%s" : "openblas", result->contenders[i].form);
    for (int i = 0; i < result->count; i++) {
        const struct contender *c = &result->contenders[i];
        json_t *record = json_pack(
            "{s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:f, s:s, s:s, s:I, s:s, s:f, s:f, s:f, s:f, s:s, s:n, s:n, "
            "s:f, s:I}",
            "op", job->n == 1 ? "spmv" : "spmm", "contender", names[i], "format", c->format, "keep_n", problem->keep_n,
            "group_m", problem->group_m, "unit_rows", problem->unit_rows, "m", (json_int_t)job->m, "n",
            (json_int_t)job->n, "k", (json_int_t)job->k, "sparsity", result->sparsity, "pattern", result->pattern,
            "layout", "nxk", "threads", (json_int_t)job->common.threads, "isa", c->isa, "seconds_min", c->seconds_min,
            "seconds_median", c->seconds_median, "gflops", products / c->seconds_median * 1e-9, "ratio_dense",
            ratio_of(result, i), "dense_peer", names[result->contenders[1].ratio > 1], "ratio_sparse", "sparse_peer",
            "roofline", part_of_limit(result, i), "bytes", (json_int_t)c->bytes);
        if (!record || json_array_append_new(job->records, record))
            return complain(NO_MEMORY, "out of memory for the output");
    }
    return DONE;
}

static int measure(struct job *job, const struct problem *problem, struct result *result)
{
    struct race race;
    int code = race_open(&race, job->context, job->m, job->n, job->k);
    char spec[64];
    snprintf(spec, sizeof spec, "columns=%lld,format=dense", (long long)job->n);
    if (!code)
        code = race_add_dense(&race, problem);
    if (!code)
        code = race_add_packed(&race, problem, spec, 1, 1);
    if (!code)
        code = add_ways(job, &race, problem, result);
    if (!code)
        code = race_run(&race, (double)job->milliseconds * 1e-3);
    snprintf(result->pattern, sizeof result->pattern, "%s", problem->pattern);
    result->sparsity = problem->sparsity;
    result->count = race.count;
    for (int i = 2; i < race.count && !code; i++)
        if (result->best == 0 || race.contenders[i].ratio > race.contenders[result->best].ratio)
            result->best = i;
    result->contenders = malloc(sizeof(struct contender) * (size_t)(race.count ? race.count : 1));
    if (!result->contenders)
        code = complain(NO_MEMORY, "out of memory for the results");
    if (!code) {
        memcpy(result->contenders, race.contenders, sizeof(struct contender) * (size_t)race.count);
        find_limits(job, problem, result);
        code = add_records(job, problem, result);
    }
    race_close(&race);
    return code;
}

/* Every pattern that was asked for, one after another: a function that makes it, and what that needs. */
static int make_problem(const struct job *job, int index, int sweep, struct problem *problem, int *more)
{
    static const double standard[] = {0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98};
    int randoms = sweep ? (int)(sizeof standard / sizeof *standard) : job->sparsities.count;
    *more = 1;
    if (index < randoms) {
        char *end = NULL;
        double sparsity = sweep ? standard[index] : strtod(job->sparsities.items[index], &end);
        if (!(sparsity >= 0 && sparsity <= 1) || (end && *end))
            return complain(USAGE, "--sparsity %s is no number from 0 to 1", job->sparsities.items[index]);
        return problem_random(problem, job->context, job->m, job->k, sparsity);
    }
    index -= randoms;
    if (job->pattern && index-- == 0)
        return problem_read_smtx(problem, job->context, job->pattern);
    if (job->weights && index-- == 0)
        return problem_read_npy(problem, job->context, job->weights);
    if (job->group_m && index-- == 0)
        return problem_nm(problem, job->context, job->m, job->k, (int)job->keep_n, (int)job->group_m,
                          (int)job->unit_rows);
    if (sweep && index < 2)
        return problem_nm(problem, job->context, job->m, job->k, 2, 4, index ? 4 : 1);
    *more = 0;
    return DONE;
}

static int print_table(const struct job *job, const struct result *results, int count)
{
    struct table table = {.columns = 8};
    char time[AMOUNT_SIZE];
    static const char *const head[] = {"pattern", "sparsity",   "fastest",  "time",
                                       "x dense", "x OpenBLAS", "of limit", "advice"};
    int code = DONE;
    for (int i = 0; i < table.columns && !code; i++)
        code = table_cell(&table, "%s", head[i]);
    for (int i = 0; i < count && !code; i++) {
        const struct result *r = &results[i];
        const struct contender *best = &r->contenders[r->best];
        const char *slash = strrchr(r->pattern, '/');
        code = table_cell(&table, "%s", slash ? slash + 1 : r->pattern);
        code = code ? code : table_cell(&table, "%.1f %%", 100 * r->sparsity);
        code = code ? code : table_cell(&table, "%s, %s", best->format, best->form);
        code = code ? code : table_cell(&table, "%s", amount_time(time, best->seconds_median));
        code = code ? code : table_cell(&table, "%.2f", ratio_of(r, r->best));
        code = code ? code : table_cell(&table, "%.2f", best->ratio);
        code = code ? code : table_cell(&table, "%.0f %%", 100 * part_of_limit(r, r->best));
        code = code ? code : table_cell(&table, "%s", r->advice_dense ? "dense is faster here" : r->advice);
    }
    if (!code) {
        const struct result *first = &results[0];
        printf("Y = X W', W %lld x %lld, %lld rows of X, one product at a time on %lld thread%s\n", (long long)job->m,
               (long long)job->k, (long long)job->n, (long long)job->common.threads,
               job->common.threads > 1 ? "s" : "");
        printf("dense: OpenBLAS (%s) %s, libprune %s\n\n", prune_blas_kernel(),
               amount_time(time, first->contenders[0].seconds_median),
               amount_time((char[AMOUNT_SIZE]){0}, first->contenders[1].seconds_median));
        table_print(&table, stdout);
    }
    table_free(&table);
    return code;
}

/* Where the speed-up over dense crosses 1 among random patterns, by interpolation; -1 when it does not. */
static double break_even(const struct result *results, int count)
{
    for (int i = 0; i < count; i++) {
        double above = results[i].best ? ratio_of(&results[i], results[i].best) : 0;
        if (strcmp(results[i].pattern, "random") != 0 || above < 1)
            continue;
        if (i == 0 || strcmp(results[i - 1].pattern, "random") != 0)
            return results[i].sparsity;
        double below = ratio_of(&results[i - 1], results[i - 1].best);
        return results[i - 1].sparsity +
               (results[i].sparsity - results[i - 1].sparsity) * (1 - below) / (above - below);
    }
    return -1;
}

static int is_random(const struct result *result)
{
    return strcmp(result->pattern, "random") == 0;
}

static int32_t add_measured(prune_report *report, const struct result *results, int count)
{
    double xy[2 * MOST_CASES];
    int32_t points = 0;
    for (int i = 0; i < count; i++)
        if (is_random(&results[i]) && results[i].best) {
            xy[2 * points] = 100 * results[i].sparsity;
            xy[2 * points++ + 1] = ratio_of(&results[i], results[i].best);
        }
    return points ? prune_report_line(report, "random pattern", xy, points) : PRUNE_OK;
}

/* The roofline up to where it leaves the chart: near sparsity 1 it would leave no room for anything else. Between two
 * densities its inverse is all but straight. */
static int32_t add_roofline(prune_report *report, const struct result *results, int count, double top)
{
    double xy[2 * MOST_CASES + 2], before_x = 0, before_y = 0;
    int32_t points = 0;
    int above = 0;
    for (int i = 0; i < count && !above; i++) {
        if (!is_random(&results[i]))
            continue;
        double x = 100 * results[i].sparsity, y = results[i].roofline;
        above = y > top;
        if (above && points) {
            x = before_x + (x - before_x) * (1 / before_y - 1 / top) / (1 / before_y - 1 / y);
            y = top;
        }
        if (y > top)
            continue;
        before_x = xy[2 * points] = x;
        before_y = xy[2 * points++ + 1] = y;
    }
    return points ? prune_report_line(report, "roofline of random patterns", xy, points) : PRUNE_OK;
}

/* Other patterns are single points. */
static int32_t add_patterns(prune_report *report, const struct result *results, int count)
{
    int32_t status = PRUNE_OK;
    for (int i = 0; i < count && !status; i++) {
        const char *slash = strrchr(results[i].pattern, '/');
        const double xy[] = {100 * results[i].sparsity, ratio_of(&results[i], results[i].best)};
        if (!is_random(&results[i]))
            status = prune_report_line(report, slash ? slash + 1 : results[i].pattern, xy, 1);
    }
    return status;
}

static int32_t draw(prune_report *report, const char *title, const struct result *results, int count)
{
    double least = 100, most = 1.6, top = 0;
    for (int i = 0; i < count; i++) {
        double x = 100 * results[i].sparsity, y = ratio_of(&results[i], results[i].best);
        least = x < least ? x : least;
        most = y > most ? y : most;
        if (top == 0 && is_random(&results[i])) /* the roofline at least begins in the chart */
            top = 1.1 * results[i].roofline;
    }
    top = top > 1.3 * most ? top : 1.3 * most;
    const double even[] = {least, 1, 100, 1};
    int32_t status = prune_report_chart(report, title, "sparsity, %", "times as fast as dense");
    if (!status)
        status = add_measured(report, results, count);
    if (!status)
        status = add_roofline(report, results, count, top);
    if (!status)
        status = prune_report_line(report, "dense", even, 2);
    if (!status)
        status = add_patterns(report, results, count);
    return status;
}

static int write_chart(const struct job *job, const struct result *results, int count)
{
    prune_report *report = NULL;
    char title[200];
    size_t length = strlen(job->out);
    int alone = length > 4 && strcmp(job->out + length - 4, ".svg") == 0;
    snprintf(title, sizeof title, "Speed-up over dense: W %lld \u00d7 %lld, X of %lld row%s", (long long)job->m,
             (long long)job->k, (long long)job->n, job->n == 1 ? "" : "s");
    int32_t status = prune_report_create(&report, job->context, title);
    if (!status)
        status = draw(report, title, results, count);
    if (!status) {
        write_begin();
        status = alone ? prune_report_write_chart(report, 0, job->out) : prune_report_write(report, job->out);
        write_end();
    }
    prune_report_free(report);
    return status ? complain_status(status, NULL) : DONE;
}

static int present(struct job *job, const struct result *results, int count)
{
    double even = break_even(results, count);
    int code = DONE;
    if (job->common.json) {
        json_t *fields = json_pack("{s:o, s:O}", "machine", machine_json(&job->machine), "records", job->records);
        if (fields && even >= 0)
            json_object_set_new(fields, "break_even_sparsity", json_real(even));
        code = print_json(fields, "bench");
    } else {
        code = print_table(job, results, count);
        if (!code && even >= 0)
            printf("\nSparse pays from %.0f %% random sparsity on.\n", 100 * even);
        else if (!code && count > 1)
            printf("\nSparse does not pay at any random sparsity measured here.\n");
    }
    if (!code && job->out)
        code = write_chart(job, results, count);
    return code;
}

static int work(struct job *job)
{
    struct result results[MOST_CASES];
    int count = 0, more = 1;
    int sweep = !job->sparsities.count && !job->pattern && !job->weights && !job->group_m;
    memset(results, 0, sizeof results);
    int code = context_open(&job->context, &job->common);
    job->records = json_array();
    if (!code)
        machine_measure(&job->machine, prune_context_cpu(job->context));
    while (!code && count < MOST_CASES) {
        struct problem problem = {0};
        code = make_problem(job, count, sweep, &problem, &more);
        if (!code && more) {
            job->m = prune_tensor_shape(problem.weights)[0];
            job->k = prune_tensor_shape(problem.weights)[1];
            code = measure(job, &problem, &results[count++]);
        }
        problem_free(&problem);
        if (!more)
            break;
    }
    if (!code)
        code = present(job, results, count);
    for (int i = 0; i < count; i++)
        free(results[i].contenders);
    json_decref(job->records);
    prune_context_free(job->context);
    return code;
}

static int check(const struct command *self, struct job *job)
{
    if (job->pattern && job->weights)
        return complain(USAGE, "--pattern and --weights both give the weights; give one of them");
    if (!job->pattern && !job->weights && (!job->m || !job->k))
        return option_missing(self, "--m and --k, the size of the weights (or --pattern, or --weights)");
    if (!job->group_m != !job->keep_n || job->keep_n > job->group_m)
        return complain(USAGE, "--keep-n and --group-m belong together, and keep-n is at most group-m");
    if ((double)job->m * (double)job->k > 1e9)
        return complain(USAGE, "%lld x %lld weights are more than the 10^9 that are measured here", (long long)job->m,
                        (long long)job->k);
    return DONE;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.n = 1, .milliseconds = 300, .unit_rows = 1};
    options_add(
        &options,
        (struct option[]){
            {OPTION_WHOLE, "m", 0, &job.m, "M", "rows of W, outputs of the layer", 1, INT32_MAX},
            {OPTION_WHOLE, "n", 0, &job.n, "N", "rows of X, the batch (1)", 1, 1 << 20},
            {OPTION_WHOLE, "k", 0, &job.k, "K", "columns of W, inputs of the layer", 1, INT32_MAX},
            {OPTION_LIST, "sparsity", 0, &job.sparsities, "S", "share of random weights pruned; may be repeated", 0, 0},
            {OPTION_TEXT, "pattern", 0, &job.pattern, "FILE.smtx", "pattern of the weights, as DLMC has them", 0, 0},
            {OPTION_TEXT, "weights", 0, &job.weights, "W.npy", "the weights themselves; zeros are pruned", 0, 0},
            {OPTION_WHOLE, "keep-n", 0, &job.keep_n, "N", "N:M: kept of each group", 1, 16},
            {OPTION_WHOLE, "group-m", 0, &job.group_m, "M", "N:M: columns of a group", 1, 16},
            {OPTION_WHOLE, "unit-rows", 0, &job.unit_rows, "V", "N:M: rows with one pattern (1)", 1, 64},
            {OPTION_TEXT, "format", 0, &job.format, "F", "only this format: csr, nm", 0, 0},
            {OPTION_WHOLE, "milliseconds", 0, &job.milliseconds, "T", "how long to measure each pattern (300)", 10,
             100000},
            {OPTION_TEXT, "output", 'o', &job.out, "FILE", "write the chart: FILE.svg, or a page", 0, 0},
            {OPTION_FLAG, "calibrate", 0, &job.calibrate, NULL,
             "measure every form, and let the tool choose by that from now on", 0, 0},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 0, 0, "no operand");
        if (!code && !job.calibrate)
            code = check(self, &job);
        if (!code)
            code = job.calibrate ? calibrate(job.out) : work(&job);
    }
    options_free(&options);
    return code;
}

const struct command cmd_bench = {
    "bench",
    "does sparse pay for this layer, on this machine?",
    "--m M --k K [--n N] [--sparsity S ...] [--format F] [-o FILE.svg]\n"
    "--pattern FILE.smtx | --weights W.npy [--n N]\n"
    "--calibrate [-o FILE]",
    "Multiplies random weights, or yours, in every form next to dense, interleaved, and says from which sparsity on\n"
    "sparse is faster. \"x dense\" is against the fastest dense product, OpenBLAS's or libprune's; \"of limit\" is "
    "the\n"
    "part reached of the roofline: the remaining products at the peak of the processor, or the\n"
    "remaining weights at the speed of the cache or memory that they come from, both measured.\n"
    "--calibrate takes some minutes of a quiet machine and writes a table of speeds to\n"
    "$XDG_CACHE_HOME/prune/speeds (~/.cache/prune/speeds), which the tool uses from then on.",
    run,
};
