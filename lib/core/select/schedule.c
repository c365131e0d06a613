/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

#define PR_SCHEDULE(name) extern const struct pr_schedule_kind pr_schedule_##name;
#include "core/select/schedules.def"
#undef PR_SCHEDULE

/* The kind is the first member of its struct, so that one list serves both. */
const struct pr_kind *const pr_schedule_kinds[] = {
#define PR_SCHEDULE(name) &pr_schedule_##name.kind,
#include "core/select/schedules.def"
#undef PR_SCHEDULE
};
const int32_t pr_schedule_kind_count = (int32_t)(sizeof pr_schedule_kinds / sizeof *pr_schedule_kinds);

struct prune_schedule {
    prune_context *context;
    const struct pr_schedule_kind *kind; /* NULL for a caller's function */
    prune_schedule_fn function;
    void *user;
    struct pr_values values;
    char *spec;
};

int32_t prune_schedule_create(prune_schedule **out, prune_context *context, const char *spec)
{
    int32_t index;
    struct pr_values values;
    char canonical[PR_MAX_SPEC];
    prune_schedule *schedule;
    PR_REQUIRE(out);
    PR_REQUIRE(spec);
    PR_TRY(pr_spec_parse(spec, "schedule", pr_schedule_kinds, pr_schedule_kind_count, &index, &values));
    const struct pr_schedule_kind *kind = (const struct pr_schedule_kind *)pr_schedule_kinds[index];
    if (kind->check)
        PR_TRY(kind->check(&values));
    pr_spec_print(canonical, &kind->kind, &values);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *schedule, &schedule));
    int32_t status = pr_copy_text(context, canonical, &schedule->spec);
    if (status) {
        pr_release(context, schedule);
        return status;
    }
    schedule->context = prune_context_retain(context);
    schedule->kind = kind;
    schedule->values = values;
    *out = schedule;
    return PRUNE_OK;
}

int32_t prune_schedule_create_callback(prune_schedule **out, prune_context *context, prune_schedule_fn function,
                                       void *user)
{
    prune_schedule *schedule;
    PR_REQUIRE(out);
    PR_REQUIRE(function);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *schedule, &schedule));
    int32_t status = pr_copy_text(context, "callback", &schedule->spec);
    if (status) {
        pr_release(context, schedule);
        return status;
    }
    schedule->context = prune_context_retain(context);
    schedule->function = function;
    schedule->user = user;
    *out = schedule;
    return PRUNE_OK;
}

const char *prune_schedule_spec(const prune_schedule *schedule)
{
    return schedule ? schedule->spec : NULL;
}

int32_t prune_schedule_at(const prune_schedule *schedule, int64_t step, double *sparsity)
{
    PR_REQUIRE(schedule);
    PR_REQUIRE(sparsity);
    if (step < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: step %lld is negative; steps are counted from 0", __func__,
                       (long long)step);
    if (!schedule->function) {
        *sparsity = schedule->kind->at(&schedule->values, step);
        return PRUNE_OK;
    }
    double result = NAN;
    PR_TRY(schedule->function(schedule->user, step, &result));
    if (!(result >= 0 && result <= 1))
        return pr_fail(PRUNE_E_VALUE, "%s: the caller's function gives sparsity %g at step %lld; it must be 0 to 1",
                       __func__, result, (long long)step);
    *sparsity = result;
    return PRUNE_OK;
}

void prune_schedule_free(prune_schedule *schedule)
{
    if (!schedule)
        return;
    prune_context *context = schedule->context;
    pr_release(context, schedule->spec);
    pr_release(context, schedule);
    prune_context_free(context);
}
