/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Vectors of 4, 8 and, with AVX-512, 16 floats under one scheme of names, for kernels whose vector is as wide as X:
 * W(load) is f4_load, f8_load or f16_load, as WIDTH says.
 */
#ifndef PR_KERNELS_FEW_VEC_H
#define PR_KERNELS_FEW_VEC_H

#include <immintrin.h>

/* Weights stream from memory faster than the CPU foresees: this many entries ahead. */
#define AHEAD_BY 768
#define AHEAD(from) _mm_prefetch((const char *)(from), _MM_HINT_T0)

/* Keeps a vector in its register: the compiler must not read a part of it from memory anew. */
#define HIDE_VECTOR(vector) __asm__("" : "+v"(vector))

#define PASTE_(a, b, c) a##b##_##c
#define PASTE(a, b, c) PASTE_(a, b, c)
#define W(operation) PASTE(f, WIDTH, operation)

typedef __m128 f4_vec;
#define f4_zero() _mm_setzero_ps()
#define f4_all(value) _mm_set1_ps(value)
#define f4_load(from) _mm_loadu_ps(from)
#define f4_store(to, v) _mm_storeu_ps(to, v)
#define f4_add(a, b) _mm_add_ps(a, b)
#define f4_fma(a, b, c) _mm_fmadd_ps(a, b, c)
/* Four numbers, again and again, and one of these everywhere. */
#define f4_four(from) _mm_loadu_ps(from)
#define f4_pick(four, which) _mm_permute_ps(four, (which)*0x55)

typedef __m256 f8_vec;
#define f8_zero() _mm256_setzero_ps()
#define f8_all(value) _mm256_set1_ps(value)
#define f8_load(from) _mm256_loadu_ps(from)
#define f8_store(to, v) _mm256_storeu_ps(to, v)
#define f8_add(a, b) _mm256_add_ps(a, b)
#define f8_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define f8_four(from) _mm256_broadcast_ps((const __m128 *)(from))
#define f8_pick(four, which) _mm256_permute_ps(four, (which)*0x55)

#ifdef __AVX512F__
typedef __m512 f16_vec;
#define f16_zero() _mm512_setzero_ps()
#define f16_all(value) _mm512_set1_ps(value)
#define f16_load(from) _mm512_loadu_ps(from)
#define f16_store(to, v) _mm512_storeu_ps(to, v)
#define f16_add(a, b) _mm512_add_ps(a, b)
#define f16_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define f16_four(from) _mm512_broadcast_f32x4(_mm_loadu_ps(from))
#define f16_pick(four, which) _mm512_permute_ps(four, (which)*0x55)
#endif

#endif
