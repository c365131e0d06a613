/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products side by side: what the bench command measures.
 */
#ifndef BENCH_H
#define BENCH_H

#include "machine.h"
#include "tool.h"

/* A weight matrix, W of m x k, and what is kept of it. */
struct problem {
    prune_tensor *weights;
    prune_mask *mask;
    char pattern[256]; /* "random", "2:4", a file's name */
    double sparsity;
    int keep_n, group_m, unit_rows; /* 0 where there is no such pattern */
};

/* Standard normal weights, of which a share of 1 - sparsity is kept at random. */
int problem_random(struct problem *problem, prune_context *context, int64_t m, int64_t k, double sparsity);

/* keep_n of each group_m columns at random, alike in each `unit_rows` rows. */
int problem_nm(struct problem *problem, prune_context *context, int64_t m, int64_t k, int keep_n, int group_m,
               int unit_rows);

/* The pattern of a file in DLMC's smtx format (row and column numbers as text), with random values; or the weights of
 * an npy file, what is 0 pruned. */
int problem_read_smtx(struct problem *problem, prune_context *context, const char *path);
int problem_read_npy(struct problem *problem, prune_context *context, const char *path);
void problem_free(struct problem *problem);

/* One way to multiply. `copies` of the packed matrix take turns, so that the weights come from where they should. */
#define MOST_ROUNDS 400
struct contender {
    char format[SPEC_SIZE], form[32]; /* form "" for OpenBLAS */
    prune_packed **packed;
    int copies;
    prune_network *network; /* OpenBLAS: one linear layer */
    prune_runner *runner;
    int64_t runs; /* in one slice */
    double times[MOST_ROUNDS];
    double seconds_min, seconds_median, ratio; /* ratio: of the dense peer's time to this one's, median over rounds */
    int64_t bytes;
    const char *isa;
};

struct race {
    prune_context *context;
    int64_t n;
    float *x, *y;
    struct contender *contenders;
    int count, rounds;
};

/* A race over X of n rows (batch-major) for matrices of m x k. */
int race_open(struct race *race, prune_context *context, int64_t m, int64_t n, int64_t k);

/* Adds OpenBLAS on the dense weights, or a packed form; `spec` as for prune_packed_create. `total_bytes` of copies at
 * least are made, at most `most_copies`. */
int race_add_dense(struct race *race, const struct problem *problem);
int race_add_packed(struct race *race, const struct problem *problem, const char *spec, double total_bytes,
                    int most_copies);

/* Runs all of them in turn for about `seconds` in all, and fills in the figures; contender 0 is the peer of ratios. */
int race_run(struct race *race, double seconds);
void race_close(struct race *race);

/* Measures every form on this machine and writes the table, as prune-formats(5) describes it. */
int calibrate(const char *path);

#endif
