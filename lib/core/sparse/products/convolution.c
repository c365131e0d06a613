/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/products/convolution.h"

#include <stdio.h>

#include "base/scratch.h"
#include "base/spec.h"
#include "core/sparse/sparse.h"

#define MOST 4096

static const struct pr_parameter parameters[] = {
    {.name = "stride", .type = PR_PAIR, .standard = "1", .least = 1, .most = MOST, .help = "pixels between outputs"},
    {.name = "padding", .type = PR_PAIR, .standard = "0", .least = 0, .most = MOST, .help = "zeros before the image"},
    {.name = "padding_end", .type = PR_PAIR, .standard = "-1", .least = -1, .most = MOST, .help = "zeros after it"},
    {.name = "dilation", .type = PR_PAIR, .standard = "1", .least = 1, .most = MOST, .help = "pixels between weights"},
    {.name = "groups", .type = PR_WHOLE, .standard = "1", .least = 1, .most = INT32_MAX, .help = "of channels"},
    {.name = "height", .type = PR_WHOLE, .standard = "56", .least = 0, .most = INT32_MAX, .help = "rows of an image"},
    {.name = "width", .type = PR_WHOLE, .standard = "56", .least = 0, .most = INT32_MAX, .help = "pixels of a row"},
    {.name = "format", .type = PR_WORD, .standard = "sparse", .words = "sparse|dense|auto", .help = "what is stored"},
    {.name = "algorithm", .type = PR_WORD, .standard = "auto", .words = "auto|copies|shifts|product", .help = "how"},
    {0},
};

enum { STRIDE, PADDING, PADDING_END, DILATION, GROUPS, HEIGHT, WIDTH, FORMAT, ALGORITHM };
enum { SPARSE, DENSE, ANY };

#define MOST_CSR_DENSITY 0.7

/* What is fastest for a whole tile is so for a part of one. */
#define LEAST_COLUMNS 96

/* Copies are made once for all products of an input channel: below this many they do not pay. */
#define PRODUCTS_THAT_PAY 12

static int32_t choose(prune_convolution *c, const struct pr_values *values)
{
    int64_t wanted = values->whole[ALGORITHM];
    if (wanted == 1 + PR_PRODUCT && c->groups > 1)
        return pr_fail(PRUNE_E_SPEC,
                       "convolution: algorithm=product takes one group; there are %lld; use "
                       "algorithm=auto",
                       (long long)c->groups);
    if (values->whole[FORMAT] == DENSE && (c->groups > 1 || (wanted && wanted != 1 + PR_PRODUCT)))
        return pr_fail(PRUNE_E_SPEC, "convolution: format=dense takes algorithm=product and one group");
    c->is_plain = c->down.kernel == 1 && c->across.kernel == 1 && c->down.stride == 1 && c->across.stride == 1 &&
                  c->groups == 1 && c->down.before + c->down.after + c->across.before + c->across.after == 0 &&
                  (!wanted || wanted == 1 + PR_PRODUCT);
    c->algorithm = wanted ? (enum pr_convolution_algorithm)(wanted - 1) : PR_PRODUCT;
    return PRUNE_OK;
}

/* Several groups are no product; and where outputs fill no tile, products are slower (tests/bench/NOTES.md). */
#define FEW_OUTPUTS 64

static void choose_without_product(prune_convolution *c)
{
    int pays = c->weights->stored / (c->in_channels + 1) >= PRODUCTS_THAT_PAY;
    c->algorithm = c->down.stride == 1 && c->across.stride == 1 && pays ? PR_COPIES : PR_SHIFTS;
}

/* Scratch for as many tasks as there are threads, in place of the product's own. */
static int32_t keep_scratch(prune_convolution *c)
{
    int64_t planes = 0, floats = 0;
    c->stored = prune_packed_stored(c->product);
    for (int i = 0; i < PR_SCRATCH_SLOTS; i++) {
        pr_release(c->product->context, c->product->scratch[i]);
        c->product->scratch[i] = NULL;
    }
    PR_TRY(pr_conv_product_floats(c, &c->plan, &planes, &floats));
    PR_TRY(pr_mul(floats, (int64_t)sizeof(float), &floats));
    return pr_scratch_reserve(c->context, floats, prune_context_threads(c->context));
}

static int32_t build_product(prune_convolution *c, const prune_tensor *weights, const prune_mask *mask, int64_t wanted)
{
    static const char *const formats[] = {"csr", "dense", "auto"};
    char spec[PR_MAX_SPEC];
    double pixels = (double)c->plan.output_height * (double)c->plan.output_width;
    int length = snprintf(spec, sizeof spec, "format=%s,convolution=yes,columns=", formats[wanted]);
    pr_number_print(spec + length, pixels < LEAST_COLUMNS ? LEAST_COLUMNS : pixels < INT32_MAX ? pixels : INT32_MAX);
    PR_TRY(prune_packed_create(&c->product, weights, mask, spec));
    return keep_scratch(c);
}

