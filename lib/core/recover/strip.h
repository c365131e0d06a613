/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Exact removal of the units of a strip of rows, one at a time, in the best order: ExactOBS (Frantar and Alistarh 2022)
 * for rows that share their pattern.
 *
 * Of an inverse A of the (damped) Gram matrix and a strip w, removing the columns S of a unit costs
 * w_S (A_SS)^-1 w_S' and changes w by -w_S (A_SS)^-1 A_S*; what is left has the inverse A - A_*S (A_SS)^-1 A_S*.
 * That is a Cholesky factorisation of A whose pivots are chosen by cost. It is done from the left: A stays as it is,
 * shared by all strips; each keeps the columns of the factor that it has chosen so far.
 */
#ifndef PR_CORE_RECOVER_STRIP_H
#define PR_CORE_RECOVER_STRIP_H

#include "core/granularity/granularity.h"

/* How the columns of a strip are cut: the same for every strip. */
struct pr_strip_map {
    int64_t columns, units, pools;
    int64_t width;   /* columns of the largest unit */
    int64_t height;  /* rows of a strip that is not cut off by the edge */
    int64_t *first;  /* units + 1: where a unit's columns begin in `column` */
    int64_t *column; /* columns, unit by unit, ascending inside a unit */
    int64_t *pool;   /* of each unit, along the strip */
    int64_t *size;   /* units of each pool, in one strip */
};

/* PRUNE_E_UNSUPPORTED when units are no products of rows and columns: never of the kinds that are cut into boxes. */
int32_t pr_strip_map_make(struct pr_strip_map *map, prune_context *context, const struct pr_grid *grid);
void pr_strip_map_free(struct pr_strip_map *map, prune_context *context);

/* What one strip needs while it is worked on; used again for the next one. */
struct pr_strip {
    const struct pr_strip_map *map;
    const double *inverse; /* columns x columns, symmetric */
    const double *least;   /* 1 / H_jj: no diagonal element of an inverse can fall below it but by rounding */
    int64_t rows, stride;
    double *w;          /* rows x columns, `stride` apart: changed */
    int64_t used, room; /* columns of the factor */
    double *factor;     /* columns x room, zeros beyond `used` up to whole lanes */
    double *pivot;      /* units x width x width: diagonal blocks of the inverse as it stands now */
    double *fresh;      /* width */
    double *lower;      /* width x width */
    double *part;       /* height x width */
    int64_t *left;      /* of each pool: units that may still go */
    int64_t alive;      /* units that stay so far, */
    int64_t *unit;      /* and which they are, ascending */
    uint8_t *gone;      /* units */
};

/* Bytes of what pr_strip_make takes, and the taking itself, for strips from which at most `most` columns go. */
int32_t pr_strip_bytes(const struct pr_strip_map *map, int64_t most, int64_t *bytes);
int32_t pr_strip_make(struct pr_strip *strip, prune_context *context, const struct pr_strip_map *map, int64_t most);
void pr_strip_free(struct pr_strip *strip, prune_context *context);

/* Begins a strip of `rows`, of which left[p] units of pool p may go (NULL: all). */
void pr_strip_start(struct pr_strip *strip, double *w, int64_t rows, int64_t stride, const int64_t *left);

/* The unit that costs least, of equal ones the lowest; -1 when none may go. */
int64_t pr_strip_best(struct pr_strip *strip, double *cost);

/* Removes a unit: its weights become +0.0, the others make up for it. Returns the cost. */
double pr_strip_remove(struct pr_strip *strip, int64_t unit);

#endif
