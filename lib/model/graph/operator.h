/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an operator is. Everything about one operator stands in its file in ops/, which exports one `const struct
 * pm_operator`; ops/ops.def lists them. The graph and the session know operators through this struct only.
 *
 * The life of a node in a session: infer (what comes out, how much scratch), then, when every input is known already,
 * run at once, its outputs being constants from there on; otherwise prepare (pack the weights), run for each batch,
 * release. Names, attributes and defaults are those of the ONNX operator specification, for every opset from 9 to 21:
 * what was an attribute in one opset and is an input in another is read with the helpers below.
 */
#ifndef PM_GRAPH_OPERATOR_H
#define PM_GRAPH_OPERATOR_H

#include "model/graph/graph.h"

/* One input or output of a node. */
struct pm_operand {
    struct pm_type type;                  /* dtype 0: left out */
    void *data;                           /* row-major without gaps, aligned to 64 bytes; see pm_call */
    int is_constant;                      /* the same numbers at every run */
    const prune_mask *mask;               /* of a pruned parameter; NULL */
    const struct pm_parameter *parameter; /* whose numbers, as they are, these are; NULL */
};

/* What is done to each output of a product before it is written, instead of the nodes that follow it: batch
 * normalisation (y = scale[channel] * y + shift[channel]), the addition of another value of the same shape, and an
 * activation. */
enum pm_activation { PM_NO_ACTIVATION, PM_RELU, PM_RELU6 };
struct pm_fusion {
    const float *scale, *shift; /* out channels each; NULL for none */
    int32_t addend; /* the input that is added before the activation, after those that the node has; 0: none */
    enum pm_activation activation;
};

struct pm_call {
    prune_context *context;
    const struct pm_node *node;
    int64_t opset;
    int32_t input_count, output_count;
    struct pm_operand *inputs;  /* infer, prepare: data of constants, else NULL. run: data of all */
    struct pm_operand *outputs; /* infer sets the types; run finds memory for all but those left out */
    int64_t scratch_bytes;      /* infer or prepare asks; run finds `scratch`, aligned to 64 bytes */
    void *scratch;
    void *state;             /* prepare's, for run; let go by release */
    struct pm_fusion fusion; /* before prepare; only for operators with PM_FUSES */
    const char *weights;     /* how weights are packed: a spec of prune_packed_create ("format=auto") */
    struct pm_packs *packs;  /* that weights may be taken from, or are recorded in; NULL */
    char kernels[64];        /* prepare may say what runs ("csr-ell16/avx512"); "" for plain loops */
};

/* Flags. */
#define PM_IN_PLACE 1 /* output 0 may be written over input 0, if that has the same bytes and is not read again */
#define PM_VIEW 2 /* output 0 has the elements of input 0 in the same order: run is not called where memory is shared */
#define PM_FUSES                                                                                                       \
    4 /* the product takes a pm_fusion: channels are axis 1 of output 0 (Conv) or its last (Gemm, MatMul) */
#define PM_ADDS 16     /* with PM_FUSES: it takes an addend too */
#define PM_TYPE_ONLY 8 /* the outputs follow from the inputs' types alone (Shape, Size): run reads no input's data */

/* Weights of a node that can be pruned, as a matrix out x in with its observations. */
struct pm_layer {
    int32_t input;         /* which input holds the weights */
    int32_t is_transposed; /* the tensor is [in, out] (MatMul, Gemm without transB) instead of [out, in, ...] */
    int64_t out, in;       /* of the matrix; in = in_channels / groups * kernel */
    int64_t groups;
    int64_t macs;     /* for the whole call: products done with these weights, dense */
    const char *kind; /* "linear", "conv", "depthwise", "recurrent" */
};

/* Takes rows of a layer's input: F32 [rows, in] for the matrix of `group`; non-zero stops. */
typedef int32_t pm_take_rows(void *user, int64_t group, int64_t rows, const float *x);

struct pm_operator {
    const char *op; /* "Conv" */
    int32_t flags;

    /* Sets the outputs' types (dtype of those that the node has), from types and constants. PRUNE_E_SHAPE, _DTYPE,
     * _FORMAT, _UNSUPPORTED with a sentence that names what was wrong; the caller puts the node's name before it. */
    int32_t (*infer)(struct pm_call *call);

    /* NULL for none. prepare is called once, with constants at hand; release also when it was not, or failed. */
    int32_t (*prepare)(struct pm_call *call);
    void (*release)(struct pm_call *call);

    /* Allocates nothing. Data-dependent refusals only (an index out of range). */
    int32_t (*run)(const struct pm_call *call);

    /* Multiply-adds of the call, dense; NULL for none. Elementwise work does not count. */
    int64_t (*macs)(const struct pm_call *call);

    /* Layer `index` of the node, 0 when there is none, else 1; NULL for operators without weights. */
    int (*layer)(const struct pm_call *call, int32_t index, struct pm_layer *layer);

    /* What layer `index` multiplies with its weights, from the inputs' data, a part at a time (im2col for a
     * convolution, the rows of each step for a recurrent layer). NULL where `layer` is. */
    int32_t (*rows)(const struct pm_call *call, int32_t index, pm_take_rows *take, void *user);
};

extern const struct pm_operator *const pm_operators[];
extern const int32_t pm_operator_count;

/* The operator of the default domain (""), also "ai.onnx"; NULL for none. */
const struct pm_operator *pm_operator_find(const char *domain, const char *op);

/* Helpers of infer. An input that is there; its count of numbers; a constant as 64-bit numbers. */
int pm_has_input(const struct pm_call *call, int32_t index);
int pm_has_output(const struct pm_call *call, int32_t index);

/* PRUNE_E_FORMAT unless the inputs (left-out ones included) are `least` to `most` and the first `least` are there; the
 * same for outputs. */
int32_t pm_expect_inputs(const struct pm_call *call, int32_t least, int32_t most);
int32_t pm_expect_outputs(const struct pm_call *call, int32_t least, int32_t most);

/* Numbers that an attribute holds in old opsets and input `index` in new ones ("axes", "starts", "pads", "shape"): at
 * most `room` go to `out`. *count is -1 where neither is there. An input must be constant: PRUNE_E_UNSUPPORTED names
 * it. */
int32_t pm_ints_of(const struct pm_call *call, const char *attribute, int32_t index, int64_t room, int64_t *out,
                   int64_t *count);

/* The same for one number ("min", "max", "ratio"); *is_there 0 where there is none. Any floating or integer dtype. */
int32_t pm_float_of(const struct pm_call *call, const char *attribute, int32_t index, double *out, int *is_there);

/* An axis of a value of `rank`, negative ones counting from the end; PRUNE_E_SHAPE outside. `rank_more` 1 lets it be
 * `rank` itself (Unsqueeze, Flatten). */
int32_t pm_axis(int64_t axis, int32_t rank, int32_t rank_more, int32_t *out);

/* The shape that two are broadcast to (ONNX: as NumPy), PRUNE_E_SHAPE with both. */
int32_t pm_broadcast(const struct pm_type *a, const struct pm_type *b, struct pm_type *out);

/* One node alone, for tests and constants: infer, prepare, run into new tensors, release. `inputs` NULL for one left
 * out. outputs[i] of the node's outputs become the caller's. */
int32_t pm_operator_call(prune_context *context, const struct pm_node *node, int64_t opset, int32_t input_count,
                         const prune_tensor *const *inputs, int32_t output_count, prune_tensor **outputs);

#endif
