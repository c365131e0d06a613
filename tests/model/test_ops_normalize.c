/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Softmax, LogSoftmax and LayerNormalization against their formulas in double.
 */
#include "operator_inputs.h"

static const int32_t types[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16};

static void reference(double *x, int64_t outer, int64_t classes, int64_t inner, int logarithm)
{
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            double *v = x + o * classes * inner + i, most = -INFINITY, sum = 0;
            for (int64_t k = 0; k < classes; k++)
                most = isnan(most) || most > v[k * inner] ? most : v[k * inner];
            for (int64_t k = 0; k < classes; k++)
                sum += exp(v[k * inner] - most);
            for (int64_t k = 0; k < classes; k++)
                v[k * inner] = logarithm ? v[k * inner] - most - log(sum) : exp(v[k * inner] - most) / sum;
        }
}

START_TEST(softmax_of_every_axis_and_opset)
{
    const int64_t shapes[][3] = {{2, 3, 4}, {1, 17, 33}, {3, 40, 1}, {2, 5, 300}, {2, 0, 3}};
    for (int s = 0; s < COUNT_OF(shapes); s++)
        for (int t = 0; t < COUNT_OF(types); t++)
            for (int axis = -3; axis < 3; axis++)
                for (int flags = 0; flags < 8; flags++) {
                    int flat = flags & 1, logarithm = flags >> 1 & 1, counted = axis < 0 ? axis + 3 : axis;
                    const int64_t *e = shapes[s];
                    int64_t outer = 1, inner = 1;
                    for (int i = 0; i < counted; i++)
                        outer *= e[i];
                    for (int i = counted + 1; i < 3; i++)
                        inner *= e[i];
                    prune_tensor *x = random_of(types[t], 3, e, 3, flags >> 2), *y;
                    double *wanted = doubles_of(x);
                    reference(wanted, outer, flat ? e[counted] * inner : e[counted], flat ? 1 : inner, logarithm);
                    OK(apply(&y, flat ? 12 : 13, logarithm ? "LogSoftmax" : "Softmax", INPUTS(x), "axis", PM_INT, axis,
                             NULL));
                    expect_numbers(y, 3, e, wanted, "Softmax");
                    free(wanted);
                    prune_tensor_free(x);
                    prune_tensor_free(y);
                }
}
END_TEST

START_TEST(softmax_by_default_takes_all_from_axis_1_on_then_the_last)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3, 4), 8, 0), *y, *vector = random_of(PRUNE_F32, SHAPE(4), 8, 0);
    double *wanted = doubles_of(x), *other = doubles_of(x);
    reference(wanted, 2, 12, 1, 0);
    reference(other, 6, 4, 1, 0);
    OK(apply(&y, 12, "Softmax", INPUTS(x), NULL));
    expect_numbers(y, SHAPE(2, 3, 4), wanted, "Softmax of opset 12");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Softmax", INPUTS(x), NULL));
    expect_numbers(y, SHAPE(2, 3, 4), other, "Softmax of opset 13");
    prune_tensor_free(y);
    OK(apply(&y, 12, "Softmax", INPUTS(vector), NULL));
    expect_numbers(y, SHAPE(4), (double[]){1, 1, 1, 1}, "Softmax behind a vector");
    prune_tensor_free(y);
    REFUSED(PRUNE_E_SHAPE, "axis 3", 13, "Softmax", INPUTS(x), "axis", PM_INT, 3, NULL);
    REFUSED(PRUNE_E_SHAPE, "axis -4", 13, "LogSoftmax", INPUTS(x), "axis", PM_INT, -4, NULL);
    prune_tensor *whole = random_of(PRUNE_I32, SHAPE(3), 1, 0);
    REFUSED(PRUNE_E_DTYPE, "i32", 13, "Softmax", INPUTS(whole), NULL);
    REFUSED(PRUNE_E_FORMAT, "left out", 13, "Softmax", INPUTS(NULL), NULL);
    free(wanted);
    free(other);
    prune_tensor_free(x);
    prune_tensor_free(vector);
    prune_tensor_free(whole);
}
END_TEST

START_TEST(softmax_of_large_and_infinite_numbers)
{
    prune_tensor *x = tensor_of(PRUNE_F32, SHAPE(4), (double[]){1e4, 1e4, -INFINITY, -1e4}), *y;
    OK(apply(&y, 13, "Softmax", INPUTS(x), NULL));
    expect_numbers(y, SHAPE(4), (double[]){0.5, 0.5, 0, 0}, "Softmax");
    prune_tensor_free(y);
    prune_tensor_free(x);
}
END_TEST

