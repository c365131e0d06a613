/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensors: the numbers lie in raw_data (fixed width, little-endian) or in one of the typed fields, never in both.
 */
#include <string.h>

#include "model/io/onnx/onnx.h"

/* A sparse tensor becomes a dense one: a small file must not ask for much memory. */
#define MOST_PER_STORED 1024
#define MOST_UNSTORED 1024

/* By the specification's numbers. */
static const struct pm_element elements[] = {
    {"undefined", 0, 0, PM_RAW, 0},
    {"float", PRUNE_F32, 32, PM_FLOAT_DATA, 1},
    {"uint8", PRUNE_U8, 8, PM_INT32_DATA, 1},
    {"int8", PRUNE_I8, 8, PM_INT32_DATA, 1},
    {"uint16", PRUNE_U16, 16, PM_INT32_DATA, 1},
    {"int16", PRUNE_I16, 16, PM_INT32_DATA, 1},
    {"int32", PRUNE_I32, 32, PM_INT32_DATA, 1},
    {"int64", PRUNE_I64, 64, PM_INT64_DATA, 1},
    {"string", 0, 0, PM_STRING_DATA, 1},
    {"bool", PRUNE_BOOL, 8, PM_INT32_DATA, 1},
    {"float16", PRUNE_F16, 16, PM_INT32_DATA, 1},
    {"double", PRUNE_F64, 64, PM_DOUBLE_DATA, 1},
    {"uint32", PRUNE_U32, 32, PM_UINT64_DATA, 1},
    {"uint64", 0, 64, PM_UINT64_DATA, 1},
    {"complex64", 0, 64, PM_FLOAT_DATA, 2},
    {"complex128", 0, 128, PM_DOUBLE_DATA, 2},
    {"bfloat16", PRUNE_BF16, 16, PM_INT32_DATA, 1},
    {"float8e4m3fn", 0, 8, PM_INT32_DATA, 1},
    {"float8e4m3fnuz", 0, 8, PM_INT32_DATA, 1},
    {"float8e5m2", 0, 8, PM_INT32_DATA, 1},
    {"float8e5m2fnuz", 0, 8, PM_INT32_DATA, 1},
    {"uint4", 0, 4, PM_INT32_DATA, 1},
    {"int4", 0, 4, PM_INT32_DATA, 1},
    {"float4e2m1", 0, 4, PM_INT32_DATA, 1},
};
#define ELEMENTS ((int32_t)(sizeof elements / sizeof *elements))

const struct pm_element *pm_onnx_element(int32_t data_type)
{
    return data_type > 0 && data_type < ELEMENTS ? &elements[data_type] : NULL;
}

int32_t pm_onnx_data_type(int32_t dtype)
{
    for (int32_t i = 1; dtype && i < ELEMENTS; i++)
        if (elements[i].dtype == dtype)
            return i;
    return 0;
}

/* Elements and bytes of a shape; an extent of the file that does not fit is the file's fault. */
static int32_t count_elements(size_t rank, const int64_t *dims, int64_t bits, int64_t *count, int64_t *bytes)
{
    int64_t total = 1, all;
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return pr_fail(PRUNE_E_FORMAT, "dims[%d] is %lld; it must be 0 or more", (int)i, (long long)dims[i]);
        if (__builtin_mul_overflow(total, dims[i] ? dims[i] : 1, &total))
            return pr_fail(PRUNE_E_FORMAT, "its %d dims multiply to more than 63 bits hold", (int)rank);
    }
    if (__builtin_mul_overflow(total, bits ? bits : 1, &all) || all > INT64_MAX - 7)
        return pr_fail(PRUNE_E_FORMAT, "its %lld elements of %d bits do not fit in 63 bits", (long long)total,
                       (int)bits);
    for (size_t i = 0; i < rank; i++)
        if (dims[i] == 0)
            total = all = 0;
    *count = total;
    *bytes = (all + 7) / 8;
    return PRUNE_OK;
}

