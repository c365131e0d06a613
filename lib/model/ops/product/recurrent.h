/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What LSTM and GRU share: shapes, products with W (of all steps at once) and R (of each step), directions, sequence
 * lengths, initial states.
 */
#ifndef PM_OPS_RECURRENT_H
#define PM_OPS_RECURRENT_H

#include "model/ops/product/product.h"

typedef float pm_squash(float x);

/* One step of one sequence. `x` holds the products with W and `h_products` those with R, both [gates][hidden]. */
struct pm_cell_step {
    int64_t hidden;
    const float *x, *r;
    const float *bias;      /* [2 gates][hidden]: of W, then of R; NULL for none */
    const float *peepholes; /* [3][hidden]; NULL */
    float *h, *c;           /* the state: read and written */
};

struct pm_recurrent;

struct pm_recurrent_kind {
    int64_t gates;
    int32_t most_inputs, most_outputs;
    const char *activations[3];
    int32_t activation_count;
    void (*step)(const struct pm_recurrent *recurrent, const struct pm_cell_step *step, int32_t direction);
    /* GRU with the reset gate before the product: h becomes r * h for the last gate's product. NULL for none. */
    void (*reset)(const struct pm_recurrent *recurrent, const struct pm_cell_step *step, int32_t direction,
                  float *reset);
};

struct pm_recurrent {
    const struct pm_recurrent_kind *kind;
    int64_t steps, batch, in, hidden;
    int32_t directions;
    int is_reverse, is_batch_first, is_linear_before_reset, is_coupled; /* coupled: LSTM's input_forget */
    float clip;                                                         /* 0: none */
    pm_squash *squash[6];
    /* Of each direction: W, R, and for a reset before the product the last gate of R apart. NULL: not constant. */
    prune_packed *w[2], *r[2], *last[2];
};

int32_t pm_recurrent_infer(struct pm_call *call, const struct pm_recurrent_kind *kind);
int32_t pm_recurrent_prepare(struct pm_call *call, const struct pm_recurrent_kind *kind);
void pm_recurrent_release(struct pm_call *call);
int32_t pm_recurrent_run(const struct pm_call *call);
int64_t pm_recurrent_macs(const struct pm_call *call, const struct pm_recurrent_kind *kind);
int pm_recurrent_layer(const struct pm_call *call, const struct pm_recurrent_kind *kind, int32_t index,
                       struct pm_layer *out);

/* Layer 0: the rows of x, as far as each sequence goes. Layer 1: the state before each step, so that the recurrence is
 * run. */
int32_t pm_recurrent_rows(const struct pm_call *call, const struct pm_recurrent_kind *kind, int32_t index,
                          pm_take_rows *take, void *user);

static inline float pm_clip(float x, float clip)
{
    return clip == 0 ? x : x > clip ? clip : x < -clip ? -clip : x;
}

#endif
