/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/regularize/regularize.h"

#include <math.h>

#include "core/tensor/tensor.h"

#define PR_REGULARIZER(name) extern const struct pr_regularizer_kind pr_regularizer_##name;
#include "core/regularize/regularizers.def"
#undef PR_REGULARIZER

/* The kind is the first member of its struct, so that one list serves both. */
const struct pr_kind *const pr_regularizer_kinds[] = {
#define PR_REGULARIZER(name) &pr_regularizer_##name.kind,
#include "core/regularize/regularizers.def"
#undef PR_REGULARIZER
};
const int32_t pr_regularizer_kind_count = (int32_t)(sizeof pr_regularizer_kinds / sizeof *pr_regularizer_kinds);

#define CHUNK 256

struct prune_regularizer {
    prune_context *context;
    const struct pr_regularizer_kind *kind;
    struct pr_values values;
    char *spec;
};

int32_t prune_regularizer_create(prune_regularizer **out, prune_context *context, const char *spec)
{
    int32_t index;
    struct pr_values values;
    char canonical[PR_MAX_SPEC];
    prune_regularizer *regularizer;
    PR_REQUIRE(out);
    PR_REQUIRE(spec);
    PR_TRY(pr_spec_parse(spec, "regularizer", pr_regularizer_kinds, pr_regularizer_kind_count, &index, &values));
    pr_spec_print(canonical, pr_regularizer_kinds[index], &values);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *regularizer, &regularizer));
    int32_t status = pr_copy_text(context, canonical, &regularizer->spec);
    if (status) {
        pr_release(context, regularizer);
        return status;
    }
    regularizer->context = prune_context_retain(context);
    regularizer->kind = (const struct pr_regularizer_kind *)pr_regularizer_kinds[index];
    regularizer->values = values;
    *out = regularizer;
    return PRUNE_OK;
}

const char *prune_regularizer_spec(const prune_regularizer *regularizer)
{
    return regularizer ? regularizer->spec : NULL;
}

void prune_regularizer_free(prune_regularizer *regularizer)
{
    if (!regularizer)
        return;
    prune_context *context = regularizer->context;
    pr_release(context, regularizer->spec);
    pr_release(context, regularizer);
    prune_context_free(context);
}

/* The weights in row-major order, a chunk at a time, and what stands at the same place of a gradient. */
struct pass {
    struct pr_walk weights, gradient;
    int32_t dtype, gradient_dtype;
    const struct pr_grid *grid; /* NULL where units are not asked for */
    int64_t index[PRUNE_MAX_RANK];
    int64_t count; /* of the chunk; 0 at the end */
    double w[CHUNK], g[CHUNK];
    int64_t unit[CHUNK];
};

static void read_chunk(struct pass *pass)
{
    int64_t count = pass->weights.count < CHUNK ? pass->weights.count : CHUNK;
    if (pass->gradient_dtype) {
        count = pass->gradient.count < count ? pass->gradient.count : count;
        pr_read_double(pass->gradient_dtype, pass->gradient.data, pass->gradient.stride, count, pass->g);
    }
    pass->count = count;
    pr_read_double(pass->dtype, pass->weights.data, pass->weights.stride, count, pass->w);
    for (int64_t i = 0; pass->grid && i < count; i++) {
        const struct pr_grid *grid = pass->grid;
        pass->unit[i] = 0;
        for (int32_t axis = 0; axis < grid->rank; axis++)
            pass->unit[i] += pass->index[axis] / grid->unit[axis] * grid->stride[axis];
        for (int32_t axis = grid->rank - 1; axis >= 0 && ++pass->index[axis] == grid->shape[axis]; axis--)
            pass->index[axis] = 0;
    }
}

static void start(struct pass *pass, const prune_tensor *weights, const prune_tensor *gradient,
                  const struct pr_grid *grid)
{
    pr_walk_start(&pass->weights, weights);
    pass->dtype = weights->dtype;
    pass->gradient_dtype = gradient ? gradient->dtype : 0;
    if (gradient)
        pr_walk_start(&pass->gradient, gradient);
    pass->grid = grid;
    for (int32_t i = 0; i < PRUNE_MAX_RANK; i++)
        pass->index[i] = 0;
    read_chunk(pass);
}

static void next(struct pass *pass)
{
    pr_walk_skip(&pass->weights, pass->count);
    if (pass->gradient_dtype)
        pr_walk_skip(&pass->gradient, pass->count);
    read_chunk(pass);
}

