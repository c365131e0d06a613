/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

enum { CURVE = PR_SPAN_END + 1 };
enum { QUARTER, HALF };

static const struct pr_parameter parameters[] = {
    PR_SPAN_PARAMETERS,
    {.name = "curve",
     .type = PR_WORD,
     .standard = "quarter",
     .words = "quarter|half",
     .help = "how much of a wave: quarter (slow at first) or half (slow at both ends)"},
    {0},
};

/* sin(pi x / 2) for 0 <= x <= 0.5, the same bits everywhere: the series, to below a unit in the last place. */
static double sine(double x)
{
    double angle = x * 1.5707963267948966, square = angle * angle, term = angle, sum = 0;
    for (int i = 1; i <= 10; i++) {
        sum += term;
        term *= -square / (double)(2 * i * (2 * i + 1));
    }
    return sum;
}

/* 1 - cos(pi x / 2) for 0 <= x <= 1, as twice the square of the sine of half the angle. */
static double rise(double x)
{
    double half = sine(x / 2);
    return 2 * half * half;
}

static double at(const struct pr_values *values, int64_t step)
{
    double from = values->real[PR_SPAN_INITIAL], to = values->real[PR_SPAN_FINAL];
    double part = pr_schedule_span_part(values, step), way = rise(part);
    if (values->whole[CURVE] == HALF && part <= 0.5) /* (1 - cos(pi t)) / 2 = sin(pi t / 2)^2 */
        way = sine(part) * sine(part);
    else if (values->whole[CURVE] == HALF)
        way = 1 - sine(1 - part) * sine(1 - part);
    return pr_schedule_span_hold(values, part, from + (to - from) * way);
}

const struct pr_schedule_kind pr_schedule_cosine = {
    .kind = {.name = "cosine", .help = "along a cosine, slow at first or at both ends", .parameters = parameters},
    .check = pr_schedule_span_check,
    .at = at,
};
