/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running out of memory while formats of other programs are read and written: nothing crashes, nothing leaks, and no
 * temporary file stays.
 */
#include "../model/files.h"
#include "oom.h"
#include "prune/model.h"

static const float values[] = {1, 0, 0, -2, 3, 0, 0, 4};
static const int64_t shape[] = {2, 4};
static int most_entries; /* files that may be in the folder */

static void expect_tidy(int32_t status)
{
    (void)status;
    ck_assert_int_le(entries_of(scratch_folder), most_entries);
}

static int32_t borrow(prune_tensor **tensor, prune_context *context)
{
    return prune_tensor_borrow(tensor, context, (void *)(uintptr_t)values, PRUNE_F32, 2, shape, NULL);
}

static int32_t npz(prune_context *context)
{
    prune_archive *archive = NULL, *back = NULL;
    prune_tensor *tensor = NULL;
    int32_t status = borrow(&tensor, context);
    if (!status)
        status = prune_archive_create(&archive, context);
    if (!status)
        status = prune_archive_add(archive, "w", tensor);
    if (!status)
        status = prune_npz_write(archive, scratch("a.npz"), 6);
    if (!status)
        status = prune_npz_read(&back, context, scratch("a.npz"));
    if (!status)
        OOM_REQUIRE(prune_archive_count(back) == 1);
    else
        OOM_REQUIRE(!back);
    prune_archive_free(back);
    prune_archive_free(archive);
    prune_tensor_free(tensor);
    return status;
}

static int32_t matrix(prune_context *context, const char *format)
{
    prune_tensor *tensor = NULL, *dense = NULL;
    prune_matrix *made = NULL, *back = NULL;
    prune_sparse *sparse = NULL;
    int32_t status = borrow(&tensor, context);
    if (!status)
        status = prune_matrix_from_tensor(&made, tensor);
    if (!status)
        status = prune_matrix_write(made, scratch("m"), format);
    if (!status)
        status = prune_matrix_read(&back, context, scratch("m"), format);
    if (!status)
        OOM_REQUIRE(prune_matrix_stored(back) == 4);
    else
        OOM_REQUIRE(!back);
    if (!status)
        status = prune_matrix_to_sparse(&sparse, back);
    if (!status)
        status = prune_matrix_to_tensor(&dense, back);
    prune_tensor_free(dense);
    prune_sparse_free(sparse);
    prune_matrix_free(back);
    prune_matrix_free(made);
    prune_tensor_free(tensor);
    return status;
}

static int32_t mtx(prune_context *context)
{
    return matrix(context, "mtx");
}

static int32_t smtx(prune_context *context)
{
    return matrix(context, "smtx");
}

static int32_t scipy(prune_context *context)
{
    return matrix(context, "scipy");
}

static int32_t unsorted(prune_context *context)
{
    prune_matrix *back = NULL;
    int32_t status = prune_matrix_read(&back, context, scratch("u.mtx"), NULL);
    OOM_REQUIRE(status ? !back : prune_matrix_stored(back) == 3);
    prune_matrix_free(back);
    return status;
}

static int32_t harwell_boeing(prune_context *context)
{
    prune_matrix *back = NULL;
    int32_t status = prune_matrix_read(&back, context, scratch("a.rua"), NULL);
    OOM_REQUIRE(status ? !back : prune_matrix_right_sides(back) != NULL);
    prune_matrix_free(back);
    return status;
}

static int32_t several_files(prune_context *context)
{
    prune_archive *archive = NULL;
    int32_t status = prune_archive_read(&archive, context, scratch("m.index.json"));
    OOM_REQUIRE(status ? !archive : prune_archive_count(archive) == 2);
    prune_archive_free(archive);
    return status;
}

