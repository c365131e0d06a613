/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operators that move elements, byte for byte against the element that each place of the output must come from.
 */
#include "operator_inputs.h"

#define MOST 4096 /* elements of an output here */

static const int32_t types[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16, PRUNE_I8,  PRUNE_U8,
                                PRUNE_I16, PRUNE_U16, PRUNE_I32, PRUNE_U32,  PRUNE_I64, PRUNE_BOOL};

static int64_t count_of(int32_t rank, const int64_t *shape)
{
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        count *= shape[i];
    return count;
}

static void split_index(int64_t index, int32_t rank, const int64_t *shape, int64_t *place)
{
    for (int32_t i = rank - 1; i >= 0; index /= shape[i--])
        place[i] = index % shape[i];
}

static int64_t join_index(int32_t rank, const int64_t *shape, const int64_t *place)
{
    int64_t index = 0;
    for (int32_t i = 0; i < rank; i++)
        index = index * shape[i] + place[i];
    return index;
}

/* y[i] is x[from[i]], to the bit; zero where from[i] is -1. Lets go of y. */
static void expect_moved(prune_tensor *y, const prune_tensor *x, int32_t rank, const int64_t *shape,
                         const int64_t *from, const char *what)
{
    static const char zero[8];
    int64_t size = prune_dtype_size(prune_tensor_dtype(x));
    const char *got = prune_tensor_const_data(y), *source = prune_tensor_const_data(x);
    ck_assert_int_eq(prune_tensor_dtype(y), prune_tensor_dtype(x));
    ck_assert_msg(prune_tensor_rank(y) == rank, "%s: rank %d instead of %d", what, (int)prune_tensor_rank(y),
                  (int)rank);
    for (int32_t i = 0; i < rank; i++)
        if (prune_tensor_shape(y)[i] != shape[i])
            ck_abort_msg("%s: extent %d is %lld instead of %lld", what, (int)i, (long long)prune_tensor_shape(y)[i],
                         (long long)shape[i]);
    for (int64_t i = 0; i < count_of(rank, shape); i++) {
        int64_t at = from ? from[i] : i;
        if (memcmp(got + i * size, at < 0 ? zero : source + at * size, (size_t)size) != 0)
            ck_abort_msg("%s of %s: element %lld is not element %lld of the input", what,
                         prune_dtype_name(prune_tensor_dtype(x)), (long long)i, (long long)at);
    }
    prune_tensor_free(y);
}

/* Slice. */

static void try_slice(const prune_tensor *x, int32_t axis, int64_t start, int64_t end, int64_t step, int form)
{
    const int64_t *in = prune_tensor_shape(x), axis_number = form & 1 ? axis : axis - 3;
    int64_t kept[16], kept_count = 0, from[MOST], out[3] = {in[0], in[1], in[2]}, extent = in[axis];
    /* As Python's range of the slice's indices, counted in double, where no bound overflows. */
    double least = step > 0 ? 0 : -1, most = step > 0 ? (double)extent : (double)extent - 1;
    double first = start < 0 ? (double)start + (double)extent : (double)start;
    double last = end < 0 ? (double)end + (double)extent : (double)end;
    first = fmin(fmax(first, least), most);
    last = fmin(fmax(last, least), most);
    for (double k = first; step > 0 ? k < last : k > last; k += (double)step)
        kept[kept_count++] = (int64_t)k;
    out[axis] = kept_count;
    for (int64_t i = 0; i < count_of(3, out); i++) {
        int64_t place[3];
        split_index(i, 3, out, place);
        place[axis] = kept[place[axis]];
        from[i] = join_index(3, in, place);
    }
    prune_tensor *starts = wholes(1, &start), *ends = wholes(1, &end), *axes = wholes(1, &axis_number),
                 *steps = wholes(1, &step), *y;
    if (form & 2)
        OK(apply(&y, 13, "Slice", INPUTS(x, starts, ends, axes, steps), NULL));
    else
        OK(apply(&y, 9, "Slice", INPUTS(x), "starts", PM_INTS, 1, &start, "ends", PM_INTS, 1, &end, "axes", PM_INTS, 1,
                 &axis_number, NULL));
    expect_moved(y, x, 3, out, from, "Slice");
    prune_tensor_free(starts);
    prune_tensor_free(ends);
    prune_tensor_free(axes);
    prune_tensor_free(steps);
}