START_TEST(layers_are_normalised_from_an_axis_on)
{
    const int64_t shape[] = {3, 5, 70};
    for (int t = 0; t < COUNT_OF(types); t++)
        for (int axis = -3; axis < 3; axis++)
            for (int flags = 0; flags < 8; flags++) {
                int with_bias = flags & 1, one = flags >> 1 & 1, counted = axis < 0 ? axis + 3 : axis;
                int64_t rows = 1, n = 1, kept[3];
                for (int i = 0; i < 3; i++) {
                    rows *= i < counted ? shape[i] : 1;
                    n *= i < counted ? 1 : shape[i];
                    kept[i] = i < counted ? shape[i] : 1;
                }
                prune_tensor *x = random_of(types[t], 3, shape, 3, flags >> 2), *out[3] = {NULL, NULL, NULL};
                prune_tensor *scale = random_of(types[t], one ? 0 : 3 - counted, shape + counted, 4, 0);
                prune_tensor *bias = random_of(types[t], one ? 0 : 3 - counted, shape + counted, 5, 0);
                double *v = doubles_of(x), *by = doubles_of(scale), *plus = doubles_of(bias), *mean = malloc(15 * 8),
                       *inverse = malloc(15 * 8);
                for (int64_t r = 0; r < rows; r++) {
                    double sum = 0, square = 0, *row = v + r * n;
                    for (int64_t i = 0; i < n; i++)
                        sum += row[i];
                    mean[r] = sum / (double)n;
                    for (int64_t i = 0; i < n; i++)
                        square += (row[i] - mean[r]) * (row[i] - mean[r]);
                    inverse[r] = 1 / sqrt(square / (double)n + (double)0.01f);
                    for (int64_t i = 0; i < n; i++)
                        row[i] =
                            (row[i] - mean[r]) * inverse[r] * by[one ? 0 : i] + (with_bias ? plus[one ? 0 : i] : 0);
                }
                OK(apply_many(3, out, 17, "LayerNormalization", INPUTS(x, scale, with_bias ? bias : NULL), "axis",
                              PM_INT, axis, "epsilon", PM_FLOAT, 0.01, NULL));
                expect_numbers(out[0], 3, shape, v, "LayerNormalization");
                ck_assert_int_eq(prune_tensor_dtype(out[1]), PRUNE_F32);
                expect_numbers(out[1], 3, kept, mean, "Mean");
                expect_numbers(out[2], 3, kept, inverse, "InvStdDev");
                for (int i = 0; i < 3; i++)
                    prune_tensor_free(out[i]);
                free(v);
                free(by);
                free(plus);
                free(mean);
                free(inverse);
                prune_tensor_free(x);
                prune_tensor_free(scale);
                prune_tensor_free(bias);
            }
}
END_TEST

START_TEST(layers_that_do_not_fit_are_refused)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3, 4), 3, 0), *three = random_of(PRUNE_F32, SHAPE(3), 3, 0);
    prune_tensor *four = random_of(PRUNE_F32, SHAPE(4), 3, 0), *wide = random_of(PRUNE_F64, SHAPE(4), 3, 0);
    prune_tensor *out[3] = {NULL, UNTOUCHED, NULL};
    REFUSED(PRUNE_E_SHAPE, "input 1 is f32[3]", 17, "LayerNormalization", INPUTS(x, three), NULL);
    REFUSED(PRUNE_E_SHAPE, "input 2 is f32[3]", 17, "LayerNormalization", INPUTS(x, four, three), NULL);
    REFUSED(PRUNE_E_DTYPE, "same type", 17, "LayerNormalization", INPUTS(x, wide), NULL);
    REFUSED(PRUNE_E_DTYPE, "same type", 17, "LayerNormalization", INPUTS(x, four, wide), NULL);
    REFUSED(PRUNE_E_SHAPE, "axis 3", 17, "LayerNormalization", INPUTS(x, four), "axis", PM_INT, 3, NULL);
    REFUSED(PRUNE_E_FORMAT, "1 inputs", 17, "LayerNormalization", INPUTS(x), NULL);
    REFUSED(PRUNE_E_UNSUPPORTED, "stash_type", 17, "LayerNormalization", INPUTS(x, four), "stash_type", PM_INT, 10,
            NULL);
    /* An output in the middle that is left out. */
    OK(apply_many(3, out, 17, "LayerNormalization", INPUTS(x, four), NULL));
    ck_assert_ptr_eq(out[1], UNTOUCHED);
    ck_assert_int_eq(prune_tensor_count(out[2]), 6);
    prune_tensor_free(out[0]);
    prune_tensor_free(out[2]);
    prune_tensor_free(x);
    prune_tensor_free(three);
    prune_tensor_free(four);
    prune_tensor_free(wide);
}
END_TEST

TEST_MAIN("ops_normalize", softmax_of_every_axis_and_opset, softmax_by_default_takes_all_from_axis_1_on_then_the_last,
          softmax_of_large_and_infinite_numbers, layers_are_normalised_from_an_axis_on,
          layers_that_do_not_fit_are_refused)
