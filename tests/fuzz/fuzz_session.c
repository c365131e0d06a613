/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model that is run: whatever the file says is refused with a sentence or computed, in little memory, twice the same.
 */
#include "fuzz.h"

#define MOST_BYTES (1 << 19) /* of everything; what would take more fails as memory that runs out */
#define MOST_INPUTS 8
#define MOST_NUMBERS 512 /* of an input */
#define MOST_MACS 1000000

/* A tensor of small numbers that fits the input; NULL where none here does. Free extents are 2. */
static prune_tensor *input_of(const prune_graph *graph, int32_t index, int32_t *fixed)
{
    int32_t dtype = 0, rank = 0;
    int64_t shape[8], count = 1;
    double numbers[MOST_NUMBERS];
    prune_tensor *wide = NULL, *tensor = NULL;
    fuzz_require(prune_graph_input_type(graph, index, &dtype, &rank, shape) == PRUNE_OK, "an input has no type");
    if (!dtype)
        return NULL;
    for (int32_t i = 0; i < rank; i++) {
        shape[i] = shape[i] < 0 ? 2 : shape[i];
        if (shape[i] > MOST_NUMBERS || count * shape[i] > MOST_NUMBERS)
            return NULL;
        count *= shape[i];
    }
    for (int64_t i = 0; i < count; i++)
        numbers[i] = dtype == PRUNE_BOOL ? (double)(i % 2) : (double)(i * 7 % 5);
    fuzz_require(prune_tensor_borrow(&wide, NULL, numbers, PRUNE_F64, rank < 0 ? 0 : rank, shape, NULL) == PRUNE_OK,
                 "no tensor");
    fuzz_require(prune_tensor_convert(&tensor, wide, dtype) == PRUNE_OK, "no input");
    prune_tensor_free(wide);
    *fixed = rank <= 1 && dtype != PRUNE_F32;
    return tensor;
}

static void run_twice(prune_session *session, int32_t count, const prune_tensor *const *inputs, int32_t outputs)
{
    int64_t macs = 0;
    uint64_t sums[2] = {0};
    for (int32_t i = 0; i < prune_session_step_count(session); i++) {
        int64_t more = prune_session_step_macs(session, i);
        macs = more > MOST_MACS ? MOST_MACS + 1 : macs + more;
        if (macs > MOST_MACS)
            return;
    }
    for (int round = 0; round < 2; round++) {
        if (prune_session_run(session, count, inputs) != PRUNE_OK) {
            fuzz_require(prune_error()[0] != '\0', "a failure has no sentence");
            return;
        }
        for (int32_t i = 0; i < outputs; i++) {
            const prune_tensor *y = prune_session_output(session, i);
            fuzz_require(y != NULL, "an output is not there");
            const uint8_t *bytes = prune_tensor_const_data(y);
            for (int64_t j = 0; j < prune_tensor_count(y) * prune_dtype_size(prune_tensor_dtype(y)); j++)
                sums[round] = sums[round] * 31 + bytes[j];
        }
    }
    fuzz_require(sums[0] == sums[1], "two runs give two results");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file("model.onnx", data, size), *names[MOST_INPUTS];
    prune_context *context = NULL;
    prune_graph *graph = NULL;
    prune_tensor *inputs[MOST_INPUTS] = {NULL};
    prune_session *session = FUZZ_UNTOUCHED;
    int32_t fixed[MOST_INPUTS] = {0}, count = 0, fits;
    context = fuzz_context(MOST_BYTES);
    fits = prune_graph_read(&graph, context, path, NULL) == PRUNE_OK;
    count = fits ? prune_graph_input_count(graph) : 0;
    fits = fits && count <= MOST_INPUTS;
    for (int32_t i = 0; fits && i < count; i++) {
        names[i] = prune_graph_input_name(graph, i);
        inputs[i] = input_of(graph, i, &fixed[i]);
        fits = inputs[i] != NULL;
    }
    const prune_tensor *const *fed = (const prune_tensor *const *)inputs;
    if (fits && fuzz_read(prune_session_create(&session, graph, count, names, fed, fixed, NULL), session)) {
        run_twice(session, count, fed, prune_graph_output_count(graph));
        prune_session_free(session);
    }
    for (int32_t i = 0; i < MOST_INPUTS; i++)
        prune_tensor_free(inputs[i]);
    prune_graph_free(graph);
    prune_context_free(context);
    fuzz_require(fuzz_lent == 0, "memory is lost");
    return fuzz_done(path);
}
