/* SPDX-License-Identifier: BSD-2-Clause */
#include "graphs.h"

#include <stdlib.h>
#include <string.h>

#include "file_kind.h"
#include "tensors.h"

static int is_graph(const char *path)
{
    enum file_kind kind = name_ends(path, ".onnx") ? FILE_ONNX : file_kind(path);
    return kind == FILE_ONNX || kind == FILE_PACKED;
}

int graph_is_named(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' && strcmp(argv[i - 1], "-o") != 0 && strcmp(argv[i - 1], "--output") != 0 &&
            is_graph(argv[i]))
            return 1;
    return 0;
}

int graph_read(prune_graph **graph, prune_context *context, const char *path, int external)
{
    int32_t status = prune_graph_read(graph, context, path, external ? "external=folder" : NULL);
    if (status == PRUNE_E_UNSUPPORTED && strstr(prune_error(), "external=folder"))
        return complain(exit_of(status), "%s (--external)", prune_error());
    if (!status)
        status = prune_graph_mask_zeros(*graph, LEAST_ZEROS, NULL);
    return status ? complain_status(status, NULL) : DONE;
}

int graph_write(const prune_graph *graph, const char *path, const char *spec)
{
    write_begin();
    int32_t status = prune_graph_write(graph, path, spec);
    write_end();
    return status ? complain_status(status, NULL) : DONE;
}

