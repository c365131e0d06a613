/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/channels.h"

#include <string.h>

static int32_t check_units(const struct pr_channels *c)
{
    const struct pr_recovering *r = c->r;
    const char *kind = r->recovery->kind->kind.name;
    if (c->grid.extent[1] != r->weights->shape[1] || c->grid.units != c->grid.extent[1])
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "recovery %s chooses input channels; granularity %s must be in-channel or "
                       "column",
                       kind, prune_granularity_spec(r->granularity));
    if (r->target == PRUNE_THRESHOLD)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "recovery %s has no scores that a threshold could be compared with; the "
                       "target must be PRUNE_SPARSITY, PRUNE_KEEP or PRUNE_COUNT",
                       kind);
    return pr_check_target(&c->grid, r->target, r->amount);
}

int32_t pr_channels_start(struct pr_channels *c, struct pr_recovering *r, double damping, int64_t memory)
{
    double *copy;
    int64_t cells = 0, pairs = 0, elements = 0;
    *c = (struct pr_channels){.r = r, .la = pr_linalg_of(r->context), .damping = damping, .memory = memory};
    PR_TRY(pr_grid_make(&c->grid, r->granularity, r->weights->rank, r->weights->shape));
    PR_TRY(check_units(c));
    const struct pr_target target = {r->target, r->amount, c->grid.quota, 0, 0};
    c->count = c->grid.units;
    c->taps = c->count ? r->columns / c->count : 0;
    c->keep = c->count - pr_target_count(&target, c->count);
    PR_TRY(pr_linalg_fits("the number of inputs", r->columns));
    PR_TRY(pr_mul(c->count, c->count + 1, &pairs));
    PR_TRY(pr_mul(r->rows, r->columns, &elements));
    PR_TRY(pr_mul(2, elements, &cells));
    PR_TRY(pr_add(cells, pairs, &cells));
    PR_TRY(pr_alloc(r->context, c->count, sizeof *c->stay, &c->stay));
    PR_TRY(pr_alloc_zero(r->context, cells, sizeof *c->weights, &c->weights));
    c->wanted = c->weights + elements;
    c->q = c->wanted + elements;
    c->p = c->q + c->count * c->count;
    memset(c->stay, 1, (size_t)c->count);
    PR_TRY(pr_recover_copy(r, &copy));
    memcpy(c->weights, copy, (size_t)elements * sizeof *copy);
    return pr_wanted_outputs(r, &c->la, c->weights, c->wanted);
}

void pr_channels_free(struct pr_channels *c)
{
    pr_release(c->r->context, c->weights);
    pr_release(c->r->context, c->stay);
}

/* z_i'z_j = the sum over their columns of G and W'W, element by element: W'W a strip of rows at a time. */
int32_t pr_channels_contributions(struct pr_channels *c, struct pr_contributions *out)
{
    struct pr_recovering *r = c->r;
    int64_t n = r->columns, row_bytes = (n ? n : 1) * (int64_t)sizeof(double), cells = 0;
    int64_t strip = c->memory / row_bytes < n ? c->memory / row_bytes : n;
    double *products;
    strip = strip < 1 ? 1 : strip;
    PR_TRY(pr_mul(strip, n, &cells));
    PR_TRY(pr_alloc(r->context, cells, sizeof *products, &products));
    memset(c->q, 0, (size_t)(c->count * (c->count + 1)) * sizeof *c->q);
    int32_t status = PRUNE_OK;
    for (int64_t first = 0; first < n && !status; first += strip) {
        int64_t rows = n - first < strip ? n - first : strip;
        status =
            pr_linalg_gemm(&c->la, 1, 0, rows, n, r->rows, 1, c->weights + first, n, c->weights, n, 0, products, n);
        for (int64_t i = 0; i < rows && !status; i++) {
            const double *gram = r->gram + (first + i) * n, *product = products + i * n;
            double *q = c->q + (first + i) / c->taps * c->count;
            for (int64_t j = 0; j < n; j++)
                q[j / c->taps] += gram[j] * product[j];
        }
    }
    for (int64_t o = 0; o < r->rows; o++)
        for (int64_t j = 0; j < n; j++)
            c->p[j / c->taps] += c->weights[o * n + j] * c->wanted[o * n + j];
    pr_release(r->context, products);
    r->memory = r->memory > strip * row_bytes ? r->memory : strip * row_bytes;
    *out = (struct pr_contributions){
        .context = r->context, .count = c->count, .n = (double)r->samples * (double)r->rows, .q = c->q, .p = c->p};
    return status;
}

int32_t pr_channels_mask(struct pr_channels *c)
{
    prune_mask *mask;
    PR_TRY(pr_grid_expand(&mask, c->r->context, &c->grid, c->stay));
    prune_mask_free(c->r->chosen);
    c->r->chosen = mask;
    return PRUNE_OK;
}

int32_t pr_channels_least_squares(struct pr_channels *c)
{
    struct pr_recovering *r = c->r;
    PR_TRY(pr_least_squares(r, r->weights, r->chosen, c->damping, c->memory));
    memcpy(c->weights, r->result->data, (size_t)(r->rows * r->columns) * sizeof *c->weights);
    return PRUNE_OK;
}
