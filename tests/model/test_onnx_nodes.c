/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Conformance: ONNX's own node tests, which Debian has in libonnx-testdata. Each is a model of one or a few nodes with
 * its inputs and outputs. Those whose operators run here and whose tensors are floating, whole or bool must come out
 * right; how many do is held to the number in tests/model/onnx_nodes.floor, which only rises.
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/testing.h"
#include "model/graph/operator.h"
#include "model/io/onnx/onnx.h"
#include "prune/session.h"

#define FOLDER "/usr/share/libonnx-testdata/data/node"
#define MOST 16 /* inputs or outputs */

enum outcome { PASSED, FAILED, NOT_APPLICABLE };

struct sample {
    prune_graph *graph;
    int32_t input_count, output_count;
    prune_tensor *inputs[MOST], *outputs[MOST];
};

static char why[600];

/* The tensor of a .pb file: NULL when the file is not there or holds what no tensor here can. */
static prune_tensor *read_tensor(const char *path, int *is_there)
{
    static uint8_t bytes[1 << 24];
    FILE *file = fopen(path, "rb");
    prune_tensor *borrowed = NULL, *tensor = NULL;
    *is_there = file != NULL;
    if (!file)
        return NULL;
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    pm_tensor_message *message = pm__onnx__tensor__unpack(NULL, length, bytes);
    if (message && pm_onnx_tensor(&borrowed, NULL, message) == PRUNE_OK && borrowed)
        OK(prune_tensor_convert(&tensor, borrowed, prune_tensor_dtype(borrowed)));
    prune_tensor_free(borrowed);
    if (message)
        pm__onnx__tensor__free_unpacked(message, NULL);
    return tensor;
}

/* input_0.pb, ...: 0 when one of them is no tensor of ours. */
static int read_tensors(const char *name, const char *what, prune_tensor **tensors, int32_t *count)
{
    for (*count = 0; *count < MOST; ++*count) {
        char path[600];
        int is_there;
        snprintf(path, sizeof path, FOLDER "/%s/test_data_set_0/%s_%d.pb", name, what, (int)*count);
        tensors[*count] = read_tensor(path, &is_there);
        if (!is_there)
            return 1;
        if (!tensors[*count]) {
            snprintf(why, sizeof why, "element types");
            return 0;
        }
    }
    return 1;
}

static int runs_here(const struct pm_body *body)
{
    for (int32_t i = 0; i < body->node_count; i++) {
        const struct pm_node *node = &body->nodes[i];
        if (!node->kind && strcmp(node->op, "If") != 0) {
            snprintf(why, sizeof why, "operator %.60s", node->op);
            return 0;
        }
        for (int32_t j = 0; j < node->attribute_count; j++)
            if (node->attributes[j].body && !runs_here(node->attributes[j].body))
                return 0;
    }
    return 1;
}

/* Inputs that must be known before: none, whole numbers of rank 1 or less, all of rank 1 or less, all. */
static int is_fixed(const prune_tensor *tensor, int level)
{
    int32_t dtype = prune_tensor_dtype(tensor), rank = prune_tensor_rank(tensor);
    int whole = dtype != PRUNE_F32 && dtype != PRUNE_F64 && dtype != PRUNE_F16 && dtype != PRUNE_BF16;
    return level == 3 || (level == 2 && rank <= 1) || (level == 1 && rank <= 1 && whole);
}

static int32_t make_session(prune_session **session, const struct sample *sample)
{
    const char *names[MOST];
    int32_t fixed[MOST], status = PRUNE_OK;
    for (int32_t i = 0; i < sample->input_count; i++)
        names[i] = prune_graph_input_name(sample->graph, i);
    for (int level = 0; level < 4; level++) {
        for (int32_t i = 0; i < sample->input_count; i++)
            fixed[i] = is_fixed(sample->inputs[i], level);
        status = prune_session_create(session, sample->graph, sample->input_count, names,
                                      (const prune_tensor *const *)sample->inputs, fixed, NULL);
        if (status != PRUNE_E_UNSUPPORTED)
            return status;
    }
    return status;
}

/* As ONNX's own runner compares: 1e-3 of the value and 1e-7. */
static int same(const prune_tensor *got, const prune_tensor *wanted, int32_t number)
{
    prune_tensor *a, *b;
    int fits =
        prune_tensor_dtype(got) == prune_tensor_dtype(wanted) && prune_tensor_rank(got) == prune_tensor_rank(wanted);
    for (int32_t i = 0; fits && i < prune_tensor_rank(got); i++)
        fits = prune_tensor_shape(got)[i] == prune_tensor_shape(wanted)[i];
    if (!fits) {
        snprintf(why, sizeof why, "output %d: %s of rank %d for %s of rank %d, or another shape", (int)number,
                 prune_dtype_name(prune_tensor_dtype(got)), (int)prune_tensor_rank(got),
                 prune_dtype_name(prune_tensor_dtype(wanted)), (int)prune_tensor_rank(wanted));
        return 0;
    }
    OK(prune_tensor_convert(&a, got, PRUNE_F64));
    OK(prune_tensor_convert(&b, wanted, PRUNE_F64));
    const double *x = prune_tensor_const_data(a), *y = prune_tensor_const_data(b);
    for (int64_t i = 0; fits && i < prune_tensor_count(a); i++) {
        fits = x[i] == y[i] || (isnan(x[i]) && isnan(y[i])) || fabs(x[i] - y[i]) <= 1e-7 + 1e-3 * fabs(y[i]);
        if (!fits)
            snprintf(why, sizeof why, "output %d element %lld: %g for %g", (int)number, (long long)i, x[i], y[i]);
    }
    prune_tensor_free(a);
    prune_tensor_free(b);
    return fits;
}

