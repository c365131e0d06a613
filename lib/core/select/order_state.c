/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A search as numbers that can be kept, and back.
 */
#include <string.h>

#include "core/select/order.h"
#include "core/tensor/tensor.h"

enum { VERSION, COLUMNS, GROUP_M, KEEP_N, FINISHED, REGRESSIONS, RANDOM, HEAD = RANDOM + 4 };

int32_t prune_order_state(prune_tensor **out, const prune_order *order)
{
    PR_REQUIRE(out);
    PR_REQUIRE(order);
    int64_t columns = order->matrix.columns, size = HEAD + 2 * columns;
    prune_tensor *state;
    PR_TRY(pr_tensor_new(&state, order->context, PRUNE_I64, 1, &size));
    int64_t *numbers = prune_tensor_data(state);
    numbers[VERSION] = 1;
    numbers[COLUMNS] = columns;
    numbers[GROUP_M] = order->matrix.group_m;
    numbers[KEEP_N] = order->matrix.keep_n;
    numbers[FINISHED] = order->finished;
    numbers[REGRESSIONS] = order->regressions_done;
    memcpy(numbers + RANDOM, order->rng.state, sizeof order->rng.state);
    memcpy(numbers + HEAD, order->channels, (size_t)columns * sizeof *numbers);
    memcpy(numbers + HEAD + columns, order->best, (size_t)columns * sizeof *numbers);
    *out = state;
    return PRUNE_OK;
}

static int32_t check_head(const prune_order *order, const int64_t *numbers)
{
    const int64_t due[] = {1, order->matrix.columns, order->matrix.group_m, order->matrix.keep_n};
    for (int i = 0; i < 4; i++)
        if (numbers[i] != due[i])
            return pr_fail(PRUNE_E_VALUE,
                           "prune_order_resume: the state is of another search: number %d is %lld instead of %lld", i,
                           (long long)numbers[i], (long long)due[i]);
    int64_t any = numbers[RANDOM] | numbers[RANDOM + 1] | numbers[RANDOM + 2] | numbers[RANDOM + 3];
    if (numbers[FINISHED] < 0 || numbers[FINISHED] > 1 || numbers[REGRESSIONS] < 0 ||
        numbers[REGRESSIONS] > order->regressions || (order->windows > 0 && any == 0))
        return pr_fail(PRUNE_E_VALUE,
                       "prune_order_resume: finished %lld after %lld of %lld regressions is no state of a search",
                       (long long)numbers[FINISHED], (long long)numbers[REGRESSIONS], (long long)order->regressions);
    return PRUNE_OK;
}

int32_t prune_order_resume(prune_order *order, const prune_tensor *state)
{
    PR_REQUIRE(order);
    PR_REQUIRE(state);
    int64_t columns = order->matrix.columns, size = HEAD + 2 * columns;
    if (state->dtype != PRUNE_I64)
        return pr_fail(PRUNE_E_DTYPE, "%s: the state is %s; prune_order_state makes i64", __func__,
                       prune_dtype_name(state->dtype));
    if (state->rank != 1 || state->count != size)
        return pr_fail(PRUNE_E_SHAPE, "%s: a state of rank %d with %lld numbers; it must be rank 1 with %lld", __func__,
                       (int)state->rank, (long long)state->count, (long long)size);
    int64_t *numbers;
    PR_TRY(pr_alloc(order->context, size, sizeof *numbers, &numbers));
    pr_read_i64(PRUNE_I64, state->data, state->strides[0], size, numbers);
    int32_t status = check_head(order, numbers);
    if (!status)
        status = pr_order_check_permutation(order->context, __func__, numbers + HEAD, columns);
    if (!status)
        status = pr_order_check_permutation(order->context, __func__, numbers + HEAD + columns, columns);
    if (!status) {
        pr_order_stand_at(order, numbers + HEAD + columns);
        order->best_value = pr_order_value(order);
        memcpy(order->best, order->channels, (size_t)columns * sizeof *numbers);
        pr_order_stand_at(order, numbers + HEAD);
        order->finished = (int32_t)numbers[FINISHED];
        order->regressions_done = numbers[REGRESSIONS];
        memcpy(order->rng.state, numbers + RANDOM, sizeof order->rng.state);
        if (order->windows > 0)
            memset(order->fresh, 0, (size_t)order->windows);
        memset(order->touched, 0, (size_t)order->groups);
    }
    pr_release(order->context, numbers);
    return status;
}
