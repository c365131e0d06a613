/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A whole model: read from ONNX, pruned to 2:4 by magnitude and by SparseGPT, counted on data, written as ONNX and
 * packed, and a page about it.
 *
 *   08_whole_model [MODEL.onnx X.npy Y.npy FOLDER]
 *
 * Without arguments it makes a small model and samples of its own; their labels are what the dense model says.
 */
#define _XOPEN_SOURCE 700
#include <prune/model.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLES 256
#define SIDE 8
#define CHANNELS 16
#define CLASSES 5

/* What there is to run on: the first half calibrates, the second is counted. */
struct data {
    const char *input; /* the model's first */
    prune_tensor *x, *labels, *seen, *counted;
    int64_t half;
};

/* Numbers from -1 to 1 that look random and are the same everywhere. */
static float number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

static int32_t draw(prune_tensor **out, int32_t rank, const int64_t *shape, uint32_t seed)
{
    int32_t bad = prune_tensor_create(out, NULL, PRUNE_F32, rank, shape);
    float *x = bad ? NULL : prune_tensor_data(*out);
    for (int64_t i = 0; x && i < prune_tensor_count(*out); i++)
        x[i] = number(&seed);
    return bad;
}

static int32_t add_weights(prune_graph *graph, const char *name, int32_t rank, const int64_t *shape, uint32_t seed)
{
    prune_tensor *w = NULL;
    int32_t bad = draw(&w, rank, shape, seed) || prune_graph_add_parameter(graph, name, w);
    prune_tensor_free(w);
    return bad;
}

static int32_t add(prune_graph *graph, const char *op, const char *in, const char *weights, const char *out)
{
    return prune_graph_add_node(graph, out, op, weights ? 2 : 1, (const char *const[]){in, weights}, 1, &out);
}

/* Two convolutions, a mean and a linear layer. */
static int32_t build(const char *path, const float bias[CLASSES])
{
    prune_graph *graph = NULL;
    prune_tensor *b = NULL;
    int32_t bad = prune_tensor_borrow(&b, NULL, (void *)(uintptr_t)bias, PRUNE_F32, 1, (int64_t[]){CLASSES}, NULL) ||
                  prune_graph_create(&graph, NULL, 13) ||
                  prune_graph_add_input(graph, "image", PRUNE_F32, 4, (int64_t[]){-1, 4, SIDE, SIDE}) ||
                  add_weights(graph, "conv1.weight", 4, (int64_t[]){CHANNELS, 4, 3, 3}, 1) ||
                  add_weights(graph, "conv2.weight", 4, (int64_t[]){CHANNELS, CHANNELS, 3, 3}, 2) ||
                  add_weights(graph, "fc.weight", 2, (int64_t[]){CHANNELS, CLASSES}, 3) ||
                  prune_graph_add_parameter(graph, "fc.bias", b) || add(graph, "Conv", "image", "conv1.weight", "a") ||
                  add(graph, "Relu", "a", NULL, "b") || add(graph, "Conv", "b", "conv2.weight", "c") ||
                  add(graph, "Relu", "c", NULL, "d") || add(graph, "GlobalAveragePool", "d", NULL, "e") ||
                  add(graph, "Flatten", "e", NULL, "f") || add(graph, "MatMul", "f", "fc.weight", "g") ||
                  add(graph, "Add", "g", "fc.bias", "logits") ||
                  prune_graph_add_output(graph, "logits", PRUNE_F32, 2, (int64_t[]){-1, CLASSES}) ||
                  prune_graph_write(graph, path, NULL);
    prune_graph_free(graph);
    prune_tensor_free(b);
    return bad;
}

/* The first output for all of `x`: a copy. */
static int32_t run(prune_tensor **out, const prune_graph *graph, const char *input, const prune_tensor *x)
{
    prune_session *session = NULL;
    int32_t bad = prune_session_create(&session, graph, 1, &input, &x, NULL, NULL) ||
                  prune_session_run(session, 1, &x) ||
                  prune_tensor_convert(out, prune_session_output(session, 0), PRUNE_F32);
    prune_session_free(session);
    return bad;
}

