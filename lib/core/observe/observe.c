/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/observe/observe.h"

#include "base/spec.h"

#define STANDARD_KEPT 1024

const struct pr_observed_row pr_observed_rows[PR_ARRAYS] = {
    [PR_GRAM] = {PRUNE_OBSERVE_GRAM, PR_INPUTS},
    [PR_INPUT_SQUARES] = {PRUNE_OBSERVE_INPUT_NORMS, PR_INPUTS},
    [PR_INPUT_SUMS] = {PRUNE_OBSERVE_INPUT_MEANS, PR_INPUTS},
    [PR_GRADIENT_SUMS] = {PRUNE_OBSERVE_GRADIENTS, PR_GRADIENTS},
    [PR_GRADIENT_SQUARES] = {PRUNE_OBSERVE_GRADIENTS, PR_GRADIENTS},
    [PR_GRADIENT_MAGNITUDES] = {PRUNE_OBSERVE_GRADIENT_MAGNITUDES, PR_GRADIENTS},
    [PR_MOVEMENTS] = {PRUNE_OBSERVE_MOVEMENTS, PR_GRADIENTS},
    [PR_CURVATURE_SUMS] = {PRUNE_OBSERVE_HESSIAN_DIAGONAL, PR_CURVATURES},
    [PR_ACTIVATION_ZEROS] = {PRUNE_OBSERVE_ACTIVATION_ZEROS, PR_ACTIVATIONS},
    [PR_ACTIVATION_SUMS] = {PRUNE_OBSERVE_ACTIVATION_ZEROS, PR_ACTIVATIONS},
    [PR_MOMENT_MEANS] = {PRUNE_OBSERVE_MOMENTS, PR_ACTIVATIONS},
    [PR_MOMENT_SQUARES] = {PRUNE_OBSERVE_MOMENTS, PR_ACTIVATIONS},
    [PR_ACTIVATION_TAYLOR] = {PRUNE_OBSERVE_ACTIVATION_GRADIENTS, PR_ACTIVATIONS},
    [PR_ACTIVATION_GATES] = {PRUNE_OBSERVE_ACTIVATION_GRADIENTS, PR_ACTIVATIONS},
    [PR_SCALE_SUMS] = {PRUNE_OBSERVE_CHANNEL_SCALES, PR_SCALES},
};

const char *const pr_observed_group_names[PR_GROUPS] = {"inputs", "gradients", "curvatures", "activations",
                                                        "channel scales"};

static const struct {
    int32_t need;
    const char *name, *constant;
} needs_by_name[] = {
    {PRUNE_OBSERVE_INPUT_NORMS, "input norms", "PRUNE_OBSERVE_INPUT_NORMS"},
    {PRUNE_OBSERVE_GRAM, "the Gram matrix of the inputs", "PRUNE_OBSERVE_GRAM"},
    {PRUNE_OBSERVE_INPUT_MEANS, "input means", "PRUNE_OBSERVE_INPUT_MEANS"},
    {PRUNE_OBSERVE_GRADIENTS, "gradients", "PRUNE_OBSERVE_GRADIENTS"},
    {PRUNE_OBSERVE_GRADIENT_SAMPLES, "gradients that are kept", "PRUNE_OBSERVE_GRADIENT_SAMPLES"},
    {PRUNE_OBSERVE_HESSIAN_DIAGONAL, "the Hessian's diagonal", "PRUNE_OBSERVE_HESSIAN_DIAGONAL"},
    {PRUNE_OBSERVE_ACTIVATION_ZEROS, "activation zeros and means", "PRUNE_OBSERVE_ACTIVATION_ZEROS"},
    {PRUNE_OBSERVE_CHANNEL_SCALES, "channel scales", "PRUNE_OBSERVE_CHANNEL_SCALES"},
    {PRUNE_OBSERVE_MOMENTS, "means and variances of activations", "PRUNE_OBSERVE_MOMENTS"},
    {PRUNE_OBSERVE_GRADIENT_MAGNITUDES, "gradient magnitudes", "PRUNE_OBSERVE_GRADIENT_MAGNITUDES"},
    {PRUNE_OBSERVE_MOVEMENTS, "movements", "PRUNE_OBSERVE_MOVEMENTS"},
    {PRUNE_OBSERVE_ACTIVATION_GRADIENTS, "activations with their gradients", "PRUNE_OBSERVE_ACTIVATION_GRADIENTS"},
};
#define NEED_COUNT ((int)(sizeof needs_by_name / sizeof *needs_by_name))

