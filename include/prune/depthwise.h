/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Depthwise convolution: each out channel reads one channel of the image [batch, channels, height, width] (NCHW), out
 * channel o the channel o / multiplier. Made once, run many times, by any number of threads at once. As everywhere in
 * the field it is a correlation:
 *
 *   y[b][o][i][j] = epilogue(sum over kept (u, v) of w[o][0][u][v] *
 *                            x[b][o / multiplier][i stride + u dilation - above][j stride + v dilation - left])
 *
 * where x is +0 outside the image. Numbers are F32; each sum is one chain of fused multiply-adds (v is the outer loop)
 * and has the same bits for any alignment, any number of threads and any instruction set. What is not kept contributes
 * nothing; a kept weight multiplies the zeros around the image too.
 */
#ifndef PRUNE_DEPTHWISE_H
#define PRUNE_DEPTHWISE_H

#include <stdint.h>

#include "prune/packed.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_depthwise prune_depthwise;

/* Takes the kept elements of `weights` (F32, F16, BF16; any strides; [out channels, 1, kernel height, kernel width];
 * `mask` NULL keeps what is not zero). `spec` is a list of "key=value", where a pair AxB is for rows and for columns
 * and one number stands for both: stride=AxB, dilation=AxB (default 1), before=AxB and after=AxB, the zeros above and
 * to the left, below and to the right (default 0), all up to 4096; multiplier, out channels for each channel of the
 * image (default 1); height and width, the image for which it is laid out (default 56 each; others may be run,
 * allocating on the way). NULL means "". PRUNE_E_SHAPE when the rank is not 4, the second extent is not 1, an extent of
 * the kernel is 0 or the multiplier does not divide the out channels. */
PRUNE_API int32_t prune_depthwise_create(prune_depthwise **out, const prune_tensor *weights, const prune_mask *mask,
                                         const char *spec);

/* x is [batch, out channels / multiplier, height, width] and y [batch, out channels, output height, output width], both
 * row-major without gaps, and they do not overlap. The epilogue (NULL: none) is that of prune/packed.h, its rows being
 * the out channels. Extents of 0 are taken where there is nothing to compute. PRUNE_E_SHAPE when the padded image is
 * smaller than the kernel; PRUNE_E_ARGUMENT, PRUNE_E_OVERFLOW, PRUNE_E_NOMEM; each before anything is written. */
PRUNE_API int32_t prune_depthwise_run(const prune_depthwise *depthwise, float *y, const float *x, int64_t batch,
                                      int64_t height, int64_t width, const prune_epilogue *epilogue);

/* The output for an image of height x width: (height + above + below - dilation (kernel height - 1) - 1) / stride + 1,
 * and the same for the width. PRUNE_E_SHAPE as above. */
PRUNE_API int32_t prune_depthwise_output(const prune_depthwise *depthwise, int64_t height, int64_t width,
                                         int64_t *output_height, int64_t *output_width);

/* The out channels, and how many weights are kept. */
PRUNE_API int64_t prune_depthwise_out_channels(const prune_depthwise *depthwise);
PRUNE_API int64_t prune_depthwise_stored(const prune_depthwise *depthwise);

/* The instruction set of its kernel, as prune_packed_kernels has it. */
PRUNE_API const char *prune_depthwise_kernels(const prune_depthwise *depthwise);

PRUNE_API void prune_depthwise_free(prune_depthwise *depthwise);

#ifdef __cplusplus
}
#endif
#endif
