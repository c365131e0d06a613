/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rng.h"
#include "pruning.h"

static prune_mask *magnitude(const void *w, int32_t dtype, int32_t rank, const int64_t *shape, const char *granularity,
                             int32_t target, double amount, int threads)
{
    prune_context *context;
    prune_tensor *weights;
    prune_granularity *g = cut(granularity);
    prune_mask *mask;
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, threads));
    OK(prune_tensor_borrow(&weights, context, (void *)(uintptr_t)w, dtype, rank, shape, NULL));
    OK(prune_mask_magnitude(&mask, weights, g, target, amount));
    prune_granularity_free(g);
    prune_tensor_free(weights);
    prune_context_free(context);
    return mask;
}

static const float LAB[25] = {-.46f, -.40f, .39f, .19f, .37f, 0,    .40f,  .17f, -.15f, .16f,  -.20f, -.23f, .36f,
                              .25f,  .03f,  .24f, .41f, .07f, .13f, -.15f, .48f, -.09f, -.36f, .12f,  .45f};

START_TEST(quality_factor_of_the_lab_tensor)
{
    prune_tensor *weights = borrow(LAB, PRUNE_F32, 2, SHAPE(5, 5));
    double threshold = 0;
    OK(prune_quality_threshold(weights, 1, &threshold));
    ck_assert_double_eq_tol(threshold, .274554, 1e-6);
    OK(prune_quality_threshold(weights, 2, &threshold));
    ck_assert_double_eq_tol(threshold, .549108, 1e-6);
    prune_tensor_free(weights);
    expect_kept(magnitude(LAB, PRUNE_F32, 2, SHAPE(5, 5), "element", PRUNE_QUALITY, 1, 1), 10);
    expect_kept(magnitude(LAB, PRUNE_F32, 2, SHAPE(5, 5), "element", PRUNE_QUALITY, 0, 1), 25);
    expect_mask(magnitude(LAB, PRUNE_F32, 2, SHAPE(5, 5), "element", PRUNE_SPARSITY, .75, 1),
                "11000 01000 00000 01000 10001");
}
END_TEST

/* Every way of filling: many values, few values, nearly all zero, all equal, in order, with infinities. */
static void fill(float *w, int64_t count, int way, struct pr_rng *rng)
{
    for (int64_t i = 0; i < count; i++) {
        float x = (float)(pr_rng_uniform(rng) - .5);
        w[i] = way == 0   ? x * (float)pr_rng_uniform(rng)
               : way == 1 ? (float)(int)(x * 40)
               : way == 2 ? (pr_rng_below(rng, 10) ? 0.0f : x)
               : way == 3 ? -0.5f
               : way == 4 ? (float)(i - count / 2)
               : way == 5 ? (pr_rng_below(rng, 50) ? x
                             : x < 0               ? -INFINITY
                                                   : INFINITY)
                          : x * 1e-42f; /* denormal */
    }
}

START_TEST(elements_equal_selection_by_scores)
{
    enum { N = 300007 };
    static float w[N];
    const double sparsities[] = {0, 1e-5, .01, .1, .5, .77, .9, .95, .999, 1};
    struct pr_rng rng;
    pr_rng_seed(&rng, 5);
    for (int way = 0; way < 7; way++) {
        fill(w, N, way, &rng);
        for (size_t i = 0; i < sizeof sparsities / sizeof *sparsities; i++) {
            int64_t count = i % 2 ? N : 262144;
            prune_mask *due = prune_f32(w, 1, &count, "l1", "element", PRUNE_SPARSITY, sparsities[i]);
            prune_mask *one = magnitude(w, PRUNE_F32, 1, &count, "element", PRUNE_SPARSITY, sparsities[i], 1);
            prune_mask *four = magnitude(w, PRUNE_F32, 1, &count, "element", PRUNE_SPARSITY, sparsities[i], 4);
            expect_same(due, one);
            expect_same(due, four);
            prune_mask_free(due);
            prune_mask_free(one);
            prune_mask_free(four);
        }
    }
}
END_TEST

START_TEST(groups_of_4_equal_selection_by_scores)
{
    static float w[80000];
    struct pr_rng rng;
    const char *specs[] = {"nm:keep_n=1,group_m=4", "nm:keep_n=2,group_m=4",
                           "nm:keep_n=3,group_m=4", "nm:keep_n=2,group_m=4,axis=0",
                           "nm:keep_n=4,group_m=8", "nm:keep_n=2,group_m=4,unit_rows=1"};
    pr_rng_seed(&rng, 6);
    for (int way = 0; way < 7; way++) {
        fill(w, 80000, way, &rng);
        for (int i = 0; i < 6; i++)
            for (int64_t columns = 4; columns <= 84; columns += i % 2 ? 16 : 7) {
                const int64_t shape[] = {1 + 5000 / columns, columns};
                prune_mask *due = prune_f32(w, 2, shape, "l1", specs[i], PRUNE_QUOTA, 0);
                prune_mask *got = magnitude(w, PRUNE_F32, 2, shape, specs[i], PRUNE_QUOTA, 0, 1 + i % 2);
                expect_same(due, got);
                prune_mask_free(due);
                prune_mask_free(got);
            }
    }
}
END_TEST

