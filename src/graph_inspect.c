/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune inspect on a whole model: what is in it, and with inputs what running it takes.
 */
#include "graphs.h"

#include <string.h>

struct job {
    struct common common;
    struct samples samples;
    const char *model;
    int64_t batch; /* 0: not given */
};

struct totals {
    int64_t parameters, kept, macs, memory;
};

/* "[batch,3,?]". `symbols` may be NULL. */
static void shape_text(char *out, size_t size, int32_t rank, const int64_t *shape, const char *const *symbols)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (int32_t i = 0; i < rank && used < size; i++) {
        const char *comma = i ? "," : "", *symbol = symbols && symbols[i] ? symbols[i] : "?";
        used += shape[i] < 0 ? (size_t)snprintf(out + used, size - used, "%s%.60s", comma, symbol)
                             : (size_t)snprintf(out + used, size - used, "%s%lld", comma, (long long)shape[i]);
    }
    if (used < size)
        snprintf(out + used, size - used, "]");
}

static json_t *inputs_json(const prune_graph *graph)
{
    json_t *inputs = json_array();
    for (int32_t i = 0; i < prune_graph_input_count(graph); i++) {
        int32_t dtype = 0, rank = 0;
        int64_t shape[PRUNE_MAX_RANK] = {0};
        const char *symbols[PRUNE_MAX_RANK];
        char text[600];
        for (int32_t k = 0; k < PRUNE_MAX_RANK; k++)
            symbols[k] = prune_graph_input_symbol(graph, i, k);
        prune_graph_input_type(graph, i, &dtype, &rank, shape);
        shape_text(text, sizeof text, rank, shape, symbols);
        json_array_append_new(inputs, json_pack("{s:o, s:s, s:o}", "name", json_text(prune_graph_input_name(graph, i)),
                                                "dtype", prune_dtype_name(dtype), "shape", json_text(text)));
    }
    return inputs;
}

static json_t *parameters_json(const prune_graph *graph, struct totals *totals)
{
    json_t *parameters = json_array();
    for (int32_t i = 0; i < prune_graph_parameter_count(graph); i++) {
        const char *name = prune_graph_parameter_name(graph, i);
        const prune_tensor *tensor = prune_graph_parameter(graph, name);
        int64_t count = 0, kept = 0;
        char text[256];
        if (!graph_count(tensor, &count, &kept))
            continue; /* shapes and indices are no parameters */
        totals->parameters += count;
        totals->kept += kept;
        shape_text(text, sizeof text, prune_tensor_rank(tensor), prune_tensor_shape(tensor), NULL);
        json_array_append_new(parameters, json_pack("{s:o, s:s, s:s, s:I, s:I}", "name", json_text(name), "dtype",
                                                    prune_dtype_name(prune_tensor_dtype(tensor)), "shape", text,
                                                    "count", (json_int_t)count, "nonzero", (json_int_t)kept));
    }
    return parameters;
}

/* Steps of a session for the given inputs. */
static int steps_json(json_t **out, const struct job *job, const prune_graph *graph, struct totals *totals)
{
    prune_session *session = NULL;
    const struct samples *samples = &job->samples;
    int32_t status = prune_session_create(&session, graph, samples->count, samples->names,
                                          (const prune_tensor *const *)samples->arrays, samples->fixed, NULL);
    if (status)
        return complain_status(status, job->model);
    json_t *steps = json_array();
    for (int32_t i = 0; i < prune_session_step_count(session); i++) {
        int64_t macs = prune_session_step_macs(session, i);
        totals->macs += macs;
        json_array_append_new(steps,
                              json_pack("{s:o, s:I, s:s}", "node", json_text(prune_session_step_node(session, i)),
                                        "macs", (json_int_t)macs, "kernels", prune_session_step_kernels(session, i)));
    }
    totals->memory = prune_session_memory(session);
    prune_session_free(session);
    *out = steps;
    return DONE;
}

