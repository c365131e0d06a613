/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "architectures.h"
#include "testing.h"

static prune_cost *new_cost(void)
{
    prune_cost *cost = NULL;
    OK(prune_cost_create(&cost, NULL));
    return cost;
}

static double get(const prune_cost *cost, int32_t quantity, int32_t layer)
{
    double value = -1;
    OK(prune_cost_get(cost, quantity, layer, &value));
    return value;
}

static double bytes_of(const prune_cost *cost, const char *format, int32_t layer)
{
    double bytes = -1;
    OK(prune_cost_bytes(cost, format, layer, &bytes));
    return bytes;
}

/* Exact: what is counted must come out as that very integer. */
static void is(const prune_cost *cost, int32_t quantity, int32_t layer, int64_t expected)
{
    double value = get(cost, quantity, layer);
    ck_assert_msg(value == (double)expected, "quantity %d of layer %d: %.3f instead of %lld", (int)quantity, (int)layer,
                  value, (long long)expected);
}

static void check_known(const struct known_layer *layers, int32_t count, int64_t weights, int64_t macs)
{
    prune_cost *cost = new_cost();
    add_known(cost, layers, count, 0);
    ck_assert_int_eq(prune_cost_count(cost), count);
    for (int32_t i = 0; i < count; i++) {
        ck_assert_str_eq(prune_cost_name(cost, i), layers[i].name);
        is(cost, PRUNE_COST_WEIGHTS, i, layers[i].weights);
        is(cost, PRUNE_COST_NONZEROS, i, layers[i].weights);
        is(cost, PRUNE_COST_MACS, i, layers[i].macs);
        is(cost, PRUNE_COST_MACS_WEIGHTS, i, layers[i].macs);
        is(cost, PRUNE_COST_MACS_BOTH, i, layers[i].macs);
    }
    is(cost, PRUNE_COST_WEIGHTS, -1, weights);
    is(cost, PRUNE_COST_PARAMETERS, -1, weights);
    is(cost, PRUNE_COST_MACS, -1, macs);
    is(cost, PRUNE_COST_ELEMENT_OPS, -1, 0);
    prune_cost_free(cost);
}

START_TEST(alexnet_per_layer_and_total)
{
    check_known(alexnet, COUNT_OF(alexnet), 60954656, 724406816);
}
END_TEST

START_TEST(vgg16_per_layer_and_total)
{
    check_known(vgg16, COUNT_OF(vgg16), 138344128, INT64_C(15470264320));
}
END_TEST

START_TEST(squeezenet_googlenet_resnet50_totals)
{
    prune_cost *cost = new_cost();
    add_squeezenet(cost);
    ck_assert_int_eq(prune_cost_count(cost), 26);
    is(cost, PRUNE_COST_WEIGHTS, -1, 1244448);
    is(cost, PRUNE_COST_MACS, -1, 861339936);
    prune_cost_free(cost);

    cost = new_cost();
    add_googlenet(cost);
    ck_assert_int_eq(prune_cost_count(cost), 58);
    is(cost, PRUNE_COST_WEIGHTS, -1, 6990272);
    is(cost, PRUNE_COST_MACS, -1, 1582671872);
    prune_cost_free(cost);

    const int64_t macs[2] = {INT64_C(3857973248), INT64_C(4089184256)};
    for (int stride_in_3x3 = 0; stride_in_3x3 < 2; stride_in_3x3++) {
        cost = new_cost();
        add_resnet50(cost, stride_in_3x3);
        ck_assert_int_eq(prune_cost_count(cost), 54);
        is(cost, PRUNE_COST_WEIGHTS, -1, 25502912);
        is(cost, PRUNE_COST_MACS, -1, macs[stride_in_3x3]);
        prune_cost_free(cost);
    }
}
END_TEST

