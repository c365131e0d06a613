/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Optimal Brain Surgeon for a given mask. A row that loses w_P keeps w_K + (H_KK)^-1 H_KP w_P, which is where the kept
 * weights make the error least. Rows with one mask share the factor of H_KK; rows are dealt out to threads.
 *
 * Where the memory does not hold the factor of all kept columns, they are taken block by block, each block to its best
 * while the others stand, again and again: the error falls with every step towards the same end.
 */
#include "core/recover/obs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/sort.h"

enum { METHOD, DAMPING, MEMORY };
enum { EXACT, GREEDY };

static const struct pr_parameter parameters[] = {
    {.name = "method",
     .type = PR_WORD,
     .standard = "exact",
     .words = "exact|greedy",
     .help = "all weights of a row at once, or the least costly one after another; the ends differ by rounding"},
    PR_DAMPING_PARAMETER("0.0001"),
    PR_MEMORY_PARAMETER,
    {0},
};

/* Rows that are solved together. */
#define BATCH 32
#define MOST_SWEEPS 1000
#define STEADY 1e-12

/* One task's scratch. */
struct bench {
    double *factor;         /* block x block, or columns x columns */
    double *change, *slope; /* BATCH x columns: d, and d H */
    double *right;          /* columns x BATCH */
    int64_t *kept;          /* columns */
    int64_t failed;         /* the row whose matrix was not positive definite, or -1 */
    struct pr_pivot bad;
    int32_t status;
    double predicted;
};

struct surgery {
    struct pr_recovering *r;
    const prune_mask *mask;
    struct pr_linalg la;
    double *weights;        /* rows x columns: before and after */
    struct pr_keyed *order; /* rows, those with one mask next to one another */
    int64_t *groups;        /* where each group begins in `order`; group_count + 1 */
    int64_t group_count, tasks, block;
    const double *inverse; /* of the damped H; greedy only */
    struct bench *benches;
};

static uint64_t row_hash(const prune_mask *mask, int64_t row, int64_t columns)
{
    uint64_t hash = 0x9e3779b97f4a7c15ULL;
    for (int64_t i = 0; i < columns; i += 64) {
        hash ^= pr_mask_bits(mask, row * columns + i, columns - i < 64 ? columns - i : 64);
        hash = (hash ^ hash >> 31) * 0xbf58476d1ce4e5b9ULL;
    }
    return hash;
}

static int same_row(const prune_mask *mask, int64_t a, int64_t b, int64_t columns)
{
    for (int64_t i = 0; i < columns; i += 64) {
        int64_t count = columns - i < 64 ? columns - i : 64;
        if (pr_mask_bits(mask, a * columns + i, count) != pr_mask_bits(mask, b * columns + i, count))
            return 0;
    }
    return 1;
}

/* Rows with equal masks stand together; rows whose hashes are equal by chance may be cut apart, which costs time only.
 */
static int32_t find_groups(struct surgery *s)
{
    struct pr_recovering *r = s->r;
    struct pr_keyed *scratch;
    PR_TRY(pr_alloc(r->context, r->rows, sizeof *s->order, &s->order));
    PR_TRY(pr_alloc(r->context, r->rows + 1, sizeof *s->groups, &s->groups));
    PR_TRY(pr_alloc(r->context, r->rows, sizeof *scratch, &scratch));
    for (int64_t i = 0; i < r->rows; i++)
        s->order[i] = (struct pr_keyed){row_hash(s->mask, i, r->columns), i};
    pr_sort_keyed(s->order, scratch, r->rows, 8);
    pr_release(r->context, scratch);
    for (int64_t i = 0; i < r->rows; i++)
        if (i == 0 || s->order[i].key != s->order[i - 1].key ||
            !same_row(s->mask, s->order[i].index, s->order[i - 1].index, r->columns))
            s->groups[s->group_count++] = i;
    s->groups[s->group_count] = r->rows;
    return PRUNE_OK;
}

