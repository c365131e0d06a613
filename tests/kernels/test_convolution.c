/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sparse convolutions against sums in double: every algorithm, stride, padding, dilation, groups, epilogues, threads,
 * bad input, memory that cannot be had.
 */
#include "problem.h"

#include "allocator.h"

struct layer {
    int64_t out, in, groups, kernel_height, kernel_width, stride, padding, dilation;
    double density;
    int64_t wider_stride, more_padding, longer_dilation; /* across; below and on the right; down: so much more */
};

struct made {
    struct layer layer;
    int64_t per_filter; /* weights of an output channel */
    float *w;
    uint8_t *kept;
    prune_context *context;
    prune_tensor *tensor;
    prune_mask *mask;
};

static void make_layer(struct made *m, const struct layer *layer, int whole, uint32_t cpu, int threads)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, (uint64_t)(layer->out * 100 + layer->in));
    const int64_t shape[4] = {layer->out, layer->in / layer->groups, layer->kernel_height, layer->kernel_width};
    *m = (struct made){.layer = *layer, .per_filter = shape[1] * shape[2] * shape[3]};
    int64_t count = layer->out * m->per_filter;
    m->w = malloc((size_t)(count + 1) * sizeof *m->w);
    m->kept = malloc((size_t)(count + 1));
    fill_random(&rng, m->w, count, whole);
    for (int64_t i = 0; i < count; i++) /* some filters and some channels are empty */
        m->kept[i] = i / m->per_filter % 7 != 5 && pr_rng_uniform(&rng) < layer->density;
    OK(prune_context_create(&m->context));
    OK(prune_context_set_cpu(m->context, cpu));
    OK(prune_context_set_threads(m->context, threads));
    OK(prune_tensor_borrow(&m->tensor, m->context, m->w, PRUNE_F32, 4, shape, NULL));
    OK(prune_mask_from_bytes(&m->mask, m->context, 4, shape, m->kept, count));
}

static void drop_layer(struct made *m)
{
    prune_mask_free(m->mask);
    prune_tensor_free(m->tensor);
    prune_context_free(m->context);
    free(m->w);
    free(m->kept);
}

static prune_convolution *create(const struct made *m, const char *algorithm, int64_t height, int64_t width)
{
    char spec[256];
    prune_convolution *c;
    const struct layer *l = &m->layer;
    snprintf(spec, sizeof spec,
             "stride=%dx%d,padding=%d,padding_end=%dx%d,dilation=%dx%d,groups=%d,height=%d,width=%d,algorithm=%s",
             (int)l->stride, (int)(l->stride + l->wider_stride), (int)l->padding, (int)(l->padding + l->more_padding),
             (int)(l->padding + 2 * l->more_padding), (int)(l->dilation + l->longer_dilation), (int)l->dilation,
             (int)l->groups, (int)height, (int)width, algorithm);
    OK(prune_convolution_create(&c, m->tensor, m->mask, spec));
    return c;
}

/* Sum, size and number of the products of one output. */
static double exact(const struct made *m, const float *x, int64_t height, int64_t width, int64_t o, int64_t i,
                    int64_t j, double *size, int64_t *products)
{
    const struct layer *l = &m->layer;
    int64_t group_in = l->in / l->groups, first = o / (l->out / l->groups) * group_in;
    double sum = 0;
    *size = 0;
    *products = 0;
    for (int64_t e = 0; e < m->per_filter; e++) {
        int64_t at = o * m->per_filter + e, c = e / (l->kernel_height * l->kernel_width);
        int64_t row =
            i * l->stride - l->padding + e / l->kernel_width % l->kernel_height * (l->dilation + l->longer_dilation);
        int64_t column = j * (l->stride + l->wider_stride) - l->padding + e % l->kernel_width * l->dilation;
        if (!m->kept[at] || row < 0 || row >= height || column < 0 || column >= width)
            continue;
        double product = (double)m->w[at] * (double)x[((first + c) * height + row) * width + column];
        sum += product;
        *size += fabs(product);
        ++*products;
    }
    return sum;
}

