/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/io/matrix.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sort.h"

#define FORMAT(name) extern const struct pm_matrix_format pm_matrix_##name;
#include "model/io/matrix_formats.def"
#undef FORMAT

static const struct pm_matrix_format *const formats[] = {
#define FORMAT(name) &pm_matrix_##name,
#include "model/io/matrix_formats.def"
#undef FORMAT
};
#define FORMATS (sizeof formats / sizeof *formats)

/* Whether `path` ends in one of the endings. */
static int ends_in(const char *path, const char *ends)
{
    size_t length = strlen(path);
    while (*ends) {
        size_t end = strcspn(ends, " ");
        if (length > end && memcmp(path + length - end, ends, end) == 0)
            return 1;
        ends += end;
        ends += *ends == ' ';
    }
    return 0;
}

static int32_t find_format(const struct pm_matrix_format **out, const char *path, const char *format)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (format ? strcmp(format, formats[i]->name) == 0 : ends_in(path, formats[i]->ends)) {
            *out = formats[i];
            return PRUNE_OK;
        }
    if (format)
        return pr_fail(PRUNE_E_ARGUMENT, "\"%s\" is no format of matrices; mtx, hb, smtx and scipy are",
                       PM_SHOW(format));
    return pr_fail(PRUNE_E_ARGUMENT, "%s: its name does not say what it is; .mtx, .rua, .smtx and .npz do",
                   PM_SHOW(path));
}

int32_t pm_matrix_shape(prune_matrix *matrix, int64_t rows, int64_t columns)
{
    if (rows < 0 || columns < 0)
        return pr_fail(PRUNE_E_FORMAT, "%lld rows and %lld columns; both must be 0 or more", (long long)rows,
                       (long long)columns);
    if (rows > PM_MOST_EXTENT || columns > PM_MOST_EXTENT)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%lld rows and %lld columns; up to %d of each are read", (long long)rows,
                       (long long)columns, PM_MOST_EXTENT);
    matrix->rows = rows;
    matrix->columns = columns;
    return PRUNE_OK;
}

int32_t pm_matrix_reserve(prune_matrix *matrix, int64_t count)
{
    struct pm_element *larger;
    if (count <= matrix->room && matrix->elements)
        return PRUNE_OK;
    PR_TRY(pr_alloc(matrix->context, count, (int64_t)sizeof *larger, &larger));
    if (matrix->stored > 0)
        memcpy(larger, matrix->elements, (size_t)matrix->stored * sizeof *larger);
    pr_release(matrix->context, matrix->elements);
    matrix->elements = larger;
    matrix->room = count;
    return PRUNE_OK;
}

int32_t pm_matrix_add(prune_matrix *matrix, int base, int64_t row, int64_t column, double value)
{
    if (row < base || column < base || row - base >= matrix->rows || column - base >= matrix->columns)
        return pr_fail(PRUNE_E_FORMAT,
                       "element %lld stands at row %lld, column %lld, counted from %d; the matrix is %lld x %lld",
                       (long long)matrix->stored, (long long)row, (long long)column, base, (long long)matrix->rows,
                       (long long)matrix->columns);
    if (!isfinite(value))
        return pr_fail(PRUNE_E_FORMAT, "element %lld is not finite; finite numbers are needed",
                       (long long)matrix->stored);
    if (matrix->stored == matrix->room)
        PR_TRY(pm_matrix_reserve(matrix, matrix->room < 8 ? 16 : 2 * matrix->room));
    matrix->elements[matrix->stored++] = (struct pm_element){(int32_t)(row - base), (int32_t)(column - base), value};
    return PRUNE_OK;
}

static uint64_t key_of(const struct pm_element *element)
{
    return (uint64_t)element->row << 32 | (uint32_t)element->column;
}

static int is_sorted(const prune_matrix *matrix)
{
    for (int64_t i = 1; i < matrix->stored; i++)
        if (key_of(&matrix->elements[i - 1]) >= key_of(&matrix->elements[i]))
            return 0;
    return 1;
}

