/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The best mask there is, by trying all: of each row every way to keep as many weights of each pool as the target says,
 * with the other weights at their best for each. How far a heuristic is from the best is measured against this.
 */
#include <math.h>
#include <string.h>

#include "core/criterion/criterion.h"
#include "core/recover/obs.h"

enum { DAMPING, MEMORY };

static const struct pr_parameter parameters[] = {PR_DAMPING_PARAMETER("0.0001"), PR_MEMORY_PARAMETER, {0}};

/* Weights of a row that may go, and ways to choose them. */
#define MOST_GONE 20
#define MOST_WAYS 200000

/* A pool, or what of it lies in the row at hand: `count` columns of which `gone` go. */
struct part {
    int64_t first, count, gone;
};

struct search {
    struct pr_recovering *r;
    const double *inverse; /* of the damped matrix */
    int64_t *columns;      /* of the row's pools, one after another */
    struct part *parts;
    int64_t part_count;
    int64_t choice[MOST_GONE], best[MOST_GONE]; /* the columns that go, pool after pool, as places in a pool */
};

/* What a set costs: w_P ((H^-1)_PP)^-1 w_P'. */
static double cost(const struct search *s, const double *w, const int64_t *gone, int64_t count)
{
    double a[MOST_GONE * MOST_GONE], x[MOST_GONE], total = 0;
    int64_t n = s->r->columns;
    for (int64_t i = 0; i < count; i++) {
        double sum = w[gone[i]];
        for (int64_t j = 0; j <= i; j++) {
            double value = s->inverse[gone[i] * n + gone[j]];
            for (int64_t k = 0; k < j; k++)
                value -= a[i * MOST_GONE + k] * a[j * MOST_GONE + k];
            a[i * MOST_GONE + j] = i == j ? sqrt(value) : value / a[j * MOST_GONE + j];
        }
        for (int64_t k = 0; k < i; k++)
            sum -= a[i * MOST_GONE + k] * x[k];
        x[i] = sum / a[i * MOST_GONE + i];
        total += x[i] * x[i];
    }
    return total;
}

/* The next way to choose, in lexicographic order of the pools' own; 0 after the last. */
static int next_way(struct search *s)
{
    int64_t begin = 0;
    for (int64_t p = 0; p < s->part_count; p++) {
        struct part *part = &s->parts[p];
        int64_t *choice = s->choice + begin, i = part->gone - 1;
        begin += part->gone;
        while (i >= 0 && choice[i] == part->count - part->gone + i)
            i--;
        if (i >= 0) {
            choice[i]++;
            for (i++; i < part->gone; i++)
                choice[i] = choice[i - 1] + 1;
            return 1;
        }
        for (i = 0; i < part->gone; i++)
            choice[i] = i;
    }
    return 0;
}

static int64_t places(const struct search *s, const int64_t *choice, int64_t *gone)
{
    int64_t count = 0;
    for (int64_t p = 0; p < s->part_count; p++)
        for (int64_t i = 0; i < s->parts[p].gone; i++, count++)
            gone[count] = s->columns[s->parts[p].first + choice[count]];
    return count;
}

/* Sets the mask of one row to the best there is. */
static void search_row(struct search *s, int64_t row, const double *w, prune_mask *mask)
{
    int64_t gone[MOST_GONE], count = 0, n = s->r->columns;
    double least = INFINITY;
    for (int64_t p = 0; p < s->part_count; p++)
        for (int64_t i = 0; i < s->parts[p].gone; i++)
            s->choice[count++] = i;
    memcpy(s->best, s->choice, sizeof s->best);
    do {
        places(s, s->choice, gone);
        double now = cost(s, w, gone, count);
        if (now < least) {
            least = now;
            memcpy(s->best, s->choice, sizeof s->best);
        }
    } while (next_way(s));
    for (int64_t j = 0; j < n; j++)
        pr_mask_keep(mask, row * n + j);
    places(s, s->best, gone);
    for (int64_t i = 0; i < count; i++)
        pr_mask_drop(mask, row * n + gone[i]);
}

/* How many ways there are; the row has at most MOST_GONE weights that go. */
static double ways_of(const struct search *s)
{
    double ways = 1;
    for (int64_t p = 0; p < s->part_count; p++)
        for (int64_t i = 0; i < s->parts[p].gone; i++)
            ways *= (double)(s->parts[p].count - i) / (double)(i + 1);
    return ways;
}

/* The pools of the grid, which must lie in one row each; `row_of` and `pools` hold one number for each unit. */
static int32_t pool_numbers(const struct search *s, const struct pr_grid *grid, int64_t *pool_of)
{
    struct pr_pool_at at;
    struct pr_pool_run run;
    int64_t pool = 0;
    for (pr_pool_start(grid, 0, &at); pool < grid->pools; pool++) {
        for (pr_pool_run_start(grid, &at, 0, at.units, &run); run.count; pr_pool_run_next(&run))
            for (int64_t i = run.first; i < run.first + run.count; i++) {
                if (i / s->r->columns != at.first / s->r->columns)
                    return pr_fail(PRUNE_E_UNSUPPORTED,
                                   "recovery exact: a pool has weights of rows %lld and %lld; it must lie in one, as "
                                   "those of nm and element:pool=row do",
                                   (long long)(at.first / s->r->columns), (long long)(i / s->r->columns));
                pool_of[i] = pool;
            }
        if (pool + 1 < grid->pools)
            pr_pool_next(grid, &at);
    }
    return PRUNE_OK;
}