/* NaN where no stored weight looks: in channels that none needs. */
static void poison(const struct made *m, float *x, int64_t batch, int64_t pixels)
{
    const struct layer *l = &m->layer;
    int64_t group_in = l->in / l->groups, group_out = l->out / l->groups, places = l->kernel_height * l->kernel_width;
    for (int64_t c = 0; c < l->in; c++) {
        int used = 0;
        for (int64_t o = c / group_in * group_out; o < (c / group_in + 1) * group_out; o++)
            for (int64_t p = 0; p < places; p++)
                used |= m->kept[o * m->per_filter + c % group_in * places + p];
        for (int64_t b = 0; !used && b < batch; b++)
            for (int64_t p = 0; p < pixels; p++)
                x[(b * l->in + c) * pixels + p] = NAN;
    }
}

static void check(const struct made *m, const prune_convolution *c, int64_t batch, int64_t height, int64_t width,
                  int whole, int fused, int at_end, int is_sparse)
{
    const struct layer *l = &m->layer;
    struct pr_rng rng;
    int64_t rows, columns;
    pr_rng_seed(&rng, (uint64_t)(height * 31 + width));
    OK(prune_convolution_output(c, height, width, &rows, &columns));
    int64_t dilation = l->dilation + l->longer_dilation, stride = l->stride + l->wider_stride;
    ck_assert_int_eq(
        rows, (height + 2 * l->padding + l->more_padding - dilation * (l->kernel_height - 1) - 1) / l->stride + 1);
    ck_assert_int_eq(
        columns, (width + 2 * l->padding + 2 * l->more_padding - l->dilation * (l->kernel_width - 1) - 1) / stride + 1);
    int64_t x_count = batch * l->in * height * width, y_count = batch * l->out * rows * columns;
    float *x = guarded_floats(0, x_count, at_end), *y = guarded_floats(1, y_count, at_end);
    float *old = malloc((size_t)(y_count + 1) * sizeof *old);
    float *scale = malloc((size_t)(2 * l->out + 1) * sizeof *scale), *bias = scale + l->out;
    fill_random(&rng, x, x_count, whole);
    fill_random(&rng, y, y_count, whole);
    fill_random(&rng, scale, 2 * l->out, whole);
    memcpy(old, y, (size_t)y_count * sizeof *y);
    if (is_sparse)
        poison(m, x, batch, height * width);
    prune_epilogue *epilogue = NULL;
    if (fused && fused < 4)
        OK(prune_epilogue_create(&epilogue, NULL, scale, bias, l->out,
                                 fused == 2   ? "activation=relu,beta=2"
                                 : fused == 3 ? "activation=relu"
                                              : "activation=none"));
    else if (!fused)
        fill_pattern(y, y_count);
    if (fused == 3) { /* what is added stands elsewhere */
        float *elsewhere = guarded_floats(2, y_count, at_end);
        memcpy(elsewhere, old, (size_t)y_count * sizeof *y);
        fill_pattern(y, y_count);
        OK(prune_convolution_run_residual(c, y, x, elsewhere, batch, height, width, epilogue));
        ck_assert_mem_eq(elsewhere, old, (size_t)y_count * sizeof *y);
    } else if (fused == 4) { /* or in y itself */
        OK(prune_convolution_run_residual(c, y, x, y, batch, height, width, NULL));
    } else {
        OK(prune_convolution_run(c, y, x, batch, height, width, epilogue));
    }
    for (int64_t at = 0; at < y_count; at++) {
        int64_t j = at % columns, i = at / columns % rows, o = at / columns / rows % l->out, products;
        const float *image = x + at / columns / rows / l->out * l->in * height * width;
        double size, sum = exact(m, image, height, width, o, i, j, &size, &products), bound = gamma_of(products) * size;
        if (fused) {
            double s = fused == 4 ? 1 : (double)scale[o], b = fused == 4 ? 0 : (double)bias[o];
            double kept = (fused == 2 ? 2 : fused >= 3) * (double)old[at];
            bound = fabs(s) * bound + 0x1p-22 * (fabs(s) * size + fabs(b) + fabs(kept));
            sum = s * sum + b + kept;
            sum = (fused == 2 || fused == 3) && sum <= 0 ? 0 : sum;
        }
        if (!((double)y[at] == sum || (!whole && fabs((double)y[at] - sum) <= bound)))
            ck_abort_msg("%s, %lldx%lld: y(%lld, %lld, %lld) = %.9g, %.9g expected", prune_convolution_algorithm(c),
                         (long long)height, (long long)width, (long long)o, (long long)i, (long long)j, (double)y[at],
                         sum);
    }
    prune_epilogue_free(epilogue);
    free(old);
    free(scale);
}

