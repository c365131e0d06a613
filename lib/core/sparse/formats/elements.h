/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a format need not write itself once it can go over its elements.
 */
#ifndef PR_CORE_ELEMENTS_H
#define PR_CORE_ELEMENTS_H

#include "core/sparse/sparse.h"

void pr_elements_to_dense(const struct prune_sparse *sparse, float *dense);
void pr_elements_to_mask(const struct prune_sparse *sparse, prune_mask *mask);

struct pr_owned_source;

/* CSR arrays of the elements, which come with ascending columns within each row, and their codes if the format has a
 * codebook. */
int32_t pr_elements_to_source(struct pr_owned_source *owned, const struct prune_sparse *sparse);

#endif
