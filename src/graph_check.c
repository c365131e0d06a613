/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether outputs count samples: one that only happens to be as long as a part must not be taken for it.
 */
#include "graphs.h"

static int check_outputs(const prune_session *session, const prune_graph *graph, int64_t samples, int64_t count,
                         int32_t outputs, const int32_t *numbers)
{
    for (int32_t i = 0; i < outputs; i++) {
        const prune_tensor *y = prune_session_output(session, numbers[i]);
        if (!y || prune_tensor_rank(y) < 1 || prune_tensor_shape(y)[0] != count)
            return complain(BAD_INPUT,
                            "output \"%s\" has no axis 0 that counts the %lld samples of a batch: run all at once with "
                            "--batch %lld",
                            prune_graph_output_name(graph, numbers[i]), (long long)count, (long long)samples);
    }
    return DONE;
}

int samples_check(const struct samples *samples, const prune_graph *graph, int64_t batch, int32_t outputs,
                  const int32_t *numbers)
{
    prune_session *session = NULL;
    prune_tensor *part[MAX_INPUTS];
    const prune_tensor *const *arrays = (const prune_tensor *const *)part;
    int64_t count = batch > 1 ? 1 : 2;
    if (samples->samples <= batch || samples->samples % batch)
        return DONE;
    int code = samples_part(part, samples, 0, count);
    if (code)
        return code;
    /* A model that takes no other number of samples tells nothing. */
    if (prune_session_create(&session, graph, samples->count, samples->names, arrays, samples->fixed, NULL) ==
            PRUNE_OK &&
        prune_session_run(session, samples->count, arrays) == PRUNE_OK)
        code = check_outputs(session, graph, samples->samples, count, outputs, numbers);
    prune_session_free(session);
    samples_part_free(part, samples);
    return code;
}
