/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Block sparse rows: what is stored of which blocks, ragged edges, and what import refuses with which words.
 */
#include <math.h>

#include "allocator.h"
#include "base/rng.h"
#include "pruning.h"

#define BSR22 "bsr:block_rows=2,block_columns=2"

static const void *part(const prune_sparse *sparse, int32_t index)
{
    return prune_tensor_const_data(prune_sparse_part(sparse, index));
}

/* The 6 x 6 matrix of SciPy's manual: blocks of 1 to 6 at (0, 0), (0, 2), (1, 2), (2, 0), (2, 1), (2, 2). */
START_TEST(scipys_example_of_six_blocks)
{
    float w[36] = {0};
    static const int64_t at[6][2] = {{0, 0}, {0, 2}, {1, 2}, {2, 0}, {2, 1}, {2, 2}};
    for (int b = 0; b < 6; b++)
        for (int i = 0; i < 4; i++)
            w[(at[b][0] * 2 + i / 2) * 6 + at[b][1] * 2 + i % 2] = (float)(b + 1);
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(6, 6));
    prune_sparse *sparse;
    OK(prune_sparse_create(&sparse, weights, NULL, BSR22));
    ck_assert_mem_eq(part(sparse, 0), ((int64_t[]){0, 2, 3, 6}), 32);
    ck_assert_mem_eq(part(sparse, 1), ((int32_t[]){0, 2, 2, 0, 1, 2}), 24);
    const float *values = part(sparse, 2);
    for (int i = 0; i < 24; i++)
        ck_assert(values[i] == (float)(i / 4 + 1));
    ck_assert_int_eq(prune_tensor_rank(prune_sparse_part(sparse, 2)), 3);
    ck_assert_mem_eq(prune_tensor_shape(prune_sparse_part(sparse, 2)), SHAPE(6, 2, 2), 24);
    ck_assert_int_eq(prune_sparse_stored(sparse), 24);
    ck_assert_str_eq(prune_sparse_spec(sparse), BSR22);
    prune_sparse_free(sparse);
    prune_tensor_free(weights);
}
END_TEST

/* A kept element brings its whole block: what else is in it is 0 and counts as stored; pruned NaN stays out. */
START_TEST(a_block_is_stored_whole_and_cut_at_the_edges)
{
    const float w[15] = {1, NAN, 0, 0, 0, /**/ 2, 3, 0, 0, 0, /**/ 0, 0, 0, 0, 5};
    static const uint8_t bytes[15] = {1, 0, 0, 0, 0, /**/ 0, 1, 0, 0, 0, /**/ 0, 0, 0, 0, 1};
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(3, 5)), *back;
    prune_mask *mask;
    prune_sparse *sparse;
    OK(prune_mask_from_bytes(&mask, NULL, 2, SHAPE(3, 5), bytes, 15));
    OK(prune_sparse_create(&sparse, weights, mask, BSR22));
    prune_mask_free(mask);
    ck_assert_mem_eq(part(sparse, 0), ((int64_t[]){0, 1, 2}), 24);
    ck_assert_mem_eq(part(sparse, 1), ((int32_t[]){0, 2}), 8);
    ck_assert_mem_eq(part(sparse, 2), ((float[]){1, 0, 0, 3, 5, 0, 0, 0}), 32);
    OK(prune_sparse_to_tensor(&back, sparse));
    ck_assert_mem_eq(prune_tensor_const_data(back), ((float[]){1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 5}), 60);
    OK(prune_sparse_to_mask(&mask, sparse));
    expect_mask(mask, "11000 11000 00001"); /* frees it */
    prune_tensor_free(back);
    prune_sparse_free(sparse);
    prune_tensor_free(weights);
}
END_TEST

/* Stored is what lies in a block of which something is kept. */
static int in_kept_block(const uint8_t *keep, int64_t rows, int64_t columns, int64_t r, int64_t c, int64_t at)
{
    int64_t row = at / columns / r * r, column = at % columns / c * c;
    for (int64_t i = row; i < row + r && i < rows; i++)
        for (int64_t k = column; k < column + c && k < columns; k++)
            if (keep[i * columns + k])
                return 1;
    return 0;
}

