/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selection at size: N:M along every axis and with patterns that rows share,
 * pools that are cut over threads, tensors of scores that are read in pieces.
 */
#include "allocator.h"
#include "asp.h"
#include "core/select/select.h"
#include "pruning.h"

enum { ASP_COUNT = ASP_ROWS * ASP_COLUMNS };
static double asp[ASP_COUNT];

static prune_tensor *asp_weights(void)
{
    asp_matrix(asp);
    return borrow(asp, PRUNE_F64, 2, SHAPE(ASP_ROWS, ASP_COLUMNS));
}

static double retained(const prune_mask *mask)
{
    static uint8_t bytes[ASP_COUNT];
    double total = 0;
    OK(prune_mask_to_bytes(mask, bytes, ASP_COUNT));
    for (int i = 0; i < ASP_COUNT; i++)
        total += bytes[i] ? fabs(asp[i]) : 0;
    return total;
}

START_TEST(a_pattern_shared_by_rows_is_a_pattern_of_each)
{
    prune_tensor *weights = asp_weights();
    prune_mask *plain = prune(weights, "l1", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0);
    prune_mask *shared = prune(weights, "l1", "nm:keep_n=2,group_m=4,unit_rows=4", PRUNE_QUOTA, 0);
    expect_check("nm:keep_n=2,group_m=4,unit_rows=4", shared, 1, -1);
    expect_check("nm:keep_n=2,group_m=4", shared, 1, -1);
    prune_granularity *g = cut("nm:keep_n=2,group_m=4,unit_rows=4");
    int32_t holds;
    OK(prune_granularity_check(g, plain, &holds, NULL));
    ck_assert_int_eq(holds, 0);
    ck_assert(retained(shared) < retained(plain));
    ck_assert(retained(shared) > 4083.168773 / 2);
    ck_assert_int_eq(prune_mask_kept(shared), ASP_COUNT / 2);
    prune_granularity_free(g);
    prune_mask_free(plain);
    prune_mask_free(shared);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(two_of_four_along_every_axis_with_remainders)
{
    const int64_t shape[] = {7, 10, 5, 6}, count = 7 * 10 * 5 * 6;
    prune_tensor *weights;
    prune_tensor_free(asp_weights());
    OK(prune_tensor_borrow(&weights, NULL, asp, PRUNE_F64, 4, shape, NULL));
    for (int axis = 0; axis < 4; axis++) {
        char spec[60];
        int64_t stride = 1, extent = shape[axis], groups = (extent + 3) / 4;
        for (int i = 3; i > axis; i--)
            stride *= shape[i];
        snprintf(spec, sizeof spec, "nm:keep_n=2,group_m=4,axis=%d", axis);
        prune_mask *mask = prune(weights, "l1", spec, PRUNE_QUOTA, 0);
        expect_check(spec, mask, 1, -1);
        for (int64_t first = 0; first < count; first++) {
            if (first / stride % extent % 4)
                continue; /* not the first of a group */
            int64_t r = extent - first / stride % extent, kept_here = 0;
            r = r < 4 ? r : 4;
            double least = INFINITY, most = -INFINITY; /* of the kept, of the pruned */
            for (int64_t i = 0; i < r; i++) {
                double w = asp[first + i * stride];
                if (kept(mask, first + i * stride)) {
                    kept_here++;
                    least = w < least ? w : least;
                } else {
                    most = w > most ? w : most;
                }
            }
            if (kept_here != (r < 2 ? r : 2) || !(least > most))
                ck_abort_msg("axis %d, the group at %lld", axis, (long long)first);
        }
        int64_t last = extent - 4 * (groups - 1), kept_along = 2 * (groups - 1) + (last < 2 ? last : 2);
        ck_assert_int_eq(prune_mask_kept(mask), count / extent * kept_along);
        prune_mask_free(mask);
    }
    prune_tensor_free(weights);
}
END_TEST

/* ---- pools that are cut over threads ---- */

static uint64_t draws;

static double draw_uniform(void)
{
    draws = draws * 6364136223846793005u + 1442695040888963407u;
    return (double)(draws >> 11) * 0x1p-53;
}

/* Numbers of many kinds: with and without ties, all in one top digit,
 * infinities, zeros of both signs. */
static double draw_kind(int kind)
{
    switch (kind) {
    case 0:
        return draw_uniform() - 0.5;
    case 1:
        return floor(draw_uniform() * 7) - 3;
    case 2:
        return 0.3;
    case 3:
        return 1 + draw_uniform() * 0x1p-30;
    case 4:
        return draw_uniform() < 0.3 ? -0.0 : draw_uniform() < 0.5 ? 0.0 : draw_uniform() < 0.5 ? INFINITY : -INFINITY;
    default:
        return ldexp(draw_uniform(), (int)(draw_uniform() * 2000) - 1000);
    }
}

static const double *sorted_scores;

static int by_score_then_number(const void *a, const void *b)
{
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    if (sorted_scores[i] != sorted_scores[j])
        return sorted_scores[i] < sorted_scores[j] ? -1 : 1;
    return i < j ? -1 : i > j;
}

static prune_context *context_with(int32_t threads)
{
    prune_context *context;
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, threads));
    return context;
}

