/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sparse tensors as groups of tensors in an archive.
 */
#include "allocator.h"
#include "files.h"

static prune_sparse *sparse_of(float *values, int32_t rank, const int64_t *shape, const char *spec)
{
    prune_tensor *tensor;
    prune_sparse *sparse;
    OK(prune_tensor_borrow(&tensor, NULL, values, PRUNE_F32, rank, shape, NULL));
    OK(prune_sparse_create(&sparse, tensor, NULL, spec));
    prune_tensor_free(tensor);
    return sparse;
}

/* An archive with the group "w". */
static prune_archive *archive_of(const prune_sparse *sparse)
{
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    OK(prune_archive_add_sparse(archive, "w", sparse));
    return archive;
}

static prune_archive *through_a_file(prune_archive *archive)
{
    prune_archive *back;
    OK(prune_archive_write(archive, scratch("sparse.safetensors")));
    OK(prune_archive_read(&back, NULL, scratch("sparse.safetensors")));
    prune_archive_free(archive);
    return back;
}

static const void *data_of(const prune_archive *archive, const char *name, int32_t dtype)
{
    const prune_tensor *tensor = prune_archive_find(archive, name);
    ck_assert_msg(tensor != NULL, "no %s", name);
    ck_assert_int_eq(prune_tensor_dtype(tensor), dtype);
    return prune_tensor_const_data(tensor);
}

static float row_of_eight[] = {8, 3, 2, 7, 2, 6, 5, 4};
static const int64_t one_row[] = {1, 8};

/* The row [8, 3, 2, 7, 2, 6, 5, 4]: values 8, 7, 6, 5 at 0, 3, 1, 2, which is the byte 0x9C. */
START_TEST(the_2_4_row_is_byte_9c)
{
    static const unsigned char kept[] = {1, 0, 0, 1, 0, 1, 1, 0};
    prune_tensor *tensor;
    prune_mask *mask;
    prune_sparse *sparse;
    OK(prune_tensor_borrow(&tensor, NULL, row_of_eight, PRUNE_F32, 2, one_row, NULL));
    OK(prune_mask_from_bytes(&mask, NULL, 2, one_row, kept, 8));
    OK(prune_sparse_create(&sparse, tensor, mask, "nm:keep_n=2,group_m=4"));
    prune_archive *archive = through_a_file(archive_of(sparse));
    const float *values = data_of(archive, "w.values", PRUNE_F32);
    ck_assert(values[0] == 8 && values[1] == 7 && values[2] == 6 && values[3] == 5);
    ck_assert_uint_eq(*(const unsigned char *)data_of(archive, "w.positions", PRUNE_U8), 0x9c);
    const int64_t *shape = data_of(archive, "w.shape", PRUNE_I64);
    ck_assert(shape[0] == 1 && shape[1] == 8);
    ck_assert_str_eq(prune_archive_text(archive, "prune.format.w"), "nm:keep_n=2,group_m=4");
    ck_assert_str_eq(prune_archive_text(archive, "prune.version"), "1");
    ck_assert_int_eq(prune_archive_count(archive), 3);
    ck_assert_int_eq(prune_archive_text_count(archive), 2);
    prune_archive_free(archive);
    prune_sparse_free(sparse);
    prune_mask_free(mask);
    prune_tensor_free(tensor);
}
END_TEST

