/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running out of memory on the way from a tensor to a mask, and from a mask to a product.
 */
#include "weights.h"

static int32_t mask_from_tensor(prune_context *context)
{
    prune_tensor *tensor = NULL;
    prune_mask *some = NULL, *pattern = NULL, *both = NULL;
    int32_t status = prune_tensor_borrow(&tensor, context, values, PRUNE_F32, 2, shape, NULL);
    if (!status)
        status = select_mask(&some, tensor, context, "element", PRUNE_SPARSITY, 0.25);
    if (!status)
        status = select_mask(&pattern, tensor, context, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0);
    if (!status)
        status = prune_mask_and(&both, some, pattern);
    if (!status) {
        OOM_REQUIRE(prune_mask_kept(some) == ROWS * COLUMNS * 3 / 4);
        OOM_REQUIRE(prune_mask_kept(pattern) == ROWS * COLUMNS / 2);
        OOM_REQUIRE(prune_mask_kept(both) <= prune_mask_kept(pattern));
    } else {
        OOM_REQUIRE(!both);
    }
    prune_mask_free(both);
    prune_mask_free(pattern);
    prune_mask_free(some);
    prune_tensor_free(tensor);
    return status;
}

static int32_t many_tensors(prune_context *context)
{
    prune_tensor *tensor = NULL;
    prune_granularity *granularity = NULL;
    prune_criterion *criterion = NULL;
    prune_scores *scores = NULL;
    prune_selection *selection = NULL;
    prune_mask *some = NULL, *mask = NULL;
    double cost = -1;
    int32_t status = prune_tensor_borrow(&tensor, context, values, PRUNE_F32, 2, shape, NULL);
    status = status ? status : prune_granularity_create(&granularity, context, "element");
    status = status ? status : prune_criterion_create(&criterion, context, "l1");
    status = status ? status : prune_criterion_score(&scores, criterion, tensor, NULL, granularity);
    status = status ? status : prune_mask_magnitude(&some, tensor, granularity, PRUNE_SPARSITY, 0.25);
    status = status ? status : prune_selection_create(&selection, context);
    status = status ? status : prune_selection_add(selection, scores, some, 2, NULL);
    status = status ? status : prune_selection_add(selection, scores, NULL, 1, NULL);
    status = status ? status : prune_selection_solve(selection, "er", PRUNE_BUDGET, 12, NULL);
    status = status ? status : prune_selection_solve(selection, NULL, PRUNE_KEEP, 10, NULL);
    status = status ? status : prune_selection_cost(selection, &cost);
    status = status ? status : prune_selection_mask(&mask, selection, 0);
    OOM_REQUIRE(status ? !mask : cost >= 10 && prune_mask_kept(mask) <= 10);
    prune_mask_free(mask);
    prune_selection_free(selection);
    prune_mask_free(some);
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    prune_tensor_free(tensor);
    return status;
}

/* Y = relu(2 scale W X + bias) in the format of `spec`, compared with the sum written out. */
static int32_t product(const prune_tensor *weights, const prune_mask *mask, prune_context *context, const char *spec)
{
    enum { N = 3 };
    float x[COLUMNS * N], y[ROWS * N], bias[ROWS], scale[ROWS];
    prune_packed *packed = NULL;
    prune_epilogue *epilogue = NULL;
    for (int i = 0; i < COLUMNS * N; i++)
        x[i] = (float)(i % 7 - 3);
    for (int i = 0; i < ROWS * N; i++)
        y[i] = -1;
    for (int i = 0; i < ROWS; i++)
        bias[i] = scale[i] = (float)i;
    int32_t status = prune_packed_create(&packed, weights, mask, spec);
    if (!status)
        status = prune_epilogue_create(&epilogue, context, scale, bias, ROWS, "activation=relu,alpha=2");
    if (!status)
        status = prune_packed_run(packed, y, N, x, N, N, epilogue);
    for (int row = 0; !status && row < ROWS; row++)
        for (int j = 0; j < N; j++) {
            float sum = 0;
            for (int k = 0; k < COLUMNS; k++) {
                int32_t kept = 0;
                prune_mask_get(mask, row * COLUMNS + k, &kept);
                sum += kept ? values[row * COLUMNS + k] * x[k * N + j] : 0;
            }
            sum = 2 * scale[row] * sum + bias[row];
            OOM_REQUIRE(y[row * N + j] == (sum > 0 ? sum : 0)); /* small whole numbers: exact */
        }
    prune_epilogue_free(epilogue);
    prune_packed_free(packed);
    return status;
}

