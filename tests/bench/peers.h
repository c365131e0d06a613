/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Other libraries that do the same product. Each is one file, peer_NAME.c or .cpp, and lines in peers.def; mk/bench.mk
 * leaves out what is not installed.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A product as a peer sees it. W is m x k, row-major, with zeros where nothing is stored; CSR for those who want it.
 * layout 0: X is k x n, Y = W X; 1: X is n x k, Y = X W'. */
struct peer_product {
    int64_t m, n, k;
    int layout;
    const float *w;
    const int64_t *row_start; /* m + 1 */
    const int32_t *column;
    const float *value;
    int threads;
    int avx512; /* whether the peer may use it, where the peer has to be told */
};

struct peer {
    const char *name;
    int sparse;

    /* NULL when the library does not do this product, or not in this way. */
    void *(*prepare)(const struct peer_product *product);
    void (*run)(void *state, float *y, const float *x);
    void (*release)(void *state);

    /* Errors allowed, in units of the bound of a plain sum; 0 for 4. */
    double slack;

    /* What it says of itself, for the table; NULL for nothing. */
    const char *(*detail)(void);
};

/* Those of peers.def that are here; ends with NULL. */
extern const struct peer *const bench_peers[];

#ifdef __cplusplus
}
#endif
#endif