int32_t pm_onnx_bytes(const pm_tensor_message *message, const struct pm_element *element, int64_t *count,
                      int64_t *bytes)
{
    return count_elements(message->n_dims, message->dims, element->bits, count, bytes);
}

static const char *const field_names[] = {"raw_data",   "float_data",  "int32_data", "string_data",
                                          "int64_data", "double_data", "uint64_data"};

/* The field that holds numbers, how many (bytes of raw_data); PRUNE_E_FORMAT where two do. */
static int32_t find_field(const pm_tensor_message *message, enum pm_field *field, int64_t *held)
{
    const size_t counts[] = {message->has_raw_data ? message->raw_data.len : 0,
                             message->n_float_data,
                             message->n_int32_data,
                             message->n_string_data,
                             message->n_int64_data,
                             message->n_double_data,
                             message->n_uint64_data};
    int found = -1;
    for (int i = PM_RAW; i <= PM_UINT64_DATA; i++) {
        if (!counts[i])
            continue;
        if (found >= 0)
            return pr_fail(PRUNE_E_FORMAT, "it has both %s and %s; one holds the numbers", field_names[found],
                           field_names[i]);
        found = i;
    }
    *field = found < 0 ? PM_RAW : (enum pm_field)found;
    *held = found < 0 ? 0 : (int64_t)counts[found];
    return PRUNE_OK;
}

/* That the numbers are as many as the dims say, in a field where this type may have them. */
static int32_t check_amount(const pm_tensor_message *message, const struct pm_element *element, enum pm_field *field,
                            int64_t *count)
{
    int64_t held = 0, bytes = 0, numbers;
    PR_TRY(pm_onnx_bytes(message, element, count, &bytes));
    PR_TRY(find_field(message, field, &held));
    if (*field == PM_RAW && (element->field != PM_STRING_DATA || *count == 0)) {
        if (held != bytes)
            return pr_fail(PRUNE_E_FORMAT, "raw_data has %lld bytes; %lld elements of type %s are %lld",
                           (long long)held, (long long)*count, element->name, (long long)bytes);
        return PRUNE_OK;
    }
    if (*field != element->field)
        return pr_fail(PRUNE_E_FORMAT, "%s holds its numbers; those of type %s are in %s%s", field_names[*field],
                       element->name, field_names[element->field],
                       element->field == PM_STRING_DATA ? "" : " or raw_data");
    numbers = *count * element->per_element;
    /* Two numbers of 4 bits share one of int32_data. */
    if (element->bits == 4)
        numbers = bytes;
    if (held != numbers)
        return pr_fail(PRUNE_E_FORMAT, "%s has %lld numbers; %lld elements of type %s need %lld", field_names[*field],
                       (long long)held, (long long)*count, element->name, (long long)numbers);
    return PRUNE_OK;
}

/* What int32_data and uint64_data may hold for a narrower type. */
static void range_of(int32_t dtype, int64_t *least, int64_t *most)
{
    static const struct {
        int32_t dtype;
        int64_t least, most;
    } ranges[] = {{PRUNE_U8, 0, UINT8_MAX},    {PRUNE_I8, INT8_MIN, INT8_MAX},
                  {PRUNE_U16, 0, UINT16_MAX},  {PRUNE_F16, 0, UINT16_MAX},
                  {PRUNE_BF16, 0, UINT16_MAX}, {PRUNE_I16, INT16_MIN, INT16_MAX},
                  {PRUNE_U32, 0, UINT32_MAX},  {PRUNE_BOOL, 0, 1}};
    *least = INT32_MIN;
    *most = INT32_MAX;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].dtype == dtype) {
            *least = ranges[i].least;
            *most = ranges[i].most;
        }
}

