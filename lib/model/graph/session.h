/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The session from the inside: a graph for given shapes as a list of steps over one arena.
 *
 * Making one goes through the nodes in order: infer; fold what is constant; take the branch of an If whose condition is
 * known; give views the memory of what they view; fuse batch normalisation and activations into the product before
 * them; prepare; then lay the values out in the arena by their lives.
 */
#ifndef PM_GRAPH_SESSION_H
#define PM_GRAPH_SESSION_H

#include "model/graph/operator.h"
#include "prune/session.h"

/* A value at run time. */
struct pm_cell {
    struct pm_operand operand;    /* data: of a constant, of a fed input (at run), or inside the arena */
    int32_t storage;              /* the cell whose memory it has; itself if its own */
    int64_t offset;               /* in the arena; -1 for none */
    int32_t first, last;          /* the steps that make and last read it (of a storage: over all its cells) */
    prune_tensor *owned;          /* a folded constant */
    const struct pm_value *value; /* of the graph, for names */
    int32_t feed;                 /* number of the fed input; -1 */
};

struct pm_step {
    const struct pm_operator *kind;
    struct pm_call call;
    int32_t *inputs, *outputs;             /* cells; -1 left out */
    const struct pm_parameter *weights[4]; /* for each input up to the fourth: the graph's parameter, NULL */
    int64_t fused;                         /* nodes that it does as well */
};

struct prune_session {
    prune_context *context;
    prune_graph *graph; /* the caller's; must outlive the session */
    struct pm_cell *cells;
    struct pm_step *steps;
    int32_t cell_count, cell_room, step_count, step_room;
    int32_t *feeds;   /* cells of the fed inputs, in the caller's order */
    int32_t *outputs; /* cells of the graph's outputs */
    int32_t feed_count, output_count;
    prune_tensor **results; /* views of the outputs' memory */
    char *arena;
    int64_t arena_bytes, scratch_bytes;
    char *scratch;
    char *weights; /* spec */
};

/* Steps one by one, for who looks at values on the way (observing a layer's inputs): pm_session_begin sets the inputs,
 * pm_session_step runs step `index`; every input of a step is alive just before it runs. */
int32_t pm_session_begin(prune_session *session, const prune_tensor *const *inputs);
int32_t pm_session_step(prune_session *session, int32_t index);

/* A parameter of the graph has new numbers or a new mask: takes them over (packs again) where steps use it. */
int32_t pm_session_renew(prune_session *session, const struct pm_parameter *parameter);

/* Places cells in the arena (arena.c); fuses (fuse.c). */
int32_t pm_session_place(prune_session *session);
int32_t pm_session_fuse(prune_session *session);

#endif
