/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes of a layer's weights in a format. Arithmetic is checked: N:M with much padding can be larger than dense.
 */
#include "base/checked.h"
#include "model/cost/cost.h"

struct pm_cost_format {
    struct pr_kind kind;
    int32_t (*bytes)(const struct pm_cost_layer *layer, const struct pr_values *values, int64_t *bytes);
};

static int32_t bytes_dense(const struct pm_cost_layer *layer, const struct pr_values *values, int64_t *bytes)
{
    (void)values;
    return pr_mul(layer->weights, 4, bytes);
}

static int32_t bytes_csr(const struct pm_cost_layer *layer, const struct pr_values *values, int64_t *bytes)
{
    int64_t elements = 0, rows = 0;
    (void)values;
    PR_TRY(pr_mul(layer->nonzeros, 8, &elements));
    PR_TRY(pr_mul(layer->measure.rows + 1, 4, &rows));
    return pr_add(elements, rows, bytes);
}

enum { KEEP_N, GROUP_M };

static const struct pr_parameter nm_parameters[] = {
    {"keep_n", PR_WHOLE, NULL, 1, 256, NULL, "elements kept in each group, 1 to group_m"},
    {"group_m", PR_WHOLE, NULL, 1, 256, NULL, "neighbouring elements of a row in a group, 1 to 256"},
    {"unit_rows", PR_WHOLE, "1", 1, 0x1p53, NULL, "neighbouring rows with one pattern, 1 or more"},
    {NULL, PR_WHOLE, NULL, 0, 0, NULL, NULL},
};

/* Values for every group, the last one of a row filled up, and for each of them its position in as few of 1, 2, 4 or 8
 * bits as hold group_m; each row begins with a new byte. */
static int32_t bytes_nm(const struct pm_cost_layer *layer, const struct pr_values *values, int64_t *bytes)
{
    int64_t group_m = values->whole[GROUP_M], slots = 0, bits = 0, row = 0;
    int64_t position_bits = group_m <= 2 ? 1 : group_m <= 4 ? 2 : group_m <= 16 ? 4 : 8;
    PR_TRY(pr_mul(values->whole[KEEP_N], pr_ceil_div(layer->measure.columns, group_m), &slots));
    PR_TRY(pr_mul(slots, position_bits, &bits));
    PR_TRY(pr_mul(slots, 4, &row));
    PR_TRY(pr_add(row, pr_ceil_div(bits, 8), &row));
    return pr_mul(row, layer->measure.rows, bytes);
}

static int32_t bytes_bitmap(const struct pm_cost_layer *layer, const struct pr_values *values, int64_t *bytes)
{
    int64_t elements = 0;
    (void)values;
    PR_TRY(pr_mul(layer->nonzeros, 4, &elements));
    return pr_add(elements, pr_ceil_div(layer->weights, 8), bytes);
}

static const struct pm_cost_format format_dense = {{"dense", "every weight", NULL}, bytes_dense};
static const struct pm_cost_format format_csr = {{"csr", "compressed sparse rows, 32-bit indices", NULL}, bytes_csr};
static const struct pm_cost_format format_nm = {{"nm", "keep_n of every group_m", nm_parameters}, bytes_nm};
static const struct pm_cost_format format_bitmap = {{"bitmap", "a bit a weight and the non-zeros", NULL}, bytes_bitmap};

#define PM_COST_FORMAT(name) &format_##name,
static const struct pm_cost_format *const formats[] = {
#include "model/cost/formats.def"
};
#undef PM_COST_FORMAT
#define PM_COST_FORMAT(name) &format_##name.kind,
static const struct pr_kind *const kinds[] = {
#include "model/cost/formats.def"
};
#undef PM_COST_FORMAT

int32_t prune_cost_bytes(const prune_cost *cost, const char *format, int32_t layer, double *bytes)
{
    PR_REQUIRE(cost);
    PR_REQUIRE(format);
    PR_REQUIRE(bytes);
    struct pr_values values;
    int64_t total = 0, part = 0;
    int32_t first = 0, end = 0, kind = 0;
    PR_TRY(pr_spec_parse(format, "format", kinds, (int32_t)(sizeof kinds / sizeof *kinds), &kind, &values));
    if (formats[kind] == &format_nm && values.whole[KEEP_N] > values.whole[GROUP_M])
        return pr_fail(PRUNE_E_SPEC, "format nm: keep_n=%lld is more than group_m=%lld",
                       (long long)values.whole[KEEP_N], (long long)values.whole[GROUP_M]);
    PR_TRY(pm_cost_range(cost, layer, &first, &end));
    for (int32_t i = first; i < end; i++) {
        if (cost->layers[i].weights == 0 || cost->layers[i].is_repeated)
            continue;
        PR_TRY(formats[kind]->bytes(&cost->layers[i], &values, &part));
        PR_TRY(pr_add(total, part, &total));
    }
    *bytes = (double)total;
    return PRUNE_OK;
}
