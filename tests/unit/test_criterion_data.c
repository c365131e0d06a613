/* SPDX-License-Identifier: BSD-2-Clause */
#include "allocator.h"
#include "base/rng.h"
#include "pruning.h"

static prune_observations *observe(int32_t needs)
{
    prune_observations *o;
    OK(prune_observations_create(&o, NULL, needs));
    return o;
}

static void feed(prune_observations *o, int32_t kind, const double *data, int32_t rank, const int64_t *shape)
{
    prune_tensor *tensor = borrow(data, PRUNE_F64, rank, shape);
    OK(prune_observations_feed(o, kind, tensor));
    prune_tensor_free(tensor);
}

static void feed_pair(prune_observations *o, int32_t kind, const double *data, const double *other, int32_t rank,
                      const int64_t *shape)
{
    prune_tensor *a = borrow(data, PRUNE_F64, rank, shape), *b = borrow(other, PRUNE_F64, rank, shape);
    OK(prune_observations_feed_pair(o, kind, a, b));
    prune_tensor_free(a);
    prune_tensor_free(b);
}

static prune_scores *score_observed(const prune_tensor *weights, const prune_observations *o, const char *criterion,
                                    const char *granularity)
{
    prune_criterion *c;
    prune_granularity *g = cut(granularity);
    prune_scores *scores;
    OK(prune_criterion_create(&c, NULL, criterion));
    ck_assert_int_eq(prune_criterion_needs(c) & ~prune_observations_needs(o), 0);
    OK(prune_criterion_score(&scores, c, weights, o, g));
    prune_criterion_free(c);
    prune_granularity_free(g);
    return scores;
}

static void expect_values(const prune_scores *scores, int64_t units, const double *due, double tolerance)
{
    const prune_tensor *values = prune_scores_values(scores);
    const double *got = prune_tensor_const_data(values);
    ck_assert_int_eq(prune_tensor_count(values), units);
    for (int64_t i = 0; i < units; i++)
        if (!(got[i] == due[i] || fabs(got[i] - due[i]) <= tolerance * fabs(due[i])))
            ck_abort_msg("unit %lld is %.17g, not %.17g", (long long)i, got[i], due[i]);
}

static void expect_scores(const double *w, int32_t rank, const int64_t *shape, const prune_observations *o,
                          const char *criterion, const char *granularity, int64_t units, const double *due)
{
    prune_tensor *weights = borrow(w, PRUNE_F64, rank, shape);
    prune_scores *scores = score_observed(weights, o, criterion, granularity);
    expect_values(scores, units, due, 1e-14);
    prune_scores_free(scores);
    prune_tensor_free(weights);
}

static prune_mask *prune_observed(const double *w, int32_t rank, const int64_t *shape, const prune_observations *o,
                                  const char *criterion, const char *granularity, int32_t target, double amount)
{
    prune_tensor *weights = borrow(w, PRUNE_F64, rank, shape);
    prune_scores *scores = score_observed(weights, o, criterion, granularity);
    prune_mask *mask;
    OK(prune_mask_select(&mask, scores, target, amount));
    prune_scores_free(scores);
    prune_tensor_free(weights);
    return mask;
}

#define DUE(...) ((const double[]){__VA_ARGS__})
#define GRADIENT_NEEDS (PRUNE_OBSERVE_GRADIENTS | PRUNE_OBSERVE_GRADIENT_MAGNITUDES | PRUNE_OBSERVE_GRADIENT_SAMPLES)

START_TEST(taylor_prunes_the_larger_weight)
{
    /* w = (.5, -2), g = (.4, .05): (g w)^2 = (.04, .01); sum .05, gate (.2 - .1)^2 = .01 */
    const double w[] = {.5, -2}, g[] = {.4, .05};
    prune_observations *o = observe(GRADIENT_NEEDS);
    feed(o, PRUNE_GRADIENTS, g, 2, SHAPE(1, 2));
    expect_scores(w, 2, SHAPE(1, 2), o, "taylor", "element", 2, DUE(.04, .01));
    expect_scores(w, 2, SHAPE(1, 2), o, "taylor", "row", 1, DUE(.05));
    expect_scores(w, 2, SHAPE(1, 2), o, "taylor:form=gate", "row", 1, DUE((.4 * .5 - .05 * 2) * (.4 * .5 - .05 * 2)));
    expect_scores(w, 2, SHAPE(1, 2), o, "taylor-gate", "row", 1, DUE((.4 * .5 - .05 * 2) * (.4 * .5 - .05 * 2)));
    expect_scores(w, 2, SHAPE(1, 2), o, "taylor:form=absolute", "row", 1, DUE(.3));
    expect_scores(w, 2, SHAPE(1, 2), o, "taylor:form=absolute", "element", 2, DUE(.2, .1));
    expect_scores(w, 2, SHAPE(1, 2), o, "taylor:form=gate", "element", 2, DUE(.04, .01));
    expect_mask(prune_observed(w, 2, SHAPE(1, 2), o, "taylor", "element", PRUNE_SPARSITY, .5), "10");
    prune_observations_free(o);
}
END_TEST

