/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks of the literature as graphs without weights: parameters, multiply-adds and memory as the operators count
 * them, and what pruning leaves by published densities.
 */
#include <math.h>

#include "../../examples/networks.h"
#include "architectures.h"
#include "prune/session.h"

/* Input of any size that takes no memory; a graph that nobody runs does not look at it. */
static prune_tensor *image_of(int64_t extent)
{
    static float zero;
    prune_tensor *image;
    OK(prune_tensor_borrow(&image, NULL, &zero, PRUNE_F32, 4, (const int64_t[]){1, 3, extent, extent},
                           (const int64_t[]){0, 0, 0, 0}));
    return image;
}

static prune_cost *cost_of(const prune_graph *graph, int64_t extent)
{
    prune_cost *cost = NULL;
    prune_tensor *image = image_of(extent);
    ck_assert_msg(graph != NULL, "%s", prune_error());
    OK(prune_cost_create(&cost, NULL));
    OK(prune_cost_add_graph(cost, graph, 1, (const char *const[]){"image"}, (const prune_tensor *const[]){image}, NULL,
                            0));
    prune_tensor_free(image);
    return cost;
}

static double get(const prune_cost *cost, int32_t quantity, int32_t layer)
{
    double value = -1;
    OK(prune_cost_get(cost, quantity, layer, &value));
    return value;
}

static void is(const prune_cost *cost, int32_t quantity, int64_t expected)
{
    double value = get(cost, quantity, -1);
    ck_assert_msg(value == (double)expected, "quantity %d: %.3f instead of %lld", (int)quantity, value,
                  (long long)expected);
}

/* Bytes of all values that are alive at the same time, at most. */
static int64_t peak_of(const prune_graph *graph, int64_t extent)
{
    prune_tensor *image = image_of(extent);
    prune_session *session = NULL;
    OK(prune_session_create(&session, graph, 1, (const char *const[]){"image"}, (const prune_tensor *const[]){image},
                            NULL, "weights=none"));
    int64_t bytes = prune_session_memory(session);
    ck_assert_ptr_null(prune_session_output(session, 0));
    FAILS(prune_session_run(session, 1, (const prune_tensor *const[]){image}), PRUNE_E_UNSUPPORTED, "weights=none");
    prune_session_free(session);
    prune_tensor_free(image);
    return bytes;
}

/* The layer of a list that has the name; -1 for none. */
static int32_t find(const prune_cost *cost, const char *name)
{
    for (int32_t i = 0; i < prune_cost_count(cost); i++)
        if (strcmp(prune_cost_name(cost, i), name) == 0)
            return i;
    return -1;
}

/* Each layer of the table with its weights and MACs; then pruned by the table's percentages, where a layer's input is
 * as dense as the output of the one before. */
static void check_known(prune_graph *graph, const struct known_layer *layers, int32_t count, int64_t extent,
                        double parameters, double with_activations, double weights_only)
{
    prune_cost *cost = cost_of(graph, extent);
    double active = 1, dense = get(cost, PRUNE_COST_MACS, -1), both = 0, weights = 0;
    ck_assert_int_eq(prune_cost_count(cost), count);
    is(cost, PRUNE_COST_NONZEROS, (int64_t)get(cost, PRUNE_COST_WEIGHTS, -1));
    is(cost, PRUNE_COST_MACS_BOTH, (int64_t)dense);
    for (int32_t i = 0; i < count; i++) {
        ck_assert_int_eq(find(cost, layers[i].name), i);
        ck_assert(get(cost, PRUNE_COST_WEIGHTS, i) == (double)layers[i].weights);
        ck_assert(get(cost, PRUNE_COST_MACS, i) == (double)layers[i].macs);
        int64_t kept = (layers[i].weights * layers[i].kept_percent + 50) / 100;
        OK(prune_cost_set(cost, i, kept, active));
        weights += layers[i].kept_percent / 100.0 * (double)layers[i].macs;
        both += layers[i].kept_percent / 100.0 * (double)layers[i].macs * active;
        active = layers[i].active_percent / 100.0;
    }
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_WEIGHTS, -1) / get(cost, PRUNE_COST_NONZEROS, -1), parameters, 0.005);
    /* Non-zeros are whole numbers, percentages of weights are not. */
    ck_assert_double_eq_tol(dense / get(cost, PRUNE_COST_MACS_BOTH, -1), with_activations, 3e-5);
    ck_assert_double_eq_tol(dense / get(cost, PRUNE_COST_MACS_WEIGHTS, -1), weights_only, 3e-5);
    ck_assert_double_eq_tol(dense / both, with_activations, 1e-6);
    ck_assert_double_eq_tol(dense / weights, weights_only, 1e-6);
    prune_cost_free(cost);
}

