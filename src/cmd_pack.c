/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "graphs.h"
#include "tool.h"

struct job {
    struct common common;
    struct kind_choice format;
    const char *in, *out;
};

/* Whether every weight of the network has the pattern. */
static int32_t all_have(prune_network *network, const char *spec, int32_t *holds)
{
    prune_granularity *pattern = NULL;
    int32_t status = prune_granularity_create(&pattern, NULL, spec);
    *holds = 1;
    for (int32_t i = 0; i < prune_network_parameter_count(network) && !status && *holds; i++) {
        const char *name = prune_network_parameter_name(network, i);
        prune_tensor *weights = prune_network_parameter(network, name);
        if (!name_ends(name, ".weight") || !weights)
            continue;
        const prune_mask *mask = prune_network_mask(network, name);
        prune_mask *seen = NULL;
        if (!mask) {
            status = prune_mask_from_nonzero(&seen, weights);
            mask = seen;
        }
        if (!status)
            status = prune_granularity_check(pattern, mask, holds, NULL);
        prune_mask_free(seen);
    }
    prune_granularity_free(pattern);
    return status;
}

/* The sparsest N:M pattern that all weights have, then the most rows that share it. */
static int find_pattern(prune_network *network, const char *path, char spec[SPEC_SIZE])
{
    static const struct {
        int keep_n, group_m;
    } patterns[] = {{1, 16}, {1, 8}, {2, 16}, {1, 4}, {2, 8}, {4, 16}, {1, 2}, {2, 4}, {4, 8}, {8, 16}};
    static const int rows[] = {32, 16, 8, 4, 2, 1};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        int32_t holds = 0;
        char base[64];
        snprintf(base, sizeof base, "nm:keep_n=%d,group_m=%d", patterns[i].keep_n, patterns[i].group_m);
        int32_t status = all_have(network, base, &holds);
        /* 1:2 is also 2:4, which is what kernels know. */
        if (!status && holds && patterns[i].group_m == 2)
            snprintf(base, sizeof base, "nm:keep_n=2,group_m=4");
        for (size_t j = 0; j < sizeof rows / sizeof *rows && !status && holds; j++) {
            int32_t shared = 0;
            snprintf(spec, SPEC_SIZE, "%s,unit_rows=%d", base, rows[j]);
            status = all_have(network, spec, &shared);
            if (!status && shared)
                return DONE;
        }
        if (status)
            return complain_status(status, path);
    }
    return complain(BAD_INPUT,
                    "%s has no N:M pattern that all its weights share; make one with `prune model --granularity nm`, "
                    "or pack it as csr",
                    path);
}

static int show(const struct job *job, prune_network *packed)
{
    struct facts before, after;
    prune_network *source = NULL;
    int code = network_read(&source, NULL, job->in);
    if (!code)
        code = facts_of(&before, source, job->in);
    if (!code)
        code = facts_of(&after, packed, job->out);
    prune_network_free(source);
    if (code)
        return code;
    if (job->common.json)
        return print_json(json_pack("{s:o, s:s, s:I, s:I, s:I, s:I}", "network", json_text(job->out), "format",
                                    after.format, "parameters", (json_int_t)after.parameters, "parameters_kept",
                                    (json_int_t)after.parameters_kept, "file_bytes", (json_int_t)after.file_bytes,
                                    "source_bytes", (json_int_t)before.file_bytes),
                          "pack");
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    printf("%s: %s, %s bytes (%s: %s)\n", job->out, after.format, amount_count(a, after.file_bytes), job->in,
           amount_count(b, before.file_bytes));
    return DONE;
}

static int work(const struct job *job)
{
    prune_context *context = NULL;
    prune_network *network = NULL, *packed = NULL;
    char spec[SPEC_SIZE];
    int search = strcmp(job->format.spec, "nm") == 0 && !kind_choice_given(&job->format);
    int code = search ? DONE : kind_choice_spec(&job->format, spec);
    if (!code)
        code = context_open(&context, &job->common);
    if (!code)
        code = network_read(&network, context, job->in);
    if (!code && prune_network_is_packed(network))
        code = complain(BAD_INPUT, "%s is packed already; pack the network it was made from", job->in);
    if (!code && search)
        code = find_pattern(network, job->in, spec);
    if (!code) {
        int32_t status = prune_network_pack(&packed, network, spec);
        code = status ? complain_status(status, job->in) : network_write(packed, job->out);
    }
    if (!code)
        code = show(job, packed);
    prune_network_free(packed);
    prune_network_free(network);
    prune_context_free(context);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    if (graph_is_named(argc, argv))
        return graph_pack(self, argc, argv);
    struct options options = {.count = 0};
    struct job job = {.out = NULL};
    kind_choice_add(&job.format, &options, "formats", "format", "csr");
    options_add(&options, (struct option[]){
                              {OPTION_TEXT, "output", 'o', &job.out, "PACKED", "the file to write", 0, 0},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help) {
        code = options_operands(&options, self, 1, 1, "one network");
        if (!code && !job.out)
            code = option_missing(self, "-o PACKED, the file to write");
        if (!code) {
            job.in = options.operands.items[0];
            code = work(&job);
        }
    }
    options_free(&options);
    return code;
}

const struct command cmd_pack = {
    "pack",
    "store the weights that are kept, and only those",
    "NET [--format csr|nm|...] [--keep-n N --group-m M [--unit-rows V]] -o PACKED\n"
    "MODEL.onnx [--batch B | --inputs X.npy...] [--format auto|csr|nm|...] -o PACKED",
    "Writes the network with its weights in a sparse format (csr unless said), which `prune eval` and\n"
    "`prune run` run without building the dense weights. For nm the pattern is found from the masks.\n"
    "Of an ONNX model the pruned weights are packed as the kernels want them, each in the layout that the table of\n"
    "speeds puts first for such inputs; `prune pack MODEL.onnx --help` has the options.",
    run,
};
