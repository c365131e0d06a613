/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"
#include "core/tensor/tensor.h"

enum { GROUPS };

static const struct pr_parameter parameters[] = {
    {.name = "groups",
     .type = PR_WHOLE,
     .standard = "1",
     .least = 1,
     .most = INT32_MAX,
     .help = "groups of a grouped convolution, each with inputs of its own"},
    PR_AGGREGATE("sum"),
    PR_NORMALIZE,
    {0},
};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_INPUT_NORMS;
}

/* Weights that follow each other and share a norm (1, or the taps of a kernel whose inputs were fed by channel), norms
 * of one row of weights, and weights of one group. */
struct layout {
    double *norms;
    int64_t taps, row, rows_of_group;
};

static int32_t make_layout(struct layout *layout, const struct pr_scoring *scoring, int64_t observed)
{
    const prune_tensor *w = scoring->weights;
    int64_t groups = scoring->values->whole[GROUPS], in, channels;
    char text[PR_MAX_SHAPE_TEXT];
    if (w->rank < 1 || w->shape[0] % groups != 0)
        return pr_fail(PRUNE_E_SHAPE,
                       "criterion wanda: weights of shape %s cannot be cut into groups=%lld along axis 0",
                       pr_shape_text(text, w->rank, w->shape), (long long)groups);
    in = w->count / w->shape[0];
    channels = w->rank > 1 ? w->shape[1] : 1;
    layout->rows_of_group = w->shape[0] / groups;
    /* Division, as the products need not fit. */
    if (observed % groups == 0 && observed / groups == in)
        layout->taps = 1;
    else if (observed % groups == 0 && observed / groups == channels)
        layout->taps = in / channels;
    else
        return pr_fail(PRUNE_E_SHAPE,
                       "criterion wanda: %lld inputs were observed; weights of shape %s with groups=%lld take %lld, or "
                       "one for each of %lld channels, in each group",
                       (long long)observed, pr_shape_text(text, w->rank, w->shape), (long long)groups, (long long)in,
                       (long long)channels);
    layout->row = observed / groups;
    return PRUNE_OK;
}

static int32_t begin(struct pr_scoring *scoring)
{
    struct layout *layout;
    int64_t observed;
    if (scoring->weights->count == 0)
        return PRUNE_OK;
    const double *squares = pr_observed_input_squares(scoring->observations, &observed, NULL);
    prune_context *context = scoring->weights->context;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *layout, &layout));
    scoring->state = layout;
    PR_TRY(make_layout(layout, scoring, observed));
    PR_TRY(pr_alloc(context, observed, sizeof *layout->norms, &layout->norms));
    for (int64_t i = 0; i < observed; i++)
        layout->norms[i] = sqrt(squares[i]);
    return PRUNE_OK;
}

static void end(struct pr_scoring *scoring)
{
    struct layout *layout = scoring->state;
    if (layout)
        pr_release(scoring->weights->context, layout->norms);
    pr_release(scoring->weights->context, layout);
}

static void terms(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    const struct layout *layout = scoring->state;
    int64_t taps = layout->taps, in = layout->row * taps, out = position / in, at = position % in, tap = at % taps;
    const double *norms = layout->norms + out / layout->rows_of_group * layout->row, *norm = norms + at / taps;
    for (int64_t i = 0; i < count; i++) {
        row[i] = pr_times(fabs(row[i]), *norm);
        if (++tap == taps) {
            tap = 0;
            norm++;
        }
        if (++at == in) {
            at = 0;
            norms = layout->norms + ++out / layout->rows_of_group * layout->row;
            norm = norms;
        }
    }
}

const struct pr_criterion_kind pr_criterion_wanda = {
    .kind = {.name = "wanda", .help = "|w| times the L2 norm of its input over the samples", .parameters = parameters},
    .needs = needs,
    .begin = begin,
    .end = end,
    .terms = terms,
    .single = terms,
};
