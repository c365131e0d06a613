/* SPDX-License-Identifier: BSD-2-Clause
 *
 * nm: of every group_m neighbouring columns of a row keep_n are stored, with their positions in the group.
 */
#include <string.h>

#include "core/sparse/sparse.h"

enum { VALUES, POSITIONS };
enum { KEEP_N, GROUP_M, UNIT_ROWS };
/* A matrix without columns may have any number of rows; loops over rows ask for groups first. */
#define MAX_GROUP 256

static const struct pr_parameter parameters[] = {
    {.name = "keep_n",
     .type = PR_WHOLE,
     .least = 1,
     .most = MAX_GROUP,
     .help = "elements stored of each group, 1 to group_m"},
    {.name = "group_m", .type = PR_WHOLE, .least = 1, .most = MAX_GROUP, .help = "columns of a group, 1 to 256"},
    {.name = "unit_rows",
     .type = PR_WHOLE,
     .standard = "1",
     .least = 1,
     .most = INT32_MAX,
     .help = "neighbouring rows that share their positions, 1 or more"},
    {0},
};

static int32_t prepare(struct prune_sparse *sparse)
{
    const int64_t *whole = sparse->parameters.whole;
    if (whole[KEEP_N] > whole[GROUP_M])
        return pr_fail(PRUNE_E_SPEC, "format nm: keep_n=%lld is above group_m=%lld; it must be 1 to group_m",
                       (long long)whole[KEEP_N], (long long)whole[GROUP_M]);
    sparse->keep_n = (int32_t)whole[KEEP_N];
    sparse->group_m = (int32_t)whole[GROUP_M];
    sparse->unit_rows = (int32_t)whole[UNIT_ROWS];
    sparse->position_bits = sparse->group_m <= 2 ? 1 : sparse->group_m <= 4 ? 2 : sparse->group_m <= 16 ? 4 : 8;
    sparse->groups = pr_ceil_div(sparse->columns, sparse->group_m);
    int64_t per_row = 0, bits = 0;
    PR_TRY(pr_mul(sparse->groups, sparse->keep_n, &per_row));
    PR_TRY(pr_mul(per_row, sparse->position_bits, &bits));
    sparse->position_bytes = pr_ceil_div(bits, 8);
    return pr_mul(sparse->rows, per_row, &sparse->stored);
}

static int32_t add_positions(struct prune_sparse *sparse)
{
    const int64_t shape[2] = {sparse->rows, sparse->position_bytes};
    PR_TRY(pr_sparse_add_part(sparse, POSITIONS, PRUNE_U8, 2, shape));
    sparse->positions = prune_tensor_data(sparse->parts[POSITIONS]);
    return PRUNE_OK;
}

static int64_t strip_rows(const struct prune_sparse *sparse, int64_t row)
{
    return sparse->rows - row < sparse->unit_rows ? sparse->rows - row : sparse->unit_rows;
}

static int64_t group_size(const struct prune_sparse *sparse, int64_t group)
{
    int64_t left = sparse->columns - group * sparse->group_m;
    return left < sparse->group_m ? left : sparse->group_m;
}

static int32_t refuse_element(const struct prune_sparse *sparse, int64_t row, int64_t column, const char *why)
{
    char place[PR_MAX_SHAPE_TEXT];
    return pr_fail(PRUNE_E_VALUE, "%s: element %s (row %lld, column %lld) %s", sparse->spec,
                   pr_index_text(place, sparse->rank, sparse->shape, row * sparse->columns + column), (long long)row,
                   (long long)column, why);
}

/* Marks in `kept` what the rows of a strip keep in one group; they must agree when the mask was given. */
static int32_t find_kept(const struct prune_sparse *sparse, const prune_mask *mask, int strict, int64_t row,
                         int64_t group, uint8_t kept[MAX_GROUP])
{
    const int64_t first = group * sparse->group_m, size = group_size(sparse, group), height = strip_rows(sparse, row);
    int32_t count = 0;
    memset(kept, 0, (size_t)sparse->group_m);
    for (int64_t r = row; r < row + height; r++) {
        for (int64_t i = 0; i < size; i++) {
            uint8_t bit = (uint8_t)pr_mask_get(mask, r * sparse->columns + first + i);
            if (strict && r > row && bit != kept[i])
                return refuse_element(sparse, r, first + i, "differs from the first row of its unit; they must agree");
            count += bit && !kept[i];
            kept[i] |= bit;
            if (count > sparse->keep_n)
                return refuse_element(sparse, r, first + i, "is one more than its group may keep");
        }
    }
    /* Fillers take the highest positions that are free. */
    for (int32_t i = sparse->group_m - 1; count < sparse->keep_n; i--) {
        count += !kept[i];
        kept[i] |= 2 * !kept[i];
    }
    return PRUNE_OK;
}

/* One group of all rows of a strip: `kept` has 1 at kept elements, 2 at fillers. */
static void store_group(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int64_t row,
                        int64_t group, const uint8_t kept[MAX_GROUP])
{
    const int64_t first = group * sparse->group_m, size = group_size(sparse, group), height = strip_rows(sparse, row);
    int64_t slot = group * sparse->keep_n;
    for (int32_t i = 0; i < sparse->group_m; i++) {
        if (!kept[i])
            continue;
        const int64_t bit = slot * sparse->position_bits;
        for (int64_t r = row; r < row + height; r++) {
            int64_t element = r * sparse->columns + first + i;
            float value = i < size && pr_mask_get(mask, element) ? weights[element] : 0;
            sparse->values[r * sparse->keep_n * sparse->groups + slot] = value;
            sparse->positions[r * sparse->position_bytes + (bit >> 3)] |= (uint8_t)(i << (bit & 7));
        }
        slot++;
    }
}

