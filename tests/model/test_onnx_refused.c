/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ONNX files that are none, and models that name files they must not read: each has its status and a sentence that
 * names what was wrong, and takes no more memory than its size accounts for.
 */
#include <fcntl.h>

#include "allocator.h"
#include "prune/graph.h"
#include "wire.h"

static void refuse_with(const char *path, const char *spec, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph = UNTOUCHED;
    FAILS(prune_graph_read(&graph, context, path, spec), status, word);
    ck_assert_ptr_eq(graph, UNTOUCHED);
    ck_assert_ptr_nonnull(strstr(prune_error(), strrchr(path, '/') + 1));
    ck_assert_int_eq(allocator.live, 0);
    prune_context_free(context);
}

static void refuse(const struct wire *model, int32_t status, const char *word)
{
    refuse_with(save_wire("model.onnx", model), NULL, status, word);
}

static void refuse_graph(const struct wire *graph, const char *word)
{
    struct wire model = a_model(graph, 13);
    refuse(&model, PRUNE_E_FORMAT, word);
}

static void refuse_tensor(const struct wire *tensor, const char *word)
{
    struct wire graph = linear_graph_with(tensor);
    refuse_graph(&graph, word);
    ck_assert_ptr_nonnull(strstr(prune_error(), "\"w\""));
}

