/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ways to pack a matrix, from the inside.
 */
#ifndef PR_CORE_SPARSE_ADVICE_H
#define PR_CORE_SPARSE_ADVICE_H

#include "base/spec.h"
#include "core/sparse/choice/speed.h"
#include "prune/advice.h"

#define PR_MAX_WAYS 64

struct pr_way {
    char format[PR_MAX_SPEC]; /* a spec of prune/sparse.h */
    int form;                 /* index into pr_forms */
    int known;                /* whether there is an estimate; without one the size counts: */
    double size;              /* bytes for each element of the matrix, roughly */
    struct pr_estimate estimate;
};

struct prune_advice {
    prune_context *context;
    int32_t count;
    struct pr_way way[PR_MAX_WAYS];
};

/* The matrix, and what the caller wants of it. */
struct pr_matrix_spec {
    int64_t rows, columns, n;
    int any;           /* whether the format may be chosen; else it is: */
    const char *label; /* its spec */
    enum pr_source_format format;
    int keep_n, group_m, unit_rows;
    int64_t block_rows, block_columns; /* 0: no blocks */
    const char *form;                  /* NULL for any */
    int encoding;                      /* of values, enum pr_encoding */
    int for_convolution;               /* only forms that read X where it stands */
};

/* Fills in the ways, in order, for an advice that has its context. */
void pr_advise(struct prune_advice *advice, const prune_mask *kept, const struct pr_matrix_spec *wanted);

#endif
