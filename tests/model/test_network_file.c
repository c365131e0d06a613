/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks as files: back and forth, packed, and everything that a file may get wrong.
 */
#include <signal.h>
#include <sys/resource.h>

#include "files.h"
#include "networks.h"

/* The parts of the file of a "3-2" network, each of which a test may spoil. */
struct parts {
    const char *graph; /* NULL: no such key */
    int32_t weight_dtype, bias_rank;
    int64_t rows, columns;
    const uint8_t *mask; /* 6 bytes, NULL for none */
    const char *mask_name;
    int no_weight, no_bias;
    const char *extra; /* a tensor too many */
};

#define GRAPH_WITH(version, inputs, nodes, outputs)                                                                    \
    "{\"version\":" version ",\"inputs\":[" inputs "],\"nodes\":[" nodes "],\"outputs\":[" outputs "]}"
#define INPUT "{\"name\":\"x\",\"shape\":[3]}"
#define NODE                                                                                                           \
    "{\"name\":\"a\",\"op\":\"linear\",\"inputs\":[\"x\"],\"outputs\":[\"y\"],\"attributes\":{\"in\":3,\"out\":2}}"
#define NODE_WITH(op, attributes)                                                                                      \
    "{\"name\":\"a\",\"op\":" op ",\"inputs\":[\"x\"],\"outputs\":[\"y\"],\"attributes\":" attributes "}"
#define GOOD GRAPH_WITH("1", INPUT, NODE, "\"y\"")

static const struct parts good = {GOOD, PRUNE_F32, 1, 2, 3, NULL, "a.mask", 0, 0, NULL};

static void add(prune_archive *archive, const char *name, int32_t dtype, int32_t rank, const int64_t *shape,
                const float *values)
{
    prune_tensor *numbers, *converted;
    OK(prune_tensor_create(&numbers, NULL, PRUNE_F32, rank, shape));
    if (values)
        memcpy(prune_tensor_data(numbers), values, (size_t)prune_tensor_count(numbers) * sizeof *values);
    OK(prune_tensor_convert(&converted, numbers, dtype));
    OK(prune_archive_add(archive, name, converted));
    prune_tensor_free(numbers);
    prune_tensor_free(converted);
}

static const float weights[] = {1, -2, 3, 0.5f, -0.0f, 0.25f};

static const char *file_of(const struct parts *parts)
{
    const char *path = scratch("made.safetensors");
    const int64_t shape[] = {parts->rows, parts->columns}, bias[] = {2, 1}, mask[] = {2, 3};
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    if (parts->graph)
        OK(prune_archive_add_text(archive, "prune.graph", parts->graph));
    if (!parts->no_weight)
        add(archive, "a.weight", parts->weight_dtype, 2, shape, parts->rows * parts->columns == 6 ? weights : NULL);
    if (!parts->no_bias)
        add(archive, "a.bias", PRUNE_F32, parts->bias_rank, bias, (const float[]){4, 5});
    if (parts->extra)
        add(archive, parts->extra, PRUNE_F32, 1, bias, NULL);
    if (parts->mask) {
        prune_tensor *view;
        OK(prune_tensor_borrow(&view, NULL, (void *)(uintptr_t)parts->mask, PRUNE_BOOL, 2, mask, NULL));
        OK(prune_archive_add(archive, parts->mask_name, view));
        prune_tensor_free(view);
    }
    OK(prune_archive_write(archive, path));
    prune_archive_free(archive);
    return path;
}

static void check_bad(const struct parts *parts, int32_t status, const char *word)
{
    prune_network *network = UNTOUCHED;
    const char *path = file_of(parts);
    FAILS(prune_network_read(&network, NULL, path), status, word);
    ck_assert_msg(strstr(prune_error(), "made.safetensors") != NULL, "no path in: %s", prune_error());
    ck_assert_ptr_eq(network, UNTOUCHED);
}

static void check_graph(const char *graph, int32_t status, const char *word)
{
    struct parts parts = good;
    parts.graph = graph;
    check_bad(&parts, status, word);
}

