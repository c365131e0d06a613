/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What models answer: differences, samples ranked right, zeros that become masks.
 */
#include <math.h>

#include "operators.h"

#include "model/graph/session.h"
#include "prune/compare.h"

static prune_tensor *tensor(int32_t rank, const int64_t *shape, const float *numbers)
{
    prune_tensor *made;
    OK(prune_tensor_create(&made, NULL, PRUNE_F32, rank, shape));
    memcpy(prune_tensor_data(made), numbers, (size_t)prune_tensor_count(made) * sizeof *numbers);
    return made;
}

static prune_tensor *labels_of(int64_t count, const int64_t *numbers)
{
    prune_tensor *made;
    OK(prune_tensor_create(&made, NULL, PRUNE_I64, 1, &count));
    memcpy(prune_tensor_data(made), numbers, (size_t)count * sizeof *numbers);
    return made;
}

static void expect_difference(const float *a, const float *b, double largest, double relative)
{
    static const int64_t shape[] = {2, 2};
    prune_tensor *x = tensor(2, shape, a), *y = tensor(2, shape, b);
    double far = -1, scaled = -1;
    OK(prune_outputs_difference(&far, &scaled, x, y));
    ck_assert(far == largest);
    ck_assert(scaled == relative);
    prune_tensor_free(x);
    prune_tensor_free(y);
}

START_TEST(differences_are_the_largest_and_by_the_largest)
{
    expect_difference((const float[]){1, -4, 0, 2}, (const float[]){1, -4, 0, 2}, 0, 0);
    expect_difference((const float[]){1, -4, 0, 2}, (const float[]){1.5f, -3, 0, 2}, 1, 0.25);
    expect_difference((const float[]){0, 0, 0, 0}, (const float[]){0, -2, 0, 0}, 2, INFINITY);
    expect_difference((const float[]){NAN, INFINITY, 1, -INFINITY}, (const float[]){NAN, INFINITY, 1, -INFINITY}, 0, 0);
    expect_difference((const float[]){NAN, 1, 1, 1}, (const float[]){1, 1, 1, 1}, INFINITY, INFINITY);
    expect_difference((const float[]){INFINITY, 1, 1, 1}, (const float[]){-INFINITY, 1, 1, 1}, INFINITY, INFINITY);
}
END_TEST

START_TEST(outputs_of_two_shapes_are_refused)
{
    static const int64_t flat[] = {4}, square[] = {2, 2}, wide[] = {1, 4};
    static const float numbers[4] = {0};
    prune_tensor *a = tensor(1, flat, numbers), *b = tensor(2, square, numbers), *c = tensor(2, wide, numbers);
    double far = 7, scaled = 8;
    FAILS(prune_outputs_difference(&far, &scaled, a, b), PRUNE_E_SHAPE, "rank 1");
    FAILS(prune_outputs_difference(&far, &scaled, b, c), PRUNE_E_SHAPE, "one shape");
    ck_assert(far == 7 && scaled == 8);
    FAILS(prune_outputs_difference(NULL, &scaled, a, a), PRUNE_E_ARGUMENT, "largest");
    prune_tensor_free(a);
    prune_tensor_free(b);
    prune_tensor_free(c);
}
END_TEST

START_TEST(the_first_of_equal_logits_counts_a_nan_never)
{
    static const int64_t shape[] = {4, 3};
    static const float logits[] = {1, 3, 3, NAN, -2, -1, NAN, NAN, NAN, 5, 4, 5};
    static const int64_t right[] = {9, 1, 2, 0, 0}, wrong[] = {9, 2, 0, 1, 2};
    prune_tensor *x = tensor(2, shape, logits), *y = labels_of(5, right), *z = labels_of(5, wrong);
    int64_t correct = -1;
    OK(prune_outputs_correct(&correct, x, y, 1));
    ck_assert_int_eq(correct, 3);
    OK(prune_outputs_correct(&correct, x, z, 1));
    ck_assert_int_eq(correct, 0);
    prune_tensor_free(x);
    prune_tensor_free(y);
    prune_tensor_free(z);
}
END_TEST

