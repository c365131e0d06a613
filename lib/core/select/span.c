/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

#define MOST_STEPS 9007199254740992.0 /* 2^53 */

const struct pr_parameter pr_schedule_span[] = {
    {.name = "initial",
     .type = PR_REAL,
     .standard = "0",
     .least = 0,
     .most = 1,
     .help = "sparsity up to the first step, 0 to 1"},
    {.name = "final", .type = PR_REAL, .least = 0, .most = 1, .help = "sparsity from the last step on, 0 to 1"},
    {.name = "begin",
     .type = PR_WHOLE,
     .standard = "0",
     .least = 0,
     .most = MOST_STEPS,
     .help = "first step of the way, from 0"},
    {.name = "end", .type = PR_WHOLE, .least = 0, .most = MOST_STEPS, .help = "last step of the way, above begin"},
    {0},
};

int32_t pr_schedule_span_check(const struct pr_values *values)
{
    long long begin = values->whole[PR_SPAN_BEGIN], end = values->whole[PR_SPAN_END];
    if (begin >= end)
        return pr_fail(PRUNE_E_SPEC, "schedule: begin=%lld is not before end=%lld; it must be", begin, end);
    return PRUNE_OK;
}

double pr_schedule_span_part(const struct pr_values *values, int64_t step)
{
    int64_t begin = values->whole[PR_SPAN_BEGIN], end = values->whole[PR_SPAN_END];
    if (step <= begin)
        return 0;
    return step >= end ? 1 : (double)(step - begin) / (double)(end - begin);
}

double pr_schedule_span_hold(const struct pr_values *values, double part, double sparsity)
{
    double from = values->real[PR_SPAN_INITIAL], to = values->real[PR_SPAN_FINAL];
    double low = from < to ? from : to, high = from < to ? to : from;
    if (part == 0 || part == 1)
        return part == 0 ? from : to;
    return sparsity < low ? low : sparsity > high ? high : sparsity;
}