START_TEST(taylor_over_steps_and_of_the_mean_gradient)
{
    const double w[] = {1, 2, 1, 1}, g1[] = {1, -1, 3, 0}, g2[] = {-1, 2, 1, 2};
    prune_observations *o = observe(GRADIENT_NEEDS);
    feed(o, PRUNE_GRADIENTS, g1, 2, SHAPE(2, 2));
    feed(o, PRUNE_GRADIENTS, g2, 2, SHAPE(2, 2));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor", "element", 4, DUE(1, 10, 5, 2));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor:average=gradients", "element", 4, DUE(0, 1, 4, 1));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor:form=absolute", "element", 4, DUE(1, 3, 2, 1));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor:form=absolute,average=gradients", "element", 4, DUE(0, 1, 2, 1));
    /* rows: g w is (1, -2), (3, 0), then (-1, 4), (1, 2) */
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor", "row", 2, DUE(11, 7));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor:aggregate=mean", "row", 2, DUE(5.5, 3.5));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor:form=gate", "row", 2, DUE(1, 9));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor-gate", "row", 2, DUE((1. + 9) / 2, (9. + 9) / 2));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor-gate", "column", 2, DUE((16. + 0) / 2, (4. + 36) / 2));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor-gate", "element", 4, DUE(1, 10, 5, 2));
    prune_observations_free(o);
}
END_TEST

/* (gamma g_gamma + beta g_beta)^2, exact for the gate of a batch normalisation. */
START_TEST(taylor_gate_of_gamma_and_beta)
{
    const double gamma_beta[] = {2, .5, -1, 3}, g[] = {.25, -.5, 1, .5};
    prune_observations *o = observe(GRADIENT_NEEDS);
    feed(o, PRUNE_GRADIENTS, g, 2, SHAPE(2, 2));
    expect_scores(gamma_beta, 2, SHAPE(2, 2), o, "taylor:form=gate", "row", 2, DUE(.0625, .25));
    prune_observations_free(o);
}
END_TEST

START_TEST(taylor_gate_on_every_shape)
{
    enum { COUNT = 3 * 5 * 700 };
    static double w[COUNT], g[2][COUNT];
    struct pr_rng rng;
    pr_rng_seed(&rng, 3);
    for (int i = 0; i < COUNT; i++) {
        w[i] = pr_rng_uniform(&rng) - .5;
        g[0][i] = pr_rng_uniform(&rng) - .5;
        g[1][i] = pr_rng_uniform(&rng) - .5;
    }
    prune_observations *o = observe(PRUNE_OBSERVE_GRADIENT_SAMPLES);
    feed(o, PRUNE_GRADIENTS, g[0], 3, SHAPE(3, 5, 700));
    feed(o, PRUNE_GRADIENTS, g[1], 3, SHAPE(3, 5, 700));
    double filters[3] = {0}, columns[5] = {0};
    for (int s = 0; s < 2; s++) {
        double filter[3] = {0}, column[5] = {0};
        for (int i = 0; i < COUNT; i++) {
            filter[i / 3500] += w[i] * g[s][i];
            column[i / 700 % 5] += w[i] * g[s][i];
        }
        for (int i = 0; i < 3; i++)
            filters[i] += filter[i] * filter[i] / 2;
        for (int i = 0; i < 5; i++)
            columns[i] += column[i] * column[i] / 2;
    }
    expect_scores(w, 3, SHAPE(3, 5, 700), o, "taylor-gate", "filter", 3, filters);
    expect_scores(w, 3, SHAPE(3, 5, 700), o, "taylor-gate", "column", 5, columns);
    prune_observations_free(o);
}
END_TEST

START_TEST(taylor_of_activations_with_the_layers_norm)
{
    const double z[] = {1, 2, 3, 4, -1, .5, 2, 0}, dz[] = {1, 1, -1, .5, 2, 4, .25, 8}, w[4] = {0};
    prune_observations *o = observe(PRUNE_OBSERVE_ACTIVATION_GRADIENTS);
    feed_pair(o, PRUNE_ACTIVATIONS, z, dz, 3, SHAPE(2, 2, 2));
    double norm = sqrt(.75 * .75 + .375 * .375);
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor-activation", "row", 2, DUE(.75, .375));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor-activation:normalize=l2", "row", 2, DUE(.75 / norm, .375 / norm));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor-activation:form=gate", "row", 2, DUE(9, .25));
    expect_scores(w, 2, SHAPE(2, 2), o, "taylor-activation:channel_axis=1", "element", 4, DUE(.75, .375, .75, .375));
    prune_observations_free(o);
}
END_TEST

