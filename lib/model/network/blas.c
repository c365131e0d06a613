/* SPDX-License-Identifier: BSD-2-Clause */
#include <cblas.h>

#include "prune/network.h"

const char *prune_blas_kernel(void)
{
    return openblas_get_corename();
}

const char *prune_blas_version(void)
{
    return openblas_get_config();
}

void prune_blas_set_threads(int32_t threads)
{
    openblas_set_num_threads(threads < 1 ? 1 : threads);
}
