/* SPDX-License-Identifier: BSD-2-Clause
 *
 * BatchNormalization where it stands alone, for inference: y = scale (x - mean) / sqrt(variance + epsilon) + bias, by
 * channels.
 */
#include <math.h>

#include "model/ops/product/product.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *x = &call->inputs[0].type;
    static const char *const names[] = {"x", "scale", "bias", "mean", "variance"};
    char text[PM_TYPE_TEXT];
    PR_TRY(pm_expect_inputs(call, 5, 5));
    PR_TRY(pm_expect_outputs(call, 1, 5));
    PR_TRY(pm_expect_f32(call));
    for (int32_t i = 1; i < call->output_count; i++)
        if (pm_has_output(call, i))
            return pr_fail(PRUNE_E_UNSUPPORTED, "output %d is of training; only inference is run", (int)i);
    if (pm_attribute_int(call->node, "training_mode", 0))
        return pr_fail(PRUNE_E_UNSUPPORTED, "training_mode is 1; only inference (0) is run");
    if (x->rank < 2 && x->rank != 1)
        return pr_fail(PRUNE_E_SHAPE, "x is %s; it must have a batch and a channel axis", pm_type_text(x, text));
    int64_t channels = x->rank > 1 ? x->extents[1] : 1;
    for (int32_t i = 1; i < 5; i++)
        if (call->inputs[i].type.rank != 1 || call->inputs[i].type.count != channels)
            return pr_fail(PRUNE_E_SHAPE, "%s is %s; it must have a number for each of %lld channels", names[i],
                           pm_type_text(&call->inputs[i].type, text), (long long)channels);
    call->outputs[0].type = *x;
    return PRUNE_OK;
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_type *type = &call->inputs[0].type;
    const float *x = call->inputs[0].data, *scale = call->inputs[1].data, *bias = call->inputs[2].data;
    const float *mean = call->inputs[3].data, *variance = call->inputs[4].data;
    float *y = call->outputs[0].data;
    double epsilon = (double)pm_attribute_float(call->node, "epsilon", 1e-5F);
    int64_t channels = type->rank > 1 ? type->extents[1] : 1, plane = pm_type_span(type, 2, type->rank);
    for (int64_t image = 0; image < type->extents[0]; image++)
        for (int64_t c = 0; c < channels; c++, x += plane, y += plane) {
            double factor = (double)scale[c] / sqrt((double)variance[c] + epsilon);
            float s = (float)factor, t = (float)((double)bias[c] - factor * (double)mean[c]);
            for (int64_t i = 0; i < plane; i++)
                y[i] = s * x[i] + t;
        }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_batch_normalization = {
    .op = "BatchNormalization",
    .flags = PM_IN_PLACE,
    .infer = infer,
    .run = run,
};
