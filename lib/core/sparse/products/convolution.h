/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The convolution from the inside. For a tile of output rows the part of the image that it needs is brought into planes
 * in which every stored weight is a shift: its products are a run of floats that begins at one place, added to the
 * run of the sums. What makes that true for any stride and dilation is the order of the planes alone:
 *
 *   [input channel][copy or column phase][row phase][row][pitch]
 *
 * where row r of phase p is the image's row (first + r) * stride + p - padding, and columns likewise.
 */
#ifndef PR_CORE_SPARSE_CONVOLUTION_H
#define PR_CORE_SPARSE_CONVOLUTION_H

#include "core/kernels/kernels.h"
#include "core/sparse/packed/packed.h"
#include "prune/convolution.h"

#define PR_CONV_TASKS 256
#define PR_CONV_WORK 100000 /* products below which a second thread costs more than it brings */

enum pr_convolution_algorithm { PR_COPIES, PR_SHIFTS, PR_PRODUCT };

/* What the kernel does along one axis of the image. */
struct pr_conv_steps {
    int64_t kernel, stride, dilation, before, after; /* zeros before and after the image */
};

/* One axis of the planes, for each of the kernel's places along it. */
struct pr_axis {
    int64_t planes;  /* phases, or copies */
    int64_t *plane;  /* which of them the place is in */
    int64_t *shift;  /* and how far from its beginning */
    int64_t *origin; /* of each plane: where its element 0 is, in the image, of output 0 */
    int64_t reach;   /* the largest shift */
};

/* The runs and starts of one block of output channels against one panel of input channels begin here. */
struct pr_conv_cell {
    int64_t run, entry;
};

/* Laid out for one size of image. Of a product there are neither panels nor blocks: `starts` says for each column of
 * the matrix, (channel, row and column of the kernel), where the planes of a group have it. */
struct pr_conv_plan {
    int64_t height, width, output_height, output_width;
    int64_t rows, pitch, tile; /* of output rows that are computed at once; floats of one; floats of all, rounded up */
    int64_t plane, channel;    /* floats of a plane and of all planes of a channel */
    int64_t panel, panels;     /* input channels of a panel; panels of a group */
    int64_t block, blocks;     /* output channels of a block; blocks of a group */
    struct pr_axis down, across; /* rows and columns */
    struct pr_conv_cell *cells;  /* [group][block][panel], and where the last one ends */
    struct pr_run *runs;
    uint32_t *starts; /* within the panel */
    float *values;
    int64_t *work; /* before each (group, block): stored elements and rows */
};

struct prune_convolution {
    prune_context *context;
    uint32_t cpu;
    struct pr_kernels kernels;
    enum pr_convolution_algorithm algorithm;
    int is_plain; /* 1 x 1 on every pixel: the image itself is the matrix */
    int64_t out_channels, in_channels, groups, stored;
    struct pr_conv_steps down, across;
    prune_sparse *weights;    /* csr: rows are output channels */
    prune_packed *product;    /* of the algorithm of that name */
    struct pr_conv_plan plan; /* for the size that was said */
};

int32_t pr_conv_plan_make(struct pr_conv_plan *plan, const prune_convolution *convolution, int64_t height,
                          int64_t width);
/* One call of prune_convolution_run, once it is checked. */
struct pr_conv_job {
    const prune_convolution *convolution;
    const struct pr_conv_plan *plan;
    const prune_epilogue *epilogue;
    float *y;
    const float *x, *residual;
    int64_t tiles; /* of an image and a group */
    int64_t units; /* of all images and groups */
    int64_t plane_floats;
    int32_t tasks;
    float *scratch[PR_CONV_TASKS];
};

/* The planes of `count` channels, of which the image's first one is at `image`, for output rows from `row` on. */
void pr_conv_make_planes(const struct pr_conv_job *job, const float *image, int64_t count, int64_t row, float *to);

/* The epilogue of output channels from `channel` on; `at` is where their first number is among those of y. */
struct pr_epilogue_args pr_conv_epilogue(const struct pr_conv_job *job, int64_t channel, int64_t at);

/* Runs the product of images and groups in tiles of output rows. */
int32_t pr_conv_run_product(struct pr_conv_job *job, int64_t batch);

/* Floats of scratch for one task of that. */
int32_t pr_conv_product_floats(const prune_convolution *convolution, const struct pr_conv_plan *plan, int64_t *planes,
                               int64_t *floats);

void pr_conv_plan_release(struct pr_conv_plan *plan, const prune_convolution *convolution);

#endif
