/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/source.h"

#include <string.h>

#include "core/sparse/sparse.h"

int32_t pr_source_of(struct pr_owned_source *owned, const prune_sparse *sparse)
{
    memset(owned, 0, sizeof *owned);
    struct pr_source *source = &owned->source;
    owned->context = sparse->context;
    source->rows = sparse->rows;
    source->columns = sparse->columns;
    source->values = sparse->values;
    if (sparse->format == &pr_format_dense) {
        source->format = PR_SOURCE_DENSE;
        return PRUNE_OK;
    }
    if (sparse->format == &pr_format_csr) {
        source->format = PR_SOURCE_CSR;
        source->indptr = sparse->indptr;
        source->indices = sparse->indices;
        return PRUNE_OK;
    }
    source->format = PR_SOURCE_NM;
    source->keep_n = sparse->keep_n;
    source->group_m = sparse->group_m;
    source->unit_rows = sparse->unit_rows;
    source->per_row = sparse->keep_n * sparse->groups;
    if (sparse->columns > INT32_MAX - sparse->group_m)
        return pr_fail(PRUNE_E_UNSUPPORTED, "a matrix of %lld columns; up to %d can be packed",
                       (long long)sparse->columns, INT32_MAX - (int)sparse->group_m);
    PR_TRY(pr_alloc(owned->context, sparse->stored, sizeof *owned->indices, &owned->indices));
    for (int64_t row = 0; sparse->groups && row < sparse->rows; row++)
        for (int64_t i = 0; i < source->per_row; i++)
            owned->indices[row * source->per_row + i] =
                (int32_t)(i / sparse->keep_n * sparse->group_m) +
                pr_nm_position(sparse->positions + row * sparse->position_bytes, i, sparse->position_bits);
    source->indices = owned->indices;
    return PRUNE_OK;
}

void pr_source_release(struct pr_owned_source *owned)
{
    pr_release(owned->context, owned->indptr);
    pr_release(owned->context, owned->indices);
    pr_release(owned->context, owned->values);
    memset(owned, 0, sizeof *owned);
}

/* N:M and dense to CSR, without what is 0. */
static int32_t to_csr(struct pr_owned_source *to, const struct pr_source *from)
{
    int64_t stored = 0, next = 0;
    for (int64_t row = 0; row < from->rows; row++)
        for (int64_t e = pr_source_begin(from, row); e < pr_source_begin(from, row + 1); e++)
            stored += from->values[e] != 0;
    PR_TRY(pr_alloc(to->context, from->rows + 1, sizeof *to->indptr, &to->indptr));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->indices, &to->indices));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->values, &to->values));
    for (int64_t row = 0; row < from->rows; row++) {
        to->indptr[row] = next;
        for (int64_t e = pr_source_begin(from, row); e < pr_source_begin(from, row + 1); e++)
            if (from->values[e] != 0) {
                to->indices[next] = (int32_t)pr_source_column(from, row, e);
                to->values[next++] = from->values[e];
            }
    }
    to->indptr[from->rows] = next;
    return PRUNE_OK;
}

/* Which columns of a group the rows of a unit store, fillers at the highest free ones. cursor[i]: the next entry of row
 * first + i. */
static int32_t choose_positions(const struct pr_source *from, const struct pr_source *to, int64_t first, int64_t end,
                                int64_t begin, const int64_t *cursor, uint8_t taken[256])
{
    int32_t count = 0;
    memset(taken, 0, 256);
    for (int64_t row = first; row < end; row++)
        for (int64_t e = cursor[row]; e < from->indptr[row + 1] && from->indices[e] < begin + to->group_m; e++) {
            uint8_t *at = &taken[from->indices[e] - begin];
            count += !*at;
            *at = 1;
            if (count > to->keep_n)
                return pr_fail(PRUNE_E_VALUE, "packed: row %lld, column %d is one more than the %d of %d wanted",
                               (long long)row, (int)from->indices[e], (int)to->keep_n, (int)to->group_m);
        }
    for (int32_t i = to->group_m - 1; count < to->keep_n; i--) {
        count += !taken[i];
        taken[i] = 1;
    }
    return PRUNE_OK;
}

