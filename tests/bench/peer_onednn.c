/* SPDX-License-Identifier: BSD-2-Clause
 *
 * oneDNN's matmul. W goes in as the library likes it best ("any"), repacked once: as the weights of X' W' where that is
 * the layout, else as the source of W X, or transposed as the weights again.
 */
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

struct matmul {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_memory_t w, x, y;
    int w_is_source;
};

static void release(void *state)
{
    struct matmul *s = state;
    if (s->primitive)
        dnnl_primitive_destroy(s->primitive);
    if (s->w)
        dnnl_memory_destroy(s->w);
    if (s->x)
        dnnl_memory_destroy(s->x);
    if (s->y)
        dnnl_memory_destroy(s->y);
    if (s->stream)
        dnnl_stream_destroy(s->stream);
    if (s->engine)
        dnnl_engine_destroy(s->engine);
    free(s);
}

/* Copies W, in rows of k, into the layout that the primitive asks for. */
static int reorder(struct matmul *s, const dnnl_memory_desc_t *wanted, const dnnl_memory_desc_t *plain, const float *w)
{
    dnnl_memory_t from = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t copy = NULL;
    int bad = dnnl_memory_create(&from, plain, s->engine, (void *)(uintptr_t)w) ||
              dnnl_memory_create(&s->w, wanted, s->engine, DNNL_MEMORY_ALLOCATE) ||
              dnnl_reorder_primitive_desc_create(&description, plain, s->engine, wanted, s->engine, NULL) ||
              dnnl_primitive_create(&copy, description);
    if (!bad) {
        dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, s->w}};
        bad = dnnl_primitive_execute(copy, s->stream, 2, arguments) || dnnl_stream_wait(s->stream);
    }
    if (copy)
        dnnl_primitive_destroy(copy);
    if (description)
        dnnl_primitive_desc_destroy(description);
    if (from)
        dnnl_memory_destroy(from);
    return bad;
}

static int describe(dnnl_memory_desc_t *desc, int64_t rows, int64_t columns, dnnl_format_tag_t tag)
{
    dnnl_dims_t shape = {rows, columns};
    return dnnl_memory_desc_init_by_tag(desc, 2, shape, dnnl_f32, tag) != dnnl_success;
}

/* The product as source (a x b) times weights (b x c). `w_is_source`: W X. Otherwise X' W', where `x_tag` and `y_tag`
 * say how X and Y lie. */
static void *make(const struct peer_product *p, int w_is_source, dnnl_format_tag_t tag)
{
    struct matmul *s = calloc(1, sizeof *s);
    dnnl_memory_desc_t w, plain, x, y;
    dnnl_matmul_desc_t matmul;
    dnnl_primitive_desc_t description = NULL;
    if (!s)
        return NULL;
    s->w_is_source = w_is_source;
    int bad = dnnl_engine_create(&s->engine, dnnl_cpu, 0) ||
              dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags);
    if (w_is_source)
        bad = bad || describe(&w, p->m, p->k, dnnl_format_tag_any) || describe(&plain, p->m, p->k, dnnl_ab) ||
              describe(&x, p->k, p->n, tag) || describe(&y, p->m, p->n, tag) ||
              dnnl_matmul_desc_init(&matmul, &w, &x, NULL, &y);
    else
        bad = bad || describe(&w, p->k, p->m, dnnl_format_tag_any) || describe(&plain, p->k, p->m, dnnl_ba) ||
              describe(&x, p->n, p->k, tag) || describe(&y, p->n, p->m, tag) ||
              dnnl_matmul_desc_init(&matmul, &x, &w, NULL, &y);
    bad = bad || dnnl_primitive_desc_create(&description, &matmul, NULL, s->engine, NULL);
    const char *implementation = NULL;
    if (!bad)
        dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, (void *)&implementation);
    if (implementation && strstr(implementation, "ref"))
        bad = 1;
    bad = bad || dnnl_primitive_create(&s->primitive, description) ||
          reorder(s,
                  dnnl_primitive_desc_query_md(description, w_is_source ? dnnl_query_src_md : dnnl_query_weights_md, 0),
                  &plain, p->w) ||
          dnnl_memory_create(&s->x, &x, s->engine, DNNL_MEMORY_NONE) ||
          dnnl_memory_create(&s->y, &y, s->engine, DNNL_MEMORY_NONE);
    if (description)
        dnnl_primitive_desc_destroy(description);
    if (bad) {
        release(s);
        return NULL;
    }
    return s;
}

static void *prepare(const struct peer_product *p)
{
    return p->layout == 0 && p->n > 1 ? make(p, 1, dnnl_ab) : make(p, 0, dnnl_ab);
}

static void *prepare_transposed(const struct peer_product *p)
{
    return p->n == 1 ? make(p, 1, dnnl_ab) : p->layout == 0 ? make(p, 0, dnnl_ba) : make(p, 1, dnnl_ba);
}

static void run(void *state, float *y, const float *x)
{
    struct matmul *s = state;
    dnnl_memory_set_data_handle(s->x, (void *)(uintptr_t)x);
    dnnl_memory_set_data_handle(s->y, y);
    dnnl_exec_arg_t arguments[3] = {{DNNL_ARG_SRC, s->w_is_source ? s->w : s->x},
                                    {DNNL_ARG_WEIGHTS, s->w_is_source ? s->x : s->w},
                                    {DNNL_ARG_DST, s->y}};
    dnnl_primitive_execute(s->primitive, s->stream, 3, arguments);
    dnnl_stream_wait(s->stream);
}

const struct peer peer_onednn = {.name = "onednn", .prepare = prepare, .run = run, .release = release};
const struct peer peer_onednn_transposed = {
    .name = "onednn/transposed", .prepare = prepare_transposed, .run = run, .release = release};
