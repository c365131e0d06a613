/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/report/scale.h"

#include <math.h>

#include "model/report/text.h"

/* value x 10^exponent. Powers of ten are exact up to 10^22, so ordinary ticks are rounded once. */
static double times_power(double value, int32_t exponent)
{
    for (; exponent > 0; exponent -= exponent > 22 ? 22 : exponent)
        value *= pow(10, exponent > 22 ? 22 : exponent);
    for (; exponent < 0; exponent += exponent < -22 ? 22 : -exponent)
        value /= pow(10, exponent < -22 ? 22 : -exponent);
    return value;
}

double pm_scale_tick(const struct pm_scale *scale, int64_t tick)
{
    return times_power((double)(tick * scale->unit), scale->exponent);
}

struct pm_scale pm_scale_make(double low, double high, int32_t most, int loose)
{
    static const int64_t units[] = {1, 2, 5, 10};
    struct pm_scale scale = {low, high, 0, 0, 1, 0};
    double size = fmax(fabs(low), fabs(high)), slack = 1e-9;
    if (high - low <= size * 1e-12 || high - low < 1e-300) { /* flat: room on both sides */
        double room = size < 1e-300 ? 1 : size / 10;
        low -= room;
        high += room;
    }
    scale.exponent = (int32_t)floor(log10((high - low) / most));
    for (int i = 0; i < 4; i++) {
        scale.unit = units[i];
        double step = pm_scale_tick(&scale, 1);
        scale.first = (int64_t)(loose ? floor(low / step + slack) : ceil(low / step - slack));
        scale.last = (int64_t)(loose ? ceil(high / step - slack) : floor(high / step + slack));
        if (scale.last - scale.first <= most)
            break;
    }
    if (scale.unit == 10) {
        scale.unit = 1;
        scale.exponent++;
    }
    scale.low = loose ? pm_scale_tick(&scale, scale.first) : low;
    scale.high = loose ? pm_scale_tick(&scale, scale.last) : high;
    return scale;
}

int32_t pm_scale_place(const struct pm_scale *scale, double value, int32_t length)
{
    return (int32_t)lround((value - scale->low) / (scale->high - scale->low) * length);
}

int32_t pm_scale_width(const struct pm_scale *scale)
{
    int32_t widest = 0;
    for (int64_t i = scale->first; i <= scale->last; i++) {
        int32_t width = pm_decimal_width(i * scale->unit, scale->exponent);
        widest = width > widest ? width : widest;
    }
    return widest;
}
