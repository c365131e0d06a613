/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One step of training under a mask: a layer Y = X W' of 300 x 784 weights of which a tenth is kept. Forward and dX =
 * dY W come from one packed object, dW is computed at the kept positions only, and a step of gradient descent lowers
 * the loss |Y - T|^2 / 2 while every pruned weight stays away.
 */
#include <math.h>
#include <prune/prune.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS 300
#define COLUMNS 784
#define BATCH 64
#define RATE 0.001f

/* Numbers that look random and are the same everywhere. */
static float number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

static int32_t keep_a_tenth(prune_mask **mask, const prune_tensor *weights)
{
    prune_granularity *granularity = NULL;
    prune_criterion *criterion = NULL;
    prune_scores *scores = NULL;
    int32_t bad = prune_granularity_create(&granularity, NULL, "element") ||
                  prune_criterion_create(&criterion, NULL, "l1") ||
                  prune_criterion_score(&scores, criterion, weights, NULL, granularity) ||
                  prune_mask_select(mask, scores, PRUNE_SPARSITY, 0.9);
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    return bad;
}

/* dY = Y - T, and the loss. */
static int32_t forward(const prune_packed *packed, const float *x, const float *targets, float *dy, double *loss)
{
    int32_t bad = prune_packed_run_batch(packed, dy, ROWS, x, COLUMNS, BATCH, NULL);
    *loss = 0;
    for (int i = 0; i < ROWS * BATCH; i++) {
        dy[i] -= targets[i];
        *loss += 0.5 * (double)dy[i] * (double)dy[i];
    }
    return bad;
}

struct layer {
    prune_tensor *weights;
    prune_mask *mask;
    prune_sparse *pattern; /* the mask's positions, for dW */
    prune_packed *packed;  /* the weights and their transpose */
};

/* The step on the weights that are kept; the packed object is made again from the new ones. */
static int32_t step(struct layer *layer, const float *x, const float *dy, float *dx, float *dw)
{
    if (prune_packed_run_transposed_batch(layer->packed, dx, COLUMNS, dy, ROWS, BATCH, NULL) ||
        prune_sddmm_batch(layer->pattern, dw, dy, ROWS, x, COLUMNS, BATCH, NULL))
        return 1;
    float *w = prune_tensor_data(layer->weights);
    const int64_t *start = prune_tensor_const_data(prune_sparse_part(layer->pattern, 0));
    const int32_t *column = prune_tensor_const_data(prune_sparse_part(layer->pattern, 1));
    for (int row = 0; row < ROWS; row++)
        for (int64_t e = start[row]; e < start[row + 1]; e++)
            w[row * COLUMNS + column[e]] -= RATE * dw[e];
    prune_packed_free(layer->packed);
    layer->packed = NULL;
    return prune_packed_create(&layer->packed, layer->weights, layer->mask, "columns=64,backward=yes");
}

int main(void)
{
    const int64_t shape[2] = {ROWS, COLUMNS};
    uint32_t state = 1;
    float *w = malloc(sizeof(float) * ROWS * COLUMNS), *dw = malloc(sizeof(float) * ROWS * COLUMNS);
    float *x = malloc(sizeof(float) * COLUMNS * BATCH), *dx = malloc(sizeof(float) * COLUMNS * BATCH);
    float *targets = malloc(sizeof(float) * ROWS * BATCH), *dy = malloc(sizeof(float) * ROWS * BATCH);
    struct layer layer = {0};
    double before = 0, after = 0;
    if (!w || !dw || !x || !dx || !targets || !dy)
        return 1;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        w[i] = number(&state) * 0.1f;
    for (int i = 0; i < COLUMNS * BATCH; i++)
        x[i] = number(&state);
    for (int i = 0; i < ROWS * BATCH; i++)
        targets[i] = number(&state);
    int32_t bad = prune_tensor_borrow(&layer.weights, NULL, w, PRUNE_F32, 2, shape, NULL) ||
                  keep_a_tenth(&layer.mask, layer.weights) || prune_mask_apply(layer.mask, layer.weights) ||
                  prune_sparse_from_mask(&layer.pattern, layer.mask, "csr") ||
                  prune_packed_create(&layer.packed, layer.weights, layer.mask, "columns=64,backward=yes") ||
                  forward(layer.packed, x, targets, dy, &before) || step(&layer, x, dy, dx, dw) ||
                  forward(layer.packed, x, targets, dy, &after);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    else
        printf("%lld of %d weights, loss %.1f before the step and %.1f after it\n",
               (long long)prune_mask_kept(layer.mask), ROWS * COLUMNS, before, after);
    bad = bad || !(after < before);
    prune_packed_free(layer.packed);
    prune_sparse_free(layer.pattern);
    prune_mask_free(layer.mask);
    prune_tensor_free(layer.weights);
    free(w);
    free(dw);
    free(x);
    free(dx);
    free(targets);
    free(dy);
    return bad ? 1 : 0;
}
