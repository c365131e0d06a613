/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operators with weights, against sums in double precision.
 */
#include <math.h>

#include "graphs.h"

/* A tensor of numbers in (-1, 1) that depend on `seed` alone. */
static prune_tensor *numbers(uint64_t seed, int32_t rank, const int64_t *shape)
{
    prune_tensor *made;
    OK(prune_tensor_create(&made, NULL, PRUNE_F32, rank, shape));
    float *to = prune_tensor_data(made);
    uint64_t state = seed * 2654435761U + 12345;
    for (int64_t i = 0; i < prune_tensor_count(made); i++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        to[i] = (float)((double)(state >> 33) / 1073741824.0 - 1);
    }
    return made;
}

static const float *floats(const prune_tensor *tensor)
{
    return prune_tensor_const_data(tensor);
}

/* Within gamma(n + 4) of the sum of magnitudes: products, bias, and the epilogue's roundings. */
static void close_to(float value, double expected, double magnitude, int64_t n, const char *what, int64_t index)
{
    double u = (double)(n + 4) / 16777216, bound = u / (1 - u) * magnitude + 1e-37;
    ck_assert_msg(fabs((double)value - expected) <= bound, "%s: element %lld is %.9g, must be %.9g within %.3g", what,
                  (long long)index, (double)value, expected, bound);
}

/* A convolution and how it is to be computed. */
struct conv {
    const char *what;
    int32_t axes;
    int64_t batch, channels, out, groups;
    int64_t in[3], kernel[3], stride[3], dilation[3], begin[3], end[3];
    int bias;
};

static int64_t outputs_of(const struct conv *c, int32_t i)
{
    return (c->in[i] + c->begin[i] + c->end[i] - c->dilation[i] * (c->kernel[i] - 1) - 1) / c->stride[i] + 1;
}

/* One output, by its place, in double precision; `magnitude` becomes the sum of magnitudes. */
static double conv_at(const struct conv *c, const float *x, const float *w, const float *bias, int64_t image,
                      int64_t channel, const int64_t place[3], double *magnitude)
{
    int64_t in = c->channels / c->groups, group = channel / (c->out / c->groups), k[3];
    double sum = bias ? (double)bias[channel] : 0;
    *magnitude = fabs(sum);
    for (int64_t i = 0; i < in; i++)
        for (k[0] = 0; k[0] < c->kernel[0]; k[0]++)
            for (k[1] = 0; k[1] < c->kernel[1]; k[1]++)
                for (k[2] = 0; k[2] < c->kernel[2]; k[2]++) {
                    int64_t at = image * c->channels + group * in + i, tap = channel * in + i;
                    int inside = 1;
                    for (int32_t d = 0; d < 3; d++) {
                        int64_t p = place[d] * c->stride[d] + k[d] * c->dilation[d] - c->begin[d];
                        inside = inside && p >= 0 && p < c->in[d];
                        at = at * c->in[d] + p;
                        tap = tap * c->kernel[d] + k[d];
                    }
                    if (inside) {
                        sum += (double)w[tap] * (double)x[at];
                        *magnitude += fabs((double)w[tap] * (double)x[at]);
                    }
                }
    return sum;
}

static void compare_conv(const struct conv *c, const prune_tensor *y, const prune_tensor *x, const prune_tensor *w,
                         const prune_tensor *bias)
{
    int64_t index = 0, place[3], n = prune_tensor_count(w) / c->out;
    for (int64_t image = 0; image < c->batch; image++)
        for (int64_t channel = 0; channel < c->out; channel++)
            for (place[0] = 0; place[0] < outputs_of(c, 0); place[0]++)
                for (place[1] = 0; place[1] < outputs_of(c, 1); place[1]++)
                    for (place[2] = 0; place[2] < outputs_of(c, 2); place[2]++, index++) {
                        double magnitude;
                        double due = conv_at(c, floats(x), floats(w), bias ? floats(bias) : NULL, image, channel, place,
                                             &magnitude);
                        close_to(floats(y)[index], due, magnitude, n, c->what, index);
                    }
    ck_assert_int_eq(index, prune_tensor_count(y));
}

static void conv_inputs(const struct conv *c, prune_tensor **inputs)
{
    int32_t skip = 3 - c->axes;
    int64_t x[5] = {c->batch, c->channels}, w[5] = {c->out, c->channels / c->groups};
    for (int32_t i = 0; i < c->axes; i++) {
        x[2 + i] = c->in[skip + i];
        w[2 + i] = c->kernel[skip + i];
    }
    inputs[0] = numbers(1, 2 + c->axes, x);
    inputs[1] = numbers(2, 2 + c->axes, w);
    inputs[2] = c->bias ? numbers(3, 1, &c->out) : NULL;
}

