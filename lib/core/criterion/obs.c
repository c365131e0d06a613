/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Optimal Brain Surgeon (Hassibi and Stork 1993): what the layer error grows by when a unit goes and all other weights
 * make up for it, exactly: of each row w_S ((G^-1)_SS)^-1 w_S', S the unit's columns there.
 */
#include <math.h>
#include <string.h>

#include "core/criterion/criterion.h"
#include "core/linalg/linalg.h"
#include "core/observe/observe.h"

enum { DAMPING, MEMORY };

static const struct pr_parameter parameters[] = {
    {.name = "damping",
     .type = PR_REAL,
     .standard = "0.0001",
     .least = 0,
     .most = 1e6,
     .help = "added to the Gram matrix's diagonal, as a part of its mean, 0 or more"},
    {.name = "memory",
     .type = PR_WHOLE,
     .standard = "1073741824",
     .least = 4096,
     .most = 0x1p53,
     .help = "bytes for the inverse, 4096 or more; a larger one is cut into blocks along its diagonal"},
    PR_NORMALIZE,
    {0},
};

struct state {
    int64_t n, block;
    const double *gram;
    double damping;
    double *inverse; /* of each block of `block` columns, one after another */
};

static double diagonal(const struct state *s, int64_t i)
{
    double value = s->gram[i * s->n + i];
    return value == 0 ? 1 : value + s->damping;
}

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_GRAM;
}

static void find_damping(struct state *s, double fraction)
{
    double sum = 0;
    int64_t alive = 0;
    for (int64_t i = 0; i < s->n; i++) {
        sum += s->gram[i * s->n + i];
        alive += s->gram[i * s->n + i] != 0;
    }
    s->damping = alive > 0 ? fraction * (sum / (double)alive) : 0;
}

static int32_t invert_blocks(struct state *s, prune_context *context)
{
    struct pr_linalg la = pr_linalg_of(context);
    for (int64_t first = 0; first < s->n; first += s->block) {
        int64_t count = s->n - first < s->block ? s->n - first : s->block;
        double *a = s->inverse + first * s->block;
        struct pr_pivot bad;
        for (int64_t i = 0; i < count; i++) {
            memcpy(a + i * count, s->gram + (first + i) * s->n + first, (size_t)count * sizeof *a);
            a[i * count + i] = diagonal(s, first + i);
        }
        if (pr_linalg_try_cholesky(&la, count, a, count, &bad)) {
            bad.column += first;
            pr_linalg_not_definite(s->n, &bad);
            return pr_fail_in(PRUNE_E_VALUE, "criterion obs");
        }
        PR_TRY(pr_linalg_invert_from_factor(&la, count, a, count));
    }
    return PRUNE_OK;
}

static int32_t begin(struct pr_scoring *scoring)
{
    const struct pr_grid *grid = scoring->grid;
    struct state *s;
    char text[PR_MAX_SHAPE_TEXT];
    int64_t samples = 0, in = 0;
    PR_TRY(pr_observations_require(scoring->observations, PRUNE_OBSERVE_GRAM, "criterion obs"));
    PR_TRY(pr_alloc_zero(scoring->weights->context, 1, sizeof *s, &s));
    scoring->state = s;
    s->gram = pr_observed_gram(scoring->observations, &in, &samples);
    s->n = in;
    if (grid->rank < 1 || grid->tensor[0] * in != grid->elements)
        return pr_fail(PRUNE_E_SHAPE,
                       "criterion obs: inputs of %lld numbers were observed; weights of shape %s must take as many",
                       (long long)in, pr_shape_text(text, grid->rank, grid->tensor));
    if (samples < 1)
        return pr_fail(PRUNE_E_ARGUMENT, "criterion obs: 0 samples were observed; 1 or more are needed");
    PR_TRY(pr_linalg_fits("the number of inputs", in));
    s->block = scoring->values->whole[MEMORY] / (int64_t)sizeof(double) / (in > 0 ? in : 1);
    s->block = s->block < 1 ? 1 : s->block < in ? s->block : in;
    find_damping(s, scoring->values->real[DAMPING]);
    PR_TRY(pr_alloc(scoring->weights->context, in, s->block * (int64_t)sizeof *s->inverse, &s->inverse));
    return invert_blocks(s, scoring->weights->context);
}

static void end(struct pr_scoring *scoring)
{
    struct state *s = scoring->state;
    if (s)
        pr_release(scoring->weights->context, s->inverse);
    pr_release(scoring->weights->context, s);
}

static double inverse_at(const struct state *s, int64_t i, int64_t j)
{
    int64_t first = i / s->block * s->block, count = s->n - first < s->block ? s->n - first : s->block;
    if (j < first || j >= first + count)
        return 0;
    return s->inverse[first * s->block + (i - first) * count + (j - first)];
}

