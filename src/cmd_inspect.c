/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "graphs.h"
#include "tool.h"

static const char *const formats[] = {"dense", "csr", "nm:keep_n=2,group_m=4", "bitmap"};
static const char *const format_names[] = {"dense", "csr", "2:4", "bitmap"};
#define FORMATS ((int)(sizeof formats / sizeof *formats))

struct layer {
    const char *name;
    char op[SPEC_SIZE];
    int64_t weights, kept;
    double macs, bytes[FORMATS];
    char stored[SPEC_SIZE];
};

/* What node `index` holds and does; weights is 0 for a node without any. */
static int layer_of(struct layer *layer, prune_network *network, int32_t index)
{
    char weight[SPEC_SIZE];
    memset(layer, 0, sizeof *layer);
    layer->name = prune_network_node_name(network, index);
    snprintf(layer->op, sizeof layer->op, "%s", prune_network_node_op(network, index));
    snprintf(weight, sizeof weight, "%s.weight", layer->name);
    const prune_sparse *sparse = prune_network_sparse(network, weight);
    if (!sparse && !prune_network_parameter(network, weight))
        return DONE;
    snprintf(layer->stored, sizeof layer->stored, "%s",
             sparse                                ? prune_sparse_spec(sparse)
             : prune_network_mask(network, weight) ? "dense, masked"
                                                   : "dense");
    int code = weight_counts(network, weight, &layer->weights, &layer->kept);
    if (code)
        return code;
    prune_cost *cost = NULL;
    int32_t status = prune_cost_create(&cost, NULL);
    if (!status)
        status = prune_cost_add(cost, layer->name, layer->op, layer->kept, 1.0);
    if (!status)
        status = prune_cost_get(cost, PRUNE_COST_MACS, 0, &layer->macs);
    for (int i = 0; i < FORMATS && !status; i++)
        status = prune_cost_bytes(cost, formats[i], 0, &layer->bytes[i]);
    prune_cost_free(cost);
    return status ? complain_status(status, layer->name) : DONE;
}

static json_t *layer_json(const struct layer *layer)
{
    json_t *json = json_pack("{s:s, s:s}", "name", layer->name, "op", layer->op);
    if (layer->weights == 0)
        return json;
    json_t *bytes = json_object();
    for (int i = 0; i < FORMATS; i++)
        json_object_set_new(bytes, formats[i], json_real(layer->bytes[i]));
    json_t *more = json_pack("{s:I, s:I, s:f, s:I, s:s, s:o}", "weights", (json_int_t)layer->weights, "kept",
                             (json_int_t)layer->kept, "density", (double)layer->kept / (double)layer->weights, "macs",
                             (json_int_t)layer->macs, "stored", layer->stored, "bytes", bytes);
    json_object_update(json, more);
    json_decref(more);
    return json;
}

static int layer_row(const struct layer *layer, struct table *table)
{
    char a[AMOUNT_SIZE];
    int code = table_cell(table, "%s", layer->name) || table_cell(table, "%s", layer->op);
    if (!code && layer->weights == 0) {
        for (int i = 0; i < 4 + FORMATS && !code; i++)
            code = table_cell(table, "%s", "");
        return code;
    }
    code = code || table_cell(table, "%s", amount_count(a, layer->weights)) ||
           table_cell(table, "%s", amount_count(a, layer->kept)) ||
           table_cell(table, "%.2f %%", 100 * (double)layer->kept / (double)layer->weights) ||
           table_cell(table, "%s", amount_count(a, (int64_t)layer->macs));
    for (int i = 0; i < FORMATS && !code; i++)
        code = table_cell(table, "%s", amount_count(a, (int64_t)layer->bytes[i]));
    return code;
}

static int head(struct table *table)
{
    int code = table_cell(table, "layer") || table_cell(table, "operator") || table_cell(table, "weights") ||
               table_cell(table, "kept") || table_cell(table, "density") || table_cell(table, "MACs");
    for (int i = 0; i < FORMATS && !code; i++)
        code = table_cell(table, "%s bytes", format_names[i]);
    table->columns = table->count;
    return code;
}

static int show(prune_network *network, const char *path, int json)
{
    struct facts facts;
    struct table table = {.cells = NULL};
    json_t *layers = json_array();
    int code = facts_of(&facts, network, path);
    if (!code)
        code = head(&table);
    for (int32_t i = 0; i < prune_network_node_count(network) && !code; i++) {
        struct layer layer;
        code = layer_of(&layer, network, i);
        if (!code)
            code = layer_row(&layer, &table);
        if (!code)
            json_array_append_new(layers, layer_json(&layer));
    }
    if (!code && json) {
        code = print_json(json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:O}", "file", json_text(path), "format",
                                    facts.format, "parameters", (json_int_t)facts.parameters, "parameters_kept",
                                    (json_int_t)facts.parameters_kept, "file_bytes", (json_int_t)facts.file_bytes,
                                    "macs", (json_int_t)facts.macs, "macs_done", (json_int_t)facts.macs_done,
                                    "energy_pj", facts.energy, "layers", layers),
                          "inspect");
    } else if (!code) {
        char a[AMOUNT_SIZE], b[AMOUNT_SIZE], c[AMOUNT_SIZE], d[AMOUNT_SIZE];
        table_print(&table, stdout);
        printf("%s: weights stored as %s; %s of %s parameters kept; a file of %s bytes; %s for one inference\n", path,
               facts.format, amount_count(a, facts.parameters_kept), amount_count(b, facts.parameters),
               amount_count(c, facts.file_bytes), amount_energy(d, facts.energy));
    }
    json_decref(layers);
    table_free(&table);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    if (graph_is_named(argc, argv))
        return graph_inspect(self, argc, argv);
    struct options options = {.count = 0};
    struct common common = {.json = 0};
    options_add_common(&options, &common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help)
        code = options_operands(&options, self, 1, 1, "one network");
    if (!code && !options.help) {
        prune_network *network = NULL;
        code = network_read(&network, NULL, options.operands.items[0]);
        if (!code)
            code = show(network, options.operands.items[0], common.json);
        prune_network_free(network);
    }
    options_free(&options);
    return code;
}

const struct command cmd_inspect = {
    "inspect",
    "what is in a network: layers, density, bytes, energy",
    "(NET|PACKED) [--json]\n"
    "MODEL.onnx [--inputs X.npy --count 1] [--json]",
    "Bytes are those of the weights in each format, biases not counted, whatever format they are in now.\n"
    "Of an ONNX model: inputs, parameters, and with inputs the multiply-adds and kernels of each step.",
    run,
};
