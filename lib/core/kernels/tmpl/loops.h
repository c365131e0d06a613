/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How bodies over a vocabulary are spelt: what must be inlined and unrolled so that counts become constants.
 */
#ifndef PR_KERNELS_LOOPS_H
#define PR_KERNELS_LOOPS_H

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
#define INLINE static inline __attribute__((always_inline))

/* A pointer whose origin the compiler cannot see, so that it does not fold the sum back into every operand. */
#define HIDE(pointer) __asm__("" : "+r"(pointer))

#endif
