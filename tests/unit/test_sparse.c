/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Formats of sparse tensors: published examples, round trips, and what a foreign caller can hand over.
 */
#include <math.h>

#include "base/rng.h"
#include "testing.h"

static prune_tensor *borrow(void *data, int32_t dtype, int32_t rank, int64_t rows, int64_t columns)
{
    const int64_t shape[2] = {rows, columns};
    prune_tensor *tensor = NULL;
    OK(prune_tensor_borrow(&tensor, NULL, data, dtype, rank, shape, NULL));
    return tensor;
}

static prune_sparse *pack(float *weights, int64_t rows, int64_t columns, const char *spec)
{
    prune_tensor *tensor = borrow(weights, PRUNE_F32, 2, rows, columns);
    prune_sparse *sparse = NULL;
    OK(prune_sparse_create(&sparse, tensor, NULL, spec));
    prune_tensor_free(tensor);
    return sparse;
}

static const void *part(const prune_sparse *sparse, const char *name)
{
    for (int32_t i = 0; i < prune_sparse_part_count(sparse); i++)
        if (strcmp(prune_sparse_part_name(sparse, i), name) == 0)
            return prune_tensor_const_data(prune_sparse_part(sparse, i));
    ck_abort_msg("no part \"%s\"", name);
    return NULL;
}

/* [[5,0,0],[0,8,3],[0,0,6]]: pointers 0 1 3 4, columns 0 1 2 2, values 5 8 3 6. */
START_TEST(csr_worked_example)
{
    float w[] = {5, 0, 0, 0, 8, 3, 0, 0, 6};
    const int64_t indptr[] = {0, 1, 3, 4};
    const int32_t indices[] = {0, 1, 2, 2};
    const float values[] = {5, 8, 3, 6};
    prune_sparse *sparse = pack(w, 3, 3, "csr");
    ck_assert_mem_eq(part(sparse, "indptr"), indptr, sizeof indptr);
    ck_assert_mem_eq(part(sparse, "indices"), indices, sizeof indices);
    ck_assert_mem_eq(part(sparse, "values"), values, sizeof values);
    ck_assert_int_eq(prune_sparse_stored(sparse), 4);
    ck_assert_int_eq(prune_sparse_bytes(sparse), 4 * 8 + 4 * 4 + 4 * 4);
    ck_assert_str_eq(prune_sparse_spec(sparse), "csr");
    prune_sparse_free(sparse);
}
END_TEST

/* The lecture's row [8,3,2,7,2,6,5,4] at 2:4 keeps 8 7 | 6 5 at 0 3 | 1 2: one byte, 0x9C. */
START_TEST(two_of_four_lecture_row)
{
    float w[] = {8, 0, 0, 7, 0, 6, 5, 0};
    const float values[] = {8, 7, 6, 5};
    prune_sparse *sparse = pack(w, 1, 8, "nm:keep_n=2,group_m=4");
    ck_assert_mem_eq(part(sparse, "values"), values, sizeof values);
    ck_assert_uint_eq(*(const uint8_t *)part(sparse, "positions"), 0x9C);
    prune_sparse_free(sparse);
}
END_TEST

/* [[1,2,0,0],[0,0,3,4],[0,6,7,0],[0,6,0,8]]: nibbles 4, E, 9, D; each row ends on a byte of its own. */
START_TEST(two_of_four_matrix_of_hipsparselt)
{
    float w[] = {1, 2, 0, 0, 0, 0, 3, 4, 0, 6, 7, 0, 0, 6, 0, 8};
    const float values[] = {1, 2, 3, 4, 6, 7, 6, 8};
    const uint8_t positions[] = {0x4, 0xE, 0x9, 0xD};
    prune_sparse *sparse = pack(w, 4, 4, "nm:keep_n=2,group_m=4");
    ck_assert_mem_eq(part(sparse, "values"), values, sizeof values);
    ck_assert_mem_eq(part(sparse, "positions"), positions, sizeof positions);
    prune_sparse_free(sparse);
}
END_TEST

