/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "prune/context.h"

/* How to read a range: prefetching so many bytes ahead (0: not), as one stream or as four. The fastest way counts. */
struct way {
    int64_t ahead;
    int streams;
};

#ifdef __x86_64__
#include <immintrin.h>

/* Twelve chains hide a latency of four to six cycles on two ports. An empty asm hides from the compiler that the
 * factors never change. */
__attribute__((target("avx512f"))) static double fma_512(int64_t rounds)
{
    __m512 sum[12], a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(1e-3f);
    for (int i = 0; i < 12; i++)
        sum[i] = _mm512_set1_ps((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++)
            sum[i] = _mm512_fmadd_ps(sum[i], a, b);
    }
    float total = 0;
    for (int i = 0; i < 12; i++)
        total += _mm512_reduce_add_ps(sum[i]);
    return (double)total;
}

__attribute__((target("avx2,fma"))) static double fma_256(int64_t rounds)
{
    __m256 sum[12], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
    for (int i = 0; i < 12; i++)
        sum[i] = _mm256_set1_ps((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+x"(a), "+x"(b));
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++)
            sum[i] = _mm256_fmadd_ps(sum[i], a, b);
    }
    float all[8], total = 0;
    for (int i = 0; i < 12; i++) {
        _mm256_storeu_ps(all, sum[i]);
        total += all[0] + all[7];
    }
    return (double)total;
}

__attribute__((target("avx512f"))) static double read_512(const float *data, int64_t count, struct way way)
{
    int64_t stride = way.streams ? count / 4 : 16, step = way.streams ? 16 : 64, end = way.streams ? count / 4 : count;
    __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (int64_t i = 0; i < end; i += step) {
        for (int j = 0; j < 4 && way.ahead; j++)
            _mm_prefetch((const char *)(data + i + j * stride) + way.ahead, _MM_HINT_T0);
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            sum[j] = _mm512_or_si512(sum[j], _mm512_loadu_si512(data + i + j * stride));
    }
    for (int j = 1; j < 4; j++)
        sum[0] = _mm512_or_si512(sum[0], sum[j]);
    return (double)_mm512_reduce_or_epi32(sum[0]);
}

__attribute__((target("avx2"))) static double read_256(const float *data, int64_t count, struct way way)
{
    int64_t stride = way.streams ? count / 4 : 16, step = way.streams ? 16 : 64, end = way.streams ? count / 4 : count;
    __m256i sum[8];
    for (int j = 0; j < 8; j++)
        sum[j] = _mm256_setzero_si256();
    for (int64_t i = 0; i < end; i += step) {
        for (int j = 0; j < 4 && way.ahead; j++)
            _mm_prefetch((const char *)(data + i + j * stride) + way.ahead, _MM_HINT_T0);
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++)
            sum[j] =
                _mm256_or_si256(sum[j], _mm256_loadu_si256((const __m256i *)(data + i + j / 2 * stride + 8 * (j % 2))));
    }
    for (int j = 1; j < 8; j++)
        sum[0] = _mm256_or_si256(sum[0], sum[j]);
    return (double)_mm256_extract_epi32(sum[0], 0);
}
#endif

static double fma_plain(int64_t rounds)
{
    float sum[12], a = 0.999f, b = 1e-3f, total = 0;
    for (int i = 0; i < 12; i++)
        sum[i] = (float)i;
    for (int64_t r = 0; r < rounds; r++)
        for (int i = 0; i < 12; i++)
            sum[i] = sum[i] * a + b;
    for (int i = 0; i < 12; i++)
        total += sum[i];
    return (double)total;
}

static double read_plain(const float *data, int64_t count, struct way way)
{
    (void)way;
    uint64_t sum = 0, word;
    for (int64_t i = 0; i < count; i += 2) {
        memcpy(&word, data + i, sizeof word);
        sum |= word;
    }
    return (double)sum;
}

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static volatile double sink;

static double fma_peak(double (*run)(int64_t), int lanes)
{
    const int64_t rounds = 200000;
    double best = 1e9;
    for (int i = 0; i < 40; i++) {
        double start = seconds_now();
        sink = run(rounds);
        best = fmin(best, seconds_now() - start);
    }
    return 2.0 * 12 * lanes * (double)rounds / best * 1e-9;
}

static double read_rate(double (*run)(const float *, int64_t, struct way), const float *data, int64_t bytes,
                        double seconds)
{
    static const struct way ways[] = {{0, 0}, {4096, 0}, {0, 1}, {2048, 1}};
    double best = 1e9, start = seconds_now();
    int64_t again = bytes < 1000000 ? 1000000 / bytes + 1 : 1;
    do {
        for (int w = 0; w < 4; w++) {
            double begin = seconds_now();
            for (int64_t i = 0; i < again; i++)
                sink = run(data, bytes / 4, ways[w]);
            best = fmin(best, (seconds_now() - begin) / (double)again);
        }
    } while (seconds_now() - start < seconds);
    return (double)bytes / best * 1e-9;
}

