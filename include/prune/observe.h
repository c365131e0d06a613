/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Observations: what data says about one layer, gathered batch by batch. No batch is kept; what is asked for is named
 * by PRUNE_OBSERVE_* bits when the object is made: prune_criterion_needs() says which bits a criterion wants.
 *
 * W is out x in; a convolution's OIHW weights are out x (in kh kw). Sums are doubles, added in the order in which the
 * samples come, so that cutting the data into other batches gives the same bits, for any number of threads as well;
 * except the Gram matrix, which a BLAS may sum (equal to rounding then), and what is squared batch by batch
 * (PRUNE_OBSERVED_ACTIVATION_GATES). Numbers that are NaN or infinite are refused, PRUNE_E_VALUE with their position;
 * sizes that differ from what was fed before are PRUNE_E_SHAPE with both. A refused batch changes nothing.
 *
 * The object is being changed while it is fed; while nothing is fed, any number of threads may read it.
 */
#ifndef PRUNE_OBSERVE_H
#define PRUNE_OBSERVE_H

#include <stdint.h>

#include "prune/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_observations prune_observations;

/* What to gather, from which kind of data, and how many doubles it takes. */
#define PRUNE_OBSERVE_INPUT_NORMS 1       /* inputs: in */
#define PRUNE_OBSERVE_GRAM 2              /* inputs: in x in */
#define PRUNE_OBSERVE_INPUT_MEANS 4       /* inputs: in */
#define PRUNE_OBSERVE_GRADIENTS 8         /* gradients: sum and sum of squares, twice the shape of W */
#define PRUNE_OBSERVE_GRADIENT_SAMPLES 16 /* gradients: the last of them themselves, see prune_observations_configure */
#define PRUNE_OBSERVE_HESSIAN_DIAGONAL 32 /* curvatures: the shape of W */
#define PRUNE_OBSERVE_ACTIVATION_ZEROS 64 /* activations: zeros and sums, twice the channels */
#define PRUNE_OBSERVE_CHANNEL_SCALES 128  /* scale factors: channels */
#define PRUNE_OBSERVE_MOMENTS 256         /* activations: mean and variance, twice the channels */
#define PRUNE_OBSERVE_GRADIENT_MAGNITUDES 512   /* gradients: sum of |g|, the shape of W */
#define PRUNE_OBSERVE_MOVEMENTS 1024            /* gradients with weights: sum of -g w, the shape of W */
#define PRUNE_OBSERVE_ACTIVATION_GRADIENTS 2048 /* activations with their gradients: twice the channels */

/* What is fed. F32, F16, BF16 or F64, any strides.
 *
 * PRUNE_INPUTS: the last axis is `in`, all before it count samples (rank 1: one sample). Rows of im2col for a
 * convolution; samples x in_channels for one of 1 x 1.
 * PRUNE_GRADIENTS: dE/dW in the shape of W, of one sample or the mean of one batch: one step.
 * PRUNE_CURVATURES: d2E/dw2 of every element in the shape of W: one step; see prune/curvature.h.
 * PRUNE_ACTIVATIONS: samples x channels x anything.
 * PRUNE_CHANNEL_SCALES: one number for each channel, rank 1: a batch normalisation's gamma, or factors of one's own. */
#define PRUNE_INPUTS 1
#define PRUNE_GRADIENTS 2
#define PRUNE_CURVATURES 3
#define PRUNE_ACTIVATIONS 4
#define PRUNE_CHANNEL_SCALES 5

/* What can be read back, as F64 tensors. */
#define PRUNE_OBSERVED_GRAM 1                /* in x in: X'X, the sum over samples */
#define PRUNE_OBSERVED_INPUT_NORMS 2         /* in: the square root of the sum of x^2 */
#define PRUNE_OBSERVED_INPUT_MEANS 3         /* in */
#define PRUNE_OBSERVED_GRADIENT_MEANS 4      /* the shape of W: mean of g over steps */
#define PRUNE_OBSERVED_GRADIENT_SQUARES 5    /* the shape of W: mean of g^2 over steps */
#define PRUNE_OBSERVED_GRADIENT_MAGNITUDES 6 /* the shape of W: mean of |g| over steps */
#define PRUNE_OBSERVED_MOVEMENTS 7           /* the shape of W: sum of -g w over steps */
#define PRUNE_OBSERVED_HESSIAN_DIAGONAL 8    /* the shape of W: mean over steps */
#define PRUNE_OBSERVED_ZERO_FRACTIONS 9      /* channels: share of the activations that are zero (APoZ) */
#define PRUNE_OBSERVED_ACTIVATION_MEANS 10   /* channels */
#define PRUNE_OBSERVED_MEANS 11              /* channels: as 10, of PRUNE_OBSERVE_MOMENTS */
#define PRUNE_OBSERVED_VARIANCES 12          /* channels: mean squared deviation (divided by n, not n - 1) */
#define PRUNE_OBSERVED_ACTIVATION_TAYLOR 13  /* channels: mean over samples of |mean of z dE/dz| */
#define PRUNE_OBSERVED_ACTIVATION_GATES 14   /* channels: mean over batches of (sum of z dE/dz)^2 */
#define PRUNE_OBSERVED_CHANNEL_SCALES 15     /* channels: mean over steps */

