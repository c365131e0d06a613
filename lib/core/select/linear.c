/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

static double at(const struct pr_values *values, int64_t step)
{
    double from = values->real[PR_SPAN_INITIAL], to = values->real[PR_SPAN_FINAL];
    double part = pr_schedule_span_part(values, step);
    return pr_schedule_span_hold(values, part, from + (to - from) * part);
}

const struct pr_schedule_kind pr_schedule_linear = {
    .kind = {.name = "linear", .help = "a straight line from initial to final", .parameters = pr_schedule_span},
    .check = pr_schedule_span_check,
    .at = at,
};
