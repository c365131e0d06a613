/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running out of memory while files are read and written: nothing crashes, nothing leaks, and a target is the old file
 * or the new one.
 */
#include <zlib.h>

#include "../model/files.h"
#include "oom.h"
#include "prune/network.h"

static const char old[] = "what was here before";
static const float values[] = {1, 0, 0, -2, 3, 0, 0, 4};
static const int64_t shape[] = {2, 4};

/* What the target holds when a run has succeeded. */
static struct content written;
static char target[1024];

static void start(const char *name)
{
    fresh_folder();
    snprintf(target, sizeof target, "%s", scratch(name));
    save(target, old, sizeof old);
}

/* Whole, old or new; and no temporary file beside it. What has been written becomes old again. */
static void expect_whole(int32_t status)
{
    struct content now = load(target);
    int is_old = now.length == sizeof old && memcmp(now.bytes, old, sizeof old) == 0;
    if (!is_old && !written.bytes) {
        written = now;
        now.bytes = NULL;
    } else if (!is_old) {
        ck_assert_uint_eq(now.length, written.length);
        ck_assert(memcmp(now.bytes, written.bytes, now.length) == 0);
    }
    ck_assert(status != PRUNE_OK || !is_old);
    ck_assert_int_eq(entries_of(scratch_folder), 1);
    free(now.bytes);
    save(target, old, sizeof old);
}

static void finish(void)
{
    free(written.bytes);
    written = (struct content){NULL, 0};
}

static int32_t borrow(prune_tensor **tensor, prune_context *context)
{
    return prune_tensor_borrow(tensor, context, (void *)(uintptr_t)values, PRUNE_F32, 2, shape, NULL);
}

static int32_t fill(prune_archive *archive, prune_context *context)
{
    prune_tensor *tensor = NULL, *mask = NULL;
    char name[40];
    int32_t status = borrow(&tensor, context) || prune_tensor_create(&mask, context, PRUNE_BOOL, 2, shape);
    for (int i = 0; !status && i < 20; i++) { /* more than the lists have room for at first */
        snprintf(name, sizeof name, "layer%d.convolution.weight", i * 7 % 20);
        status = prune_archive_add(archive, name, i % 5 ? tensor : mask);
    }
    if (!status)
        status =
            prune_archive_add_text(archive, "a key of more than fifteen bytes", "and a text that is not short either");
    prune_tensor_free(tensor);
    prune_tensor_free(mask);
    return status ? PRUNE_E_NOMEM : PRUNE_OK;
}

static int32_t safetensors(prune_context *context)
{
    prune_archive *archive = NULL, *back = NULL;
    int32_t status = prune_archive_create(&archive, context);
    if (!status)
        status = fill(archive, context);
    if (!status)
        status = prune_archive_write(archive, target);
    if (!status)
        status = prune_archive_read(&back, context, target);
    if (!status) {
        OOM_REQUIRE(prune_archive_count(back) == 20);
        const prune_tensor *tensor = prune_archive_find(back, "layer19.convolution.weight");
        OOM_REQUIRE(memcmp(prune_tensor_const_data(tensor), values, sizeof values) == 0);
    } else {
        OOM_REQUIRE(!back);
    }
    prune_archive_free(back);
    prune_archive_free(archive);
    return status;
}

static int32_t sparse_group(prune_context *context)
{
    prune_archive *archive = NULL, *read = NULL;
    prune_tensor *tensor = NULL;
    prune_sparse *sparse = NULL, *back = NULL;
    int32_t status = borrow(&tensor, context);
    if (!status)
        status = prune_sparse_create(&sparse, tensor, NULL, "csr");
    if (!status)
        status = prune_archive_create(&archive, context);
    if (!status)
        status = prune_archive_add_sparse(archive, "fc1.weight", sparse);
    if (status && archive) { /* all of the group or nothing */
        OOM_REQUIRE(prune_archive_count(archive) == 0);
        OOM_REQUIRE(prune_archive_text_count(archive) == 0);
    }
    if (!status)
        status = prune_archive_write(archive, target);
    if (!status)
        status = prune_archive_read(&read, context, target);
    if (!status)
        status = prune_archive_find_sparse(&back, read, "fc1.weight");
    if (!status)
        OOM_REQUIRE(prune_sparse_stored(back) == 4);
    else
        OOM_REQUIRE(!back);
    prune_sparse_free(back);
    prune_archive_free(read);
    prune_archive_free(archive);
    prune_sparse_free(sparse);
    prune_tensor_free(tensor);
    return status;
}

