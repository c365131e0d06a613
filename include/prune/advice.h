/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Advice: how long a product would take in each format and form, and in dense, before anything is packed. It says where
 * the break-even lies: when the first line is dense, sparse does not pay.
 *
 * Estimates come from a table of measurements on one thread: built in, or the machine's own, measured by
 * `prune bench --calibrate` and handed to a context. prune_packed_create takes what comes first here.
 */
#ifndef PRUNE_ADVICE_H
#define PRUNE_ADVICE_H

#include <stdint.h>

#include "prune/packed.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_advice prune_advice;

/* Ways to pack the kept elements of `weights`, fastest first; arguments as of prune_packed_create, whose choice this
 * is: `columns` in `spec` says how many columns X will have, `format` and `form` leave only those. The values of
 * `weights` are looked at only where `mask` is NULL. Ways that the table knows nothing of come last. */
PRUNE_API int32_t prune_packed_advise(prune_advice **out, const prune_tensor *weights, const prune_mask *mask,
                                      const char *spec);
PRUNE_API void prune_advice_free(prune_advice *advice);

/* How many ways there are. */
PRUNE_API int32_t prune_advice_count(const prune_advice *advice);

/* The format ("csr", "nm:keep_n=2,group_m=4", "dense") and form of way `index`, as prune_packed_format and
 * prune_packed_form would give them; NULL outside the list. They live as long as `advice`. */
PRUNE_API const char *prune_advice_format(const prune_advice *advice, int32_t index);
PRUNE_API const char *prune_advice_form(const prune_advice *advice, int32_t index);

/* Seconds that one run on one thread should take, and bytes of the packed matrix; -1 where that is not known. */
PRUNE_API double prune_advice_seconds(const prune_advice *advice, int32_t index);
PRUNE_API double prune_advice_bytes(const prune_advice *advice, int32_t index);

/* Gives a context, not fixed yet, a table of measurements in place of the one built in: `bytes` bytes of text, copied,
 * as prune-formats(5) describes it. Forms that this library does not know are passed over. PRUNE_E_FORMAT names the
 * line that is wrong; NULL goes back to the table that is built in. */
PRUNE_API int32_t prune_context_set_speeds(prune_context *context, const char *text, int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
