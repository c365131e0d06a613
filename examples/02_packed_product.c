/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pack once, run many times: a layer of 300 x 784 weights of which one in twelve is left, with bias and ReLU, for one
 * input and for a batch of 64; then the same numbers from plain loops, and the error against its bound.
 */
#include <math.h>
#include <prune/prune.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS 300
#define COLUMNS 784
#define BATCH 64

/* Numbers that look random and are the same everywhere. */
static float number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

static int32_t keep_one_in_twelve(prune_mask **mask, const prune_tensor *weights)
{
    prune_granularity *granularity = NULL;
    prune_criterion *criterion = NULL;
    prune_scores *scores = NULL;
    int32_t bad = prune_granularity_create(&granularity, NULL, "element") ||
                  prune_criterion_create(&criterion, NULL, "l1") ||
                  prune_criterion_score(&scores, criterion, weights, NULL, granularity) ||
                  prune_mask_select(mask, scores, PRUNE_SPARSITY, 11.0 / 12);
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    return bad;
}

/* The largest ratio of an output's error to the bound that the library states; at most 1. */
static double worst(const float *w, const uint8_t *kept, const float *bias, const float *x, const float *y)
{
    double ratio = 0;
    for (int n = 0; n < BATCH; n++) {
        for (int row = 0; row < ROWS; row++) {
            double sum = (double)bias[row], size = fabs(sum), terms = 1;
            for (int k = 0; k < COLUMNS; k++) {
                if (!kept[row * COLUMNS + k])
                    continue;
                double product = (double)w[row * COLUMNS + k] * (double)x[n * COLUMNS + k];
                sum += product;
                size += fabs(product);
                terms++;
            }
            double u = ldexp(1, -24), bound = terms * u / (1 - terms * u) * size;
            double error = fabs((sum > 0 ? sum : 0) - (double)y[n * ROWS + row]);
            ratio = error / bound > ratio ? error / bound : ratio;
        }
    }
    return ratio;
}

static int32_t multiply(const prune_tensor *weights, float *w, float *bias, float *x, float *y)
{
    static uint8_t kept[ROWS * COLUMNS];
    prune_mask *mask = NULL;
    prune_packed *packed = NULL;
    prune_epilogue *epilogue = NULL;
    int32_t bad = keep_one_in_twelve(&mask, weights) || prune_mask_to_bytes(mask, kept, ROWS * COLUMNS) ||
                  prune_packed_create(&packed, weights, mask, "columns=64") ||
                  prune_epilogue_create(&epilogue, NULL, NULL, bias, ROWS, "activation=relu") ||
                  prune_packed_run_batch(packed, y, ROWS, x, COLUMNS, BATCH, epilogue);
    if (!bad) {
        printf("%s (%s): %lld of %d weights stored\n", prune_packed_format(packed), prune_packed_form(packed),
               (long long)prune_packed_stored(packed), ROWS * COLUMNS);
        printf("kernels: %s for one input, %s for %d\n", prune_packed_kernels(packed, 1),
               prune_packed_kernels(packed, BATCH), BATCH);
        double ratio = worst(w, kept, bias, x, y);
        printf("largest error: %.2f of its bound\n", ratio);
        if (!(ratio <= 1))
            bad = prune_fail(PRUNE_E_VALUE, "the product is outside its bound");
    }
    prune_epilogue_free(epilogue);
    prune_packed_free(packed);
    prune_mask_free(mask);
    return bad;
}

int main(void)
{
    static float w[ROWS * COLUMNS], bias[ROWS], x[BATCH * COLUMNS], y[BATCH * ROWS];
    uint32_t state = 1;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        w[i] = number(&state);
    for (int i = 0; i < ROWS; i++)
        bias[i] = number(&state);
    for (int i = 0; i < BATCH * COLUMNS; i++)
        x[i] = number(&state);

    int64_t shape[2] = {ROWS, COLUMNS};
    prune_tensor *weights = NULL;
    int32_t bad = prune_tensor_borrow(&weights, NULL, w, PRUNE_F32, 2, shape, NULL) || multiply(weights, w, bias, x, y);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    prune_tensor_free(weights);
    return bad != 0;
}
