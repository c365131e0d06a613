/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers as text, whatever the locale. Reading is exact: the double nearest to the decimal, ties to even, found by
 * comparing whole numbers of any length.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/spec.h"

/* 64-bit digits x 5^342 x 2^1150 at most, in limbs of 32 bits, lowest first. */
#define LIMBS 72
struct whole {
    uint32_t limb[LIMBS];
    int used;
};

static void multiply(struct whole *a, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < a->used; i++) {
        carry += (uint64_t)a->limb[i] * factor;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        a->limb[a->used++] = (uint32_t)carry;
}

static void set_scaled(struct whole *a, uint64_t value, int fives, int twos)
{
    a->limb[0] = (uint32_t)value;
    a->limb[1] = (uint32_t)(value >> 32);
    a->used = a->limb[1] ? 2 : a->limb[0] ? 1 : 0;
    for (; fives >= 13; fives -= 13)
        multiply(a, 1220703125); /* 5^13 */
    for (; fives > 0; fives--)
        multiply(a, 5);
    for (; twos >= 31; twos -= 31)
        multiply(a, (uint32_t)1 << 31);
    multiply(a, (uint32_t)1 << twos);
}

static int compare(const struct whole *a, const struct whole *b)
{
    if (a->used != b->used)
        return a->used < b->used ? -1 : 1;
    for (int i = a->used - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* The sign of digits x 10^exponent - (the middle between `value` and the next double above it); *odd says whether
 * `value` has an odd significand. value >= 0. */
static int against_middle_above(uint64_t digits, int exponent, double value, int *odd)
{
    int power;
    struct whole decimal, middle;
    (void)frexp(value, &power);
    power -= 53;
    if (value == 0 || power < -1074)
        power = -1074;
    uint64_t significand = value == 0 ? 0 : (uint64_t)ldexp(value, -power);
    *odd = (int)(significand & 1);
    /* decimal = digits 5^e 2^e, middle = (2 s + 1) 2^(power - 1); both times what makes them whole. */
    int decimal_twos = exponent, middle_twos = power - 1;
    int least = decimal_twos < middle_twos ? decimal_twos : middle_twos;
    set_scaled(&decimal, digits, exponent > 0 ? exponent : 0, decimal_twos - least);
    set_scaled(&middle, 2 * significand + 1, exponent < 0 ? -exponent : 0, middle_twos - least);
    return compare(&decimal, &middle);
}

/* The double nearest to digits x 10^exponent, from one that is near. */
static double nearest(uint64_t digits, int exponent, double value)
{
    int odd;
    for (;;) {
        int sign = isinf(value) ? -1 : against_middle_above(digits, exponent, value, &odd);
        if (sign > 0 || (sign == 0 && odd)) {
            value = nextafter(value, INFINITY);
            continue;
        }
        if (value == 0)
            return value;
        double below = nextafter(value, 0);
        sign = against_middle_above(digits, exponent, below, &odd);
        if (sign > 0 || (sign == 0 && odd))
            return value;
        value = below;
    }
}

/* digits x 10^exponent up to a few units in the last place. */
static double approximate(uint64_t digits, int exponent)
{
    double value = (double)digits;
    for (; exponent > 0 && !isinf(value); exponent -= exponent < 22 ? exponent : 22)
        value *= exponent < 22 ? pow(10, exponent) : 1e22;
    for (; exponent < 0 && value > 0; exponent += exponent > -22 ? -exponent : 22)
        value /= exponent > -22 ? pow(10, -exponent) : 1e22;
    return value;
}

int pr_number_parse(const char *text, size_t length, double *value)
{
    const char *p = text, *end = text + length;
    int negative = 0, any = 0, exponent = 0;
    uint64_t digits = 0;
    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    for (int point = 0; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = 1;
            continue;
        }
        any = 1;
        if (digits < 1000000000000000000u)
            digits = digits * 10 + (uint64_t)(*p - '0'), exponent -= point;
        else
            exponent += !point; /* a digit that cannot matter any more */
    }
    if (!any)
        return 0;
    if (p < end && (*p == 'e' || *p == 'E')) {
        int minus = 0, e = 0;
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            minus = *p++ == '-';
        if (p == end)
            return 0;
        for (; p < end && *p >= '0' && *p <= '9'; p++)
            e = e < 100000 ? e * 10 + (*p - '0') : e;
        exponent += minus ? -e : e;
    }
    if (p != end)
        return 0;
    double result = 0;
    if (digits && exponent > 309)
        return 0;
    if (digits && exponent >= -344)
        result = nearest(digits, exponent, approximate(digits, exponent));
    if (isinf(result))
        return 0;
    *value = negative ? -result : result;
    return 1;
}

size_t pr_number_print(char out[PR_MAX_NUMBER], double value)
{
    if (!isfinite(value)) /* for sentences: the parser takes neither */
        return (size_t)snprintf(out, PR_MAX_NUMBER, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    int is_count = value == floor(value) && fabs(value) < 1e15;
    for (int precision = is_count ? 15 : 1; precision <= 17; precision++) {
        char text[PR_MAX_NUMBER];
        double back;
        snprintf(text, sizeof text, "%.*g", precision, value);
        /* The host's locale may have put another decimal point there, of one byte or more. */
        size_t n = 0;
        for (const char *p = text; *p; p++) {
            int plain = (*p >= '0' && *p <= '9') || *p == '-' || *p == '+' || *p == 'e';
            if (plain)
                out[n++] = *p;
            else if (n == 0 || out[n - 1] != '.')
                out[n++] = '.';
        }
        out[n] = '\0';
        if (precision == 17 || (pr_number_parse(out, n, &back) && back == value))
            return n;
    }
    return 0; /* not reached: the seventeenth round returns */
}
