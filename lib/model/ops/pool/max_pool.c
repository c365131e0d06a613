/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "model/ops/ops.h"
#include "model/ops/pool/fold.h"

static int32_t infer(struct pm_call *call)
{
    struct pm_window window;
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(pm_expect_outputs(call, 1, 2));
    PR_TRY(pm_expect_dtype(call, 0, PM_FLOATING | PM_SET(PRUNE_I8) | PM_SET(PRUNE_U8)));
    PR_TRY(pm_window_of(call, &window));
    PR_TRY(pm_window_type(call, &window, 0, call->inputs[0].type.dtype));
    if (pm_has_output(call, 1))
        PR_TRY(pm_window_type(call, &window, 1, PRUNE_I64));
    call->scratch_bytes = pm_fold_scratch(&window);
    return PRUNE_OK;
}

/* The largest element of a window and where in its plane it is: the first of equal ones, or the first NaN. */
static double largest(const struct pm_window *w, int32_t dtype, const void *x, int64_t plane, int64_t out,
                      int64_t where[PM_SPATIAL])
{
    int64_t o[PM_SPATIAL] = {out / (w->out[1] * w->out[2]), out / w->out[2] % w->out[1], out % w->out[2]};
    int64_t begin[PM_SPATIAL], end[PM_SPATIAL], k[PM_SPATIAL], at[PM_SPATIAL];
    double best = -INFINITY;
    int any = 0;
    for (int32_t axis = 0; axis < PM_SPATIAL; axis++) {
        pm_window_steps(w, axis, o[axis], &begin[axis], &end[axis]);
        where[axis] = 0;
    }
    for (k[0] = begin[0]; k[0] < end[0]; k[0]++)
        for (k[1] = begin[1]; k[1] < end[1]; k[1]++)
            for (k[2] = begin[2]; k[2] < end[2]; k[2]++) {
                for (int32_t axis = 0; axis < PM_SPATIAL; axis++)
                    at[axis] = o[axis] * w->stride[axis] - w->before[axis] + k[axis] * w->dilation[axis];
                double value = pm_number(dtype, x, plane * w->in_plane + (at[0] * w->in[1] + at[1]) * w->in[2] + at[2]);
                if (any && !(value > best || (isnan(value) && !isnan(best))))
                    continue;
                any = 1;
                best = value;
                for (int32_t axis = 0; axis < PM_SPATIAL; axis++)
                    where[axis] = at[axis];
            }
    return best;
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    int columns_first = pm_attribute_int(call->node, "storage_order", 0) != 0;
    struct pm_window w;
    PR_TRY(pm_window_of(call, &w));
    if (x->type.dtype == PRUNE_F32 && !pm_has_output(call, 1)) {
        pm_fold_max(&w, x->data, y->data, call->scratch);
        return PRUNE_OK;
    }
    for (int64_t plane = 0; plane < w.planes; plane++)
        for (int64_t o = 0; o < w.out_plane; o++) {
            int64_t at[PM_SPATIAL], to = plane * w.out_plane + o;
            double value = largest(&w, x->type.dtype, x->data, plane, o, at);
            pm_store(PM_F64, &value, 1, y->type.dtype, y->data, to);
            if (pm_has_output(call, 1))
                ((int64_t *)call->outputs[1].data)[to] =
                    plane * w.in_plane + (columns_first ? at[0] * w.in[1] * w.in[2] + at[2] * w.in[1] + at[1]
                                                        : (at[0] * w.in[1] + at[1]) * w.in[2] + at[2]);
        }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_max_pool = {.op = "MaxPool", .infer = infer, .run = run};