START_TEST(every_order_of_four_and_every_tie)
{
    for (int code = 0; code < 256; code++) {
        const float w[4] = {(float)(code & 3), -(float)(code >> 2 & 3), (float)(code >> 4 & 3), -(float)(code >> 6)};
        for (int keep = 1; keep < 4; keep++) {
            char spec[40];
            snprintf(spec, sizeof spec, "nm:keep_n=%d,group_m=4", keep);
            prune_mask *due = prune_f32(w, 2, SHAPE(1, 4), "l1", spec, PRUNE_QUOTA, 0);
            prune_mask *got = magnitude(w, PRUNE_F32, 2, SHAPE(1, 4), spec, PRUNE_QUOTA, 0, 1);
            expect_same(due, got);
            prune_mask_free(due);
            prune_mask_free(got);
        }
    }
}
END_TEST

START_TEST(other_types_and_pools)
{
    const double w[] = {1, -2, 3, -4, 0.5, -0.25, 8, 7};
    expect_mask(magnitude(w, PRUNE_F64, 2, SHAPE(2, 4), "element", PRUNE_KEEP, 3, 1), "0001 0011");
    expect_mask(magnitude(w, PRUNE_F64, 2, SHAPE(2, 4), "element:pool=row", PRUNE_COUNT, 2, 1), "0011 0011");
    expect_mask(magnitude(w, PRUNE_F64, 2, SHAPE(2, 4), "nm:keep_n=1,group_m=2", PRUNE_QUOTA, 0, 1), "0101 1010");
    expect_mask(magnitude(w, PRUNE_F64, 2, SHAPE(2, 4), "element", PRUNE_THRESHOLD, 3, 1), "0011 0011");
    expect_mask(magnitude(w, PRUNE_F64, 2, SHAPE(0, 4), "element", PRUNE_SPARSITY, .5, 1), "");
}
END_TEST

START_TEST(what_is_refused)
{
    enum { N = 200000 };
    static float w[N];
    double threshold = 42;
    prune_mask *out = UNTOUCHED;
    prune_granularity *element = cut("element"), *rows = cut("row"), *groups = cut("nm:keep_n=2,group_m=4");
    for (int i = 0; i < N; i++)
        w[i] = (float)i;
    w[123456] = -NAN;
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, N / 2)), *bytes = borrow(w, PRUNE_U8, 1, SHAPE(8));
    FAILS(prune_mask_magnitude(&out, weights, element, PRUNE_SPARSITY, .5), PRUNE_E_VALUE, "123456");
    FAILS(prune_mask_magnitude(&out, weights, groups, PRUNE_QUOTA, 0), PRUNE_E_VALUE, "123456");
    FAILS(prune_mask_magnitude(&out, weights, element, PRUNE_QUALITY, 1), PRUNE_E_VALUE, "123456");
    FAILS(prune_quality_threshold(weights, 1, &threshold), PRUNE_E_VALUE, "123456");
    w[123456] = INFINITY;
    FAILS(prune_quality_threshold(weights, 1, &threshold), PRUNE_E_VALUE, "deviation");
    w[123456] = 1;
    FAILS(prune_quality_threshold(weights, -1, &threshold), PRUNE_E_ARGUMENT, "-1");
    FAILS(prune_quality_threshold(weights, NAN, &threshold), PRUNE_E_ARGUMENT, "nan");
    FAILS(prune_quality_threshold(bytes, 1, &threshold), PRUNE_E_DTYPE, "u8");
    FAILS(prune_mask_magnitude(&out, bytes, element, PRUNE_SPARSITY, .5), PRUNE_E_DTYPE, "u8");
    FAILS(prune_mask_magnitude(&out, weights, rows, PRUNE_SPARSITY, .5), PRUNE_E_ARGUMENT, "several elements");
    FAILS(prune_mask_magnitude(&out, weights, element, PRUNE_QUOTA, 0), PRUNE_E_ARGUMENT, "no quota");
    FAILS(prune_mask_magnitude(&out, weights, groups, PRUNE_SPARSITY, .5), PRUNE_E_ARGUMENT, "quota");
    FAILS(prune_mask_magnitude(&out, weights, element, PRUNE_SPARSITY, 2), PRUNE_E_ARGUMENT, "2");
    FAILS(prune_mask_magnitude(NULL, weights, element, PRUNE_SPARSITY, .5), PRUNE_E_ARGUMENT, "out");
    ck_assert(out == UNTOUCHED && threshold == 42);
    prune_tensor_free(weights);
    prune_tensor_free(bytes);
    prune_granularity_free(element);
    prune_granularity_free(rows);
    prune_granularity_free(groups);
}
END_TEST

TEST_MAIN("magnitude", quality_factor_of_the_lab_tensor, elements_equal_selection_by_scores,
          groups_of_4_equal_selection_by_scores, every_order_of_four_and_every_tie, other_types_and_pools,
          what_is_refused)
