/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A whole model from the inside: bodies of values, nodes and parameters, linked by numbers. The model has one body; a
 * control-flow node (If) has one more for each branch, whose values may stand for values of the body around it.
 *
 * A graph says what a model is, not how it runs: a session (session.h) is made from it for given shapes, copies what it
 * needs and leaves the graph alone.
 */
#ifndef PM_GRAPH_GRAPH_H
#define PM_GRAPH_GRAPH_H

#include "base/alloc.h"
#include "model/graph/type.h"
#include "prune/graph.h"

#define PM_OLDEST_OPSET 9
#define PM_NEWEST_OPSET 21

struct pm_operator; /* operator.h */
struct pm_packs;    /* packs.h */
struct pm_body;

enum pm_attribute_kind {
    PM_INT = 1,
    PM_FLOAT,
    PM_STRING,
    PM_TENSOR,
    PM_BODY,
    PM_INTS,
    PM_FLOATS,
    PM_STRINGS,
    PM_OPAQUE /* a kind that no operator here reads: only its name is known */
};

struct pm_attribute {
    char *name;
    enum pm_attribute_kind kind;
    int64_t count; /* of a list; bytes of a string (a 0 stands behind them) */
    int64_t whole;
    float real;
    char *text;
    int64_t *wholes;
    float *reals;
    char **texts;
    prune_tensor *tensor;
    struct pm_body *body;
};

/* A name for a tensor of some body. What is known of its type: dtype 0, rank -1 and extents -1 for "not said". */
struct pm_value {
    char *name;
    struct pm_type type;
    char *symbols[PRUNE_MAX_RANK]; /* names of extents that are free ("batch"); NULL for none */
    int32_t node;                  /* that makes it; -1 for none */
    int32_t parameter;             /* -1 for none */
    int32_t outer;                 /* of a branch: the value of the body around it that this is; -1 for none */
};

/* A tensor of numbers that the file holds: an initializer, or the tensor of a Constant node. */
struct pm_parameter {
    int32_t value;
    prune_tensor *tensor; /* any dtype; what the mask prunes is +0.0 */
    prune_mask *mask;     /* NULL when all is kept */
    int changed;          /* since the file was read */
    int constant_node;    /* a Constant node holds it, no initializer */
    int32_t number;       /* in graph->parameters, once that is there */
    int is_packed;        /* graph->packs holds it as it is */
};

struct pm_node {
    char *name; /* unique in its body; made up ("Conv_3") where the file says none */
    char *op;   /* "Conv" */
    char *domain;
    const struct pm_operator *kind; /* NULL: unknown here; kept, not run */
    int32_t input_count, output_count, attribute_count;
    int32_t *inputs, *outputs; /* values; -1 for an optional one that is left out */
    struct pm_attribute *attributes;
};

struct pm_body {
    prune_context *context; /* the graph's; not counted here */
    struct pm_body *outer;  /* NULL for the model's own */
    struct pm_value *values;
    struct pm_node *nodes; /* in an order in which every input exists */
    struct pm_parameter *parameters;
    int32_t *inputs, *outputs; /* values */
    int32_t value_count, node_count, parameter_count, input_count, output_count;
    int32_t value_room, node_room, parameter_room, input_room, output_room;
    int32_t *names; /* open hash table of the values' names; see body.c */
    int32_t name_room;
};

struct prune_graph {
    prune_context *context;
    struct pm_body *body;
    int64_t opset; /* of the default domain */
    char *name;
    /* What the file format keeps of the file for writing it again. Copies of the graph share it: retain_origin counts
     * one more, free_origin one less. */
    void *origin;
    void (*free_origin)(void *origin);
    void *(*retain_origin)(void *origin);
    /* All parameters, those of branches too, in the order of the file: what prune_graph_parameter_* number. */
    struct pm_parameter **parameters;
    struct pm_body **homes; /* the body of each */
    int32_t parameter_count;
    int is_built;           /* by build.c, which may add to it */
    int32_t parameter_room; /* of these two lists, where it is */
    struct pm_packs *packs; /* weights that came packed, shared by copies; NULL */
};

/* An empty graph with an empty body, for readers and builders. */
int32_t pm_graph_create(prune_graph **out, prune_context *context, int64_t opset);

/* An empty body inside `outer` (NULL for none). */
int32_t pm_body_create(struct pm_body **out, prune_context *context, struct pm_body *outer);
void pm_body_free(struct pm_body *body);

/* The value of that name in this body, or -1; and one that is made when it is not there. `*value` may be looked up or
 * made in a body; a name of a body around it becomes a value of this body whose `outer` is set. */
int32_t pm_body_find(const struct pm_body *body, const char *name);
int32_t pm_body_value(struct pm_body *body, const char *name, int32_t *value);

/* Parts of a body. Each takes what it is given only when it succeeds. `pm_body_add_node` takes a node whose `inputs`
 * and `outputs` are set; PRUNE_E_FORMAT where an output is made already. Inputs may not exist yet: pm_body_sort. */
int32_t pm_body_add_node(struct pm_body *body, struct pm_node *node);
int32_t pm_body_add_parameter(struct pm_body *body, int32_t value, prune_tensor *tensor, int32_t *parameter);
int32_t pm_body_add_input(struct pm_body *body, int32_t value);
int32_t pm_body_add_output(struct pm_body *body, int32_t value);
void pm_node_release(prune_context *context, struct pm_node *node);

/* Puts the nodes in an order in which every input exists, those of branches included, keeping the file's order where it
 * can. PRUNE_E_FORMAT with the node and the value for a cycle or a value that nothing makes. */
int32_t pm_body_sort(struct pm_body *body);

/* Fills graph->parameters from the bodies and finds each node's operator. To be called once when all is read. */
int32_t pm_graph_finish(prune_graph *graph);

/* Attributes by name. Where the node has none of that name, or one of another kind, the default is given (NULL and 0
 * for lists). */
const struct pm_attribute *pm_attribute(const struct pm_node *node, const char *name);
int64_t pm_attribute_int(const struct pm_node *node, const char *name, int64_t or_else);
float pm_attribute_float(const struct pm_node *node, const char *name, float or_else);
const char *pm_attribute_string(const struct pm_node *node, const char *name, const char *or_else);
int64_t pm_attribute_ints(const struct pm_node *node, const char *name, const int64_t **ints);
int64_t pm_attribute_floats(const struct pm_node *node, const char *name, const float **floats);

/* PRUNE_E_FORMAT where an attribute that operators here read is of another kind than they read it as: the defaults
 * above would give other results without a word. */
int32_t pm_attributes_check(const struct pm_node *node);

#endif
