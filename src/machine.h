/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the machine can do, measured in this run: the roofs that products are compared with, by the tool and by
 * tests/bench.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <jansson.h>
#include <stdint.h>

struct machine {
    char cpu[128];
    const char *isa;     /* "avx512", "avx2", "scalar": what the products may use */
    double fma_peak_512; /* GFLOP/s of independent multiply-adds in registers; 0 where there is none */
    double fma_peak_256;
    double fma_peak;    /* of `isa` */
    double read_memory; /* GB/s that one core reads from memory */
    double read_l3;     /* from the last cache, and from L2 */
    double read_l2;
    int64_t l1_bytes, l2_bytes, l3_bytes;
};

/* `cpu` is the mask of PRUNE_CPU_* that products may use. Takes about half a second. */
void machine_measure(struct machine *machine, uint32_t cpu);

/* GB/s for data of that many bytes which is read again and again. */
double machine_read(const struct machine *machine, double bytes);

/* Bytes that each element of a matrix of that density needs in the best format for its pattern: N:M (shared by
 * unit_rows rows) has 2-bit positions, anything else (unit_rows 0) 8-bit column deltas or a bitmap. */
double machine_weight_bytes(double density, int unit_rows);

/* The shortest time for so many multiply-adds and bytes of weights: at the peak, or the bytes once at `read` GB/s (0:
 * from where so many bytes lie). */
double machine_least_seconds(const struct machine *machine, double products, double bytes, double read);

json_t *machine_json(const struct machine *machine);

#endif