START_TEST(lab_vgg_dense_and_with_30_percent_of_its_channels_gone)
{
    prune_cost *cost = new_cost();
    const int64_t weights[8] = {1728, 73728, 294912, 589824, 1179648, 2359296, 2359296, 2359296};
    add_lab_vgg(cost, lab_vgg_channels);
    for (int32_t i = 0; i < 8; i++) {
        is(cost, PRUNE_COST_WEIGHTS, 2 * i, weights[i]);
        is(cost, PRUNE_COST_WEIGHTS, 2 * i + 1, 0);
        is(cost, PRUNE_COST_PARAMETERS, 2 * i + 1, 2 * lab_vgg_channels[i]);
        is(cost, PRUNE_COST_MACS, 2 * i + 1, 0);
    }
    is(cost, PRUNE_COST_WEIGHTS, 17, 5120);
    is(cost, PRUNE_COST_PARAMETERS, 17, 5130);
    is(cost, PRUNE_COST_WEIGHTS, -1, 9222848);
    is(cost, PRUNE_COST_PARAMETERS, -1, 9228362);
    is(cost, PRUNE_COST_MACS, -1, 605754368);
    is(cost, PRUNE_COST_ELEMENT_OPS, -1, 409600 + 512);
    ck_assert(get(cost, PRUNE_COST_MACS, -1) + get(cost, PRUNE_COST_ELEMENT_OPS, -1) == 606164480);
    prune_cost_free(cost);

    cost = new_cost();
    add_lab_vgg(cost, lab_vgg_channels_pruned);
    is(cost, PRUNE_COST_WEIGHTS, -1, 5009498);
    is(cost, PRUNE_COST_PARAMETERS, -1, 5013666);
    is(cost, PRUNE_COST_MACS, -1, 305097920);
    is(cost, PRUNE_COST_ELEMENT_OPS, -1, 289632 + 512);
    /* What the lab asserts: its counter adds the element operations. */
    ck_assert(get(cost, PRUNE_COST_MACS, -1) + get(cost, PRUNE_COST_ELEMENT_OPS, -1) == 305388064);
    prune_cost_free(cost);
}
END_TEST

/* MobileNetV1 at 224 from the channels that enter its 15 layers: a convolution, 13 pairs, depthwise and pointwise, and
 * a linear layer. */
static prune_cost *mobilenet_v1(const int64_t *channels)
{
    const int stride[] = {1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1};
    prune_cost *cost = new_cost();
    char spec[160];
    int size = 224;
    for (int i = -1; i < 13; i++) {
        int in = (int)channels[i + 1], out = (int)channels[i + 2], step = i < 0 ? 2 : stride[i], now = size / step;
        snprintf(spec, sizeof spec,
                 "conv:in=%d,out=%d,kernel_h=3,kernel_w=3,height=%d,width=%d,stride=%d,pad=1,groups=%d", in,
                 i < 0 ? out : in, size, size, step, i < 0 ? 1 : in);
        OK(prune_cost_add(cost, "conv", spec, -1, 1));
        snprintf(spec, sizeof spec, "batch-norm:channels=%d,height=%d,width=%d", i < 0 ? out : in, now, now);
        OK(prune_cost_add(cost, "norm", spec, -1, 1));
        size = now;
        if (i < 0)
            continue;
        snprintf(spec, sizeof spec, "conv:in=%d,out=%d,kernel_h=1,kernel_w=1,height=%d,width=%d", in, out, size, size);
        OK(prune_cost_add(cost, "pointwise", spec, -1, 1));
        snprintf(spec, sizeof spec, "batch-norm:channels=%d,height=%d,width=%d", out, size, size);
        OK(prune_cost_add(cost, "norm", spec, -1, 1));
    }
    snprintf(spec, sizeof spec, "linear:in=%d,out=1000,bias=1", (int)channels[14]);
    OK(prune_cost_add(cost, "linear", spec, -1, 1));
    return cost;
}

/* The channels that He et al. 2018 publish for half the operations. */
START_TEST(amc_mobilenet_v1_from_568740352_to_293870000_macs)
{
    const int64_t whole[] = {3, 32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024};
    const int64_t pruned[] = {3, 24, 48, 96, 80, 192, 200, 328, 352, 368, 360, 328, 400, 736, 752};
    prune_cost *before = mobilenet_v1(whole), *after = mobilenet_v1(pruned);
    is(before, PRUNE_COST_MACS, -1, 568740352);
    is(before, PRUNE_COST_PARAMETERS, -1, 4231976);
    is(after, PRUNE_COST_MACS, -1, 293870000);
    is(after, PRUNE_COST_PARAMETERS, -1, 2408232);
    prune_cost_free(before), prune_cost_free(after);
}
END_TEST

