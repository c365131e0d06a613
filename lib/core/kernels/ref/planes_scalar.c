/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/kernels/shifted.h"

void pr_shift_planes_scalar(float *to, int64_t to_step, const float *from, int64_t from_step, int64_t count,
                            const struct pr_shift *shift)
{
    int64_t width = shift->width, floats = (shift->top + shift->rows + shift->bottom) * width;
    for (int64_t p = 0; p < count; p++) {
        float *plane = to + p * to_step;
        memset(plane, 0, (size_t)floats * sizeof *plane);
        for (int64_t i = 0; i < shift->rows; i++)
            for (int64_t j = shift->begin; j < shift->end; j++)
                plane[(shift->top + i) * width + j] =
                    from[p * from_step + i * shift->ld + (j - shift->begin) * shift->stride];
    }
}
