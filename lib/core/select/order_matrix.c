/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/granularity/granularity.h"
#include "core/select/order.h"
#include "core/tensor/tensor.h"

/* Along which axis the groups lie. */
static int32_t find_groups(struct pr_order_matrix *matrix, const prune_granularity *granularity, int32_t rank,
                           const int64_t *shape)
{
    struct pr_cut cut = {.quota = PR_NO_QUOTA};
    int32_t axis = -1, axes = 0;
    for (int32_t i = 0; i < rank; i++)
        cut.unit[i] = 1, cut.pool[i] = shape[i];
    PR_TRY(granularity->kind->cut(&granularity->values, rank, shape, &cut));
    for (int32_t i = 0; i < rank; i++)
        if (cut.pool[i] > cut.unit[i])
            axis = i, axes++;
    if (cut.quota == PR_NO_QUOTA || axes != 1 || cut.unit[axis] != 1)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "prune_order_create: %s has no groups of several channels along one axis; channels are ordered "
                       "for nm with group_m 2 or more",
                       granularity->spec);
    matrix->axis = axis;
    matrix->columns = shape[axis];
    matrix->group_m = cut.pool[axis] < shape[axis] ? cut.pool[axis] : shape[axis];
    if (matrix->group_m == 0)
        matrix->group_m = 1; /* no channels, but something to divide by */
    matrix->keep_n = cut.quota < matrix->group_m ? cut.quota : matrix->group_m;
    return PRUNE_OK;
}

/* Adds the magnitudes of one line along the last axis to their units. `row` and `column` are those of its first
 * element; along the line one of them moves. */
static int32_t add_line(struct pr_order_matrix *matrix, const prune_tensor *weights, const struct pr_grid *grid,
                        const char *data, int64_t row, int64_t column, int64_t position)
{
    int32_t last = weights->rank - 1;
    int64_t size = prune_dtype_size(weights->dtype), stride = weights->strides[last];
    for (int64_t at = 0; at < weights->shape[last]; at += 256) {
        double part[256];
        int64_t count = weights->shape[last] - at < 256 ? weights->shape[last] - at : 256;
        pr_read_double(weights->dtype, data + at * stride * size, stride, count, part);
        for (int64_t i = 0; i < count; i++) {
            double magnitude = fabs(part[i]);
            if (!isfinite(magnitude))
                return pr_fail(PRUNE_E_VALUE, "prune_order_create: element %lld is %s; magnitudes must be finite",
                               (long long)(position + at + i), isnan(magnitude) ? "NaN" : "infinite");
            int64_t along = at + i, at_column = column, at_row = row;
            if (last == matrix->axis)
                at_column += along;
            else
                at_row += along / grid->unit[last];
            matrix->magnitude[at_column * matrix->stride + at_row] += magnitude;
        }
    }
    return PRUNE_OK;
}

static int32_t read_all(struct pr_order_matrix *matrix, const prune_tensor *weights, const struct pr_grid *grid)
{
    int64_t index[PRUNE_MAX_RANK] = {0}, position = 0;
    int32_t last = weights->rank - 1;
    if (weights->count == 0)
        return PRUNE_OK;
    for (;;) {
        int64_t row = 0, column = 0, offset = 0;
        for (int32_t i = 0; i < weights->rank; i++) {
            offset += index[i] * weights->strides[i];
            if (i == matrix->axis)
                column = index[i];
            else
                row = row * grid->extent[i] + index[i] / grid->unit[i];
        }
        PR_TRY(add_line(matrix, weights, grid, weights->data + offset * prune_dtype_size(weights->dtype), row, column,
                        position));
        position += weights->shape[last];
        int32_t axis = last - 1;
        for (; axis >= 0 && ++index[axis] == weights->shape[axis]; axis--)
            index[axis] = 0;
        if (axis < 0)
            return PRUNE_OK;
    }
}

