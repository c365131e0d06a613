/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Observations from the inside: libprune only.
 *
 * All that is gathered but the kept gradients is arrays of doubles, one row of a table each. A group is one kind of
 * data: its first batch fixes the shape of everything in it.
 */
#ifndef PR_CORE_OBSERVE_H
#define PR_CORE_OBSERVE_H

#include "core/observe/window.h"
#include "core/tensor/tensor.h"
#include "prune/observe.h"

#define PR_ALL_NEEDS 4095

enum pr_observed_group_number { PR_INPUTS, PR_GRADIENTS, PR_CURVATURES, PR_ACTIVATIONS, PR_SCALES, PR_GROUPS };

enum pr_observed_array {
    PR_GRAM,
    PR_INPUT_SQUARES,
    PR_INPUT_SUMS,
    PR_GRADIENT_SUMS,
    PR_GRADIENT_SQUARES,
    PR_GRADIENT_MAGNITUDES,
    PR_MOVEMENTS,
    PR_CURVATURE_SUMS,
    PR_ACTIVATION_ZEROS, /* counts, exact to 2^53 */
    PR_ACTIVATION_SUMS,
    PR_MOMENT_MEANS,
    PR_MOMENT_SQUARES, /* sum of squared deviations from the mean */
    PR_ACTIVATION_TAYLOR,
    PR_ACTIVATION_GATES,
    PR_SCALE_SUMS,
    PR_ARRAYS
};

/* Which need asks for an array, which group it is of. All are as long as the group but the Gram matrix. */
struct pr_observed_row {
    int32_t need;
    int32_t group;
};
extern const struct pr_observed_row pr_observed_rows[PR_ARRAYS];

/* What a sentence calls the data of a group ("inputs"), and a need ("the Gram matrix of the inputs"). */
extern const char *const pr_observed_group_names[PR_GROUPS];
const char *pr_need_name(int32_t need);

/* The needs that a group serves. */
int32_t pr_group_needs(int32_t group);

struct pr_observed_group {
    int started;
    int32_t rank; /* of one sample or step: [in], the shape of W, [channels] */
    int64_t shape[PRUNE_MAX_RANK], count;
    int64_t samples; /* samples, or steps */
    int64_t batches; /* those with samples */
    int64_t values;  /* activations: of each channel */
};

struct prune_observations {
    prune_context *context;
    int32_t needs;
    double epsilon;
    int64_t most_kept;
    struct pr_observed_group group[PR_GROUPS];
    double *array[PR_ARRAYS]; /* NULL until the group has started, or when there is no need of it */
    prune_tensor **kept;      /* a ring of `room` gradients, of which `kept_count` are set; the oldest is `oldest` */
    int64_t kept_count, oldest, room;
};

/* Images that are fed as the inputs of a convolution. */
struct pr_images {
    struct pr_window window;
    int64_t channels, height, width, output[2];
};

/* Doubles of an array in a group of `count`. */
int32_t pr_observed_length(int32_t array, int64_t count, int64_t *length);

/* For criteria and recoveries. PRUNE_E_ARGUMENT with a sentence that names what is missing, unless the observations
 * were made with all these needs and something was fed for each; `who` is the kind that asks: "criterion wanda". */
int32_t pr_observations_require(const prune_observations *observations, int32_t needs, const char *who);

/* The whole Gram matrix X'X, in x in; NULL when it was not observed. The sums of x and x^2, as long as in. */
const double *pr_observed_gram(const prune_observations *observations, int64_t *in, int64_t *samples);
const double *pr_observed_input_squares(const prune_observations *observations, int64_t *in, int64_t *samples);
const double *pr_observed_input_sums(const prune_observations *observations, int64_t *in, int64_t *samples);

/* An array, its group, and gradient `index` of those kept, the oldest first. */
const double *pr_observed(const prune_observations *observations, int32_t array);
const struct pr_observed_group *pr_observed_group(const prune_observations *observations, int32_t group);
const prune_tensor *pr_observed_gradient(const prune_observations *observations, int64_t index);

/* The mean and the squared deviations of n numbers and m others together. */
void pr_join_moments(double *mean, double *squares, double n, double other_mean, double other_squares, double m);

/* PRUNE_E_VALUE with the position of the first number that is NaN or infinite. */
int32_t pr_check_finite(const prune_tensor *tensor, const char *what);

/* The next `count` numbers of a walk, whatever its runs. */
void pr_take_numbers(struct pr_walk *walk, int32_t dtype, int64_t count, double *out);

/* One batch of each kind: everything has been checked and allocated, nothing can fail. `block` has room for
 * pr_observed_block samples, `gates` for the channels. */
void pr_observe_inputs(prune_observations *observations, const prune_tensor *data, double *block);
void pr_observe_images(prune_observations *observations, const struct pr_images *images, const prune_tensor *data,
                       double *block, double *image);
void pr_observe_gradients(prune_observations *observations, const prune_tensor *data, const prune_tensor *weights);
void pr_observe_curvatures(prune_observations *observations, const prune_tensor *data);
void pr_observe_activations(prune_observations *observations, const prune_tensor *data, const prune_tensor *gradients,
                            double *gates);
void pr_observe_scales(prune_observations *observations, const prune_tensor *data);

/* Of both kinds of inputs: some rows of samples, and what is due after the last of a batch. */
void pr_observe_rows(prune_observations *observations, const double *x, int64_t rows);
void pr_observe_end(prune_observations *observations);

/* Samples that are turned into doubles at a time, for inputs of `in`; the block of pr_observe_inputs has as many. */
int64_t pr_observed_block(int64_t in);

#endif
