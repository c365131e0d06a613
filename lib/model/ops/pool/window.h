/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows that slide over the spatial axes of [N, C, D1, ...]: one, two or three of them.
 */
#ifndef PM_OPS_WINDOW_H
#define PM_OPS_WINDOW_H

#include "model/ops/elementwise/numbers.h"

#define PM_SPATIAL 3

/* Always three axes; the leading ones of a smaller input have one element and a window of one. */
struct pm_window {
    int64_t planes;  /* N * C */
    int32_t spatial; /* axes of the input */
    int64_t in[PM_SPATIAL], out[PM_SPATIAL];
    int64_t kernel[PM_SPATIAL], stride[PM_SPATIAL], dilation[PM_SPATIAL];
    int64_t before[PM_SPATIAL], after[PM_SPATIAL]; /* padding */
    int64_t in_plane, out_plane;                   /* elements */
};

/* From the node's attributes kernel_shape, strides, dilations, pads, auto_pad and ceil_mode; refuses what does not fit.
 * With ceil_mode a last window that would begin in the padding behind the input is left out. */
int32_t pm_window_of(const struct pm_call *call, struct pm_window *window);

/* Sets output `index` to the windows' shape. */
int32_t pm_window_type(const struct pm_call *call, const struct pm_window *window, int32_t index, int32_t dtype);

/* Steps `begin` to `end` - 1 of the window at output `o` of an axis lie in the input. */
void pm_window_steps(const struct pm_window *window, int32_t axis, int64_t o, int64_t *begin, int64_t *end);

#endif
