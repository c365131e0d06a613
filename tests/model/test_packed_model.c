/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed models: written, read, run, and refused where they are none; free extents that get numbers.
 */
#include <math.h>

#include "files.h"
#include "graphs.h"

#include "model/graph/packs.h"
#include "model/graph/session.h"

enum { BATCH = 3, IN = 32, HIDDEN = 24, OUT = 8 };
static const int64_t x_shape[] = {BATCH, IN};
static const char *const x_alone[] = {"x"};
static float first[IN * HIDDEN], second[OUT * HIDDEN];

static float number(int seed, int i)
{
    return (float)sin(1.7 * i + seed) + 0.001f * (float)(i % 7 + 1);
}

/* y = relu(x first) second', of "second" the 2 largest of 4 kept, of "first" a third. */
static prune_graph *pruned(void)
{
    prune_graph *graph;
    for (int i = 0; i < IN * HIDDEN; i++)
        first[i] = i % 3 ? 0 : number(1, i);
    for (int i = 0; i < OUT * HIDDEN; i++)
        second[i] = i % 4 < 2 ? 0 : number(2, i);
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 2, x_shape);
    add_parameter(graph->body, "first", PRUNE_F32, 2, (const int64_t[]){IN, HIDDEN}, first);
    add_parameter(graph->body, "second", PRUNE_F32, 2, (const int64_t[]){OUT, HIDDEN}, second);
    OK(add_node(graph->body, "one", "MatMul", "x,first", "h", NULL));
    OK(add_node(graph->body, "relu", "Relu", "h", "r", NULL));
    OK(add_node(graph->body, "two", "Gemm", "r,second", "y", "transB", PM_INT, 1, NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    OK(prune_graph_mask_zeros(graph, 0.1, NULL));
    return graph;
}

static prune_tensor *samples(void)
{
    prune_tensor *x;
    OK(prune_tensor_create(&x, NULL, PRUNE_F32, 2, x_shape));
    for (int i = 0; i < BATCH * IN; i++)
        ((float *)prune_tensor_data(x))[i] = number(3, i);
    return x;
}

static void write_packed(const prune_graph *graph, const char *path, const char *spec, int32_t expected)
{
    prune_tensor *x = samples();
    int32_t packed = -1;
    OK(prune_graph_write_packed(graph, path, 1, x_alone, (const prune_tensor *const[]){x}, NULL, spec, &packed));
    ck_assert_int_eq(packed, expected);
    prune_tensor_free(x);
}

static void run(const prune_graph *graph, const char *spec, float y[BATCH * OUT], char *kernels)
{
    prune_session *session;
    prune_tensor *x = samples();
    const prune_tensor *const fed[] = {x};
    OK(prune_session_create(&session, graph, 1, x_alone, fed, NULL, spec));
    OK(prune_session_run(session, 1, fed));
    memcpy(y, prune_tensor_const_data(prune_session_output(session, 0)), BATCH * OUT * sizeof *y);
    strcpy(kernels, prune_session_step_kernels(session, 0));
    prune_session_free(session);
    prune_tensor_free(x);
}

START_TEST(a_packed_model_is_the_masked_one)
{
    static const char *const specs[] = {"weights=csr", "weights=bitmap", "weights=csc", "weights=bsr"};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        const char *path = scratch("packed");
        prune_graph *graph = pruned(), *read;
        float before[BATCH * OUT], after[BATCH * OUT];
        char kernels[2][64];
        write_packed(graph, path, specs[i], 2);
        OK(prune_graph_read(&read, NULL, path, NULL));
        ck_assert_int_eq(read->packs->count, 2);
        ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(read, "first")), first, sizeof first);
        ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(read, "second")), second, sizeof second);
        ck_assert_ptr_nonnull(prune_graph_mask(read, "first"));
        ck_assert_int_eq(prune_mask_kept(prune_graph_mask(read, "first")), IN * HIDDEN / 3);
        run(graph, specs[i], before, kernels[0]);
        run(read, specs[i], after, kernels[1]);
        ck_assert_mem_eq(before, after, sizeof before);
        ck_assert_str_eq(kernels[0], kernels[1]);
        prune_graph_free(read);
        prune_graph_free(graph);
    }
}
END_TEST

