/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/regularize/regularize.h"

enum { STRENGTH, WIDTH };

static const struct pr_parameter parameters[] = {
    PR_STRENGTH,
    {.name = "width",
     .type = PR_REAL,
     .standard = "0.01",
     .least = 1e-300,
     .most = 1e300,
     .help = "magnitude below which it is a parabola, above 0"},
    {0},
};

static double value(const struct pr_values *values, double u)
{
    double width = values->real[WIDTH];
    return u < width ? u * (u / width) / 2 : u - width / 2;
}

static double slope(const struct pr_values *values, double u)
{
    double width = values->real[WIDTH];
    return u < width ? u / width : 1;
}

static double shrink(const struct pr_values *values, double u, double by)
{
    double width = values->real[WIDTH];
    return u <= width + by ? u / (1 + by / width) : u - by;
}

const struct pr_regularizer_kind pr_regularizer_smooth_l1 = {
    .kind = {.name = "smooth-l1", .help = "|w| with a parabola for its corner", .parameters = parameters},
    .value = value,
    .slope = slope,
    .shrink = shrink,
};
