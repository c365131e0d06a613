/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/strip.h"

#include <math.h>
#include <string.h>

#define LANES 4 /* numbers that are summed side by side; rows of the factor are read in whole lanes */
typedef double pair __attribute__((vector_size(16)));

/* ---- The map ---- */

/* Unit and pool of a column of axes 1 and higher, flattened. */
static void place(const struct pr_grid *grid, int64_t column, int64_t *unit, int64_t *pool)
{
    int64_t unit_stride = 1, pool_stride = 1;
    *unit = *pool = 0;
    for (int32_t i = grid->rank - 1; i > 0; i--) {
        int64_t at = column % grid->shape[i] / grid->unit[i];
        column /= grid->shape[i];
        *unit += at * unit_stride;
        *pool += at / grid->pool[i] * pool_stride;
        unit_stride *= grid->extent[i];
        pool_stride *= grid->pool_extent[i];
    }
}

static int32_t allocate_map(struct pr_strip_map *map, prune_context *context)
{
    PR_TRY(pr_alloc_zero(context, map->units + 1, sizeof *map->first, &map->first));
    PR_TRY(pr_alloc_zero(context, map->columns, sizeof *map->column, &map->column));
    PR_TRY(pr_alloc_zero(context, map->units, sizeof *map->pool, &map->pool));
    return pr_alloc_zero(context, map->pools, sizeof *map->size, &map->size);
}

int32_t pr_strip_map_make(struct pr_strip_map *map, prune_context *context, const struct pr_grid *grid)
{
    struct pr_strip_map made = {.columns = 1, .units = 1, .pools = 1, .height = grid->unit[0]};
    for (int32_t i = 1; i < grid->rank; i++) {
        made.columns *= grid->shape[i];
        made.units *= grid->extent[i];
        made.pools *= grid->pool_extent[i];
    }
    int32_t status = allocate_map(&made, context);
    if (status) {
        pr_strip_map_free(&made, context);
        return status;
    }
    int64_t unit, pool;
    for (int64_t j = 0; j < made.columns; j++) {
        place(grid, j, &unit, &pool);
        made.first[unit + 1]++;
        made.pool[unit] = pool;
    }
    for (int64_t u = 0; u < made.units; u++) {
        made.width = made.first[u + 1] > made.width ? made.first[u + 1] : made.width;
        made.size[made.pool[u]]++;
        made.first[u + 1] += made.first[u];
    }
    for (int64_t j = 0; j < made.columns; j++) {
        place(grid, j, &unit, &pool);
        made.column[made.first[unit]++] = j;
    }
    for (int64_t u = made.units; u > 0; u--)
        made.first[u] = made.first[u - 1];
    made.first[0] = 0;
    *map = made;
    return PRUNE_OK;
}

void pr_strip_map_free(struct pr_strip_map *map, prune_context *context)
{
    pr_release(context, map->first);
    pr_release(context, map->column);
    pr_release(context, map->pool);
    pr_release(context, map->size);
    memset(map, 0, sizeof *map);
}

/* ---- Memory ---- */

/* Whole lanes for so many columns. */
static int64_t room_for(int64_t columns)
{
    return pr_ceil_div(columns, LANES) * LANES;
}

/* From one row of the factor to the next: an odd number of cache lines, so that rows do not all want the same places in
 * the cache. */
static int64_t row_room(int64_t most)
{
    return (pr_ceil_div(most, 8) | 1) * 8;
}

int32_t pr_strip_bytes(const struct pr_strip_map *map, int64_t most, int64_t *bytes)
{
    int64_t factor = 0, pivot = 0, square = 0, small = 0;
    PR_TRY(pr_mul(map->columns, row_room(most), &factor));
    PR_TRY(pr_mul(map->width, map->width, &square));
    PR_TRY(pr_mul(map->units, square, &pivot));
    PR_TRY(pr_mul(map->height, map->width, &small));
    PR_TRY(pr_add(factor, pivot, &factor));
    PR_TRY(pr_add(factor, small, &factor));
    PR_TRY(pr_add(factor, square + map->width + map->pools + 2 * map->units, &factor));
    return pr_mul(factor, 8, bytes);
}

