/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SqueezeNet as Deep Compression released it: the decoded weights in a graph, counted, run, written, and run by
 * onnxruntime.
 */
#include <math.h>

#include "../unit/allocator.h"
#include "data.h"
#include "onnxruntime.h"

#define EXTENT 227
#define CLASSES 1000
#define NET "squeezenet-deep-compression/compressed_SqueezeNet.net"

static const char *const inputs_of_it[] = {"data"};

/* An image as the network takes it, made up: large shapes and some noise, from -124 to 151 around the means. */
static prune_tensor *image(int64_t count)
{
    prune_tensor *made;
    uint32_t state = 7;
    OK(prune_tensor_create(&made, NULL, PRUNE_F32, 4, (const int64_t[]){count, 3, EXTENT, EXTENT}));
    float *x = prune_tensor_data(made);
    for (int64_t i = 0; i < prune_tensor_count(made); i++) {
        int64_t column = i % EXTENT, row = i / EXTENT % EXTENT, channel = i / EXTENT / EXTENT;
        state = state * 1664525u + 1013904223u;
        x[i] = (float)(60 * sin((double)(column + 13 * channel) / 17) + 50 * cos((double)(row * (channel + 1)) / 29) +
                       (double)(state >> 28));
    }
    return made;
}

static double get(const prune_cost *cost, int32_t quantity, int32_t layer)
{
    double value = -1;
    OK(prune_cost_get(cost, quantity, layer, &value));
    return value;
}

static prune_cost *cost_of(const prune_graph *graph, int measure)
{
    prune_cost *cost;
    prune_tensor *x = image(1);
    OK(prune_cost_create(&cost, NULL));
    OK(prune_cost_add_graph(cost, graph, 1, inputs_of_it, (const prune_tensor *const[]){x}, NULL, measure));
    prune_tensor_free(x);
    return cost;
}

static void has_its_counts(const prune_graph *graph)
{
    prune_cost *cost = cost_of(graph, 0);
    ck_assert(get(cost, PRUNE_COST_WEIGHTS, -1) == 1244448);
    ck_assert(get(cost, PRUNE_COST_PARAMETERS, -1) == 1248424);
    ck_assert(get(cost, PRUNE_COST_NONZEROS, -1) == 415921);
    ck_assert(get(cost, PRUNE_COST_MACS, -1) == 861339936);
    ck_assert(get(cost, PRUNE_COST_MACS_WEIGHTS, -1) == 443223545);
    prune_cost_free(cost);
}

