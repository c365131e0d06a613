/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the kinds that choose input channels share.
 */
#ifndef PR_CORE_RECOVER_CHANNELS_H
#define PR_CORE_RECOVER_CHANNELS_H

#include "core/recover/least_squares.h"
#include "core/recover/pick.h"

struct pr_channels {
    struct pr_recovering *r;
    struct pr_linalg la;
    struct pr_grid grid;
    int64_t count, taps, keep; /* channels, columns of each, how many must stay */
    double damping;            /* as a fraction */
    int64_t memory;
    double *weights, *wanted; /* rows x columns: W as it is now, and Y'X */
    double *q, *p;            /* of pr_contributions; count x count, count */
    uint8_t *stay;            /* count */
};

/* Looks at granularity, target and sizes, and takes memory; pr_channels_free gives it back, also after a failure. */
int32_t pr_channels_start(struct pr_channels *c, struct pr_recovering *r, double damping, int64_t memory);
void pr_channels_free(struct pr_channels *c);

/* q and p of the weights as they are now, within the memory. */
int32_t pr_channels_contributions(struct pr_channels *c, struct pr_contributions *out);

/* r->chosen for `stay`. */
int32_t pr_channels_mask(struct pr_channels *c);

/* c->weights and r->result become the least squares for r->chosen. */
int32_t pr_channels_least_squares(struct pr_channels *c);

#endif
