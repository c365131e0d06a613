/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/checked.h"
#include "model/cost/cost.h"

enum { IN, OUT, KERNEL_H, KERNEL_W, HEIGHT, WIDTH, STRIDE, PAD, DILATION, GROUPS, BIAS };

static const struct pr_parameter parameters[] = {
    {"in", PR_WHOLE, NULL, 1, 0x1p53, NULL, "input channels, 1 or more"},
    {"out", PR_WHOLE, NULL, 1, 0x1p53, NULL, "output channels, 1 or more"},
    {"kernel_h", PR_WHOLE, NULL, 1, 0x1p53, NULL, "height of the kernel, 1 or more"},
    {"kernel_w", PR_WHOLE, NULL, 1, 0x1p53, NULL, "width of the kernel, 1 or more"},
    {"height", PR_WHOLE, NULL, 1, 0x1p53, NULL, "height of the input, 1 or more"},
    {"width", PR_WHOLE, NULL, 1, 0x1p53, NULL, "width of the input, 1 or more"},
    {"stride", PR_WHOLE, "1", 1, 0x1p53, NULL, "step between outputs, both ways, 1 or more"},
    {"pad", PR_WHOLE, "0", 0, 0x1p53, NULL, "zeros on each of the four sides, 0 or more"},
    {"dilation", PR_WHOLE, "1", 1, 0x1p53, NULL, "step between the kernel's elements, 1 or more"},
    {"groups", PR_WHOLE, "1", 1, 0x1p53, NULL, "groups that see in/groups channels each; divides in and out"},
    {"bias", PR_WHOLE, "0", 0, 1, NULL, "1 with one bias an output channel, 0 without"},
    {NULL, PR_WHOLE, NULL, 0, 0, NULL, NULL},
};

/* The output's extent along one direction: floor((extent + 2 pad - dilation (kernel - 1) - 1) / stride) + 1. */
static int32_t output_extent(const char *direction, int64_t extent, int64_t kernel, const int64_t *values,
                             int64_t *output)
{
    int64_t padded = 0, reach = 0;
    PR_TRY(pr_add(extent, 2 * values[PAD], &padded));
    PR_TRY(pr_mul(values[DILATION], kernel - 1, &reach));
    if (reach >= padded)
        return pr_fail(
            PRUNE_E_SHAPE, "a kernel of %lld with dilation %lld does not fit into the input's %s of %lld with pad %lld",
            (long long)kernel, (long long)values[DILATION], direction, (long long)extent, (long long)values[PAD]);
    *output = (padded - reach - 1) / values[STRIDE] + 1;
    return PRUNE_OK;
}

static int32_t measure(const struct pr_values *values, struct pm_measure *m)
{
    const int64_t *v = values->whole;
    int64_t height = 0, width = 0;
    if (v[IN] % v[GROUPS] != 0 || v[OUT] % v[GROUPS] != 0)
        return pr_fail(PRUNE_E_SHAPE, "groups=%lld must divide both in=%lld and out=%lld", (long long)v[GROUPS],
                       (long long)v[IN], (long long)v[OUT]);
    PR_TRY(output_extent("height", v[HEIGHT], v[KERNEL_H], v, &height));
    PR_TRY(output_extent("width", v[WIDTH], v[KERNEL_W], v, &width));
    m->rows = v[OUT];
    PR_TRY(pm_product(v[IN] / v[GROUPS], v[KERNEL_H], v[KERNEL_W], &m->columns));
    PR_TRY(pr_mul(height, width, &m->uses));
    m->others = v[BIAS] ? m->rows : 0;
    PR_TRY(pm_product(v[IN], v[HEIGHT], v[WIDTH], &m->inputs));
    return pr_mul(v[OUT], m->uses, &m->outputs);
}

const struct pm_layer_kind pm_layer_conv = {
    {"conv", "a convolution in two dimensions, weights [out, in / groups, kernel_h, kernel_w]", parameters}, measure};
