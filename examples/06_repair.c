/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pruning by data, without training: a layer of 32 x 64 weights whose inputs are correlated goes to 2:4. The mask comes
 * from magnitude or from Wanda, which asks the inputs; then the weights that stay are repaired; and an order of the
 * channels lets 2:4 keep more. What counts is the layer error, the summed squares of the change of the outputs.
 */
#include <prune/prune.h>
#include <stdio.h>

#define ROWS 32
#define COLUMNS 64
#define SAMPLES 256
#define PATTERN "nm:keep_n=2,group_m=4"

static float weights[ROWS * COLUMNS], copy[ROWS * COLUMNS], inputs[SAMPLES * COLUMNS];

/* Numbers from -1 to 1 that look random and are the same everywhere. */
static float number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

/* Each input is one of eight hidden causes and noise; the later, the louder. */
static void draw(void)
{
    uint32_t state = 3;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        weights[i] = number(&state);
    for (int sample = 0; sample < SAMPLES; sample++) {
        float causes[8];
        for (int i = 0; i < 8; i++)
            causes[i] = number(&state);
        for (int i = 0; i < COLUMNS; i++)
            inputs[sample * COLUMNS + i] = (causes[i % 8] + 0.3f * number(&state)) * (float)(1 + i % 8) / 4;
    }
}

/* The mask of 2:4 that a criterion chooses; `seen` may be NULL for one that needs no data. */
static int32_t choose(prune_mask **mask, const prune_tensor *w, const char *criterion, const prune_observations *seen)
{
    prune_granularity *pattern = NULL;
    prune_criterion *by = NULL;
    prune_scores *scores = NULL;
    int32_t bad = prune_granularity_create(&pattern, NULL, PATTERN) || prune_criterion_create(&by, NULL, criterion) ||
                  prune_criterion_score(&scores, by, w, seen, pattern) ||
                  prune_mask_select(mask, scores, PRUNE_QUOTA, 0);
    prune_scores_free(scores);
    prune_criterion_free(by);
    prune_granularity_free(pattern);
    return bad;
}

/* Repairs a copy of the weights for a mask and shows the error with and without. */
static int32_t repair(const char *title, const prune_mask *mask, const prune_observations *seen, double errors[2])
{
    prune_tensor *w = NULL;
    prune_recovery *obs = NULL;
    prune_repair *report = NULL;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        copy[i] = weights[i];
    int32_t bad = prune_tensor_borrow(&w, NULL, copy, PRUNE_F32, 2, (int64_t[2]){ROWS, COLUMNS}, NULL) ||
                  prune_recovery_create(&obs, NULL, "obs") || prune_recovery_repair(w, obs, mask, seen, &report) ||
                  prune_repair_get(report, PRUNE_REPAIR_PLAIN_ERROR, &errors[0]) ||
                  prune_repair_get(report, PRUNE_REPAIR_ERROR, &errors[1]);
    if (!bad)
        printf("%-13s layer error %8.1f, repaired %7.1f\n", title, errors[0], errors[1]);
    prune_repair_free(report);
    prune_recovery_free(obs);
    prune_tensor_free(w);
    return bad;
}

/* How much magnitude 2:4 keeps as the channels lie, and in the best order that is found. The layer before would be
 * reordered with it, along axis 0. */
static int32_t reorder(const prune_tensor *w, double *before, double *after)
{
    prune_granularity *pattern = NULL;
    prune_order *order = NULL;
    prune_tensor *ordered = NULL;
    double all = 0;
    int32_t finished = 0;
    int32_t bad = prune_granularity_create(&pattern, NULL, PATTERN) ||
                  prune_order_create(&order, w, pattern, "channel-swap") || prune_order_search(order, 0, &finished) ||
                  prune_order_retained(order, before, after, &all) ||
                  prune_order_apply(&ordered, w, 1, prune_order_channels(order), prune_order_count(order));
    if (!bad)
        printf("2:4 keeps %.1f of %.1f of the magnitude, in another order of channels %.1f\n", *before, all, *after);
    prune_tensor_free(ordered);
    prune_order_free(order);
    prune_granularity_free(pattern);
    return bad;
}

int main(void)
{
    prune_tensor *w = NULL, *x = NULL;
    prune_observations *seen = NULL;
    prune_mask *plain = NULL, *wanda = NULL;
    double by_magnitude[2], by_wanda[2], before = 0, after = 0;
    draw();
    /* Observed once: the Gram matrix for the repair, the norms for Wanda. Batches may come one by one. */
    int32_t bad = prune_tensor_borrow(&w, NULL, weights, PRUNE_F32, 2, (int64_t[2]){ROWS, COLUMNS}, NULL) ||
                  prune_tensor_borrow(&x, NULL, inputs, PRUNE_F32, 2, (int64_t[2]){SAMPLES, COLUMNS}, NULL) ||
                  prune_observations_create(&seen, NULL, PRUNE_OBSERVE_GRAM | PRUNE_OBSERVE_INPUT_NORMS) ||
                  prune_observations_feed(seen, PRUNE_INPUTS, x) || choose(&plain, w, "l1", NULL) ||
                  choose(&wanda, w, "wanda", seen) || repair("by magnitude", plain, seen, by_magnitude) ||
                  repair("by Wanda", wanda, seen, by_wanda) || reorder(w, &before, &after);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    else
        bad = !(by_magnitude[1] < by_magnitude[0] && by_wanda[1] < by_wanda[0] && by_wanda[0] < by_magnitude[0] &&
                after > before);
    prune_mask_free(wanda);
    prune_mask_free(plain);
    prune_observations_free(seen);
    prune_tensor_free(x);
    prune_tensor_free(w);
    return bad ? 1 : 0;
}
