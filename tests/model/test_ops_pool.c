/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pooling against loops in double over every window.
 */
#include "operator_inputs.h"

struct pool {
    int32_t spatial;
    int64_t in[3], kernel[3], stride[3], dilation[3], before[3], after[3];
    int ceil_mode, include;
};

static const struct pool pools[] = {
    {2, {8, 8}, {2, 2}, {2, 2}, {1, 1}, {0}, {0}, 0, 0},
    {2, {7, 33}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 0, 0},
    {2, {7, 33}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 0, 1},
    {2, {7, 6}, {3, 2}, {2, 3}, {1, 1}, {1, 0}, {0, 1}, 1, 0},
    {2, {7, 6}, {3, 2}, {2, 3}, {1, 1}, {1, 0}, {0, 1}, 1, 1},
    {2, {6, 6}, {2, 2}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1, 1},
    {2, {9, 10}, {2, 3}, {1, 2}, {3, 2}, {2, 1}, {1, 2}, 0, 1},
    {2, {9, 10}, {2, 3}, {1, 2}, {3, 2}, {2, 1}, {1, 2}, 1, 0},
    {2, {1, 1}, {1, 1}, {5, 5}, {1, 1}, {0}, {0}, 0, 0},
    {2, {25, 5}, {25, 5}, {2, 2}, {1, 1}, {0}, {0}, 0, 0},
    {2, {3, 4}, {3, 4}, {3, 4}, {1, 1}, {0}, {0, 1}, 0, 1},
    {1, {40}, {5}, {3}, {1}, {2}, {1}, 0, 0},
    {1, {40}, {5}, {3}, {2}, {2}, {2}, 1, 1},
    {3, {4, 5, 6}, {2, 3, 2}, {1, 2, 2}, {1, 1, 2}, {1, 1, 1}, {0, 1, 1}, 0, 0},
    {3, {4, 5, 6}, {2, 3, 2}, {3, 2, 2}, {1, 1, 2}, {1, 1, 1}, {0, 1, 1}, 1, 1},
};

static int64_t extent_of(const struct pool *p, int axis)
{
    int64_t span = (p->kernel[axis] - 1) * p->dilation[axis] + 1,
            room = p->in[axis] + p->before[axis] + p->after[axis] - span;
    int64_t out = room / p->stride[axis] + 1;
    if (p->ceil_mode && room % p->stride[axis] != 0 && out * p->stride[axis] < p->in[axis] + p->before[axis])
        out++;
    return out;
}

/* Maximum, mean and the maximum's place in its plane for one window; -1 where the window has no element. */
static void window(const struct pool *p, const double *x, const int64_t o[3], double *most, double *mean, int64_t at[3])
{
    int64_t in[3] = {1, 1, 1}, counted = 0, any = 0;
    double sum = 0;
    for (int i = 0; i < p->spatial; i++)
        in[i] = p->in[i];
    *most = -INFINITY;
    int64_t k[3];
    int64_t last[3] = {1, 1, 1};
    for (int i = 0; i < p->spatial; i++)
        last[i] = p->kernel[i];
    for (k[0] = 0; k[0] < last[0]; k[0]++)
        for (k[1] = 0; k[1] < last[1]; k[1]++)
            for (k[2] = 0; k[2] < last[2]; k[2]++) {
                int64_t pos[3] = {0, 0, 0};
                int inside = 1, padded = 1;
                for (int i = 0; i < p->spatial; i++) {
                    pos[i] = o[i] * p->stride[i] - p->before[i] + k[i] * p->dilation[i];
                    inside = inside && pos[i] >= 0 && pos[i] < in[i];
                    padded = padded && pos[i] < in[i] + p->after[i];
                }
                counted += p->include ? padded : inside;
                if (!inside)
                    continue;
                double v = x[(pos[0] * in[1] + pos[1]) * in[2] + pos[2]];
                sum += v;
                if (!any || v > *most || (isnan(v) && !isnan(*most))) {
                    *most = v;
                    memcpy(at, pos, sizeof pos);
                }
                any = 1;
            }
    *mean = sum / (double)counted;
}

static int32_t call_pool(const struct pool *p, int outputs, prune_tensor **out, const char *op, const prune_tensor *x,
                         int order)
{
    int64_t pads[6];
    for (int i = 0; i < p->spatial; i++) {
        pads[i] = p->before[i];
        pads[p->spatial + i] = p->after[i];
    }
    return apply_many(outputs, out, 19, op, INPUTS(x), "kernel_shape", PM_INTS, p->spatial, p->kernel, "strides",
                      PM_INTS, p->spatial, p->stride, "dilations", PM_INTS, p->spatial, p->dilation, "pads", PM_INTS,
                      2 * p->spatial, pads, "ceil_mode", PM_INT, p->ceil_mode, "count_include_pad", PM_INT, p->include,
                      "storage_order", PM_INT, order, NULL);
}

