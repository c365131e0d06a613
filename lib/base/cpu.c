/* SPDX-License-Identifier: BSD-2-Clause */
#include "prune/context.h"

#if defined(__x86_64__)
#include <cpuid.h>

static int has_f16c(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
}
#endif

uint32_t prune_cpu_detect(void)
{
    uint32_t mask = PRUNE_CPU_SCALAR;
#if defined(__x86_64__)
    __builtin_cpu_init();
    /* The compiler's runtime also asks the operating system whether it saves the wide registers. */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c()) {
        mask |= PRUNE_CPU_AVX2;
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            mask |= PRUNE_CPU_AVX512;
    }
#elif defined(__aarch64__)
    mask |= PRUNE_CPU_NEON; /* every 64-bit Arm has it */
#endif
    return mask;
}
