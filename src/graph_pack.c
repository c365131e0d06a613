/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune pack on a whole model: its pruned weights as the kernels want them.
 */
#include "graphs.h"

#include <string.h>

struct job {
    struct common common;
    struct samples samples;
    const char *model, *out, *format;
    int64_t batch;
    int32_t packed;
};

/* Parameters with a mask, and what is kept of all. */
static int32_t count_pruned(const prune_graph *graph)
{
    int32_t count = 0;
    for (int32_t i = 0; i < prune_graph_parameter_count(graph); i++)
        count += prune_graph_mask(graph, prune_graph_parameter_name(graph, i)) != NULL;
    return count;
}

static int show(const struct job *job, const prune_graph *graph)
{
    int64_t parameters = 0, nonzero = 0;
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    graph_counts(graph, &parameters, &nonzero);
    if (job->common.json)
        return print_json(json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:i, s:i}", "model", json_text(job->model),
                                    "output", json_text(job->out), "parameters", (json_int_t)parameters, "nonzero",
                                    (json_int_t)nonzero, "source_bytes", (json_int_t)file_bytes(job->model),
                                    "file_bytes", (json_int_t)file_bytes(job->out), "pruned", (int)count_pruned(graph),
                                    "packed", (int)job->packed),
                          "pack");
    printf("%s: %d of %d pruned weights packed, %s bytes (%s: %s)\n", job->out, (int)job->packed,
           (int)count_pruned(graph), amount_count(a, file_bytes(job->out)), job->model,
           amount_count(b, file_bytes(job->model)));
    return DONE;
}

static int pack(struct job *job, const prune_graph *graph)
{
    char spec[SPEC_SIZE];
    const struct samples *samples = &job->samples;
    int length = snprintf(spec, sizeof spec, "weights=%s", job->format);
    if (length < 0 || length >= (int)sizeof spec)
        return complain(USAGE, "--format: \"%.100s\" is no format", job->format);
    write_begin();
    int32_t status =
        prune_graph_write_packed(graph, job->out, samples->count, samples->names,
                                 (const prune_tensor *const *)samples->arrays, samples->fixed, spec, &job->packed);
    write_end();
    return status ? complain_status(status, NULL) : DONE;
}

static int work(struct job *job)
{
    prune_context *context = NULL;
    prune_graph *graph = NULL;
    int code = context_open(&context, &job->common);
    if (!code)
        code = graph_read(&graph, context, job->model, job->samples.external);
    if (!code)
        code = samples_example(&job->samples, graph, context, job->batch);
    if (!code)
        code = pack(job, graph);
    if (!code)
        code = show(job, graph);
    samples_free(&job->samples);
    prune_graph_free(graph);
    prune_context_free(context);
    return code;
}

int graph_pack(const struct command *self, int argc, char **argv)
{
    static struct job job;
    struct options options = {.count = 0};
    job = (struct job){.batch = 1, .format = "auto"};
    options_add(&options,
                (struct option[]){
                    {OPTION_TEXT, "output", 'o', &job.out, "PACKED", "the file to write", 0, 0},
                    {OPTION_WHOLE, "batch", 0, &job.batch, "B", "samples that it will run at a time (1)", 1, 65536},
                    {OPTION_TEXT, "format", 0, &job.format, "FORMAT",
                     "auto (the fastest by the table of speeds), csr, nm, bsr, csc or bitmap", 0, 0},
                    {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                });
    samples_add_options(&job.samples, &options);
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help)
        code = options_operands(&options, self, 1, 1, "one model");
    if (!code && !options.help) {
        job.model = options.operands.items[0];
        code = job.out ? work(&job) : option_missing(self, "-o PACKED, the file to write");
    }
    options_free(&options);
    return code;
}