/* The damped matrix of the kept columns begin to begin + count, below the diagonal, factored. */
static int factor_block(const struct surgery *s, struct bench *b, int64_t begin, int64_t count)
{
    const struct pr_recovering *r = s->r;
    for (int64_t i = 0; i < count; i++) {
        int64_t row = b->kept[begin + i];
        for (int64_t j = 0; j < i; j++)
            b->factor[i * count + j] = r->gram[row * r->columns + b->kept[begin + j]];
        b->factor[i * count + i] = pr_damped_diagonal(r, row);
    }
    if (!pr_linalg_try_cholesky(&s->la, count, b->factor, count, &b->bad))
        return 0;
    b->bad.column = b->kept[begin + b->bad.column];
    return 1;
}

/* d H for `rows` rows of d. */
static int32_t take_slopes(const struct surgery *s, struct bench *b, int64_t rows)
{
    const struct pr_recovering *r = s->r;
    int64_t n = r->columns;
    PR_TRY(pr_linalg_gemm(&s->la, 0, 0, rows, n, n, 1, b->change, n, r->gram, n, 0, b->slope, n));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++)
            b->slope[i * n + j] += (pr_damped_diagonal(r, j) - r->gram[j * n + j]) * b->change[i * n + j];
    return PRUNE_OK;
}

/* Takes a block of kept columns to its best, for a batch; returns the largest step relative to what the block's changes
 * are now. */
static int32_t step(const struct surgery *s, struct bench *b, int64_t rows, int64_t begin, int64_t count,
                    double *largest)
{
    int64_t n = s->r->columns;
    const int64_t *kept = b->kept + begin;
    double most = 0, size = 0;
    for (int64_t i = 0; i < count; i++)
        for (int64_t v = 0; v < rows; v++)
            b->right[i * rows + v] = -b->slope[v * n + kept[i]];
    PR_TRY(pr_linalg_solve_lower(&s->la, 0, count, rows, b->factor, count, b->right, rows));
    PR_TRY(pr_linalg_solve_lower(&s->la, 1, count, rows, b->factor, count, b->right, rows));
    for (int64_t i = 0; i < count; i++)
        for (int64_t v = 0; v < rows; v++) {
            double *change = &b->change[v * n + kept[i]], delta = b->right[i * rows + v];
            *change += delta;
            most = fabs(delta) > most ? fabs(delta) : most;
            size = fabs(*change) > size ? fabs(*change) : size;
        }
    *largest = size > 0 && most > *largest * size ? most / size : *largest;
    return PRUNE_OK;
}

/* The slopes after block steps; a whole factor needs none. */
static void follow(const struct surgery *s, struct bench *b, int64_t rows, int64_t begin, int64_t count)
{
    const struct pr_recovering *r = s->r;
    int64_t n = r->columns;
    for (int64_t v = 0; v < rows; v++)
        for (int64_t i = 0; i < count; i++) {
            int64_t column = b->kept[begin + i];
            const double *gram = r->gram + column * n;
            double delta = b->right[i * rows + v], *slope = b->slope + v * n;
            for (int64_t j = 0; j < n; j++)
                slope[j] += delta * gram[j];
            slope[column] += delta * (pr_damped_diagonal(r, column) - gram[column]);
        }
}

/* `change` holds -w at pruned columns and 0 elsewhere; becomes what the weights change by. */
static int32_t settle(const struct surgery *s, struct bench *b, int64_t rows, int64_t kept, int *bad)
{
    PR_TRY(take_slopes(s, b, rows));
    if (kept <= s->block) {
        double unused = 0;
        return kept > 0 ? step(s, b, rows, 0, kept, &unused) : PRUNE_OK;
    }
    for (int sweep = 0; sweep < MOST_SWEEPS; sweep++) {
        double largest = 0;
        for (int64_t begin = 0; begin < kept; begin += s->block) {
            int64_t count = kept - begin < s->block ? kept - begin : s->block;
            *bad = factor_block(s, b, begin, count);
            if (*bad)
                return PRUNE_OK;
            PR_TRY(step(s, b, rows, begin, count, &largest));
            follow(s, b, rows, begin, count);
        }
        if (largest <= STEADY)
            break;
    }
    return PRUNE_OK;
}

