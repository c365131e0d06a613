/* SPDX-License-Identifier: BSD-2-Clause
 *
 * npz: what NumPy writes is read, what is written comes back, and a broken ZIP file is refused.
 */
#include "allocator.h"
#include "files.h"
#include "model/io/zip.h"
#include "prune/model.h"

/* As numpy.savez_compressed writes a = [[1, 0], [0, -2]] in f4 and b = 7 in i8: deflated, sizes in zip64 fields. */
static const unsigned char golden[] = {
    0x50, 0x4b, 0x03, 0x04, 0x2d, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x07, 0xb1, 0x22, 0x2a, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x05, 0x00, 0x14, 0x00, 0x61, 0x2e, 0x6e, 0x70, 0x79, 0x01, 0x00, 0x10,
    0x00, 0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x4e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x9b, 0xec,
    0x17, 0xea, 0x1b, 0x10, 0xc9, 0xc8, 0x50, 0xc6, 0x50, 0xad, 0x9e, 0x92, 0x5a, 0x9c, 0x5c, 0xa4, 0x6e, 0xa5, 0xa0,
    0x6e, 0x93, 0x66, 0xa2, 0xae, 0xa3, 0xa0, 0x9e, 0x96, 0x5f, 0x54, 0x52, 0x94, 0x98, 0x17, 0x9f, 0x5f, 0x94, 0x92,
    0x0a, 0x12, 0x77, 0x4b, 0xcc, 0x29, 0x4e, 0x05, 0x8a, 0x17, 0x67, 0x24, 0x16, 0xa4, 0x02, 0xf9, 0x1a, 0x46, 0x3a,
    0x0a, 0x46, 0x9a, 0x3a, 0x0a, 0xb5, 0x0a, 0x64, 0x03, 0x2e, 0x06, 0x86, 0x06, 0x7b, 0x06, 0x04, 0x38, 0x00, 0x00,
    0x50, 0x4b, 0x03, 0x04, 0x2d, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x23, 0xb8, 0xf0, 0x6c, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x05, 0x00, 0x14, 0x00, 0x62, 0x2e, 0x6e, 0x70, 0x79, 0x01, 0x00, 0x10,
    0x00, 0x88, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x9b, 0xec,
    0x17, 0xea, 0x1b, 0x10, 0xc9, 0xc8, 0x50, 0xc6, 0x50, 0xad, 0x9e, 0x92, 0x5a, 0x9c, 0x5c, 0xa4, 0x6e, 0xa5, 0xa0,
    0x6e, 0x93, 0x69, 0xa1, 0xae, 0xa3, 0xa0, 0x9e, 0x96, 0x5f, 0x54, 0x52, 0x94, 0x98, 0x17, 0x9f, 0x5f, 0x94, 0x92,
    0x0a, 0x12, 0x77, 0x4b, 0xcc, 0x29, 0x4e, 0x05, 0x8a, 0x17, 0x67, 0x24, 0x16, 0xa4, 0x02, 0xf9, 0x1a, 0x9a, 0x3a,
    0x0a, 0xb5, 0x0a, 0x14, 0x01, 0x2e, 0x76, 0x06, 0x08, 0x00, 0x00, 0x50, 0x4b, 0x01, 0x02, 0x2d, 0x03, 0x2d, 0x00,
    0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x21, 0x00, 0x07, 0xb1, 0x22, 0x2a, 0x4e, 0x00, 0x00, 0x00, 0x90, 0x00, 0x00,
    0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x61, 0x2e, 0x6e, 0x70, 0x79, 0x50, 0x4b, 0x01, 0x02, 0x2d, 0x03, 0x2d, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
    0x21, 0x00, 0x23, 0xb8, 0xf0, 0x6c, 0x46, 0x00, 0x00, 0x00, 0x88, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x01, 0x85, 0x00, 0x00, 0x00, 0x62, 0x2e, 0x6e, 0x70, 0x79, 0x50,
    0x4b, 0x05, 0x06, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x02, 0x00, 0x66, 0x00, 0x00, 0x00, 0x02, 0x01, 0x00, 0x00,
    0x00, 0x00,
};

