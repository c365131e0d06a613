/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pruning the weights of a safetensors file that holds no graph.
 */
#ifndef MODEL_FILE_H
#define MODEL_FILE_H

#include "pruning.h"

struct model_file {
    prune_archive_reader *reader;
    const struct pruning *pruning;
    const struct words *layers; /* NAME=S */
    const char *in, *out;
    int json;
};

/* *out is left NULL when the file is a network, or none of safetensors by its name. */
int model_file_open(prune_archive_reader **out, prune_context *context, const char *path);

/* Every weight of 2 dimensions or more, or those of `layers`; all else is copied. */
int model_file_prune(const struct model_file *job, prune_context *context);

#endif
