/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dense: strips of 64 rows (the last one of a multiple of 16), each [columns][strip], lanes along the rows.
 */
#include "core/sparse/forms/form.h"

enum { VALUES };

static int can(const struct pr_source *source)
{
    return source->format == PR_SOURCE_DENSE;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    (void)column_hint;
    (void)cpu;
    return 1;
}

static int64_t strip_lanes(const struct pr_header *header, int64_t first_row)
{
    int64_t lanes = pr_ceil_div(header->rows - first_row, PR_LANES) * PR_LANES;
    return lanes < PR_STRIP ? lanes : PR_STRIP;
}

/* The size of the one section: rows padded to lanes. */
static int32_t value_bytes(int64_t rows, int64_t columns, int64_t encoding, int64_t *bytes)
{
    int64_t lanes = 0;
    PR_TRY(pr_add(rows, PR_LANES - 1, &lanes));
    PR_TRY(pr_mul(lanes / PR_LANES * PR_LANES, columns, bytes));
    return pr_mul(*bytes, pr_encoding_bytes(encoding), bytes);
}

/* Where the values of a strip begin. */
static void *strip_values(const struct pr_header *header, int64_t first_row)
{
    return (char *)pr_section(header, VALUES) + first_row * header->columns * pr_encoding_bytes(header->encoding);
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)cpu;
    (void)column_hint;
    int64_t bytes = 0;
    PR_TRY(value_bytes(source->rows, source->columns, source->encoding, &bytes));
    PR_TRY(pr_blob_begin(blob, &bytes, 1));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = source->rows * source->columns;
    header->block_rows = pr_choose_block_rows(source->rows, PR_STRIP, 4 * PR_STRIP);
    for (int64_t row = 0; row < source->rows; row++) {
        int64_t first = row / PR_STRIP * PR_STRIP, lanes = strip_lanes(header, first);
        float scale = pr_source_scale(source, row);
        void *to = strip_values(header, first);
        for (int64_t k = 0; k < source->columns; k++)
            pr_encode_put(to, k * lanes + (row - first), source->encoding, source->values[row * source->columns + k],
                          scale);
    }
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes = 0;
    PR_TRY(value_bytes(header->rows, header->columns, header->encoding, &bytes));
    PR_TRY(pr_blob_expect(header, &bytes, 1));
    return pr_blob_expect_blocks(header, PR_STRIP, PR_MAX_BLOCK_ROWS);
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    return pr_block_size(header, block) * header->columns;
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    int64_t first = run->block * header->block_rows, end = first + pr_block_size(header, run->block);
    pr_dense_values_fn *const kernels[PR_ENCODINGS] = {NULL, run->kernels->dense_strip_f16,
                                                       run->kernels->dense_strip_bf16, run->kernels->dense_strip_int8};
    for (int64_t row = first; row < end; row += PR_STRIP) {
        float *sums = run->sums + (row - first);
        const void *values = strip_values(header, row);
        int64_t lanes = strip_lanes(header, row);
        if (header->encoding == PR_VALUES_F32)
            run->kernels->dense_strip(sums, run->ld_sums, run->x, run->ldx, run->tile, values, header->columns, lanes);
        else
            kernels[header->encoding](sums, run->ld_sums, run->x, run->ldx, run->tile, values, header->columns, lanes);
    }
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    for (int64_t row = 0; row < header->rows; row++) {
        int64_t first = row / PR_STRIP * PR_STRIP, lanes = strip_lanes(header, first);
        float scale = pr_scale_of(header, row);
        for (int64_t k = 0; k < header->columns; k++)
            pr_unpack_put(
                to, row, k,
                pr_encode_get(strip_values(header, first), k * lanes + (row - first), header->encoding, scale));
    }
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    static const enum pr_slot slots[PR_ENCODINGS] = {PR_SLOT_dense_strip, PR_SLOT_dense_strip_f16,
                                                     PR_SLOT_dense_strip_bf16, PR_SLOT_dense_strip_int8};
    (void)n;
    return slots[header->encoding];
}

const struct pr_form pr_form_dense = {
    .name = "dense-strips",
    .column_order = 1,
    .lanes_along_rows = 1,
    .any_encoding = 1,
    .x_group = PR_X_WHOLE,
    .tile = 48,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .slot = slot,
};