/* Each layer as the table of the release has it; the last entry of the list is the mean. */
static void has_the_layers_of(const prune_graph *graph, const char *table)
{
    prune_cost *cost = cost_of(graph, 0);
    char line[1000], name[60];
    int32_t layer = 0;
    FILE *file = fopen(table, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    for (; fgets(line, sizeof line, file) && strncmp(line, "TOTAL", 5) != 0; layer++) {
        double weights, nonzeros, dense, sparse;
        ck_assert_int_eq(sscanf(line, "%59[^,],%*d,%*d,%*d,%*d,%*d,%*d,%*d,%*d,%*d,%lf,%*d,%*d,%lf,%lf,%lf", name,
                                &weights, &nonzeros, &dense, &sparse),
                         5);
        ck_assert_str_eq(prune_cost_name(cost, layer), name);
        ck_assert(get(cost, PRUNE_COST_WEIGHTS, layer) == weights);
        ck_assert(get(cost, PRUNE_COST_NONZEROS, layer) == nonzeros);
        ck_assert(get(cost, PRUNE_COST_MACS, layer) == dense);
        ck_assert(get(cost, PRUNE_COST_MACS_WEIGHTS, layer) == sparse);
    }
    fclose(file);
    ck_assert_int_eq(layer, 26);
    ck_assert_int_eq(prune_cost_count(cost), 27);
    prune_cost_free(cost);
}

START_TEST(counts_of_the_graph_and_of_its_files)
{
    const char *path = data_path(NET), *table = data_path("squeezenet-deep-compression/expected_decode.csv");
    static const char *const forms[] = {"parameters=dense", "parameters=sparse"};
    prune_graph *graph = NULL, *read = NULL;
    if (!path || !table)
        return;
    OK(prune_deep_compression_graph(&graph, NULL, path, "squeezenet"));
    has_its_counts(graph);
    has_the_layers_of(graph, table);
    for (int i = 0; i < 2; i++) {
        OK(prune_graph_write(graph, scratch("squeezenet.onnx"), forms[i]));
        OK(prune_graph_read(&read, NULL, scratch("squeezenet.onnx"), NULL));
        has_its_counts(read);
        prune_graph_free(read);
    }
    /* What the network makes of an image has zeros too, which save more; how much more is the image's matter. */
    prune_cost *cost = cost_of(graph, 1);
    double weights = get(cost, PRUNE_COST_MACS, -1) / get(cost, PRUNE_COST_MACS_WEIGHTS, -1);
    double both = get(cost, PRUNE_COST_MACS, -1) / get(cost, PRUNE_COST_MACS_BOTH, -1);
    printf("    SqueezeNet: %.2f times fewer multiply-adds by its weights, %.2f with the zeros of a made-up image\n",
           weights, both);
    ck_assert(get(cost, PRUNE_COST_MACS_WEIGHTS, -1) == 443223545);
    ck_assert(both > 1.1 * weights && both < 6);
    prune_cost_free(cost);
    prune_graph_free(graph);
}
END_TEST

/* Feature maps in double precision. */
struct maps {
    int64_t channels, extent;
    double *x;
};

static const float *numbers_of(const prune_archive *archive, const char *layer, const char *part)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    return prune_tensor_const_data(prune_archive_find(archive, name));
}

static struct maps new_maps(int64_t channels, int64_t extent)
{
    struct maps maps = {channels, extent, calloc((size_t)(channels * extent * extent), sizeof(double))};
    ck_assert_ptr_nonnull(maps.x);
    return maps;
}

/* y += weight * x moved by (row, column), every stride-th. */
static void add_moved(const struct maps *y, double *to, const struct maps *x, const double *from, double weight,
                      int64_t row, int64_t column, int64_t stride)
{
    for (int64_t i = 0; i < y->extent; i++) {
        int64_t r = i * stride + row;
        for (int64_t j = 0; r >= 0 && r < x->extent && j < y->extent; j++) {
            int64_t c = j * stride + column;
            if (c >= 0 && c < x->extent)
                to[i * y->extent + j] += weight * from[r * x->extent + c];
        }
    }
}

/* The rectified convolution of a layer. */
static struct maps convolved(const prune_archive *archive, const char *layer, const struct maps *x, int64_t out,
                             int64_t kernel, int64_t stride, int64_t pad)
{
    const float *weights = numbers_of(archive, layer, "weight"), *bias = numbers_of(archive, layer, "bias");
    struct maps y = new_maps(out, (x->extent + 2 * pad - kernel) / stride + 1);
    for (int64_t o = 0; o < out; o++) {
        double *to = y.x + o * y.extent * y.extent;
        for (int64_t i = 0; i < y.extent * y.extent; i++)
            to[i] = (double)bias[o];
        for (int64_t i = 0; i < x->channels * kernel * kernel; i++, weights++)
            if (*weights != 0)
                add_moved(&y, to, x, x->x + i / (kernel * kernel) * x->extent * x->extent, (double)*weights,
                          i / kernel % kernel - pad, i % kernel - pad, stride);
        for (int64_t i = 0; i < y.extent * y.extent; i++)
            to[i] = to[i] > 0 ? to[i] : 0;
    }
    return y;
}