const char *pr_need_name(int32_t need)
{
    for (int i = 0; i < NEED_COUNT; i++)
        if (needs_by_name[i].need == need)
            return needs_by_name[i].name;
    return "?";
}

static int32_t group_of_need(int32_t need)
{
    for (int32_t i = 0; i < PR_ARRAYS; i++)
        if (pr_observed_rows[i].need == need)
            return pr_observed_rows[i].group;
    return PR_GRADIENTS; /* those that are kept */
}

int32_t pr_group_needs(int32_t group)
{
    int32_t needs = group == PR_GRADIENTS ? PRUNE_OBSERVE_GRADIENT_SAMPLES : 0;
    for (int32_t i = 0; i < PR_ARRAYS; i++)
        if (pr_observed_rows[i].group == group)
            needs |= pr_observed_rows[i].need;
    return needs;
}

int32_t pr_observed_length(int32_t array, int64_t count, int64_t *length)
{
    return pr_mul(count, array == PR_GRAM ? count : 1, length);
}

static int32_t check_needs(const char *function, int32_t needs)
{
    if (needs <= 0 || needs > PR_ALL_NEEDS)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: needs is %d; it must be one or more of the PRUNE_OBSERVE_ bits, 1 to %d",
                       function, (int)needs, PR_ALL_NEEDS);
    return PRUNE_OK;
}

int32_t prune_observations_create(prune_observations **out, prune_context *context, int32_t needs)
{
    prune_observations *o;
    PR_REQUIRE(out);
    PR_TRY(check_needs(__func__, needs));
    PR_TRY(pr_alloc_zero(context, 1, sizeof *o, &o));
    o->context = prune_context_retain(context);
    o->needs = needs;
    o->most_kept = STANDARD_KEPT;
    *out = o;
    return PRUNE_OK;
}

enum { SAMPLES, EPSILON };

static const struct pr_parameter options_of[] = {
    {.name = "samples",
     .type = PR_WHOLE,
     .standard = "1024",
     .least = 1,
     .most = INT32_MAX,
     .help = "gradients that are kept, the last ones, 1 to 2^31 - 1"},
    {.name = "epsilon",
     .type = PR_REAL,
     .standard = "0",
     .least = 0,
     .most = 1e300,
     .help = "activations of at most this magnitude count as zero, 0 or more"},
    {0},
};

int32_t prune_observations_configure(prune_observations *observations, const char *options)
{
    struct pr_values values;
    PR_REQUIRE(observations);
    PR_TRY(pr_spec_parse_list(options, "observations", options_of, &values));
    for (int32_t i = 0; i < PR_GROUPS; i++)
        if (observations->group[i].started)
            return pr_fail(PRUNE_E_ARGUMENT, "%s: %s were fed already (%lld); options are set before", __func__,
                           pr_observed_group_names[i], (long long)observations->group[i].samples);
    observations->most_kept = values.whole[SAMPLES];
    observations->epsilon = values.real[EPSILON];
    return PRUNE_OK;
}

int32_t prune_observations_needs(const prune_observations *observations)
{
    return observations ? observations->needs : 0;
}

int64_t prune_observations_count(const prune_observations *observations, int32_t kind)
{
    if (!observations || kind < PRUNE_INPUTS || kind > PRUNE_CHANNEL_SCALES)
        return -1;
    return observations->group[kind - PRUNE_INPUTS].samples;
}

