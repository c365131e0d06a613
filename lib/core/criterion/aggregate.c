/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/aggregate.h"

#include <limits.h>
#include <math.h>

void pr_aggregate_start(enum pr_aggregate how, double *units, int64_t count)
{
    /* Elements are never NaN, so that it can say that there has been none yet. */
    double start = how == PR_AGGREGATE_MAX       ? -INFINITY
                   : how == PR_AGGREGATE_PRODUCT ? 1
                   : how == PR_AGGREGATE_FIRST   ? (double)NAN
                                                 : 0;
    for (int64_t i = 0; i < count; i++)
        units[i] = start;
}

static double multiply(double value, double by, int64_t *power)
{
    int of_value, of_by;
    if (value == 0 || by == 0 || isinf(value) || isinf(by))
        return value * by;
    double product = frexp(value, &of_value) * frexp(by, &of_by);
    *power += of_value + of_by;
    return product;
}

void pr_aggregate_row(enum pr_aggregate how, const double *row, int64_t count, double *units, int64_t *powers,
                      int64_t first, int64_t unit)
{
    for (int64_t i = 0, u = 0; i < count; u++) {
        int64_t end = (first / unit + u + 1) * unit - first;
        double value = units[u];
        end = end < count ? end : count;
        switch (how) {
        case PR_AGGREGATE_SUM:
        case PR_AGGREGATE_MEAN:
            for (; i < end; i++)
                value += row[i];
            break;
        case PR_AGGREGATE_MAX:
            for (; i < end; i++)
                value = row[i] > value ? row[i] : value;
            break;
        case PR_AGGREGATE_PRODUCT:
            for (; i < end; i++)
                value = multiply(value, row[i], &powers[u]);
            break;
        case PR_AGGREGATE_FIRST:
            value = isnan(value) ? row[i] : value;
            i = end;
            break;
        }
        units[u] = value;
    }
}

int64_t pr_unit_size(const struct pr_grid *grid, int64_t unit)
{
    int64_t size = 1;
    for (int32_t i = grid->rank - 1; i >= 0; i--) {
        int64_t left = grid->shape[i] - unit % grid->extent[i] * grid->unit[i];
        size *= left < grid->unit[i] ? left : grid->unit[i];
        unit /= grid->extent[i];
    }
    return size;
}

void pr_aggregate_end(enum pr_aggregate how, const struct pr_grid *grid, int64_t begin, int64_t count, double *units,
                      const int64_t *powers)
{
    for (int64_t i = 0; how == PR_AGGREGATE_MEAN && i < count; i++)
        units[i] /= (double)pr_unit_size(grid, begin + i);
    for (int64_t i = 0; how == PR_AGGREGATE_PRODUCT && i < count; i++) {
        int64_t power = powers[i] > INT_MAX ? INT_MAX : powers[i] < INT_MIN ? INT_MIN : powers[i];
        units[i] = ldexp(units[i], (int)power);
    }
}