START_TEST(slices_are_those_of_python)
{
    const int64_t bounds[] = {INT64_MIN, -7, -5, -2, -1, 0, 1, 3, 4, 5, 6, INT64_MAX};
    const int64_t steps[] = {1, 2, 3, 9, INT64_MAX, -1, -2, -5, INT64_MIN};
    for (int t = 0; t < COUNT_OF(types); t++) {
        prune_tensor *x = random_of(types[t], SHAPE(3, 5, 4), 7, 1);
        for (int a = 0; a < COUNT_OF(bounds); a++)
            for (int b = 0; b < COUNT_OF(bounds); b++)
                for (int s = 0; s < COUNT_OF(steps); s++) {
                    int32_t axis = (a + b + s) % 3;
                    try_slice(x, axis, bounds[a], bounds[b], steps[s], 2 + (b & 1));
                    if (steps[s] == 1)
                        try_slice(x, axis, bounds[a], bounds[b], 1, b & 1);
                }
        prune_tensor_free(x);
    }
    prune_tensor *empty = random_of(PRUNE_F32, SHAPE(3, 0, 4), 7, 0);
    for (int s = 0; s < COUNT_OF(steps); s++)
        try_slice(empty, 1, -1, INT64_MIN, steps[s], 2);
    prune_tensor_free(empty);
}
END_TEST

/* Transpose. */

static void try_order(const prune_tensor *x, const int64_t *order, int is_default)
{
    int32_t rank = prune_tensor_rank(x);
    const int64_t *in = prune_tensor_shape(x);
    int64_t out[4], from[MOST];
    prune_tensor *y;
    for (int32_t i = 0; i < rank; i++)
        out[i] = in[order[i]];
    for (int64_t i = 0; i < count_of(rank, out); i++) {
        int64_t place[4], source[4];
        split_index(i, rank, out, place);
        for (int32_t k = 0; k < rank; k++)
            source[order[k]] = place[k];
        from[i] = join_index(rank, in, source);
    }
    if (is_default)
        OK(apply(&y, 13, "Transpose", INPUTS(x), NULL));
    else
        OK(apply(&y, 13, "Transpose", INPUTS(x), "perm", PM_INTS, rank, order, NULL));
    expect_moved(y, x, rank, out, from, "Transpose");
}

START_TEST(transposes_of_every_order)
{
    for (int t = 0; t < COUNT_OF(types); t++) {
        prune_tensor *x = random_of(types[t], SHAPE(2, 7, 1, 5), 3, 1);
        prune_tensor *empty = random_of(types[t], SHAPE(2, 0, 3, 5), 3, 0);
        for (int64_t n = 0; n < 256; n++) {
            const int64_t order[] = {n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6};
            if ((1 << order[0] | 1 << order[1] | 1 << order[2] | 1 << order[3]) != 15)
                continue;
            try_order(x, order, 0);
            try_order(empty, order, 0);
        }
        try_order(x, (const int64_t[]){3, 2, 1, 0}, 1);
        prune_tensor_free(x);
        prune_tensor_free(empty);
    }
}
END_TEST

/* Concat and Split. */

/* Splits x into parts, looks at each, and puts them together again. */
static void try_parts(const prune_tensor *x, int32_t axis, const int64_t *parts, int form)
{
    prune_tensor *made[3] = {NULL}, *split = wholes(3, parts), *y;
    const int64_t *in = prune_tensor_shape(x);
    int number = form & 1 ? axis : axis - 3;
    int64_t before = 0, from[MOST];
    if (form & 2)
        OK(apply_many(3, made, 13, "Split", INPUTS(x, split), "axis", PM_INT, number, NULL));
    else
        OK(apply_many(3, made, 11, "Split", INPUTS(x), "axis", PM_INT, number, "split", PM_INTS, 3, parts, NULL));
    OK(apply(&y, 13, "Concat", INPUTS(made[0], made[1], made[2]), "axis", PM_INT, number, NULL));
    expect_moved(y, x, 3, in, NULL, "Concat");
    for (int k = 0; k < 3; before += parts[k++]) {
        int64_t out[3] = {in[0], in[1], in[2]};
        out[axis] = parts[k];
        for (int64_t i = 0; i < count_of(3, out); i++) {
            int64_t place[3];
            split_index(i, 3, out, place);
            place[axis] += before;
            from[i] = join_index(3, in, place);
        }
        expect_moved(made[k], x, 3, out, from, "Split");
    }
    prune_tensor_free(split);
}

