/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/products/convolution.h"

#include "base/spec.h"
#include "core/sparse/sparse.h"

#define MOST 4096

static const struct pr_parameter parameters[] = {
    {.name = "stride", .type = PR_WHOLE, .standard = "1", .least = 1, .most = MOST, .help = "pixels between outputs"},
    {.name = "padding", .type = PR_WHOLE, .standard = "0", .least = 0, .most = MOST, .help = "zeros around the image"},
    {.name = "dilation", .type = PR_WHOLE, .standard = "1", .least = 1, .most = MOST, .help = "pixels between weights"},
    {.name = "groups", .type = PR_WHOLE, .standard = "1", .least = 1, .most = INT32_MAX, .help = "of channels"},
    {.name = "height", .type = PR_WHOLE, .standard = "56", .least = 0, .most = INT32_MAX, .help = "rows of an image"},
    {.name = "width", .type = PR_WHOLE, .standard = "56", .least = 0, .most = INT32_MAX, .help = "pixels of a row"},
    {.name = "algorithm", .type = PR_WORD, .standard = "auto", .words = "auto|copies|shifts|product", .help = "how"},
    {0},
};

enum { STRIDE, PADDING, DILATION, GROUPS, HEIGHT, WIDTH, ALGORITHM };

#define MOST_CSR_DENSITY 0.7

/* Copies are made once for all products of an input channel: below this many they do not pay. */
#define PRODUCTS_THAT_PAY 12

static int32_t choose(const prune_convolution *c, int64_t wanted, enum pr_convolution_algorithm *algorithm)
{
    int plain = c->kernel_height == 1 && c->kernel_width == 1 && c->stride == 1 && c->padding == 0 && c->groups == 1;
    if (wanted == 1 + PR_PRODUCT && !plain)
        return pr_fail(PRUNE_E_SPEC, "convolution: algorithm=product takes a kernel of 1 x 1 with stride 1, padding 0 "
                                     "and groups 1; use algorithm=auto");
    if (wanted)
        *algorithm = (enum pr_convolution_algorithm)(wanted - 1);
    else if (plain)
        *algorithm = PR_PRODUCT;
    else
        *algorithm =
            c->stride == 1 && c->weights->stored / (c->in_channels + 1) >= PRODUCTS_THAT_PAY ? PR_COPIES : PR_SHIFTS;
    return PRUNE_OK;
}

static int32_t check_shape(const prune_convolution *c, const prune_tensor *weights)
{
    char text[PR_MAX_SHAPE_TEXT];
    if (c->kernel_height == 0 || c->kernel_width == 0)
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
    PR_TRY(prune_sparse_create(&c->weights, weights, mask, "csr"));
    if (c->out_channels > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "convolution: %lld out channels; up to %d can be packed",
                       (long long)c->out_channels, INT32_MAX);
    PR_TRY(choose(c, values->whole[ALGORITHM], &c->algorithm));
    int64_t height = values->whole[HEIGHT], width = values->whole[WIDTH], pixels = height * width;
    if (c->algorithm != PR_PRODUCT)
        return pr_conv_plan_make(&c->plan, c, height, width);
    /* N is large here, so that CSR pays longer than it does in general. */
    char spec[64] = "format=csr,columns=";
    int dense = (double)c->weights->stored > MOST_CSR_DENSITY * (double)c->out_channels * (double)c->in_channels;
    pr_number_print(spec + 19, (double)(pixels < INT32_MAX ? pixels : INT32_MAX));
    return prune_packed_create(&c->product, weights, mask, dense ? spec + 11 : spec);
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
    PR_TRY(pr_alloc_zero(weights->context, 1, sizeof *c, &c));
    c->context = prune_context_retain(weights->context);
    c->cpu = prune_context_cpu(c->context);
    pr_kernels_select(c->cpu, &c->kernels);
    c->stride = values.whole[STRIDE];
    c->padding = values.whole[PADDING];
    c->dilation = values.whole[DILATION];
    c->groups = values.whole[GROUPS];
    c->out_channels = weights->shape[0];
    c->kernel_height = weights->shape[2];
    c->kernel_width = weights->shape[3];
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

void prune_convolution_free(prune_convolution *convolution)
{
    if (!convolution)
        return;
    prune_context *context = convolution->context;
    pr_conv_plan_release(&convolution->plan, convolution);
    prune_packed_free(convolution->product);
    prune_sparse_free(convolution->weights);
    pr_release(context, convolution);
    prune_context_free(context);
}

/* Along one axis. */
static int32_t output_extent(const prune_convolution *c, const char *axis, int64_t extent, int64_t kernel,
                             int64_t *output)
{
    int64_t covered = 0, padded = 0;
    if (extent < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "convolution: %s is %lld; it must be 0 or more", axis, (long long)extent);
    PR_TRY(pr_mul(kernel - 1, c->dilation, &covered));
    PR_TRY(pr_add(covered, 1, &covered));
    PR_TRY(pr_add(extent, 2 * c->padding, &padded));
    if (padded < covered)
        return pr_fail(PRUNE_E_SHAPE, "convolution: the padded image has %s %lld; the kernel covers %lld", axis,
                       (long long)padded, (long long)covered);
    *output = (padded - covered) / c->stride + 1;
    return PRUNE_OK;
}

int32_t prune_convolution_output(const prune_convolution *convolution, int64_t height, int64_t width,
                                 int64_t *output_height, int64_t *output_width)
{
    PR_REQUIRE(convolution);
    PR_REQUIRE(output_height);
    PR_REQUIRE(output_width);
    int64_t rows = 0, columns = 0;
    PR_TRY(output_extent(convolution, "height", height, convolution->kernel_height, &rows));
    PR_TRY(output_extent(convolution, "width", width, convolution->kernel_width, &columns));
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
    return convolution ? convolution->weights->stored : 0;
}

const char *prune_convolution_algorithm(const prune_convolution *convolution)
{
    static const char *const names[] = {"copies", "shifts", "product"};
    return convolution ? names[convolution->algorithm] : NULL;
}

const char *prune_convolution_kernels(const prune_convolution *convolution)
{
    if (!convolution)
        return NULL;
    if (convolution->product)
        return prune_packed_kernels(convolution->product, 64);
    return pr_kernels_origin(convolution->cpu, PR_SLOT_shifted_panel);
}
