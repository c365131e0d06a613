/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Network: a graph of nodes and values, its parameters, and their masks.
 *
 * A value is a tensor with a name whose axis 0 is the batch. A node applies an operator to values and makes one.
 * Operators of this version:
 *
 *   "linear"   [n, in] -> [n, out], parameters NODE.weight [out, in] and NODE.bias [out]; attributes in, out
 *   "relu"     any shape
 *   "flatten"  [n, ...] -> [n, product]
 *
 * A parameter may be pruned (its mask says which elements are kept) or sparse (held in a format of prune/sparse.h,
 * without a dense copy). A network with a sparse parameter can be run, not trained. A network is changed by one thread
 * at a time; runners that were made before a change do not see it.
 */
#ifndef PRUNE_NETWORK_H
#define PRUNE_NETWORK_H

#include <stdint.h>

#include "prune/prune.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_network prune_network;

/* An empty graph; then inputs, nodes in an order in which every input exists, and outputs. `shape` of an input has
 * `rank` extents without the batch. `op` is a spec string: "linear:in=784,out=300", "relu", "flatten". Every node takes
 * one input value in this version; several may take the same. Parameters of a new node are zero. Names are 1 to 255
 * printable ASCII characters without spaces. */
PRUNE_API int32_t prune_network_create(prune_network **out, prune_context *context);
PRUNE_API int32_t prune_network_add_input(prune_network *network, const char *value, int32_t rank,
                                          const int64_t *shape);
PRUNE_API int32_t prune_network_add_node(prune_network *network, const char *node, const char *op, const char *input,
                                         const char *output);
PRUNE_API int32_t prune_network_add_output(prune_network *network, const char *value);

/* "784-300-100-10": flatten, then linear layers fc1, fc2, ... with ReLU between them; input "input" [784], output
 * "logits". Two widths at least, each 1 to 2^24. */
PRUNE_API int32_t prune_network_create_mlp(prune_network **out, prune_context *context, const char *widths);

/* He-uniform weights (He et al. 2015: uniform within sqrt(6 / in)), zero biases, from `seed`; the same on every
 * machine. */
PRUNE_API int32_t prune_network_initialize(prune_network *network, uint64_t seed);

/* A deep copy: prune one, keep the other. */
PRUNE_API int32_t prune_network_copy(prune_network **out, const prune_network *network);
PRUNE_API void prune_network_free(prune_network *network);

/* Files: safetensors with the graph in the metadata key "prune.graph"; see prune-formats(5). */
PRUNE_API int32_t prune_network_read(prune_network **out, prune_context *context, const char *path);
PRUNE_API int32_t prune_network_write(const prune_network *network, const char *path);

/* Nodes in order; name and operator (canonical spec) of the one at `index`; NULL outside the list. */
PRUNE_API int32_t prune_network_node_count(const prune_network *network);
PRUNE_API const char *prune_network_node_name(const prune_network *network, int32_t index);
PRUNE_API const char *prune_network_node_op(const prune_network *network, int32_t index);
PRUNE_API int32_t prune_network_output_count(const prune_network *network);
PRUNE_API const char *prune_network_output_name(const prune_network *network, int32_t index);

/* Parameters in the order of their nodes ("fc1.weight", "fc1.bias", ...). The dense tensor (F32, may be written
 * through; NULL when the parameter is sparse or there is none of that name), the mask (NULL when all is kept or the
 * parameter is sparse), the sparse object (NULL when it is dense). Borrowed. */
PRUNE_API int32_t prune_network_parameter_count(const prune_network *network);
PRUNE_API const char *prune_network_parameter_name(const prune_network *network, int32_t index);
PRUNE_API prune_tensor *prune_network_parameter(prune_network *network, const char *name);
PRUNE_API const prune_mask *prune_network_mask(const prune_network *network, const char *name);
PRUNE_API const prune_sparse *prune_network_sparse(const prune_network *network, const char *name);

/* Prunes a dense parameter: copies the mask and sets what it prunes to +0.0. NULL takes the mask away. */
PRUNE_API int32_t prune_network_set_mask(prune_network *network, const char *name, const prune_mask *mask);

/* A new network whose linear weights are sparse in the format of `spec` ("csr", "nm:keep_n=2,group_m=4", "dense");
 * biases stay dense. */
PRUNE_API int32_t prune_network_pack(prune_network **out, const prune_network *network, const char *spec);

/* 1 when some parameter is sparse. */
PRUNE_API int32_t prune_network_is_packed(const prune_network *network);

/* Runner: a network made ready to run batches of up to `batch` samples without allocating. Dense weights run on
 * OpenBLAS (at batch 1 the faster of sgemv and sgemm, tried when the runner is made), sparse ones on libprune's kernels
 * with bias and ReLU fused. One thread at a time. */
typedef struct prune_runner prune_runner;

/* For up to `batch` samples at once, 1 or more. */
PRUNE_API int32_t prune_runner_create(prune_runner **out, const prune_network *network, int64_t batch);

/* Runs `samples` <= batch rows of the first input (row-major F32, one sample after another) and writes output `output`
 * of each sample likewise. */
PRUNE_API int32_t prune_runner_run(prune_runner *runner, const float *x, int64_t samples, int32_t output, float *y);

/* Elements of one sample of the input and of an output. */
PRUNE_API int64_t prune_runner_input_size(const prune_runner *runner);
PRUNE_API int64_t prune_runner_output_size(const prune_runner *runner, int32_t output);

/* What runs: one word a layer, "sgemv", "sgemm", or form and instruction set ("csr-ell16/avx512"), separated by commas.
 * The runner's memory. */
PRUNE_API const char *prune_runner_kernels(const prune_runner *runner);
PRUNE_API void prune_runner_free(prune_runner *runner);

/* How many of the samples (images of any shape with the input's number of elements, F32 [count, ...]; labels I64
 * [count]) the first output ranks right; of equal logits the lower class counts as chosen, a NaN never. */
PRUNE_API int32_t prune_network_evaluate(const prune_network *network, const prune_tensor *images,
                                         const prune_tensor *labels, int64_t batch, int64_t *correct);

/* Compares the classes that two networks of the same input and output choose. *differing: samples on which they choose
 * differently; *within_bound: samples where some class comes so close to the best logit of `reference` that the
 * rounding of both networks' products could change the choice; *unexplained: samples on which they differ and the two
 * classes chosen are not that close (0 when both compute the same function). The bound carries gamma(n) sum |w||x| of
 * each layer through the ones after it, in double. */
PRUNE_API int32_t prune_network_compare(const prune_network *reference, const prune_network *other,
                                        const prune_tensor *images, int64_t batch, int64_t *differing,
                                        int64_t *within_bound, int64_t *unexplained);

/* The name of the kernel set that OpenBLAS chose ("SkylakeX"), and its version text. */
PRUNE_API const char *prune_blas_kernel(void);
PRUNE_API const char *prune_blas_version(void);

/* How many threads OpenBLAS uses, for the whole process: only for a program that owns its process. Nothing else in this
 * library changes it. */
PRUNE_API void prune_blas_set_threads(int32_t threads);

#ifdef __cplusplus
}
#endif
#endif
