/* SPDX-License-Identifier: BSD-2-Clause
 *
 * N:M both ways, so that W and W' can both be multiplied in the packed form (Hubara et al. 2021).
 */
#include "core/granularity/granularity.h"
#include "core/granularity/transposable.h"
#include "core/mask/mask.h"

#define UNITS_PER_TASK 4096

enum { KEEP_N, GROUP_M, SOLVER };
enum { EXACT, GREEDY, EXHAUSTIVE };

static const struct pr_parameter parameters[] = {
    {.name = "keep_n", .type = PR_WHOLE, .least = 1, .most = 1024, .help = "elements kept in each group, 1 or more"},
    {.name = "group_m",
     .type = PR_WHOLE,
     .least = 1,
     .most = 1024,
     .help = "consecutive elements of a group, keep_n or more"},
    {.name = "solver",
     .type = PR_WORD,
     .standard = "exact",
     .words = "exact|greedy|exhaustive",
     .help = "exact: by least-cost paths; greedy: by score while row and column have room; exhaustive: of all masks"},
    {0},
};

static int32_t check(const struct pr_values *values)
{
    if (values->whole[KEEP_N] > values->whole[GROUP_M])
        return pr_fail(
            PRUNE_E_SPEC,
            "granularity nm-transposable: keep_n=%lld is above group_m=%lld; a group keeps at most all of it",
            (long long)values->whole[KEEP_N], (long long)values->whole[GROUP_M]);
    if (values->whole[SOLVER] == EXHAUSTIVE && values->whole[GROUP_M] > 4)
        return pr_fail(PRUNE_E_SPEC,
                       "granularity nm-transposable: solver=exhaustive with group_m=%lld; it tries all masks of blocks "
                       "of up to 4 x 4, take solver=exact",
                       (long long)values->whole[GROUP_M]);
    return PRUNE_OK;
}

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    (void)shape;
    if (rank < 2)
        return pr_fail(PRUNE_E_SHAPE, "granularity nm-transposable needs a tensor of rank 2 or more; this has rank %d",
                       (int)rank);
    for (int32_t i = 0; i < rank; i++)
        cut->pool[i] = i < 2 ? values->whole[GROUP_M] : 1;
    cut->quota = values->whole[KEEP_N] * values->whole[GROUP_M];
    return PRUNE_OK;
}

/* The masks of one size of block. */
struct masks {
    int64_t count;
    uint16_t bits[PR_MAX_BLOCK_MASKS];
};

struct job {
    const struct pr_grid *grid;
    const double *scores;
    uint8_t *keep;
    struct masks *masks; /* of whole blocks, of those that the edge cuts off along axis 1, axis 0, and both */
    char *memory;
    int64_t tasks, bytes; /* of memory, for each task */
};

static void solve_block(const struct job *job, const struct pr_pool_at *at, struct pr_block *block)
{
    const struct pr_grid *grid = job->grid;
    int64_t solver = grid->values.whole[SOLVER];
    block->rows = at->count[0];
    block->columns = at->count[1];
    pr_block_set(block, job->scores + at->first, grid->stride[0], grid->stride[1]);
    if (solver == EXACT) {
        pr_block_exact(block);
    } else if (solver == GREEDY) {
        pr_block_greedy(block, 1);
    } else {
        const struct masks *masks = &job->masks[2 * (block->rows < grid->pool[0]) + (block->columns < grid->pool[1])];
        pr_block_exhaustive(block, masks->bits, masks->count);
    }
    for (int64_t r = 0; r < block->rows; r++)
        for (int64_t c = 0; c < block->columns; c++)
            job->keep[at->first + r * grid->stride[0] + c * grid->stride[1]] = block->keep[r * block->columns + c];
}

