/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensors and masks in files, and data to observe: what the commands on plain tensors share.
 */
#ifndef TENSORS_H
#define TENSORS_H

#include "tool.h"

/* Reads FILE.npy, FILE.safetensors with a single tensor, or FILE.safetensors:NAME. */
int tensor_read(prune_tensor **out, prune_context *context, const char *path);

/* Writes npy, or safetensors with one tensor of that name when the file's name ends so. */
int tensor_write(const prune_tensor *tensor, const char *path, const char *name);

/* Masks are BOOL or U8 of 0 and 1. */
int mask_read(prune_mask **out, prune_context *context, const char *path);
int mask_write(const prune_mask *mask, prune_context *context, const char *path);

/* "(1, 2)": the element with a row-major number. */
#define PLACE_SIZE 200
const char *place_text(char out[PLACE_SIZE], int32_t rank, const int64_t *shape, int64_t position);

/* What --inputs, --gradients and the like name. */
struct data {
    struct words inputs, gradients, curvatures, activations, activation_gradients;
    const char *scales;
};
void data_add_options(struct data *data, struct options *options);
int data_given(const struct data *data);

/* A layer in files: its weights and what is observed of it. */
struct layer {
    prune_context *context;
    prune_tensor *weights;
    prune_observations *observations;
};

/* Into the context that is open: the weights, and what `who` needs to know. */
int layer_read(struct layer *layer, const char *path, const struct data *data, int32_t needs, const char *who);
void layer_close(struct layer *layer);

/* Observations for `needs`, fed with the files; NULL when needs is 0. USAGE when something is missing or of no use. */
int data_observe(prune_observations **out, const struct data *data, prune_context *context, int32_t needs,
                 const prune_tensor *weights, const char *who);

#endif
