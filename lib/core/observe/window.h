/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A window that slides over images: libprune only.
 */
#ifndef PR_CORE_WINDOW_H
#define PR_CORE_WINDOW_H

#include "base/spec.h"

struct pr_window {
    int64_t height, width, stride, padding, dilation;
};

/* "stride=S,padding=P,dilation=D,groups=G", in this order. */
enum { PR_STRIDE, PR_PADDING, PR_DILATION, PR_WINDOW_GROUPS };
extern const struct pr_parameter pr_window_parameters[];

/* How often the window fits along the height and the width of an image; PRUNE_E_SHAPE where it does not. */
int32_t pr_window_output(const struct pr_window *window, int64_t height, int64_t width, int64_t output[2]);

#endif