static int32_t reorder(prune_matrix *matrix, struct pr_keyed *keys, struct pr_keyed *scratch)
{
    struct pm_element *ordered;
    for (int64_t i = 0; i < matrix->stored; i++)
        keys[i] = (struct pr_keyed){key_of(&matrix->elements[i]), i};
    pr_sort_keyed(keys, scratch, matrix->stored, 8);
    PR_TRY(pr_alloc(matrix->context, matrix->stored, (int64_t)sizeof *ordered, &ordered));
    for (int64_t i = 0; i < matrix->stored; i++)
        ordered[i] = matrix->elements[keys[i].index];
    pr_release(matrix->context, matrix->elements);
    matrix->elements = ordered;
    matrix->room = matrix->stored;
    return PRUNE_OK;
}

/* By row, then column; each place once. */
static int32_t sort(prune_matrix *matrix, int base)
{
    struct pr_keyed *keys = NULL, *scratch = NULL;
    if (is_sorted(matrix))
        return PRUNE_OK;
    int32_t status = pr_alloc(matrix->context, matrix->stored, (int64_t)sizeof *keys, &keys);
    if (!status)
        status = pr_alloc(matrix->context, matrix->stored, (int64_t)sizeof *scratch, &scratch);
    if (!status)
        status = reorder(matrix, keys, scratch);
    pr_release(matrix->context, scratch);
    pr_release(matrix->context, keys);
    for (int64_t i = 1; !status && i < matrix->stored; i++)
        if (key_of(&matrix->elements[i - 1]) == key_of(&matrix->elements[i]))
            status =
                pr_fail(PRUNE_E_FORMAT, "a duplicate element: row %lld, column %lld, counted from %d, stands twice",
                        (long long)matrix->elements[i].row + base, (long long)matrix->elements[i].column + base, base);
    return status;
}

static int32_t create(prune_matrix **out, prune_context *context)
{
    prune_matrix *matrix;
    PR_TRY(pr_alloc_zero(context, 1, (int64_t)sizeof *matrix, &matrix));
    matrix->context = prune_context_retain(context);
    *out = matrix;
    return PRUNE_OK;
}

int32_t prune_matrix_read(prune_matrix **out, prune_context *context, const char *path, const char *format)
{
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    const struct pm_matrix_format *reader = NULL;
    prune_matrix *matrix = NULL;
    PR_TRY(find_format(&reader, path, format));
    PR_TRY(create(&matrix, context));
    int32_t status = reader->read(matrix, path);
    if (!status)
        status = sort(matrix, reader->base);
    if (status) {
        prune_matrix_free(matrix);
        return pr_fail_in(status, "%s", PM_SHOW(path));
    }
    *out = matrix;
    return PRUNE_OK;
}

int32_t prune_matrix_write(const prune_matrix *matrix, const char *path, const char *format)
{
    PR_REQUIRE(matrix);
    PR_REQUIRE(path);
    const struct pm_matrix_format *writer = NULL;
    PR_TRY(find_format(&writer, path, format));
    int32_t status =
        writer->write ? writer->write(matrix, path)
                      : pr_fail(PRUNE_E_UNSUPPORTED, "%s is only read; mtx, smtx and scipy are written", writer->name);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}

static int32_t gather(prune_matrix *matrix, const double *values)
{
    int64_t count = 0, at = 0;
    for (int64_t i = 0; i < matrix->rows * matrix->columns; i++) {
        if (!isfinite(values[i]))
            return pr_fail(PRUNE_E_VALUE, "element %lld is not finite; a file of a matrix needs finite numbers",
                           (long long)i);
        count += values[i] != 0;
    }
    PR_TRY(pm_matrix_reserve(matrix, count));
    for (int64_t row = 0; row < matrix->rows; row++)
        for (int64_t column = 0; column < matrix->columns; column++, at++)
            if (values[at] != 0)
                matrix->elements[matrix->stored++] = (struct pm_element){(int32_t)row, (int32_t)column, values[at]};
    return PRUNE_OK;
}

int32_t prune_matrix_from_tensor(prune_matrix **out, const prune_tensor *tensor)
{
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    prune_matrix *matrix = NULL;
    prune_tensor *values = NULL;
    const int64_t *shape = prune_tensor_shape(tensor);
    if (prune_tensor_rank(tensor) != 2)
        return pr_fail(PRUNE_E_SHAPE, "the tensor has rank %d; a matrix has 2", (int)prune_tensor_rank(tensor));
    PR_TRY(create(&matrix, prune_tensor_context(tensor)));
    matrix->is_pattern = prune_tensor_dtype(tensor) == PRUNE_BOOL;
    int32_t status = pm_matrix_shape(matrix, shape[0], shape[1]);
    if (!status)
        status = prune_tensor_convert(&values, tensor, PRUNE_F64);
    if (!status)
        status = gather(matrix, prune_tensor_const_data(values));
    prune_tensor_free(values);
    if (status)
        prune_matrix_free(matrix);
    else
        *out = matrix;
    return status;
}

