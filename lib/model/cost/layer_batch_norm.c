/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/checked.h"
#include "model/cost/cost.h"

enum { CHANNELS, HEIGHT, WIDTH };

static const struct pr_parameter parameters[] = {
    {"channels", PR_WHOLE, NULL, 1, 0x1p53, NULL, "channels, 1 or more"},
    {"height", PR_WHOLE, NULL, 1, 0x1p53, NULL, "height of the input, 1 or more"},
    {"width", PR_WHOLE, NULL, 1, 0x1p53, NULL, "width of the input, 1 or more"},
    {NULL, PR_WHOLE, NULL, 0, 0, NULL, NULL},
};

static int32_t measure(const struct pr_values *values, struct pm_measure *m)
{
    const int64_t *v = values->whole;
    PR_TRY(pm_product(v[CHANNELS], v[HEIGHT], v[WIDTH], &m->inputs));
    m->element_ops = m->outputs = m->inputs;
    m->others = 2 * v[CHANNELS];
    return PRUNE_OK;
}

const struct pm_layer_kind pm_layer_batch_norm = {
    {"batch-norm", "batch normalisation: a scale and a shift for each channel", parameters}, measure};
