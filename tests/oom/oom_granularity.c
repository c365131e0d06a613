/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running out of memory in granularities with solvers of their own, and in checks.
 */
#include "weights.h"

/* Kinds with solvers of their own, lifting and lowering, checks. */
static int32_t solved_masks(prune_context *context)
{
    static const struct {
        const char *spec;
        int32_t target;
        double amount;
        int64_t kept;
    } cases[] = {
        {"nm-transposable:keep_n=2,group_m=4", PRUNE_QUOTA, 0, 48},
        {"nm-transposable:keep_n=2,group_m=4,solver=exhaustive", PRUNE_QUOTA, 0, 48},
        {"pattern:keep_n=1,patterns=2", PRUNE_QUOTA, 0, 16},
        {"balanced:processing_elements=3", PRUNE_KEEP, 31, 31},
        {"block:block=2x3", PRUNE_KEEP, 4, 24},
    };
    const int64_t kernels[] = {ROWS, 2, 2, 3};
    int32_t status = PRUNE_OK;
    for (size_t i = 0; i < sizeof cases / sizeof *cases && !status; i++) {
        prune_tensor *tensor = NULL;
        prune_granularity *granularity = NULL;
        prune_mask *mask = NULL, *lifted = NULL, *lowered = NULL;
        uint8_t units[ROWS];
        int32_t holds = 0;
        int rank = cases[i].spec[0] == 'n' ? 2 : 4;
        status = prune_tensor_borrow(&tensor, context, values, PRUNE_F32, rank, rank == 2 ? shape : kernels, NULL);
        if (!status)
            status = select_mask(&mask, tensor, context, cases[i].spec, cases[i].target, cases[i].amount);
        if (!status)
            status = prune_granularity_create(&granularity, context, cases[i].spec);
        if (!status)
            status = prune_granularity_check(granularity, mask, &holds, NULL);
        OOM_REQUIRE(status || (holds == 1 && prune_mask_kept(mask) == cases[i].kept));
        prune_granularity_free(granularity);
        granularity = NULL;
        if (!status)
            status = prune_granularity_create(&granularity, context, "filter");
        if (!status)
            status = prune_granularity_lift(&lifted, granularity, mask, units, ROWS);
        if (!status)
            status = prune_granularity_lower(&lowered, granularity, rank, prune_mask_shape(mask), units, ROWS);
        OOM_REQUIRE(!status || !lowered);
        prune_mask_free(lowered);
        prune_mask_free(lifted);
        prune_mask_free(mask);
        prune_granularity_free(granularity);
        prune_tensor_free(tensor);
    }
    return status;
}

static int32_t certificate(prune_context *context)
{
    float norms[COLUMNS];
    prune_tensor *tensor = NULL, *inputs = NULL;
    prune_mask *mask = NULL;
    const int64_t in = COLUMNS;
    double bound = 7;
    int32_t holds = 7;
    for (int i = 0; i < COLUMNS; i++)
        norms[i] = 1;
    int32_t status = prune_tensor_borrow(&tensor, context, values, PRUNE_F32, 2, shape, NULL);
    if (!status)
        status = prune_tensor_borrow(&inputs, context, norms, PRUNE_F32, 1, &in, NULL);
    if (!status)
        status = select_mask(&mask, tensor, context, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0);
    for (int32_t i = 0; i < prune_pattern_count() && !status; i++)
        status = prune_pattern_check(i, mask, &holds, NULL);
    if (!status)
        status = prune_mask_error_bound(mask, tensor, inputs, NULL, 0, &bound);
    OOM_REQUIRE(status ? bound == 7 : bound > 7);
    prune_mask_free(mask);
    prune_tensor_free(inputs);
    prune_tensor_free(tensor);
    return status;
}

START_TEST(masks_of_solvers_and_checks)
{
    start();
    ck_assert_int_gt(oom_sweep_context("masks of solvers", solved_masks, NULL), 20);
    ck_assert_int_gt(oom_sweep_context("certificate", certificate, NULL), 10);
}
END_TEST

TEST_MAIN("oom_granularity", masks_of_solvers_and_checks)
