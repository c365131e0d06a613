/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/broadcast.h"
#include "model/ops/ops.h"

static int32_t infer(struct pm_call *call)
{
    struct pm_type values, out;
    PR_TRY(pm_expect_inputs(call, 3, 3));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, PM_SET(PRUNE_BOOL)));
    PR_TRY(pm_expect_dtype(call, 1, PM_ANYTHING));
    PR_TRY(pm_expect_same_dtype(call, 1, 2));
    PR_TRY(pm_broadcast(&call->inputs[1].type, &call->inputs[2].type, &out));
    PR_TRY(pm_type_set(&values, call->inputs[1].type.dtype, out.rank, out.extents));
    PR_TRY(pm_broadcast(&call->inputs[0].type, &values, &out));
    return pm_type_set(&call->outputs[0].type, call->inputs[1].type.dtype, out.rank, out.extents);
}

/* Elements are moved as so many bytes, whatever they mean. */
#define CHOOSE(bytes, type)                                                                                            \
    case bytes: {                                                                                                      \
        const type *yes = (const type *)call->inputs[1].data + walk.at[1],                                             \
                   *no = (const type *)call->inputs[2].data + walk.at[2];                                              \
        type *y = (type *)call->outputs[0].data + at;                                                                  \
        for (int64_t i = 0; i < walk.length; i++)                                                                      \
            y[i] = chosen[i * walk.steps[0]] ? yes[i * walk.steps[1]] : no[i * walk.steps[2]];                         \
        break;                                                                                                         \
    }

static int32_t run(const struct pm_call *call)
{
    const struct pm_type *types[3] = {&call->inputs[0].type, &call->inputs[1].type, &call->inputs[2].type};
    int64_t size = prune_dtype_size(call->outputs[0].type.dtype), at = 0;
    struct pm_walk walk;
    pm_walk_begin(&walk, &call->outputs[0].type, 3, types);
    for (int64_t row = 0; row < walk.rows; row++, at += walk.length, pm_walk_next(&walk)) {
        const uint8_t *chosen = (const uint8_t *)call->inputs[0].data + walk.at[0];
        switch (size) {
            CHOOSE(1, uint8_t)
            CHOOSE(2, uint16_t)
            CHOOSE(4, uint32_t)
            CHOOSE(8, uint64_t)
        default:
            break;
        }
    }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_where = {.op = "Where", .infer = infer, .run = run};
