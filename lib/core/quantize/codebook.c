/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/quantize/codebook.h"

#include <math.h>
#include <string.h>

#include "base/sort.h"

#define MOST_ROUNDS 1000

/* The first of the ascending numbers that is beyond a limit. */
static int64_t beyond(const float *ascending, int64_t count, double limit)
{
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if ((double)ascending[middle] <= limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* sums[i] = of the numbers before the i-th. */
static int move_centroids(const float *ascending, const double *sums, int64_t count, double *centroids, int64_t *ends,
                          int32_t k)
{
    int changed = 0;
    int64_t begin = 0;
    for (int32_t c = 0; c < k; c++) {
        int64_t end = c + 1 < k ? beyond(ascending, count, (centroids[c] + centroids[c + 1]) / 2) : count;
        changed |= end != ends[c];
        ends[c] = end < begin ? begin : end;
    }
    for (int32_t c = 0; c < k; begin = ends[c], c++)
        if (ends[c] > begin)
            centroids[c] = (sums[ends[c]] - sums[begin]) / (double)(ends[c] - begin);
    return changed;
}

int32_t pr_kmeans(prune_context *context, const float *ascending, int64_t count, float *centroids, int32_t k)
{
    double *sums = NULL, *centres = NULL;
    int64_t *ends = NULL;
    int32_t status = pr_alloc(context, count + 1, sizeof *sums, &sums);
    if (!status)
        status = pr_alloc(context, k, sizeof *centres, &centres);
    if (!status)
        status = pr_alloc_zero(context, k, sizeof *ends, &ends);
    if (!status) {
        double least = count ? (double)ascending[0] : 0, most = count ? (double)ascending[count - 1] : 0;
        sums[0] = 0;
        for (int64_t i = 0; i < count; i++)
            sums[i + 1] = sums[i] + (double)ascending[i];
        for (int32_t c = 0; c < k; c++)
            centres[c] = k > 1 ? least + (most - least) * c / (k - 1) : least;
        for (int round = 0; round < MOST_ROUNDS && move_centroids(ascending, sums, count, centres, ends, k); round++)
            continue;
        for (int32_t c = 0; c < k; c++)
            centroids[c] = (float)centres[c];
    }
    pr_release(context, sums);
    pr_release(context, centres);
    pr_release(context, ends);
    return status;
}

/* The numbers that are not 0, ascending; gives how many. */
static int64_t sort_values(const float *values, int64_t count, struct pr_keyed *items, struct pr_keyed *scratch,
                           float *ascending)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++)
        if (values[i] != 0)
            items[kept++] = (struct pr_keyed){pr_float_key(values[i]), i};
    pr_sort_keyed(items, scratch, kept, 4);
    for (int64_t i = 0; i < kept; i++)
        ascending[i] = values[items[i].index];
    return kept;
}

static int32_t make(prune_context *context, const float *ascending, int64_t count, float *codebook, int32_t levels)
{
    int32_t distinct = 0;
    for (int64_t i = 0; i < count && distinct < levels; i++)
        distinct += i == 0 || ascending[i] != ascending[i - 1];
    memset(codebook, 0, (size_t)levels * sizeof *codebook);
    if (distinct >= levels)
        return pr_kmeans(context, ascending, count, codebook + 1, levels - 1);
    for (int64_t i = 0, next = 1; i < count; i++)
        if (i == 0 || ascending[i] != ascending[i - 1])
            codebook[next++] = ascending[i];
    return PRUNE_OK;
}

int32_t pr_codebook_make(prune_context *context, const float *values, int64_t count, float *codebook, int32_t levels)
{
    struct pr_keyed *items = NULL, *scratch = NULL;
    float *ascending = NULL;
    for (int64_t i = 0; i < count; i++)
        if (isinf(values[i]))
            return pr_fail(PRUNE_E_VALUE, "codebook: one of the weights is %g; only finite ones can share a value",
                           (double)values[i]);
    int32_t status = pr_alloc(context, count, sizeof *items, &items);
    if (!status)
        status = pr_alloc(context, count, sizeof *scratch, &scratch);
    if (!status)
        status = pr_alloc(context, count, sizeof *ascending, &ascending);
    if (!status)
        status = make(context, ascending, sort_values(values, count, items, scratch, ascending), codebook, levels);
    pr_release(context, items);
    pr_release(context, scratch);
    pr_release(context, ascending);
    return status;
}

int32_t pr_codebook_used(const float *codebook, int32_t levels)
{
    while (levels > 1 && codebook[levels - 1] == 0)
        levels--;
    return levels;
}

int32_t pr_codebook_code(const float *codebook, int32_t used, float value)
{
    int32_t low = 1, high = used - 1;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if ((double)value <= ((double)codebook[middle] + (double)codebook[middle + 1]) / 2)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