START_TEST(parts_are_split_and_put_together)
{
    for (int t = 0; t < COUNT_OF(types); t++)
        for (int32_t axis = 0; axis < 3; axis++)
            for (int form = 0; form < 4; form++) {
                int64_t shape[] = {3, 4, 5};
                shape[axis] = 7;
                prune_tensor *x = random_of(types[t], 3, shape, 11, 1);
                try_parts(x, axis, (const int64_t[]){2, 1, 4}, form);
                try_parts(x, axis, (const int64_t[]){0, 7, 0}, form);
                prune_tensor_free(x);
            }
}
END_TEST

START_TEST(equal_parts_and_those_left_out)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 7), 5, 0), *made[4] = {NULL, UNTOUCHED, NULL, NULL};
    OK(apply_many(4, made, 18, "Split", INPUTS(x), "axis", PM_INT, 1, "num_outputs", PM_INT, 4, NULL));
    expect_moved(made[0], x, SHAPE(2, 2), (const int64_t[]){0, 1, 7, 8}, "Split");
    ck_assert_ptr_eq(made[1], UNTOUCHED);
    expect_moved(made[2], x, SHAPE(2, 2), (const int64_t[]){4, 5, 11, 12}, "Split");
    expect_moved(made[3], x, SHAPE(2, 1), (const int64_t[]){6, 13}, "Split");
    prune_tensor *halves[2] = {NULL, NULL};
    OK(apply_many(2, halves, 9, "Split", INPUTS(x), NULL));
    expect_moved(halves[0], x, SHAPE(1, 7), NULL, "Split");
    expect_moved(halves[1], x, SHAPE(1, 7), (const int64_t[]){7, 8, 9, 10, 11, 12, 13}, "Split");
    prune_tensor_free(x);
}
END_TEST

/* Pad. */

/* Which of `kept` elements stands at `at`: by steps from inside, unlike the operator's arithmetic. */
static int64_t place_inside(const char *mode, int64_t at, int64_t kept)
{
    if (at >= 0 && at < kept)
        return at;
    if (strcmp(mode, "constant") == 0)
        return -1;
    if (strcmp(mode, "edge") == 0)
        return at < 0 ? 0 : kept - 1;
    if (strcmp(mode, "wrap") == 0) {
        while (at < 0)
            at += kept;
        while (at >= kept)
            at -= kept;
        return at;
    }
    for (int64_t k = 0, back = 1; at < 0; at++, k += back)
        if (at == -1)
            return k + back;
    for (int64_t k = kept - 1; at >= kept; at--, k--)
        if (at == kept)
            return k - 1;
    return -1;
}

/* pads: before of three axes, then after. What is cut off is cut off first: the rest is what is repeated. */
static void try_pads(const prune_tensor *x, const char *mode, const int64_t *pads, int as_input)
{
    const int64_t *in = prune_tensor_shape(x);
    int64_t out[3], from[MOST];
    prune_tensor *listed = wholes(6, pads), *y;
    for (int32_t i = 0; i < 3; i++)
        out[i] = in[i] + pads[i] + pads[3 + i];
    for (int64_t i = 0; i < count_of(3, out); i++) {
        int64_t place[3];
        int is_filled = 0;
        split_index(i, 3, out, place);
        for (int32_t k = 0; k < 3; k++) {
            int64_t before = pads[k] < 0 ? -pads[k] : 0, after = pads[3 + k] < 0 ? -pads[3 + k] : 0;
            int64_t at = place_inside(mode, place[k] - (pads[k] > 0 ? pads[k] : 0), in[k] - before - after);
            is_filled |= at < 0;
            place[k] = at + before;
        }
        from[i] = is_filled ? -1 : join_index(3, in, place);
    }
    if (as_input)
        OK(apply(&y, 19, "Pad", INPUTS(x, listed), "mode", PM_STRING, mode, NULL));
    else
        OK(apply(&y, 9, "Pad", INPUTS(x), "mode", PM_STRING, mode, "pads", PM_INTS, 6, pads, NULL));
    expect_moved(y, x, 3, out, from, mode);
    prune_tensor_free(listed);
}

