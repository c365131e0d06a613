/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

struct job {
    struct common common;
    const char *arch, *from, *data, *out;
    const char *epochs, *lr, *batch, *momentum, *weight_decay, *decay, *seed;
};

static void add_options(struct options *options, struct job *job)
{
    options_add(
        options,
        (struct option[]){
            {OPTION_TEXT, "arch", 0, &job->arch, "WIDTHS", "a new network of linear layers: 784-300-100-10", 0, 0},
            {OPTION_TEXT, "from", 0, &job->from, "NET", "go on from this network; what its masks prune stays 0", 0, 0},
            {OPTION_TEXT, "data", 0, &job->data, "DIR", "folder of four IDX files (" STANDARD_DATA ")", 0, 0},
            {OPTION_TEXT, "epochs", 0, &job->epochs, "N", "passes over the images (10; with --from 3)", 0, 0},
            {OPTION_TEXT, "lr", 0, &job->lr, "R", "learning rate at the start (0.05; with --from 0.02)", 0, 0},
            {OPTION_TEXT, "batch", 0, &job->batch, "B", "images a step (64)", 0, 0},
            {OPTION_TEXT, "momentum", 0, &job->momentum, "M", "momentum of SGD (0.9)", 0, 0},
            {OPTION_TEXT, "weight-decay", 0, &job->weight_decay, "D", "added to the gradient of weights (1e-4)", 0, 0},
            {OPTION_TEXT, "decay", 0, &job->decay, "WORD", "of the rate: cosine (to 0, the default) or constant", 0, 0},
            {OPTION_TEXT, "seed", 0, &job->seed, "N", "of the first weights and the order of images (1)", 0, 0},
            {OPTION_TEXT, "output", 'o', &job->out, "NET", "the file to write", 0, 0},
            {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
        });
    options_add_common(options, &job->common);
}

/* Settings that were given go to the trainer, which checks them and has the defaults. */
static int trainer_spec(const struct job *job, char spec[SPEC_SIZE])
{
    const struct {
        const char *key, *option, *value;
    } settings[] = {
        {"epochs", "epochs",
         job->epochs ? job->epochs
         : job->from ? "3"
                     : NULL},
        {"lr", "lr",
         job->lr     ? job->lr
         : job->from ? "0.02"
                     : NULL},
        {"batch", "batch", job->batch},
        {"momentum", "momentum", job->momentum},
        {"weight_decay", "weight-decay", job->weight_decay},
        {"decay", "decay", job->decay},
        {"seed", "seed", job->seed},
    };
    spec[0] = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        int code = settings[i].value ? spec_append(spec, settings[i].key, settings[i].value, settings[i].option) : DONE;
        if (code)
            return code;
    }
    return DONE;
}

static int start(prune_network **network, prune_context *context, const struct job *job)
{
    if (job->from)
        return network_read(network, context, job->from);
    int64_t seed = 1;
    if (job->seed) {
        char *end;
        seed = strtoll(job->seed, &end, 10);
        if (end == job->seed || *end || seed < 0)
            return complain(USAGE, "--seed takes a whole number from 0, not \"%s\"", job->seed);
    }
    int32_t status = prune_network_create_mlp(network, context, job->arch);
    if (!status)
        status = prune_network_initialize(*network, (uint64_t)seed);
    return status ? complain_status(status, "--arch") : DONE;
}

static int train(prune_network *network, prune_context *context, const struct job *job, const char *spec, double *loss)
{
    prune_tensor *images = NULL, *labels = NULL;
    prune_trainer *trainer = NULL;
    int32_t status = prune_trainer_create(&trainer, network, spec);
    int code = status ? complain_status(status, NULL) : data_read(&images, &labels, context, job->data, "train");
    if (!code) {
        progress_label(job->out);
        status = prune_trainer_run(trainer, images, labels, loss);
        progress_label("");
        progress_end();
        code = status ? complain_status(status, job->out) : DONE;
    }
    prune_trainer_free(trainer);
    prune_tensor_free(images);
    prune_tensor_free(labels);
    return code;
}

static int finish(prune_network *network, prune_context *context, const struct job *job, double loss, double seconds)
{
    prune_tensor *images = NULL, *labels = NULL;
    int code = data_read(&images, &labels, context, job->data, "test");
    int64_t correct = 0, count = 0;
    if (!code) {
        count = prune_tensor_shape(labels)[0];
        int32_t status = prune_network_evaluate(network, images, labels, 64, &correct);
        code = status ? complain_status(status, NULL) : network_write(network, job->out);
    }
    prune_tensor_free(images);
    prune_tensor_free(labels);
    if (code)
        return code;
    double accuracy = count ? (double)correct / (double)count : 0;
    if (job->common.json)
        return print_json(json_pack("{s:o, s:f, s:I, s:I, s:f, s:f}", "network", json_text(job->out), "loss", loss,
                                    "correct", (json_int_t)correct, "images", (json_int_t)count, "accuracy", accuracy,
                                    "seconds", seconds),
                          "train");
    printf("%s: loss %.4f, test accuracy %.2f %%\n", job->out, loss, 100 * accuracy);
    return DONE;
}

static int work(const struct job *job)
{
    char spec[SPEC_SIZE];
    prune_context *context = NULL;
    prune_network *network = NULL;
    double loss = 0, begun = now();
    int code = trainer_spec(job, spec);
    if (!code)
        code = context_open(&context, &job->common);
    if (!code)
        code = start(&network, context, job);
    if (!code)
        code = train(network, context, job, spec, &loss);
    if (!code)
        code = finish(network, context, job, loss, now() - begun);
    prune_network_free(network);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct options options = {.count = 0};
    struct job job = {.data = STANDARD_DATA};
    add_options(&options, &job);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 0, 0, "no file");
        if (!code && !job.arch == !job.from)
            code = complain(USAGE, "train needs either --arch WIDTHS (a new network) or --from NET (go on from one)");
        if (!code && !job.out)
            code = option_missing(self, "-o NET, the file to write");
        if (!code)
            code = work(&job);
    }
    options_free(&options);
    return code;
}

const struct command cmd_train = {
    "train",
    "train a network on labelled images, or go on with a pruned one",
    "--arch WIDTHS [--data DIR] [OPTION...] -o NET\n--from NET [--data DIR] [OPTION...] -o NET",
    "Trains with softmax cross-entropy and SGD on the data set's training images, and prints the\n"
    "accuracy on its test images. --from goes on from a network's values with fresh momentum.",
    run,
};
