/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Out of a packed object again: what its form stores, element by element.
 */
#include "core/sparse/packed/packed.h"

/* The matrix and, unless `stored` is NULL, which of its elements are stored. */
static int32_t unpack(const prune_packed *packed, prune_tensor **matrix, prune_mask **stored)
{
    const struct pr_header *header = packed->header;
    const int64_t shape[2] = {header->rows, header->columns};
    prune_tensor *tensor = NULL;
    prune_mask *mask = NULL;
    int32_t status = prune_tensor_create(&tensor, packed->context, PRUNE_F32, 2, shape);
    if (!status)
        status = pr_mask_new(&mask, packed->context, 2, shape, 0);
    if (status) {
        prune_tensor_free(tensor);
        return status;
    }
    const struct pr_unpack to = {
        .rows = header->rows,
        .columns = header->columns,
        .values = prune_tensor_data(tensor),
        .stored = mask,
    };
    packed->form->packing.unpack(header, &to);
    *matrix = tensor;
    if (stored)
        *stored = mask;
    else
        prune_mask_free(mask);
    return PRUNE_OK;
}

int32_t prune_packed_to_tensor(prune_tensor **out, const prune_packed *packed)
{
    PR_REQUIRE(out);
    PR_REQUIRE(packed);
    return unpack(packed, out, NULL);
}

int32_t prune_packed_to_sparse(prune_sparse **out, const prune_packed *packed)
{
    PR_REQUIRE(out);
    PR_REQUIRE(packed);
    prune_tensor *matrix = NULL;
    prune_mask *stored = NULL;
    PR_TRY(unpack(packed, &matrix, &stored));
    /* In N:M a stored 0 is a filler, whose place follows from what is not 0. */
    int fillers = strncmp(packed->header->format, "nm:", 3) == 0;
    int32_t status = prune_sparse_create(out, matrix, fillers ? NULL : stored, packed->header->format);
    prune_mask_free(stored);
    prune_tensor_free(matrix);
    return status;
}