START_TEST(arguments_and_specs)
{
    struct wire model = linear_model();
    const char *path = save_wire("model.onnx", &model);
    prune_graph *graph = UNTOUCHED;
    FAILS(prune_graph_read(NULL, NULL, path, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_graph_read(&graph, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    FAILS(prune_graph_read(&graph, NULL, path, "external=maybe"), PRUNE_E_SPEC, "maybe");
    FAILS(prune_graph_read(&graph, NULL, path, "colour=red"), PRUNE_E_SPEC, "colour");
    FAILS(prune_graph_read(&graph, NULL, scratch("nothing"), NULL), PRUNE_E_NOTFOUND, "nothing");
    FAILS(prune_graph_read(&graph, NULL, scratch(""), NULL), PRUNE_E_IO, "directory");
    ck_assert_ptr_eq(graph, UNTOUCHED);
    OK(prune_graph_read(&graph, NULL, path, ""));
    FAILS(prune_graph_write(NULL, path, NULL), PRUNE_E_ARGUMENT, "graph");
    FAILS(prune_graph_write(graph, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    FAILS(prune_graph_write(graph, path, "parameters=thin"), PRUNE_E_SPEC, "thin");
    FAILS(prune_graph_copy(NULL, graph), PRUNE_E_ARGUMENT, "out");
    ck_assert(holds(path, model.bytes, model.length));
    FAILS(prune_graph_write(graph, scratch("none/model.onnx"), NULL), PRUNE_E_NOTFOUND, "none");
    prune_graph_free(graph);
}
END_TEST

START_TEST(files_that_are_no_protobuf)
{
    static const char *const texts[] = {"", "not a model", "{\"graph\": []}", "\x89PNG\r\n\x1a\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *path = scratch("model.onnx");
        save(path, texts[i], strlen(texts[i]));
        refuse_with(path, NULL, PRUNE_E_FORMAT, i == 0 ? "empty" : "byte");
    }
    struct wire model = {0};
    put_int(&model, 1, 7);
    refuse(&model, PRUNE_E_FORMAT, "no graph");
}
END_TEST

START_TEST(every_cut_of_a_good_file_is_refused)
{
    struct wire model = linear_model();
    for (size_t length = 0; length < model.length; length++) {
        struct wire cut = model;
        cut.length = length;
        refuse(&cut, PRUNE_E_FORMAT, "");
    }
}
END_TEST

START_TEST(every_changed_byte_is_read_or_refused)
{
    struct wire model = linear_model();
    for (size_t at = 0; at < model.length; at++)
        for (int bit = 0; bit < 8; bit++) {
            struct allocator allocator;
            prune_context *context = counted_context(&allocator);
            prune_graph *graph = UNTOUCHED;
            struct wire changed = model;
            changed.bytes[at] ^= (unsigned char)(1 << bit);
            int32_t status = prune_graph_read(&graph, context, save_wire("model.onnx", &changed), NULL);
            ck_assert(status == PRUNE_OK ? graph != UNTOUCHED : graph == UNTOUCHED);
            if (status == PRUNE_OK)
                prune_graph_free(graph);
            ck_assert_int_eq(allocator.live, 0);
            prune_context_free(context);
        }
}
END_TEST

START_TEST(opsets_8_and_22_and_none)
{
    struct wire graph = linear_graph();
    for (int64_t opset = 8; opset <= 22; opset += 14) {
        char word[32];
        struct wire model = a_model(&graph, opset);
        snprintf(word, sizeof word, "opset %d", (int)opset);
        refuse(&model, PRUNE_E_UNSUPPORTED, word);
    }
    struct wire model = {0};
    put(&model, 7, &graph);
    refuse(&model, PRUNE_E_FORMAT, "no opset");
    struct wire set = {0}, two = a_model(&graph, 13);
    put_int(&set, 2, 14);
    put(&two, 8, &set);
    refuse(&two, PRUNE_E_FORMAT, "opset 14");
}
END_TEST

START_TEST(a_varint_of_11_bytes)
{
    static const unsigned char number[] = {8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
    struct wire model = {0};
    put_raw(&model, number, sizeof number);
    refuse(&model, PRUNE_E_FORMAT, "more than 10 bytes");
    struct wire tensor = {0}; /* inside a packed list */
    put_bytes(&tensor, 7, number + 1, sizeof number - 1);
    struct wire graph = linear_graph_with(&tensor);
    refuse_graph(&graph, "more than 10 bytes");
}
END_TEST

START_TEST(fields_and_wire_types_that_there_are_not)
{
    static const unsigned char zero[] = {0, 1}, group[] = {0x0b, 0x0c}, seven[] = {0x0f, 1}, wide[] = {0x0d, 1, 2};
    struct wire model = {0};
    put_raw(&model, zero, sizeof zero);
    refuse(&model, PRUNE_E_FORMAT, "number 0");
    model.length = 0;
    put_raw(&model, group, sizeof group);
    refuse(&model, PRUNE_E_FORMAT, "wire type 3");
    model.length = 0;
    put_raw(&model, seven, sizeof seven);
    refuse(&model, PRUNE_E_FORMAT, "wire type 7");
    model.length = 0;
    put_raw(&model, wide, sizeof wide); /* ir_version as 4 bytes */
    refuse(&model, PRUNE_E_FORMAT, "ir_version");
    model.length = 0;
    put_text(&model, 99, "unknown fields may be there");
    put_raw(&model, "\xfa\x06\x7f", 3); /* 127 bytes of a field 111 */
    refuse(&model, PRUNE_E_FORMAT, "127 bytes");
    struct wire graph = linear_graph(), twice = a_model(&graph, 13);
    put(&twice, 7, &graph);
    refuse(&twice, PRUNE_E_FORMAT, "graph stands twice");
}
END_TEST

START_TEST(names_that_are_no_text)
{
    struct wire nul = {0}, half = {0};
    put_bytes(&nul, 2, "a\0b", 3);
    refuse_graph(&nul, "UTF-8");
    put_bytes(&half, 2, "\xc3", 1);
    refuse_graph(&half, "UTF-8");
}
END_TEST

/* Branches inside branches, written from the innermost outwards. */
START_TEST(nesting_of_10000)
{
    static const unsigned char tags[] = {6 << 3 | 2, 5 << 3 | 2, 1 << 3 | 2}; /* g of attribute of node of graph */
    static unsigned char bytes[1 << 17];
    for (int depth = 96; depth <= 9999; depth += 9903) {
        size_t at = sizeof bytes;
        for (int i = 0; i <= depth; i++) {
            struct wire head = {0};
            unsigned char tag = i == depth ? 7 << 3 | 2 : tags[i % 3];
            put_raw(&head, &tag, 1);
            put_varint(&head, sizeof bytes - at);
            at -= head.length;
            memcpy(bytes + at, head.bytes, head.length);
        }
        const char *path = scratch("deep.onnx");
        save(path, bytes + at, sizeof bytes - at);
        refuse_with(path, NULL, PRUNE_E_FORMAT, depth == 96 ? "opset" : "nested more than 100 deep");
    }
}
END_TEST

START_TEST(half_a_million_empty_nodes_get_no_memory)
{
    static unsigned char bytes[1000000 + 8];
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph = UNTOUCHED;
    struct wire head = {0};
    put_varint(&head, 7 << 3 | 2);
    put_varint(&head, 1000000);
    memcpy(bytes, head.bytes, head.length);
    for (size_t i = 0; i < 1000000; i += 2)
        bytes[head.length + i] = 1 << 3 | 2;
    const char *path = scratch("empty.onnx");
    save(path, bytes, head.length + 1000000);
    FAILS(prune_graph_read(&graph, context, path, NULL), PRUNE_E_FORMAT, "memory");
    ck_assert_int_lt(allocator.peak, 68000000);
    ck_assert_int_eq(allocator.live, 0);
    ck_assert_ptr_eq(graph, UNTOUCHED);
    prune_context_free(context);
}
END_TEST

START_TEST(raw_data_of_the_wrong_length)
{
    static const size_t lengths[] = {0, 1, 23, 25, 48};
    static const char zeros[48];
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct wire w = raw_tensor("w", 1, 2, linear_shape, zeros, lengths[i]);
        refuse_tensor(&w, "24");
    }
}
END_TEST

START_TEST(dims_negative_and_overflowing)
{
    struct wire w = raw_tensor("w", 1, 2, (int64_t[]){-3, -2}, linear_weights, 24);
    refuse_tensor(&w, "-3");
    w = raw_tensor("w", 1, 2, (int64_t[]){INT64_MAX, 2}, linear_weights, 24);
    refuse_tensor(&w, "63 bits");
    w = raw_tensor("w", 1, 3, (int64_t[]){0, INT64_MAX, 2}, "", 0);
    refuse_tensor(&w, "63 bits");
    w = raw_tensor("w", 1, 1, (int64_t[]){INT64_MAX / 2}, linear_weights, 24);
    refuse_tensor(&w, "63 bits");
    w = raw_tensor("w", 1, 1, (int64_t[]){(int64_t)1 << 40}, linear_weights, 24);
    refuse_tensor(&w, "1099511627776");
    struct wire graph = linear_graph(), x = an_info("h", 2, (int64_t[]){-2, 3});
    put(&graph, 13, &x);
    refuse_graph(&graph, "-2");
    graph = linear_graph(), x = an_info("h", 2, (int64_t[]){INT64_MAX, 3});
    put(&graph, 13, &x);
    refuse_graph(&graph, "\"h\"");
}
END_TEST

START_TEST(numbers_in_two_fields_or_in_the_wrong_one)
{
    struct wire w = raw_tensor("w", 1, 2, linear_shape, linear_weights, 24);
    put_bytes(&w, 4, linear_weights, 24);
    refuse_tensor(&w, "both");
    w = a_tensor("w", 1, 2, linear_shape);
    put_bytes(&w, 10, "12345678", 8);
    refuse_tensor(&w, "double_data");
    w = a_tensor("w", 1, 2, linear_shape);
    put_bytes(&w, 4, linear_weights, 20);
    refuse_tensor(&w, "float_data has 5");
    w = a_tensor("w", 1, 2, linear_shape);
    put_bytes(&w, 4, linear_weights, 23);
    struct wire graph = linear_graph_with(&w);
    refuse_graph(&graph, "23 bytes");
    w = a_tensor("w", 0, 2, linear_shape);
    refuse_tensor(&w, "data_type");
}
END_TEST

START_TEST(whole_numbers_beyond_their_type)
{
    static const struct {
        int data_type, field;
        int64_t number;
    } cases[] = {{2, 5, 256},    {2, 5, -1}, {3, 5, 128},    {3, 5, -129}, {4, 5, 65536},
                 {5, 5, -32769}, {9, 5, 2},  {10, 5, 65536}, {16, 5, -1},  {12, 11, (int64_t)1 << 32}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire w = a_tensor("w", cases[i].data_type, 0, NULL);
        put_int(&w, cases[i].field, cases[i].number);
        refuse_tensor(&w, "element 0");
    }
    struct wire w = raw_tensor("w", 9, 1, (int64_t[]){2}, "\1\2", 2);
    refuse_tensor(&w, "2");
}
END_TEST

START_TEST(an_initializer_named_twice)
{
    struct wire graph = linear_graph();
    struct wire w = raw_tensor("w", 1, 2, linear_shape, linear_weights, 24);
    put(&graph, 5, &w);
    refuse_graph(&graph, "\"w\"");
    graph = linear_graph(); /* one that no tensor here can hold counts as well */
    w = a_tensor("s", 8, 1, (int64_t[]){1});
    put_text(&w, 6, "text");
    put(&graph, 5, &w);
    put(&graph, 5, &w);
    refuse_graph(&graph, "\"s\"");
    w = raw_tensor("", 1, 2, linear_shape, linear_weights, 24);
    graph = linear_graph();
    put(&graph, 5, &w);
    refuse_graph(&graph, "no name");
}
END_TEST

START_TEST(cycles_and_values_that_nothing_makes)
{
    struct wire graph = linear_graph();
    struct wire a = a_node("first", "Add", "x,q", "p"), b = a_node("second", "Relu", "p", "q");
    put(&graph, 1, &a);
    put(&graph, 1, &b);
    refuse_graph(&graph, "circle");
    graph = linear_graph();
    a = a_node("own", "Relu", "p", "p");
    put(&graph, 1, &a);
    refuse_graph(&graph, "own");
    graph = linear_graph_with(NULL);
    refuse_graph(&graph, "\"w\"");
    graph = linear_graph();
    b = a_node("again", "Relu", "x", "y");
    put(&graph, 1, &b);
    refuse_graph(&graph, "\"y\"");
    graph = linear_graph();
    struct wire z = an_info("z", 1, (int64_t[]){1});
    put(&graph, 12, &z);
    refuse_graph(&graph, "\"z\"");
}
END_TEST

START_TEST(nodes_and_attributes_that_say_too_little)
{
    struct wire graph = linear_graph(), node = {0}, empty = {0};
    put_names(&node, 2, "q");
    put(&graph, 1, &node);
    refuse_graph(&graph, "no operator");
    for (int type = 4; type <= 5; type++) {
        struct wire attribute = {0};
        put_text(&attribute, 1, "a");
        put_int(&attribute, 20, type);
        graph = linear_graph(), node = a_node("n", "Custom", "x", "q");
        put(&node, 5, &attribute);
        put(&graph, 1, &node);
        refuse_graph(&graph, type == 4 ? "no tensor" : "no graph");
        ck_assert_ptr_nonnull(strstr(prune_error(), "\"n\""));
    }
    graph = linear_graph(), node = a_node("n", "Custom", "x", "q");
    put(&node, 5, &empty);
    put(&graph, 1, &node);
    refuse_graph(&graph, "has no name");
    struct wire twice = {0};
    put_text(&twice, 1, "a");
    put_int(&twice, 3, 1);
    put_int(&twice, 20, 2);
    graph = linear_graph(), node = a_node("n", "Custom", "x", "q");
    put(&node, 5, &twice);
    put(&node, 5, &twice);
    put(&graph, 1, &node);
    refuse_graph(&graph, "\"a\" stands twice");
}
END_TEST

static void refuse_sparse(int64_t stored, int rank, const int64_t *shape, const int64_t *indices, const int64_t dims[2],
                          const char *word)
{
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    struct wire sparse = {0}, graph = linear_graph_with(NULL);
    struct wire values = raw_tensor("w", 1, 1, &stored, linear_weights, (size_t)stored * 4);
    struct wire places = raw_tensor(NULL, 7, rank, shape, indices, count * 8);
    put(&sparse, 1, &values);
    put(&sparse, 2, &places);
    put_int(&sparse, 3, dims[0]);
    put_int(&sparse, 3, dims[1]);
    put(&graph, 15, &sparse);
    struct wire model = a_model(&graph, 13);
    refuse(&model, dims[0] > 1000 ? PRUNE_E_UNSUPPORTED : PRUNE_E_FORMAT, word);
}

START_TEST(sparse_initializers_with_wrong_indices)
{
    static const int64_t dims[] = {3, 2}, two[] = {2}, pairs[] = {2, 2}, threes[] = {2, 3};
    refuse_sparse(2, 1, two, (int64_t[]){0, 6}, dims, "6 elements");
    refuse_sparse(2, 1, two, (int64_t[]){-1, 3}, dims, "-1");
    refuse_sparse(2, 1, two, (int64_t[]){3, 3}, dims, "ascend");
    refuse_sparse(2, 1, two, (int64_t[]){4, 3}, dims, "ascend");
    refuse_sparse(2, 2, pairs, (int64_t[]){0, 0, 0, 2}, dims, "must be 0 to 1");
    refuse_sparse(2, 2, pairs, (int64_t[]){0, 1, 0, 0}, dims, "ascend");
    refuse_sparse(2, 2, threes, (int64_t[]){0, 0, 0, 0, 0, 1}, dims, "rank 2");
    refuse_sparse(3, 1, two, (int64_t[]){0, 1}, dims, "3 values");
    refuse_sparse(2, 1, two, (int64_t[]){0, 1}, (int64_t[]){-3, 2}, "-3");
    refuse_sparse(2, 1, two, (int64_t[]){0, 1}, (int64_t[]){1 << 20, 1 << 20}, "1099511627776");
}
END_TEST

/* Models whose w lies in another file. */
static struct wire external_model(const char *location, const char *offset, const char *length)
{
    const char *const pairs[3][2] = {{"location", location}, {"offset", offset}, {"length", length}};
    struct wire w = a_tensor("w", 1, 2, linear_shape);
    for (int i = 0; i < 3; i++) {
        struct wire entry = {0};
        if (!pairs[i][1])
            continue;
        put_text(&entry, 1, pairs[i][0]);
        put_text(&entry, 2, pairs[i][1]);
        put(&w, 13, &entry);
    }
    put_int(&w, 14, 1);
    struct wire graph = linear_graph_with(&w);
    return a_model(&graph, 13);
}

static void refuse_external(const char *location, const char *offset, const char *length, int32_t status,
                            const char *word)
{
    struct wire model = external_model(location, offset, length);
    refuse_with(save_wire("model.onnx", &model), "external=folder", status, word);
    ck_assert_ptr_nonnull(strstr(prune_error(), "\"w\""));
}

START_TEST(external_data_unless_asked_for)
{
    struct wire model = external_model("weights.bin", NULL, NULL);
    save(scratch("weights.bin"), linear_weights, sizeof linear_weights);
    refuse(&model, PRUNE_E_UNSUPPORTED, "external=folder");
    ck_assert_ptr_nonnull(strstr(prune_error(), "weights.bin"));
}
END_TEST

START_TEST(external_data_outside_the_folder)
{
    fresh_folder();
    save(scratch("weights.bin"), linear_weights, sizeof linear_weights);
    ck_assert_int_eq(mkdir(scratch("inside"), 0700), 0);
    refuse_external("", NULL, NULL, PRUNE_E_FORMAT, "empty");
    refuse_external(NULL, NULL, NULL, PRUNE_E_FORMAT, "empty");
    refuse_external("/etc/passwd", NULL, NULL, PRUNE_E_FORMAT, "absolute");
    refuse_external(scratch("weights.bin"), NULL, NULL, PRUNE_E_FORMAT, "absolute");
    refuse_external("../../etc/passwd", NULL, NULL, PRUNE_E_FORMAT, "..");
    refuse_external("inside/../weights.bin", NULL, NULL, PRUNE_E_FORMAT, "\"..\"");
    refuse_external("inside/..", NULL, NULL, PRUNE_E_FORMAT, "\"..\"");
    refuse_external(".", NULL, NULL, PRUNE_E_FORMAT, "folder");
    refuse_external("inside/", NULL, NULL, PRUNE_E_FORMAT, "folder");
    refuse_external("inside", NULL, NULL, PRUNE_E_IO, "directory");
    refuse_external("weights.bin/more", NULL, NULL, PRUNE_E_NOTFOUND, "weights.bin");
    refuse_external("missing.bin", NULL, NULL, PRUNE_E_NOTFOUND, "missing.bin");
    refuse_external("C:\\weights.bin", NULL, NULL, PRUNE_E_NOTFOUND, "weights.bin");
}
END_TEST

START_TEST(external_data_behind_links_and_fifos)
{
    fresh_folder();
    save(scratch("weights.bin"), linear_weights, sizeof linear_weights);
    ck_assert_int_eq(symlink("weights.bin", scratch("link.bin")), 0);
    ck_assert_int_eq(symlink(".", scratch("here")), 0);
    ck_assert_int_eq(mkfifo(scratch("fifo"), 0600), 0);
    refuse_external("link.bin", NULL, NULL, PRUNE_E_IO, "symbolic link");
    refuse_external("here/weights.bin", NULL, NULL, PRUNE_E_IO, "symbolic link");
    refuse_external("fifo", NULL, NULL, PRUNE_E_IO, "FIFO");
    ck_assert_int_eq(link(scratch("weights.bin"), scratch("hard.bin")), 0);
    refuse_external("hard.bin", NULL, NULL, PRUNE_E_IO, "hard link");
    refuse_external("weights.bin", NULL, NULL, PRUNE_E_IO, "hard link");
}
END_TEST

START_TEST(external_data_beyond_the_file)
{
    fresh_folder();
    save(scratch("weights.bin"), linear_weights, sizeof linear_weights);
    refuse_external("weights.bin", "1", NULL, PRUNE_E_FORMAT, "beyond the file");
    refuse_external("weights.bin", "25", "24", PRUNE_E_FORMAT, "beyond the file");
    refuse_external("weights.bin", "9223372036854775807", NULL, PRUNE_E_FORMAT, "beyond the file");
    refuse_external("weights.bin", "9223372036854775808", NULL, PRUNE_E_FORMAT, "63 bits");
    refuse_external("weights.bin", "-1", NULL, PRUNE_E_FORMAT, "-1");
    refuse_external("weights.bin", "0", "-1", PRUNE_E_FORMAT, "-1");
    refuse_external("weights.bin", "0", "23", PRUNE_E_FORMAT, "length is 23");
    refuse_external("weights.bin", "0", "", PRUNE_E_FORMAT, "length");
    refuse_external("weights.bin", "0x0", NULL, PRUNE_E_FORMAT, "0x0");
}
END_TEST

/* A small file must not stand for any number of tensors. */
START_TEST(external_data_named_again_and_again)
{
    fresh_folder();
    save(scratch("weights.bin"), linear_weights, sizeof linear_weights);
    struct wire entry = {0}, w = a_tensor("v", 1, 2, linear_shape);
    put_text(&entry, 1, "location");
    put_text(&entry, 2, "weights.bin");
    put(&w, 13, &entry);
    put_int(&w, 14, 1);
    struct wire first = a_tensor("w", 1, 2, linear_shape);
    put(&first, 13, &entry);
    put_int(&first, 14, 1);
    struct wire graph = linear_graph_with(&first);
    put(&graph, 5, &w);
    struct wire model = a_model(&graph, 13);
    refuse_with(save_wire("model.onnx", &model), "external=folder", PRUNE_E_FORMAT, "24 more");
}
END_TEST

TEST_MAIN("onnx_refused", arguments_and_specs, files_that_are_no_protobuf, every_cut_of_a_good_file_is_refused,
          every_changed_byte_is_read_or_refused, opsets_8_and_22_and_none, a_varint_of_11_bytes,
          fields_and_wire_types_that_there_are_not, names_that_are_no_text, nesting_of_10000,
          half_a_million_empty_nodes_get_no_memory, raw_data_of_the_wrong_length, dims_negative_and_overflowing,
          numbers_in_two_fields_or_in_the_wrong_one, whole_numbers_beyond_their_type, an_initializer_named_twice,
          cycles_and_values_that_nothing_makes, nodes_and_attributes_that_say_too_little,
          sparse_initializers_with_wrong_indices, external_data_unless_asked_for, external_data_outside_the_folder,
          external_data_behind_links_and_fifos, external_data_beyond_the_file, external_data_named_again_and_again)
