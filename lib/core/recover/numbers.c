/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/numbers.h"

#include <math.h>

int32_t pr_numbers_read_into(double *out, const prune_tensor *tensor, const char *function, const char *what)
{
    struct pr_walk walk;
    char place[PR_MAX_SHAPE_TEXT];
    if (!pr_dtype_is_float(tensor->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: %s is of %s; it must be f32, f16, bf16 or f64", function, what,
                       prune_dtype_name(tensor->dtype));
    for (pr_walk_start(&walk, tensor); walk.count; pr_walk_next(&walk)) {
        double *row = out + walk.position;
        pr_read_double(tensor->dtype, walk.data, walk.stride, walk.count, row);
        for (int64_t i = 0; i < walk.count; i++)
            if (!isfinite(row[i]))
                return pr_fail(PRUNE_E_VALUE, "%s: element %s of %s is %s; every number must be finite", function,
                               pr_index_text(place, tensor->rank, tensor->shape, walk.position + i), what,
                               isnan(row[i]) ? "NaN" : "infinite");
    }
    return PRUNE_OK;
}

int32_t pr_numbers_read(double **out, const prune_tensor *tensor, const char *function, const char *what)
{
    double *values;
    PR_TRY(pr_alloc(tensor->context, tensor->count, sizeof *values, &values));
    int32_t status = pr_numbers_read_into(values, tensor, function, what);
    if (status)
        pr_release(tensor->context, values);
    else
        *out = values;
    return status;
}

int32_t pr_numbers_vector(double **out, const prune_tensor *tensor, int64_t count, const char *function,
                          const char *what)
{
    char shape[PR_MAX_SHAPE_TEXT];
    if (tensor->rank != 1 || tensor->count != count)
        return pr_fail(PRUNE_E_SHAPE, "%s: %s is %s; it must be [%lld]", function, what,
                       pr_shape_text(shape, tensor->rank, tensor->shape), (long long)count);
    return pr_numbers_read(out, tensor, function, what);
}

void pr_numbers_write(prune_tensor *tensor, const double *values)
{
    struct pr_walk walk;
    for (pr_walk_start(&walk, tensor); walk.count; pr_walk_next(&walk))
        pr_store_double(tensor->dtype, walk.data, walk.stride, walk.count, values + walk.position);
}
