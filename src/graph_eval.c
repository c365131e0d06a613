/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune eval on a whole model: how many samples its first output ranks right.
 */
#include "graphs.h"

struct job {
    struct common common;
    struct samples samples;
    struct labels labels;
    const char *model;
    int64_t batch;
    int64_t correct, classes;
};

static int count_part(void *user, prune_session *session, int64_t first, int64_t count)
{
    struct job *job = user;
    int code = labels_count(&job->labels, &job->samples, job->model, session, first, count, &job->correct);
    if (!code)
        job->classes = prune_tensor_count(prune_session_output(session, 0)) / count;
    return code;
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
        code = graph_read(&graph, context, job->model, job->samples.external);
    if (!code)
        code = samples_load(&job->samples, graph, context);
    if (!code && !job->samples.samples)
        code = complain(USAGE, "eval takes samples: --inputs X.npy");
    if (!code)
        code = labels_load(&job->labels, &job->samples, context);
    if (!code)
        code = samples_check(&job->samples, graph, job->batch, 1, (const int32_t[]){0});
    if (!code)
        code = samples_run(&job->samples, graph, job->batch, NULL, count_part, job);
    if (!code)
        code = show(job);
    samples_free(&job->samples);
    prune_tensor_free(job->labels.array);
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
                    {OPTION_TEXT, "labels", 0, &job.labels.path, "Y.npy", "the right classes, whole numbers", 0, 0},
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
        code = job.labels.path ? work(&job) : option_missing(self, "--labels Y.npy");
    }
    options_free(&options);
    return code;
}
