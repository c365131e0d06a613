/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sparse convolutions of ResNet's shapes: ours by each algorithm, the packed product of an im2col, and dense: im2col
 * with each dense peer's product, and oneDNN's convolution (images as NCHW, and as it likes them best). One image, one
 * thread. Options: --sparsity LIST, --shape WORD (only what has it in its name), --seconds S, --avx2.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"
#include "prune/prune.h"
#include "race.h"
#ifdef BENCH_HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

static const struct shape {
    const char *name;
    int64_t in, out, size, kernel, stride;
} shapes[] = {
    {"64x56x56-3x3", 64, 64, 56, 3, 1},          {"128x28x28-3x3", 128, 128, 28, 3, 1},
    {"256x14x14-3x3", 256, 256, 14, 3, 1},       {"512x7x7-3x3", 512, 512, 7, 3, 1},
    {"128x56x56-3x3/2", 128, 128, 56, 3, 2},     {"256x56x56-1x1-64", 256, 64, 56, 1, 1},
    {"64x56x56-1x1-256", 64, 256, 56, 1, 1},     {"1024x14x14-1x1-256", 1024, 256, 14, 1, 1},
    {"256x56x56-1x1/2-512", 256, 512, 56, 1, 2},
};
#define SHAPES ((int)(sizeof shapes / sizeof *shapes))

struct work {
    const struct shape *shape;
    int64_t output, pixels, k;
    float *w, *x, *columns;
    prune_tensor *tensor;
};

struct entry {
    char name[64];
    int dense;
    const struct work *work;
    float *y;
    prune_convolution *convolution;
    prune_packed *packed;
    const struct peer *peer;
    void *state;
#ifdef BENCH_HAVE_ONEDNN
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_memory_t from, weights, to;
#endif
};

/* Row (channel, u, v), column (i, j). */
static void im2col(const struct work *work)
{
    const struct shape *s = work->shape;
    int64_t padding = s->kernel / 2, output = work->output;
    float *to = work->columns;
    for (int64_t c = 0; c < s->in; c++)
        for (int64_t place = 0; place < s->kernel * s->kernel; place++)
            for (int64_t i = 0; i < output; i++, to += output) {
                int64_t row = i * s->stride + place / s->kernel - padding, shift = place % s->kernel - padding;
                const float *from = work->x + (c * s->size + row) * s->size;
                int64_t begin = shift < 0 ? 1 : 0, end = output;
                if (row < 0 || row >= s->size) {
                    memset(to, 0, (size_t)output * sizeof *to);
                    continue;
                }
                while ((end - 1) * s->stride + shift >= s->size)
                    end--;
                to[0] = to[output - 1] = 0;
                if (s->stride == 1)
                    memcpy(to + begin, from + begin + shift, (size_t)(end - begin) * sizeof *to);
                else
                    for (int64_t j = begin; j < end; j++)
                        to[j] = from[j * s->stride + shift];
            }
}

static const float *matrix(const struct work *work)
{
    if (work->shape->kernel == 1 && work->shape->stride == 1)
        return work->x;
    im2col(work);
    return work->columns;
}

static void run(void *state, int64_t turn)
{
    struct entry *entry = state;
    const struct work *work = entry->work;
    (void)turn;
    if (entry->convolution)
        prune_convolution_run(entry->convolution, entry->y, work->x, 1, work->shape->size, work->shape->size, NULL);
    else if (entry->packed)
        prune_packed_run(entry->packed, entry->y, work->pixels, matrix(work), work->pixels, work->pixels, NULL);
    else if (entry->peer)
        entry->peer->run(entry->state, entry->y, matrix(work));
#ifdef BENCH_HAVE_ONEDNN
    else {
        dnnl_exec_arg_t arguments[3] = {
            {DNNL_ARG_SRC, entry->from}, {DNNL_ARG_WEIGHTS, entry->weights}, {DNNL_ARG_DST, entry->to}};
        dnnl_primitive_execute(entry->primitive, entry->stream, 3, arguments);
        dnnl_stream_wait(entry->stream);
    }
#endif
}