/* The parts of one row: its columns ordered by pool. */
static int32_t cut_row(struct search *s, int64_t row, const int64_t *pool_of, const prune_mask *mask)
{
    int64_t n = s->r->columns, used = 0, gone = n - pr_mask_kept_in(mask, row * n, (row + 1) * n);
    s->part_count = 0;
    if (gone > MOST_GONE)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "recovery exact: %lld weights of row %lld are to go; it tries all ways for at most %d",
                       (long long)gone, (long long)row, MOST_GONE);
    for (int64_t j = 0; j < n; j++) {
        const int64_t pool = pool_of[row * n + j];
        int seen = 0;
        for (int64_t k = 0; k < j && !seen; k++)
            seen = pool_of[row * n + k] == pool;
        if (seen)
            continue;
        struct part part = {used, 0, 0};
        for (int64_t k = j; k < n; k++)
            if (pool_of[row * n + k] == pool) {
                s->columns[used++] = k;
                part.count++;
                part.gone += !pr_mask_get(mask, row * n + k);
            }
        s->parts[s->part_count++] = part;
    }
    double ways = ways_of(s);
    if (ways > MOST_WAYS)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "recovery exact: row %lld has about %.0f ways to choose %lld weights; it tries at most %d",
                       (long long)row, ways, (long long)gone, MOST_WAYS);
    return PRUNE_OK;
}

static int32_t search_rows(struct search *s, const struct pr_grid *grid, int64_t *pool_of, prune_mask *mask,
                           const double *weights)
{
    const struct pr_recovering *r = s->r;
    PR_TRY(pool_numbers(s, grid, pool_of));
    /* All rows are looked at before the first search, so that what cannot be done is said at once. */
    for (int64_t row = 0; row < r->rows; row++)
        PR_TRY(cut_row(s, row, pool_of, mask));
    for (int64_t row = 0; row < r->rows; row++) {
        PR_TRY(cut_row(s, row, pool_of, mask));
        search_row(s, row, weights + row * r->columns, mask);
        PR_TRY(prune_context_progress(r->context, "rows", row + 1, r->rows));
    }
    return PRUNE_OK;
}

static int32_t search_mask(struct pr_recovering *r, double fraction, prune_mask *mask)
{
    struct search s = {.r = r};
    struct pr_grid grid;
    struct pr_linalg la = pr_linalg_of(r->context);
    prune_tensor *copy = NULL;
    int64_t *pool_of = NULL;
    double *inverse = NULL;
    PR_TRY(pr_grid_make(&grid, r->granularity, r->weights->rank, r->weights->shape));
    if (grid.units != grid.elements)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "recovery exact: granularity %s has units of more than one weight; it "
                       "tries all ways for single weights",
                       prune_granularity_spec(r->granularity));
    pr_recover_damping(r, fraction);
    int32_t status = pr_damped_matrix(r, &inverse);
    s.inverse = inverse;
    if (!status)
        status = pr_linalg_invert(&la, r->columns, inverse, r->columns);
    if (!status)
        status = pr_alloc(r->context, r->columns, sizeof *s.columns, &s.columns);
    if (!status)
        status = pr_alloc(r->context, r->columns, sizeof *s.parts, &s.parts);
    if (!status)
        status = pr_alloc(r->context, grid.units, sizeof *pool_of, &pool_of);
    if (!status)
        status = prune_tensor_convert(&copy, r->weights, PRUNE_F64);
    if (!status && grid.elements > 0)
        status = search_rows(&s, &grid, pool_of, mask, prune_tensor_const_data(copy));
    prune_tensor_free(copy);
    pr_release(r->context, pool_of);
    pr_release(r->context, s.parts);
    pr_release(r->context, s.columns);
    pr_release(r->context, inverse);
    return status;
}

static int32_t choose(struct pr_recovering *r)
{
    const struct pr_values *v = &r->recovery->values;
    /* How many go of each pool is what selection says of any scores. */
    PR_TRY(pr_obs_select(r, v->real[DAMPING], v->whole[MEMORY], &r->chosen));
    PR_TRY(search_mask(r, v->real[DAMPING], r->chosen));
    return pr_obs_repair(r, r->chosen, v->real[DAMPING], v->whole[MEMORY], 0);
}

const struct pr_recovery_kind pr_recovery_exact = {
    .kind = {.name = "exact",
             .help = "the best mask of small rows (nm, or element:pool=row) by trying all, then obs",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .choose = choose,
};
