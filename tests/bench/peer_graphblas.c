/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GraphBLAS: one column of X, W as its own format by rows. It owns its operands, so X goes in and Y comes out by copies
 * of a vector, which is little beside the product.
 */
#include <GraphBLAS.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

struct state {
    GrB_Matrix w;
    int64_t m, k;
};

static void *prepare(const struct peer_product *p)
{
    static int started;
    if (p->n != 1)
        return NULL;
    if (!started && GrB_init(GrB_BLOCKING) != GrB_SUCCESS)
        return NULL;
    started = 1;
    GxB_Global_Option_set(GxB_GLOBAL_NTHREADS, p->threads);
    struct state *s = calloc(1, sizeof *s);
    int64_t count = p->row_start[p->m], at = 0;
    GrB_Index *row = malloc((size_t)(count + 1) * sizeof *row), *column = malloc((size_t)(count + 1) * sizeof *column);
    if (!s || !row || !column)
        abort();
    for (int64_t r = 0; r < p->m; r++)
        for (; at < p->row_start[r + 1]; at++) {
            row[at] = (GrB_Index)r;
            column[at] = (GrB_Index)p->column[at];
        }
    s->m = p->m;
    s->k = p->k;
    int bad = GrB_Matrix_new(&s->w, GrB_FP32, (GrB_Index)p->m, (GrB_Index)p->k) != GrB_SUCCESS ||
              GrB_Matrix_build_FP32(s->w, row, column, p->value, (GrB_Index)count, GrB_PLUS_FP32) != GrB_SUCCESS ||
              GrB_Matrix_wait(s->w, GrB_MATERIALIZE) != GrB_SUCCESS;
    free(row);
    free(column);
    if (bad) {
        free(s);
        return NULL;
    }
    return s;
}

static void run(void *state, float *y, const float *x)
{
    const struct state *s = state;
    GrB_Index y_bytes = (GrB_Index)s->m * 4, x_bytes = (GrB_Index)s->k * 4;
    void *x_data = malloc((size_t)x_bytes), *y_data = calloc((size_t)s->m, 4);
    GrB_Vector from = NULL, to = NULL;
    bool iso = false;
    if (!x_data || !y_data)
        abort();
    memcpy(x_data, x, (size_t)x_bytes);
    GxB_Vector_import_Full(&from, GrB_FP32, (GrB_Index)s->k, &x_data, x_bytes, false, NULL);
    GxB_Vector_import_Full(&to, GrB_FP32, (GrB_Index)s->m, &y_data, y_bytes, false, NULL);
    GrB_mxv(to, NULL, GrB_PLUS_FP32, GrB_PLUS_TIMES_SEMIRING_FP32, s->w, from, NULL);
    GrB_Type type;
    GrB_Index size;
    if (GxB_Vector_export_Full(&to, &type, &size, &y_data, &y_bytes, &iso, NULL) == GrB_SUCCESS && !iso) {
        memcpy(y, y_data, (size_t)s->m * 4);
        free(y_data);
    }
    GrB_Vector_free(&from);
    GrB_Vector_free(&to);
}

static void release(void *state)
{
    struct state *s = state;
    GrB_Matrix_free(&s->w);
    free(s);
}

const struct peer peer_graphblas = {
    .name = "graphblas", .sparse = 1, .prepare = prepare, .run = run, .release = release};
