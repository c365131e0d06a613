/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What prune convert does with ONNX models.
 */
#ifndef CONVERT_GRAPH_H
#define CONVERT_GRAPH_H

#include "graphs.h"

struct graph_conversion {
    struct samples samples; /* for --external and --freeze-shape alone */
    const char *model;      /* --model: whose weights are replaced */
    const char *parameters; /* dense, sparse; NULL: not said */
    int out_data;
    prune_graph *graph;
};

int convert_read_graph(struct graph_conversion *job, prune_context *context, const char *path);

/* All floating parameters under their names. */
int convert_to_archive(const struct graph_conversion *job, prune_archive *archive, const char *path);

/* The graph's parameters become what the archive names; `path` is the archive's. */
int convert_from_archive(struct graph_conversion *job, const prune_archive *archive, const char *path);

int convert_write_graph(const struct graph_conversion *job, const char *path);

#endif
