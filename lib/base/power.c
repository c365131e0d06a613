/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/power.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A number as the unevaluated sum of two doubles. */
struct pair {
    double high, low;
};

/* Dekker's exact product. fma() would do it in one step, but is a slow function where the compiler may not assume the
 * instruction. The operands here stay far from overflow. */
static struct pair product(double a, double b)
{
    double split = 0x1p27 + 1, high = a * b;
    double a1 = a * split - (a * split - a), a2 = a - a1;
    double b1 = b * split - (b * split - b), b2 = b - b1;
    struct pair result = {high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2};
    return result;
}

static struct pair sum(double a, double b)
{
    double high = a + b, part = high - a;
    struct pair result = {high, (a - (high - part)) + (b - part)};
    return result;
}

/* ln 2 in two parts; the high one has 11 zero bits at its end, so that its product with an exponent is exact. */
static const double LN2_HIGH = 0x1.62e42fefa3800p-1, LN2_LOW = 0x1.ef35793c76730p-45;

/* 1/3, 1/5, ... and 1/n!, written as quotients that the compiler works out. */
static const double ARTANH[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                                1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
static const double EXP[] = {
    1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,       1.0 / 5040,
    1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};

/* The natural logarithm of x > 0, finite: x = m 2^e with m near 1, ln m = 2 artanh((m - 1) / (m + 1)). */
static struct pair logarithm(double x)
{
    int e;
    double m = frexp(x, &e);
    if (m < 0x1.6a09e667f3bcdp-1) {
        m *= 2;
        e--;
    }
    double above = m - 1, below = m + 1, below_low = m - (below - 1);
    double t = above / below;
    struct pair back = product(t, below);
    double t_low = ((above - back.high) - back.low - t * below_low) / below;
    double s = t * t, series = 0;
    for (int i = (int)(sizeof ARTANH / sizeof *ARTANH) - 1; i >= 0; i--)
        series = (series + ARTANH[i]) * s;
    struct pair result = sum(e * LN2_HIGH, 2 * t);
    return sum(result.high, result.low + 2 * (t_low + t * series) + e * LN2_LOW);
}

static double exponential(double high, double low)
{
    if (high > 710)
        return INFINITY;
    if (high < -760)
        return 0;
    double k = floor(high * 0x1.71547652b82fep0 + 0.5);
    double r = (high - k * LN2_HIGH) - k * LN2_LOW + low, series = 0;
    for (int i = (int)(sizeof EXP / sizeof *EXP) - 1; i >= 0; i--)
        series = (series + EXP[i]) * r;
    return ldexp(1 + series, (int)k);
}

double pr_power(double x, double p)
{
    if (x == 0 || isinf(x))
        return x;
    struct pair log = logarithm(x), y = product(log.high, p);
    return exponential(y.high, y.low + log.low * p);
}

double pr_root(double x, double p)
{
    if (x == 0 || isinf(x))
        return x;
    struct pair log = logarithm(x);
    double y = log.high / p;
    struct pair back = product(y, p);
    return exponential(y, ((log.high - back.high) - back.low + log.low) / p);
}