static void check_conv(const struct conv *c)
{
    int32_t skip = 3 - c->axes;
    int64_t pads[6];
    prune_tensor *inputs[3], *y;
    conv_inputs(c, inputs);
    for (int32_t i = 0; i < c->axes; i++) {
        pads[i] = c->begin[skip + i];
        pads[c->axes + i] = c->end[skip + i];
    }
    OK(apply(&y, 11, "Conv", c->bias ? 3 : 2, (const prune_tensor *const *)inputs, "strides", PM_INTS, c->axes,
             c->stride + skip, "dilations", PM_INTS, c->axes, c->dilation + skip, "pads", PM_INTS, 2 * c->axes, pads,
             "group", PM_INT, (int)c->groups, NULL));
    compare_conv(c, y, inputs[0], inputs[1], inputs[2]);
    prune_tensor_free(y);
    for (int i = 0; i < 3; i++)
        prune_tensor_free(inputs[i]);
}

static const struct conv convs[] = {
    {"3x3, same", 2, 2, 16, 16, 1, {1, 32, 32}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}, 1},
    {"3x3, half", 2, 2, 5, 7, 1, {1, 17, 15}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}, 1},
    {"5x3, pads unequal", 2, 1, 3, 9, 1, {1, 13, 11}, {1, 5, 3}, {1, 1, 1}, {1, 1, 1}, {0, 4, 0}, {0, 1, 2}, 0},
    {"5x3, wide pads, rows as wide",
     2,
     1,
     3,
     9,
     1,
     {1, 6, 2},
     {1, 5, 7},
     {1, 1, 1},
     {1, 1, 1},
     {0, 4, 5},
     {0, 4, 1},
     0},
    {"3x3, dilated", 2, 1, 4, 6, 2, {1, 14, 19}, {1, 3, 3}, {1, 1, 1}, {1, 2, 3}, {0, 2, 3}, {0, 2, 3}, 1},
    {"10x4 by 2", 2, 1, 1, 64, 1, {1, 49, 10}, {1, 10, 4}, {1, 2, 2}, {1, 1, 1}, {0, 5, 1}, {0, 5, 1}, 1},
    {"7x3 by 2, several panels", 2, 1, 2, 9, 1, {1, 41, 40}, {1, 7, 3}, {1, 2, 2}, {1, 1, 1}, {0, 3, 1}, {0, 3, 1}, 1},
    {"5x3 by 4, dilated by 2", 2, 1, 2, 9, 1, {1, 60, 11}, {1, 5, 3}, {1, 4, 1}, {1, 2, 1}, {0, 2, 0}, {0, 5, 1}, 0},
    {"3x3, narrower than x", 2, 2, 3, 5, 1, {1, 30, 8}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 0}, {0, 1, 0}, 1},
    {"1x1", 2, 3, 24, 10, 1, {1, 7, 9}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 1},
    {"1x1 of many outputs", 2, 1, 24, 10, 1, {1, 20, 17}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0},
    {"1x1 by 2", 2, 2, 16, 32, 1, {1, 8, 8}, {1, 1, 1}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0},
    {"1x1, padded", 2, 1, 3, 2, 1, {1, 4, 4}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 1, 0}, {0, 0, 2}, 1},
    {"groups", 2, 2, 12, 8, 4, {1, 9, 9}, {1, 3, 3}, {1, 1, 2}, {1, 1, 1}, {0, 1, 0}, {0, 0, 1}, 1},
    {"depthwise 3x3", 2, 2, 19, 19, 19, {1, 25, 5}, {1, 3, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}, 1},
    {"depthwise, by 2, two each",
     2,
     1,
     6,
     12,
     6,
     {1, 12, 37},
     {1, 3, 5},
     {1, 2, 2},
     {1, 2, 1},
     {0, 3, 2},
     {0, 0, 1},
     0},
    {"depthwise, rows by 2", 2, 1, 3, 6, 3, {1, 12, 9}, {1, 3, 3}, {1, 2, 1}, {1, 1, 2}, {0, 0, 5}, {0, 2, 0}, 1},
    {"depthwise 1-D", 1, 2, 5, 5, 5, {1, 1, 33}, {1, 1, 4}, {1, 1, 1}, {1, 1, 3}, {0, 0, 0}, {0, 0, 2}, 1},
    {"1-D", 1, 2, 6, 10, 2, {1, 1, 50}, {1, 1, 5}, {1, 1, 3}, {1, 1, 2}, {0, 0, 4}, {0, 0, 1}, 1},
    {"1-D, wide", 1, 1, 8, 6, 1, {1, 1, 700}, {1, 1, 3}, {1, 1, 1}, {1, 1, 1}, {0, 0, 1}, {0, 0, 1}, 1},
    {"3-D", 3, 1, 2, 3, 1, {5, 6, 7}, {2, 3, 2}, {2, 1, 1}, {1, 1, 2}, {1, 0, 1}, {0, 1, 1}, 1},
};

