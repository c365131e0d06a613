/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Convolution: sparse weights [out_channels, in_channels / groups, kernel height, kernel width] (OIHW) laid out for the
 * kernels, and their convolutions with dense images [batch, channels, height, width] (NCHW). Made once, run many times,
 * by any number of threads at once. As everywhere in the field it is a correlation:
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
 * `spec` is a list of "key=value": stride, dilation (default 1), padding (default 0), the same for both axes and all
 * four sides, up to 4096; groups (default 1); height and width, the image for which it is laid out (default 56 each;
 * others may be run, allocating on the way); algorithm, one of auto, copies, shifts and product, which differ in speed
 * only: "copies" keeps a copy of the image for each column of the kernel, so that loads are aligned, "shifts" keeps
 * one, "product" is the product of prune/packed.h and takes a kernel of 1 x 1 with stride 1, no padding and one group.
 * NULL means "". PRUNE_E_SHAPE when the rank is not 4, an extent of the kernel is 0 or the groups do not divide the
 * channels; PRUNE_E_SPEC for an algorithm that does not take these weights. */
PRUNE_API int32_t prune_convolution_create(prune_convolution **out, const prune_tensor *weights, const prune_mask *mask,
                                           const char *spec);

/* x is [batch, in_channels, height, width] and y [batch, out_channels, output height, output width], both row-major
 * without gaps, and they do not overlap. The epilogue (NULL: none) is that of prune/packed.h, its rows being the out
 * channels. Extents of 0 are taken where there is nothing to compute. PRUNE_E_SHAPE when the padded image is smaller
 * than the kernel; PRUNE_E_ARGUMENT, PRUNE_E_OVERFLOW, PRUNE_E_NOMEM; each before anything is written. */
PRUNE_API int32_t prune_convolution_run(const prune_convolution *convolution, float *y, const float *x, int64_t batch,
                                        int64_t height, int64_t width, const prune_epilogue *epilogue);

/* The output for an image of height x width: (height + 2 padding - dilation (kernel height - 1) - 1) / stride + 1, and
 * the same for the width. PRUNE_E_SHAPE as above. */
PRUNE_API int32_t prune_convolution_output(const prune_convolution *convolution, int64_t height, int64_t width,
                                           int64_t *output_height, int64_t *output_width);

/* The shape of the weights, and how many of them are stored. */
PRUNE_API int64_t prune_convolution_in_channels(const prune_convolution *convolution);
PRUNE_API int64_t prune_convolution_out_channels(const prune_convolution *convolution);
PRUNE_API int64_t prune_convolution_stored(const prune_convolution *convolution);

/* "copies", "shifts" or "product", and the instruction set of its kernel, as prune_packed_kernels has it. */
PRUNE_API const char *prune_convolution_algorithm(const prune_convolution *convolution);
PRUNE_API const char *prune_convolution_kernels(const prune_convolution *convolution);

PRUNE_API void prune_convolution_free(prune_convolution *convolution);

#ifdef __cplusplus
}
#endif
#endif
