/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Layouts of 8 lanes where there is AVX-512: one permute picks out of two vectors.
 */
#include "core/kernels/tmpl/vec_avx2.h"

#include "core/kernels/gapless.h"
#include "core/kernels/tmpl/picks.h"

void pr_nm24_by_4_8_avx512(float *sums, const float *x, const float *values, const uint32_t *positions, int64_t chunks)
{
    nm24_by_4(sums, x, values, positions, chunks);
}

void pr_windows_8_avx512(float *sums, const float *x, const uint16_t *starts, const float *values,
                         const uint32_t *positions, const uint16_t *kept, int64_t steps, int finite)
{
    windows(sums, x, starts, values, positions, kept, steps, finite);
}