static void round_trip(struct pr_rng *rng, int64_t rows, int64_t columns, int64_t r, int64_t c, uint64_t density)
{
    float w[300];
    uint8_t keep[300];
    char spec[80];
    prune_sparse *made, *back;
    prune_tensor *tensor;
    prune_mask *mask;
    for (int64_t i = 0; i < rows * columns; i++) {
        w[i] = (float)(pr_rng_uniform(rng) - 0.5);
        keep[i] = pr_rng_below(rng, 20) < density;
    }
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(rows, columns));
    snprintf(spec, sizeof spec, "bsr:block_rows=%d,block_columns=%d", (int)r, (int)c);
    OK(prune_mask_from_bytes(&mask, NULL, 2, SHAPE(rows, columns), keep, rows * columns));
    OK(prune_sparse_create(&made, weights, mask, spec));
    prune_mask_free(mask);
    const prune_tensor *parts[3] = {prune_sparse_part(made, 0), prune_sparse_part(made, 1), prune_sparse_part(made, 2)};
    OK(prune_sparse_import(&back, NULL, spec, 2, SHAPE(rows, columns), parts, 3));
    ck_assert_int_eq(prune_sparse_stored(back), prune_sparse_stored(made));
    ck_assert_mem_eq(part(back, 2), part(made, 2), (size_t)prune_sparse_stored(made) * sizeof(float));
    OK(prune_sparse_to_tensor(&tensor, back));
    OK(prune_sparse_to_mask(&mask, back));
    const float *data = prune_tensor_const_data(tensor);
    for (int64_t i = 0; i < rows * columns; i++) {
        float expected = keep[i] ? w[i] : 0;
        if (memcmp(&data[i], &expected, 4) != 0 || kept(mask, i) != in_kept_block(keep, rows, columns, r, c, i))
            ck_abort_msg("%s, %d x %d: element %d is %g, stored %d; kept %d of %g", spec, (int)rows, (int)columns,
                         (int)i, (double)data[i], kept(mask, i), keep[i], (double)w[i]);
    }
    prune_tensor_free(tensor);
    prune_mask_free(mask);
    prune_sparse_free(back);
    prune_sparse_free(made);
    prune_tensor_free(weights);
}

START_TEST(round_trips_of_all_block_sizes)
{
    static const int64_t blocks[][2] = {{4, 1}, {8, 1}, {4, 4}, {8, 8}, {16, 1}, {1, 16}, {1, 1}, {3, 5}, {2, 70}};
    static const int64_t sizes[][2] = {{0, 0}, {0, 5}, {5, 0}, {1, 1}, {16, 16}, {17, 15}, {3, 90}, {7, 33}};
    struct pr_rng rng;
    pr_rng_seed(&rng, 3);
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (uint64_t density = 0; density <= 20; density += density < 2 ? 1 : 9)
                round_trip(&rng, sizes[s][0], sizes[s][1], blocks[b][0], blocks[b][1], density);
}
END_TEST

/* A 3 x 5 matrix of 2 x 2 blocks to break. */
struct bsr {
    int64_t pointers, indices, blocks, height;
    int64_t indptr[4], index[6];
    float value[24];
};

static const struct bsr good = {
    .pointers = 3,
    .indices = 3,
    .blocks = 3,
    .height = 2,
    .indptr = {0, 2, 3},
    .index = {0, 2, 1},
    .value = {1, 2, 3, 4, 5, 0, 6, 0, 7, 8, 0, 0},
};

static int32_t import(prune_sparse **out, const struct bsr *b)
{
    prune_tensor *indptr = borrow(b->indptr, PRUNE_I64, 1, &b->pointers);
    prune_tensor *indices = borrow(b->index, PRUNE_I64, 1, &b->indices);
    prune_tensor *values = borrow(b->value, PRUNE_F32, 3, SHAPE(b->blocks, b->height, 2));
    const prune_tensor *parts[3] = {indptr, indices, values};
    int32_t status = prune_sparse_import(out, NULL, BSR22, 2, SHAPE(3, 5), parts, 3);
    prune_tensor_free(indptr);
    prune_tensor_free(indices);
    prune_tensor_free(values);
    return status;
}

#define REFUSES(change, status, word)                                                                                  \
    do {                                                                                                               \
        struct bsr b = good;                                                                                           \
        prune_sparse *out_ = UNTOUCHED;                                                                                \
        change;                                                                                                        \
        FAILS(import(&out_, &b), status, word);                                                                        \
        ck_assert_ptr_eq(out_, UNTOUCHED);                                                                             \
    } while (0)

START_TEST(import_checks_every_part)
{
    prune_sparse *sparse;
    prune_tensor *back;
    OK(import(&sparse, &good));
    OK(prune_sparse_to_tensor(&back, sparse));
    ck_assert_mem_eq(prune_tensor_const_data(back), ((float[]){1, 2, 0, 0, 5, 3, 4, 0, 0, 6, 0, 0, 7, 8, 0}), 60);
    prune_tensor_free(back);
    prune_sparse_free(sparse);
    REFUSES(b.indptr[0] = 1, PRUNE_E_FORMAT, "indptr[0] is 1; it must be 0");
    REFUSES(b.indptr[1] = -1, PRUNE_E_FORMAT, "indptr[1] is -1, after 0");
    REFUSES(b.indptr[1] = 4, PRUNE_E_FORMAT, "indptr[1] is 4; there are 3 indices");
    REFUSES(b.indptr[2] = 2, PRUNE_E_FORMAT, "indptr[2] is 2; there are 3 indices");
    REFUSES(b.pointers = 4, PRUNE_E_SHAPE, "it must be [3]");
    REFUSES(b.index[1] = 3, PRUNE_E_FORMAT, "indices[1] in block row 0 is block column 3; there are 3 block columns");
    REFUSES(b.index[2] = -1, PRUNE_E_FORMAT, "block row 1 is block column -1");
    REFUSES(b.index[2] = 1LL << 32, PRUNE_E_FORMAT, "block column 4294967296");
    REFUSES((b.index[0] = 2, b.index[1] = 0), PRUNE_E_FORMAT, "block column 0, after 2; block columns must ascend");
    REFUSES(b.index[0] = 2, PRUNE_E_FORMAT, "block column 2, after 2");
    REFUSES(b.blocks = 4, PRUNE_E_SHAPE, "it must be [3, 2, 2]");
    REFUSES(b.height = 1, PRUNE_E_SHAPE, "it must be [3, 2, 2]");
    REFUSES((b.indices = 6, b.indptr[2] = 6), PRUNE_E_FORMAT, "indices[3]");
    REFUSES(b.value[3] = NAN, PRUNE_E_VALUE, "NaN");
    REFUSES(b.value[5] = 9, PRUNE_E_FORMAT, "values[1, 0, 1] is 9, beyond the matrix; it must be 0");
    REFUSES(b.value[10] = -INFINITY, PRUNE_E_FORMAT, "values[2, 1, 0] is -inf, beyond the matrix");
}
END_TEST

