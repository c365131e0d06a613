/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The steps that are matrix products, and those that work on each number alone. All is worked out in doubles beside the
 * caller's tensors and copied at the end.
 */
#include "core/observe/curvature.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "core/linalg/linalg.h"
#include "core/observe/observe.h"

static int32_t check_float(const prune_tensor *tensor, const char *what)
{
    if (!pr_dtype_is_float(tensor->dtype))
        return pr_fail(PRUNE_E_DTYPE, "the %s are %s; they must be f32, f16, bf16 or f64", what,
                       prune_dtype_name(tensor->dtype));
    return PRUNE_OK;
}

int32_t pr_curvature_read(prune_tensor **out, const prune_tensor *tensor, const char *what)
{
    PR_TRY(check_float(tensor, what));
    PR_TRY(pr_check_finite(tensor, what));
    return prune_tensor_convert(out, tensor, PRUNE_F64);
}

int32_t pr_curvature_expect(const prune_tensor *tensor, const char *what, int32_t rank, const int64_t *shape)
{
    char ours[PR_MAX_SHAPE_TEXT], due[PR_MAX_SHAPE_TEXT];
    if (!tensor)
        return PRUNE_OK;
    PR_TRY(check_float(tensor, what));
    if (!pr_same_shape(tensor->rank, tensor->shape, rank, shape))
        return pr_fail(PRUNE_E_SHAPE, "the %s have shape %s; it must be %s", what,
                       pr_shape_text(ours, tensor->rank, tensor->shape), pr_shape_text(due, rank, shape));
    return PRUNE_OK;
}

static double *numbers(prune_tensor *tensor)
{
    return prune_tensor_data(tensor);
}

/* The softmax p of a row of scores, in place, and the loss's derivatives. */
static void cross_entropy(const double *target, double *row, double *gradient, int64_t classes, double samples)
{
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < classes; i++)
        most = row[i] > most ? row[i] : most;
    for (int64_t i = 0; i < classes; i++)
        sum += row[i] = exp(row[i] - most);
    for (int64_t i = 0; i < classes; i++) {
        double p = row[i] / sum;
        gradient[i] = (p - target[i]) / samples;
        row[i] = p * (1 - p) / samples;
    }
}

static void squared(const double *target, double *row, double *gradient, int64_t classes, double samples)
{
    for (int64_t i = 0; i < classes; i++) {
        gradient[i] = 2 * (row[i] - target[i]) / samples;
        row[i] = 2 / samples;
    }
}

static int32_t loss_in_place(prune_tensor *outputs, prune_tensor *targets, int entropy)
{
    int64_t classes = outputs->shape[1];
    for (int64_t i = 0; i < outputs->shape[0]; i++)
        (entropy ? cross_entropy : squared)(numbers(targets) + i * classes, numbers(outputs) + i * classes,
                                            numbers(targets) + i * classes, classes, (double)outputs->shape[0]);
    return PRUNE_OK;
}

int32_t prune_curvature_loss(prune_tensor *curvatures, prune_tensor *gradients, const prune_tensor *outputs,
                             const prune_tensor *targets, const char *loss)
{
    prune_tensor *x = NULL, *d = NULL;
    PR_REQUIRE(curvatures);
    PR_REQUIRE(outputs);
    PR_REQUIRE(targets);
    PR_REQUIRE(loss);
    int entropy = strcmp(loss, "cross-entropy") == 0;
    if (!entropy && strcmp(loss, "squared") != 0)
        return pr_fail(PRUNE_E_SPEC, "%s: there is no loss \"%.100s\"; there are squared and cross-entropy", __func__,
                       loss);
    if (outputs->rank != 2)
        return pr_fail(PRUNE_E_SHAPE, "%s: outputs have rank %d; they must be samples x classes", __func__,
                       (int)outputs->rank);
    PR_TRY(pr_curvature_expect(targets, "targets", 2, outputs->shape));
    PR_TRY(pr_curvature_expect(curvatures, "curvatures", 2, outputs->shape));
    PR_TRY(pr_curvature_expect(gradients, "gradients", 2, outputs->shape));
    int32_t status = pr_curvature_read(&x, outputs, "outputs");
    if (!status)
        status = pr_curvature_read(&d, targets, "targets");
    if (!status)
        status = loss_in_place(x, d, entropy);
    if (!status)
        status = prune_tensor_copy(curvatures, x);
    if (!status && gradients)
        status = prune_tensor_copy(gradients, d);
    prune_tensor_free(x);
    prune_tensor_free(d);
    return status;
}