START_TEST(a_file_written_by_hand_is_read)
{
    struct parts parts = good;
    prune_network *network;
    OK(prune_network_read(&network, NULL, file_of(&good)));
    ck_assert_str_eq(prune_network_node_op(network, 0), "linear:in=3,out=2");
    ck_assert_mem_eq(numbers_of(network, "a.weight"), weights, sizeof weights);
    ck_assert_ptr_null(prune_network_mask(network, "a.weight"));
    prune_network_free(network);
    parts.weight_dtype = PRUNE_BF16;
    parts.mask = (const uint8_t[]){1, 1, 1, 1, 0, 1};
    OK(prune_network_read(&network, NULL, file_of(&parts)));
    ck_assert_float_eq(numbers_of(network, "a.weight")[3], 0.5f);
    ck_assert(!signbit(numbers_of(network, "a.weight")[4])); /* -0.0 under the mask */
    ck_assert_int_eq(prune_mask_kept(prune_network_mask(network, "a.weight")), 5);
    prune_network_free(network);
}
END_TEST

START_TEST(bad_graphs_are_refused)
{
    struct parts parts = good;
    parts.graph = NULL;
    check_bad(&parts, PRUNE_E_FORMAT, "no metadata");
    check_graph("", PRUNE_E_FORMAT, "no JSON");
    check_graph("{", PRUNE_E_FORMAT, "no JSON");
    check_graph("[]", PRUNE_E_FORMAT, "no JSON object");
    check_graph("{}", PRUNE_E_FORMAT, "lacks");
    check_graph(GOOD "x", PRUNE_E_FORMAT, "no JSON");
    check_graph("{\"version\":1,\"version\":1}", PRUNE_E_FORMAT, "no JSON");
    check_graph(GRAPH_WITH("2", INPUT, NODE, "\"y\""), PRUNE_E_UNSUPPORTED, "version 2");
    check_graph(GRAPH_WITH("1.0", INPUT, NODE, "\"y\""), PRUNE_E_FORMAT, "version");
    check_graph(GRAPH_WITH("\"1\"", INPUT, NODE, "\"y\""), PRUNE_E_FORMAT, "version");
    check_graph("{\"version\":1,\"inputs\":[],\"nodes\":[],\"outputs\":[],\"more\":1}", PRUNE_E_FORMAT, "\"more\"");
    check_graph("{\"version\":1,\"inputs\":{},\"nodes\":[],\"outputs\":[]}", PRUNE_E_FORMAT, "no array");
    check_graph(GRAPH_WITH("1", "", "", ""), PRUNE_E_FORMAT, "at least 1");
    check_graph(GRAPH_WITH("1", INPUT, NODE, ""), PRUNE_E_FORMAT, "at least 1");
    check_graph(GRAPH_WITH("1", INPUT, NODE, "3"), PRUNE_E_FORMAT, "no string");
    check_graph(GRAPH_WITH("1", INPUT, NODE, "\"z\""), PRUNE_E_FORMAT, "no value");
    check_graph(GRAPH_WITH("1", INPUT, NODE, "\"y\",\"y\""), PRUNE_E_FORMAT, "already");
    check_graph(GRAPH_WITH("1", "3", NODE, "\"y\""), PRUNE_E_FORMAT, "input 0");
    check_graph(GRAPH_WITH("1", "{\"name\":\"x\"}", NODE, "\"y\""), PRUNE_E_FORMAT, "shape");
    check_graph(GRAPH_WITH("1", "{\"name\":\"x\",\"shape\":[3.0]}", NODE, "\"y\""), PRUNE_E_FORMAT, "whole number");
    check_graph(GRAPH_WITH("1", "{\"name\":\"x\",\"shape\":[-3]}", NODE, "\"y\""), PRUNE_E_FORMAT, "-3");
    check_graph(GRAPH_WITH("1", "{\"name\":\"x\",\"shape\":[1,1,1,1,1,1,1,1,3]}", NODE, "\"y\""), PRUNE_E_FORMAT, "9");
    check_graph(GRAPH_WITH("1", "{\"name\":\"x\",\"shape\":[9223372036854775807,3]}", NODE, "\"y\""), PRUNE_E_FORMAT,
                "63 bits");
    check_graph(GRAPH_WITH("1", INPUT "," INPUT, NODE, "\"y\""), PRUNE_E_FORMAT, "already");
}
END_TEST

