/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loop that every operator of two or three broadcast inputs shares. Axes that lie together in every input are taken
 * as one, so that equal shapes are one row, and a vector over channels is a row for each channel.
 */
#ifndef PM_OPS_BROADCAST_H
#define PM_OPS_BROADCAST_H

#include "model/ops/elementwise/numbers.h"

/* Rows of `length` elements of the output. Along a row an input advances by its step, which is 1 or 0. */
#define PM_WALK_INPUTS 3
struct pm_walk {
    int32_t inputs, rank;
    int64_t rows, length;
    int64_t extents[PRUNE_MAX_RANK]; /* of the axes outside a row */
    int64_t strides[PM_WALK_INPUTS][PRUNE_MAX_RANK];
    int64_t steps[PM_WALK_INPUTS];
    int64_t at[PM_WALK_INPUTS], index[PRUNE_MAX_RANK]; /* where the current row begins */
};

/* Every input must be broadcast to `out` (pm_broadcast has said so). */
void pm_walk_begin(struct pm_walk *walk, const struct pm_type *out, int32_t inputs, const struct pm_type *const *types);
void pm_walk_next(struct pm_walk *walk);

/* y = loop(a, b), `n` numbers of a domain; y may be a or b. */
typedef void pm_pair_loop(const void *a, const void *b, void *y, int64_t n);

struct pm_binary {
    uint32_t dtypes;                 /* that the inputs may have */
    pm_pair_loop *loops[PM_DOMAINS]; /* NULL where `dtypes` has none of that domain */
    int is_predicate;                /* the loops write bytes that are 0 or 1, the output is BOOL */
};

/* infer of two inputs of one type that are broadcast. */
int32_t pm_binary_infer(struct pm_call *call, const struct pm_binary *binary);
int32_t pm_binary_run(const struct pm_call *call, const struct pm_binary *binary);

/* y = a op b with any operands. */
void pm_binary_apply(const struct pm_binary *binary, const struct pm_operand *a, const struct pm_operand *b,
                     const struct pm_operand *y);

/* One input or more, all of one type and broadcast to one shape: ((a op b) op c) op ... */
int32_t pm_variadic_infer(struct pm_call *call, const struct pm_binary *binary);
int32_t pm_variadic_run(const struct pm_call *call, const struct pm_binary *binary);

/* A loop from an expression of `p` and `q`. Blocks of fixed length that are read before they are written become vector
 * code at every level of optimisation, in place too. */
#define PM_BLOCK 16
#define PM_PAIR_LOOP(name, type, result, value)                                                                        \
    static void name(const void *a_, const void *b_, void *y_, int64_t n)                                              \
    {                                                                                                                  \
        const type *a = a_, *b = b_;                                                                                   \
        result *y = y_;                                                                                                \
        int64_t i = 0;                                                                                                 \
        for (; i + PM_BLOCK <= n; i += PM_BLOCK) {                                                                     \
            result block[PM_BLOCK];                                                                                    \
            for (int j = 0; j < PM_BLOCK; j++) {                                                                       \
                const type p = a[i + j], q = b[i + j];                                                                 \
                block[j] = (result)(value);                                                                            \
            }                                                                                                          \
            memcpy(y + i, block, sizeof block);                                                                        \
        }                                                                                                              \
        for (; i < n; i++) {                                                                                           \
            const type p = a[i], q = b[i];                                                                             \
            y[i] = (result)(value);                                                                                    \
        }                                                                                                              \
    }

/* The operator `op` of loops f32, f64 and i64 (each a loop or NULL). */
#define PM_BINARY_OPERATOR(name, op_name, family, flags_, dtypes_, f32_, f64_, i64_, predicate)                        \
    static const struct pm_binary binary = {                                                                           \
        .dtypes = dtypes_, .loops = {f32_, f64_, i64_}, .is_predicate = predicate};                                    \
    static int32_t infer(struct pm_call *call)                                                                         \
    {                                                                                                                  \
        return pm_##family##_infer(call, &binary);                                                                     \
    }                                                                                                                  \
    static int32_t run(const struct pm_call *call)                                                                     \
    {                                                                                                                  \
        return pm_##family##_run(call, &binary);                                                                       \
    }                                                                                                                  \
    const struct pm_operator pm_operator_##name = {.op = op_name, .flags = flags_, .infer = infer, .run = run};

#endif
