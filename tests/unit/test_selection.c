/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rng.h"
#include "pruning.h"

/* One tensor of scores as a test has it: a row of units, each of one element. */
struct layer {
    double scores[64], cost;
    int64_t units, least, most, round_to;
    uint8_t gone[64];
    int64_t reads;
};

static prune_scores *scores_of(prune_context *context, const double *values, int64_t units, const char *granularity,
                               int32_t rank, const int64_t *shape)
{
    prune_granularity *g = cut(granularity);
    prune_tensor *tensor;
    prune_scores *scores;
    OK(prune_tensor_borrow(&tensor, context, (void *)(uintptr_t)values, PRUNE_F64, 1, &units, NULL));
    OK(prune_scores_create(&scores, g, rank, shape, tensor));
    prune_tensor_free(tensor);
    prune_granularity_free(g);
    return scores;
}

static prune_scores *row(const double *values, int64_t units)
{
    return scores_of(NULL, values, units, "element", 1, &units);
}

static int64_t kept_of(const prune_selection *selection, int32_t index)
{
    int64_t units = -1;
    OK(prune_selection_kept(selection, index, &units, NULL));
    return units;
}

static void expect_selected(const prune_selection *selection, int32_t index, const char *bits)
{
    prune_mask *mask;
    OK(prune_selection_mask(&mask, selection, index));
    ck_assert_int_eq(prune_mask_kept(mask), kept_of(selection, index));
    expect_mask(mask, bits);
}

START_TEST(torch_global_unstructured_amount_4)
{
    const double first[] = {1, 2, 3, 4, 4, 3, 2, 1}, second[] = {0, .1, 2};
    prune_scores *a = scores_of(NULL, first, 8, "element", 2, SHAPE(2, 4)), *b = row(second, 3);
    prune_selection *s;
    int32_t index = -1;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 1, NULL));
    OK(prune_selection_add(s, b, NULL, 1, &index));
    ck_assert_int_eq(index, 1);
    ck_assert_int_eq(prune_selection_count(s), 2);
    OK(prune_selection_solve(s, NULL, PRUNE_COUNT, 4, NULL));
    expect_selected(s, 0, "0111 1110");
    expect_selected(s, 1, "001");
    OK(prune_selection_solve(s, "global", PRUNE_SPARSITY, 4. / 11, NULL));
    expect_selected(s, 0, "0111 1110");
    OK(prune_selection_solve(s, NULL, PRUNE_KEEP, 11, NULL));
    expect_selected(s, 0, "1111 1111");
    expect_selected(s, 1, "111");
    double score;
    int64_t ties;
    OK(prune_selection_cut(s, 1, &score, &ties));
    ck_assert(isinf(score) && score < 0);
    ck_assert_int_eq(ties, 0);
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(b);
}
END_TEST

START_TEST(of_equal_scores_the_lower_tensor_and_unit_go_first)
{
    const double ones[] = {1, 1, 1, 1, 1};
    prune_scores *a = row(ones, 3), *b = row(ones, 5);
    prune_selection *s;
    double score;
    int64_t ties;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 1, NULL));
    OK(prune_selection_add(s, b, NULL, 1, NULL));
    OK(prune_selection_limit(s, 0, 0, 3, 1));
    OK(prune_selection_solve(s, NULL, PRUNE_COUNT, 5, NULL));
    expect_selected(s, 0, "000");
    expect_selected(s, 1, "00111");
    OK(prune_selection_cut(s, 1, &score, &ties));
    ck_assert(score == 1 && ties == 2);
    /* Unless asked, a tensor keeps one, and another's makes up for it. */
    OK(prune_selection_limit(s, 0, 1, 3, 1));
    OK(prune_selection_solve(s, NULL, PRUNE_COUNT, 5, NULL));
    expect_selected(s, 0, "001");
    expect_selected(s, 1, "00011");
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(b);
}
END_TEST

START_TEST(lecture_gammas_over_two_layers)
{
    const double gamma[] = {1.17, .10, .29, .82, .56};
    prune_scores *a = scores_of(NULL, gamma, 5, "filter", 4, SHAPE(5, 2, 3, 3));
    prune_selection *s;
    prune_mask *mask;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 18, NULL));
    ck_assert(prune_selection_total(s) == 90);
    OK(prune_selection_solve(s, NULL, PRUNE_SPARSITY, .4, NULL));
    OK(prune_selection_mask(&mask, s, 0));
    for (int i = 0; i < 90; i++)
        ck_assert_int_eq(kept(mask, i), i / 18 != 1 && i / 18 != 2);
    prune_mask_free(mask);
    double cost;
    OK(prune_selection_cost(s, &cost));
    ck_assert(cost == 54);
    prune_selection_free(s);
    prune_scores_free(a);
}
END_TEST

