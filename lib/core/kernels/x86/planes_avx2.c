/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx2.h"

#include "core/kernels/shifted.h"
#include "core/kernels/tmpl/planes.h"

void pr_shift_planes_avx2(float *to, int64_t to_step, const float *from, int64_t from_step, int64_t count,
                          const struct pr_shift *shift)
{
    shift_planes(to, to_step, from, from_step, count, shift);
}