static int32_t allocate(struct pr_strip *strip, prune_context *context)
{
    const struct pr_strip_map *map = strip->map;
    int64_t size = (int64_t)sizeof(double), square = map->width * map->width;
    PR_TRY(pr_alloc(context, map->columns * strip->room, size, &strip->factor));
    PR_TRY(pr_alloc(context, map->units * square, size, &strip->pivot));
    PR_TRY(pr_alloc(context, map->width, size, &strip->fresh));
    PR_TRY(pr_alloc(context, square, size, &strip->lower));
    PR_TRY(pr_alloc(context, map->height * map->width, size, &strip->part));
    PR_TRY(pr_alloc(context, map->pools, (int64_t)sizeof *strip->left, &strip->left));
    PR_TRY(pr_alloc(context, map->units, (int64_t)sizeof *strip->unit, &strip->unit));
    return pr_alloc(context, map->units, 1, &strip->gone);
}

int32_t pr_strip_make(struct pr_strip *strip, prune_context *context, const struct pr_strip_map *map, int64_t most)
{
    struct pr_strip made = {.map = map, .room = row_room(most)};
    int64_t bytes;
    PR_TRY(pr_strip_bytes(map, most, &bytes));
    int32_t status = allocate(&made, context);
    if (status)
        pr_strip_free(&made, context);
    else
        *strip = made;
    return status;
}

void pr_strip_free(struct pr_strip *strip, prune_context *context)
{
    pr_release(context, strip->factor);
    pr_release(context, strip->pivot);
    pr_release(context, strip->fresh);
    pr_release(context, strip->unit);
    pr_release(context, strip->lower);
    pr_release(context, strip->part);
    pr_release(context, strip->left);
    pr_release(context, strip->gone);
    memset(strip, 0, sizeof *strip);
}

/* ---- Removal ---- */

void pr_strip_start(struct pr_strip *strip, double *w, int64_t rows, int64_t stride, const int64_t *left)
{
    const struct pr_strip_map *map = strip->map;
    strip->w = w;
    strip->rows = rows;
    strip->stride = stride;
    strip->used = 0;
    memset(strip->gone, 0, (size_t)map->units);
    memcpy(strip->left, left ? left : map->size, (size_t)map->pools * sizeof *strip->left);
    strip->alive = map->units;
    for (int64_t u = 0; u < map->units; u++) {
        const int64_t *column = map->column + map->first[u];
        int64_t width = map->first[u + 1] - map->first[u];
        strip->unit[u] = u;
        double *pivot = strip->pivot + u * map->width * map->width;
        for (int64_t a = 0; a < width; a++)
            for (int64_t b = 0; b < width; b++)
                pivot[a * map->width + b] = strip->inverse[column[a] * map->columns + column[b]];
    }
}

static double at_least(double value, double least)
{
    return value >= least ? value : least;
}

/* Lower Cholesky factor of a unit's block. Its pivots are diagonal elements of an inverse too, so they have the same
 * floor, and no block can fail. */
static void factor_block(const struct pr_strip *strip, int64_t unit)
{
    const struct pr_strip_map *map = strip->map;
    const int64_t *column = map->column + map->first[unit];
    int64_t width = map->first[unit + 1] - map->first[unit], stride = map->width;
    const double *block = strip->pivot + unit * stride * stride;
    double *lower = strip->lower;
    for (int64_t a = 0; a < width; a++)
        for (int64_t b = 0; b <= a; b++) {
            double sum = block[a * stride + b];
            for (int64_t c = 0; c < b; c++)
                sum -= lower[a * stride + c] * lower[b * stride + c];
            lower[a * stride + b] = a == b ? sqrt(at_least(sum, strip->least[column[a]])) : sum / lower[b * stride + b];
        }
}

/* Solves L y = x in place. */
static void solve_block(const struct pr_strip *strip, int64_t width, double *x)
{
    for (int64_t a = 0; a < width; a++) {
        for (int64_t b = 0; b < a; b++)
            x[a] -= strip->lower[a * strip->map->width + b] * x[b];
        x[a] /= strip->lower[a * strip->map->width + a];
    }
}

