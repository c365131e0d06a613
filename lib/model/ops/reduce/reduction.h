/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reducing axes. Floats of every width are reduced in double and rounded once; integers in 64 bits, wrapping around.
 */
#ifndef PM_OPS_REDUCTION_H
#define PM_OPS_REDUCTION_H

#include "model/ops/elementwise/numbers.h"

/* What is reduced: axes that lie together are one. Extents and strides (in the input) of the kept and of the reduced
 * axes, both in the order of the input. */
struct pm_axes {
    int32_t kept, reduced;
    int64_t kept_extents[PRUNE_MAX_RANK], kept_strides[PRUNE_MAX_RANK];
    int64_t reduced_extents[PRUNE_MAX_RANK], reduced_strides[PRUNE_MAX_RANK];
    int64_t results, each; /* elements of the output, and of the input for each of them */
};

/* One way to reduce. `start` is what `along` and `across` begin with, `finish` makes the result of the total and of the
 * number of elements. */
struct pm_reduction {
    uint32_t dtypes;
    int32_t opset;    /* from which the axes are an input */
    int32_t of_truth; /* the opset from which bool is reduced too; 0 for none */
    double start_f64;
    int64_t start_i64;
    /* total op x[0] op x[1] ..., n elements; and totals[i] = totals[i] op x[i]. */
    double (*along_f64)(double total, const double *x, int64_t n);
    void (*across_f64)(double *totals, const double *x, int64_t n);
    int64_t (*along_i64)(int64_t total, const int64_t *x, int64_t n);
    void (*across_i64)(int64_t *totals, const int64_t *x, int64_t n);
    double (*finish_f64)(double total, int64_t count); /* NULL: the total itself */
    int64_t (*finish_i64)(int64_t total, int64_t count);
};

/* infer and run of ReduceX: attributes axes or input 1, keepdims, noop_with_empty_axes. */
int32_t pm_reduction_infer(struct pm_call *call, const struct pm_reduction *reduction);
int32_t pm_reduction_run(const struct pm_call *call, const struct pm_reduction *reduction);

/* y = the reduction of x over the axes whose `is_reduced` is not 0. */
void pm_reduce(const struct pm_reduction *reduction, const struct pm_operand *x, const int *is_reduced,
               const struct pm_operand *y);

/* `along` and `across` from an expression of the total `t` and the element `v`. Eight totals side by side are folded in
 * a fixed order, so that the result does not depend on how the compiler vectorises. */
#define PM_REDUCTION_LOOPS(suffix, type, start, step, merge)                                                           \
    static type along_##suffix(type total, const type *x, int64_t n)                                                   \
    {                                                                                                                  \
        type lanes[8];                                                                                                 \
        int64_t i = 0;                                                                                                 \
        for (int j = 0; j < 8; j++)                                                                                    \
            lanes[j] = (type)(start);                                                                                  \
        for (; i + 8 <= n; i += 8)                                                                                     \
            for (int j = 0; j < 8; j++) {                                                                              \
                const type t = lanes[j], v = x[i + j];                                                                 \
                lanes[j] = (type)(step);                                                                               \
            }                                                                                                          \
        for (; i < n; i++) {                                                                                           \
            const type t = lanes[i % 8], v = x[i];                                                                     \
            lanes[i % 8] = (type)(step);                                                                               \
        }                                                                                                              \
        for (int j = 0; j < 8; j++) {                                                                                  \
            const type t = total, v = lanes[j];                                                                        \
            total = (type)(merge);                                                                                     \
        }                                                                                                              \
        return total;                                                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    static void across_##suffix(type *totals, const type *x, int64_t n)                                                \
    {                                                                                                                  \
        int64_t i = 0;                                                                                                 \
        for (; i + 8 <= n; i += 8) {                                                                                   \
            type block[8];                                                                                             \
            for (int j = 0; j < 8; j++) {                                                                              \
                const type t = totals[i + j], v = x[i + j];                                                            \
                block[j] = (type)(step);                                                                               \
            }                                                                                                          \
            memcpy(totals + i, block, sizeof block);                                                                   \
        }                                                                                                              \
        for (; i < n; i++) {                                                                                           \
            const type t = totals[i], v = x[i];                                                                        \
            totals[i] = (type)(step);                                                                                  \
        }                                                                                                              \
    }

#define PM_REDUCTION_OPERATOR(name, op_name)                                                                           \
    static int32_t infer(struct pm_call *call)                                                                         \
    {                                                                                                                  \
        return pm_reduction_infer(call, &reduction);                                                                   \
    }                                                                                                                  \
    static int32_t run(const struct pm_call *call)                                                                     \
    {                                                                                                                  \
        return pm_reduction_run(call, &reduction);                                                                     \
    }                                                                                                                  \
    const struct pm_operator pm_operator_##name = {.op = op_name, .infer = infer, .run = run};

#endif