START_TEST(convolutions_are_their_sums)
{
    check_conv(&convs[_i]);
}
END_TEST

/* Y [rows][out] of A and B by strides, plus beta C. */
static void compare_product(const char *what, const float *y, int64_t rows, int64_t in, int64_t out, const float *a,
                            int64_t a_row, int64_t a_column, const float *b, int64_t b_row, int64_t b_column,
                            double alpha, double beta, const float *c, int64_t c_row, int64_t c_column)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < out; j++) {
            double added = c ? beta * (double)c[i * c_row + j * c_column] : 0, sum = 0, magnitude = 0;
            for (int64_t k = 0; k < in; k++) {
                double one = (double)a[i * a_row + k * a_column] * (double)b[k * b_row + j * b_column];
                sum += one;
                magnitude += fabs(one);
            }
            close_to(y[i * out + j], alpha * sum + added, fabs(alpha) * magnitude + fabs(added), in, what, i * out + j);
        }
}

static const int64_t c_shapes[][3] = {{0, 0, 0}, {1, 7, 0}, {1, 1, 0}, {2, 1, 7}, {2, 5, 1}, {2, 5, 7}, {2, 1, 1}};

START_TEST(gemm_with_every_transposition_and_c)
{
    int ta = _i & 1, tb = _i >> 1 & 1, shape = _i >> 2;
    int64_t rank = c_shapes[shape][0], m = 5, n = 7, k = 11, last = rank ? c_shapes[shape][rank] : 1;
    prune_tensor *in[3], *y;
    in[0] = numbers(4, 2, ta ? (const int64_t[]){k, m} : (const int64_t[]){m, k});
    in[1] = numbers(5, 2, tb ? (const int64_t[]){n, k} : (const int64_t[]){k, n});
    in[2] = numbers(6, (int32_t)rank, &c_shapes[shape][1]);
    OK(apply(&y, 13, "Gemm", 3, (const prune_tensor *const *)in, "transA", PM_INT, ta, "transB", PM_INT, tb, "alpha",
             PM_FLOAT, 0.5, "beta", PM_FLOAT, -1.5, NULL));
    compare_product("Gemm", floats(y), m, k, n, floats(in[0]), ta ? 1 : k, ta ? m : 1, floats(in[1]), tb ? 1 : n,
                    tb ? k : 1, 0.5, -1.5, floats(in[2]), rank == 2 && c_shapes[shape][1] > 1 ? last : 0, last > 1);
    prune_tensor_free(y);
    for (int i = 0; i < 3; i++)
        prune_tensor_free(in[i]);
}
END_TEST

START_TEST(gemm_without_c)
{
    prune_tensor *y, *a = numbers(4, 2, (const int64_t[]){70, 300}), *b = numbers(5, 2, (const int64_t[]){300, 33});
    OK(apply(&y, 13, "Gemm", 2, (const prune_tensor *[]){a, b}, NULL));
    compare_product("Gemm", floats(y), 70, 300, 33, floats(a), 300, 1, floats(b), 33, 1, 1, 0, NULL, 0, 0);
    prune_tensor_free(y);
    FAILS(apply(&y, 13, "Gemm", 2, (const prune_tensor *[]){b, b}, NULL), PRUNE_E_SHAPE, "f32[300,33]");
    FAILS(apply(&y, 13, "Gemm", 3, (const prune_tensor *[]){a, b, a}, NULL), PRUNE_E_SHAPE, "[70,33]");
    prune_tensor_free(a);
    prune_tensor_free(b);
}
END_TEST

/* Matrices a and b begin at, for each of `batch` products. */
static void check_matmul(int32_t rank_a, const int64_t *shape_a, int32_t rank_b, const int64_t *shape_b, int32_t rank_y,
                         const int64_t *shape_y, const int64_t *at_a, const int64_t *at_b, int64_t batch, int64_t m,
                         int64_t k, int64_t n)
{
    prune_tensor *y, *a = numbers(7, rank_a, shape_a), *b = numbers(8, rank_b, shape_b);
    OK(apply(&y, 13, "MatMul", 2, (const prune_tensor *[]){a, b}, NULL));
    ck_assert_int_eq(prune_tensor_rank(y), rank_y);
    for (int32_t i = 0; i < rank_y; i++)
        ck_assert_int_eq(prune_tensor_shape(y)[i], shape_y[i]);
    ck_assert_int_eq(prune_tensor_count(y), batch * m * n);
    for (int64_t i = 0; i < batch; i++)
        compare_product("MatMul", floats(y) + i * m * n, m, k, n, floats(a) + at_a[i] * m * k, k, 1,
                        floats(b) + at_b[i] * k * n, n, 1, 1, 0, NULL, 0, 0);
    prune_tensor_free(y);
    prune_tensor_free(a);
    prune_tensor_free(b);
}

