/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

static double at(const struct pr_values *values, int64_t step)
{
    double from = values->real[PR_SPAN_INITIAL], to = values->real[PR_SPAN_FINAL];
    double part = pr_schedule_span_part(values, step), left = 1 - part;
    return pr_schedule_span_hold(values, part, to + (from - to) * (left * left * left));
}

const struct pr_schedule_kind pr_schedule_cubic = {
    .kind = {.name = "cubic",
             .help = "fast at first, then ever slower (AGP, Zhu and Gupta 2017)",
             .parameters = pr_schedule_span},
    .check = pr_schedule_span_check,
    .at = at,
};