static void check_han(const struct known_layer *layers, int32_t count, double parameters, double with_activations,
                      double weights_only)
{
    prune_cost *cost = new_cost();
    add_known(cost, layers, count, 1);
    double macs = get(cost, PRUNE_COST_MACS, -1), both = 0, weights = 0;
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_WEIGHTS, -1) / get(cost, PRUNE_COST_NONZEROS, -1), parameters, 0.005);
    /* Non-zeros are whole numbers, the tables' percentages of the weights are not: hence the two tolerances. */
    ck_assert_double_eq_tol(macs / get(cost, PRUNE_COST_MACS_BOTH, -1), with_activations, 3e-5);
    ck_assert_double_eq_tol(macs / get(cost, PRUNE_COST_MACS_WEIGHTS, -1), weights_only, 3e-5);
    /* Per layer: kept weights x active outputs of the layer before. */
    for (int32_t i = 0; i < count; i++) {
        double active = i ? layers[i - 1].active_percent / 100.0 : 1;
        double expected = layers[i].kept_percent / 100.0 * active;
        double dense = get(cost, PRUNE_COST_MACS, i);
        ck_assert_double_eq_tol(get(cost, PRUNE_COST_MACS_BOTH, i) / dense, expected, 3e-4);
        ck_assert_double_eq_tol(get(cost, PRUNE_COST_MACS_ACTIVATIONS, i) / dense, active, 1e-12);
        both += dense * expected;
        weights += dense * layers[i].kept_percent / 100.0;
    }
    ck_assert_double_eq_tol(macs / both, with_activations, 1e-6);
    ck_assert_double_eq_tol(macs / weights, weights_only, 1e-6);
    prune_cost_free(cost);
}

START_TEST(han_2015_reductions)
{
    check_han(alexnet, COUNT_OF(alexnet), 8.97, 3.305156, 2.406140);
    check_han(vgg16, COUNT_OF(vgg16), 13.14, 4.840501, 3.068936);
}
END_TEST

START_TEST(han_2015_flop_percentages_within_a_point)
{
    const int printed[] = {84, 33, 18, 14, 14, 3, 3, 10};
    prune_cost *cost = new_cost();
    add_known(cost, alexnet, COUNT_OF(alexnet), 1);
    for (int32_t i = 0; i < COUNT_OF(alexnet); i++)
        ck_assert_double_eq_tol(100 * get(cost, PRUNE_COST_MACS_BOTH, i) / get(cost, PRUNE_COST_MACS, i), printed[i],
                                1);
    prune_cost_free(cost);
}
END_TEST

START_TEST(macs_of_nonzero_weights_are_exact)
{
    /* 123 weights of a 3 x 3 convolution that is used at 5 x 4 places. */
    prune_cost *cost = new_cost();
    OK(prune_cost_add(cost, "c", "conv:in=8,out=6,kernel_h=3,kernel_w=2,height=11,width=9,stride=2,bias=1", 123, 0.5));
    is(cost, PRUNE_COST_WEIGHTS, 0, 288);
    is(cost, PRUNE_COST_PARAMETERS, 0, 294);
    is(cost, PRUNE_COST_NONZEROS, 0, 123);
    is(cost, PRUNE_COST_MACS, 0, 288 * 5 * 4);
    is(cost, PRUNE_COST_MACS_WEIGHTS, 0, 123 * 5 * 4);
    is(cost, PRUNE_COST_MACS_ACTIVATIONS, 0, 288 * 5 * 4 / 2);
    is(cost, PRUNE_COST_MACS_BOTH, 0, 123 * 5 * 4 / 2);
    is(cost, PRUNE_COST_ACTIVATIONS, 0, 8 * 11 * 9 + 6 * 5 * 4);
    is(cost, PRUNE_COST_OUTPUTS, 0, 6 * 5 * 4);
    OK(prune_cost_add(cost, "f", "linear:in=120,out=10,bias=1", 0, 1));
    is(cost, PRUNE_COST_NONZEROS, 1, 0);
    is(cost, PRUNE_COST_MACS_WEIGHTS, 1, 0);
    is(cost, PRUNE_COST_PARAMETERS, -1, 294 + 1210);
    is(cost, PRUNE_COST_ACTIVATIONS, -1, 792 + 120 + 130);
    OK(prune_cost_add(cost, "b", "batch-norm:channels=6,height=5,width=4", -1, 1));
    OK(prune_cost_add(cost, "m", "mean:channels=6,height=5,width=4", 0, 0));
    is(cost, PRUNE_COST_ACTIVATIONS, -1, 792 + 120 + 130);
    is(cost, PRUNE_COST_OUTPUTS, -1, 120 + 10 + 120 + 6);
    is(cost, PRUNE_COST_ELEMENT_OPS, -1, 126);
    prune_cost_free(cost);
}
END_TEST