static int32_t answer(prune_tensor **out, const char *model, const prune_tensor *x)
{
    prune_graph *graph = NULL;
    int32_t bad = prune_graph_read(&graph, NULL, model, NULL) || run(out, graph, "image", x);
    prune_graph_free(graph);
    return bad;
}

/* A model whose classes are about as frequent, samples, and for labels what the model says. */
static int32_t make(const char *model, const char *x_path, const char *y_path)
{
    prune_tensor *x = NULL, *before = NULL, *logits = NULL, *labels = NULL;
    float bias[CLASSES] = {0};
    int32_t bad = build(model, bias) || draw(&x, 4, (int64_t[]){SAMPLES, 4, SIDE, SIDE}, 4) ||
                  answer(&before, model, x) || prune_tensor_create(&labels, NULL, PRUNE_I64, 1, (int64_t[]){SAMPLES});
    for (int64_t i = 0; !bad && i < SAMPLES * CLASSES; i++)
        bias[i % CLASSES] -= ((const float *)prune_tensor_const_data(before))[i] / SAMPLES;
    bad = bad || build(model, bias) || answer(&logits, model, x);
    for (int64_t i = 0; !bad && i < SAMPLES; i++) {
        const float *y = (const float *)prune_tensor_const_data(logits) + i * CLASSES;
        int64_t best = 0;
        for (int64_t c = 1; c < CLASSES; c++)
            best = y[c] > y[best] ? c : best;
        ((int64_t *)prune_tensor_data(labels))[i] = best;
    }
    bad = bad || prune_npy_write(x, x_path) || prune_npy_write(labels, y_path);
    prune_tensor_free(labels);
    prune_tensor_free(logits);
    prune_tensor_free(before);
    prune_tensor_free(x);
    return bad;
}

static int32_t load(struct data *data, const prune_graph *graph, const char *x_path, const char *y_path)
{
    int32_t bad = prune_npy_read(&data->x, NULL, x_path) || prune_npy_read(&data->labels, NULL, y_path);
    if (bad)
        return bad;
    data->input = prune_graph_input_name(graph, 0);
    data->half = prune_tensor_shape(data->x)[0] / 2;
    return prune_tensor_slice(&data->seen, data->x, 0, 0, data->half, 1) ||
           prune_tensor_slice(&data->counted, data->x, 0, data->half, data->half, 1);
}

/* The fraction of the second half that is ranked right, in percent. */
static int32_t count(double *accuracy, const prune_graph *graph, const struct data *data)
{
    prune_tensor *logits = NULL;
    int64_t correct = 0;
    int32_t bad = run(&logits, graph, data->input, data->counted) ||
                  prune_outputs_correct(&correct, logits, data->labels, data->half);
    prune_tensor_free(logits);
    *accuracy = 100 * (double)correct / (double)data->half;
    return bad;
}

/* A copy of the model at 2:4. Without a recovery magnitude says what goes; SparseGPT says it itself. */
static int32_t prune_to(prune_graph **out, const prune_graph *graph, const struct data *data, const char *repair)
{
    prune_granularity *pattern = NULL;
    prune_criterion *l1 = NULL;
    prune_recovery *recovery = NULL;
    prune_pruner *pruner = NULL;
    const prune_tensor *seen = data->seen;
    int32_t bad = prune_graph_copy(out, graph) || prune_granularity_create(&pattern, NULL, "nm:keep_n=2,group_m=4") ||
                  (repair ? prune_recovery_create(&recovery, NULL, repair) : prune_criterion_create(&l1, NULL, "l1")) ||
                  prune_pruner_create(&pruner, *out, 1, &data->input, &seen, NULL) ||
                  prune_pruner_set_method(pruner, l1, pattern, recovery) ||
                  prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform") || prune_pruner_run(pruner);
    prune_pruner_free(pruner);
    prune_recovery_free(recovery);
    prune_criterion_free(l1);
    prune_granularity_free(pattern);
    return bad;
}

