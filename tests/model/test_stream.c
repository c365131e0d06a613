/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Safetensors tensor by tensor: one file or several with an index read alike; what is written is what an archive
 * writes; a file larger than the memory allowed is pruned through (tests/cli/stream.sh).
 */
#include "prune/model.h"
#include "safetensors.h"

static prune_archive *some(void)
{
    static const int32_t dtypes[] = {PRUNE_F32, PRUNE_BOOL, PRUNE_I64, PRUNE_F16};
    static const char *const names[] = {"c.weight", "b", "a", "d.weight"};
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    for (int i = 0; i < 4; i++) {
        prune_tensor *tensor;
        const int64_t shape[] = {3, 2 + i};
        OK(prune_tensor_create(&tensor, NULL, dtypes[i], 2, shape));
        unsigned char *bytes = prune_tensor_data(tensor);
        for (int64_t k = 0; k < prune_tensor_count(tensor) * prune_dtype_size(dtypes[i]); k++)
            bytes[k] = (unsigned char)(i == 1 ? k & 1 : 17 * k + i);
        OK(prune_archive_add(archive, names[i], tensor));
        prune_tensor_free(tensor);
    }
    OK(prune_archive_add_text(archive, "format", "pt"));
    return archive;
}

static void same(const prune_tensor *a, const prune_tensor *b)
{
    ck_assert_ptr_nonnull(a);
    ck_assert_int_eq(prune_tensor_dtype(a), prune_tensor_dtype(b));
    ck_assert_int_eq(prune_tensor_rank(a), prune_tensor_rank(b));
    for (int32_t i = 0; i < prune_tensor_rank(a); i++)
        ck_assert_int_eq(prune_tensor_shape(a)[i], prune_tensor_shape(b)[i]);
    ck_assert(memcmp(prune_tensor_const_data(a), prune_tensor_const_data(b),
                     (size_t)(prune_tensor_count(a) * prune_dtype_size(prune_tensor_dtype(a)))) == 0);
}

/* Everything that a reader says is what the archive holds. */
static void reads(const char *path, const prune_archive *archive)
{
    prune_archive_reader *reader;
    OK(prune_archive_reader_open(&reader, NULL, path));
    ck_assert_int_eq(prune_archive_reader_count(reader), prune_archive_count(archive));
    for (int32_t k = 0; k < 2 * prune_archive_count(archive); k++) {
        int32_t i = k * 3 % prune_archive_count(archive); /* not in order */
        const prune_tensor *expected = prune_archive_tensor(archive, i);
        prune_tensor *tensor;
        ck_assert_str_eq(prune_archive_reader_name(reader, i), prune_archive_name(archive, i));
        ck_assert_int_eq(prune_archive_reader_find(reader, prune_archive_name(archive, i)), i);
        ck_assert_int_eq(prune_archive_reader_dtype(reader, i), prune_tensor_dtype(expected));
        ck_assert_int_eq(prune_archive_reader_rank(reader, i), prune_tensor_rank(expected));
        ck_assert_int_eq(prune_archive_reader_shape(reader, i)[1], prune_tensor_shape(expected)[1]);
        OK(prune_archive_reader_read(&tensor, reader, i));
        same(tensor, expected);
        prune_tensor_free(tensor);
    }
    ck_assert_int_eq(prune_archive_reader_text_count(reader), 1);
    ck_assert_str_eq(prune_archive_reader_text_key(reader, 0), "format");
    ck_assert_str_eq(prune_archive_reader_text(reader, "format"), "pt");
    ck_assert_ptr_null(prune_archive_reader_text(reader, "none"));
    ck_assert_ptr_null(prune_archive_reader_name(reader, 4));
    ck_assert_ptr_null(prune_archive_reader_shape(reader, -1));
    ck_assert_int_eq(prune_archive_reader_find(reader, "none"), -1);
    prune_tensor *tensor = UNTOUCHED;
    FAILS(prune_archive_reader_read(&tensor, reader, 4), PRUNE_E_ARGUMENT, "there are 4");
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    prune_archive_reader_free(reader);
}

