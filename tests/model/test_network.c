/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Graphs: building them, their parameters, and gradients against finite differences.
 */
#include "networks.h"

#include "model/network/links/links.h"

static double loss_double(double *const p[12], const float *x, const int64_t *labels, int64_t samples)
{
    double total = 0;
    for (int64_t s = 0; s < samples; s++) {
        double out[4][4];
        branching_double(p, x + s * 6, out);
        for (int o = 0; o < 4; o++) {
            double sum = 0;
            for (int c = 0; c < (o == 3 ? 3 : 4); c++)
                sum += exp(out[o][c]);
            total += log(sum) - out[o][labels[s]];
        }
    }
    return total / (double)samples;
}

START_TEST(gradients_of_a_branching_graph_are_finite_differences)
{
    enum { SAMPLES = 7 };
    prune_network *network = branching_network(5);
    prune_tensor *images = random_images(SAMPLES, 6, 6), *labels = random_labels(SAMPLES, 3, 7);
    const float *x = prune_tensor_const_data(images);
    const int64_t *wanted = prune_tensor_const_data(labels);
    prune_trainer *trainer;
    double *p[12], loss;
    ck_assert_int_eq(prune_network_parameter_count(network), 12);
    for (int i = 0; i < 12; i++) {
        const prune_tensor *tensor = prune_network_parameter(network, prune_network_parameter_name(network, i));
        p[i] = malloc((size_t)prune_tensor_count(tensor) * sizeof(double));
        for (int64_t j = 0; j < prune_tensor_count(tensor); j++)
            p[i][j] = (double)((const float *)prune_tensor_const_data(tensor))[j];
    }
    OK(prune_trainer_create(&trainer, network, "batch=7"));
    OK(prune_trainer_backward(trainer, images, labels, &loss));
    ck_assert_double_eq_tol(loss, loss_double(p, x, wanted, SAMPLES), 1e-5);
    double largest = 0;
    for (int i = 0; i < 12; i++) {
        const prune_tensor *gradient = prune_trainer_gradient(trainer, prune_network_parameter_name(network, i));
        const float *numbers = prune_tensor_const_data(gradient);
        for (int64_t j = 0; j < prune_tensor_count(gradient); j++) {
            const double h = 1e-6, held = p[i][j];
            p[i][j] = held + h;
            double up = loss_double(p, x, wanted, SAMPLES);
            p[i][j] = held - h;
            double down = loss_double(p, x, wanted, SAMPLES), wanted_gradient = (up - down) / (2 * h);
            p[i][j] = held;
            largest = fmax(largest, fabs(wanted_gradient));
            ck_assert_msg(fabs((double)numbers[j] - wanted_gradient) < 2e-6, "%s %d: %.9g instead of %.9g",
                          prune_network_parameter_name(network, i), (int)j, (double)numbers[j], wanted_gradient);
        }
    }
    ck_assert_double_gt(largest, 0.1);
    for (int i = 0; i < 12; i++)
        free(p[i]);
    prune_trainer_free(trainer);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    prune_network_free(network);
}
END_TEST

/* A node that leads to no output has a gradient of zeros, not what the last batch left. */
START_TEST(a_node_that_nobody_needs_has_no_gradient)
{
    prune_network *network = random_mlp("6-3", 1);
    prune_tensor *images = random_images(4, 6, 6), *labels = random_labels(4, 3, 7);
    prune_trainer *trainer;
    OK(prune_network_add_node(network, "dead", "linear:in=3,out=2", "logits", "nowhere"));
    OK(prune_trainer_create(&trainer, network, ""));
    OK(prune_trainer_backward(trainer, images, labels, NULL));
    const float *gradient = prune_tensor_const_data(prune_trainer_gradient(trainer, "dead.weight"));
    for (int i = 0; i < 6; i++)
        ck_assert(gradient[i] == 0);
    prune_trainer_free(trainer);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    prune_network_free(network);
}
END_TEST

