/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LeNet-300-100 (784-300, 300-100, 100-10) packed as CSR at 12x, as plain 2:4 and as 2:4 shared by 4 rows, against the
 * faster of OpenBLAS's sgemv and sgemm. One thread; the contenders take turns, so that what slows one slows all.
 */
#define _DEFAULT_SOURCE
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "prune/prune.h"

#define LAYERS 3
static const int64_t rows_of[LAYERS] = {300, 100, 10}, columns_of[LAYERS] = {784, 300, 100};
static const double kept_of[LAYERS] = {0.08, 0.09, 0.26};

#define MOST_CONTENDERS 24
#define MOST_ROUNDS 2000
#define MOST_N 64

struct contender {
    char name[64];
    prune_packed *packed[LAYERS]; /* NULL: dense */
    int gemm;
    double seconds[MOST_ROUNDS];
};

static struct contender contenders[MOST_CONTENDERS];
static int contender_count;
static float *weights[LAYERS], *inputs[LAYERS], *outputs[LAYERS];
static prune_context *context;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void check(int32_t status)
{
    if (status) {
        fprintf(stderr, "%s: %s\n", prune_status_name(status), prune_error());
        exit(1);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    double sorted[MOST_ROUNDS];
    memcpy(sorted, values, (size_t)count * sizeof *values);
    qsort(sorted, (size_t)count, sizeof *sorted, compare);
    return sorted[count / 2];
}

/* All three layers once, batch-major: X is n x columns, Y n x rows. */
static void run_once(const struct contender *c, int64_t n)
{
    for (int l = 0; l < LAYERS; l++) {
        int64_t rows = rows_of[l], columns = columns_of[l];
        if (c->packed[l])
            prune_packed_run_batch(c->packed[l], outputs[l], rows, inputs[l], columns, n, NULL);
        else if (c->gemm)
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)rows, (int)columns, 1, inputs[l],
                        (int)columns, weights[l], (int)columns, 0, outputs[l], (int)rows);
        else
            cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)rows, (int)columns, 1, weights[l], (int)columns, inputs[l], 1,
                        0, outputs[l], 1);
    }
}

static struct contender *add(const char *name)
{
    struct contender *c = &contenders[contender_count++];
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", name);
    return c;
}

static double key_of(float value, uint64_t index)
{
    return fabs((double)value) + 1e-12 * (double)index;
}

/* Keeps the share of largest magnitudes: whole layer, or 2 of 4, or 2 of 4 by the sums over 4 rows. */
static void make_mask(int l, int kind, uint8_t *kept)
{
    int64_t rows = rows_of[l], columns = columns_of[l];
    for (int64_t i = 0; i < rows * columns; i++)
        kept[i] = kind == 0 && pr_rng_at(77, (uint64_t)(i + l * 1000003)) < kept_of[l];
    if (kind == 0)
        return;
    int64_t unit = kind == 1 ? 1 : 4;
    for (int64_t r = 0; r < rows; r += unit)
        for (int64_t g = 0; g < columns; g += 4) {
            double size[4] = {0};
            for (int64_t i = r; i < r + unit && i < rows; i++)
                for (int k = 0; k < 4; k++)
                    size[k] += key_of(weights[l][i * columns + g + k], (uint64_t)k);
            for (int k = 0; k < 4; k++) {
                int larger = 0;
                for (int j = 0; j < 4; j++)
                    larger += size[j] > size[k];
                for (int64_t i = r; i < r + unit && i < rows; i++)
                    kept[i * columns + g + k] = larger < 2;
            }
        }
}