static const struct layer layers[] = {
    {1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0},     {5, 3, 1, 1, 1, 1, 0, 1, 0.6, 0, 0, 0},
    {6, 4, 2, 1, 1, 1, 0, 1, 0.6, 0, 0, 0},   {5, 3, 1, 1, 1, 2, 0, 1, 0.6, 0, 0, 0},
    {8, 6, 1, 3, 3, 1, 1, 1, 0.3, 0, 0, 0},   {8, 6, 2, 3, 3, 1, 1, 1, 0.5, 0, 0, 0},
    {7, 7, 7, 3, 3, 1, 1, 1, 0.6, 0, 0, 0},   {14, 7, 7, 3, 3, 2, 1, 1, 0.6, 0, 0, 0},
    {9, 5, 1, 3, 3, 2, 1, 1, 0.4, 0, 0, 0},   {4, 3, 1, 7, 7, 2, 3, 1, 0.3, 0, 0, 0},
    {4, 3, 1, 3, 3, 1, 2, 2, 0.5, 0, 0, 0},   {4, 3, 1, 3, 2, 3, 2, 2, 0.5, 0, 0, 0},
    {5, 2, 1, 1, 5, 1, 2, 1, 0.5, 0, 0, 0},   {5, 2, 1, 5, 1, 1, 2, 1, 0.5, 0, 0, 0},
    {140, 3, 1, 3, 3, 1, 1, 1, 0.2, 0, 0, 0}, {3, 60, 1, 3, 3, 1, 1, 1, 0.2, 0, 0, 0},
    {6, 4, 1, 3, 3, 1, 1, 1, 0, 0, 0, 0},     {6, 4, 1, 2, 2, 5, 0, 1, 1, 0, 0, 0},
    {4, 4, 1, 3, 3, 1, 4, 1, 0.5, 0, 0, 0},   {13, 5, 1, 3, 3, 1, 1, 1, 1, 0, 0, 0},
    {16, 8, 1, 3, 3, 2, 1, 1, 0.1, 0, 0, 0},  {9, 5, 1, 3, 3, 2, 1, 1, 0.8, 1, 0, 0},
    {9, 5, 1, 3, 2, 1, 1, 1, 0.6, 1, 1, 1},   {7, 3, 1, 2, 4, 1, 1, 2, 0.9, 0, 2, 1},
    {6, 4, 2, 3, 3, 1, 1, 1, 0.5, 1, 1, 1},
};
#define LAYERS ((int)(sizeof layers / sizeof *layers))

START_TEST(outputs_are_those_of_the_sums_in_double)
{
    static const int64_t sizes[][2] = {{5, 5}, {7, 13}, {12, 4}, {9, 31}, {3, 131}};
    static const char *const algorithms[] = {"auto", "copies", "shifts", "auto,format=auto", "auto,format=dense"};
    for (int k = 0; k < MASKS; k++)
        for (int l = 0; cpu_has(masks[k]) && l < LAYERS; l++)
            for (int a = 0; a < (layers[l].groups > 1 ? 4 : 5); a++) {
                struct made m;
                int whole = (l + a + k) % 2;
                make_layer(&m, &layers[l], whole, masks[k], 1);
                for (int64_t i = 0; a >= 3 && i < layers[l].out * m.per_filter; i++) /* it may be stored */
                    m.w[i] = m.kept[i] ? m.w[i] : 0;
                prune_convolution *c = create(&m, a == 0 && layers[l].groups == 1 ? "product" : algorithms[a],
                                              sizes[(l + a) % 5][0], sizes[(l + a) % 5][1]);
                int64_t all = prune_mask_count(m.mask), stored = prune_convolution_stored(c);
                ck_assert(stored == (a == 4 ? all : prune_mask_kept(m.mask)) || (a == 3 && stored == all));
                ck_assert_int_eq(prune_convolution_in_channels(c), layers[l].in);
                ck_assert_int_eq(prune_convolution_out_channels(c), layers[l].out);
                for (int s = 0; s < 5; s++)
                    if (sizes[s][0] + 2 * layers[l].padding + layers[l].more_padding >
                            (layers[l].dilation + layers[l].longer_dilation) * (layers[l].kernel_height - 1) &&
                        sizes[s][1] + 2 * layers[l].padding > layers[l].dilation * (layers[l].kernel_width - 1))
                        check(&m, c, 1 + s % 2, sizes[s][0], sizes[s][1], whole, (l + s + a) % 5, (a + s) % 2, a < 3);
                prune_convolution_free(c);
                drop_layer(&m);
            }
}
END_TEST

