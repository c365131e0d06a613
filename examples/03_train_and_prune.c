/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole way with libprune-model, on points made here: train a small network, prune it, retrain it under its masks,
 * pack it, and compare what the packed network says with the masked one.
 *
 *   cc 03_train_and_prune.c $(pkg-config --cflags --libs libprune-model)
 */
#include <prune/model.h>
#include <stdio.h>

#define SAMPLES 600
#define SIDE 8 /* an image is SIDE x SIDE; its class is the quarter in which the bright spot lies */

static float pixels[SAMPLES * SIDE * SIDE];
static int64_t classes[SAMPLES];

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void draw_images(void)
{
    uint32_t state = 7;
    for (int i = 0; i < SAMPLES; i++) {
        int row = (int)(next(&state) % SIDE), column = (int)(next(&state) % SIDE);
        for (int p = 0; p < SIDE * SIDE; p++)
            pixels[i * SIDE * SIDE + p] = (float)(next(&state) % 100) / 250.0f;
        pixels[(i * SIDE + row) * SIDE + column] += 1.0f;
        classes[i] = row / (SIDE / 2) * 2 + column / (SIDE / 2);
    }
}

static int32_t train(prune_network *network, const char *how, const prune_tensor *images, const prune_tensor *labels)
{
    prune_trainer *trainer = NULL;
    int32_t bad = prune_trainer_create(&trainer, network, how) || prune_trainer_run(trainer, images, labels, NULL);
    prune_trainer_free(trainer);
    return bad;
}

static int32_t say_accuracy(const char *what, const prune_network *network, const prune_tensor *images,
                            const prune_tensor *labels)
{
    int64_t correct = 0;
    int32_t bad = prune_network_evaluate(network, images, labels, 64, &correct);
    if (!bad)
        printf("%-24s %lld of %d right\n", what, (long long)correct, SAMPLES);
    return bad;
}

/* Removes this fraction of a layer's weights, smallest magnitude first. */
static int32_t prune_layer(prune_network *network, const char *name, double sparsity)
{
    prune_granularity *granularity = NULL;
    prune_criterion *criterion = NULL;
    prune_scores *scores = NULL;
    prune_mask *mask = NULL;
    int32_t bad =
        prune_granularity_create(&granularity, NULL, "element") || prune_criterion_create(&criterion, NULL, "l1") ||
        prune_criterion_score(&scores, criterion, prune_network_parameter(network, name), NULL, granularity) ||
        prune_mask_select(&mask, scores, PRUNE_SPARSITY, sparsity) ||
        prune_network_set_mask(network, name, mask); /* copies it */
    prune_mask_free(mask);
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    return bad;
}

static int32_t whole_way(prune_network *network, prune_network **packed, const prune_tensor *images,
                         const prune_tensor *labels)
{
    int64_t differing = 0, close = 0, unexplained = 0;
    int32_t bad = prune_network_initialize(network, 1) || train(network, "epochs=40,lr=0.05", images, labels) ||
                  say_accuracy("trained", network, images, labels) || prune_layer(network, "fc1.weight", 0.8) ||
                  prune_layer(network, "fc2.weight", 0.5) || say_accuracy("pruned", network, images, labels) ||
                  train(network, "epochs=30,lr=0.02", images, labels) ||
                  say_accuracy("retrained", network, images, labels) || prune_network_pack(packed, network, "csr") ||
                  say_accuracy("packed", *packed, images, labels) ||
                  prune_network_compare(network, *packed, images, 64, &differing, &close, &unexplained);
    if (!bad)
        printf("the packed network chooses another class for %lld images, %lld of them without a reason\n",
               (long long)differing, (long long)unexplained);
    return bad;
}

int main(void)
{
    int64_t image_shape[3] = {SAMPLES, SIDE, SIDE}, label_shape[1] = {SAMPLES};
    prune_tensor *images = NULL, *labels = NULL;
    prune_network *network = NULL, *packed = NULL;
    draw_images();
    int32_t bad = prune_tensor_borrow(&images, NULL, pixels, PRUNE_F32, 3, image_shape, NULL) ||
                  prune_tensor_borrow(&labels, NULL, classes, PRUNE_I64, 1, label_shape, NULL) ||
                  prune_network_create_mlp(&network, NULL, "64-32-4") || whole_way(network, &packed, images, labels);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    prune_network_free(packed);
    prune_network_free(network);
    prune_tensor_free(labels);
    prune_tensor_free(images);
    return bad != 0;
}