static int32_t fill_nm(struct pr_owned_source *to, const struct pr_source *from, int64_t *cursor)
{
    const struct pr_source *nm = &to->source;
    memcpy(cursor, from->indptr, (size_t)from->rows * sizeof *cursor);
    for (int64_t first = 0; nm->per_row && first < nm->rows; first += nm->unit_rows) {
        int64_t end = nm->rows - first < nm->unit_rows ? nm->rows : first + nm->unit_rows;
        for (int64_t begin = 0, slot = 0; begin < nm->columns; begin += nm->group_m) {
            uint8_t taken[256];
            PR_TRY(choose_positions(from, nm, first, end, begin, cursor, taken));
            for (int32_t i = 0; i < nm->group_m; i++) {
                for (int64_t row = first; taken[i] && row < end; row++) {
                    int64_t e = cursor[row];
                    int stored = e < from->indptr[row + 1] && from->indices[e] == begin + i;
                    to->indices[row * nm->per_row + slot] = (int32_t)(begin + i);
                    to->values[row * nm->per_row + slot] = stored ? from->values[e] : 0;
                    cursor[row] += stored;
                }
                slot += taken[i];
            }
        }
    }
    return PRUNE_OK;
}

static int32_t to_nm(struct pr_owned_source *to, const struct pr_source *from)
{
    int64_t *cursor = NULL, stored = 0;
    if (from->columns > INT32_MAX - to->source.group_m)
        return pr_fail(PRUNE_E_UNSUPPORTED, "a matrix of %lld columns; up to %d can be packed",
                       (long long)from->columns, INT32_MAX - (int)to->source.group_m);
    PR_TRY(pr_mul(from->rows, to->source.per_row, &stored));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->indices, &to->indices));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->values, &to->values));
    PR_TRY(pr_alloc(to->context, from->rows, sizeof *cursor, &cursor));
    int32_t status = fill_nm(to, from, cursor);
    pr_release(to->context, cursor);
    return status;
}

static int32_t to_dense(struct pr_owned_source *to, const struct pr_source *from)
{
    int64_t count = 0;
    PR_TRY(pr_mul(from->rows, from->columns, &count));
    PR_TRY(pr_alloc_zero(to->context, count, sizeof *to->values, &to->values));
    for (int64_t row = 0; row < from->rows; row++)
        for (int64_t e = from->indptr[row]; e < from->indptr[row + 1]; e++)
            to->values[row * from->columns + from->indices[e]] = from->values[e];
    return PRUNE_OK;
}

/* One step: replaces the owned source by one of `wanted`'s format. */
static int32_t step(struct pr_owned_source *owned, const struct pr_source *wanted, enum pr_source_format format)
{
    struct pr_owned_source next = {.context = owned->context};
    const struct pr_source *from = &owned->source;
    next.source.format = format;
    next.source.rows = from->rows;
    next.source.columns = from->columns;
    if (format == PR_SOURCE_NM) {
        next.source.keep_n = wanted->keep_n;
        next.source.group_m = wanted->group_m;
        next.source.unit_rows = wanted->unit_rows;
        next.source.per_row = pr_ceil_div(from->columns, wanted->group_m) * wanted->keep_n;
    }
    int32_t status = format == PR_SOURCE_CSR  ? to_csr(&next, from)
                     : format == PR_SOURCE_NM ? to_nm(&next, from)
                                              : to_dense(&next, from);
    pr_source_release(owned);
    if (status) {
        pr_source_release(&next);
        return status;
    }
    next.source.indptr = next.indptr;
    next.source.indices = next.indices;
    next.source.values = next.values;
    *owned = next;
    return PRUNE_OK;
}

int32_t pr_source_convert(struct pr_owned_source *owned, const struct pr_source *wanted)
{
    if (owned->source.format != PR_SOURCE_CSR)
        PR_TRY(step(owned, wanted, PR_SOURCE_CSR));
    if (wanted->format == PR_SOURCE_CSR)
        return PRUNE_OK;
    return step(owned, wanted, wanted->format);
}
