/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers of every element type for loops that are written for three: float, double and int64_t. What has another type
 * passes through a chunk of one of the three; what has one of them is read and written where it is.
 */
#ifndef PM_OPS_NUMBERS_H
#define PM_OPS_NUMBERS_H

#include "model/graph/operator.h"

enum pm_domain { PM_F32, PM_F64, PM_I64, PM_DOMAINS };

/* Elements that are converted at a time, and memory for them. */
#define PM_CHUNK 256
union pm_chunk {
    float f32[PM_CHUNK];
    double f64[PM_CHUNK];
    int64_t i64[PM_CHUNK];
};

/* Sets of element types. */
#define PM_SET(dtype) (1u << (dtype))
#define PM_FLOATING (PM_SET(PRUNE_F32) | PM_SET(PRUNE_F64) | PM_SET(PRUNE_F16) | PM_SET(PRUNE_BF16))
#define PM_SIGNED (PM_SET(PRUNE_I8) | PM_SET(PRUNE_I16) | PM_SET(PRUNE_I32) | PM_SET(PRUNE_I64))
#define PM_UNSIGNED (PM_SET(PRUNE_U8) | PM_SET(PRUNE_U16) | PM_SET(PRUNE_U32))
#define PM_INTEGERS (PM_SIGNED | PM_UNSIGNED)
#define PM_NUMBERS (PM_FLOATING | PM_INTEGERS)
#define PM_ANYTHING (PM_NUMBERS | PM_SET(PRUNE_BOOL))

/* PRUNE_E_DTYPE unless the input's type is in the set; the sentence lists what is. */
int32_t pm_expect_dtype(const struct pm_call *call, int32_t input, uint32_t set);

/* PRUNE_E_DTYPE unless inputs `a` and `b` have one type. */
int32_t pm_expect_same_dtype(const struct pm_call *call, int32_t a, int32_t b);

/* The domain in which a type is computed: float for F32, F16 and BF16, double for F64, int64_t for the others. */
enum pm_domain pm_domain_of(int32_t dtype);

/* Whether numbers of the type lie in memory as the domain has them. */
int pm_is_direct(enum pm_domain domain, int32_t dtype);

/* `n` numbers of `data` from element `at`, in the domain: where they are when that is direct, else converted into the
 * chunk (then n <= PM_CHUNK). */
const void *pm_load(enum pm_domain domain, int32_t dtype, const void *data, int64_t at, int64_t n,
                    union pm_chunk *chunk);

/* The other way. Floats round to nearest even; integers of the domain I64 wrap around; floats to integers are cut
 * towards 0 and held within the type, NaN gives 0. */
void pm_store(enum pm_domain domain, const void *numbers, int64_t n, int32_t dtype, void *data, int64_t at);

/* One number. */
double pm_number(int32_t dtype, const void *data, int64_t at);
int64_t pm_whole(int32_t dtype, const void *data, int64_t at);

#endif