/* The gates on the skip connections of a ResNet-50's stages gather the gradients of 3, 4, 6 and 3 blocks. */
START_TEST(taylor_of_skip_connections_is_divided_by_3_4_6_and_3_blocks)
{
    const double gates[] = {1, -1, 2}, share[4][3] = {{.02, .5, .5}, {.01, .5, .5}, {.012, .5, .5}, {.03, .5, .5}};
    const double due[4][3] = {{.02, .5, 2}, {.01, .5, 2}, {.012, .5, 2}, {.03, .5, 2}};
    const int blocks[] = {3, 4, 6, 3};
    const char *const criteria[] = {"taylor", "taylor:form=gate", "taylor-gate", "taylor-activation:form=gate"};
    for (int c = 0; c < 4; c++) {
        prune_selection *plain, *divided;
        prune_scores *scores[8];
        OK(prune_selection_create(&plain, NULL));
        OK(prune_selection_create(&divided, NULL));
        for (int stage = 0; stage < 4; stage++) {
            char spec[64];
            double g[3];
            prune_observations *o = observe(GRADIENT_NEEDS | PRUNE_OBSERVE_ACTIVATION_GRADIENTS);
            prune_tensor *w = borrow(gates, PRUNE_F64, 2, SHAPE(3, 1));
            for (int i = 0; i < 3; i++)
                g[i] = sqrt(share[stage][i] * blocks[stage]);
            feed(o, PRUNE_GRADIENTS, g, 2, SHAPE(3, 1));
            feed_pair(o, PRUNE_ACTIVATIONS, gates, g, 2, SHAPE(1, 3));
            snprintf(spec, sizeof spec, "%s%cblocks=%d", criteria[c], strchr(criteria[c], ':') ? ',' : ':',
                     blocks[stage]);
            scores[stage] = score_observed(w, o, criteria[c], "row");
            scores[4 + stage] = score_observed(w, o, spec, "row");
            expect_values(scores[4 + stage], 3, due[stage], 1e-14);
            OK(prune_selection_add(plain, scores[stage], NULL, 1, NULL));
            OK(prune_selection_add(divided, scores[4 + stage], NULL, 1, NULL));
            prune_tensor_free(w);
            prune_observations_free(o);
        }
        /* What goes first of all: .04 and .06 without the division, .01 and .012 with it. */
        const int kept_plain[] = {2, 2, 3, 3}, kept_divided[] = {3, 2, 2, 3};
        OK(prune_selection_solve(plain, NULL, PRUNE_COUNT, 2, NULL));
        OK(prune_selection_solve(divided, NULL, PRUNE_COUNT, 2, NULL));
        for (int stage = 0; stage < 4; stage++) {
            int64_t a, b;
            OK(prune_selection_kept(plain, stage, &a, NULL));
            OK(prune_selection_kept(divided, stage, &b, NULL));
            ck_assert_int_eq(a, kept_plain[stage]);
            ck_assert_int_eq(b, kept_divided[stage]);
        }
        prune_selection_free(plain), prune_selection_free(divided);
        for (int i = 0; i < 8; i++)
            prune_scores_free(scores[i]);
    }
    prune_criterion *none = UNTOUCHED;
    FAILS(prune_criterion_create(&none, NULL, "taylor-gate:blocks=0"), PRUNE_E_SPEC, "blocks=0");
    FAILS(prune_criterion_create(&none, NULL, "taylor:blocks=1.5"), PRUNE_E_SPEC, "whole number");
    ck_assert_ptr_eq(none, UNTOUCHED);
}
END_TEST

START_TEST(momentum_over_steps_and_what_units_cost)
{
    const double a[] = {1, 2, INFINITY}, b[] = {3, -2, 1}, costs[] = {100, 0, 5};
    prune_granularity *g = cut("element"), *row = cut("element:pool=row");
    prune_tensor *ta = borrow(a, PRUNE_F64, 1, SHAPE(3)), *tb = borrow(b, PRUNE_F64, 1, SHAPE(3)),
                 *tc = borrow(costs, PRUNE_F64, 1, SHAPE(3)), *two = borrow(costs, PRUNE_F64, 1, SHAPE(2));
    prune_scores *older, *newer, *other, *out = UNTOUCHED;
    OK(prune_scores_create(&older, g, 1, SHAPE(3), ta));
    OK(prune_scores_create(&newer, g, 1, SHAPE(3), tb));
    OK(prune_scores_create(&other, row, 1, SHAPE(3), tb));
    FAILS(prune_scores_average(&out, newer, older, 1), PRUNE_E_ARGUMENT, "momentum is 1");
    FAILS(prune_scores_average(&out, newer, other, .9), PRUNE_E_SHAPE, "must be equal");
    FAILS(prune_scores_charge(&out, older, two, 1), PRUNE_E_SHAPE, "2 costs are given; there are 3 units");
    FAILS(prune_scores_charge(&out, older, tc, INFINITY), PRUNE_E_ARGUMENT, "finite");
    FAILS(prune_scores_charge(&out, older, ta, 1), PRUNE_E_VALUE, "infinite");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(prune_scores_average(&out, newer, older, .75));
    expect_values(out, 3, DUE(1.5, 1, INFINITY), 0);
    prune_scores_free(out);
    OK(prune_scores_average(&out, newer, older, 0));
    expect_values(out, 3, b, 0);
    prune_scores_free(out);
    OK(prune_scores_charge(&out, older, tc, 1e-3));
    expect_values(out, 3, DUE(1 - 1e-3 * 100, 2, INFINITY), 0);
    prune_scores_free(out);
    prune_scores_free(older), prune_scores_free(newer), prune_scores_free(other);
    prune_tensor_free(ta), prune_tensor_free(tb), prune_tensor_free(tc), prune_tensor_free(two);
    prune_granularity_free(g), prune_granularity_free(row);
}
END_TEST

START_TEST(the_lecture_obd_0_0125_and_0_09)
{
    const double w[] = {.5, -.3}, h[] = {.1, 2};
    prune_observations *o = observe(PRUNE_OBSERVE_HESSIAN_DIAGONAL);
    feed(o, PRUNE_CURVATURES, h, 1, SHAPE(2));
    expect_scores(w, 1, SHAPE(2), o, "obd", "element", 2, DUE(.0125, .09));
    expect_mask(prune_observed(w, 1, SHAPE(2), o, "obd", "element", PRUNE_SPARSITY, .5), "01");
    prune_observations_free(o);
}
END_TEST

START_TEST(obd_of_hessians_with_known_answers)
{
    /* H = [[4,1,0],[1,3,1],[0,1,2]], w = (1,-2,3): 2, 6, 9. H = [[4,2],[2,3]], w = (1,-1): 2, 1.5. H = diag(2) and
     * [[1,.95],[.95,1]], w = (.9,1,1): OBD takes the second weight (.5), magnitude the first (.81). */
    const double w3[] = {1, -2, 3}, h3[] = {4, 3, 2}, w2[] = {1, -1}, h2[] = {4, 3}, v[] = {.9, 1, 1}, hv[] = {2, 1, 1};
    prune_observations *o = observe(PRUNE_OBSERVE_HESSIAN_DIAGONAL), *p = observe(PRUNE_OBSERVE_HESSIAN_DIAGONAL),
                       *q = observe(PRUNE_OBSERVE_HESSIAN_DIAGONAL);
    feed(o, PRUNE_CURVATURES, h3, 1, SHAPE(3));
    feed(p, PRUNE_CURVATURES, h2, 1, SHAPE(2));
    feed(q, PRUNE_CURVATURES, hv, 1, SHAPE(3));
    expect_scores(w3, 1, SHAPE(3), o, "obd", "element", 3, DUE(2, 6, 9));
    expect_scores(w2, 1, SHAPE(2), p, "obd", "element", 2, DUE(2, 1.5));
    expect_scores(v, 1, SHAPE(3), q, "obd", "element", 3, DUE(.81, .5, .5));
    expect_mask(prune_observed(v, 1, SHAPE(3), q, "obd", "element", PRUNE_SPARSITY, 1. / 3), "101");
    prune_observations_free(o), prune_observations_free(p), prune_observations_free(q);
}
END_TEST

