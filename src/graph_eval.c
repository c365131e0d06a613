/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune eval on a whole model: how many samples its first output ranks right.
 */
#include "graphs.h"
#include "tensors.h"

struct job {
    struct common common;
    struct samples samples;
    const char *labels_path, *model;
    int64_t batch;
    prune_tensor *labels;
    int64_t correct, classes;
};

/* The class with the largest logit, the lower of equal ones, a NaN never. */
static int64_t choose(const float *logits, int64_t classes)
{
    int64_t best = -1;
    for (int64_t i = 0; i < classes; i++)
        if (logits[i] == logits[i] && (best < 0 || logits[i] > logits[best]))
            best = i;
    return best;
}

static int count_part(void *user, prune_session *session, int64_t first, int64_t count)
{
    struct job *job = user;
    const prune_tensor *y = prune_session_output(session, 0);
    const int64_t *labels = prune_tensor_const_data(job->labels);
    if (!y || prune_tensor_dtype(y) != PRUNE_F32 || prune_tensor_rank(y) < 1 || prune_tensor_shape(y)[0] != count)
        return complain(BAD_INPUT, "%s: its first output is no f32 of one row for each sample", job->model);
    job->classes = prune_tensor_count(y) / count;
    const float *logits = prune_tensor_const_data(y);
    for (int64_t i = 0; i < count; i++) {
        int64_t label = labels[first + i];
        if (label < 0 || label >= job->classes)
            return complain(BAD_INPUT, "%s: label %lld of sample %lld is outside the %lld classes", job->labels_path,
                            (long long)label, (long long)(job->samples.first + first + i), (long long)job->classes);
        job->correct += choose(logits + i * job->classes, job->classes) == label;
    }
    return DONE;
}

static int load_labels(struct job *job, prune_context *context)
{
    prune_tensor *read = NULL, *part = NULL;
    int code = tensor_read(&read, context, job->labels_path);
    if (code)
        return code;
    int64_t there = prune_tensor_rank(read) == 1 ? prune_tensor_shape(read)[0] : -1;
    if (there < job->samples.first + job->samples.samples) {
        prune_tensor_free(read);
        return complain(BAD_INPUT, "%s has %lld labels of rank 1; %lld are needed", job->labels_path,
                        (long long)(there < 0 ? 0 : there), (long long)(job->samples.first + job->samples.samples));
    }
    int32_t status = prune_tensor_slice(&part, read, 0, job->samples.first, job->samples.samples, 1);
    if (!status)
        status = prune_tensor_convert(&job->labels, part, PRUNE_I64);
    prune_tensor_free(part);
    prune_tensor_free(read);
    return status ? complain_status(status, job->labels_path) : DONE;
}

static int show(const struct job *job)
{
    double accuracy = (double)job->correct / (double)job->samples.samples;
    if (job->common.json)
        return print_json(json_pack("{s:o, s:I, s:I, s:I, s:f}", "model", json_text(job->model), "samples",
                                    (json_int_t)job->samples.samples, "classes", (json_int_t)job->classes, "correct",
                                    (json_int_t)job->correct, "accuracy", accuracy),
                          "eval");
    printf("%s: accuracy %.2f %% (%lld of %lld)\n", job->model, 100 * accuracy, (long long)job->correct,
           (long long)job->samples.samples);
    return DONE;
}

static int work(struct job *job)
{
    prune_context *context = NULL;
    prune_graph *graph = NULL;
    int code = context_open(&context, &job->common);
    if (!code)
        code = graph_read(&graph, context, job->model);
    if (!code)
        code = samples_load(&job->samples, graph, context);
    if (!code && !job->samples.samples)
        code = complain(USAGE, "eval takes samples: --inputs X.npy");
    if (!code)
        code = load_labels(job, context);
    if (!code)
        code = samples_run(&job->samples, graph, job->batch, NULL, count_part, job);
    if (!code)
        code = show(job);
    samples_free(&job->samples);
    prune_tensor_free(job->labels);
    prune_graph_free(graph);
    prune_context_free(context);
    return code;
}

int graph_eval(const struct command *self, int argc, char **argv)
{
    static struct job job;
    struct options options = {.count = 0};
    job = (struct job){.batch = 64};
    options_add(&options,
                (struct option[]){
                    {OPTION_TEXT, "labels", 0, &job.labels_path, "Y.npy", "the right classes, whole numbers", 0, 0},
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
        code = job.labels_path ? work(&job) : option_missing(self, "--labels Y.npy");
    }
    options_free(&options);
    return code;
}