START_TEST(er_of_linear_4x4_and_8x4_at_density_half)
{
    /* eps 1.2: densities .6 and .45, which are 9.6 and 14.4 units. */
    double values[32], density;
    for (int i = 0; i < 32; i++)
        values[i] = i;
    prune_scores *a = scores_of(NULL, values, 16, "element", 2, SHAPE(4, 4));
    prune_scores *b = scores_of(NULL, values, 32, "element", 2, SHAPE(8, 4));
    const char *kinds[] = {"er", "erk"};
    for (int i = 0; i < 2; i++) {
        prune_selection *s;
        OK(prune_selection_create(&s, NULL));
        OK(prune_selection_add(s, a, NULL, 1, NULL));
        OK(prune_selection_add(s, b, NULL, 1, NULL));
        OK(prune_selection_solve(s, kinds[i], PRUNE_SPARSITY, .5, NULL));
        OK(prune_selection_kept(s, 0, NULL, &density));
        ck_assert_double_eq_tol(density, .6, 1e-12);
        OK(prune_selection_kept(s, 1, NULL, &density));
        ck_assert_double_eq_tol(density, .45, 1e-12);
        ck_assert_int_eq(kept_of(s, 0), 10);
        ck_assert_int_eq(kept_of(s, 1), 14);
        expect_selected(s, 0, "0000 0011 1111 1111");
        prune_selection_free(s);
    }
    prune_scores_free(a);
    prune_scores_free(b);
}
END_TEST

START_TEST(er_and_erk_by_hand_on_a_convolution)
{
    /* ER: (8 + 4) / 32 = .375, ERK: (8 + 4 + 3 + 3) / 288 = .0625, and a vector counts 1. */
    double values[288], density[2];
    for (int i = 0; i < 288; i++)
        values[i] = i;
    prune_scores *a = scores_of(NULL, values, 288, "element", 4, SHAPE(8, 4, 3, 3)), *b = row(values, 10);
    prune_selection *s;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 1, NULL));
    OK(prune_selection_add(s, b, NULL, 1, NULL));
    const char *kinds[] = {"er", "erk"};
    const double share[] = {.375, .0625};
    for (int i = 0; i < 2; i++) {
        /* 30 units: eps (288 share + 10) = 30 while no density is above 1. */
        double eps = 30 / (288 * share[i] + 10);
        double due[] = {eps * share[i], eps};
        if (eps > 1)
            due[1] = 1, due[0] = 20. / 288;
        OK(prune_selection_solve(s, kinds[i], PRUNE_KEEP, 30, NULL));
        for (int t = 0; t < 2; t++) {
            OK(prune_selection_kept(s, t, NULL, &density[t]));
            ck_assert_double_eq_tol(density[t], due[t], 1e-12);
        }
        ck_assert_int_eq(kept_of(s, 0) + kept_of(s, 1), 30);
    }
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(b);
}
END_TEST

