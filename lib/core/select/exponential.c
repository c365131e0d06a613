/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/power.h"
#include "core/select/select.h"

static int32_t check(const struct pr_values *values)
{
    double from = values->real[PR_SPAN_INITIAL], to = values->real[PR_SPAN_FINAL];
    if (from >= 1 || to >= 1)
        return pr_fail(PRUNE_E_SPEC,
                       "schedule exponential: initial=%g, final=%g; both must be below 1, the density never gets to 0",
                       from, to);
    return pr_schedule_span_check(values);
}

static double at(const struct pr_values *values, int64_t step)
{
    double from = 1 - values->real[PR_SPAN_INITIAL], to = 1 - values->real[PR_SPAN_FINAL];
    double part = pr_schedule_span_part(values, step);
    double density = part > 0 ? from * pr_power(to / from, part) : from;
    return pr_schedule_span_hold(values, part, 1 - density);
}

const struct pr_schedule_kind pr_schedule_exponential = {
    .kind = {.name = "exponential",
             .help = "the density falls by the same factor each step",
             .parameters = pr_schedule_span},
    .check = check,
    .at = at,
};