static void try_pool(const struct pool *p, int32_t dtype, int specials)
{
    int64_t shape[5] = {2, 3}, out[5] = {2, 3}, in_plane = 1, plane = 1, o[3], e[3] = {1, 1, 1};
    for (int i = 0; i < p->spatial; i++) {
        shape[2 + i] = p->in[i];
        in_plane *= p->in[i];
        e[i] = out[2 + i] = extent_of(p, i);
        plane *= e[i];
    }
    prune_tensor *x = random_of(dtype, 2 + p->spatial, shape, 9, specials), *y[2] = {NULL, NULL}, *alone[1] = {NULL},
                 *mean[1] = {NULL};
    double *numbers = doubles_of(x);
    double *most = malloc((size_t)(6 * plane) * 8), *means = malloc((size_t)(6 * plane) * 8);
    double *places = malloc((size_t)(6 * plane) * 8), *turned = malloc((size_t)(6 * plane) * 8);
    int64_t n = 0;
    for (int64_t c = 0; c < 6; c++)
        for (o[0] = 0; o[0] < e[0]; o[0]++)
            for (o[1] = 0; o[1] < e[1]; o[1]++)
                for (o[2] = 0; o[2] < e[2]; o[2]++, n++) {
                    int64_t at[3] = {0, 0, 0}, in[3] = {1, 1, 1};
                    for (int i = 0; i < p->spatial; i++)
                        in[i] = p->in[i];
                    window(p, numbers + c * in_plane, o, &most[n], &means[n], at);
                    places[n] = (double)(c * in_plane + (at[0] * in[1] + at[1]) * in[2] + at[2]);
                    turned[n] = (double)(c * in_plane + at[0] + in[0] * at[1]);
                }
    OK(call_pool(p, 1, alone, "MaxPool", x, 0));
    expect_numbers(alone[0], 2 + p->spatial, out, most, "MaxPool");
    OK(call_pool(p, 2, y, "MaxPool", x, 0));
    expect_numbers(y[0], 2 + p->spatial, out, most, "MaxPool with places");
    expect_numbers(y[1], 2 + p->spatial, out, places, "places");
    if (p->spatial == 2) {
        prune_tensor *other[2] = {NULL, NULL};
        OK(call_pool(p, 2, other, "MaxPool", x, 1));
        expect_numbers(other[1], 4, out, turned, "places, columns first");
        prune_tensor_free(other[0]);
        prune_tensor_free(other[1]);
    }
    if (is_floating(dtype)) {
        OK(call_pool(p, 1, mean, "AveragePool", x, 0));
        expect_numbers(mean[0], 2 + p->spatial, out, means, "AveragePool");
    }
    prune_tensor_free(x);
    prune_tensor_free(y[0]);
    prune_tensor_free(y[1]);
    prune_tensor_free(alone[0]);
    prune_tensor_free(mean[0]);
    free(numbers);
    free(most);
    free(means);
    free(places);
    free(turned);
}

START_TEST(windows_of_every_kind)
{
    const int32_t types[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16, PRUNE_I8, PRUNE_U8};
    for (int p = 0; p < COUNT_OF(pools); p++)
        for (int t = 0; t < COUNT_OF(types); t++)
            for (int specials = 0; specials < 2; specials++)
                try_pool(&pools[p], types[t], specials);
}
END_TEST

static void expect_extents(const char *auto_pad, int64_t in, int64_t kernel, int64_t stride, int64_t wanted,
                           double first)
{
    double numbers[64];
    for (int i = 0; i < 64; i++)
        numbers[i] = i + 1;
    prune_tensor *x = tensor_of(PRUNE_F32, SHAPE(1, 1, in), numbers), *y;
    OK(apply(&y, 13, "MaxPool", INPUTS(x), "kernel_shape", PM_INTS, 1, &kernel, "strides", PM_INTS, 1, &stride,
             "auto_pad", PM_STRING, auto_pad, NULL));
    ck_assert_int_eq(prune_tensor_shape(y)[2], wanted);
    ck_assert_double_eq((double)*(const float *)prune_tensor_const_data(y), first);
    prune_tensor_free(x);
    prune_tensor_free(y);
}

START_TEST(padding_that_is_derived)
{
    expect_extents("SAME_UPPER", 32, 2, 1, 32, 2);
    expect_extents("SAME_LOWER", 32, 2, 1, 32, 1);
    expect_extents("SAME_UPPER", 7, 3, 2, 4, 2);
    expect_extents("SAME_LOWER", 8, 3, 2, 4, 2);
    expect_extents("SAME_UPPER", 8, 3, 2, 4, 3);
    expect_extents("SAME_UPPER", 7, 2, 5, 2, 2);
    expect_extents("VALID", 8, 3, 2, 3, 3);
    expect_extents("NOTSET", 8, 3, 2, 3, 3);
}
END_TEST