START_TEST(an_mlp_is_what_its_line_says)
{
    prune_network *network;
    OK(prune_network_create_mlp(&network, NULL, "784-300-100-10"));
    const char *nodes[] = {"flatten", "fc1", "relu1", "fc2", "relu2", "fc3"};
    const char *ops[] = {"flatten", "linear:in=784,out=300", "relu", "linear:in=300,out=100",
                         "relu",    "linear:in=100,out=10"};
    ck_assert_int_eq(prune_network_node_count(network), 6);
    for (int i = 0; i < 6; i++) {
        ck_assert_str_eq(prune_network_node_name(network, i), nodes[i]);
        ck_assert_str_eq(prune_network_node_op(network, i), ops[i]);
    }
    ck_assert_ptr_null(prune_network_node_name(network, 6));
    ck_assert_ptr_null(prune_network_node_op(network, -1));
    ck_assert_int_eq(prune_network_output_count(network), 1);
    ck_assert_str_eq(prune_network_output_name(network, 0), "logits");
    int64_t total = 0;
    for (int32_t i = 0; i < prune_network_parameter_count(network); i++)
        total += prune_tensor_count(prune_network_parameter(network, prune_network_parameter_name(network, i)));
    ck_assert_int_eq(total, 266610); /* Han et al. 2015: LeNet-300-100 has 267 K */
    ck_assert_ptr_null(prune_network_parameter(network, "fc4.weight"));
    ck_assert_ptr_null(prune_network_parameter(network, NULL));
    ck_assert_ptr_null(prune_network_mask(network, "fc1.weight"));
    ck_assert_ptr_null(prune_network_sparse(network, "fc1.weight"));
    ck_assert_int_eq(prune_network_is_packed(network), 0);
    prune_network_free(network);
}
END_TEST

START_TEST(bad_widths_are_refused)
{
    prune_network *network = UNTOUCHED;
    FAILS(prune_network_create_mlp(&network, NULL, "784"), PRUNE_E_SPEC, "at least 2");
    FAILS(prune_network_create_mlp(&network, NULL, ""), PRUNE_E_SPEC, "whole number");
    FAILS(prune_network_create_mlp(&network, NULL, "784-"), PRUNE_E_SPEC, "whole number");
    FAILS(prune_network_create_mlp(&network, NULL, "784--10"), PRUNE_E_SPEC, "whole number");
    FAILS(prune_network_create_mlp(&network, NULL, "784-0"), PRUNE_E_SPEC, "width 2");
    FAILS(prune_network_create_mlp(&network, NULL, "784-16777217"), PRUNE_E_SPEC, "16777216");
    FAILS(prune_network_create_mlp(&network, NULL, "784-99999999999999999999"), PRUNE_E_SPEC, "16777216");
    FAILS(prune_network_create_mlp(&network, NULL, "784-10 "), PRUNE_E_SPEC, "whole number");
    FAILS(prune_network_create_mlp(&network, NULL, "784x10"), PRUNE_E_SPEC, "whole number");
    FAILS(prune_network_create_mlp(&network, NULL, NULL), PRUNE_E_ARGUMENT, "widths");
    FAILS(prune_network_create_mlp(NULL, NULL, "2-1"), PRUNE_E_ARGUMENT, "out");
    ck_assert_ptr_eq(network, UNTOUCHED);
}
END_TEST

START_TEST(bad_nodes_leave_the_network_as_it_was)
{
    prune_network *n;
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[256] = '\0';
    OK(prune_network_create(&n, NULL));
    FAILS(prune_network_add_input(n, "x", 9, (const int64_t[9]){1}), PRUNE_E_SHAPE, "rank 9");
    FAILS(prune_network_add_input(n, "x", 1, (const int64_t[]){0}), PRUNE_E_SHAPE, "extent 0");
    FAILS(prune_network_add_input(n, "x", 2, (const int64_t[]){INT64_MAX, 2}), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_network_add_input(n, "", 1, (const int64_t[]){1}), PRUNE_E_ARGUMENT, "1 to 255");
    FAILS(prune_network_add_input(n, "a b", 1, (const int64_t[]){1}), PRUNE_E_ARGUMENT, "0x20");
    FAILS(prune_network_add_input(n, "\xc3\xa9", 1, (const int64_t[]){1}), PRUNE_E_ARGUMENT, "0xc3");
    FAILS(prune_network_add_input(n, longest, 1, (const int64_t[]){1}), PRUNE_E_ARGUMENT, "256 bytes");
    FAILS(prune_network_add_input(n, "x", 1, NULL), PRUNE_E_ARGUMENT, "shape");
    OK(prune_network_add_input(n, "x", 2, (const int64_t[]){2, 3}));
    FAILS(prune_network_add_input(n, "x", 1, (const int64_t[]){1}), PRUNE_E_ARGUMENT, "already");
    FAILS(prune_network_add_node(n, "a", "gelu", "x", "y"), PRUNE_E_SPEC, "linear, relu, flatten");
    FAILS(prune_network_add_node(n, "a", "relu:x=1", "x", "y"), PRUNE_E_SPEC, "unknown key");
    FAILS(prune_network_add_node(n, "a", "linear:in=6", "x", "y"), PRUNE_E_SPEC, "out");
    FAILS(prune_network_add_node(n, "a", "linear:in=0,out=1", "x", "y"), PRUNE_E_SPEC, "in=0");
    FAILS(prune_network_add_node(n, "a", "linear:in=6,out=1", "x", "y"), PRUNE_E_SHAPE, "flatten");
    FAILS(prune_network_add_node(n, "a", "relu", "z", "y"), PRUNE_E_ARGUMENT, "\"z\"");
    FAILS(prune_network_add_node(n, "a", "relu", "y", "y"), PRUNE_E_ARGUMENT, "nothing before it");
    FAILS(prune_network_add_node(n, "a", "relu", "x", "x"), PRUNE_E_ARGUMENT, "already");
    FAILS(prune_network_add_node(n, "", "relu", "x", "y"), PRUNE_E_ARGUMENT, "name of the node");
    OK(prune_network_add_node(n, "a", "flatten", "x", "flat"));
    FAILS(prune_network_add_node(n, "a", "relu", "x", "y"), PRUNE_E_ARGUMENT, "unique");
    FAILS(prune_network_add_node(n, "b", "linear:in=5,out=1", "flat", "y"), PRUNE_E_SHAPE, "samples of 6");
    FAILS(prune_network_add_output(n, "y"), PRUNE_E_ARGUMENT, "no value");
    OK(prune_network_add_output(n, "flat"));
    FAILS(prune_network_add_output(n, "flat"), PRUNE_E_ARGUMENT, "already");
    FAILS(prune_network_add_output(n, NULL), PRUNE_E_ARGUMENT, "value");
    ck_assert_int_eq(prune_network_node_count(n), 1);
    ck_assert_int_eq(prune_network_parameter_count(n), 0);
    ck_assert_int_eq(prune_network_output_count(n), 1);
    prune_network_free(n);
    prune_network_free(NULL);
}
END_TEST