START_TEST(matmul_as_numpy_has_it)
{
    const int64_t none[6] = {0}, counted[6] = {0, 1, 2, 3, 4, 5}, rows[6] = {0, 0, 0, 1, 1, 1},
                  columns[6] = {0, 1, 2, 0, 1, 2};
#define S(...) ((const int64_t[]){__VA_ARGS__})
    check_matmul(2, S(3, 4), 2, S(4, 5), 2, S(3, 5), none, none, 1, 3, 4, 5);
    check_matmul(1, S(4), 2, S(4, 5), 1, S(5), none, none, 1, 1, 4, 5);
    check_matmul(2, S(3, 4), 1, S(4), 1, S(3), none, none, 1, 3, 4, 1);
    check_matmul(1, S(4), 1, S(4), 0, S(0), none, none, 1, 1, 4, 1);
    check_matmul(3, S(6, 3, 4), 2, S(4, 5), 3, S(6, 3, 5), counted, none, 6, 3, 4, 5);
    check_matmul(3, S(6, 3, 4), 3, S(6, 4, 5), 3, S(6, 3, 5), counted, counted, 6, 3, 4, 5);
    check_matmul(4, S(2, 1, 3, 4), 3, S(3, 4, 5), 4, S(2, 3, 3, 5), rows, columns, 6, 3, 4, 5);
    check_matmul(2, S(3, 4), 3, S(6, 4, 5), 3, S(6, 3, 5), none, counted, 6, 3, 4, 5);
    check_matmul(3, S(6, 3, 4), 4, S(1, 1, 4, 5), 4, S(1, 6, 3, 5), counted, none, 6, 3, 4, 5);
    check_matmul(2, S(3, 0), 2, S(0, 5), 2, S(3, 5), none, none, 1, 3, 0, 5);
    check_matmul(3, S(0, 3, 4), 2, S(4, 5), 3, S(0, 3, 5), none, none, 0, 3, 4, 5);
}
END_TEST

START_TEST(batch_normalization_alone)
{
    const int64_t shape[] = {2, 3, 4, 5}, three[] = {3};
    prune_tensor *in[5] = {numbers(9, 4, shape), numbers(10, 1, three), numbers(11, 1, three), numbers(12, 1, three),
                           numbers(13, 1, three)},
                 *y;
    float *variance = prune_tensor_data(in[4]);
    for (int i = 0; i < 3; i++)
        variance[i] = fabsf(variance[i]);
    OK(apply(&y, 9, "BatchNormalization", 5, (const prune_tensor *const *)in, "epsilon", PM_FLOAT, 0.25, NULL));
    for (int64_t i = 0; i < 120; i++) {
        int64_t c = i / 20 % 3;
        double s = (double)floats(in[1])[c] / sqrt((double)variance[c] + 0.25), x = (double)floats(in[0])[i];
        double t = (double)floats(in[2])[c] - s * (double)floats(in[3])[c];
        close_to(floats(y)[i], s * x + t, fabs(s * x) + fabs(t), 2, "BatchNormalization", i);
    }
    prune_tensor_free(y);
    FAILS(apply(&y, 14, "BatchNormalization", 5, (const prune_tensor *const *)in, "training_mode", PM_INT, 1, NULL),
          PRUNE_E_UNSUPPORTED, "training_mode");
    for (int i = 0; i < 5; i++)
        prune_tensor_free(in[i]);
}
END_TEST

