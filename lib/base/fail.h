/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Setting the sentence of a failure. Compiled into both libraries; the sentence itself lives in libprune.
 */
#ifndef PR_BASE_FAIL_H
#define PR_BASE_FAIL_H

#include "prune/status.h"

/* Sets the calling thread's sentence and returns `status`: `return pr_fail(PRUNE_E_SHAPE, "...", ...)`. The sentence
 * starts in lower case, names the thing, what it is and what it should be, with the numbers, and has no full stop. */
int32_t pr_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "`prefix`: " before the sentence that is set, for callers that know which file or tensor it was about. */
int32_t pr_fail_in(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `return` with a sentence when a pointer that must be given is NULL. */
#define PR_REQUIRE(pointer)                                                                                            \
    do {                                                                                                               \
        if (!(pointer))                                                                                                \
            return pr_fail(PRUNE_E_ARGUMENT, "%s: %s is NULL; it must be given", __func__, #pointer);                  \
    } while (0)

/* `return` the status of a call that failed. */
#define PR_TRY(call)                                                                                                   \
    do {                                                                                                               \
        int32_t pr_status_ = (call);                                                                                   \
        if (pr_status_)                                                                                                \
            return pr_status_;                                                                                         \
    } while (0)

#endif