static void nibble_is(float a, float b, float c, float d, uint8_t nibble)
{
    float w[] = {a, b, c, d};
    prune_sparse *sparse = pack(w, 1, 4, "nm:keep_n=2,group_m=4");
    ck_assert_uint_eq(*(const uint8_t *)part(sparse, "positions"), nibble);
    prune_sparse_free(sparse);
}

START_TEST(all_six_nibbles_and_the_padding_cases)
{
    nibble_is(1, 1, 0, 0, 0x4);
    nibble_is(1, 0, 1, 0, 0x8);
    nibble_is(0, 1, 1, 0, 0x9);
    nibble_is(1, 0, 0, 1, 0xC);
    nibble_is(0, 1, 0, 1, 0xD);
    nibble_is(0, 0, 1, 1, 0xE);
    nibble_is(0, 0, 0, 0, 0xE);
    nibble_is(0, 0, 1, 0, 0xE);
    nibble_is(0, 0, 0, 1, 0xE);
    nibble_is(0, 1, 0, 0, 0xD);
    nibble_is(1, 0, 0, 0, 0xC);
}
END_TEST

/* create -> parts -> import -> tensor and mask, bit for bit. */
static void round_trip(const char *spec, int keep_n, int group_m, int unit_rows, int64_t rows, int64_t columns,
                       struct pr_rng *rng)
{
    float *w = calloc((size_t)(rows * columns) + 1, sizeof *w);
    for (int64_t r = 0; r < rows; r += unit_rows)
        for (int64_t g = 0; g < columns; g += group_m) {
            int64_t size = columns - g < group_m ? columns - g : group_m;
            for (int k = 0; k < keep_n; k++) {
                int64_t at = (int64_t)pr_rng_below(rng, (uint64_t)size);
                for (int64_t i = r; i < rows && i < r + unit_rows; i++)
                    w[i * columns + g + at] = (float)(pr_rng_uniform(rng) - 0.5);
            }
        }
    const int64_t shape[2] = {rows, columns};
    prune_sparse *sparse = pack(w, rows, columns, spec), *again = NULL;
    const prune_tensor *parts[3];
    for (int32_t i = 0; i < prune_sparse_part_count(sparse); i++)
        parts[i] = prune_sparse_part(sparse, i);
    OK(prune_sparse_import(&again, NULL, prune_sparse_spec(sparse), 2, shape, parts, prune_sparse_part_count(sparse)));
    prune_sparse_free(sparse);
    prune_tensor *back = NULL;
    prune_mask *mask = NULL;
    OK(prune_sparse_to_tensor(&back, again));
    if (rows > 0 && columns > 0)
        ck_assert_mem_eq(prune_tensor_const_data(back), w, (size_t)(rows * columns) * sizeof *w);
    OK(prune_sparse_to_mask(&mask, again));
    for (int64_t i = 0; i < rows * columns && strcmp(spec, "dense") != 0; i++) {
        int32_t kept = -1;
        OK(prune_mask_get(mask, i, &kept));
        ck_assert_int_eq(kept, w[i] != 0);
    }
    prune_mask_free(mask);
    prune_tensor_free(back);
    prune_sparse_free(again);
    free(w);
}

START_TEST(round_trips_with_ragged_sizes)
{
    static const struct {
        const char *spec;
        int keep_n, group_m, unit_rows;
    } formats[] = {{"csr", 1, 3, 1},
                   {"dense", 2, 3, 1},
                   {"nm:keep_n=2,group_m=4", 2, 4, 1},
                   {"nm:keep_n=1,group_m=4", 1, 4, 1},
                   {"nm:keep_n=1,group_m=2", 1, 2, 1},
                   {"nm:keep_n=2,group_m=8", 2, 8, 1},
                   {"nm:keep_n=4,group_m=8", 4, 8, 1},
                   {"nm:keep_n=3,group_m=16", 3, 16, 1},
                   {"nm:keep_n=4,group_m=4", 4, 4, 1},
                   {"nm:keep_n=5,group_m=100", 5, 100, 1},
                   {"nm:keep_n=2,group_m=4,unit_rows=4", 2, 4, 4}};
    static const int64_t extents[] = {0, 1, 2, 3, 4, 5, 7, 8, 13, 31, 66};
    struct pr_rng rng;
    pr_rng_seed(&rng, 1);
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++)
        for (size_t i = 0; i < sizeof extents / sizeof *extents; i++)
            for (size_t j = 0; j < sizeof extents / sizeof *extents; j++)
                round_trip(formats[f].spec, formats[f].keep_n, formats[f].group_m, formats[f].unit_rows, extents[i],
                           extents[j], &rng);
}
END_TEST

