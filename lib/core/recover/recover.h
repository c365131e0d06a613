/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recoveries from the inside: libprune only.
 */
#ifndef PR_CORE_RECOVER_H
#define PR_CORE_RECOVER_H

#include "core/linalg/linalg.h"
#include "core/mask/mask.h"
#include "core/observe/observe.h"
#include "core/select/select.h"
#include "prune/recover.h"

/* What a kind works on. It reads the first part and sets the second; nothing of the caller's is changed until it has
 * come back with PRUNE_OK. Arguments have been checked: shapes fit, weights are finite, what is needed was observed. */
struct pr_recovering {
    prune_context *context; /* the weights' */
    const prune_recovery *recovery;
    const prune_tensor *weights;
    int64_t rows, columns; /* axis 0, all others together */
    const prune_observations *observations;
    const double *gram; /* columns x columns, both sides; NULL for kinds that do not need PRUNE_OBSERVE_GRAM */
    int64_t samples;
    /* Kinds that take targets, when some were observed: row o, columns + rows numbers apart, is y_o'X and, after that,
     * y_o'Y. Else NULL. */
    const double *targets;
    const prune_mask *mask;               /* repair: what stays */
    const prune_granularity *granularity; /* choose */
    int32_t target;
    double amount;
    int reports; /* 1 when somebody will look at the report */

    prune_tensor *result; /* the repaired weights: F32 or F64, shape of the weights, row-major. The frame frees it */
    prune_mask *chosen;   /* choose: the mask, which `result` obeys */
    double damping, condition, predicted;
    int64_t dead, memory;

    double *own_gram; /* the frame's: what `gram` is when there are targets */
};

/* One file and one line of recoveries.def each. */
struct pr_recovery_kind {
    struct pr_kind kind;
    int32_t needs;                                    /* PRUNE_OBSERVE_* bits */
    int takes_targets;                                /* inputs may be followed by targets */
    int32_t (*check)(const struct pr_values *values); /* what the table cannot say of the values; NULL for nothing */
    int32_t (*repair)(struct pr_recovering *r);       /* for a given mask; NULL when it does not */
    int32_t (*choose)(struct pr_recovering *r);       /* mask and weights; NULL when it does not */
};

struct prune_recovery {
    prune_context *context;
    const struct pr_recovery_kind *kind;
    struct pr_values values;
    char *spec;
};

extern const struct pr_kind *const pr_recovery_kinds[];
extern const int32_t pr_recovery_kind_count;

/* The parameters that second-order kinds share, for their tables. */
#define PR_DAMPING_PARAMETER(standard_)                                                                                \
    {                                                                                                                  \
        .name = "damping", .type = PR_REAL, .standard = standard_, .least = 0, .most = 1e6,                            \
        .help = "added to the Gram matrix's diagonal, as a part of its mean, 0 or more"                                \
    }
#define PR_MEMORY_PARAMETER                                                                                            \
    {                                                                                                                  \
        .name = "memory", .type = PR_WHOLE, .standard = "1073741824", .least = 4096, .most = 0x1p53,                   \
        .help = "bytes that may be taken beside the weights' copy, 4096 or more; what needs more is worked in blocks"  \
    }

/* Counts dead columns into r->dead and works out r->damping: `fraction` of the mean of the diagonal elements that are
 * not 0. */
void pr_recover_damping(struct pr_recovering *r, double fraction);

/* The damped matrix's element (i, i): 1 for a dead column. */
static inline double pr_damped_diagonal(const struct pr_recovering *r, int64_t i)
{
    double value = r->gram[i * r->columns + i];
    return value == 0 ? 1 : value + r->damping;
}

/* A row-major F64 copy of the weights: what most kinds begin their result with. */
int32_t pr_recover_copy(struct pr_recovering *r, double **values);

/* sum over rows of d G d' with d = a - b, both rows x columns; error.c. Takes memory for one strip of rows. */
int32_t pr_layer_error(const struct pr_linalg *la, int64_t rows, int64_t columns, const double *gram, const double *a,
                       const double *b, double *error);

#endif