int32_t prune_observations_memory(int32_t needs, int32_t rank, const int64_t *shape, int64_t samples, int64_t *bytes)
{
    int64_t elements, length = 0, total = (int64_t)sizeof(prune_observations);
    PR_REQUIRE(bytes);
    PR_TRY(check_needs(__func__, needs));
    PR_TRY(pr_check_shape(__func__, rank, shape, &elements));
    if (samples < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: samples is %lld; it must be 0 or more", __func__, (long long)samples);
    int64_t channels = rank > 0 ? shape[0] : 1, in = 1;
    PR_TRY(pr_count(rank > 1 ? rank - 1 : 0, rank > 1 ? shape + 1 : NULL, &in));
    for (int32_t i = 0; i < PR_ARRAYS; i++) {
        int32_t group = pr_observed_rows[i].group;
        if (!(needs & pr_observed_rows[i].need))
            continue;
        PR_TRY(pr_observed_length(i, group == PR_INPUTS ? in : group <= PR_CURVATURES ? elements : channels, &length));
        PR_TRY(pr_mul(length, sizeof(double), &length));
        PR_TRY(pr_add(total, length, &total));
    }
    if (needs & pr_group_needs(PR_INPUTS)) {
        PR_TRY(pr_mul(in, pr_observed_block(in) * (int64_t)sizeof(double), &length));
        PR_TRY(pr_add(total, length, &total));
    }
    if (needs & PRUNE_OBSERVE_GRADIENT_SAMPLES) {
        PR_TRY(pr_mul(elements, sizeof(float), &length));
        PR_TRY(pr_add(length, sizeof(prune_tensor) + sizeof(prune_tensor *), &length));
        PR_TRY(pr_mul(length, samples, &length));
        PR_TRY(pr_add(total, length, &total));
    }
    *bytes = total;
    return PRUNE_OK;
}

int32_t pr_observations_require(const prune_observations *observations, int32_t needs, const char *who)
{
    for (int i = 0; i < NEED_COUNT; i++) {
        int32_t need = needs_by_name[i].need;
        if (!(needs & need))
            continue;
        if (!observations)
            return pr_fail(PRUNE_E_ARGUMENT, "%s needs %s; give it observations made with %s", who,
                           needs_by_name[i].name, needs_by_name[i].constant);
        if (!(observations->needs & need))
            return pr_fail(PRUNE_E_ARGUMENT, "%s needs %s, which these observations do not gather; make them with %s",
                           who, needs_by_name[i].name, needs_by_name[i].constant);
        int32_t group = group_of_need(need);
        if (!observations->group[group].samples)
            return pr_fail(PRUNE_E_ARGUMENT, "%s needs %s, but no %s were fed: 0 samples; feed one or more", who,
                           needs_by_name[i].name, pr_observed_group_names[group]);
    }
    return PRUNE_OK;
}

const double *pr_observed(const prune_observations *observations, int32_t array)
{
    return observations->array[array];
}

const struct pr_observed_group *pr_observed_group(const prune_observations *observations, int32_t group)
{
    return &observations->group[group];
}

static const double *input_array(const prune_observations *o, int32_t array, int64_t *in, int64_t *samples)
{
    if (!o || !o->array[array])
        return NULL;
    if (in)
        *in = o->group[PR_INPUTS].count;
    if (samples)
        *samples = o->group[PR_INPUTS].samples;
    return o->array[array];
}

const double *pr_observed_gram(const prune_observations *observations, int64_t *in, int64_t *samples)
{
    return input_array(observations, PR_GRAM, in, samples);
}

const double *pr_observed_input_squares(const prune_observations *observations, int64_t *in, int64_t *samples)
{
    return input_array(observations, PR_INPUT_SQUARES, in, samples);
}

const double *pr_observed_input_sums(const prune_observations *observations, int64_t *in, int64_t *samples)
{
    return input_array(observations, PR_INPUT_SUMS, in, samples);
}

int64_t prune_observations_kept(const prune_observations *observations)
{
    return observations ? observations->kept_count : 0;
}

const prune_tensor *pr_observed_gradient(const prune_observations *observations, int64_t index)
{
    return observations->kept[(observations->oldest + index) % observations->most_kept];
}

int32_t prune_observations_gradient(prune_tensor **out, const prune_observations *observations, int64_t index)
{
    PR_REQUIRE(out);
    PR_REQUIRE(observations);
    if (index < 0 || index >= observations->kept_count)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: gradient %lld is not kept; there are %lld, numbered from 0", __func__,
                       (long long)index, (long long)observations->kept_count);
    const prune_tensor *kept = pr_observed_gradient(observations, index);
    return prune_tensor_reshape(out, kept, kept->rank, kept->shape);
}

void prune_observations_free(prune_observations *observations)
{
    if (!observations)
        return;
    prune_context *context = observations->context;
    for (int32_t i = 0; i < PR_ARRAYS; i++)
        pr_release(context, observations->array[i]);
    for (int64_t i = 0; i < observations->kept_count; i++)
        prune_tensor_free(observations->kept[i]);
    pr_release(context, observations->kept);
    pr_release(context, observations);
    prune_context_free(context);
}