/* A 2 x 3 matrix as CSR whose parts each case spoils. */
struct csr {
    int64_t indptr[4];
    int32_t indices[4];
    float values[4];
    int64_t pointers, stored, value_count, rows, columns;
};

static const struct csr good_csr = {.indptr = {0, 2, 3},
                                    .indices = {0, 2, 1},
                                    .values = {1, 2, 3},
                                    .pointers = 3,
                                    .stored = 3,
                                    .value_count = 3,
                                    .rows = 2,
                                    .columns = 3};

static int32_t import_csr(struct csr csr, prune_sparse **out)
{
    prune_tensor *parts[3] = {borrow(csr.indptr, PRUNE_I64, 1, csr.pointers, 0),
                              borrow(csr.indices, PRUNE_I32, 1, csr.stored, 0),
                              borrow(csr.values, PRUNE_F32, 1, csr.value_count, 0)};
    const int64_t shape[2] = {csr.rows, csr.columns};
    int32_t status = prune_sparse_import(out, NULL, "csr", 2, shape, (const prune_tensor *const *)parts, 3);
    for (int i = 0; i < 3; i++)
        prune_tensor_free(parts[i]);
    return status;
}

#define CSR_FAILS(spoil, status, word)                                                                                 \
    do {                                                                                                               \
        struct csr csr = good_csr;                                                                                     \
        prune_sparse *out = UNTOUCHED;                                                                                 \
        spoil;                                                                                                         \
        FAILS(import_csr(csr, &out), status, word);                                                                    \
        ck_assert_ptr_eq(out, UNTOUCHED);                                                                              \
    } while (0)

START_TEST(csr_import_refuses)
{
    prune_sparse *good = NULL;
    OK(import_csr(good_csr, &good));
    prune_sparse_free(good);
    CSR_FAILS(csr.indptr[0] = 1, PRUNE_E_FORMAT, "indptr");  /* 78 */
    CSR_FAILS(csr.indptr[0] = -1, PRUNE_E_FORMAT, "indptr"); /* 78 */
    CSR_FAILS(csr.indptr[1] = 4, PRUNE_E_FORMAT, "indptr");  /* 79 */
    CSR_FAILS((csr.indptr[1] = 3, csr.indptr[2] = 2), PRUNE_E_FORMAT, "indptr");
    CSR_FAILS(csr.indptr[2] = 2, PRUNE_E_FORMAT, "indptr");                         /* 80 */
    CSR_FAILS(csr.indptr[2] = 4, PRUNE_E_FORMAT, "indptr");                         /* 80 */
    CSR_FAILS(csr.indptr[1] = INT64_MAX, PRUNE_E_FORMAT, "indptr");                 /* 80 */
    CSR_FAILS(csr.pointers = 2, PRUNE_E_SHAPE, "indptr");                           /* 81 */
    CSR_FAILS(csr.pointers = 4, PRUNE_E_SHAPE, "indptr");                           /* 81 */
    CSR_FAILS(csr.pointers = 0, PRUNE_E_SHAPE, "indptr");                           /* 81 */
    CSR_FAILS(csr.indices[1] = 3, PRUNE_E_FORMAT, "indices");                       /* 82 */
    CSR_FAILS(csr.indices[0] = -1, PRUNE_E_FORMAT, "indices");                      /* 82 */
    CSR_FAILS(csr.indices[2] = INT32_MIN, PRUNE_E_FORMAT, "indices");               /* 82 */
    CSR_FAILS((csr.indices[0] = 2, csr.indices[1] = 0), PRUNE_E_FORMAT, "indices"); /* 83 */
    CSR_FAILS(csr.indices[1] = 0, PRUNE_E_FORMAT, "indices");                       /* 83 */
    CSR_FAILS(csr.value_count = 2, PRUNE_E_SHAPE, "values");                        /* 84 */
    CSR_FAILS(csr.value_count = 4, PRUNE_E_SHAPE, "values");                        /* 84 */
    CSR_FAILS(csr.rows = INT64_MAX, PRUNE_E_OVERFLOW, "fit");                       /* 88 */
    CSR_FAILS(csr.columns = -1, PRUNE_E_SHAPE, "extent");
    CSR_FAILS((csr.columns = 1, csr.indices[1] = 1), PRUNE_E_FORMAT, ""); /* 87: more stored than the matrix holds */
}
END_TEST