static void add_packed(const char *name, int kind, const char *spec)
{
    struct contender *c = add(name);
    for (int l = 0; l < LAYERS; l++) {
        int64_t shape[2] = {rows_of[l], columns_of[l]}, count = shape[0] * shape[1];
        uint8_t *kept = malloc((size_t)count);
        prune_tensor *tensor;
        prune_mask *mask;
        make_mask(l, kind, kept);
        check(prune_tensor_borrow(&tensor, context, weights[l], PRUNE_F32, 2, shape, NULL));
        check(prune_mask_from_bytes(&mask, context, 2, shape, kept, count));
        if (prune_packed_create(&c->packed[l], tensor, mask, spec)) {
            printf("%-24s %s\n", name, prune_error());
            contender_count--;
            return;
        }
        prune_mask_free(mask);
        prune_tensor_free(tensor);
        free(kept);
    }
}

static void race(int64_t n, int rounds)
{
    for (int r = -5; r < rounds; r++)
        for (int i = 0; i < contender_count; i++) {
            struct contender *c = &contenders[i];
            if (!c->packed[0] && !c->gemm && n > 1)
                continue;
            int repeat = n == 1 ? 4 : 1;
            run_once(c, n);
            double start = now();
            for (int k = 0; k < repeat; k++)
                run_once(c, n);
            if (r >= 0)
                c->seconds[r] = (now() - start) / repeat;
        }
    double dense = 1e9;
    for (int i = 0; i < contender_count; i++)
        if (!contenders[i].packed[0] && (contenders[i].gemm || n == 1))
            dense = fmin(dense, median(contenders[i].seconds, rounds));
    printf("\nn = %d: microseconds for the three layers, ratio to the faster dense one\n", (int)n);
    for (int i = 0; i < contender_count; i++) {
        struct contender *c = &contenders[i];
        if (!c->packed[0] && !c->gemm && n > 1)
            continue;
        double time = median(c->seconds, rounds);
        printf("%-24s %9.3f  %5.2f  %s %s\n", c->name, 1e6 * time, dense / time,
               c->packed[0] ? prune_packed_form(c->packed[0]) : "",
               c->packed[0] ? prune_packed_kernels(c->packed[0], n) : "");
    }
}

int main(int argc, char **argv)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 1);
    openblas_set_num_threads(1);
    printf("OpenBLAS core %s, OPENBLAS_CORETYPE %s, OPENBLAS_L2_SIZE %s\n", openblas_get_corename(),
           getenv("OPENBLAS_CORETYPE") ? "SET" : "unset", getenv("OPENBLAS_L2_SIZE") ? "SET" : "unset");
    for (int l = 0; l < LAYERS; l++) {
        weights[l] = aligned_alloc(64, (size_t)(rows_of[l] * columns_of[l]) * 4 / 64 * 64 + 64);
        inputs[l] = aligned_alloc(64, (size_t)(MOST_N * columns_of[l]) * 4);
        outputs[l] = aligned_alloc(64, (size_t)(MOST_N * rows_of[l]) * 4);
        for (int64_t i = 0; i < rows_of[l] * columns_of[l]; i++)
            weights[l][i] = (float)(pr_rng_uniform(&rng) - 0.5);
        for (int64_t i = 0; i < MOST_N * columns_of[l]; i++)
            inputs[l][i] = (float)pr_rng_uniform(&rng);
    }
    check(prune_context_create(&context));
    if (argc > 1)
        check(prune_context_set_cpu(context, (uint32_t)atoi(argv[1])));
    add("OpenBLAS sgemv");
    add("OpenBLAS sgemm")->gemm = 1;
    add_packed("dense", 0, "format=dense");
    add_packed("csr 12x, n=1", 0, "format=csr");
    add_packed("csr 12x, n=64", 0, "format=csr,columns=64");
    add_packed("csr 12x, rows n=1", 0, "format=csr,form=rows");
    add_packed("2:4, n=1", 1, "format=nm");
    add_packed("2:4, n=64", 1, "format=nm,columns=64");
    add_packed("2:4 by 4, n=1", 2, "format=nm,unit_rows=4");
    add_packed("2:4 by 4, n=64", 2, "format=nm,unit_rows=4,columns=64");
    race(1, 500);
    race(4, 200);
    race(16, 100);
    race(64, 100);
    return 0;
}
