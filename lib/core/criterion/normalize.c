/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every measure is taken of scores divided by the power of two of the largest magnitude, so that neither squares nor
 * sums of scores that fit can overflow, and scores 2^k times as large give the same result.
 */
#include <math.h>

#include "core/criterion/aggregate.h"

/* Numbers that are added up one after another, before their sum is added to the others. */
#define BLOCK 1024

struct measure {
    int64_t count; /* of finite scores */
    double least, most, largest;
    int exponent; /* largest < 2^exponent */
};

static struct measure look(const double *scores, int64_t count)
{
    struct measure m = {0, INFINITY, -INFINITY, 0, 0};
    for (int64_t i = 0; i < count; i++) {
        double s = scores[i];
        if (isinf(s))
            continue;
        m.count++;
        m.least = s < m.least ? s : m.least;
        m.most = s > m.most ? s : m.most;
        m.largest = fabs(s) > m.largest ? fabs(s) : m.largest;
    }
    frexp(m.largest, &m.exponent);
    return m;
}

static double magnitude(double s, double mean)
{
    (void)mean;
    return fabs(s);
}

static double itself(double s, double mean)
{
    (void)mean;
    return s;
}

static double square(double s, double mean)
{
    return (s - mean) * (s - mean);
}

static double total(const double *scores, int64_t count, int exponent, double mean, double (*part)(double, double))
{
    double sum = 0;
    for (int64_t begin = 0; begin < count; begin += BLOCK) {
        double block = 0;
        for (int64_t i = begin; i < count && i < begin + BLOCK; i++)
            if (!isinf(scores[i]))
                block += part(ldexp(scores[i], -exponent), mean);
        sum += block;
    }
    return sum;
}

/* (s - shift) / by, of scores divided by the power of two. */
static void apply(double *scores, int64_t count, int exponent, double shift, double by)
{
    for (int64_t i = 0; i < count; i++)
        if (!isinf(scores[i]))
            scores[i] = by > 0 ? (ldexp(scores[i], -exponent) - shift) / by : 0;
}

void pr_normalize(enum pr_normalize how, const struct pr_grid *grid, double *scores)
{
    int64_t count = grid->units;
    if (how == PR_NORMALIZE_NONE)
        return;
    if (how == PR_NORMALIZE_SIZE) {
        for (int64_t i = 0; i < count; i++)
            scores[i] /= (double)pr_unit_size(grid, i);
        return;
    }
    struct measure m = look(scores, count);
    double shift = 0, by = 0, n = (double)m.count;
    if (m.count == 0)
        return;
    switch (how) {
    case PR_NORMALIZE_L2:
        by = sqrt(total(scores, count, m.exponent, 0, square));
        break;
    case PR_NORMALIZE_SUM:
        by = total(scores, count, m.exponent, 0, magnitude);
        break;
    case PR_NORMALIZE_MAX:
        by = ldexp(m.largest, -m.exponent);
        break;
    case PR_NORMALIZE_MIN_MAX:
        shift = ldexp(m.least, -m.exponent);
        by = ldexp(m.most, -m.exponent) - shift;
        break;
    default: /* equal scores have no deviation, whatever the rounding of their mean */
        shift = total(scores, count, m.exponent, 0, itself) / n;
        by = m.least < m.most ? sqrt(total(scores, count, m.exponent, shift, square) / n) : 0;
        break;
    }
    apply(scores, count, m.exponent, shift, by);
}
