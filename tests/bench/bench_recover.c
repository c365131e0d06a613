/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What second-order recoveries cost: SparseGPT of a large layer next to the BLAS calls that it cannot avoid (Cholesky
 * and inverse of the Gram matrix in double, updates of later blocks in float), and OBC with its rows side by side.
 * Options: --size S (4096, rows and columns of SparseGPT's layer; 0 for none), --obc S (512), --threads T (1),
 * --samples N (1024).
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/machine.h"
#include "memory.h"
#include "prune/prune.h"
#include "race.h"

#define BLOCK 128

void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dtrtri_(const char *uplo, const char *diagonal, const int *n, double *a, const int *lda, int *info);

static void check(int32_t status)
{
    if (status) {
        fprintf(stderr, "%s\n", prune_error());
        exit(1);
    }
}

static float *numbers(int64_t count, uint32_t state)
{
    float *out = malloc((size_t)count * sizeof *out);
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (float)(state >> 8) / 8388608.0f - 1.0f + (i % 7 ? 0.5f * out[i - 1] : 0.0f);
    }
    return out;
}

struct layer {
    int64_t size;
    prune_context *context;
    prune_observations *observations;
    float *w;
};

static void make_layer(struct layer *layer, int64_t size, int64_t samples, int32_t threads)
{
    const int64_t shape[2] = {samples, size};
    prune_tensor *inputs;
    float *x = numbers(samples * size, 1);
    layer->size = size;
    layer->w = numbers(size * size, 2);
    check(prune_context_create(&layer->context) || prune_context_set_threads(layer->context, threads));
    check(prune_observations_create(&layer->observations, layer->context, PRUNE_OBSERVE_GRAM));
    check(prune_tensor_borrow(&inputs, layer->context, x, PRUNE_F32, 2, shape, NULL));
    double start = bench_now();
    check(prune_observations_feed(layer->observations, PRUNE_INPUTS, inputs));
    double took = bench_now() - start;
    printf("%-44s %8.3f s  %6.1f GFLOP/s\n", "Gram matrix of the inputs", took,
           1e-9 * (double)size * (double)size * (double)samples / took);
    prune_tensor_free(inputs);
    free(x);
}

static void free_layer(struct layer *layer)
{
    prune_observations_free(layer->observations);
    prune_context_free(layer->context);
    free(layer->w);
}

/* Seconds of one recovery on a copy of the weights. */
static double recover(const struct layer *layer, const char *spec, const char *granularity, double sparsity)
{
    const int64_t shape[2] = {layer->size, layer->size};
    prune_recovery *recovery;
    prune_granularity *g;
    prune_tensor *given, *weights;
    prune_mask *mask;
    check(prune_tensor_borrow(&given, layer->context, layer->w, PRUNE_F32, 2, shape, NULL) ||
          prune_tensor_convert(&weights, given, PRUNE_F32));
    check(prune_recovery_create(&recovery, NULL, spec) || prune_granularity_create(&g, NULL, granularity));
    double start = bench_now();
    check(prune_recovery_prune(weights, &mask, recovery, g, sparsity > 0 ? PRUNE_SPARSITY : PRUNE_QUOTA, sparsity,
                               layer->observations, NULL));
    double took = bench_now() - start;
    prune_mask_free(mask);
    prune_tensor_free(weights);
    prune_tensor_free(given);
    prune_granularity_free(g);
    prune_recovery_free(recovery);
    return took;
}

/* Cholesky and the triangle's inverse, from which SparseGPT's factor comes; or, as its authors' program does it,
 * Cholesky, inverse and Cholesky again. */
static double dense_seconds(int64_t size, int as_reference)
{
    int n = (int)size, info = 0;
    double *a = malloc((size_t)(size * size) * sizeof *a);
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < size; j++)
            a[i * size + j] = i == j ? 2 : 1.0 / (double)(1 + (i > j ? i - j : j - i) * (1 + i % 3) * (1 + j % 3));
    for (int64_t i = 0; i < size; i++)
        a[i * size + i] = 40;
    double start = bench_now();
    dpotrf_("L", &n, a, &n, &info);
    if (as_reference) {
        dpotri_("L", &n, a, &n, &info);
        dpotrf_("L", &n, a, &n, &info);
    } else {
        dtrtri_("L", "N", &n, a, &n, &info);
    }
    double took = bench_now() - start;
    free(a);
    return took;
}

/* The products that bring each block's errors to the columns beyond it. */
static double update_seconds(int64_t size)
{
    float *w = numbers(size * size, 3), *errors = numbers(size * BLOCK, 4), *upper = numbers(BLOCK * size, 5);
    int n = (int)size;
    double start = bench_now();
    for (int end = BLOCK; end < n; end += BLOCK)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n - end, BLOCK, -1e-6f, errors, BLOCK, upper, n, 1,
                    w + end, n);
    double took = bench_now() - start;
    free(w);
    free(errors);
    free(upper);
    return took;
}