static void refuses(const void *bytes, size_t length, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_archive *archive = UNTOUCHED;
    save(scratch("bad.npz"), bytes, length);
    FAILS(prune_npz_read(&archive, context, scratch("bad.npz")), status, word);
    ck_assert_ptr_eq(archive, UNTOUCHED);
    ck_assert_int_eq(allocator.live, 0);
    ck_assert_int_lt(allocator.peak, 200000);
    prune_context_free(context);
}

/* The golden file with `count` bytes at `at` replaced. */
static void refuses_with(size_t at, const char *bytes, size_t count, int32_t status, const char *word)
{
    unsigned char copy[sizeof golden];
    memcpy(copy, golden, sizeof golden);
    memcpy(copy + at, bytes, count);
    refuses(copy, sizeof copy, status, word);
}

static const unsigned char *find(const char *mark, int which)
{
    const unsigned char *at = golden;
    for (;; at++)
        if (memcmp(at, mark, 4) == 0 && which-- == 0)
            return at;
}
#define LOCAL(i) ((size_t)(find("PK\3\4", i) - golden))
#define LIST(i) ((size_t)(find("PK\1\2", i) - golden))
#define END ((size_t)(find("PK\5\6", 0) - golden))

START_TEST(what_numpy_writes_is_read)
{
    prune_archive *archive;
    save(scratch("a.npz"), golden, sizeof golden);
    OK(prune_npz_read(&archive, NULL, scratch("a.npz")));
    ck_assert_int_eq(prune_archive_count(archive), 2);
    const prune_tensor *a = prune_archive_find(archive, "a"), *b = prune_archive_find(archive, "b");
    const float expected[] = {1, 0, 0, -2};
    ck_assert_int_eq(prune_tensor_rank(a), 2);
    ck_assert(memcmp(prune_tensor_const_data(a), expected, sizeof expected) == 0);
    ck_assert_int_eq(prune_tensor_dtype(b), PRUNE_I64);
    ck_assert_int_eq(*(const int64_t *)prune_tensor_const_data(b), 7);
    prune_archive_free(archive);
}
END_TEST

static prune_archive *some(void)
{
    prune_archive *archive;
    prune_tensor *tensor;
    const int64_t shape[] = {40, 50}, none[] = {3, 0};
    OK(prune_archive_create(&archive, NULL));
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, shape));
    for (int i = 0; i < 2000; i++)
        ((float *)prune_tensor_data(tensor))[i] = (float)(i % 37) - 18;
    OK(prune_archive_add(archive, "layer.weight", tensor));
    prune_tensor_free(tensor);
    OK(prune_tensor_create(&tensor, NULL, PRUNE_BOOL, 2, none));
    OK(prune_archive_add(archive, "empty", tensor));
    prune_tensor_free(tensor);
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F64, 0, NULL));
    *(double *)prune_tensor_data(tensor) = -0.5;
    OK(prune_archive_add(archive, "\xc3\xa4", tensor));
    prune_tensor_free(tensor);
    OK(prune_archive_add_text(archive, "key", "a string that npz has no place for"));
    return archive;
}

START_TEST(what_is_written_comes_back_at_every_level)
{
    prune_archive *archive = some(), *back;
    size_t lengths[10];
    for (int level = 0; level <= 9; level++) {
        OK(prune_npz_write(archive, scratch("a.npz"), level));
        OK(prune_npz_read(&back, NULL, scratch("a.npz")));
        ck_assert_int_eq(prune_archive_count(back), 3);
        ck_assert_int_eq(prune_archive_text_count(back), 0);
        for (int32_t i = 0; i < 3; i++) {
            const prune_tensor *a = prune_archive_tensor(archive, i), *b = prune_archive_tensor(back, i);
            ck_assert_str_eq(prune_archive_name(back, i), prune_archive_name(archive, i));
            ck_assert_int_eq(prune_tensor_dtype(a), prune_tensor_dtype(b));
            ck_assert_int_eq(prune_tensor_count(a), prune_tensor_count(b));
            ck_assert(memcmp(prune_tensor_const_data(a), prune_tensor_const_data(b),
                             (size_t)(prune_tensor_count(a) * prune_dtype_size(prune_tensor_dtype(a)))) == 0);
        }
        struct content content = load(scratch("a.npz"));
        lengths[level] = content.length;
        free(content.bytes);
        prune_archive_free(back);
    }
    ck_assert_uint_gt(lengths[0], 8000);
    ck_assert_uint_lt(lengths[6], 2000);
    FAILS(prune_npz_write(archive, scratch("a.npz"), 10), PRUNE_E_ARGUMENT, "0 (stored) to 9");
    FAILS(prune_npz_write(archive, scratch("a.npz"), -1), PRUNE_E_ARGUMENT, "-1");
    prune_archive_free(archive);
}
END_TEST

