/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The product of two sparse matrices against loops in double: structure, order, formats, threads, bad input, memory
 * that cannot be had.
 */
#include <math.h>

#include "allocator.h"
#include "base/rng.h"

/* Values in [-1, 1), and what is kept of them. */
struct matrix {
    int64_t rows, columns;
    float *values;
    uint8_t *kept;
    prune_sparse *sparse;
};

static void make(struct matrix *m, int64_t rows, int64_t columns, double density, const char *spec, uint64_t seed,
                 prune_context *context)
{
    struct pr_rng rng;
    const int64_t shape[2] = {rows, columns};
    prune_tensor *tensor;
    prune_mask *mask;
    pr_rng_seed(&rng, seed);
    *m = (struct matrix){.rows = rows, .columns = columns};
    m->values = malloc((size_t)(rows * columns + 1) * sizeof *m->values);
    m->kept = malloc((size_t)(rows * columns + 1));
    for (int64_t i = 0; i < rows * columns; i++) {
        m->values[i] = (float)(2 * pr_rng_uniform(&rng) - 1);
        m->kept[i] = i / columns % 7 != 4 && pr_rng_uniform(&rng) < density;
        if (!m->kept[i] && strcmp(spec, "csr") != 0)
            m->values[i] = 0;
    }
    OK(prune_tensor_borrow(&tensor, context, m->values, PRUNE_F32, 2, shape, NULL));
    OK(prune_mask_from_bytes(&mask, context, 2, shape, m->kept, rows * columns));
    OK(prune_sparse_create(&m->sparse, tensor, strcmp(spec, "csr") == 0 ? mask : NULL, spec));
    prune_mask_free(mask);
    prune_tensor_free(tensor);
}

static void drop(struct matrix *m)
{
    prune_sparse_free(m->sparse);
    free(m->values);
    free(m->kept);
}

static void check(const struct matrix *a, const struct matrix *b, const prune_sparse *c)
{
    ck_assert_str_eq(prune_sparse_spec(c), "csr");
    ck_assert_int_eq(prune_sparse_rank(c), 2);
    ck_assert_int_eq(prune_sparse_rows(c), a->rows);
    ck_assert_int_eq(prune_sparse_columns(c), b->columns);
    const int64_t *indptr = prune_tensor_const_data(prune_sparse_part(c, 0));
    const int32_t *indices = prune_tensor_const_data(prune_sparse_part(c, 1));
    const float *values = prune_tensor_const_data(prune_sparse_part(c, 2));
    int64_t at = 0;
    for (int64_t i = 0; i < a->rows; i++) {
        ck_assert_int_eq(indptr[i], at);
        for (int64_t j = 0; j < b->columns; j++) {
            double sum = 0, size = 0, n = 0;
            for (int64_t k = 0; k < a->columns; k++)
                if (a->kept[i * a->columns + k] && b->kept[k * b->columns + j]) {
                    double product = (double)a->values[i * a->columns + k] * (double)b->values[k * b->columns + j];
                    sum += product;
                    size += fabs(product);
                    n++;
                }
            if (n == 0)
                continue;
            if (at >= prune_sparse_stored(c) || indices[at] != j ||
                !(fabs((double)values[at] - sum) <= n * 0x1p-24 / (1 - n * 0x1p-24) * size))
                ck_abort_msg("element (%lld, %lld) is wrong", (long long)i, (long long)j);
            at++;
        }
    }
    ck_assert_int_eq(indptr[a->rows], at);
    ck_assert_int_eq(prune_sparse_stored(c), at);
}

START_TEST(products_are_those_of_loops_in_double)
{
    static const int64_t shapes[][3] = {{1, 1, 1}, {5, 7, 3},      {40, 64, 65}, {33, 20, 130}, {0, 3, 4},  {3, 0, 4},
                                        {3, 4, 0}, {12, 30, 5000}, {7, 9, 64},   {60, 60, 60},  {2, 3, 128}};
    static const double densities[] = {0, 0.05, 0.4, 1};
    for (int s = 0; s < 11; s++)
        for (int d = 0; d < 16; d++) {
            struct matrix a, b;
            prune_sparse *c;
            make(&a, shapes[s][0], shapes[s][1], densities[d / 4], "csr", 1, NULL);
            make(&b, shapes[s][1], shapes[s][2], densities[d % 4], "csr", 2, NULL);
            OK(prune_sparse_multiply(&c, a.sparse, b.sparse));
            check(&a, &b, c);
            prune_sparse_free(c);
            drop(&a);
            drop(&b);
        }
}
END_TEST