/* 85: no rows, no columns, nothing stored. */
START_TEST(csr_empty_matrices)
{
    struct csr csr = {.pointers = 1, .rows = 0, .columns = 3};
    prune_sparse *sparse = NULL;
    OK(import_csr(csr, &sparse));
    prune_sparse_free(sparse);
    csr = (struct csr){.pointers = 4, .rows = 3, .columns = 0};
    OK(import_csr(csr, &sparse));
    ck_assert_int_eq(prune_sparse_stored(sparse), 0);
    prune_sparse_free(sparse);
    csr = (struct csr){.pointers = 4, .rows = 3, .columns = 5};
    OK(import_csr(csr, &sparse));
    prune_sparse_free(sparse);
}
END_TEST

/* 89: the caller's arrays may change afterwards. 90: I64 indices and I32 pointers are taken; 82: those that do not fit
 * are not. */
START_TEST(csr_copies_and_takes_either_integer)
{
    int32_t indptr[] = {0, 2, 3};
    int64_t indices[] = {0, 2, 1};
    float values[] = {1, 2, 3};
    const int64_t shape[2] = {2, 3};
    prune_tensor *parts[3] = {borrow(indptr, PRUNE_I32, 1, 3, 0), borrow(indices, PRUNE_I64, 1, 3, 0),
                              borrow(values, PRUNE_F32, 1, 3, 0)};
    prune_sparse *sparse = NULL, *out = UNTOUCHED;
    OK(prune_sparse_import(&sparse, NULL, "csr", 2, shape, (const prune_tensor *const *)parts, 3));
    indptr[1] = 100000;
    indices[0] = 100000;
    values[0] = 9;
    prune_tensor *back = NULL;
    OK(prune_sparse_to_tensor(&back, sparse));
    const float expected[] = {1, 0, 2, 0, 3, 0};
    ck_assert_mem_eq(prune_tensor_const_data(back), expected, sizeof expected);
    indptr[1] = 2;
    indices[0] = (int64_t)1 << 32; /* 0 when cut to 32 bits */
    FAILS(prune_sparse_import(&out, NULL, "csr", 2, shape, (const prune_tensor *const *)parts, 3), PRUNE_E_FORMAT,
          "indices");
    indices[0] = INT64_MIN;
    FAILS(prune_sparse_import(&out, NULL, "csr", 2, shape, (const prune_tensor *const *)parts, 3), PRUNE_E_FORMAT,
          "indices");
    FAILS(prune_sparse_import(&out, NULL, "csr", 2, shape, (const prune_tensor *const *)parts, 2), PRUNE_E_ARGUMENT,
          "3");
    FAILS(prune_sparse_import(&out, NULL, "csr", 2, shape, NULL, 3), PRUNE_E_ARGUMENT, "NULL");
    FAILS(prune_sparse_import(&out, NULL, "bsr", 2, shape, (const prune_tensor *const *)parts, 3), PRUNE_E_SPEC, "csr");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(back);
    prune_sparse_free(sparse);
    for (int i = 0; i < 3; i++)
        prune_tensor_free(parts[i]);
}
END_TEST

