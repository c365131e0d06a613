/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Observations out of files.
 */
#include <string.h>

#include "tensors.h"

void data_add_options(struct data *data, struct options *options)
{
    memset(data, 0, sizeof *data);
    options_add(
        options,
        (struct option[]){
            {OPTION_LIST, "inputs", 0, &data->inputs, "X.npy",
             "inputs of the layer, samples x in; may be given several times", 0, 0},
            {OPTION_LIST, "gradients", 0, &data->gradients, "G.npy",
             "dE/dW in the shape of W, a file for each step, or one more axis in front for many steps", 0, 0},
            {OPTION_LIST, "curvatures", 0, &data->curvatures, "H.npy",
             "d2E/dw2 in the shape of W, files as for --gradients", 0, 0},
            {OPTION_LIST, "activations", 0, &data->activations, "A.npy", "activations, samples x channels x ...", 0, 0},
            {OPTION_LIST, "activation-gradients", 0, &data->activation_gradients, "D.npy",
             "dE/da, a file for each of --activations", 0, 0},
            {OPTION_TEXT, "scales", 0, &data->scales, "S.npy", "one factor for each channel", 0, 0},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
}

int data_given(const struct data *data)
{
    return data->inputs.count || data->gradients.count || data->curvatures.count || data->activations.count ||
           data->activation_gradients.count || data->scales;
}

/* A tensor, with what goes with it if anything does. */
static int32_t feed_tensor(prune_observations *observations, int32_t kind, const prune_tensor *tensor,
                           const prune_tensor *other)
{
    return other ? prune_observations_feed_pair(observations, kind, tensor, other)
                 : prune_observations_feed(observations, kind, tensor);
}

/* The step `at` of many, without the axis that counts them. */
static int32_t take_step(prune_tensor **out, const prune_tensor *steps, int64_t at)
{
    prune_tensor *one = NULL, *copy = NULL;
    int32_t status = prune_tensor_slice(&one, steps, 0, at, 1, 1);
    if (!status && !prune_tensor_is_contiguous(one)) {
        status = prune_tensor_convert(&copy, one, prune_tensor_dtype(one));
        prune_tensor_free(one);
        one = copy;
    }
    if (!status)
        status = prune_tensor_reshape(out, one, prune_tensor_rank(steps) - 1, prune_tensor_shape(steps) + 1);
    prune_tensor_free(one);
    return status;
}

/* One step, or each index of an axis that the data has more than the weights. */
static int feed_steps(prune_observations *observations, int32_t kind, const prune_tensor *steps,
                      const prune_tensor *weights, int with_weights, const char *path)
{
    int32_t status;
    if (prune_tensor_rank(steps) != prune_tensor_rank(weights) + 1) {
        status = feed_tensor(observations, kind, steps, with_weights ? weights : NULL);
        return status ? complain_status(status, path) : DONE;
    }
    for (int64_t i = 0; i < prune_tensor_shape(steps)[0]; i++) {
        prune_tensor *step = NULL;
        status = take_step(&step, steps, i);
        if (!status)
            status = feed_tensor(observations, kind, step, with_weights ? weights : NULL);
        prune_tensor_free(step);
        if (status) {
            char about[SPEC_SIZE];
            snprintf(about, sizeof about, "%.400s, step %lld", path, (long long)i);
            return complain_status(status, about);
        }
    }
    return DONE;
}

static int feed_file(prune_observations *observations, int32_t kind, prune_context *context, const char *path,
                     const char *pair, const prune_tensor *weights, int with_weights)
{
    prune_tensor *tensor = NULL, *other = NULL;
    int code = tensor_read(&tensor, context, path);
    if (!code && pair)
        code = tensor_read(&other, context, pair);
    if (!code && (kind == PRUNE_GRADIENTS || kind == PRUNE_CURVATURES)) {
        code = feed_steps(observations, kind, tensor, weights, with_weights, path);
    } else if (!code) {
        int32_t status = feed_tensor(observations, kind, tensor, other);
        code = status ? complain_status(status, path) : DONE;
    }
    prune_tensor_free(other);
    prune_tensor_free(tensor);
    return code;
}

static int feed_files(prune_observations *observations, int32_t kind, prune_context *context, const struct words *files,
                      const struct words *pairs, const prune_tensor *weights, int with_weights)
{
    int code = DONE;
    for (int i = 0; i < files->count && !code; i++)
        code = feed_file(observations, kind, context, files->items[i], pairs && pairs->count ? pairs->items[i] : NULL,
                         weights, with_weights);
    return code;
}

/* Which options data comes from, and for which needs. */
#define OF_INPUTS (PRUNE_OBSERVE_INPUT_NORMS | PRUNE_OBSERVE_GRAM | PRUNE_OBSERVE_INPUT_MEANS)
#define OF_GRADIENTS                                                                                                   \
    (PRUNE_OBSERVE_GRADIENTS | PRUNE_OBSERVE_GRADIENT_SAMPLES | PRUNE_OBSERVE_GRADIENT_MAGNITUDES |                    \
     PRUNE_OBSERVE_MOVEMENTS)
#define OF_ACTIVATIONS (PRUNE_OBSERVE_ACTIVATION_ZEROS | PRUNE_OBSERVE_MOMENTS | PRUNE_OBSERVE_ACTIVATION_GRADIENTS)

static int check_use(const struct data *data, int32_t needs, const char *who)
{
    const struct {
        const char *option;
        int32_t needs;
        int given;
    } uses[] = {
        {"--inputs", OF_INPUTS, data->inputs.count},
        {"--gradients", OF_GRADIENTS, data->gradients.count},
        {"--curvatures", PRUNE_OBSERVE_HESSIAN_DIAGONAL, data->curvatures.count},
        {"--activations", OF_ACTIVATIONS, data->activations.count},
        {"--activation-gradients", PRUNE_OBSERVE_ACTIVATION_GRADIENTS, data->activation_gradients.count},
        {"--scales", PRUNE_OBSERVE_CHANNEL_SCALES, data->scales != NULL},
    };
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        if (uses[i].given && !(needs & uses[i].needs))
            return complain(USAGE, "%s makes no use of %s; leave it out", who, uses[i].option);
        if (!uses[i].given && (needs & uses[i].needs))
            return complain(USAGE, "%s needs data: give it with %s", who, uses[i].option);
    }
    if (data->activation_gradients.count && data->activation_gradients.count != data->activations.count)
        return complain(USAGE, "%d --activation-gradients for %d --activations; give one for each",
                        data->activation_gradients.count, data->activations.count);
    return DONE;
}

int data_observe(prune_observations **out, const struct data *data, prune_context *context, int32_t needs,
                 const prune_tensor *weights, const char *who)
{
    prune_observations *made = NULL;
    const char *scale[] = {data->scales};
    struct words scales = {.items = scale, .count = data->scales != NULL};
    int code = check_use(data, needs, who);
    if (code || needs == 0)
        return code;
    int32_t status = prune_observations_create(&made, context, needs);
    if (status)
        return complain_status(status, NULL);
    code = feed_files(made, PRUNE_INPUTS, context, &data->inputs, NULL, weights, 0);
    if (!code)
        code = feed_files(made, PRUNE_GRADIENTS, context, &data->gradients, NULL, weights,
                          (needs & PRUNE_OBSERVE_MOVEMENTS) != 0);
    if (!code)
        code = feed_files(made, PRUNE_CURVATURES, context, &data->curvatures, NULL, weights, 0);
    if (!code)
        code =
            feed_files(made, PRUNE_ACTIVATIONS, context, &data->activations, &data->activation_gradients, weights, 0);
    if (!code)
        code = feed_files(made, PRUNE_CHANNEL_SCALES, context, &scales, NULL, weights, 0);
    if (code)
        prune_observations_free(made);
    else
        *out = made;
    return code;
}

int layer_read(struct layer *layer, const char *path, const struct data *data, int32_t needs, const char *who)
{
    int code = tensor_read(&layer->weights, layer->context, path);
    return code ? code : data_observe(&layer->observations, data, layer->context, needs, layer->weights, who);
}

void layer_close(struct layer *layer)
{
    prune_observations_free(layer->observations);
    prune_tensor_free(layer->weights);
    prune_context_free(layer->context);
}
