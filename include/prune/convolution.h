/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Convolution: weights [out_channels, in_channels / groups, kernel height, kernel width] (OIHW), sparse or dense, laid
 * out for the kernels, and their convolutions with dense images [batch, channels, height, width] (NCHW). Made once, run
 * many times, by any number of threads at once. As everywhere in the field it is a correlation:
 *
 *   y[b][o][i][j] = epilogue(sum over stored (o, c, u, v) of w[o][c][u][v] *
 *                            x[b][c + first channel of o's group][i stride + u dilation - padding][j stride + ...])
 *
 * where x is +0 outside the image. Numbers are F32; each sum is within the bound of prune/packed.h for its stored
 * products, and its bits depend neither on alignment nor on the number of threads. What is not stored contributes
 * nothing.
 */
#ifndef PRUNE_CONVOLUTION_H
#define PRUNE_CONVOLUTION_H

#include <stdint.h>

#include "prune/packed.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_convolution prune_convolution;

/* Packs the kept elements of `weights` (F32, F16, BF16; any strides; rank 4; `mask` NULL keeps what is not zero).
 * `spec` is a list of "key=value": stride, dilation (default 1) and padding (default 0), up to 4096, each one number
 * for both axes or rows x columns ("2x1"); padding_end, the zeros after the image's last row and column, where they are
 * not as many as those before (padding); groups (default 1); height and width, the image for which it is laid out
 * (default 56 each; others may be run, allocating on the way); format, one of sparse (the default), dense, which stores
 * every weight and needs one group, and auto, which is dense where that is estimated to be faster; algorithm, one of
 * auto, copies, shifts and product, which differ in speed only: "copies" keeps a copy of the image for each column of
 * the kernel, so that loads are aligned, "shifts" keeps one, "product" is the product of prune/packed.h with such
 * copies and takes one group. NULL means "". PRUNE_E_SHAPE when the rank is not 4, an extent of the kernel is 0 or the
 * groups do not divide the channels; PRUNE_E_SPEC for an algorithm or a format that does not take these weights. */
PRUNE_API int32_t prune_convolution_create(prune_convolution **out, const prune_tensor *weights, const prune_mask *mask,
                                           const char *spec);

/* The same of weights packed as a matrix [out_channels][in_channels * kernel_height * kernel_width] in a form that
 * reads X where it stands (convolution=yes of prune/packed.h), which on success become the convolution's, with their
 * context; the others stay the caller's. `spec` as above without groups, format and algorithm. PRUNE_E_UNSUPPORTED for
 * another form, PRUNE_E_SHAPE when the columns are no whole kernels or the kernel does not fit the padded image. */
PRUNE_API int32_t prune_convolution_from_packed(prune_convolution **out, prune_packed *packed, int64_t kernel_height,
                                                int64_t kernel_width, const char *spec);

/* x is [batch, in_channels, height, width] and y [batch, out_channels, output height, output width], both row-major
 * without gaps, and they do not overlap. The epilogue (NULL: none) is that of prune/packed.h, its rows being the out
 * channels. Extents of 0 are taken where there is nothing to compute. PRUNE_E_SHAPE when the padded image is smaller
 * than the kernel; PRUNE_E_ARGUMENT, PRUNE_E_OVERFLOW, PRUNE_E_NOMEM; each before anything is written. */
PRUNE_API int32_t prune_convolution_run(const prune_convolution *convolution, float *y, const float *x, int64_t batch,
                                        int64_t height, int64_t width, const prune_epilogue *epilogue);

/* The same with `residual`, shaped as y and either y itself or apart from it, in place of what y was: it is added to
 * each sum as the epilogue's beta says, and once where that is 0 or there is no epilogue, which gives the bits of an
 * addition after the convolution. NULL: none. PRUNE_E_ARGUMENT where it overlaps y in part. */
PRUNE_API int32_t prune_convolution_run_residual(const prune_convolution *convolution, float *y, const float *x,
                                                 const float *residual, int64_t batch, int64_t height, int64_t width,
                                                 const prune_epilogue *epilogue);

/* The output for an image of height x width: (height + both paddings - dilation (kernel height - 1) - 1) / stride + 1,
 * and the same for the width. PRUNE_E_SHAPE as above. */
PRUNE_API int32_t prune_convolution_output(const prune_convolution *convolution, int64_t height, int64_t width,
                                           int64_t *output_height, int64_t *output_width);

/* The shape of the weights, and how many of them are stored. */
PRUNE_API int64_t prune_convolution_in_channels(const prune_convolution *convolution);
PRUNE_API int64_t prune_convolution_out_channels(const prune_convolution *convolution);
PRUNE_API int64_t prune_convolution_stored(const prune_convolution *convolution);

/* "copies", "shifts" or "product", the form of a product as prune_packed_form has it ("" for the others), and the
 * instruction set of its kernel, as prune_packed_kernels has it. */
PRUNE_API const char *prune_convolution_algorithm(const prune_convolution *convolution);
PRUNE_API const char *prune_convolution_form(const prune_convolution *convolution);
PRUNE_API const char *prune_convolution_kernels(const prune_convolution *convolution);

PRUNE_API void prune_convolution_free(prune_convolution *convolution);

#ifdef __cplusplus
}
#endif
#endif