/* One group of rows that share their mask. */
static int32_t operate(const struct surgery *s, struct bench *b, int64_t first, int64_t end, int *bad)
{
    const struct pr_recovering *r = s->r;
    int64_t n = r->columns, kept = 0, row = s->order[first].index;
    for (int64_t j = 0; j < n; j++)
        if (pr_mask_get(s->mask, row * n + j))
            b->kept[kept++] = j;
    if (kept == n)
        return PRUNE_OK;
    *bad = kept > 0 && kept <= s->block && factor_block(s, b, 0, kept);
    for (int64_t begin = first; begin < end && !*bad; begin += BATCH) {
        int64_t rows = end - begin < BATCH ? end - begin : BATCH;
        for (int64_t v = 0; v < rows; v++) {
            const double *w = s->weights + s->order[begin + v].index * n;
            double *change = b->change + v * n;
            for (int64_t j = 0; j < n; j++)
                change[j] = -w[j];
            for (int64_t i = 0; i < kept; i++)
                change[b->kept[i]] = 0;
        }
        PR_TRY(settle(s, b, rows, kept, bad));
        if (*bad)
            break;
        PR_TRY(take_slopes(s, b, rows));
        for (int64_t v = 0; v < rows; v++) {
            double *w = s->weights + s->order[begin + v].index * n;
            const double *change = b->change + v * n, *slope = b->slope + v * n;
            for (int64_t j = 0; j < n; j++)
                b->predicted += change[j] * slope[j];
            for (int64_t i = 0; i < kept; i++)
                w[b->kept[i]] += change[b->kept[i]];
        }
    }
    return PRUNE_OK;
}

/* Removes the pruned weights of a row one after another. */
static int operate_greedily(const struct surgery *s, struct bench *b, int64_t row)
{
    const struct pr_recovering *r = s->r;
    int64_t n = r->columns, left = 0;
    double *w = s->weights + row * n, *inverse = b->factor;
    for (int64_t j = 0; j < n; j++)
        if (!pr_mask_get(s->mask, row * n + j))
            b->kept[left++] = j;
    if (left > 0)
        memcpy(inverse, s->inverse, (size_t)(n * n) * sizeof *inverse);
    for (; left > 0; left--) {
        int64_t best = 0;
        double least = INFINITY;
        for (int64_t i = 0; i < left; i++) {
            int64_t q = b->kept[i];
            double cost = w[q] * w[q] / inverse[q * n + q];
            if (cost < least) {
                least = cost;
                best = i;
            }
        }
        int64_t q = b->kept[best];
        b->predicted += pr_obs_remove(n, inverse, n, w, q);
        memmove(b->kept + best, b->kept + best + 1, (size_t)(left - 1 - best) * sizeof *b->kept);
    }
    return 0;
}

double pr_obs_remove(int64_t n, double *inverse, int64_t stride, double *w, int64_t q)
{
    const double *column = inverse + q * stride;
    double pivot = column[q], scale = w[q] / pivot, cost = w[q] * scale;
    for (int64_t j = 0; j < n; j++)
        w[j] -= scale * column[j];
    w[q] = 0;
    for (int64_t i = 0; i < n; i++) {
        double part = inverse[i * stride + q] / pivot;
        for (int64_t j = 0; j < n && i != q && part != 0; j++)
            inverse[i * stride + j] -= part * column[j];
    }
    for (int64_t j = 0; j < n; j++)
        inverse[j * stride + q] = inverse[q * stride + j] = 0;
    inverse[q * stride + q] = 1;
    return cost;
}

static void task(void *argument, int32_t index)
{
    struct surgery *s = argument;
    struct bench *b = &s->benches[index];
    for (int64_t g = index; g < s->group_count && !b->status && b->failed < 0; g += s->tasks) {
        int bad = 0;
        if (s->inverse)
            for (int64_t i = s->groups[g]; i < s->groups[g + 1]; i++)
                operate_greedily(s, b, s->order[i].index);
        else
            b->status = operate(s, b, s->groups[g], s->groups[g + 1], &bad);
        if (bad)
            b->failed = s->order[s->groups[g]].index;
    }
}

