/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GRU, gates in the order z, r, h (ONNX):
 *
 *   z = f(x_z + h_z), r = f(x_r + h_r), n = g(x_h + (r h) R_h') or, linear before reset, g(x_h + r (h R_h')),
 *   h' = (1 - z) n + z h
 */
#include "model/ops/product/recurrent.h"

static float bias_of(const struct pm_cell_step *s, int64_t at)
{
    return s->bias ? s->bias[at] : 0;
}

/* Gate 0 or 1 at place `i`. */
static float gate_at(const struct pm_recurrent *r, const struct pm_cell_step *s, int32_t direction, int64_t gate,
                     int64_t i)
{
    int64_t at = gate * s->hidden + i;
    float both = s->x[at] + s->r[at] + (bias_of(s, at) + bias_of(s, 3 * s->hidden + at));
    return r->squash[2 * direction](pm_clip(both, r->clip));
}

static void reset(const struct pm_recurrent *r, const struct pm_cell_step *s, int32_t direction, float *out)
{
    for (int64_t i = 0; i < s->hidden; i++)
        out[i] = gate_at(r, s, direction, 1, i) * s->h[i];
}

static void step(const struct pm_recurrent *r, const struct pm_cell_step *s, int32_t direction)
{
    for (int64_t i = 0; i < s->hidden; i++) {
        int64_t at = 2 * s->hidden + i;
        float update = gate_at(r, s, direction, 0, i), past = s->r[at] + bias_of(s, 3 * s->hidden + at);
        if (r->is_linear_before_reset)
            past *= gate_at(r, s, direction, 1, i);
        float candidate = r->squash[2 * direction + 1](pm_clip(s->x[at] + bias_of(s, at) + past, r->clip));
        s->h[i] = (1 - update) * candidate + update * s->h[i];
    }
}

static const struct pm_recurrent_kind kind = {
    .gates = 3,
    .most_inputs = 6,
    .most_outputs = 2,
    .activations = {"Sigmoid", "Tanh"},
    .activation_count = 2,
    .step = step,
    .reset = reset,
};

static int32_t infer(struct pm_call *call)
{
    return pm_recurrent_infer(call, &kind);
}

static int32_t prepare(struct pm_call *call)
{
    return pm_recurrent_prepare(call, &kind);
}

static int64_t macs(const struct pm_call *call)
{
    return pm_recurrent_macs(call, &kind);
}

static int layer(const struct pm_call *call, int32_t index, struct pm_layer *out)
{
    return pm_recurrent_layer(call, &kind, index, out);
}

static int32_t rows(const struct pm_call *call, int32_t index, pm_take_rows *take, void *user)
{
    return pm_recurrent_rows(call, &kind, index, take, user);
}

const struct pm_operator pm_operator_gru = {
    .op = "GRU",
    .infer = infer,
    .prepare = prepare,
    .release = pm_recurrent_release,
    .run = pm_recurrent_run,
    .macs = macs,
    .layer = layer,
    .rows = rows,
};
