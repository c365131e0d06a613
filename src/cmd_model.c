/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "graphs.h"
#include "model_file.h"

struct job {
    struct common common;
    struct pruning pruning;
    struct words layers; /* NAME=S */
    const char *in, *out;
};

/* The amount for parameter `name` ("fc1.weight") from the --layer words; *found says whether one names it. */
static int layer_amount(const struct words *layers, const char *name, double *amount, int *found)
{
    size_t length = strlen(name) - strlen(".weight");
    for (int i = 0; i < layers->count; i++) {
        const char *word = layers->items[i];
        const char *equals = strrchr(word, '=');
        if ((size_t)(equals - word) != length || memcmp(word, name, length) != 0)
            continue;
        *found = 1;
        return fraction(amount, equals + 1, "--layer NAME=S");
    }
    return DONE;
}

static int check_layers(const struct job *job, prune_network *network)
{
    for (int i = 0; i < job->layers.count; i++) {
        const char *word = job->layers.items[i];
        const char *equals = strrchr(word, '=');
        char weight[SPEC_SIZE];
        double amount;
        if (!equals || equals == word)
            return complain(USAGE, "--layer takes NAME=S, such as fc1=0.92, not \"%s\"", word);
        int code = fraction(&amount, equals + 1, "--layer NAME=S");
        if (code)
            return code;
        int length = (int)(equals - word);
        snprintf(weight, sizeof weight, "%.*s.weight", length, word);
        if (!prune_network_parameter(network, weight))
            return complain(USAGE, "%s has no dense layer \"%.*s\"; `prune inspect %s` lists its layers", job->in,
                            length, word, job->in);
        for (int j = 0; j < i; j++)
            if (strncmp(job->layers.items[j], word, (size_t)length + 1) == 0)
                return complain(USAGE, "--layer %.*s is given twice", length, word);
    }
    return DONE;
}

static int check_target(struct job *job)
{
    int quota = prune_granularity_has_quota(job->pruning.granularity);
    if (job->layers.count && (quota || job->pruning.sparsity))
        return complain(USAGE, "--layer gives each layer a sparsity of its own; leave %s out",
                        quota ? "the granularity with a quota" : "--sparsity");
    if (!job->layers.count && !quota && !job->pruning.sparsity)
        return complain(USAGE, "say how much goes: --sparsity S, --layer NAME=S, or --granularity nm with its quota");
    return job->layers.count ? DONE : pruning_target(&job->pruning);
}

static int prune_layers(struct job *job, prune_network *network)
{
    for (int32_t i = 0; i < prune_network_parameter_count(network); i++) {
        const char *name = prune_network_parameter_name(network, i);
        double amount = job->pruning.amount;
        int chosen = job->layers.count == 0;
        if (!name_ends(name, ".weight"))
            continue;
        int code = chosen ? DONE : layer_amount(&job->layers, name, &amount, &chosen);
        if (code || !chosen) {
            if (code)
                return code;
            continue;
        }
        const prune_tensor *weights = prune_network_parameter(network, name);
        if (!weights)
            return complain(BAD_INPUT, "%s: %s is packed already; prune the network it was packed from", job->in, name);
        prune_mask *mask = NULL;
        code = pruning_mask(&mask, &job->pruning, weights, prune_network_mask(network, name), amount, name);
        if (code)
            return code;
        int32_t status = prune_network_set_mask(network, name, mask);
        prune_mask_free(mask);
        if (status)
            return complain_status(status, name);
    }
    return DONE;
}

