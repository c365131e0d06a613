/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LSTM, gates in the order i, o, f, c (ONNX):
 *
 *   i = f(x_i + h_i + p_i c), f = f(x_f + h_f + p_f c), c' = f c + i g(x_c + h_c), o = f(x_o + h_o + p_o c'),
 *   h' = o h(c')
 */
#include "model/ops/product/recurrent.h"

/* The sum of gate `gate` at place `i`, without its peephole. */
static float sum(const struct pm_cell_step *s, int64_t gate, int64_t i)
{
    int64_t at = gate * s->hidden + i;
    float both = s->x[at] + s->r[at];
    return s->bias ? both + (s->bias[at] + s->bias[4 * s->hidden + at]) : both;
}

static void step(const struct pm_recurrent *r, const struct pm_cell_step *s, int32_t direction)
{
    pm_squash *const *squash = r->squash + 3 * direction;
    const float *p = s->peepholes;
    for (int64_t i = 0; i < s->hidden; i++) {
        float c = s->c[i], in = sum(s, 0, i), out = sum(s, 1, i), forget = sum(s, 2, i), candidate = sum(s, 3, i);
        if (p) {
            in += p[i] * c;
            forget += p[2 * s->hidden + i] * c;
        }
        in = squash[0](pm_clip(in, r->clip));
        forget = r->is_coupled ? 1 - in : squash[0](pm_clip(forget, r->clip));
        candidate = squash[1](pm_clip(candidate, r->clip));
        c = forget * c + in * candidate;
        if (p)
            out += p[s->hidden + i] * c;
        s->c[i] = c;
        s->h[i] = squash[0](pm_clip(out, r->clip)) * squash[2](c);
    }
}

static const struct pm_recurrent_kind kind = {
    .gates = 4,
    .most_inputs = 8,
    .most_outputs = 3,
    .activations = {"Sigmoid", "Tanh", "Tanh"},
    .activation_count = 3,
    .step = step,
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

const struct pm_operator pm_operator_lstm = {
    .op = "LSTM",
    .infer = infer,
    .prepare = prepare,
    .release = pm_recurrent_release,
    .run = pm_recurrent_run,
    .macs = macs,
    .layer = layer,
    .rows = rows,
};