#ifdef BENCH_HAVE_ONEDNN
/* Its weights as it likes them; what they hold does not change its time. `blocked`: its images too. */
static int make_onednn(struct entry *entry, const struct work *work, int blocked)
{
    const struct shape *s = work->shape;
    dnnl_dims_t x = {1, s->in, s->size, s->size}, w = {s->out, s->in, s->kernel, s->kernel};
    dnnl_dims_t y = {1, s->out, work->output, work->output}, strides = {s->stride, s->stride};
    dnnl_dims_t padding = {s->kernel / 2, s->kernel / 2};
    dnnl_format_tag_t tag = blocked ? dnnl_format_tag_any : dnnl_nchw;
    dnnl_memory_desc_t xd, wd, yd;
    dnnl_convolution_desc_t description;
    dnnl_primitive_desc_t made = NULL;
    int bad = dnnl_engine_create(&entry->engine, dnnl_cpu, 0) || dnnl_stream_create(&entry->stream, entry->engine, 0) ||
              dnnl_memory_desc_init_by_tag(&xd, 4, x, dnnl_f32, tag) ||
              dnnl_memory_desc_init_by_tag(&wd, 4, w, dnnl_f32, dnnl_format_tag_any) ||
              dnnl_memory_desc_init_by_tag(&yd, 4, y, dnnl_f32, tag) ||
              dnnl_convolution_forward_desc_init(&description, dnnl_forward_inference, dnnl_convolution_auto, &xd, &wd,
                                                 NULL, &yd, strides, padding, padding) ||
              dnnl_primitive_desc_create(&made, &description, NULL, entry->engine, NULL) ||
              dnnl_primitive_create(&entry->primitive, made);
    dnnl_memory_t *memory[3] = {&entry->from, &entry->weights, &entry->to};
    const dnnl_query_t query[3] = {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md};
    for (int i = 0; !bad && i < 3; i++) {
        const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(made, query[i], 0);
        void *data = NULL;
        bad = dnnl_memory_create(memory[i], desc, entry->engine, DNNL_MEMORY_ALLOCATE) ||
              dnnl_memory_get_data_handle(*memory[i], &data);
        for (size_t f = 0; !bad && f < dnnl_memory_desc_get_size(desc) / sizeof(float); f++)
            ((float *)data)[f] = (float)(f % 17) / 17;
    }
    if (made)
        dnnl_primitive_desc_destroy(made);
    return bad;
}
#endif

static void random_floats(float *to, int64_t count, uint32_t *state)
{
    for (int64_t i = 0; i < count; i++) {
        *state = *state * 1664525u + 1013904223u;
        to[i] = (float)(*state >> 8) / 8388608.0f - 1.0f;
    }
}

/* Keeps each weight with this chance, or two of each four of a row. */
static void thin_out(float *w, int64_t count, const char *sparsity, uint32_t *state)
{
    double fraction = atof(sparsity);
    for (int64_t i = 0; i < count; i++) {
        *state = *state * 1664525u + 1013904223u;
        uint32_t chance = *state >> 8;
        if (strcmp(sparsity, "2:4") == 0) {
            if (i % 4 == 0)
                w[i + chance % 4] = w[i + (chance % 4 + 1 + chance / 4 % 3) % 4] = 0;
        } else if ((double)chance / 16777216.0 < fraction) {
            w[i] = 0;
        }
    }
}

/* Largest difference from the first entry's outputs; oneDNN's own weights are others. */
static double difference(const struct entry *a, const struct entry *b, int64_t count)
{
    double most = 0;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)a->y[i] - (double)b->y[i]));
    return most;
}

static int add_ours(struct entry *entries, const struct work *work)
{
    static const char *const algorithms[] = {"product", "copies", "shifts"};
    const struct shape *s = work->shape;
    int count = 0;
    char spec[128];
    for (int i = 0; i < 3; i++) {
        snprintf(spec, sizeof spec, "stride=%d,padding=%d,height=%d,width=%d,algorithm=%s", (int)s->stride,
                 (int)s->kernel / 2, (int)s->size, (int)s->size, algorithms[i]);
        if (prune_convolution_create(&entries[count].convolution, work->tensor, NULL, spec) == PRUNE_OK)
            snprintf(entries[count++].name, sizeof entries->name, "%s", algorithms[i]);
    }
    snprintf(spec, sizeof spec, "columns=%d", (int)work->pixels);
    if (s->kernel > 1 && prune_packed_create(&entries[count].packed, work->tensor, NULL, spec) == PRUNE_OK) {
        snprintf(entries[count].name, sizeof entries->name, "im2col+%s", prune_packed_form(entries[count].packed));
        count++;
    }
    return count;
}

