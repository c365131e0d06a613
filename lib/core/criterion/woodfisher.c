/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Singh and Alistarh 2020: the inverse of the empirical Fisher matrix by blocks along its diagonal, each built up
 * gradient by gradient.
 */
#include <math.h>

#include "core/criterion/inverse_fisher.h"

enum { BLOCK, DAMPING, SAMPLES };

static const struct pr_parameter parameters[] = {
    {.name = "block",
     .type = PR_WHOLE,
     .standard = "128",
     .least = 1,
     .most = 65536,
     .help = "elements of a block, neighbours in row-major order, 1 to 65536"},
    PR_DAMPING,
    PR_SAMPLES,
    PR_AGGREGATE("sum"),
    PR_NORMALIZE,
    {0},
};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_GRADIENT_SAMPLES;
}

#define MAX_TASKS 64

struct job {
    const struct pr_scoring *scoring;
    int64_t count, block, blocks, first, samples, room; /* room: doubles of one task */
    double damping;
    double *scores, *memory;
    int64_t tasks, lost[MAX_TASKS];
};

/* The weights of one block, in place, become scores. -1, or the first whose inverse is lost. */
static int64_t score_block(const struct job *job, int64_t begin, double *inverse)
{
    int64_t n = job->count - begin < job->block ? job->count - begin : job->block;
    double *g = inverse + n * n, *scratch = g + n;
    for (int64_t i = 0; i < n * n; i++)
        inverse[i] = i % (n + 1) ? 0 : 1 / job->damping;
    for (int64_t s = 0; s < job->samples; s++) {
        pr_fisher_gradient(job->scoring, job->first + s, begin, n, g);
        pr_fisher_add(n, inverse, g, (double)job->samples, scratch);
    }
    for (int64_t i = 0; i < n; i++) {
        double diagonal = inverse[i * (n + 1)];
        if (pr_fisher_lost(diagonal * job->damping, job->samples))
            return begin + i;
        job->scores[begin + i] = pr_fisher_score(job->scores[begin + i], diagonal);
    }
    return -1;
}

static void score_blocks(void *argument, int32_t task)
{
    struct job *job = argument;
    job->lost[task] = -1;
    for (int64_t block = task; block < job->blocks && job->lost[task] < 0; block += job->tasks)
        job->lost[task] = score_block(job, block * job->block, job->memory + task * job->room);
}

static int32_t elements(const struct pr_scoring *scoring, prune_tensor *importances)
{
    const struct pr_values *values = scoring->values;
    prune_context *context = importances->context;
    struct job job = {.scoring = scoring, .count = importances->count, .damping = values->real[DAMPING]};
    PR_TRY(pr_fisher_begin(scoring, values->whole[SAMPLES], &job.first, &job.samples));
    job.block = values->whole[BLOCK] < job.count ? values->whole[BLOCK] : job.count;
    job.blocks = pr_ceil_div(job.count, job.block);
    job.tasks = prune_context_threads(context);
    job.tasks = job.tasks < job.blocks ? job.tasks : job.blocks;
    job.tasks = job.tasks < MAX_TASKS ? job.tasks : MAX_TASKS;
    job.room = job.block * job.block + 2 * job.block;
    job.scores = prune_tensor_data(importances);
    PR_TRY(pr_alloc(context, job.tasks * job.room, sizeof *job.memory, &job.memory));
    pr_fisher_weights(scoring, job.scores);
    prune_context_parallel(context, (int32_t)job.tasks, score_blocks, &job);
    pr_release(context, job.memory);
    int64_t lost = -1;
    for (int64_t i = 0; i < job.tasks; i++)
        if (job.lost[i] >= 0 && (lost < 0 || job.lost[i] < lost))
            lost = job.lost[i];
    return lost < 0 ? PRUNE_OK : pr_fisher_refuse(scoring, lost);
}

const struct pr_criterion_kind pr_criterion_woodfisher = {
    .kind = {.name = "woodfisher",
             .help = "second order: w^2 / (2 [F^-1]_qq), F the empirical Fisher matrix by blocks",
             .parameters = parameters},
    .needs = needs,
    .elements = elements,
};
