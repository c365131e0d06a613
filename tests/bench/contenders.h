/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Everybody who takes part in the race for one problem: forms of libprune, dense and sparse peers.
 */
#ifndef BENCH_CONTENDERS_H
#define BENCH_CONTENDERS_H

#include "../../src/machine.h"
#include "peers.h"
#include "problem.h"
#include "prune/packed.h"
#include "race.h"

#define MOST_CONTENDERS MOST_RACERS
#define MOST_COPIES 64

enum contender_kind { OURS, DENSE_PEER, SPARSE_PEER };

struct contender {
    char name[64];
    char format[64];
    char kernels[64];
    int kind;
    double bytes;        /* of the weights as they lie in memory; 0 when not known */
    double pack_seconds; /* ours */
    double error;        /* worst quotient of error and bound */

    const struct peer *peer;
    int copies; /* used in turn, so that weights come from memory */
    void *states[MOST_COPIES];
    const struct problem *problem;

    double gflops, ratio_dense, ratio_sparse, roofline;
};

/* What takes part. `forms`, `formats` are lists with commas, "auto" for libprune's own choice. */
struct entry_list {
    const char *forms, *formats, *spec;
    int dense_form;      /* libprune's packed dense as well */
    const char *without; /* peers that stay away, a list with commas; "all" for all but OpenBLAS */
    int threads;
    int from_memory;     /* weights larger than the caches */
    double memory_bytes; /* that copies of one contender's weights have to exceed then */
};

/* Makes them, lets each do the product once and checks it. Who cannot take part or errs is left out with a line on
 * standard error; *wrong counts those who err. Returns how many there are. */
int contenders_make(struct contender *contenders, const struct problem *problem, const struct entry_list *list,
                    const struct machine *machine, prune_context *context, int *wrong);
void contenders_free(struct contender *contenders, int count);

/* For the race. */
void contender_run(void *contender, int64_t turn);

#endif
