/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PR_BASE_CPU_H
#define PR_BASE_CPU_H

#include <stdint.h>

/* Bytes of this core's second-level cache and of the last one; left alone where the CPU does not say. */
void pr_cpu_caches(int64_t *second, int64_t *last);

#endif
