/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The arena: one block of memory for all values that are not constant, each alive from the step that makes it to the
 * last that reads it. What is not alive at the same time may lie at the same place.
 */
#include <string.h>

#include "base/sort.h"
#include "model/graph/session.h"

#define ALIGNMENT 64

/* Marks the memory of a step's inputs when one of its outputs is needed; 0 when none is. */
static int32_t mark_step(const prune_session *session, const struct pm_step *step, uint8_t *needed)
{
    int is_needed = 0;
    for (int32_t i = 0; i < step->call.output_count; i++)
        is_needed |= step->outputs[i] >= 0 && needed[pm_cell_storage(session, step->outputs[i])];
    for (int32_t i = 0; is_needed && i < step->call.input_count; i++)
        if (step->inputs[i] >= 0)
            needed[pm_cell_storage(session, step->inputs[i])] = 1;
    return is_needed;
}

/* Keeps the steps of a list that are needed. */
static void drop_from(prune_session *session, struct pm_step *steps, int32_t *count, uint8_t *needed)
{
    int32_t kept = *count;
    for (int32_t i = *count - 1; i >= 0; i--) {
        if (!mark_step(session, &steps[i], needed)) {
            pm_step_release(session->context, &steps[i]);
        } else if (--kept != i) {
            steps[kept] = steps[i];
        }
    }
    *count -= kept;
    memmove(steps, steps + kept, (size_t)*count * sizeof *steps);
}

int32_t pm_session_drop(prune_session *session)
{
    uint8_t *needed;
    PR_TRY(pr_alloc_zero(session->context, session->cell_count, 1, &needed));
    for (int32_t i = 0; i < session->output_count; i++) {
        int32_t cell = pm_cell_storage(session, session->outputs[i]);
        needed[cell] = 1;
        session->cells[cell].is_output = 1;
    }
    if (session->step_count)
        drop_from(session, session->steps, &session->step_count, needed);
    if (session->fold_count)
        drop_from(session, session->folds, &session->fold_count, needed);
    for (int32_t i = 0; i < session->cell_count; i++) {
        struct pm_cell *cell = &session->cells[i];
        if (needed[pm_cell_storage(session, i)])
            continue;
        prune_tensor_free(cell->owned);
        prune_mask_free(cell->owned_mask);
        cell->owned = NULL;
        cell->owned_mask = NULL;
        cell->operand.data = NULL;
        cell->operand.mask = NULL;
    }
    pr_release(session->context, needed);
    return PRUNE_OK;
}

/* When the memory of each cell is in use, counted in steps. Inputs are there before the first. */
static void find_lives(prune_session *session)
{
    for (int32_t i = 0; i < session->cell_count; i++) {
        session->cells[i].first = session->cells[i].feed >= 0 ? 0 : session->step_count;
        session->cells[i].last = -1;
    }
    for (int32_t i = 0; i < session->step_count; i++) {
        const struct pm_step *step = &session->steps[i];
        int32_t operands = step->call.input_count + step->call.output_count;
        for (int32_t j = 0; j < operands; j++) {
            if (step->inputs[j] < 0) /* the outputs follow the inputs */
                continue;
            struct pm_cell *cell = &session->cells[pm_cell_storage(session, step->inputs[j])];
            cell->first = cell->first < i ? cell->first : i;
            cell->last = i;
        }
    }
    for (int32_t i = 0; i < session->output_count; i++)
        session->cells[pm_cell_storage(session, session->outputs[i])].last = session->step_count;
}

/* Whether step `index` may write output 0 over input 0: its own memory, of the same size, not read again. */
static int can_write_over(const prune_session *session, int32_t index)
{
    const struct pm_step *step = &session->steps[index];
    if (!(step->kind->flags & PM_IN_PLACE) || step->call.input_count < 1 || step->call.output_count < 1 ||
        step->inputs[0] < 0 || step->outputs[0] < 0)
        return 0;
    int32_t input = pm_cell_storage(session, step->inputs[0]);
    const struct pm_cell *cell = &session->cells[input];
    if (cell->operand.is_constant || cell->feed >= 0 || cell->is_output || cell->last != index)
        return 0;
    for (int32_t i = 1; i < step->call.input_count; i++)
        if (step->inputs[i] >= 0 && pm_cell_storage(session, step->inputs[i]) == input)
            return 0;
    return pm_type_bytes(&step->call.inputs[0].type) == pm_type_bytes(&step->call.outputs[0].type);
}

static void share_in_place(prune_session *session)
{
    for (int32_t i = 0; i < session->step_count; i++) {
        if (!can_write_over(session, i))
            continue;
        struct pm_cell *input = &session->cells[pm_cell_storage(session, session->steps[i].inputs[0])];
        struct pm_cell *output = &session->cells[session->steps[i].outputs[0]];
        output->storage = (int32_t)(input - session->cells);
        input->last = output->last;
        input->is_output |= output->is_output;
    }
}

