/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The product of two dense matrices at the positions of a pattern: both layouts, epilogues, threads, bad input.
 */
#include "problem.h"

#include "allocator.h"

struct run {
    int64_t n, slack;
    int batch, whole, at_end, fused, poison;
};

static prune_sparse *pattern_of(const struct problem *p)
{
    prune_sparse *pattern;
    OK(prune_sparse_from_mask(&pattern, p->mask, "csr"));
    return pattern;
}

static int32_t multiply(const prune_sparse *pattern, float *values, const float *dy, int64_t ldy, const float *x,
                        int64_t ldx, int64_t n, int batch, const prune_epilogue *epilogue)
{
    return (batch ? prune_sddmm_batch : prune_sddmm)(pattern, values, dy, ldy, x, ldx, n, epilogue);
}

/* A matrix of `rows` rows where n is contiguous; rows that no position needs may hold anything. */
static float *matrix(struct pr_rng *rng, const struct run *run, int place, int64_t rows, int64_t *ld)
{
    int64_t height = run->batch ? run->n : rows, width = run->batch ? rows : run->n;
    *ld = width + run->slack;
    float *to = guarded_floats(place, height && width ? (height - 1) * *ld + width : 0, run->at_end);
    for (int64_t i = 0; i < height; i++)
        fill_random(rng, to + i * *ld, width, run->whole);
    return to;
}

static double element(const struct run *run, const float *m, int64_t ld, int64_t row, int64_t j)
{
    return (double)(run->batch ? m[j * ld + row] : m[row * ld + j]);
}

static void check_run(const struct problem *p, const struct run *run)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, (uint64_t)(run->n + 11));
    int64_t ldy, ldx, stored = p->indptr[p->rows];
    float *dy = matrix(&rng, run, 0, p->rows, &ldy), *x = matrix(&rng, run, 1, p->columns, &ldx);
    for (int64_t i = 0; run->poison && i < p->rows; i++)
        for (int64_t j = 0; p->indptr[i] == p->indptr[i + 1] && j < run->n; j++)
            dy[run->batch ? j * ldy + i : i * ldy + j] = NAN;
    float *values = guarded_floats(2, stored, run->at_end), *old = malloc((size_t)(stored + 1) * sizeof *old);
    float *scale = malloc((size_t)(p->rows + 1) * sizeof *scale);
    fill_random(&rng, values, stored, run->whole);
    fill_random(&rng, scale, p->rows, run->whole);
    memcpy(old, values, (size_t)stored * sizeof *old);
    prune_epilogue *epilogue = NULL;
    if (run->fused)
        OK(prune_epilogue_create(&epilogue, NULL, scale, NULL, p->rows, run->fused == 2 ? "alpha=2,beta=-1" : ""));
    else
        fill_pattern(values, stored);
    prune_sparse *pattern = pattern_of(p);
    OK(multiply(pattern, values, dy, ldy, x, ldx, run->n, run->batch, epilogue));
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t e = p->indptr[i]; e < p->indptr[i + 1]; e++) {
            double sum = 0, size = 0;
            for (int64_t j = 0; j < run->n; j++) {
                double product = element(run, dy, ldy, i, j) * element(run, x, ldx, p->indices[e], j);
                sum += product;
                size += fabs(product);
            }
            double bound = gamma_of(run->n) * size;
            if (run->fused) {
                double s = (double)scale[i] * (run->fused == 2 ? 2 : 1);
                sum = s * sum - (run->fused == 2 ? (double)old[e] : 0);
                bound = fabs(s) * bound * (1 + 0x1p-22) + 0x1p-22 * (fabs(s) * size + fabs(sum));
            }
            if (run->whole)
                bound = 0;
            if (!((double)values[e] == sum || fabs((double)values[e] - sum) <= bound))
                ck_abort_msg("%lld x %lld, n %lld: value %lld is %.9g, %.9g expected", (long long)p->rows,
                             (long long)p->columns, (long long)run->n, (long long)e, (double)values[e], sum);
        }
    prune_sparse_free(pattern);
    prune_epilogue_free(epilogue);
    free(old);
    free(scale);
}