/* ConvTranspose by its definition: every x is spread over the outputs that its kernel reaches. */
START_TEST(transposed_convolutions_are_their_sums)
{
    enum { N = 2, C = 6, H = 5, W = 4, OUT = 4, GROUPS = 2, KH = 3, KW = 2 };
    static const int64_t strides[] = {2, 3}, dilations[] = {1, 2}, pads[] = {1, 0, 0, 2}, extra[] = {1, 0};
    int64_t oh = 2 * (H - 1) + 1 + KH - 1, ow = 3 * (W - 1) + 2 * (KW - 1) + 1 - 2;
    prune_tensor *x = numbers(1, 4, (const int64_t[]){N, C, H, W}), *bias = numbers(3, 1, (const int64_t[]){OUT}), *y;
    prune_tensor *w = numbers(2, 4, (const int64_t[]){C, OUT / GROUPS, KH, KW});
    OK(apply(&y, 11, "ConvTranspose", 3, (const prune_tensor *[]){x, w, bias}, "strides", PM_INTS, 2, strides,
             "dilations", PM_INTS, 2, dilations, "pads", PM_INTS, 4, pads, "output_padding", PM_INTS, 2, extra, "group",
             PM_INT, GROUPS, NULL));
    ck_assert_int_eq(prune_tensor_shape(y)[2], oh);
    ck_assert_int_eq(prune_tensor_shape(y)[3], ow);
    int64_t count = N * OUT * oh * ow;
    double *sums = calloc((size_t)count * 2, sizeof *sums), *sizes = sums + count;
    for (int64_t i = 0; i < count; i++)
        sizes[i] = fabs(sums[i] = (double)floats(bias)[i / (oh * ow) % OUT]);
    for (int64_t i = 0; i < N * C * H * W; i++)
        for (int64_t k = 0; k < OUT / GROUPS * KH * KW; k++) {
            int64_t c = i / (H * W) % C, o = c / (C / GROUPS) * (OUT / GROUPS) + k / (KH * KW);
            int64_t r = i / W % H * 2 + k / KW % KH - 1, q = i % W * 3 + k % KW * 2;
            double one = (double)floats(x)[i] * (double)floats(w)[c * (OUT / GROUPS * KH * KW) + k];
            int64_t at = ((i / (C * H * W) * OUT + o) * oh + r) * ow + q;
            if (r < 0 || r >= oh || q >= ow)
                continue;
            sums[at] += one;
            sizes[at] += fabs(one);
        }
    for (int64_t i = 0; i < count; i++)
        close_to(floats(y)[i], sums[i], sizes[i], C * KH * KW, "ConvTranspose", i);
    free(sums);
    prune_tensor_free(y);
    FAILS(apply(&y, 11, "ConvTranspose", 3, (const prune_tensor *[]){x, w, w}, "group", PM_INT, GROUPS, NULL),
          PRUNE_E_SHAPE, "[4]");
    prune_tensor_free(x);
    prune_tensor_free(w);
    prune_tensor_free(bias);
}
END_TEST

START_TEST(transposed_convolutions_take_the_shape_asked_for)
{
    static const int64_t strides[] = {3, 2}, wanted[] = {10, 8};
    prune_tensor *x = numbers(1, 4, (const int64_t[]){1, 1, 3, 3}), *w = numbers(2, 4, (const int64_t[]){1, 2, 3, 3});
    prune_tensor *y;
    OK(apply(&y, 11, "ConvTranspose", 2, (const prune_tensor *[]){x, w}, "strides", PM_INTS, 2, strides, "output_shape",
             PM_INTS, 2, wanted, NULL));
    ck_assert_int_eq(prune_tensor_shape(y)[2], 10);
    ck_assert_int_eq(prune_tensor_shape(y)[3], 8);
    for (int64_t i = 0; i < 10; i++)
        ck_assert(floats(y)[i * 8 + 7] == 0); /* beyond what is reached: at the end */
    ck_assert(floats(y)[0] != 0);
    prune_tensor_free(y);
    OK(apply(&y, 11, "ConvTranspose", 2, (const prune_tensor *[]){x, w}, "strides", PM_INTS, 2, strides, "auto_pad",
             PM_STRING, "SAME_UPPER", NULL));
    ck_assert_int_eq(prune_tensor_shape(y)[2], 9);
    ck_assert_int_eq(prune_tensor_shape(y)[3], 6);
    prune_tensor_free(y);
    prune_tensor_free(x);
    prune_tensor_free(w);
}
END_TEST

