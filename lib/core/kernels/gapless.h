/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products of one column of X with values that stand without gaps: bits say which lanes they belong to, so that a
 * matrix takes little more than its non-zeros. Loops read values in whole vectors: 16 floats beyond the last one must
 * be there to read.
 */
#ifndef PR_KERNELS_GAPLESS_H
#define PR_KERNELS_GAPLESS_H

#include "core/kernels/kernels.h"

#define PR_GAPLESS_PAD 16    /* floats that may be read beyond the last value */
#define PR_BITMAP_ROWS 8     /* of a block; each has one mask in it */
#define PR_BITMAP_COLUMNS 32 /* of a block: bits of a mask */

/* Bytes ahead at which streams are fetched: the cores' own prefetchers stop at the end of a page. */
#define PR_FETCH_VALUES 4096
#define PR_FETCH_WORDS 1024
#define PR_FETCH(pointer, ahead) __builtin_prefetch((const void *)((uintptr_t)(pointer) + (ahead)))

extern pr_windows_fn pr_windows_tight_scalar, pr_windows_tight_avx2, pr_windows_tight_avx512;
extern pr_bitmap_fn pr_bitmap_block_scalar, pr_bitmap_block_avx2, pr_bitmap_block_avx512;

/* Layouts of one width of vectors with vectors of another. */
extern pr_windows_fn pr_windows_16_avx2, pr_windows_8_avx512;
extern pr_nm24_by_4_fn pr_nm24_by_4_16_avx2, pr_nm24_by_4_8_avx512;

#endif