static int32_t narrow(const pm_tensor_message *message, const struct pm_element *element, int64_t count, char *to)
{
    int64_t least, most, size = element->bits / 8;
    range_of(element->dtype, &least, &most);
    for (int64_t i = 0; i < count; i++) {
        int is_wide = element->field == PM_UINT64_DATA;
        int64_t number = is_wide ? (int64_t)message->uint64_data[i] : message->int32_data[i];
        if (number < least || number > most)
            return pr_fail(PRUNE_E_FORMAT, "element %lld is %lld; type %s holds %lld to %lld", (long long)i,
                           (long long)number, element->name, (long long)least, (long long)most);
        if (size == 1)
            to[i] = (char)number;
        else if (size == 2)
            memcpy(to + 2 * i, &(uint16_t){(uint16_t)number}, 2);
        else
            memcpy(to + 4 * i, &(uint32_t){(uint32_t)number}, 4);
    }
    return PRUNE_OK;
}

static int32_t copy_numbers(const pm_tensor_message *message, const struct pm_element *element, enum pm_field field,
                            int64_t count, void *to)
{
    size_t bytes = (size_t)count * (size_t)element->bits / 8;
    if (count == 0)
        return PRUNE_OK;
    switch (field) {
    case PM_RAW:
        memcpy(to, message->raw_data.data, bytes);
        pm_to_native(to, element->bits / 8, count, 0);
        return element->dtype == PRUNE_BOOL ? pm_check_bool(to, count) : PRUNE_OK;
    case PM_FLOAT_DATA:
        memcpy(to, message->float_data, bytes);
        return PRUNE_OK;
    case PM_DOUBLE_DATA:
        memcpy(to, message->double_data, bytes);
        return PRUNE_OK;
    case PM_INT64_DATA:
        memcpy(to, message->int64_data, bytes);
        return PRUNE_OK;
    default:
        return narrow(message, element, count, to);
    }
}

/* Kernels want tensors at multiples of 64 bytes, where the arena has those of some size. */
static int is_usable_in_place(const pm_tensor_message *message, enum pm_field field, int64_t count)
{
    return field == PM_RAW && count > 0 && (uintptr_t)message->raw_data.data % 64 == 0 &&
           __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
}

int32_t pm_onnx_tensor(prune_tensor **out, prune_context *context, const pm_tensor_message *message)
{
    enum pm_field field = PM_RAW;
    int64_t count = 0;
    prune_tensor *tensor = NULL;
    const struct pm_element *element = pm_onnx_element(message->data_type);
    if (message->data_type < 1)
        return pr_fail(PRUNE_E_FORMAT, "its data_type is %d; it must say what its elements are",
                       (int)message->data_type);
    if (!element) { /* of a later specification */
        *out = NULL;
        return PRUNE_OK;
    }
    PR_TRY(check_amount(message, element, &field, &count));
    if (!element->dtype || message->n_dims > PRUNE_MAX_RANK) {
        *out = NULL;
        return PRUNE_OK;
    }
    int32_t rank = (int32_t)message->n_dims;
    if (is_usable_in_place(message, field, count)) {
        if (element->dtype == PRUNE_BOOL)
            PR_TRY(pm_check_bool(message->raw_data.data, count));
        return prune_tensor_borrow(out, context, message->raw_data.data, element->dtype, rank, message->dims, NULL);
    }
    PR_TRY(prune_tensor_create(&tensor, context, element->dtype, rank, message->dims));
    int32_t status = copy_numbers(message, element, field, count, prune_tensor_data(tensor));
    if (status)
        prune_tensor_free(tensor);
    else
        *out = tensor;
    return status;
}

/* Where element `i` of a sparse tensor lies; each behind the one before it. */
static int32_t place_of(const pm_sparse_message *message, const prune_tensor *indices, int64_t count, int64_t i,
                        int64_t *place)
{
    const int64_t *given = prune_tensor_const_data(indices);
    if (prune_tensor_rank(indices) == 1) {
        *place = given[i];
        if (given[i] < 0 || given[i] >= count)
            return pr_fail(PRUNE_E_FORMAT, "indices[%lld] is %lld; its dims have %lld elements", (long long)i,
                           (long long)given[i], (long long)count);
        return PRUNE_OK;
    }
    int64_t rank = (int64_t)message->n_dims, at = 0;
    for (int64_t axis = 0; axis < rank; axis++) {
        int64_t index = given[i * rank + axis], extent = message->dims[axis];
        if (index < 0 || index >= extent)
            return pr_fail(PRUNE_E_FORMAT, "indices[%lld, %lld] is %lld; it must be 0 to %lld", (long long)i,
                           (long long)axis, (long long)index, (long long)extent - 1);
        at = at * extent + index;
    }
    *place = at;
    return PRUNE_OK;
}