START_TEST(values_are_those_of_the_dense_product)
{
    static const int64_t shapes[][2] = {{1, 1}, {3, 70}, {67, 5}, {40, 96}, {0, 4}, {4, 0}};
    static const int64_t ns[] = {0, 1, 3, 17, 64, 70, 256, 300};
    static const enum pattern patterns[] = {RANDOM, FULL, EMPTY, SINGLE};
    for (int m = 0; m < MASKS; m++)
        for (int c = 0; cpu_has(masks[m]) && c < 6 * 4 * 2; c++) {
            struct problem p;
            int whole = c % 2;
            make(&p, shapes[c / 8][0], shapes[c / 8][1], patterns[c / 2 % 4], 0.3, whole, masks[m], 1);
            for (int i = 0; i < 16; i++) {
                struct run run = {.n = ns[i / 2],
                                  .slack = (c + i) % 3,
                                  .batch = i % 2,
                                  .whole = whole,
                                  .at_end = (c + i) % 2,
                                  .fused = (c + i) % 4 < 3 ? (c + i) % 3 : 0,
                                  .poison = i % 4 == 0};
                check_run(&p, &run);
                run.at_end = !run.at_end;
                run.fused = 0;
                check_run(&p, &run);
            }
            drop(&p);
        }
}
END_TEST

/* Columns so many that they go in panels, and n in tiles. */
START_TEST(any_number_of_threads_gives_the_same_bits)
{
    enum { ROWS = 50, COLUMNS = 1500, N = 530 };
    float *dy = random_x(ROWS * N), *x = random_x((int64_t)COLUMNS * N), *first[2] = {NULL, NULL};
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4)
        for (int batch = 0; batch < 2; batch++) {
            struct problem p;
            make(&p, ROWS, COLUMNS, RANDOM, 0.1, 0, prune_cpu_detect(), threads);
            prune_sparse *pattern = pattern_of(&p);
            int64_t stored = prune_sparse_stored(pattern);
            float *values = malloc((size_t)stored * sizeof *values);
            OK(multiply(pattern, values, dy, batch ? ROWS : N, x, batch ? COLUMNS : N, N, batch, NULL));
            if (!first[batch])
                first[batch] = values;
            else
                ck_assert_mem_eq(first[batch], values, (size_t)stored * sizeof *values);
            for (int64_t i = 0; threads == 1 && i < ROWS; i++)
                for (int64_t e = p.indptr[i]; e < p.indptr[i + 1]; e++) {
                    double sum = 0, size = 0;
                    for (int64_t j = 0; j < N; j++) {
                        double a = (double)(batch ? dy[j * ROWS + i] : dy[i * N + j]);
                        double b = (double)(batch ? x[j * COLUMNS + p.indices[e]] : x[p.indices[e] * N + j]);
                        sum += a * b;
                        size += fabs(a * b);
                    }
                    if (!(fabs((double)values[e] - sum) <= gamma_of(N) * size))
                        ck_abort_msg("value %lld is %.9g, %.9g expected", (long long)e, (double)values[e], sum);
                }
            if (values != first[batch])
                free(values);
            prune_sparse_free(pattern);
            drop(&p);
        }
    free(first[0]);
    free(first[1]);
    free(dy);
    free(x);
}
END_TEST

