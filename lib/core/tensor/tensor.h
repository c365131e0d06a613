/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tensor from the inside: libprune only.
 */
#ifndef PR_CORE_TENSOR_H
#define PR_CORE_TENSOR_H

#include "base/alloc.h"
#include "prune/tensor.h"

struct prune_tensor {
    prune_context *context;
    int references;             /* itself, while not freed, and every view of its memory; changed atomically */
    struct prune_tensor *owner; /* of a view: whose memory it shares and keeps; else NULL */
    void *memory;               /* what it owns, or NULL */
    char *data;                 /* element (0, ..., 0) */
    int32_t dtype, rank;
    int64_t count;
    int64_t shape[PRUNE_MAX_RANK], strides[PRUNE_MAX_RANK]; /* in elements */
    int32_t contiguous;
};

/* What prune_tensor_create does, without setting the elements, for a type and a shape that are known to be good. */
int32_t pr_tensor_new(prune_tensor **out, prune_context *context, int32_t dtype, int32_t rank, const int64_t *shape);

/* dtype.c: element types. */

static inline int pr_dtype_is_float(int32_t dtype)
{
    return dtype == PRUNE_F32 || dtype == PRUNE_F16 || dtype == PRUNE_BF16 || dtype == PRUNE_F64;
}

/* From double in one rounding, to nearest even; overflow gives infinity, NaN a quiet NaN. A float is a double. */
uint16_t pr_f16_from_double(double value);
uint16_t pr_bf16_from_double(double value);
float pr_f16_to_float(uint16_t bits);
float pr_bf16_to_float(uint16_t bits);

/* `count` elements of type `dtype`, `stride` elements apart, from or to a row of numbers. Reading into float rounds
 * what is wider. Storing returns how many were stored: fewer than `count` when the next number cannot be held exactly
 * by an integer type, or is neither 0 nor 1 for BOOL. */
void pr_read_double(int32_t dtype, const void *data, int64_t stride, int64_t count, double *out);
void pr_read_float(int32_t dtype, const void *data, int64_t stride, int64_t count, float *out);
void pr_read_i64(int32_t dtype, const void *data, int64_t stride, int64_t count, int64_t *out); /* I64, I32, U8, BOOL */
int64_t pr_store_double(int32_t dtype, void *data, int64_t stride, int64_t count, const double *in);
int64_t pr_store_i64(int32_t dtype, void *data, int64_t stride, int64_t count, const int64_t *in);

/* walk.c: the elements of any view in row-major order, as runs of one stride:
 *
 *     struct pr_walk walk;
 *     for (pr_walk_start(&walk, tensor); walk.count; pr_walk_next(&walk))
 *         use(walk.data, walk.stride, walk.count, walk.position);
 *
 * Axes that continue each other are one run; a row-major tensor without gaps is a single one. */
struct pr_walk {
    char *data;       /* of the run's first element */
    int64_t stride;   /* within the run, in elements */
    int64_t count;    /* elements of the run; 0 when all have been seen */
    int64_t position; /* row-major number of the first one */
    int64_t size;     /* bytes of an element */
    int32_t rank;     /* outer axes left after merging */
    int64_t index[PRUNE_MAX_RANK], shape[PRUNE_MAX_RANK], strides[PRUNE_MAX_RANK];
};

void pr_walk_start(struct pr_walk *walk, const prune_tensor *tensor);
void pr_walk_next(struct pr_walk *walk);
void pr_walk_skip(struct pr_walk *walk, int64_t count); /* the first `count` elements of this run are done */

/* shape.c: shapes. */

int32_t pr_check_shape(const char *function, int32_t rank, const int64_t *shape, int64_t *count);
int pr_same_shape(int32_t rank_a, const int64_t *shape_a, int32_t rank_b, const int64_t *shape_b);

/* Texts for sentences: "[2, 3]", and the element with a row-major number as "(1, 2)". */
#define PR_MAX_SHAPE_TEXT 192
const char *pr_shape_text(char out[PR_MAX_SHAPE_TEXT], int32_t rank, const int64_t *shape);
const char *pr_index_text(char out[PR_MAX_SHAPE_TEXT], int32_t rank, const int64_t *shape, int64_t position);

/* The address of the element with a row-major number. */
void *pr_element_at(const prune_tensor *tensor, int64_t position);

/* PRUNE_E_VALUE with the position of the first NaN of a tensor of any type; `what` names it: "weights". */
int32_t pr_refuse_nan(const prune_tensor *tensor, const char *what);

#endif