START_TEST(obd_takes_negative_curvature_for_none)
{
    const double w[] = {3, 1, 2, 1}, h[] = {-4, 2, 1, -1};
    prune_observations *o = observe(PRUNE_OBSERVE_HESSIAN_DIAGONAL);
    feed(o, PRUNE_CURVATURES, h, 2, SHAPE(2, 2));
    expect_scores(w, 2, SHAPE(2, 2), o, "obd", "element", 4, DUE(0, 1, 2, 0));
    expect_scores(w, 2, SHAPE(2, 2), o, "obd", "row", 2, DUE(1, 2));
    prune_observations_free(o);
}
END_TEST

START_TEST(fisher_and_snip)
{
    const double w[] = {2, -1, 0, 3}, g1[] = {1, 2, 5, -1}, g2[] = {-1, 4, 5, 2};
    prune_observations *o = observe(PRUNE_OBSERVE_GRADIENTS);
    feed(o, PRUNE_GRADIENTS, g1, 2, SHAPE(2, 2));
    feed(o, PRUNE_GRADIENTS, g2, 2, SHAPE(2, 2));
    expect_scores(w, 2, SHAPE(2, 2), o, "fisher", "element", 4, DUE(2, 5, 0, 2.5 * 9 / 2));
    expect_scores(w, 2, SHAPE(2, 2), o, "snip", "element", 4, DUE(0, 3, 0, 1.5));
    expect_scores(w, 2, SHAPE(2, 2), o, "snip:normalize=sum", "element", 4, DUE(0, 3 / 4.5, 0, 1.5 / 4.5));
    expect_scores(w, 2, SHAPE(2, 2), o, "snip", "row", 2, DUE(3, 1.5));
    prune_observations_free(o);
}
END_TEST

START_TEST(movement_keeps_what_moves_away_from_zero)
{
    /* Gradient descent: -g w > 0 where the step makes |w| larger. */
    const double w[] = {1, -1, 1, -1}, g[] = {-.5, .25, .5, -.25};
    prune_observations *o = observe(PRUNE_OBSERVE_MOVEMENTS);
    feed_pair(o, PRUNE_GRADIENTS, g, w, 1, SHAPE(4));
    feed_pair(o, PRUNE_GRADIENTS, g, w, 1, SHAPE(4));
    expect_scores(w, 1, SHAPE(4), o, "movement", "element", 4, DUE(1, .5, -1, -.5));
    expect_mask(prune_observed(w, 1, SHAPE(4), o, "movement", "element", PRUNE_SPARSITY, .5), "1100");
    prune_observations_free(o);
}
END_TEST

START_TEST(wanda_examples_of_one_sample)
{
    const double w[] = {1, 2, 3, 4, 5, 6, 7, 8}, x[] = {1, 2, 3, 4, 5, 6, 7, 8}, v[] = {1, 2, 3, 4},
                 y[] = {100, 10, 1, .1};
    prune_observations *o = observe(PRUNE_OBSERVE_INPUT_NORMS), *p = observe(PRUNE_OBSERVE_INPUT_NORMS);
    feed(o, PRUNE_INPUTS, x, 1, SHAPE(8));
    feed(p, PRUNE_INPUTS, y, 1, SHAPE(4));
    expect_mask(prune_observed(w, 2, SHAPE(1, 8), o, "wanda", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0), "0011 0011");
    expect_mask(prune_observed(v, 2, SHAPE(1, 4), p, "wanda", "element:pool=row", PRUNE_SPARSITY, .5), "1100");
    prune_observations_free(o), prune_observations_free(p);
}
END_TEST

START_TEST(wanda_lets_the_weights_of_a_row_compete)
{
    /* The first row would lose everything to the second one if all competed. */
    const double w[] = {.1, -.2, .3, .05, 10, 20, -30, 5}, x[] = {3, 1, 0, 1, 4, 1, 1, -1};
    prune_observations *o = observe(PRUNE_OBSERVE_INPUT_NORMS);
    feed(o, PRUNE_INPUTS, x, 2, SHAPE(2, 4));
    double r2 = sqrt(2);
    expect_scores(w, 2, SHAPE(2, 4), o, "wanda", "element", 8, DUE(.5, .2 * r2, .3, .05 * r2, 50, 20 * r2, 30, 5 * r2));
    expect_scores(w, 2, SHAPE(2, 4), o, "wanda", "row", 2, DUE(.8 + .25 * r2, 80 + 25 * r2));
    expect_mask(prune_observed(w, 2, SHAPE(2, 4), o, "wanda", "element:pool=row", PRUNE_SPARSITY, .5), "1010 1010");
    expect_mask(prune_observed(w, 2, SHAPE(2, 4), o, "wanda", "element", PRUNE_SPARSITY, .5), "0000 1111");
    prune_observations_free(o);
}
END_TEST

