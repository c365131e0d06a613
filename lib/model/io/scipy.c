/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SciPy's save_npz: an npz with the arrays format, shape and data, and indices and indptr (csr, csc, bsr) or row and
 * col, or coords (coo).
 */
#include <string.h>

#include "base/alloc.h"
#include "model/io/matrix.h"
#include "model/io/npy.h"
#include "model/io/zip.h"

struct arrays {
    const struct pm_zip *zip;
    prune_context *context;
    char format[16];
    int64_t shape[2];
    prune_tensor *values, *first, *second; /* F64; I64: indptr or rows, indices or columns */
};

static int32_t load(const struct arrays *arrays, const char *name, struct pm_input *input, unsigned char **bytes)
{
    const struct pm_zip_entry *entry = pm_zip_find(arrays->zip, name);
    if (!entry)
        return pr_fail(PRUNE_E_FORMAT, "it has no member %s, which SciPy's sparse matrices have", name);
    PR_TRY(pm_zip_load(arrays->zip, entry, bytes));
    *input = (struct pm_input){.file = -1, .size = entry->unpacked, .memory = *bytes};
    return PRUNE_OK;
}

/* A member as an array of that type. Whole numbers are not made from others. */
static int32_t read_array(const struct arrays *arrays, const char *name, int32_t dtype, prune_tensor **out)
{
    struct pm_input input;
    unsigned char *bytes = NULL;
    prune_tensor *stored = NULL;
    PR_TRY(load(arrays, name, &input, &bytes));
    int32_t status = pm_npy_parse(&stored, arrays->context, &input);
    pr_release(arrays->context, bytes);
    if (!status && dtype == PRUNE_I64 && prune_tensor_dtype(stored) != PRUNE_I64 &&
        prune_tensor_dtype(stored) != PRUNE_I32)
        status =
            pr_fail(PRUNE_E_FORMAT, "it is %s; i32 or i64 is needed", prune_dtype_name(prune_tensor_dtype(stored)));
    if (!status)
        status = prune_tensor_convert(out, stored, dtype);
    prune_tensor_free(stored);
    return status ? pr_fail_in(status, "member %s", name) : PRUNE_OK;
}

static int32_t read_format(struct arrays *arrays)
{
    struct pm_input input;
    unsigned char *bytes = NULL;
    PR_TRY(load(arrays, "format.npy", &input, &bytes));
    int32_t status = pm_npy_parse_text(arrays->format, &input);
    pr_release(arrays->context, bytes);
    if (status)
        return pr_fail_in(status, "member format.npy");
    static const char *const known[] = {"csr", "csc", "coo", "bsr"};
    for (int i = 0; i < 4; i++)
        if (strcmp(arrays->format, known[i]) == 0)
            return PRUNE_OK;
    return pr_fail(PRUNE_E_UNSUPPORTED, "the format is \"%s\"; csr, csc, coo and bsr are read",
                   PM_SHOW(arrays->format));
}

static int32_t read_shape(struct arrays *arrays)
{
    prune_tensor *shape = NULL;
    PR_TRY(read_array(arrays, "shape.npy", PRUNE_I64, &shape));
    int32_t status = PRUNE_OK;
    if (prune_tensor_rank(shape) != 1 || prune_tensor_count(shape) != 2)
        status = pr_fail(PRUNE_E_FORMAT, "member shape.npy holds %lld numbers; a matrix has 2",
                         (long long)prune_tensor_count(shape));
    else
        memcpy(arrays->shape, prune_tensor_const_data(shape), sizeof arrays->shape);
    prune_tensor_free(shape);
    return status;
}

/* Row and column numbers of coo: row and col, or both in coords. */
static int32_t read_places(struct arrays *arrays)
{
    int64_t count = 0;
    const int32_t axis = 0;
    prune_tensor *coords = NULL;
    if (!pm_zip_find(arrays->zip, "coords.npy")) {
        PR_TRY(read_array(arrays, "row.npy", PRUNE_I64, &arrays->first));
        return read_array(arrays, "col.npy", PRUNE_I64, &arrays->second);
    }
    PR_TRY(read_array(arrays, "coords.npy", PRUNE_I64, &coords));
    int32_t status = PRUNE_OK;
    if (prune_tensor_rank(coords) != 2 || prune_tensor_shape(coords)[0] != 2)
        status = pr_fail(PRUNE_E_FORMAT, "member coords.npy must have shape (2, elements)");
    else
        count = prune_tensor_shape(coords)[1];
    prune_tensor **halves[] = {&arrays->first, &arrays->second};
    for (int i = 0; i < 2 && !status; i++) {
        prune_tensor *half = NULL;
        status = prune_tensor_slice(&half, coords, axis, i, 1, 1);
        if (!status)
            status = prune_tensor_reshape(halves[i], half, 1, &count);
        prune_tensor_free(half);
    }
    prune_tensor_free(coords);
    return status;
}