static int32_t import_nm(const char *spec, uint8_t *positions, int64_t position_bytes, float *values,
                         int64_t value_count, int64_t columns, prune_sparse **out)
{
    prune_tensor *parts[2] = {borrow(values, PRUNE_F32, 2, 1, value_count),
                              borrow(positions, PRUNE_U8, 2, 1, position_bytes)};
    const int64_t shape[2] = {1, columns};
    int32_t status = prune_sparse_import(out, NULL, spec, 2, shape, (const prune_tensor *const *)parts, 2);
    prune_tensor_free(parts[0]);
    prune_tensor_free(parts[1]);
    return status;
}

static void nm_fails(uint8_t byte, int64_t bytes, int64_t values, int64_t columns, int32_t status, const char *word)
{
    float numbers[] = {1, 2, 3, 4, 5, 6};
    uint8_t positions[] = {byte, 0};
    prune_sparse *out = UNTOUCHED;
    FAILS(import_nm("nm:keep_n=2,group_m=4", positions, bytes, numbers, values, columns, &out), status, word);
    ck_assert_ptr_eq(out, UNTOUCHED);
}

START_TEST(nm_import_refuses_positions)
{
    nm_fails(0x95, 1, 4, 8, PRUNE_E_FORMAT, "ascend");   /* 94: 1 and 1 in the first group */
    nm_fails(0x91, 1, 4, 8, PRUNE_E_FORMAT, "ascend");   /* 96: 1 then 0 */
    nm_fails(0x9C, 0, 4, 8, PRUNE_E_SHAPE, "positions"); /* 98 */
    nm_fails(0x9C, 2, 4, 8, PRUNE_E_SHAPE, "positions"); /* 98 */
    nm_fails(0x9C, 1, 3, 8, PRUNE_E_SHAPE, "values");
    nm_fails(0x9C, 1, 2, 4, PRUNE_E_FORMAT, "bits"); /* what is left of the byte must be 0 */
}
END_TEST

