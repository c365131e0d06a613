/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The graph as JSON, the text of the metadata key "prune.graph":
 *
 *   {"version": 1,
 *    "inputs": [{"name": "input", "shape": [784]}],
 *    "nodes": [{"name": "fc1", "op": "linear", "inputs": ["flat"], "outputs": ["fc1.sum"],
 *               "attributes": {"in": 784, "out": 300}}, ...],
 *    "outputs": ["logits"]}
 *
 * Nodes stand in an order in which every input exists. What is not written here is refused when read: another version
 * or operator as PRUNE_E_UNSUPPORTED, all else as PRUNE_E_FORMAT.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/network/network.h"

#define MAX_NODES 10000 /* names are looked up one by one */

static int32_t no_memory(void)
{
    return pr_fail(PRUNE_E_NOMEM, "no memory for the graph as JSON");
}

static json_t *attributes_to_json(const struct pm_network_node *node)
{
    const struct pr_parameter *parameters = node->op->kind.parameters;
    json_t *object = json_object();
    for (int32_t i = 0; object && parameters && parameters[i].name; i++) {
        json_t *value;
        if (parameters[i].type == PR_WHOLE) {
            value = json_integer(node->attributes.whole[i]);
        } else if (parameters[i].type == PR_REAL) {
            value = json_real(node->attributes.real[i]);
        } else {
            const char *word = parameters[i].words;
            for (int64_t skip = node->attributes.whole[i]; skip > 0; skip--)
                word = strchr(word, '|') + 1;
            value = json_stringn(word, strcspn(word, "|"));
        }
        if (json_object_set_new(object, parameters[i].name, value)) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

static json_t *node_to_json(const prune_network *network, const struct pm_network_node *node)
{
    return json_pack("{s:s, s:s, s:[s], s:[s], s:o}", "name", node->name, "op", node->op->kind.name, "inputs",
                     network->values[node->input].name, "outputs", network->values[node->output].name, "attributes",
                     attributes_to_json(node));
}

static json_t *input_to_json(const struct pm_network_value *value)
{
    json_t *shape = json_array();
    for (int32_t i = 0; shape && i < value->shape.rank; i++)
        if (json_array_append_new(shape, json_integer(value->shape.extents[i]))) {
            json_decref(shape);
            shape = NULL;
        }
    return json_pack("{s:s, s:o}", "name", value->name, "shape", shape);
}

/* 0, or -1 when there is no memory. */
static int fill_lists(const prune_network *network, json_t *inputs, json_t *nodes, json_t *outputs)
{
    for (int32_t i = 0; i < network->value_count; i++)
        if (network->values[i].node < 0 && json_array_append_new(inputs, input_to_json(&network->values[i])))
            return -1;
    for (int32_t i = 0; i < network->node_count; i++)
        if (json_array_append_new(nodes, node_to_json(network, &network->nodes[i])))
            return -1;
    for (int32_t i = 0; i < network->output_count; i++)
        if (json_array_append_new(outputs, json_string(network->values[network->outputs[i]].name)))
            return -1;
    return 0;
}

int32_t pm_network_to_json(const prune_network *network, char **text)
{
    json_t *inputs = json_array(), *nodes = json_array(), *outputs = json_array();
    int failed = !inputs || !nodes || !outputs || fill_lists(network, inputs, nodes, outputs);
    json_t *root =
        failed ? NULL
               : json_pack("{s:i, s:O, s:O, s:O}", "version", 1, "inputs", inputs, "nodes", nodes, "outputs", outputs);
    char *dump = root ? json_dumps(root, JSON_COMPACT) : NULL;
    int32_t status = dump ? pr_copy_text(network->context, dump, text) : no_memory();
    free(dump);
    json_decref(root);
    json_decref(inputs);
    json_decref(nodes);
    json_decref(outputs);
    return status;
}

/* An object with exactly the members listed (NULL ends the list); those that begin with "?" may be absent. */
static int32_t check_members(const json_t *object, const char *what, const char *const *names)
{
    const char *key;
    json_t *value, *held = (json_t *)(uintptr_t)object; /* jansson iterates over non-const objects only */
    if (!json_is_object(object))
        return pr_fail(PRUNE_E_FORMAT, "%s is no JSON object", what);
    json_object_foreach(held, key, value)
    {
        int32_t i = 0;
        while (names[i] && strcmp(names[i] + (names[i][0] == '?'), key) != 0)
            i++;
        if (!names[i])
            return pr_fail(PRUNE_E_FORMAT, "%s has a member \"%.60s\", which means nothing here", what, key);
    }
    for (int32_t i = 0; names[i]; i++)
        if (names[i][0] != '?' && !json_object_get(object, names[i]))
            return pr_fail(PRUNE_E_FORMAT, "%s lacks its member \"%s\"", what, names[i]);
    return PRUNE_OK;
}

static int32_t get_list(const json_t *object, const char *what, const char *name, const json_t **list)
{
    *list = json_object_get(object, name);
    return json_is_array(*list) ? PRUNE_OK : pr_fail(PRUNE_E_FORMAT, "\"%s\" of %s is no array", name, what);
}

static int32_t get_text(const json_t *object, const char *what, const char *name, const char **text)
{
    *text = json_string_value(json_object_get(object, name));
    return *text ? PRUNE_OK : pr_fail(PRUNE_E_FORMAT, "\"%s\" of %s is no string", name, what);
}

/* The one string of a list: nodes have one input and one output in this version. */
static int32_t get_single(const json_t *object, const char *what, const char *name, const char **text)
{
    const json_t *list;
    PR_TRY(get_list(object, what, name, &list));
    if (json_array_size(list) != 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "\"%s\" of %s lists %zu values; this version takes 1", name, what,
                       json_array_size(list));
    *text = json_string_value(json_array_get(list, 0));
    return *text ? PRUNE_OK : pr_fail(PRUNE_E_FORMAT, "\"%s\" of %s holds no string", name, what);
}

static int32_t read_input(prune_network *network, const json_t *object)
{
    static const char *const members[] = {"name", "shape", NULL};
    const char *name;
    const json_t *list;
    int64_t shape[PRUNE_MAX_RANK];
    PR_TRY(check_members(object, "an input", members));
    PR_TRY(get_text(object, "an input", "name", &name));
    PR_TRY(get_list(object, "an input", "shape", &list));
    if (json_array_size(list) > PRUNE_MAX_RANK)
        return pr_fail(PRUNE_E_FORMAT, "input \"%.60s\" has %zu extents; at most %d are allowed", name,
                       json_array_size(list), PRUNE_MAX_RANK);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_integer(json_array_get(list, i)))
            return pr_fail(PRUNE_E_FORMAT, "extent %zu of input \"%.60s\" is no whole number", i, name);
        shape[i] = json_integer_value(json_array_get(list, i));
    }
    return prune_network_add_input(network, name, (int32_t)json_array_size(list), shape);
}

