/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Chooses the copy of Eigen that was compiled for what this CPU has.
 */
#include "peer_eigen.h"

#include "prune/context.h"

static const struct eigen_functions *functions = &eigen_plain;

static void choose(const struct peer_product *product)
{
    functions = &eigen_plain;
#ifdef BENCH_EIGEN_AVX2
    if (prune_cpu_detect() & PRUNE_CPU_AVX2)
        functions = &eigen_avx2;
#endif
#ifdef BENCH_EIGEN_AVX512
    if ((prune_cpu_detect() & PRUNE_CPU_AVX512) && product->avx512)
        functions = &eigen_avx512;
#endif
    (void)product;
}

static void *prepare_dense(const struct peer_product *product)
{
    choose(product);
    return functions->prepare_dense(product);
}

static void *prepare_sparse(const struct peer_product *product)
{
    choose(product);
    return functions->prepare_sparse(product);
}

static void run_dense(void *state, float *y, const float *x)
{
    functions->run_dense(state, y, x);
}

static void run_sparse(void *state, float *y, const float *x)
{
    functions->run_sparse(state, y, x);
}

static void release_dense(void *state)
{
    functions->release_dense(state);
}

static void release_sparse(void *state)
{
    functions->release_sparse(state);
}

const struct peer peer_eigen = {.name = "eigen", .prepare = prepare_dense, .run = run_dense, .release = release_dense};
const struct peer peer_eigen_sparse = {
    .name = "eigen/sparse", .sparse = 1, .prepare = prepare_sparse, .run = run_sparse, .release = release_sparse};