/* 95: a position beyond the group, possible where the bits could hold more. */
START_TEST(nm_position_outside_its_group)
{
    float values[] = {1};
    uint8_t positions[] = {3};
    prune_sparse *out = UNTOUCHED;
    FAILS(import_nm("nm:keep_n=1,group_m=3", positions, 1, values, 1, 3, &out), PRUNE_E_FORMAT, "outside");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

/* 97 and 99: a ragged last group is valid, a filler beyond the last column too while it is 0. */
START_TEST(nm_ragged_last_group)
{
    float values[] = {1, 2, 3, 0};
    uint8_t positions[] = {0xC4}; /* 0 1 | 0 3 */
    prune_sparse *sparse = NULL, *out = UNTOUCHED;
    OK(import_nm("nm:keep_n=2,group_m=4", positions, 1, values, 4, 5, &sparse));
    prune_tensor *back = NULL;
    OK(prune_sparse_to_tensor(&back, sparse));
    const float expected[] = {1, 2, 0, 0, 3};
    ck_assert_mem_eq(prune_tensor_const_data(back), expected, sizeof expected);
    prune_tensor_free(back);
    prune_sparse_free(sparse);
    values[3] = 4;
    FAILS(import_nm("nm:keep_n=2,group_m=4", positions, 1, values, 4, 5, &out), PRUNE_E_FORMAT, "beyond");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

/* 100, and masks that have not the pattern. */
START_TEST(create_refuses)
{
    float w[] = {1, 2, 3, 0, 0, 6, 7, 0};
    prune_tensor *tensor = borrow(w, PRUNE_F32, 2, 2, 4);
    prune_sparse *out = UNTOUCHED;
    FAILS(prune_sparse_create(&out, tensor, NULL, "nm:keep_n=0,group_m=4"), PRUNE_E_SPEC, "keep_n");
    FAILS(prune_sparse_create(&out, tensor, NULL, "nm:keep_n=5,group_m=4"), PRUNE_E_SPEC, "group_m");
    FAILS(prune_sparse_create(&out, tensor, NULL, "nm:keep_n=0,group_m=0"), PRUNE_E_SPEC, "");
    FAILS(prune_sparse_create(&out, tensor, NULL, "nm:keep_n=2"), PRUNE_E_SPEC, "group_m");
    FAILS(prune_sparse_create(&out, tensor, NULL, "nm:keep_n=2,group_m=4"), PRUNE_E_VALUE, "(0, 2)");
    FAILS(prune_sparse_create(&out, NULL, NULL, "csr"), PRUNE_E_ARGUMENT, "NULL");
    FAILS(prune_sparse_create(&out, tensor, NULL, NULL), PRUNE_E_ARGUMENT, "NULL");
    FAILS(prune_sparse_create(NULL, tensor, NULL, "csr"), PRUNE_E_ARGUMENT, "NULL");
    const int64_t other[2] = {4, 2};
    prune_mask *mask = NULL;
    OK(prune_mask_create(&mask, NULL, 2, other, 1));
    FAILS(prune_sparse_create(&out, tensor, mask, "csr"), PRUNE_E_SHAPE, "[4, 2]");
    prune_mask_free(mask);
    w[2] = NAN;
    FAILS(prune_sparse_create(&out, tensor, NULL, "csr"), PRUNE_E_VALUE, "NaN");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(tensor);
}
END_TEST

/* A kept zero is stored; a NaN that is pruned does not matter; a rank-4 tensor is a matrix of its first axis. */
START_TEST(what_the_mask_says)
{
    float w[] = {0, NAN, 3, -0.0f};
    const int64_t shape[4] = {2, 1, 2, 1};
    const uint8_t bytes[] = {1, 0, 0, 1};
    prune_tensor *tensor = NULL;
    prune_mask *mask = NULL;
    prune_sparse *sparse = NULL;
    OK(prune_tensor_borrow(&tensor, NULL, w, PRUNE_F32, 4, shape, NULL));
    OK(prune_mask_from_bytes(&mask, NULL, 4, shape, bytes, 4));
    OK(prune_sparse_create(&sparse, tensor, mask, "csr"));
    ck_assert_int_eq(prune_sparse_rows(sparse), 2);
    ck_assert_int_eq(prune_sparse_columns(sparse), 2);
    ck_assert_int_eq(prune_sparse_stored(sparse), 2);
    ck_assert(signbit(((const float *)part(sparse, "values"))[1]));
    prune_sparse_free(sparse);
    prune_mask_free(mask);
    prune_tensor_free(tensor);
}
END_TEST

/* Neighbouring rows that must share their positions and do not. */
START_TEST(unit_rows_must_agree)
{
    float w[] = {1, 2, 0, 0, 0, 0, 3, 4};
    const uint8_t bytes[] = {1, 1, 0, 0, 0, 0, 1, 1};
    const int64_t shape[2] = {2, 4};
    prune_tensor *tensor = borrow(w, PRUNE_F32, 2, 2, 4);
    prune_mask *mask = NULL;
    prune_sparse *out = UNTOUCHED;
    OK(prune_mask_from_bytes(&mask, NULL, 2, shape, bytes, 8));
    FAILS(prune_sparse_create(&out, tensor, mask, "nm:keep_n=2,group_m=4,unit_rows=2"), PRUNE_E_VALUE, "agree");
    float values[] = {1, 2, 3, 4};
    uint8_t positions[] = {0x4, 0xE};
    prune_tensor *parts[2] = {borrow(values, PRUNE_F32, 2, 2, 2), borrow(positions, PRUNE_U8, 2, 2, 1)};
    FAILS(prune_sparse_import(&out, NULL, "nm:keep_n=2,group_m=4,unit_rows=2", 2, shape,
                              (const prune_tensor *const *)parts, 2),
          PRUNE_E_FORMAT, "unit");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(parts[0]);
    prune_tensor_free(parts[1]);
    prune_mask_free(mask);
    prune_tensor_free(tensor);
}
END_TEST

TEST_MAIN("sparse", csr_worked_example, two_of_four_lecture_row, two_of_four_matrix_of_hipsparselt,
          all_six_nibbles_and_the_padding_cases, round_trips_with_ragged_sizes, csr_import_refuses, csr_empty_matrices,
          csr_copies_and_takes_either_integer, nm_import_refuses_positions, nm_position_outside_its_group,
          nm_ragged_last_group, create_refuses, what_the_mask_says, unit_rows_must_agree)