START_TEST(uniform_and_uniform_plus)
{
    double values[100];
    for (int i = 0; i < 100; i++)
        values[i] = i;
    prune_scores *a = row(values, 20), *b = row(values, 100), *c = row(values, 40);
    prune_selection *s;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 1, NULL));
    OK(prune_selection_add(s, b, NULL, 1, NULL));
    OK(prune_selection_add(s, c, NULL, 1, NULL));
    OK(prune_selection_solve(s, "uniform", PRUNE_SPARSITY, .75, NULL));
    ck_assert_int_eq(kept_of(s, 0), 5);
    ck_assert_int_eq(kept_of(s, 1), 25);
    ck_assert_int_eq(kept_of(s, 2), 10);
    /* 40 kept: 20 of the first, .2 * 40 of the last, 12 of the other. */
    OK(prune_selection_solve(s, "uniform-plus", PRUNE_SPARSITY, .75, NULL));
    ck_assert_int_eq(kept_of(s, 0), 20);
    ck_assert_int_eq(kept_of(s, 1), 12);
    ck_assert_int_eq(kept_of(s, 2), 8);
    OK(prune_selection_solve(s, "uniform-plus:last=0", PRUNE_KEEP, 48, NULL));
    ck_assert_int_eq(kept_of(s, 0), 20);
    ck_assert_int_eq(kept_of(s, 1), 20);
    ck_assert_int_eq(kept_of(s, 2), 8);
    /* Where all lose the same, the lower tensor gains. */
    prune_selection *alike;
    OK(prune_selection_create(&alike, NULL));
    for (int i = 0; i < 3; i++)
        OK(prune_selection_add(alike, a, NULL, 1, NULL));
    OK(prune_selection_solve(alike, "uniform", PRUNE_KEEP, 31, NULL));
    ck_assert_int_eq(kept_of(alike, 0), 11);
    ck_assert_int_eq(kept_of(alike, 1), 10);
    ck_assert_int_eq(kept_of(alike, 2), 10);
    prune_selection_free(alike);
    OK(prune_selection_solve(s, "uniform-plus:last=0", PRUNE_KEEP, 48, NULL));
    double nearest = 7;
    FAILS(prune_selection_solve(s, "uniform-plus", PRUNE_KEEP, 27, &nearest), PRUNE_E_INFEASIBLE, "29");
    ck_assert(nearest == 29);
    ck_assert_int_eq(kept_of(s, 1), 20); /* what was solved before still stands */
    FAILS(prune_selection_solve(s, "uniform", PRUNE_THRESHOLD, 5, NULL), PRUNE_E_ARGUMENT, "global");
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(b);
    prune_scores_free(c);
}
END_TEST

START_TEST(a_budget_below_the_floors)
{
    const double values[] = {5, 1, 4, 2, 3, 6};
    prune_scores *a = row(values, 6), *b = row(values, 6);
    prune_selection *s;
    double nearest = -1, score;
    int64_t ties;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 10, NULL));
    OK(prune_selection_add(s, b, NULL, 3, NULL));
    OK(prune_selection_limit(s, 0, 4, 6, 1));
    OK(prune_selection_freeze(s, 1));
    OK(prune_selection_solve(s, NULL, PRUNE_BUDGET, 68, NULL)); /* 50 + 18 */
    ck_assert_int_eq(kept_of(s, 0), 5);
    FAILS(prune_selection_solve(s, NULL, PRUNE_BUDGET, 57, &nearest), PRUNE_E_INFEASIBLE, "57");
    ck_assert(nearest == 58);
    ck_assert(strstr(prune_error(), "58") != NULL);
    FAILS(prune_selection_solve(s, NULL, PRUNE_BUDGET, 57, NULL), PRUNE_E_INFEASIBLE, "58");
    FAILS(prune_selection_solve(s, NULL, PRUNE_KEEP, 9, &nearest), PRUNE_E_INFEASIBLE, "10");
    ck_assert(nearest == 10);
    ck_assert_int_eq(kept_of(s, 0), 5);
    OK(prune_selection_cut(s, 0, &score, &ties));
    ck_assert(score == 1 && ties == 1);
    OK(prune_selection_solve(s, NULL, PRUNE_BUDGET, 58, NULL));
    expect_selected(s, 0, "101011");
    expect_selected(s, 1, "111111");
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(b);
}
END_TEST

START_TEST(an_exact_budget_and_the_nearest_to_it)
{
    const double values[] = {1, 3, 5}, others[] = {2, 4, 6};
    prune_scores *a = row(values, 3), *b = row(others, 3);
    prune_selection *s;
    double nearest = -1;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 10, NULL));
    OK(prune_selection_add(s, b, NULL, 7, NULL));
    /* In the order of the ranking: 51, 41, 34, 24, 17. */
    OK(prune_selection_solve(s, NULL, PRUNE_BUDGET_EXACT, 34, NULL));
    ck_assert_int_eq(kept_of(s, 0) * 10 + kept_of(s, 1) * 7, 34);
    FAILS(prune_selection_solve(s, NULL, PRUNE_BUDGET_EXACT, 33, &nearest), PRUNE_E_INFEASIBLE, "34");
    ck_assert(nearest == 34);
    FAILS(prune_selection_solve(s, NULL, PRUNE_BUDGET_EXACT, 27, &nearest), PRUNE_E_INFEASIBLE, "24");
    ck_assert(nearest == 24);
    FAILS(prune_selection_solve(s, NULL, PRUNE_BUDGET_EXACT, 60, &nearest), PRUNE_E_INFEASIBLE, "51");
    ck_assert(nearest == 51);
    OK(prune_selection_solve(s, NULL, PRUNE_BUDGET, 33, NULL));
    ck_assert_int_eq(kept_of(s, 0) * 10 + kept_of(s, 1) * 7, 24);
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(b);
}
END_TEST

