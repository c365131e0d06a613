/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The best input channels there are, by trying every subset with least squares: what a heuristic is measured with.
 */
#include <string.h>

#include "core/recover/channels.h"

enum { DAMPING, MEMORY };
#define MOST_SUBSETS 200000

static const struct pr_parameter parameters[] = {
    PR_DAMPING_PARAMETER("0"),
    PR_MEMORY_PARAMETER,
    {0},
};

struct trial {
    struct pr_channels *c;
    double *matrix, *right; /* of the columns that stay: columns x columns, columns x rows */
    int64_t *picked, *columns;
};

/* What least squares of these channels take off the outputs' sum of squares: |L^-1 X'Y|^2. */
static int32_t explained(const struct trial *t, double *value)
{
    const struct pr_recovering *r = t->c->r;
    int64_t taps = t->c->taps, k = t->c->keep * taps, n = r->columns, rows = r->rows;
    double sum = 0;
    for (int64_t i = 0; i < k; i++)
        t->columns[i] = t->picked[i / taps] * taps + i % taps;
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = 0; j < i; j++)
            t->matrix[i * k + j] = r->gram[t->columns[i] * n + t->columns[j]];
        t->matrix[i * k + i] = pr_damped_diagonal(r, t->columns[i]);
        for (int64_t o = 0; o < rows; o++)
            t->right[i * rows + o] = t->c->wanted[o * n + t->columns[i]];
    }
    PR_TRY(pr_linalg_cholesky(&t->c->la, k, t->matrix, k));
    PR_TRY(pr_linalg_solve_lower(&t->c->la, 0, k, rows, t->matrix, k, t->right, rows));
    for (int64_t i = 0; i < k * rows; i++)
        sum += t->right[i] * t->right[i];
    *value = sum;
    return PRUNE_OK;
}

/* The next subset in lexicographic order; 0 after the last. */
static int advance(int64_t *picked, int64_t keep, int64_t count)
{
    int64_t i = keep - 1;
    while (i >= 0 && picked[i] == count - keep + i)
        i--;
    if (i < 0)
        return 0;
    picked[i]++;
    for (i++; i < keep; i++)
        picked[i] = picked[i - 1] + 1;
    return 1;
}

static int32_t try_all(struct trial *t, int64_t total)
{
    struct pr_channels *c = t->c;
    double most = -1, value = 0;
    int64_t tried = 0;
    for (int64_t i = 0; i < c->keep; i++)
        t->picked[i] = i;
    do {
        PR_TRY(explained(t, &value));
        if (value >= most) { /* of equals the lower numbers go */
            most = value;
            memset(c->stay, 0, (size_t)c->count);
            for (int64_t i = 0; i < c->keep; i++)
                c->stay[t->picked[i]] = 1;
        }
        PR_TRY(prune_context_progress(c->r->context, "subset", ++tried, total));
    } while (advance(t->picked, c->keep, c->count));
    return PRUNE_OK;
}

static int32_t count_subsets(const struct pr_channels *c, int64_t *total)
{
    double subsets = 1;
    for (int64_t i = 0; i < c->keep && subsets <= 1e18; i++)
        subsets = subsets * (double)(c->count - i) / (double)(i + 1);
    if (subsets > MOST_SUBSETS)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "recovery subset would try %.3g sets of %lld of %lld channels; it tries at most %d", subsets,
                       (long long)c->keep, (long long)c->count, MOST_SUBSETS);
    *total = (int64_t)subsets;
    return PRUNE_OK;
}

static int32_t find_best(struct pr_channels *c)
{
    struct trial t = {.c = c};
    const struct pr_recovering *r = c->r;
    int64_t k = c->keep * c->taps, cells = 0;
    int64_t total = 0;
    PR_TRY(count_subsets(c, &total));
    pr_recover_damping(c->r, c->damping);
    memset(c->stay, 0, (size_t)c->count);
    if (c->keep == 0)
        return PRUNE_OK;
    PR_TRY(pr_mul(k, k + r->rows, &cells));
    PR_TRY(pr_alloc(r->context, cells, sizeof *t.matrix, &t.matrix));
    int32_t status = pr_alloc(r->context, c->keep + k, sizeof *t.picked, &t.picked);
    if (!status) {
        t.right = t.matrix + k * k;
        t.columns = t.picked + c->keep;
        status = try_all(&t, total);
    }
    c->r->memory = cells * (int64_t)sizeof *t.matrix;
    pr_release(r->context, t.picked);
    pr_release(r->context, t.matrix);
    return status;
}

static int32_t choose(struct pr_recovering *r)
{
    const struct pr_values *v = &r->recovery->values;
    struct pr_channels c;
    int32_t status = pr_channels_start(&c, r, v->real[DAMPING], v->whole[MEMORY]);
    if (!status)
        status = find_best(&c);
    if (!status)
        status = pr_channels_mask(&c);
    if (!status)
        status = pr_channels_least_squares(&c);
    pr_channels_free(&c);
    return status;
}

const struct pr_recovery_kind pr_recovery_subset = {
    .kind = {.name = "subset",
             .help = "the exact best input channels, by trying all subsets with least squares; for small layers",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .takes_targets = 1,
    .choose = choose,
};
