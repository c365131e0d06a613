/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/granularity/granularity.h"
#include "core/mask/mask.h"

/* Elements below which another thread is not worth its wake-up. */
#define ELEMENTS_PER_TASK 262144

struct job {
    const struct pr_grid *grid;
    const uint8_t *keep;
    uint64_t *words;
    int64_t elements, elements_per_task; /* the latter a multiple of 64, so that no two tasks share a word */
    int flat;                            /* units are single elements: bytes and bits stand in the same order */
};

static void set_bits(uint64_t *words, int64_t begin, int64_t end)
{
    while (begin < end) {
        int64_t shift = begin & 63, count = end - begin < 64 - shift ? end - begin : 64 - shift;
        words[begin >> 6] |= (count == 64 ? ~0ULL : (1ULL << count) - 1) << shift;
        begin += count;
    }
}

/* Bytes begin..end-1, each 0 or 1, to bits; begin is a multiple of 64. */
static void pack_flat(const uint8_t *keep, uint64_t *words, int64_t begin, int64_t end)
{
    int64_t i = begin;
    for (; i + 64 <= end; i += 64) {
        uint64_t word = 0;
        for (int64_t j = 0; j < 8; j++) {
            uint64_t eight;
            memcpy(&eight, keep + i + 8 * j, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
            eight = __builtin_bswap64(eight);
#endif
            /* Byte b is moved to bit 56 + b; no two terms of the product meet below that, so nothing carries. */
            word |= eight * 0x0102040810204080u >> 56 << (8 * j);
        }
        words[i >> 6] = word;
    }
    for (; i < end; i++)
        words[i >> 6] |= (uint64_t)keep[i] << (i & 63);
}

/* The part of one row (along the last axis) that begins at element `position`, column `column`. */
static void expand_row(const struct job *job, int64_t position, int64_t column, int64_t count, const uint8_t *keep)
{
    int64_t unit = job->grid->unit[job->grid->rank - 1];
    if (unit == 1) {
        for (int64_t i = 0; i < count; i++)
            job->words[(position + i) >> 6] |= (uint64_t)keep[column + i] << ((position + i) & 63);
        return;
    }
    for (int64_t i = 0; i < count;) {
        int64_t left = unit - (column + i) % unit, run = left < count - i ? left : count - i;
        if (keep[(column + i) / unit])
            set_bits(job->words, position + i, position + i + run);
        i += run;
    }
}

static void expand_part(void *argument, int32_t index)
{
    const struct job *job = argument;
    const struct pr_grid *grid = job->grid;
    int64_t begin = index * job->elements_per_task, end = begin + job->elements_per_task;
    end = end < job->elements ? end : job->elements;
    if (job->flat) {
        pack_flat(job->keep, job->words, begin, end);
        return;
    }
    int64_t length = grid->shape[grid->rank - 1];
    while (begin < end) {
        int64_t column = begin % length, rest = begin / length, first = 0;
        int64_t count = length - column < end - begin ? length - column : end - begin;
        for (int32_t i = grid->rank - 2; i >= 0; i--) {
            first += rest % grid->shape[i] / grid->unit[i] * grid->stride[i];
            rest /= grid->shape[i];
        }
        expand_row(job, begin, column, count, job->keep + first);
        begin += count;
    }
}

void pr_grid_alive(const struct pr_grid *grid, const prune_mask *mask, uint8_t *alive)
{
    int64_t length = grid->rank > 0 ? grid->shape[grid->rank - 1] : 1;
    int64_t unit = grid->rank > 0 ? grid->unit[grid->rank - 1] : 1;
    memset(alive, 0, (size_t)grid->units);
    for (int64_t begin = 0; begin < grid->elements; begin += length) {
        int64_t rest = begin / length, first = 0;
        for (int32_t i = grid->rank - 2; i >= 0; i--) {
            first += rest % grid->shape[i] / grid->unit[i] * grid->stride[i];
            rest /= grid->shape[i];
        }
        for (int64_t j = 0, u = 0; j < length; j += unit, u++) {
            int64_t end = j + unit < length ? j + unit : length;
            alive[first + u] |= unit == 1 ? (uint8_t)pr_mask_get(mask, begin + j)
                                          : (uint8_t)(pr_mask_kept_in(mask, begin + j, begin + end) > 0);
        }
    }
}

int32_t pr_grid_expand(prune_mask **out, prune_context *context, const struct pr_grid *grid, const uint8_t *keep)
{
    prune_mask *mask;
    struct job job = {.grid = grid, .keep = keep, .elements = grid->elements};
    PR_TRY(prune_mask_create(&mask, context, grid->rank, grid->tensor, 0));
    int64_t threads = prune_context_threads(context), tasks = pr_ceil_div(grid->elements, ELEMENTS_PER_TASK);
    tasks = tasks < threads ? tasks : threads;
    if (tasks > 0) {
        job.words = mask->words;
        job.elements_per_task = pr_ceil_div(pr_ceil_div(grid->elements, tasks), 64) * 64;
        job.flat = grid->units == grid->elements;
        prune_context_parallel(context, (int32_t)pr_ceil_div(grid->elements, job.elements_per_task), expand_part, &job);
    }
    *out = mask;
    return PRUNE_OK;
}