START_TEST(convolution_extents)
{
    const struct {
        const char *spec;
        int64_t outputs, weights;
    } cases[] = {
        {"conv:in=4,out=4,kernel_h=3,kernel_w=3,height=7,width=7,groups=4", 4 * 25, 36},
        {"conv:in=1,out=1,kernel_h=3,kernel_w=3,height=7,width=7,dilation=3", 1, 9},
        {"conv:in=1,out=1,kernel_h=3,kernel_w=3,height=7,width=8,dilation=3,stride=2", 1, 9},
        {"conv:in=1,out=1,kernel_h=3,kernel_w=3,height=1,width=1,pad=1", 1, 9},
        {"conv:in=2,out=6,kernel_h=1,kernel_w=5,height=3,width=9,stride=3,pad=1,groups=2", 6 * 2 * 3, 30},
        {"conv:width=7,height=5,kernel_w=1,kernel_h=1,out=2,in=3", 70, 6},
    };
    prune_cost *cost = new_cost();
    for (int32_t i = 0; i < COUNT_OF(cases); i++) {
        OK(prune_cost_add(cost, "c", cases[i].spec, -1, 1));
        is(cost, PRUNE_COST_OUTPUTS, i, cases[i].outputs);
        is(cost, PRUNE_COST_WEIGHTS, i, cases[i].weights);
    }
    prune_cost_free(cost);
}
END_TEST

START_TEST(bytes_of_formats)
{
    prune_cost *cost = new_cost();
    OK(prune_cost_add(cost, "fc", "linear:in=10,out=3,bias=1", 7, 1));
    ck_assert(bytes_of(cost, "dense", 0) == 4 * 30);
    ck_assert(bytes_of(cost, "csr", 0) == 8 * 7 + 4 * 3 + 4);
    ck_assert(bytes_of(cost, "bitmap", 0) == 4 * 7 + 4);
    /* Three groups of a row, the last of two columns, keep two each: 24 bytes of values and 12 bits of positions. */
    ck_assert(bytes_of(cost, "nm:keep_n=2,group_m=4", 0) == 3 * (24 + 2));
    ck_assert(bytes_of(cost, "nm:keep_n=2,group_m=4,unit_rows=3", 0) == 3 * (24 + 2));
    ck_assert(bytes_of(cost, "nm:keep_n=1,group_m=2", 0) == 3 * (20 + 1));
    ck_assert(bytes_of(cost, "nm:keep_n=1,group_m=5", 0) == 3 * (8 + 1));
    ck_assert(bytes_of(cost, "nm:keep_n=3,group_m=16", 0) == 3 * (12 + 2));
    ck_assert(bytes_of(cost, "nm:keep_n=3,group_m=17", 0) == 3 * (12 + 3));
    OK(prune_cost_add(cost, "bn", "batch-norm:channels=6,height=5,width=4", -1, 1));
    ck_assert(bytes_of(cost, "csr", 1) == 0);
    ck_assert(bytes_of(cost, "nm:keep_n=2,group_m=4", 1) == 0);
    OK(prune_cost_add(cost, "conv", "conv:in=4,out=2,kernel_h=3,kernel_w=3,height=5,width=5", 5, 1));
    ck_assert(bytes_of(cost, "dense", -1) == 120 + 288);
    ck_assert(bytes_of(cost, "csr", -1) == 72 + 40 + 8 + 4);
    ck_assert(bytes_of(cost, "bitmap", -1) == 32 + 20 + 9);
    prune_cost_free(cost);

    cost = new_cost();
    add_known(cost, alexnet, COUNT_OF(alexnet), 1);
    ck_assert(bytes_of(cost, "dense", -1) == 4.0 * 60954656);
    ck_assert(bytes_of(cost, "csr", -1) ==
              8 * get(cost, PRUNE_COST_NONZEROS, -1) + 4 * (96 + 256 + 384 + 384 + 256 + 9192) + 32);
    prune_cost_free(cost);
}
END_TEST

START_TEST(an_empty_list_costs_nothing)
{
    prune_cost *cost = new_cost();
    for (int32_t quantity = PRUNE_COST_WEIGHTS; quantity <= PRUNE_COST_OUTPUTS; quantity++)
        is(cost, quantity, -1, 0);
    ck_assert(bytes_of(cost, "csr", -1) == 0);
    ck_assert_int_eq(prune_cost_count(cost), 0);
    ck_assert_ptr_null(prune_cost_name(cost, 0));
    prune_cost_free(cost);
    prune_cost_free(NULL);
}
END_TEST