/* Both ways to select, whole and cut over threads, against a sort; pools along
 * either axis. */
START_TEST(large_pools_equal_a_sort)
{
    enum { LONG = 270001, WIDE = 2, COUNT = LONG * WIDE };
    const int32_t threads[] = {1, 2, 3, 7};
    const int64_t ks[] = {0, 1, 77777, LONG / 2, LONG - 1, LONG};
    double *scores = malloc(COUNT * sizeof *scores);
    int64_t *order = malloc(LONG * sizeof *order), *rank = malloc(COUNT * sizeof *rank);
    uint8_t *due = malloc(COUNT), *got = malloc(COUNT);
    draws = (uint64_t)_i + 1;
    for (int64_t i = 0; i < COUNT; i++)
        scores[i] = draw_kind(_i);
    for (int axis = 0; axis < 2; axis++) {
        /* One pool a row of [WIDE, LONG], or one a column of [LONG, WIDE]. */
        prune_granularity *g = cut(axis ? "nm:keep_n=1,group_m=270001,axis=0" : "element:pool=row");
        const int64_t shape[2] = {axis ? LONG : WIDE, axis ? WIDE : LONG};
        struct pr_grid grid;
        OK(pr_grid_make(&grid, g, 2, shape));
        ck_assert_int_eq(grid.pools, WIDE);
        sorted_scores = scores;
        for (int64_t pool = 0; pool < WIDE; pool++) {
            for (int64_t j = 0; j < LONG; j++)
                order[j] = axis ? j * WIDE + pool : pool * LONG + j;
            qsort(order, LONG, sizeof *order, by_score_then_number);
            for (int64_t j = 0; j < LONG; j++)
                rank[order[j]] = j;
        }
        for (int i = 0; i < 6; i++) {
            struct pr_target target = {PRUNE_KEEP, (double)(LONG - ks[i]), PR_NO_QUOTA, 0, 0};
            for (int64_t j = 0; j < COUNT; j++)
                due[j] = rank[j] >= ks[i];
            for (int t = 0; t < 8; t += i == 2 ? 1 : 3) {
                prune_context *context = context_with(threads[t / 2]);
                memset(got, 7, COUNT);
                OK((t % 2 ? pr_select_large : pr_select_small)(context, &grid, scores, &target, got));
                ck_assert_mem_eq(got, due, COUNT);
                prune_context_free(context);
            }
        }
        prune_granularity_free(g);
    }
    free(scores);
    free(order);
    free(rank);
    free(due);
    free(got);
}
END_TEST

