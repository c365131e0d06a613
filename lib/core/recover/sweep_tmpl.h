/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sweep in one type of number: REAL, GEMM and SWEEP are defined by who includes this.
 */
#include <string.h>

#include "core/recover/sweep.h"

#define PANEL 32 /* columns that are updated row by row */
#define LANES (16 / (int64_t)sizeof(REAL))
#define ROWS (4 * LANES) /* that go through a panel together */
typedef REAL lane __attribute__((vector_size(16), aligned(sizeof(REAL)), may_alias));

struct state {
    const struct pr_sweep *sweep;
    REAL *w;
    int64_t begin, end, stride; /* the block's columns; from one row of it to the next */
    REAL *block;                /* rows x stride: the block's weights */
    REAL *error;                /* rows x stride: what was taken, divided by the diagonal of U */
    REAL *upper;                /* (end - begin) x (columns - begin): the rows of U that belong to the block */
    REAL *panel;                /* PANEL x PANEL, whole lanes: strictly above the diagonal of U; zeros elsewhere */
    double *scores;
    uint8_t *chosen;
    int64_t first, last, from, to; /* of a task: the panel, and those of its columns that are taken now */
    int64_t tasks;
};

static int64_t edge(const struct pr_sweep *sweep, int64_t window)
{
    return sweep->window[window] - sweep->window[0];
}

static int64_t padded(int64_t count)
{
    return pr_ceil_div(count, PANEL) * PANEL;
}

/* Columns from to to - 1 of some rows, a row in each lane: all of them wait for a quotient at once. The rest of the
 * panel makes up for what is taken. */
static void take_some(const struct state *state, int64_t row, int64_t count)
{
    const struct pr_sweep *sweep = state->sweep;
    const uint8_t *keep = sweep->keep + row * sweep->stride + state->begin;
    int64_t width = sweep->columns - state->begin, columns = state->last - state->from;
    REAL *w = state->block + row * state->stride + state->from, *error = state->error + row * state->stride;
    REAL turned[PANEL][ROWS] = {{0}};
    for (int64_t r = 0; r < count; r++)
        for (int64_t j = 0; j < columns; j++)
            turned[j][r] = w[r * state->stride + j];
    for (int64_t j = state->from; j < state->to; j++) {
        REAL *now = turned[j - state->from], diagonal = state->upper[j * width + j];
        const REAL *upper = state->panel + (j - state->first) * PANEL - state->first;
        lane e[ROWS / LANES];
        for (int64_t r = 0; r < count; r++) {
            REAL quotient = keep[r * sweep->stride + j] ? 0 : now[r] / diagonal;
            error[r * state->stride + j] = quotient;
            now[r] = keep[r * sweep->stride + j] ? now[r] : 0;
            ((REAL *)e)[r] = quotient;
            sweep->cost[row + r] += (double)quotient * (double)quotient;
        }
        for (int64_t r = count; r < ROWS; r++)
            ((REAL *)e)[r] = 0;
        for (int64_t l = j + 1; l < state->last; l++) {
            lane *later = (lane *)turned[l - state->from];
            for (int64_t r = 0; r < ROWS / LANES; r++)
                later[r] -= e[r] * upper[l];
        }
    }
    for (int64_t r = 0; r < count; r++)
        for (int64_t j = 0; j < columns; j++)
            w[r * state->stride + j] = turned[j][r];
}

static void take_rows(void *argument, int32_t task)
{
    const struct state *state = argument;
    int64_t share = pr_ceil_div(state->sweep->rows, state->tasks), end = share * (task + 1);
    end = end < state->sweep->rows ? end : state->sweep->rows;
    for (int64_t i = share * task; i < end; i += ROWS)
        take_some(state, i, end - i < ROWS ? end - i : ROWS);
}

static void load_block(struct state *state)
{
    const struct pr_sweep *sweep = state->sweep;
    int64_t columns = sweep->columns, width = columns - state->begin, size = state->end - state->begin;
    for (int64_t i = 0; i < sweep->rows; i++)
        memcpy(state->block + i * state->stride, state->w + i * sweep->stride + state->begin,
               (size_t)size * sizeof *state->block);
    for (int64_t i = 0; i < size; i++)
        for (int64_t j = 0; j < width; j++)
            state->upper[i * width + j] = (REAL)sweep->factor[(state->begin + i) * columns + state->begin + j];
}

static void load_panel(struct state *state, int64_t first, int64_t last)
{
    int64_t width = state->sweep->columns - state->begin;
    state->first = first;
    state->last = last;
    memset(state->panel, 0, PANEL * PANEL * sizeof *state->panel);
    for (int64_t i = first; i < last; i++)
        for (int64_t j = i + 1; j < last; j++)
            state->panel[(i - first) * PANEL + (j - first)] = state->upper[i * width + j];
}

static int32_t choose_window(struct state *state, int64_t begin, int64_t end)
{
    const struct pr_sweep *sweep = state->sweep;
    int64_t size = end - begin, width = sweep->columns - state->begin;
    for (int64_t i = 0; i < sweep->rows; i++)
        for (int64_t j = begin; j < end; j++) {
            double ratio = (double)state->block[i * state->stride + j] / (double)state->upper[j * width + j];
            state->scores[i * size + j - begin] = ratio * ratio;
        }
    PR_TRY(sweep->choose(sweep->user, state->begin + begin, state->begin + end, state->scores, state->chosen));
    for (int64_t i = 0; i < sweep->rows; i++)
        memcpy(sweep->keep + i * sweep->stride + state->begin + begin, state->chosen + i * size, (size_t)size);
    return PRUNE_OK;
}