START_TEST(caps_and_steps)
{
    double values[20];
    for (int i = 0; i < 20; i++)
        values[i] = i;
    prune_scores *a = row(values, 20), *b = row(values, 20);
    prune_selection *s;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 1, NULL));
    OK(prune_selection_add(s, b, NULL, 1, NULL));
    OK(prune_selection_limit(s, 0, 8, 20, 8));
    OK(prune_selection_solve(s, NULL, PRUNE_KEEP, 40, NULL));
    ck_assert_int_eq(kept_of(s, 0), 20); /* left as it is */
    OK(prune_selection_solve(s, NULL, PRUNE_KEEP, 30, NULL));
    ck_assert_int_eq(kept_of(s, 0), 8);
    ck_assert_int_eq(kept_of(s, 1), 16); /* 16 and 16 are too many; the next in order takes the first to 8 */
    OK(prune_selection_limit(s, 0, 2, 5, 1));
    OK(prune_selection_solve(s, NULL, PRUNE_KEEP, 20, NULL));
    ck_assert_int_eq(kept_of(s, 0), 5);
    ck_assert_int_eq(kept_of(s, 1), 15);
    expect_selected(s, 0, "00000 00000 00000 11111");
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(b);
}
END_TEST

/* What is allowed, as the header says it. */
static int64_t allowed(const struct layer *layer, int64_t wanted)
{
    int64_t units = 0, best = -1, smallest = -1;
    for (int64_t i = 0; i < layer->units; i++)
        units += !layer->gone[i];
    for (int64_t n = layer->least; n <= layer->most; n++) {
        if (n % layer->round_to && !(n == layer->most && n == units))
            continue;
        smallest = smallest < 0 ? n : smallest;
        best = n <= wanted ? n : best;
    }
    return best >= 0 ? best : smallest;
}

struct unit {
    double score;
    int layer, index;
};

static int before(const struct unit *a, const struct unit *b)
{
    if (a->score != b->score)
        return a->score < b->score;
    return a->layer != b->layer ? a->layer < b->layer : a->index < b->index;
}

/* Removes one after another until what is kept fits; 0 when it never does. */
static int brute_force(const struct layer *layers, int count, int by_units, double limit, int64_t *keeps)
{
    static struct unit units[512];
    int n = 0;
    int64_t left[8] = {0};
    for (int t = 0; t < count; t++)
        for (int i = 0; i < layers[t].units; i++)
            if (!layers[t].gone[i]) {
                units[n++] = (struct unit){layers[t].scores[i], t, i};
                left[t]++;
            }
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && before(&units[j], &units[j - 1]); j--) {
            struct unit swap = units[j];
            units[j] = units[j - 1];
            units[j - 1] = swap;
        }
    for (int k = 0;; k++) {
        double kept = 0;
        for (int t = 0; t < count; t++)
            kept += (by_units ? 1 : layers[t].cost) * (double)allowed(&layers[t], left[t]);
        if (kept <= limit) {
            for (int t = 0; t < count; t++)
                keeps[t] = allowed(&layers[t], left[t]);
            return 1;
        }
        if (k == n)
            return 0;
        left[units[k].layer]--;
    }
}

static int32_t read_layer(void *user, int64_t first, int64_t count, double *scores)
{
    struct layer *layer = user;
    layer->reads++;
    for (int64_t i = 0; i < count; i++)
        scores[i] = layer->scores[first + i];
    return PRUNE_OK;
}

