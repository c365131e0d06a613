/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory that the process keeps. Where the system takes freed pages back and clears new ones slowly (some virtual
 * machines clear 0.3 to 2 GB/s), that takes longer than what is measured, and says nothing about it.
 */
#ifndef BENCH_MEMORY_H
#define BENCH_MEMORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* What is freed from now on stays with the process. */
static inline void bench_keep_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1);
#endif
}

/* Seconds for writing to that many bytes for the first time. */
static inline double bench_fresh_memory(int64_t bytes)
{
    struct timespec start, end;
    volatile char *memory = malloc((size_t)bytes);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int64_t i = 0; memory && i < bytes; i += 4096)
        memory[i] = 1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    free((void *)memory);
    return (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
}

#endif
