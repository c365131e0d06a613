/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan of a runner: what is computed, in which order, and where it lies.
 */
#include <string.h>

#include "model/network/runner.h"

/* An activation is fused into the product before it when nothing else looks at the sum. */
static int can_fuse(const prune_network *network, const struct pm_network_node *activation)
{
    const struct pm_network_value *sum = &network->values[activation->input];
    int takers = 0;
    if (!activation->op->epilogue || sum->node < 0 || network->nodes[sum->node].op->role != PM_PRODUCT)
        return 0;
    for (int32_t i = 0; i < network->node_count; i++)
        takers += network->nodes[i].input == activation->input;
    for (int32_t i = 0; i < network->output_count; i++)
        takers += network->outputs[i] == activation->input;
    return takers == 1;
}

/* Storages, and steps for the nodes that do something of their own. */
static void make_steps(prune_runner *runner, const prune_network *network)
{
    int32_t *maker = runner->slot; /* storage -> its step, until slots are given out */
    for (int32_t i = 0; i < network->value_count; i++)
        runner->storage[i] = i, maker[i] = -1;
    for (int32_t i = 0; i < network->node_count; i++) {
        const struct pm_network_node *node = &network->nodes[i];
        int32_t input = runner->storage[node->input];
        if (node->op->role == PM_VIEW) {
            runner->storage[node->output] = input;
        } else if (can_fuse(network, node)) {
            runner->storage[node->output] = input;
            runner->steps[maker[input]].relu = 1;
        } else {
            maker[node->output] = runner->step_count;
            runner->steps[runner->step_count++] = (struct pm_network_step){
                .node = &runner->nodes[i],
                .input = input,
                .output = node->output,
                .in = network->values[node->input].shape.count,
                .out = network->values[node->output].shape.count,
            };
        }
    }
}

static void mark_needed(prune_runner *runner, int32_t output)
{
    uint8_t *needed = runner->needed + (int64_t)output * runner->step_count;
    for (int32_t i = runner->step_count - 1; i >= 0; i--) {
        const struct pm_network_step *step = &runner->steps[i];
        needed[i] = step->output == runner->storage[runner->outputs[output]];
        for (int32_t later = i + 1; later < runner->step_count; later++)
            needed[i] |= needed[later] && runner->steps[later].input == step->output;
    }
}

/* The step after which nobody reads what step `index` makes. */
static int32_t last_reader(const prune_runner *runner, int32_t index)
{
    int32_t last = index;
    for (int32_t i = index + 1; i < runner->step_count; i++)
        if (runner->steps[i].input == runner->steps[index].output)
            last = i;
    return last;
}

/* Gives each storage the first buffer that is free while it is alive. `room`: elements of each buffer, for one sample;
 * `until`: the last reader of what lies in it. */
static void give_slots(prune_runner *runner, int64_t *room, int32_t *until, int keep_values)
{
    for (int32_t i = 0; i < runner->value_count; i++)
        runner->slot[i] = -1;
    for (int32_t i = 0; i < runner->step_count; i++) {
        const struct pm_network_step *step = &runner->steps[i];
        int32_t s = 0;
        while (s < runner->slot_count && (keep_values || until[s] >= i))
            s++;
        if (s == runner->slot_count) {
            room[s] = 0;
            runner->slot_count++;
        }
        room[s] = step->out > room[s] ? step->out : room[s];
        until[s] = last_reader(runner, i);
        runner->slot[step->output] = s;
    }
}

int32_t pm_runner_plan(prune_runner *runner, const prune_network *network, int keep_values)
{
    int64_t cells, *room;
    int32_t *until;
    make_steps(runner, network);
    cells = (int64_t)network->output_count * runner->step_count;
    PR_TRY(pr_alloc_zero(runner->context, cells, 1, &runner->needed));
    for (int32_t i = 0; i < network->output_count; i++)
        mark_needed(runner, i);
    PR_TRY(pr_alloc_zero(runner->context, runner->step_count, sizeof *runner->slots, &runner->slots));
    PR_TRY(pr_alloc(runner->context, runner->step_count, sizeof *room, &room));
    int32_t status = pr_alloc(runner->context, runner->step_count, sizeof *until, &until);
    if (!status) {
        give_slots(runner, room, until, keep_values);
        for (int32_t i = 0; !status && i < runner->slot_count; i++) {
            int64_t numbers = 0;
            status = pr_mul(room[i], runner->batch, &numbers);
            if (!status)
                status = pr_alloc_zero(runner->context, numbers, sizeof(float), &runner->slots[i]);
        }
        pr_release(runner->context, until);
    }
    pr_release(runner->context, room);
    return status;
}