/* The units that stay are the `keeps` highest of the layer, the lower of equals going first; cut and mask agree. */
static void expect_highest(const prune_selection *selection, int t, const struct layer *layer, int64_t keeps)
{
    prune_mask *mask;
    double score;
    int64_t ties, alive = 0;
    OK(prune_selection_mask(&mask, selection, t));
    OK(prune_selection_cut(selection, t, &score, &ties));
    for (int i = 0; i < layer->units; i++)
        alive += !layer->gone[i];
    for (int i = 0; i < layer->units; i++) {
        int64_t first = 0;
        if (layer->gone[i]) {
            if (kept(mask, i))
                ck_abort_msg("unit %d is back", i);
            continue;
        }
        for (int j = 0; j < layer->units; j++)
            first += !layer->gone[j] &&
                     (layer->scores[j] < layer->scores[i] || (layer->scores[j] == layer->scores[i] && j < i));
        int stays = first >= alive - keeps;
        int by_cut = layer->scores[i] > score || (layer->scores[i] == score && ties <= 0);
        ties -= layer->scores[i] == score;
        if (kept(mask, i) != stays || by_cut != stays)
            ck_abort_msg("tensor %d, unit %d: %d, by cut %d, due %d", t, i, kept(mask, i), by_cut, stays);
    }
    prune_mask_free(mask);
}

static void make_layers(struct pr_rng *rng, struct layer *layers, int count, int with_gone)
{
    for (int t = 0; t < count; t++) {
        struct layer *layer = &layers[t];
        int64_t alive = 0, values = 1 + (int64_t)pr_rng_below(rng, 30);
        memset(layer, 0, sizeof *layer);
        layer->units = (int64_t)pr_rng_below(rng, 40);
        layer->cost = (double)pr_rng_below(rng, 9) / 2;
        for (int64_t i = 0; i < layer->units; i++) {
            layer->scores[i] = (double)pr_rng_below(rng, (uint64_t)values) - 5;
            if (pr_rng_below(rng, 40) == 0)
                layer->scores[i] = pr_rng_below(rng, 2) ? INFINITY : -INFINITY;
            if (pr_rng_below(rng, 20) == 0)
                layer->scores[i] = pr_rng_below(rng, 2) ? -0.0 : 0.0;
            layer->gone[i] = with_gone && pr_rng_below(rng, 3) == 0;
            alive += !layer->gone[i];
        }
        layer->least = alive > 0;
        layer->most = alive;
        layer->round_to = 1;
        if (pr_rng_below(rng, 2)) {
            layer->most = (int64_t)pr_rng_below(rng, (uint64_t)alive + 1);
            layer->least = (int64_t)pr_rng_below(rng, (uint64_t)layer->most + 1);
            layer->round_to = 1 + (int64_t)pr_rng_below(rng, 5);
            if (layer->most < alive && layer->most / layer->round_to * layer->round_to < layer->least)
                layer->least = layer->most / layer->round_to * layer->round_to;
        }
    }
}

START_TEST(global_selection_against_brute_force)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 11);
    for (int turn = 0; turn < 1000; turn++) {
        struct layer layers[6];
        prune_scores *scores[6] = {0};
        prune_mask *masks[6] = {0};
        prune_selection *s;
        int count = 1 + (int)pr_rng_below(&rng, 6), with_gone = pr_rng_below(&rng, 2) == 0;
        int64_t keeps[6];
        double units = 0;
        make_layers(&rng, layers, count, with_gone);
        OK(prune_selection_create(&s, NULL));
        for (int t = 0; t < count; t++) {
            struct layer *layer = &layers[t];
            prune_granularity *g = cut("element");
            if (with_gone) {
                uint8_t stays[64];
                for (int64_t i = 0; i < layer->units; i++)
                    stays[i] = !layer->gone[i];
                OK(prune_mask_from_bytes(&masks[t], NULL, 1, &layer->units, stays, layer->units));
            }
            if (with_gone || pr_rng_below(&rng, 2)) {
                scores[t] = row(layer->scores, layer->units);
                OK(prune_selection_add(s, scores[t], masks[t], layer->cost, NULL));
            } else {
                OK(prune_selection_add_streamed(s, g, 1, &layer->units, read_layer, layer, layer->cost, NULL));
            }
            prune_granularity_free(g);
            OK(prune_selection_limit(s, t, layer->least, layer->most, layer->round_to));
            for (int64_t i = 0; i < layer->units; i++)
                units += !layer->gone[i];
        }
        int by_units = pr_rng_below(&rng, 2) == 0;
        double limit = by_units ? (double)pr_rng_below(&rng, (uint64_t)units + 1)
                                : (double)pr_rng_below(&rng, (uint64_t)prune_selection_total(s) + 3) / 2;
        int32_t target = by_units ? PRUNE_KEEP : PRUNE_BUDGET;
        if (brute_force(layers, count, by_units, limit, keeps)) {
            OK(prune_selection_solve(s, NULL, target, limit, NULL));
            for (int t = 0; t < count; t++) {
                if (kept_of(s, t) != keeps[t])
                    ck_abort_msg("turn %d, tensor %d: %lld instead of %lld", turn, t, (long long)kept_of(s, t),
                                 (long long)keeps[t]);
                expect_highest(s, t, &layers[t], keeps[t]);
            }
        } else {
            double nearest = -1, least = 0;
            for (int t = 0; t < count; t++)
                least += (by_units ? 1 : layers[t].cost) * (double)allowed(&layers[t], 0);
            FAILS(prune_selection_solve(s, NULL, target, limit, &nearest), PRUNE_E_INFEASIBLE, "nearest");
            ck_assert(nearest == least);
        }
        prune_selection_free(s);
        for (int t = 0; t < count; t++) {
            prune_scores_free(scores[t]);
            prune_mask_free(masks[t]);
        }
    }
}
END_TEST