static int add_dense(struct entry *entries, const struct work *work, int avx512)
{
    const struct peer_product product = {
        .m = work->shape->out, .n = work->pixels, .k = work->k, .w = work->w, .threads = 1, .avx512 = avx512};
    int count = 0;
    for (int i = 0; bench_peers[i]; i++) {
        if (bench_peers[i]->sparse)
            continue;
        entries[count].peer = bench_peers[i];
        entries[count].state = bench_peers[i]->prepare(&product);
        snprintf(entries[count].name, sizeof entries->name, "im2col+%s", bench_peers[i]->name);
        count += entries[count].state != NULL;
    }
    entries[count].peer = NULL;
#ifdef BENCH_HAVE_ONEDNN
    for (int blocked = 0; blocked < 2; blocked++) {
        snprintf(entries[count].name, sizeof entries->name, "onednn-convolution%s", blocked ? "/blocked" : "");
        count += !make_onednn(&entries[count], work, blocked);
    }
#endif
    return count;
}

static int measure(const struct shape *shape, const char *sparsity, double seconds, prune_context *context)
{
    uint32_t state = 7;
    struct work work = {.shape = shape, .output = (shape->size - 1) / shape->stride + 1};
    work.pixels = work.output * work.output;
    work.k = shape->in * shape->kernel * shape->kernel;
    work.w = aligned_alloc(64, (size_t)(shape->out * work.k) * sizeof(float));
    work.x = aligned_alloc(64, (size_t)(shape->in * shape->size * shape->size) * sizeof(float));
    work.columns = aligned_alloc(64, (size_t)(work.k * work.pixels) * sizeof(float));
    random_floats(work.w, shape->out * work.k, &state);
    random_floats(work.x, shape->in * shape->size * shape->size, &state);
    thin_out(work.w, shape->out * work.k, sparsity, &state);
    const int64_t extents[4] = {shape->out, shape->in, shape->kernel, shape->kernel};
    if (prune_tensor_borrow(&work.tensor, context, work.w, PRUNE_F32, 4, extents, NULL))
        return 1;
    static struct entry entries[32];
    static struct racer racers[32];
    memset(entries, 0, sizeof entries);
    memset(racers, 0, sizeof racers);
    int ours = add_ours(entries, &work);
    int count = ours + add_dense(entries + ours, &work, (prune_context_cpu(context) & PRUNE_CPU_AVX512) != 0);
    for (int i = 0; i < count; i++) {
        entries[i].dense = i >= ours;
        entries[i].work = &work;
        entries[i].y = aligned_alloc(64, (size_t)(shape->out * work.pixels) * sizeof(float));
        racers[i] = (struct racer){.run = run, .state = &entries[i]};
        run(&entries[i], 0);
    }
    int rounds = race(racers, count, &(struct race_limits){seconds, 200}), best_im2col = -1, best_dense = ours;
    for (int i = ours; i < count; i++) {
        if (racers[i].median < racers[best_dense].median)
            best_dense = i;
        if (entries[i].peer && (best_im2col < 0 || racers[i].median < racers[best_im2col].median))
            best_im2col = i;
    }
    double flops = 2e-9 * (double)(shape->out * work.k * work.pixels);
    for (int i = 0; i < count; i++)
        printf("%-20s %-4s %-26s %9.1f us %7.1f GFLOP/s  over im2col+dense %5.2f  over best dense %5.2f%s\n",
               shape->name, sparsity, entries[i].name, 1e6 * racers[i].median, flops / racers[i].median,
               best_im2col < 0 ? 0 : median_ratio(&racers[best_im2col], &racers[i], rounds),
               median_ratio(&racers[best_dense], &racers[i], rounds),
               (entries[i].peer || !entries[i].dense) &&
                       difference(entries, entries + i, shape->out * work.pixels) > 1e-3
                   ? "  WRONG"
                   : "");
    for (int i = 0; i < count; i++) {
        prune_convolution_free(entries[i].convolution);
        prune_packed_free(entries[i].packed);
        if (entries[i].peer)
            entries[i].peer->release(entries[i].state);
        free(entries[i].y);
    }
    prune_tensor_free(work.tensor);
    free(work.w);
    free(work.x);
    free(work.columns);
    fflush(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    const char *list = "0.5,0.7,0.8,0.9,2:4", *only = "";
    double seconds = 1;
    prune_context *context = NULL;
    if (prune_context_create(&context))
        return 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--sparsity") == 0 && i + 1 < argc)
            list = argv[++i];
        else if (strcmp(argv[i], "--shape") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--avx2") == 0)
            prune_context_set_cpu(context, PRUNE_CPU_AVX2);
    }
    for (int s = 0; s < SHAPES; s++)
        for (const char *at = list; *at && strstr(shapes[s].name, only);) {
            char word[16] = "";
            size_t length = strcspn(at, ",");
            memcpy(word, at, length < 15 ? length : 15);
            at += length + (at[length] == ',');
            if (measure(&shapes[s], word, seconds, context))
                return 1;
        }
    prune_context_free(context);
    return 0;
}