/* Appends "key=value" to a spec; the key is one of the operator's own, so nothing but numbers and words can come in. */
static int32_t append_attribute(char spec[PR_MAX_SPEC], size_t *used, const struct pr_parameter *parameter,
                                const json_t *value, char separator)
{
    char text[PR_MAX_NUMBER];
    const char *shown = text;
    if (parameter->type == PR_WORD && json_is_string(value)) {
        shown = json_string_value(value);
        if (strcspn(shown, ",:=") != strlen(shown) || strlen(shown) > 64)
            return pr_fail(PRUNE_E_FORMAT, "attribute \"%s\" takes %s", parameter->name, parameter->words);
    } else if (json_is_integer(value) && parameter->type != PR_WORD) {
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value) && parameter->type == PR_REAL) {
        pr_number_print(text, json_real_value(value));
    } else {
        return pr_fail(PRUNE_E_FORMAT, "attribute \"%s\" is no %s (%s)", parameter->name,
                       parameter->type == PR_WHOLE  ? "whole number"
                       : parameter->type == PR_REAL ? "number"
                                                    : "word",
                       parameter->help);
    }
    int n = snprintf(spec + *used, PR_MAX_SPEC - *used, "%c%s=%s", separator, parameter->name, shown);
    if (n < 0 || (size_t)n >= PR_MAX_SPEC - *used)
        return pr_fail(PRUNE_E_FORMAT, "attributes longer than %d bytes", PR_MAX_SPEC);
    *used += (size_t)n;
    return PRUNE_OK;
}

