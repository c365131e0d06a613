/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models that are run here and in onnxruntime: they are collected, run there in one process, and compared. Node and
 * its package onnxruntime-node are looked for where NODE_PATH says, else where ./setup puts them; without them the
 * test says so and is skipped.
 */
#ifndef PM_TESTS_ONNXRUNTIME_H
#define PM_TESTS_ONNXRUNTIME_H

#include <math.h>

#include "files.h"
#include "prune/model.h"

/* What was run here. */
struct ours {
    char model[300];
    int is_checked; /* by ONNX's checker */
    int32_t outputs, compared;
    prune_tensor *output[4];
};

struct comparison {
    FILE *jobs;
    int count;
    struct ours models[128];
};

static inline void begin_comparison(struct comparison *all)
{
    memset(all, 0, sizeof *all);
    fresh_folder();
    all->jobs = fopen(scratch("jobs.json"), "w");
    ck_assert_ptr_nonnull(all->jobs);
    fprintf(all->jobs, "[");
}

/* Every second element that a generator picks goes; what has one axis stays. */
static inline void prune_at_random(prune_graph *graph, uint64_t seed)
{
    for (int32_t i = 0; i < prune_graph_parameter_count(graph); i++) {
        const char *name = prune_graph_parameter_name(graph, i);
        const prune_tensor *tensor = prune_graph_parameter(graph, name);
        prune_mask *mask = NULL;
        if (prune_tensor_dtype(tensor) != PRUNE_F32 || prune_tensor_rank(tensor) < 2)
            continue;
        OK(prune_mask_create(&mask, NULL, prune_tensor_rank(tensor), prune_tensor_shape(tensor), 1));
        for (int64_t j = 1; j < prune_tensor_count(tensor); j++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            OK(prune_mask_set(mask, j, (int32_t)(seed >> 63)));
        }
        OK(prune_graph_set_mask(graph, name, mask));
        prune_mask_free(mask);
    }
}

static inline void put_feed(struct comparison *all, const char *name, const prune_tensor *input, int index)
{
    char file[32];
    snprintf(file, sizeof file, "%d.in%d", all->count, index);
    const char *path = scratch(file);
    int32_t dtype = prune_tensor_dtype(input);
    prune_tensor *packed;
    OK(prune_tensor_convert(&packed, input, dtype));
    save(path, prune_tensor_const_data(packed), (size_t)(prune_tensor_count(packed) * prune_dtype_size(dtype)));
    prune_tensor_free(packed);
    fprintf(all->jobs, "%s{\"name\":\"%s\",\"dtype\":\"%s\",\"file\":\"%s\",\"dims\":[", index ? "," : "", name,
            prune_dtype_name(dtype), path);
    for (int32_t i = 0; i < prune_tensor_rank(input); i++)
        fprintf(all->jobs, "%s%lld", i ? "," : "", (long long)prune_tensor_shape(input)[i]);
    fprintf(all->jobs, "]}");
}

/* The model as a file in this form is run there; what it gives here stands beside it. */
static inline void add_model(struct comparison *all, const char *name, const prune_graph *graph, const char *form,
                             int32_t count, const char *const *names, const prune_tensor *const *inputs)
{
    struct ours *ours = &all->models[all->count];
    prune_session *session = NULL;
    char file[200];
    ck_assert_int_lt(all->count, 128);
    snprintf(file, sizeof file, "%s.%d.onnx", name, all->count);
    snprintf(ours->model, sizeof ours->model, "%s", scratch(file));
    OK(prune_graph_write(graph, ours->model, form));
    ours->is_checked = prune_graph_opset(graph) <= 17;
    OK(prune_session_create(&session, graph, count, names, inputs, NULL, NULL));
    OK(prune_session_run(session, count, inputs));
    ours->outputs = prune_graph_output_count(graph);
    for (int32_t i = 0; i < ours->outputs; i++) {
        const prune_tensor *output = prune_session_output(session, i);
        OK(prune_tensor_convert(&ours->output[i], output, prune_tensor_dtype(output)));
    }
    prune_session_free(session);
    fprintf(all->jobs, "%s\n{\"model\":\"%s\",\"to\":\"%s.out\",\"feeds\":[", all->count ? "," : "", ours->model,
            ours->model);
    for (int32_t i = 0; i < count; i++)
        put_feed(all, names[i], inputs[i], i);
    fprintf(all->jobs, "]}");
    all->count++;
}

/* The model as it is, and pruned in both forms. */
static inline void add_forms(struct comparison *all, const char *name, prune_graph *graph, int32_t count,
                             const char *const *names, const prune_tensor *const *inputs)
{
    add_model(all, name, graph, NULL, count, names, inputs);
    prune_at_random(graph, 1);
    add_model(all, name, graph, "parameters=dense", count, names, inputs);
    add_model(all, name, graph, "parameters=sparse", count, names, inputs);
}

static inline struct ours *ours_of(struct comparison *all, const char *model)
{
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->models[i].model, model) == 0)
            return &all->models[i];
    ck_abort_msg("no model %s", model);
    return NULL;
}