START_TEST(initial_weights_are_he_uniform_and_the_same_everywhere)
{
    prune_network *a, *b;
    OK(prune_network_create_mlp(&a, NULL, "600-100-10"));
    OK(prune_network_create_mlp(&b, NULL, "600-100-10"));
    OK(prune_network_initialize(a, 7));
    OK(prune_network_initialize(b, 7));
    const float *w = numbers_of(a, "fc1.weight");
    ck_assert_mem_eq(w, numbers_of(b, "fc1.weight"), 60000 * sizeof(float));
    double most = 0, square = 0;
    for (int i = 0; i < 60000; i++) {
        most = fmax(most, fabs((double)w[i]));
        square += (double)w[i] * (double)w[i];
    }
    ck_assert_double_le(most, sqrt(6.0 / 600) * (1 + 1e-7));
    ck_assert_double_gt(most, 0.999 * sqrt(6.0 / 600));
    ck_assert_double_eq_tol(square / 60000, 2.0 / 600, 0.02 * 2 / 600); /* the variance that He et al. ask for */
    for (int i = 0; i < 100; i++)
        ck_assert(numbers_of(a, "fc1.bias")[i] == 0);
    OK(prune_network_initialize(b, 8));
    ck_assert_mem_ne(w, numbers_of(b, "fc1.weight"), 60000 * sizeof(float));
    prune_at_random(b, "fc1.weight", 0.5, 1);
    OK(prune_network_initialize(b, 7));
    int zeros = 0;
    for (int i = 0; i < 60000; i++)
        zeros += numbers_of(b, "fc1.weight")[i] == 0;
    ck_assert_int_eq(zeros, 60000 - prune_mask_kept(prune_network_mask(b, "fc1.weight")));
    prune_network_free(a);
    prune_network_free(b);
}
END_TEST

START_TEST(a_mask_prunes_and_a_copy_stands_alone)
{
    prune_network *network = random_mlp("4-3", 1), *copy;
    prune_mask *mask, *wrong;
    OK(prune_mask_create(&mask, NULL, 2, (const int64_t[]){3, 4}, 1));
    OK(prune_mask_create(&wrong, NULL, 2, (const int64_t[]){4, 3}, 1));
    OK(prune_mask_set(mask, 5, 0));
    OK(prune_network_copy(&copy, network));
    float held = numbers_of(network, "fc1.weight")[5];
    ck_assert(held != 0);
    FAILS(prune_network_set_mask(network, "fc1.weight", wrong), PRUNE_E_SHAPE, "12");
    FAILS(prune_network_set_mask(network, "fc2.weight", mask), PRUNE_E_ARGUMENT, "fc2.weight");
    FAILS(prune_network_set_mask(network, "fc1.bias", mask), PRUNE_E_SHAPE, "rank");
    FAILS(prune_network_set_mask(NULL, "fc1.weight", mask), PRUNE_E_ARGUMENT, "network");
    ck_assert_ptr_null(prune_network_mask(network, "fc1.weight"));
    numbers_of(network, "fc1.weight")[5] = NAN;
    OK(prune_network_set_mask(network, "fc1.weight", mask));
    ck_assert(numbers_of(network, "fc1.weight")[5] == 0 && !signbit(numbers_of(network, "fc1.weight")[5]));
    ck_assert_int_eq(prune_mask_kept(prune_network_mask(network, "fc1.weight")), 11);
    ck_assert(numbers_of(copy, "fc1.weight")[5] == held);
    ck_assert_ptr_null(prune_network_mask(copy, "fc1.weight"));
    prune_network_free(copy);
    OK(prune_network_copy(&copy, network));
    ck_assert_int_eq(prune_mask_kept(prune_network_mask(copy, "fc1.weight")), 11);
    OK(prune_network_set_mask(network, "fc1.weight", NULL));
    ck_assert_ptr_null(prune_network_mask(network, "fc1.weight"));
    prune_network_free(copy);
    prune_network_free(network);
    prune_mask_free(mask);
    prune_mask_free(wrong);
}
END_TEST