START_TEST(pads_of_every_mode)
{
    static const char *const modes[] = {"constant", "edge", "reflect", "wrap"};
    const int64_t pads[][6] = {{0, 0, 0, 0, 0, 0},  {1, 2, 3, 2, 1, 0},      {0, 0, 4, 0, 0, 4},
                               {2, 0, 0, 0, 3, 0},  {-1, 2, 0, 1, 0, 0},     {0, -2, 1, 0, 1, -1},
                               {0, 0, -3, 0, 0, 1}, {-1, -1, -1, -1, -1, -1}};
    for (int t = 0; t < COUNT_OF(types); t++) {
        prune_tensor *x = random_of(types[t], SHAPE(3, 4, 5), 3, 1);
        for (int m = 0; m < COUNT_OF(modes); m++)
            for (int p = 0; p < COUNT_OF(pads); p++)
                for (int form = 0; form < 2; form++)
                    try_pads(x, modes[m], pads[p], form);
        prune_tensor_free(x);
    }
    prune_tensor *empty = random_of(PRUNE_F32, SHAPE(3, 0, 5), 3, 0);
    try_pads(empty, "constant", (const int64_t[]){0, 2, 1, 0, 1, 0}, 1);
    try_pads(empty, "reflect", (const int64_t[]){1, 0, 1, 0, 0, 0}, 1);
    prune_tensor_free(empty);
}
END_TEST

START_TEST(pads_of_some_axes_by_a_constant)
{
    const double numbers[] = {1, 2, 3, 4, 5, 6}, constant = -7.5;
    prune_tensor *x = tensor_of(PRUNE_F16, SHAPE(2, 3), numbers), *pads = wholes(2, (const int64_t[]){1, 0}), *y;
    prune_tensor *axes = wholes(1, (const int64_t[]){-1}), *value = tensor_of(PRUNE_F16, 0, NULL, &constant);
    OK(apply(&y, 18, "Pad", INPUTS(x, pads, value, axes), NULL));
    expect_numbers(y, SHAPE(2, 4), (const double[]){-7.5, 1, 2, 3, -7.5, 4, 5, 6}, "Pad");
    prune_tensor_free(y);
    OK(apply(&y, 9, "Pad", INPUTS(x), "pads", PM_INTS, 4, (const int64_t[]){0, 0, 1, -1}, "value", PM_FLOAT, 0.5,
             NULL));
    expect_numbers(y, SHAPE(3, 2), (const double[]){1, 2, 4, 5, 0.5, 0.5}, "Pad");
    prune_tensor_free(y);
    prune_tensor_free(x);
    prune_tensor_free(pads);
    prune_tensor_free(axes);
    prune_tensor_free(value);
}
END_TEST

/* A cut leaves fewer elements than the axis had: 5 without 3 are 2, which reflect one place and not four. */
START_TEST(pads_from_less_than_they_need_are_refused)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(5), 3, 0), *none = random_of(PRUNE_F32, SHAPE(0), 3, 0);
    const int64_t reflect[] = {4, -3}, all[] = {1, -5}, before[] = {-5, 1}, most[] = {5, 0}, one[] = {0, 1};
    const int64_t more[] = {-6, 0};
    REFUSED(PRUNE_E_SHAPE, "2 elements", 19, "Pad", INPUTS(x), "mode", PM_STRING, "reflect", "pads", PM_INTS, 2,
            reflect, NULL);
    for (int m = 0; m < 3; m++) {
        const char *mode = m == 0 ? "edge" : m == 1 ? "wrap" : "reflect";
        REFUSED(PRUNE_E_SHAPE, "0 elements", 19, "Pad", INPUTS(x), "mode", PM_STRING, mode, "pads", PM_INTS, 2, all,
                NULL);
        REFUSED(PRUNE_E_SHAPE, "0 elements", 19, "Pad", INPUTS(x), "mode", PM_STRING, mode, "pads", PM_INTS, 2, before,
                NULL);
        REFUSED(PRUNE_E_SHAPE, "0 elements", 19, "Pad", INPUTS(none), "mode", PM_STRING, mode, "pads", PM_INTS, 2, one,
                NULL);
    }
    REFUSED(PRUNE_E_SHAPE, "5 elements", 19, "Pad", INPUTS(x), "mode", PM_STRING, "reflect", "pads", PM_INTS, 2, most,
            NULL);
    REFUSED(PRUNE_E_SHAPE, "-6", 9, "Pad", INPUTS(x), "pads", PM_INTS, 2, more, NULL);
    REFUSED(PRUNE_E_SHAPE, "two each", 9, "Pad", INPUTS(x), "pads", PM_INTS, 1, more, NULL);
    REFUSED(PRUNE_E_UNSUPPORTED, "mirror", 9, "Pad", INPUTS(x), "mode", PM_STRING, "mirror", NULL);
    prune_tensor_free(x);
    prune_tensor_free(none);
}
END_TEST

