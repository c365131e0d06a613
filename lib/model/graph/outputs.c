/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "prune/compare.h"

static int same_shape(const prune_tensor *a, const prune_tensor *b)
{
    int32_t rank = prune_tensor_rank(a);
    return rank == prune_tensor_rank(b) &&
           (rank == 0 || memcmp(prune_tensor_shape(a), prune_tensor_shape(b), (size_t)rank * sizeof(int64_t)) == 0);
}

static double distance(double a, double b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    return isfinite(a) && isfinite(b) ? fabs(a - b) : (double)INFINITY;
}

int32_t prune_outputs_difference(double *largest, double *relative, const prune_tensor *a, const prune_tensor *b)
{
    prune_tensor *x = NULL, *y = NULL;
    PR_REQUIRE(largest);
    PR_REQUIRE(relative);
    PR_REQUIRE(a);
    PR_REQUIRE(b);
    if (!same_shape(a, b))
        return pr_fail(PRUNE_E_SHAPE,
                       "outputs of rank %d with %lld numbers and of rank %d with %lld; they must be of "
                       "one shape",
                       (int)prune_tensor_rank(a), (long long)prune_tensor_count(a), (int)prune_tensor_rank(b),
                       (long long)prune_tensor_count(b));
    PR_TRY(prune_tensor_convert(&x, a, PRUNE_F64));
    int32_t status = prune_tensor_convert(&y, b, PRUNE_F64);
    if (!status) {
        const double *u = prune_tensor_const_data(x), *v = prune_tensor_const_data(y);
        double far = 0, scale = 0;
        for (int64_t i = 0; i < prune_tensor_count(x); i++) {
            double d = distance(u[i], v[i]);
            far = d > far ? d : far;
            scale = fabs(u[i]) > scale ? fabs(u[i]) : scale; /* a NaN is not */
        }
        *largest = far;
        *relative = far == 0 ? 0 : isinf(far) ? far : far / scale;
    }
    prune_tensor_free(y);
    prune_tensor_free(x);
    return status;
}

/* The largest, the lower of equal ones, a NaN never; -1 where all are. */
static int64_t choose(const float *logits, int64_t classes)
{
    int64_t best = -1;
    for (int64_t i = 0; i < classes; i++)
        if (logits[i] == logits[i] && (best < 0 || logits[i] > logits[best]))
            best = i;
    return best;
}

static int32_t count_correct(int64_t *correct, const float *x, int64_t samples, int64_t classes, const int64_t *labels,
                             int64_t first)
{
    int64_t right = 0;
    for (int64_t i = 0; i < samples; i++) {
        if (labels[i] < 0 || labels[i] >= classes)
            return pr_fail(PRUNE_E_VALUE, "label %lld of sample %lld is outside the %lld classes, 0 to %lld",
                           (long long)labels[i], (long long)(first + i), (long long)classes, (long long)classes - 1);
        right += choose(x + i * classes, classes) == labels[i];
    }
    *correct = right;
    return PRUNE_OK;
}

int32_t prune_outputs_correct(int64_t *correct, const prune_tensor *logits, const prune_tensor *labels, int64_t first)
{
    prune_tensor *x = NULL, *part = NULL, *wide = NULL;
    PR_REQUIRE(correct);
    PR_REQUIRE(logits);
    PR_REQUIRE(labels);
    int32_t dtype = prune_tensor_dtype(labels);
    if (prune_tensor_rank(logits) < 1 || prune_tensor_dtype(logits) != PRUNE_F32)
        return pr_fail(PRUNE_E_SHAPE, "logits of rank %d in %s; they must be f32 with an axis 0 that counts samples",
                       (int)prune_tensor_rank(logits), prune_dtype_name(prune_tensor_dtype(logits)));
    if (prune_tensor_rank(labels) != 1)
        return pr_fail(PRUNE_E_SHAPE, "labels of rank %d; they must be of rank 1, one for each sample",
                       (int)prune_tensor_rank(labels));
    if (dtype == PRUNE_F32 || dtype == PRUNE_F64 || dtype == PRUNE_F16 || dtype == PRUNE_BF16 || dtype == PRUNE_BOOL)
        return pr_fail(PRUNE_E_DTYPE, "labels in %s; they must be integers", prune_dtype_name(dtype));
    int64_t samples = prune_tensor_shape(logits)[0], there = prune_tensor_shape(labels)[0];
    if (first < 0 || first > there || samples > there - first)
        return pr_fail(PRUNE_E_SHAPE, "%lld samples from %lld on have no labels: there are %lld labels",
                       (long long)samples, (long long)first, (long long)there);
    if (samples == 0) {
        *correct = 0;
        return PRUNE_OK;
    }
    PR_TRY(prune_tensor_convert(&x, logits, PRUNE_F32));
    int32_t status = prune_tensor_slice(&part, labels, 0, first, samples, 1);
    if (!status)
        status = prune_tensor_convert(&wide, part, PRUNE_I64);
    if (!status)
        status = count_correct(correct, prune_tensor_const_data(x), samples, prune_tensor_count(x) / samples,
                               prune_tensor_const_data(wide), first);
    prune_tensor_free(wide);
    prune_tensor_free(part);
    prune_tensor_free(x);
    return status;
}
