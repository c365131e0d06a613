/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The selection over many tensors from the inside: libprune only.
 *
 * Nothing here grows with the tensors: scores are read in passes, one digit of their keys a pass, and what is held is a
 * histogram of that digit for each tensor.
 */
#ifndef PR_CORE_SELECTION_H
#define PR_CORE_SELECTION_H

#include "base/alloc.h"
#include "core/select/select.h"

/* One tensor of a selection. */
struct pr_entry {
    struct pr_grid grid;
    const double *scores; /* in memory, or NULL when they are read */
    double *own;          /* a copy of them in which units that are gone are pr_gone(), or NULL */
    const prune_mask *within;
    prune_scores_fn read;
    void *user;
    double cost;                   /* of a unit */
    int64_t gone;                  /* units that were gone before */
    int64_t least, most, round_to; /* of what is kept */
    int64_t kept, ties;            /* what was solved */
    double cut, density;
};

struct prune_selection {
    prune_context *context;
    struct pr_entry *entries;
    int32_t count, room;
    int solved;
};

/* How many units may be kept when ranking leaves `wanted` to a tensor: the largest number allowed that is not above it,
 * else the smallest allowed. */
int64_t pr_entry_allowed(const struct pr_entry *entry, int64_t wanted);

/* The next number allowed above `kept`; -1 for none. */
int64_t pr_entry_next(const struct pr_entry *entry, int64_t kept);

/* A search for the place in the ranking of `count` tensors after which enough is removed. The ranking is by score, then
 * tensor, then unit. */
struct pr_search {
    prune_context *context;
    const struct pr_entry *const *entries;
    int32_t count;
    int (*enough)(const struct pr_search *search, const int64_t *removed); /* stays true when more is removed */
    double limit;                                                          /* for enough() */
    int by_units;     /* for enough(): a unit counts 1, not what it costs */
    double cut;       /* the score at which ranking ends */
    int64_t *removed; /* per tensor, those that were gone included; `count` numbers of the caller's */
    int64_t *ties;    /* per tensor: of these, how many score `cut`; the caller's */
    int32_t last;     /* the tensor whose unit goes last, -1 when nothing goes */
};

int32_t pr_search_run(struct pr_search *search);

/* How many units of a tensor score below `threshold`, those that are gone included. */
int32_t pr_count_below(prune_context *context, const struct pr_entry *entry, double threshold, int64_t *below);

/* Reads the scores of one tensor from first to last, in pieces. */
typedef int32_t (*pr_piece_fn)(void *argument, const double *scores, int64_t first, int64_t count);
int32_t pr_entry_read(prune_context *context, const struct pr_entry *entry, pr_piece_fn piece, void *argument);

/* How a target is shared out over tensors, where they are not ranked together: densities in proportion to `weight`,
 * within [least, most]. */
struct pr_share {
    double weight, least, most;
};

/* One file and one line of allocations.def each. */
struct pr_allocation_kind {
    struct pr_kind kind;
    /* The shares come as weight 1, least 0, most 1; NULL for ranking all together. */
    void (*share)(const struct pr_values *values, const struct pr_entry *entries, int32_t count,
                  struct pr_share *shares);
};

extern const struct pr_kind *const pr_allocation_kinds[];
extern const int32_t pr_allocation_kind_count;

/* kept and density of every tensor, from shares and the most that may be kept: units, or what they cost. */
int32_t pr_allocate(prune_context *context, struct pr_entry *entries, int32_t count, const struct pr_share *shares,
                    double limit, int by_units);

#endif
