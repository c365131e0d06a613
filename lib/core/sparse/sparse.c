/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/sparse.h"

#include <math.h>

#define FORMAT(name) &pr_format_##name.kind,
const struct pr_kind *const pr_format_kinds[] = {
#include "core/sparse/formats/formats.def"
};
#undef FORMAT
const int32_t pr_format_count = (int32_t)(sizeof pr_format_kinds / sizeof *pr_format_kinds);

#define FORMAT(name) &pr_format_##name,
static const struct pr_format *const formats[] = {
#include "core/sparse/formats/formats.def"
};
#undef FORMAT

int32_t pr_sparse_add_part(struct prune_sparse *sparse, int32_t index, int32_t dtype, int32_t rank,
                           const int64_t *shape)
{
    return pr_tensor_new(&sparse->parts[index], sparse->context, dtype, rank, shape);
}

int32_t pr_sparse_check_part(const struct prune_sparse *sparse, int32_t index, const prune_tensor *part, int32_t rank,
                             const int64_t *shape)
{
    char is[PR_MAX_SHAPE_TEXT], should[PR_MAX_SHAPE_TEXT];
    if (pr_same_shape(part->rank, part->shape, rank, shape))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_SHAPE, "%s: part \"%s\" has shape %s; it must be %s", sparse->spec,
                   sparse->format->part_names[index], pr_shape_text(is, part->rank, part->shape),
                   pr_shape_text(should, rank, shape));
}

int32_t pr_sparse_import_values(struct prune_sparse *sparse, int32_t index, const prune_tensor *part, int32_t rank,
                                const int64_t *shape)
{
    if (part->dtype != PRUNE_F32 && part->dtype != PRUNE_F16 && part->dtype != PRUNE_BF16)
        return pr_fail(PRUNE_E_DTYPE, "%s: part \"%s\" is of type %s; it must be f32, f16 or bf16", sparse->spec,
                       sparse->format->part_names[index], prune_dtype_name(part->dtype));
    PR_TRY(pr_sparse_check_part(sparse, index, part, rank, shape));
    PR_TRY(pr_sparse_add_part(sparse, index, PRUNE_F32, rank, shape));
    PR_TRY(prune_tensor_copy(sparse->parts[index], part));
    PR_TRY(pr_refuse_nan(sparse->parts[index], sparse->format->part_names[index]));
    sparse->values = prune_tensor_data(sparse->parts[index]);
    return PRUNE_OK;
}

int32_t pr_sparse_start(prune_sparse **out, prune_context *context, const char *spec, int32_t rank,
                        const int64_t *shape)
{
    struct pr_values parameters;
    int32_t kind;
    int64_t columns = 1;
    prune_sparse *sparse;
    if (rank < 1)
        return pr_fail(PRUNE_E_SHAPE, "a tensor of rank %d has no rows; a sparse tensor has rank 1 or more", (int)rank);
    PR_TRY(pr_spec_parse(spec, "format", pr_format_kinds, pr_format_count, &kind, &parameters));
    for (int32_t i = rank > 1; i < rank; i++)
        columns *= shape[i]; /* fits: checked with the shape, where extents of 0 count as 1 */

    PR_TRY(pr_alloc_zero(context, 1, sizeof *sparse, &sparse));
    sparse->context = prune_context_retain(context);
    sparse->format = formats[kind];
    sparse->parameters = parameters;
    pr_spec_print(sparse->spec, &sparse->format->kind, &parameters);
    sparse->rank = rank;
    for (int32_t i = 0; i < rank; i++)
        sparse->shape[i] = shape[i];
    sparse->rows = rank > 1 ? shape[0] : 1;
    sparse->columns = columns;
    int32_t status = sparse->format->prepare(sparse);
    if (status) {
        prune_sparse_free(sparse);
        return status;
    }
    *out = sparse;
    return PRUNE_OK;
}

static int32_t refuse_kept_nan(const prune_tensor *weights, const prune_mask *mask)
{
    const float *values = (const float *)weights->data;
    for (int64_t i = 0; i < weights->count; i++) {
        if (isnan(values[i]) && pr_mask_get(mask, i)) {
            char place[PR_MAX_SHAPE_TEXT];
            return pr_fail(PRUNE_E_VALUE, "weights: element %s is NaN and kept; only numbers can be stored",
                           pr_index_text(place, weights->rank, weights->shape, i));
        }
    }
    return PRUNE_OK;
}

/* With row-major F32 weights and a mask, whichever of the two had to be made for it. */
static int32_t fill(prune_sparse *sparse, const prune_tensor *weights, const prune_mask *mask)
{
    prune_tensor *converted = NULL;
    prune_mask *nonzero = NULL;
    int32_t status = PRUNE_OK;
    if (weights->dtype != PRUNE_F32 || !weights->contiguous) {
        status = prune_tensor_convert(&converted, weights, PRUNE_F32);
        weights = converted;
    }
    if (!status && !mask)
        status = prune_mask_from_nonzero(&nonzero, weights);
    if (!status)
        status = refuse_kept_nan(weights, mask ? mask : nonzero);
    if (!status)
        status = sparse->format->create(sparse, (const float *)weights->data, mask ? mask : nonzero, mask != NULL);
    prune_mask_free(nonzero);
    prune_tensor_free(converted);
    return status;
}