/* Where the panel that begins at a column of the block ends: with the last window that ends inside, or with the panel.
 * `window` is the first window that ends after the column. */
static int64_t panel_end(const struct state *state, int64_t first, int64_t window)
{
    int64_t size = state->end - state->begin, most = first + PANEL < size ? first + PANEL : size, end = most;
    if (!state->sweep->choose)
        return end;
    for (int64_t i = window + 1; i <= state->sweep->windows; i++) {
        int64_t next = edge(state->sweep, i) - state->begin;
        if (next > most)
            break;
        end = next;
    }
    return end;
}

static void take(struct state *state, int64_t from, int64_t to)
{
    state->from = from;
    state->to = to;
    prune_context_parallel(state->sweep->context, (int32_t)state->tasks, take_rows, state);
}

static int32_t sweep_block(struct state *state, int64_t *window)
{
    const struct pr_sweep *sweep = state->sweep;
    int64_t size = state->end - state->begin, width = sweep->columns - state->begin, rest = width - size;
    load_block(state);
    for (int64_t first = 0, last; first < size; first = last) {
        last = panel_end(state, first, *window);
        load_panel(state, first, last);
        for (int64_t from = first, to; from < last; from = to) {
            int64_t begin = edge(sweep, *window) - state->begin, end = edge(sweep, *window + 1) - state->begin;
            if (sweep->choose && from == begin)
                PR_TRY(choose_window(state, begin, end));
            to = end < last ? end : last;
            take(state, from, to);
            *window += to == end;
        }
        if (last < size)
            PR_TRY(GEMM(sweep->la, 0, 0, sweep->rows, size - last, last - first, -1, state->error + first,
                        state->stride, state->upper + first * width + last, width, 1, state->block + last,
                        state->stride));
    }
    for (int64_t i = 0; i < sweep->rows; i++)
        memcpy(state->w + i * sweep->stride + state->begin, state->block + i * state->stride,
               (size_t)size * sizeof *state->block);
    return rest == 0 ? PRUNE_OK
                     : GEMM(sweep->la, 0, 0, sweep->rows, rest, size, -1, state->error, state->stride,
                            state->upper + size, width, 1, state->w + state->end, sweep->stride);
}

/* The last edge of a window that is no further than a block from `begin`, and at least the next one. */
static int64_t block_end(const struct pr_sweep *sweep, int64_t begin, int64_t window)
{
    int64_t end = edge(sweep, window + 1);
    for (int64_t i = window + 1; i <= sweep->windows && edge(sweep, i) - begin <= sweep->block; i++)
        end = edge(sweep, i);
    return end;
}

static int64_t widest_block(const struct pr_sweep *sweep)
{
    int64_t most = 0, window = 0;
    for (int64_t begin = 0, end; begin < sweep->columns; begin = end) {
        end = block_end(sweep, begin, window);
        most = end - begin > most ? end - begin : most;
        while (edge(sweep, window) < end)
            window++;
    }
    return most;
}

static int32_t allocate(struct state *state, int64_t widest)
{
    const struct pr_sweep *sweep = state->sweep;
    prune_context *context = sweep->context;
    int64_t size = 0, upper = 0, scores = sweep->choose ? widest : 0;
    state->stride = padded(widest + LANES); /* the last lane of a panel may reach beyond the block */
    PR_TRY(pr_mul(sweep->rows, state->stride, &size));
    PR_TRY(pr_mul(sweep->columns, widest, &upper));
    PR_TRY(pr_alloc_zero(context, size, sizeof *state->block, &state->block));
    PR_TRY(pr_alloc_zero(context, size, sizeof *state->error, &state->error));
    PR_TRY(pr_alloc(context, upper, sizeof *state->upper, &state->upper));
    PR_TRY(pr_alloc(context, PANEL * PANEL, sizeof *state->panel, &state->panel));
    PR_TRY(pr_alloc(context, sweep->rows * scores, sizeof *state->scores, &state->scores));
    return pr_alloc(context, sweep->rows * scores, 1, &state->chosen);
}

static int32_t sweep_all(struct state *state)
{
    const struct pr_sweep *sweep = state->sweep;
    int64_t window = 0;
    memset(sweep->cost, 0, (size_t)sweep->rows * sizeof *sweep->cost);
    for (state->begin = 0; state->begin < sweep->columns; state->begin = state->end) {
        state->end = block_end(sweep, state->begin, window);
        PR_TRY(sweep_block(state, &window));
        PR_TRY(prune_context_progress(sweep->context, "columns repaired", state->end, sweep->columns));
    }
    return PRUNE_OK;
}

int32_t SWEEP(const struct pr_sweep *sweep, REAL *w)
{
    struct state state = {.sweep = sweep, .w = w};
    prune_context *context = sweep->context;
    if (sweep->rows == 0 || sweep->columns == 0)
        return PRUNE_OK;
    state.tasks = prune_context_threads(context);
    state.tasks = state.tasks < pr_ceil_div(sweep->rows, 64) ? state.tasks : pr_ceil_div(sweep->rows, 64);
    int32_t status = allocate(&state, widest_block(sweep));
    if (!status)
        status = sweep_all(&state);
    pr_release(context, state.block);
    pr_release(context, state.error);
    pr_release(context, state.upper);
    pr_release(context, state.panel);
    pr_release(context, state.scores);
    pr_release(context, state.chosen);
    return status;
}