/* How many rows are worked on at once and how many columns a factor may have, within the memory. */
static int32_t plan(struct surgery *s, int64_t memory, int greedy)
{
    struct pr_recovering *r = s->r;
    int64_t n = r->columns, whole = 0, each = 0;
    int64_t threads = prune_context_threads(r->context);
    PR_TRY(pr_mul(n, n, &whole));
    PR_TRY(pr_mul(whole, (int64_t)sizeof(double), &whole));
    PR_TRY(pr_mul(n, 3 * BATCH * (int64_t)sizeof(double) + (int64_t)sizeof(int64_t), &each));
    memory -= greedy ? whole : 0;
    s->block = n;
    s->tasks = whole > 0 ? memory / whole : threads;
    if (s->tasks < 1) {
        s->tasks = 1;
        s->block = (int64_t)sqrt((double)memory / sizeof(double));
        whole = s->block * s->block * (int64_t)sizeof(double);
    }
    s->tasks = s->tasks < threads ? s->tasks : threads;
    s->tasks = s->tasks < s->group_count ? s->tasks : s->group_count;
    r->memory = s->tasks * (whole + each) + (greedy ? whole : 0) + r->rows * 40;
    return PRUNE_OK;
}

static int32_t make_benches(struct surgery *s)
{
    struct pr_recovering *r = s->r;
    int64_t n = r->columns;
    PR_TRY(pr_alloc_zero(r->context, s->tasks, sizeof *s->benches, &s->benches));
    for (int64_t i = 0; i < s->tasks; i++) {
        struct bench *b = &s->benches[i];
        b->failed = -1;
        PR_TRY(pr_alloc(r->context, s->block, s->block * (int64_t)sizeof *b->factor, &b->factor));
        PR_TRY(pr_alloc(r->context, n, 3 * BATCH * (int64_t)sizeof *b->change, &b->change));
        PR_TRY(pr_alloc(r->context, n, sizeof *b->kept, &b->kept));
        b->slope = b->change + BATCH * n;
        b->right = b->slope + BATCH * n;
    }
    return PRUNE_OK;
}

static int32_t outcome(struct surgery *s)
{
    const struct bench *worst = NULL;
    double predicted = 0;
    for (int64_t i = 0; i < s->tasks; i++) {
        const struct bench *b = &s->benches[i];
        if (b->status)
            return b->status;
        if (b->failed >= 0 && (!worst || b->failed < worst->failed))
            worst = b;
        predicted += b->predicted;
    }
    if (worst) {
        pr_linalg_not_definite(s->r->columns, &worst->bad);
        return pr_fail_in(PRUNE_E_VALUE, "row %lld, the weights that stay", (long long)worst->failed);
    }
    s->r->predicted = predicted > 0 ? predicted : 0;
    return PRUNE_OK;
}

static void close_up(struct surgery *s)
{
    prune_context *context = s->r->context;
    for (int64_t i = 0; s->benches && i < s->tasks; i++) {
        pr_release(context, s->benches[i].factor);
        pr_release(context, s->benches[i].change);
        pr_release(context, s->benches[i].kept);
    }
    pr_release(context, s->benches);
    pr_release(context, s->order);
    pr_release(context, s->groups);
}

int32_t pr_damped_matrix(const struct pr_recovering *r, double **out)
{
    int64_t n = r->columns;
    double *matrix;
    PR_TRY(pr_alloc(r->context, n, n * (int64_t)sizeof *matrix, &matrix));
    memcpy(matrix, r->gram, (size_t)(n * n) * sizeof *matrix);
    for (int64_t i = 0; i < n; i++)
        matrix[i * n + i] = pr_damped_diagonal(r, i);
    *out = matrix;
    return PRUNE_OK;
}

/* How many columns' square matrix the memory holds. */
static int64_t columns_within(int64_t memory, int64_t most)
{
    int64_t columns = (int64_t)sqrt((double)(memory / (int64_t)sizeof(double)));
    return columns < most ? columns : most;
}

/* Of the damped matrix, or of the blocks along its diagonal that the memory holds, where no condition is above the
 * whole one's: the largest; infinity when one is not positive definite. */
