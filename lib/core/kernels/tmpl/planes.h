/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Planes of an image, moved along. Include a vocabulary first, and define MOVE_ROW, which writes one row of stride 1
 * with the zeros around it, or leave that to this file.
 */
#ifndef PR_KERNELS_PLANES_H
#define PR_KERNELS_PLANES_H

#include "core/kernels/kernels.h"
#include "core/kernels/tmpl/loops.h"

INLINE void zero_floats(float *to, int64_t count)
{
    int64_t j = 0;
    for (; j + VL <= count; j += VL)
        v_store(to + j, v_zero());
    for (; j < count; j++)
        to[j] = 0;
}

/* The last vector begins earlier where they are no whole ones. */
INLINE void move_floats(float *to, const float *from, int64_t count)
{
    int64_t j = 0;
    for (; j + VL <= count; j += VL)
        v_store(to + j, v_load(from + j));
    if (j == count)
        return;
    if (count >= VL) {
        v_store(to + count - VL, v_load(from + count - VL));
        return;
    }
    for (; j + 4 <= count; j += 4)
        __builtin_memcpy(to + j, from + j, 4 * sizeof *to);
    for (; j < count; j++)
        to[j] = from[j];
}

/* Every second float; nothing beyond the last one is read. */
INLINE void move_halved(float *to, const float *from, int64_t count)
{
    int64_t j = 0;
    for (; j + VL < count; j += VL)
        v_store(to + j, v_even(v_load(from + 2 * j), v_load(from + 2 * j + VL)));
    for (; j < count; j++)
        to[j] = from[2 * j];
}

INLINE void move_row(float *to, const float *from, const struct pr_shift *s)
{
    for (int64_t j = 0; j < s->begin; j++)
        to[j] = 0;
    if (s->stride == 1)
        move_floats(to + s->begin, from, s->end - s->begin);
    else if (s->stride == 2)
        move_halved(to + s->begin, from, s->end - s->begin);
    else
        for (int64_t j = s->begin; j < s->end; j++)
            to[j] = from[(j - s->begin) * s->stride];
    for (int64_t j = s->end; j < s->width; j++)
        to[j] = 0;
}

static inline void shift_planes(float *to, int64_t to_step, const float *from, int64_t from_step, int64_t count,
                                const struct pr_shift *shift)
{
    const struct pr_shift s = *shift; /* stores cannot change it */
    for (int64_t p = 0; p < count; p++) {
        float *row = to + p * to_step;
        const float *x = from + p * from_step;
        zero_floats(row, s.top * s.width);
        row += s.top * s.width;
        for (int64_t i = 0; i < s.rows; i++, row += s.width, x += s.ld)
            move_row(row, x, &s);
        zero_floats(row, s.bottom * s.width);
    }
}

#endif
