/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The granularity from the inside: libprune only.
 *
 * A kind says how large its unit and its pool are on a tensor of some shape, and how many units a pool keeps; all
 * else (counting, walking, checking, scoring, selecting) is computed from these boxes.
 */
#ifndef PR_CORE_GRANULARITY_H
#define PR_CORE_GRANULARITY_H

#include "base/alloc.h"
#include "base/spec.h"
#include "core/tensor/tensor.h"
#include "prune/granularity.h"

#define PR_NO_QUOTA (-1)

/* Extents in elements. A kind finds unit 1 along every axis, the pool as large as the tensor and no quota, and changes
 * what differs. Extents beyond the tensor's are cut back. With `matrix` the boxes lie on the tensor seen as a matrix:
 * axis 0, and all others as axis 1. */
struct pr_cut {
    int64_t unit[PRUNE_MAX_RANK];
    int64_t pool[PRUNE_MAX_RANK];
    int64_t quota;
    int matrix;
};

struct pr_grid;
struct pr_target; /* how many go, below */

/* One file and one line of granularities.def each. */
struct pr_granularity_kind {
    struct pr_kind kind;
    int has_quota;
    int32_t (*check)(const struct pr_values *values); /* what the table cannot say of the values; NULL for nothing */
    int32_t (*cut)(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut);
    /* Where "the least important of each pool go" is not what the pattern asks for: keep[unit] becomes 1 for the units
     * that stay, 0 for those that go. A score that is NaN stands for a unit that is gone already. NULL for the rest. */
    int32_t (*solve)(prune_context *context, const struct pr_grid *grid, const double *scores,
                     const struct pr_target *target, uint8_t *keep);
    /* Where the rule is more than "no pool keeps more than its quota": *violation becomes the element at which the mask
     * is seen to break it, or stays -1. NULL for the rest. */
    int32_t (*find)(const struct pr_grid *grid, const prune_mask *mask, int64_t *violation);
};

struct prune_granularity {
    prune_context *context;
    const struct pr_granularity_kind *kind;
    struct pr_values values;
    char *spec;
};

extern const struct pr_kind *const pr_granularity_kinds[];
extern const int32_t pr_granularity_kind_count;

/* A granularity on one shape: the tensor as a grid of units, the grid as a grid of pools. Every number fits. */
struct pr_grid {
    int32_t rank;
    int matrix;                            /* the boxes lie on axis 0 x all others: shape is not the tensor's */
    int64_t tensor[PRUNE_MAX_RANK];        /* the tensor's shape */
    int64_t shape[PRUNE_MAX_RANK];         /* elements; as many, in the same row-major order */
    int64_t unit[PRUNE_MAX_RANK];          /* elements of a unit that is not cut off by the edge */
    int64_t extent[PRUNE_MAX_RANK];        /* units */
    int64_t stride[PRUNE_MAX_RANK];        /* from one unit to the next along an axis, in units */
    int64_t pool[PRUNE_MAX_RANK];          /* units of a pool that is not cut off by the edge */
    int64_t pool_extent[PRUNE_MAX_RANK];   /* pools */
    int64_t elements, units, pools, quota; /* quota PR_NO_QUOTA for none */
    const struct pr_granularity_kind *kind;
    struct pr_values values; /* of the kind's parameters */
};

/* How many of a pool's units go, exactly. */
struct pr_target {
    int32_t kind; /* PRUNE_QUOTA, PRUNE_SPARSITY, PRUNE_KEEP or PRUNE_COUNT of prune/select.h */
    double amount;
    int64_t quota;
    int64_t remove; /* for `solve`: of all the units of the grid that are not gone */
    int within;     /* whether some units are gone already, their scores NaN; the target is for the others */
};

/* Scores, one for each unit of a grid: made by criteria, read by selection. */
struct prune_scores {
    prune_context *context;
    struct pr_grid grid;
    prune_tensor *values; /* F64 in the shape of the grid, without gaps, no NaN */
};

int32_t pr_grid_make(struct pr_grid *grid, const prune_granularity *granularity, int32_t rank, const int64_t *shape);

/* A tensor of the grid's tensor shape in the shape that the boxes lie on: a view, or where strides do not allow one a
 * row-major copy of the same type. Whoever walks tensor and grid together takes this one. */
int32_t pr_grid_view(prune_tensor **out, const struct pr_grid *grid, const prune_tensor *tensor);

/* Elements of an inner unit, units of an inner pool, units of the smallest pool (0 where there is none). */
int64_t pr_grid_unit_elements(const struct pr_grid *grid);
int64_t pr_grid_pool_units(const struct pr_grid *grid);
int64_t pr_grid_least_pool(const struct pr_grid *grid);

/* One pool after another, in row-major order of the grid of pools. */
struct pr_pool_at {
    int64_t index[PRUNE_MAX_RANK]; /* in the grid of pools */
    int64_t count[PRUNE_MAX_RANK]; /* units along each axis */
    int64_t first;                 /* number of its first unit */
    int64_t units;
    int whole; /* not cut off by the edge */
};

void pr_pool_start(const struct pr_grid *grid, int64_t pool, struct pr_pool_at *at);
void pr_pool_next(const struct pr_grid *grid, struct pr_pool_at *at);

/* The units of one pool in row-major order, as runs of consecutive unit numbers. */
struct pr_pool_run {
    int64_t first, count; /* unit number, and how many follow it; count 0 when all have been seen */
    int32_t rank;
    int64_t index[PRUNE_MAX_RANK], shape[PRUNE_MAX_RANK], stride[PRUNE_MAX_RANK];
    int64_t left, length;
};

void pr_pool_run_start(const struct pr_grid *grid, const struct pr_pool_at *at, int64_t skip, int64_t count,
                       struct pr_pool_run *run);
void pr_pool_run_next(struct pr_pool_run *run);

/* alive[unit] becomes 1 for the units of which the mask, of the grid's shape, keeps an element, 0 for the others. */
void pr_grid_alive(const struct pr_grid *grid, const prune_mask *mask, uint8_t *alive);

/* The mask that keeps the elements of the units whose byte in `keep` is 1. */
int32_t pr_grid_expand(prune_mask **out, prune_context *context, const struct pr_grid *grid, const uint8_t *keep);

#endif
