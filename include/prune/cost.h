/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cost: parameters, non-zeros, MACs, bytes and energy of a network, from plain descriptions of its layers, which need
 * neither graph nor weights, or from a whole model. One sample, or as many as a model's inputs have.
 */
#ifndef PRUNE_COST_H
#define PRUNE_COST_H

#include <stdint.h>

#include "prune/graph.h"
#include "prune/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A list of layers. Belongs to one thread while it is being filled. */
typedef struct prune_cost prune_cost;

/* An empty list. */
PRUNE_API int32_t prune_cost_create(prune_cost **out, prune_context *context);
PRUNE_API void prune_cost_free(prune_cost *cost);

/* Adds a layer. `spec`, all extents 1 or more unless said:
 *   "linear:in=I,out=O,bias=0"
 *   "conv:in=I,out=O,kernel_h=K,kernel_w=K,height=H,width=W,stride=1,pad=0,dilation=1,groups=1,bias=0"
 *                                             height and width are the input's
 *   "batch-norm:channels=C,height=H,width=W"  2 C parameters, C H W element operations
 *   "mean:channels=C,height=H,width=W"        a spatial mean: C element operations
 * `nonzeros` is how many weights (without biases) are not zero, -1 for all of them; `input_density` the fraction of the
 * layer's input activations that are not zero, 0 to 1. PRUNE_E_SHAPE when groups do not divide the channels or the
 * kernel exceeds the padded input, PRUNE_E_OVERFLOW when the layer's numbers do not fit in 63 bits. */
PRUNE_API int32_t prune_cost_add(prune_cost *cost, const char *name, const char *spec, int64_t nonzeros,
                                 double input_density);

/* The layers of a network as it is, with the weights' non-zeros and input densities of 1. */
PRUNE_API int32_t prune_cost_add_network(prune_cost *cost, const prune_network *network);

/* The layers of a whole model for given inputs (as prune_session_create takes them), in the order in which they run, by
 * the names of their nodes: each product with weights (a recurrent node has two, of which the second is "NODE/2"), each
 * product of two computed values, each batch norm and mean, and nodes that read other floating parameters. What is
 * counted is for all samples of the inputs. Non-zeros are the numbers that are not 0; a parameter that several nodes
 * read counts once. Where `measure` is 0 the numbers of the inputs do not matter and input densities are 1; else the
 * model is run, and they are what is not 0 of each layer's input. */
PRUNE_API int32_t prune_cost_add_graph(prune_cost *cost, const prune_graph *graph, int32_t count,
                                       const char *const *names, const prune_tensor *const *inputs,
                                       const int32_t *fixed, int32_t measure);

/* Says anew how many weights of a layer are not zero (-1 for all) and how much of its input: what a table has of a
 * network whose numbers are not at hand. PRUNE_E_ARGUMENT as prune_cost_add. */
PRUNE_API int32_t prune_cost_set(prune_cost *cost, int32_t layer, int64_t nonzeros, double input_density);

/* The layers in the order in which they were added: how many, and the name of one; NULL outside the list. */
PRUNE_API int32_t prune_cost_count(const prune_cost *cost);
PRUNE_API const char *prune_cost_name(const prune_cost *cost, int32_t layer);

/* Sums of one layer, or of all with layer -1. */
#define PRUNE_COST_WEIGHTS 0          /* weights without biases and batch norm */
#define PRUNE_COST_PARAMETERS 1       /* weights, biases, batch norm's trainable two */
#define PRUNE_COST_NONZEROS 2         /* weights that are not zero */
#define PRUNE_COST_MACS 3             /* of the dense layers */
#define PRUNE_COST_MACS_WEIGHTS 4     /* MACs whose weight is not zero: dense MACs x non-zeros / weights */
#define PRUNE_COST_MACS_ACTIVATIONS 5 /* dense MACs x input density */
#define PRUNE_COST_MACS_BOTH 6        /* the product of both fractions: the estimate of Han et al. 2015 */
#define PRUNE_COST_ELEMENT_OPS 7      /* one for each output of batch norm and mean: torchprofile adds these to MACs */
#define PRUNE_COST_ACTIVATIONS 8      /* input elements read and output elements written by linear and conv layers */
#define PRUNE_COST_OUTPUTS 9          /* output elements */
PRUNE_API int32_t prune_cost_get(const prune_cost *cost, int32_t quantity, int32_t layer, double *value);

/* Bytes of the weights (biases not counted) in a format, F32 values: "dense" 4 a weight; "csr" 4 + 4 a non-zero and 4 a
 * row, plus 4; "nm:keep_n=N,group_m=M" values and packed positions as in prune/sparse.h, however many of the weights
 * are zero; "bitmap" 4 a non-zero and a bit a weight. A convolution's weights count as a matrix of `out` rows. Layer -1
 * for all. */
PRUNE_API int32_t prune_cost_bytes(const prune_cost *cost, const char *format, int32_t layer, double *bytes);

/* Energy of single operations and 32-bit accesses in picojoule, 45 nm, 0.9 V (Horowitz, ISSCC 2014): "int32-add" 0.1,
 * "float32-add" 0.9, "register" 1, "int32-multiply" 3.1, "float32-multiply" 3.7, "sram" 5 (32 KB), "dram" 640,
 * "mac" 4.6 (multiply and add). PRUNE_E_ARGUMENT for another name, listing these. */
PRUNE_API int32_t prune_energy_of(const char *operation, double *picojoule);

/* The energy of one inference in picojoule: every 32-bit word of weights, indices and biases (`words`, may be
 * fractional) from DRAM, `macs` multiply-adds, `activations` words read from or written to SRAM. */
PRUNE_API int32_t prune_energy_inference(double words, double macs, double activations, double *picojoule);

#ifdef __cplusplus
}
#endif
#endif
