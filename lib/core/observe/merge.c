/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two sets of observations into one. All memory is taken before the first number changes.
 */
#include <string.h>

#include "core/observe/observe.h"

/* What is new in the target: arrays of groups that it has nothing of, and the gradients that it will keep. */
struct plan {
    double *array[PR_ARRAYS];
    prune_tensor **kept;
    int64_t kept_count, own; /* the last `own` of its own, then views of the other's */
};

static int32_t check(const prune_observations *a, const prune_observations *b)
{
    char ours[PR_MAX_SHAPE_TEXT], theirs[PR_MAX_SHAPE_TEXT];
    int64_t total = 0;
    if (a == b)
        return pr_fail(PRUNE_E_ARGUMENT, "observations cannot be merged with themselves; the other must be another");
    if (a->needs != b->needs)
        return pr_fail(PRUNE_E_ARGUMENT, "these observations have needs %d, the others %d; they must be equal",
                       (int)a->needs, (int)b->needs);
    if (a->epsilon < b->epsilon || a->epsilon > b->epsilon || a->most_kept != b->most_kept)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "these observations have epsilon=%g and samples=%lld, the others epsilon=%g and samples=%lld; "
                       "they must be equal",
                       a->epsilon, (long long)a->most_kept, b->epsilon, (long long)b->most_kept);
    for (int32_t i = 0; i < PR_GROUPS; i++) {
        const struct pr_observed_group *x = &a->group[i], *y = &b->group[i];
        PR_TRY(pr_add(x->samples, y->samples, &total));
        PR_TRY(pr_add(x->values, y->values, &total));
        if (x->started && y->started && !pr_same_shape(x->rank, x->shape, y->rank, y->shape))
            return pr_fail(PRUNE_E_SHAPE, "the %s of these observations have shape %s, of the others %s",
                           pr_observed_group_names[i], pr_shape_text(ours, x->rank, x->shape),
                           pr_shape_text(theirs, y->rank, y->shape));
    }
    return PRUNE_OK;
}

static void drop(const prune_observations *o, struct plan *plan)
{
    for (int32_t i = 0; i < PR_ARRAYS; i++)
        pr_release(o->context, plan->array[i]);
    for (int64_t i = plan->own; plan->kept && i < plan->kept_count; i++)
        prune_tensor_free(plan->kept[i]);
    pr_release(o->context, plan->kept);
}

static int32_t plan_kept(const prune_observations *o, const prune_observations *other, struct plan *plan)
{
    int64_t most = o->most_kept, theirs = other->kept_count, ours = o->kept_count;
    ours = ours < most - theirs ? ours : most - theirs;
    if (theirs == 0)
        return PRUNE_OK;
    PR_TRY(pr_alloc_zero(o->context, ours + theirs, sizeof *plan->kept, &plan->kept));
    plan->own = plan->kept_count = ours;
    for (int64_t i = 0; i < ours; i++)
        plan->kept[i] = o->kept[(o->oldest + o->kept_count - ours + i) % most];
    for (int64_t i = 0; i < theirs; i++) {
        const prune_tensor *kept = pr_observed_gradient(other, i);
        PR_TRY(prune_tensor_reshape(&plan->kept[ours + i], kept, kept->rank, kept->shape));
        plan->kept_count++;
    }
    return PRUNE_OK;
}

static int32_t make_plan(const prune_observations *o, const prune_observations *other, struct plan *plan)
{
    int64_t length = 0;
    for (int32_t i = 0; i < PR_ARRAYS; i++)
        if (other->array[i] && !o->array[i]) {
            PR_TRY(pr_observed_length(i, other->group[pr_observed_rows[i].group].count, &length));
            PR_TRY(pr_alloc_zero(o->context, length, sizeof(double), &plan->array[i]));
        }
    return plan_kept(o, other, plan);
}

static void add_array(prune_observations *o, const prune_observations *other, int32_t array)
{
    const struct pr_observed_group *group = &o->group[pr_observed_rows[array].group];
    int64_t length = 0;
    pr_observed_length(array, group->count, &length); /* fits: it was allocated */
    for (int64_t i = 0; i < length; i++)
        o->array[array][i] += other->array[array][i];
}

static void add_moments(prune_observations *o, const prune_observations *other)
{
    const struct pr_observed_group *ours = &o->group[PR_ACTIVATIONS], *theirs = &other->group[PR_ACTIVATIONS];
    for (int64_t i = 0; i < ours->count; i++)
        pr_join_moments(&o->array[PR_MOMENT_MEANS][i], &o->array[PR_MOMENT_SQUARES][i], (double)ours->values,
                        other->array[PR_MOMENT_MEANS][i], other->array[PR_MOMENT_SQUARES][i], (double)theirs->values);
}

static void take_kept(prune_observations *o, const struct plan *plan)
{
    if (!plan->kept)
        return;
    for (int64_t i = 0; i < o->kept_count - plan->own; i++)
        prune_tensor_free(o->kept[(o->oldest + i) % o->most_kept]);
    pr_release(o->context, o->kept);
    o->kept = plan->kept;
    o->kept_count = o->room = plan->kept_count;
    o->oldest = 0;
}

static void add_all(prune_observations *o, const prune_observations *other, const struct plan *plan)
{
    for (int32_t i = 0; i < PR_GROUPS; i++)
        if (other->group[i].started && !o->group[i].started) {
            o->group[i] = other->group[i];
            o->group[i].samples = o->group[i].batches = o->group[i].values = 0;
        }
    for (int32_t i = 0; i < PR_ARRAYS; i++)
        o->array[i] = plan->array[i] ? plan->array[i] : o->array[i];
    for (int32_t i = 0; i < PR_ARRAYS; i++)
        if (other->array[i] && i != PR_MOMENT_MEANS && i != PR_MOMENT_SQUARES)
            add_array(o, other, i);
    if (other->array[PR_MOMENT_MEANS])
        add_moments(o, other);
    for (int32_t i = 0; i < PR_GROUPS; i++) {
        o->group[i].samples += other->group[i].samples;
        o->group[i].batches += other->group[i].batches;
        o->group[i].values += other->group[i].values;
    }
    take_kept(o, plan);
}

int32_t prune_observations_merge(prune_observations *observations, const prune_observations *other)
{
    struct plan plan = {0};
    PR_REQUIRE(observations);
    PR_REQUIRE(other);
    PR_TRY(check(observations, other));
    int32_t status = make_plan(observations, other, &plan);
    if (status) {
        drop(observations, &plan);
        return status;
    }
    add_all(observations, other, &plan);
    return PRUNE_OK;
}
