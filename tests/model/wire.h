/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ONNX models written field by field, so that tests can write what no library would.
 */
#ifndef PM_TESTS_WIRE_H
#define PM_TESTS_WIRE_H

#include "files.h"

struct wire {
    size_t length;
    unsigned char bytes[8000];
};

static inline void put_raw(struct wire *to, const void *bytes, size_t length)
{
    ck_assert_uint_le(length, sizeof to->bytes - to->length);
    if (length)
        memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
}

static inline void put_varint(struct wire *to, uint64_t number)
{
    do {
        unsigned char byte = (unsigned char)((number & 127) | (number > 127 ? 128 : 0));
        put_raw(to, &byte, 1);
        number >>= 7;
    } while (number);
}

static inline void put_int(struct wire *to, int field, int64_t number)
{
    put_varint(to, (uint64_t)field << 3);
    put_varint(to, (uint64_t)number);
}

static inline void put_float(struct wire *to, int field, float number)
{
    put_varint(to, (uint64_t)field << 3 | 5);
    put_raw(to, &number, 4);
}

static inline void put_bytes(struct wire *to, int field, const void *bytes, size_t length)
{
    put_varint(to, (uint64_t)field << 3 | 2);
    put_varint(to, length);
    put_raw(to, bytes, length);
}

static inline void put_text(struct wire *to, int field, const char *text)
{
    put_bytes(to, field, text, strlen(text));
}

static inline void put(struct wire *to, int field, const struct wire *message)
{
    put_bytes(to, field, message->bytes, message->length);
}

/* TensorProto without numbers. */
static inline struct wire a_tensor(const char *name, int data_type, int rank, const int64_t *dims)
{
    struct wire tensor = {0};
    for (int i = 0; i < rank; i++)
        put_int(&tensor, 1, dims[i]);
    put_int(&tensor, 2, data_type);
    if (name)
        put_text(&tensor, 8, name);
    return tensor;
}

static inline struct wire raw_tensor(const char *name, int data_type, int rank, const int64_t *dims, const void *data,
                                     size_t bytes)
{
    struct wire tensor = a_tensor(name, data_type, rank, dims);
    put_bytes(&tensor, 9, data, bytes);
    return tensor;
}

/* ValueInfoProto of floats; an extent of -1 is "N". */
static inline struct wire an_info(const char *name, int rank, const int64_t *dims)
{
    struct wire info = {0}, type = {0}, tensor = {0}, shape = {0};
    for (int i = 0; i < rank; i++) {
        struct wire dim = {0};
        if (dims[i] == -1)
            put_text(&dim, 2, "N");
        else
            put_int(&dim, 1, dims[i]);
        put(&shape, 1, &dim);
    }
    put_int(&tensor, 1, 1);
    put(&tensor, 2, &shape);
    put(&type, 1, &tensor);
    put_text(&info, 1, name);
    put(&info, 2, &type);
    return info;
}

/* NodeProto; inputs and outputs as "a,b,". */
static inline void put_names(struct wire *to, int field, const char *list)
{
    while (*list) {
        size_t length = strcspn(list, ",");
        put_bytes(to, field, list, length);
        list += length + (list[length] == ',');
    }
}

static inline struct wire a_node(const char *name, const char *op, const char *inputs, const char *outputs)
{
    struct wire node = {0};
    put_names(&node, 1, inputs);
    put_names(&node, 2, outputs);
    if (name)
        put_text(&node, 3, name);
    put_text(&node, 4, op);
    return node;
}

/* AttributeProto that holds a message: type 4 a tensor in field 5, type 5 a graph in field 6. */
static inline struct wire an_attribute(const char *name, int type, const struct wire *message)
{
    struct wire attribute = {0};
    put_text(&attribute, 1, name);
    put(&attribute, type == 4 ? 5 : 6, message);
    put_int(&attribute, 20, type);
    return attribute;
}

/* ModelProto; the opset stands last, so that every cut loses something. */
static inline struct wire a_model(const struct wire *graph, int64_t opset)
{
    struct wire model = {0}, set = {0};
    put_int(&model, 1, 7);
    put(&model, 7, graph);
    put_text(&set, 1, "");
    put_int(&set, 2, opset);
    put(&model, 8, &set);
    return model;
}

/* x [N, 3] times the initializer w [3, 2], then Relu. */
static const float linear_weights[] = {1, -2, 3, 4, -5, 6};
static const int64_t linear_shape[] = {3, 2};

static inline struct wire linear_graph_with(const struct wire *initializer)
{
    struct wire graph = {0};
    struct wire product = a_node("product", "MatMul", "x,w", "h"), relu = a_node(NULL, "Relu", "h", "y");
    struct wire x = an_info("x", 2, (int64_t[]){-1, 3}), y = an_info("y", 2, (int64_t[]){-1, 2});
    put(&graph, 1, &product);
    put(&graph, 1, &relu);
    put_text(&graph, 2, "linear");
    if (initializer)
        put(&graph, 5, initializer);
    put(&graph, 11, &x);
    put(&graph, 12, &y);
    return graph;
}

static inline struct wire linear_graph(void)
{
    struct wire w = raw_tensor("w", 1, 2, linear_shape, linear_weights, sizeof linear_weights);
    return linear_graph_with(&w);
}

static inline struct wire linear_model(void)
{
    struct wire graph = linear_graph();
    return a_model(&graph, 13);
}

static inline const char *save_wire(const char *name, const struct wire *wire)
{
    const char *path = scratch(name);
    save(path, wire->bytes, wire->length);
    return path;
}

#endif
