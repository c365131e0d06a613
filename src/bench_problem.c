/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weight matrices to measure with.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* SplitMix64: any generator will do, as long as runs can be compared. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15ULL;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
    return z ^ z >> 31;
}

/* Uniform in [-1, 1): nothing that is measured depends on the distribution. */
static void fill(float *to, int64_t count, uint64_t seed)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)((double)(next(&seed) >> 40) * 0x1p-23 - 1);
}

static int finish(struct problem *problem, prune_context *context, int64_t m, int64_t k, const uint8_t *kept)
{
    const int64_t shape[2] = {m, k};
    int32_t status = prune_tensor_create(&problem->weights, context, PRUNE_F32, 2, shape);
    if (!status)
        fill(prune_tensor_data(problem->weights), m * k, 7);
    if (!status)
        status = prune_mask_from_bytes(&problem->mask, context, 2, shape, kept, m * k);
    if (status)
        return complain_status(status, NULL);
    problem->sparsity = 1 - (double)prune_mask_kept(problem->mask) / ((double)m * (double)k);
    return DONE;
}

static uint8_t *bytes_of(int64_t m, int64_t k)
{
    uint8_t *kept = calloc((size_t)m, (size_t)k);
    if (!kept)
        complain(NO_MEMORY, "out of memory for a mask of %lld x %lld", (long long)m, (long long)k);
    return kept;
}

int problem_random(struct problem *problem, prune_context *context, int64_t m, int64_t k, double sparsity)
{
    uint8_t *kept = bytes_of(m, k);
    uint64_t seed = 1, limit = (uint64_t)((1 - sparsity) * 0x1p32);
    if (!kept)
        return NO_MEMORY;
    for (int64_t i = 0; i < m * k; i++)
        kept[i] = (next(&seed) >> 32) < limit;
    snprintf(problem->pattern, sizeof problem->pattern, "random");
    int code = finish(problem, context, m, k, kept);
    free(kept);
    return code;
}

int problem_nm(struct problem *problem, prune_context *context, int64_t m, int64_t k, int keep_n, int group_m,
               int unit_rows)
{
    uint8_t *kept = bytes_of(m, k);
    uint64_t seed = 1;
    if (!kept)
        return NO_MEMORY;
    for (int64_t row = 0; row < m; row++)
        for (int64_t first = 0; first < k; first += group_m) {
            int64_t count = k - first < group_m ? k - first : group_m;
            int64_t left = count < keep_n ? count : keep_n, like = row / unit_rows * unit_rows;
            if (row > like)
                memcpy(kept + row * k + first, kept + like * k + first, (size_t)count);
            for (int64_t i = 0; i < count && row == like; i++) /* selection sampling: every choice is equally likely */
                if ((int64_t)(next(&seed) % (uint64_t)(count - i)) < left) {
                    kept[row * k + first + i] = 1;
                    left--;
                }
        }
    problem->keep_n = keep_n;
    problem->group_m = group_m;
    problem->unit_rows = unit_rows;
    snprintf(problem->pattern, sizeof problem->pattern, "%d:%d", keep_n, group_m);
    if (unit_rows > 1)
        snprintf(problem->pattern, sizeof problem->pattern, "%d:%d by %d rows", keep_n, group_m, unit_rows);
    int code = finish(problem, context, m, k, kept);
    free(kept);
    return code;
}

int problem_read_smtx(struct problem *problem, prune_context *context, const char *path)
{
    prune_matrix *matrix = NULL;
    prune_tensor *kept = NULL;
    int32_t status = prune_matrix_read(&matrix, context, path, "smtx");
    if (!status && (prune_matrix_rows(matrix) < 1 || prune_matrix_columns(matrix) < 1)) {
        prune_matrix_free(matrix);
        return complain(BAD_INPUT, "%s: the pattern is empty; there is nothing to measure", path);
    }
    if (!status)
        status = prune_matrix_to_tensor(&kept, matrix);
    int code = status ? complain_status(status, NULL)
                      : finish(problem, context, prune_matrix_rows(matrix), prune_matrix_columns(matrix),
                               prune_tensor_const_data(kept));
    prune_tensor_free(kept);
    prune_matrix_free(matrix);
    snprintf(problem->pattern, sizeof problem->pattern, "%s", path);
    return code;
}

int problem_read_npy(struct problem *problem, prune_context *context, const char *path)
{
    int32_t status = prune_npy_read(&problem->weights, context, path);
    if (!status)
        status = prune_mask_from_nonzero(&problem->mask, problem->weights);
    if (status)
        return complain_status(status, NULL);
    if (prune_tensor_dtype(problem->weights) != PRUNE_F32 || prune_tensor_rank(problem->weights) != 2)
        return complain(BAD_INPUT, "%s: weights must be a matrix of float32", path);
    double count = (double)prune_mask_count(problem->mask);
    problem->sparsity = count > 0 ? 1 - (double)prune_mask_kept(problem->mask) / count : 0;
    snprintf(problem->pattern, sizeof problem->pattern, "%s", path);
    return DONE;
}

void problem_free(struct problem *problem)
{
    prune_mask_free(problem->mask);
    prune_tensor_free(problem->weights);
    problem->mask = NULL;
    problem->weights = NULL;
}