/* f'(a) and f''(a). */
static void of_relu(double a, double *first, double *second)
{
    *first = a > 0;
    *second = 0;
}

static void of_tanh(double a, double *first, double *second)
{
    double t = tanh(a);
    *first = 1 - t * t;
    *second = -2 * t * *first;
}

static void of_sigmoid(double a, double *first, double *second)
{
    double s = 1 / (1 + exp(-a));
    *first = s * (1 - s);
    *second = *first * (1 - 2 * s);
}

static void of_softplus(double a, double *first, double *second)
{
    double s = 1 / (1 + exp(-a));
    *first = s;
    *second = s * (1 - s);
}

static void of_identity(double a, double *first, double *second)
{
    (void)a;
    *first = 1;
    *second = 0;
}

static const struct {
    const char *name;
    void (*derivatives)(double a, double *first, double *second);
} functions[] = {
    {"relu", of_relu}, {"tanh", of_tanh}, {"sigmoid", of_sigmoid}, {"softplus", of_softplus}, {"identity", of_identity},
};
#define FUNCTIONS ((int)(sizeof functions / sizeof *functions))

/* `gradients` may be NULL. */
static void through_function(int function, double *curvatures, const double *inputs, const double *gradients,
                             int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        double first, second;
        functions[function].derivatives(inputs[i], &first, &second);
        curvatures[i] = first * first * curvatures[i] + (gradients ? second * gradients[i] : 0);
    }
}

int32_t prune_curvature_activation(prune_tensor *curvatures, const prune_tensor *inputs, const prune_tensor *gradients,
                                   const char *function)
{
    prune_tensor *h = NULL, *a = NULL, *g = NULL;
    int which = 0;
    PR_REQUIRE(curvatures);
    PR_REQUIRE(inputs);
    PR_REQUIRE(function);
    while (which < FUNCTIONS && strcmp(functions[which].name, function) != 0)
        which++;
    if (which == FUNCTIONS)
        return pr_fail(PRUNE_E_SPEC,
                       "%s: there is no function \"%.100s\"; there are relu, tanh, sigmoid, softplus and identity",
                       __func__, function);
    PR_TRY(pr_curvature_expect(inputs, "inputs", curvatures->rank, curvatures->shape));
    PR_TRY(pr_curvature_expect(gradients, "gradients", curvatures->rank, curvatures->shape));
    int32_t status = pr_curvature_read(&h, curvatures, "curvatures");
    if (!status)
        status = pr_curvature_read(&a, inputs, "inputs");
    if (!status && gradients)
        status = pr_curvature_read(&g, gradients, "gradients");
    if (!status) {
        through_function(which, numbers(h), numbers(a), g ? numbers(g) : NULL, h->count);
        status = prune_tensor_copy(curvatures, h);
    }
    prune_tensor_free(h);
    prune_tensor_free(a);
    prune_tensor_free(g);
    return status;
}

/* *result = h' factor^2, or h factor^2, in the shape of `like` (NULL: nothing to do); `factor` is weights or inputs. */
static int32_t product(prune_tensor **result, const prune_tensor *like, const prune_tensor *factor,
                       const prune_tensor *h, int transpose)
{
    prune_tensor *squares;
    if (!like)
        return PRUNE_OK;
    int64_t n = factor->shape[1], k = factor->shape[0];
    struct pr_linalg la = pr_linalg_of(like->context);
    PR_TRY(prune_tensor_create(result, like->context, PRUNE_F64, 2, like->shape));
    PR_TRY(prune_tensor_convert(&squares, factor, PRUNE_F64));
    for (int64_t i = 0; i < squares->count; i++)
        numbers(squares)[i] *= numbers(squares)[i];
    int32_t status = PRUNE_OK;
    if ((*result)->count && k)
        status = pr_linalg_gemm(&la, transpose, 0, like->shape[0], n, k, 1, prune_tensor_const_data(h), h->shape[1],
                                numbers(squares), n, 0, numbers(*result), n);
    prune_tensor_free(squares);
    return status;
}