START_TEST(bad_nodes_are_refused)
{
    check_graph(GRAPH_WITH("1", INPUT, "null", "\"y\""), PRUNE_E_FORMAT, "node 0");
    check_graph(GRAPH_WITH("1", INPUT, NODE "," NODE, "\"y\""), PRUNE_E_FORMAT, "node 1");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"gelu\"", "{}"), "\"y\""), PRUNE_E_UNSUPPORTED, "gelu");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("7", "{}"), "\"y\""), PRUNE_E_FORMAT, "op");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"linear\"", "{\"in\":3}"), "\"y\""), PRUNE_E_FORMAT, "out");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"linear\"", "[3,2]"), "\"y\""), PRUNE_E_FORMAT, "attributes");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"linear\"", "{\"in\":3.0,\"out\":2}"), "\"y\""), PRUNE_E_FORMAT,
                "whole number");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"linear\"", "{\"in\":\"3\",\"out\":2}"), "\"y\""), PRUNE_E_FORMAT,
                "whole number");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"linear\"", "{\"in\":3,\"out\":0}"), "\"y\""), PRUNE_E_FORMAT,
                "range");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"linear\"", "{\"in=3,out\":2}"), "\"y\""), PRUNE_E_FORMAT,
                "no attribute");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"linear\"", "{\"in\":4,\"out\":2}"), "\"y\""), PRUNE_E_FORMAT,
                "samples of 3");
    check_graph(GRAPH_WITH("1", INPUT, NODE_WITH("\"relu\"", "{\"in\":4}"), "\"y\""), PRUNE_E_FORMAT, "no attribute");
    /* a cycle is a value that nothing before it makes */
    check_graph(GRAPH_WITH("1", INPUT,
                           "{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[\"z\"],\"outputs\":[\"y\"]},"
                           "{\"name\":\"b\",\"op\":\"relu\",\"inputs\":[\"y\"],\"outputs\":[\"z\"]}",
                           "\"y\""),
                PRUNE_E_FORMAT, "nothing before it");
    check_graph(GRAPH_WITH("1", INPUT, "{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[\"x\",\"x\"],\"outputs\":[\"y\"]}",
                           "\"y\""),
                PRUNE_E_UNSUPPORTED, "2 values");
    check_graph(GRAPH_WITH("1", INPUT, "{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[1],\"outputs\":[\"y\"]}", "\"y\""),
                PRUNE_E_FORMAT, "no string");
    check_graph(
        GRAPH_WITH("1", INPUT, "{\"name\":\"a\",\"op\":\"relu\",\"inputs\":[\"x\"],\"outputs\":[\"x\"]}", "\"x\""),
        PRUNE_E_FORMAT, "already");
    check_graph(
        GRAPH_WITH("1", INPUT, "{\"name\":\"\",\"op\":\"relu\",\"inputs\":[\"x\"],\"outputs\":[\"y\"]}", "\"y\""),
        PRUNE_E_FORMAT, "name of the node");
}
END_TEST

/* A graph's sizes ask for no memory that the file does not hold. */
START_TEST(a_graph_that_claims_much_costs_little)
{
    check_graph(GRAPH_WITH("1", "{\"name\":\"x\",\"shape\":[16777216]}",
                           NODE_WITH("\"linear\"", "{\"in\":16777216,\"out\":16777216}"), "\"y\""),
                PRUNE_E_FORMAT, "the graph needs [16777216, 16777216]");
}
END_TEST

START_TEST(bad_parameters_are_refused)
{
    struct parts parts = good;
    parts.no_weight = 1;
    check_bad(&parts, PRUNE_E_FORMAT, "\"a.weight\" is missing");
    parts = good;
    parts.no_bias = 1;
    check_bad(&parts, PRUNE_E_FORMAT, "\"a.bias\" is missing");
    parts = good;
    parts.rows = 3, parts.columns = 2;
    check_bad(&parts, PRUNE_E_FORMAT, "is [3, 2]; the graph needs [2, 3]");
    parts = good;
    parts.bias_rank = 2;
    check_bad(&parts, PRUNE_E_FORMAT, "a.bias");
    parts = good;
    parts.weight_dtype = PRUNE_F64;
    check_bad(&parts, PRUNE_E_FORMAT, "f64");
    parts = good;
    parts.extra = "b.weight";
    check_bad(&parts, PRUNE_E_FORMAT, "\"b.weight\" belongs to no node");
    parts.extra = "a.mask";
    check_bad(&parts, PRUNE_E_FORMAT, "must be bool");
    parts = good;
    parts.mask = (const uint8_t[]){1, 1, 1, 1, 0, 1};
    parts.mask_name = "a.weigth.mask";
    check_bad(&parts, PRUNE_E_FORMAT, "\"a.weigth.mask\" belongs to no node");
    parts.mask_name = "a.bias.mask";
    check_bad(&parts, PRUNE_E_FORMAT, "[2, 3]; the graph needs [2]");
    parts.mask_name = "a.mask";
    parts.mask = (const uint8_t[]){1, 1, 0, 1, 0, 1};
    check_bad(&parts, PRUNE_E_FORMAT, "has 3 at row 0, column 2");
}
END_TEST

