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

int main(void)
{
    Suite *suite = suite_create("ops_product");
    TCase *conv = tcase_create("conv");
    tcase_add_loop_test(conv, convolutions_are_their_sums, 0, (int)(sizeof convs / sizeof *convs));
    suite_add_tcase(suite, conv);
    TCase *linear = tcase_create("linear");
    tcase_add_loop_test(linear, gemm_with_every_transposition_and_c, 0, 28);
    tcase_add_test(linear, gemm_without_c);
    tcase_add_test(linear, matmul_as_numpy_has_it);
    tcase_add_test(linear, batch_normalization_alone);
    suite_add_tcase(suite, linear);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
