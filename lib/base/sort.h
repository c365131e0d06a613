/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sorting by whole-number keys, in time linear in their number.
 */
#ifndef PR_BASE_SORT_H
#define PR_BASE_SORT_H

#include <stdint.h>

struct pr_keyed {
    uint64_t key;
    int64_t index;
};

/* Ascending by the low `bytes` bytes of the keys; equal keys keep their order. Both arrays hold `count`; the result is
 * in `items`. */
void pr_sort_keyed(struct pr_keyed *items, struct pr_keyed *scratch, int64_t count, int bytes);

/* Ascending numbers have ascending keys; no NaN. */
uint32_t pr_float_key(float value);

#endif
