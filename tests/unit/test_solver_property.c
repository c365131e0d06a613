/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Granularities with solvers of their own, in small random cases: the exact count of every one, that it has its
 * pattern, and balanced masks against their definition.
 */
#include "testing.h"

#define CASES 30000
#define LONG_CASES 1000000 /* make check-long */
#define MOST 400           /* elements */

/* Check notes the place of every assertion in a file, which is too slow here. */
#define MUST(condition, ...)                                                                                           \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg(__VA_ARGS__);                                                                                 \
    } while (0)
#undef OK
#define OK(call) MUST((call) == PRUNE_OK, "%s: %s", #call, prune_error())
#include "pruning.h"

static uint64_t state;

static int64_t draw(int64_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)bound);
}

struct trial {
    int32_t rank;
    int64_t shape[4], count;
    float w[MOST];
    uint8_t within[MOST], got[MOST];
    int is_within;
    char spec[120];
};

static void draw_tensor(struct trial *t, int32_t least_rank)
{
    int64_t mode = draw(4), limit = draw(4) ? 8 : 30;
    do {
        t->rank = least_rank + (int32_t)draw(5 - least_rank);
        t->count = 1;
        for (int32_t i = 0; i < t->rank; i++) {
            t->shape[i] = draw(60) ? 1 + draw(limit) : 0;
            t->count *= t->shape[i];
        }
    } while (t->count > MOST);
    t->is_within = draw(4) == 0;
    for (int64_t i = 0; i < t->count; i++) {
        t->w[i] = mode == 0 ? (float)draw(4) : mode == 1 ? 1 : (float)(draw(2000001) - 1000000) / 1e6f;
        if (mode == 3 && draw(10) == 0)
            t->w[i] = INFINITY;
        t->within[i] = draw(3) > 0;
    }
}

static prune_mask *solve(struct trial *t, int32_t target, double amount)
{
    prune_mask *mask, *within;
    prune_tensor *weights = borrow(t->w, PRUNE_F32, t->rank, t->shape);
    prune_scores *scores = score(weights, "l1", t->spec);
    if (t->is_within) {
        OK(prune_mask_from_bytes(&within, NULL, t->rank, t->shape, t->within, t->count));
        OK(prune_mask_select_within(&mask, scores, within, target, amount));
        prune_mask_free(within);
    } else {
        OK(prune_mask_select(&mask, scores, target, amount));
        expect_check(t->spec, mask, 1, -1);
    }
    OK(prune_mask_to_bytes(mask, t->got, t->count));
    for (int64_t i = 0; t->is_within && i < t->count; i++)
        MUST(t->got[i] <= t->within[i], "%s: element %d is kept, but was gone", t->spec, (int)i);
    prune_scores_free(scores);
    prune_tensor_free(weights);
    return mask;
}

/* What each of `parts` keeps of `total` when it is dealt out one by one to those with room. */
static void deal_slowly(const int64_t *room, int64_t parts, int64_t total, int64_t *share)
{
    memset(share, 0, (size_t)parts * sizeof *share);
    for (int64_t given = 1; given > 0 && total > 0;) {
        given = 0;
        for (int64_t p = 0; p < parts && total > 0; p++)
            if (share[p] < room[p])
                share[p]++, total--, given++;
    }
}

