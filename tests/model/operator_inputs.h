/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operators against references in double: tensors of any element type from and to doubles, one node at a time.
 */
#ifndef OPERATOR_INPUTS_H
#define OPERATOR_INPUTS_H

#include <math.h>

#include "graphs.h"

#define COUNT_OF(list) ((int)(sizeof(list) / sizeof *(list)))
#define INPUTS(...)                                                                                                    \
    COUNT_OF(((const prune_tensor *[]){__VA_ARGS__})), (const prune_tensor *[])                                        \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define SHAPE(...)                                                                                                     \
    COUNT_OF(((int64_t[]){__VA_ARGS__})), (int64_t[])                                                                  \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static inline prune_tensor *tensor_of(int32_t dtype, int32_t rank, const int64_t *shape, const double *numbers)
{
    prune_tensor *wide, *tensor;
    OK(prune_tensor_create(&wide, NULL, PRUNE_F64, rank, shape));
    if (prune_tensor_count(wide) > 0)
        memcpy(prune_tensor_data(wide), numbers, (size_t)prune_tensor_count(wide) * sizeof *numbers);
    OK(prune_tensor_convert(&tensor, wide, dtype));
    prune_tensor_free(wide);
    return tensor;
}

/* Whole numbers along one axis, as axes and shapes are given. */
static inline prune_tensor *wholes(int64_t count, const int64_t *numbers)
{
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_I64, 1, &count));
    if (count > 0)
        memcpy(prune_tensor_data(tensor), numbers, (size_t)count * sizeof *numbers);
    return tensor;
}

/* A tensor's numbers as doubles, to be freed. */
static inline double *doubles_of(const prune_tensor *tensor)
{
    prune_tensor *wide;
    int64_t count = prune_tensor_count(tensor);
    double *numbers = calloc((size_t)(count + 1), sizeof *numbers);
    OK(prune_tensor_convert(&wide, tensor, PRUNE_F64));
    if (count > 0)
        memcpy(numbers, prune_tensor_const_data(wide), (size_t)count * sizeof *numbers);
    prune_tensor_free(wide);
    return numbers;
}

static inline int is_floating(int32_t dtype)
{
    return dtype == PRUNE_F32 || dtype == PRUNE_F64 || dtype == PRUNE_F16 || dtype == PRUNE_BF16;
}

static inline int is_unsigned(int32_t dtype)
{
    return dtype == PRUNE_U8 || dtype == PRUNE_U16 || dtype == PRUNE_U32;
}

static inline uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Both signs; every seventh number of a floating type is NaN, an infinity, a zero of either sign where `specials`. */
static inline prune_tensor *random_of(int32_t dtype, int32_t rank, const int64_t *shape, uint64_t seed, int specials)
{
    static const double special[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0};
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        count *= shape[i];
    double *numbers = calloc((size_t)(count + 1), sizeof *numbers);
    for (int64_t i = 0; i < count; i++) {
        double number = (double)next_random(&seed) / 0x1p31;
        if (dtype == PRUNE_BOOL)
            numbers[i] = number < 0.5 ? 0 : 1;
        else if (is_unsigned(dtype))
            numbers[i] = floor(number * 11);
        else if (!is_floating(dtype))
            numbers[i] = floor(number * 21) - 10;
        else
            numbers[i] = specials && i % 7 == 3 ? special[i / 7 % 5] : number * 9 - 4.5;
    }
    prune_tensor *tensor = tensor_of(dtype, rank, shape, numbers);
    free(numbers);
    return tensor;
}

/* How far a result may be from the reference: relative, and absolute where numbers near 1 cancel. */
static inline double slack_of(int32_t dtype)
{
    return dtype == PRUNE_F32    ? 2e-6
           : dtype == PRUNE_F64  ? 1e-13
           : dtype == PRUNE_F16  ? 1e-3
           : dtype == PRUNE_BF16 ? 8e-3
                                 : 0;
}

static inline void expect_number(double got, double wanted, int32_t dtype, const char *what, int64_t index)
{
    double slack = slack_of(dtype);
    int special = isnan(wanted) || isinf(wanted);
    int right =
        special ? (isnan(wanted) ? isnan(got) : got == wanted) : fabs(got - wanted) <= slack * (fabs(wanted) + 1);
    /* Each assertion of Check is a line in a file, so only those that fail are made. */
    if (!right)
        ck_abort_msg("%s of %s, element %lld: %.9g instead of %.9g", what, prune_dtype_name(dtype), (long long)index,
                     got, wanted);
}

static inline void expect_numbers(const prune_tensor *tensor, int32_t rank, const int64_t *shape, const double *wanted,
                                  const char *what)
{
    ck_assert_msg(prune_tensor_rank(tensor) == rank, "%s: rank %d instead of %d", what, (int)prune_tensor_rank(tensor),
                  (int)rank);
    for (int32_t i = 0; i < rank; i++)
        ck_assert_msg(prune_tensor_shape(tensor)[i] == shape[i], "%s: extent %d is %lld instead of %lld", what, (int)i,
                      (long long)prune_tensor_shape(tensor)[i], (long long)shape[i]);
    double *got = doubles_of(tensor);
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        expect_number(got[i], wanted[i], prune_tensor_dtype(tensor), what, i);
    free(got);
}

/* `apply` of graphs.h with as many outputs as asked for; out[i] is NULL on entry for those that the node has, and
 * UNTOUCHED for those that it leaves out. */
static inline int32_t apply_many(int32_t outputs, prune_tensor **out, int64_t opset, const char *op, int32_t count,
                                 const prune_tensor *const *inputs, ...)
{
    struct pm_node node = {.name = text_of("node"), .op = text_of(op), .domain = text_of(""), .output_count = outputs};
    prune_tensor *made[4] = {NULL};
    va_list list;
    OK(pr_alloc(NULL, outputs, sizeof *node.outputs, &node.outputs));
    for (int32_t i = 0; i < outputs; i++)
        node.outputs[i] = out[i] ? -1 : i;
    va_start(list, inputs);
    set_attributes(&node, list);
    va_end(list);
    node.kind = pm_operator_find("", op);
    int32_t status = pm_operator_call(NULL, &node, opset, count, inputs, outputs, made);
    for (int32_t i = 0; i < outputs && !status; i++)
        if (node.outputs[i] >= 0)
            out[i] = made[i];
    pm_node_release(NULL, &node);
    return status;
}

/* A call that must fail and leave its output alone. */
#define REFUSED(status, word, opset, op, inputs, ...)                                                                  \
    do {                                                                                                               \
        prune_tensor *out_ = UNTOUCHED;                                                                                \
        FAILS(apply(&out_, opset, op, inputs, __VA_ARGS__), status, word);                                             \
        ck_assert_ptr_eq(out_, UNTOUCHED);                                                                             \
    } while (0)

#endif