START_TEST(a_pruned_network_comes_back)
{
    const char *path = scratch("pruned.safetensors"), *again = scratch("again.safetensors");
    prune_network *network = branching_network(2), *back;
    prune_at_random(network, "fc1.weight", 0.4, 1);
    prune_at_random(network, "head1.bias", 0.5, 2);
    OK(prune_network_write(network, path));
    OK(prune_network_read(&back, NULL, path));
    ck_assert_int_eq(prune_network_node_count(back), 9);
    ck_assert_int_eq(prune_network_output_count(back), 4);
    for (int i = 0; i < 12; i++) {
        const char *name = prune_network_parameter_name(network, i);
        const prune_mask *mask = prune_network_mask(network, name), *read = prune_network_mask(back, name);
        int64_t differing = 0;
        ck_assert_str_eq(prune_network_parameter_name(back, i), name);
        ck_assert_mem_eq(numbers_of(back, name), numbers_of(network, name),
                         (size_t)prune_tensor_count(prune_network_parameter(network, name)) * sizeof(float));
        ck_assert_int_eq(mask != NULL, read != NULL);
        if (mask)
            OK(prune_mask_compare(mask, read, &differing, NULL));
        ck_assert_int_eq(differing, 0);
    }
    OK(prune_network_write(back, again));
    struct content content = load(path);
    ck_assert(holds(again, content.bytes, content.length)); /* equal networks, equal bytes */
    free(content.bytes);
    prune_network_free(network);
    prune_network_free(back);
}
END_TEST

static void logits_of(const prune_network *network, const prune_tensor *images, float *y)
{
    prune_runner *runner;
    OK(prune_runner_create(&runner, network, 8));
    OK(prune_runner_run(runner, prune_tensor_const_data(images), 8, 0, y));
    prune_runner_free(runner);
}

/* Adds 1 to the largest stored value of the first layer, in the file. */
static void change_a_value(const char *path, const char *changed)
{
    prune_archive *archive;
    OK(prune_archive_read(&archive, NULL, path));
    const prune_tensor *values = prune_archive_find(archive, "fc1.weight.values");
    ck_assert_ptr_nonnull(values);
    float *numbers = (float *)(uintptr_t)prune_tensor_const_data(values);
    int64_t largest = 0;
    for (int64_t i = 0; i < prune_tensor_count(values); i++)
        largest = fabsf(numbers[i]) > fabsf(numbers[largest]) ? i : largest;
    numbers[largest] += 1;
    OK(prune_archive_write(archive, changed));
    prune_archive_free(archive);
}

START_TEST(a_packed_file_runs_and_one_value_changed_shows)
{
    const char *path = scratch("packed.safetensors"), *changed = scratch("changed.safetensors");
    prune_network *network = random_mlp("24-16-5", 1), *packed, *back, *other;
    prune_tensor *images = random_images(8, 24, 1);
    int64_t differing, within, unexplained;
    float dense[40], sparse[40], altered[40];
    prune_at_random(network, "fc1.weight", 0.3, 1);
    prune_at_random(network, "fc2.weight", 0.3, 2);
    OK(prune_network_pack(&packed, network, "csr"));
    OK(prune_network_write(packed, path));
    OK(prune_network_read(&back, NULL, path));
    ck_assert_int_eq(prune_network_is_packed(back), 1);
    ck_assert_ptr_null(prune_network_parameter(back, "fc1.weight"));
    logits_of(network, images, dense);
    logits_of(back, images, sparse);
    for (int i = 0; i < 40; i++)
        ck_assert_float_eq_tol(sparse[i], dense[i], 1e-5f);
    OK(prune_network_compare(network, back, images, 8, &differing, &within, &unexplained));
    ck_assert_int_eq(unexplained, 0);
    change_a_value(path, changed);
    OK(prune_network_read(&other, NULL, changed));
    logits_of(other, images, altered);
    ck_assert_mem_ne(altered, sparse, sizeof sparse);
    prune_network *all[] = {network, packed, back, other};
    for (int i = 0; i < 4; i++)
        prune_network_free(all[i]);
    prune_tensor_free(images);
}
END_TEST