START_TEST(equal_tensors_give_equal_files_that_unzip_takes)
{
    prune_archive *archive = some();
    OK(prune_npz_write(archive, scratch("a.npz"), 6));
    struct content content = load(scratch("a.npz"));
    OK(prune_npz_write(archive, scratch("b.npz"), 6));
    ck_assert(holds(scratch("b.npz"), content.bytes, content.length));
    free(content.bytes);
    prune_archive_free(archive);
    char command[1200];
    snprintf(command, sizeof command, "unzip -tq '%s' > /dev/null 2>&1", scratch("a.npz"));
    int result = system(command); /* NOLINT */
    if (WEXITSTATUS(result) == 127)
        skip("unzip", "it is not installed");
    else
        ck_assert_int_eq(result, 0);
}
END_TEST

START_TEST(files_that_are_cut_anywhere)
{
    for (size_t length = 0; length < sizeof golden; length++)
        refuses(golden, length, PRUNE_E_FORMAT, "truncated");
}
END_TEST

START_TEST(no_single_byte_can_be_changed_into_a_crash)
{
    unsigned char copy[sizeof golden];
    for (size_t at = 0; at < sizeof golden; at++)
        for (int change = 1; change < 256; change = 2 * change + 1) {
            prune_archive *archive = UNTOUCHED;
            memcpy(copy, golden, sizeof golden);
            copy[at] = (unsigned char)(copy[at] ^ change);
            save(scratch("c.npz"), copy, sizeof copy);
            if (prune_npz_read(&archive, NULL, scratch("c.npz")) == PRUNE_OK)
                prune_archive_free(archive);
            else
                ck_assert_ptr_eq(archive, UNTOUCHED);
        }
}
END_TEST

START_TEST(lists_that_lie)
{
    refuses_with(END + 16, "\xff\xff\xff\x7f", 4, PRUNE_E_FORMAT, "does not lie in the file");
    refuses_with(END + 10, "\xff\x7f", 2, PRUNE_E_FORMAT, "cannot hold 32767 members");
    refuses_with(END + 10, "\3\0", 2, PRUNE_E_FORMAT, "cannot hold");
    refuses_with(END + 4, "\1\0", 2, PRUNE_E_UNSUPPORTED, "several parts");
    refuses_with(LIST(1), "PK\1\3", 4, PRUNE_E_FORMAT, "entry 1");
    refuses_with(LIST(0) + 28, "\xff\xff", 2, PRUNE_E_FORMAT, "cut short");
    refuses_with(LIST(0) + 46, "\xff", 1, PRUNE_E_FORMAT, "UTF-8");
    refuses_with(LIST(0) + 8, "\1", 1, PRUNE_E_UNSUPPORTED, "encrypted");
    refuses_with(LIST(0) + 10, "\x0c", 1, PRUNE_E_UNSUPPORTED, "method 12");
    refuses_with(LIST(0) + 42, "\xff\xff\0\0", 4, PRUNE_E_FORMAT, "do not lie");
    refuses_with(LIST(0) + 42, "\1", 1, PRUNE_E_FORMAT, "no member begins");
    refuses_with(LIST(1) + 46, "a", 1, PRUNE_E_FORMAT, "already");
    refuses_with(LIST(1) + 51 - 1, "x", 1, PRUNE_E_FORMAT, ".npy");
}
END_TEST