static int32_t check_rank(const prune_tensor *tensor, int32_t rank, const char *name)
{
    if (prune_tensor_rank(tensor) == rank)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_FORMAT, "%s has rank %d; %d is needed", name, (int)prune_tensor_rank(tensor), (int)rank);
}

static int32_t read_arrays(struct arrays *arrays)
{
    PR_TRY(read_format(arrays));
    PR_TRY(read_shape(arrays));
    PR_TRY(read_array(arrays, "data.npy", PRUNE_F64, &arrays->values));
    PR_TRY(check_rank(arrays->values, strcmp(arrays->format, "bsr") == 0 ? 3 : 1, "data"));
    if (strcmp(arrays->format, "coo") == 0) {
        PR_TRY(read_places(arrays));
    } else {
        PR_TRY(read_array(arrays, "indptr.npy", PRUNE_I64, &arrays->first));
        PR_TRY(read_array(arrays, "indices.npy", PRUNE_I64, &arrays->second));
    }
    PR_TRY(check_rank(arrays->first, 1, strcmp(arrays->format, "coo") == 0 ? "row" : "indptr"));
    PR_TRY(check_rank(arrays->second, 1, strcmp(arrays->format, "coo") == 0 ? "col" : "indices"));
    if (prune_tensor_count(arrays->second) != prune_tensor_shape(arrays->values)[0])
        return pr_fail(PRUNE_E_FORMAT, "there are %lld indices for %lld values",
                       (long long)prune_tensor_count(arrays->second), (long long)prune_tensor_shape(arrays->values)[0]);
    return PRUNE_OK;
}

static int32_t take_places(prune_matrix *matrix, const struct arrays *arrays)
{
    const int64_t *rows = prune_tensor_const_data(arrays->first), *columns = prune_tensor_const_data(arrays->second);
    const double *values = prune_tensor_const_data(arrays->values);
    if (prune_tensor_count(arrays->first) != prune_tensor_count(arrays->second))
        return pr_fail(PRUNE_E_FORMAT, "there are %lld rows for %lld columns",
                       (long long)prune_tensor_count(arrays->first), (long long)prune_tensor_count(arrays->second));
    PR_TRY(pm_matrix_reserve(matrix, prune_tensor_count(arrays->values)));
    for (int64_t i = 0; i < prune_tensor_count(arrays->values); i++)
        PR_TRY(pm_matrix_add(matrix, 0, rows[i], columns[i], values[i]));
    return PRUNE_OK;
}

static int32_t check_offsets(const struct arrays *arrays, int64_t lines)
{
    const int64_t *offsets = prune_tensor_const_data(arrays->first);
    int64_t entries = prune_tensor_count(arrays->second);
    if (prune_tensor_count(arrays->first) != lines + 1)
        return pr_fail(PRUNE_E_FORMAT, "indptr holds %lld offsets; the shape needs %lld",
                       (long long)prune_tensor_count(arrays->first), (long long)lines + 1);
    for (int64_t i = 0; i <= lines; i++)
        if (i == 0 ? offsets[0] != 0 : offsets[i] < offsets[i - 1] || offsets[i] > entries)
            return pr_fail(PRUNE_E_FORMAT, "indptr[%lld] is %lld; it ascends from 0 to %lld", (long long)i,
                           (long long)offsets[i], (long long)entries);
    if (offsets[lines] != entries)
        return pr_fail(PRUNE_E_FORMAT, "indptr ends at %lld, but there are %lld indices", (long long)offsets[lines],
                       (long long)entries);
    return PRUNE_OK;
}

/* csr and csc. */
static int32_t take_lines(prune_matrix *matrix, const struct arrays *arrays, int by_columns)
{
    const int64_t *offsets = prune_tensor_const_data(arrays->first), *indices = prune_tensor_const_data(arrays->second);
    const double *values = prune_tensor_const_data(arrays->values);
    int64_t lines = by_columns ? matrix->columns : matrix->rows;
    PR_TRY(check_offsets(arrays, lines));
    PR_TRY(pm_matrix_reserve(matrix, prune_tensor_count(arrays->values)));
    for (int64_t line = 0; line < lines; line++)
        for (int64_t i = offsets[line]; i < offsets[line + 1]; i++)
            PR_TRY(by_columns ? pm_matrix_add(matrix, 0, indices[i], line, values[i])
                              : pm_matrix_add(matrix, 0, line, indices[i], values[i]));
    return PRUNE_OK;
}