/* What shares its input's elements. */

START_TEST(views_keep_every_byte)
{
    for (int t = 0; t < COUNT_OF(types); t++) {
        prune_tensor *x = random_of(types[t], SHAPE(2, 1, 6, 1), 3, 1), *y;
        prune_tensor *shape = wholes(3, (const int64_t[]){0, -1, 3}), *axes = wholes(1, (const int64_t[]){-1});
        OK(apply(&y, 13, "Reshape", INPUTS(x, shape), NULL));
        expect_moved(y, x, SHAPE(2, 2, 3), NULL, "Reshape");
        OK(apply(&y, 13, "Identity", INPUTS(x), NULL));
        expect_moved(y, x, SHAPE(2, 1, 6, 1), NULL, "Identity");
        OK(apply(&y, 13, "Squeeze", INPUTS(x, axes), NULL));
        expect_moved(y, x, SHAPE(2, 1, 6), NULL, "Squeeze");
        OK(apply(&y, 13, "Squeeze", INPUTS(x), NULL));
        expect_moved(y, x, SHAPE(2, 6), NULL, "Squeeze");
        OK(apply(&y, 11, "Squeeze", INPUTS(x), "axes", PM_INTS, 2, (const int64_t[]){1, -1}, NULL));
        expect_moved(y, x, SHAPE(2, 6), NULL, "Squeeze");
        OK(apply(&y, 13, "Unsqueeze", INPUTS(x, axes), NULL));
        expect_moved(y, x, SHAPE(2, 1, 6, 1, 1), NULL, "Unsqueeze");
        OK(apply(&y, 11, "Unsqueeze", INPUTS(x), "axes", PM_INTS, 2, (const int64_t[]){-2, 0}, NULL));
        expect_moved(y, x, SHAPE(1, 2, 1, 6, 1, 1), NULL, "Unsqueeze");
        for (int axis = -4; axis <= 4; axis++) {
            const int64_t rows[] = {1, 2, 2, 12, 12};
            int64_t row = rows[axis < 0 ? axis + 4 : axis];
            OK(apply(&y, 13, "Flatten", INPUTS(x), "axis", PM_INT, axis, NULL));
            expect_moved(y, x, SHAPE(row, 12 / row), NULL, "Flatten");
        }
        prune_tensor_free(x);
        prune_tensor_free(shape);
        prune_tensor_free(axes);
    }
}
END_TEST

