/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx512.h"

#include "core/kernels/tmpl/products.h"

const struct pr_kernels pr_kernels_avx512 = {
    .rows_panel = rows_panel,
    .dense_strip = dense_strip,
    .nm24_strip = nm24_strip,
};