/* What runs is the blob: here it is exchanged for one of other numbers. */
START_TEST(sessions_take_the_weights_as_they_are_packed_until_they_change)
{
    prune_graph *graph = pruned(), *read, *copy;
    const char *path = scratch("packed");
    float as_it_is[BATCH * OUT], exchanged[BATCH * OUT], y[BATCH * OUT];
    char kernels[64];
    prune_packed *other;
    prune_tensor *zeros;
    const void *data;
    write_packed(graph, path, "weights=csr", 2);
    OK(prune_graph_read(&read, NULL, path, NULL));
    run(read, "weights=csr", as_it_is, kernels);
    for (int32_t i = 0; i < 2; i++) {
        struct pm_blob *blob = &read->packs->blobs[i];
        const int64_t shape[] = {blob->rows, blob->columns};
        OK(prune_tensor_create(&zeros, NULL, PRUNE_F32, 2, shape));
        OK(prune_packed_create(&other, zeros, NULL, "format=csr"));
        OK(prune_packed_blob(other, &data, &blob->bytes));
        pr_release(NULL, blob->data);
        OK(pr_alloc(NULL, blob->bytes, 1, &blob->data));
        memcpy(blob->data, data, (size_t)blob->bytes);
        prune_packed_free(other);
        prune_tensor_free(zeros);
    }
    run(read, "weights=csr", exchanged, kernels);
    for (int i = 0; i < BATCH * OUT; i++)
        ck_assert(exchanged[i] == 0);
    run(read, "weights=bitmap", y, kernels); /* packed in another way: made anew */
    ck_assert(y[0] != 0);
    OK(prune_graph_copy(&copy, read));
    run(copy, "weights=csr", y, kernels);
    ck_assert(y[0] == 0);
    for (int32_t i = 0; i < 2; i++) /* new numbers, if the same ones */
        OK(prune_graph_set_parameter(copy, i ? "second" : "first",
                                     prune_graph_parameter(graph, i ? "second" : "first")));
    run(copy, "weights=csr", y, kernels);
    ck_assert_mem_eq(y, as_it_is, sizeof y);
    prune_graph_free(copy);
    prune_graph_free(read);
    prune_graph_free(graph);
}
END_TEST

START_TEST(a_packed_model_is_written_as_onnx_again)
{
    prune_graph *graph = pruned(), *read, *again;
    const char *packed = scratch("packed"), *onnx = scratch("model.onnx");
    write_packed(graph, packed, "weights=csr", 2);
    OK(prune_graph_read(&read, NULL, packed, NULL));
    OK(prune_graph_write(read, onnx, NULL));
    OK(prune_graph_read(&again, NULL, onnx, NULL));
    ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(again, "first")), first, sizeof first);
    prune_graph_free(again);
    OK(prune_graph_write(read, onnx, "parameters=sparse"));
    OK(prune_graph_read(&again, NULL, onnx, NULL));
    ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(again, "second")), second, sizeof second);
    write_packed(again, packed, "weights=csr", 0); /* without masks nothing is packed */
    OK(prune_graph_mask_zeros(again, 0, NULL));
    write_packed(again, packed, "weights=csr", 2);
    prune_graph_free(again);
    prune_graph_free(read);
    prune_graph_free(graph);
}
END_TEST

START_TEST(what_is_best_dense_stays_in_the_model)
{
    prune_graph *graph = pruned(), *read;
    const char *path = scratch("packed");
    write_packed(graph, path, "weights=codebook", 0); /* numbers would change */
    OK(prune_graph_read(&read, NULL, path, NULL));
    ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(read, "first")), first, sizeof first);
    prune_graph_free(read);
    prune_graph_free(graph);
}
END_TEST