START_TEST(bad_operands_are_refused)
{
    struct problem p;
    float dy[6 * 3] = {0}, x[11 * 3] = {0}, values[66], before[66];
    prune_sparse *dense;
    prune_epilogue *epilogue;
    make(&p, 6, 11, RANDOM, 0.5, 0, prune_cpu_detect(), 1);
    prune_sparse *pattern = pattern_of(&p);
    OK(prune_sparse_from_mask(&dense, p.mask, "dense"));
    OK(prune_epilogue_create(&epilogue, NULL, dy, NULL, 5, NULL));
    fill_pattern(values, 66);
    fill_pattern(before, 66);
    FAILS(prune_sddmm(NULL, values, dy, 3, x, 3, 3, NULL), PRUNE_E_ARGUMENT, "pattern is NULL");
    FAILS(prune_sddmm(dense, values, dy, 3, x, 3, 3, NULL), PRUNE_E_UNSUPPORTED, "must be csr");
    FAILS(prune_sddmm(pattern, NULL, dy, 3, x, 3, 3, NULL), PRUNE_E_ARGUMENT, "values is NULL");
    FAILS(prune_sddmm(pattern, values, NULL, 3, x, 3, 3, NULL), PRUNE_E_ARGUMENT, "dy is NULL");
    FAILS(prune_sddmm(pattern, values, dy, 3, NULL, 3, 3, NULL), PRUNE_E_ARGUMENT, "x is NULL");
    FAILS(prune_sddmm(pattern, values, dy, 3, x, 3, -1, NULL), PRUNE_E_ARGUMENT, "n is -1");
    FAILS(prune_sddmm(pattern, values, dy, 2, x, 3, 3, NULL), PRUNE_E_SHAPE, "ldy is 2");
    FAILS(prune_sddmm(pattern, values, dy, 3, x, 2, 3, NULL), PRUNE_E_SHAPE, "ldx is 2");
    FAILS(prune_sddmm_batch(pattern, values, dy, 5, x, 11, 3, NULL), PRUNE_E_SHAPE, "6 elements");
    FAILS(prune_sddmm_batch(pattern, values, dy, 6, x, 10, 3, NULL), PRUNE_E_SHAPE, "11 elements");
    FAILS(prune_sddmm(pattern, values, dy, INT64_MAX, x, 3, 3, NULL), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_sddmm(pattern, values, dy, 3, values, 3, 3, NULL), PRUNE_E_ARGUMENT, "overlap x");
    FAILS(prune_sddmm(pattern, values, values + 2, 3, x, 3, 3, NULL), PRUNE_E_ARGUMENT, "overlap dy");
    FAILS(prune_sddmm(pattern, values, dy, 3, x, 3, 3, epilogue), PRUNE_E_SHAPE, "5 rows");
    ck_assert_mem_eq(values, before, sizeof values);
    prune_sparse *made = UNTOUCHED;
    FAILS(prune_sparse_from_mask(&made, NULL, "csr"), PRUNE_E_ARGUMENT, "mask");
    FAILS(prune_sparse_from_mask(&made, p.mask, NULL), PRUNE_E_ARGUMENT, "spec");
    FAILS(prune_sparse_from_mask(NULL, p.mask, "csr"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_sparse_from_mask(&made, p.mask, "nm:keep_n=1,group_m=16"), PRUNE_E_VALUE, "row");
    ck_assert_ptr_eq(made, UNTOUCHED);
    prune_epilogue_free(epilogue);
    prune_sparse_free(dense);
    prune_sparse_free(pattern);
    drop(&p);
}
END_TEST

START_TEST(no_memory_is_survived)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    const int64_t shape[2] = {7, 9};
    prune_mask *mask;
    prune_sparse *pattern;
    prune_epilogue *epilogue;
    float dy[7 * 3] = {1}, x[9 * 3] = {2}, values[63] = {0};
    OK(prune_mask_create(&mask, context, 2, shape, 1));
    SURVIVES(&a, &pattern, prune_sparse_from_mask(&pattern, mask, "csr"));
    OK(prune_epilogue_create(&epilogue, NULL, NULL, NULL, 0, "beta=1"));
    for (int i = 0; i < 2; i++) {
        int64_t live = a.live;
        a.fail_at = a.calls + i;
        FAILS(prune_sddmm_batch(pattern, values, dy, 7, x, 9, 3, epilogue), PRUNE_E_NOMEM, "");
        ck_assert_int_eq(a.live, live);
    }
    a.fail_at = -1;
    int64_t calls = a.calls;
    OK(prune_sddmm(pattern, values, dy, 3, x, 3, 3, NULL));
    ck_assert_int_eq(a.calls, calls);
    prune_epilogue_free(epilogue);
    prune_sparse_free(pattern);
    prune_mask_free(mask);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
}
END_TEST

TEST_MAIN("sddmm", values_are_those_of_the_dense_product, any_number_of_threads_gives_the_same_bits,
          bad_operands_are_refused, no_memory_is_survived)