int32_t prune_sparse_create(prune_sparse **out, const prune_tensor *weights, const prune_mask *mask, const char *spec)
{
    prune_sparse *sparse;
    PR_REQUIRE(out);
    PR_REQUIRE(weights);
    PR_REQUIRE(spec);
    if (weights->dtype != PRUNE_F32 && weights->dtype != PRUNE_F16 && weights->dtype != PRUNE_BF16)
        return pr_fail(PRUNE_E_DTYPE, "%s: weights are of type %s; they must be f32, f16 or bf16", __func__,
                       prune_dtype_name(weights->dtype));
    if (mask)
        PR_TRY(pr_mask_fits(__func__, mask, weights));
    PR_TRY(pr_sparse_start(&sparse, weights->context, spec, weights->rank, weights->shape));
    int32_t status = fill(sparse, weights, mask);
    if (status) {
        prune_sparse_free(sparse);
        return status;
    }
    *out = sparse;
    return PRUNE_OK;
}

int32_t prune_sparse_from_mask(prune_sparse **out, const prune_mask *mask, const char *spec)
{
    static const float zero = 0; /* every element, by strides of 0 */
    const int64_t strides[PRUNE_MAX_RANK] = {0};
    prune_tensor *zeros;
    PR_REQUIRE(out);
    PR_REQUIRE(mask);
    PR_REQUIRE(spec);
    PR_TRY(prune_tensor_borrow(&zeros, mask->context, (void *)(uintptr_t)&zero, PRUNE_F32, mask->rank, mask->shape,
                               strides));
    int32_t status = prune_sparse_create(out, zeros, mask, spec);
    prune_tensor_free(zeros);
    return status;
}

int32_t prune_sparse_import(prune_sparse **out, prune_context *context, const char *spec, int32_t rank,
                            const int64_t *shape, const prune_tensor *const *parts, int32_t part_count)
{
    int64_t count;
    prune_sparse *sparse;
    PR_REQUIRE(out);
    PR_REQUIRE(spec);
    PR_TRY(pr_check_shape(__func__, rank, shape, &count));
    PR_REQUIRE(parts);
    PR_TRY(pr_sparse_start(&sparse, context, spec, rank, shape));
    int32_t status = PRUNE_OK, expected = sparse->format->part_count;
    if (part_count != expected)
        status = pr_fail(PRUNE_E_ARGUMENT, "%s: %d parts were given; it has %d", sparse->spec, (int)part_count,
                         (int)expected);
    for (int32_t i = 0; !status && i < expected; i++)
        if (!parts[i])
            status = pr_fail(PRUNE_E_ARGUMENT, "%s: part \"%s\" is NULL; it must be given", sparse->spec,
                             sparse->format->part_names[i]);
    if (!status)
        status = sparse->format->import(sparse, parts);
    if (status) {
        prune_sparse_free(sparse);
        return status;
    }
    *out = sparse;
    return PRUNE_OK;
}

int32_t prune_sparse_part_count(const prune_sparse *sparse)
{
    return sparse ? sparse->format->part_count : 0;
}

const char *prune_sparse_part_name(const prune_sparse *sparse, int32_t index)
{
    return sparse && index >= 0 && index < sparse->format->part_count ? sparse->format->part_names[index] : NULL;
}

const prune_tensor *prune_sparse_part(const prune_sparse *sparse, int32_t index)
{
    return sparse && index >= 0 && index < sparse->format->part_count ? sparse->parts[index] : NULL;
}

int32_t prune_sparse_to_tensor(prune_tensor **out, const prune_sparse *sparse)
{
    prune_tensor *tensor;
    PR_REQUIRE(out);
    PR_REQUIRE(sparse);
    PR_TRY(prune_tensor_create(&tensor, sparse->context, PRUNE_F32, sparse->rank, sparse->shape));
    sparse->format->to_dense(sparse, prune_tensor_data(tensor));
    *out = tensor;
    return PRUNE_OK;
}

int32_t prune_sparse_to_mask(prune_mask **out, const prune_sparse *sparse)
{
    prune_mask *mask;
    PR_REQUIRE(out);
    PR_REQUIRE(sparse);
    PR_TRY(pr_mask_new(&mask, sparse->context, sparse->rank, sparse->shape, 0));
    sparse->format->to_mask(sparse, mask);
    *out = mask;
    return PRUNE_OK;
}

const char *prune_sparse_spec(const prune_sparse *sparse)
{
    return sparse ? sparse->spec : NULL;
}

int32_t prune_sparse_rank(const prune_sparse *sparse)
{
    return sparse ? sparse->rank : 0;
}

const int64_t *prune_sparse_shape(const prune_sparse *sparse)
{
    return sparse ? sparse->shape : NULL;
}

int64_t prune_sparse_rows(const prune_sparse *sparse)
{
    return sparse ? sparse->rows : 0;
}

int64_t prune_sparse_columns(const prune_sparse *sparse)
{
    return sparse ? sparse->columns : 0;
}

int64_t prune_sparse_stored(const prune_sparse *sparse)
{
    return sparse ? sparse->stored : 0;
}

int64_t prune_sparse_bytes(const prune_sparse *sparse)
{
    int64_t bytes = 0;
    for (int32_t i = 0; sparse && i < sparse->format->part_count; i++)
        bytes += sparse->parts[i]->count * prune_dtype_size(sparse->parts[i]->dtype);
    return bytes;
}

prune_context *prune_sparse_context(const prune_sparse *sparse)
{
    return sparse ? sparse->context : NULL;
}

void prune_sparse_free(prune_sparse *sparse)
{
    if (!sparse)
        return;
    prune_context *context = sparse->context;
    for (int32_t i = 0; i < PR_MAX_PARTS; i++)
        prune_tensor_free(sparse->parts[i]);
    pr_release(context, sparse);
    prune_context_free(context);
}