START_TEST(packing_makes_weights_sparse_and_biases_stay)
{
    prune_network *network = random_mlp("8-6-3", 1), *packed = UNTOUCHED, *again, *copy;
    prune_trainer *trainer = UNTOUCHED;
    prune_at_random(network, "fc1.weight", 0.3, 1);
    FAILS(prune_network_pack(&packed, network, "nm:keep_n=1,group_m=4"), PRUNE_E_VALUE, "fc1.weight");
    FAILS(prune_network_pack(&packed, network, "cso"), PRUNE_E_SPEC, "csr");
    FAILS(prune_network_pack(&packed, network, NULL), PRUNE_E_ARGUMENT, "spec");
    ck_assert_ptr_eq(packed, UNTOUCHED);
    OK(prune_network_pack(&packed, network, "csr"));
    ck_assert_int_eq(prune_network_is_packed(packed), 1);
    ck_assert_ptr_null(prune_network_parameter(packed, "fc1.weight"));
    ck_assert_ptr_nonnull(prune_network_parameter(packed, "fc1.bias"));
    ck_assert_int_eq(prune_sparse_stored(prune_network_sparse(packed, "fc1.weight")),
                     prune_mask_kept(prune_network_mask(network, "fc1.weight")));
    FAILS(prune_trainer_create(&trainer, packed, ""), PRUNE_E_UNSUPPORTED, "packed");
    FAILS(prune_network_initialize(packed, 1), PRUNE_E_UNSUPPORTED, "packed");
    FAILS(prune_network_set_mask(packed, "fc1.weight", NULL), PRUNE_E_UNSUPPORTED, "sparse");
    ck_assert_ptr_eq(trainer, UNTOUCHED);
    OK(prune_network_pack(&again, packed, "dense"));
    OK(prune_network_copy(&copy, packed));
    prune_tensor *tensor;
    const char *names[] = {"fc1.weight", "fc2.weight"};
    prune_network *of[] = {again, copy};
    for (int i = 0; i < 4; i++) {
        OK(prune_sparse_to_tensor(&tensor, prune_network_sparse(of[i / 2], names[i % 2])));
        ck_assert_mem_eq(prune_tensor_data(tensor), numbers_of(network, names[i % 2]),
                         (size_t)prune_tensor_count(tensor) * sizeof(float));
        prune_tensor_free(tensor);
    }
    prune_network_free(again);
    prune_network_free(copy);
    prune_network_free(packed);
    prune_network_free(network);
}
END_TEST

START_TEST(operators_say_what_they_cost)
{
    struct pr_values values = {.whole = {784, 300}};
    struct pm_sample_shape in = {1, {784}, 784};
    ck_assert_int_eq(pm_link_linear.macs(&values, &in), 235200);
    ck_assert_int_eq(pm_link_relu.macs(&values, &in), 0);
    ck_assert_int_eq(pm_link_flatten.macs(&values, &in), 0);
}
END_TEST

START_TEST(relu_passes_nan_and_clears_the_sign_of_zero)
{
    float x[19] = {-1, -0.0f, 0, 2, NAN, INFINITY, -INFINITY};
    x[17] = -3, x[18] = NAN;
    struct pm_pass pass = {.samples = 1, .in = 19, .out = 19, .x = x, .y = x};
    pm_link_relu.forward(&pass);
    ck_assert(x[0] == 0 && !signbit(x[0]) && !signbit(x[1]) && x[3] == 2 && isnan(x[4]) && isinf(x[5]) && x[6] == 0);
    ck_assert(x[17] == 0 && isnan(x[18]));
}
END_TEST

TEST_MAIN("network", gradients_of_a_branching_graph_are_finite_differences, a_node_that_nobody_needs_has_no_gradient,
          an_mlp_is_what_its_line_says, bad_widths_are_refused, bad_nodes_leave_the_network_as_it_was,
          initial_weights_are_he_uniform_and_the_same_everywhere, a_mask_prunes_and_a_copy_stands_alone,
          packing_makes_weights_sparse_and_biases_stay, operators_say_what_they_cost,
          relu_passes_nan_and_clears_the_sign_of_zero)