static int32_t check_linear(const prune_tensor *of_weights, const prune_tensor *of_inputs, const prune_tensor *weights,
                            const prune_tensor *inputs, const prune_tensor *curvatures)
{
    if (!of_weights && !of_inputs)
        return pr_fail(PRUNE_E_ARGUMENT, "of_weights and of_inputs are NULL; one at least must be given");
    if (weights->rank != 2 || inputs->rank != 2)
        return pr_fail(PRUNE_E_SHAPE, "weights have rank %d and inputs rank %d; both must have 2", (int)weights->rank,
                       (int)inputs->rank);
    PR_TRY(pr_curvature_expect(weights, "weights", 2, weights->shape));
    PR_TRY(pr_curvature_expect(inputs, "inputs", 2, (const int64_t[]){inputs->shape[0], weights->shape[1]}));
    PR_TRY(pr_curvature_expect(curvatures, "curvatures", 2, (const int64_t[]){inputs->shape[0], weights->shape[0]}));
    PR_TRY(pr_curvature_expect(of_weights, "curvatures of the weights", 2, weights->shape));
    PR_TRY(pr_curvature_expect(of_inputs, "curvatures of the inputs", 2, inputs->shape));
    PR_TRY(pr_check_finite(weights, "weights"));
    return pr_check_finite(inputs, "inputs");
}

int32_t prune_curvature_linear(prune_tensor *of_weights, prune_tensor *of_inputs, const prune_tensor *weights,
                               const prune_tensor *inputs, const prune_tensor *curvatures)
{
    prune_tensor *h, *hw = NULL, *hx = NULL;
    PR_REQUIRE(weights);
    PR_REQUIRE(inputs);
    PR_REQUIRE(curvatures);
    PR_TRY(check_linear(of_weights, of_inputs, weights, inputs, curvatures));
    PR_TRY(pr_curvature_read(&h, curvatures, "curvatures"));
    int32_t status = product(&hw, of_weights, inputs, h, 1);
    if (!status)
        status = product(&hx, of_inputs, weights, h, 0);
    if (!status && hw)
        status = prune_tensor_copy(of_weights, hw);
    if (!status && hx)
        status = prune_tensor_copy(of_inputs, hx);
    prune_tensor_free(h);
    prune_tensor_free(hw);
    prune_tensor_free(hx);
    return status;
}

int32_t prune_curvature_scale(prune_tensor *curvatures, const prune_tensor *scales)
{
    prune_tensor *h = NULL, *s = NULL;
    PR_REQUIRE(curvatures);
    PR_REQUIRE(scales);
    if (curvatures->rank < 2)
        return pr_fail(PRUNE_E_SHAPE, "%s: curvatures have rank %d; they must be samples x channels x ...", __func__,
                       (int)curvatures->rank);
    PR_TRY(pr_curvature_expect(scales, "scales", 1, &curvatures->shape[1]));
    int32_t status = pr_curvature_read(&h, curvatures, "curvatures");
    if (!status)
        status = pr_curvature_read(&s, scales, "scales");
    if (!status) {
        int64_t channels = s->count, plane = h->count ? h->count / (h->shape[0] * channels) : 1;
        for (int64_t i = 0; i < h->count; i++) {
            double scale = numbers(s)[i / plane % channels];
            numbers(h)[i] *= scale * scale;
        }
        status = prune_tensor_copy(curvatures, h);
    }
    prune_tensor_free(h);
    prune_tensor_free(s);
    return status;
}
