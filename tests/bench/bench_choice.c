/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How often the form that prune_packed_create chooses is the fastest one: every way that advice knows of races for each
 * of 500 products, drawn from layers' sizes, densities and patterns. bench_choice --help.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "problem.h"
#include "prune/prune.h"
#include "race.h"

#define CASES 500
#define MOST_WORK 3e8 /* m * n * k */
#define HOPELESS 2.5  /* times the fastest: such a way is not raced any longer */
#define WORST 20

static const char usage[] = "bench_choice [OPTION...]: is the form that prune_packed_create chooses the fastest?\n"
                            "  --cases N      so many of the 500 products\n"
                            "  --first N      after so many others\n"
                            "  --cpu MASK     PRUNE_CPU_* bits that may be used\n"
                            "  --speeds FILE  a table of speeds in place of the one that is built in\n"
                            "  --seconds S    of one race (default 0.1)\n"
                            "  --all          print every case, with all its ways\n";

struct options {
    int cases, first, all;
    uint32_t cpu;
    double seconds;
    const char *speeds;
};

struct way {
    char name[128];
    prune_packed *packed;
    double expected;
    const struct problem *problem;
};

struct result {
    char title[512], chosen[128], fastest[128];
    double ratio; /* time of the chosen way / time of the fastest */
};

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15ULL;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
    return z ^ z >> 31;
}

struct product {
    int64_t m, n, k;
    int layout;
    char pattern[16];
    double sparsity;
};

/* Number `index` of the 500: always the same, and every part of them much like the whole. */
static void draw(struct product *product, int index)
{
    static const int shapes[][2] = {{10, 100},    {64, 64},     {100, 300},  {128, 128},   {127, 331},  {64, 576},
                                    {256, 256},   {300, 784},   {512, 512},  {1000, 512},  {256, 1024}, {512, 2048},
                                    {768, 768},   {768, 3072},  {3072, 768}, {1024, 1024}, {2000, 128}, {2048, 1024},
                                    {2048, 2048}, {4096, 1024}, {16, 4096},  {1500, 1500}, {4096, 4096}};
    static const int columns[] = {1, 1, 1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 100, 128, 196, 256, 512, 784};
    static const char *const patterns[] = {"2:4", "2:4", "2:4x4", "2:4x4", "1:4", "4:8", "2:8"};
    uint64_t state = 1000003 * (uint64_t)(index + 1);
    do {
        size_t shape = next(&state) % (sizeof shapes / sizeof *shapes);
        product->m = shapes[shape][0];
        product->k = shapes[shape][1];
        product->n = columns[next(&state) % (sizeof columns / sizeof *columns)];
    } while ((double)product->m * (double)product->n * (double)product->k > MOST_WORK);
    product->layout = next(&state) % 2 ? NXK : KXN;
    size_t pattern = next(&state) % 20;
    strcpy(product->pattern, pattern < 7 ? patterns[pattern] : "random");
    product->sparsity = 1 - exp(log(0.01) + (log(0.7) - log(0.01)) * (double)(next(&state) >> 11) * 0x1p-53);
}

static void run(void *state, int64_t turn)
{
    const struct way *way = state;
    const struct problem *p = way->problem;
    (void)turn;
    if (p->layout == KXN)
        prune_packed_run(way->packed, p->y, p->n, p->x, p->n, p->n, NULL);
    else
        prune_packed_run_batch(way->packed, p->y, p->m, p->x, p->k, p->n, NULL);
}

_Noreturn static void stop(void)
{
    fprintf(stderr, "%s\n", prune_error());
    exit(1);
}

/* One way, if it can be packed. */
static int add(struct way *way, const struct problem *p, const prune_tensor *w, const prune_mask *mask,
               const char *format, const char *form)
{
    char spec[256];
    const char *arguments = strchr(format, ':');
    snprintf(spec, sizeof spec, "columns=%lld,format=%.*s,form=%s%s%s", (long long)p->n, (int)strcspn(format, ":"),
             format, form, arguments ? "," : "", arguments ? arguments + 1 : "");
    if (prune_packed_create(&way->packed, w, mask, spec)) {
        fprintf(stderr, "%s: %s\n", spec, prune_error());
        return 0;
    }
    snprintf(way->name, sizeof way->name, "%s, %s", format, form);
    way->problem = p;
    return 1;
}

static int make_ways(struct way *ways, const struct problem *p, prune_context *context, char chosen[128])
{
    int64_t shape[2] = {p->m, p->k};
    prune_tensor *w;
    prune_mask *mask;
    prune_advice *advice;
    prune_packed *packed;
    char spec[64];
    int count = 0;
    snprintf(spec, sizeof spec, "columns=%lld", (long long)p->n);
    if (prune_tensor_borrow(&w, context, p->w, PRUNE_F32, 2, shape, NULL) ||
        prune_mask_from_bytes(&mask, context, 2, shape, p->kept, p->m * p->k) ||
        prune_packed_advise(&advice, w, mask, spec) || prune_packed_create(&packed, w, mask, spec))
        stop();
    snprintf(chosen, 128, "%s, %s", prune_packed_format(packed), prune_packed_form(packed));
    prune_packed_free(packed);
    for (int32_t i = 0; i < prune_advice_count(advice) && count < MOST_RACERS; i++)
        if (add(&ways[count], p, w, mask, prune_advice_format(advice, i), prune_advice_form(advice, i)))
            ways[count++].expected = prune_advice_seconds(advice, i);
    prune_advice_free(advice);
    prune_mask_free(mask);
    prune_tensor_free(w);
    return count;
}

