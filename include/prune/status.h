/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Status and sentence: how every function of libprune and libprune-model reports.
 *
 * A function that can fail returns an int32_t: 0, or one of the negative numbers below. The numbers are never reused
 * for another meaning. On failure every out-parameter keeps the value it had, so calls chain with `||`, and
 * prune_error() holds one sentence that says what was wrong and what would be right. Nothing is printed, nothing
 * aborts.
 *
 * Objects other than the context are immutable once made unless their page says otherwise; immutable objects may be
 * used by any number of threads at once. An object that is being changed belongs to one thread. Every *_free takes
 * NULL.
 */
#ifndef PRUNE_STATUS_H
#define PRUNE_STATUS_H

#include <stdint.h>

#include "prune/version.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PRUNE_OK 0

/* What the caller asked for cannot be meant. */
#define PRUNE_E_ARGUMENT -1    /* a NULL pointer, a number outside its range */
#define PRUNE_E_SHAPE -2       /* rank, shape, strides, axis or leading dimension do not fit */
#define PRUNE_E_DTYPE -3       /* this operation does not take this element type */
#define PRUNE_E_SPEC -4        /* a spec string: unknown kind, unknown key, bad number, missing value */
#define PRUNE_E_VALUE -5       /* the data: NaN among weights or scores, a mask byte that is neither 0 nor 1 */
#define PRUNE_E_FORMAT -6      /* a file or sparse arrays that break the rules of their format */
#define PRUNE_E_UNSUPPORTED -7 /* valid, but not something this version does */
#define PRUNE_E_INFEASIBLE -8  /* no answer meets the target; the sentence gives the nearest */
#define PRUNE_E_OVERFLOW -9    /* sizes whose product or sum does not fit in 63 bits */

/* What happened while doing it. */
#define PRUNE_E_NOMEM -101     /* the allocator returned NULL */
#define PRUNE_E_IO -102        /* reading or writing failed: disk full, permission, a directory in the way */
#define PRUNE_E_NOTFOUND -103  /* no file of that name */
#define PRUNE_E_CANCELLED -104 /* a progress callback asked to stop */
#define PRUNE_E_DIVERGED -105  /* a training loss became NaN or infinite */

/* The sentence of the last failure on the calling thread; "" when there was none. It is the library's, valid until the
 * next failing call on this thread. Success does not clear it. */
PRUNE_API const char *prune_error(void);

/* Sets the sentence of the calling thread (copied, cut at 511 bytes; NULL means "") and returns `status`, so that a
 * host's callback can end with `return prune_fail(PRUNE_E_IO, "the host's disk is gone");`. */
PRUNE_API int32_t prune_fail(int32_t status, const char *sentence);

/* The name of a status, "PRUNE_E_SHAPE" for -2; "PRUNE_E_?" for a number that is none. A constant. */
PRUNE_API const char *prune_status_name(int32_t status);

#ifdef __cplusplus
}
#endif
#endif
