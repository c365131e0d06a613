/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Graphs built by hand: names, order, parameters and masks.
 */
#include "graphs.h"

static prune_graph *empty(void)
{
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, 13));
    return graph;
}

static const int64_t four[] = {4};

START_TEST(nodes_are_put_in_an_order_in_which_inputs_exist)
{
    prune_graph *graph = empty();
    add_input(graph->body, "x", PRUNE_F32, 1, four);
    OK(add_node(graph->body, "last", "Relu", "b", "y", NULL));
    OK(add_node(graph->body, "first", "Relu", "x", "a", NULL));
    OK(add_node(graph->body, "second", "Relu", "a", "b", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    ck_assert_str_eq(prune_graph_node_name(graph, 0), "first");
    ck_assert_str_eq(prune_graph_node_name(graph, 1), "second");
    ck_assert_str_eq(prune_graph_node_name(graph, 2), "last");
    ck_assert_ptr_null(prune_graph_node_name(graph, 3));
    ck_assert_int_eq(graph->body->values[pm_body_find(graph->body, "y")].node, 2);
    prune_graph_free(graph);
}
END_TEST

START_TEST(the_order_of_a_file_that_has_it_right_stays)
{
    prune_graph *graph = empty();
    add_input(graph->body, "x", PRUNE_F32, 1, four);
    OK(add_node(graph->body, "a", "Relu", "x", "p", NULL));
    OK(add_node(graph->body, "b", "Relu", "x", "q", NULL));
    OK(add_node(graph->body, "c", "Add", "q,p", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    for (int32_t i = 0; i < 3; i++)
        ck_assert_int_eq(prune_graph_node_name(graph, i)[0], 'a' + i);
    prune_graph_free(graph);
}
END_TEST

START_TEST(circles_and_values_that_nothing_makes_are_refused)
{
    prune_graph *graph = empty();
    add_input(graph->body, "x", PRUNE_F32, 1, four);
    OK(add_node(graph->body, "one", "Add", "x,b", "a", NULL));
    OK(add_node(graph->body, "two", "Relu", "a", "b", NULL));
    FAILS(pm_graph_finish(graph), PRUNE_E_FORMAT, "circle");
    prune_graph_free(graph);
    graph = empty();
    OK(add_node(graph->body, "one", "Relu", "nowhere", "a", NULL));
    FAILS(pm_graph_finish(graph), PRUNE_E_FORMAT, "\"nowhere\"");
    prune_graph_free(graph);
    graph = empty();
    add_output(graph->body, "missing");
    FAILS(pm_graph_finish(graph), PRUNE_E_FORMAT, "output \"missing\"");
    prune_graph_free(graph);
}
END_TEST

START_TEST(a_chain_of_100000_nodes_in_reverse_is_sorted_without_recursion)
{
    prune_graph *graph = empty();
    char name[24], from[24], to[24];
    add_input(graph->body, "v0", PRUNE_F32, 1, four);
    for (int i = 99999; i >= 0; i--) {
        snprintf(name, sizeof name, "n%d", i);
        snprintf(from, sizeof from, "v%d", i);
        snprintf(to, sizeof to, "v%d", i + 1);
        OK(add_node(graph->body, name, "Relu", from, to, NULL));
    }
    add_output(graph->body, "v100000");
    OK(pm_graph_finish(graph));
    ck_assert_str_eq(prune_graph_node_name(graph, 0), "n0");
    ck_assert_str_eq(prune_graph_node_name(graph, 99999), "n99999");
    prune_graph_free(graph);
}
END_TEST

START_TEST(a_name_has_one_source)
{
    prune_graph *graph = empty();
    const float numbers[4] = {1, -2, 3, 0};
    int32_t value, parameter;
    prune_tensor *tensor;
    add_input(graph->body, "x", PRUNE_F32, 1, four);
    add_parameter(graph->body, "w", PRUNE_F32, 1, four, numbers);
    OK(add_node(graph->body, "one", "Relu", "x", "a", NULL));
    FAILS(add_node(graph->body, "two", "Relu", "x", "a", NULL), PRUNE_E_FORMAT, "made by node \"one\"");
    FAILS(add_node(graph->body, "three", "Relu", "x", "w", NULL), PRUNE_E_FORMAT, "parameter");
    FAILS(add_node(graph->body, "four", "Relu", "a", "x", NULL), PRUNE_E_FORMAT, "input");
    FAILS(add_node(graph->body, "five", "Split", "a", "s,s", NULL), PRUNE_E_FORMAT, "twice");
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 1, four));
    OK(pm_body_value(graph->body, "w", &value));
    FAILS(pm_body_add_parameter(graph->body, value, tensor, &parameter), PRUNE_E_FORMAT, "\"w\"");
    prune_tensor_free(tensor);
    prune_graph_free(graph);
}
END_TEST

START_TEST(branches_see_values_around_them)
{
    prune_graph *graph = empty();
    struct pm_body *branch;
    OK(pm_body_create(&branch, NULL, graph->body));
    add_input(graph->body, "c", PRUNE_BOOL, 0, NULL);
    add_input(graph->body, "x", PRUNE_F32, 1, four);
    OK(add_node(branch, "inside", "Relu", "late", "r", NULL));
    add_output(branch, "r");
    OK(add_node(graph->body, "choose", "If", "c", "y", "then_branch", PM_BODY, branch, NULL));
    OK(add_node(graph->body, "makes", "Relu", "x", "late", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    ck_assert_str_eq(prune_graph_node_name(graph, 0), "makes");
    ck_assert_int_eq(branch->values[pm_body_find(branch, "late")].outer, pm_body_find(graph->body, "late"));
    prune_graph_free(graph);
}
END_TEST

START_TEST(inputs_outputs_and_parameters_are_listed)
{
    prune_graph *graph = empty();
    const float numbers[4] = {1, -2, 3, 0};
    int32_t dtype = 0, rank = 0;
    int64_t shape[PRUNE_MAX_RANK];
    add_input(graph->body, "x", PRUNE_F32, 1, four);
    add_parameter(graph->body, "w", PRUNE_F32, 1, four, numbers);
    OK(pm_body_add_input(graph->body, pm_body_find(graph->body, "w"))); /* an initializer may be listed as an input */
    OK(add_node(graph->body, "sum", "Add", "x,w", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    ck_assert_int_eq(prune_graph_input_count(graph), 1);
    ck_assert_str_eq(prune_graph_input_name(graph, 0), "x");
    ck_assert_ptr_null(prune_graph_input_name(graph, 1));
    OK(prune_graph_input_type(graph, 0, &dtype, &rank, shape));
    ck_assert(dtype == PRUNE_F32 && rank == 1 && shape[0] == 4);
    FAILS(prune_graph_input_type(graph, 1, &dtype, NULL, NULL), PRUNE_E_ARGUMENT, "no input 1");
    ck_assert_str_eq(prune_graph_output_name(graph, 0), "y");
    ck_assert_int_eq(prune_graph_parameter_count(graph), 1);
    ck_assert_str_eq(prune_graph_parameter_name(graph, 0), "w");
    ck_assert_ptr_null(prune_graph_parameter(graph, "v"));
    prune_graph_free(graph);
}
END_TEST

START_TEST(masks_set_what_they_prune_to_zero)
{
    prune_graph *graph = empty();
    const float numbers[4] = {1, -2, 3, -0.0F}, fresh[4] = {5, 6, 7, 8};
    const int64_t two[] = {2, 2}, indices[4] = {0, 1, 2, 3};
    uint8_t bytes[4] = {0, 1, 1, 0};
    prune_tensor *keep, *values, *wrong;
    prune_mask *mask, *other;
    add_parameter(graph->body, "w", PRUNE_F32, 1, four, numbers);
    add_parameter(graph->body, "i", PRUNE_I64, 1, four, indices);
    OK(pm_graph_finish(graph));
    OK(prune_tensor_borrow(&keep, NULL, bytes, PRUNE_BOOL, 1, four, NULL));
    OK(prune_mask_from_bool(&mask, keep));
    OK(prune_graph_set_mask(graph, "w", mask));
    const float *now = prune_tensor_const_data(prune_graph_parameter(graph, "w"));
    ck_assert_mem_eq(now, ((float[]){0, -2, 3, 0}), 16);
    ck_assert(prune_mask_kept(prune_graph_mask(graph, "w")) == 2);
    OK(prune_tensor_borrow(&values, NULL, (void *)(uintptr_t)fresh, PRUNE_F32, 1, four, NULL));
    OK(prune_graph_set_parameter(graph, "w", values));
    ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(graph, "w")), ((float[]){0, 6, 7, 0}), 16);
    FAILS(prune_graph_set_mask(graph, "i", mask), PRUNE_E_DTYPE, "i64");
    FAILS(prune_graph_set_mask(graph, "v", mask), PRUNE_E_ARGUMENT, "\"v\"");
    OK(prune_mask_create(&other, NULL, 2, two, 1));
    FAILS(prune_graph_set_mask(graph, "w", other), PRUNE_E_SHAPE, "\"w\"");
    OK(prune_tensor_create(&wrong, NULL, PRUNE_F32, 2, two));
    FAILS(prune_graph_set_parameter(graph, "w", wrong), PRUNE_E_SHAPE, "rank 2");
    ck_assert_mem_eq(prune_tensor_const_data(prune_graph_parameter(graph, "w")), ((float[]){0, 6, 7, 0}), 16);
    OK(prune_graph_set_mask(graph, "w", NULL));
    ck_assert_ptr_null(prune_graph_mask(graph, "w"));
    prune_tensor_free(keep);
    prune_tensor_free(values);
    prune_tensor_free(wrong);
    prune_mask_free(mask);
    prune_mask_free(other);
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("graph", nodes_are_put_in_an_order_in_which_inputs_exist, the_order_of_a_file_that_has_it_right_stays,
          circles_and_values_that_nothing_makes_are_refused,
          a_chain_of_100000_nodes_in_reverse_is_sorted_without_recursion, a_name_has_one_source,
          branches_see_values_around_them, inputs_outputs_and_parameters_are_listed, masks_set_what_they_prune_to_zero)
