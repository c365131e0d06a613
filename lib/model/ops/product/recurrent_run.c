/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recurrent layers: the steps.
 */
#include <string.h>

#include "model/ops/product/recurrent.h"

/* Where a run is; `take` when the states are asked for. */
struct walk {
    const struct pm_call *call;
    const struct pm_recurrent *r;
    const int32_t *lengths; /* of sequences; NULL: all steps */
    float *x, *products, *h, *c, *reset;
    pm_take_rows *take;
    void *user;
};

static const float *input(const struct pm_call *call, int32_t index)
{
    return pm_has_input(call, index) ? call->inputs[index].data : NULL;
}

static float *output(const struct pm_call *call, int32_t index)
{
    return pm_has_output(call, index) ? call->outputs[index].data : NULL;
}

/* y [rows][out] = x W', packed or by BLAS; `weights` row-major. */
static int32_t multiply(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t rows, int64_t in,
                        int64_t out, const float *weights)
{
    if (packed)
        return prune_packed_run_batch(packed, y, ldy, x, in, rows, NULL);
    pm_gemm(0, 1, rows, out, in, x, in, weights, in, y, ldy);
    return PRUNE_OK;
}

/* Where a state of (direction, sequence) stands in an input or output. */
static int64_t state_at(const struct pm_recurrent *r, int32_t d, int64_t b)
{
    return (r->is_batch_first ? b * r->directions + d : d * r->batch + b) * r->hidden;
}

static int64_t output_at(const struct pm_recurrent *r, int32_t d, int64_t step, int64_t b)
{
    int64_t row =
        r->is_batch_first ? (b * r->steps + step) * r->directions + d : (step * r->directions + d) * r->batch + b;
    return row * r->hidden;
}

static void begin(const struct walk *walk, int32_t d)
{
    const struct pm_recurrent *r = walk->r;
    const float *h = input(walk->call, 5), *c = input(walk->call, 6);
    for (int64_t b = 0; b < r->batch; b++)
        for (int64_t i = 0; i < r->hidden; i++) {
            walk->h[b * r->hidden + i] = h ? h[state_at(r, d, b) + i] : 0;
            walk->c[b * r->hidden + i] = c ? c[state_at(r, d, b) + i] : 0;
        }
}

static int64_t length_of(const struct walk *walk, int64_t b)
{
    int64_t length = walk->lengths ? walk->lengths[b] : walk->r->steps;
    return length < 0 ? 0 : length > walk->r->steps ? walk->r->steps : length;
}

static int is_backwards(const struct pm_recurrent *r, int32_t d)
{
    return r->is_reverse || d == 1;
}

/* Sequence b in the cell's terms; 0 when it is over. */
static int64_t place(const struct walk *walk, int32_t d, int64_t step, int64_t b, struct pm_cell_step *out)
{
    const struct pm_recurrent *r = walk->r;
    int64_t hidden = r->hidden, gates = r->kind->gates * hidden, length = length_of(walk, b);
    const float *bias = input(walk->call, 3), *peepholes = input(walk->call, 7);
    if (step >= length)
        return -1;
    int64_t at = is_backwards(r, d) ? length - 1 - step : step;
    int64_t row = r->is_batch_first ? b * r->steps + at : at * r->batch + b;
    *out = (struct pm_cell_step){.hidden = hidden,
                                 .x = walk->x + row * gates,
                                 .r = walk->products + b * gates,
                                 .bias = bias ? bias + d * 2 * gates : NULL,
                                 .peepholes = peepholes ? peepholes + d * 3 * hidden : NULL,
                                 .h = walk->h + b * hidden,
                                 .c = walk->c + b * hidden};
    return at;
}

