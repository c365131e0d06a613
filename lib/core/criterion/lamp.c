/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Layer-adaptive magnitude (Lee et al. 2021): each unit's share of what is left when the smaller ones are gone.
 */
#include <math.h>
#include <string.h>

#include "base/sort.h"
#include "core/criterion/criterion.h"
#include "core/tensor/tensor.h"

static const struct pr_parameter parameters[] = {PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

static void terms(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    (void)scoring, (void)position;
    for (int64_t i = 0; i < count; i++)
        row[i] *= row[i];
}

static void finish(const struct pr_scoring *scoring, double *sums, int64_t count)
{
    (void)scoring;
    for (int64_t i = 0; i < count; i++)
        sums[i] = sqrt(sums[i]);
}

/* From norms to shares, in ascending order and the lower number first among equals: the order in which units go. */
static int32_t layer(const struct pr_scoring *scoring, double *scores)
{
    int64_t count = scoring->grid->units;
    prune_context *context = scoring->weights->context;
    struct pr_keyed *items;
    double largest = 0, left = 0;
    int exponent = 0;
    PR_TRY(pr_alloc(context, count, 2 * sizeof *items, &items));
    for (int64_t i = 0; i < count; i++) {
        scores[i] += 0.0;                                       /* zeros are one number, as are their keys */
        memcpy(&items[i].key, &scores[i], sizeof items[i].key); /* norms are not negative: in the order of their bits */
        items[i].index = i;
        largest = !isinf(scores[i]) && scores[i] > largest ? scores[i] : largest;
    }
    frexp(largest, &exponent);
    pr_sort_keyed(items, items + count, count, 8);
    for (int64_t i = count - 1; i >= 0; i--) {
        double *score = &scores[items[i].index];
        if (isinf(*score))
            continue;
        double norm = ldexp(*score, -exponent), square = norm * norm;
        left += square;
        *score = left > 0 ? square / left : 0;
    }
    pr_release(context, items);
    return PRUNE_OK;
}

const struct pr_criterion_kind pr_criterion_lamp = {
    .kind = {.name = "lamp",
             .help = "w^2 by the sum of w^2 of the units that are no smaller: for ranking across layers",
             .parameters = parameters},
    .scales = 1,
    .terms = terms,
    .finish = finish,
    .single = pr_row_magnitude,
    .layer = layer,
};
