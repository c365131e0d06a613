/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tensors.h"

struct job {
    struct common common;
    const char *mask, *before, *norms;
    struct words granularities, inputs;
    prune_context *context;
    prune_tensor *weights, *original, *input_norms; /* weights: NULL when the file is a mask */
    prune_mask *kept;
    json_t *patterns;
    int violated;
    char violation[SPEC_SIZE + PLACE_SIZE];
};

static void note_violation(struct job *job, const char *what, int64_t position)
{
    char place[PLACE_SIZE];
    place_text(place, prune_mask_rank(job->kept), prune_mask_shape(job->kept), position);
    if (!job->violated)
        snprintf(job->violation, sizeof job->violation, "%.400s is broken at %s, element %lld", what, place,
                 (long long)position);
    job->violated = 1;
}

static int read_files(struct job *job, const char *path)
{
    prune_tensor *read = NULL;
    int code = tensor_read(&read, job->context, path);
    if (code)
        return code;
    int32_t dtype = prune_tensor_dtype(read), status = PRUNE_OK;
    if (dtype == PRUNE_BOOL || dtype == PRUNE_U8) {
        status = prune_mask_from_bool(&job->kept, read);
        prune_tensor_free(read);
        if (!status && job->mask)
            return complain(USAGE, "%s is a mask itself; leave --mask out", path);
    } else {
        job->weights = read;
        if (job->mask)
            code = mask_read(&job->kept, job->context, job->mask);
        else
            status = prune_mask_from_nonzero(&job->kept, read);
    }
    if (!status && !code && job->before)
        code = tensor_read(&job->original, job->context, job->before);
    return status ? complain_status(status, path) : code;
}

/* --norms, or the norms of --inputs. */
static int read_norms(struct job *job)
{
    struct data data;
    prune_observations *observations = NULL;
    if (job->norms)
        return tensor_read(&job->input_norms, job->context, job->norms);
    if (!job->inputs.count)
        return DONE;
    memset(&data, 0, sizeof data);
    data.inputs = job->inputs;
    int code = data_observe(&observations, &data, job->context, PRUNE_OBSERVE_INPUT_NORMS, job->original, "verify");
    if (!code) {
        int32_t status = prune_observations_get(&job->input_norms, observations, PRUNE_OBSERVED_INPUT_NORMS);
        code = status ? complain_status(status, NULL) : DONE;
    }
    prune_observations_free(observations);
    return code;
}

static json_t *pattern_json(const struct job *job, const char *spec, int32_t holds, int64_t violation)
{
    char place[PLACE_SIZE];
    json_t *json = json_pack("{s:s, s:o}", "granularity", spec, "holds", holds < 0 ? json_null() : json_boolean(holds));
    if (holds == 0 && violation >= 0) {
        place_text(place, prune_mask_rank(job->kept), prune_mask_shape(job->kept), violation);
        json_object_set_new(json, "first_violation", json_integer(violation));
        json_object_set_new(json, "position", json_string(place));
    }
    return json;
}

/* Patterns that masks are looked at for, and those that must hold. */
static int check_patterns(struct job *job)
{
    for (int32_t i = 0; i < prune_pattern_count(); i++) {
        int32_t holds;
        int64_t violation;
        int32_t status = prune_pattern_check(i, job->kept, &holds, &violation);
        if (status)
            return complain_status(status, NULL);
        json_array_append_new(job->patterns, pattern_json(job, prune_pattern_spec(i), holds, violation));
    }
    for (int i = 0; i < job->granularities.count; i++) {
        prune_granularity *granularity = NULL;
        int32_t holds = 0;
        int64_t violation = -1;
        int32_t status = prune_granularity_create(&granularity, job->context, job->granularities.items[i]);
        if (!status)
            status = prune_granularity_check(granularity, job->kept, &holds, &violation);
        if (!status) {
            json_t *json = pattern_json(job, prune_granularity_spec(granularity), holds, violation);
            json_object_set_new(json, "required", json_true());
            json_array_append_new(job->patterns, json);
            if (!holds)
                note_violation(job, prune_granularity_spec(granularity), violation);
        }
        prune_granularity_free(granularity);
        if (status)
            return complain_status(status, NULL);
    }
    return DONE;
}

static int add_densities(const struct job *job, json_t *fields)
{
    json_t *axes = json_array();
    json_object_set_new(fields, "density_by_axis", axes);
    for (int32_t axis = 0; axis < prune_mask_rank(job->kept); axis++) {
        int64_t count = prune_mask_shape(job->kept)[axis];
        double *density = malloc((size_t)(count ? count : 1) * sizeof *density);
        if (!density)
            return complain(NO_MEMORY, "out of memory for densities");
        int32_t status = prune_mask_density(job->kept, axis, density, count);
        json_t *list = json_array();
        for (int64_t i = 0; i < count && !status; i++)
            json_array_append_new(list, json_real(density[i]));
        json_array_append_new(axes, list);
        free(density);
        if (status)
            return complain_status(status, NULL);
    }
    return DONE;
}

/* Zeros and the bound, as far as the files allow. */
static int add_weights(struct job *job, json_t *fields)
{
    int64_t violations = 0, first = -1;
    double bound = 0;
    int32_t status = PRUNE_OK;
    if (job->weights) {
        status = prune_mask_check(job->kept, job->weights, &violations, &first);
        if (status)
            return complain_status(status, NULL);
        json_object_set_new(fields, "pruned_not_positive_zero", json_integer(violations));
        if (violations)
            note_violation(job, "pruned weights are +0.0", first);
    }
    if (!job->input_norms)
        return DONE;
    if (job->weights)
        status = prune_weights_error_bound(job->original, job->weights, job->input_norms, NULL, 0, &bound);
    else
        status = prune_mask_error_bound(job->kept, job->original, job->input_norms, NULL, 0, &bound);
    if (status)
        return complain_status(status, NULL);
    json_object_set_new(fields, "output_error_bound", json_real(bound));
    return DONE;
}

