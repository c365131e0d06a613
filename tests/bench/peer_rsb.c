/* SPDX-License-Identifier: BSD-2-Clause */
#include <rsb.h>
#include <stdlib.h>

#include "peers.h"

struct state {
    struct rsb_mtx_t *w;
    int64_t m, n, k;
    int layout;
};

static void *prepare(const struct peer_product *p)
{
    static int started;
    rsb_err_t error = RSB_ERR_NO_ERROR;
    struct state *s = calloc(1, sizeof *s);
    rsb_coo_idx_t *start = malloc((size_t)(p->m + 1) * sizeof *start);
    if (!s || !start || (!started && rsb_lib_init(RSB_NULL_INIT_OPTIONS) != RSB_ERR_NO_ERROR))
        abort();
    started = 1;
    for (int64_t r = 0; r <= p->m; r++)
        start[r] = (rsb_coo_idx_t)p->row_start[r];
    s->m = p->m;
    s->n = p->n;
    s->k = p->k;
    s->layout = p->layout;
    s->w = rsb_mtx_alloc_from_csr_const(p->value, start, p->column, (rsb_nnz_idx_t)p->row_start[p->m],
                                        RSB_NUMERICAL_TYPE_FLOAT, (rsb_coo_idx_t)p->m, (rsb_coo_idx_t)p->k, 1, 1,
                                        RSB_FLAG_NOFLAGS, &error);
    free(start);
    if (!s->w || error != RSB_ERR_NO_ERROR) {
        free(s);
        return NULL;
    }
    return s;
}

static void run(void *state, float *y, const float *x)
{
    const struct state *s = state;
    const float one = 1, zero = 0;
    rsb_coo_idx_t n = (rsb_coo_idx_t)s->n;
    if (n == 1)
        rsb_spmv(RSB_TRANSPOSITION_N, &one, s->w, x, 1, &zero, y, 1);
    else if (s->layout == 0)
        rsb_spmm(RSB_TRANSPOSITION_N, &one, s->w, n, RSB_FLAG_WANT_ROW_MAJOR_ORDER, x, n, &zero, y, n);
    else
        rsb_spmm(RSB_TRANSPOSITION_N, &one, s->w, n, RSB_FLAG_WANT_COLUMN_MAJOR_ORDER, x, (rsb_nnz_idx_t)s->k, &zero, y,
                 (rsb_nnz_idx_t)s->m);
}

static void release(void *state)
{
    struct state *s = state;
    rsb_mtx_free(s->w);
    free(s);
}

const struct peer peer_rsb = {.name = "librsb", .sparse = 1, .prepare = prepare, .run = run, .release = release};
