/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An axis: a range and its ticks, which are multiples of 1, 2 or 5 times a power of ten.
 */
#ifndef PM_REPORT_SCALE_H
#define PM_REPORT_SCALE_H

#include <stdint.h>

struct pm_scale {
    double low, high;    /* the range that is drawn */
    int64_t first, last; /* the ticks are first x unit x 10^exponent and so on, all in the range */
    int64_t unit;
    int32_t exponent;
};

/* Numbers up to this magnitude can be drawn. */
#define PM_MAX_DRAWN 1e300

/* An axis that holds `low` to `high` with at most `most` steps; `loose` 1: the range is widened to the next ticks. */
struct pm_scale pm_scale_make(double low, double high, int32_t most, int loose);

double pm_scale_tick(const struct pm_scale *scale, int64_t tick);

/* Where `value` lies between low and high on `length` units of paper from 0. */
int32_t pm_scale_place(const struct pm_scale *scale, double value, int32_t length);

/* The characters of the longest tick. */
int32_t pm_scale_width(const struct pm_scale *scale);

#endif
