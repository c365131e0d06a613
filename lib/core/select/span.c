/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

const struct pr_parameter pr_schedule_span[] = {
    PR_SPAN_PARAMETERS,
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