static int32_t take_blocks(prune_matrix *matrix, const struct arrays *arrays)
{
    const int64_t *offsets = prune_tensor_const_data(arrays->first), *indices = prune_tensor_const_data(arrays->second);
    const int64_t *extents = prune_tensor_shape(arrays->values), height = extents[1], width = extents[2];
    const double *values = prune_tensor_const_data(arrays->values);
    if (height < 1 || width < 1 || matrix->rows % height != 0 || matrix->columns % width != 0)
        return pr_fail(PRUNE_E_FORMAT, "blocks of %lld x %lld do not divide %lld x %lld", (long long)height,
                       (long long)width, (long long)matrix->rows, (long long)matrix->columns);
    PR_TRY(check_offsets(arrays, matrix->rows / height));
    PR_TRY(pm_matrix_reserve(matrix, prune_tensor_count(arrays->values)));
    for (int64_t line = 0; line < matrix->rows / height; line++)
        for (int64_t i = offsets[line]; i < offsets[line + 1]; i++) {
            if (indices[i] < 0 || indices[i] >= matrix->columns / width)
                return pr_fail(PRUNE_E_FORMAT, "indices[%lld] is %lld; there are %lld columns of blocks", (long long)i,
                               (long long)indices[i], (long long)(matrix->columns / width));
            for (int64_t j = 0; j < height * width; j++)
                PR_TRY(pm_matrix_add(matrix, 0, line * height + j / width, indices[i] * width + j % width, *values++));
        }
    return PRUNE_OK;
}

static int32_t take(prune_matrix *matrix, const struct arrays *arrays)
{
    PR_TRY(pm_matrix_shape(matrix, arrays->shape[0], arrays->shape[1]));
    if (strcmp(arrays->format, "coo") == 0)
        return take_places(matrix, arrays);
    if (strcmp(arrays->format, "bsr") == 0)
        return take_blocks(matrix, arrays);
    return take_lines(matrix, arrays, strcmp(arrays->format, "csc") == 0);
}

static int32_t read_scipy(prune_matrix *matrix, const char *path)
{
    struct pm_zip zip;
    PR_TRY(pm_zip_open(&zip, matrix->context, path));
    struct arrays arrays = {.zip = &zip, .context = matrix->context};
    int32_t status = read_arrays(&arrays);
    if (!status)
        status = take(matrix, &arrays);
    prune_tensor_free(arrays.values);
    prune_tensor_free(arrays.first);
    prune_tensor_free(arrays.second);
    pm_zip_close(&zip);
    return status;
}

/* An array borrowed from `data`. */
static int32_t add_array(struct pm_zip_writer *writer, const char *name, void *data, int32_t dtype, int64_t count)
{
    prune_tensor *tensor;
    PR_TRY(prune_tensor_borrow(&tensor, writer->output.context, data, dtype, 1, &count, NULL));
    int32_t status = pm_npz_add(writer, name, tensor);
    prune_tensor_free(tensor);
    return status;
}

static int32_t add_elements(struct pm_zip_writer *writer, const prune_matrix *matrix, int64_t *offsets,
                            int32_t *indices, double *values)
{
    int64_t at = 0;
    offsets[0] = 0;
    for (int64_t row = 0; row < matrix->rows; row++) {
        for (; at < matrix->stored && matrix->elements[at].row == row; at++) {
            indices[at] = matrix->elements[at].column;
            values[at] = matrix->elements[at].value;
        }
        offsets[row + 1] = at;
    }
    PR_TRY(add_array(writer, "indices", indices, PRUNE_I32, matrix->stored));
    PR_TRY(add_array(writer, "indptr", offsets, PRUNE_I64, matrix->rows + 1));
    return add_array(writer, "data", values, PRUNE_F64, matrix->stored);
}

static int32_t write_members(struct pm_zip_writer *writer, const prune_matrix *matrix)
{
    static const char format[] = "\x93NUMPY\x01\x00\x76\x00{'descr': '|S3', 'fortran_order': False, 'shape': (), }";
    unsigned char bytes[131];
    int64_t shape[] = {matrix->rows, matrix->columns}, *offsets = NULL;
    int32_t *indices = NULL;
    double *values = NULL;
    prune_context *context = matrix->context;
    memset(bytes, ' ', sizeof bytes);
    memcpy(bytes, format, sizeof format - 1);
    bytes[127] = '\n';
    memcpy(bytes + 128, "csr", 3);
    PR_TRY(pm_zip_add(writer, "format.npy", bytes, sizeof bytes));
    PR_TRY(add_array(writer, "shape", shape, PRUNE_I64, 2));
    int32_t status = pr_alloc(context, matrix->rows + 1, (int64_t)sizeof *offsets, &offsets);
    if (!status)
        status = pr_alloc(context, matrix->stored, (int64_t)sizeof *indices, &indices);
    if (!status)
        status = pr_alloc(context, matrix->stored, (int64_t)sizeof *values, &values);
    if (!status)
        status = add_elements(writer, matrix, offsets, indices, values);
    pr_release(context, values);
    pr_release(context, indices);
    pr_release(context, offsets);
    return status ? status : pm_zip_commit(writer);
}

static int32_t write_scipy(const prune_matrix *matrix, const char *path)
{
    struct pm_zip_writer writer;
    PR_TRY(pm_zip_create(&writer, matrix->context, path, 6));
    int32_t status = write_members(&writer, matrix);
    pm_zip_abandon(&writer);
    return status;
}

extern const struct pm_matrix_format pm_matrix_scipy;
const struct pm_matrix_format pm_matrix_scipy = {"scipy", ".npz", 0, read_scipy, write_scipy};
