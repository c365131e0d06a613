/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/shape/walk.h"

#include <string.h>

struct pm_box pm_box_of(const struct pm_type *type, void *data)
{
    struct pm_box box = {.first = data};
    int64_t stride = 1;
    for (int32_t i = type->rank - 1; i >= 0; i--) {
        box.strides[i] = stride;
        stride *= type->extents[i];
    }
    return box;
}

/* Elements one after another in both boxes along the last axes are one run; what is left is walked. */
static int64_t take_run(int32_t *rank, const int64_t *extents, const int64_t *to, const int64_t *from)
{
    int64_t run = 1;
    while (*rank > 0 && (extents[*rank - 1] == 1 || (to[*rank - 1] == run && from[*rank - 1] == run)))
        run *= extents[--*rank];
    return run;
}

/* One axis of single elements, by size so that compilers make plain loads and stores of it. */
static void copy_axis(char *to, int64_t to_step, const char *from, int64_t from_step, int64_t count, int64_t bytes)
{
    switch (bytes) {
    case 4:
        for (int64_t i = 0; i < count; i++)
            memcpy(to + i * to_step, from + i * from_step, 4);
        return;
    case 8:
        for (int64_t i = 0; i < count; i++)
            memcpy(to + i * to_step, from + i * from_step, 8);
        return;
    case 1:
        for (int64_t i = 0; i < count; i++)
            to[i * to_step] = from[i * from_step];
        return;
    default:
        for (int64_t i = 0; i < count; i++)
            memcpy(to + i * to_step, from + i * from_step, (size_t)bytes);
    }
}

void pm_box_copy(const struct pm_box *to, const struct pm_box *from, int32_t rank, const int64_t *extents, int64_t size)
{
    int64_t index[PRUNE_MAX_RANK] = {0};
    for (int32_t i = 0; i < rank; i++)
        if (extents[i] == 0)
            return;
    int64_t bytes = take_run(&rank, extents, to->strides, from->strides) * size;
    int32_t last = rank - 1;
    int64_t count = rank ? extents[last] : 1;
    int64_t to_step = rank ? to->strides[last] * size : 0, from_step = rank ? from->strides[last] * size : 0;
    char *out = to->first;
    const char *in = from->first;
    for (;;) {
        copy_axis(out, to_step, in, from_step, count, bytes);
        int32_t axis = last - 1;
        for (; axis >= 0; axis--) {
            out += to->strides[axis] * size;
            in += from->strides[axis] * size;
            if (++index[axis] < extents[axis])
                break;
            out -= extents[axis] * to->strides[axis] * size;
            in -= extents[axis] * from->strides[axis] * size;
            index[axis] = 0;
        }
        if (axis < 0)
            return;
    }
}

int32_t pm_view_run(const struct pm_call *call)
{
    int64_t bytes = pm_type_bytes(&call->outputs[0].type);
    if (bytes && call->outputs[0].data != call->inputs[0].data)
        memcpy(call->outputs[0].data, call->inputs[0].data, (size_t)bytes);
    return PRUNE_OK;
}

int32_t pm_view_set(struct pm_call *call, int32_t rank, const int64_t *extents)
{
    const struct pm_type *in = &call->inputs[0].type;
    struct pm_type out;
    char from[PM_TYPE_TEXT], to[PM_TYPE_TEXT];
    PR_TRY(pm_type_set(&out, in->dtype, rank, extents));
    if (out.count != in->count)
        return pr_fail(PRUNE_E_SHAPE, "%s of %lld elements cannot become %s of %lld", pm_type_text(in, from),
                       (long long)in->count, pm_type_text(&out, to), (long long)out.count);
    call->outputs[0].type = out;
    return PRUNE_OK;
}
