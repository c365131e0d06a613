/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Compare: what models answer, side by side and against labels.
 */
#ifndef PRUNE_COMPARE_H
#define PRUNE_COMPARE_H

#include <stdint.h>

#include "prune/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How far two outputs lie apart, any dtype and strides: the largest |a - b|, and that by the largest |a| (0 where
 * nothing differs, infinity where all of a is 0). What is the same number or NaN in both does not differ; a NaN or an
 * infinity in one alone is infinitely far. PRUNE_E_SHAPE for two shapes. */
PRUNE_API int32_t prune_outputs_difference(double *largest, double *relative, const prune_tensor *a,
                                           const prune_tensor *b);

/* How many samples are ranked right: the largest of the numbers of sample i (axis 0 of `logits`, F32; the first of
 * equal ones, a NaN never) is number labels[first + i]. `labels`: integers, rank 1. PRUNE_E_SHAPE for fewer labels than
 * samples; PRUNE_E_VALUE, with sample and label, for one that is no class. */
PRUNE_API int32_t prune_outputs_correct(int64_t *correct, const prune_tensor *logits, const prune_tensor *labels,
                                        int64_t first);

#ifdef __cplusplus
}
#endif
#endif
