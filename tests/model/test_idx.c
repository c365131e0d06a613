/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IDX files, plain and gzip, and the data sets made of four of them.
 */
#include <zlib.h>

#include "allocator.h"
#include "files.h"

#define HEADER3 "\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\3"
#define BODY3 "\0\1\2\3\4\5\6\7\x08\x09\xfe\xff"
static const char good[] = HEADER3 BODY3; /* [2, 2, 3] */
#define GOOD (sizeof good - 1)

static struct content zip(const void *bytes, size_t length)
{
    struct content out = {malloc(length + 1024), 0};
    z_stream stream = {0};
    ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)length;
    stream.next_out = out.bytes;
    stream.avail_out = (uInt)length + 1024;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.length = stream.total_out;
    deflateEnd(&stream);
    return out;
}

static void save_zipped(const char *path, const void *bytes, size_t length)
{
    struct content zipped = zip(bytes, length);
    save(path, zipped.bytes, zipped.length);
    free(zipped.bytes);
}

static void refuses_path(const char *path, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_tensor *tensor = UNTOUCHED;
    FAILS(prune_idx_read(&tensor, context, path), status, word);
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    ck_assert_int_eq(allocator.live, 0);
    ck_assert_int_lt(allocator.peak, 1 << 20);
    prune_context_free(context);
}

static void refuses_file(const void *bytes, size_t length, int32_t status, const char *word)
{
    save(scratch("bad"), bytes, length);
    refuses_path(scratch("bad"), status, word);
}

/* Plain and zipped alike. */
static void refuses_both(const void *bytes, size_t length, int32_t status, const char *word, const char *zipped_word)
{
    refuses_file(bytes, length, status, word);
    save_zipped(scratch("bad.gz"), bytes, length);
    refuses_path(scratch("bad.gz"), status, zipped_word);
}

static void expect_good(const char *path)
{
    prune_tensor *tensor;
    OK(prune_idx_read(&tensor, NULL, path));
    ck_assert_int_eq(prune_tensor_dtype(tensor), PRUNE_U8);
    ck_assert_int_eq(prune_tensor_rank(tensor), 3);
    ck_assert_int_eq(prune_tensor_shape(tensor)[0], 2);
    ck_assert_int_eq(prune_tensor_shape(tensor)[1], 2);
    ck_assert_int_eq(prune_tensor_shape(tensor)[2], 3);
    ck_assert(memcmp(prune_tensor_const_data(tensor), BODY3, 12) == 0);
    prune_tensor_free(tensor);
}

START_TEST(plain_and_gzip_are_read)
{
    save(scratch("good"), good, GOOD);
    expect_good(scratch("good"));
    save_zipped(scratch("good"), good, GOOD); /* the content says which it is, not the name */
    expect_good(scratch("good"));
}
END_TEST

START_TEST(an_empty_set_is_read)
{
    prune_tensor *tensor;
    save(scratch("empty"), "\0\0\x08\1\0\0\0\0", 8);
    OK(prune_idx_read(&tensor, NULL, scratch("empty")));
    ck_assert_int_eq(prune_tensor_count(tensor), 0);
    prune_tensor_free(tensor);
}
END_TEST

/* More than one chunk of the file and of what it holds. */
START_TEST(large_gzip_files_are_read)
{
    size_t count = 300000;
    unsigned char *bytes = malloc(count + 8);
    uint32_t state = 1;
    memcpy(bytes, "\0\0\x08\1\0\x04\x93\xe0", 8);
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[8 + i] = (unsigned char)(state >> 24);
    }
    save_zipped(scratch("large.gz"), bytes, count + 8);
    prune_tensor *tensor;
    OK(prune_idx_read(&tensor, NULL, scratch("large.gz")));
    ck_assert_int_eq(prune_tensor_count(tensor), 300000);
    ck_assert(memcmp(prune_tensor_const_data(tensor), bytes + 8, count) == 0);
    prune_tensor_free(tensor);
    free(bytes);
}
END_TEST

