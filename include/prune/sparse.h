/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sparse: a weight tensor in a format that can be read back. It is validated when made, copies what it is given, and
 * never changes afterwards.
 *
 * A tensor of shape [r, ...] counts as a matrix of r rows and count / r columns (a vector as one row). A position that
 * is not stored is exactly absent. A format's content is a list of parts, plain tensors with names; files hold just
 * these:
 *
 *   "csr"
 *       indptr     I64 [rows + 1]   ascending, from 0 to the number of stored elements
 *       indices    I32 [stored]     columns, strictly ascending within a row
 *       values     F32 [stored]
 *   "nm:keep_n=N,group_m=M"         also unit_rows=V (default 1): each V neighbouring rows have the same positions
 *       values     F32 [rows, N * groups], groups = ceil(columns / M): N values for each group, ascending by position
 *       positions  U8 [rows, ceil(N * groups * b / 8)]: where in its group each value stands, b bits each (1 for M up
 *                  to 2, 2 up to 4, 4 up to 16, 8 up to 256), lowest bits first. For 2:4 that is a nibble a group, the
 *                  first group in the low nibble, as NVIDIA's metadata before reordering. A group with fewer elements
 *                  has fillers of value 0 at the highest positions that are free, which may lie beyond the last column;
 *                  bits left over are 0
 *   "bsr:block_rows=R,block_columns=C"   a grid of blocks, R and C 1 to 4096; those with an element are stored whole
 *       indptr     I64 [block rows + 1]    block rows = ceil(rows / R); ascending, from 0 to the number of blocks
 *       indices    I32 [blocks]    block columns, strictly ascending within a block row
 *       values     F32 [blocks, R, C]    each block row-major; 0 where it stores nothing. What the matrix does not have
 *                  of a block at its right and lower edge is stored as 0
 *   "dense"
 *       values     F32 [rows, columns]
 *   "csc"
 *       indptr     I64 [columns + 1]    ascending, from 0 to the number of stored elements
 *       indices    I32 [stored]    rows, strictly ascending within a column
 *       values     F32 [stored]
 *   "bitmap"                        compressed-tensors' sparse-bitmask
 *       compressed    F32 [stored]    row by row
 *       bitmask    U8 [rows, ceil(columns / 8)]: column 8 b + j is bit j of byte b; bits left over are 0
 *       row_offsets    I64 [rows]    stored elements of the rows before
 *   "coo"
 *       rows, columns    I32 [stored]    by row, then column; each place once. Imported in any order, and then sorted
 *       values     F32 [stored]
 *   "codebook"    also levels=16 (default) or 256, gap_bits=4 (default) or 8, by=columns (default, as EIE) or rows
 *       indptr     I64 [lines + 1]    where the entries of each column (row) begin
 *       gaps       U8 [ceil(entries * gap_bits / 8)]: how many places are empty between an entry and the one before,
 *                  4 bits each, lowest first, or a byte
 *       codes      U8 [ceil(entries * b / 8)], b = 4 bits each for 16 levels, 8 for 256: which number it is
 *       codebook   F32 [levels]    the numbers; the first is 0. An entry of code 0 stores nothing: it bridges a gap too
 *                  wide for its bits. Bits left over are 0
 */
#ifndef PRUNE_SPARSE_H
#define PRUNE_SPARSE_H

#include <stdint.h>

#include "prune/granularity.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_sparse prune_sparse;

/* Stores the kept elements of `weights` (F32, F16, BF16; any strides, rank 1 or more) in the format named by `spec`.
 * `mask` NULL keeps what is not zero. Kept zeros are stored. PRUNE_E_VALUE when the mask does not have the pattern that
 * an "nm" format needs, with the first violation's position, or for a kept NaN. With mask NULL and unit_rows above 1
 * a column is kept in every row of a unit when it is not zero in one of them. "bsr" stores each block in which some
 * element is kept; its others are stored zeros: in products they multiply as IEEE numbers. "codebook" stores each
 * weight as the nearest of its numbers, of two the lower one: the distinct weights themselves where they are fewer than
 * `levels`, else the means of k-means from evenly spaced ones; a kept 0 it does not store, an infinite weight is
 * PRUNE_E_VALUE. */
PRUNE_API int32_t prune_sparse_create(prune_sparse **out, const prune_tensor *weights, const prune_mask *mask,
                                      const char *spec);

/* The same for weights that are all +0: the positions that a mask keeps, in any format (but "codebook", which
 * stores no zeros). */
PRUNE_API int32_t prune_sparse_from_mask(prune_sparse **out, const prune_mask *mask, const char *spec);

/* From the format's parts, in the order listed above; `shape` is the tensor's. Everything is checked against the rules
 * above, in time linear in the parts: PRUNE_E_FORMAT (PRUNE_E_SHAPE, PRUNE_E_DTYPE for a part of another shape or type)
 * says which part, where, and what stands there; PRUNE_E_VALUE for a NaN among the values. Index parts may be I32 or
 * I64, values F32, F16 or BF16. For N:M any ascending distinct positions are taken; a filler beyond the last column
 * must be 0, and so must what a block has beyond the matrix. */
PRUNE_API int32_t prune_sparse_import(prune_sparse **out, prune_context *context, const char *spec, int32_t rank,
                                      const int64_t *shape, const prune_tensor *const *parts, int32_t part_count);

/* The format's parts: how many, their names, and the tensors (borrowed: they live as long as `sparse`); NULL outside
 * the list. */
PRUNE_API int32_t prune_sparse_part_count(const prune_sparse *sparse);
PRUNE_API const char *prune_sparse_part_name(const prune_sparse *sparse, int32_t index);
PRUNE_API const prune_tensor *prune_sparse_part(const prune_sparse *sparse, int32_t index);

/* Back to a row-major F32 tensor (+0.0 where nothing is stored), and the mask of what is stored (an N:M filler of value
 * 0 counts as not stored, all of a stored block as stored). */
PRUNE_API int32_t prune_sparse_to_tensor(prune_tensor **out, const prune_sparse *sparse);
PRUNE_API int32_t prune_sparse_to_mask(prune_mask **out, const prune_sparse *sparse);

PRUNE_API const char *prune_sparse_spec(const prune_sparse *sparse); /* canonical */
PRUNE_API int32_t prune_sparse_rank(const prune_sparse *sparse);
PRUNE_API const int64_t *prune_sparse_shape(const prune_sparse *sparse);
PRUNE_API int64_t prune_sparse_rows(const prune_sparse *sparse);
PRUNE_API int64_t prune_sparse_columns(const prune_sparse *sparse);
PRUNE_API int64_t prune_sparse_stored(const prune_sparse *sparse); /* values, fillers included */
PRUNE_API int64_t prune_sparse_bytes(const prune_sparse *sparse);  /* of all parts */

/* The context it was made with; NULL for none. The object keeps it. */
PRUNE_API prune_context *prune_sparse_context(const prune_sparse *sparse);
PRUNE_API void prune_sparse_free(prune_sparse *sparse);

#ifdef __cplusplus
}
#endif
#endif