START_TEST(energy_of_operations_and_alexnet)
{
    const struct {
        const char *operation;
        double picojoule;
    } cases[] = {
        {"int32-add", 0.1},        {"float32-add", 0.9}, {"register", 1}, {"int32-multiply", 3.1},
        {"float32-multiply", 3.7}, {"sram", 5},          {"dram", 640},   {"mac", 4.6},
    };
    double dram = 0, sram = 0, multiply = 0, add = 0, energy = -1;
    for (int32_t i = 0; i < COUNT_OF(cases); i++) {
        OK(prune_energy_of(cases[i].operation, &energy));
        ck_assert(energy == cases[i].picojoule);
    }
    OK(prune_energy_of("dram", &dram));
    OK(prune_energy_of("sram", &sram));
    OK(prune_energy_of("int32-multiply", &multiply));
    OK(prune_energy_of("int32-add", &add));
    ck_assert(lround(dram / multiply) == 206 && dram / sram == 128 && lround(dram / add) == 6400);

    prune_cost *cost = new_cost();
    add_known(cost, alexnet, COUNT_OF(alexnet), 0);
    OK(prune_energy_inference(get(cost, PRUNE_COST_WEIGHTS, -1), 0, 0, &energy));
    ck_assert_double_eq_tol(energy * 1e-9, 39.011, 5e-4);
    ck_assert(energy == 60954656.0 * 640);
    OK(prune_energy_inference(0, get(cost, PRUNE_COST_MACS, -1), 0, &energy));
    ck_assert_double_eq_tol(energy * 1e-9, 3.332, 5e-4);
    prune_cost_free(cost);

    cost = new_cost();
    add_known(cost, alexnet, COUNT_OF(alexnet), 1);
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_NONZEROS, -1), 6796192, 1.5); /* each layer's is rounded */
    OK(prune_energy_inference(get(cost, PRUNE_COST_NONZEROS, -1), 0, 0, &energy));
    ck_assert_double_eq_tol(energy * 1e-9, 4.350, 5e-4);
    prune_cost_free(cost);

    /* Parts add up; words may be fractional. */
    OK(prune_energy_inference(0.25, 10, 3, &energy));
    ck_assert_double_eq_tol(energy, 160 + 46 + 15, 1e-9);
}
END_TEST