START_TEST(allocations_keep_to_every_limit)
{
    struct pr_rng rng;
    const char *kinds[] = {"uniform", "er", "erk", "uniform-plus:last=0.1"};
    pr_rng_seed(&rng, 12);
    for (int turn = 0; turn < 800; turn++) {
        struct layer layers[6];
        prune_selection *s;
        int count = 1 + (int)pr_rng_below(&rng, 6), free_counts = 1;
        double units = 0, kept_units = 0, most = 0, nearest = -1;
        make_layers(&rng, layers, count, 0);
        OK(prune_selection_create(&s, NULL));
        prune_granularity *g = cut("element");
        for (int t = 0; t < count; t++) {
            OK(prune_selection_add_streamed(s, g, 1, &layers[t].units, read_layer, &layers[t], 1, NULL));
            OK(prune_selection_limit(s, t, layers[t].least, layers[t].most, layers[t].round_to));
            units += (double)layers[t].units;
            most += (double)allowed(&layers[t], layers[t].most);
            free_counts &= layers[t].round_to == 1;
        }
        prune_granularity_free(g);
        double limit = (double)pr_rng_below(&rng, (uint64_t)units + 1);
        int32_t status = prune_selection_solve(s, kinds[turn % 4], PRUNE_KEEP, limit, &nearest);
        if (status) {
            ck_assert_int_eq(status, PRUNE_E_INFEASIBLE);
            ck_assert(nearest > limit);
        }
        for (int t = 0; t < count && !status; t++) {
            int64_t n = kept_of(s, t);
            if (allowed(&layers[t], n) != n)
                ck_abort_msg("turn %d: tensor %d keeps %lld", turn, t, (long long)n);
            expect_highest(s, t, &layers[t], n);
            kept_units += (double)n;
        }
        if (!status && (kept_units > limit || (free_counts && kept_units != (limit < most ? limit : most))))
            ck_abort_msg("turn %d, %s: %g kept, %g asked", turn, kinds[turn % 4], kept_units, limit);
        prune_selection_free(s);
    }
}
END_TEST

static int32_t refuse(void *user, int64_t first, int64_t count, double *scores)
{
    for (int64_t i = 0; i < count; i++)
        scores[i] = first + i == *(int64_t *)user ? (double)NAN : (double)(first + i);
    return *(int64_t *)user < 0 ? prune_fail(PRUNE_E_IO, "the disk is gone") : PRUNE_OK;
}

static int32_t unsteady(void *user, int64_t first, int64_t count, double *scores)
{
    int *calls = user;
    for (int64_t i = 0; i < count; i++)
        scores[i] = *calls > 0 ? 1e9 : (double)(first + i);
    ++*calls;
    return PRUNE_OK;
}

