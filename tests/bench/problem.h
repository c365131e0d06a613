/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One product to race: weights W (m x k) with a pattern of zeros, X, and what Y has to be.
 */
#ifndef BENCH_PROBLEM_H
#define BENCH_PROBLEM_H

#include <stdint.h>

enum { KXN, NXK };

struct problem {
    int64_t m, n, k;
    int layout;                     /* KXN: X is k x n, Y m x n; NXK: X is n x k, Y n x m */
    char pattern[256];              /* "random", "2:4", "2:4x4", "dense" or a file's name */
    double sparsity;                /* as it turned out */
    int keep_n, group_m, unit_rows; /* 0 where there is no such pattern */
    int64_t kept_count;
    float *w; /* row-major, 0 where pruned */
    uint8_t *kept;
    float *x, *y;

    /* What Y is at the places that are looked at, and the sum of |w||x| there. */
    int64_t checks;
    int64_t *place;
    double *exact, *magnitude;
    int64_t most_terms; /* in one sum */
};

/* `pattern` "random" takes `sparsity`; "2:4", "2:4xV" with V rows alike; "dense"; a file of the DLMC collection, which
 * sets m and k. 0 when made; otherwise says why on standard error. */
int problem_make(struct problem *problem, int64_t m, int64_t n, int64_t k, int layout, const char *pattern,
                 double sparsity, uint64_t seed);
void problem_free(struct problem *problem);

/* Whether y is right: within `slack` * gamma(terms) * sum |w||x|. The worst quotient goes to *worst. */
int problem_check(const struct problem *problem, double slack, double *worst);

#endif