static int is_of_training(const char *sentence)
{
    return strstr(sentence, "training") != NULL;
}

/* This version of the tests writes numbers of bf16 as u16. */
static int is_bf16_as_u16(const struct sample *sample)
{
    int found = 0;
    for (int32_t i = 0; i < sample->input_count; i++)
        found |= prune_tensor_dtype(sample->inputs[i]) == PRUNE_U16;
    for (int32_t i = 0; i < sample->output_count; i++)
        found |= prune_tensor_dtype(sample->outputs[i]) == PRUNE_U16;
    return found;
}

static enum outcome compare(const struct sample *sample)
{
    prune_session *session = NULL;
    if (make_session(&session, sample) ||
        prune_session_run(session, sample->input_count, (const prune_tensor *const *)sample->inputs)) {
        snprintf(why, sizeof why, "%.500s", prune_error());
        prune_session_free(session);
        return is_of_training(prune_error()) || is_bf16_as_u16(sample) ? NOT_APPLICABLE : FAILED;
    }
    enum outcome outcome = PASSED;
    for (int32_t i = 0; i < sample->output_count && outcome == PASSED; i++)
        if (!same(prune_session_output(session, i), sample->outputs[i], i))
            outcome = is_bf16_as_u16(sample) ? NOT_APPLICABLE : FAILED;
    prune_session_free(session);
    return outcome;
}

static enum outcome try_one(const char *name)
{
    struct sample sample = {0};
    char path[600];
    enum outcome outcome = NOT_APPLICABLE;
    snprintf(path, sizeof path, FOLDER "/%s/model.onnx", name);
    if (prune_graph_read(&sample.graph, NULL, path, NULL))
        snprintf(why, sizeof why, "%.500s", strstr(prune_error(), "opset") ? "opset" : prune_error());
    else if (runs_here(sample.graph->body) && read_tensors(name, "input", sample.inputs, &sample.input_count) &&
             read_tensors(name, "output", sample.outputs, &sample.output_count)) {
        if (sample.input_count == prune_graph_input_count(sample.graph) &&
            sample.output_count == prune_graph_output_count(sample.graph))
            outcome = compare(&sample);
        else
            snprintf(why, sizeof why, "numbers of inputs or outputs");
    }
    for (int32_t i = 0; i < MOST; i++) {
        prune_tensor_free(sample.inputs[i]);
        prune_tensor_free(sample.outputs[i]);
    }
    prune_graph_free(sample.graph);
    return outcome;
}

/* Why tests do not apply: what their sentences begin with, or hold; anything else is the last. */
static const char *const reasons[] = {"operator ", "opset", "element types", "training", "bf16", ""};
#define REASONS (int)(sizeof reasons / sizeof *reasons)

static int reason_of(const char *sentence)
{
    int i = 0;
    while (i < REASONS - 1 && !strstr(sentence, reasons[i]))
        i++;
    return i;
}

static int floor_of_passed(void)
{
    FILE *file = fopen("tests/model/onnx_nodes.floor", "r");
    char line[64];
    int number = -1;
    ck_assert_msg(file != NULL, "tests/model/onnx_nodes.floor is not there");
    if (fgets(line, sizeof line, file))
        number = (int)strtol(line, NULL, 10);
    fclose(file);
    return number;
}

START_TEST(node_tests_of_onnx)
{
    struct dirent **entries = NULL;
    int counts[3] = {0}, for_reason[REASONS] = {0}, say_all = getenv("PRUNE_SAY_ALL") != NULL;
    int count = access(FOLDER, R_OK) == 0 ? scandir(FOLDER, &entries, NULL, alphasort) : 0;
    if (count <= 0) {
        skip("node tests of ONNX", "libonnx-testdata is not installed");
        return;
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            enum outcome outcome = try_one(entries[i]->d_name);
            counts[outcome]++;
            if (outcome == NOT_APPLICABLE)
                for_reason[reason_of(why)]++;
            if (outcome == FAILED || (say_all && outcome == NOT_APPLICABLE))
                printf("    %s %s: %s\n", outcome == FAILED ? "failed:" : "not applicable:", entries[i]->d_name, why);
        }
        free(entries[i]);
    }
    free((void *)entries);
    printf("    node tests of ONNX: %d passed, %d failed, %d not applicable\n", counts[PASSED], counts[FAILED],
           counts[NOT_APPLICABLE]);
    printf("    not applicable: %d operator not in the list, %d opset below 9 or of training, %d element types, "
           "%d training mode, %d bf16 written as u16, %d other\n",
           for_reason[0], for_reason[1], for_reason[2], for_reason[3], for_reason[4], for_reason[5]);
    fflush(stdout);
    ck_assert_int_ge(counts[PASSED], floor_of_passed());
}
END_TEST

TEST_MAIN("onnx nodes", node_tests_of_onnx)