START_TEST(a_file_reads_tensor_by_tensor)
{
    prune_archive *archive = some();
    OK(prune_archive_write(archive, scratch("a.safetensors")));
    reads(scratch("a.safetensors"), archive);
    prune_archive_free(archive);
}
END_TEST

static void save_text(const char *name, const char *text)
{
    save(scratch(name), text, strlen(text));
}

/* The archive in two files and an index. */
static prune_archive *shards(void)
{
    prune_archive *archive = some(), *part[2];
    for (int i = 0; i < 2; i++) {
        OK(prune_archive_create(&part[i], NULL));
        for (int32_t k = i; k < 4; k += 2)
            OK(prune_archive_add(part[i], prune_archive_name(archive, k), prune_archive_tensor(archive, k)));
        OK(prune_archive_add_text(part[i], "format", i ? "other" : "pt"));
        OK(prune_archive_write(part[i], scratch(i ? "m-2.safetensors" : "m-1.safetensors")));
        prune_archive_free(part[i]);
    }
    return archive;
}

#define MAP                                                                                                            \
    "\"weight_map\": {\"a\": \"m-1.safetensors\", \"b\": \"m-2.safetensors\", \"c.weight\": \"m-1.safetensors\", "     \
    "\"d.weight\": \"m-2.safetensors\"}"

START_TEST(files_with_an_index_read_as_one)
{
    prune_archive *archive = shards(), *back;
    save_text("m.index.json", "{\"metadata\": {\"total_size\": 3.5e2, \"x\": [1, {}, [], {\"a\": null}]}, " MAP "}\n");
    reads(scratch("m.index.json"), archive);
    OK(prune_archive_read(&back, NULL, scratch("m.index.json")));
    for (int32_t i = 0; i < 4; i++)
        same(prune_archive_find(back, prune_archive_name(archive, i)), prune_archive_tensor(archive, i));
    prune_archive_free(back);
    prune_archive_free(archive);
}
END_TEST

static void refuses_index(const char *text, int32_t status, const char *word)
{
    save_text("m.index.json", text);
    refuses_path(scratch("m.index.json"), status, word);
}

START_TEST(an_index_that_is_broken)
{
    prune_archive *archive = shards();
    refuses_index("", PRUNE_E_FORMAT, "start of the index");
    refuses_index("{}", PRUNE_E_FORMAT, "weight_map is missing");
    refuses_index("{" MAP ", " MAP "}", PRUNE_E_FORMAT, "weight_map stands twice");
    refuses_index("{" MAP "} x", PRUNE_E_FORMAT, "nothing is expected");
    refuses_index("{\"metadata\": {\"a\": 1]}, " MAP "}", PRUNE_E_FORMAT, "is expected");
    refuses_index("{\"metadata\": , " MAP "}", PRUNE_E_FORMAT, "a value is expected");
    refuses_index("{\"weight_map\": {\"a\": \"../m-1.safetensors\"}}", PRUNE_E_FORMAT, "beside the index");
    refuses_index("{\"weight_map\": {\"a\": \"/m-1.safetensors\"}}", PRUNE_E_FORMAT, "beside the index");
    refuses_index("{\"weight_map\": {\"a\": \"..\"}}", PRUNE_E_FORMAT, "beside the index");
    refuses_index("{\"weight_map\": {\"a\": \"\"}}", PRUNE_E_FORMAT, "beside the index");
    refuses_index("{\"weight_map\": {\"a\": \"none.safetensors\"}}", PRUNE_E_NOTFOUND, "none.safetensors");
    refuses_index("{\"weight_map\": {\"a\": \"m.index.json\"}}", PRUNE_E_FORMAT, "header length");
    refuses_index("{\"weight_map\": {\"a\": \"m-1.safetensors\"}}", PRUNE_E_FORMAT,
                  "\"c.weight\" is in one of the files");
    refuses_index("{\"weight_map\": {\"a\": \"m-1.safetensors\", \"a\": \"m-2.safetensors\"}}", PRUNE_E_FORMAT,
                  "twice");
    refuses_index("{\"weight_map\": {\"e\": \"m-1.safetensors\"}}", PRUNE_E_FORMAT, "\"e\" is not in");
    refuses_index("{\"weight_map\": {\"b\": \"m-1.safetensors\", \"a\": \"m-2.safetensors\"}}", PRUNE_E_FORMAT,
                  "is not in");
    char deep[200] = "{\"x\": ";
    memset(deep + strlen(deep), '[', 100);
    refuses_index(deep, PRUNE_E_FORMAT, "nested");
    prune_archive_free(archive);
}
END_TEST