START_TEST(wrong_counts)
{
    refuses_both(HEADER3 BODY3, GOOD - 1, PRUNE_E_FORMAT, "truncated", "truncated");
    refuses_both(HEADER3 BODY3 "x", GOOD + 1, PRUNE_E_FORMAT, "after", "after");
    refuses_both("\0\0\x08\3\0\0\0\3\0\0\0\2\0\0\0\3" BODY3, GOOD, PRUNE_E_FORMAT, "take 18 bytes", "take 18 bytes");
    refuses_both("\0\0\x08\3\0\0\0\1\0\0\0\2\0\0\0\3" BODY3, GOOD, PRUNE_E_FORMAT, "after", "after");
    refuses_both("\0\0\x08\3\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\1" BODY3, GOOD, PRUNE_E_FORMAT, "too large",
                 "too large");
    refuses_both("\0\0\x08\2\x7f\xff\xff\xff\0\0\0\1" BODY3, GOOD - 4, PRUNE_E_FORMAT, "2147483647", "can hold");
}
END_TEST

START_TEST(wrong_magic)
{
    refuses_both("\1\0\x08\1\0\0\0\0", 8, PRUNE_E_FORMAT, "00 00", "00 00");
    refuses_both("\0\1\x08\1\0\0\0\0", 8, PRUNE_E_FORMAT, "00 00", "00 00");
    refuses_both("\0\0\x07\1\0\0\0\0", 8, PRUNE_E_FORMAT, "0x07", "0x07");
    refuses_both("\0\0\x0d\1\0\0\0\0", 8, PRUNE_E_UNSUPPORTED, "0x0d", "0x0d");
    refuses_both("\0\0\x08\0\0\0\0\0", 8, PRUNE_E_FORMAT, "0 dimensions", "0 dimensions");
    refuses_both("\0\0\x08\x09\0\0\0\0", 8, PRUNE_E_UNSUPPORTED, "9 dimensions", "9 dimensions");
}
END_TEST

START_TEST(headers_cut_short)
{
    for (size_t length = 0; length < 16; length++)
        refuses_both(good, length, PRUNE_E_FORMAT, "truncated", "truncated");
}
END_TEST

START_TEST(every_cut_of_a_gzip_file_is_refused)
{
    struct content zipped = zip(good, GOOD);
    for (size_t length = 2; length < zipped.length; length++)
        refuses_file(zipped.bytes, length, PRUNE_E_FORMAT, "cut short");
    free(zipped.bytes);
}
END_TEST

START_TEST(a_gzip_file_with_more_behind_it)
{
    struct content zipped = zip(good, GOOD);
    unsigned char *bytes = malloc(2 * zipped.length);
    memcpy(bytes, zipped.bytes, zipped.length);
    bytes[zipped.length] = 0;
    refuses_file(bytes, zipped.length + 1, PRUNE_E_FORMAT, "1 bytes follow");
    memcpy(bytes + zipped.length, zipped.bytes, zipped.length);
    refuses_file(bytes, 2 * zipped.length, PRUNE_E_FORMAT, "follow the end");
    free(bytes);
    free(zipped.bytes);
}
END_TEST

START_TEST(a_gzip_file_with_a_wrong_check_sum)
{
    struct content zipped = zip(good, GOOD);
    zipped.bytes[zipped.length - 8] ^= 1;
    refuses_file(zipped.bytes, zipped.length, PRUNE_E_FORMAT, "incorrect data check");
    zipped.bytes[zipped.length - 8] ^= 1;
    zipped.bytes[zipped.length - 1] ^= 1;
    refuses_file(zipped.bytes, zipped.length, PRUNE_E_FORMAT, "incorrect length check");
    zipped.bytes[2] = 7;
    refuses_file(zipped.bytes, zipped.length, PRUNE_E_FORMAT, "unknown compression method");
    free(zipped.bytes);
}
END_TEST

