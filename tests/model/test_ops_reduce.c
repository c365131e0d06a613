/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reductions against sums in double over every element of every result.
 */
#include "operator_inputs.h"

struct way {
    const char *op;
    int opset, integers;
    double start;
};
static const struct way ways[] = {
    {"ReduceSum", 13, 1, 0},        {"ReduceMean", 18, 1, 0}, {"ReduceMax", 18, 1, -INFINITY},
    {"ReduceMin", 18, 1, INFINITY}, {"ReduceL1", 18, 1, 0},   {"ReduceL2", 18, 0, 0},
    {"ReduceSumSquare", 18, 1, 0},  {"ReduceProd", 18, 0, 1}, {"ReduceLogSum", 18, 0, 0},
};

static double step(const char *op, double t, double v)
{
    if (strcmp(op, "ReduceMax") == 0)
        return isnan(t) || t > v ? t : v;
    if (strcmp(op, "ReduceMin") == 0)
        return isnan(t) || t < v ? t : v;
    if (strcmp(op, "ReduceL1") == 0)
        return t + fabs(v);
    if (strcmp(op, "ReduceL2") == 0 || strcmp(op, "ReduceSumSquare") == 0)
        return t + v * v;
    return strcmp(op, "ReduceProd") == 0 ? t * v : t + v;
}

static double end_of(const char *op, double t, double count, int whole)
{
    if (strcmp(op, "ReduceMean") == 0)
        return whole ? trunc(t / count) : t / count;
    if (strcmp(op, "ReduceL2") == 0)
        return sqrt(t);
    return strcmp(op, "ReduceLogSum") == 0 ? log(t) : t;
}

struct shape {
    int32_t rank, axis_count;
    int64_t extents[5], axes[5];
};
static const struct shape shapes[] = {
    {1, 1, {300}, {0}},
    {2, 1, {3, 70}, {1}},
    {2, 1, {70, 3}, {0}},
    {3, 1, {3, 5, 300}, {-2}},
    {3, 2, {4, 5, 6}, {0, 2}},
    {3, 2, {4, 5, 6}, {-1, 1}},
    {4, 2, {2, 3, 9, 9}, {2, 3}},
    {5, 3, {2, 1, 3, 2, 4}, {0, 2, -1}},
    {3, 0, {2, 3, 4}, {0}},
    {4, 1, {2, 3, 1, 4}, {2}},
    {5, 2, {2, 3, 2, 3, 2}, {1, 3}},
};

static void try_shape(const struct way *w, const struct shape *s, int32_t dtype, int keep, int as_input, int specials)
{
    int reduced[5] = {0};
    int64_t out[5], count = 1, results = 1;
    int32_t rank = 0;
    for (int32_t i = 0; i < s->axis_count; i++)
        reduced[s->axes[i] < 0 ? s->axes[i] + s->rank : s->axes[i]] = 1;
    for (int32_t i = 0; i < s->rank; i++) {
        int gone = s->axis_count == 0 || reduced[i];
        count *= s->extents[i];
        results *= gone ? 1 : s->extents[i];
        if (!gone || keep)
            out[rank++] = gone ? 1 : s->extents[i];
    }
    prune_tensor *x = random_of(dtype, s->rank, s->extents, (uint64_t)count, specials), *axes, *y;
    double *numbers = doubles_of(x), *wanted = malloc((size_t)results * sizeof *wanted);
    for (int64_t i = 0; i < results; i++)
        wanted[i] = w->start;
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, at = 0, stride = 1;
        for (int32_t axis = s->rank - 1; axis >= 0; rest /= s->extents[axis--])
            if (s->axis_count && !reduced[axis]) {
                at += rest % s->extents[axis] * stride;
                stride *= s->extents[axis];
            }
        wanted[at] = step(w->op, wanted[at], numbers[i]);
    }
    for (int64_t i = 0; i < results; i++)
        wanted[i] = end_of(w->op, wanted[i], (double)(count / results), !is_floating(dtype));
    OK(prune_tensor_create(&axes, NULL, PRUNE_I64, SHAPE(s->axis_count)));
    if (s->axis_count)
        memcpy(prune_tensor_data(axes), s->axes, (size_t)s->axis_count * sizeof *s->axes);
    if (as_input)
        OK(apply(&y, w->opset, w->op, INPUTS(x, axes), "keepdims", PM_INT, keep, NULL));
    else if (s->axis_count)
        OK(apply(&y, w->opset - 1, w->op, INPUTS(x), "keepdims", PM_INT, keep, "axes", PM_INTS, s->axis_count, s->axes,
                 NULL));
    else
        OK(apply(&y, w->opset - 1, w->op, INPUTS(x), "keepdims", PM_INT, keep, NULL));
    ck_assert_int_eq(prune_tensor_dtype(y), dtype);
    for (int64_t i = 0; i < results && dtype == PRUNE_F16; i++)
        if (fabs(wanted[i]) > 65519)
            wanted[i] = copysign(INFINITY, wanted[i]);
    /* Products beyond what a float holds say nothing about rounding. */
    int in_range = 1;
    for (int64_t i = 0; i < results; i++)
        in_range = in_range && !(isfinite(wanted[i]) && fabs(wanted[i]) > 1e38);
    if (in_range)
        expect_numbers(y, rank, out, wanted, w->op);
    free(numbers);
    free(wanted);
    prune_tensor_free(x);
    prune_tensor_free(y);
    prune_tensor_free(axes);
}

