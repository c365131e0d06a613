/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Session: a graph made ready to run for given shapes. Weights are packed for libprune's kernels (sparse ones where a
 * mask makes that pay), values have their places in one arena, and a run allocates nothing.
 *
 * Batch normalisation and activations are computed with the product before them, which rounds once instead of several
 * times, and so is the addition of another value to a convolution, which changes no bit. One thread at a time runs a
 * session; products use the context's threads.
 */
#ifndef PRUNE_SESSION_H
#define PRUNE_SESSION_H

#include <stdint.h>

#include "prune/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_session prune_session;

/* For inputs like `examples` (one for each name; dtype and shape count). Where fixed[i] is not 0 the numbers count too:
 * that input is a constant of the session, as shapes and conditions must be. `fixed` may be NULL. `spec`: weights=auto
 * (default: sparse weights run sparse where that is estimated to be faster), dense, a format of prune_packed_create
 * for the pruned parameters ("csr", "nm", "bsr", "csc", "bitmap", "codebook"; all others are then dense), or none:
 * nothing is packed and no arena taken, so that the session cannot be run, but says what running would take (without
 * scratch); fuse=yes (the default) or no. NULL means "". The graph must outlive the session; what it is changed to
 * after this is not seen.
 *
 * Everything that depends on constants alone is computed here, except outputs of more than 64 MiB; of an If the branch
 * is taken that its condition says, which must be known here.
 *
 * PRUNE_E_ARGUMENT for an input that is missing or none of the graph's; PRUNE_E_SHAPE, PRUNE_E_DTYPE with the node for
 * shapes that do not fit; PRUNE_E_UNSUPPORTED with node and operator for what cannot be run. */
PRUNE_API int32_t prune_session_create(prune_session **out, const prune_graph *graph, int32_t count,
                                       const char *const *names, const prune_tensor *const *examples,
                                       const int32_t *fixed, const char *spec);

/* Runs `count` inputs, in the order of prune_session_create, of the same dtypes and shapes, any strides; numbers of
 * fixed ones are not looked at, and these may be NULL. Row-major inputs aligned to 64 bytes are read where they lie,
 * others are copied first. It allocates nothing. PRUNE_E_ARGUMENT, PRUNE_E_SHAPE, PRUNE_E_DTYPE with the input before
 * anything is run; PRUNE_E_VALUE with the node for numbers that it refuses; PRUNE_E_UNSUPPORTED with weights=none. */
PRUNE_API int32_t prune_session_run(prune_session *session, int32_t count, const prune_tensor *const *inputs);

/* What output `index` of the graph was in the last run: the session's, until the next run. NULL outside the list and
 * before the first run. */
PRUNE_API const prune_tensor *prune_session_output(const prune_session *session, int32_t index);

/* Bytes of the arena and of scratch that operators use in runs (products have scratch of their own); steps, and for
 * each the node, what runs ("csr-ell16/avx512", "" for plain loops), and its dense multiply-adds. */
PRUNE_API int64_t prune_session_memory(const prune_session *session);
PRUNE_API int32_t prune_session_step_count(const prune_session *session);
PRUNE_API const char *prune_session_step_node(const prune_session *session, int32_t index);
PRUNE_API const char *prune_session_step_kernels(const prune_session *session, int32_t index);
PRUNE_API int64_t prune_session_step_macs(const prune_session *session, int32_t index);

/* Of those the ones whose weight is kept by its mask. */
PRUNE_API int64_t prune_session_step_kept_macs(const prune_session *session, int32_t index);

/* Writes a graph whose pruned parameters are packed for the kernels, as a session like this one packs them: for inputs
 * like the examples, on the processor at hand (all arguments after `path` are those of prune_session_create). The file
 * holds the model without the numbers of these parameters, and the packed ones; prune_graph_read reads it, and sessions
 * for the same inputs take the weights as they are. It is a cache: it can be made again from the model, and a version
 * of the library that does not know it refuses it by name. A parameter whose numbers no packed matrix holds bit for bit
 * (one that is best run dense, or goes through other operators first) stays as it is. *packed (NULL allowed): how many
 * are packed. Whole or not at all. */
PRUNE_API int32_t prune_graph_write_packed(const prune_graph *graph, const char *path, int32_t count,
                                           const char *const *names, const prune_tensor *const *examples,
                                           const int32_t *fixed, const char *spec, int32_t *packed);

PRUNE_API void prune_session_free(prune_session *session);

#ifdef __cplusplus
}
#endif
#endif