START_TEST(all_formats_are_multiplied)
{
    static const char *const specs[] = {"csr", "dense", "nm:keep_n=4,group_m=4", "bsr:block_rows=4,block_columns=4"};
    for (int f = 0; f < 16; f++) {
        struct matrix a, b;
        prune_sparse *c;
        make(&a, 24, 32, 0.3, specs[f / 4], 3, NULL);
        make(&b, 32, 20, 0.3, specs[f % 4], 4, NULL);
        OK(prune_sparse_multiply(&c, a.sparse, b.sparse));
        check(&a, &b, c);
        prune_sparse_free(c);
        drop(&a);
        drop(&b);
    }
}
END_TEST

/* 3 * 2 - 3 * 2. */
START_TEST(a_sum_of_zero_is_stored)
{
    prune_sparse *c;
    const float left[2] = {3, -3}, right[2] = {2, 2};
    const int64_t shapes[2][2] = {{1, 2}, {2, 1}};
    prune_tensor *tensors[2];
    prune_sparse *factors[2];
    for (int i = 0; i < 2; i++) {
        OK(prune_tensor_borrow(&tensors[i], NULL, (void *)(uintptr_t)(i ? right : left), PRUNE_F32, 2, shapes[i],
                               NULL));
        OK(prune_sparse_create(&factors[i], tensors[i], NULL, "csr"));
    }
    OK(prune_sparse_multiply(&c, factors[0], factors[1]));
    ck_assert_int_eq(prune_sparse_stored(c), 1);
    const float zero = 0;
    ck_assert_mem_eq(prune_tensor_const_data(prune_sparse_part(c, 2)), &zero, sizeof zero);
    prune_sparse_free(c);
    for (int i = 0; i < 2; i++) {
        prune_sparse_free(factors[i]);
        prune_tensor_free(tensors[i]);
    }
}
END_TEST

/* A csr matrix from lists, of any number of columns. */
static prune_sparse *from_lists(prune_context *context, int64_t rows, int64_t columns, const int64_t *indptr,
                                const int32_t *indices, const float *values)
{
    const int64_t shape[2] = {rows, columns}, pointers = rows + 1, stored = indptr[rows];
    prune_tensor *parts[3];
    prune_sparse *sparse;
    OK(prune_tensor_borrow(&parts[0], NULL, (void *)(uintptr_t)indptr, PRUNE_I64, 1, &pointers, NULL));
    OK(prune_tensor_borrow(&parts[1], NULL, (void *)(uintptr_t)indices, PRUNE_I32, 1, &stored, NULL));
    OK(prune_tensor_borrow(&parts[2], NULL, (void *)(uintptr_t)values, PRUNE_F32, 1, &stored, NULL));
    OK(prune_sparse_import(&sparse, context, "csr", 2, shape, (const prune_tensor *const *)parts, 3));
    for (int i = 0; i < 3; i++)
        prune_tensor_free(parts[i]);
    return sparse;
}

