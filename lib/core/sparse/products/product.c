/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/products/product.h"

#include "core/sparse/packed/packed.h"

int32_t pr_product_span(int64_t count, int64_t width, int64_t ld, int64_t *elements)
{
    *elements = 0;
    if (count == 0 || width == 0)
        return PRUNE_OK;
    PR_TRY(pr_mul(count - 1, ld, elements));
    PR_TRY(pr_add(*elements, width, elements));
    int64_t bytes;
    return pr_mul(*elements, (int64_t)sizeof(float), &bytes);
}

/* X and Y may be columns of one larger matrix: their rows then interleave without overlapping. */
static int overlap(const struct pr_product *p, int64_t x_span, int64_t y_span, int64_t x_width, int64_t y_width)
{
    uintptr_t x = (uintptr_t)p->x, y = (uintptr_t)p->y;
    if (x_span == 0 || y_span == 0 || x + (uintptr_t)x_span * sizeof(float) <= y ||
        y + (uintptr_t)y_span * sizeof(float) <= x)
        return 0;
    if (p->ldx != p->ldy)
        return 1;
    int64_t period = p->ldx * (int64_t)sizeof(float), apart = (int64_t)(y - x) % period;
    if (apart < 0)
        apart += period;
    return apart < x_width * (int64_t)sizeof(float) || apart + y_width * (int64_t)sizeof(float) > period;
}

int32_t pr_product_check(const struct pr_product *p, int64_t rows, int64_t columns, const prune_epilogue *epilogue,
                         const char *function)
{
    if (p->n < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: n is %lld; it must be 0 or more", function, (long long)p->n);
    int64_t x_rows = p->batch ? p->n : columns, x_width = p->batch ? columns : p->n;
    int64_t y_rows = p->batch ? p->n : rows, y_width = p->batch ? rows : p->n;
    if (p->ldx < x_width)
        return pr_fail(PRUNE_E_SHAPE, "%s: ldx is %lld; a row of X has %lld elements", function, (long long)p->ldx,
                       (long long)x_width);
    if (p->ldy < y_width)
        return pr_fail(PRUNE_E_SHAPE, "%s: ldy is %lld; a row of Y has %lld elements", function, (long long)p->ldy,
                       (long long)y_width);
    int64_t x_span, y_span;
    if (pr_product_span(x_rows, x_width, p->ldx, &x_span))
        return pr_fail_in(PRUNE_E_OVERFLOW, "%s: X", function);
    if (pr_product_span(y_rows, y_width, p->ldy, &y_span))
        return pr_fail_in(PRUNE_E_OVERFLOW, "%s: Y", function);
    if ((x_span && !p->x) || (y_span && !p->y))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %s is NULL; it must be given", function, p->y ? "x" : "y");
    if (overlap(p, x_span, y_span, x_width, y_width))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: X and Y overlap; Y must have memory of its own", function);
    if (epilogue && (epilogue->scale || epilogue->bias) && epilogue->rows != rows)
        return pr_fail(PRUNE_E_SHAPE, "%s: the %s has %lld rows and W has %lld", function,
                       epilogue->bias ? "bias" : "scale", (long long)epilogue->rows, (long long)rows);
    return PRUNE_OK;
}
