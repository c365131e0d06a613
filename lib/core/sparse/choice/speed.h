/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Speed: what each form was measured to take, and what it may therefore be expected to take. A table of measurements is
 * built in; a context may carry one of its own, of the machine it runs on.
 */
#ifndef PR_CORE_SPARSE_SPEED_H
#define PR_CORE_SPARSE_SPEED_H

#include "core/sparse/forms/form.h"

/* The instruction set whose kernels were measured, and where the packed weights came from. */
enum pr_speed_isa { PR_ISA_SCALAR, PR_ISA_NEON, PR_ISA_AVX2, PR_ISA_AVX512, PR_ISA_COUNT };
enum pr_speed_level { PR_FROM_L2, PR_FROM_L3, PR_FROM_MEMORY, PR_LEVEL_COUNT };

struct pr_speed {
    uint8_t format; /* enum pr_source_format */
    uint8_t form;   /* index into pr_forms */
    uint8_t isa, level;
    uint16_t group_m; /* of N:M; 0: any, and other formats */
    float n, density;
    float picoseconds; /* for each of the rows * columns * n products of the dense matrix */
    float bytes;       /* packed, for each of the rows * columns elements */
};

struct pr_speeds {
    int64_t count;
    int64_t l2_bytes, l3_bytes; /* of the core that was measured */
    const struct pr_speed *entries;
};

/* The context's table, or the one that is built in. */
const struct pr_speeds *pr_speeds_of(const prune_context *context);

struct pr_estimate {
    double seconds, bytes;
};

/* What is multiplied, for the table. */
struct pr_product {
    enum pr_source_format format;
    int64_t rows, columns;
    int group_m;    /* of N:M, otherwise 0 */
    double density; /* stored of rows * columns */
    double n;       /* columns of X */
    int64_t l2_bytes, l3_bytes;
};

/* The caches of this machine; where it does not say, of the one that was measured. */
void pr_product_caches(struct pr_product *product, const struct pr_speeds *speeds);

/* How long that takes in a form, on one thread, and how large the packed matrix is. 0 when the table knows nothing of
 * the form; the estimate is then left alone. */
int pr_speed_estimate(const struct pr_speeds *speeds, int form, uint32_t cpu, const struct pr_product *product,
                      struct pr_estimate *estimate);

/* The words that a table is written in. */
extern const char *const pr_isa_names[PR_ISA_COUNT], *const pr_level_names[PR_LEVEL_COUNT];

#endif