START_TEST(views_of_nothing_and_of_one_number)
{
    const double one = 3;
    prune_tensor *none = random_of(PRUNE_F32, SHAPE(2, 0, 3), 3, 0), *number = tensor_of(PRUNE_F32, 0, NULL, &one), *y;
    prune_tensor *zero = wholes(2, (const int64_t[]){0, 5}), *copy = wholes(2, (const int64_t[]){0, 0});
    prune_tensor *scalar = wholes(0, (const int64_t[]){0}), *many = wholes(2, (const int64_t[]){-1, 2});
    OK(apply(&y, 14, "Reshape", INPUTS(none, zero), "allowzero", PM_INT, 1, NULL));
    expect_moved(y, none, SHAPE(0, 5), NULL, "Reshape");
    OK(apply(&y, 14, "Reshape", INPUTS(none, copy), NULL));
    expect_moved(y, none, SHAPE(2, 0), NULL, "Reshape");
    OK(apply(&y, 14, "Reshape", INPUTS(none, many), NULL));
    expect_moved(y, none, SHAPE(0, 2), NULL, "Reshape");
    OK(apply(&y, 13, "Flatten", INPUTS(none), NULL));
    expect_moved(y, none, SHAPE(2, 0), NULL, "Flatten");
    OK(apply(&y, 13, "Flatten", INPUTS(number), "axis", PM_INT, 0, NULL));
    expect_moved(y, number, SHAPE(1, 1), NULL, "Flatten");
    prune_tensor *square = y = NULL;
    OK(apply(&square, 13, "Flatten", INPUTS(number), "axis", PM_INT, 0, NULL));
    OK(apply(&y, 14, "Reshape", INPUTS(square, scalar), NULL));
    expect_moved(y, number, 0, NULL, NULL, "Reshape");
    REFUSED(PRUNE_E_SHAPE, "shared out", 14, "Reshape", INPUTS(number, many), NULL);
    REFUSED(PRUNE_E_SHAPE, "0 elements", 14, "Reshape", INPUTS(none, scalar), NULL);
    prune_tensor_free(square);
    prune_tensor_free(none);
    prune_tensor_free(number);
    prune_tensor_free(zero);
    prune_tensor_free(copy);
    prune_tensor_free(scalar);
    prune_tensor_free(many);
}
END_TEST

START_TEST(views_of_other_counts_are_refused)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3), 3, 0), *five = wholes(1, (const int64_t[]){5});
    prune_tensor *two = wholes(2, (const int64_t[]){-1, -1}), *low = wholes(2, (const int64_t[]){-2, 3});
    prune_tensor *long_one = wholes(3, (const int64_t[]){2, 3, 0}),
                 *real = tensor_of(PRUNE_F32, SHAPE(1), (double[]){6});
    prune_tensor *vast = wholes(2, (const int64_t[]){INT64_MAX, 2});
    REFUSED(PRUNE_E_SHAPE, "6 elements", 13, "Reshape", INPUTS(x, five), NULL);
    REFUSED(PRUNE_E_SHAPE, "extents 0 and 1 are -1", 13, "Reshape", INPUTS(x, two), NULL);
    REFUSED(PRUNE_E_SHAPE, "-2", 13, "Reshape", INPUTS(x, low), NULL);
    REFUSED(PRUNE_E_SHAPE, "rank 2", 13, "Reshape", INPUTS(x, long_one), NULL);
    REFUSED(PRUNE_E_DTYPE, "whole numbers", 13, "Reshape", INPUTS(x, real), NULL);
    REFUSED(PRUNE_E_FORMAT, "neither", 13, "Reshape", INPUTS(x), NULL);
    FAILS(apply(&(prune_tensor *){UNTOUCHED}, 13, "Reshape", INPUTS(x, vast), NULL), PRUNE_E_OVERFLOW, "");
    REFUSED(PRUNE_E_SHAPE, "axis 3", 13, "Flatten", INPUTS(x), "axis", PM_INT, 3, NULL);
    REFUSED(PRUNE_E_SHAPE, "axis -3", 13, "Flatten", INPUTS(x), "axis", PM_INT, -3, NULL);
    REFUSED(PRUNE_E_SHAPE, "3 elements", 11, "Squeeze", INPUTS(x), "axes", PM_INTS, 1, (const int64_t[]){1}, NULL);
    REFUSED(PRUNE_E_SHAPE, "axis 5", 13, "Squeeze", INPUTS(x, five), NULL);
    REFUSED(PRUNE_E_SHAPE, "twice", 11, "Unsqueeze", INPUTS(x), "axes", PM_INTS, 2, (const int64_t[]){1, -3}, NULL);
    REFUSED(PRUNE_E_SHAPE, "9 axes", 11, "Unsqueeze", INPUTS(x), "axes", PM_INTS, 7,
            (const int64_t[]){0, 1, 2, 3, 4, 5, 6}, NULL);
    REFUSED(PRUNE_E_FORMAT, "axes", 13, "Unsqueeze", INPUTS(x), NULL);
    REFUSED(PRUNE_E_FORMAT, "2 inputs", 13, "Identity", INPUTS(x, x), NULL);
    prune_tensor_free(x);
    prune_tensor_free(five);
    prune_tensor_free(two);
    prune_tensor_free(low);
    prune_tensor_free(long_one);
    prune_tensor_free(real);
    prune_tensor_free(vast);
}
END_TEST