int64_t prune_matrix_rows(const prune_matrix *matrix)
{
    return matrix ? matrix->rows : 0;
}

int64_t prune_matrix_columns(const prune_matrix *matrix)
{
    return matrix ? matrix->columns : 0;
}

int64_t prune_matrix_stored(const prune_matrix *matrix)
{
    return matrix ? matrix->stored : 0;
}

int32_t prune_matrix_is_pattern(const prune_matrix *matrix)
{
    return matrix ? matrix->is_pattern : 0;
}

const prune_tensor *prune_matrix_right_sides(const prune_matrix *matrix)
{
    return matrix ? matrix->right_sides : NULL;
}

struct parts {
    prune_tensor *indptr, *indices, *values;
};

static int32_t make_parts(struct parts *parts, const prune_matrix *matrix)
{
    const int64_t lines = matrix->rows + 1, stored = matrix->stored;
    PR_TRY(prune_tensor_create(&parts->indptr, matrix->context, PRUNE_I64, 1, &lines));
    PR_TRY(prune_tensor_create(&parts->indices, matrix->context, PRUNE_I32, 1, &stored));
    PR_TRY(prune_tensor_create(&parts->values, matrix->context, PRUNE_F32, 1, &stored));
    int64_t *indptr = prune_tensor_data(parts->indptr);
    int32_t *indices = prune_tensor_data(parts->indices);
    float *values = prune_tensor_data(parts->values);
    for (int64_t i = 0; i < stored; i++) {
        const struct pm_element *element = &matrix->elements[i];
        indptr[element->row + 1] = i + 1;
        indices[i] = element->column;
        values[i] = (float)element->value;
        if (!isfinite(values[i]))
            return pr_fail(PRUNE_E_VALUE, "the element at row %lld, column %lld, %g, does not fit in F32",
                           (long long)element->row, (long long)element->column, element->value);
    }
    for (int64_t row = 0; row < matrix->rows; row++)
        if (indptr[row + 1] < indptr[row])
            indptr[row + 1] = indptr[row];
    return PRUNE_OK;
}

int32_t prune_matrix_to_sparse(prune_sparse **out, const prune_matrix *matrix)
{
    PR_REQUIRE(out);
    PR_REQUIRE(matrix);
    struct parts parts = {.indptr = NULL};
    const int64_t shape[] = {matrix->rows, matrix->columns};
    int32_t status = make_parts(&parts, matrix);
    if (!status)
        status = prune_sparse_import(out, matrix->context, "csr", 2, shape,
                                     (const prune_tensor *const[]){parts.indptr, parts.indices, parts.values}, 3);
    prune_tensor_free(parts.indptr);
    prune_tensor_free(parts.indices);
    prune_tensor_free(parts.values);
    return status;
}

int32_t prune_matrix_to_tensor(prune_tensor **out, const prune_matrix *matrix)
{
    PR_REQUIRE(out);
    PR_REQUIRE(matrix);
    const int64_t shape[] = {matrix->rows, matrix->columns};
    prune_tensor *tensor;
    PR_TRY(prune_tensor_create(&tensor, matrix->context, matrix->is_pattern ? PRUNE_BOOL : PRUNE_F64, 2, shape));
    double *values = prune_tensor_data(tensor);
    unsigned char *kept = prune_tensor_data(tensor);
    for (int64_t i = 0; i < matrix->stored; i++) {
        const struct pm_element *element = &matrix->elements[i];
        int64_t at = element->row * matrix->columns + element->column;
        if (matrix->is_pattern)
            kept[at] = 1;
        else
            values[at] = element->value;
    }
    *out = tensor;
    return PRUNE_OK;
}

void prune_matrix_free(prune_matrix *matrix)
{
    if (!matrix)
        return;
    prune_context *context = matrix->context;
    prune_tensor_free(matrix->right_sides);
    pr_release(context, matrix->elements);
    pr_release(context, matrix);
    prune_context_free(context);
}