/* A recurrent layer in double precision; everything [direction] first. `lengths`, `h`, `c`, `p` may be NULL. */
struct recurrence {
    int64_t steps, batch, in, hidden, gates, directions;
    int reverse, linear;
    const float *x, *w, *r, *b, *h, *c, *p;
    const int32_t *lengths;
};

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* One step of one sequence; h and c in place. */
static void step_in_double(const struct recurrence *q, int64_t d, const float *x, double *h, double *c)
{
    double xs[64], hs[64], next[16];
    int64_t n = q->hidden, all = q->gates * n;
    for (int64_t g = 0; g < all; g++) {
        xs[g] = (double)q->b[d * 2 * all + g];
        hs[g] = (double)q->b[d * 2 * all + all + g];
        for (int64_t k = 0; k < q->in; k++)
            xs[g] += (double)q->w[(d * all + g) * q->in + k] * (double)x[k];
        for (int64_t k = 0; k < n; k++) {
            double reset = q->gates == 3 && !q->linear && g >= 2 * n ? sigmoid(xs[n + k] + hs[n + k]) : 1;
            hs[g] += (double)q->r[(d * all + g) * n + k] * reset * h[k];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        if (q->gates == 3) {
            double z = sigmoid(xs[i] + hs[i]), r = q->linear ? sigmoid(xs[n + i] + hs[n + i]) : 1;
            next[i] = (1 - z) * tanh(xs[2 * n + i] + r * hs[2 * n + i]) + z * h[i];
            continue;
        }
        const float *p = q->p ? q->p + d * 3 * n : NULL;
        double pi = p ? (double)p[i] : 0, po = p ? (double)p[n + i] : 0, pf = p ? (double)p[2 * n + i] : 0;
        double in = sigmoid(xs[i] + hs[i] + pi * c[i]), forget = sigmoid(xs[2 * n + i] + hs[2 * n + i] + pf * c[i]);
        c[i] = forget * c[i] + in * tanh(xs[3 * n + i] + hs[3 * n + i]);
        next[i] = sigmoid(xs[n + i] + hs[n + i] + po * c[i]) * tanh(c[i]);
    }
    for (int64_t i = 0; i < n; i++)
        h[i] = next[i];
}

/* Against y [steps, directions, batch, hidden]; all steps have errors of a few roundings that the gates damp. */
static void compare_recurrence(const struct recurrence *q, const float *y)
{
    for (int64_t d = 0; d < q->directions; d++)
        for (int64_t b = 0; b < q->batch; b++) {
            double h[16], c[16];
            int64_t length = q->lengths ? q->lengths[b] : q->steps, n = q->hidden;
            for (int64_t i = 0; i < n; i++) {
                h[i] = q->h ? (double)q->h[(d * q->batch + b) * n + i] : 0;
                c[i] = q->c ? (double)q->c[(d * q->batch + b) * n + i] : 0;
            }
            for (int64_t s = 0; s < q->steps; s++) {
                int64_t at = s < length && (q->reverse || d == 1) ? length - 1 - s : s;
                if (s < length)
                    step_in_double(q, d, q->x + (at * q->batch + b) * q->in, h, c);
                for (int64_t i = 0; i < n; i++) {
                    double due = s < length ? h[i] : 0;
                    ck_assert_double_eq_tol((double)y[((at * q->directions + d) * q->batch + b) * n + i], due, 2e-6);
                }
            }
        }
}

START_TEST(recurrent_layers_in_every_direction)
{
    static const char *const directions[] = {"forward", "reverse", "bidirectional"};
    int lstm = _i / 6 == 0, linear = _i / 6 == 1, full = _i / 3 & 1;
    int64_t d = _i % 3 == 2 ? 2 : 1, gates = lstm ? 4 : 3, t = 7, n = 3, i = 5, h = 9;
    static const int32_t lengths[] = {7, 2, 0};
    prune_tensor *in[8] = {numbers(1, 3, (const int64_t[]){t, n, i}), numbers(2, 3, (const int64_t[]){d, gates * h, i}),
                           numbers(3, 3, (const int64_t[]){d, gates * h, h}),
                           numbers(4, 2, (const int64_t[]){d, 2 * gates * h})},
                 *y;
    if (full) {
        OK(prune_tensor_create(&in[4], NULL, PRUNE_I32, 1, &n));
        memcpy(prune_tensor_data(in[4]), lengths, sizeof lengths);
        in[5] = numbers(6, 3, (const int64_t[]){d, n, h});
        in[6] = lstm ? numbers(7, 3, (const int64_t[]){d, n, h}) : NULL;
        in[7] = lstm ? numbers(8, 2, (const int64_t[]){d, 3 * h}) : NULL;
    }
    OK(apply(&y, 14, lstm ? "LSTM" : "GRU",
             !full  ? 4
             : lstm ? 8
                    : 6,
             (const prune_tensor *const *)in, "direction", PM_STRING, directions[_i % 3], "hidden_size", PM_INT, (int)h,
             "linear_before_reset", PM_INT, linear, NULL));
    struct recurrence q = {t,
                           n,
                           i,
                           h,
                           gates,
                           d,
                           _i % 3 == 1,
                           linear,
                           floats(in[0]),
                           floats(in[1]),
                           floats(in[2]),
                           floats(in[3]),
                           full ? floats(in[5]) : NULL,
                           full && lstm ? floats(in[6]) : NULL,
                           full && lstm ? floats(in[7]) : NULL,
                           full ? lengths : NULL};
    compare_recurrence(&q, floats(y));
    prune_tensor_free(y);
    for (int k = 0; k < 8; k++)
        prune_tensor_free(in[k]);
}
END_TEST

/* A call by hand, with a mask on the weights, threads, and a fusion. */
struct by_hand {
    struct pm_node node;
    struct pm_call call;
    struct pm_operand inputs[3], output;
    int64_t pads[4];
    struct pm_attribute attribute;
    int32_t out;
};

static void set_operand(struct pm_operand *operand, prune_tensor *tensor, int constant)
{
    OK(pm_type_set(&operand->type, prune_tensor_dtype(tensor), prune_tensor_rank(tensor), prune_tensor_shape(tensor)));
    operand->data = constant ? prune_tensor_data(tensor) : NULL;
    operand->is_constant = constant;
}

/* Runs Conv 3x3 with pads of 1 on x and w; y is the caller's to free. */
static float *conv_by_hand(struct by_hand *b, prune_context *context, prune_tensor *x, prune_tensor *w,
                           const prune_mask *mask, const char *weights, const struct pm_fusion *fusion)
{
    *b = (struct by_hand){.pads = {1, 1, 1, 1}};
    static char name[] = "pads", op[] = "Conv", domain[] = "";
    b->attribute = (struct pm_attribute){.name = name, .kind = PM_INTS, .count = 4, .wholes = b->pads};
    b->node = (struct pm_node){.name = op,
                               .op = op,
                               .domain = domain,
                               .kind = pm_operator_find("", "Conv"),
                               .output_count = 1,
                               .outputs = &b->out,
                               .attribute_count = 1,
                               .attributes = &b->attribute};
    b->call = (struct pm_call){.context = context,
                               .node = &b->node,
                               .opset = 13,
                               .input_count = 2,
                               .output_count = 1,
                               .inputs = b->inputs,
                               .outputs = &b->output,
                               .weights = weights,
                               .fusion = *fusion};
    set_operand(&b->inputs[0], x, 0);
    set_operand(&b->inputs[1], w, 1);
    b->inputs[1].mask = mask;
    OK(b->node.kind->infer(&b->call));
    OK(b->node.kind->prepare(&b->call));
    float *y = malloc((size_t)pm_type_bytes(&b->output.type));
    b->inputs[0].data = prune_tensor_data(x);
    b->output.data = y;
    OK(pr_alloc(context, b->call.scratch_bytes, 1, &b->call.scratch));
    OK(b->node.kind->run(&b->call));
    pr_release(context, b->call.scratch);
    return y;
}

/* Keeps 2 of 4, or about 3 of 10 elements; what is pruned becomes 0. */
static prune_mask *prune(prune_tensor *w, int pattern)
{
    prune_mask *mask;
    uint32_t state = 7;
    OK(prune_mask_create(&mask, NULL, prune_tensor_rank(w), prune_tensor_shape(w), 1));
    for (int64_t i = 0; i < prune_tensor_count(w); i++) {
        state = state * 1664525 + 1013904223;
        OK(prune_mask_set(mask, i, pattern ? i % 4 == 1 || i % 4 == 2 : state >> 24 < 77));
    }
    OK(prune_mask_apply(mask, w));
    return mask;
}

static const char *const packings[] = {"format=dense", "format=auto", "format=csr", "format=nm"};

START_TEST(masked_convolutions_run_packed_and_fused_on_one_and_two_threads)
{
    static const struct conv c = {"masked 3x3", 2,         2,         16,        16,        1, {1, 33, 31},
                                  {1, 3, 3},    {1, 1, 1}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}, 0};
    float scale[16], shift[16];
    int pattern = _i & 1, threads;
    prune_tensor *in[3];
    if (!pattern && !strcmp(packings[_i >> 1], "format=nm"))
        return;
    conv_inputs(&c, in);
    prune_mask *mask = prune(in[1], pattern);
    for (int i = 0; i < 16; i++) {
        scale[i] = (float)(i - 7) / 4;
        shift[i] = (float)(5 - i) / 8;
    }
    float *y[2];
    for (threads = 1; threads <= 2; threads++) {
        prune_context *context;
        struct by_hand b;
        OK(prune_context_create(&context));
        OK(prune_context_set_threads(context, threads));
        y[threads - 1] = conv_by_hand(&b, context, in[0], in[1], mask, packings[_i >> 1],
                                      &(struct pm_fusion){.scale = scale, .shift = shift, .activation = PM_RELU});
        b.node.kind->release(&b.call);
        prune_context_free(context);
    }
    ck_assert_mem_eq(y[0], y[1], 2 * 16 * 33 * 31 * sizeof(float));
    for (int64_t i = 0; i < 2 * 16 * 33 * 31; i++) {
        double magnitude, s = (double)scale[i / (33 * 31) % 16], t = (double)shift[i / (33 * 31) % 16];
        double sum = conv_at(&c, floats(in[0]), floats(in[1]), NULL, i / (16 * 33 * 31), i / (33 * 31) % 16,
                             (const int64_t[]){0, i / 31 % 33, i % 31}, &magnitude) *
                         s +
                     t;
        close_to(y[0][i], sum > 0 ? sum : 0, fabs(s) * magnitude + fabs(t), 144, packings[_i >> 1], i);
    }
    free(y[0]);
    free(y[1]);
    prune_mask_free(mask);
    prune_tensor_free(in[0]);
    prune_tensor_free(in[1]);
}
END_TEST