START_TEST(the_algorithm_fits_the_weights)
{
    struct made m;
    make_layer(&m, &layers[1], 0, prune_cpu_detect(), 1);
    prune_convolution *c = create(&m, "auto", 7, 7);
    ck_assert_str_eq(prune_convolution_algorithm(c), "product");
    prune_convolution_free(c);
    drop_layer(&m);
    make_layer(&m, &layers[6], 0, PRUNE_CPU_SCALAR, 1);
    c = create(&m, "auto", 7, 7);
    ck_assert_str_eq(prune_convolution_algorithm(c), "shifts");
    ck_assert_str_eq(prune_convolution_kernels(c), "scalar");
    prune_convolution_free(c);
    drop_layer(&m);
    make_layer(&m, &layers[14], 0, prune_cpu_detect(), 1);
    c = create(&m, "auto", 9, 8);
    ck_assert_str_eq(prune_convolution_algorithm(c), "product");
    ck_assert(*prune_convolution_form(c));
    prune_convolution_free(c);
    c = create(&m, "auto", 7, 7); /* few outputs */
    ck_assert_str_eq(prune_convolution_algorithm(c), "copies");
    prune_convolution_free(c);
    c = create(&m, "auto,format=auto", 7, 7);
    ck_assert_str_eq(prune_convolution_algorithm(c), "product");
    prune_convolution_free(c);
    c = create(&m, "copies", 7, 7);
    ck_assert_str_eq(prune_convolution_algorithm(c), "copies");
    ck_assert_str_eq(prune_convolution_form(c), "");
    prune_convolution_free(c);
    c = create(&m, "auto,format=dense", 7, 7);
    ck_assert_str_eq(prune_convolution_form(c), "dense-tiles");
    prune_convolution_free(c);
    drop_layer(&m);
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    static const struct layer wide[] = {{300, 20, 1, 3, 3, 1, 1, 1, 0.2, 0, 0, 0},
                                        {64, 32, 4, 3, 3, 2, 1, 1, 0.3, 0, 0, 0},
                                        {200, 64, 1, 1, 1, 1, 0, 1, 0.2, 0, 0, 0}};
    enum { BATCH = 2, SIZE = 17 };
    float *x = random_x((int64_t)BATCH * 64 * SIZE * SIZE);
    for (int l = 0; l < 3; l++) {
        float *first = NULL;
        for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
            struct made m;
            int64_t rows, columns;
            make_layer(&m, &wide[l], 0, prune_cpu_detect(), threads);
            prune_convolution *c = create(&m, "auto", SIZE, SIZE);
            OK(prune_convolution_output(c, SIZE, SIZE, &rows, &columns));
            size_t count = (size_t)(BATCH * wide[l].out * rows * columns);
            float *y = malloc(count * sizeof *y);
            fill_pattern(y, (int64_t)count);
            OK(prune_convolution_run(c, y, x, BATCH, SIZE, SIZE, NULL));
            for (size_t i = 0; i < count; i++)
                if (is_pattern(y[i]))
                    ck_abort_msg("layer %d with %d threads: output %zu was not written", l, threads, i);
            if (first) {
                ck_assert_mem_eq(first, y, count * sizeof *y);
                free(y);
            } else {
                first = y;
            }
            prune_convolution_free(c);
            drop_layer(&m);
        }
        free(first);
    }
    free(x);
}
END_TEST

