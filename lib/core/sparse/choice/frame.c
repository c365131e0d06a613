/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Follows lib/core/sparse/packed/run.c: which tiles there are, what is copied, what is transposed, what stays in place.
 */
#include "core/sparse/choice/frame.h"

#include <math.h>

/* Picoseconds on a Zen 4, kernel by kernel, of what comes from its second-level cache. Copies pay for each row at least
 * as much as for 27 elements of it, and more where a tile takes a part of each row, which is not fetched ahead.
 * Transposes go by squares of 8; rows and columns that are left over are moved one element at a time. */
#define COPY_ROW 1900.0
#define COPY_PART 8000.0
#define COPY_ELEMENT 70.0
#define TRANSPOSE_ELEMENT 150.0
#define TRANSPOSE_REST_ROW 3500.0   /* for each column, where rows are left over */
#define TRANSPOSE_REST_COLUMN 500.0 /* for each row and column that is left over */
#define FINITE_ELEMENT 30.0

/* Of forms whose widest tile depends on the packed matrix, roughly: that, and the columns of a single panel. */
#define USUAL_TILE 64.0
#define USUAL_PANEL 128.0
/* As in run.c: where X stays although a tile is only a part of its rows. */
#define FEW_ROWS 96.0
#define FEW_COLUMNS 256.0

static double copy(double rows, double width, int parts)
{
    return rows * fmax(parts ? COPY_PART : COPY_ROW, COPY_ELEMENT * width);
}

static double transpose(double rows, double columns)
{
    double rest = TRANSPOSE_REST_COLUMN * fmod(columns, 8) * rows;
    return TRANSPOSE_ELEMENT * rows * columns + rest + (fmod(rows, 8) > 0 ? TRANSPOSE_REST_ROW * columns : 0);
}

struct frame {
    const struct pr_form *form;
    double rows, columns;
    int batch, one_tile;
};

static double pack_x(const struct frame *frame, double count)
{
    double group = (double)frame->form->x_group;
    if (frame->form->x_group == PR_X_WHOLE)
        return frame->batch ? copy(count, frame->columns, 0) : transpose(frame->columns, count);
    if (group > 1)
        return frame->columns / group * (frame->batch ? copy(count, group, 0) : transpose(group, count));
    return frame->batch ? transpose(count, frame->columns) : copy(frame->columns, count, !frame->one_tile);
}

static double store_y(const struct frame *frame, double count)
{
    if (frame->form->lanes_along_rows)
        return frame->batch ? copy(count, frame->rows, 0) : transpose(count, frame->rows);
    return frame->batch ? transpose(frame->rows, count) : copy(frame->rows, count, !frame->one_tile);
}

static double one_tile(const struct frame *frame, double count)
{
    int stays = frame->form->passes && !frame->batch && fmod(count, PR_LANES) == 0;
    int x_stays = stays && (frame->one_tile || (frame->rows <= FEW_ROWS && frame->columns <= FEW_COLUMNS));
    int y_stays = stays && fmod(frame->rows, 4) == 0 && (frame->one_tile || frame->columns <= USUAL_PANEL);
    double x = x_stays ? 0 : pack_x(frame, count), y = y_stays ? 0 : store_y(frame, count);
    return x + y + (frame->form->needs_finite ? FINITE_ELEMENT * frame->columns * count : 0);
}

double pr_frame_estimate(const struct pr_form *form, double rows, double columns, double n, int batch)
{
    /* A single column is the same in both layouts, and moved as a vector. */
    if (n <= 1 && (form->lanes_along_rows || form->tile_least <= 1 || form->few_columns))
        return copy(1, columns, 0) + copy(1, rows, 0);
    struct frame frame = {form, rows, columns, batch || n <= 1, 1};
    double step = form->tile_step > 0 ? (double)form->tile_step : 1;
    double most = form->tile > 0 ? (double)form->tile : USUAL_TILE;
    double tiles = ceil(n / most), steps = ceil(n / step);
    if (tiles <= 1 || n <= (double)form->tile_least)
        return one_tile(&frame, n);
    /* All tiles but the last are whole steps, as many in each or one more. */
    double width = floor(steps / tiles) * step, wider = fmod(steps, tiles), last = n - (steps - 1) * step;
    frame.one_tile = 0;
    double narrow = (tiles - wider) * one_tile(&frame, width);
    if (wider == 0)
        return narrow - one_tile(&frame, width) + one_tile(&frame, width - step + last);
    return narrow + (wider - 1) * one_tile(&frame, width + step) + one_tile(&frame, width + last);
}
