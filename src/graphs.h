/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole models on the command line: reading them, and the arrays that are fed to them.
 */
#ifndef GRAPHS_H
#define GRAPHS_H

#include "tool.h"

#define MAX_INPUTS 64

/* What --inputs and the options beside it say, and the arrays that come of it, one for each input of the model. */
struct samples {
    struct words inputs, set, freeze; /* [NAME=]X.npy, NAME=VALUE twice */
    const char *layout, *scale, *mean, *std;
    int external;          /* tensors in other files may be read */
    int64_t first, number; /* number 0: to the end */
    int32_t count;
    const char *names[MAX_INPUTS], *paths[MAX_INPUTS]; /* paths: NULL for numbers that are set */
    prune_tensor *arrays[MAX_INPUTS];
    int32_t fixed[MAX_INPUTS];
    int64_t samples; /* axis 0 of those that are not fixed */
};

/* Whether an operand names a whole model: NAME.onnx, or a file that is one, packed or not. */
int graph_is_named(int argc, char **argv);

/* Parameters with zeros get masks, so that they run sparse where that pays; fewer than LEAST_ZEROS are no pruning.
 * `external`: tensors may lie in other files of the model's folder. */
#define LEAST_ZEROS 0.05
int graph_read(prune_graph **graph, prune_context *context, const char *path, int external);
int graph_write(const prune_graph *graph, const char *path, const char *spec);

void samples_add_options(struct samples *samples, struct options *options);
/* Of these the ones that say how a model is read: --external, --freeze-shape. */
void graph_add_options(struct samples *samples, struct options *options);
/* --freeze-shape on a model. */
int samples_freeze(const struct samples *samples, prune_graph *graph);
/* Freezes shapes, then reads --set and --inputs. */
int samples_load(struct samples *samples, prune_graph *graph, prune_context *context);
/* The same where no --inputs need be given: what is missing becomes zeros, `batch` samples where axis 0 is free. */
int samples_example(struct samples *samples, prune_graph *graph, prune_context *context, int64_t batch);
/* graph_shapes.c: refuses arrays that do not fit (their axis 0 aside, unless they are fixed). */
int samples_fit(const struct samples *samples, const prune_graph *graph);
/* *batch becomes the number of samples that the model takes at a time, where it takes just one; refuses samples that do
 * not divide by it. */
int samples_batch(const struct samples *samples, const prune_graph *graph, int64_t *batch);

/* "[batch,3,?]". `symbols` may be NULL. */
#define SHAPE_SIZE 600
const char *shape_text(char out[SHAPE_SIZE], int32_t rank, const int64_t *shape, const char *const *symbols);
const char *input_shape_text(char out[SHAPE_SIZE], const prune_graph *graph, int32_t index);

void samples_free(struct samples *samples);

/* The samples first, first + 1, ... of every array that is not fixed: *part has `samples` as its arrays' axis 0. */
int samples_part(prune_tensor *part[MAX_INPUTS], const struct samples *samples, int64_t first, int64_t count);
void samples_part_free(prune_tensor *part[MAX_INPUTS], const struct samples *samples);

/* "a,b,c" or "a": 1 to `most` numbers. */
int numbers_of(double *out, int64_t most, int64_t *count, const char *text, const char *option);

/* A model made ready for parts of up to `batch` samples, and run on all of them, part after part: `take` sees the
 * session after each. */
typedef int samples_take(void *user, prune_session *session, int64_t first, int64_t count);
int samples_run(const struct samples *samples, const prune_graph *graph, int64_t batch, const char *spec,
                samples_take *take, void *user);

/* Before samples_run: whether axis 0 of these outputs counts samples, where parts of one length cannot tell. */
int samples_check(const struct samples *samples, const prune_graph *graph, int64_t batch, int32_t outputs,
                  const int32_t *numbers);

/* --labels: the right classes of all samples in the file, and how many the first output ranks right so far. */
struct labels {
    const char *path;
    prune_tensor *array;
};
int labels_load(struct labels *labels, const struct samples *samples, prune_context *context);
/* Adds to *correct; `first` counts from the first sample taken. */
int labels_count(const struct labels *labels, const struct samples *samples, const char *model,
                 const prune_session *session, int64_t first, int64_t count, int64_t *correct);

/* What the parameters of a model are: floating numbers, and those that are not zero. */
void graph_counts(const prune_graph *graph, int64_t *parameters, int64_t *nonzero);
/* Of one of them; 0 where it is no floating parameter. */
int graph_count(const prune_tensor *tensor, int64_t *count, int64_t *nonzero);

int64_t file_bytes(const char *path);

/* The commands on whole models, which take other options than those on networks. */
int graph_model(const struct command *self, int argc, char **argv);
int graph_run(const struct command *self, int argc, char **argv);
int graph_eval(const struct command *self, int argc, char **argv);
int graph_inspect(const struct command *self, int argc, char **argv);
int graph_report(const struct command *self, int argc, char **argv);
int graph_pack(const struct command *self, int argc, char **argv);

#endif
