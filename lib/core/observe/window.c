/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/observe/window.h"

#include "base/checked.h"

#define MOST 4096

const struct pr_parameter pr_window_parameters[] = {
    {.name = "stride", .type = PR_WHOLE, .standard = "1", .least = 1, .most = MOST, .help = "1 to 4096"},
    {.name = "padding", .type = PR_WHOLE, .standard = "0", .least = 0, .most = MOST, .help = "zeros on all four sides"},
    {.name = "dilation", .type = PR_WHOLE, .standard = "1", .least = 1, .most = MOST, .help = "1 to 4096"},
    {.name = "groups", .type = PR_WHOLE, .standard = "1", .least = 1, .most = INT32_MAX, .help = "1 or more"},
    {0},
};

int32_t pr_window_output(const struct pr_window *window, int64_t height, int64_t width, int64_t output[2])
{
    const int64_t size[] = {window->height, window->width}, image[] = {height, width};
    for (int i = 0; i < 2; i++) {
        int64_t room = 0, reach = 0;
        if (size[i] < 1)
            return pr_fail(PRUNE_E_SHAPE, "the window is %lld x %lld; it must be 1 x 1 or more", (long long)size[0],
                           (long long)size[1]);
        PR_TRY(pr_add(image[i], 2 * window->padding, &room));
        PR_TRY(pr_mul(size[i] - 1, window->dilation, &reach));
        if (room <= reach)
            return pr_fail(PRUNE_E_SHAPE,
                           "an image of %lld x %lld with padding %lld is smaller than the window of %lld x %lld",
                           (long long)height, (long long)width, (long long)window->padding, (long long)size[0],
                           (long long)size[1]);
        output[i] = (room - reach - 1) / window->stride + 1;
    }
    return PRUNE_OK;
}
