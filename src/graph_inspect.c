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
    int measure;
    int is_asked;               /* for what running takes; else it is shown where it can be known */
    char cannot[2 * SPEC_SIZE]; /* why it cannot */
};

struct totals {
    int64_t parameters, kept, macs, macs_kept, memory;
    int64_t values; /* of `memory`, bytes of the values that are alive at once, without scratch */
    double energy;  /* picojoule, of one sample */
};

static json_t *inputs_json(const prune_graph *graph)
{
    json_t *inputs = json_array();
    for (int32_t i = 0; i < prune_graph_input_count(graph); i++) {
        int32_t dtype = 0;
        char text[SHAPE_SIZE];
        prune_graph_input_type(graph, i, &dtype, NULL, NULL);
        input_shape_text(text, graph, i);
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
        char text[SHAPE_SIZE];
        if (!graph_count(tensor, &count, &kept))
            continue; /* shapes and indices are no parameters */
        totals->parameters += count;
        totals->kept += kept;
        shape_text(text, prune_tensor_rank(tensor), prune_tensor_shape(tensor), NULL);
        json_array_append_new(parameters, json_pack("{s:o, s:s, s:s, s:I, s:I}", "name", json_text(name), "dtype",
                                                    prune_dtype_name(prune_tensor_dtype(tensor)), "shape", text,
                                                    "count", (json_int_t)count, "nonzero", (json_int_t)kept));
    }
    return parameters;
}

/* A model that cannot be run can be looked at all the same. */
static int cannot_run(struct job *job, int32_t status)
{
    if (job->is_asked || status == PRUNE_E_NOMEM)
        return complain_status(status, job->model);
    snprintf(job->cannot, sizeof job->cannot, "%s", prune_error());
    return DONE;
}

/* Steps of a session for the given inputs. */
static int steps_json(json_t **out, struct job *job, const prune_graph *graph, struct totals *totals)
{
    prune_session *session = NULL;
    const struct samples *samples = &job->samples;
    int32_t status = prune_session_create(&session, graph, samples->count, samples->names,
                                          (const prune_tensor *const *)samples->arrays, samples->fixed, NULL);
    if (status)
        return cannot_run(job, status);
    json_t *steps = json_array();
    for (int32_t i = 0; i < prune_session_step_count(session); i++) {
        int64_t macs = prune_session_step_macs(session, i);
        totals->macs += macs;
        totals->macs_kept += prune_session_step_kept_macs(session, i);
        json_array_append_new(steps,
                              json_pack("{s:o, s:I, s:s}", "node", json_text(prune_session_step_node(session, i)),
                                        "macs", (json_int_t)macs, "kernels", prune_session_step_kernels(session, i)));
    }
    totals->memory = prune_session_memory(session);
    prune_session_free(session);
    session = NULL;
    *out = steps;
    status = prune_session_create(&session, graph, samples->count, samples->names,
                                  (const prune_tensor *const *)samples->arrays, samples->fixed, "weights=none");
    if (status)
        return complain_status(status, job->model);
    totals->values = prune_session_memory(session);
    prune_session_free(session);
    return DONE;
}

static double cost_of(const prune_cost *cost, int32_t what, int32_t layer)
{
    double value = 0;
    prune_cost_get(cost, what, layer, &value); /* they are all there */
    return value;
}

static double least_bytes(const prune_cost *cost, int32_t layer)
{
    static const char *const formats[] = {"dense", "csr", "bitmap"};
    double least = -1, bytes = 0;
    for (int i = 0; i < 3; i++)
        if (prune_cost_bytes(cost, formats[i], layer, &bytes) == PRUNE_OK && (least < 0 || bytes < least))
            least = bytes;
    return least;
}

/* One sample's energy: the weights in the smallest format and the other parameters from memory, the multiply-adds with
 * weights that are kept, and what is read and written between. */
static double energy_of(const prune_cost *cost, int32_t layer, double samples)
{
    double energy = 0;
    double others = cost_of(cost, PRUNE_COST_PARAMETERS, layer) - cost_of(cost, PRUNE_COST_WEIGHTS, layer);
    prune_energy_inference(least_bytes(cost, layer) / 4 + others,
                           cost_of(cost, PRUNE_COST_MACS_WEIGHTS, layer) / samples,
                           cost_of(cost, PRUNE_COST_ACTIVATIONS, layer) / samples, &energy);
    return energy;
}

static json_t *layer_json(const prune_cost *cost, int32_t i, double samples, int measured)
{
    double weights = cost_of(cost, PRUNE_COST_WEIGHTS, i), nonzeros = cost_of(cost, PRUNE_COST_NONZEROS, i);
    double macs = cost_of(cost, PRUNE_COST_MACS, i);
    json_t *json = json_pack("{s:o, s:I, s:I, s:f, s:I, s:I, s:I, s:f}", "layer", json_text(prune_cost_name(cost, i)),
                             "weights", (json_int_t)weights, "nonzero", (json_int_t)nonzeros, "density",
                             weights > 0 ? nonzeros / weights : 1.0, "macs", (json_int_t)(macs / samples), "macs_kept",
                             (json_int_t)(cost_of(cost, PRUNE_COST_MACS_WEIGHTS, i) / samples), "bytes",
                             (json_int_t)least_bytes(cost, i), "energy_pj", energy_of(cost, i, samples));
    if (measured)
        json_object_set_new(json, "input_density",
                            json_real(macs > 0 ? cost_of(cost, PRUNE_COST_MACS_ACTIVATIONS, i) / macs : 1.0));
    return json;
}

