/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The runner from the inside.
 */
#ifndef PM_NETWORK_RUNNER_H
#define PM_NETWORK_RUNNER_H

#include "model/network/network.h"

enum pm_how { PM_BY_LINK, PM_BY_SGEMM, PM_BY_SGEMV, PM_BY_PACKED };

/* One node, with the activation behind it where that is fused. Values are named by their storage, see below. */
struct pm_network_step {
    enum pm_how how;
    const struct pm_network_node *node; /* of the runner's own list */
    int relu;                           /* fused */
    int32_t input, output;
    int64_t in, out;
    float *parameters[PM_MAX_NODE_PARAMETERS]; /* the runner's copies; NULL where sparse */
    prune_packed *packed;
    prune_epilogue *epilogue;
};

struct prune_runner {
    prune_context *context;
    int64_t batch;
    int32_t input, value_count, node_count, output_count, step_count, slot_count;
    struct pm_network_node *nodes; /* copies: the network may go or change */
    int64_t *sizes;                /* of values: elements of one sample */
    int32_t *storage; /* value -> the value whose memory it has: views and fused sums have that of another */
    int32_t *slot;    /* storage -> number of its buffer; -1 for the input and what is not made */
    float **slots;
    struct pm_network_step *steps;
    int32_t *outputs; /* values */
    uint8_t *needed;  /* [output][step] */
    char *kernels;
};

/* With `keep_values`, every storage has a buffer of its own, so that all can be looked at after a run. */
int32_t pm_runner_create(prune_runner **out, const prune_network *network, int64_t batch, int keep_values);

/* As prune_runner_run, without checks. y NULL leaves the output in its buffer (with keep_values). */
int32_t pm_runner_execute(prune_runner *runner, const float *x, int64_t samples, int32_t output, float *y);

/* Where the last run left a value; x for the input. */
const float *pm_runner_value(const prune_runner *runner, int32_t value, const float *x);

/* Which values share memory, which steps each output needs, and which buffer each storage has. */
int32_t pm_runner_plan(prune_runner *runner, const prune_network *network, int keep_values);

/* The class with the largest logit, the lower of equal ones, a NaN never; -1 for none. */
int64_t pm_choose(const float *logits, int64_t classes);

#endif
