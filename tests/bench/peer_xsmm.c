/* SPDX-License-Identifier: BSD-2-Clause
 *
 * LIBXSMM: code made for one small matrix (fsspmdm), and blocks of a larger one (spmdm).
 */
#include <libxsmm.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

/* ---- spmdm: W X in blocks, X row-major ---- */

struct spmdm {
    libxsmm_spmdm_handle handle;
    libxsmm_CSR_sparseslice *slices;
};

static void *prepare_spmdm(const struct peer_product *p)
{
    if (p->layout != 0 || p->n < 16 || p->threads > 1)
        return NULL;
    struct spmdm *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    libxsmm_init();
    libxsmm_spmdm_init((int)p->m, (int)p->n, (int)p->k, 1, &s->handle, &s->slices);
    int blocks = libxsmm_spmdm_get_num_createSparseSlice_blocks(&s->handle);
    for (int i = 0; i < blocks; i++)
        libxsmm_spmdm_createSparseSlice_fp32_thread(&s->handle, 'N', p->w, s->slices, i, 0, 1);
    return s;
}

static void run_spmdm(void *state, float *y, const float *x)
{
    struct spmdm *s = state;
    const float one = 1, zero = 0;
    int blocks = libxsmm_spmdm_get_num_compute_blocks(&s->handle);
    for (int i = 0; i < blocks; i++)
        libxsmm_spmdm_compute_fp32_thread(&s->handle, 'N', 'N', &one, s->slices, x, 'N', &zero, y, i, 0, 1);
}

static void release_spmdm(void *state)
{
    struct spmdm *s = state;
    libxsmm_spmdm_destroy(&s->handle);
    free(s);
}

/* ---- fsspmdm: code made for the matrix, a strip of X at a time ---- */

struct fsspmdm {
    libxsmm_sfsspmdm *code;
    int64_t n, strip;
};

static void *prepare_fsspmdm(const struct peer_product *p)
{
    int64_t strip = p->avx512 ? 16 : 8;
    if (p->layout != 0 || p->n % strip || p->threads > 1 || p->m * p->k > 1 << 18)
        return NULL;
    struct fsspmdm *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    libxsmm_init();
    s->n = p->n;
    s->strip = strip;
    s->code = libxsmm_sfsspmdm_create((int)p->m, (int)strip, (int)p->k, (int)p->k, (int)p->n, (int)p->n, 1, 0, 0, p->w);
    if (!s->code) {
        free(s);
        return NULL;
    }
    return s;
}

static void run_fsspmdm(void *state, float *y, const float *x)
{
    const struct fsspmdm *s = state;
    for (int64_t j = 0; j < s->n; j += s->strip)
        libxsmm_sfsspmdm_execute(s->code, x + j, y + j);
}

static void release_fsspmdm(void *state)
{
    struct fsspmdm *s = state;
    libxsmm_sfsspmdm_destroy(s->code);
    free(s);
}

static const char *detail(void)
{
    return libxsmm_get_target_arch();
}

const struct peer peer_xsmm_spmdm = {.name = "libxsmm/spmdm",
                                     .sparse = 1,
                                     .prepare = prepare_spmdm,
                                     .run = run_spmdm,
                                     .release = release_spmdm,
                                     .detail = detail};
const struct peer peer_xsmm_fsspmdm = {.name = "libxsmm/fsspmdm",
                                       .sparse = 1,
                                       .prepare = prepare_fsspmdm,
                                       .run = run_fsspmdm,
                                       .release = release_fsspmdm,
                                       .detail = detail};