/* N is large here, so that CSR pays longer than it does in general. */
static int32_t build_plain(prune_convolution *c, const prune_tensor *weights, const prune_mask *mask,
                           const struct pr_values *values)
{
    int64_t count = prune_tensor_count(weights), pixels = values->whole[HEIGHT] * values->whole[WIDTH];
    int64_t wanted = values->whole[FORMAT];
    double kept = mask ? (double)prune_mask_kept(mask) : (double)c->weights->stored;
    char spec[80];
    const char *format = wanted == DENSE                                            ? "dense"
                         : wanted == ANY || kept > MOST_CSR_DENSITY * (double)count ? "auto"
                                                                                    : "csr";
    int length = snprintf(spec, sizeof spec, "format=%s,columns=", format);
    pr_number_print(spec + length, (double)(pixels < INT32_MAX ? pixels : INT32_MAX));
    PR_TRY(prune_packed_create(&c->product, weights, mask, spec));
    c->stored = c->weights ? c->weights->stored : prune_packed_stored(c->product);
    return PRUNE_OK;
}

static int32_t check_shape(const prune_convolution *c, const prune_tensor *weights)
{
    char text[PR_MAX_SHAPE_TEXT];
    if (c->down.kernel == 0 || c->across.kernel == 0)
        return pr_fail(PRUNE_E_SHAPE, "convolution: weights of shape %s; the kernel must not be empty",
                       pr_shape_text(text, weights->rank, weights->shape));
    if (c->out_channels % c->groups)
        return pr_fail(PRUNE_E_SHAPE, "convolution: %lld out channels in %lld groups; they must divide evenly",
                       (long long)c->out_channels, (long long)c->groups);
    return PRUNE_OK;
}

static int32_t build(prune_convolution *c, const prune_tensor *weights, const prune_mask *mask,
                     const struct pr_values *values)
{
    int64_t wanted = values->whole[FORMAT];
    if (c->out_channels > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "convolution: %lld out channels; up to %d can be packed",
                       (long long)c->out_channels, INT32_MAX);
    PR_TRY(choose(c, values));
    if (wanted != DENSE)
        PR_TRY(prune_sparse_create(&c->weights, weights, mask, "csr"));
    c->stored = c->weights ? c->weights->stored : 0;
    if (c->is_plain)
        return build_plain(c, weights, mask, values);
    int64_t rows = 0, columns = 0, few = wanted == SPARSE;
    PR_TRY(prune_convolution_output(c, values->whole[HEIGHT], values->whole[WIDTH], &rows, &columns));
    few = few && rows < FEW_OUTPUTS && rows * columns < FEW_OUTPUTS;
    if ((c->groups > 1 || few) && !values->whole[ALGORITHM])
        choose_without_product(c);
    PR_TRY(pr_conv_plan_make(&c->plan, c, values->whole[HEIGHT], values->whole[WIDTH]));
    if (c->algorithm != PR_PRODUCT)
        return PRUNE_OK;
    prune_sparse_free(c->weights);
    c->weights = NULL;
    return build_product(c, weights, mask, wanted);
}

static struct pr_conv_steps read_steps(const struct pr_values *values, int second, int64_t kernel)
{
    struct pr_conv_steps steps = {.kernel = kernel};
    int64_t *to[] = {&steps.stride, &steps.before, &steps.after, &steps.dilation};
    for (int i = 0; i < 4; i++)
        *to[i] = second ? (int64_t)values->real[STRIDE + i] : values->whole[STRIDE + i];
    steps.after = steps.after < 0 ? steps.before : steps.after;
    return steps;
}

/* What both ways to make one begin with. */
static int32_t begin(prune_convolution **out, prune_context *context, const int64_t kernel[2],
                     const struct pr_values *values)
{
    prune_convolution *c;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *c, &c));
    c->context = prune_context_retain(context);
    pr_scratch_join(c->context);
    c->cpu = prune_context_cpu(c->context);
    pr_kernels_select(c->cpu, &c->kernels);
    c->down = read_steps(values, 0, kernel[0]);
    c->across = read_steps(values, 1, kernel[1]);
    c->groups = values->whole[GROUPS];
    *out = c;
    return PRUNE_OK;
}

int32_t prune_convolution_create(prune_convolution **out, const prune_tensor *weights, const prune_mask *mask,
                                 const char *spec)
{
    PR_REQUIRE(out);
    PR_REQUIRE(weights);
    struct pr_values values;
    PR_TRY(pr_spec_parse_list(spec, "convolution", parameters, &values));
    if (weights->rank != 4)
        return pr_fail(PRUNE_E_SHAPE,
                       "convolution: weights of rank %d; they must be [out channels, in channels, height, width]",
                       (int)weights->rank);
    prune_convolution *c;
    PR_TRY(begin(&c, weights->context, weights->shape + 2, &values));
    c->out_channels = weights->shape[0];
    int32_t status = pr_mul(weights->shape[1], c->groups, &c->in_channels);
    if (!status)
        status = check_shape(c, weights);
    if (!status)
        status = build(c, weights, mask, &values);
    if (status) {
        prune_convolution_free(c);
        return status;
    }
    *out = c;
    return PRUNE_OK;
}