static int32_t read_of(const void *bytes, size_t length)
{
    const char *path = scratch("changed");
    prune_graph *graph = NULL;
    save(path, bytes, length);
    int32_t status = prune_graph_read(&graph, NULL, path, NULL);
    if (status) {
        ck_assert_ptr_null(graph);
        ck_assert_msg(strstr(prune_error(), "changed") != NULL, "%s", prune_error());
    }
    prune_graph_free(graph);
    return status;
}

/* Another processor, or the mode that leaves some layouts out: weights are packed anew where they cannot be taken. */
START_TEST(packed_weights_run_in_every_context)
{
    prune_graph *graph = pruned(), *read;
    const char *path = scratch("packed");
    float before[BATCH * OUT], after[BATCH * OUT];
    char kernels[64];
    write_packed(graph, path, "weights=csr", 2);
    run(graph, "weights=dense", before, kernels);
    const uint32_t masks[] = {0, PRUNE_CPU_REPRODUCIBLE, PRUNE_CPU_REPRODUCIBLE | prune_context_cpu(NULL)};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        prune_context *context;
        OK(prune_context_create(&context));
        OK(prune_context_set_cpu(context, masks[i]));
        OK(prune_graph_read(&read, context, path, NULL));
        prune_context_free(context);
        run(read, "weights=csr", after, kernels);
        for (int k = 0; k < BATCH * OUT; k++)
            ck_assert_msg(fabsf(before[k] - after[k]) <= 1e-5f * (1 + fabsf(before[k])), "%g %g", (double)before[k],
                          (double)after[k]);
        prune_graph_free(read);
    }
    prune_graph_free(graph);
}
END_TEST

START_TEST(large_parameters_go_to_a_file_beside_the_model)
{
    prune_graph *graph = pruned(), *read = NULL;
    char path[1024], data[1100];
    fresh_folder();
    snprintf(path, sizeof path, "%s", scratch("model.onnx"));
    snprintf(data, sizeof data, "%s.data", path);
    OK(prune_graph_write(graph, path, "external=file"));
    struct content content = load(data);
    ck_assert_uint_eq(content.length, sizeof first); /* "second" is smaller than 1024 bytes */
    ck_assert_mem_eq(content.bytes, first, sizeof first);
    free(content.bytes);
    ck_assert_int_eq(entries_of(scratch_folder), 2);
    FAILS(prune_graph_read(&read, NULL, path, NULL), PRUNE_E_UNSUPPORTED, "\"first\"");
    OK(prune_graph_read(&read, NULL, path, "external=folder"));
    ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(read, "first")), first, sizeof first);
    ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(read, "second")), second, sizeof second);
    OK(prune_graph_write(read, path, NULL)); /* in one file again */
    prune_graph_free(read);
    ck_assert_int_eq(unlink(data), 0);
    OK(prune_graph_read(&read, NULL, path, NULL));
    ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(read, "first")), first, sizeof first);
    prune_graph_free(read);
    FAILS(prune_graph_write(graph, path, "external=no,external=file"), PRUNE_E_SPEC, "external");
    FAILS(prune_graph_write(graph, path, "external=yes"), PRUNE_E_SPEC, "yes");
    prune_graph_free(graph);
}
END_TEST

START_TEST(corrupt_packed_models_are_refused)
{
    const char *path = scratch("packed");
    prune_graph *graph = pruned();
    write_packed(graph, path, "weights=csr", 2);
    prune_graph_free(graph);
    struct content content = load(path);
    for (size_t length = 9; length < content.length; length += 61)
        ck_assert_int_ne(read_of(content.bytes, length), PRUNE_OK);
    int64_t header = content.bytes[0] + 256 * content.bytes[1];
    int refused = 0, tried = 0;
    for (size_t i = 8; i < content.length; i += i < 8 + (size_t)header ? 1 : 13) {
        content.bytes[i] ^= 0x15;
        refused += read_of(content.bytes, content.length) != PRUNE_OK;
        content.bytes[i] ^= 0x15;
        tried++;
    }
    /* A name of a node or a padding byte may be any. */
    ck_assert_msg(refused > tried * 3 / 4, "%d of %d", refused, tried);
    OK(read_of(content.bytes, content.length));
    free(content.bytes);
}
END_TEST