static void show_list(const json_t *list, const char *const *keys, const char *title)
{
    struct table table = {.cells = NULL};
    size_t i;
    json_t *item;
    int code = DONE;
    if (!json_array_size(list))
        return;
    printf("\n%s\n", title);
    for (int k = 0; keys[k] && !code; k++)
        code = table_cell(&table, "%s", keys[k]);
    table.columns = table.count;
    json_array_foreach(list, i, item)
    {
        for (int k = 0; keys[k] && !code; k++) {
            const json_t *value = json_object_get(item, keys[k]);
            char a[AMOUNT_SIZE];
            code = json_is_integer(value) ? table_cell(&table, "%s", amount_count(a, json_integer_value(value)))
                                          : table_cell(&table, "%s", json_string_value(value));
        }
    }
    if (!code)
        table_print(&table, stdout);
    table_free(&table);
}

static int show(const struct job *job, const prune_graph *graph, json_t *steps, struct totals *totals)
{
    json_t *inputs = inputs_json(graph), *parameters = parameters_json(graph, totals);
    if (job->common.json)
        return print_json(json_pack("{s:o, s:I, s:i, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "model",
                                    json_text(job->model), "opset", (json_int_t)prune_graph_opset(graph), "nodes",
                                    (int)prune_graph_node_count(graph), "parameters", (json_int_t)totals->parameters,
                                    "nonzero", (json_int_t)totals->kept, "macs", (json_int_t)totals->macs,
                                    "activation_bytes", (json_int_t)totals->memory, "inputs", inputs, "weights",
                                    parameters, "steps", steps),
                          "inspect");
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE];
    printf("%s: ONNX, opset %lld, %d nodes, %s parameters, %s of them not zero\n", job->model,
           (long long)prune_graph_opset(graph), (int)prune_graph_node_count(graph), amount_count(a, totals->parameters),
           amount_count(b, totals->kept));
    show_list(inputs, (const char *const[]){"name", "dtype", "shape", NULL}, "inputs");
    show_list(parameters, (const char *const[]){"name", "dtype", "shape", "count", "nonzero", NULL}, "parameters");
    show_list(steps, (const char *const[]){"node", "macs", "kernels", NULL}, "steps for these inputs");
    if (json_array_size(steps))
        printf("\n%s multiply-adds, %s bytes of values and scratch\n", amount_count(a, totals->macs),
               amount_count(b, totals->memory));
    json_decref(inputs);
    json_decref(parameters);
    json_decref(steps);
    return DONE;
}

static int work(struct job *job)
{
    prune_context *context = NULL;
    prune_graph *graph = NULL;
    struct totals totals = {0};
    json_t *steps = NULL;
    int code = context_open(&context, &job->common);
    if (!code)
        code = graph_read(&graph, context, job->model, job->samples.external);
    if (!code && (job->samples.inputs.count || job->samples.set.count || job->samples.freeze.count || job->batch)) {
        code = samples_example(&job->samples, graph, context, job->batch ? job->batch : 1);
        if (!code)
            code = steps_json(&steps, job, graph, &totals);
    }
    if (!code)
        code = show(job, graph, steps ? steps : json_array(), &totals);
    samples_free(&job->samples);
    prune_graph_free(graph);
    prune_context_free(context);
    return code;
}

int graph_inspect(const struct command *self, int argc, char **argv)
{
    static struct job job;
    struct options options = {.count = 0};
    memset(&job, 0, sizeof job);
    options_add(&options, (struct option[]){
                              {OPTION_WHOLE, "batch", 0, &job.batch, "B",
                               "without --inputs: show what runs for B samples", 1, 65536},
                              {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                          });
    samples_add_options(&job.samples, &options);
    options_add_common(&options, &job.common);
    int code = options_parse(&options, self, argc, argv);
    if (!code && !options.help)
        code = options_operands(&options, self, 1, 1, "one model");
    if (!code && !options.help) {
        job.model = options.operands.items[0];
        code = work(&job);
    }
    options_free(&options);
    return code;
}