START_TEST(bad_layers_are_refused_and_change_nothing)
{
#define SQUARE ",kernel_h=3,kernel_w=3,height=8,width=8"
    const struct {
        const char *spec;
        int64_t nonzeros;
        double density;
        int32_t status;
        const char *word;
    } cases[] = {
        {"linear:in=0,out=3", -1, 1, PRUNE_E_SPEC, "in=0"},
        {"linear:in=3,out=0", -1, 1, PRUNE_E_SPEC, "out=0"},
        {"linear:in=-3,out=3", -1, 1, PRUNE_E_SPEC, "in=-3"},
        {"linear:in=3", -1, 1, PRUNE_E_SPEC, "out"},
        {"linear", -1, 1, PRUNE_E_SPEC, "in"},
        {"linear:in=3,out=2.5", -1, 1, PRUNE_E_SPEC, "whole number"},
        {"linear:in=3,out=2,bias=2", -1, 1, PRUNE_E_SPEC, "bias"},
        {"linear:in=3,out=2,height=2", -1, 1, PRUNE_E_SPEC, "height"},
        {"lstm:in=3,out=2", -1, 1, PRUNE_E_SPEC, "batch-norm"},
        {"", -1, 1, PRUNE_E_SPEC, "linear"},
        {"conv:in=0,out=4" SQUARE, -1, 1, PRUNE_E_SPEC, "in=0"},
        {"conv:in=4,out=4,kernel_h=0,kernel_w=3,height=8,width=8", -1, 1, PRUNE_E_SPEC, "kernel_h"},
        {"conv:in=4,out=4,kernel_h=3,kernel_w=3,height=8,width=0", -1, 1, PRUNE_E_SPEC, "width"},
        {"conv:in=4,out=4,stride=0" SQUARE, -1, 1, PRUNE_E_SPEC, "stride"},
        {"conv:in=4,out=4,dilation=0" SQUARE, -1, 1, PRUNE_E_SPEC, "dilation"},
        {"conv:in=4,out=4,pad=-1" SQUARE, -1, 1, PRUNE_E_SPEC, "pad"},
        {"conv:in=4,out=4,groups=0" SQUARE, -1, 1, PRUNE_E_SPEC, "groups"},
        {"conv:in=4,out=6,groups=4" SQUARE, -1, 1, PRUNE_E_SHAPE, "groups=4"},
        {"conv:in=6,out=4,groups=4" SQUARE, -1, 1, PRUNE_E_SHAPE, "in=6"},
        {"conv:in=4,out=4,kernel_h=9,kernel_w=3,height=8,width=8", -1, 1, PRUNE_E_SHAPE, "height"},
        {"conv:in=4,out=4,kernel_h=3,kernel_w=9,height=8,width=8", -1, 1, PRUNE_E_SHAPE, "width"},
        {"conv:in=4,out=4,dilation=4" SQUARE, -1, 1, PRUNE_E_SHAPE, "dilation 4"},
        {"batch-norm:channels=0,height=2,width=2", -1, 1, PRUNE_E_SPEC, "channels"},
        {"mean:channels=2,height=2", -1, 1, PRUNE_E_SPEC, "width"},
        {"linear:in=9007199254740992,out=9007199254740992", -1, 1, PRUNE_E_OVERFLOW, "63 bits"},
        {"linear:in=9007199254740993e9,out=1", -1, 1, PRUNE_E_SPEC, "range"},
        {"conv:in=4,out=4,kernel_h=3,kernel_w=3,height=4294967296,width=4294967296,pad=1", -1, 1, PRUNE_E_OVERFLOW,
         "63 bits"},
        {"conv:in=4294967296,out=2,kernel_h=65536,kernel_w=65536,height=65536,width=65536", -1, 1, PRUNE_E_OVERFLOW,
         "63 bits"},
        {"conv:in=1,out=1,kernel_h=4503599627370496,kernel_w=1,height=1,width=1,dilation=4503599627370496", -1, 1,
         PRUNE_E_OVERFLOW, "63 bits"},
        {"conv:in=1048576,out=1048576,kernel_h=3,kernel_w=3,height=4096,width=4096", -1, 1, PRUNE_E_OVERFLOW,
         "63 bits"},
        {"batch-norm:channels=4294967296,height=65536,width=65536", -1, 1, PRUNE_E_OVERFLOW, "63 bits"},
        {"linear:in=3,out=2", 7, 1, PRUNE_E_ARGUMENT, "6 weights"},
        {"linear:in=3,out=2", -2, 1, PRUNE_E_ARGUMENT, "-2"},
        {"mean:channels=2,height=2,width=2", 1, 1, PRUNE_E_ARGUMENT, "0 weights"},
        {"linear:in=3,out=2", -1, NAN, PRUNE_E_ARGUMENT, "NaN"},
        {"linear:in=3,out=2", -1, 1.0000001, PRUNE_E_ARGUMENT, "1.0000001"},
        {"linear:in=3,out=2", -1, -0.5, PRUNE_E_ARGUMENT, "-0.5"},
        {"linear:in=3,out=2", -1, INFINITY, PRUNE_E_ARGUMENT, "density"},
        {NULL, -1, 1, PRUNE_E_ARGUMENT, "NULL"},
    };
    prune_cost *cost = new_cost();
    OK(prune_cost_add(cost, "fc1", "linear:in=3,out=2", -1, 1));
    for (int32_t i = 0; i < COUNT_OF(cases); i++) {
        FAILS(prune_cost_add(cost, "culprit", cases[i].spec, cases[i].nonzeros, cases[i].density), cases[i].status,
              cases[i].word);
        ck_assert_msg(strstr(prune_error(), "culprit") != NULL, "no name in: %s", prune_error());
        ck_assert_int_eq(prune_cost_count(cost), 1);
        is(cost, PRUNE_COST_WEIGHTS, -1, 6);
    }
    FAILS(prune_cost_add(cost, NULL, "linear:in=3,out=2", -1, 1), PRUNE_E_ARGUMENT, "name");
    FAILS(prune_cost_add(NULL, "a", "linear:in=3,out=2", -1, 1), PRUNE_E_ARGUMENT, "cost");
    FAILS(prune_cost_create(NULL, NULL), PRUNE_E_ARGUMENT, "out");
    prune_cost_free(cost);
}
END_TEST

