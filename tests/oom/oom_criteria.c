/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running out of memory in criteria that look at a whole tensor or at kept gradients, and in regularisers.
 */
#include "weights.h"

static int32_t ones(void *user, const prune_tensor *weights, const prune_observations *observations,
                    prune_tensor *importances)
{
    (void)user, (void)weights, (void)observations;
    for (int64_t i = 0; i < prune_tensor_count(importances); i++)
        ((double *)prune_tensor_data(importances))[i] = 1;
    return PRUNE_OK;
}

static int32_t score(prune_context *context, const char *spec, const char *granularity,
                     const prune_observations *observations, const prune_tensor *weights)
{
    prune_criterion *criterion = NULL;
    prune_granularity *cut = NULL;
    prune_scores *scores = NULL;
    int32_t status = spec ? prune_criterion_create(&criterion, context, spec)
                          : prune_criterion_from_callback(&criterion, context, ones, NULL, "aggregate=mean");
    if (!status)
        status = prune_granularity_create(&cut, context, granularity);
    if (!status)
        status = prune_criterion_score(&scores, criterion, weights, observations, cut);
    OOM_REQUIRE(!status == !!scores);
    prune_scores_free(scores);
    prune_granularity_free(cut);
    prune_criterion_free(criterion);
    return status;
}

static int32_t criteria(prune_context *context)
{
    const char *specs[] = {"lamp", "fpgm", "l1:aggregate=product,normalize=l2", "woodfisher:block=10", "mfac", NULL};
    prune_tensor *weights = NULL;
    prune_observations *observations = NULL;
    int32_t status = prune_tensor_borrow(&weights, context, values, PRUNE_F32, 2, shape, NULL);
    if (!status)
        status = prune_observations_create(&observations, context, PRUNE_OBSERVE_GRADIENT_SAMPLES);
    for (int i = 0; i < 2 && !status; i++)
        status = prune_observations_feed(observations, PRUNE_GRADIENTS, weights);
    for (int i = 0; i < 12 && !status; i++)
        status = score(context, specs[i / 2], i % 2 ? "row" : "element", observations, weights);
    prune_observations_free(observations);
    prune_tensor_free(weights);
    return status;
}

static int32_t regularisers(prune_context *context)
{
    prune_tensor *weights = NULL;
    prune_regularizer *regularizer = NULL;
    prune_granularity *rows = NULL;
    float copy[ROWS * COLUMNS];
    double penalty = -1;
    memcpy(copy, values, sizeof copy);
    int32_t status = prune_tensor_borrow(&weights, context, copy, PRUNE_F32, 2, shape, NULL);
    if (!status)
        status = prune_regularizer_create(&regularizer, context, "group:strength=1");
    if (!status)
        status = prune_granularity_create(&rows, context, "row");
    if (!status)
        status = prune_regularizer_penalty(regularizer, weights, rows, &penalty);
    OOM_REQUIRE(status ? penalty == -1 : penalty > 0);
    if (!status)
        status = prune_regularizer_proximal(regularizer, weights, rows, 1);
    OOM_REQUIRE((memcmp(copy, values, sizeof copy) != 0) == !status);
    prune_granularity_free(rows);
    prune_regularizer_free(regularizer);
    prune_tensor_free(weights);
    return status;
}

START_TEST(scoring)
{
    start();
    ck_assert_int_gt(oom_sweep_context("criteria", criteria, NULL), 40);
}
END_TEST

START_TEST(regularising)
{
    start();
    ck_assert_int_gt(oom_sweep_context("regularisers", regularisers, NULL), 8);
}
END_TEST

TEST_MAIN("oom_criteria", scoring, regularising)