START_TEST(wanda_of_convolutions)
{
    /* Out 2, in 2 (each group 2), kernels of 1 x 2: inputs by tap, by channel, and by group. */
    const double w[] = {1, 2, 3, 4, 5, 6, 7, 8}, taps[] = {1, 10, 100, 1000}, channels[] = {1, 10},
                 groups[] = {1, 10, 100, 1000, 2, 20, 200, 2000}, both[] = {1, 10, 2, 20};
    prune_observations *o = observe(PRUNE_OBSERVE_INPUT_NORMS), *p = observe(PRUNE_OBSERVE_INPUT_NORMS),
                       *q = observe(PRUNE_OBSERVE_INPUT_NORMS), *r = observe(PRUNE_OBSERVE_INPUT_NORMS);
    feed(o, PRUNE_INPUTS, taps, 1, SHAPE(4));
    feed(p, PRUNE_INPUTS, channels, 1, SHAPE(2));
    feed(q, PRUNE_INPUTS, groups, 1, SHAPE(8));
    feed(r, PRUNE_INPUTS, both, 1, SHAPE(4));
    expect_scores(w, 4, SHAPE(2, 2, 1, 2), o, "wanda", "element", 8, DUE(1, 20, 300, 4000, 5, 60, 700, 8000));
    expect_scores(w, 4, SHAPE(2, 2, 1, 2), p, "wanda", "element", 8, DUE(1, 2, 30, 40, 5, 6, 70, 80));
    expect_scores(w, 4, SHAPE(2, 2, 1, 2), q, "wanda:groups=2", "element", 8,
                  DUE(1, 20, 300, 4000, 10, 120, 1400, 16000));
    expect_scores(w, 4, SHAPE(2, 2, 1, 2), r, "wanda:groups=2", "element", 8, DUE(1, 2, 30, 40, 10, 12, 140, 160));
    expect_scores(w, 4, SHAPE(2, 2, 1, 2), p, "wanda", "filter", 2, DUE(73, 161));
    prune_observations_free(o), prune_observations_free(p), prune_observations_free(q), prune_observations_free(r);
}
END_TEST

START_TEST(wanda_on_many_weights)
{
    enum { OUT = 6, IN = 11, H = 7, W = 9, SIZE = IN * H * W, GROUPS = 3 };
    static double w[OUT * SIZE], x[2][GROUPS * SIZE], due[OUT * SIZE], filters[OUT], turned[OUT * SIZE];
    struct pr_rng rng;
    pr_rng_seed(&rng, 21);
    for (int i = 0; i < OUT * SIZE; i++) {
        w[i] = pr_rng_uniform(&rng) - .5;
        turned[i % SIZE * OUT + i / SIZE] = w[i];
    }
    for (int i = 0; i < 2 * GROUPS * SIZE; i++)
        (&x[0][0])[i] = pr_rng_uniform(&rng);
    for (int by_channel = 0; by_channel <= 1; by_channel++) {
        int64_t inputs = by_channel ? IN : SIZE;
        prune_observations *o = observe(PRUNE_OBSERVE_INPUT_NORMS);
        feed(o, PRUNE_INPUTS, x[0], 1, SHAPE(GROUPS * inputs));
        feed(o, PRUNE_INPUTS, x[1], 1, SHAPE(GROUPS * inputs));
        memset(filters, 0, sizeof filters);
        for (int i = 0; i < OUT * SIZE; i++) {
            int64_t input = i / SIZE / (OUT / GROUPS) * inputs + (by_channel ? i % SIZE / (H * W) : i % SIZE);
            due[i] = fabs(w[i]) * sqrt(x[0][input] * x[0][input] + x[1][input] * x[1][input]);
            filters[i / SIZE] += due[i];
        }
        expect_scores(w, 4, SHAPE(OUT, IN, H, W), o, "wanda:groups=3", "element", OUT * SIZE, due);
        expect_scores(w, 4, SHAPE(OUT, IN, H, W), o, "wanda:groups=3", "filter", OUT, filters);
        prune_tensor *memory = borrow(turned, PRUNE_F64, 4, SHAPE(IN, H, W, OUT)), *view;
        OK(prune_tensor_permute(&view, memory, (const int32_t[]){3, 0, 1, 2}));
        prune_scores *scores = score_observed(view, o, "wanda:groups=3", "element");
        expect_values(scores, OUT * SIZE, due, 1e-14);
        prune_scores_free(scores);
        prune_tensor_free(view), prune_tensor_free(memory);
        prune_observations_free(o);
    }
}
END_TEST