/* The cost of a unit; its block's factor in `lower` and L^-1 w_S' of each row in `part`. */
static double weigh(struct pr_strip *strip, int64_t unit)
{
    const struct pr_strip_map *map = strip->map;
    const int64_t *column = map->column + map->first[unit];
    int64_t width = map->first[unit + 1] - map->first[unit];
    double cost = 0;
    factor_block(strip, unit);
    for (int64_t i = 0; i < strip->rows; i++) {
        double *part = strip->part + i * map->width;
        for (int64_t a = 0; a < width; a++)
            part[a] = strip->w[i * strip->stride + column[a]];
        solve_block(strip, width, part);
        for (int64_t a = 0; a < width; a++)
            cost += part[a] * part[a];
    }
    return cost;
}

static double weigh_single(const struct pr_strip *strip, int64_t unit)
{
    int64_t column = strip->map->column[unit];
    double square = 0;
    for (int64_t i = 0; i < strip->rows; i++)
        square += strip->w[i * strip->stride + column] * strip->w[i * strip->stride + column];
    return square / at_least(strip->pivot[unit], strip->least[column]);
}

int64_t pr_strip_best(struct pr_strip *strip, double *cost)
{
    const struct pr_strip_map *map = strip->map;
    int64_t best = -1;
    for (int64_t k = 0; k < strip->alive; k++) {
        int64_t u = strip->unit[k];
        if (strip->left[map->pool[u]] <= 0)
            continue;
        double now = map->width == 1 ? weigh_single(strip, u) : weigh(strip, u);
        if (best < 0 || now < *cost) {
            best = u;
            *cost = now;
        }
    }
    return best;
}

/* Products of one row of the factor with four others; rows are aligned to whole lanes, `count` is whole lanes. Each sum
 * has the same order whichever rows stand beside it. */
static void dots(const double *a, const double *const b[4], int64_t count, double out[4])
{
    const pair *x = (const pair *)(const void *)a, *y0 = (const pair *)(const void *)b[0];
    const pair *y1 = (const pair *)(const void *)b[1], *y2 = (const pair *)(const void *)b[2];
    const pair *y3 = (const pair *)(const void *)b[3];
    pair s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0};
    for (int64_t i = 0; i < count / 2; i += 2) {
        s0 += x[i] * y0[i];
        s1 += x[i] * y1[i];
        s2 += x[i] * y2[i];
        s3 += x[i] * y3[i];
        t0 += x[i + 1] * y0[i + 1];
        t1 += x[i + 1] * y1[i + 1];
        t2 += x[i + 1] * y2[i + 1];
        t3 += x[i + 1] * y3[i + 1];
    }
    s0 += t0, s1 += t1, s2 += t2, s3 += t3;
    out[0] = s0[0] + s0[1];
    out[1] = s1[0] + s1[1];
    out[2] = s2[0] + s2[1];
    out[3] = s3[0] + s3[1];
}

static double dot(const double *a, const double *b, int64_t count)
{
    const double *const same[4] = {b, b, b, b};
    double out[4];
    dots(a, same, count, out);
    return out[0];
}

/* What the columns of the factor that are being added hold in row j: L^-1 of the unit's columns of the inverse. */
static void extend_row(struct pr_strip *strip, int64_t unit, int64_t j)
{
    const struct pr_strip_map *map = strip->map;
    const int64_t *column = map->column + map->first[unit];
    int64_t width = map->first[unit + 1] - map->first[unit], used = room_for(strip->used);
    double *row = strip->factor + j * strip->room, *fresh = strip->fresh;
    for (int64_t a = 0; a < width; a++)
        fresh[a] =
            strip->inverse[column[a] * map->columns + j] - dot(row, strip->factor + column[a] * strip->room, used);
    solve_block(strip, width, fresh);
}

