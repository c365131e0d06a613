/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/checked.h"
#include "model/cost/cost.h"

enum { IN, OUT, BIAS };

static const struct pr_parameter parameters[] = {
    {"in", PR_WHOLE, NULL, 1, 0x1p53, NULL, "input features, 1 or more"},
    {"out", PR_WHOLE, NULL, 1, 0x1p53, NULL, "output features, 1 or more"},
    {"bias", PR_WHOLE, "0", 0, 1, NULL, "1 with one bias an output, 0 without"},
    {NULL, PR_WHOLE, NULL, 0, 0, NULL, NULL},
};

static int32_t measure(const struct pr_values *values, struct pm_measure *m)
{
    m->rows = m->outputs = values->whole[OUT];
    m->columns = m->inputs = values->whole[IN];
    m->uses = 1;
    m->others = values->whole[BIAS] ? m->rows : 0;
    return PRUNE_OK;
}

const struct pm_layer_kind pm_layer_linear = {{"linear", "a fully connected layer, weights [out, in]", parameters},
                                              measure};
