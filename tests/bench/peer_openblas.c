/* SPDX-License-Identifier: BSD-2-Clause */
#include <cblas.h>
#include <stdlib.h>

#include "peers.h"

static void *prepare(const struct peer_product *product)
{
    struct peer_product *p = malloc(sizeof *p);
    float *w = aligned_alloc(64, (size_t)(product->m * product->k + 16) * 4 / 64 * 64 + 64);
    if (!p || !w)
        abort();
    *p = *product;
    for (int64_t i = 0; i < p->m * p->k; i++)
        w[i] = product->w[i];
    p->w = w;
    openblas_set_num_threads(p->threads);
    return p;
}

static void *prepare_sgemv(const struct peer_product *product)
{
    return product->n == 1 ? prepare(product) : NULL;
}

static void release(void *state)
{
    struct peer_product *p = state;
    free((void *)(uintptr_t)p->w);
    free(p);
}

/* Contenders of one race may have different numbers. */
static void set_threads(const struct peer_product *p)
{
    if (openblas_get_num_threads() != p->threads)
        openblas_set_num_threads(p->threads);
}

static void run_sgemm(void *state, float *y, const float *x)
{
    const struct peer_product *p = state;
    set_threads(p);
    int m = (int)p->m, n = (int)p->n, k = (int)p->k;
    if (p->layout == 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, p->w, k, x, n, 0, y, n);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, m, k, 1, x, k, p->w, k, 0, y, m);
}

static void run_sgemv(void *state, float *y, const float *x)
{
    const struct peer_product *p = state;
    set_threads(p);
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)p->m, (int)p->k, 1, p->w, (int)p->k, x, 1, 0, y, 1);
}

static const char *detail(void)
{
    return openblas_get_corename();
}

const struct peer peer_openblas_sgemm = {
    .name = "openblas", .prepare = prepare, .run = run_sgemm, .release = release, .detail = detail};
const struct peer peer_openblas_sgemv = {
    .name = "openblas/sgemv", .prepare = prepare_sgemv, .run = run_sgemv, .release = release, .detail = detail};
