/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Depthwise convolutions against sums in double and against the one chain of fused multiply-adds that their header
 * promises: strides, dilations and padding that differ, multipliers, masks, epilogues, NaN and infinity, threads, bad
 * input, memory that cannot be had.
 */
#include "problem.h"

#include "allocator.h"

struct layer {
    int64_t out, multiplier, kernel[2], stride[2], dilation[2], before[2], after[2];
    double density; /* below 1: some channels keep nothing */
};

struct made {
    struct layer layer;
    float *w;
    uint8_t *kept;
    prune_context *context;
    prune_tensor *tensor;
    prune_mask *mask;
};

static void make_layer(struct made *m, const struct layer *l, uint32_t cpu, int threads)
{
    struct pr_rng rng;
    const int64_t shape[4] = {l->out, 1, l->kernel[0], l->kernel[1]}, taps = l->kernel[0] * l->kernel[1];
    pr_rng_seed(&rng, (uint64_t)(l->out * 100 + taps));
    *m = (struct made){.layer = *l};
    m->w = malloc((size_t)(l->out * taps + 1) * sizeof *m->w);
    m->kept = malloc((size_t)(l->out * taps + 1));
    fill_random(&rng, m->w, l->out * taps, 0);
    for (int64_t i = 0; i < l->out * taps; i++)
        m->kept[i] = l->density >= 1 || (i / taps % 3 != 1 && pr_rng_uniform(&rng) < l->density);
    OK(prune_context_create(&m->context));
    OK(prune_context_set_cpu(m->context, cpu));
    OK(prune_context_set_threads(m->context, threads));
    OK(prune_tensor_borrow(&m->tensor, m->context, m->w, PRUNE_F32, 4, shape, NULL));
    OK(prune_mask_from_bytes(&m->mask, m->context, 4, shape, m->kept, l->out * taps));
}

static void drop_layer(struct made *m)
{
    prune_mask_free(m->mask);
    prune_tensor_free(m->tensor);
    prune_context_free(m->context);
    free(m->w);
    free(m->kept);
}

static prune_depthwise *create(const struct made *m, int64_t height, int64_t width)
{
    const struct layer *l = &m->layer;
    char spec[256];
    prune_depthwise *d;
    snprintf(spec, sizeof spec, "stride=%dx%d,dilation=%dx%d,before=%dx%d,after=%dx%d,multiplier=%d,height=%d,width=%d",
             (int)l->stride[0], (int)l->stride[1], (int)l->dilation[0], (int)l->dilation[1], (int)l->before[0],
             (int)l->before[1], (int)l->after[0], (int)l->after[1], (int)l->multiplier, (int)height, (int)width);
    OK(prune_depthwise_create(&d, m->tensor, m->mask, spec));
    ck_assert_int_eq(prune_depthwise_stored(d), prune_mask_kept(m->mask));
    ck_assert_int_eq(prune_depthwise_out_channels(d), l->out);
    return d;
}

static int64_t output_of(const struct layer *l, int way, int64_t extent)
{
    int64_t room = extent + l->before[way] + l->after[way] - l->dilation[way] * (l->kernel[way] - 1) - 1;
    return room < 0 ? 0 : room / l->stride[way] + 1;
}

struct sum {
    double exact, size;
    int64_t products;
    float chain;
};

static struct sum sum_of(const struct made *m, const float *plane, int64_t height, int64_t width, int64_t o, int64_t i,
                         int64_t j)
{
    const struct layer *l = &m->layer;
    struct sum sum = {0};
    for (int64_t v = 0; v < l->kernel[1]; v++)
        for (int64_t u = 0; u < l->kernel[0]; u++) {
            int64_t at = (o * l->kernel[0] + u) * l->kernel[1] + v;
            int64_t row = i * l->stride[0] + u * l->dilation[0] - l->before[0];
            int64_t column = j * l->stride[1] + v * l->dilation[1] - l->before[1];
            if (!m->kept[at])
                continue;
            int inside = row >= 0 && row < height && column >= 0 && column < width;
            float x = inside ? plane[row * width + column] : 0.0f;
            double product = (double)m->w[at] * (double)x;
            sum.chain = fmaf(m->w[at], x, sum.chain);
            sum.exact += product;
            sum.size += fabs(product);
            sum.products++;
        }
    return sum;
}