static int32_t read_spec(const json_t *object, char spec[PR_MAX_SPEC])
{
    const char *op, *key;
    json_t *value, *attributes = json_object_get(object, "attributes");
    const struct pm_link *found = NULL;
    PR_TRY(get_text(object, "the node", "op", &op));
    for (int32_t i = 0; i < pm_link_count; i++)
        if (strcmp(pm_links[i]->kind.name, op) == 0)
            found = pm_links[i];
    if (!found)
        return pr_fail(PRUNE_E_UNSUPPORTED, "operator \"%.60s\" is not one that this version knows", op);
    size_t used = (size_t)snprintf(spec, PR_MAX_SPEC, "%s", found->kind.name);
    char separator = ':';
    if (attributes && !json_is_object(attributes))
        return pr_fail(PRUNE_E_FORMAT, "its attributes are no JSON object");
    json_object_foreach(attributes, key, value)
    {
        const struct pr_parameter *parameter = found->kind.parameters;
        while (parameter && parameter->name && strcmp(parameter->name, key) != 0)
            parameter++;
        if (!parameter || !parameter->name)
            return pr_fail(PRUNE_E_FORMAT, "operator \"%s\" has no attribute \"%.60s\"", op, key);
        PR_TRY(append_attribute(spec, &used, parameter, value, separator));
        separator = ',';
    }
    return PRUNE_OK;
}

static int32_t read_node(prune_network *network, const json_t *object)
{
    static const char *const members[] = {"name", "op", "inputs", "outputs", "?attributes", NULL};
    const char *name, *input, *output;
    char spec[PR_MAX_SPEC];
    PR_TRY(check_members(object, "the node", members));
    PR_TRY(get_text(object, "the node", "name", &name));
    PR_TRY(get_single(object, "the node", "inputs", &input));
    PR_TRY(get_single(object, "the node", "outputs", &output));
    PR_TRY(read_spec(object, spec));
    return pm_network_add_node(network, name, spec, input, output, 0);
}

/* What building a graph by hand would call a bad argument is a bad file here. */
static int32_t as_format(int32_t status)
{
    return status == PRUNE_OK || status == PRUNE_E_NOMEM || status == PRUNE_E_UNSUPPORTED ? status : PRUNE_E_FORMAT;
}

static int32_t read_lists(prune_network *network, const json_t *root)
{
    const json_t *inputs, *nodes, *outputs;
    int32_t status = PRUNE_OK;
    PR_TRY(get_list(root, "the graph", "inputs", &inputs));
    PR_TRY(get_list(root, "the graph", "nodes", &nodes));
    PR_TRY(get_list(root, "the graph", "outputs", &outputs));
    if (json_array_size(inputs) + json_array_size(nodes) + json_array_size(outputs) > MAX_NODES)
        return pr_fail(PRUNE_E_UNSUPPORTED, "inputs, nodes and outputs are more than %d together", MAX_NODES);
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        status = read_input(network, json_array_get(inputs, i));
        if (status)
            return pr_fail_in(as_format(status), "input %zu", i);
    }
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        status = read_node(network, json_array_get(nodes, i));
        if (status)
            return pr_fail_in(as_format(status), "node %zu", i);
    }
    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const char *name = json_string_value(json_array_get(outputs, i));
        if (!name)
            return pr_fail(PRUNE_E_FORMAT, "output %zu is no string", i);
        status = prune_network_add_output(network, name);
        if (status)
            return pr_fail_in(as_format(status), "output %zu", i);
    }
    if (json_array_size(inputs) < 1 || json_array_size(outputs) < 1)
        return pr_fail(PRUNE_E_FORMAT, "there are %zu inputs and %zu outputs; at least 1 of each is needed",
                       json_array_size(inputs), json_array_size(outputs));
    return PRUNE_OK;
}

static int32_t read_root(prune_network *network, const json_t *root)
{
    static const char *const members[] = {"version", "inputs", "nodes", "outputs", NULL};
    const json_t *version = json_object_get(root, "version");
    if (json_is_integer(version) && json_integer_value(version) != 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "version %lld; this library reads version 1",
                       (long long)json_integer_value(version));
    PR_TRY(check_members(root, "the graph", members));
    if (!json_is_integer(version))
        return pr_fail(PRUNE_E_FORMAT, "its version is no whole number");
    return read_lists(network, root);
}

int32_t pm_network_from_json(prune_network **out, prune_context *context, const char *text)
{
    json_error_t error = {0}; /* jansson sets no code, and no text, when its first allocation fails */
    prune_network *network = NULL;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root && (!error.text[0] || json_error_code(&error) == json_error_out_of_memory))
        return no_memory();
    if (!root)
        return pr_fail(PRUNE_E_FORMAT, "prune.graph is no JSON: %s at byte %d", error.text, error.position);
    int32_t status = prune_network_create(&network, context);
    if (!status) {
        status = read_root(network, root);
        if (status)
            pr_fail_in(status, "prune.graph");
    }
    json_decref(root);
    if (status)
        prune_network_free(network);
    else
        *out = network;
    return status;
}
