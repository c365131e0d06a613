/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The case of the slot of depthwise convolutions.
 */
#ifndef PR_TEST_SLOTS_TAPS_H
#define PR_TEST_SLOTS_TAPS_H

#include "core/kernels/taps.h"
#include "slots.h"

#define MOST_TAPS 24

/* m rows of n outputs. Every third number of x is NaN, infinite or a zero; masks take out some of them. */
static void taps_case(const struct setting *s)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 0.0f, 1e-45f};
    int64_t rows = s->m % 9, n = s->n + s->m % 4 * 67, ldx = n + s->m % 3, ldy = n + s->m % 5, tap_count = 0;
    int64_t out = rows && n ? (rows - 1) * ldy + n : 0, reach = s->m % 40, mask_count = 1 + s->m % 3;
    int64_t x_count = rows * ldx + reach + PR_TAP_SLACK, bits_count = mask_count * n + PR_TAP_SLACK;
    struct pr_tap_group groups[6];
    int32_t offsets[MOST_TAPS];
    for (int i = 0; i < 6; i++) {
        int has_mask = pr_rng_below(&rng, 2) == 0;
        groups[i].count = (int32_t)pr_rng_below(&rng, 5);
        groups[i].mask = has_mask ? (int32_t)(pr_rng_below(&rng, (uint64_t)mask_count) * (uint64_t)n) : -1;
        tap_count += groups[i].count;
    }
    for (int64_t t = 0; t < tap_count; t++)
        offsets[t] = (int32_t)pr_rng_below(&rng, (uint64_t)reach + 1);
    int is_square = s->n % 4 == 3 && reach > 3; /* 3 x 3, which has loops of its own */
    for (int t = 0; is_square && t < 9; t++) {
        offsets[t] = t < 3           ? (int32_t)pr_rng_below(&rng, (uint64_t)reach - 1)
                     : s->n % 8 == 3 ? offsets[t]
                                     : offsets[t - 3] + 1;
        groups[t / 3].count = 3;
        groups[t / 3].mask = s->m % 2 && t / 3 != 1 ? (int32_t)(t / 3 % mask_count * n) : -1;
    }
    tap_count = is_square ? 9 : tap_count;
    float *x = random_floats(s, 0, x_count), *weights = random_floats(s, 1, tap_count);
    float *y = random_floats(s, 2, out), *right = guarded_floats(3, out, 0);
    uint32_t *masks = guarded_bytes(s, 4, bits_count * 4);
    for (int64_t i = 0; i < bits_count; i++)
        masks[i] = pr_rng_below(&rng, 3) ? UINT32_MAX : 0;
    for (int64_t i = 0; s->m % 2 && i < x_count; i += 3)
        x[i] = odd[i / 3 % 6];
    const struct pr_taps taps = {
        .groups = groups,
        .group_count = is_square ? 3 : s->n % 7,
        .offsets = offsets,
        .weights = weights,
        .masks = masks,
        .scale = s->n % 2 ? 1.0f : -1.7f,
        .bias = s->n % 3 ? 0.3f : -0.0f,
        .clamp = s->n % 4 != 0,
        .most = s->n % 4 == 1 ? 0.6f : INFINITY,
    };
    memcpy(right, y, (size_t)out * sizeof *y); /* gaps between rows stay as they are */
    s->table->taps_rows(y, ldy, x, ldx, rows, n, &taps);
    scalar.taps_rows(right, ldy, x, ldx, rows, n, &taps);
    for (int64_t i = 0; i < out; i++)
        if (isnan(right[i]) ? !isnan(y[i]) : memcmp(y + i, right + i, sizeof *y) != 0)
            ck_abort_msg("taps_rows: number %lld is %g instead of %g", (long long)i, (double)y[i], (double)right[i]);
}

#endif
