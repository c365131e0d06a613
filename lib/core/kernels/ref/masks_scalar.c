/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A magnitude is ranked by its bits as an integer: |a| < |b| as numbers and as bits are one. Vectors of four are the
 * compiler's own, for processors without a table of their own.
 */
#include "core/kernels/masks.h"

#include <math.h>
#include <string.h>

#define LARGEST 0x7f800000 /* infinity; what is above is NaN */

/* Comparisons give -1 for true. */
typedef int32_t four __attribute__((vector_size(16)));

static inline four all(int32_t x)
{
    return (four){x, x, x, x};
}

static inline four magnitudes(const float *weights)
{
    four bits;
    memcpy(&bits, weights, sizeof bits);
    return bits & all(INT32_MAX);
}

static inline int any(four mask)
{
    uint64_t halves[2];
    memcpy(halves, &mask, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

static inline int32_t bits_of(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & INT32_MAX;
}

/* ---- groups of four ---- */

/* Of four groups, each in one vector: the elements of the same place in each. */
static inline void turn(four x[4])
{
    four a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
    four c = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
    x[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    x[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    x[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    x[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

/* Four bits for each of four groups: an element stays when `least` others go before it, those that are smaller and
 * equals with a lower number. */
static inline four stays_of(const float *weights, int32_t least, four *nan)
{
    four x[4], enough = all(least - 1), largest = all(LARGEST);
    for (int g = 0; g < 4; g++) {
        x[g] = magnitudes(weights + 4 * g);
        *nan |= x[g] > largest;
    }
    turn(x);
    four ab = x[0] > x[1], ac = x[0] > x[2], ad = x[0] > x[3], bc = x[1] > x[2], bd = x[1] > x[3], cd = x[2] > x[3];
    four a = -(ab + ac + ad), b = 1 + ab - bc - bd, c = 2 + ac + bc - cd, d = 3 + ad + bd + cd;
    return ((a > enough) & 1) | ((b > enough) & 2) | ((c > enough) & 4) | ((d > enough) & 8);
}

static inline uint64_t nibbles(four x)
{
    return (uint32_t)x[0] | (uint32_t)x[1] << 4 | (uint32_t)x[2] << 8 | (uint32_t)x[3] << 12;
}

int pr_keep_of_4_f32_scalar(uint64_t *words, const float *values, int64_t count, int keep_n)
{
    four nan = all(0);
    int32_t least = 4 - keep_n;
    for (int64_t w = 0; w < count; w++, values += 64) {
        four low = stays_of(values, least, &nan) | stays_of(values + 16, least, &nan) << 16;
        four high = stays_of(values + 32, least, &nan) | stays_of(values + 48, least, &nan) << 16;
        words[w] = nibbles(low) | nibbles(high) << 32;
    }
    return any(nan);
}

int pr_keep_of_4_f64_scalar(uint64_t *words, const double *values, int64_t count, int keep_n)
{
    int least = 4 - keep_n;
    for (int64_t w = 0; w < count; w++) {
        uint64_t word = 0;
        for (int g = 0; g < 64; g += 4, values += 4) {
            int ab = values[0] > values[1], ac = values[0] > values[2], ad = values[0] > values[3];
            int bc = values[1] > values[2], bd = values[1] > values[3], cd = values[2] > values[3];
            int a = ab + ac + ad, b = 1 - ab + bc + bd, c = 2 - ac - bc + cd, d = 3 - ad - bd - cd;
            word |= (uint64_t)((a >= least) | (b >= least) << 1 | (c >= least) << 2 | (d >= least) << 3) << g;
        }
        words[w] = word;
    }
    return 0;
}

/* ---- around a limit ---- */

/* Keeps those that lie above `low` and not above `high`. */
static inline void keep_some(struct pr_split *split, int32_t low, int32_t high, const float *weights, int64_t count,
                             float *kept)
{
    for (int64_t i = 0; i < count; i++) {
        int32_t key = bits_of(weights[i]);
        kept[split->between] = fabsf(weights[i]);
        split->between += (key > low) & (key <= high);
    }
}

static inline int64_t lanes(four x)
{
    return -((int64_t)x[0] + x[1] + x[2] + x[3]);
}

#define BLOCK 4096 /* so that no lane of a count overflows */

void pr_split_f32_scalar(struct pr_split *split, float *kept, const float *values, int64_t count, float low, float high)
{
    int32_t least = bits_of(low), most = bits_of(high);
    while (count >= 8) {
        int64_t now = (count < BLOCK ? count : BLOCK) & ~(int64_t)7;
        four not_below = all(0), above_low = not_below, nan = not_below;
        for (int64_t i = 0; i < now; i += 8) {
            four between = all(0);
            for (int64_t j = 0; j < 8; j += 4) {
                four key = magnitudes(values + i + j), above = key > all(least);
                above_low += above;
                not_below += above | (key == all(least));
                nan |= key > all(LARGEST);
                between |= above & ~(key > all(most));
            }
            if (any(between))
                keep_some(split, least, most, values + i, 8, kept);
        }
        split->below += now - lanes(not_below);
        split->low += lanes(not_below) - lanes(above_low);
        split->nan |= any(nan);
        values += now;
        count -= now;
    }
    for (int64_t i = 0; i < count; i++) {
        int32_t key = bits_of(values[i]);
        split->below += key < least;
        split->low += key == least;
        split->nan |= key > LARGEST;
    }
    keep_some(split, least, most, values, count, kept);
}

void pr_split_f64_scalar(struct pr_split *split, double *kept, const double *values, int64_t count, double low,
                         double high)
{
    for (int64_t i = 0; i < count; i++) {
        split->below += values[i] < low;
        split->low += values[i] == low;
        kept[split->between] = values[i];
        split->between += (values[i] > low) & (values[i] <= high);
    }
}

int64_t pr_keep_above_f32_scalar(uint64_t *words, const float *values, int64_t count, float limit)
{
    const four first = {1, 2, 4, 8};
    four least = all(bits_of(limit));
    for (int64_t w = 0; w < count; w++) {
        four equals = all(0), bits[2] = {equals, equals};
        for (int half = 0; half < 2; half++)
            for (int j = 0; j < 8; j++, values += 4) {
                four key = magnitudes(values);
                bits[half] |= ((key > least) & first) << (4 * j);
                equals |= key == least;
            }
        if (any(equals))
            return w;
        words[w] = 0;
        for (int i = 0; i < 8; i++)
            words[w] |= (uint64_t)(uint32_t)bits[i / 4][i % 4] << (i / 4 * 32);
    }
    return count;
}

int64_t pr_keep_above_f64_scalar(uint64_t *words, const double *values, int64_t count, double limit)
{
    for (int64_t w = 0; w < count; w++) {
        uint64_t word = 0;
        int equals = 0;
        for (int i = 0; i < 64; i++, values++) {
            word |= (uint64_t)(*values > limit) << i;
            equals |= *values == limit;
        }
        if (equals)
            return w;
        words[w] = word;
    }
    return count;
}
