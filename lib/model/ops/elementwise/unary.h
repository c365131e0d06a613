/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operators that make one number from one.
 */
#ifndef PM_OPS_UNARY_H
#define PM_OPS_UNARY_H

#include "model/ops/elementwise/broadcast.h"

/* Numbers that an operator's formula needs (slope, bounds), for loops on floats and on integers. */
struct pm_settings {
    double real[3];
    int64_t whole[3];
};

/* y = loop(x), `n` numbers of a domain; y may be x. */
typedef void pm_single_loop(const void *x, void *y, int64_t n, const struct pm_settings *settings);

struct pm_unary {
    uint32_t dtypes;
    pm_single_loop *loops[PM_DOMAINS];
};

/* infer of one input and an output of the same type. */
int32_t pm_unary_infer(struct pm_call *call, const struct pm_unary *unary);
int32_t pm_unary_run(const struct pm_call *call, const struct pm_unary *unary, const struct pm_settings *settings);

/* A loop from an expression of `p` and the settings k0, k1 and k2. */
#define PM_SINGLE_LOOP(name, type, field, value)                                                                       \
    static void name(const void *x_, void *y_, int64_t n, const struct pm_settings *settings)                          \
    {                                                                                                                  \
        const type *x = x_, k0 = (type)settings->field[0], k1 = (type)settings->field[1],                              \
                   k2 = (type)settings->field[2];                                                                      \
        type *y = y_;                                                                                                  \
        int64_t i = 0;                                                                                                 \
        (void)k0, (void)k1, (void)k2;                                                                                  \
        for (; i + PM_BLOCK <= n; i += PM_BLOCK) {                                                                     \
            type block[PM_BLOCK];                                                                                      \
            for (int j = 0; j < PM_BLOCK; j++) {                                                                       \
                const type p = x[i + j];                                                                               \
                block[j] = (type)(value);                                                                              \
            }                                                                                                          \
            memcpy(y + i, block, sizeof block);                                                                        \
        }                                                                                                              \
        for (; i < n; i++) {                                                                                           \
            const type p = x[i];                                                                                       \
            y[i] = (type)(value);                                                                                      \
        }                                                                                                              \
    }
#define PM_FLOAT_LOOP(name, value) PM_SINGLE_LOOP(name, float, real, value)
#define PM_DOUBLE_LOOP(name, value) PM_SINGLE_LOOP(name, double, real, value)
#define PM_WHOLE_LOOP(name, value) PM_SINGLE_LOOP(name, int64_t, whole, value)

/* The operator; `fill` is statements that set `settings` from `call` and may return a failure. */
#define PM_UNARY_OPERATOR(name, op_name, dtypes_, f32_, f64_, i64_, fill)                                              \
    static const struct pm_unary unary = {.dtypes = dtypes_, .loops = {f32_, f64_, i64_}};                             \
    static int32_t infer(struct pm_call *call)                                                                         \
    {                                                                                                                  \
        return pm_unary_infer(call, &unary);                                                                           \
    }                                                                                                                  \
    static int32_t run(const struct pm_call *call)                                                                     \
    {                                                                                                                  \
        struct pm_settings settings = {{0}, {0}};                                                                      \
        fill;                                                                                                          \
        return pm_unary_run(call, &unary, &settings);                                                                  \
    }                                                                                                                  \
    const struct pm_operator pm_operator_##name = {.op = op_name, .flags = PM_IN_PLACE, .infer = infer, .run = run};

#define PM_NO_SETTINGS (void)0

#endif
