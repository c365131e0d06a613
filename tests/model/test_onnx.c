/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ONNX models read, changed and written again: what the file says arrives, what is not known goes out as it came,
 * pruned parameters come back dense and sparse, and ONNX's own checker takes what is written.
 */
#include "allocator.h"
#include "data.h"
#include "model/io/onnx/onnx.h"
#include "prune/graph.h"
#include "wire.h"

#define MATCHES(tensor, wanted, bytes) ck_assert(memcmp(prune_tensor_const_data(tensor), wanted, bytes) == 0)

static prune_graph *read_wire(const struct wire *model)
{
    prune_graph *graph = NULL;
    OK(prune_graph_read(&graph, NULL, save_wire("model.onnx", model), NULL));
    return graph;
}

static prune_graph *written_and_read(const prune_graph *graph, const char *spec)
{
    prune_graph *back = NULL;
    const char *path = scratch("written.onnx");
    OK(prune_graph_write(graph, path, spec));
    OK(prune_graph_read(&back, NULL, path, NULL));
    return back;
}

static int has_text(const char *path, const char *text)
{
    struct content content = load(path);
    int found = 0;
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= content.length && !found; i++)
        found = memcmp(content.bytes + i, text, length) == 0;
    free(content.bytes);
    return found;
}

/* Same names, shapes and bits of all parameters. */
static void expect_same(const prune_graph *a, const prune_graph *b)
{
    ck_assert_int_eq(prune_graph_parameter_count(a), prune_graph_parameter_count(b));
    ck_assert_int_eq(prune_graph_node_count(a), prune_graph_node_count(b));
    for (int32_t i = 0; i < prune_graph_parameter_count(a); i++) {
        const char *name = prune_graph_parameter_name(a, i);
        const prune_tensor *p = prune_graph_parameter(a, name), *q = prune_graph_parameter(b, name);
        ck_assert_ptr_nonnull(q);
        ck_assert_int_eq(prune_tensor_dtype(p), prune_tensor_dtype(q));
        ck_assert_int_eq(prune_tensor_count(p), prune_tensor_count(q));
        ck_assert_int_eq(prune_tensor_rank(p), prune_tensor_rank(q));
        MATCHES(p, prune_tensor_const_data(q),
                (size_t)(prune_tensor_count(p) * prune_dtype_size(prune_tensor_dtype(p))));
    }
}

static int sparse_count(const prune_graph *graph)
{
    return (int)((const struct pm_onnx *)graph->origin)->model->graph->n_sparse_initializer;
}

/* Prunes every second element, the first stays. */
static void prune_half(prune_graph *graph, const char *name)
{
    prune_mask *mask = NULL;
    const prune_tensor *tensor = prune_graph_parameter(graph, name);
    OK(prune_mask_create(&mask, NULL, prune_tensor_rank(tensor), prune_tensor_shape(tensor), 1));
    for (int64_t i = 1; i < prune_tensor_count(tensor); i += 2)
        OK(prune_mask_set(mask, i, 0));
    OK(prune_graph_set_mask(graph, name, mask));
    prune_mask_free(mask);
}

/* 1 when Debian's checker is here; it takes opsets up to 17 and IR versions up to 8. */
static int has_checker(void)
{
    static int known = -1;
    if (known < 0)
        known = system("/usr/bin/python3 -c 'import onnx' > /dev/null 2>&1") == 0;
    if (!known)
        skip("onnx.checker", "/usr/bin/python3 has no module onnx (python3-onnx)");
    return known;
}

static void expect_checked(const char *path)
{
    char command[2200];
    if (!has_checker())
        return;
    snprintf(command, sizeof command, "/usr/bin/python3 -c 'import onnx,sys; onnx.checker.check_model(sys.argv[1])' %s",
             path);
    ck_assert_msg(system(command) == 0, "the checker refuses %s", path);
}

/* Equal messages, as protobuf compares them. */
static void expect_equal_models(const char *a, const char *b)
{
    char command[4400];
    if (!has_checker())
        return;
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c 'import onnx,sys; sys.exit(onnx.load(sys.argv[1]) != onnx.load(sys.argv[2]))' %s %s",
             a, b);
    ck_assert_msg(system(command) == 0, "%s and %s are different models", a, b);
}

