/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/cpu.h"

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

#if defined(__x86_64__)
/* Caches are listed by a leaf that AMD and Intel number differently and lay out alike. */
static unsigned cache_leaf(void)
{
    unsigned eax, ebx, ecx, edx;
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && (ecx & 1U << 22)) /* topology extensions: AMD */
        return 0x8000001D;
    return __get_cpuid(4, &eax, &ebx, &ecx, &edx) ? 4 : 0;
}
#endif

void pr_cpu_caches(int64_t *second, int64_t *last)
{
#if defined(__x86_64__)
    unsigned leaf = cache_leaf(), eax, ebx, ecx, edx;
    for (unsigned i = 0; leaf && i < 8 && __get_cpuid_count(leaf, i, &eax, &ebx, &ecx, &edx) && (eax & 31); i++) {
        unsigned level = eax >> 5 & 7;
        int64_t ways = (ebx >> 22) + 1, partitions = (ebx >> 12 & 1023) + 1, line = (ebx & 4095) + 1;
        int64_t bytes = ways * partitions * line * ((int64_t)ecx + 1);
        if ((eax & 31) == 2) /* instructions only */
            continue;
        if (level == 2)
            *second = bytes;
        if (level >= 2)
            *last = bytes;
    }
#else
    (void)second;
    (void)last;
#endif
}