/* Of two runs, the first of which may have to wait for new memory. */
static double least_of(double a, double b)
{
    return a < b ? a : b;
}

static void sparsegpt(int64_t size, int64_t samples, int32_t threads, double peak)
{
    static const struct {
        const char *spec, *granularity;
        double sparsity;
    } cases[] = {{"sparsegpt", "element", .5},
                 {"sparsegpt", "nm:keep_n=2,group_m=4", 0},
                 {"sparsegpt:mask=wanda", "element:pool=row", .5}};
    struct layer layer;
    double n = (double)size, cube = n * n * n, dense = 2. / 3 * cube, updates = cube * (1 - BLOCK / n);
    make_layer(&layer, size, samples, threads);
    double factor = least_of(dense_seconds(size, 0), dense_seconds(size, 0));
    double reference = least_of(dense_seconds(size, 1), dense_seconds(size, 1));
    double update = least_of(update_seconds(size), update_seconds(size));
    double least = factor + update;
    printf("%-44s %8.3f s  %6.1f GFLOP/s\n", "dpotrf, dtrtri", factor, 1e-9 * dense / factor);
    printf("%-44s %8.3f s  %6.1f GFLOP/s\n", "dpotrf, dpotri, dpotrf", reference, 1e-9 * 4. / 3 * cube / reference);
    printf("%-44s %8.3f s  %6.1f GFLOP/s\n", "sgemm of the blocks", update, 1e-9 * updates / update);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[96];
        double took = least_of(recover(&layer, cases[i].spec, cases[i].granularity, cases[i].sparsity),
                               recover(&layer, cases[i].spec, cases[i].granularity, cases[i].sparsity));
        snprintf(name, sizeof name, "%s %s %lld x %lld", cases[i].spec, cases[i].granularity, (long long)size,
                 (long long)size);
        /* The peak is of floats; doubles have half of it. */
        printf("%-44s %8.3f s  %6.1f GFLOP/s, %.0f %% of the peak, %.2f times dpotrf, dtrtri and sgemm, %.2f times "
               "dpotrf, dpotri, dpotrf and sgemm\n",
               name, took, 1e-9 * (dense + updates) / took, 1e-7 * (2 * dense + updates) / took / peak, took / least,
               took / (reference + update));
        fflush(stdout);
    }
    free_layer(&layer);
}

static void obc(int64_t size, int32_t threads, double peak)
{
    static const struct {
        const char *granularity;
        double sparsity;
    } cases[] = {{"element:pool=row", .5}, {"nm:keep_n=2,group_m=4", 0}, {"element", .5}};
    struct layer layer;
    /* Each of k steps of a row multiplies what is left of the factor's rows with its last one. */
    double k = (double)size / 2, n = (double)size, operations = n * (n * k * k - 2. / 3 * k * k * k);
    make_layer(&layer, size, 4 * size, threads);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[96];
        double took = recover(&layer, "obc", cases[i].granularity, cases[i].sparsity);
        snprintf(name, sizeof name, "obc %s %lld x %lld", cases[i].granularity, (long long)size, (long long)size);
        printf("%-44s %8.3f s", name, took);
        if (i < 2)
            printf("  %6.1f GFLOP/s, %.0f %% of the peak of %d thread%s", 1e-9 * operations / took,
                   2e-7 * operations / took / peak / threads, (int)threads, threads == 1 ? "" : "s");
        printf("\n");
        fflush(stdout);
    }
    free_layer(&layer);
}

int main(int argc, char **argv)
{
    int64_t size = 4096, rows = 512, samples = 1024, threads = 1;
    struct machine machine;
    for (int i = 1; i + 1 < argc; i += 2) {
        int64_t value = atoll(argv[i + 1]);
        if (strcmp(argv[i], "--size") == 0)
            size = value;
        else if (strcmp(argv[i], "--obc") == 0)
            rows = value;
        else if (strcmp(argv[i], "--threads") == 0)
            threads = value;
        else if (strcmp(argv[i], "--samples") == 0)
            samples = value;
    }
    bench_keep_memory();
    machine_measure(&machine, prune_cpu_detect());
    printf("%s: %.1f GFLOP/s in float, %lld thread%s\n", machine.cpu, machine.fma_peak, (long long)threads,
           threads == 1 ? "" : "s");
    if (size > 0)
        sparsegpt(size, samples, (int32_t)threads, machine.fma_peak);
    if (rows > 0)
        obc(rows, (int32_t)threads, machine.fma_peak);
    return 0;
}