static int show(const struct job *job, prune_network *network)
{
    json_t *layers = json_array();
    char text[1024] = "";
    size_t length = 0;
    int64_t all = 0, all_kept = 0;
    for (int32_t i = 0; i < prune_network_parameter_count(network); i++) {
        const char *name = prune_network_parameter_name(network, i);
        int64_t count = 0, kept = 0;
        if (!name_ends(name, ".weight"))
            continue;
        int code = weight_counts(network, name, &count, &kept);
        if (code) {
            json_decref(layers);
            return code;
        }
        all += count;
        all_kept += kept;
        json_array_append_new(
            layers, json_pack("{s:s, s:I, s:I}", "name", name, "weights", (json_int_t)count, "kept", (json_int_t)kept));
        if (length < sizeof text)
            length += (size_t)snprintf(text + length, sizeof text - length, "; %s %.3g %%", name,
                                       count ? 100.0 * (double)kept / (double)count : 100.0);
    }
    if (job->common.json)
        return print_json(json_pack("{s:o, s:I, s:I, s:s, s:s, s:o}", "network", json_text(job->out), "weights",
                                    (json_int_t)all, "kept", (json_int_t)all_kept, "criterion",
                                    prune_criterion_spec(job->pruning.criterion), "granularity",
                                    prune_granularity_spec(job->pruning.granularity), "layers", layers),
                          "model");
    json_decref(layers);
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    printf("%s: %s of %s weights kept%s\n", job->out, amount_count(a, all_kept), amount_count(b, all), text);
    return DONE;
}

static int work_on_network(struct job *job, prune_context *context)
{
    prune_network *network = NULL;
    int code = network_read(&network, context, job->in);
    if (!code)
        code = check_layers(job, network);
    if (!code)
        code = prune_layers(job, network);
    if (!code)
        code = network_write(network, job->out);
    if (!code)
        code = show(job, network);
    prune_network_free(network);
    return code;
}

static int work(struct job *job)
{
    prune_context *context = NULL;
    struct model_file file = {NULL, &job->pruning, &job->layers, job->in, job->out, job->common.json};
    int code = context_open(&context, &job->common);
    if (!code)
        code = pruning_open(&job->pruning, context);
    if (!code)
        code = check_target(job);
    if (!code)
        code = model_file_open(&file.reader, context, job->in);
    if (!code)
        code = file.reader ? model_file_prune(&file, context) : work_on_network(job, context);
    prune_archive_reader_free(file.reader);
    pruning_close(&job->pruning);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    if (graph_is_named(argc, argv))
        return graph_model(self, argc, argv);
    struct options options = {.count = 0};
    struct job job = {.out = NULL};
    options_add(&options, (struct option[]){
                              {OPTION_LIST, "layer", 0, &job.layers, "NAME=S",
                               "sparsity of one layer, again for each; layers not named stay", 0, 0},
                              {OPTION_TEXT, "output", 'o', &job.out, "NET", "the file to write", 0, 0},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    pruning_add_options(&job.pruning, &options);
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 1, 1, "one network");
        if (!code && !job.out)
            code = option_missing(self, "-o NET, the file to write");
        if (!code) {
            job.in = options.operands.items[0];
            code = work(&job);
        }
    }
    options_free(&options);
    return code;
}

const struct command cmd_model = {
    "model",
    "prune the weights of a network",
    "NET (--sparsity S | --layer NAME=S...) [--criterion KIND] [--granularity KIND] -o NET\n"
    "NET --granularity nm --keep-n N --group-m M [--unit-rows V] [--criterion KIND] -o NET\n"
    "MODEL.onnx --inputs X.npy... (--sparsity S | --params N | --macs N | --bytes N) [--recover SPEC] -o OUT.onnx",
    "Writes the network with a mask for each weight and +0 where it prunes; biases stay. What an earlier\n"
    "mask prunes stays pruned and counts towards the sparsity, so pruning can go on step by step.\n"
    "A safetensors file without a graph, or the index of several (.json), is pruned tensor by tensor, with memory for\n"
    "the largest: every tensor of 2 dimensions or more in f32, f16 or bf16, or those that --layer names.\n"
    "Of an ONNX model every layer is pruned and repaired on what the pruned layers before it make of the samples;\n"
    "`prune model MODEL.onnx --help` has the options.",
    run,
};