/* The largest of each 3 x 3, every second; takes the place of the maps. */
static void pool(struct maps *x)
{
    struct maps y = new_maps(x->channels, (x->extent - 3) / 2 + 1);
    for (int64_t o = 0; o < x->channels; o++)
        for (int64_t i = 0; i < y.extent * y.extent; i++) {
            int64_t row = i / y.extent * 2, column = i % y.extent * 2;
            double most = -INFINITY;
            for (int64_t k = 0; k < 9; k++) {
                double value = x->x[(o * x->extent + row + k / 3) * x->extent + column + k % 3];
                most = value > most ? value : most;
            }
            y.x[o * y.extent * y.extent + i] = most;
        }
    free(x->x);
    *x = y;
}

static void fire(const prune_archive *archive, int number, struct maps *x)
{
    int64_t squeeze = 16 * (number / 2), half = 4 * squeeze;
    char name[3][40];
    for (int i = 0; i < 3; i++)
        snprintf(name[i], sizeof name[i], "fire%d/conv%s", number, (const char *const[]){"1x1_1", "1x1_2", "3x3_2"}[i]);
    struct maps few = convolved(archive, name[0], x, squeeze, 1, 1, 0);
    struct maps first = convolved(archive, name[1], &few, half, 1, 1, 0);
    struct maps second = convolved(archive, name[2], &few, half, 3, 1, 1);
    struct maps both = new_maps(2 * half, x->extent);
    size_t bytes = (size_t)(half * x->extent * x->extent) * sizeof(double);
    memcpy(both.x, first.x, bytes);
    memcpy((char *)both.x + bytes, second.x, bytes);
    free(few.x), free(first.x), free(second.x), free(x->x);
    *x = both;
}

/* The network as its description has it, in double precision and with plain loops. */
static void reference(const prune_archive *archive, const float *data, double y[CLASSES])
{
    struct maps in = new_maps(3, EXTENT);
    for (int64_t i = 0; i < 3 * EXTENT * EXTENT; i++)
        in.x[i] = (double)data[i];
    struct maps x = convolved(archive, "conv1", &in, 96, 7, 2, 0);
    free(in.x);
    pool(&x);
    for (int i = 2; i <= 9; i++) {
        fire(archive, i, &x);
        if (i == 4 || i == 8)
            pool(&x);
    }
    struct maps last = convolved(archive, "conv_final", &x, CLASSES, 1, 1, 1);
    ck_assert_int_eq(last.extent, 15);
    for (int64_t o = 0; o < CLASSES; o++) {
        y[o] = 0;
        for (int64_t i = 0; i < 225; i++)
            y[o] += last.x[o * 225 + i] / 225;
    }
    free(x.x), free(last.x);
}

static void is_near(const prune_graph *graph, const prune_tensor *x, const char *spec, const double *expected)
{
    prune_session *session;
    double largest = 0, most = 0;
    OK(prune_session_create(&session, graph, 1, inputs_of_it, &x, NULL, spec));
    OK(prune_session_run(session, 1, &x));
    const prune_tensor *output = prune_session_output(session, 0);
    const float *y = prune_tensor_const_data(output);
    ck_assert_int_eq(prune_tensor_count(output), CLASSES * prune_tensor_shape(x)[0]);
    for (int i = 0; i < CLASSES; i++) {
        largest = expected[i] > largest ? expected[i] : largest;
        most = fabs((double)y[i] - expected[i]) > most ? fabs((double)y[i] - expected[i]) : most;
    }
    ck_assert_msg(largest > 1, "the largest output is %g", largest);
    ck_assert_msg(most <= 1e-5 * largest, "%s: apart by %g, the largest is %g", spec, most, largest);
    prune_session_free(session);
}

START_TEST(outputs_against_double_precision)
{
    const char *path = data_path(NET);
    static double expected[CLASSES];
    prune_archive *archive = NULL;
    prune_graph *graph = NULL;
    if (!path)
        return;
    prune_tensor *one = image(1), *two = image(2);
    OK(prune_deep_compression_read(&archive, NULL, path, "squeezenet"));
    reference(archive, prune_tensor_const_data(one), expected);
    OK(prune_deep_compression_graph(&graph, NULL, path, "squeezenet"));
    is_near(graph, one, "weights=auto", expected);
    is_near(graph, one, "weights=dense,fuse=no", expected);
    is_near(graph, one, "weights=csr", expected);
    is_near(graph, two, "weights=auto", expected); /* the first of two is the same image */
    prune_graph_free(graph);
    prune_archive_free(archive);
    prune_tensor_free(one), prune_tensor_free(two);
}
END_TEST