START_TEST(the_lecture_apoz_prunes_channel_2)
{
    const float z[2][3][16] = {{{0, .1f, .5f, 1, 1.2f, .6f, .3f, .2f, 0, .5f, 0, .3f, .2f, 0, 0, .8f},
                                {.1f, .5f, 0, 0, .2f, .3f, 0, 1, .1f, 0, 0, .5f, .1f, .6f, .7f, .1f},
                                {0, 0, .8f, 0, .7f, 0, .6f, .1f, 1.2f, 1, 0, .2f, .5f, 0, .3f, .5f}},
                               {{.5f, 0, .2f, .1f, 0, .2f, 1.2f, 0, 1.2f, 0, .2f, .3f, .2f, .4f, 0, 0},
                                {.1f, .5f, 0, 0, 0, .8f, 0, 1, .1f, 0, .1f, 1, .2f, 0, 1, 0},
                                {0, .8f, .1f, 0, .2f, 0, 0, .3f, 0, .4f, 0, .5f, .2f, 0, .3f, 0}}};
    const double w[3 * 2] = {1, 1, 1, 1, 9, 9};
    prune_observations *o = observe(PRUNE_OBSERVE_ACTIVATION_ZEROS);
    prune_tensor *batch = borrow(z, PRUNE_F32, 4, SHAPE(2, 3, 4, 4));
    OK(prune_observations_feed(o, PRUNE_ACTIVATIONS, batch));
    expect_scores(w, 2, SHAPE(3, 2), o, "apoz", "row", 3, DUE(1 - 11 / 32., 1 - 12 / 32., 1 - 14 / 32.));
    expect_mask(prune_observed(w, 2, SHAPE(3, 2), o, "apoz", "row", PRUNE_SPARSITY, 1. / 3), "11 11 00");
    /* The columns of the next layer, and units of two channels, the last of one. */
    expect_scores(w, 2, SHAPE(2, 3), o, "apoz:channel_axis=1", "column", 3, DUE(21 / 32., 20 / 32., 18 / 32.));
    expect_scores(w, 2, SHAPE(3, 2), o, "apoz", "nm:keep_n=1,group_m=2,unit_rows=2", 4,
                  DUE(20.5 / 32, 20.5 / 32, 18 / 32., 18 / 32.));
    double mean[3] = {0};
    for (int i = 0; i < 96; i++)
        mean[i / 16 % 3] += (double)((const float *)z)[i] / 32;
    expect_scores(w, 2, SHAPE(3, 2), o, "mean-activation", "row", 3, mean);
    /* Mean plus one (population) deviation, .424393, is passed by channel 2 alone: its score is below -1. */
    const double m = 37 / 96., deviation = .424393 - m;
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(3, 2));
    prune_scores *standard = score_observed(weights, o, "apoz:normalize=standard", "row");
    expect_values(standard, 3, DUE((m - 11 / 32.) / deviation, (m - 12 / 32.) / deviation, (m - 14 / 32.) / deviation),
                  2e-5);
    prune_scores_free(standard);
    prune_tensor_free(weights);
    expect_mask(prune_observed(w, 2, SHAPE(3, 2), o, "apoz:normalize=standard", "row", PRUNE_THRESHOLD, -1),
                "11 11 00");
    prune_tensor_free(batch);
    prune_observations_free(o);
}
END_TEST

START_TEST(the_lecture_gammas_remove_filters_1_and_2)
{
    const double gammas[] = {1.17, .10, .29, .82, .56}, w[5] = {0}, four[] = {1.17, -.10, .29, .82};
    prune_observations *o = observe(PRUNE_OBSERVE_CHANNEL_SCALES), *p = observe(PRUNE_OBSERVE_CHANNEL_SCALES);
    feed(o, PRUNE_CHANNEL_SCALES, gammas, 1, SHAPE(5));
    feed(p, PRUNE_CHANNEL_SCALES, four, 1, SHAPE(4));
    expect_scores(w, 1, SHAPE(5), o, "scale", "filter", 5, gammas);
    expect_mask(prune_observed(w, 2, SHAPE(5, 1), o, "scale", "filter", PRUNE_SPARSITY, .4), "10011");
    expect_mask(prune_observed(w, 2, SHAPE(4, 1), p, "scale", "filter", PRUNE_SPARSITY, .5), "1001");
    prune_observations_free(o), prune_observations_free(p);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    static const struct {
        const char *criterion, *name;
        int32_t needs;
    } kinds[] = {{"taylor", "PRUNE_OBSERVE_GRADIENTS", PRUNE_OBSERVE_GRADIENTS},
                 {"taylor:form=absolute", "PRUNE_OBSERVE_GRADIENT_MAGNITUDES", PRUNE_OBSERVE_GRADIENT_MAGNITUDES},
                 {"taylor:form=absolute,average=gradients", "PRUNE_OBSERVE_GRADIENTS", PRUNE_OBSERVE_GRADIENTS},
                 {"taylor-gate", "PRUNE_OBSERVE_GRADIENT_SAMPLES", PRUNE_OBSERVE_GRADIENT_SAMPLES},
                 {"taylor-activation", "PRUNE_OBSERVE_ACTIVATION_GRADIENTS", PRUNE_OBSERVE_ACTIVATION_GRADIENTS},
                 {"obd", "PRUNE_OBSERVE_HESSIAN_DIAGONAL", PRUNE_OBSERVE_HESSIAN_DIAGONAL},
                 {"fisher", "PRUNE_OBSERVE_GRADIENTS", PRUNE_OBSERVE_GRADIENTS},
                 {"snip", "PRUNE_OBSERVE_GRADIENTS", PRUNE_OBSERVE_GRADIENTS},
                 {"movement", "PRUNE_OBSERVE_MOVEMENTS", PRUNE_OBSERVE_MOVEMENTS},
                 {"wanda", "PRUNE_OBSERVE_INPUT_NORMS", PRUNE_OBSERVE_INPUT_NORMS},
                 {"apoz", "PRUNE_OBSERVE_ACTIVATION_ZEROS", PRUNE_OBSERVE_ACTIVATION_ZEROS},
                 {"mean-activation", "PRUNE_OBSERVE_ACTIVATION_ZEROS", PRUNE_OBSERVE_ACTIVATION_ZEROS},
                 {"scale", "PRUNE_OBSERVE_CHANNEL_SCALES", PRUNE_OBSERVE_CHANNEL_SCALES}};
    const double w[] = {1, 2};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(1, 2)), *empty = borrow(w, PRUNE_F64, 2, SHAPE(0, 2));
    prune_granularity *g = cut("element");
    for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++) {
        prune_criterion *c;
        prune_scores *scores = UNTOUCHED;
        prune_observations *other =
            observe(kinds[i].needs == PRUNE_OBSERVE_GRAM ? PRUNE_OBSERVE_MOMENTS : PRUNE_OBSERVE_GRAM);
        prune_observations *unfed = observe(kinds[i].needs);
        OK(prune_criterion_create(&c, NULL, kinds[i].criterion));
        ck_assert_int_eq(prune_criterion_needs(c), kinds[i].needs);
        FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_ARGUMENT, kinds[i].name);
        FAILS(prune_criterion_score(&scores, c, weights, other, g), PRUNE_E_ARGUMENT, kinds[i].name);
        FAILS(prune_criterion_score(&scores, c, weights, unfed, g), PRUNE_E_ARGUMENT, "0 samples");
        ck_assert_ptr_eq(scores, UNTOUCHED);
        OK(prune_criterion_score(&scores, c, empty, NULL, g)); /* there is nothing to ask */
        prune_scores_free(scores);
        prune_criterion_free(c);
        prune_observations_free(other), prune_observations_free(unfed);
    }
    prune_criterion *l1;
    OK(prune_criterion_create(&l1, NULL, "l1"));
    ck_assert_int_eq(prune_criterion_needs(l1), 0);
    ck_assert_int_eq(prune_criterion_needs(NULL), 0);
    prune_criterion_free(l1);
    prune_granularity_free(g);
    prune_tensor_free(weights), prune_tensor_free(empty);
}
END_TEST

