/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "core/linalg/blas.h"

const struct pr_blas *pr_blas_openblas(void)
{
    return NULL;
}