START_TEST(bad_questions_are_refused_and_answer_nothing)
{
    double value = 17;
    prune_cost *cost = new_cost();
    OK(prune_cost_add(cost, "fc1", "linear:in=3,out=2", -1, 1));
    FAILS(prune_cost_get(cost, -1, 0, &value), PRUNE_E_ARGUMENT, "quantity -1");
    FAILS(prune_cost_get(cost, 10, 0, &value), PRUNE_E_ARGUMENT, "quantity 10");
    FAILS(prune_cost_get(cost, PRUNE_COST_MACS, 1, &value), PRUNE_E_ARGUMENT, "layer 1");
    FAILS(prune_cost_get(cost, PRUNE_COST_MACS, -2, &value), PRUNE_E_ARGUMENT, "layer -2");
    FAILS(prune_cost_get(NULL, PRUNE_COST_MACS, 0, &value), PRUNE_E_ARGUMENT, "cost");
    FAILS(prune_cost_get(cost, PRUNE_COST_MACS, 0, NULL), PRUNE_E_ARGUMENT, "value");
    FAILS(prune_cost_bytes(cost, "zip", 0, &value), PRUNE_E_SPEC, "bitmap");
    FAILS(prune_cost_bytes(cost, "nm", 0, &value), PRUNE_E_SPEC, "keep_n");
    FAILS(prune_cost_bytes(cost, "nm:keep_n=5,group_m=4", 0, &value), PRUNE_E_SPEC, "keep_n=5");
    FAILS(prune_cost_bytes(cost, "nm:keep_n=0,group_m=4", 0, &value), PRUNE_E_SPEC, "keep_n=0");
    FAILS(prune_cost_bytes(cost, "nm:keep_n=2,group_m=0", 0, &value), PRUNE_E_SPEC, "group_m=0");
    FAILS(prune_cost_bytes(cost, "csr", 1, &value), PRUNE_E_ARGUMENT, "layer 1");
    FAILS(prune_cost_bytes(cost, NULL, 0, &value), PRUNE_E_ARGUMENT, "format");
    FAILS(prune_cost_bytes(NULL, "csr", 0, &value), PRUNE_E_ARGUMENT, "cost");
    FAILS(prune_cost_bytes(cost, "csr", 0, NULL), PRUNE_E_ARGUMENT, "bytes");
    ck_assert_ptr_null(prune_cost_name(cost, 1));
    ck_assert_ptr_null(prune_cost_name(cost, -1));
    ck_assert_ptr_null(prune_cost_name(NULL, 0));
    prune_cost_free(cost);

    FAILS(prune_energy_of("int8-add", &value), PRUNE_E_ARGUMENT, "float32-multiply");
    FAILS(prune_energy_of(NULL, &value), PRUNE_E_ARGUMENT, "operation");
    FAILS(prune_energy_of("dram", NULL), PRUNE_E_ARGUMENT, "picojoule");
    FAILS(prune_energy_inference(NAN, 0, 0, &value), PRUNE_E_ARGUMENT, "words is NaN");
    FAILS(prune_energy_inference(0, -1, 0, &value), PRUNE_E_ARGUMENT, "macs is -1");
    FAILS(prune_energy_inference(0, 0, INFINITY, &value), PRUNE_E_ARGUMENT, "activations is infinite");
    FAILS(prune_energy_inference(1e308, 0, 0, &value), PRUNE_E_OVERFLOW, "energy");
    FAILS(prune_energy_inference(1, 1, 1, NULL), PRUNE_E_ARGUMENT, "picojoule");
    ck_assert(value == 17);
}
END_TEST

START_TEST(sums_that_do_not_fit_are_refused)
{
    double value = 17;
    prune_cost *cost = new_cost();
    for (int i = 0; i < 3; i++)
        OK(prune_cost_add(cost, "big", "linear:in=2147483648,out=2147483648", -1, 1));
    FAILS(prune_cost_get(cost, PRUNE_COST_WEIGHTS, -1, &value), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_cost_bytes(cost, "dense", 0, &value), PRUNE_E_OVERFLOW, "63 bits");
    ck_assert(value == 17);
    is(cost, PRUNE_COST_WEIGHTS, 2, INT64_C(1) << 62);
    prune_cost_free(cost);
}
END_TEST