/* What one call works on. */
struct job {
    const struct pr_regularizer_kind *kind;
    const struct pr_values *values;
    const prune_tensor *weights;
    prune_context *context;
    double strength;
    struct pr_grid grid;
    double *norms;      /* of the units, for kinds that have groups, divided by 2^exponent */
    double *weight;     /* of the units */
    int32_t *exponents; /* of the largest magnitude of each unit */
};

static int32_t refuse_bad(const prune_tensor *tensor, const char *what, int infinite_too)
{
    struct pass pass;
    char place[PR_MAX_SHAPE_TEXT];
    int64_t position = 0;
    for (start(&pass, tensor, NULL, NULL); pass.count; next(&pass)) {
        for (int64_t i = 0; i < pass.count; i++)
            if (isnan(pass.w[i]) || (infinite_too && isinf(pass.w[i])))
                return pr_fail(PRUNE_E_VALUE, "%s %lld, at %s, is %s; it must be a %snumber", what,
                               (long long)(position + i),
                               pr_index_text(place, tensor->rank, tensor->shape, position + i),
                               isnan(pass.w[i]) ? "NaN" : "infinite", infinite_too ? "finite " : "");
        position += pass.count;
    }
    return PRUNE_OK;
}

static void find_norms(struct job *job)
{
    struct pass pass;
    int64_t units = job->grid.units;
    for (start(&pass, job->weights, NULL, &job->grid); pass.count; next(&pass))
        for (int64_t i = 0; i < pass.count; i++) {
            double *largest = &job->norms[pass.unit[i]], w = fabs(pass.w[i]);
            *largest = w > *largest ? w : *largest;
            job->weight[pass.unit[i]]++;
        }
    for (int64_t i = 0; i < units; i++) {
        int e;
        frexp(job->norms[i], &e);
        job->exponents[i] = e;
        job->norms[i] = 0;
        job->weight[i] = job->kind->weight ? job->kind->weight(job->values, (int64_t)job->weight[i]) : 1;
    }
    for (start(&pass, job->weights, NULL, &job->grid); pass.count; next(&pass))
        for (int64_t i = 0; i < pass.count; i++) {
            double w = ldexp(pass.w[i], -job->exponents[pass.unit[i]]);
            job->norms[pass.unit[i]] += w * w;
        }
    for (int64_t i = 0; i < units; i++)
        job->norms[i] = sqrt(job->norms[i]);
}

static double norm_of(const struct job *job, int64_t unit)
{
    return ldexp(job->norms[unit], job->exponents[unit]);
}

static void end_job(struct job *job)
{
    pr_release(job->context, job->norms);
    pr_release(job->context, job->weight);
    pr_release(job->context, job->exponents);
}

/* Checks, and finds the norms of the units where there are any. */
static int32_t begin_job(struct job *job, const char *function, const prune_regularizer *regularizer,
                         const prune_tensor *weights, const prune_granularity *granularity)
{
    *job = (struct job){.kind = regularizer->kind,
                        .values = &regularizer->values,
                        .weights = weights,
                        .context = weights->context,
                        .strength = regularizer->values.real[0]};
    if (!pr_dtype_is_float(weights->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: weights are %s; they must be f32, f16, bf16 or f64", function,
                       prune_dtype_name(weights->dtype));
    if (job->kind->groups && !granularity)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %s has groups, and granularity is NULL; it must say which", function,
                       regularizer->spec);
    PR_TRY(refuse_bad(weights, "weight", 1));
    if (!job->kind->groups)
        return PRUNE_OK;
    PR_TRY(pr_grid_make(&job->grid, granularity, weights->rank, weights->shape));
    int32_t status = pr_alloc_zero(job->context, job->grid.units, sizeof *job->norms, &job->norms);
    if (!status)
        status = pr_alloc_zero(job->context, job->grid.units, sizeof *job->weight, &job->weight);
    if (!status)
        status = pr_alloc(job->context, job->grid.units, sizeof *job->exponents, &job->exponents);
    if (status)
        end_job(job);
    else
        find_norms(job);
    return status;
}