START_TEST(streams_that_fail)
{
    prune_selection *s;
    prune_granularity *g = cut("element");
    int64_t where = 20000;
    int calls = 0;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add_streamed(s, g, 1, SHAPE(50000), refuse, &where, 1, NULL));
    FAILS(prune_selection_solve(s, NULL, PRUNE_SPARSITY, .5, NULL), PRUNE_E_VALUE, "20000");
    where = -1;
    FAILS(prune_selection_solve(s, NULL, PRUNE_SPARSITY, .5, NULL), PRUNE_E_IO, "the disk is gone");
    where = 60000;
    OK(prune_selection_solve(s, NULL, PRUNE_SPARSITY, .5, NULL));
    ck_assert_int_eq(kept_of(s, 0), 25000);
    prune_selection_free(s);
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add_streamed(s, g, 1, SHAPE(1000), unsteady, &calls, 1, NULL));
    FAILS(prune_selection_solve(s, NULL, PRUNE_SPARSITY, .5, NULL), PRUNE_E_VALUE, "the same each time");
    prune_selection_free(s);
    prune_granularity_free(g);
}
END_TEST

START_TEST(threads_and_streams_do_not_change_the_result)
{
    enum { N = 700000 };
    static double values[N];
    prune_mask *masks[2][2];
    for (int i = 0; i < N; i++)
        values[i] = fabs((float)((unsigned)i * 2654435761u >> 8) / 16777216.0f - .5f);
    for (int threads = 0; threads < 2; threads++) {
        prune_context *context;
        prune_selection *s;
        OK(prune_context_create(&context));
        OK(prune_context_set_threads(context, threads ? 4 : 1));
        prune_scores *a = scores_of(context, values, N, "element", 1, SHAPE(N));
        prune_scores *b = scores_of(context, values, N / 2, "element", 1, SHAPE(N / 2));
        OK(prune_selection_create(&s, context));
        OK(prune_selection_add(s, a, NULL, 3, NULL));
        OK(prune_selection_add(s, b, NULL, 5, NULL));
        OK(prune_selection_limit(s, 1, N / 4, N / 2, 64));
        OK(prune_selection_solve(s, NULL, PRUNE_BUDGET, 1234567, NULL));
        for (int t = 0; t < 2; t++)
            OK(prune_selection_mask(&masks[threads][t], s, t));
        prune_selection_free(s);
        prune_scores_free(a);
        prune_scores_free(b);
        prune_context_free(context);
    }
    for (int t = 0; t < 2; t++) {
        expect_same(masks[0][t], masks[1][t]);
        prune_mask_free(masks[0][t]);
        prune_mask_free(masks[1][t]);
    }
}
END_TEST

START_TEST(thresholds_with_a_floor)
{
    const double values[] = {1, 2, 3, 4}, low[] = {.1, .3, .2};
    prune_scores *a = row(values, 4), *b = row(low, 3);
    prune_selection *s;
    OK(prune_selection_create(&s, NULL));
    OK(prune_selection_add(s, a, NULL, 1, NULL));
    OK(prune_selection_add(s, b, NULL, 1, NULL));
    OK(prune_selection_solve(s, NULL, PRUNE_THRESHOLD, 3, NULL));
    expect_selected(s, 0, "0011");
    expect_selected(s, 1, "010");
    OK(prune_selection_solve(s, NULL, PRUNE_THRESHOLD, -INFINITY, NULL));
    expect_selected(s, 1, "111");
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(b);
}
END_TEST