static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    const int64_t shape[2] = {sparse->rows, sparse->keep_n * sparse->groups};
    PR_TRY(pr_sparse_add_part(sparse, VALUES, PRUNE_F32, 2, shape));
    PR_TRY(add_positions(sparse));
    sparse->values = prune_tensor_data(sparse->parts[VALUES]);
    memset(sparse->positions, 0, (size_t)(sparse->rows * sparse->position_bytes));
    for (int64_t row = 0; sparse->groups && row < sparse->rows; row += strip_rows(sparse, row)) {
        for (int64_t group = 0; group < sparse->groups; group++) {
            uint8_t kept[MAX_GROUP];
            PR_TRY(find_kept(sparse, mask, strict, row, group, kept));
            store_group(sparse, weights, mask, row, group, kept);
        }
    }
    return PRUNE_OK;
}

/* Positions ascend within each group and lie inside it, and what stands beyond the last column is 0. */
static int32_t check_row(const struct prune_sparse *sparse, int64_t row)
{
    const uint8_t *positions = sparse->positions + row * sparse->position_bytes;
    const float *values = sparse->values + row * sparse->keep_n * sparse->groups;
    const int64_t slots = sparse->keep_n * sparse->groups;
    for (int64_t group = 0; group < sparse->groups; group++) {
        int32_t previous = -1;
        for (int64_t slot = group * sparse->keep_n; slot < (group + 1) * sparse->keep_n; slot++) {
            int32_t position = pr_nm_position(positions, slot, sparse->position_bits);
            if (position >= sparse->group_m)
                return pr_fail(PRUNE_E_FORMAT, "%s: positions of row %lld, group %lld: %d is outside 0 to %d",
                               sparse->spec, (long long)row, (long long)group, (int)position, (int)sparse->group_m - 1);
            if (position <= previous)
                return pr_fail(PRUNE_E_FORMAT, "%s: positions of row %lld, group %lld: %d after %d; they must ascend",
                               sparse->spec, (long long)row, (long long)group, (int)position, (int)previous);
            if (position >= group_size(sparse, group) && values[slot] != 0)
                return pr_fail(PRUNE_E_FORMAT,
                               "%s: values of row %lld, group %lld: %g at position %d, beyond the last column; it must "
                               "be 0",
                               sparse->spec, (long long)row, (long long)group, (double)values[slot], (int)position);
            previous = position;
        }
    }
    const int64_t used = slots * sparse->position_bits;
    if (used % 8 && positions[used >> 3] >> (used & 7))
        return pr_fail(PRUNE_E_FORMAT,
                       "%s: positions of row %lld: bits are set after the last position; they must be 0", sparse->spec,
                       (long long)row);
    return PRUNE_OK;
}

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    const int64_t value_shape[2] = {sparse->rows, sparse->keep_n * sparse->groups};
    const int64_t position_shape[2] = {sparse->rows, sparse->position_bytes};
    if (parts[POSITIONS]->dtype != PRUNE_U8)
        return pr_fail(PRUNE_E_DTYPE, "%s: part \"positions\" is of type %s; it must be u8", sparse->spec,
                       prune_dtype_name(parts[POSITIONS]->dtype));
    PR_TRY(pr_sparse_import_values(sparse, VALUES, parts[VALUES], 2, value_shape));
    PR_TRY(pr_sparse_check_part(sparse, POSITIONS, parts[POSITIONS], 2, position_shape));
    PR_TRY(add_positions(sparse));
    PR_TRY(prune_tensor_copy(sparse->parts[POSITIONS], parts[POSITIONS]));
    for (int64_t row = 0; sparse->groups && row < sparse->rows; row++) {
        const int64_t first = row - row % sparse->unit_rows, bytes = sparse->position_bytes;
        PR_TRY(check_row(sparse, row));
        if (memcmp(sparse->positions + row * bytes, sparse->positions + first * bytes, (size_t)bytes) != 0)
            return pr_fail(PRUNE_E_FORMAT,
                           "%s: positions of row %lld differ from those of row %lld, with which it shares a unit",
                           sparse->spec, (long long)row, (long long)first);
    }
    return PRUNE_OK;
}

/* The column of a stored value. A filler's may lie beyond the last one. */
static int64_t column_of(const struct prune_sparse *sparse, int64_t row, int64_t slot)
{
    const uint8_t *positions = sparse->positions + row * sparse->position_bytes;
    return slot / sparse->keep_n * sparse->group_m + pr_nm_position(positions, slot, sparse->position_bits);
}

static void to_dense(const struct prune_sparse *sparse, float *dense)
{
    const int64_t slots = sparse->keep_n * sparse->groups;
    for (int64_t row = 0; sparse->groups && row < sparse->rows; row++) {
        for (int64_t slot = 0; slot < slots; slot++) {
            int64_t column = column_of(sparse, row, slot);
            if (column < sparse->columns)
                dense[row * sparse->columns + column] = sparse->values[row * slots + slot];
        }
    }
}

static void to_mask(const struct prune_sparse *sparse, prune_mask *mask)
{
    const int64_t slots = sparse->keep_n * sparse->groups;
    for (int64_t row = 0; sparse->groups && row < sparse->rows; row++)
        for (int64_t slot = 0; slot < slots; slot++)
            if (sparse->values[row * slots + slot] != 0)
                pr_mask_keep(mask, row * sparse->columns + column_of(sparse, row, slot));
}

const struct pr_format pr_format_nm = {
    .kind = {.name = "nm",
             .help = "keep_n of every group_m columns, with small positions: half the values and an eighth more at 2:4",
             .parameters = parameters},
    .part_count = 2,
    .part_names = {"values", "positions"},
    .prepare = prepare,
    .create = create,
    .import = import,
    .to_dense = to_dense,
    .to_mask = to_mask,
};