static int32_t npy(prune_context *context)
{
    static const int32_t order[] = {1, 0};
    prune_tensor *tensor = NULL, *view = NULL, *back = NULL;
    int32_t status = borrow(&tensor, context);
    if (!status)
        status = prune_tensor_permute(&view, tensor, order);
    if (!status)
        status = prune_npy_write(view, target);
    if (!status)
        status = prune_npy_read(&back, context, target);
    if (!status)
        OOM_REQUIRE(((const float *)prune_tensor_const_data(back))[1] == 3);
    else
        OOM_REQUIRE(!back);
    prune_tensor_free(back);
    prune_tensor_free(view);
    prune_tensor_free(tensor);
    return status;
}

static void save_zipped(const char *name, const void *bytes, unsigned length)
{
    unsigned char zipped[256];
    z_stream stream = {0};
    ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = length;
    stream.next_out = zipped;
    stream.avail_out = sizeof zipped;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    save(scratch(name), zipped, stream.total_out);
    deflateEnd(&stream);
}

static int32_t dataset(prune_context *context)
{
    prune_tensor *images = NULL, *labels = NULL;
    int32_t status = prune_dataset_read(&images, &labels, context, scratch_folder, "test");
    if (!status)
        OOM_REQUIRE(((const int64_t *)prune_tensor_const_data(labels))[1] == 9);
    else
        OOM_REQUIRE(!images && !labels);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    return status;
}

static int32_t network_file(prune_context *context)
{
    prune_network *network = NULL, *back = NULL;
    int32_t status = prune_network_create_mlp(&network, context, "4-3-2");
    if (!status)
        status = prune_network_write(network, target);
    if (!status)
        status = prune_network_read(&back, context, target);
    if (!status)
        OOM_REQUIRE(prune_network_parameter_count(back) == 4);
    else
        OOM_REQUIRE(!back);
    prune_network_free(back);
    prune_network_free(network);
    return status;
}

START_TEST(read_and_write_a_network)
{
    start("network.safetensors");
    ck_assert_int_gt(oom_sweep_context("read and write a network", network_file, expect_whole), 50);
    finish();
}
END_TEST

START_TEST(read_and_write_safetensors)
{
    start("a.safetensors");
    ck_assert_int_gt(oom_sweep_context("read and write safetensors", safetensors, expect_whole), 50);
    oom_sweep_malloc("read and write safetensors", safetensors, expect_whole);
    finish();
}
END_TEST

START_TEST(read_and_write_a_sparse_group)
{
    start("sparse.safetensors");
    ck_assert_int_gt(oom_sweep_context("read and write a sparse group", sparse_group, expect_whole), 50);
    finish();
}
END_TEST

START_TEST(read_and_write_npy)
{
    start("a.npy");
    ck_assert_int_gt(oom_sweep_context("read and write npy", npy, expect_whole), 5);
    finish();
}
END_TEST

/* zlib's memory comes from the context too. */
START_TEST(read_a_zipped_data_set)
{
    fresh_folder();
    save_zipped("t10k-images-idx3-ubyte.gz", "\0\0\x08\3\0\0\0\2\0\0\0\1\0\0\0\1\7\x08", 18);
    save_zipped("t10k-labels-idx1-ubyte.gz", "\0\0\x08\1\0\0\0\2\7\x09", 10);
    ck_assert_int_gt(oom_sweep_context("read a zipped data set", dataset, NULL), 10);
    ck_assert_int_eq(oom_sweep_malloc("read a zipped data set", dataset, NULL), 0);
}
END_TEST

TEST_MAIN("oom_files", read_and_write_a_network, read_and_write_safetensors, read_and_write_a_sparse_group,
          read_and_write_npy, read_a_zipped_data_set)
