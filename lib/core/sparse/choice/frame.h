/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a product costs beside its inner loops: bringing X into a form's order and writing Y out of its sums. That grows
 * with the rows and columns of W and not with what it stores, and it differs between the layouts of X and Y.
 */
#ifndef PR_CORE_SPARSE_FRAME_H
#define PR_CORE_SPARSE_FRAME_H

#include "core/sparse/forms/form.h"

/* Picoseconds, for a W of rows x columns and n columns of X, which stands as prune_packed_run_batch takes it or as
 * prune_packed_run does. */
double pr_frame_estimate(const struct pr_form *form, double rows, double columns, double n, int batch);

#endif