static int32_t estimate_condition(struct pr_recovering *r, const struct pr_linalg *la, int64_t memory)
{
    int64_t n = r->columns, most = columns_within(memory, n), square = 0;
    double *matrix;
    if (n == 0)
        return PRUNE_OK;
    PR_TRY(pr_mul(most + 3, most, &square));
    PR_TRY(pr_alloc(r->context, square, sizeof *matrix, &matrix));
    for (int64_t begin = 0; begin < n; begin += most) {
        int64_t count = n - begin < most ? n - begin : most;
        struct pr_pivot bad;
        double *work = matrix + count * count;
        for (int64_t i = 0; i < count; i++) {
            memcpy(matrix + i * count, r->gram + (begin + i) * n + begin, (size_t)count * sizeof *matrix);
            matrix[i * count + i] = pr_damped_diagonal(r, begin + i);
        }
        double norm = pr_linalg_norm(count, matrix, count, work);
        int refused = pr_linalg_try_cholesky(la, count, matrix, count, &bad);
        double condition = refused ? INFINITY : pr_linalg_condition(count, matrix, count, norm, work);
        r->condition = condition > r->condition ? condition : r->condition;
    }
    pr_release(r->context, matrix);
    return PRUNE_OK;
}

static int32_t run(struct surgery *s, int64_t memory, int greedy)
{
    PR_TRY(find_groups(s));
    PR_TRY(plan(s, memory, greedy));
    PR_TRY(make_benches(s));
    prune_context_parallel(s->r->context, (int32_t)s->tasks, task, s);
    return outcome(s);
}

int32_t pr_obs_repair(struct pr_recovering *r, const prune_mask *mask, double fraction, int64_t memory, int greedy)
{
    struct surgery s = {.r = r, .mask = mask, .la = pr_linalg_of(r->context)};
    double *inverse = NULL;
    PR_TRY(pr_linalg_fits("the number of inputs", r->columns));
    pr_recover_damping(r, fraction);
    if (r->reports)
        PR_TRY(estimate_condition(r, &s.la, memory));
    PR_TRY(pr_recover_copy(r, &s.weights));
    /* A greedy row needs two square matrices; where there is no room, the exact way comes to the same end. */
    greedy = greedy && r->columns > 0 && memory / 2 / (int64_t)sizeof(double) / r->columns >= r->columns;
    int32_t status = PRUNE_OK;
    if (greedy) {
        status = pr_damped_matrix(r, &inverse);
        if (!status)
            status = pr_linalg_invert(&s.la, r->columns, inverse, r->columns);
        s.inverse = inverse;
    }
    if (!status)
        status = run(&s, memory, greedy);
    if (!status)
        status = prune_mask_apply(mask, r->result);
    close_up(&s);
    pr_release(r->context, inverse);
    return status;
}

int32_t pr_obs_select(struct pr_recovering *r, double fraction, int64_t memory, prune_mask **mask)
{
    char spec[128], damping[PR_MAX_NUMBER], bytes[PR_MAX_NUMBER];
    prune_criterion *criterion;
    prune_scores *scores = NULL;
    pr_number_print(damping, fraction);
    pr_number_print(bytes, (double)memory);
    snprintf(spec, sizeof spec, "obs:damping=%s,memory=%s", damping, bytes);
    PR_TRY(prune_criterion_create(&criterion, r->context, spec));
    int32_t status = prune_criterion_score(&scores, criterion, r->weights, r->observations, r->granularity);
    if (!status)
        status = prune_mask_select(mask, scores, r->target, r->amount);
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    return status;
}

static int32_t choose(struct pr_recovering *r)
{
    const struct pr_values *v = &r->recovery->values;
    PR_TRY(pr_obs_select(r, v->real[DAMPING], v->whole[MEMORY], &r->chosen));
    return pr_obs_repair(r, r->chosen, v->real[DAMPING], v->whole[MEMORY], v->whole[METHOD] == GREEDY);
}

static int32_t repair(struct pr_recovering *r)
{
    const struct pr_values *v = &r->recovery->values;
    return pr_obs_repair(r, r->mask, v->real[DAMPING], v->whole[MEMORY], v->whole[METHOD] == GREEDY);
}

const struct pr_recovery_kind pr_recovery_obs = {
    .kind = {.name = "obs",
             .help = "Optimal Brain Surgeon: for a given mask the other weights take their best values",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .repair = repair,
    .choose = choose,
};
