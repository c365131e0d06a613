/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The depthwise convolution from the inside. A band of output rows of one channel is computed at a time: the rows of
 * the image that it reads are brought, with zeros around them, into scratch
 *
 *   [column phase][row phase][row][pitch]
 *
 * in which the products of every tap are floats side by side. Rows that are narrow and as wide as the image's stand
 * without gaps between them, so that a band is one long row; masks then keep taps from reaching into the next row.
 */
#ifndef PR_CORE_SPARSE_DEPTHWISE_H
#define PR_CORE_SPARSE_DEPTHWISE_H

#include "core/kernels/taps.h"
#include "core/sparse/packed/packed.h"
#include "prune/depthwise.h"

enum { PR_DOWN, PR_ACROSS, PR_WAYS };

/* One axis of the scratch, for each of the kernel's places along it. */
struct pr_phases {
    int64_t count, reach; /* of phases; the largest shift */
    int64_t *phase;       /* which one the place is in */
    int64_t *shift;       /* and how far from its beginning */
    int64_t *origin;      /* of each phase: where its element 0 is, in the image, of output 0 */
};

/* Laid out for one size of image. */
struct pr_depthwise_plan {
    int64_t extent[PR_WAYS], output[PR_WAYS];
    struct pr_phases phases[PR_WAYS];
    int is_flat;
    int64_t rows, bands;         /* of output rows that are computed at once */
    int64_t pitch, height;       /* floats of a row, rows of a phase */
    int64_t lead, floats;        /* floats before the first row, and of everything */
    int32_t *offsets;            /* of each tap */
    struct pr_tap_group *groups; /* [out channels][kernel width] */
    uint32_t *masks;
};

struct prune_depthwise {
    prune_context *context;
    uint32_t cpu;
    struct pr_kernels kernels;
    int64_t out_channels, multiplier, kernel[PR_WAYS];
    int64_t stride[PR_WAYS], dilation[PR_WAYS], before[PR_WAYS], after[PR_WAYS];
    int64_t stored;
    int64_t *starts;               /* out channels + 1: where the taps of each begin */
    int32_t *counts;               /* [out channels][kernel width]: taps of each column of the kernel */
    int32_t *places;               /* of each tap: column * kernel height + row */
    float *weights;                /* of each tap */
    struct pr_depthwise_plan plan; /* for the size that was said */
    int64_t lent_bytes;            /* of scratch that waits to be lent, for a plan that needs more than a stack gives */
    void *lent;                    /* taken and given back atomically; NULL while it is lent, and for none */
};

/* Scratch of one task, and how many buffers are in it: with two, one is filled while the other is read. */
int64_t pr_depthwise_scratch(const struct pr_depthwise_plan *plan, int reads_y, int *buffers);

#define PR_DEPTHWISE_STACK 4096 /* floats that are not worth an allocation */

int32_t pr_depthwise_plan_make(struct pr_depthwise_plan *plan, const prune_depthwise *depthwise, int64_t height,
                               int64_t width);
void pr_depthwise_plan_release(struct pr_depthwise_plan *plan, const prune_depthwise *depthwise);

#endif
