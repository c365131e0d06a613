/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "graphs.h"
#include "tool.h"

struct job {
    struct common common;
    const char *in, *inputs, *out, *output;
    int64_t batch;
};

static int find_output(const struct job *job, const prune_network *network, int32_t *index)
{
    *index = 0;
    if (!job->output)
        return DONE;
    for (int32_t i = 0; i < prune_network_output_count(network); i++)
        if (strcmp(prune_network_output_name(network, i), job->output) == 0) {
            *index = i;
            return DONE;
        }
    return complain(USAGE, "%s has no output \"%s\"; its first is \"%s\"", job->in, job->output,
                    prune_network_output_name(network, 0));
}

/* The inputs as F32 rows of the network's width. */
static int read_inputs(prune_tensor **rows, prune_context *context, const char *path, int64_t width)
{
    prune_tensor *read = NULL;
    int32_t status = prune_npy_read(&read, context, path);
    if (!status)
        status = prune_tensor_convert(rows, read, PRUNE_F32);
    prune_tensor_free(read);
    if (status)
        return complain_status(status, NULL);
    int32_t rank = prune_tensor_rank(*rows);
    int64_t count = prune_tensor_count(*rows), samples = rank ? prune_tensor_shape(*rows)[0] : 1;
    if (rank < 2 || samples < 0 || count != samples * width)
        return complain(BAD_INPUT, "%s must have shape [samples, ...] with %lld numbers a sample", path,
                        (long long)width);
    return DONE;
}

static int run_all(const struct job *job, prune_runner *runner, int32_t output, const prune_tensor *x, prune_tensor *y)
{
    int64_t samples = prune_tensor_shape(x)[0];
    int64_t in = prune_runner_input_size(runner), out = prune_runner_output_size(runner, output);
    const float *from = prune_tensor_const_data(x);
    float *to = prune_tensor_data(y);
    for (int64_t at = 0; at < samples; at += job->batch) {
        int64_t count = samples - at < job->batch ? samples - at : job->batch;
        int32_t status = prune_runner_run(runner, from + at * in, count, output, to + at * out);
        if (status)
            return complain_status(status, job->in);
    }
    return DONE;
}

static int write_outputs(const struct job *job, const prune_tensor *y, const char *kernels)
{
    write_begin();
    int32_t status = prune_npy_write(y, job->out);
    write_end();
    if (status)
        return complain_status(status, NULL);
    const int64_t *shape = prune_tensor_shape(y);
    if (job->common.json)
        return print_json(json_pack("{s:o, s:I, s:I, s:s}", "outputs", json_text(job->out), "samples",
                                    (json_int_t)shape[0], "width", (json_int_t)shape[1], "kernels", kernels),
                          "run");
    printf("%s: %lld samples of %lld numbers (%s)\n", job->out, (long long)shape[0], (long long)shape[1], kernels);
    return DONE;
}

static int work(const struct job *job)
{
    prune_context *context = NULL;
    prune_network *network = NULL;
    prune_runner *runner = NULL;
    prune_tensor *x = NULL, *y = NULL;
    int32_t output = 0;
    int code = context_open(&context, &job->common);
    if (!code)
        code = network_read(&network, context, job->in);
    if (!code)
        code = find_output(job, network, &output);
    if (!code) {
        int32_t status = prune_runner_create(&runner, network, job->batch);
        code = status ? complain_status(status, job->in) : DONE;
    }
    if (!code)
        code = read_inputs(&x, context, job->inputs, prune_runner_input_size(runner));
    if (!code) {
        int64_t shape[] = {prune_tensor_shape(x)[0], prune_runner_output_size(runner, output)};
        int32_t status = prune_tensor_create(&y, context, PRUNE_F32, 2, shape);
        code = status ? complain_status(status, NULL) : run_all(job, runner, output, x, y);
    }
    if (!code)
        code = write_outputs(job, y, prune_runner_kernels(runner));
    prune_tensor_free(y);
    prune_tensor_free(x);
    prune_runner_free(runner);
    prune_network_free(network);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    if (graph_is_named(argc, argv))
        return graph_run(self, argc, argv);
    struct options options = {.count = 0};
    struct job job = {.batch = 64};
    options_add(
        &options,
        (struct option[]){
            {OPTION_TEXT, "inputs", 0, &job.inputs, "X.npy", "samples along the first axis", 0, 0},
            {OPTION_TEXT, "output", 'o', &job.out, "Y.npy", "the file to write: float32, a row for each sample", 0, 0},
            {OPTION_TEXT, "value", 0, &job.output, "NAME", "which output of the network (its first)", 0, 0},
            {OPTION_WHOLE, "batch", 0, &job.batch, "N", "samples at a time (64)", 1, 65536},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 1, 1, "one network");
        if (!code && !job.inputs)
            code = option_missing(self, "--inputs X.npy, the samples");
        if (!code && !job.out)
            code = option_missing(self, "-o Y.npy, the file to write");
        if (!code) {
            job.in = options.operands.items[0];
            code = work(&job);
        }
    }
    options_free(&options);
    return code;
}

const struct command cmd_run = {
    "run",
    "run a network, packed or not, on an array of samples",
    "(NET|PACKED) --inputs X.npy [--batch N] [--value NAME] -o Y.npy\n"
    "MODEL.onnx --inputs [NAME=]X.npy... [--set NAME=VALUE] [--batch B] -o [NAME=]Y.npy...",
    "Writes the network's outputs (logits) for the samples of a NumPy file. `prune run MODEL.onnx --help` has the\n"
    "options for ONNX models.",
    run,
};