START_TEST(outputs_in_onnxruntime)
{
    const char *path = data_path(NET);
    static struct comparison all;
    prune_graph *graph = NULL;
    if (!path)
        return;
    prune_tensor *x = image(1);
    OK(prune_deep_compression_graph(&graph, NULL, path, "squeezenet"));
    begin_comparison(&all);
    add_model(&all, "squeezenet", graph, "parameters=dense", 1, inputs_of_it, (const prune_tensor *const[]){x});
    add_model(&all, "squeezenet", graph, "parameters=sparse", 1, inputs_of_it, (const prune_tensor *const[]){x});
    end_comparison(&all, "Deep-Compressed SqueezeNet");
    prune_graph_free(graph);
    prune_tensor_free(x);
}
END_TEST

/* A file in which nothing is stored: as long as codebooks and biases are. */
static const char *empty_net(void)
{
    const size_t biases = 96 + 16 + 16 + 32 + 32 + 48 + 48 + 64 + 64 + 1000;
    size_t expands = 2 * (64 + 64 + 128 + 128 + 192 + 192 + 256 + 256);
    size_t length = 4 * 26 + 26 * 1024 + 4 * (biases + expands);
    uint8_t *bytes = calloc(length, 1);
    ck_assert_ptr_nonnull(bytes);
    save(scratch("empty.net"), bytes, length);
    free(bytes);
    return scratch("empty.net");
}

START_TEST(a_network_of_zeros_has_the_dense_count)
{
    prune_graph *graph = NULL;
    OK(prune_deep_compression_graph(&graph, NULL, empty_net(), "squeezenet"));
    prune_cost *cost = cost_of(graph, 0);
    ck_assert(get(cost, PRUNE_COST_MACS, -1) == 861339936);
    ck_assert(get(cost, PRUNE_COST_MACS_WEIGHTS, -1) == 0);
    ck_assert_int_eq(prune_graph_node_count(graph), 26 + 26 + 3 + 8 + 1);
    ck_assert_str_eq(prune_graph_output_name(graph, 0), "pool_final");
    prune_cost_free(cost);
    prune_graph_free(graph);
    graph = UNTOUCHED;
    FAILS(prune_deep_compression_graph(&graph, NULL, scratch("empty.net"), "alexnet"), PRUNE_E_ARGUMENT, "alexnet");
    FAILS(prune_deep_compression_graph(&graph, NULL, scratch("none.net"), "squeezenet"), PRUNE_E_NOTFOUND, "none.net");
    save(scratch("bad.net"), "1234", 4);
    FAILS(prune_deep_compression_graph(&graph, NULL, scratch("bad.net"), "squeezenet"), PRUNE_E_FORMAT, "truncated");
    FAILS(prune_deep_compression_graph(NULL, NULL, "x", "squeezenet"), PRUNE_E_ARGUMENT, "out");
    ck_assert_ptr_eq(graph, UNTOUCHED);
}
END_TEST

START_TEST(memory_that_runs_out)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph = NULL;
    const char *path = empty_net();
    SURVIVES(&allocator, &graph, prune_deep_compression_graph(&graph, context, path, "squeezenet"));
    prune_graph_free(graph);
    prune_context_free(context);
    ck_assert_int_eq(allocator.live, 0);
}
END_TEST

TEST_MAIN("squeezenet", counts_of_the_graph_and_of_its_files, outputs_against_double_precision, outputs_in_onnxruntime,
          a_network_of_zeros_has_the_dense_count, memory_that_runs_out)
