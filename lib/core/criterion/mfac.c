/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Frantar, Kurtic and Alistarh 2021: the inverse of the Fisher matrix of a whole tensor from m gradients, without the
 * matrix. With G the gradients as rows and d the damping, F^-1 = (I - G' (d m I + G G')^-1 G) / d: one m x m Cholesky
 * factor L, and the diagonal from the columns of L^-1 G.
 */
#include <math.h>

#include "core/criterion/inverse_fisher.h"
#include "core/linalg/linalg.h"

enum { DAMPING, SAMPLES };

#define COLUMNS 256

static const struct pr_parameter parameters[] = {PR_DAMPING, PR_SAMPLES, PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_GRADIENT_SAMPLES;
}

struct job {
    const struct pr_scoring *scoring;
    struct pr_linalg la;
    int64_t count, first, samples;
    double damping, *scores;
    double *factor;  /* samples x samples */
    double *columns; /* samples x COLUMNS */
};

static int64_t read_columns(const struct job *job, int64_t begin)
{
    int64_t width = job->count - begin < COLUMNS ? job->count - begin : COLUMNS;
    for (int64_t s = 0; s < job->samples; s++)
        pr_fisher_gradient(job->scoring, job->first + s, begin, width, job->columns + s * COLUMNS);
    return width;
}

static int32_t run(struct job *job)
{
    int64_t m = job->samples;
    for (int64_t begin = 0; begin < job->count; begin += COLUMNS) {
        int64_t width = read_columns(job, begin);
        PR_TRY(pr_linalg_gemm(&job->la, 0, 1, m, m, width, 1, job->columns, COLUMNS, job->columns, COLUMNS, 1,
                              job->factor, m));
    }
    for (int64_t i = 0; i < m; i++)
        job->factor[i * (m + 1)] += job->damping * (double)m;
    int32_t status = pr_linalg_cholesky(&job->la, m, job->factor, m);
    if (status)
        return pr_fail_in(status, "criterion mfac, with damping too small beside the gradients");
    for (int64_t begin = 0; begin < job->count; begin += COLUMNS) {
        int64_t width = read_columns(job, begin);
        PR_TRY(pr_linalg_solve_lower(&job->la, 0, m, width, job->factor, m, job->columns, COLUMNS));
        for (int64_t j = 0; j < width; j++) {
            double left = 1;
            for (int64_t s = 0; s < m; s++)
                left -= job->columns[s * COLUMNS + j] * job->columns[s * COLUMNS + j];
            if (pr_fisher_lost(left, m))
                return pr_fisher_refuse(job->scoring, begin + j);
            job->scores[begin + j] = pr_fisher_score(job->scores[begin + j], left / job->damping);
        }
    }
    return PRUNE_OK;
}

static int32_t elements(const struct pr_scoring *scoring, prune_tensor *importances)
{
    const struct pr_values *values = scoring->values;
    prune_context *context = importances->context;
    struct job job = {.scoring = scoring, .count = importances->count, .damping = values->real[DAMPING]};
    int64_t size = 0;
    PR_TRY(pr_fisher_begin(scoring, values->whole[SAMPLES], &job.first, &job.samples));
    job.la = pr_linalg_of(context);
    job.scores = prune_tensor_data(importances);
    PR_TRY(pr_mul(job.samples, job.samples, &size));
    PR_TRY(pr_alloc_zero(context, size, sizeof *job.factor, &job.factor));
    int32_t status = pr_alloc(context, job.samples, COLUMNS * sizeof *job.columns, &job.columns);
    if (!status) {
        pr_fisher_weights(scoring, job.scores);
        status = run(&job);
        pr_release(context, job.columns);
    }
    pr_release(context, job.factor);
    return status;
}

const struct pr_criterion_kind pr_criterion_mfac = {
    .kind = {.name = "mfac",
             .help = "second order: w^2 / (2 [F^-1]_qq), F the empirical Fisher matrix of the tensor, matrix-free",
             .parameters = parameters},
    .needs = needs,
    .elements = elements,
};
