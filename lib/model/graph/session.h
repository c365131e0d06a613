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
    struct pm_operand operand; /* data: of a constant, of a fed input (at run), or inside the arena; of a cell with
                                  another's memory that one's counts */
    int32_t storage;           /* the cell whose memory it has; itself if its own */
    int64_t offset;            /* in the arena; -1 for none */
    int32_t first, last;       /* the steps that make and last read it (of a storage: over all its cells) */
    prune_tensor *owned;       /* a constant's numbers; of a parameter a view that keeps them alive */
    prune_mask *owned_mask;
    const struct pm_value *value;         /* of the graph, for names */
    const struct pm_parameter *parameter; /* that it is; NULL */
    int32_t feed;                         /* number of the fed input; -1 */
    int is_output;                        /* of the graph, it or what has its memory */
    int from_parameter;                   /* a constant whose numbers come from a parameter */
    int is_stale;                         /* while a parameter is taken over */
};

struct pm_step {
    const struct pm_operator *kind;
    struct pm_call call;
    int32_t *inputs, *outputs;             /* cells; -1 left out */
    const struct pm_parameter *weights[4]; /* for each input up to the fourth: the graph's parameter, NULL */
    struct pm_step *absorbed;              /* nodes that it does as well, in their order (fuse.c) */
    int32_t absorbed_count;
    float *scale, *shift; /* of its fusion */
    int is_prepared;
    void *block; /* of its lists */
};

struct prune_session {
    prune_context *context;
    const prune_graph *graph; /* the caller's; must outlive the session */
    struct pm_cell *cells;
    struct pm_step *steps, *folds; /* folds: done already, kept because they depend on parameters */
    int32_t cell_count, cell_room, step_count, step_room, fold_count, fold_room;
    int32_t *feeds;   /* cells of the fed inputs, in the caller's order */
    int32_t *outputs; /* cells of the graph's outputs */
    int32_t feed_count, output_count;
    prune_tensor **places;  /* views of the inputs' memory in the arena; NULL for none */
    prune_tensor **results; /* views of the outputs' memory */
    char *arena;
    int64_t arena_bytes, scratch_bytes;
    char *scratch;
    struct pm_packs *packs;                     /* the graph's, or those that are being recorded */
    char pruned_weights[64], other_weights[64]; /* specs of prune_packed_create */
    int fuses;
    int is_outline; /* weights=none: steps are not prepared, and there is no arena */
    int has_run;
};

/* Steps one by one, for who looks at values on the way (observing a layer's inputs): pm_session_begin sets the inputs,
 * pm_session_step runs step `index`; every input of a step is alive just before it runs, and its call says where. */
int32_t pm_session_begin(prune_session *session, const prune_tensor *const *inputs);
int32_t pm_session_step(prune_session *session, int32_t index);

/* The call of a step as it will be run, its operands' data set. */
const struct pm_call *pm_session_call(prune_session *session, int32_t index);

/* A parameter of the graph has new numbers or a new mask: takes them over (packs again) where steps use it.
 * PRUNE_E_UNSUPPORTED where a shape came from it. After a failure it must be taken over again before the next run. */
int32_t pm_session_renew(prune_session *session, const struct pm_parameter *parameter);

/* prune_session_create, which is called with the graph's packs. */
int32_t pm_session_create(prune_session **out, const prune_graph *graph, int32_t count, const char *const *names,
                          const prune_tensor *const *examples, const int32_t *fixed, const char *spec,
                          struct pm_packs *packs);

/* The numbers of a constant as operators want them, where an outline has left them as they lie (plan.c). */
int32_t pm_cell_settle(prune_session *session, int32_t cell);

/* The parts of making a session, in their order. */

/* Goes through the nodes and makes cells and steps (plan.c); the feeds are there already. `cells` has one number for
 * each value of the graph's body: the feeds' cells, else -1. */
int32_t pm_session_plan(prune_session *session, int32_t *cells);

/* Fuses (fuse.c). */
int32_t pm_session_fuse(prune_session *session);

/* Leaves out steps whose outputs nobody needs, and numbers of constants that nobody reads any more (arena.c). */
int32_t pm_session_drop(prune_session *session);

/* Places cells in the arena; views of inputs and outputs there (arena.c). */
int32_t pm_session_place(prune_session *session);
int32_t pm_session_results(prune_session *session);

/* Cells (plan.c). The cell that has the memory; a new one of unknown type; the constant of a parameter. */
int32_t pm_cell_storage(const prune_session *session, int32_t cell);
int32_t pm_cell_add(prune_session *session, const struct pm_value *value, int32_t *cell);
int32_t pm_cell_set_parameter(prune_session *session, int32_t cell, const struct pm_parameter *parameter);

/* Steps. pm_step_add moves a step into a list; `step_release` lets go of all that one has. */
int32_t pm_step_add(prune_context *context, struct pm_step **list, int32_t *count, int32_t *room, struct pm_step *step);
void pm_step_release(prune_context *context, struct pm_step *step);
int32_t pm_step_prepare(prune_session *session, struct pm_step *step);

/* Puts "node "x" (Conv): " before the sentence. */
int32_t pm_step_fail(const struct pm_step *step, int32_t status);

/* Computes a step now whose inputs are constant, and which then is no step (fold.c). *is_done 0 where it is not to be
 * folded; else what is left of the step is the session's. */
int32_t pm_session_fold(prune_session *session, struct pm_step *step, int *is_done);

/* Sets scale, shift and activation of a step's fusion from what it absorbed (fuse.c). */
int32_t pm_step_set_fusion(prune_session *session, struct pm_step *step);

#endif