START_TEST(labels_that_do_not_fit_are_refused)
{
    static const int64_t shape[] = {2, 3};
    static const float numbers[6] = {0};
    int64_t correct = 7;
    prune_tensor *x = tensor(2, shape, numbers), *outside = labels_of(2, (const int64_t[]){0, 3});
    prune_tensor *below = labels_of(2, (const int64_t[]){-1, 0}), *few = labels_of(1, (const int64_t[]){0});
    FAILS(prune_outputs_correct(&correct, x, outside, 0), PRUNE_E_VALUE,
          "label 3 of sample 1 is outside the 3 classes");
    FAILS(prune_outputs_correct(&correct, x, below, 0), PRUNE_E_VALUE, "label -1 of sample 0");
    FAILS(prune_outputs_correct(&correct, x, few, 0), PRUNE_E_SHAPE, "there are 1 labels");
    FAILS(prune_outputs_correct(&correct, x, outside, 1), PRUNE_E_SHAPE, "2 samples from 1 on");
    FAILS(prune_outputs_correct(&correct, x, outside, -1), PRUNE_E_SHAPE, "-1");
    FAILS(prune_outputs_correct(&correct, x, x, 0), PRUNE_E_SHAPE, "rank 2");
    FAILS(prune_outputs_correct(&correct, outside, few, 0), PRUNE_E_SHAPE, "i64");
    ck_assert_int_eq(correct, 7);
    prune_tensor_free(x);
    prune_tensor_free(outside);
    prune_tensor_free(below);
    prune_tensor_free(few);
}
END_TEST

/* y = x w with w of 2 x 4. */
static prune_graph *product(const float *w)
{
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 2, (const int64_t[]){3, 2});
    add_parameter(graph->body, "w", PRUNE_F32, 2, (const int64_t[]){2, 4}, w);
    OK(add_node(graph->body, "product", "MatMul", "x,w", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    return graph;
}

START_TEST(zeros_become_masks_where_there_are_enough)
{
    static const float w[] = {1, 0, 2, -0.0f, NAN, 3, 4, 5};
    prune_graph *graph = product(w);
    int32_t count = -1;
    OK(prune_graph_mask_zeros(graph, 0.26, &count));
    ck_assert_int_eq(count, 0);
    ck_assert_ptr_null(prune_graph_mask(graph, "w"));
    FAILS(prune_graph_mask_zeros(graph, 1.5, &count), PRUNE_E_ARGUMENT, "0 to 1");
    FAILS(prune_graph_mask_zeros(graph, NAN, &count), PRUNE_E_ARGUMENT, "0 to 1");
    OK(prune_graph_mask_zeros(graph, 0.25, &count));
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(prune_mask_kept(prune_graph_mask(graph, "w")), 6);
    OK(prune_graph_mask_zeros(graph, 0, &count));
    ck_assert_int_eq(count, 0);
    prune_graph_free(graph);
}
END_TEST

START_TEST(kept_multiply_adds_follow_the_mask)
{
    static const float w[] = {1, 0, 2, 0, 1, 3, 4, 5};
    static const int64_t shape[] = {3, 2};
    static const float numbers[6] = {0};
    prune_graph *graph = product(w);
    prune_session *session;
    prune_tensor *x = tensor(2, shape, numbers);
    for (int masked = 0; masked < 2; masked++) {
        OK(prune_session_create(&session, graph, 1, (const char *const[]){"x"}, (const prune_tensor *const[]){x}, NULL,
                                NULL));
        ck_assert_int_eq(prune_session_step_macs(session, 0), 24);
        ck_assert_int_eq(prune_session_step_kept_macs(session, 0), masked ? 18 : 24);
        ck_assert_int_eq(prune_session_step_kept_macs(session, 1), 0);
        ck_assert_int_eq(prune_session_step_kept_macs(NULL, 0), 0);
        prune_session_free(session);
        OK(prune_graph_mask_zeros(graph, 0.1, NULL));
    }
    prune_tensor_free(x);
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("outputs", differences_are_the_largest_and_by_the_largest, outputs_of_two_shapes_are_refused,
          the_first_of_equal_logits_counts_a_nan_never, labels_that_do_not_fit_are_refused,
          zeros_become_masks_where_there_are_enough, kept_multiply_adds_follow_the_mask)