START_TEST(sparse_and_dense_do_not_mix)
{
    const char *path = scratch("mixed.safetensors");
    prune_network *network = random_mlp("3-2", 1), *read = UNTOUCHED;
    prune_archive *archive;
    prune_sparse *sparse, *bias;
    OK(prune_sparse_create(&sparse, prune_network_parameter(network, "fc1.weight"), NULL, "csr"));
    OK(prune_sparse_create(&bias, prune_network_parameter(network, "fc1.bias"), NULL, "csr"));
    OK(prune_network_write(network, path));
    OK(prune_archive_read(&archive, NULL, path));
    OK(prune_archive_add_sparse(archive, "fc1.weight", sparse));
    OK(prune_archive_write(archive, path));
    FAILS(prune_network_read(&read, NULL, path), PRUNE_E_FORMAT, "dense tensor as well");
    char *graph = strdup(prune_archive_text(archive, "prune.graph"));
    prune_archive_free(archive);
    OK(prune_archive_create(&archive, NULL));
    OK(prune_archive_add_text(archive, "prune.graph", graph));
    free(graph);
    OK(prune_archive_add(archive, "fc1.weight", prune_network_parameter(network, "fc1.weight")));
    OK(prune_archive_add_sparse(archive, "fc1.bias", bias));
    OK(prune_archive_write(archive, path));
    FAILS(prune_network_read(&read, NULL, path), PRUNE_E_FORMAT, "only the weights");
    ck_assert_ptr_eq(read, UNTOUCHED);
    prune_archive_free(archive);
    prune_sparse_free(sparse);
    prune_sparse_free(bias);
    prune_network_free(network);
}
END_TEST

START_TEST(files_that_fail_leave_everything_as_it_was)
{
    const char *folder = scratch("folder");
    char path[1024];
    prune_network *network = random_mlp("40-30-2", 1), *read = UNTOUCHED;
    struct rlimit limit;
    snprintf(path, sizeof path, "%s", scratch("kept.safetensors"));
    OK(prune_network_write(network, path));
    struct content before = load(path);
    FAILS(prune_network_read(&read, NULL, scratch("none")), PRUNE_E_NOTFOUND, "none");
    ck_assert_int_eq(mkdir(folder, 0777), 0);
    FAILS(prune_network_read(&read, NULL, folder), PRUNE_E_IO, "folder");
    FAILS(prune_network_write(network, folder), PRUNE_E_IO, "folder");
    FAILS(prune_network_write(network, scratch("no/such/place")), PRUNE_E_NOTFOUND, "place");
    FAILS(prune_network_write(network, NULL), PRUNE_E_ARGUMENT, "path");
    FAILS(prune_network_read(&read, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    save(scratch("short"), before.bytes, before.length - 1);
    FAILS(prune_network_read(&read, NULL, scratch("short")), PRUNE_E_FORMAT, "short");
    /* weights that were written through under a mask would not be read again */
    prune_at_random(network, "fc1.weight", 0.5, 1);
    const prune_mask *mask = prune_network_mask(network, "fc1.weight");
    int64_t pruned = 0;
    for (int32_t kept = 1; kept; pruned += kept)
        OK(prune_mask_get(mask, pruned, &kept));
    numbers_of(network, "fc1.weight")[pruned] = 2;
    FAILS(prune_network_write(network, path), PRUNE_E_VALUE, "2 at row");
    numbers_of(network, "fc1.weight")[pruned] = 0;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit small = {2048, limit.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    int32_t status = prune_network_write(network, path);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(status, PRUNE_E_IO);
    ck_assert(holds(path, before.bytes, before.length));
    ck_assert_ptr_eq(read, UNTOUCHED);
    free(before.bytes);
    prune_network_free(network);
}
END_TEST

TEST_MAIN("network_file", a_file_written_by_hand_is_read, bad_graphs_are_refused, bad_nodes_are_refused,
          a_graph_that_claims_much_costs_little, bad_parameters_are_refused, a_pruned_network_comes_back,
          a_packed_file_runs_and_one_value_changed_shows, sparse_and_dense_do_not_mix,
          files_that_fail_leave_everything_as_it_was)