/* A network's layers cost what their descriptions cost; what counts is the zeros, not the mask. */
START_TEST(layers_of_a_network)
{
    const char *const formats[] = {NULL, "csr", "nm:keep_n=2,group_m=4", "dense"};
    prune_network *network = NULL;
    prune_mask *mask = NULL;
    OK(prune_network_create_mlp(&network, NULL, "6-5-3"));
    OK(prune_network_initialize(network, 7));
    OK(prune_mask_create(&mask, NULL, 2, (int64_t[]){5, 6}, 0));
    for (int64_t i = 0; i < 30; i++) /* every other column: 15 are kept */
        OK(prune_mask_set(mask, i, i % 6 % 2 == 0));
    OK(prune_network_set_mask(network, "fc1.weight", mask));
    ((float *)prune_tensor_data(prune_network_parameter(network, "fc1.weight")))[2] = 0; /* kept, but zero */
    ((float *)prune_tensor_data(prune_network_parameter(network, "fc2.weight")))[0] = -0.0f;
    ((float *)prune_tensor_data(prune_network_parameter(network, "fc2.weight")))[3] = 0;
    for (int32_t i = 0; i < COUNT_OF(formats); i++) {
        prune_network *packed = NULL;
        prune_cost *cost = new_cost();
        if (formats[i] && strncmp(formats[i], "nm", 2) == 0) /* fc2 must have the pattern too */
            for (int row = 0; row < 3; row++)
                for (int column = 1; column < 3; column++)
                    ((float *)prune_tensor_data(prune_network_parameter(network, "fc2.weight")))[5 * row + column] = 0;
        if (formats[i])
            OK(prune_network_pack(&packed, network, formats[i]));
        OK(prune_cost_add(cost, "before", "linear:in=2,out=2", -1, 1));
        OK(prune_cost_add_network(cost, packed ? packed : network));
        ck_assert_int_eq(prune_cost_count(cost), 3);
        ck_assert_str_eq(prune_cost_name(cost, 1), "fc1");
        is(cost, PRUNE_COST_WEIGHTS, -1, 4 + 30 + 15);
        is(cost, PRUNE_COST_PARAMETERS, -1, 4 + 35 + 18);
        is(cost, PRUNE_COST_MACS, 2, 15);
        is(cost, PRUNE_COST_NONZEROS, 1, 14);
        is(cost, PRUNE_COST_NONZEROS, 2, i < 2 ? 13 : 7);
        prune_cost_free(cost);
        prune_network_free(packed);
    }
    prune_cost *cost = new_cost();
    FAILS(prune_cost_add_network(cost, NULL), PRUNE_E_ARGUMENT, "network");
    FAILS(prune_cost_add_network(NULL, network), PRUNE_E_ARGUMENT, "cost");
    ck_assert_int_eq(prune_cost_count(cost), 0);
    prune_cost_free(cost);
    prune_mask_free(mask);
    prune_network_free(network);
}
END_TEST

struct stingy {
    int allowed, live;
};

static void *stingy_alloc(void *user, uint64_t size, uint64_t align)
{
    struct stingy *stingy = user;
    void *memory = NULL;
    if (stingy->allowed-- <= 0 || posix_memalign(&memory, align, size))
        return NULL;
    stingy->live++;
    return memory;
}

static void stingy_release(void *user, void *pointer, uint64_t size)
{
    (void)size;
    ((struct stingy *)user)->live--;
    free(pointer);
}

START_TEST(every_failed_allocation_is_survived)
{
    int failures = 0;
    prune_network *network = NULL; /* three layers of six weights as well */
    OK(prune_network_create_mlp(&network, NULL, "3-2-3-2"));
    OK(prune_network_initialize(network, 1));
    for (int allowed = 0;; allowed++) {
        struct stingy stingy = {allowed, 0};
        prune_context *context = NULL;
        prune_cost *cost = NULL;
        OK(prune_context_create(&context));
        OK(prune_context_set_allocator(context, stingy_alloc, stingy_release, &stingy));
        int32_t status = prune_cost_create(&cost, context);
        for (int32_t i = 0; i < 20 && !status; i++) {
            status = prune_cost_add(cost, "fc", "linear:in=3,out=2", -1, 1);
            ck_assert_int_eq(prune_cost_count(cost), i + (status == 0));
        }
        if (!status) { /* all of the network, or nothing of it */
            status = prune_cost_add_network(cost, network);
            ck_assert_int_eq(prune_cost_count(cost), 20 + (status ? 0 : 3));
        }
        if (cost)
            is(cost, PRUNE_COST_WEIGHTS, -1, 6 * prune_cost_count(cost));
        prune_cost_free(cost);
        prune_context_free(context);
        ck_assert_int_eq(stingy.live, 0);
        if (!status)
            break;
        ck_assert_int_eq(status, PRUNE_E_NOMEM);
        failures++;
    }
    ck_assert_int_ge(failures, 23);
    prune_network_free(network);
}
END_TEST

TEST_MAIN("cost", amc_mobilenet_v1_from_568740352_to_293870000_macs, alexnet_per_layer_and_total,
          vgg16_per_layer_and_total, squeezenet_googlenet_resnet50_totals,
          lab_vgg_dense_and_with_30_percent_of_its_channels_gone, han_2015_reductions,
          han_2015_flop_percentages_within_a_point, macs_of_nonzero_weights_are_exact, convolution_extents,
          bytes_of_formats, an_empty_list_costs_nothing, energy_of_operations_and_alexnet,
          bad_layers_are_refused_and_change_nothing, bad_questions_are_refused_and_answer_nothing,
          sums_that_do_not_fit_are_refused, layers_of_a_network, every_failed_allocation_is_survived)