/* Infinity and NaN go where a dense kernel has them, and nowhere else. */
START_TEST(numbers_that_are_none_stay_within_reach)
{
    const struct layer layer = {7, 3, 1, 3, 3, 1, 1, 1, 1, 0, 0, 0};
    enum { SIZE = 20, COUNT = SIZE * SIZE };
    for (int k = 0; k < MASKS; k++)
        for (int dense = 0; cpu_has(masks[k]) && dense < 2; dense++) {
            struct made m;
            float x[3 * COUNT], y[7 * COUNT];
            make_layer(&m, &layer, 0, masks[k], 1);
            prune_convolution *c = create(&m, dense ? "auto,format=dense" : "auto", SIZE, SIZE);
            for (int i = 0; i < 3 * COUNT; i++)
                x[i] = 1;
            x[COUNT + 5 * SIZE + 7] = NAN;
            x[2 * COUNT + 15 * SIZE + 19] = INFINITY;
            OK(prune_convolution_run(c, y, x, 1, SIZE, SIZE, NULL));
            for (int at = 0; at < 7 * COUNT; at++) {
                int o = at / COUNT, i = at / SIZE % SIZE, j = at % SIZE, empty = o % 7 == 5;
                int bad = (abs(i - 5) <= 1 && abs(j - 7) <= 1) || (abs(i - 15) <= 1 && j >= 18);
                ck_assert_msg(empty && !dense ? y[at] == 0 : empty || (isfinite(y[at]) != 0) != bad,
                              "y(%d, %d, %d) = %g", o, i, j, (double)y[at]);
            }
            prune_convolution_free(c);
            drop_layer(&m);
        }
}
END_TEST

START_TEST(the_reproducible_mode_gives_the_same_bits_on_every_instruction_set)
{
    const struct layer layer = {13, 9, 1, 3, 3, 1, 1, 1, 0.4, 0, 1, 0};
    enum { SIZE = 20 };
    static const char *const ways[] = {"product", "auto,format=auto", "auto,format=dense"};
    float *x = random_x(9 * SIZE * SIZE);
    for (int w = 0; w < 3; w++) {
        float *first = NULL;
        for (int k = 0; k < MASKS; k++) {
            struct made m;
            int64_t rows, columns;
            if (!cpu_has(masks[k]))
                continue;
            make_layer(&m, &layer, 0, masks[k] | PRUNE_CPU_REPRODUCIBLE, 1);
            prune_convolution *c = create(&m, ways[w], SIZE, SIZE);
            OK(prune_convolution_output(c, SIZE, SIZE, &rows, &columns));
            size_t bytes = (size_t)(13 * rows * columns) * sizeof(float);
            float *y = malloc(bytes);
            OK(prune_convolution_run(c, y, x, 1, SIZE, SIZE, NULL));
            if (first)
                ck_assert_mem_eq(first, y, bytes);
            else
                first = y;
            if (first != y)
                free(y);
            prune_convolution_free(c);
            drop_layer(&m);
        }
        free(first);
    }
    free(x);
}
END_TEST