static inline void expect_their_shape(const prune_tensor *ours, const char *dtype, const char *extents,
                                      const char *model)
{
    char shape[200] = "-";
    size_t at = 0;
    for (int32_t i = 0; i < prune_tensor_rank(ours); i++)
        at += (size_t)snprintf(shape + at, sizeof shape - at, "%s%lld", i ? "," : "",
                               (long long)prune_tensor_shape(ours)[i]);
    ck_assert_msg(strcmp(extents, shape) == 0, "%s: [%s] here, [%s] in onnxruntime", model, shape, extents);
    ck_assert_msg(strcmp(dtype, prune_dtype_name(prune_tensor_dtype(ours))) == 0, "%s: %s here, %s in onnxruntime",
                  model, prune_dtype_name(prune_tensor_dtype(ours)), dtype);
}

/* The largest difference as a part of the largest number; that of whole numbers must be 0. */
static inline double difference_of(const prune_tensor *ours, const char *file, const char *model)
{
    int32_t dtype = prune_tensor_dtype(ours), rank = prune_tensor_rank(ours);
    int is_real = dtype == PRUNE_F32 || dtype == PRUNE_F64 || dtype == PRUNE_F16;
    double most = 0, largest = 0;
    struct content theirs = load(file);
    prune_tensor *borrowed, *a, *b;
    ck_assert_int_eq((int64_t)theirs.length, prune_tensor_count(ours) * prune_dtype_size(dtype));
    OK(prune_tensor_borrow(&borrowed, NULL, theirs.bytes, dtype, rank, prune_tensor_shape(ours), NULL));
    OK(prune_tensor_convert(&a, ours, PRUNE_F64));
    OK(prune_tensor_convert(&b, borrowed, PRUNE_F64));
    const double *x = prune_tensor_const_data(a), *y = prune_tensor_const_data(b);
    for (int64_t i = 0; i < prune_tensor_count(a); i++) {
        double apart = fabs(x[i] - y[i]);
        ck_assert_msg(x[i] == y[i] || (is_real && apart < INFINITY), "%s: element %lld is %.9g here, %.9g there", model,
                      (long long)i, x[i], y[i]);
        most = x[i] != y[i] && apart > most ? apart : most;
        largest = fabs(y[i]) > largest ? fabs(y[i]) : largest;
    }
    prune_tensor_free(a);
    prune_tensor_free(b);
    prune_tensor_free(borrowed);
    free(theirs.bytes);
    return most > 0 ? most / largest : 0;
}

static inline void compare_line(struct comparison *all, const char *line, double *most)
{
    char model[300], name[100], dtype[20], extents[200], file[320];
    if (strncmp(line, "failed ", 7) == 0)
        ck_abort_msg("onnxruntime: %s", line + 7);
    ck_assert_int_eq(sscanf(line, "ok %299s %99s %19s %199s %319s", model, name, dtype, extents, file), 5);
    struct ours *ours = ours_of(all, model);
    ck_assert_int_lt(ours->compared, ours->outputs);
    const prune_tensor *output = ours->output[ours->compared++];
    expect_their_shape(output, dtype, extents, model);
    double apart = difference_of(output, file, model);
    ck_assert_msg(apart <= 1e-5, "%s: output \"%s\" is apart by %.2g of its largest number", model, name, apart);
    *most = apart > *most ? apart : *most;
}

/* Debian's checker on all files up to opset 17, which it knows. */
static inline void check_files(const struct comparison *all, const char *what)
{
    static char command[128 * 300 + 200];
    if (system("/usr/bin/python3 -c 'import onnx' > /dev/null 2>&1") != 0) {
        skip(what, "/usr/bin/python3 has no module onnx (python3-onnx)");
        return;
    }
    strcpy(command, "/usr/bin/python3 -c 'import onnx,sys\nfor path in sys.argv[1:]: onnx.checker.check_model(path)'");
    for (int i = 0; i < all->count; i++) {
        strcat(command, all->models[i].is_checked ? " " : "");
        strcat(command, all->models[i].is_checked ? all->models[i].model : "");
    }
    ck_assert_msg(system(command) == 0, "ONNX's checker refuses a file");
}

/* Runs all there and compares, to 1e-5 of the largest number of each output. */
static inline void end_comparison(struct comparison *all, const char *what)
{
    char command[3000], line[1200];
    double most = 0;
    fprintf(all->jobs, "]\n");
    ck_assert_int_eq(fclose(all->jobs), 0);
    check_files(all, what);
    snprintf(command, sizeof command, "node tests/model/onnxruntime.js %s > %s 2> %s", scratch("jobs.json"),
             scratch("results"), scratch("said"));
    int status = system(command);
    if (WIFEXITED(status) && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 3)) {
        skip(what, WEXITSTATUS(status) == 3 ? "Node has no onnxruntime-node; ./setup ci installs it"
                                            : "Node is not installed");
    } else {
        FILE *results = fopen(scratch("results"), "r");
        ck_assert_ptr_nonnull(results);
        while (fgets(line, sizeof line, results))
            compare_line(all, line, &most);
        fclose(results);
        ck_assert_msg(status == 0, "node ended with %d", status);
        for (int i = 0; i < all->count; i++)
            ck_assert_msg(all->models[i].compared == all->models[i].outputs, "%s was not run", all->models[i].model);
        printf("    %s: %d models as in onnxruntime; at most %.2g of the largest number apart\n", what, all->count,
               most);
    }
    for (int i = 0; i < all->count; i++)
        for (int32_t j = 0; j < all->models[i].outputs; j++)
            prune_tensor_free(all->models[i].output[j]);
}

#endif