START_TEST(a_zip_bomb_is_refused_before_memory_is_asked_for)
{
    refuses_with(LIST(0) + 24, "\0\0\0\x70", 4, PRUNE_E_FORMAT, "can stand for");
    /* Within what deflate can do, but not what comes out. */
    refuses_with(LIST(0) + 24, "\xff\xff\0\0", 4, PRUNE_E_FORMAT, "broken");
    refuses_with(LIST(0) + 24, "\x10\0\0\0", 4, PRUNE_E_FORMAT, "broken");
    /* Two members of the same bytes. */
    unsigned char copy[sizeof golden];
    memcpy(copy, golden, sizeof golden);
    memcpy(copy + LIST(0) + 20, "\x40\1\0\0", 4);
    memcpy(copy + LIST(1) + 20, "\x40\1\0\0", 4);
    memcpy(copy + LIST(1) + 42, "\0\0\0\0", 4);
    refuses(copy, sizeof copy, PRUNE_E_FORMAT, "overlap");
}
END_TEST

START_TEST(a_damaged_member)
{
    refuses_with(LIST(0) + 16, "\0\0", 2, PRUNE_E_FORMAT, "check sum");
    refuses_with(LOCAL(0) + 70, "\xff\xff\xff\xff", 4, PRUNE_E_FORMAT, "member \"a.npy\"");
}
END_TEST

START_TEST(members_that_are_no_arrays)
{
    static const struct {
        const char *name, *bytes;
        size_t length;
        int32_t status;
        const char *word;
    } bad[] = {
        {"a.npy", "", 0, PRUNE_E_FORMAT, "truncated"},
        {"a.npy", "\x93NUMPY\1\0\2\0{\n", 12, PRUNE_E_FORMAT, "member \"a.npy\""},
        {"a.txt", "hello", 5, PRUNE_E_FORMAT, "no array"},
        {".npy", "\x93NUMPY\1\0\x38\0{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}\n\7", 67, PRUNE_E_FORMAT,
         "name is empty"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pm_zip_writer writer;
        OK(pm_zip_create(&writer, NULL, scratch("m.npz"), 0));
        OK(pm_zip_add(&writer, bad[i].name, bad[i].bytes, (int64_t)bad[i].length));
        OK(pm_zip_commit(&writer));
        pm_zip_abandon(&writer);
        struct content content = load(scratch("m.npz"));
        refuses(content.bytes, content.length, bad[i].status, bad[i].word);
        free(content.bytes);
    }
}
END_TEST

START_TEST(a_file_without_members_is_an_empty_archive)
{
    prune_archive *archive, *back;
    OK(prune_archive_create(&archive, NULL));
    OK(prune_npz_write(archive, scratch("e.npz"), 6));
    OK(prune_npz_read(&back, NULL, scratch("e.npz")));
    ck_assert_int_eq(prune_archive_count(back), 0);
    prune_archive_free(back);
    prune_archive_free(archive);
}
END_TEST

START_TEST(arguments_and_paths)
{
    prune_archive *archive = UNTOUCHED;
    FAILS(prune_npz_read(NULL, NULL, "x"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_npz_read(&archive, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    FAILS(prune_npz_read(&archive, NULL, scratch("none.npz")), PRUNE_E_NOTFOUND, "none.npz");
    ck_assert_ptr_eq(archive, UNTOUCHED);
    FAILS(prune_npz_write(NULL, "x", 0), PRUNE_E_ARGUMENT, "archive");
    archive = some();
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_BF16, 0, NULL));
    OK(prune_archive_add(archive, "half", tensor));
    FAILS(prune_npz_write(archive, scratch("half.npz"), 0), PRUNE_E_DTYPE, "half");
    ck_assert_int_ne(access(scratch("half.npz"), F_OK), 0);
    prune_tensor_free(tensor);
    prune_archive_free(archive);
}
END_TEST

TEST_MAIN("npz", what_numpy_writes_is_read, what_is_written_comes_back_at_every_level,
          equal_tensors_give_equal_files_that_unzip_takes, files_that_are_cut_anywhere,
          no_single_byte_can_be_changed_into_a_crash, lists_that_lie, a_zip_bomb_is_refused_before_memory_is_asked_for,
          a_damaged_member, members_that_are_no_arrays, a_file_without_members_is_an_empty_archive, arguments_and_paths)