int32_t prune_regularizer_penalty(const prune_regularizer *regularizer, const prune_tensor *weights,
                                  const prune_granularity *granularity, double *penalty)
{
    struct job job;
    struct pass pass;
    double total = 0;
    PR_REQUIRE(regularizer);
    PR_REQUIRE(weights);
    PR_REQUIRE(penalty);
    PR_TRY(begin_job(&job, __func__, regularizer, weights, granularity));
    for (int64_t i = 0; job.kind->groups && i < job.grid.units; i++)
        total += job.weight[i] * job.kind->value(job.values, norm_of(&job, i));
    if (!job.kind->groups)
        for (start(&pass, weights, NULL, NULL); pass.count; next(&pass)) {
            double sum = 0;
            for (int64_t i = 0; i < pass.count; i++)
                sum += job.kind->value(job.values, fabs(pass.w[i]));
            total += sum;
        }
    end_job(&job);
    *penalty = job.strength > 0 ? job.strength * total : 0;
    return PRUNE_OK;
}

/* w / |w| of an element, or w over the norm of its unit; 0 where that is 0. */
static double direction(const struct job *job, const struct pass *pass, int64_t i)
{
    if (!job->kind->groups)
        return pass->w[i] > 0 ? 1 : pass->w[i] < 0 ? -1 : 0;
    double norm = job->norms[pass->unit[i]];
    return norm > 0 ? ldexp(pass->w[i], -job->exponents[pass->unit[i]]) / norm : 0;
}

int32_t prune_regularizer_add_subgradient(const prune_regularizer *regularizer, const prune_tensor *weights,
                                          const prune_granularity *granularity, prune_tensor *gradient)
{
    struct job job;
    struct pass pass;
    char a[PR_MAX_SHAPE_TEXT], b[PR_MAX_SHAPE_TEXT];
    PR_REQUIRE(regularizer);
    PR_REQUIRE(weights);
    PR_REQUIRE(gradient);
    if (!pr_same_shape(weights->rank, weights->shape, gradient->rank, gradient->shape))
        return pr_fail(PRUNE_E_SHAPE, "%s: the gradient has shape %s, the weights %s; they must be the same", __func__,
                       pr_shape_text(a, gradient->rank, gradient->shape),
                       pr_shape_text(b, weights->rank, weights->shape));
    if (!pr_dtype_is_float(gradient->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: the gradient is %s; it must be f32, f16, bf16 or f64", __func__,
                       prune_dtype_name(gradient->dtype));
    PR_TRY(refuse_bad(gradient, "gradient", 0));
    PR_TRY(begin_job(&job, __func__, regularizer, weights, granularity));
    for (start(&pass, weights, gradient, job.kind->groups ? &job.grid : NULL); pass.count; next(&pass)) {
        for (int64_t i = 0; i < pass.count; i++) {
            double u = job.kind->groups ? norm_of(&job, pass.unit[i]) : fabs(pass.w[i]);
            double by = job.kind->groups ? job.strength * job.weight[pass.unit[i]] : job.strength;
            if (u > 0)
                pass.g[i] += by * job.kind->slope(job.values, u) * direction(&job, &pass, i);
        }
        pr_store_double(gradient->dtype, pass.gradient.data, pass.gradient.stride, pass.count, pass.g);
    }
    end_job(&job);
    return PRUNE_OK;
}

int32_t prune_regularizer_proximal(const prune_regularizer *regularizer, prune_tensor *weights,
                                   const prune_granularity *granularity, double step)
{
    struct job job;
    struct pass pass;
    PR_REQUIRE(regularizer);
    PR_REQUIRE(weights);
    if (!(step >= 0 && step <= 1e300))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: step is %g; it must be 0 or more and finite", __func__, step);
    PR_TRY(begin_job(&job, __func__, regularizer, weights, granularity));
    for (start(&pass, weights, NULL, job.kind->groups ? &job.grid : NULL); pass.count; next(&pass)) {
        for (int64_t i = 0; i < pass.count; i++) {
            double u = job.kind->groups ? norm_of(&job, pass.unit[i]) : fabs(pass.w[i]), w = pass.w[i];
            double by = step * job.strength * (job.kind->groups ? job.weight[pass.unit[i]] : 1);
            double x = by > 0 ? job.kind->shrink(job.values, u, by) : u;
            if (x == u) /* an element that is -0 stays so only in a step of 0 */
                pass.w[i] = by > 0 ? w + 0.0 : w;
            else if (!job.kind->groups)
                pass.w[i] = x > 0 ? copysign(x, w) : 0;
            else
                pass.w[i] = x > 0 ? w * (x / u) + 0.0 : 0;
        }
        pr_store_double(weights->dtype, pass.weights.data, pass.weights.stride, pass.count, pass.w);
    }
    end_job(&job);
    return PRUNE_OK;
}