static int32_t pack_and_multiply(prune_context *context)
{
    prune_tensor *tensor = NULL;
    prune_mask *mask = NULL;
    int32_t status = prune_tensor_borrow(&tensor, context, values, PRUNE_F32, 2, shape, NULL);
    if (!status)
        status = select_mask(&mask, tensor, context, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0);
    if (!status)
        status = product(tensor, mask, context, "format=csr,columns=3");
    if (!status)
        status = product(tensor, mask, context, "format=nm,columns=3");
    if (!status)
        status = product(tensor, mask, context, "format=dense,columns=3");
    prune_mask_free(mask);
    prune_tensor_free(tensor);
    return status;
}

/* A packed object's blob, and it again from the blob. */
static int32_t blob(prune_context *context)
{
    prune_tensor *tensor = NULL;
    prune_packed *packed = NULL, *back = NULL;
    const void *data = NULL;
    int64_t bytes = 0;
    int32_t status = prune_tensor_borrow(&tensor, context, values, PRUNE_F32, 2, shape, NULL);
    if (!status)
        status = prune_packed_create(&packed, tensor, NULL, "format=csr");
    if (!status)
        status = prune_packed_blob(packed, &data, &bytes);
    if (!status)
        status = prune_packed_load(&back, context, data, bytes);
    OOM_REQUIRE(!status == (back != NULL));
    prune_packed_free(back);
    prune_packed_free(packed);
    prune_tensor_free(tensor);
    return status;
}

/* Inputs and gradients observed, saved, loaded and merged; then scores by what was observed. */
static int32_t observe(prune_observations **out, const prune_tensor *tensor, prune_context *context)
{
    prune_observations *o = NULL, *back = NULL;
    prune_tensor *blob = NULL;
    int32_t status = prune_observations_create(
        &o, context, PRUNE_OBSERVE_GRAM | PRUNE_OBSERVE_INPUT_NORMS | PRUNE_OBSERVE_GRADIENT_SAMPLES);
    if (!status)
        status = prune_observations_feed(o, PRUNE_INPUTS, tensor);
    if (!status)
        status = prune_observations_feed(o, PRUNE_GRADIENTS, tensor);
    if (!status)
        status = prune_observations_save(&blob, o);
    if (!status)
        status = prune_observations_load(&back, context, prune_tensor_const_data(blob), prune_tensor_count(blob));
    if (!status)
        status = prune_observations_merge(o, back);
    OOM_REQUIRE(status || (prune_observations_count(o, PRUNE_INPUTS) == 2 * ROWS && prune_observations_kept(o) == 2));
    prune_tensor_free(blob);
    prune_observations_free(back);
    if (status)
        prune_observations_free(o);
    else
        *out = o;
    return status;
}

static int32_t score_observed(prune_context *context)
{
    const char *const kinds[] = {"wanda", "taylor-gate"};
    prune_tensor *tensor = NULL;
    prune_observations *o = NULL;
    prune_granularity *row = NULL;
    int32_t status = prune_tensor_borrow(&tensor, context, values, PRUNE_F32, 2, shape, NULL);
    if (!status)
        status = prune_granularity_create(&row, context, "row");
    if (!status)
        status = observe(&o, tensor, context);
    for (int i = 0; !status && i < 2; i++) {
        prune_criterion *criterion = NULL;
        prune_scores *scores = NULL;
        status = prune_criterion_create(&criterion, context, kinds[i]);
        if (!status)
            status = prune_criterion_score(&scores, criterion, tensor, o, row);
        OOM_REQUIRE(!status == (scores != NULL));
        prune_scores_free(scores);
        prune_criterion_free(criterion);
    }
    prune_observations_free(o);
    prune_granularity_free(row);
    prune_tensor_free(tensor);
    return status;
}

START_TEST(a_mask_from_a_tensor)
{
    start();
    ck_assert_int_gt(oom_sweep_context("mask from tensor", mask_from_tensor, NULL), 10);
    oom_sweep_malloc("mask from tensor", mask_from_tensor, NULL);
    ck_assert_int_gt(oom_sweep_context("many tensors", many_tensors, NULL), 10);
}
END_TEST

START_TEST(packing_and_multiplying)
{
    start();
    ck_assert_int_gt(oom_sweep_context("pack and multiply", pack_and_multiply, NULL), 10);
    oom_sweep_malloc("pack and multiply", pack_and_multiply, NULL);
}
END_TEST

START_TEST(packed_objects_as_blobs)
{
    start();
    ck_assert_int_gt(oom_sweep_context("packed objects as blobs", blob, NULL), 3);
}
END_TEST

START_TEST(observing_and_scoring)
{
    start();
    ck_assert_int_gt(oom_sweep_context("observe and score", score_observed, NULL), 20);
}
END_TEST

TEST_MAIN("oom_core", a_mask_from_a_tensor, packing_and_multiplying, packed_objects_as_blobs, observing_and_scoring)
