/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images as the inputs of a convolution: one row for each position of its kernel, made where it is used.
 */
#include "core/observe/observe.h"

/* The row of position (p, q) of one image, channel by channel, `row` long. */
static void take_position(const struct pr_images *images, const double *image, int64_t p, int64_t q, double *row)
{
    const struct pr_window *w = &images->window;
    for (int64_t c = 0; c < images->channels; c++, image += images->height * images->width)
        for (int64_t u = 0; u < w->height; u++)
            for (int64_t v = 0; v < w->width; v++) {
                int64_t i = p * w->stride + u * w->dilation - w->padding;
                int64_t j = q * w->stride + v * w->dilation - w->padding;
                int within = i >= 0 && i < images->height && j >= 0 && j < images->width;
                *row++ = within ? image[i * images->width + j] : 0;
            }
}

void pr_observe_images(prune_observations *observations, const struct pr_images *images, const prune_tensor *data,
                       double *block, double *image)
{
    int64_t in = observations->group[PR_INPUTS].count, most = pr_observed_block(in), rows = 0;
    int64_t positions = images->output[0] * images->output[1], size = data->count / data->shape[0];
    struct pr_walk walk;
    pr_walk_start(&walk, data);
    for (int64_t s = 0; s < data->shape[0]; s++) {
        pr_take_numbers(&walk, data->dtype, size, image);
        for (int64_t n = 0; n < positions; n++) {
            take_position(images, image, n / images->output[1], n % images->output[1], block + rows++ * in);
            if (rows == most) {
                pr_observe_rows(observations, block, rows);
                rows = 0;
            }
        }
    }
    pr_observe_rows(observations, block, rows);
    pr_observe_end(observations);
}