static int32_t one_step(const struct walk *walk, int32_t d, int64_t step)
{
    const struct pm_recurrent *r = walk->r;
    int64_t hidden = r->hidden, gates = r->kind->gates * hidden;
    int resets = r->kind->reset && !r->is_linear_before_reset;
    int64_t first = resets ? gates - hidden : gates;
    const float *weights = input(walk->call, 2) + d * gates * hidden;
    float *y = output(walk->call, 0);
    struct pm_cell_step cell;
    for (int64_t b = 0; walk->take && b < r->batch; b++)
        if (step < length_of(walk, b))
            PR_TRY(walk->take(walk->user, d, 1, walk->h + b * hidden));
    PR_TRY(multiply(r->r[d], walk->products, gates, walk->h, r->batch, hidden, first, weights));
    if (resets) {
        for (int64_t b = 0; b < r->batch; b++)
            if (place(walk, d, step, b, &cell) >= 0)
                r->kind->reset(r, &cell, d, walk->reset + b * hidden);
        PR_TRY(multiply(r->last[d], walk->products + first, gates, walk->reset, r->batch, hidden, hidden,
                        weights + first * hidden));
    }
    for (int64_t b = 0; b < r->batch; b++) {
        int64_t at = place(walk, d, step, b, &cell);
        if (at < 0)
            continue;
        r->kind->step(r, &cell, d);
        if (y && !walk->take)
            memcpy(y + output_at(r, d, at, b), cell.h, (size_t)hidden * sizeof(float));
    }
    return PRUNE_OK;
}

static void end(const struct walk *walk, int32_t d)
{
    const struct pm_recurrent *r = walk->r;
    float *h = output(walk->call, 1), *c = output(walk->call, 2);
    size_t bytes = (size_t)r->hidden * sizeof(float);
    for (int64_t b = 0; b < r->batch; b++) {
        if (h)
            memcpy(h + state_at(r, d, b), walk->h + b * r->hidden, bytes);
        if (c)
            memcpy(c + state_at(r, d, b), walk->c + b * r->hidden, bytes);
    }
}

static int32_t go(struct walk *walk, float *scratch)
{
    const struct pm_call *call = walk->call;
    const struct pm_recurrent *r = walk->r;
    int64_t gates = r->kind->gates * r->hidden, rows = r->steps * r->batch;
    walk->lengths = pm_has_input(call, 4) ? call->inputs[4].data : NULL;
    walk->x = scratch;
    walk->products = walk->x + rows * gates;
    walk->h = walk->products + r->batch * gates;
    walk->c = walk->h + r->batch * r->hidden;
    walk->reset = walk->c + r->batch * r->hidden;
    memset(walk->reset, 0, (size_t)(r->batch * r->hidden) * sizeof(float));
    if (walk->lengths && output(call, 0) && !walk->take)
        memset(output(call, 0), 0, (size_t)pm_type_bytes(&call->outputs[0].type));
    for (int32_t d = 0; d < r->directions; d++) {
        PR_TRY(
            multiply(r->w[d], walk->x, gates, input(call, 0), rows, r->in, gates, input(call, 1) + d * gates * r->in));
        begin(walk, d);
        for (int64_t step = 0; step < r->steps; step++)
            PR_TRY(one_step(walk, d, step));
        if (!walk->take)
            end(walk, d);
    }
    return PRUNE_OK;
}

int32_t pm_recurrent_run(const struct pm_call *call)
{
    struct walk walk = {.call = call, .r = call->state};
    return go(&walk, call->scratch);
}

/* The rows of x that belong to sequences, in the order in which they lie. */
static int32_t take_inputs(const struct walk *walk, int32_t d)
{
    const struct pm_recurrent *r = walk->r;
    const float *x = input(walk->call, 0);
    if (!walk->lengths)
        return walk->take(walk->user, d, r->steps * r->batch, x);
    for (int64_t row = 0; row < r->steps * r->batch; row++) {
        int64_t b = r->is_batch_first ? row / r->steps : row % r->batch;
        int64_t step = r->is_batch_first ? row % r->steps : row / r->batch;
        if (step < length_of(walk, b))
            PR_TRY(walk->take(walk->user, d, 1, x + row * r->in));
    }
    return PRUNE_OK;
}

int32_t pm_recurrent_rows(const struct pm_call *call, const struct pm_recurrent_kind *kind, int32_t index,
                          pm_take_rows *take, void *user)
{
    struct pm_call own = *call;
    float *scratch = NULL;
    own.state = NULL;
    int32_t status = pm_recurrent_prepare(&own, kind);
    const struct pm_recurrent *r = own.state;
    struct walk walk = {.call = &own, .r = r, .take = take, .user = user};
    if (!status && index == 0) {
        walk.lengths = pm_has_input(call, 4) ? call->inputs[4].data : NULL;
        for (int32_t d = 0; !status && d < r->directions; d++)
            status = take_inputs(&walk, d);
    } else if (!status) {
        status = pr_alloc(call->context, own.scratch_bytes, 1, &scratch);
        if (!status)
            status = go(&walk, scratch);
        pr_release(call->context, scratch);
    }
    pm_recurrent_release(&own);
    return status;
}