START_TEST(packed_weights_become_a_convolution)
{
    struct made m;
    make_layer(&m, &layers[8], 0, prune_cpu_detect(), 1);
    const int64_t shape[2] = {9, 45};
    prune_tensor *flat;
    prune_mask *mask;
    prune_packed *packed, *other;
    prune_convolution *c = UNTOUCHED;
    OK(prune_tensor_reshape(&flat, m.tensor, 2, shape));
    OK(prune_mask_from_bytes(&mask, m.context, 2, shape, m.kept, 9 * 45));
    OK(prune_packed_create(&other, flat, mask, "format=csr,form=rows"));
    FAILS(prune_convolution_from_packed(&c, other, 3, 3, NULL), PRUNE_E_UNSUPPORTED, "form=rows");
    FAILS(prune_packed_create(&packed, flat, mask, "form=rows,convolution=yes"), PRUNE_E_SPEC, "convolution=yes");
    static const char *const formats[] = {"csr", "auto", "dense"};
    for (int f = 0; f < 3; f++) {
        char spec[80];
        for (int64_t i = 0; f && i < 9 * 45; i++)
            m.w[i] = m.kept[i] ? m.w[i] : 0;
        snprintf(spec, sizeof spec, "format=%s,convolution=yes,columns=100", formats[f]);
        OK(prune_packed_create(&packed, flat, mask, spec));
        c = UNTOUCHED;
        FAILS(prune_convolution_from_packed(NULL, packed, 3, 3, NULL), PRUNE_E_ARGUMENT, "out");
        FAILS(prune_convolution_from_packed(&c, NULL, 3, 3, NULL), PRUNE_E_ARGUMENT, "packed");
        FAILS(prune_convolution_from_packed(&c, packed, 0, 3, NULL), PRUNE_E_ARGUMENT, "kernel of 0 x 3");
        FAILS(prune_convolution_from_packed(&c, packed, 3, 4, NULL), PRUNE_E_SHAPE, "45 columns");
        FAILS(prune_convolution_from_packed(&c, packed, 3, 3, "groups=3"), PRUNE_E_SPEC, "groups");
        FAILS(prune_convolution_from_packed(&c, packed, 3, 3, "height=1,width=1"), PRUNE_E_SHAPE, "kernel");
        ck_assert_ptr_eq(c, UNTOUCHED);
        OK(prune_convolution_from_packed(&c, packed, 3, 3, "stride=2,padding=1,height=9,width=31"));
        check(&m, c, 2, 9, 31, 0, 3, 1, f == 0);
        check(&m, c, 1, 7, 13, 0, 1, 0, f == 0);
        prune_convolution_free(c);
    }
    prune_packed_free(other);
    prune_mask_free(mask);
    prune_tensor_free(flat);
    drop_layer(&m);
}
END_TEST

START_TEST(bad_weights_and_specs_are_refused)
{
    struct made m;
    prune_convolution *c = UNTOUCHED;
    make_layer(&m, &layers[4], 0, prune_cpu_detect(), 1);
    FAILS(prune_convolution_create(NULL, m.tensor, NULL, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_convolution_create(&c, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "weights");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "stride=0"), PRUNE_E_SPEC, "stride");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "padding=-1"), PRUNE_E_SPEC, "padding");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "dilation=0"), PRUNE_E_SPEC, "dilation");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "groups=2,algorithm=product"), PRUNE_E_SPEC, "product");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "groups=2,format=dense"), PRUNE_E_SPEC, "dense");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "algorithm=shifts,format=dense"), PRUNE_E_SPEC, "dense");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "stride=1x0"), PRUNE_E_SPEC, "stride");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "groups=3"), PRUNE_E_SHAPE, "8 out channels in 3 groups");
    FAILS(prune_convolution_create(&c, m.tensor, NULL, "height=1,width=1"), PRUNE_E_SHAPE, "kernel");
    const int64_t flat[2] = {8, 54}, none[4] = {8, 6, 0, 3}, other[4] = {6, 8, 3, 3};
    prune_tensor *tensor;
    prune_mask *mask;
    OK(prune_tensor_reshape(&tensor, m.tensor, 2, flat));
    FAILS(prune_convolution_create(&c, tensor, NULL, NULL), PRUNE_E_SHAPE, "rank 2");
    prune_tensor_free(tensor);
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 4, none));
    FAILS(prune_convolution_create(&c, tensor, NULL, NULL), PRUNE_E_SHAPE, "empty");
    prune_tensor_free(tensor);
    OK(prune_mask_create(&mask, NULL, 4, other, 1));
    FAILS(prune_convolution_create(&c, m.tensor, mask, NULL), PRUNE_E_SHAPE, "shape");
    prune_mask_free(mask);
    m.w[3] = NAN;
    FAILS(prune_convolution_create(&c, m.tensor, NULL, NULL), PRUNE_E_VALUE, "NaN");
    ck_assert_ptr_eq(c, UNTOUCHED);
    prune_convolution_free(NULL);
    drop_layer(&m);
}
END_TEST