void graph_add_options(struct samples *samples, struct options *options)
{
    options_add(options,
                (struct option[]){
                    {OPTION_LIST, "freeze-shape", 0, &samples->freeze, "NAME=N",
                     "gives an extent of the inputs that has a name (`prune inspect` shows them) a number", 0, 0},
                    {OPTION_FLAG, "external", 0, &samples->external, NULL,
                     "read tensors that lie in other files of the model's folder", 0, 0},
                    {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                });
}

void samples_add_options(struct samples *samples, struct options *options)
{
    memset(samples, 0, sizeof *samples);
    options_add(
        options,
        (struct option[]){
            {OPTION_LIST, "inputs", 0, &samples->inputs, "[NAME=]X.npy",
             "samples, axis 0 counting them; again for each input of the model", 0, 0},
            {OPTION_LIST, "set", 0, &samples->set, "NAME=VALUE",
             "fixes an input: a number, several with commas between them, or a .npy file", 0, 0},
            {OPTION_TEXT, "layout", 0, &samples->layout, "nchw|nhwc", "how images lie in the file (nchw)", 0, 0},
            {OPTION_TEXT, "scale", 0, &samples->scale, "S", "inputs become (x * scale - mean) / std: a factor", 0, 0},
            {OPTION_TEXT, "mean", 0, &samples->mean, "M,M,...", "a number for each channel, or one", 0, 0},
            {OPTION_TEXT, "std", 0, &samples->std, "D,D,...", "a number for each channel, or one", 0, 0},
            {OPTION_WHOLE, "first", 0, &samples->first, "N", "the first sample to take (0)", 0, INT64_MAX / 2},
            {OPTION_WHOLE, "count", 0, &samples->number, "N", "how many samples to take (all)", 1, INT64_MAX / 2},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    graph_add_options(samples, options);
}

int numbers_of(double *out, int64_t most, int64_t *count, const char *text, const char *option)
{
    *count = 0;
    for (const char *at = text;; at++) {
        char *end;
        double number = strtod(at, &end);
        if (end == at || (*end && *end != ',') || number - number != 0)
            return complain(USAGE, "%s takes numbers with commas between them, not \"%s\"", option, text);
        if (*count == most)
            return complain(USAGE, "%s has more than %lld numbers", option, (long long)most);
        out[(*count)++] = number;
        if (!*end)
            return DONE;
        at = end;
    }
}

#define MAX_CHANNELS 4096

struct normalisation {
    double scale, mean[MAX_CHANNELS], std[MAX_CHANNELS];
    int64_t means, stds;
};

static int read_normalisation(struct normalisation *n, const struct samples *samples, int64_t channels)
{
    int64_t scales = 1;
    n->scale = 1, n->mean[0] = 0, n->std[0] = 1, n->means = n->stds = 1;
    int code = samples->scale ? numbers_of(&n->scale, 1, &scales, samples->scale, "--scale") : DONE;
    if (!code && samples->mean)
        code = numbers_of(n->mean, MAX_CHANNELS, &n->means, samples->mean, "--mean");
    if (!code && samples->std)
        code = numbers_of(n->std, MAX_CHANNELS, &n->stds, samples->std, "--std");
    if (!code && ((n->means > 1 && n->means != channels) || (n->stds > 1 && n->stds != channels)))
        code = complain(USAGE, "--mean has %lld numbers and --std %lld; the images have %lld channels",
                        (long long)n->means, (long long)n->stds, (long long)channels);
    for (int64_t i = 0; !code && i < n->stds; i++)
        if (!(n->std[i] > 0))
            code = complain(USAGE, "--std has %g; it must be above 0", n->std[i]);
    return code;
}

/* Row-major F32 with channels on axis 1, normalised. */
static int normalise(prune_tensor **array, const struct samples *samples, const char *about)
{
    static struct normalisation n;
    prune_tensor *turned = NULL, *floats = NULL;
    int32_t rank = prune_tensor_rank(*array), status = PRUNE_OK;
    int nhwc = samples->layout && strcmp(samples->layout, "nhwc") == 0;
    if (samples->layout && !nhwc && strcmp(samples->layout, "nchw") != 0)
        return complain(USAGE, "--layout takes nchw or nhwc, not \"%s\"", samples->layout);
    if (nhwc && rank != 4)
        return complain(USAGE, "%s has rank %d; --layout nhwc takes images of rank 4", about, (int)rank);
    if (nhwc)
        status = prune_tensor_permute(&turned, *array, (const int32_t[]){0, 3, 1, 2});
    if (!status)
        status = prune_tensor_convert(&floats, turned ? turned : *array, PRUNE_F32);
    prune_tensor_free(turned);
    if (status)
        return complain_status(status, about);
    const int64_t *shape = prune_tensor_shape(floats);
    int64_t channels = rank > 1 ? shape[1] : 1, each = 1, outer = rank ? shape[0] : 1;
    for (int32_t i = 2; i < rank; i++)
        each *= shape[i];
    int code = read_normalisation(&n, samples, channels);
    float *x = prune_tensor_data(floats);
    for (int64_t i = 0; !code && i < outer * channels; i++) {
        int64_t channel = i % channels;
        double mean = n.mean[n.means > 1 ? channel : 0], std = n.std[n.stds > 1 ? channel : 0];
        for (int64_t k = 0; k < each; k++)
            x[i * each + k] = (float)(((double)x[i * each + k] * n.scale - mean) / std);
    }
    prune_tensor_free(*array);
    *array = floats;
    return code;
}

static int index_of_input(const prune_graph *graph, const char *name, size_t length)
{
    for (int32_t i = 0; i < prune_graph_input_count(graph); i++) {
        const char *other = prune_graph_input_name(graph, i);
        if (strlen(other) == length && memcmp(other, name, length) == 0)
            return i;
    }
    return -1;
}

/* The part `first`, `number` of an array. */
static int cut(prune_tensor **array, const struct samples *samples, const char *about)
{
    int64_t there = prune_tensor_rank(*array) ? prune_tensor_shape(*array)[0] : 0;
    int64_t count = samples->number ? samples->number : there - samples->first;
    prune_tensor *part;
    if (count < 1 || count > there - samples->first)
        return complain(USAGE, "%s has %lld samples; %lld from %lld on were asked for", about, (long long)there,
                        (long long)samples->number, (long long)samples->first);
    int32_t status = prune_tensor_slice(&part, *array, 0, samples->first, count, 1);
    if (status)
        return complain_status(status, about);
    prune_tensor_free(*array);
    *array = part;
    return DONE;
}

static int load_array(struct samples *samples, int index, const prune_graph *graph, prune_context *context,
                      const char *path)
{
    int32_t dtype = 0;
    int wants_numbers = samples->layout || samples->scale || samples->mean || samples->std;
    prune_tensor **array = &samples->arrays[index];
    int code = tensor_read(array, context, path);
    samples->paths[index] = path;
    if (code)
        return code;
    code = cut(array, samples, path);
    if (!code)
        prune_graph_input_type(graph, index, &dtype, NULL, NULL);
    if (!code && (wants_numbers || (dtype == PRUNE_F32 && prune_tensor_dtype(*array) != PRUNE_F32)))
        code = normalise(array, samples, path);
    if (!code) {
        int64_t there = prune_tensor_shape(*array)[0];
        if (samples->samples && samples->samples != there)
            code = complain(USAGE, "%s has %lld samples, the one before it %lld", path, (long long)there,
                            (long long)samples->samples);
        samples->samples = there;
    }
    return code;
}

/* A number or several, in the input's dtype. Without an extent that is free the input's shape, else a vector. */
static int set_number(struct samples *samples, int index, const prune_graph *graph, prune_context *context,
                      const char *text)
{
    double numbers[64];
    int64_t count, shape[8], all = 1;
    int32_t dtype = 0, rank = 0, status;
    prune_tensor *wide = NULL;
    if (name_ends(text, ".npy")) {
        samples->paths[index] = text;
        return tensor_read(&samples->arrays[index], context, text);
    }
    int code = numbers_of(numbers, 64, &count, text, "--set NAME=VALUE");
    if (code)
        return code;
    prune_graph_input_type(graph, index, &dtype, &rank, shape);
    for (int32_t i = 0; i < rank; i++)
        all *= shape[i] < 0 ? count : shape[i];
    if (rank < 0 || all != count)
        return complain(USAGE, "input \"%s\" does not take %lld numbers; give a .npy file of its shape",
                        samples->names[index], (long long)count);
    for (int32_t i = 0; i < rank; i++)
        shape[i] = shape[i] < 0 ? count : shape[i];
    status = prune_tensor_borrow(&wide, context, numbers, PRUNE_F64, rank, shape, NULL);
    if (!status)
        status = prune_tensor_convert(&samples->arrays[index], wide, dtype);
    prune_tensor_free(wide);
    return status ? complain_status(status, "--set") : DONE;
}

static int load_words(struct samples *samples, const struct words *words, int fixed, const prune_graph *graph,
                      prune_context *context)
{
    for (int i = 0; i < words->count; i++) {
        const char *word = words->items[i], *equals = strchr(word, '=');
        int index = equals ? index_of_input(graph, word, (size_t)(equals - word)) : -1;
        if (fixed && !equals)
            return complain(USAGE, "--set takes NAME=VALUE, not \"%s\"", word);
        if (!equals)
            for (index = 0; index < samples->count && samples->arrays[index];)
                index++;
        if (index < 0 || index >= samples->count)
            return complain(USAGE, "\"%s\" is for no input of the model; it has %d, the first is \"%s\"", word,
                            (int)samples->count, samples->count ? samples->names[0] : "");
        if (samples->arrays[index])
            return complain(USAGE, "input \"%s\" is given twice", samples->names[index]);
        const char *value = equals ? equals + 1 : word;
        int code = fixed ? set_number(samples, index, graph, context, value)
                         : load_array(samples, index, graph, context, value);
        if (code)
            return code;
        samples->fixed[index] = fixed;
    }
    return DONE;
}

int samples_freeze(const struct samples *samples, prune_graph *graph)
{
    for (int i = 0; i < samples->freeze.count; i++) {
        const char *word = samples->freeze.items[i], *equals = strrchr(word, '=');
        char name[SPEC_SIZE], *end = NULL;
        long long extent = equals ? strtoll(equals + 1, &end, 10) : -1;
        if (!equals || equals == word || end == equals + 1 || *end || extent < 0 || extent > INT64_MAX / 2)
            return complain(USAGE, "--freeze-shape takes NAME=N, N being 0 or more, not \"%s\"", word);
        snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
        int32_t status = prune_graph_freeze(graph, name, extent, NULL);
        if (status)
            return complain_status(status, "--freeze-shape");
    }
    return DONE;
}

static int load_given(struct samples *samples, prune_graph *graph, prune_context *context)
{
    int32_t inputs = prune_graph_input_count(graph);
    if (inputs > MAX_INPUTS)
        return complain(BAD_INPUT, "the model has %d inputs; at most %d can be fed", (int)inputs, MAX_INPUTS);
    samples->count = inputs; /* samples_free goes by it: never more than there is room for */
    for (int32_t i = 0; i < samples->count; i++)
        samples->names[i] = prune_graph_input_name(graph, i);
    int code = samples_freeze(samples, graph);
    if (!code)
        code = load_words(samples, &samples->set, 1, graph, context);
    return code ? code : load_words(samples, &samples->inputs, 0, graph, context);
}

int samples_load(struct samples *samples, prune_graph *graph, prune_context *context)
{
    int code = load_given(samples, graph, context);
    for (int32_t i = 0; i < samples->count && !code; i++)
        if (!samples->arrays[i])
            code = complain(USAGE, "input \"%s\" is missing: --inputs [NAME=]X.npy or --set NAME=VALUE",
                            samples->names[i]);
    return code ? code : samples_fit(samples, graph);
}

static int make_example(struct samples *samples, int32_t index, const prune_graph *graph, prune_context *context,
                        int64_t batch)
{
    int64_t shape[PRUNE_MAX_RANK] = {0};
    int32_t dtype = 0, rank = -1;
    prune_graph_input_type(graph, index, &dtype, &rank, shape);
    if (!dtype || rank < 0)
        return complain(USAGE, "the model does not say what input \"%s\" is: give it with --inputs",
                        samples->names[index]);
    if (rank && shape[0] < 0)
        shape[0] = batch;
    for (int32_t i = 1; i < rank; i++) {
        const char *symbol = prune_graph_input_symbol(graph, index, i);
        if (shape[i] >= 0)
            continue;
        if (symbol)
            return complain(USAGE, "axis %d of input \"%s\" is free: say how long it is with --freeze-shape %s=N",
                            (int)i, samples->names[index], symbol);
        return complain(USAGE, "axis %d of input \"%s\" is free and has no name: give the input with --inputs", (int)i,
                        samples->names[index]);
    }
    int32_t status = prune_tensor_create(&samples->arrays[index], context, dtype, rank, shape);
    return status ? complain_status(status, samples->names[index]) : DONE;
}

int samples_example(struct samples *samples, prune_graph *graph, prune_context *context, int64_t batch)
{
    int code = load_given(samples, graph, context);
    for (int32_t i = 0; i < samples->count && !code; i++)
        if (!samples->arrays[i])
            code = make_example(samples, i, graph, context, samples->samples ? samples->samples : batch);
    return code;
}

void samples_free(struct samples *samples)
{
    for (int32_t i = 0; i < samples->count; i++)
        prune_tensor_free(samples->arrays[i]);
}

int samples_part(prune_tensor *part[MAX_INPUTS], const struct samples *samples, int64_t first, int64_t count)
{
    for (int32_t i = 0; i < samples->count; i++)
        part[i] = NULL;
    for (int32_t i = 0; i < samples->count; i++) {
        const prune_tensor *array = samples->arrays[i];
        int64_t all = samples->fixed[i] ? -1 : count;
        int32_t status = all < 0 ? prune_tensor_convert(&part[i], array, prune_tensor_dtype(array))
                                 : prune_tensor_slice(&part[i], array, 0, first, count, 1);
        if (status) {
            samples_part_free(part, samples);
            return complain_status(status, samples->names[i]);
        }
    }
    return DONE;
}

void samples_part_free(prune_tensor *part[MAX_INPUTS], const struct samples *samples)
{
    for (int32_t i = 0; i < samples->count; i++)
        prune_tensor_free(part[i]);
}

int samples_run(const struct samples *samples, const prune_graph *graph, int64_t batch, const char *spec,
                samples_take *take, void *user)
{
    prune_session *session = NULL;
    int64_t made_for = 0, all = samples->samples ? samples->samples : 1, done = 0;
    int code = samples_batch(samples, graph, &batch);
    while (done < all && !code) {
        prune_tensor *part[MAX_INPUTS];
        int64_t count = all - done < batch ? all - done : batch;
        const prune_tensor *const *arrays = (const prune_tensor *const *)part;
        code = samples_part(part, samples, done, count);
        if (code)
            break;
        int32_t status = PRUNE_OK;
        if (count != made_for) {
            prune_session_free(session);
            session = NULL;
            status =
                prune_session_create(&session, graph, samples->count, samples->names, arrays, samples->fixed, spec);
            made_for = count;
        }
        if (!status)
            status = prune_session_run(session, samples->count, arrays);
        code = status ? complain_status(status, NULL) : take(user, session, done, count);
        samples_part_free(part, samples);
        done += count;
        progress_show("samples", done, all);
    }
    progress_end();
    prune_session_free(session);
    return code;
}