static void refused(const char *criterion, const double *w, int32_t rank, const int64_t *shape,
                    const prune_observations *o, const char *granularity, int32_t status, const char *word)
{
    prune_criterion *c;
    prune_granularity *g = cut(granularity);
    prune_scores *scores = UNTOUCHED;
    prune_tensor *weights = borrow(w, PRUNE_F64, rank, shape);
    OK(prune_criterion_create(&c, NULL, criterion));
    FAILS(prune_criterion_score(&scores, c, weights, o, g), status, word);
    ck_assert_ptr_eq(scores, UNTOUCHED);
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(weights);
}

START_TEST(sizes_that_do_not_match_are_refused)
{
    const double w[12] = {1}, x[12] = {0}, nan[2] = {1, NAN}, infinite[2] = {INFINITY, -INFINITY};
    prune_observations *o = observe(PRUNE_OBSERVE_INPUT_NORMS | GRADIENT_NEEDS | PRUNE_OBSERVE_CHANNEL_SCALES),
                       *p = observe(PRUNE_OBSERVE_INPUT_NORMS | GRADIENT_NEEDS);
    feed(o, PRUNE_INPUTS, x, 2, SHAPE(3, 4));
    feed(o, PRUNE_GRADIENTS, x, 2, SHAPE(2, 4));
    feed(o, PRUNE_CHANNEL_SCALES, x, 1, SHAPE(3));
    feed(p, PRUNE_INPUTS, x, 2, SHAPE(1, 2));
    feed(p, PRUNE_GRADIENTS, x, 2, SHAPE(1, 2));
    refused("wanda", w, 2, SHAPE(2, 5), o, "element", PRUNE_E_SHAPE, "4 inputs were observed");
    refused("wanda:groups=2", w, 2, SHAPE(3, 4), o, "element", PRUNE_E_SHAPE, "groups=2");
    refused("wanda", w, 0, NULL, o, "element", PRUNE_E_SHAPE, "shape []");
    refused("taylor", w, 2, SHAPE(4, 2), o, "element", PRUNE_E_SHAPE, "[2, 4]");
    refused("taylor-gate", w, 2, SHAPE(1, 8), o, "element", PRUNE_E_SHAPE, "[1, 8]");
    refused("scale", w, 2, SHAPE(4, 2), o, "row", PRUNE_E_SHAPE, "3 channels were observed");
    refused("scale:channel_axis=2", w, 2, SHAPE(3, 2), o, "row", PRUNE_E_SHAPE, "channel_axis=2");
    refused("wanda", nan, 2, SHAPE(1, 2), p, "element", PRUNE_E_VALUE, "(0, 1), is NaN");
    refused("taylor-gate", nan, 2, SHAPE(1, 2), p, "row", PRUNE_E_VALUE, "(0, 1), is NaN");
    refused("taylor-gate", infinite, 2, SHAPE(1, 2), p, "row", PRUNE_E_VALUE, "both signs");
    refused("taylor:form=gate", infinite, 2, SHAPE(1, 2), p, "row", PRUNE_E_VALUE, "both infinities");
    prune_observations_free(o), prune_observations_free(p);
}
END_TEST

/* An infinite weight stays at the top, also where its gradient or input is 0. */
START_TEST(infinite_weights_stay_on_top)
{
    const double w[] = {-INFINITY, 1, 2, 3}, zero[4] = {0};
    const char *criteria[] = {
        "taylor", "taylor:form=absolute", "taylor-gate", "taylor:form=gate", "snip", "fisher", "obd", "wanda"};
    prune_observations *o = observe(GRADIENT_NEEDS | PRUNE_OBSERVE_INPUT_NORMS | PRUNE_OBSERVE_HESSIAN_DIAGONAL);
    feed(o, PRUNE_GRADIENTS, zero, 2, SHAPE(2, 2));
    feed(o, PRUNE_CURVATURES, zero, 2, SHAPE(2, 2));
    feed(o, PRUNE_INPUTS, zero, 1, SHAPE(2));
    for (int i = 0; i < 8; i++) {
        expect_scores(w, 2, SHAPE(2, 2), o, criteria[i], "element", 4, DUE(INFINITY, 0, 0, 0));
        expect_scores(w, 2, SHAPE(2, 2), o, criteria[i], "column", 2, DUE(INFINITY, 0));
    }
    prune_observations_free(o);
}
END_TEST

