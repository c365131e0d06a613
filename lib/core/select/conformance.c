/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How other programs count, and what becomes of ties. Each is one line: how many of n units a sparsity stands for, and
 * which of those that score the same as the last of them go too.
 */
#include "base/alloc.h"
#include "core/mask/mask.h"
#include "core/select/select.h"
#include "core/tensor/tensor.h"

enum ties {
    LOWER_GO, /* as many go as were counted, the lower unit numbers of the equals first */
    ALL_GO,   /* what equals the last one counted goes too */
    ALL_STAY  /* what equals the first one that stays, stays */
};

struct pr_conformance_kind {
    struct pr_kind kind;
    int64_t (*count)(double sparsity, int64_t units); /* of those that go; may be beyond `units` */
    enum ties ties;
    int takes_count; /* PRUNE_COUNT as well */
};

/* Python's round() and NumPy's: half to even. */
static double round_even(double x)
{
    double below = floor(x), rest = x - below;
    return rest > 0.5 || (rest == 0.5 && fmod(below, 2) != 0) ? below + 1 : below;
}

static int64_t rounded(double sparsity, int64_t units)
{
    return (int64_t)round_even(sparsity * (double)units);
}

static int64_t rounded_and_one(double sparsity, int64_t units)
{
    return rounded(sparsity, units) + 1;
}

static int64_t truncated(double sparsity, int64_t units)
{
    return (int64_t)(sparsity * (double)units);
}

static int64_t truncated_and_one(double sparsity, int64_t units)
{
    return truncated(sparsity, units) + 1;
}

/* What stays is counted, in single precision, and is never nothing. */
static int64_t all_but_rounded(double sparsity, int64_t units)
{
    float stays = (float)units * (1 - (float)sparsity);
    int64_t kept = (int64_t)round_even((double)stays);
    kept = kept < 1 ? 1 : kept;
    return kept < units ? units - kept : 0;
}

static const struct pr_conformance_kind lab = {
    {"lab", "the lab of MIT 6.S965: half to even; of equals all go", NULL}, rounded, ALL_GO, 0};
static const struct pr_conformance_kind torch = {
    {"torch", "torch.nn.utils.prune: half to even; exactly as many", NULL}, rounded, LOWER_GO, 1};
static const struct pr_conformance_kind tfmot = {
    {"tfmot", "TensorFlow Model Optimization: kept half to even, one or more; of equals all stay", NULL},
    all_but_rounded,
    ALL_STAY,
    0};
static const struct pr_conformance_kind sparsegpt = {
    {"sparsegpt", "SparseGPT, and Wanda's magnitude: cut off and one more; of equals all go", NULL},
    truncated_and_one,
    ALL_GO,
    0};
static const struct pr_conformance_kind wanda = {
    {"wanda", "Wanda, for element:pool=row: cut off; exactly as many", NULL}, truncated, LOWER_GO, 0};
static const struct pr_conformance_kind coremltools = {
    {"coremltools", "coremltools: cut off; exactly as many", NULL}, truncated, LOWER_GO, 0};
static const struct pr_conformance_kind network_slimming = {
    {"network-slimming", "Network Slimming: cut off and one more; of equals all go", NULL},
    truncated_and_one,
    ALL_GO,
    0};
static const struct pr_conformance_kind lottery_ticket = {
    {"lottery-ticket", "the lottery ticket's code: half to even and one more; of equals all go", NULL},
    rounded_and_one,
    ALL_GO,
    0};

/* The kind is the first member of its struct. */
const struct pr_kind *const pr_conformance_kinds[] = {&lab.kind,
                                                      &torch.kind,
                                                      &tfmot.kind,
                                                      &sparsegpt.kind,
                                                      &wanda.kind,
                                                      &coremltools.kind,
                                                      &network_slimming.kind,
                                                      &lottery_ticket.kind};
const int32_t pr_conformance_kind_count = (int32_t)(sizeof pr_conformance_kinds / sizeof *pr_conformance_kinds);