/* fused: 0 without an epilogue; 1 scale, bias and relu6; 2 those with beta; 3 an alpha alone. */
static void check(const struct made *m, const prune_depthwise *d, int64_t batch, int64_t height, int64_t width,
                  int fused, int odd, int at_end)
{
    static const char *const specs[] = {NULL, "activation=relu6", "activation=relu,beta=2", "alpha=-0.5"};
    const struct layer *l = &m->layer;
    struct pr_rng rng;
    int64_t rows, columns, in = l->out / l->multiplier;
    pr_rng_seed(&rng, (uint64_t)(height * 31 + width));
    OK(prune_depthwise_output(d, height, width, &rows, &columns));
    ck_assert_int_eq(rows, output_of(l, 0, height));
    ck_assert_int_eq(columns, output_of(l, 1, width));
    int64_t x_count = batch * in * height * width, y_count = batch * l->out * rows * columns;
    float *x = guarded_floats(0, x_count, at_end), *y = guarded_floats(1, y_count, at_end);
    float *old = guarded_floats(2, y_count, 0), *scale = guarded_floats(3, l->out, 0);
    float *bias = guarded_floats(4, l->out, 0);
    fill_random(&rng, x, x_count, 0);
    fill_random(&rng, y, y_count, 0);
    fill_random(&rng, scale, l->out, 0);
    fill_random(&rng, bias, l->out, 0);
    for (int64_t i = 0; odd && i < x_count; i += 7)
        x[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
    memcpy(old, y, (size_t)y_count * sizeof *y);
    prune_epilogue *epilogue = NULL;
    if (fused)
        OK(prune_epilogue_create(&epilogue, NULL, fused == 3 ? NULL : scale, fused == 3 ? NULL : bias, l->out,
                                 specs[fused]));
    else
        fill_pattern(y, y_count);
    OK(prune_depthwise_run(d, y, x, batch, height, width, epilogue));
    for (int64_t at = 0; at < y_count; at++) {
        int64_t j = at % columns, i = at / columns % rows, plane = at / columns / rows, o = plane % l->out;
        struct sum sum =
            sum_of(m, x + (plane / l->out * in + o / l->multiplier) * height * width, height, width, o, i, j);
        float right = sum.chain;
        if (fused == 1 || fused == 2)
            right = fmaf(scale[o], right, bias[o]);
        if (fused == 2)
            right = fmaf(2.0f, old[at], right);
        if (fused == 1 || fused == 2)
            right = right <= 0 ? 0.0f : fused == 1 && right > 6 ? 6.0f : right;
        if (fused == 3)
            right *= -0.5f;
        int bounded = odd || fabs((double)sum.chain - sum.exact) <= gamma_of(sum.products) * sum.size;
        if (!bounded || (isnan(right) ? !isnan(y[at]) : memcmp(&right, y + at, sizeof right) != 0))
            ck_abort_msg("%lldx%lld: y(%lld, %lld, %lld) = %.9g, %.9g expected", (long long)height, (long long)width,
                         (long long)o, (long long)i, (long long)j, (double)y[at], (double)right);
    }
    prune_epilogue_free(epilogue);
}

static const struct layer layers[] = {
    {6, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 1},   {6, 1, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 1},
    {6, 2, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 0.5}, {4, 1, {5, 5}, {1, 1}, {1, 1}, {2, 2}, {2, 2}, 1},
    {4, 4, {3, 3}, {2, 2}, {1, 1}, {0, 0}, {1, 1}, 1},   {3, 1, {3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}, 0.5},
    {3, 1, {3, 3}, {3, 3}, {2, 2}, {2, 2}, {2, 2}, 1},   {3, 1, {10, 4}, {2, 2}, {1, 1}, {4, 1}, {5, 2}, 1},
    {3, 1, {1, 5}, {1, 1}, {1, 3}, {0, 6}, {0, 6}, 1},   {3, 1, {5, 1}, {2, 1}, {1, 1}, {2, 0}, {2, 0}, 1},
    {3, 1, {3, 3}, {2, 1}, {1, 1}, {1, 1}, {1, 1}, 1},   {3, 1, {3, 3}, {1, 2}, {1, 1}, {1, 1}, {1, 1}, 1},
    {3, 1, {2, 3}, {1, 1}, {1, 1}, {0, 2}, {1, 0}, 1},   {2, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 1},
    {2, 1, {1, 1}, {4, 3}, {1, 1}, {0, 0}, {0, 0}, 1},   {3, 1, {3, 3}, {1, 1}, {1, 1}, {4, 4}, {4, 4}, 1},
    {2, 1, {3, 3}, {1, 1}, {9, 9}, {9, 9}, {9, 9}, 1},   {2, 1, {7, 7}, {1, 1}, {1, 1}, {3, 3}, {3, 3}, 0.4},
    {2, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 0},   {0, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 1},
};
#define LAYERS ((int)(sizeof layers / sizeof *layers))

START_TEST(outputs_are_one_chain_of_fused_multiply_adds)
{
    static const int64_t sizes[][2] = {{5, 5},   {25, 5},  {7, 13},  {12, 4},   {9, 31},   {1, 1},
                                       {3, 131}, {49, 10}, {80, 23}, {40, 112}, {2, 5000}, {170, 24}};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    int runs = 0;
    for (int k = 0; k < MASKS; k++)
        for (int l = 0; cpu_has(masks[k]) && l < LAYERS; l++) {
            struct made m;
            make_layer(&m, &layers[l], masks[k], 1);
            prune_depthwise *d = create(&m, layers[l].kernel[0] * 9, layers[l].kernel[1] * 9);
            for (int s = 0; s < SIZES; s++) {
                if (output_of(&layers[l], 0, sizes[s][0]) == 0 || output_of(&layers[l], 1, sizes[s][1]) == 0)
                    continue;
                check(&m, d, 1 + s % 2, sizes[s][0], sizes[s][1], (l + s + k) % 4, (s + k) % 3 == 0, (l + s) % 2);
                runs++;
            }
            prune_depthwise_free(d);
            drop_layer(&m);
        }
    ck_assert_int_gt(runs, 100);
}
END_TEST

START_TEST(the_size_that_was_said_allocates_nothing)
{
    static const int64_t sizes[][2] = {{25, 5}, {30, 112}, {2, 5000}};
    float *x = calloc(2 * 10000, sizeof *x), *y = calloc(2 * 10000, sizeof *y), w[18];
    for (int i = 0; i < 18; i++)
        w[i] = (float)(i + 1);
    for (int s = 0; s < 3; s++) {
        struct allocator a;
        char spec[64];
        const int64_t shape[4] = {2, 1, 3, 3};
        prune_context *context = counted_context(&a);
        prune_tensor *tensor;
        prune_depthwise *d;
        OK(prune_tensor_borrow(&tensor, context, w, PRUNE_F32, 4, shape, NULL));
        snprintf(spec, sizeof spec, "before=1,after=1,height=%d,width=%d", (int)sizes[s][0], (int)sizes[s][1]);
        OK(prune_depthwise_create(&d, tensor, NULL, spec));
        int64_t calls = a.calls;
        for (int i = 0; i < 3; i++)
            OK(prune_depthwise_run(d, y, x, 1, sizes[s][0], sizes[s][1], NULL));
        ck_assert_int_eq(a.calls, calls);
        prune_depthwise_free(d);
        prune_tensor_free(tensor);
        prune_context_free(context);
        ck_assert_int_eq(a.live, 0);
    }
    free(x);
    free(y);
}
END_TEST

START_TEST(weights_may_be_halves_and_views)
{
    /* Channels last, in bfloat16: 1, 2, 3 ... are exact. */
    uint16_t halves[2 * 9];
    float x[2 * 16], y[2 * 16];
    const int64_t shape[4] = {2, 1, 3, 3}, strides[4] = {1, 1, 6, 2};
    prune_tensor *tensor;
    prune_depthwise *d;
    for (int i = 0; i < 18; i++) {
        float value = (float)i;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        halves[i] = (uint16_t)(bits >> 16);
    }
    for (int i = 0; i < 32; i++)
        x[i] = (float)(i % 7 - 3);
    OK(prune_tensor_borrow(&tensor, NULL, halves, PRUNE_BF16, 4, shape, strides));
    OK(prune_depthwise_create(&d, tensor, NULL, "before=1,after=1,height=4,width=4"));
    ck_assert_int_eq(prune_depthwise_stored(d), 17); /* one weight is 0 */
    OK(prune_depthwise_run(d, y, x, 1, 4, 4, NULL));
    for (int c = 0; c < 2; c++)
        for (int at = 0; at < 16; at++) {
            float sum = 0;
            for (int e = 0; e < 9; e++) {
                int i = at / 4 + e / 3 - 1, j = at % 4 + e % 3 - 1;
                sum += i < 0 || i > 3 || j < 0 || j > 3 ? 0 : (float)(2 * e + c) * x[c * 16 + i * 4 + j];
            }
            ck_assert(y[c * 16 + at] == sum);
        }
    prune_depthwise_free(d);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    static const struct layer wide[] = {{60, 1, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 1},
                                        {60, 2, {5, 3}, {2, 2}, {1, 1}, {2, 1}, {2, 1}, 0.6}};
    static const int64_t sizes[][2] = {{25, 5}, {40, 61}};
    enum { BATCH = 3 };
    float *x = malloc((size_t)BATCH * 60 * 40 * 61 * sizeof *x);
    struct pr_rng rng;
    pr_rng_seed(&rng, 5);
    fill_random(&rng, x, (int64_t)BATCH * 60 * 40 * 61, 0);
    for (int l = 0; l < 4; l++) {
        const struct layer *layer = &wide[l % 2];
        const int64_t *size = sizes[l / 2];
        float *first = NULL;
        for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
            struct made m;
            make_layer(&m, layer, prune_cpu_detect(), threads);
            prune_depthwise *d = create(&m, size[0], size[1]);
            size_t count = (size_t)(BATCH * layer->out * output_of(layer, 0, size[0]) * output_of(layer, 1, size[1]));
            float *y = malloc(count * sizeof *y);
            fill_pattern(y, (int64_t)count);
            OK(prune_depthwise_run(d, y, x, BATCH, size[0], size[1], NULL));
            for (size_t i = 0; i < count; i++)
                if (is_pattern(y[i]))
                    ck_abort_msg("layer %d with %d threads: output %zu was not written", l, threads, i);
            if (first) {
                ck_assert_mem_eq(first, y, count * sizeof *y);
                free(y);
            } else {
                first = y;
            }
            prune_depthwise_free(d);
            drop_layer(&m);
        }
        free(first);
    }
    free(x);
}
END_TEST