static void print_text(const json_t *fields, const char *path)
{
    size_t i;
    json_t *item, *number;
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    printf("%s: %s of %s kept, density %.6g, hash %s\n", path,
           amount_count(a, json_integer_value(json_object_get(fields, "kept"))),
           amount_count(b, json_integer_value(json_object_get(fields, "elements"))),
           json_real_value(json_object_get(fields, "density")), json_string_value(json_object_get(fields, "hash")));
    json_array_foreach(json_object_get(fields, "density_by_axis"), i, item)
    {
        double least = 2, most = -1;
        size_t j;
        json_array_foreach(item, j, number)
        {
            double value = json_real_value(number);
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        if (json_array_size(item))
            printf("  axis %zu: density %.6g to %.6g\n", i, least, most);
    }
    json_array_foreach(json_object_get(fields, "patterns"), i, item)
    {
        const json_t *holds = json_object_get(item, "holds"), *place = json_object_get(item, "position");
        if (!json_is_null(holds))
            printf("  %-40s %s%s\n", json_string_value(json_object_get(item, "granularity")),
                   json_is_true(holds) ? "holds" : "no, at ", place ? json_string_value(place) : "");
    }
    if ((number = json_object_get(fields, "pruned_not_positive_zero")))
        printf("  pruned weights that are not +0.0: %lld\n", (long long)json_integer_value(number));
    if ((number = json_object_get(fields, "output_error_bound")))
        printf("  the output changes by at most %.6g\n", json_real_value(number));
    if ((item = json_object_get(fields, "violation")))
        printf("%s\n", json_string_value(item));
}

static int show(struct job *job, const char *path)
{
    uint64_t hash = 0;
    char text[32];
    int64_t count = prune_mask_count(job->kept), kept = prune_mask_kept(job->kept);
    int32_t status = prune_mask_hash(job->kept, &hash);
    if (status)
        return complain_status(status, path);
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    json_t *fields =
        json_pack("{s:o, s:s, s:I, s:I, s:f, s:s, s:O}", "file", json_text(path), "holds_a",
                  job->weights ? "weights" : "mask", "elements", (json_int_t)count, "kept", (json_int_t)kept, "density",
                  count ? (double)kept / (double)count : 1.0, "hash", text, "patterns", job->patterns);
    int code = fields ? add_densities(job, fields) : complain(NO_MEMORY, "out of memory for the output");
    if (!code)
        code = add_weights(job, fields);
    if (!code && job->violated)
        json_object_set_new(fields, "violation", json_string(job->violation));
    if (!code && job->common.json)
        return print_json(fields, "verify");
    if (!code)
        print_text(fields, path);
    json_decref(fields);
    return code;
}

static int work(struct job *job, const char *path)
{
    int code = context_open(&job->context, &job->common);
    job->patterns = json_array();
    if (!code)
        code = read_files(job, path);
    if (!code)
        code = read_norms(job);
    if (!code)
        code = check_patterns(job);
    if (!code)
        code = show(job, path);
    json_decref(job->patterns);
    prune_mask_free(job->kept);
    prune_tensor_free(job->weights);
    prune_tensor_free(job->original);
    prune_tensor_free(job->input_norms);
    prune_context_free(job->context);
    return !code && job->violated ? NEGATIVE : code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.mask = NULL};
    options_add(&options,
                (struct option[]){
                    {OPTION_LIST, "granularity", 0, &job.granularities, "KIND",
                     "a pattern that must hold, as a spec string such as nm:keep_n=2,group_m=4; may be repeated", 0, 0},
                    {OPTION_TEXT, "mask", 0, &job.mask, "MASK.npy", "the mask that the weights should have", 0, 0},
                    {OPTION_TEXT, "before", 0, &job.before, "WEIGHTS", "the weights before, for the bound", 0, 0},
                    {OPTION_LIST, "inputs", 0, &job.inputs, "X.npy", "inputs, samples x in, for the bound", 0, 0},
                    {OPTION_TEXT, "norms", 0, &job.norms, "N.npy", "the L2 norm of each input instead", 0, 0},
                    {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                });
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        int data = job.norms || job.inputs.count;
        code = options_operands(&options, self, 1, 1, "one file, a mask or weights");
        if (!code && data != (job.before != NULL))
            code = complain(USAGE, "a bound takes both: --before WEIGHTS, and --inputs X.npy or --norms N.npy");
        if (!code)
            code = work(&job, options.operands.items[0]);
    }
    options_free(&options);
    return code;
}

const struct command cmd_verify = {
    "verify",
    "what can be said of a mask, or of weights and their zeros",
    "(MASK|WEIGHTS) [--granularity KIND]... [--mask MASK.npy] [--before WEIGHTS --inputs X.npy]",
    "Which patterns hold, counts, the density along each axis, a hash of the mask that is the same on every machine,\n"
    "whether pruned weights are +0.0, and an upper bound of the change of the layer's output. Exit code 1, with the\n"
    "position, when a pattern that must hold is broken or a pruned weight is not +0.0.",
    run,
};
