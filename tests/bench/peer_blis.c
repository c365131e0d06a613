/* SPDX-License-Identifier: BSD-2-Clause */
#include <blis.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"
#include "prune/context.h"

/* BLIS takes some cores with AVX-512 for others, so it is told; it reads this when it starts, as a number. AMD cores it
 * knows, and its kernels for them are faster there. */
static void start(int avx512)
{
#ifdef __x86_64__
    char type[16];
    snprintf(type, sizeof type, "%d", avx512 ? BLIS_ARCH_SKX : BLIS_ARCH_HASWELL);
    if ((prune_cpu_detect() & PRUNE_CPU_AVX512) && (!avx512 || !__builtin_cpu_is("amd")))
        setenv("BLIS_ARCH_TYPE", type, 1);
#endif
    bli_init();
    (void)avx512;
}

static void *prepare(const struct peer_product *product)
{
    struct peer_product *p = malloc(sizeof *p);
    size_t bytes = (size_t)(product->m * product->k) * 4;
    float *w = aligned_alloc(64, bytes / 64 * 64 + 64);
    if (!p || !w)
        abort();
    *p = *product;
    memcpy(w, product->w, bytes);
    p->w = w;
    start(p->avx512);
    bli_thread_set_num_threads(p->threads);
    return p;
}

static void release(void *state)
{
    struct peer_product *p = state;
    free((void *)(uintptr_t)p->w);
    free(p);
}

static void run(void *state, float *y, const float *x)
{
    const struct peer_product *p = state;
    float one = 1, zero = 0;
    float *w = (float *)(uintptr_t)p->w, *from = (float *)(uintptr_t)x;
    if (p->n == 1)
        bli_sgemv(BLIS_NO_TRANSPOSE, BLIS_NO_CONJUGATE, p->m, p->k, &one, w, p->k, 1, from, 1, &zero, y, 1);
    else if (p->layout == 0)
        bli_sgemm(BLIS_NO_TRANSPOSE, BLIS_NO_TRANSPOSE, p->m, p->n, p->k, &one, w, p->k, 1, from, p->n, 1, &zero, y,
                  p->n, 1);
    else
        bli_sgemm(BLIS_NO_TRANSPOSE, BLIS_TRANSPOSE, p->n, p->m, p->k, &one, from, p->k, 1, w, p->k, 1, &zero, y, p->m,
                  1);
}

static const char *detail(void)
{
    return bli_arch_string(bli_arch_query_id());
}

const struct peer peer_blis = {.name = "blis", .prepare = prepare, .run = run, .release = release, .detail = detail};