/* The layer's matrix times its rows must be the outputs. */
struct taken {
    const float *w, *y;
    int64_t next;
};

static int32_t take_row(void *user, int64_t group, int64_t rows, const float *x)
{
    struct taken *t = user;
    ck_assert_int_eq(group, 0);
    for (int64_t r = 0; r < rows; r++, t->next++)
        for (int64_t o = 0; o < 16; o++) {
            double sum = 0, magnitude = 0;
            for (int64_t k = 0; k < 144; k++) {
                sum += (double)t->w[o * 144 + k] * (double)x[r * 144 + k];
                magnitude += fabs((double)t->w[o * 144 + k] * (double)x[r * 144 + k]);
            }
            close_to(t->y[(t->next / 1023 * 16 + o) * 1023 + t->next % 1023], sum, magnitude, 144, "row", t->next);
        }
    return PRUNE_OK;
}

START_TEST(a_layer_gives_the_rows_that_its_weights_multiply)
{
    static const struct conv c = {
        .axes = 2, .batch = 2, .channels = 16, .out = 16, .groups = 1, .in = {1, 33, 31}, .kernel = {1, 3, 3}};
    prune_tensor *in[3];
    struct pm_layer layer;
    struct by_hand b;
    conv_inputs(&c, in);
    float *y = conv_by_hand(&b, NULL, in[0], in[1], NULL, "format=auto", &(struct pm_fusion){0});
    struct taken taken = {floats(in[1]), y, 0};
    ck_assert_int_eq(b.node.kind->layer(&b.call, 0, &layer), 1);
    ck_assert_int_eq(b.node.kind->layer(&b.call, 1, &layer), 0);
    ck_assert_int_eq(layer.out, 16);
    ck_assert_int_eq(layer.in, 144);
    ck_assert_int_eq(layer.macs, 2 * 16 * 1023 * 144);
    ck_assert_str_eq(layer.kind, "conv");
    OK(b.node.kind->rows(&b.call, 0, take_row, &taken));
    ck_assert_int_eq(taken.next, 2 * 1023);
    b.node.kind->release(&b.call);
    free(y);
    prune_tensor_free(in[0]);
    prune_tensor_free(in[1]);
}
END_TEST

