/* SPDX-License-Identifier: BSD-2-Clause */
#include <cblas.h>
#include <math.h>
#include <string.h>

#include "model/network/links/links.h"

enum { IN, OUT };

static const struct pr_parameter parameters[] = {
    {"in", PR_WHOLE, NULL, 1, PM_MAX_EXTENT, NULL, "input features, 1 to 16777216"},
    {"out", PR_WHOLE, NULL, 1, PM_MAX_EXTENT, NULL, "output features, 1 to 16777216"},
    {0},
};

static int32_t shape(const struct pr_values *attributes, const struct pm_sample_shape *in, struct pm_sample_shape *out)
{
    int64_t features = attributes->whole[OUT];
    if (in->rank != 1)
        return pr_fail(PRUNE_E_SHAPE, "linear takes samples of rank 1, not %d; put a flatten before it", (int)in->rank);
    if (in->extents[0] != attributes->whole[IN])
        return pr_fail(PRUNE_E_SHAPE, "linear with in=%lld gets samples of %lld numbers",
                       (long long)attributes->whole[IN], (long long)in->extents[0]);
    *out = (struct pm_sample_shape){.rank = 1, .extents = {features}, .count = features};
    return PRUNE_OK;
}

static int parameter(const struct pr_values *attributes, int32_t index, struct pm_parameter_form *form)
{
    int64_t in = attributes->whole[IN], out = attributes->whole[OUT];
    if (index == 0)
        *form = (struct pm_parameter_form){"weight", 2, {out, in}, in, 1};
    else if (index == 1)
        *form = (struct pm_parameter_form){"bias", 1, {out, 0}, 0, 0};
    return index < 2;
}

void pm_finish_rows(float *restrict y, const float *restrict bias, int64_t samples, int64_t out, int relu)
{
    for (int64_t s = 0; s < samples; s++, y += out) {
        int64_t i = 0;
        for (; i + 16 <= out; i += 16)
            for (int j = 0; j < 16; j++) {
                float sum = y[i + j] + bias[i + j];
                y[i + j] = relu && sum <= 0 ? 0.0f : sum;
            }
        for (; i < out; i++) {
            float sum = y[i] + bias[i];
            y[i] = relu && sum <= 0 ? 0.0f : sum;
        }
    }
}

void pm_matrix_product(const float *weights, const float *bias, const float *x, float *y, int64_t samples, int64_t in,
                       int64_t out, int relu)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)samples, (int)out, (int)in, 1, x, (int)in, weights,
                (int)in, 0, y, (int)out);
    pm_finish_rows(y, bias, samples, out, relu);
}

static void forward(const struct pm_pass *p)
{
    pm_matrix_product(p->parameters[0], p->parameters[1], p->x, p->y, p->samples, p->in, p->out, 0);
}

static void sum_rows(float *restrict sums, const float *restrict rows, int64_t samples, int64_t out)
{
    memset(sums, 0, (size_t)out * sizeof *sums);
    for (int64_t s = 0; s < samples; s++, rows += out) {
        int64_t i = 0;
        for (; i + 16 <= out; i += 16)
            for (int j = 0; j < 16; j++)
                sums[i + j] += rows[i + j];
        for (; i < out; i++)
            sums[i] += rows[i];
    }
}

static void backward(const struct pm_pass *p)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)p->out, (int)p->in, (int)p->samples, 1, p->dy,
                (int)p->out, p->x, (int)p->in, 0, p->gradients[0], (int)p->in);
    sum_rows(p->gradients[1], p->dy, p->samples, p->out);
    if (p->dx)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)p->samples, (int)p->in, (int)p->out, 1, p->dy,
                    (int)p->out, p->parameters[0], (int)p->in, p->accumulate ? 1 : 0, p->dx, (int)p->in);
}

/* |W| e + gamma(k + 1) (|W| |x| + |b|), see compare.c; k is the number of weights of the row that are not zero, since
 * adding an exact zero never rounds. */
static void bound(const struct pm_bound *p)
{
    int64_t in = p->in, out = p->out;
    const double *w = p->magnitudes[0], *b = p->magnitudes[1];
    for (int64_t i = 0; i < p->samples * in; i++)
        p->scratch[i] = fabs((double)p->x[i]);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)p->samples, (int)out, (int)in, 1, p->scratch, (int)in, w,
                (int)in, 0, p->y_error, (int)out);
    for (int64_t r = 0; r < out; r++) {
        int64_t terms = 1;
        for (int64_t c = 0; c < in; c++)
            terms += w[r * in + c] != 0;
        double roundings = (double)terms * 0x1p-24;
        double gamma = roundings < 1 ? roundings / (1 - roundings) : INFINITY;
        double underflow = (double)terms * 0x1p-149;
        for (int64_t s = 0; s < p->samples; s++) {
            double *e = &p->y_error[s * out + r];
            *e = gamma * (*e + b[r]) + underflow;
        }
    }
    if (p->x_error)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)p->samples, (int)out, (int)in, 1, p->x_error, (int)in,
                    w, (int)in, 1, p->y_error, (int)out);
    /* For the roundings of these lines themselves: sums of at most 2^25 terms that are not negative, in double. */
    for (int64_t i = 0; i < p->samples * out; i++)
        p->y_error[i] *= 1 + 1e-8;
}

static int64_t macs(const struct pr_values *attributes, const struct pm_sample_shape *in)
{
    (void)in;
    return attributes->whole[IN] * attributes->whole[OUT];
}

const struct pm_link pm_link_linear = {
    .kind = {"linear", "y = x W' + b: parameters weight [out, in] and bias [out]", parameters},
    .role = PM_PRODUCT,
    .shape = shape,
    .parameter = parameter,
    .forward = forward,
    .backward = backward,
    .bound = bound,
    .macs = macs,
};
