/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Compressed: pointers to where each line begins, and the indices of what stands in it, strictly ascending. Formats
 * differ in what a line is.
 */
#ifndef PR_CORE_COMPRESSED_H
#define PR_CORE_COMPRESSED_H

#include "core/sparse/sparse.h"

struct pr_compressed {
    const char *format;       /* for sentences: "csr" */
    const char *line, *index; /* "row", "column" */
    const char *cells;        /* "", " blocks" */
    int64_t lines, width;     /* indices are 0 to width - 1 */
    int64_t *pointers;        /* lines + 1 */
    int32_t *indices;
};

/* Makes the two parts for `stored` indices, and points to them. */
int32_t pr_compressed_add(struct prune_sparse *sparse, struct pr_compressed *to, int32_t pointers_part,
                          int32_t indices_part, int64_t stored);

/* Makes them from a caller's, checked. */
int32_t pr_compressed_import(struct prune_sparse *sparse, struct pr_compressed *to, int32_t pointers_part,
                             int32_t indices_part, const prune_tensor *const *parts);

#endif