START_TEST(windows_that_do_not_fit_are_refused)
{
    const char *const ops[] = {"MaxPool", "AveragePool"};
    const int64_t two[] = {2, 2}, zero[] = {0, 2}, minus[] = {-1, 2}, large[] = {9, 9}, pads[] = {0, 0, -1, 0};
    const int64_t huge[] = {INT64_MAX, 2};
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(1, 2, 5, 5), 1, 0), *flat = random_of(PRUNE_F32, SHAPE(5, 5), 2, 0);
    prune_tensor *deep = random_of(PRUNE_F32, SHAPE(1, 1, 1, 1, 1, 1), 3, 0),
                 *whole = random_of(PRUNE_I64, SHAPE(1, 2, 5, 5), 3, 0);
    for (int i = 0; i < 2; i++) {
        REFUSED(PRUNE_E_FORMAT, "kernel_shape", 13, ops[i], INPUTS(x), NULL);
        REFUSED(PRUNE_E_SHAPE, "kernel_shape", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 1, two, NULL);
        REFUSED(PRUNE_E_SHAPE, "kernel_shape", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 2, zero, NULL);
        REFUSED(PRUNE_E_SHAPE, "spans 9", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 2, large, NULL);
        REFUSED(PRUNE_E_SHAPE, "strides", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 2, two, "strides", PM_INTS, 2,
                zero, NULL);
        REFUSED(PRUNE_E_SHAPE, "dilations", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 2, two, "dilations",
                PM_INTS, 2, minus, NULL);
        REFUSED(PRUNE_E_SHAPE, "pads", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 2, two, "pads", PM_INTS, 4, pads,
                NULL);
        REFUSED(PRUNE_E_SHAPE, "spans", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 2, huge, NULL);
        REFUSED(PRUNE_E_OVERFLOW, "63 bits", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 2, huge, "dilations",
                PM_INTS, 2, large, NULL);
        REFUSED(PRUNE_E_FORMAT, "auto_pad", 13, ops[i], INPUTS(x), "kernel_shape", PM_INTS, 2, two, "auto_pad",
                PM_STRING, "SAME", NULL);
        REFUSED(PRUNE_E_SHAPE, "2 axes", 13, ops[i], INPUTS(flat), "kernel_shape", PM_INTS, 2, two, NULL);
        REFUSED(PRUNE_E_UNSUPPORTED, "6 axes", 13, ops[i], INPUTS(deep), "kernel_shape", PM_INTS, 2, two, NULL);
        REFUSED(PRUNE_E_DTYPE, "i64", 13, ops[i], INPUTS(whole), "kernel_shape", PM_INTS, 2, two, NULL);
        REFUSED(PRUNE_E_FORMAT, "left out", 13, ops[i], INPUTS(NULL), "kernel_shape", PM_INTS, 2, two, NULL);
    }
    prune_tensor_free(x);
    prune_tensor_free(flat);
    prune_tensor_free(deep);
    prune_tensor_free(whole);
}
END_TEST

START_TEST(pooling_over_everything)
{
    const int32_t types[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16};
    const int64_t widths[] = {1, 8, 13, 600};
    for (int t = 0; t < 4; t++)
        for (int w = 0; w < 4; w++)
            for (int specials = 0; specials < 2; specials++) {
                int64_t shape[] = {2, 3, 3, widths[w]}, out[] = {2, 3, 1, 1}, n = 3 * widths[w];
                prune_tensor *x = random_of(types[t], 4, shape, 4, specials), *y;
                double *numbers = doubles_of(x), most[6], mean[6];
                for (int c = 0; c < 6; c++) {
                    most[c] = -INFINITY;
                    mean[c] = 0;
                    for (int64_t i = 0; i < n; i++) {
                        double v = numbers[c * n + i];
                        mean[c] += v / (double)n;
                        most[c] = isnan(most[c]) || most[c] > v ? most[c] : v;
                    }
                }
                OK(apply(&y, 13, "GlobalAveragePool", INPUTS(x), NULL));
                expect_numbers(y, 4, out, mean, "GlobalAveragePool");
                prune_tensor_free(y);
                OK(apply(&y, 13, "GlobalMaxPool", INPUTS(x), NULL));
                expect_numbers(y, 4, out, most, "GlobalMaxPool");
                prune_tensor_free(y);
                prune_tensor_free(x);
                free(numbers);
            }
    prune_tensor *flat = random_of(PRUNE_F32, SHAPE(5, 5), 2, 0), *whole = random_of(PRUNE_I32, SHAPE(1, 1, 2), 2, 0);
    REFUSED(PRUNE_E_SHAPE, "2 axes", 13, "GlobalAveragePool", INPUTS(flat), NULL);
    REFUSED(PRUNE_E_DTYPE, "i32", 13, "GlobalMaxPool", INPUTS(whole), NULL);
    prune_tensor_free(flat);
    prune_tensor_free(whole);
}
END_TEST

TEST_MAIN("ops_pool", windows_of_every_kind, padding_that_is_derived, windows_that_do_not_fit_are_refused,
          pooling_over_everything)