/* Expand and Gather. */

START_TEST(expands_to_both_shapes)
{
    for (int t = 0; t < COUNT_OF(types); t++) {
        prune_tensor *x = random_of(types[t], SHAPE(3, 1), 3, 1), *y;
        prune_tensor *shape = wholes(3, (const int64_t[]){2, 1, 5}), *none = wholes(2, (const int64_t[]){3, 0});
        int64_t from[30];
        for (int64_t i = 0; i < 30; i++)
            from[i] = i / 5 % 3;
        OK(apply(&y, 13, "Expand", INPUTS(x, shape), NULL));
        expect_moved(y, x, SHAPE(2, 3, 5), from, "Expand");
        OK(apply(&y, 13, "Expand", INPUTS(x, none), NULL));
        expect_moved(y, x, SHAPE(3, 0), NULL, "Expand");
        REFUSED(PRUNE_E_SHAPE, "broadcast", 13, "Expand", INPUTS(y = random_of(types[t], SHAPE(4), 1, 0), shape), NULL);
        prune_tensor_free(y);
        prune_tensor_free(x);
        prune_tensor_free(shape);
        prune_tensor_free(none);
    }
}
END_TEST

START_TEST(gathers_along_every_axis)
{
    const int64_t in[] = {3, 4, 5};
    const double indices[] = {0, -1, 2, -3, 1, 1};
    for (int t = 0; t < COUNT_OF(types); t++)
        for (int form = 0; form < 12; form++) {
            int32_t axis = form % 3, rank = form & 1 ? 2 : 0, out_rank = rank + 2, used = 0;
            int64_t out[4], from[MOST], count = rank ? 6 : 1, place[4];
            prune_tensor *x = random_of(types[t], 3, in, 9, 1), *y;
            prune_tensor *at = tensor_of(form & 2 ? PRUNE_I32 : PRUNE_I64, rank, (const int64_t[]){2, 3}, indices);
            for (int32_t i = 0; i < 3; i++)
                if (i != axis)
                    out[used++] = in[i];
                else if (rank)
                    out[used++] = 2, out[used++] = 3;
            if (!rank)
                out_rank = 2;
            for (int64_t i = 0; i < count_of(out_rank, out); i++) {
                int64_t source[3];
                split_index(i, out_rank, out, place);
                int64_t k = rank ? place[axis] * 3 + place[axis + 1] : 0;
                int64_t index = (int64_t)indices[count == 1 ? 0 : k];
                for (int32_t a = 0; a < 3; a++)
                    source[a] = a < axis ? place[a] : a == axis ? (index + in[a]) % in[a] : place[a + rank - 1];
                from[i] = join_index(3, in, source);
            }
            OK(apply(&y, 13, "Gather", INPUTS(x, at), "axis", PM_INT, form & 4 ? axis : axis - 3, NULL));
            expect_moved(y, x, out_rank, out, from, "Gather");
            prune_tensor_free(x);
            prune_tensor_free(at);
        }
}
END_TEST

START_TEST(gathers_from_outside_are_refused)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3), 3, 0), *none = random_of(PRUNE_F32, SHAPE(0, 3), 3, 0), *y;
    prune_tensor *two = wholes(1, (const int64_t[]){2}), *below = wholes(1, (const int64_t[]){-3});
    prune_tensor *zero = wholes(1, (const int64_t[]){0}), *nothing = wholes(0, (const int64_t[]){0});
    REFUSED(PRUNE_E_VALUE, "index 2", 13, "Gather", INPUTS(x, two), NULL);
    REFUSED(PRUNE_E_VALUE, "index -3", 13, "Gather", INPUTS(x, below), NULL);
    REFUSED(PRUNE_E_VALUE, "index 0", 13, "Gather", INPUTS(none, zero), NULL);
    REFUSED(PRUNE_E_SHAPE, "axis 2", 13, "Gather", INPUTS(x, zero), "axis", PM_INT, 2, NULL);
    REFUSED(PRUNE_E_DTYPE, "i32 or i64", 13, "Gather", INPUTS(x, x), NULL);
    OK(apply(&y, 13, "Gather", INPUTS(x, nothing), NULL));
    expect_moved(y, x, SHAPE(0, 3), NULL, "Gather");
    prune_tensor_free(x);
    prune_tensor_free(none);
    prune_tensor_free(two);
    prune_tensor_free(below);
    prune_tensor_free(zero);
    prune_tensor_free(nothing);
}
END_TEST