START_TEST(a_file_that_changes_after_its_head_was_read)
{
    prune_archive *archive = shards();
    prune_archive_reader *reader;
    prune_tensor *tensor = UNTOUCHED;
    save_text("m.index.json", "{" MAP "}");
    OK(prune_archive_reader_open(&reader, NULL, scratch("m.index.json")));
    save_text("m-2.safetensors", "short");
    FAILS(prune_archive_reader_read(&tensor, reader, 1), PRUNE_E_IO, "it has 5 bytes");
    ck_assert_int_eq(unlink(scratch("m-2.safetensors")), 0);
    FAILS(prune_archive_reader_read(&tensor, reader, 1), PRUNE_E_NOTFOUND, "m-2.safetensors");
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    OK(prune_archive_reader_read(&tensor, reader, 0));
    prune_tensor_free(tensor);
    prune_archive_reader_free(reader);
    prune_archive_free(archive);
}
END_TEST

static void declare(prune_archive_writer *writer, const prune_archive *archive, int32_t i)
{
    const prune_tensor *tensor = prune_archive_tensor(archive, i);
    OK(prune_archive_writer_declare(writer, prune_archive_name(archive, i), prune_tensor_dtype(tensor),
                                    prune_tensor_rank(tensor), prune_tensor_shape(tensor)));
}

START_TEST(a_writer_writes_what_an_archive_writes)
{
    prune_archive *archive = some();
    prune_archive_writer *writer;
    OK(prune_archive_write(archive, scratch("a.safetensors")));
    struct content content = load(scratch("a.safetensors"));
    save_text("b.safetensors", "old");
    OK(prune_archive_writer_open(&writer, NULL, scratch("b.safetensors")));
    for (int32_t i = 3; i >= 0; i--)
        declare(writer, archive, i);
    OK(prune_archive_writer_text(writer, "format", "pt"));
    for (int32_t k = 0; k < 4; k++)
        OK(prune_archive_writer_put(writer, prune_archive_name(archive, k * 3 % 4),
                                    prune_archive_tensor(archive, k * 3 % 4)));
    ck_assert(holds(scratch("b.safetensors"), "old", 3));
    OK(prune_archive_writer_commit(writer));
    ck_assert(holds(scratch("b.safetensors"), content.bytes, content.length));
    FAILS(prune_archive_writer_commit(writer), PRUNE_E_ARGUMENT, "written already");
    FAILS(prune_archive_writer_put(writer, "a", prune_archive_find(archive, "a")), PRUNE_E_ARGUMENT, "nothing more");
    prune_archive_writer_free(writer);
    free(content.bytes);
    prune_archive_free(archive);
}
END_TEST

