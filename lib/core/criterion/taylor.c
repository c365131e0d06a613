/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"

enum { FORM, AVERAGE, BLOCKS };
enum { FORM_SUM, FORM_GATE, FORM_ABSOLUTE };
enum { AVERAGE_STEPS, AVERAGE_GRADIENTS };

static const struct pr_parameter parameters[] = {
    {.name = "form",
     .type = PR_WORD,
     .standard = "sum",
     .words = "sum|gate|absolute",
     .help = "of a unit: sum of (g w)^2, gate: (sum of g w)^2, absolute: sum of |g w|"},
    {.name = "average",
     .type = PR_WORD,
     .standard = "steps",
     .words = "steps|gradients",
     .help = "over steps: of what g gives, or of g itself (gate: always of g; see taylor-gate)"},
    PR_BLOCKS,
    PR_AGGREGATE("sum"),
    PR_NORMALIZE,
    {0},
};

static int of_gradients(const struct pr_values *values)
{
    return values->whole[FORM] == FORM_GATE || values->whole[AVERAGE] == AVERAGE_GRADIENTS;
}

static int32_t needs(const struct pr_values *values)
{
    return values->whole[FORM] == FORM_ABSOLUTE && !of_gradients(values) ? PRUNE_OBSERVE_GRADIENT_MAGNITUDES
                                                                         : PRUNE_OBSERVE_GRADIENTS;
}

static void squares(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    const double *g2 = pr_observed_of(scoring, PR_GRADIENT_SQUARES) + position;
    double steps = pr_steps_of(scoring, PR_GRADIENTS);
    for (int64_t i = 0; i < count; i++)
        row[i] = pr_times(row[i] * row[i], g2[i] / steps);
}

static void magnitudes(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    const double *g = pr_observed_of(scoring, PR_GRADIENT_MAGNITUDES) + position;
    double steps = pr_steps_of(scoring, PR_GRADIENTS);
    for (int64_t i = 0; i < count; i++)
        row[i] = pr_times(fabs(row[i]), g[i] / steps);
}

/* g w of the mean gradient. */
static void products(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    const double *g = pr_observed_of(scoring, PR_GRADIENT_SUMS) + position;
    double steps = pr_steps_of(scoring, PR_GRADIENTS);
    for (int64_t i = 0; i < count; i++)
        row[i] = pr_times(row[i], g[i] / steps);
}

static void terms(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    int64_t form = scoring->values->whole[FORM];
    if (!of_gradients(scoring->values)) {
        (form == FORM_SUM ? squares : magnitudes)(scoring, position, row, count);
        return;
    }
    products(scoring, position, row, count);
    for (int64_t i = 0; form != FORM_GATE && i < count; i++)
        row[i] = form == FORM_SUM ? row[i] * row[i] : fabs(row[i]);
}

static void finish(const struct pr_scoring *scoring, double *sums, int64_t count)
{
    for (int64_t i = 0; scoring->values->whole[FORM] == FORM_GATE && i < count; i++)
        sums[i] *= sums[i];
}

static void single(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    terms(scoring, position, row, count);
    finish(scoring, row, count);
}

static int32_t layer(const struct pr_scoring *scoring, double *scores)
{
    return pr_share_among_blocks(scoring, BLOCKS, scores);
}

const struct pr_criterion_kind pr_criterion_taylor = {
    .kind = {.name = "taylor", .help = "first order: (g w)^2 of gradients g", .parameters = parameters},
    .needs = needs,
    .terms = terms,
    .finish = finish,
    .single = single,
    .layer = layer,
};