/* Packed for batches of the second half, read back, and compared with what was packed. */
static int32_t pack(const prune_graph *graph, const struct data *data, const char *path, double *relative)
{
    prune_graph *packed = NULL;
    prune_tensor *before = NULL, *after = NULL;
    const prune_tensor *counted = data->counted;
    double largest = 0;
    int32_t matrices = 0;
    int32_t bad = prune_graph_write_packed(graph, path, 1, &data->input, &counted, NULL, "weights=nm", &matrices) ||
                  prune_graph_read(&packed, NULL, path, NULL) || run(&before, graph, data->input, counted) ||
                  run(&after, packed, data->input, counted) ||
                  prune_outputs_difference(&largest, relative, before, after);
    if (!bad)
        printf("packed: %d weights, outputs differ by %.1e of the largest\n", (int)matrices, *relative);
    prune_tensor_free(after);
    prune_tensor_free(before);
    prune_graph_free(packed);
    return bad;
}

static int32_t write_page(const char *path, const double accuracies[3])
{
    static const char *const names[] = {"dense", "2:4 by magnitude", "2:4 by SparseGPT"};
    prune_report *page = NULL;
    int32_t bad = prune_report_create(&page, NULL, "A model at 2:4") ||
                  prune_report_bars(page, "Samples ranked right, in percent", 3, names, accuracies, 100) ||
                  prune_report_write(page, path);
    prune_report_free(page);
    return bad;
}

static int32_t work(const char *model, const char *x_path, const char *y_path, const char *folder)
{
    char path[4096];
    struct data data = {.x = NULL};
    prune_graph *graph = NULL, *plain = NULL, *repaired = NULL;
    double accuracies[3] = {0}, relative = 1;
    int32_t bad = prune_graph_read(&graph, NULL, model, NULL) || load(&data, graph, x_path, y_path) ||
                  count(&accuracies[0], graph, &data) || prune_to(&plain, graph, &data, NULL) ||
                  count(&accuracies[1], plain, &data) || prune_to(&repaired, graph, &data, "sparsegpt") ||
                  count(&accuracies[2], repaired, &data);
    if (!bad)
        printf("right: dense %.1f %%, 2:4 by magnitude %.1f %%, by SparseGPT %.1f %%\n", accuracies[0], accuracies[1],
               accuracies[2]);
    snprintf(path, sizeof path, "%s/pruned.onnx", folder);
    bad = bad || prune_graph_write(repaired, path, NULL);
    snprintf(path, sizeof path, "%s/pruned.packed", folder);
    bad = bad || pack(repaired, &data, path, &relative);
    snprintf(path, sizeof path, "%s/page.html", folder);
    bad = bad || write_page(path, accuracies);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    prune_graph_free(repaired);
    prune_graph_free(plain);
    prune_graph_free(graph);
    prune_tensor_free(data.counted);
    prune_tensor_free(data.seen);
    prune_tensor_free(data.labels);
    prune_tensor_free(data.x);
    return bad || relative > 1e-5;
}

/* A folder of its own, which goes when all is done. */
static int32_t work_alone(void)
{
    static const char *const files[] = {"model.onnx", "x.npy", "y.npy", "pruned.onnx", "pruned.packed", "page.html"};
    const char *base = getenv("TMPDIR");
    char folder[1024], paths[6][1100];
    snprintf(folder, sizeof folder, "%s/whole_model.XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder))
        return 1;
    for (int i = 0; i < 6; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", folder, files[i]);
    int32_t bad = make(paths[0], paths[1], paths[2]);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    bad = bad || work(paths[0], paths[1], paths[2], folder);
    for (int i = 0; i < 6; i++)
        unlink(paths[i]);
    rmdir(folder);
    return bad;
}

int main(int argc, char **argv)
{
    if (argc == 5)
        return work(argv[1], argv[2], argv[3], argv[4]) ? 1 : 0;
    return work_alone() ? 1 : 0;
}