START_TEST(what_the_file_says)
{
    struct wire model = linear_model();
    prune_graph *graph = read_wire(&model);
    int32_t dtype, rank;
    int64_t shape[8];
    ck_assert_int_eq(prune_graph_opset(graph), 13);
    ck_assert_int_eq(prune_graph_node_count(graph), 2);
    ck_assert_str_eq(prune_graph_node_name(graph, 0), "product");
    ck_assert_str_eq(prune_graph_node_name(graph, 1), "Relu_1");
    ck_assert_int_eq(prune_graph_input_count(graph), 1);
    ck_assert_str_eq(prune_graph_input_name(graph, 0), "x");
    OK(prune_graph_input_type(graph, 0, &dtype, &rank, shape));
    ck_assert_int_eq(dtype, PRUNE_F32);
    ck_assert_int_eq(rank, 2);
    ck_assert_int_eq(shape[0], -1);
    ck_assert_int_eq(shape[1], 3);
    ck_assert_str_eq(prune_graph_input_symbol(graph, 0, 0), "N");
    ck_assert_ptr_null(prune_graph_input_symbol(graph, 0, 1));
    ck_assert_str_eq(prune_graph_output_name(graph, 0), "y");
    ck_assert_int_eq(prune_graph_parameter_count(graph), 1);
    MATCHES(prune_graph_parameter(graph, "w"), linear_weights, sizeof linear_weights);
    prune_graph_free(graph);
}
END_TEST

START_TEST(initializers_among_the_inputs_are_not_fed)
{
    struct wire graph = linear_graph(), w = an_info("w", 2, linear_shape);
    put(&graph, 11, &w);
    struct wire model = a_model(&graph, 9);
    prune_graph *read = read_wire(&model);
    ck_assert_int_eq(prune_graph_input_count(read), 1);
    ck_assert_int_eq(prune_graph_opset(read), 9);
    prune_graph_free(read);
}
END_TEST

START_TEST(names_are_given_once)
{
    struct wire graph = linear_graph();
    struct wire a = a_node("product", "Relu", "y", "a"), b = a_node("Relu_1", "Relu", "a", "b"),
                c = a_node("", "Relu", "b", "c");
    put(&graph, 1, &a);
    put(&graph, 1, &b);
    put(&graph, 1, &c);
    struct wire model = a_model(&graph, 13);
    prune_graph *read = read_wire(&model);
    for (int32_t i = 0; i < prune_graph_node_count(read); i++)
        for (int32_t j = 0; j < i; j++)
            ck_assert_str_ne(prune_graph_node_name(read, i), prune_graph_node_name(read, j));
    ck_assert_str_eq(prune_graph_node_name(read, 3), "Relu_1");
    prune_graph_free(read);
}
END_TEST

START_TEST(nodes_in_any_order)
{
    struct wire graph = {0}, w = raw_tensor("w", 1, 2, linear_shape, linear_weights, sizeof linear_weights);
    struct wire late = a_node("late", "Relu", "h", "y"), early = a_node("early", "MatMul", "x,w", "h");
    struct wire x = an_info("x", 2, (int64_t[]){1, 3}), y = an_info("y", 2, (int64_t[]){1, 2});
    put(&graph, 1, &late);
    put(&graph, 1, &early);
    put(&graph, 5, &w);
    put(&graph, 11, &x);
    put(&graph, 12, &y);
    struct wire model = a_model(&graph, 13);
    prune_graph *read = read_wire(&model);
    ck_assert_str_eq(prune_graph_node_name(read, 0), "early");
    prune_graph_free(read);
}
END_TEST