START_TEST(more_blocks_than_the_grid_has)
{
    static const int64_t many[7] = {0};
    prune_tensor *indptr = borrow(many, PRUNE_I64, 1, SHAPE(3)), *indices = borrow(many, PRUNE_I64, 1, SHAPE(7));
    prune_tensor *values = borrow(good.value, PRUNE_F32, 3, SHAPE(3, 2, 2));
    const prune_tensor *parts[3] = {indptr, indices, values};
    prune_sparse *out = UNTOUCHED;
    FAILS(prune_sparse_import(&out, NULL, BSR22, 2, SHAPE(3, 5), parts, 3), PRUNE_E_FORMAT,
          "7 indices for a matrix of 2 x 3 blocks");
    const prune_tensor *wrong[3] = {values, indices, values};
    FAILS(prune_sparse_import(&out, NULL, BSR22, 2, SHAPE(3, 5), wrong, 3), PRUNE_E_DTYPE, "\"indptr\"");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(indptr);
    prune_tensor_free(indices);
    prune_tensor_free(values);
}
END_TEST

START_TEST(specs_that_are_none)
{
    const float one[1] = {1};
    prune_tensor *weights = borrow(one, PRUNE_F32, 2, SHAPE(1, 1));
    prune_sparse *out = UNTOUCHED;
    FAILS(prune_sparse_create(&out, weights, NULL, "bsr"), PRUNE_E_SPEC, "block_rows");
    FAILS(prune_sparse_create(&out, weights, NULL, "bsr:block_rows=0,block_columns=1"), PRUNE_E_SPEC, "block_rows");
    FAILS(prune_sparse_create(&out, weights, NULL, "bsr:block_rows=1,block_columns=4097"), PRUNE_E_SPEC, "4096");
    FAILS(prune_sparse_create(&out, weights, NULL, "bsr:block_rows=4"), PRUNE_E_SPEC, "block_columns");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(weights);
    /* Sizes that cannot be counted, and a matrix without columns that has no blocks whatever its rows. */
    prune_tensor *none = borrow(NULL, PRUNE_F32, 2, SHAPE(1000, 0));
    OK(prune_sparse_create(&out, none, NULL, BSR22));
    ck_assert_int_eq(prune_sparse_stored(out), 0);
    prune_sparse_free(out);
    prune_tensor_free(none);
}
END_TEST

START_TEST(failed_allocations_lose_nothing)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_sparse *sparse, *imported;
    prune_tensor *weights, *back;
    prune_mask *mask;
    OK(prune_tensor_create(&weights, context, PRUNE_F32, 2, SHAPE(7, 9)));
    for (int i = 0; i < 63; i += 5)
        ((float *)prune_tensor_data(weights))[i] = 1;
    SURVIVES(&a, &sparse, prune_sparse_create(&sparse, weights, NULL, BSR22));
    const prune_tensor *parts[3] = {prune_sparse_part(sparse, 0), prune_sparse_part(sparse, 1),
                                    prune_sparse_part(sparse, 2)};
    SURVIVES(&a, &imported, prune_sparse_import(&imported, context, BSR22, 2, SHAPE(7, 9), parts, 3));
    SURVIVES(&a, &back, prune_sparse_to_tensor(&back, imported));
    SURVIVES(&a, &mask, prune_sparse_to_mask(&mask, imported));
    prune_mask_free(mask);
    prune_tensor_free(back);
    prune_sparse_free(imported);
    prune_sparse_free(sparse);
    prune_tensor_free(weights);
    ck_assert_int_eq(a.live, 0);
    prune_context_free(context);
}
END_TEST

TEST_MAIN("sparse bsr", scipys_example_of_six_blocks, a_block_is_stored_whole_and_cut_at_the_edges,
          round_trips_of_all_block_sizes, import_checks_every_part, more_blocks_than_the_grid_has, specs_that_are_none,
          failed_allocations_lose_nothing)