static void read_cpu_name(char *name, size_t size)
{
    char line[512];
    snprintf(name, size, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "model name", 10) && strchr(line, ':')) {
            snprintf(name, size, "%s", strchr(line, ':') + 2);
            name[strcspn(name, "\n")] = 0;
            break;
        }
    if (file)
        fclose(file);
}

/* What cpu0 sees of the cache of that level: under some hypervisors sysconf adds up those of all cores. */
static int64_t cache_bytes(int level, int64_t otherwise)
{
    for (int index = 0; index < 8; index++) {
        char path[96], type[32] = "";
        long long size = 0, found = 0;
        const char *const names[] = {"level", "size", "type"};
        for (int i = 0; i < 3; i++) {
            snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, names[i]);
            FILE *file = fopen(path, "r");
            if (!file)
                continue;
            if ((i == 0 && fscanf(file, "%lld", &found) != 1) || (i == 1 && fscanf(file, "%lld", &size) != 1) ||
                (i == 2 && fscanf(file, "%31s", type) != 1))
                found = 0;
            fclose(file);
        }
        if (found == level && size > 0 && strcmp(type, "Instruction"))
            return size * 1024;
    }
    return otherwise;
}

void machine_measure(struct machine *m, uint32_t cpu)
{
    double (*read)(const float *, int64_t, struct way) = read_plain;
    memset(m, 0, sizeof *m);
    read_cpu_name(m->cpu, sizeof m->cpu);
    m->l1_bytes = cache_bytes(1, 32 << 10);
    m->l2_bytes = cache_bytes(2, 1 << 20);
    m->l3_bytes = cache_bytes(3, 32 << 20);
    m->isa = "scalar";
    m->fma_peak = fma_peak(fma_plain, 1);
#ifdef __x86_64__
    if (prune_cpu_detect() & PRUNE_CPU_AVX2) {
        m->fma_peak_256 = fma_peak(fma_256, 8);
        read = read_256;
    }
    if (prune_cpu_detect() & PRUNE_CPU_AVX512) {
        m->fma_peak_512 = fma_peak(fma_512, 16);
        read = read_512;
    }
    if (cpu & PRUNE_CPU_AVX512) {
        m->isa = "avx512";
        m->fma_peak = m->fma_peak_512;
    } else if (cpu & PRUNE_CPU_AVX2) {
        m->isa = "avx2";
        m->fma_peak = m->fma_peak_256;
    }
#endif
    int64_t memory = 256 << 20;
    float *data = aligned_alloc(4096, (size_t)memory + 8192);
    if (!data)
        return;
    memset(data, 1, (size_t)memory + 8192);
    m->read_l2 = read_rate(read, data, m->l2_bytes / 2 / 4096 * 4096, 0.05);
    m->read_l3 = read_rate(read, data, (m->l3_bytes < 16 << 20 ? m->l3_bytes / 2 : 8 << 20) / 4096 * 4096, 0.1);
    m->read_memory = read_rate(read, data, memory, 0.3);
    free(data);
}

double machine_read(const struct machine *m, double bytes)
{
    return bytes <= 0.75 * (double)m->l2_bytes   ? m->read_l2
           : bytes <= 0.75 * (double)m->l3_bytes ? m->read_l3
                                                 : m->read_memory;
}

double machine_weight_bytes(double density, int unit_rows)
{
    if (density >= 1)
        return 4;
    if (unit_rows > 0)
        return 4 * density + density * 0.25 / unit_rows;
    return fmin(4, fmin(5 * density, 4 * density + 0.125));
}

double machine_least_seconds(const struct machine *m, double products, double bytes, double read)
{
    return fmax(2 * products / (m->fma_peak * 1e9), bytes / ((read > 0 ? read : machine_read(m, bytes)) * 1e9));
}

json_t *machine_json(const struct machine *m)
{
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "cpu", m->cpu, "isa", m->isa,
                     "fma_peak_gflops", m->fma_peak, "fma_peak_512_gflops", m->fma_peak_512, "fma_peak_256_gflops",
                     m->fma_peak_256, "read_bandwidth_gbs", m->read_memory, "read_l3_gbs", m->read_l3, "read_l2_gbs",
                     m->read_l2, "l1_bytes", (json_int_t)m->l1_bytes, "l2_bytes", (json_int_t)m->l2_bytes, "l3_bytes",
                     (json_int_t)m->l3_bytes);
}