static int32_t scatter(const pm_sparse_message *message, const prune_tensor *values, const prune_tensor *indices,
                       prune_tensor *to)
{
    int64_t stored = prune_tensor_count(values), count = prune_tensor_count(to), before = -1;
    size_t size = (size_t)prune_dtype_size(prune_tensor_dtype(values));
    const char *from = prune_tensor_const_data(values);
    char *data = prune_tensor_data(to);
    for (int64_t i = 0; i < stored; i++) {
        int64_t place = 0;
        PR_TRY(place_of(message, indices, count, i, &place));
        if (place <= before)
            return pr_fail(PRUNE_E_FORMAT,
                           "its index %lld (element %lld) stands at or before the one ahead of it (element %lld); "
                           "they must ascend",
                           (long long)i, (long long)place, (long long)before);
        memcpy(data + (size_t)place * size, from + (size_t)i * size, size);
        before = place;
    }
    return PRUNE_OK;
}

static int32_t check_sparse(const pm_sparse_message *message, const prune_tensor *values, const prune_tensor *indices)
{
    int64_t stored = prune_tensor_count(values), rank = (int64_t)message->n_dims;
    if (prune_tensor_rank(values) != 1)
        return pr_fail(PRUNE_E_FORMAT, "its values have rank %d; they are a list", (int)prune_tensor_rank(values));
    const int64_t *shape = prune_tensor_shape(indices);
    int32_t indices_rank = prune_tensor_rank(indices);
    if (prune_tensor_dtype(indices) != PRUNE_I64)
        return pr_fail(PRUNE_E_FORMAT, "its indices are %s; they must be int64",
                       prune_dtype_name(prune_tensor_dtype(indices)));
    if (indices_rank < 1 || indices_rank > 2 || shape[0] != stored || (indices_rank == 2 && shape[1] != rank))
        return pr_fail(PRUNE_E_FORMAT, "its %lld indices of rank %d do not fit %lld values of %lld dims",
                       (long long)prune_tensor_count(indices), (int)indices_rank, (long long)stored, (long long)rank);
    return PRUNE_OK;
}

int32_t pm_onnx_sparse(prune_tensor **out, prune_context *context, const pm_sparse_message *message)
{
    int64_t count = 0, bytes = 0;
    prune_tensor *values = NULL, *indices = NULL, *tensor = NULL;
    if (!message->values || !message->indices)
        return pr_fail(PRUNE_E_FORMAT, "a sparse tensor has no %s; it needs both values and indices",
                       message->values ? "indices" : "values");
    int32_t status = pm_onnx_tensor(&values, context, message->values);
    if (!status)
        status = pm_onnx_tensor(&indices, context, message->indices);
    if (!status && values && indices && message->n_dims <= PRUNE_MAX_RANK) {
        const struct pm_element *element = pm_onnx_element(message->values->data_type);
        status = check_sparse(message, values, indices);
        if (!status)
            status = count_elements(message->n_dims, message->dims, element->bits, &count, &bytes);
        if (!status && count > (prune_tensor_count(values) + MOST_UNSTORED) * MOST_PER_STORED)
            status = pr_fail(PRUNE_E_UNSUPPORTED, "%lld of its %lld elements are stored; more than one in %d must be",
                             (long long)prune_tensor_count(values), (long long)count, MOST_PER_STORED);
        if (!status)
            status = prune_tensor_create(&tensor, context, element->dtype, (int32_t)message->n_dims, message->dims);
        if (!status)
            status = scatter(message, values, indices, tensor);
    }
    prune_tensor_free(values);
    prune_tensor_free(indices);
    if (status)
        prune_tensor_free(tensor);
    else
        *out = tensor;
    return status;
}