START_TEST(threads_and_views_give_the_same_scores)
{
    enum { ROWS = 512, COLUMNS = 1030 };
    const char *criteria[] = {"taylor", "taylor:form=gate", "taylor-gate", "snip", "fisher", "obd",
                              "wanda",  "movement"};
    const char *cuts[] = {"element", "row", "column", "nm:keep_n=2,group_m=4,unit_rows=3"};
    static double w[ROWS * COLUMNS], turned[ROWS * COLUMNS], g[ROWS * COLUMNS];
    struct pr_rng rng;
    prune_context *four;
    prune_tensor *plain, *threaded, *view, *back;
    pr_rng_seed(&rng, 9);
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        w[i] = pr_rng_uniform(&rng) - .5;
        g[i] = pr_rng_uniform(&rng) - .5;
        turned[i % COLUMNS * ROWS + i / COLUMNS] = w[i];
    }
    prune_observations *o =
        observe(GRADIENT_NEEDS | PRUNE_OBSERVE_INPUT_NORMS | PRUNE_OBSERVE_HESSIAN_DIAGONAL | PRUNE_OBSERVE_MOVEMENTS);
    feed_pair(o, PRUNE_GRADIENTS, g, w, 2, SHAPE(ROWS, COLUMNS));
    feed(o, PRUNE_CURVATURES, g, 2, SHAPE(ROWS, COLUMNS));
    feed(o, PRUNE_INPUTS, g, 2, SHAPE(3, COLUMNS));
    OK(prune_context_create(&four));
    OK(prune_context_set_threads(four, 4));
    plain = borrow(w, PRUNE_F64, 2, SHAPE(ROWS, COLUMNS));
    OK(prune_tensor_borrow(&threaded, four, w, PRUNE_F64, 2, SHAPE(ROWS, COLUMNS), NULL));
    view = borrow(turned, PRUNE_F64, 2, SHAPE(COLUMNS, ROWS));
    OK(prune_tensor_permute(&back, view, (const int32_t[]){1, 0}));
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++) {
            prune_scores *a = score_observed(plain, o, criteria[i], cuts[j]),
                         *b = score_observed(threaded, o, criteria[i], cuts[j]),
                         *c = score_observed(back, o, criteria[i], cuts[j]);
            int64_t count = prune_tensor_count(prune_scores_values(a));
            const double *due = prune_tensor_const_data(prune_scores_values(a));
            expect_values(b, count, due, 0);
            expect_values(c, count, due, 0);
            prune_scores_free(a), prune_scores_free(b), prune_scores_free(c);
        }
    prune_tensor_free(plain), prune_tensor_free(threaded), prune_tensor_free(view), prune_tensor_free(back);
    prune_context_free(four);
    prune_observations_free(o);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    const char *criteria[] = {"taylor", "taylor-gate", "wanda", "scale", "apoz"};
    struct allocator a;
    prune_context *context = counted_context(&a);
    double w[6] = {1, -2, 3, 4, 5, -6};
    prune_tensor *weights;
    prune_granularity *g = cut("row");
    prune_observations *o;
    OK(prune_tensor_borrow(&weights, context, w, PRUNE_F64, 2, SHAPE(2, 3), NULL));
    OK(prune_observations_create(&o, context,
                                 PRUNE_OBSERVE_GRADIENTS | PRUNE_OBSERVE_GRADIENT_SAMPLES | PRUNE_OBSERVE_INPUT_NORMS |
                                     PRUNE_OBSERVE_CHANNEL_SCALES | PRUNE_OBSERVE_ACTIVATION_ZEROS));
    feed(o, PRUNE_GRADIENTS, w, 2, SHAPE(2, 3));
    feed(o, PRUNE_INPUTS, w, 1, SHAPE(3));
    feed(o, PRUNE_CHANNEL_SCALES, w, 1, SHAPE(2));
    feed(o, PRUNE_ACTIVATIONS, w, 2, SHAPE(3, 2));
    for (int i = 0; i < 5; i++) {
        prune_criterion *c;
        prune_scores *scores, *again;
        prune_tensor *costs = borrow(w, PRUNE_F64, 1, SHAPE(2));
        OK(prune_criterion_create(&c, context, criteria[i]));
        SURVIVES(&a, &scores, prune_criterion_score(&scores, c, weights, o, g));
        SURVIVES(&a, &again, prune_scores_average(&again, scores, scores, .5));
        prune_scores_free(again);
        SURVIVES(&a, &again, prune_scores_charge(&again, scores, costs, .5));
        prune_scores_free(again);
        prune_scores_free(scores);
        prune_tensor_free(costs);
        prune_criterion_free(c);
    }
    prune_observations_free(o);
    prune_granularity_free(g);
    prune_tensor_free(weights);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
}
END_TEST

TEST_MAIN("criterion_data", taylor_prunes_the_larger_weight, taylor_over_steps_and_of_the_mean_gradient,
          taylor_gate_of_gamma_and_beta, taylor_gate_on_every_shape, taylor_of_activations_with_the_layers_norm,
          taylor_of_skip_connections_is_divided_by_3_4_6_and_3_blocks, momentum_over_steps_and_what_units_cost,
          the_lecture_obd_0_0125_and_0_09, obd_of_hessians_with_known_answers, obd_takes_negative_curvature_for_none,
          fisher_and_snip, movement_keeps_what_moves_away_from_zero, wanda_examples_of_one_sample,
          wanda_lets_the_weights_of_a_row_compete, wanda_of_convolutions, wanda_on_many_weights,
          the_lecture_apoz_prunes_channel_2, the_lecture_gammas_remove_filters_1_and_2, what_is_missing_is_named,
          sizes_that_do_not_match_are_refused, infinite_weights_stay_on_top, threads_and_views_give_the_same_scores,
          every_allocation_may_fail)