START_TEST(what_is_refused)
{
    const double values[] = {1, 2, 3, 4};
    prune_scores *a = row(values, 4), *rows = scores_of(NULL, values, 4, "element:pool=row", 2, SHAPE(2, 2));
    prune_scores *groups = scores_of(NULL, values, 4, "nm:keep_n=1,group_m=2", 2, SHAPE(2, 2));
    prune_selection *s, *none = UNTOUCHED;
    prune_mask *mask = UNTOUCHED;
    double nearest = 42, cost = 42;
    int64_t units = 42;
    int32_t index = 42;
    FAILS(prune_selection_create(NULL, NULL), PRUNE_E_ARGUMENT, "out");
    OK(prune_selection_create(&s, NULL));
    FAILS(prune_selection_add(s, rows, NULL, 1, &index), PRUNE_E_ARGUMENT, "2 pools");
    FAILS(prune_selection_add(s, groups, NULL, 1, &index), PRUNE_E_ARGUMENT, "quota");
    FAILS(prune_selection_add(s, a, NULL, -1, &index), PRUNE_E_ARGUMENT, "-1");
    FAILS(prune_selection_add(s, a, NULL, NAN, &index), PRUNE_E_ARGUMENT, "nan");
    FAILS(prune_selection_add(s, a, NULL, INFINITY, &index), PRUNE_E_ARGUMENT, "inf");
    ck_assert_int_eq(index, 42);
    OK(prune_selection_add(s, a, NULL, 1, &index));
    FAILS(prune_selection_mask(&mask, s, 0), PRUNE_E_ARGUMENT, "not solved");
    FAILS(prune_selection_cost(s, &cost), PRUNE_E_ARGUMENT, "not solved");
    FAILS(prune_selection_kept(s, 0, &units, &cost), PRUNE_E_ARGUMENT, "not solved");
    FAILS(prune_selection_cut(s, 0, &cost, &units), PRUNE_E_ARGUMENT, "not solved");
    FAILS(prune_selection_limit(s, 1, 0, 4, 1), PRUNE_E_ARGUMENT, "tensor 1");
    FAILS(prune_selection_limit(s, 0, 3, 2, 1), PRUNE_E_ARGUMENT, "3 to 2");
    FAILS(prune_selection_limit(s, 0, 0, 5, 1), PRUNE_E_ARGUMENT, "it has 4");
    FAILS(prune_selection_limit(s, 0, 0, 4, 0), PRUNE_E_ARGUMENT, "round_to");
    FAILS(prune_selection_limit(s, 0, 2, 3, 5), PRUNE_E_ARGUMENT, "multiple of 5");
    FAILS(prune_selection_solve(s, "best", PRUNE_KEEP, 2, &nearest), PRUNE_E_SPEC, "uniform-plus");
    FAILS(prune_selection_solve(s, NULL, PRUNE_QUOTA, 0, &nearest), PRUNE_E_ARGUMENT, "no target");
    FAILS(prune_selection_solve(s, NULL, PRUNE_QUALITY, 0, &nearest), PRUNE_E_ARGUMENT, "no target");
    FAILS(prune_selection_solve(s, NULL, PRUNE_SPARSITY, 1.5, &nearest), PRUNE_E_ARGUMENT, "1.5");
    FAILS(prune_selection_solve(s, NULL, PRUNE_KEEP, 5, &nearest), PRUNE_E_ARGUMENT, "0 to 4");
    FAILS(prune_selection_solve(s, NULL, PRUNE_KEEP, .5, &nearest), PRUNE_E_ARGUMENT, "whole");
    FAILS(prune_selection_solve(s, NULL, PRUNE_BUDGET, -2, &nearest), PRUNE_E_ARGUMENT, "-2");
    FAILS(prune_selection_solve(s, NULL, PRUNE_BUDGET, NAN, &nearest), PRUNE_E_ARGUMENT, "NaN");
    FAILS(prune_selection_solve(s, NULL, PRUNE_BUDGET, INFINITY, &nearest), PRUNE_E_ARGUMENT, "infinite");
    ck_assert(nearest == 42 && cost == 42 && units == 42 && mask == UNTOUCHED && none == UNTOUCHED);
    /* Everything may go only where it was asked for. */
    FAILS(prune_selection_solve(s, NULL, PRUNE_SPARSITY, 1, &nearest), PRUNE_E_INFEASIBLE, "nearest");
    ck_assert(nearest == 1);
    OK(prune_selection_limit(s, 0, 0, 4, 1));
    OK(prune_selection_solve(s, NULL, PRUNE_SPARSITY, 1, NULL));
    expect_selected(s, 0, "0000");
    prune_selection_free(s);
    prune_selection_free(NULL);
    OK(prune_selection_create(&s, NULL)); /* no tensors: nothing to solve */
    OK(prune_selection_solve(s, NULL, PRUNE_SPARSITY, .5, NULL));
    OK(prune_selection_cost(s, &cost));
    ck_assert(cost == 0);
    prune_selection_free(s);
    prune_scores_free(a);
    prune_scores_free(rows);
    prune_scores_free(groups);
}
END_TEST

TEST_MAIN("selection", torch_global_unstructured_amount_4, of_equal_scores_the_lower_tensor_and_unit_go_first,
          lecture_gammas_over_two_layers, er_of_linear_4x4_and_8x4_at_density_half, er_and_erk_by_hand_on_a_convolution,
          uniform_and_uniform_plus, a_budget_below_the_floors, an_exact_budget_and_the_nearest_to_it, caps_and_steps,
          global_selection_against_brute_force, allocations_keep_to_every_limit, streams_that_fail,
          threads_and_streams_do_not_change_the_result, thresholds_with_a_floor, what_is_refused)