static void take_blocks(void *argument, int32_t task)
{
    const struct job *job = argument;
    const struct pr_grid *grid = job->grid;
    int64_t share = grid->pools / job->tasks, more = grid->pools % job->tasks, elements = grid->pool[0] * grid->pool[1];
    int64_t begin = share * task + (task < more ? task : more), count = share + (task < more);
    struct pr_block block = {.keep_n = grid->values.whole[KEEP_N]};
    struct pr_pool_at at;
    block.worth = (int64_t *)(void *)(job->memory + job->bytes * task);
    block.work = block.worth + elements;
    block.infinite = (int8_t *)(block.work + pr_block_work(grid->pool[0], grid->pool[1]));
    block.keep = (uint8_t *)(block.infinite + elements);
    pr_pool_start(grid, begin, &at);
    for (int64_t i = 0; i < count; i++) {
        solve_block(job, &at, &block);
        pr_pool_next(grid, &at);
    }
}

static int32_t list_masks(prune_context *context, struct job *job)
{
    const struct pr_grid *grid = job->grid;
    if (grid->values.whole[SOLVER] != EXHAUSTIVE)
        return PRUNE_OK;
    PR_TRY(pr_alloc(context, 4, sizeof *job->masks, &job->masks));
    for (int i = 0; i < 4; i++) {
        int64_t rows = i & 2 ? grid->extent[0] % grid->pool[0] : grid->pool[0];
        int64_t columns = i & 1 ? grid->extent[1] % grid->pool[1] : grid->pool[1];
        job->masks[i].count = pr_block_masks(rows, columns, grid->values.whole[KEEP_N], job->masks[i].bits);
    }
    return PRUNE_OK;
}

static int32_t solve(prune_context *context, const struct pr_grid *grid, const double *scores,
                     const struct pr_target *target, uint8_t *keep)
{
    struct job job = {.grid = grid, .scores = scores, .keep = keep};
    int64_t threads = prune_context_threads(context), elements = grid->pool[0] * grid->pool[1];
    (void)target;
    job.tasks = pr_ceil_div(grid->units, UNITS_PER_TASK);
    job.tasks = job.tasks < threads ? job.tasks : threads;
    job.tasks = job.tasks < grid->pools ? job.tasks : grid->pools;
    /* At most 1024 x 1024. A multiple of 64, so that tasks do not share a cache line. */
    job.bytes = (8 * (elements + pr_block_work(grid->pool[0], grid->pool[1])) + 2 * elements + 63) / 64 * 64;
    PR_TRY(pr_alloc(context, job.tasks, job.bytes, &job.memory));
    int32_t status = list_masks(context, &job);
    if (!status)
        prune_context_parallel(context, (int32_t)job.tasks, take_blocks, &job);
    pr_release(context, job.masks);
    pr_release(context, job.memory);
    return status;
}

/* The first element of a block, row by row, that is one too many in its row or column. */
static int64_t find_in_block(const struct pr_grid *grid, const struct pr_pool_at *at, const prune_mask *mask,
                             int64_t *columns)
{
    int64_t keep_n = grid->values.whole[KEEP_N];
    for (int64_t c = 0; c < at->count[1]; c++)
        columns[c] = 0;
    for (int64_t r = 0; r < at->count[0]; r++)
        for (int64_t c = 0, row = 0; c < at->count[1]; c++) {
            int64_t position = at->first + r * grid->stride[0] + c * grid->stride[1];
            if (!pr_mask_get(mask, position))
                continue;
            if (++row > keep_n || ++columns[c] > keep_n)
                return position;
        }
    return -1;
}

static int32_t find(const struct pr_grid *grid, const prune_mask *mask, int64_t *violation)
{
    int64_t *columns;
    struct pr_pool_at at;
    if (grid->pools == 0)
        return PRUNE_OK;
    PR_TRY(pr_alloc(mask->context, grid->pool[1], sizeof *columns, &columns));
    pr_pool_start(grid, 0, &at);
    for (int64_t pool = 0; pool < grid->pools && *violation < 0; pool++) {
        *violation = find_in_block(grid, &at, mask, columns);
        pr_pool_next(grid, &at);
    }
    pr_release(mask->context, columns);
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_nm_transposable = {
    .kind = {.name = "nm-transposable",
             .help = "keep_n of every group_m elements along axis 1 and along axis 0",
             .parameters = parameters},
    .has_quota = 1,
    .check = check,
    .cut = cut,
    .solve = solve,
    .find = find,
};