/* One tensor of every type, from raw_data and from the typed field. */
START_TEST(tensors_of_every_type)
{
    static const struct {
        int data_type, field;
        int32_t dtype;
        const char *raw;
        size_t size;
        int64_t number;
    } types[] = {{2, 5, PRUNE_U8, "\xfe", 1, 254},
                 {3, 5, PRUNE_I8, "\xfe", 1, -2},
                 {4, 5, PRUNE_U16, "\xfe\xff", 2, 65534},
                 {5, 5, PRUNE_I16, "\xfe\xff", 2, -2},
                 {6, 5, PRUNE_I32, "\xfe\xff\xff\xff", 4, -2},
                 {7, 7, PRUNE_I64, "\xfe\xff\xff\xff\xff\xff\xff\xff", 8, -2},
                 {9, 5, PRUNE_BOOL, "\1", 1, 1},
                 {10, 5, PRUNE_F16, "\0\xc0", 2, 0xc000},
                 {16, 5, PRUNE_BF16, "\0\xc0", 2, 0xc000},
                 {12, 11, PRUNE_U32, "\xfe\xff\xff\xff", 4, 4294967294}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (int typed = 0; typed < 2; typed++) {
            struct wire graph = linear_graph(), t = a_tensor("t", types[i].data_type, 1, (int64_t[]){1});
            if (typed)
                put_int(&t, types[i].field, types[i].number);
            else
                put_bytes(&t, 9, types[i].raw, types[i].size);
            put(&graph, 5, &t);
            struct wire model = a_model(&graph, 13);
            prune_graph *read = read_wire(&model);
            const prune_tensor *tensor = prune_graph_parameter(read, "t");
            ck_assert_int_eq(prune_tensor_dtype(tensor), types[i].dtype);
            prune_tensor *native = NULL;
            OK(prune_tensor_convert(&native, tensor, PRUNE_F64));
            double wanted = types[i].data_type == 10 || types[i].data_type == 16 ? -2 : (double)types[i].number;
            ck_assert_double_eq(*(const double *)prune_tensor_const_data(native), wanted);
            prune_tensor_free(native);
            prune_graph_free(read);
        }
}
END_TEST

START_TEST(floats_and_doubles_in_their_own_fields)
{
    static const double doubles[] = {0.5, -3};
    struct wire f = a_tensor("w", 1, 2, linear_shape), d = a_tensor("d", 11, 1, (int64_t[]){2});
    put_bytes(&f, 4, linear_weights, sizeof linear_weights);
    put_bytes(&d, 10, doubles, sizeof doubles);
    struct wire graph = linear_graph_with(&f);
    put(&graph, 5, &d);
    struct wire model = a_model(&graph, 13);
    prune_graph *read = read_wire(&model), *back;
    MATCHES(prune_graph_parameter(read, "w"), linear_weights, sizeof linear_weights);
    MATCHES(prune_graph_parameter(read, "d"), doubles, sizeof doubles);
    prune_half(read, "w"); /* what changes goes into raw_data, and only there */
    back = written_and_read(read, NULL);
    expect_same(read, back);
    prune_graph_free(back);
    prune_graph_free(read);
}
END_TEST

/* Their values are there, cannot be run, and go out as they came. */
START_TEST(types_that_no_tensor_has_pass_through)
{
    struct wire graph = linear_graph(), s = a_tensor("words", 8, 1, (int64_t[]){2});
    put_text(&s, 6, "a first string");
    put_text(&s, 6, "a second one");
    struct wire c = raw_tensor("complex", 14, 1, (int64_t[]){1}, "complex!", 8);
    struct wire q = raw_tensor("quarters", 22, 1, (int64_t[]){3}, "\x12\x03", 2);
    struct wire later = raw_tensor("later", 77, 1, (int64_t[]){3}, "of a later version", 18);
    struct wire node = a_node("custom", "Tokens", "words,complex,quarters,later", "z");
    put_text(&node, 7, "some.domain");
    put(&graph, 5, &s);
    put(&graph, 5, &c);
    put(&graph, 5, &q);
    put(&graph, 5, &later);
    put(&graph, 1, &node);
    struct wire model = a_model(&graph, 13);
    prune_graph *read = read_wire(&model), *back;
    ck_assert_int_eq(prune_graph_parameter_count(read), 1);
    ck_assert_ptr_null(prune_graph_parameter(read, "words"));
    back = written_and_read(read, NULL);
    expect_same(read, back);
    const char *path = scratch("written.onnx");
    ck_assert(has_text(path, "a second one") && has_text(path, "complex!") && has_text(path, "of a later version"));
    prune_graph_free(back);
    prune_graph_free(read);
}
END_TEST

START_TEST(what_is_unknown_goes_out_as_it_came)
{
    struct wire graph = {0}, linear = linear_graph(), custom = a_node("c", "Whatever", "y,", "z"), entry = {0};
    put_text(&custom, 6, "documentation of a node");
    put_text(&custom, 8, "an overload, of IR version 10");
    put_text(&custom, 7, "some.domain");
    put_raw(&graph, linear.bytes, linear.length);
    put(&graph, 1, &custom);
    put_text(&graph, 14, "");
    struct wire model = a_model(&graph, 13);
    put_text(&entry, 1, "key of metadata");
    put_text(&entry, 2, "text of metadata");
    put(&model, 14, &entry);
    put_text(&model, 6, "documentation of a model");
    put_text(&model, 25, "\x0a\x0bmy function");
    put_text(&model, 4000, "a field that nobody knows");
    prune_graph *read = read_wire(&model), *back = written_and_read(read, NULL);
    const char *path = scratch("written.onnx");
    static const char *const texts[] = {"documentation of a node",
                                        "an overload, of IR version 10",
                                        "text of metadata",
                                        "documentation of a model",
                                        "my function",
                                        "a field that nobody knows",
                                        "Whatever"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(has_text(path, texts[i]), "\"%s\" was lost", texts[i]);
    struct content first = load(path);
    OK(prune_graph_write(back, path, NULL));
    ck_assert(holds(path, first.bytes, first.length)); /* and again, byte for byte */
    free(first.bytes);
    prune_graph_free(back);
    prune_graph_free(read);
}
END_TEST

/* If with a branch that has an initializer, a Constant node, and a value from around it; names may repeat. */
static struct wire branch_of(const char *name, float number)
{
    const float numbers[] = {number, -number};
    struct wire graph = {0}, constant = a_node(NULL, "Constant", "", "k"), add = a_node(NULL, "Add", "h,k", "s"),
                last = a_node(NULL, "Mul", "s,b", "h2");
    struct wire k = raw_tensor("k", 1, 1, (int64_t[]){2}, numbers, sizeof numbers),
                value = an_attribute("value", 4, &k);
    struct wire b = raw_tensor("b", 1, 1, (int64_t[]){2}, numbers, sizeof numbers);
    struct wire out = an_info("h2", 2, (int64_t[]){-1, 2});
    put(&constant, 5, &value);
    put(&graph, 1, &constant);
    put(&graph, 1, &add);
    put(&graph, 1, &last);
    put_text(&graph, 2, name);
    put(&graph, 5, &b);
    put(&graph, 12, &out);
    return graph;
}

START_TEST(parameters_in_branches_and_constant_nodes)
{
    struct wire graph = linear_graph(), cond = raw_tensor("cond", 9, 0, NULL, "\1", 1);
    struct wire node = a_node("choice", "If", "cond", "z"), yes = branch_of("yes", 1), no = branch_of("no", 2);
    struct wire then_branch = an_attribute("then_branch", 5, &yes), else_branch = an_attribute("else_branch", 5, &no);
    struct wire z = an_info("z", 2, (int64_t[]){-1, 2});
    put(&node, 5, &then_branch);
    put(&node, 5, &else_branch);
    put(&graph, 1, &node);
    put(&graph, 5, &cond);
    put(&graph, 12, &z);
    struct wire model = a_model(&graph, 13);
    prune_graph *read = read_wire(&model);
    ck_assert_int_eq(prune_graph_parameter_count(read), 6); /* w, cond, and b and k of each branch */
    ck_assert_int_eq(prune_graph_node_count(read), 3);
    prune_half(read, "k");
    prune_half(read, "b");
    prune_graph *back = written_and_read(read, "parameters=sparse"), *copy = NULL;
    expect_checked(scratch("written.onnx"));
    MATCHES(prune_graph_parameter(back, "k"), ((float[]){1, 0}), 8);
    MATCHES(prune_graph_parameter(back, "b"), ((float[]){1, 0}), 8);
    const float *other = NULL; /* of the branch that nobody touched */
    for (int32_t i = 0; i < back->parameter_count; i++)
        if (strcmp(prune_graph_parameter_name(back, i), "k") == 0)
            other = prune_tensor_const_data(back->parameters[i]->tensor);
    ck_assert_float_eq(other[1], -2);
    OK(prune_graph_copy(&copy, back));
    expect_same(back, copy);
    prune_graph_free(copy);
    prune_graph_free(back);
    prune_graph_free(read);
}
END_TEST

START_TEST(pruned_and_written_dense_and_sparse)
{
    static const float half[] = {1, 0, 3, 0, -5, 0};
    struct wire model = linear_model();
    for (int sparse = 0; sparse < 2; sparse++) {
        prune_graph *graph = read_wire(&model), *back;
        prune_half(graph, "w");
        back = written_and_read(graph, sparse ? "parameters=sparse" : "parameters=dense");
        MATCHES(prune_graph_parameter(back, "w"), half, sizeof half);
        expect_checked(scratch("written.onnx"));
        ck_assert_int_eq(sparse_count(back), sparse);
        prune_graph *again = written_and_read(back, NULL); /* unchanged: it stays as it was written */
        ck_assert_int_eq(sparse_count(again), sparse);
        expect_same(back, again);
        prune_graph_free(again);
        prune_half(back, "w"); /* changed: as the spec says */
        again = written_and_read(back, NULL);
        ck_assert_int_eq(sparse_count(again), 0);
        expect_same(back, again);
        prune_graph_free(again);
        prune_graph_free(back);
        prune_graph_free(graph);
    }
}
END_TEST

/* Sparse initializers came with IR version 6: what has them says so. */
START_TEST(an_old_model_with_sparse_initializers_is_of_ir_version_6)
{
    struct wire graph = linear_graph(), w = an_info("w", 2, linear_shape), set = {0}, model = {0};
    put(&graph, 11, &w);
    put_int(&model, 1, 3);
    put(&model, 7, &graph);
    put_int(&set, 2, 9);
    put(&model, 8, &set);
    for (int sparse = 0; sparse < 2; sparse++) {
        prune_graph *read = read_wire(&model), *back;
        prune_half(read, "w");
        back = written_and_read(read, sparse ? "parameters=sparse" : NULL);
        ck_assert_int_eq(((const struct pm_onnx *)back->origin)->model->ir_version, sparse ? 6 : 3);
        expect_checked(scratch("written.onnx"));
        expect_same(read, back);
        prune_graph_free(back);
        prune_graph_free(read);
    }
}
END_TEST

START_TEST(pruned_to_nothing_stays_dense)
{
    struct wire model = linear_model();
    prune_graph *graph = read_wire(&model), *back;
    prune_mask *mask = NULL;
    OK(prune_mask_create(&mask, NULL, 2, linear_shape, 0));
    OK(prune_graph_set_mask(graph, "w", mask));
    back = written_and_read(graph, "parameters=sparse");
    expect_checked(scratch("written.onnx"));
    ck_assert_int_eq(sparse_count(back), 0);
    expect_same(graph, back);
    prune_mask_free(mask);
    prune_graph_free(back);
    prune_graph_free(graph);
}
END_TEST

/* The 2 x 2 tensor with 1 first and -2 last, its dims packed and not, its indices as places and as coordinates. */
START_TEST(sparse_initializers_of_every_form)
{
    static const float numbers[] = {1, -2};
    static const int64_t places[] = {0, 3}, coordinates[] = {0, 0, 1, 1};
    for (int form = 0; form < 4; form++) {
        struct wire graph = linear_graph(), sparse = {0};
        struct wire values = raw_tensor("s", 1, 1, (int64_t[]){2}, numbers, sizeof numbers);
        struct wire indices = form & 1 ? raw_tensor("i", 7, 2, (int64_t[]){2, 2}, coordinates, sizeof coordinates)
                                       : raw_tensor("i", 7, 1, (int64_t[]){2}, places, sizeof places);
        put(&sparse, 1, &values);
        put(&sparse, 2, &indices);
        if (form & 2)
            put_bytes(&sparse, 3, "\2\2", 2);
        else
            put_raw(&sparse, "\x18\2\x18\2", 4);
        put(&graph, 15, &sparse);
        struct wire model = a_model(&graph, 13);
        prune_graph *read = read_wire(&model);
        MATCHES(prune_graph_parameter(read, "s"), ((float[]){1, 0, 0, -2}), 16);
        prune_graph_free(read);
    }
}
END_TEST

START_TEST(a_copy_is_pruned_and_the_other_kept)
{
    struct wire model = linear_model();
    prune_graph *graph = read_wire(&model), *copy = NULL, *back;
    prune_half(graph, "w");
    OK(prune_graph_copy(&copy, graph));
    ck_assert_int_eq(prune_mask_kept(prune_graph_mask(copy, "w")), 3);
    OK(prune_graph_set_mask(copy, "w", NULL));
    prune_tensor *ones = NULL;
    OK(prune_tensor_create(&ones, NULL, PRUNE_F32, 2, linear_shape));
    ((float *)prune_tensor_data(ones))[1] = 9;
    OK(prune_graph_set_parameter(copy, "w", ones));
    ck_assert_int_eq(prune_mask_kept(prune_graph_mask(graph, "w")), 3);
    MATCHES(prune_graph_parameter(graph, "w"), ((float[]){1, 0, 3, 0, -5, 0}), 24);
    prune_graph_free(graph); /* the copy outlives it */
    back = written_and_read(copy, NULL);
    MATCHES(prune_graph_parameter(back, "w"), prune_tensor_const_data(ones), 24);
    ck_assert_str_eq(prune_graph_node_name(copy, 0), "product");
    ck_assert_str_eq(prune_graph_input_symbol(copy, 0, 0), "N");
    prune_tensor_free(ones);
    prune_graph_free(back);
    prune_graph_free(copy);
}
END_TEST

/* Without a file behind it a graph is written from its bodies. */
START_TEST(bodies_alone_make_a_model)
{
    struct wire model = linear_model();
    for (int sparse = 0; sparse < 2; sparse++) {
        prune_graph *graph = read_wire(&model), *back;
        prune_half(graph, "w");
        struct pm_onnx *origin = graph->origin;
        graph->origin = NULL;
        back = written_and_read(graph, sparse ? "parameters=sparse" : NULL);
        const char *path = scratch("written.onnx");
        expect_checked(path);
        ck_assert(has_text(path, "libprune"));
        expect_same(graph, back);
        ck_assert_str_eq(prune_graph_input_symbol(back, 0, 0), "N");
        ck_assert_int_eq(prune_graph_opset(back), 13);
        graph->origin = origin;
        prune_graph_free(back);
        prune_graph_free(graph);
    }
}
END_TEST

START_TEST(external_data_inside_the_folder)
{
    float filled[64] = {0};
    memcpy(filled + 16, linear_weights, sizeof linear_weights);
    fresh_folder();
    ck_assert_int_eq(mkdir(scratch("parts"), 0700), 0);
    save(scratch("parts/weights.bin"), filled, sizeof filled);
    struct wire w = a_tensor("w", 1, 2, linear_shape);
    static const char *const pairs[][2] = {
        {"location", "./parts/weights.bin"}, {"offset", "64"}, {"length", "24"}, {"checksum", "?"}};
    for (size_t i = 0; i < 4; i++) {
        struct wire entry = {0};
        put_text(&entry, 1, pairs[i][0]);
        put_text(&entry, 2, pairs[i][1]);
        put(&w, 13, &entry);
    }
    put_int(&w, 14, 1);
    struct wire graph = linear_graph_with(&w), model = a_model(&graph, 13);
    prune_graph *read = NULL, *back;
    OK(prune_graph_read(&read, NULL, save_wire("model.onnx", &model), "external=folder"));
    MATCHES(prune_graph_parameter(read, "w"), linear_weights, sizeof linear_weights);
    back = written_and_read(read, NULL); /* all in one file */
    expect_same(read, back);
    prune_graph_free(back);
    prune_graph_free(read);
}
END_TEST

START_TEST(memory_that_runs_out)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    struct wire model = linear_model();
    prune_graph *graph = NULL, *copy = NULL;
    char read_from[1024], write_to[1024];
    snprintf(read_from, sizeof read_from, "%s", save_wire("model.onnx", &model));
    snprintf(write_to, sizeof write_to, "%s", scratch("written.onnx"));
    SURVIVES(&allocator, &graph, prune_graph_read(&graph, context, read_from, NULL));
    prune_half(graph, "w");
    SURVIVES(&allocator, &copy, prune_graph_copy(&copy, graph));
    save(write_to, "old", 3);
    for (int64_t failing = 0;; failing++) {
        allocator.fail_at = allocator.calls + failing;
        int32_t status = prune_graph_write(copy, write_to, "parameters=sparse");
        if (status == PRUNE_OK)
            break;
        ck_assert_int_eq(status, PRUNE_E_NOMEM);
        ck_assert(holds(write_to, "old", 3));
    }
    allocator.fail_at = -1;
    prune_graph_free(copy);
    prune_graph_free(graph);
    ck_assert_int_eq(allocator.live, 0);
    prune_context_free(context);
}
END_TEST

static void round_trip(const char *path, const char *weight)
{
    prune_graph *graph = NULL, *back, *sparse;
    OK(prune_graph_read(&graph, NULL, path, NULL));
    back = written_and_read(graph, NULL);
    expect_same(graph, back);
    expect_equal_models(path, scratch("written.onnx"));
    prune_graph_free(back);
    prune_half(graph, weight);
    back = written_and_read(graph, NULL);
    expect_same(graph, back);
    expect_checked(scratch("written.onnx"));
    sparse = written_and_read(graph, "parameters=sparse");
    expect_same(graph, sparse);
    expect_checked(scratch("written.onnx"));
    prune_graph_free(sparse);
    prune_graph_free(back);
    prune_graph_free(graph);
}

START_TEST(networks_of_others)
{
    static const char *const files[][2] = {{"resnet/resnet20.onnx", "layer1.0.conv1.weight"},
                                           {"resnet/resnet20_raw_export.onnx", "layer1.0.conv1.weight"},
                                           {"resnet/resnet56.onnx", "layer3.8.conv2.weight"},
                                           {"kws/ds_cnn_kws.onnx", NULL}};
    for (size_t i = 0; i < 4; i++) {
        const char *path = data_path(files[i][0]);
        prune_graph *graph = NULL;
        char weight[200];
        if (!path)
            continue;
        OK(prune_graph_read(&graph, NULL, path, NULL));
        snprintf(weight, sizeof weight, "%s", files[i][1] ? files[i][1] : prune_graph_parameter_name(graph, 0));
        ck_assert_ptr_nonnull(prune_graph_parameter(graph, weight));
        prune_graph_free(graph);
        round_trip(path, weight);
    }
}
END_TEST

TEST_MAIN("onnx", what_the_file_says, initializers_among_the_inputs_are_not_fed, names_are_given_once,
          nodes_in_any_order, tensors_of_every_type, floats_and_doubles_in_their_own_fields,
          types_that_no_tensor_has_pass_through, what_is_unknown_goes_out_as_it_came,
          parameters_in_branches_and_constant_nodes, pruned_and_written_dense_and_sparse,
          an_old_model_with_sparse_initializers_is_of_ir_version_6, pruned_to_nothing_stays_dense,
          sparse_initializers_of_every_form, a_copy_is_pruned_and_the_other_kept, bodies_alone_make_a_model,
          external_data_inside_the_folder, memory_that_runs_out, networks_of_others)