START_TEST(a_writer_that_is_used_wrongly)
{
    prune_archive *archive = some();
    prune_archive_writer *writer = UNTOUCHED;
    const int64_t shape[] = {2, 3}, bad[] = {2, -1};
    const prune_tensor *a = prune_archive_find(archive, "a"), *b = prune_archive_find(archive, "b");
    FAILS(prune_archive_writer_open(NULL, NULL, "x"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_archive_writer_open(&writer, NULL, scratch("no/where")), PRUNE_E_NOTFOUND, "no/where");
    ck_assert_ptr_eq(writer, UNTOUCHED);
    fresh_folder();
    save_text("w.safetensors", "old");
    OK(prune_archive_writer_open(&writer, NULL, scratch("w.safetensors")));
    FAILS(prune_archive_writer_declare(writer, "", PRUNE_F32, 2, shape), PRUNE_E_ARGUMENT, "empty");
    FAILS(prune_archive_writer_declare(writer, "x", 99, 2, shape), PRUNE_E_DTYPE, "99");
    FAILS(prune_archive_writer_declare(writer, "x", PRUNE_F32, 9, shape), PRUNE_E_SHAPE, "rank 9");
    FAILS(prune_archive_writer_declare(writer, "x", PRUNE_F32, 2, bad), PRUNE_E_SHAPE, "-1");
    FAILS(prune_archive_writer_declare(writer, "x", PRUNE_F32, 2, NULL), PRUNE_E_ARGUMENT, "shape");
    declare(writer, archive, 0);
    declare(writer, archive, 2);
    FAILS(prune_archive_writer_declare(writer, "a", PRUNE_F32, 2, shape), PRUNE_E_ARGUMENT, "declared already");
    FAILS(prune_archive_writer_text(writer, "k", "\xff"), PRUNE_E_ARGUMENT, "UTF-8");
    FAILS(prune_archive_writer_put(writer, "b", b), PRUNE_E_ARGUMENT, "not declared");
    FAILS(prune_archive_writer_put(writer, "c.weight", a), PRUNE_E_DTYPE, "declared as f32");
    OK(prune_archive_writer_put(writer, "a", a));
    FAILS(prune_archive_writer_put(writer, "a", a), PRUNE_E_ARGUMENT, "put already");
    FAILS(prune_archive_writer_declare(writer, "z", PRUNE_F32, 2, shape), PRUNE_E_ARGUMENT, "too late");
    FAILS(prune_archive_writer_commit(writer), PRUNE_E_ARGUMENT, "\"c.weight\" was declared, but not put");
    ck_assert_int_eq(entries_of(scratch_folder), 2);
    prune_archive_writer_free(writer);
    ck_assert(holds(scratch("w.safetensors"), "old", 3));
    ck_assert_int_eq(entries_of(scratch_folder), 1);
    prune_archive_free(archive);
}
END_TEST

START_TEST(zeros_become_holes_and_read_as_zeros)
{
    const int64_t shape[] = {1, 1 << 20};
    prune_archive *archive, *back;
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, shape));
    float *values = prune_tensor_data(tensor);
    values[500000] = 3;
    values[(1 << 20) - 70000] = -0.0f;
    OK(prune_archive_create(&archive, NULL));
    OK(prune_archive_add(archive, "w", tensor));
    OK(prune_archive_write(archive, scratch("h.safetensors")));
    OK(prune_archive_read(&back, NULL, scratch("h.safetensors")));
    same(prune_archive_find(back, "w"), tensor);
    struct stat facts;
    ck_assert_int_eq(stat(scratch("h.safetensors"), &facts), 0);
    ck_assert_int_gt(facts.st_size, 4 << 20);
    if (facts.st_blocks * 512 > 1 << 20)
        skip("holes", "this file system has none");
    prune_archive_free(back);
    prune_archive_free(archive);
    prune_tensor_free(tensor);
}
END_TEST

TEST_MAIN("stream", a_file_reads_tensor_by_tensor, files_with_an_index_read_as_one, an_index_that_is_broken,
          a_file_that_changes_after_its_head_was_read, a_writer_writes_what_an_archive_writes,
          a_writer_that_is_used_wrongly, zeros_become_holes_and_read_as_zeros)
