/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ThiNet (Luo et al. 2017): channels go greedily, and those that stay are scaled, or fitted altogether.
 */
#include <string.h>

#include "core/recover/channels.h"

enum { CLOSE, DAMPING, MEMORY };
enum { SCALE, LEAST_SQUARES, NOTHING };

static const struct pr_parameter parameters[] = {
    {.name = "close",
     .type = PR_WORD,
     .standard = "scale",
     .words = "scale|least-squares|nothing",
     .help = "what is done for the channels that stay: one factor each, least squares of all weights, nothing"},
    PR_DAMPING_PARAMETER("0.0001"),
    PR_MEMORY_PARAMETER,
    {0},
};

/* |y - sum factor_i z_i|^2 over the channels that stay. */
static double error_of(const struct pr_contributions *z, const uint8_t *stay, const double *factor, double squares)
{
    double error = squares;
    for (int64_t i = 0; i < z->count; i++) {
        double row = -2 * z->p[i];
        for (int64_t j = 0; stay[i] && j < z->count; j++)
            row += stay[j] ? z->q[i * z->count + j] * factor[j] : 0;
        error += stay[i] ? factor[i] * row : 0;
    }
    return error > 0 ? error : 0;
}

/* The sum of squares of the outputs that are wanted. */
static double wanted_squares(const struct pr_channels *c)
{
    const struct pr_recovering *r = c->r;
    double sum = 0;
    for (int64_t o = 0; o < r->rows && r->targets; o++)
        sum += r->targets[o * (r->columns + r->rows) + r->columns + o];
    for (int64_t i = 0; i < c->count && !r->targets; i++)
        sum += c->p[i];
    return sum;
}

static int32_t scale(struct pr_channels *c, const struct pr_contributions *z, int fit)
{
    struct pr_recovering *r = c->r;
    double *factor, *result = (double *)(void *)r->result->data;
    int64_t n = r->columns;
    PR_TRY(pr_alloc(r->context, c->count, sizeof *factor, &factor));
    for (int64_t i = 0; i < c->count; i++)
        factor[i] = 1;
    int32_t status = fit && (c->keep < c->count || r->targets)
                         ? pr_closing_scale(z, c->stay, c->damping, factor, &r->damping, &r->condition)
                         : PRUNE_OK;
    if (!status) {
        r->predicted = error_of(z, c->stay, factor, wanted_squares(c));
        for (int64_t o = 0; o < r->rows; o++)
            for (int64_t j = 0; j < n; j++)
                result[o * n + j] = c->stay[j / c->taps] ? c->weights[o * n + j] * factor[j / c->taps] : 0;
    }
    pr_release(r->context, factor);
    return status;
}

static int32_t choose_channels(struct pr_channels *c, int64_t close)
{
    struct pr_contributions z;
    PR_TRY(pr_channels_contributions(c, &z));
    PR_TRY(pr_pick_thinet(&z, c->keep, c->stay));
    PR_TRY(pr_channels_mask(c));
    pr_recover_damping(c->r, close == LEAST_SQUARES ? c->damping : 0);
    return close == LEAST_SQUARES ? pr_channels_least_squares(c) : scale(c, &z, close == SCALE);
}

static int32_t choose(struct pr_recovering *r)
{
    const struct pr_values *v = &r->recovery->values;
    struct pr_channels c;
    int32_t status = pr_channels_start(&c, r, v->real[DAMPING], v->whole[MEMORY]);
    if (!status)
        status = choose_channels(&c, v->whole[CLOSE]);
    pr_channels_free(&c);
    return status;
}

const struct pr_recovery_kind pr_recovery_thinet = {
    .kind = {.name = "thinet",
             .help = "chooses input channels greedily by what those that go add up to (ThiNet), then scales the others",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .takes_targets = 1,
    .choose = choose,
};
