/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/network/links/links.h"

static int32_t shape(const struct pr_values *attributes, const struct pm_sample_shape *in, struct pm_sample_shape *out)
{
    (void)attributes;
    *out = *in;
    return PRUNE_OK;
}

#define BLOCK 16

/* Written so that NaN stays NaN and -0.0 becomes +0.0, as prune_epilogue does it. Blocks of fixed length that are read
 * before they are written become vector code at every level of optimisation, in place too. */
static void forward(const struct pm_pass *pass)
{
    int64_t n = pass->samples * pass->in, i = 0;
    const float *x = pass->x;
    float *y = pass->y;
    for (; i + BLOCK <= n; i += BLOCK) {
        float block[BLOCK];
        for (int j = 0; j < BLOCK; j++)
            block[j] = x[i + j] <= 0 ? 0.0f : x[i + j];
        memcpy(y + i, block, sizeof block);
    }
    for (; i < n; i++)
        y[i] = x[i] <= 0 ? 0.0f : x[i];
}

/* The derivative at 0 is taken as 0. */
static void backward(const struct pm_pass *pass)
{
    int64_t n = pass->samples * pass->in, i = 0;
    const float *restrict y = pass->y, *restrict dy = pass->dy;
    float *restrict dx = pass->dx;
    if (!dx)
        return;
    if (!pass->accumulate)
        memset(dx, 0, (size_t)n * sizeof *dx);
    for (; i + BLOCK <= n; i += BLOCK)
        for (int j = 0; j < BLOCK; j++)
            dx[i + j] += y[i + j] > 0 ? dy[i + j] : 0.0f;
    for (; i < n; i++)
        dx[i] += y[i] > 0 ? dy[i] : 0.0f;
}

static int64_t macs(const struct pr_values *attributes, const struct pm_sample_shape *in)
{
    (void)attributes;
    (void)in;
    return 0;
}

const struct pm_link pm_link_relu = {
    .kind = {"relu", "max(x, 0), element by element", NULL},
    .role = PM_ACTIVATION,
    .epilogue = "activation=relu",
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .macs = macs,
};
