/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Matrices with patterns, and packed objects of every form, for the tests.
 */
#ifndef PR_TEST_PROBLEM_H
#define PR_TEST_PROBLEM_H

#include "reference.h"

/* A matrix with what is kept of it, and a packed object under a context of its own. */
struct problem {
    int64_t rows, columns;
    float *weights;
    uint8_t *kept;
    int64_t *indptr, *indices; /* what is kept, row by row */
    prune_context *context;
    prune_tensor *tensor;
    prune_mask *mask;
};

enum pattern { RANDOM, TWO_OF_FOUR, TWO_OF_FOUR_BY_4, ONE_OF_THREE, FULL, EMPTY, SINGLE, DIAGONAL, UNITS, BLOCKS };

static inline int keeps(enum pattern pattern, double density, struct pr_rng *rng, const struct problem *p, int64_t i,
                        int64_t k)
{
    const uint8_t *row = p->kept + i * p->columns;
    int64_t group = pattern == ONE_OF_THREE ? 3 : 4, quota = pattern == ONE_OF_THREE ? 1 : 2, first = k / group * group;
    int64_t used = 0, end = first + group < p->columns ? first + group : p->columns;
    switch (pattern) {
    case RANDOM:
        return i % 5 != 3 && pr_rng_uniform(rng) < density; /* some rows are empty */
    case TWO_OF_FOUR_BY_4:
        if (i % 4)
            return p->kept[(i - i % 4) * p->columns + k];
        /* fall through */
    case TWO_OF_FOUR:
    case ONE_OF_THREE:
        for (int64_t j = first; j < k; j++)
            used += row[j];
        return used < quota && (pr_rng_below(rng, 2) || end - k <= quota - used);
    case UNITS: /* of 4 rows; some are empty */
        if (i % 4)
            return p->kept[(i - i % 4) * p->columns + k];
        return i / 4 % 5 != 3 && pr_rng_uniform(rng) < density;
    case BLOCKS: /* of 8 x 8 */
        if (i % 8 || k % 8)
            return p->kept[(i - i % 8) * p->columns + k - k % 8];
        return pr_rng_uniform(rng) < density;
    case FULL:
        return 1;
    case SINGLE:
        return i == p->rows - 1 && k == p->columns - 1;
    case DIAGONAL:
        return i == k;
    default:
        return 0;
    }
}

static inline void make(struct problem *p, int64_t rows, int64_t columns, enum pattern pattern, double density,
                        int whole, uint32_t cpu, int threads)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, (uint64_t)(rows * 1000 + columns));
    *p = (struct problem){.rows = rows, .columns = columns};
    p->weights = malloc((size_t)(rows * columns + 1) * sizeof(float));
    p->kept = malloc((size_t)(rows * columns + 1));
    fill_random(&rng, p->weights, rows * columns, whole);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            p->kept[i * columns + k] = (uint8_t)keeps(pattern, density, &rng, p, i, k);
    p->indptr = malloc((size_t)(rows + 1) * sizeof(int64_t));
    p->indices = malloc((size_t)(rows * columns + 1) * sizeof(int64_t));
    p->indptr[0] = 0;
    for (int64_t i = 0, next = 0; i < rows; i++) {
        for (int64_t k = 0; k < columns; k++)
            if (p->kept[i * columns + k])
                p->indices[next++] = k;
        p->indptr[i + 1] = next;
    }
    const int64_t shape[2] = {rows, columns};
    OK(prune_context_create(&p->context));
    OK(prune_context_set_cpu(p->context, cpu));
    OK(prune_context_set_threads(p->context, threads));
    OK(prune_tensor_borrow(&p->tensor, p->context, p->weights, PRUNE_F32, 2, shape, NULL));
    OK(prune_mask_from_bytes(&p->mask, p->context, 2, shape, p->kept, rows * columns));
}

static inline void drop(struct problem *p)
{
    prune_mask_free(p->mask);
    prune_tensor_free(p->tensor);
    prune_context_free(p->context);
    free(p->weights);
    free(p->kept);
    free(p->indptr);
    free(p->indices);
}

#define PATTERN_BITS 0x7fa5a5a5u /* a NaN that no kernel makes */

static inline int is_pattern(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == PATTERN_BITS;
}