/* Nothing gathered yet. `needs` is PRUNE_OBSERVE_* bits; PRUNE_E_ARGUMENT for 0 or a bit that is none. */
PRUNE_API int32_t prune_observations_create(prune_observations **out, prune_context *context, int32_t needs);

/* Before anything was fed (PRUNE_E_ARGUMENT): "samples=M,epsilon=E".
 *
 *   samples  how many of the last gradients PRUNE_OBSERVE_GRADIENT_SAMPLES keeps, 1 to 2^31 - 1; default 1024
 *   epsilon  an activation a counts as zero when |a| <= epsilon; default 0, where +0.0 and -0.0 are zeros */
PRUNE_API int32_t prune_observations_configure(prune_observations *observations, const char *options);

/* One batch, or one step. Data of a kind that none of the needs gathers from is refused, PRUNE_E_ARGUMENT. A batch
 * without numbers adds nothing. */
PRUNE_API int32_t prune_observations_feed(prune_observations *observations, int32_t kind, const prune_tensor *data);

/* The same for data that is of use together with other data of the same shape: PRUNE_GRADIENTS with the weights at
 * which they were taken, PRUNE_ACTIVATIONS with their gradients dE/dz. Gathers what prune_observations_feed does as
 * well. PRUNE_OBSERVE_MOVEMENTS and PRUNE_OBSERVE_ACTIVATION_GRADIENTS need every batch to be fed this way. */
PRUNE_API int32_t prune_observations_feed_pair(prune_observations *observations, int32_t kind, const prune_tensor *data,
                                               const prune_tensor *other);

/* Images [samples, channels, height, width] as the PRUNE_INPUTS of a convolution with kernels of this size: each
 * position of the kernel is one sample, and in = channels * kernel_height * kernel_width, in the order of OIHW weights
 * (with groups, those of one group after another). `spec` is "stride=S,padding=P,dilation=D,groups=G" as in
 * prune/convolution.h (NULL means ""); what lies in the padding is 0. Rows are made as they are needed. */
PRUNE_API int32_t prune_observations_feed_images(prune_observations *observations, const prune_tensor *images,
                                                 int64_t kernel_height, int64_t kernel_width, const char *spec);

/* The PRUNE_OBSERVE_* bits it was made with; 0 for NULL. */
PRUNE_API int32_t prune_observations_needs(const prune_observations *observations);

/* How many samples (PRUNE_INPUTS, PRUNE_ACTIVATIONS) or steps (the other kinds) were fed; -1 for a kind that is none.
 */
PRUNE_API int64_t prune_observations_count(const prune_observations *observations, int32_t kind);

/* A statistic by its PRUNE_OBSERVED_* number, in a tensor of its own. PRUNE_E_ARGUMENT when it was not asked for, or
 * nothing was fed that it comes from. */
PRUNE_API int32_t prune_observations_get(prune_tensor **out, const prune_observations *observations, int32_t statistic);

/* How many gradients are kept now, and one of them (F32, or F64 where it was fed so), 0 being the oldest. The tensor
 * shares the memory and keeps it. */
PRUNE_API int64_t prune_observations_kept(const prune_observations *observations);
PRUNE_API int32_t prune_observations_gradient(prune_tensor **out, const prune_observations *observations,
                                              int64_t index);

/* Bytes that observations with these needs take for weights of this shape (axis 0 is out, or channels; the others
 * together are in) when `samples` gradients of F32 are kept. Before anything is made. */
PRUNE_API int32_t prune_observations_memory(int32_t needs, int32_t rank, const int64_t *shape, int64_t samples,
                                            int64_t *bytes);

/* Adds all that `other` has gathered, as if it had been fed here after what was: the same to rounding (exactly for
 * counts, and for sums of whole numbers below 2^53). Needs and options must be equal, PRUNE_E_ARGUMENT, and sizes,
 * PRUNE_E_SHAPE. On failure nothing has changed. */
PRUNE_API int32_t prune_observations_merge(prune_observations *observations, const prune_observations *other);

/* Everything in one block of bytes without pointers, a U8 tensor of rank 1, for a file or another process; and back.
 * Loading copies and checks: PRUNE_E_FORMAT for bytes of another version or byte order, and for any that
 * prune_observations_save has not written (length, checksum, sizes, numbers). */
PRUNE_API int32_t prune_observations_save(prune_tensor **out, const prune_observations *observations);
PRUNE_API int32_t prune_observations_load(prune_observations **out, prune_context *context, const void *data,
                                          int64_t bytes);

PRUNE_API void prune_observations_free(prune_observations *observations);

#ifdef __cplusplus
}
#endif
#endif