/* The archive again, with one string or tensor changed; NULL leaves it out. */
static int32_t with(const char *path, const char *key, const char *text, const char *name, const prune_tensor *tensor)
{
    prune_archive *read, *made;
    const char *changed = scratch("changed");
    prune_graph *graph = NULL;
    OK(prune_archive_read(&read, NULL, path));
    OK(prune_archive_create(&made, NULL));
    for (int32_t i = 0; i < prune_archive_text_count(read); i++) {
        const char *k = prune_archive_text_key(read, i), *t = prune_archive_text(read, k);
        int same = key && strcmp(k, key) == 0;
        if (!same || text)
            OK(prune_archive_add_text(made, k, same ? text : t));
    }
    for (int32_t i = 0; i < prune_archive_count(read); i++) {
        const char *n = prune_archive_name(read, i);
        int same = name && strcmp(n, name) == 0;
        if (!same || tensor)
            OK(prune_archive_add(made, n, same ? tensor : prune_archive_tensor(read, i)));
    }
    OK(prune_archive_write(made, changed));
    prune_archive_free(made);
    prune_archive_free(read);
    int32_t status = prune_graph_read(&graph, NULL, changed, NULL);
    prune_graph_free(graph);
    return status;
}

START_TEST(packed_weights_that_do_not_fit_are_refused)
{
    char path[1024], place[192];
    prune_archive *archive;
    prune_graph *graph = pruned();
    snprintf(path, sizeof path, "%s", scratch("packed"));
    write_packed(graph, path, "weights=csr", 2);
    prune_graph_free(graph);
    OK(prune_archive_read(&archive, NULL, path));
    snprintf(place, sizeof place, "%s", prune_archive_text(archive, "blob.0"));
    prune_tensor *other = NULL;
    OK(prune_tensor_convert(&other, prune_archive_find(archive, "blob.1"), PRUNE_U8));
    prune_archive_free(archive);
    ck_assert_str_eq(place, "parameter=0,rows=24,columns=32,first=0,row_stride=1,column_stride=24");
    const char *at = "rows=24,columns=32,first=0,row_stride=1,column_stride=24";
    char text[192];
    OK(with(path, NULL, NULL, NULL, NULL));
    FAILS(with(path, "prune.packed_model", NULL, NULL, NULL), PRUNE_E_FORMAT, "neither an ONNX model");
    FAILS(with(path, "prune.packed_model", "2", NULL, NULL), PRUNE_E_UNSUPPORTED, "version \"2\"");
    FAILS(with(path, NULL, NULL, "model", NULL), PRUNE_E_FORMAT, "\"model\"");
    FAILS(with(path, NULL, NULL, "model", other), PRUNE_E_FORMAT, "changed");
    FAILS(with(path, NULL, NULL, "blob.0", other), PRUNE_E_FORMAT, "\"first\"");
    FAILS(with(path, NULL, NULL, "blob.0", NULL), PRUNE_E_FORMAT, "2 tensors");
    FAILS(with(path, NULL, NULL, "blob.1", NULL), PRUNE_E_FORMAT, "\"second\"");
    FAILS(with(path, "blob.0", NULL, NULL, NULL), PRUNE_E_FORMAT, "\"blob.0\" has no string");
    FAILS(with(path, "blob.0.weights", NULL, NULL, NULL), PRUNE_E_FORMAT, "\"blob.0\" has no string");
    FAILS(with(path, "blob.0", "rows=x", NULL, NULL), PRUNE_E_FORMAT, "no place of weights");
    snprintf(text, sizeof text, "parameter=7,%s", at);
    FAILS(with(path, "blob.0", text, NULL, NULL), PRUNE_E_FORMAT, "\"first\"");
    snprintf(text, sizeof text, "parameter=1,%s", at);
    FAILS(with(path, "blob.0", text, NULL, NULL), PRUNE_E_FORMAT, "first");
    FAILS(with(path, "blob.0", "parameter=0,rows=24,columns=32,first=1,row_stride=1,column_stride=24", NULL, NULL),
          PRUNE_E_FORMAT, "not within");
    FAILS(with(path, "blob.0", "parameter=0,rows=32,columns=24,first=0,row_stride=24,column_stride=1", NULL, NULL),
          PRUNE_E_FORMAT, "24 x 32");
    FAILS(with(path, "blob.0",
               "parameter=0,rows=9007199254740992,columns=9007199254740992,first=0,row_stride=9007199254740992,"
               "column_stride=1",
               NULL, NULL),
          PRUNE_E_FORMAT, "not within");
    prune_tensor_free(other);
}
END_TEST

