/* SPDX-License-Identifier: BSD-2-Clause
 *
 * npy as a file of its own and as a member of an npz.
 */
#ifndef PM_NPY_H
#define PM_NPY_H

#include "model/io/io.h"

#define PM_NPY_MOST_HEADER 512 /* bytes of a header that is written */

/* Reads the array that fills all of `file`. */
int32_t pm_npy_parse(prune_tensor **out, prune_context *context, const struct pm_input *file);

/* A byte string of rank 0 (dtype S1 to S15), as the name of a format stands in SciPy's files. */
int32_t pm_npy_parse_text(char out[16], const struct pm_input *file);

/* The header as NumPy writes it, padded so that the data begin at a multiple of 64; returns its length. PRUNE_E_DTYPE
 * where npy has no such dtype. */
int32_t pm_npy_header(char out[PM_NPY_MOST_HEADER], const prune_tensor *tensor, int64_t *length);

/* `tensor` itself where its memory can be written as it is, else a copy in *copy. A bool tensor is copied in any case:
 * copying checks that it holds 0 and 1 alone. */
int32_t pm_npy_writable(const prune_tensor **out, prune_tensor **copy, const prune_tensor *tensor);

#endif