START_TEST(alexnet_params_8_97_macs_3_305156_and_2_406140_of_weights_alone)
{
    prune_graph *graph = network_alexnet();
    prune_cost *cost = cost_of(graph, 227);
    double energy = 0;
    is(cost, PRUNE_COST_WEIGHTS, 60954656);
    is(cost, PRUNE_COST_PARAMETERS, 60965224);
    is(cost, PRUNE_COST_MACS, 724406816);
    OK(prune_energy_inference(get(cost, PRUNE_COST_WEIGHTS, -1), 0, 0, &energy));
    ck_assert_double_eq_tol(energy * 1e-9, 39.011, 5e-4);
    OK(prune_energy_inference(0, get(cost, PRUNE_COST_MACS, -1), 0, &energy));
    ck_assert_double_eq_tol(energy * 1e-9, 3.332, 5e-4);
    prune_cost_free(cost);
    check_known(graph, alexnet, COUNT_OF(alexnet), 227, 8.97, 3.305156, 2.406140);
    prune_graph_free(graph);
}
END_TEST

START_TEST(vgg16_params_13_14_macs_4_840501_and_3_068936_of_weights_alone)
{
    prune_graph *graph = network_vgg16();
    prune_cost *cost = cost_of(graph, 224);
    is(cost, PRUNE_COST_WEIGHTS, 138344128);
    is(cost, PRUNE_COST_PARAMETERS, 138357544);
    is(cost, PRUNE_COST_MACS, INT64_C(15470264320));
    prune_cost_free(cost);
    check_known(graph, vgg16, COUNT_OF(vgg16), 224, 13.14, 4.840501, 3.068936);
    prune_graph_free(graph);
}
END_TEST

START_TEST(googlenet_resnet50_squeezenet_totals_and_the_ratios_of_totals)
{
    prune_graph *graph = network_googlenet();
    prune_cost *cost = cost_of(graph, 224);
    is(cost, PRUNE_COST_WEIGHTS, 6990272);
    is(cost, PRUNE_COST_PARAMETERS, 6998552);
    is(cost, PRUNE_COST_MACS, 1582671872);
    is(cost, PRUNE_COST_ELEMENT_OPS, 1024); /* the mean */
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_WEIGHTS, -1) / 2.0e6, 3.5, 0.005);
    prune_cost_free(cost), prune_graph_free(graph);
    for (int in_3x3 = 0; in_3x3 < 2; in_3x3++) {
        graph = network_resnet50(in_3x3);
        cost = cost_of(graph, 224);
        is(cost, PRUNE_COST_WEIGHTS, 25502912);
        is(cost, PRUNE_COST_PARAMETERS, 25557032);
        is(cost, PRUNE_COST_MACS, in_3x3 ? INT64_C(4089184256) : INT64_C(3857973248));
        ck_assert_double_eq_tol(26.0e6 / 7.47e6, 3.48, 0.005); /* as printed; from the exact total: */
        ck_assert_double_eq_tol(get(cost, PRUNE_COST_WEIGHTS, -1) / 7.47e6, 3.414, 0.0005);
        prune_cost_free(cost), prune_graph_free(graph);
    }
    graph = network_squeezenet();
    cost = cost_of(graph, 227);
    is(cost, PRUNE_COST_WEIGHTS, 1244448);
    is(cost, PRUNE_COST_PARAMETERS, 1248424);
    is(cost, PRUNE_COST_MACS, 861339936);
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_WEIGHTS, -1) / 0.38e6, 3.275, 0.0005);
    prune_cost_free(cost), prune_graph_free(graph);
}
END_TEST

/* By hand, with each convolution's ReLU done in it; values take whole 64 bytes. */
START_TEST(most_bytes_that_are_alive_at_once)
{
    prune_graph *graph = network_alexnet();
    /* The image, 3 x 227 x 227, and what conv1 makes of it. */
    ck_assert_int_eq(peak_of(graph, 227), 618368 + 4 * 96 * 55 * 55);
    prune_graph_free(graph);
    graph = network_vgg16();
    /* Input and output of conv1_2. */
    ck_assert_int_eq(peak_of(graph, 224), 2 * 4 * 64 * 224 * 224);
    prune_graph_free(graph);
    graph = network_googlenet();
    /* conv1's output and its pooled maps. */
    ck_assert_int_eq(peak_of(graph, 224), 4 * 64 * (112 * 112 + 56 * 56));
    prune_graph_free(graph);
    graph = network_squeezenet();
    /* The two halves of fire4 and the whole that they are put into. */
    ck_assert_int_eq(peak_of(graph, 227), 2 * 4 * 256 * 55 * 55);
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("networks as shapes", alexnet_params_8_97_macs_3_305156_and_2_406140_of_weights_alone,
          vgg16_params_13_14_macs_4_840501_and_3_068936_of_weights_alone,
          googlenet_resnet50_squeezenet_totals_and_the_ratios_of_totals, most_bytes_that_are_alive_at_once)