START_TEST(writing_refuses_what_a_session_refuses)
{
    prune_graph *graph = pruned();
    const char *path = scratch("refused");
    int32_t packed = -7;
    FAILS(prune_graph_write_packed(graph, path, 0, NULL, NULL, NULL, NULL, &packed), PRUNE_E_ARGUMENT, "\"x\"");
    FAILS(prune_graph_write_packed(graph, path, -1, NULL, NULL, NULL, NULL, &packed), PRUNE_E_ARGUMENT, "-1");
    FAILS(prune_graph_write_packed(NULL, path, 0, NULL, NULL, NULL, NULL, &packed), PRUNE_E_ARGUMENT, "graph");
    prune_tensor *x = samples();
    FAILS(prune_graph_write_packed(graph, path, 1, x_alone, (const prune_tensor *const[]){x}, NULL, "weights=best",
                                   &packed),
          PRUNE_E_SPEC, "best");
    FAILS(prune_graph_write_packed(graph, "/nowhere/at/all", 1, x_alone, (const prune_tensor *const[]){x}, NULL, NULL,
                                   &packed),
          PRUNE_E_NOTFOUND, "nowhere");
    ck_assert_int_eq(packed, -7);
    ck_assert_int_ne(access(path, F_OK), 0);
    prune_tensor_free(x);
    prune_graph_free(graph);
}
END_TEST

START_TEST(free_extents_get_numbers_and_are_written_so)
{
    static const char *const models[] = {"tests/golden/tiny.onnx"};
    prune_graph *graph, *again;
    int64_t shape[8] = {0};
    int32_t rank = 0, count = -1;
    const char *path = scratch("frozen.onnx");
    OK(prune_graph_read(&graph, NULL, models[0], NULL));
    ck_assert_str_eq(prune_graph_input_symbol(graph, 0, 0), "batch");
    FAILS(prune_graph_freeze(graph, "width", 4, &count), PRUNE_E_ARGUMENT, "\"batch\"");
    FAILS(prune_graph_freeze(graph, "batch", -1, &count), PRUNE_E_ARGUMENT, "-1");
    ck_assert_int_eq(count, -1);
    OK(prune_graph_freeze(graph, "batch", 4, &count));
    ck_assert_int_eq(count, 1);
    ck_assert_ptr_null(prune_graph_input_symbol(graph, 0, 0));
    FAILS(prune_graph_freeze(graph, "batch", 4, &count), PRUNE_E_ARGUMENT, "there are none");
    OK(prune_graph_write(graph, path, NULL));
    OK(prune_graph_read(&again, NULL, path, NULL));
    OK(prune_graph_input_type(again, 0, NULL, &rank, shape));
    ck_assert_int_eq(rank, 4);
    ck_assert_int_eq(shape[0], 4);
    ck_assert_int_eq(again->body->values[again->body->outputs[0]].type.extents[0], 4);
    ck_assert_int_eq(shape[1], 2);
    prune_graph_free(again);
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("packed model", a_packed_model_is_the_masked_one,
          sessions_take_the_weights_as_they_are_packed_until_they_change, a_packed_model_is_written_as_onnx_again,
          what_is_best_dense_stays_in_the_model, packed_weights_run_in_every_context,
          large_parameters_go_to_a_file_beside_the_model, corrupt_packed_models_are_refused,
          packed_weights_that_do_not_fit_are_refused, writing_refuses_what_a_session_refuses,
          free_extents_get_numbers_and_are_written_so)