static inline void fill_pattern(float *to, int64_t count)
{
    const uint32_t bits = PATTERN_BITS;
    for (int64_t i = 0; i < count; i++)
        memcpy(to + i, &bits, sizeof bits);
}

#ifdef __aarch64__
static const uint32_t masks[] = {PRUNE_CPU_SCALAR, PRUNE_CPU_NEON};
#else
static const uint32_t masks[] = {PRUNE_CPU_SCALAR, PRUNE_CPU_AVX2, PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512};
#endif
#define MASKS ((int)(sizeof masks / sizeof *masks))

static inline int cpu_has(uint32_t mask)
{
    return (mask & ~prune_cpu_detect()) == 0;
}

/* The output of one packed object for X of n columns, in fresh memory. */
static inline float *product_of(const prune_packed *packed, const float *x, int64_t n, int batch)
{
    int64_t rows = prune_packed_rows(packed), columns = prune_packed_columns(packed);
    float *y = calloc((size_t)(rows * n + 1), sizeof *y);
    if (batch)
        OK(prune_packed_run_batch(packed, y, rows, x, columns, n, NULL));
    else
        OK(prune_packed_run(packed, y, n, x, n, n, NULL));
    return y;
}

static inline float *random_x(int64_t count)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 5);
    float *x = malloc((size_t)(count + 1) * sizeof *x);
    fill_random(&rng, x, count, 0);
    return x;
}

static const struct {
    enum pattern pattern;
    const char *spec, *format;
} every_form[] = {
    {RANDOM, "format=csr,form=rows", "csr"},
    {RANDOM, "format=csr,form=windows", "csr"},
    {RANDOM, "format=csr,columns=64", "csr"},
    {TWO_OF_FOUR, "format=nm,form=nm24-strips", "nm:keep_n=2,group_m=4"},
    {TWO_OF_FOUR_BY_4, "format=nm,form=nm24-by-4,unit_rows=4", "nm:keep_n=2,group_m=4,unit_rows=4"},
    {TWO_OF_FOUR, "format=nm,form=rows", "nm:keep_n=2,group_m=4"},
    {FULL, "format=dense,form=dense-strips", "dense"},
    {FULL, "format=dense,form=rows", "dense"},
    {RANDOM, "format=csr,form=singles", "csr"},
    {RANDOM, "format=csr,form=pairs", "csr"},
    {RANDOM, "format=csr,form=quads", "csr"},
    {TWO_OF_FOUR, "format=nm,form=pairs", "nm:keep_n=2,group_m=4"},
    {TWO_OF_FOUR, "format=nm,form=quads", "nm:keep_n=2,group_m=4"},
    {UNITS, "format=csr,form=units-of-4", "csr"},
    {TWO_OF_FOUR_BY_4, "format=nm,form=units-of-4,unit_rows=4", "nm:keep_n=2,group_m=4,unit_rows=4"},
    {BLOCKS, "format=bsr,block_rows=8,block_columns=8", "bsr:block_rows=8,block_columns=8"},
    {FULL, "format=dense,form=dense-tiles", "dense"},
    {RANDOM, "format=csr,form=few-rows,columns=16", "csr"},
    {RANDOM, "format=csr,form=few-pairs,columns=16", "csr"},
    {TWO_OF_FOUR, "format=nm,form=few-pairs,columns=16", "nm:keep_n=2,group_m=4"},
    {TWO_OF_FOUR, "format=nm,form=nm-strips", "nm:keep_n=2,group_m=4"},
    {TWO_OF_FOUR, "format=nm,form=nm-strips,values=int8", "nm:keep_n=2,group_m=4"},
    {RANDOM, "format=csr,form=windows,values=f16", "csr"},
    {RANDOM, "format=csr,form=rows,values=int8", "csr"},
    {FULL, "format=dense,form=dense-strips,values=bf16", "dense"},
    {RANDOM, "format=csr,form=bitmap", "csr"},
    {RANDOM, "format=csr,form=windows-tight", "csr"},
    {RANDOM, "format=csc,form=columns", "csc"},
    {RANDOM, "format=bitmap", "bitmap"},
    {RANDOM, "format=codebook,form=codebook-slices", "codebook"},
    {RANDOM, "format=codebook,levels=256,gap_bits=8", "codebook:levels=256,gap_bits=8"},
};
#define FORMS ((int)(sizeof every_form / sizeof *every_form))

#endif