/* The public way, from weights to mask. */
START_TEST(any_number_of_threads_gives_the_same_mask)
{
    const struct {
        const char *criterion, *granularity;
        int32_t target;
        double amount;
    } cases[] = {
        {"l1", "element", PRUNE_SPARSITY, 0.9},
        {"l1", "element", PRUNE_THRESHOLD, 0.25},
        {"l2", "element:pool=row", PRUNE_KEEP, 100},
        {"l1", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0},
        {"l1", "nm:keep_n=2,group_m=4,axis=0,unit_rows=4", PRUNE_QUOTA, 0},
        {"lp:p=1.5", "nm:keep_n=3,group_m=7,unit_rows=3", PRUNE_QUOTA, 0},
        {"l2", "column", PRUNE_SPARSITY, 0.5},
        {"random:seed=4", "filter", PRUNE_SPARSITY, 0.5},
    };
    const int32_t threads[] = {1, 2, 3, 7};
    const int64_t shape[] = {1021, 1103};
    float *w = malloc((size_t)(shape[0] * shape[1]) * sizeof *w);
    draws = 99;
    for (int64_t i = 0; i < shape[0] * shape[1]; i++)
        w[i] = (float)(floor(draw_uniform() * 4001) / 4000 - 0.5); /* with ties */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        prune_mask *first = NULL;
        for (int t = 0; t < 4; t++) {
            prune_context *context = context_with(threads[t]);
            prune_tensor *weights;
            prune_mask *mask;
            OK(prune_tensor_borrow(&weights, context, w, PRUNE_F32, 2, shape, NULL));
            mask = prune(weights, cases[i].criterion, cases[i].granularity, cases[i].target, cases[i].amount);
            expect_check(cases[i].granularity, mask, 1, -1);
            if (first) {
                expect_same(first, mask);
                prune_mask_free(mask);
            } else {
                first = mask;
            }
            prune_tensor_free(weights);
            prune_context_free(context);
        }
        ck_assert_int_gt(prune_mask_kept(first), 0);
        ck_assert_int_lt(prune_mask_kept(first), prune_mask_count(first));
        prune_mask_free(first);
    }
    free(w);
}
END_TEST

/* Three tensors of 1/2, 1/4 and 1/4 of 2^bits scores, which together are 0, 1,
 * 2, ... in an order without order. */
struct numbers {
    uint64_t first, mask, cut;
    int64_t below; /* the cut, of those read so far */
};

static int32_t read_numbers(void *user, int64_t first, int64_t count, double *scores)
{
    struct numbers *numbers = user;
    for (int64_t i = 0; i < count; i++) {
        uint64_t number = ((numbers->first + (uint64_t)(first + i)) * 0x9e3779b97f4a7c15u + 12345) & numbers->mask;
        scores[i] = (double)number;
        numbers->below += number < numbers->cut;
    }
    return PRUNE_OK;
}

/* Removes a number of them in one ranking and returns the most memory that it
 * took. */
static int64_t rank_numbers(int bits, int32_t threads, uint64_t remove)
{
    struct allocator a;
    struct numbers numbers[3] = {{0}};
    prune_context *context = counted_context(&a);
    prune_selection *selection;
    prune_granularity *g;
    OK(prune_context_set_threads(context, threads));
    OK(prune_granularity_create(&g, context, "element"));
    OK(prune_selection_create(&selection, context));
    for (int t = 0; t < 3; t++) {
        uint64_t quarter = 1ULL << (bits - 2), units = t == 0 ? 2 * quarter : quarter;
        numbers[t] = (struct numbers){t == 0 ? 0 : (uint64_t)(t + 1) * quarter, (1ULL << bits) - 1, remove, 0};
        OK(prune_selection_add_streamed(selection, g, 1, SHAPE((int64_t)units), read_numbers, &numbers[t], 1, NULL));
    }
    OK(prune_selection_solve(selection, NULL, PRUNE_COUNT, (double)remove, NULL));
    int64_t total = 0, peak = a.peak;
    for (int t = 0; t < 3; t++) {
        static double piece[4096];
        int64_t units = INT64_C(1) << (t == 0 ? bits - 1 : bits - 2), kept_here;
        numbers[t].below = 0;
        for (int64_t first = 0; first < units; first += 4096)
            OK(read_numbers(&numbers[t], first, 4096, piece));
        OK(prune_selection_kept(selection, t, &kept_here, NULL));
        ck_assert_int_eq(kept_here, units - numbers[t].below);
        total += kept_here;
    }
    ck_assert_int_eq(total, (INT64_C(1) << bits) - (int64_t)remove);
    prune_selection_free(selection);
    prune_granularity_free(g);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
    return peak;
}