/* Takes the new columns of the factor out of the diagonal block of a unit that stays, and makes up in its weights. */
static void follow(struct pr_strip *strip, int64_t unit, int64_t other)
{
    const struct pr_strip_map *map = strip->map;
    const int64_t *column = map->column + map->first[other];
    int64_t width = map->first[unit + 1] - map->first[unit], size = map->first[other + 1] - map->first[other];
    double *block = strip->pivot + other * map->width * map->width;
    for (int64_t a = 0; a < size; a++) {
        extend_row(strip, unit, column[a]);
        memcpy(strip->factor + column[a] * strip->room + strip->used, strip->fresh,
               (size_t)width * sizeof *strip->fresh);
        for (int64_t i = 0; i < strip->rows; i++) {
            double change = 0;
            for (int64_t c = 0; c < width; c++)
                change += strip->part[i * map->width + c] * strip->fresh[c];
            strip->w[i * strip->stride + column[a]] -= change;
        }
    }
    for (int64_t a = 0; a < size; a++)
        for (int64_t b = 0; b < size; b++)
            for (int64_t c = 0; c < width; c++)
                block[a * map->width + b] -= strip->factor[column[a] * strip->room + strip->used + c] *
                                             strip->factor[column[b] * strip->room + strip->used + c];
}

/* The same for units of one column, four at a time. */
static void follow_singles(struct pr_strip *strip, int64_t unit)
{
    const struct pr_strip_map *map = strip->map;
    int64_t taken = map->column[unit], used = room_for(strip->used);
    const double *inverse = strip->inverse + taken * map->columns, *own = strip->factor + taken * strip->room;
    double root = strip->lower[0];
    for (int64_t k = 0; k < strip->alive; k += 4) {
        int64_t count = strip->alive - k < 4 ? strip->alive - k : 4, column[4];
        const double *row[4];
        double product[4];
        for (int64_t c = 0; c < 4; c++) {
            column[c] = map->column[strip->unit[k + (c < count ? c : 0)]];
            row[c] = strip->factor + column[c] * strip->room;
        }
        dots(own, row, used, product);
        for (int64_t c = 0; c < count; c++) {
            double fresh = (inverse[column[c]] - product[c]) / root;
            strip->factor[column[c] * strip->room + strip->used] = fresh;
            strip->pivot[strip->unit[k + c]] -= fresh * fresh;
            for (int64_t i = 0; i < strip->rows; i++)
                strip->w[i * strip->stride + column[c]] -= strip->part[i] * fresh;
        }
    }
}

/* Rows of the factor are read in whole lanes: what lies beyond `used` is zero. */
static void clear_lanes(struct pr_strip *strip, int64_t width)
{
    int64_t begin = room_for(strip->used), end = room_for(strip->used + width);
    if (begin == end)
        return;
    for (int64_t j = 0; j < strip->map->columns; j++)
        memset(strip->factor + j * strip->room + begin, 0, (size_t)(end - begin) * sizeof *strip->factor);
}

/* Out of the list of units that stay. */
static void drop(struct pr_strip *strip, int64_t unit)
{
    int64_t k = 0;
    while (strip->unit[k] != unit)
        k++;
    strip->alive--;
    memmove(strip->unit + k, strip->unit + k + 1, (size_t)(strip->alive - k) * sizeof *strip->unit);
}

double pr_strip_remove(struct pr_strip *strip, int64_t unit)
{
    const struct pr_strip_map *map = strip->map;
    const int64_t *column = map->column + map->first[unit];
    int64_t width = map->first[unit + 1] - map->first[unit];
    double cost = weigh(strip, unit);
    clear_lanes(strip, width);
    strip->gone[unit] = 1;
    strip->left[map->pool[unit]]--;
    drop(strip, unit);
    if (map->width == 1)
        follow_singles(strip, unit);
    else
        for (int64_t k = 0; k < strip->alive; k++)
            follow(strip, unit, strip->unit[k]);
    for (int64_t a = 0; a < width; a++)
        for (int64_t i = 0; i < strip->rows; i++)
            strip->w[i * strip->stride + column[a]] = 0;
    strip->used += width;
    return cost;
}
