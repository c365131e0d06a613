/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_PEER_EIGEN_H
#define BENCH_PEER_EIGEN_H

#include "peers.h"

#ifdef __cplusplus
extern "C" {
#endif

struct eigen_functions {
    void *(*prepare_dense)(const struct peer_product *product);
    void (*run_dense)(void *state, float *y, const float *x);
    void (*release_dense)(void *state);
    void *(*prepare_sparse)(const struct peer_product *product);
    void (*run_sparse)(void *state, float *y, const float *x);
    void (*release_sparse)(void *state);
};

extern const struct eigen_functions eigen_plain, eigen_avx2, eigen_avx512;

#ifdef __cplusplus
}
#endif
#endif