/* Bytes that the memory of a cell takes. */
static int32_t room_of(const struct pm_cell *cell, int64_t *room)
{
    PR_TRY(pr_add(pm_type_bytes(&cell->operand.type), ALIGNMENT - 1, room));
    *room = *room / ALIGNMENT * ALIGNMENT;
    return PRUNE_OK;
}

static int has_place(const prune_session *session, int32_t cell)
{
    const struct pm_cell *c = &session->cells[cell];
    return c->storage == cell && !c->operand.is_constant && c->last >= c->first;
}

/* Of the gaps between what is `placed` (ascending by offset) and alive with `cell`, the smallest that is large enough;
 * else the end of all these. */
static int32_t best_fit(const prune_session *session, const int32_t *placed, int32_t count, const struct pm_cell *cell,
                        int64_t room, int64_t *offset)
{
    int64_t end = 0, best = -1, best_gap = 0;
    for (int32_t i = 0; i < count; i++) {
        const struct pm_cell *other = &session->cells[placed[i]];
        int64_t taken = 0;
        if (other->last < cell->first || cell->last < other->first)
            continue;
        int64_t gap = other->offset - end;
        if (gap >= room && (best < 0 || gap < best_gap)) {
            best = end;
            best_gap = gap;
        }
        PR_TRY(room_of(other, &taken));
        end = other->offset + taken > end ? other->offset + taken : end;
    }
    *offset = best < 0 ? end : best;
    return PRUNE_OK;
}

/* Gives out offsets, the largest first. `placed` has room for all cells. */
static int32_t give_offsets(prune_session *session, const struct pr_keyed *sorted, int32_t count, int32_t *placed)
{
    for (int32_t i = 0; i < count; i++) {
        struct pm_cell *cell = &session->cells[sorted[i].index];
        int64_t room = 0, end = 0;
        PR_TRY(room_of(cell, &room));
        PR_TRY(best_fit(session, placed, i, cell, room, &cell->offset));
        PR_TRY(pr_add(cell->offset, room, &end));
        session->arena_bytes = end > session->arena_bytes ? end : session->arena_bytes;
        int32_t at = i;
        for (; at > 0 && session->cells[placed[at - 1]].offset > cell->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = (int32_t)sorted[i].index;
    }
    return PRUNE_OK;
}

static int32_t lay_out(prune_session *session)
{
    struct pr_keyed *sorted;
    int32_t *placed, count = 0;
    PR_TRY(pr_alloc(session->context, 2 * (int64_t)session->cell_count, sizeof *sorted, &sorted));
    int32_t status = pr_alloc(session->context, session->cell_count, sizeof *placed, &placed);
    if (status) {
        pr_release(session->context, sorted);
        return status;
    }
    for (int32_t i = 0; i < session->cell_count; i++)
        if (has_place(session, i))
            sorted[count++] =
                (struct pr_keyed){.key = ~(uint64_t)pm_type_bytes(&session->cells[i].operand.type), .index = i};
    pr_sort_keyed(sorted, sorted + session->cell_count, count, 8);
    status = give_offsets(session, sorted, count, placed);
    pr_release(session->context, placed);
    pr_release(session->context, sorted);
    return status;
}

/* A view of each input's place, to which it is copied where it cannot be read as it lies. */
static int32_t make_places(prune_session *session)
{
    for (int32_t i = 0; i < session->feed_count; i++) {
        const struct pm_cell *cell = &session->cells[session->feeds[i]];
        const struct pm_type *type = &cell->operand.type;
        if (cell->offset >= 0)
            PR_TRY(prune_tensor_borrow(&session->places[i], session->context, cell->operand.data, type->dtype,
                                       type->rank, type->extents, NULL));
    }
    return PRUNE_OK;
}

int32_t pm_session_place(prune_session *session)
{
    find_lives(session);
    share_in_place(session);
    PR_TRY(lay_out(session));
    if (session->is_outline)
        return PRUNE_OK;
    for (int32_t i = 0; i < session->step_count; i++)
        if (session->steps[i].call.scratch_bytes > session->scratch_bytes)
            session->scratch_bytes = session->steps[i].call.scratch_bytes;
    PR_TRY(pr_alloc(session->context, session->arena_bytes, 1, &session->arena));
    PR_TRY(pr_alloc(session->context, session->scratch_bytes, 1, &session->scratch));
    for (int32_t i = 0; i < session->cell_count; i++)
        if (session->cells[i].offset >= 0)
            session->cells[i].operand.data = session->arena + session->cells[i].offset;
    return make_places(session);
}

int32_t pm_session_results(prune_session *session)
{
    for (int32_t i = 0; i < session->output_count; i++) {
        const struct pm_cell *cell = &session->cells[session->outputs[i]];
        const struct pm_type *type = &cell->operand.type;
        void *data = cell->operand.is_constant
                         ? cell->operand.data
                         : session->cells[pm_cell_storage(session, session->outputs[i])].operand.data;
        prune_tensor *result = NULL;
        PR_TRY(prune_tensor_borrow(&result, session->context, data, type->dtype, type->rank, type->extents, NULL));
        prune_tensor_free(session->results[i]);
        session->results[i] = result;
    }
    return PRUNE_OK;
}