START_TEST(bad_operands_are_refused)
{
    struct made m;
    float x[6 * 25] = {0}, y[8 * 25], before[8 * 25];
    make_layer(&m, &layers[4], 0, prune_cpu_detect(), 1);
    prune_convolution *c = create(&m, "auto", 5, 5);
    prune_epilogue *epilogue;
    int64_t rows = -7, columns = -7;
    OK(prune_epilogue_create(&epilogue, NULL, NULL, x, 6, NULL));
    fill_pattern(y, 8 * 25);
    fill_pattern(before, 8 * 25);
    FAILS(prune_convolution_run(NULL, y, x, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "convolution is NULL");
    FAILS(prune_convolution_run(c, NULL, x, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "y is NULL");
    FAILS(prune_convolution_run(c, y, NULL, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "x is NULL");
    FAILS(prune_convolution_run(c, y, y + 8, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "overlap");
    FAILS(prune_convolution_run(c, y, x, -1, 5, 5, NULL), PRUNE_E_ARGUMENT, "batch of -1");
    FAILS(prune_convolution_run(c, y, x, 1, -5, 5, NULL), PRUNE_E_ARGUMENT, "height is -5");
    FAILS(prune_convolution_run(c, y, x, 1, 5, 0, NULL), PRUNE_E_SHAPE, "width 2");
    FAILS(prune_convolution_run(c, y, x, INT64_MAX / 8, 5, 5, NULL), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_convolution_run(c, y, x, 1, INT64_MAX, 5, NULL), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_convolution_run(c, y, x, 1, 5, 5, epilogue), PRUNE_E_SHAPE, "6 rows");
    FAILS(prune_convolution_run_residual(c, y, x, y + 1, 1, 5, 5, NULL), PRUNE_E_ARGUMENT, "residual");
    FAILS(prune_convolution_output(c, 0, 5, &rows, &columns), PRUNE_E_SHAPE, "height 2");
    FAILS(prune_convolution_output(c, 5, 5, NULL, &columns), PRUNE_E_ARGUMENT, "output_height");
    ck_assert_int_eq(rows, -7);
    ck_assert_int_eq(columns, -7);
    ck_assert_mem_eq(y, before, sizeof y);
    OK(prune_convolution_run(c, NULL, NULL, 0, 5, 5, NULL));
    prune_epilogue_free(epilogue);
    prune_convolution_free(c);
    drop_layer(&m);
}
END_TEST

START_TEST(no_memory_is_survived)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    const int64_t shape[4] = {3, 2, 3, 3}, small[4] = {6, 9, 1, 1};
    float w[54], x[2 * 36] = {1}, y[3 * 36];
    for (int i = 0; i < 54; i++)
        w[i] = (float)(i % 3);
    prune_tensor *tensor;
    prune_convolution *c;
    OK(prune_tensor_borrow(&tensor, context, w, PRUNE_F32, 4, small, NULL));
    SURVIVES(&a, &c, prune_convolution_create(&c, tensor, NULL, "height=6,width=6"));
    prune_convolution_free(c);
    prune_tensor_free(tensor);
    OK(prune_tensor_borrow(&tensor, context, w, PRUNE_F32, 4, shape, NULL));
    SURVIVES(&a, &c, prune_convolution_create(&c, tensor, NULL, "padding=1,height=5,width=5"));
    int64_t live = a.live, failures = 0;
    for (int32_t status = PRUNE_E_NOMEM; status == PRUNE_E_NOMEM; failures++) {
        a.fail_at = a.calls + failures;
        status = prune_convolution_run(c, y, x, 1, 6, 6, NULL); /* another size than was said */
        ck_assert_int_eq(a.live, live);
        ck_assert(status == PRUNE_OK || status == PRUNE_E_NOMEM);
    }
    ck_assert_int_gt(failures, 8);
    prune_convolution_free(c);
    prune_tensor_free(tensor);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
}
END_TEST

TEST_MAIN("convolution", outputs_are_those_of_the_sums_in_double, the_algorithm_fits_the_weights,
          any_number_of_threads_gives_the_same_bits, bad_weights_and_specs_are_refused, bad_operands_are_refused,
          no_memory_is_survived, the_reproducible_mode_gives_the_same_bits_on_every_instruction_set,
          numbers_that_are_none_stay_within_reach, packed_weights_become_a_convolution)
