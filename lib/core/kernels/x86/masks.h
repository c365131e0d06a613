/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the masks of both instruction sets do with bits once numbers are compared.
 */
#ifndef PR_KERNELS_X86_MASKS_H
#define PR_KERNELS_X86_MASKS_H

#include <immintrin.h>

#include "core/kernels/masks.h"

#define PR_AHEAD 4096 /* bytes: what the processor fetches by itself ends with a page */

/* For 16 groups of four elements a, b, c, d: `near` has the bits a > b, b > c, c > d, a > d of each, `far` a > c, b > d
 * and the same again. An element goes ahead of an equal one with a lower number. Bit i of the next three says whether
 * element i goes ahead of the one that is 1, 2, 3 further on, going round. */
static inline uint64_t pr_of_4(uint64_t near, uint64_t far, int keep_n)
{
    const uint64_t last = 0x8888888888888888u;
    uint64_t one = near ^ last, two = far ^ 0xccccccccccccccccu,
             three = ~((one << 1 & ~(last >> 3)) | (one & last) >> 3);
    if (keep_n == 1)
        return one & two & three;
    return keep_n == 2 ? (one & two) | (three & (one | two)) : one | two | three;
}

#endif