static int32_t compressed(prune_context *context)
{
    static const int64_t extents[] = {1, 8}, two = 2, one = 1, four = 4, ones[] = {1, 1};
    static const unsigned char bits = 0x9a;
    static const int64_t zero = 0;
    const struct {
        const char *name;
        const void *data;
        int32_t dtype, rank;
        const int64_t *shape;
    } parts[] = {{"p.shape", extents, PRUNE_I64, 1, &two},
                 {"p.compressed", values, PRUNE_F32, 1, &four},
                 {"p.bitmask", &bits, PRUNE_U8, 2, ones},
                 {"p.row_offsets", &zero, PRUNE_I64, 1, &one}};
    prune_archive *archive = NULL, *dense = NULL;
    int32_t status = prune_archive_create(&archive, context);
    for (int i = 0; i < 4 && !status; i++) {
        prune_tensor *tensor = NULL;
        status = prune_tensor_borrow(&tensor, context, (void *)(uintptr_t)parts[i].data, parts[i].dtype, parts[i].rank,
                                     parts[i].shape, NULL);
        if (!status)
            status = prune_archive_add(archive, parts[i].name, tensor);
        prune_tensor_free(tensor);
    }
    if (!status)
        status = prune_archive_expand(&dense, archive);
    OOM_REQUIRE(status ? !dense : prune_archive_count(dense) == 1);
    prune_archive_free(dense);
    prune_archive_free(archive);
    return status;
}

static int32_t streamed(prune_context *context)
{
    prune_archive_writer *writer = NULL;
    prune_tensor *tensor = NULL;
    int32_t status = borrow(&tensor, context);
    if (!status)
        status = prune_archive_writer_open(&writer, context, scratch("s.safetensors"));
    if (!status)
        status = prune_archive_writer_text(writer, "key", "text");
    if (!status)
        status = prune_archive_writer_declare(writer, "w", PRUNE_F32, 2, shape);
    if (!status)
        status = prune_archive_writer_put(writer, "w", tensor);
    if (!status)
        status = prune_archive_writer_commit(writer);
    prune_archive_writer_free(writer);
    prune_tensor_free(tensor);
    return status;
}

START_TEST(read_and_write)
{
    static const struct {
        const char *name;
        oom_scenario scenario;
    } all[] = {{"npz", npz}, {"mtx", mtx}, {"smtx", smtx}, {"scipy", scipy}, {"a safetensors writer", streamed}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        fresh_folder();
        most_entries = 1;
        ck_assert_int_gt(oom_sweep_context(all[i].name, all[i].scenario, expect_tidy), 8);
        ck_assert_int_eq(oom_sweep_malloc(all[i].name, all[i].scenario, expect_tidy), 0);
    }
}
END_TEST

static void save_text(const char *name, const char *text)
{
    save(scratch(name), text, strlen(text));
}

static void save_one(const char *path, const char *name)
{
    prune_archive *archive;
    prune_tensor *tensor;
    OK(borrow(&tensor, NULL));
    OK(prune_archive_create(&archive, NULL));
    OK(prune_archive_add(archive, name, tensor));
    OK(prune_archive_write(archive, path));
    prune_archive_free(archive);
    prune_tensor_free(tensor);
}

START_TEST(read_alone)
{
    fresh_folder();
    most_entries = 5;
    save_text("u.mtx", "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n2 1 1\n1 1 5\n");
    save_text("a.rua", "t\n             1             1             1             1             1\n"
                       "RUA                        1             1             1             0\n"
                       "(4I3)           (5I2)           (3D9.2)             (2E8.1)\n"
                       "F                          1             0\n  1  2\n 1\n 1.00D+00\n 2.0E+00\n");
    save_one(scratch("m-1.safetensors"), "a");
    save_one(scratch("m-2.safetensors"), "b");
    save_text("m.index.json", "{\"weight_map\": {\"a\": \"m-1.safetensors\", \"b\": \"m-2.safetensors\"}}");
    ck_assert_int_gt(oom_sweep_context("mtx out of order", unsorted, expect_tidy), 4);
    ck_assert_int_gt(oom_sweep_context("Harwell-Boeing", harwell_boeing, expect_tidy), 4);
    ck_assert_int_gt(oom_sweep_context("several files", several_files, expect_tidy), 20);
    ck_assert_int_gt(oom_sweep_context("compressed-tensors", compressed, NULL), 10);
}
END_TEST

TEST_MAIN("oom_formats", read_and_write, read_alone)