START_TEST(convolutions_that_do_not_fit_are_refused)
{
    static const int64_t strides[] = {1, 0}, pads[] = {1, 1, 1}, dilations[] = {40, 1};
    prune_tensor *x = numbers(1, 4, (const int64_t[]){1, 4, 8, 8}), *w = numbers(2, 4, (const int64_t[]){6, 4, 3, 3});
    const prune_tensor *both[] = {x, w}, *three[] = {x, w, w};
    prune_tensor *y = UNTOUCHED;
    FAILS(apply(&y, 11, "Conv", 2, both, "group", PM_INT, 2, NULL), PRUNE_E_SHAPE, "2 groups");
    FAILS(apply(&y, 11, "Conv", 2, both, "group", PM_INT, 0, NULL), PRUNE_E_SHAPE, "group is 0");
    FAILS(apply(&y, 11, "Conv", 2, both, "strides", PM_INTS, 2, strides, NULL), PRUNE_E_SHAPE,
          "strides is 0 at axis 1");
    FAILS(apply(&y, 11, "Conv", 2, both, "pads", PM_INTS, 3, pads, NULL), PRUNE_E_SHAPE, "pads has 3 numbers");
    FAILS(apply(&y, 11, "Conv", 2, both, "dilations", PM_INTS, 2, dilations, NULL), PRUNE_E_SHAPE, "reaches over 81");
    FAILS(apply(&y, 11, "Conv", 2, both, "auto_pad", PM_STRING, "SOME", NULL), PRUNE_E_FORMAT, "SOME");
    FAILS(apply(&y, 11, "Conv", 3, three, NULL), PRUNE_E_SHAPE, "[6]");
    FAILS(apply(&y, 11, "Conv", 1, both, NULL), PRUNE_E_FORMAT, "1 inputs");
    ck_assert_ptr_eq(y, UNTOUCHED);
    prune_tensor_free(x);
    prune_tensor_free(w);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ops_product");
    TCase *conv = tcase_create("conv");
    tcase_add_loop_test(conv, convolutions_are_their_sums, 0, (int)(sizeof convs / sizeof *convs));
    tcase_add_loop_test(conv, masked_convolutions_run_packed_and_fused_on_one_and_two_threads, 0, 8);
    tcase_add_test(conv, a_layer_gives_the_rows_that_its_weights_multiply);
    tcase_add_test(conv, convolutions_that_do_not_fit_are_refused);
    suite_add_tcase(suite, conv);
    TCase *linear = tcase_create("linear");
    tcase_add_loop_test(linear, gemm_with_every_transposition_and_c, 0, 28);
    tcase_add_test(linear, gemm_without_c);
    tcase_add_test(linear, matmul_as_numpy_has_it);
    tcase_add_test(linear, batch_normalization_alone);
    suite_add_tcase(suite, linear);
    TCase *others = tcase_create("others");
    tcase_add_test(others, transposed_convolutions_are_their_sums);
    tcase_add_test(others, transposed_convolutions_take_the_shape_asked_for);
    tcase_add_loop_test(others, recurrent_layers_in_every_direction, 0, 18);
    suite_add_tcase(suite, others);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