/* Layers as prune/cost.h counts them, for one sample. */
static int layers_json(json_t **out, struct job *job, const prune_graph *graph, struct totals *totals)
{
    prune_cost *cost = NULL;
    const struct samples *samples = &job->samples;
    double count = samples->samples ? (double)samples->samples : job->batch ? (double)job->batch : 1;
    int32_t status = prune_cost_create(&cost, NULL);
    if (!status)
        status = prune_cost_add_graph(cost, graph, samples->count, samples->names,
                                      (const prune_tensor *const *)samples->arrays, samples->fixed, job->measure);
    if (status) {
        prune_cost_free(cost);
        return cannot_run(job, status);
    }
    json_t *layers = json_array();
    for (int32_t i = 0; i < prune_cost_count(cost); i++)
        json_array_append_new(layers, layer_json(cost, i, count, job->measure));
    totals->energy = energy_of(cost, -1, count);
    totals->macs_kept = (int64_t)cost_of(cost, PRUNE_COST_MACS_WEIGHTS, -1); /* of few zeros no mask is made */
    prune_cost_free(cost);
    *out = layers;
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
            if (json_is_real(value))
                code = table_cell(&table, "%.4g", json_real_value(value));
            else
                code = json_is_integer(value) ? table_cell(&table, "%s", amount_count(a, json_integer_value(value)))
                                              : table_cell(&table, "%s", json_string_value(value));
        }
    }
    if (!code)
        table_print(&table, stdout);
    table_free(&table);
}

static int show(const struct job *job, const prune_graph *graph, json_t *steps, json_t *layers, struct totals *totals)
{
    json_t *inputs = inputs_json(graph), *parameters = parameters_json(graph, totals);
    if (job->common.json)
        return print_json(json_pack("{s:o, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:o, s:o, s:o, s:o, s:o}",
                                    "model", json_text(job->model), "opset", (json_int_t)prune_graph_opset(graph),
                                    "nodes", (int)prune_graph_node_count(graph), "parameters",
                                    (json_int_t)totals->parameters, "nonzero", (json_int_t)totals->kept, "macs",
                                    (json_int_t)totals->macs, "macs_kept", (json_int_t)totals->macs_kept,
                                    "activation_bytes", (json_int_t)totals->values, "scratch_bytes",
                                    (json_int_t)(totals->memory - totals->values), "energy_pj", totals->energy,
                                    "inputs", inputs, "weights", parameters, "layers", layers, "steps", steps,
                                    "cannot_run", job->cannot[0] ? json_text(job->cannot) : json_null()),
                          "inspect");
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE], c[AMOUNT_SIZE], d[AMOUNT_SIZE], e[AMOUNT_SIZE];
    printf("%s: ONNX, opset %lld, %d nodes, %s parameters, %s of them not zero\n", job->model,
           (long long)prune_graph_opset(graph), (int)prune_graph_node_count(graph), amount_count(a, totals->parameters),
           amount_count(b, totals->kept));
    show_list(inputs, (const char *const[]){"name", "dtype", "shape", NULL}, "inputs");
    show_list(parameters, (const char *const[]){"name", "dtype", "shape", "count", "nonzero", NULL}, "parameters");
    show_list(layers,
              (const char *const[]){"layer", "weights", "nonzero", "density", "macs", "macs_kept", "bytes", "energy_pj",
                                    job->measure ? "input_density" : NULL, NULL},
              "layers, for one sample");
    show_list(steps, (const char *const[]){"node", "macs", "kernels", NULL}, "steps for these inputs");
    if (json_array_size(steps))
        printf("\n%s multiply-adds, %s with weights that are kept, %s bytes of values at once and %s of scratch; %s "
               "for one sample\n",
               amount_count(a, totals->macs), amount_count(b, totals->macs_kept), amount_count(c, totals->values),
               amount_count(e, totals->memory - totals->values), amount_energy(d, totals->energy));
    json_decref(inputs);
    json_decref(parameters);
    if (job->cannot[0])
        printf("\nIt cannot be run: %s\n", job->cannot);
    json_decref(layers);
    json_decref(steps);
    return DONE;
}

/* Whether all that is open of the inputs is how many samples there are. */
static int has_shapes(const prune_graph *graph)
{
    int32_t count = prune_graph_input_count(graph);
    for (int32_t i = 0; i < count; i++) {
        int64_t shape[PRUNE_MAX_RANK] = {0};
        int32_t dtype = 0, rank = -1;
        prune_graph_input_type(graph, i, &dtype, &rank, shape);
        if (!dtype || rank < 0)
            return 0;
        for (int32_t k = 1; k < rank; k++)
            if (shape[k] < 0)
                return 0;
    }
    return count <= MAX_INPUTS;
}

static int work(struct job *job)
{
    prune_context *context = NULL;
    prune_graph *graph = NULL;
    struct totals totals = {0};
    json_t *steps = NULL, *layers = NULL;
    int code = context_open(&context, &job->common);
    if (!code)
        code = graph_read(&graph, context, job->model, job->samples.external);
    job->is_asked =
        job->samples.inputs.count || job->samples.set.count || job->samples.freeze.count || job->batch || job->measure;
    if (!code && (job->is_asked || has_shapes(graph))) {
        code = samples_example(&job->samples, graph, context, job->batch ? job->batch : 1);
        if (!code)
            code = steps_json(&steps, job, graph, &totals);
        if (!code && !job->cannot[0])
            code = layers_json(&layers, job, graph, &totals);
    }
    if (!code)
        code = show(job, graph, steps ? steps : json_array(), layers ? layers : json_array(), &totals);
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
    options_add(
        &options,
        (struct option[]){
            {OPTION_WHOLE, "batch", 0, &job.batch, "B", "without --inputs: show what runs for B samples", 1, 65536},
            {OPTION_FLAG, "measure", 0, &job.measure, NULL,
             "run the model on the samples, and say how much of each layer's input is not zero", 0, 0},
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