/* So many columns that rows are gathered in a hash table; the same numbers, spread out, as in a narrow product. */
START_TEST(wide_products_are_those_of_narrow_ones)
{
    enum { ROWS = 60, INNER = 50, COLUMNS = 200 };
    const int64_t step = 10000019;
    for (int threads = 1; threads < 4; threads++) {
        struct matrix a, b;
        prune_context *context;
        prune_sparse *narrow, *wide;
        OK(prune_context_create(&context));
        OK(prune_context_set_threads(context, threads));
        make(&a, ROWS, INNER, 0.3, "csr", 5, context);
        make(&b, INNER, COLUMNS, 0.3, "csr", 6, context);
        const int64_t stored = prune_sparse_stored(b.sparse);
        int32_t *spread = malloc((size_t)stored * sizeof *spread);
        const int32_t *indices = prune_tensor_const_data(prune_sparse_part(b.sparse, 1));
        for (int64_t i = 0; i < stored; i++)
            spread[i] = (int32_t)(indices[i] * step);
        prune_sparse *far =
            from_lists(context, INNER, COLUMNS * step, prune_tensor_const_data(prune_sparse_part(b.sparse, 0)), spread,
                       prune_tensor_const_data(prune_sparse_part(b.sparse, 2)));
        OK(prune_sparse_multiply(&narrow, a.sparse, b.sparse));
        OK(prune_sparse_multiply(&wide, a.sparse, far));
        check(&a, &b, narrow);
        ck_assert_int_eq(prune_sparse_stored(narrow), prune_sparse_stored(wide));
        const int32_t *left = prune_tensor_const_data(prune_sparse_part(narrow, 1));
        const int32_t *right = prune_tensor_const_data(prune_sparse_part(wide, 1));
        for (int64_t i = 0; i < prune_sparse_stored(narrow); i++)
            if (left[i] * step != right[i])
                ck_abort_msg("element %lld is in column %d, not %lld", (long long)i, right[i],
                             (long long)(left[i] * step));
        ck_assert_mem_eq(prune_tensor_const_data(prune_sparse_part(narrow, 2)),
                         prune_tensor_const_data(prune_sparse_part(wide, 2)),
                         (size_t)prune_sparse_stored(narrow) * sizeof(float));
        prune_sparse_free(narrow);
        prune_sparse_free(wide);
        prune_sparse_free(far);
        free(spread);
        drop(&a);
        drop(&b);
        prune_context_free(context);
    }
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    prune_sparse *first = NULL;
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
        struct matrix a, b;
        prune_context *context;
        prune_sparse *c;
        OK(prune_context_create(&context));
        OK(prune_context_set_threads(context, threads));
        make(&a, 300, 200, 0.1, "csr", 7, context);
        make(&b, 200, 250, 0.2, "csr", 8, context);
        OK(prune_sparse_multiply(&c, a.sparse, b.sparse));
        if (first) {
            for (int i = 0; i < 3; i++)
                ck_assert_mem_eq(prune_tensor_const_data(prune_sparse_part(first, i)),
                                 prune_tensor_const_data(prune_sparse_part(c, i)),
                                 (size_t)prune_tensor_count(prune_sparse_part(c, i)) * (i ? 4 : 8));
            prune_sparse_free(c);
        } else {
            first = c;
        }
        drop(&a);
        drop(&b);
        prune_context_free(context);
    }
    prune_sparse_free(first);
}
END_TEST

START_TEST(bad_factors_are_refused)
{
    struct matrix a, b;
    prune_sparse *c = UNTOUCHED;
    make(&a, 4, 5, 0.5, "csr", 1, NULL);
    make(&b, 4, 5, 0.5, "csr", 1, NULL);
    FAILS(prune_sparse_multiply(NULL, a.sparse, b.sparse), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_sparse_multiply(&c, NULL, b.sparse), PRUNE_E_ARGUMENT, "a is NULL");
    FAILS(prune_sparse_multiply(&c, a.sparse, NULL), PRUNE_E_ARGUMENT, "b is NULL");
    FAILS(prune_sparse_multiply(&c, a.sparse, b.sparse), PRUNE_E_SHAPE, "4 x 5 times 4 x 5");
    drop(&a);
    drop(&b);
    /* An infinite term of either sign. */
    const int64_t two[3] = {0, 2, 2}, ones[3] = {0, 1, 2};
    const int32_t both[2] = {0, 1}, last[2] = {3, 3};
    const float infinite[2] = {INFINITY, -INFINITY}, one[2] = {1, 1};
    prune_sparse *left = from_lists(NULL, 2, 2, two, both, infinite), *right = from_lists(NULL, 2, 4, ones, last, one);
    FAILS(prune_sparse_multiply(&c, left, right), PRUNE_E_VALUE, "(0, 3) is NaN");
    ck_assert_ptr_eq(c, UNTOUCHED);
    prune_sparse_free(left);
    prune_sparse_free(right);
}
END_TEST

START_TEST(no_memory_is_survived)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    struct matrix left, right;
    prune_sparse *c;
    make(&left, 10, 12, 0.5, "nm:keep_n=4,group_m=4", 1, context);
    make(&right, 12, 9, 0.5, "dense", 2, context);
    SURVIVES(&a, &c, prune_sparse_multiply(&c, left.sparse, right.sparse));
    check(&left, &right, c);
    prune_sparse_free(c);
    const int64_t ones[3] = {0, 1, 2};
    const int32_t far[2] = {5, 2000000000};
    const float one[2] = {1, 1};
    prune_sparse *wide = from_lists(context, 2, 2000000001, ones, far, one);
    prune_sparse *narrow = from_lists(context, 2, 2, ones, (const int32_t[]){1, 0}, one);
    SURVIVES(&a, &c, prune_sparse_multiply(&c, narrow, wide));
    prune_sparse_free(c);
    prune_sparse_free(wide);
    prune_sparse_free(narrow);
    drop(&left);
    drop(&right);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
}
END_TEST

TEST_MAIN("sparse multiply", products_are_those_of_loops_in_double, all_formats_are_multiplied, a_sum_of_zero_is_stored,
          wide_products_are_those_of_narrow_ones, any_number_of_threads_gives_the_same_bits, bad_factors_are_refused,
          no_memory_is_survived)