/* All columns at once: w H w'. */
static double whole_row(const struct state *s, const double *w)
{
    double total = 0;
    for (int64_t i = 0; i < s->n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < s->n; j++)
            sum += (i == j ? diagonal(s, i) : s->gram[i * s->n + j]) * w[j];
        total += w[i] * sum;
    }
    return total;
}

/* One row's part of a unit: `count` columns and their weights; `square` is scratch of count x count. */
static double part(const struct state *s, const int64_t *columns, double *w, int64_t count, double *square)
{
    struct pr_linalg la = pr_linalg_of(NULL);
    struct pr_pivot bad;
    double total = 0;
    if (count == 1)
        return w[0] * w[0] / inverse_at(s, columns[0], columns[0]);
    if (count == s->n && s->block == s->n)
        return whole_row(s, w);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j <= i; j++)
            square[i * count + j] = inverse_at(s, columns[i], columns[j]);
    /* A block of an inverse is definite; where rounding says otherwise, its diagonal is what is left. */
    if (pr_linalg_try_cholesky(&la, count, square, count, &bad)) {
        for (int64_t i = 0; i < count; i++)
            total += w[i] * w[i] / inverse_at(s, columns[i], columns[i]);
        return total;
    }
    pr_linalg_solve_lower_vector(0, count, square, count, w);
    for (int64_t i = 0; i < count; i++)
        total += w[i] * w[i];
    return total;
}

struct lists {
    int64_t *begin, *elements; /* where each unit's elements begin, ascending */
    int64_t largest;
};

static int64_t unit_of(const struct pr_grid *grid, int64_t position)
{
    int64_t unit = 0;
    for (int32_t i = grid->rank - 1; i >= 0; i--) {
        unit += position % grid->shape[i] / grid->unit[i] * grid->stride[i];
        position /= grid->shape[i];
    }
    return unit;
}

static int32_t list_units(struct lists *lists, const struct pr_grid *grid, prune_context *context)
{
    PR_TRY(pr_alloc_zero(context, grid->units + 2, sizeof *lists->begin, &lists->begin));
    PR_TRY(pr_alloc(context, grid->elements, sizeof *lists->elements, &lists->elements));
    for (int64_t i = 0; i < grid->elements; i++)
        lists->begin[unit_of(grid, i) + 2]++;
    for (int64_t u = 0; u < grid->units; u++) {
        int64_t count = lists->begin[u + 2];
        lists->largest = count > lists->largest ? count : lists->largest;
        lists->begin[u + 2] += lists->begin[u + 1];
    }
    for (int64_t i = 0; i < grid->elements; i++)
        lists->elements[lists->begin[unit_of(grid, i) + 1]++] = i;
    return PRUNE_OK;
}

static void score_units(const struct state *s, const struct lists *lists, const double *weights, int64_t units,
                        int64_t *columns, double *square, double *scores)
{
    double *w = square; /* of a row's part; the rest is the matrix */
    int64_t width = lists->largest < s->n ? lists->largest : s->n;
    for (int64_t u = 0; u < units; u++)
        for (int64_t e = lists->begin[u]; e < lists->begin[u + 1];) {
            int64_t row = lists->elements[e] / s->n, count = 0;
            int infinite = 0;
            for (; e < lists->begin[u + 1] && lists->elements[e] / s->n == row; e++, count++) {
                columns[count] = lists->elements[e] % s->n;
                w[count] = weights[lists->elements[e]];
                infinite |= isinf(w[count]);
            }
            scores[u] += infinite ? INFINITY : part(s, columns, w, count, square + width);
        }
}

static int32_t units(const struct pr_scoring *scoring, double *scores)
{
    const struct state *s = scoring->state;
    const struct pr_grid *grid = scoring->grid;
    prune_context *context = scoring->weights->context;
    prune_tensor *weights;
    struct lists lists = {NULL, NULL, 0};
    int64_t *columns = NULL, elements = 0;
    double *square = NULL;
    PR_TRY(prune_tensor_convert(&weights, scoring->weights, PRUNE_F64));
    int32_t status = list_units(&lists, grid, context);
    int64_t width = lists.largest < s->n ? lists.largest : s->n;
    if (!status)
        status = pr_alloc(context, width, sizeof *columns, &columns);
    if (!status)
        status = pr_mul(width, (width == s->n && s->block == s->n ? 0 : width) + 1, &elements);
    if (!status)
        status = pr_alloc(context, elements, sizeof *square, &square);
    if (!status)
        score_units(s, &lists, prune_tensor_const_data(weights), grid->units, columns, square, scores);
    pr_release(context, lists.begin);
    pr_release(context, lists.elements);
    pr_release(context, columns);
    pr_release(context, square);
    prune_tensor_free(weights);
    return status;
}

const struct pr_criterion_kind pr_criterion_obs = {
    .kind = {.name = "obs",
             .help = "Optimal Brain Surgeon: what the layer error grows by when the others make up for the unit",
             .parameters = parameters},
    .needs = needs,
    .begin = begin,
    .end = end,
    .units = units,
};