START_TEST(axes_of_every_kind)
{
    const int32_t types[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16, PRUNE_I32, PRUNE_I64, PRUNE_U32};
    for (int w = 0; w < COUNT_OF(ways); w++)
        for (int s = 0; s < COUNT_OF(shapes); s++)
            for (int t = 0; t < COUNT_OF(types); t++)
                for (int flags = 0; flags < 8; flags++)
                    if (ways[w].integers || is_floating(types[t]))
                        try_shape(&ways[w], &shapes[s], types[t], flags & 1, flags >> 1 & 1, flags >> 2 & 1);
}
END_TEST

START_TEST(no_axes_may_mean_none)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3), 5, 1), *none, *y;
    double *numbers = doubles_of(x);
    OK(prune_tensor_create(&none, NULL, PRUNE_I64, SHAPE(0)));
    OK(apply(&y, 13, "ReduceSum", INPUTS(x, none), "noop_with_empty_axes", PM_INT, 1, NULL));
    expect_numbers(y, SHAPE(2, 3), numbers, "ReduceSum");
    prune_tensor_free(y);
    OK(apply(&y, 18, "ReduceMean", INPUTS(x), "noop_with_empty_axes", PM_INT, 1, NULL));
    expect_numbers(y, SHAPE(2, 3), numbers, "ReduceMean");
    prune_tensor_free(y);
    free(numbers);
    prune_tensor_free(none);
    prune_tensor_free(x);
}
END_TEST

START_TEST(sums_over_nothing)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(3, 0), 5, 0), *across = random_of(PRUNE_F32, SHAPE(0, 3), 5, 0), *y;
    const int64_t last = 1, first = 0;
    OK(apply(&y, 11, "ReduceSum", INPUTS(x), "axes", PM_INTS, 1, &last, NULL));
    expect_numbers(y, SHAPE(3, 1), (double[]){0, 0, 0}, "ReduceSum");
    prune_tensor_free(y);
    OK(apply(&y, 11, "ReduceMax", INPUTS(across), "axes", PM_INTS, 1, &first, NULL));
    expect_numbers(y, SHAPE(1, 3), (double[]){-INFINITY, -INFINITY, -INFINITY}, "ReduceMax");
    prune_tensor_free(y);
    OK(apply(&y, 11, "ReduceMean", INPUTS(x), "axes", PM_INTS, 1, &last, NULL));
    expect_numbers(y, SHAPE(3, 1), (double[]){NAN, NAN, NAN}, "ReduceMean");
    prune_tensor_free(y);
    OK(apply(&y, 11, "ReduceMean", INPUTS(x), "axes", PM_INTS, 1, &first, NULL));
    expect_numbers(y, SHAPE(1, 0), NULL, "ReduceMean");
    prune_tensor_free(y);
    prune_tensor_free(x);
    prune_tensor_free(across);
}
END_TEST

START_TEST(axes_that_are_not_there_are_refused)
{
    const int64_t three[] = {3}, below[] = {-4}, twice[] = {1, -2}, many[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3, 4), 5, 0), *truth = random_of(PRUNE_BOOL, SHAPE(2, 3, 4), 5, 0);
    prune_tensor *real = tensor_of(PRUNE_F32, SHAPE(1), (double[]){1});
    for (int w = 0; w < COUNT_OF(ways); w++) {
        const char *op = ways[w].op;
        REFUSED(PRUNE_E_SHAPE, "axis 3", 11, op, INPUTS(x), "axes", PM_INTS, 1, three, NULL);
        REFUSED(PRUNE_E_SHAPE, "axis -4", 11, op, INPUTS(x), "axes", PM_INTS, 1, below, NULL);
        REFUSED(PRUNE_E_SHAPE, "twice", 11, op, INPUTS(x), "axes", PM_INTS, 2, twice, NULL);
        REFUSED(PRUNE_E_SHAPE, "9 numbers", 11, op, INPUTS(x), "axes", PM_INTS, 9, many, NULL);
        REFUSED(PRUNE_E_FORMAT, "axes", 18, op, INPUTS(x), "axes", PM_INTS, 1, twice, NULL);
        REFUSED(PRUNE_E_DTYPE, "whole numbers", 18, op, INPUTS(x, real), NULL);
        REFUSED(PRUNE_E_DTYPE, "bool", 18, op, INPUTS(truth), NULL);
        REFUSED(PRUNE_E_FORMAT, "2 inputs", 11, op, INPUTS(x, real), NULL);
        REFUSED(PRUNE_E_FORMAT, "left out", 11, op, INPUTS(NULL), NULL);
    }
    prune_tensor_free(x);
    prune_tensor_free(truth);
    prune_tensor_free(real);
}
END_TEST

TEST_MAIN("ops_reduce", axes_of_every_kind, no_axes_may_mean_none, sums_over_nothing,
          axes_that_are_not_there_are_refused)