/* A billion in make check-long. */
START_TEST(a_ranking_of_any_number_of_scores_takes_less_than_64_mib)
{
    int bits = getenv("LONG") && *getenv("LONG") ? 30 : 25;
    const int32_t threads[] = {1, 2, 256};
    for (int i = 0; i < 3; i++) {
        int64_t some = rank_numbers(22, threads[i], 1234567), many = rank_numbers(bits, threads[i], 1ULL << bits >> 1);
        printf("ranking 2^%d scores with %d threads: %.1f MiB\n", bits, (int)threads[i], (double)many / (1 << 20));
        ck_assert_int_lt(many, 64 << 20);
        ck_assert_int_eq(many, some);
    }
}
END_TEST

/* Every allocation of a selection fails in turn: a status, nothing made,
 * nothing lost. */
static int32_t whole_way(struct allocator *a, int64_t fail_at, const float *w, const int64_t *shape,
                         const char *criterion, const char *granularity, int32_t target, prune_mask **mask)
{
    prune_context *context = counted_context(a);
    prune_tensor *weights = NULL, *values = NULL;
    prune_criterion *c = NULL;
    prune_granularity *g = NULL;
    prune_scores *scores = NULL, *given = NULL;
    prune_schedule *schedule = NULL;
    a->fail_at = fail_at;
    int32_t status = PRUNE_OK;
    (void)((status = prune_tensor_borrow(&weights, context, (void *)(uintptr_t)w, PRUNE_F32, 2, shape, NULL)) ||
           (status = prune_schedule_create(&schedule, context, "one-shot:sparsity=0.5")) ||
           (status = prune_criterion_create(&c, context, criterion)) ||
           (status = prune_granularity_create(&g, context, granularity)) ||
           (status = prune_criterion_score(&scores, c, weights, NULL, g)) ||
           (status = prune_tensor_convert(&values, prune_scores_values(scores), PRUNE_F32)) ||
           (status = prune_scores_create(&given, g, 2, shape, values)) ||
           (status = prune_mask_select(mask, given, target, target ? 0.5 : 0)) ||
           (status = prune_granularity_check(g, *mask, NULL, NULL)));
    prune_schedule_free(schedule);
    prune_scores_free(given);
    prune_scores_free(scores);
    prune_granularity_free(g);
    prune_criterion_free(c);
    prune_tensor_free(values);
    prune_tensor_free(weights);
    prune_context_free(context);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    const char *cases[][2] = {{"l2", "nm:keep_n=2,group_m=4,unit_rows=2"}, {"lp:p=3", "row"}, {"l1", "element"}};
    const int64_t shape[] = {530, 500}; /* element: more than PR_LARGE_POOL units */
    float *w = calloc((size_t)(shape[0] * shape[1]), sizeof *w);
    ck_assert_int_gt(shape[0] * shape[1], PR_LARGE_POOL);
    for (int i = 0; i < 3; i++) {
        int32_t status = PRUNE_E_NOMEM;
        int64_t fail_at = 0;
        struct allocator a;
        for (; status; fail_at++) {
            prune_mask *mask = UNTOUCHED;
            status =
                whole_way(&a, fail_at, w, shape, cases[i][0], cases[i][1], i ? PRUNE_SPARSITY : PRUNE_QUOTA, &mask);
            ck_assert_int_lt(fail_at, 100);
            ck_assert(status == PRUNE_OK || status == PRUNE_E_NOMEM);
            if (!status || mask != UNTOUCHED) /* the check alone may have failed */
                prune_mask_free(mask);
            ck_assert_int_eq(a.live, 0);
        }
        ck_assert_int_gt(fail_at, 15);
    }
    free(w);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("select_scale");
    TCase *test_case = tcase_create("select_scale");
    tcase_set_timeout(test_case, getenv("LONG") && *getenv("LONG") ? 3600 : 120);
    tcase_add_test(test_case, a_pattern_shared_by_rows_is_a_pattern_of_each);
    tcase_add_test(test_case, two_of_four_along_every_axis_with_remainders);
    tcase_add_loop_test(test_case, large_pools_equal_a_sort, 0, 6);
    tcase_add_test(test_case, any_number_of_threads_gives_the_same_mask);
    tcase_add_test(test_case, a_ranking_of_any_number_of_scores_takes_less_than_64_mib);
    tcase_add_test(test_case, every_allocation_may_fail);
    suite_add_tcase(suite, test_case);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
