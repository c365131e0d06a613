/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/formats/elements.h"

#include <string.h>

#include "core/sparse/packed/source.h"

struct dense {
    float *values;
    int64_t columns;
};

static void put_value(void *user, int64_t row, int64_t column, float value, int32_t code)
{
    const struct dense *to = user;
    (void)code;
    to->values[row * to->columns + column] = value;
}

void pr_elements_to_dense(const struct prune_sparse *sparse, float *dense)
{
    struct dense to = {dense, sparse->columns};
    sparse->format->each(sparse, put_value, &to);
}

struct marks {
    prune_mask *mask;
    int64_t columns;
};

static void put_mark(void *user, int64_t row, int64_t column, float value, int32_t code)
{
    const struct marks *to = user;
    (void)value;
    (void)code;
    pr_mask_keep(to->mask, row * to->columns + column);
}

void pr_elements_to_mask(const struct prune_sparse *sparse, prune_mask *mask)
{
    struct marks to = {mask, sparse->columns};
    sparse->format->each(sparse, put_mark, &to);
}

static void count_row(void *user, int64_t row, int64_t column, float value, int32_t code)
{
    int64_t *counts = user;
    (void)column;
    (void)value;
    (void)code;
    counts[row + 1]++;
}

static void put_entry(void *user, int64_t row, int64_t column, float value, int32_t code)
{
    struct pr_owned_source *to = user;
    int64_t at = to->indptr[row]++;
    to->indices[at] = (int32_t)column;
    to->values[at] = value;
    if (to->codes)
        to->codes[at] = (uint8_t)code;
}

int32_t pr_elements_to_source(struct pr_owned_source *owned, const struct prune_sparse *sparse)
{
    struct pr_source *source = &owned->source;
    int64_t pointers = 0;
    PR_TRY(pr_add(sparse->rows, 1, &pointers));
    PR_TRY(pr_alloc_zero(owned->context, pointers, sizeof *owned->indptr, &owned->indptr));
    sparse->format->each(sparse, count_row, owned->indptr);
    for (int64_t row = 0; row < sparse->rows; row++)
        owned->indptr[row + 1] += owned->indptr[row];
    int64_t stored = owned->indptr[sparse->rows];
    PR_TRY(pr_alloc(owned->context, stored, sizeof *owned->indices, &owned->indices));
    PR_TRY(pr_alloc(owned->context, stored, sizeof *owned->values, &owned->values));
    if (sparse->codebook)
        PR_TRY(pr_alloc(owned->context, stored, sizeof *owned->codes, &owned->codes));
    sparse->format->each(sparse, put_entry, owned);
    memmove(owned->indptr + 1, owned->indptr, (size_t)sparse->rows * sizeof *owned->indptr);
    owned->indptr[0] = 0;
    source->format = PR_SOURCE_CSR;
    source->indptr = owned->indptr;
    source->indices = owned->indices;
    source->values = owned->values;
    source->codes = owned->codes;
    source->codebook = sparse->codebook;
    source->levels = sparse->levels;
    source->gap_bits = sparse->gap_bits;
    source->by_columns = sparse->format == &pr_format_csc;
    return PRUNE_OK;
}