/* One pool: `keys` has room for its units. */
static void select_pool(const struct pr_conformance_kind *kind, const struct pr_grid *grid, const struct pr_pool_at *at,
                        const double *scores, const struct pr_target *target, uint8_t *keep, uint64_t *keys)
{
    struct pr_pool_run run;
    int64_t left = 0, equal = 0;
    for (pr_pool_run_start(grid, at, 0, at->units, &run); run.count; pr_pool_run_next(&run))
        for (int64_t i = run.first; i < run.first + run.count; i++)
            if (!isnan(scores[i]))
                keys[left++] = pr_score_key(scores[i]);
    int64_t goes = target->kind == PRUNE_COUNT ? (int64_t)target->amount : kind->count(target->amount, left);
    goes = goes < left ? goes : left;
    uint64_t limit = 0, above = 0; /* the last that goes; the first that stays */
    if (kind->ties == ALL_STAY)
        above = goes < left ? pr_kth_key(keys, left, goes + 1, &equal) : UINT64_MAX;
    else if (goes > 0)
        limit = pr_kth_key(keys, left, goes, &equal);
    for (pr_pool_run_start(grid, at, 0, at->units, &run); run.count; pr_pool_run_next(&run))
        for (int64_t i = run.first; i < run.first + run.count; i++) {
            uint64_t key = pr_score_key(scores[i]);
            int gone = isnan(scores[i]);
            if (kind->ties == ALL_STAY)
                gone = gone || key < above;
            else if (!gone && goes > 0)
                gone = key < limit || (key == limit && (kind->ties == ALL_GO || equal-- > 0));
            keep[i] = (uint8_t)!gone;
        }
}

static int32_t select_like(const struct pr_conformance_kind *kind, const prune_scores *scores, const double *values,
                           const struct pr_target *target, uint8_t *keep)
{
    const struct pr_grid *grid = &scores->grid;
    struct pr_pool_at at;
    uint64_t *keys;
    if (grid->units == 0)
        return PRUNE_OK;
    PR_TRY(pr_alloc(scores->context, pr_grid_pool_units(grid), sizeof *keys, &keys));
    pr_pool_start(grid, 0, &at);
    for (int64_t pool = 0; pool < grid->pools; pool++) {
        select_pool(kind, grid, &at, values, target, keep, keys);
        pr_pool_next(grid, &at);
    }
    pr_release(scores->context, keys);
    return PRUNE_OK;
}

static int32_t check_like(const struct pr_conformance_kind *kind, const struct pr_grid *grid, int32_t target,
                          double amount)
{
    if (target != PRUNE_SPARSITY && !(target == PRUNE_COUNT && kind->takes_count))
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select_like: target %d; %s takes PRUNE_SPARSITY%s", (int)target,
                       kind->kind.name, kind->takes_count ? " and PRUNE_COUNT" : "");
    if (grid->kind->solve)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "prune_mask_select_like: granularity %s has its own way of selecting; give one "
                       "without",
                       grid->kind->kind.name);
    return pr_check_target(grid, target, amount);
}

int32_t prune_mask_select_like(prune_mask **out, const prune_scores *scores, const prune_mask *within, const char *rule,
                               int32_t target, double amount)
{
    int32_t index, status = PRUNE_OK;
    struct pr_values unused;
    uint8_t *keep;
    double *copy = NULL;
    PR_REQUIRE(out);
    PR_REQUIRE(scores);
    PR_REQUIRE(rule);
    PR_TRY(pr_spec_parse(rule, "conformance", pr_conformance_kinds, pr_conformance_kind_count, &index, &unused));
    const struct pr_conformance_kind *kind = (const struct pr_conformance_kind *)pr_conformance_kinds[index];
    const struct pr_target exact = {target, amount, PR_NO_QUOTA, 0, within != NULL};
    PR_TRY(check_like(kind, &scores->grid, target, amount));
    if (within)
        PR_TRY(pr_check_within(__func__, scores, within));
    PR_TRY(pr_alloc(scores->context, scores->grid.units, 1, &keep));
    if (within)
        status = pr_scores_within(scores->context, scores, within, &copy, keep);
    if (!status)
        status = select_like(kind, scores, copy ? copy : prune_tensor_const_data(scores->values), &exact, keep);
    if (!status)
        status = within ? pr_expand_within(out, scores, within, keep)
                        : pr_grid_expand(out, scores->context, &scores->grid, keep);
    pr_release(scores->context, copy);
    pr_release(scores->context, keep);
    return status;
}