START_TEST(bad_weights_and_specs_are_refused)
{
    struct made m;
    prune_depthwise *d = UNTOUCHED;
    make_layer(&m, &layers[0], prune_cpu_detect(), 1);
    FAILS(prune_depthwise_create(NULL, m.tensor, NULL, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_depthwise_create(&d, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "weights");
    FAILS(prune_depthwise_create(&d, m.tensor, NULL, "stride=0"), PRUNE_E_SPEC, "stride");
    FAILS(prune_depthwise_create(&d, m.tensor, NULL, "stride=1x5000"), PRUNE_E_SPEC, "stride");
    FAILS(prune_depthwise_create(&d, m.tensor, NULL, "before=-1"), PRUNE_E_SPEC, "before");
    FAILS(prune_depthwise_create(&d, m.tensor, NULL, "dilation=0"), PRUNE_E_SPEC, "dilation");
    FAILS(prune_depthwise_create(&d, m.tensor, NULL, "padding=1"), PRUNE_E_SPEC, "padding");
    FAILS(prune_depthwise_create(&d, m.tensor, NULL, "multiplier=4"), PRUNE_E_SHAPE, "6 out channels");
    FAILS(prune_depthwise_create(&d, m.tensor, NULL, "height=2,width=2"), PRUNE_E_SHAPE, "kernel covers 3");
    const int64_t flat[2] = {6, 9}, none[4] = {6, 1, 0, 3}, two[4] = {3, 2, 3, 3}, other[4] = {9, 1, 3, 2};
    prune_tensor *tensor;
    prune_mask *mask;
    OK(prune_tensor_reshape(&tensor, m.tensor, 2, flat));
    FAILS(prune_depthwise_create(&d, tensor, NULL, NULL), PRUNE_E_SHAPE, "rank 2");
    prune_tensor_free(tensor);
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 4, none));
    FAILS(prune_depthwise_create(&d, tensor, NULL, NULL), PRUNE_E_SHAPE, "empty");
    prune_tensor_free(tensor);
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 4, two));
    FAILS(prune_depthwise_create(&d, tensor, NULL, NULL), PRUNE_E_SHAPE, "1 channel");
    prune_tensor_free(tensor);
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F64, 4, prune_tensor_shape(m.tensor)));
    FAILS(prune_depthwise_create(&d, tensor, NULL, NULL), PRUNE_E_DTYPE, "f64");
    prune_tensor_free(tensor);
    OK(prune_mask_create(&mask, NULL, 4, other, 1));
    FAILS(prune_depthwise_create(&d, m.tensor, mask, NULL), PRUNE_E_SHAPE, "shape");
    prune_mask_free(mask);
    ck_assert_ptr_eq(d, UNTOUCHED);
    prune_depthwise_free(NULL);
    drop_layer(&m);
}
END_TEST