int32_t pr_order_matrix_make(struct pr_order_matrix *matrix, const prune_tensor *weights,
                             const prune_granularity *granularity)
{
    struct pr_grid grid;
    if (!pr_dtype_is_float(weights->dtype))
        return pr_fail(PRUNE_E_DTYPE, "prune_order_create: weights are %s; they must be f32, f16, bf16 or f64",
                       prune_dtype_name(weights->dtype));
    PR_TRY(pr_grid_make(&grid, granularity, weights->rank, weights->shape));
    PR_TRY(find_groups(matrix, granularity, weights->rank, weights->shape));
    matrix->rows = 1;
    for (int32_t i = 0; i < weights->rank; i++)
        if (i != matrix->axis)
            PR_TRY(pr_mul(matrix->rows, grid.extent[i], &matrix->rows));
    int64_t lanes = pr_ceil_div(matrix->rows, PR_ORDER_LANES), count = 0;
    PR_TRY(pr_mul(lanes, PR_ORDER_LANES, &matrix->stride));
    PR_TRY(pr_mul(matrix->stride, matrix->columns, &count));
    PR_TRY(pr_alloc_zero(weights->context, count, sizeof(double), &matrix->magnitude));
    PR_TRY(read_all(matrix, weights, &grid));
    matrix->total = 0;
    for (int64_t i = 0; i < count; i++)
        matrix->total += matrix->magnitude[i];
    if (!isfinite(matrix->total))
        return pr_fail(PRUNE_E_VALUE, "prune_order_create: the magnitudes sum to infinity; scale the weights down");
    return PRUNE_OK;
}

static double greater(double a, double b)
{
    return a > b ? a : b;
}

static double sum_of_lanes(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* The two largest of a, b, c, d are one of each pair, or both of one pair. */
static double two_of_four(const struct pr_order_matrix *matrix, const int64_t *columns)
{
    double lane[PR_ORDER_LANES] = {0};
    const double *a = matrix->magnitude + columns[0] * matrix->stride;
    const double *b = matrix->magnitude + columns[1] * matrix->stride;
    const double *c = matrix->magnitude + columns[2] * matrix->stride;
    const double *d = matrix->magnitude + columns[3] * matrix->stride;
    for (int64_t row = 0; row < matrix->stride; row += PR_ORDER_LANES)
        for (int64_t i = 0; i < PR_ORDER_LANES; i++) {
            int64_t at = row + i;
            double across = greater(a[at], b[at]) + greater(c[at], d[at]);
            lane[i] += greater(across, greater(a[at] + b[at], c[at] + d[at]));
        }
    return sum_of_lanes(lane);
}

static double all_of(const struct pr_order_matrix *matrix, const int64_t *columns, int64_t count)
{
    double lane[PR_ORDER_LANES] = {0};
    for (int64_t column = 0; column < count; column++) {
        const double *a = matrix->magnitude + columns[column] * matrix->stride;
        for (int64_t row = 0; row < matrix->stride; row += PR_ORDER_LANES)
            for (int64_t i = 0; i < PR_ORDER_LANES; i++)
                lane[i] += a[row + i];
    }
    return sum_of_lanes(lane);
}

/* A bubble of `keep` largest numbers for each row, eight rows at a time. */
static double some_of(const struct pr_order_matrix *matrix, const int64_t *columns, int64_t count, int64_t keep)
{
    double lane[PR_ORDER_LANES] = {0};
    for (int64_t row = 0; row < matrix->stride; row += PR_ORDER_LANES) {
        double top[PR_ORDER_MAX_GROUP][PR_ORDER_LANES] = {{0}};
        for (int64_t column = 0; column < count; column++) {
            const double *a = matrix->magnitude + columns[column] * matrix->stride + row;
            for (int64_t i = 0; i < PR_ORDER_LANES; i++) {
                double rest = a[i];
                for (int64_t k = 0; k < keep; k++) {
                    double held = top[k][i];
                    top[k][i] = greater(held, rest);
                    rest = held < rest ? held : rest;
                }
            }
        }
        for (int64_t k = 0; k < keep; k++)
            for (int64_t i = 0; i < PR_ORDER_LANES; i++)
                lane[i] += top[k][i];
    }
    return sum_of_lanes(lane);
}

double pr_order_retained(const struct pr_order_matrix *matrix, const int64_t *columns, int64_t count)
{
    if (count <= matrix->keep_n)
        return all_of(matrix, columns, count);
    if (count == 4 && matrix->keep_n == 2)
        return two_of_four(matrix, columns);
    return some_of(matrix, columns, count, matrix->keep_n);
}