/* None, only 2 and only 3 become E, only 1 becomes D, only 0 becomes C; the first group is in the low nibble. */
START_TEST(fillers_of_2_4_groups)
{
    float values[24] = {[4 * 1 + 2] = 1, [4 * 2 + 3] = 2, [4 * 3 + 1] = 3, [4 * 4 + 0] = 4};
    const int64_t shape[] = {1, 24};
    prune_sparse *sparse = sparse_of(values, 2, shape, "nm:keep_n=2,group_m=4");
    prune_archive *archive = through_a_file(archive_of(sparse));
    const unsigned char *positions = data_of(archive, "w.positions", PRUNE_U8);
    ck_assert_uint_eq(positions[0], 0xee);
    ck_assert_uint_eq(positions[1], 0xde);
    ck_assert_uint_eq(positions[2], 0xec);
    prune_archive_free(archive);
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(the_parts_of_csr)
{
    float values[] = {0, 5, 0, 0, 0, 0, 7, 0, -8};
    const int64_t shape[] = {3, 3};
    prune_sparse *sparse = sparse_of(values, 2, shape, "csr");
    prune_archive *archive = through_a_file(archive_of(sparse));
    const int64_t *indptr = data_of(archive, "w.indptr", PRUNE_I64);
    const int32_t *indices = data_of(archive, "w.indices", PRUNE_I32);
    const float *stored = data_of(archive, "w.values", PRUNE_F32);
    ck_assert(indptr[0] == 0 && indptr[1] == 1 && indptr[2] == 1 && indptr[3] == 3);
    ck_assert(indices[0] == 1 && indices[1] == 0 && indices[2] == 2);
    ck_assert(stored[0] == 5 && stored[1] == 7 && stored[2] == -8);
    ck_assert_str_eq(prune_archive_text(archive, "prune.format.w"), "csr");
    prune_archive_free(archive);
    prune_sparse_free(sparse);
}
END_TEST

static void expect_back(float *values, int32_t rank, const int64_t *shape, const char *spec)
{
    prune_sparse *sparse = sparse_of(values, rank, shape, spec), *back;
    prune_archive *archive = through_a_file(archive_of(sparse));
    prune_tensor *a, *b;
    OK(prune_archive_find_sparse(&back, archive, "w"));
    ck_assert_str_eq(prune_sparse_spec(back), prune_sparse_spec(sparse));
    ck_assert_int_eq(prune_sparse_rank(back), rank);
    for (int32_t i = 0; i < rank; i++)
        ck_assert_int_eq(prune_sparse_shape(back)[i], shape[i]);
    OK(prune_sparse_to_tensor(&a, sparse));
    OK(prune_sparse_to_tensor(&b, back));
    size_t bytes = (size_t)prune_tensor_count(a) * sizeof(float);
    ck_assert(memcmp(prune_tensor_const_data(a), prune_tensor_const_data(b), bytes) == 0);
    prune_tensor_free(a);
    prune_tensor_free(b);
    prune_sparse_free(back);
    prune_sparse_free(sparse);
    prune_archive_free(archive);
}

/* Every format of the list, so that a new one is not forgotten here. */
START_TEST(every_format_comes_back)
{
    float values[2 * 3 * 2 * 2] = {[0] = 1, [3] = -2, [10] = 3, [11] = 4, [12] = -0.5f, [17] = 6, [23] = 7};
    static const int64_t shapes[][4] = {{2, 3, 2, 2}, {2, 12}, {4, 6}, {24}};
    static const int32_t ranks[] = {4, 2, 2, 1};
    ck_assert_int_eq(prune_kind_count("formats"), 8);
    for (int i = 0; i < 4; i++) {
        expect_back(values, ranks[i], shapes[i], "csr");
        expect_back(values, ranks[i], shapes[i], "dense");
        expect_back(values, ranks[i], shapes[i], "nm:keep_n=2,group_m=4");
        expect_back(values, ranks[i], shapes[i], "nm:keep_n=4,group_m=7");
        expect_back(values, ranks[i], shapes[i], "bsr:block_rows=4,block_columns=1");
        expect_back(values, ranks[i], shapes[i], "bsr:block_rows=3,block_columns=5");
        expect_back(values, ranks[i], shapes[i], "csc");
        expect_back(values, ranks[i], shapes[i], "bitmap");
        expect_back(values, ranks[i], shapes[i], "coo");
        expect_back(values, ranks[i], shapes[i], "codebook");
        expect_back(values, ranks[i], shapes[i], "codebook:levels=256,gap_bits=8,by=rows");
    }
    expect_back(values, 2, shapes[1], "nm:keep_n=3,group_m=4,unit_rows=2");
}
END_TEST

START_TEST(several_groups_in_one_archive)
{
    prune_sparse *csr = sparse_of(row_of_eight, 2, one_row, "csr"), *back;
    prune_archive *archive = archive_of(csr);
    OK(prune_archive_add_sparse(archive, "fc2.weight", csr));
    archive = through_a_file(archive);
    ck_assert_int_eq(prune_archive_count(archive), 8);
    OK(prune_archive_find_sparse(&back, archive, "fc2.weight"));
    prune_sparse_free(back);
    prune_archive_free(archive);
    prune_sparse_free(csr);
}
END_TEST

/* All of the group goes in, or nothing. */
static void expect_refused(prune_archive *archive, const char *name, const prune_sparse *sparse, const char *word)
{
    int32_t tensors = prune_archive_count(archive), texts = prune_archive_text_count(archive);
    FAILS(prune_archive_add_sparse(archive, name, sparse), PRUNE_E_ARGUMENT, word);
    ck_assert_int_eq(prune_archive_count(archive), tensors);
    ck_assert_int_eq(prune_archive_text_count(archive), texts);
}

START_TEST(names_that_are_taken)
{
    static const char *const names[] = {"w.indptr", "w.indices", "w.values", "w.shape"};
    prune_sparse *sparse = sparse_of(row_of_eight, 2, one_row, "csr");
    prune_tensor *tensor;
    prune_archive *archive;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 0, NULL));
    for (int i = 0; i < 6; i++) {
        OK(prune_archive_create(&archive, NULL));
        if (i < 4)
            OK(prune_archive_add(archive, names[i], tensor));
        else
            OK(prune_archive_add_text(archive, i == 4 ? "prune.format.w" : "prune.version", "2"));
        expect_refused(archive, "w", sparse, i < 4 ? names[i] : "prune.");
        prune_archive_free(archive);
    }
    archive = archive_of(sparse);
    expect_refused(archive, "w", sparse, "already");
    expect_refused(archive, "", sparse, "empty");
    expect_refused(archive, "\xff", sparse, "UTF-8");
    prune_archive_free(archive);
    prune_sparse_free(sparse);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(arguments_that_are_null_are_refused)
{
    prune_sparse *sparse = sparse_of(row_of_eight, 2, one_row, "csr"), *out = UNTOUCHED;
    prune_archive *archive = archive_of(sparse);
    FAILS(prune_archive_add_sparse(NULL, "x", sparse), PRUNE_E_ARGUMENT, "archive");
    FAILS(prune_archive_add_sparse(archive, NULL, sparse), PRUNE_E_ARGUMENT, "name");
    FAILS(prune_archive_add_sparse(archive, "x", NULL), PRUNE_E_ARGUMENT, "sparse");
    FAILS(prune_archive_find_sparse(NULL, archive, "w"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_archive_find_sparse(&out, NULL, "w"), PRUNE_E_ARGUMENT, "archive");
    FAILS(prune_archive_find_sparse(&out, archive, NULL), PRUNE_E_ARGUMENT, "name");
    FAILS(prune_archive_find_sparse(&out, archive, "v"), PRUNE_E_NOTFOUND, "\"v\"");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_archive_free(archive);
    prune_sparse_free(sparse);
}
END_TEST

/* A CSR group of shape [2, 3] built by hand; what is NULL stays away. */
struct csr_group {
    const char *version, *format;
    const int64_t *indptr;
    const int32_t *indices;
    const float *values;
    int64_t shape[2], shape_rank;
    int32_t shape_dtype;
};

static void add(prune_archive *archive, const char *name, const void *data, int32_t dtype, int64_t count)
{
    prune_tensor *tensor;
    if (!data)
        return;
    OK(prune_tensor_borrow(&tensor, NULL, (void *)(uintptr_t)data, dtype, 1, &count, NULL));
    OK(prune_archive_add(archive, name, tensor));
    prune_tensor_free(tensor);
}

static void refuses(struct csr_group group, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_archive *archive;
    prune_sparse *sparse = UNTOUCHED;
    OK(prune_archive_create(&archive, context));
    if (group.version)
        OK(prune_archive_add_text(archive, "prune.version", group.version));
    OK(prune_archive_add_text(archive, "prune.format.w", group.format));
    add(archive, "w.indptr", group.indptr, PRUNE_I64, 3);
    add(archive, "w.indices", group.indices, PRUNE_I32, 2);
    add(archive, "w.values", group.values, PRUNE_F32, 2);
    if (group.shape_rank)
        add(archive, "w.shape", group.shape, group.shape_dtype ? group.shape_dtype : PRUNE_I64, group.shape_rank);
    if (status) {
        int64_t live = allocator.live;
        FAILS(prune_archive_find_sparse(&sparse, archive, "w"), status, word);
        ck_assert_ptr_eq(sparse, UNTOUCHED);
        ck_assert_int_eq(allocator.live, live);
    } else {
        OK(prune_archive_find_sparse(&sparse, archive, "w"));
        prune_sparse_free(sparse);
    }
    prune_archive_free(archive);
    prune_context_free(context);
}

START_TEST(groups_that_break_the_rules)
{
    static const int64_t indptr[] = {0, 1, 2}, decreasing[] = {0, 2, 1}, late[] = {1, 1, 2}, long_end[] = {0, 1, 3};
    static const int32_t indices[] = {2, 0}, far[] = {2, 3}, negative[] = {-1, 0};
    static const float values[] = {1, -2};
    const struct csr_group good = {"1", "csr", indptr, indices, values, {2, 3}, 2, 0};
    struct csr_group group;
#define BREAK(change, status, word) group = good, group.change, refuses(group, status, word)
    refuses(good, PRUNE_OK, "");
    BREAK(version = NULL, PRUNE_E_FORMAT, "prune.version is missing");
    BREAK(version = "2", PRUNE_E_UNSUPPORTED, "\"2\"");
    BREAK(format = "hyb:rows=4", PRUNE_E_UNSUPPORTED, "hyb");
    BREAK(format = "", PRUNE_E_UNSUPPORTED, "format");
    BREAK(format = "csr:x=1", PRUNE_E_FORMAT, "x");
    BREAK(format = "nm:keep_n=2,group_m=4", PRUNE_E_FORMAT, "positions is missing");
    BREAK(indptr = NULL, PRUNE_E_FORMAT, "indptr is missing");
    BREAK(indices = NULL, PRUNE_E_FORMAT, "indices is missing");
    BREAK(values = NULL, PRUNE_E_FORMAT, "values is missing");
    BREAK(shape_rank = 0, PRUNE_E_FORMAT, "shape is missing");
    BREAK(shape_dtype = PRUNE_I32, PRUNE_E_FORMAT, "i64");
    BREAK(shape_rank = 1, PRUNE_E_FORMAT, "w");
    BREAK(shape[0] = 3, PRUNE_E_FORMAT, "indptr");
    BREAK(shape[0] = -1, PRUNE_E_FORMAT, "-1");
    BREAK(shape[1] = INT64_MAX, PRUNE_E_FORMAT, "w");
    BREAK(indptr = decreasing, PRUNE_E_FORMAT, "indptr");
    BREAK(indptr = late, PRUNE_E_FORMAT, "indptr");
    BREAK(indptr = long_end, PRUNE_E_FORMAT, "indptr");
    BREAK(indices = far, PRUNE_E_FORMAT, "3");
    BREAK(indices = negative, PRUNE_E_FORMAT, "-1");
}
END_TEST

TEST_MAIN("sparse_file", the_2_4_row_is_byte_9c, fillers_of_2_4_groups, the_parts_of_csr, every_format_comes_back,
          several_groups_in_one_archive, names_that_are_taken, arguments_that_are_null_are_refused,
          groups_that_break_the_rules)
