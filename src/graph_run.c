/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune run on a whole model: its outputs as files.
 */
#include "graphs.h"

#include <string.h>

#include "tensors.h"

struct job {
    struct common common;
    struct samples samples;
    struct words outputs; /* [NAME=]Y.npy */
    const char *model;
    int64_t batch;
    prune_context *context;
    const prune_graph *graph;
    prune_tensor *arrays[MAX_INPUTS]; /* for each word of `outputs` */
    int32_t numbers[MAX_INPUTS];
};

/* Which output of the model each word is for. */
static int find_outputs(struct job *job)
{
    if (job->outputs.count > MAX_INPUTS)
        return complain(USAGE, "at most %d outputs can be written", MAX_INPUTS);
    for (int i = 0; i < job->outputs.count; i++) {
        const char *word = job->outputs.items[i], *equals = strchr(word, '=');
        int32_t found = equals ? -1 : i;
        for (int32_t k = 0; equals && k < prune_graph_output_count(job->graph); k++)
            if (strncmp(prune_graph_output_name(job->graph, k), word, (size_t)(equals - word)) == 0 &&
                !prune_graph_output_name(job->graph, k)[equals - word])
                found = k;
        if (found < 0 || found >= prune_graph_output_count(job->graph))
            return complain(USAGE, "-o %s: the model has no such output; it has %d, the first is \"%s\"", word,
                            (int)prune_graph_output_count(job->graph), prune_graph_output_name(job->graph, 0));
        job->numbers[i] = found;
    }
    return DONE;
}

/* Room for all samples of an output whose axis 0 counts them; of another the one part is all. */
static int32_t make_array(struct job *job, int i, const prune_tensor *y, int64_t count)
{
    int64_t shape[PRUNE_MAX_RANK] = {0};
    int32_t rank = prune_tensor_rank(y);
    if (rank)
        memcpy(shape, prune_tensor_shape(y), (size_t)rank * sizeof *shape);
    if (count < job->samples.samples)
        shape[0] = job->samples.samples;
    return prune_tensor_create(&job->arrays[i], job->context, prune_tensor_dtype(y), rank, shape);
}

/* Every part is looked at: an axis 0 that is as long as the first may not be as long as the last. */
static int32_t check_part(const struct job *job, int i, const prune_tensor *y, int64_t count)
{
    char text[SPEC_SIZE];
    const prune_tensor *all = job->arrays[i];
    const char *name = prune_graph_output_name(job->graph, job->numbers[i]);
    int32_t rank = prune_tensor_rank(y);
    if (count == job->samples.samples)
        return PRUNE_OK;
    if (!rank || prune_tensor_shape(y)[0] != count) {
        snprintf(text, sizeof text,
                 "output \"%.200s\" has no axis 0 that counts the %lld samples of a batch: run all at once with "
                 "--batch %lld",
                 name, (long long)count, (long long)job->samples.samples);
        return prune_fail(PRUNE_E_SHAPE, text);
    }
    int same = !all || prune_tensor_rank(all) == rank;
    for (int32_t k = 1; all && same && k < rank; k++)
        same = prune_tensor_shape(all)[k] == prune_tensor_shape(y)[k];
    if (!same) {
        snprintf(text, sizeof text,
                 "output \"%.200s\" has another shape in a batch of %lld samples than in the first: run all at once "
                 "with --batch %lld",
                 name, (long long)count, (long long)job->samples.samples);
        return prune_fail(PRUNE_E_SHAPE, text);
    }
    return PRUNE_OK;
}

static int keep_part(void *user, prune_session *session, int64_t first, int64_t count)
{
    struct job *job = user;
    for (int i = 0; i < job->outputs.count; i++) {
        const prune_tensor *y = prune_session_output(session, job->numbers[i]);
        int32_t status = check_part(job, i, y, count);
        if (!status && !job->arrays[i])
            status = make_array(job, i, y, count);
        if (status)
            return complain_status(status, job->model);
        int64_t bytes = prune_tensor_count(y) * prune_dtype_size(prune_tensor_dtype(y));
        if (bytes)
            memcpy((char *)prune_tensor_data(job->arrays[i]) + first * (bytes / count), prune_tensor_const_data(y),
                   (size_t)bytes);
    }
    return DONE;
}

static int write_outputs(const struct job *job)
{
    for (int i = 0; i < job->outputs.count; i++) {
        const char *word = job->outputs.items[i], *equals = strchr(word, '=');
        int code = tensor_write(job->arrays[i], equals ? equals + 1 : word,
                                prune_graph_output_name(job->graph, job->numbers[i]));
        if (code)
            return code;
        if (!job->common.json)
            printf("%s: output \"%s\" of %lld samples\n", equals ? equals + 1 : word,
                   prune_graph_output_name(job->graph, job->numbers[i]), (long long)job->samples.samples);
    }
    if (job->common.json)
        return print_json(json_pack("{s:o, s:I, s:i}", "model", json_text(job->model), "samples",
                                    (json_int_t)job->samples.samples, "outputs", job->outputs.count),
                          "run");
    return DONE;
}

static int work(struct job *job)
{
    prune_graph *graph = NULL;
    int code = context_open(&job->context, &job->common);
    if (!code)
        code = graph_read(&graph, job->context, job->model);
    job->graph = graph;
    if (!code)
        code = find_outputs(job);
    if (!code)
        code = samples_load(&job->samples, graph, job->context);
    if (!code)
        code = samples_check(&job->samples, graph, job->batch, job->outputs.count, job->numbers);
    if (!code)
        code = samples_run(&job->samples, graph, job->batch, NULL, keep_part, job);
    if (!code)
        code = write_outputs(job);
    for (int i = 0; i < job->outputs.count && i < MAX_INPUTS; i++)
        prune_tensor_free(job->arrays[i]);
    samples_free(&job->samples);
    prune_graph_free(graph);
    prune_context_free(job->context);
    return code;
}

int graph_run(const struct command *self, int argc, char **argv)
{
    static struct job job;
    struct options options = {.count = 0};
    job = (struct job){.batch = 64};
    options_add(&options, (struct option[]){
                              {OPTION_LIST, "output", 'o', &job.outputs, "[NAME=]Y.npy",
                               "where an output goes; again for each", 0, 0},
                              {OPTION_WHOLE, "batch", 0, &job.batch, "B", "samples at a time (64)", 1, 65536},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    samples_add_options(&job.samples, &options);
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help)
        code = options_operands(&options, self, 1, 1, "one model");
    if (!code && !options.help) {
        job.model = options.operands.items[0];
        code = job.outputs.count ? work(&job) : option_missing(self, "-o Y.npy, the file to write");
    }
    options_free(&options);
    return code;
}