START_TEST(parts_that_do_not_fit_are_refused)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3), 3, 0), *other = random_of(PRUNE_F32, SHAPE(2, 4), 3, 0);
    prune_tensor *whole = random_of(PRUNE_I32, SHAPE(2, 3), 3, 0), *made[3] = {UNTOUCHED, NULL, NULL};
    prune_tensor *one = wholes(1, (const int64_t[]){0}), *two = wholes(2, (const int64_t[]){0, 0});
    REFUSED(PRUNE_E_SHAPE, "f32[2,4]", 13, "Concat", INPUTS(x, other), "axis", PM_INT, 0, NULL);
    REFUSED(PRUNE_E_SHAPE, "i32[2,3]", 13, "Concat", INPUTS(x, whole), "axis", PM_INT, 0, NULL);
    REFUSED(PRUNE_E_SHAPE, "axis -3", 13, "Concat", INPUTS(x, x), "axis", PM_INT, -3, NULL);
    REFUSED(PRUNE_E_FORMAT, "axis", 13, "Concat", INPUTS(x, x), NULL);
    made[0] = NULL;
    FAILS(apply_many(2, made, 13, "Split", INPUTS(x), "axis", PM_INT, 1, NULL), PRUNE_E_SHAPE, "2 equal parts");
    FAILS(apply_many(2, made, 11, "Split", INPUTS(x), "split", PM_INTS, 2, (const int64_t[]){1, 2}, NULL),
          PRUNE_E_SHAPE, "3 elements");
    FAILS(apply_many(2, made, 11, "Split", INPUTS(x), "split", PM_INTS, 2, (const int64_t[]){3, -1}, NULL),
          PRUNE_E_SHAPE, "-1");
    FAILS(apply_many(2, made, 11, "Split", INPUTS(x), "split", PM_INTS, 1, (const int64_t[]){2}, NULL), PRUNE_E_SHAPE,
          "2 outputs");
    ck_assert_ptr_null(made[0]);
    ck_assert_ptr_null(made[1]);
    REFUSED(PRUNE_E_SHAPE, "perm has 1", 13, "Transpose", INPUTS(x), "perm", PM_INTS, 1, (const int64_t[]){0}, NULL);
    REFUSED(PRUNE_E_SHAPE, "twice", 13, "Transpose", INPUTS(x), "perm", PM_INTS, 2, (const int64_t[]){1, 1}, NULL);
    REFUSED(PRUNE_E_SHAPE, "axis 2", 13, "Transpose", INPUTS(x), "perm", PM_INTS, 2, (const int64_t[]){0, 2}, NULL);
    REFUSED(PRUNE_E_SHAPE, "is 0", 13, "Slice", INPUTS(x, one, one, one, one), NULL);
    REFUSED(PRUNE_E_SHAPE, "2 ends", 13, "Slice", INPUTS(x, one, two), NULL);
    REFUSED(PRUNE_E_SHAPE, "-1 starts", 13, "Slice", INPUTS(x), NULL);
    prune_tensor_free(x);
    prune_tensor_free(other);
    prune_tensor_free(whole);
    prune_tensor_free(one);
    prune_tensor_free(two);
}
END_TEST

TEST_MAIN("ops_shape", slices_are_those_of_python, transposes_of_every_order, parts_are_split_and_put_together,
          equal_parts_and_those_left_out, pads_of_every_mode, pads_of_some_axes_by_a_constant,
          pads_from_less_than_they_need_are_refused, views_keep_every_byte, views_of_nothing_and_of_one_number,
          views_of_other_counts_are_refused, expands_to_both_shapes, gathers_along_every_axis,
          gathers_from_outside_are_refused, parts_that_do_not_fit_are_refused)