START_TEST(arguments_that_are_null_are_refused)
{
    prune_tensor *a = UNTOUCHED, *b = UNTOUCHED;
    FAILS(prune_idx_read(NULL, NULL, "x"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_idx_read(&a, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    FAILS(prune_dataset_read(NULL, &b, NULL, "x", "train"), PRUNE_E_ARGUMENT, "images");
    FAILS(prune_dataset_read(&a, NULL, NULL, "x", "train"), PRUNE_E_ARGUMENT, "labels");
    FAILS(prune_dataset_read(&a, &b, NULL, NULL, "train"), PRUNE_E_ARGUMENT, "folder");
    FAILS(prune_dataset_read(&a, &b, NULL, "x", NULL), PRUNE_E_ARGUMENT, "split");
    FAILS(prune_dataset_read(&a, &b, NULL, "x", "valid"), PRUNE_E_ARGUMENT, "valid");
    ck_assert_ptr_eq(a, UNTOUCHED);
    ck_assert_ptr_eq(b, UNTOUCHED);
}
END_TEST

static void refuses_dataset(const char *split, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_tensor *images = UNTOUCHED, *labels = UNTOUCHED;
    FAILS(prune_dataset_read(&images, &labels, context, scratch_folder, split), status, word);
    ck_assert_ptr_eq(images, UNTOUCHED);
    ck_assert_ptr_eq(labels, UNTOUCHED);
    ck_assert_int_eq(allocator.live, 0);
    prune_context_free(context);
}

START_TEST(a_data_set_is_read)
{
    prune_tensor *images, *labels;
    save(scratch("train-images-idx3-ubyte"), good, GOOD);
    save_zipped(scratch("train-labels-idx1-ubyte.gz"), "\0\0\x08\1\0\0\0\2\7\x09", 10);
    OK(prune_dataset_read(&images, &labels, NULL, scratch_folder, "train"));
    const float *pixels = prune_tensor_const_data(images);
    const int64_t *classes = prune_tensor_const_data(labels);
    ck_assert_int_eq(prune_tensor_dtype(images), PRUNE_F32);
    ck_assert_int_eq(prune_tensor_rank(images), 3);
    ck_assert(pixels[0] == 0.0f && pixels[9] == 9.0f / 255.0f && pixels[11] == 1.0f);
    ck_assert_int_eq(prune_tensor_dtype(labels), PRUNE_I64);
    ck_assert(classes[0] == 7 && classes[1] == 9);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    refuses_dataset("test", PRUNE_E_NOTFOUND, "t10k-images-idx3-ubyte.gz");
}
END_TEST

START_TEST(a_data_set_whose_files_do_not_agree)
{
    save(scratch("t10k-images-idx3-ubyte"), good, GOOD);
    refuses_dataset("test", PRUNE_E_NOTFOUND, "t10k-labels-idx1-ubyte");
    save(scratch("t10k-labels-idx1-ubyte"), "\0\0\x08\1\0\0\0\3\7\x09\1", 11);
    refuses_dataset("test", PRUNE_E_FORMAT, "2 images, but 3 labels");
    save(scratch("t10k-labels-idx1-ubyte"), good, GOOD);
    refuses_dataset("test", PRUNE_E_FORMAT, "dimensions");
    save(scratch("t10k-labels-idx1-ubyte"), "", 0);
    refuses_dataset("test", PRUNE_E_FORMAT, "t10k-labels-idx1-ubyte");
}
END_TEST

START_TEST(fashion_mnist_is_read)
{
    static const char folder[] = "/usr/share/datasets/fashion-mnist";
    prune_tensor *images, *labels;
    if (access(folder, R_OK)) {
        skip("fashion_mnist_is_read", "the package dataset-fashion-mnist is not installed");
        return;
    }
    OK(prune_dataset_read(&images, &labels, NULL, folder, "test"));
    ck_assert_int_eq(prune_tensor_shape(images)[0], 10000);
    ck_assert_int_eq(prune_tensor_shape(images)[1], 28);
    ck_assert_int_eq(prune_tensor_shape(images)[2], 28);
    int64_t of_class[10] = {0};
    for (int64_t i = 0; i < 10000; i++)
        of_class[((const int64_t *)prune_tensor_const_data(labels))[i]]++;
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(of_class[i], 1000);
    prune_tensor_free(images);
    prune_tensor_free(labels);
}
END_TEST

TEST_MAIN("idx", plain_and_gzip_are_read, an_empty_set_is_read, large_gzip_files_are_read, wrong_counts, wrong_magic,
          headers_cut_short, every_cut_of_a_gzip_file_is_refused, a_gzip_file_with_more_behind_it,
          a_gzip_file_with_a_wrong_check_sum, arguments_that_are_null_are_refused, a_data_set_is_read,
          a_data_set_whose_files_do_not_agree, fashion_mnist_is_read)