static int32_t check_packed(const prune_packed *packed, const int64_t kernel[2], const struct pr_values *values)
{
    int64_t taps = 0, columns = packed->header->columns;
    if (kernel[0] < 1 || kernel[1] < 1)
        return pr_fail(PRUNE_E_ARGUMENT, "convolution: a kernel of %lld x %lld; both must be 1 or more",
                       (long long)kernel[0], (long long)kernel[1]);
    PR_TRY(pr_mul(kernel[0], kernel[1], &taps));
    if (columns % taps)
        return pr_fail(PRUNE_E_SHAPE,
                       "convolution: packed weights of %lld columns for a kernel of %lld x %lld; they must be its "
                       "elements for each in channel",
                       (long long)columns, (long long)kernel[0], (long long)kernel[1]);
    if (values->whole[GROUPS] != 1 || values->whole[FORMAT] != SPARSE ||
        (values->whole[ALGORITHM] && values->whole[ALGORITHM] != 1 + PR_PRODUCT))
        return pr_fail(PRUNE_E_SPEC, "convolution: of packed weights; groups, format and algorithm=product are given");
    if (!packed->form->passes)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "convolution: packed weights in form=%s, which cannot read shifted images; pack them with "
                       "convolution=yes",
                       packed->form->name);
    return PRUNE_OK;
}

int32_t prune_convolution_from_packed(prune_convolution **out, prune_packed *packed, int64_t kernel_height,
                                      int64_t kernel_width, const char *spec)
{
    PR_REQUIRE(out);
    PR_REQUIRE(packed);
    const int64_t kernel[2] = {kernel_height, kernel_width};
    struct pr_values values;
    PR_TRY(pr_spec_parse_list(spec, "convolution", parameters, &values));
    PR_TRY(check_packed(packed, kernel, &values));
    prune_convolution *c;
    PR_TRY(begin(&c, packed->context, kernel, &values));
    c->algorithm = PR_PRODUCT;
    c->out_channels = packed->header->rows;
    c->in_channels = packed->header->columns / (kernel_height * kernel_width);
    int32_t status = pr_conv_plan_make(&c->plan, c, values.whole[HEIGHT], values.whole[WIDTH]);
    if (!status) {
        c->product = packed;
        status = keep_scratch(c);
    }
    if (status) {
        c->product = NULL;
        prune_convolution_free(c);
        return status;
    }
    *out = c;
    return PRUNE_OK;
}

void prune_convolution_free(prune_convolution *convolution)
{
    if (!convolution)
        return;
    prune_context *context = convolution->context;
    pr_conv_plan_release(&convolution->plan, convolution);
    prune_packed_free(convolution->product);
    prune_sparse_free(convolution->weights);
    pr_scratch_leave(context);
    pr_release(context, convolution);
    prune_context_free(context);
}

/* Along one axis. */
static int32_t output_extent(const struct pr_conv_steps *steps, const char *axis, int64_t extent, int64_t *output)
{
    int64_t covered = 0, padded = 0;
    if (extent < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "convolution: %s is %lld; it must be 0 or more", axis, (long long)extent);
    PR_TRY(pr_mul(steps->kernel - 1, steps->dilation, &covered));
    PR_TRY(pr_add(covered, 1, &covered));
    PR_TRY(pr_add(extent, steps->before + steps->after, &padded));
    if (padded < covered)
        return pr_fail(PRUNE_E_SHAPE, "convolution: the padded image has %s %lld; the kernel covers %lld", axis,
                       (long long)padded, (long long)covered);
    *output = (padded - covered) / steps->stride + 1;
    return PRUNE_OK;
}

int32_t prune_convolution_output(const prune_convolution *convolution, int64_t height, int64_t width,
                                 int64_t *output_height, int64_t *output_width)
{
    PR_REQUIRE(convolution);
    PR_REQUIRE(output_height);
    PR_REQUIRE(output_width);
    int64_t rows = 0, columns = 0;
    PR_TRY(output_extent(&convolution->down, "height", height, &rows));
    PR_TRY(output_extent(&convolution->across, "width", width, &columns));
    *output_height = rows;
    *output_width = columns;
    return PRUNE_OK;
}

int64_t prune_convolution_in_channels(const prune_convolution *convolution)
{
    return convolution ? convolution->in_channels : 0;
}

int64_t prune_convolution_out_channels(const prune_convolution *convolution)
{
    return convolution ? convolution->out_channels : 0;
}

int64_t prune_convolution_stored(const prune_convolution *convolution)
{
    return convolution ? convolution->stored : 0;
}

const char *prune_convolution_algorithm(const prune_convolution *convolution)
{
    static const char *const names[] = {"copies", "shifts", "product"};
    return convolution ? names[convolution->algorithm] : NULL;
}

const char *prune_convolution_form(const prune_convolution *convolution)
{
    return !convolution ? NULL : convolution->product ? prune_packed_form(convolution->product) : "";
}

const char *prune_convolution_kernels(const prune_convolution *convolution)
{
    if (!convolution)
        return NULL;
    if (convolution->product)
        return prune_packed_kernels(convolution->product, 64);
    return pr_kernels_origin(convolution->cpu, PR_SLOT_shifted_panel);
}