START_TEST(bad_operands_are_refused)
{
    struct made m;
    float x[6 * 25] = {0}, y[6 * 25], before[6 * 25];
    make_layer(&m, &layers[0], prune_cpu_detect(), 1);
    prune_depthwise *d = create(&m, 5, 5);
    prune_epilogue *epilogue;
    int64_t rows = -7, columns = -7;
    OK(prune_epilogue_create(&epilogue, NULL, NULL, x, 5, NULL));
    fill_pattern(y, 6 * 25);
    fill_pattern(before, 6 * 25);
    FAILS(prune_depthwise_run(NULL, y, x, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "depthwise is NULL");
    FAILS(prune_depthwise_run(d, NULL, x, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "y is NULL");
    FAILS(prune_depthwise_run(d, y, NULL, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "x is NULL");
    FAILS(prune_depthwise_run(d, y, y + 8, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "overlap");
    FAILS(prune_depthwise_run(d, y, x, -1, 5, 5, NULL), PRUNE_E_ARGUMENT, "batch of -1");
    FAILS(prune_depthwise_run(d, y, x, 1, -5, 5, NULL), PRUNE_E_ARGUMENT, "height is -5");
    FAILS(prune_depthwise_run(d, y, x, 1, 5, 0, NULL), PRUNE_E_SHAPE, "width 2");
    FAILS(prune_depthwise_run(d, y, x, INT64_MAX / 8, 5, 5, NULL), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_depthwise_run(d, y, x, 1, INT64_MAX, 5, NULL), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_depthwise_run(d, y, x, 1, 5, 5, epilogue), PRUNE_E_SHAPE, "5 rows");
    FAILS(prune_depthwise_output(d, 0, 5, &rows, &columns), PRUNE_E_SHAPE, "height 2");
    FAILS(prune_depthwise_output(d, 5, 5, NULL, &columns), PRUNE_E_ARGUMENT, "output_height");
    ck_assert_int_eq(rows, -7);
    ck_assert_int_eq(columns, -7);
    ck_assert_mem_eq(y, before, sizeof y);
    OK(prune_depthwise_run(d, NULL, NULL, 0, 5, 5, NULL));
    ck_assert_ptr_null(prune_depthwise_kernels(NULL));
    prune_epilogue_free(epilogue);
    prune_depthwise_free(d);
    drop_layer(&m);
}
END_TEST

START_TEST(no_memory_is_survived)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    const int64_t shape[4] = {2, 1, 3, 3};
    float w[18], *x = calloc(2 * 15000, sizeof *x), *y = calloc(2 * 15000, sizeof *y);
    for (int i = 0; i < 18; i++)
        w[i] = (float)(i % 4);
    prune_tensor *tensor;
    prune_depthwise *d;
    OK(prune_tensor_borrow(&tensor, context, w, PRUNE_F32, 4, shape, NULL));
    SURVIVES(&a, &d, prune_depthwise_create(&d, tensor, NULL, "before=1,after=1,height=3,width=5000"));
    prune_depthwise_free(d);
    SURVIVES(&a, &d, prune_depthwise_create(&d, tensor, NULL, "before=1,after=1,height=5,width=5"));
    for (int64_t width = 6; width < 6000; width += 4994) { /* other sizes than were said */
        int64_t live = a.live, failures = 0;
        for (int32_t status = PRUNE_E_NOMEM; status == PRUNE_E_NOMEM; failures++) {
            a.fail_at = a.calls + failures;
            status = prune_depthwise_run(d, y, x, 1, 3, width, NULL);
            ck_assert_int_eq(a.live, live);
            ck_assert(status == PRUNE_OK || status == PRUNE_E_NOMEM);
        }
        ck_assert_int_gt(failures, 7);
    }
    prune_depthwise_free(d);
    prune_tensor_free(tensor);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
    free(x);
    free(y);
}
END_TEST

TEST_MAIN("depthwise", outputs_are_one_chain_of_fused_multiply_adds, the_size_that_was_said_allocates_nothing,
          weights_may_be_halves_and_views, any_number_of_threads_gives_the_same_bits, bad_weights_and_specs_are_refused,
          bad_operands_are_refused, no_memory_is_survived)
