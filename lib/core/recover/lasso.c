/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Channel selection by the LASSO (He et al. 2017), then least squares; in rounds, each of which takes some channels
 * away and fits the others before the next one chooses.
 */
#include <math.h>
#include <string.h>

#include "core/recover/channels.h"

enum { SLACK, COUNT, ROUNDS, DAMPING, MEMORY };
enum { EXACT, WINDOW };

static const struct pr_parameter parameters[] = {
    {.name = "slack",
     .type = PR_REAL,
     .standard = "0.1",
     .least = 0,
     .most = 10,
     .help = "the search for lambda ends with at most (1 + slack) times the channels that are to stay, 0 to 10"},
    {.name = "count",
     .type = PR_WORD,
     .standard = "exact",
     .words = "exact|window",
     .help = "how many channels stay: as many as asked for, or all that the search ends with"},
    {.name = "rounds",
     .type = PR_WHOLE,
     .standard = "1",
     .least = 1,
     .most = 1000,
     .help = "how often channels are chosen and the others fitted, 1 to 1000"},
    PR_DAMPING_PARAMETER("0.0001"),
    PR_MEMORY_PARAMETER,
    {0},
};

/* Scales channels so that the weights of each have norm 1; those without weights contribute nothing anyhow. */
static int32_t normalise(const struct pr_channels *c, struct pr_contributions *z)
{
    double *size;
    int64_t n = c->r->columns;
    PR_TRY(pr_alloc_zero(c->r->context, c->count, sizeof *size, &size));
    for (int64_t o = 0; o < c->r->rows; o++)
        for (int64_t j = 0; j < n; j++)
            size[j / c->taps] += c->weights[o * n + j] * c->weights[o * n + j];
    for (int64_t i = 0; i < c->count; i++)
        size[i] = size[i] > 0 ? sqrt(size[i]) : 1;
    for (int64_t i = 0; i < c->count; i++) {
        for (int64_t j = 0; j < c->count; j++)
            c->q[i * c->count + j] /= size[i] * size[j];
        c->p[i] /= size[i];
    }
    pr_release(c->r->context, size);
    z->q = c->q;
    return PRUNE_OK;
}

static int32_t play_round(struct pr_channels *c, int64_t keep, const struct pr_values *v)
{
    struct pr_contributions z;
    PR_TRY(pr_channels_contributions(c, &z));
    PR_TRY(normalise(c, &z));
    PR_TRY(pr_pick_lasso(&z, keep, v->real[SLACK], v->whole[COUNT] == WINDOW, c->stay));
    PR_TRY(pr_channels_mask(c));
    return pr_channels_least_squares(c);
}

static int32_t choose(struct pr_recovering *r)
{
    const struct pr_values *v = &r->recovery->values;
    struct pr_channels c;
    int32_t status = pr_channels_start(&c, r, v->real[DAMPING], v->whole[MEMORY]);
    int64_t rounds = v->whole[ROUNDS];
    for (int64_t round = 1; round <= rounds && !status; round++) {
        /* From all channels to those that stay in steps of one ratio. */
        double part =
            round < rounds && c.keep > 0 ? pow((double)c.keep / (double)c.count, (double)round / (double)rounds) : 0;
        int64_t keep = (int64_t)(part * (double)c.count + 0.5);
        status = play_round(&c, keep > c.keep ? keep : c.keep, v);
    }
    pr_channels_free(&c);
    return status;
}

const struct pr_recovery_kind pr_recovery_lasso = {
    .kind = {.name = "lasso",
             .help = "chooses input channels by the LASSO (He 2017), then least squares of the weights that stay",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .takes_targets = 1,
    .choose = choose,
};
