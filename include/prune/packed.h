/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed: a weight matrix W (rows x columns, see prune/sparse.h) laid out for the kernels, and its products. Made once,
 * run many times, by any number of threads at once.
 *
 * Numbers are F32 and so is accumulation. Every output is within gamma(n) * sum |w||x| of the exact sum of its n
 * products, gamma(n) = n u / (1 - n u), u = 2^-24 (Higham 2002, 3.1). What is not stored contributes nothing, also
 * against NaN and infinity; stored zeros, N:M fillers inside the matrix among them, multiply as IEEE numbers. The bits
 * do not depend on alignment or on the number of threads.
 */
#ifndef PRUNE_PACKED_H
#define PRUNE_PACKED_H

#include <stdint.h>

#include "prune/sparse.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_packed prune_packed;

/* What is done to each output before it is written: bias, then activation. Immutable. */
typedef struct prune_epilogue prune_epilogue;

/* Packs the kept elements of `weights`. `spec` is a list of "key=value": columns=N, how many columns X will have
 * (default 1; any number may be run, this one is run best); format=csr, nm, dense or auto (default: nm where the mask
 * or the zeros have a 2:4 pattern and at least a third is kept, csr below half density, dense otherwise); keep_n,
 * group_m, unit_rows for nm (default 2, 4, 1); form, the layout to use, by the name that prune_packed_form gives
 * (default auto). NULL means "". */
PRUNE_API int32_t prune_packed_create(prune_packed **out, const prune_tensor *weights, const prune_mask *mask,
                                      const char *spec);

/* The same from a sparse object, whose format stays unless `spec` names another. It never builds the dense matrix,
 * unless "dense" is asked for. */
PRUNE_API int32_t prune_packed_from_sparse(prune_packed **out, const prune_sparse *sparse, const char *spec);

/* Y = W X, then the epilogue (NULL: none). X is columns x n, Y rows x n, both row-major with ldx, ldy >= n elements
 * from one row to the next. Y is written, never read; it must not overlap X. n may be 0; a W without columns gives Y =
 * 0 (and bias). PRUNE_E_SHAPE, PRUNE_E_ARGUMENT before anything is written; PRUNE_E_NOMEM. */
PRUNE_API int32_t prune_packed_run(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t ldx,
                                   int64_t n, const prune_epilogue *epilogue);

/* Y = X W', the batch-major layout: X is n x columns, Y n x rows, ldx >= columns, ldy >= rows. */
PRUNE_API int32_t prune_packed_run_batch(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t ldx,
                                         int64_t n, const prune_epilogue *epilogue);

/* `bias` has `rows` numbers, one for each row of W, copied; NULL for none (rows is then ignored). `spec`:
 * "activation=none" (default) or "activation=relu"; NULL means "". relu gives +0.0 for what is not positive, and NaN
 * for NaN. */
PRUNE_API int32_t prune_epilogue_create(prune_epilogue **out, prune_context *context, const float *bias, int64_t rows,
                                        const char *spec);
PRUNE_API void prune_epilogue_free(prune_epilogue *epilogue);

/* The shape of W. */
PRUNE_API int64_t prune_packed_rows(const prune_packed *packed);
PRUNE_API int64_t prune_packed_columns(const prune_packed *packed);

/* Products done for one column of X, fillers included. */
PRUNE_API int64_t prune_packed_stored(const prune_packed *packed);

/* The format ("csr", "nm:keep_n=2,group_m=4", "dense"), the form (layout and loop order) and, for runs with n columns,
 * the kernels ("avx2"): for logs and benchmarks. Constants or the packed object's own memory. */
PRUNE_API const char *prune_packed_format(const prune_packed *packed);
PRUNE_API const char *prune_packed_form(const prune_packed *packed);
PRUNE_API const char *prune_packed_kernels(const prune_packed *packed, int64_t n);

/* The packed object as one block of bytes, position-independent: a cache, which a version of the library that does not
 * know it refuses by name. The pointer lives as long as `packed`. */
PRUNE_API int32_t prune_packed_blob(const prune_packed *packed, const void **data, int64_t *bytes);

/* From a blob, copied and checked through and through: PRUNE_E_FORMAT for anything that was not written by
 * prune_packed_blob (checksum, bounds). */
PRUNE_API int32_t prune_packed_load(prune_packed **out, prune_context *context, const void *data, int64_t bytes);

PRUNE_API void prune_packed_free(prune_packed *packed);

#ifdef __cplusplus
}
#endif
#endif