/* Leaves out what a few runs show to be much slower than the fastest, but for the chosen way. */
static int leave_out(struct way *ways, int count, const char *chosen)
{
    double seconds[MOST_RACERS], least = INFINITY;
    int left = 0;
    for (int i = 0; i < count; i++) {
        run(&ways[i], 0);
        seconds[i] = INFINITY;
        for (int j = 0; j < 3; j++) {
            double start = bench_now();
            run(&ways[i], 0);
            seconds[i] = fmin(seconds[i], bench_now() - start);
        }
        least = fmin(least, seconds[i]);
    }
    for (int i = 0; i < count; i++)
        if (seconds[i] <= HOPELESS * least + 1e-6 || !strcmp(ways[i].name, chosen))
            ways[left++] = ways[i];
        else
            prune_packed_free(ways[i].packed);
    return left;
}

static void race_product(struct result *result, const struct product *product, prune_context *context,
                         const struct options *o)
{
    static struct way ways[MOST_RACERS];
    static struct racer racers[MOST_RACERS];
    struct problem p;
    struct race_limits limits = {.seconds = o->seconds, .most_rounds = 60};
    if (problem_make(&p, product->m, product->n, product->k, product->layout, product->pattern, product->sparsity, 3))
        exit(1);
    int count = make_ways(ways, &p, context, result->chosen), best = 0, taken = -1;
    count = leave_out(ways, count, result->chosen);
    memset(racers, 0, sizeof racers);
    for (int i = 0; i < count; i++) {
        racers[i].run = run;
        racers[i].state = &ways[i];
    }
    int rounds = race(racers, count, &limits);
    for (int i = 0; i < count; i++) {
        best = racers[i].median < racers[best].median ? i : best;
        taken = !strcmp(ways[i].name, result->chosen) ? i : taken;
    }
    if (taken < 0) {
        fprintf(stderr, "%s was chosen, which is not in the advice\n", result->chosen);
        exit(1);
    }
    result->ratio = 1 / median_ratio(&racers[best], &racers[taken], rounds);
    if (result->ratio < 1) /* the fastest is what most rounds say */
        result->ratio = 1;
    snprintf(result->fastest, sizeof result->fastest, "%s", ways[best].name);
    snprintf(result->title, sizeof result->title, "%lld x %lld x %lld %s %s %.3f", (long long)p.m, (long long)p.n,
             (long long)p.k, p.layout == KXN ? "kxn" : "nxk", product->pattern, p.sparsity);
    if (o->all) {
        printf("%s: %s, %.3f\n", result->title, result->chosen, result->ratio);
        for (int i = 0; i < count; i++)
            printf("    %-40s %10.2f us, expected %10.2f\n", ways[i].name, 1e6 * racers[i].median,
                   1e6 * ways[i].expected);
    }
    for (int i = 0; i < count; i++)
        prune_packed_free(ways[i].packed);
    problem_free(&p);
}

static int by_ratio(const void *a, const void *b)
{
    double x = ((const struct result *)a)->ratio, y = ((const struct result *)b)->ratio;
    return (x < y) - (x > y);
}

static void print(struct result *results, int count)
{
    int within5 = 0, within10 = 0;
    double sum = 0;
    for (int i = 0; i < count; i++) {
        within5 += results[i].ratio <= 1.05;
        within10 += results[i].ratio <= 1.1;
        sum += log(results[i].ratio);
    }
    qsort(results, (size_t)count, sizeof *results, by_ratio);
    printf("\n%-42s %-34s %-34s %s\n", "worst", "chosen", "fastest", "ratio");
    for (int i = 0; i < count && i < WORST; i++)
        printf("%-42s %-34s %-34s %.3f\n", results[i].title, results[i].chosen, results[i].fastest, results[i].ratio);
    printf("\n%d products: within 5 %% of the fastest way %.1f %%, within 10 %% %.1f %%; geometric mean of chosen / "
           "fastest %.4f\n",
           count, 100.0 * within5 / count, 100.0 * within10 / count, exp(sum / count));
}

static void set_speeds(prune_context *context, const char *path)
{
    static char text[1 << 24];
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        exit(1);
    }
    size_t bytes = fread(text, 1, sizeof text, file);
    fclose(file);
    if (prune_context_set_speeds(context, text, (int64_t)bytes))
        stop();
}

static int parse(struct options *o, int argc, char **argv)
{
    static const struct option options[] = {{"cases", 1, NULL, 'c'},   {"first", 1, NULL, 'f'}, {"cpu", 1, NULL, 'C'},
                                            {"speeds", 1, NULL, 's'},  {"all", 0, NULL, 'a'},   {"help", 0, NULL, 'h'},
                                            {"seconds", 1, NULL, 'S'}, {NULL, 0, NULL, 0}};
    *o = (struct options){.cases = CASES, .cpu = prune_cpu_detect(), .seconds = 0.1};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c')
            o->cases = atoi(optarg);
        else if (option == 'f')
            o->first = atoi(optarg);
        else if (option == 'C')
            o->cpu = (uint32_t)atoi(optarg);
        else if (option == 's')
            o->speeds = optarg;
        else if (option == 'S')
            o->seconds = atof(optarg);
        else if (option == 'a')
            o->all = 1;
        else {
            fputs(usage, option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 2);
        }
    }
    return optind < argc || o->cases < 1 || o->first < 0 || o->first + o->cases > CASES;
}

int main(int argc, char **argv)
{
    static struct result results[CASES];
    struct options o;
    prune_context *context;
    if (parse(&o, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (prune_context_create(&context) || prune_context_set_cpu(context, o.cpu))
        stop();
    if (o.speeds)
        set_speeds(context, o.speeds);
    for (int i = 0; i < o.cases; i++) {
        struct product product;
        draw(&product, o.first + i);
        race_product(&results[i], &product, context, &o);
        fflush(stdout);
    }
    print(results, o.cases);
    prune_context_free(context);
    return 0;
}