static void try_balanced(struct trial *t)
{
    draw_tensor(t, 1);
    int64_t n = 1 + draw(9), parts = n < t->shape[0] ? n : t->shape[0];
    int64_t room[40] = {0}, share[40] = {0}, alive = 0, kept_here[40] = {0};
    int64_t length = t->count && t->shape[0] ? t->count / t->shape[0] : 1;
    snprintf(t->spec, sizeof t->spec, "balanced:processing_elements=%d", (int)n);
    for (int64_t i = 0; i < t->count; i++)
        if (!t->is_within || t->within[i])
            room[i / length % parts]++, alive++;
    double sparsity = (double)draw(1001) / 1000, product = sparsity * (double)alive;
    int64_t remove = (int64_t)product + (product - (double)(int64_t)product >= 0.5);
    prune_mask_free(solve(t, PRUNE_SPARSITY, sparsity));
    deal_slowly(room, parts, alive - remove, share);
    for (int64_t i = 0; i < t->count; i++)
        kept_here[i / length % parts] += t->got[i];
    for (int64_t p = 0; p < parts; p++)
        MUST(kept_here[p] == share[p], "%s: %d keeps %d, not %d", t->spec, (int)p, (int)kept_here[p], (int)share[p]);
    for (int64_t i = 0; i < t->count; i++) /* nothing that is kept is less than what is not */
        for (int64_t j = 0; j < t->count; j++)
            if (i / length % parts == j / length % parts && t->got[i] && !t->got[j] && (!t->is_within || t->within[j]))
                MUST(fabsf(t->w[i]) > fabsf(t->w[j]) || (fabsf(t->w[i]) == fabsf(t->w[j]) && i > j), "%s: %d above %d",
                     t->spec, (int)j, (int)i);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void try_transposable(struct trial *t)
{
    const char *solvers[] = {"exact", "greedy", "exhaustive"};
    int64_t solver = draw(3), m = 1 + draw(solver == 2 ? 4 : 7), n = 1 + draw(m), due = 0, inner;
    draw_tensor(t, 2);
    inner = t->count ? t->count / (t->shape[0] * t->shape[1]) : 0;
    snprintf(t->spec, sizeof t->spec, "nm-transposable:keep_n=%d,group_m=%d,solver=%s", (int)n, (int)m,
             solvers[solver]);
    for (int64_t r = 0; r < t->shape[0]; r += m)
        for (int64_t c = 0; c < t->shape[1]; c += m) {
            int64_t rows = least(m, t->shape[0] - r), columns = least(m, t->shape[1] - c);
            due += inner * least(rows * least(n, columns), columns * least(n, rows));
        }
    prune_mask *mask = solve(t, PRUNE_QUOTA, 0);
    int64_t kept_now = prune_mask_kept(mask);
    MUST(t->is_within ? kept_now <= due : kept_now == due, "%s: %d kept, not %d", t->spec, (int)kept_now, (int)due);
    prune_mask_free(mask);
}

static void try_pattern(struct trial *t)
{
    int64_t keep_n = 1 + draw(5), patterns = 1 + draw(9), kernel = 1;
    do {
        draw_tensor(t, 3);
        kernel = 1;
        for (int32_t i = 2; i < t->rank; i++)
            kernel *= t->shape[i];
    } while (kernel > 64);
    snprintf(t->spec, sizeof t->spec, "pattern:keep_n=%d,patterns=%d", (int)keep_n, (int)patterns);
    prune_mask *mask = solve(t, PRUNE_QUOTA, 0);
    int64_t due = t->count ? t->count / kernel * least(keep_n, kernel) : 0, kept_now = prune_mask_kept(mask);
    MUST(t->is_within ? kept_now <= due : kept_now == due, "%s: %d kept, not %d", t->spec, (int)kept_now, (int)due);
    prune_mask_free(mask);
}

START_TEST(every_count_is_exact)
{
    static struct trial t;
    int64_t cases = getenv("LONG") && *getenv("LONG") ? LONG_CASES : CASES;
    for (int64_t i = _i; i < cases; i += 4) {
        state = (uint64_t)i * 0x9e3779b97f4a7c15u;
        draw(2);
        int64_t kind = draw(3);
        if (kind == 0)
            try_balanced(&t);
        else if (kind == 1)
            try_transposable(&t);
        else
            try_pattern(&t);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("solver_property");
    TCase *test_case = tcase_create("every_count_is_exact");
    tcase_set_timeout(test_case, getenv("LONG") && *getenv("LONG") ? 3600 : 120);
    tcase_add_loop_test(test_case, every_count_is_exact, 0, 4);
    suite_add_tcase(suite, test_case);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
