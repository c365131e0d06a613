/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every slot of the table of kernels under every CPU mask, against the scalar table: the same bits where the contract
 * says so, within the bound of the product in double where sums may be taken in any order. Every buffer ends right
 * before a forbidden page or begins right after one.
 */
#include "slots.h"

#include "core/kernels/groups.h"
#include "slots_encoded.h"
#include "slots_gapless.h"
#include "slots_masks.h"
#include "slots_taps.h"

static void odd_values(float *x, int64_t count)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 0.0f, 1e-45f};
    for (int64_t i = 0; i < count; i += 3)
        x[i] = odd[i / 3 % 6];
}

static void pack_case(const struct setting *s, int transposed)
{
    int64_t ld = s->n + s->m % 3, extra = s->m % 5, rows = transposed ? s->n : s->m;
    int64_t width = (transposed ? s->m : s->n) + extra;
    float *from = random_floats(s, 0, s->m ? (s->m - 1) * ld + s->n : 0);
    float *to = random_floats(s, 1, rows * width), *right = guarded_floats(2, rows * width, 0);
    (transposed ? s->table->pack_x_transpose : s->table->pack_x_copy)(to, width, from, ld, s->m, s->n);
    (transposed ? scalar.pack_x_transpose : scalar.pack_x_copy)(right, width, from, ld, s->m, s->n);
    same_bits(to, right, rows * width, "pack_x");
}

/* Every choice of scale, bias, beta and clamp, a few for each pair of sizes. Where beta is 0, Y holds NaN. */
static void store_case(const struct setting *s, int transposed)
{
    for (int turn = 0; turn < 10; turn++) {
        int64_t kind = (turn * 7 + s->m * 5 + s->n * 11) % 72, scaled = kind % 4, biased = kind / 4 % 3;
        int64_t ld = s->n + s->m % 3, rows = transposed ? s->n : s->m, width = transposed ? s->m : s->n;
        int64_t ldy = width + s->n % 4, count = rows && width ? (rows - 1) * ldy + width : 0;
        float *from = random_floats(s, 0, s->m ? (s->m - 1) * ld + s->n : 0);
        const struct pr_epilogue_args epilogue = {
            .scale_m = scaled == 1 ? random_floats(s, 5, s->m) : NULL,
            .scale_n = scaled == 2 ? random_floats(s, 6, s->n) : NULL,
            .bias_m = biased == 1 ? random_floats(s, 1, s->m) : NULL,
            .bias_n = biased == 2 ? random_floats(s, 2, s->n) : NULL,
            .alpha = scaled == 3 ? -1.7f : 1.0f,
            .beta = kind / 12 % 2 ? 0.3f : 0.0f,
            .clamp = kind / 24 != 0,
            .most = kind / 24 == 2 ? 0.6f : INFINITY,
        };
        float *y = random_floats(s, 3, count), *right = guarded_floats(4, count, 0);
        odd_values(from, s->m ? (s->m - 1) * ld + s->n : 0);
        for (int64_t i = 0; epilogue.beta == 0.0f && i < count; i++)
            y[i] = NAN;
        memcpy(right, y, (size_t)count * sizeof *y); /* gaps between rows stay as they are */
        (transposed ? s->table->store_y_transpose : s->table->store_y_copy)(y, ldy, from, ld, s->m, s->n, &epilogue);
        (transposed ? scalar.store_y_transpose : scalar.store_y_copy)(right, ldy, from, ld, s->m, s->n, &epilogue);
        for (int64_t i = 0; i < count; i++)
            if (isnan(right[i]) ? !isnan(y[i]) : memcmp(y + i, right + i, sizeof *y) != 0)
                ck_abort_msg("store_y: number %lld is %g instead of %g", (long long)i, (double)y[i], (double)right[i]);
    }
}

/* m rows, some without a run, over a panel of n columns. */
static void rows_case(const struct setting *s, int64_t tile)
{
    int64_t entries = 0, run_count = 0;
    float *x = random_floats(s, 0, s->n * tile), *sums = random_floats(s, 1, s->m * tile);
    float *before = guarded_floats(2, s->m * tile, 0), *right = guarded_floats(3, s->m * tile, 0);
    uint32_t counts[70];
    for (int64_t i = 0; i < s->m; i++) {
        counts[i] = s->n ? (uint32_t)pr_rng_below(&rng, (uint64_t)s->n + 1) : 0;
        entries += counts[i];
        run_count += counts[i] > 0;
    }
    struct pr_run *runs = guarded_bytes(s, 4, run_count * (int64_t)sizeof *runs);
    uint16_t *columns = guarded_bytes(s, 5, entries * 2);
    float *values = random_floats(s, 6, entries);
    for (int64_t i = s->m - 1, r = 0; i >= 0; i--)
        if (counts[i])
            runs[r++] = (struct pr_run){(uint32_t)i, counts[i]};
    for (int64_t e = 0; e < entries; e++)
        columns[e] = (uint16_t)pr_rng_below(&rng, (uint64_t)s->n);
    memcpy(before, sums, (size_t)(s->m * tile) * sizeof *sums);
    memcpy(right, sums, (size_t)(s->m * tile) * sizeof *sums);
    (tile == 1 ? s->table->rows_dot : s->table->rows_panel)(sums, tile, x, runs, run_count, columns, values);
    if (tile > 1) {
        scalar.rows_panel(right, tile, x, runs, run_count, columns, values);
        same_bits(sums, right, s->m * tile, "rows_panel");
        return;
    }
    for (int64_t r = 0, e = 0; r < run_count; r++) {
        double sum = (double)before[runs[r].row], size = fabs(sum);
        for (uint32_t i = 0; i < runs[r].count; i++, e++) {
            sum += (double)values[e] * (double)x[columns[e]];
            size += fabs((double)values[e] * (double)x[columns[e]]);
        }
        within(sums[runs[r].row], sum, size, runs[r].count + 1, "rows_dot");
    }
}

/* m units of four rows, some without a run, over a panel of n columns. */
static void units_case(const struct setting *s, int64_t tile)
{
    int64_t entries = 0, run_count = 0;
    float *x = random_floats(s, 0, s->n * tile), *sums = random_floats(s, 1, 4 * s->m * tile);
    float *before = guarded_floats(2, 4 * s->m * tile, 0);
    uint32_t counts[70];
    for (int64_t i = 0; i < s->m; i++) {
        counts[i] = s->n ? (uint32_t)pr_rng_below(&rng, (uint64_t)s->n + 1) : 0;
        entries += counts[i];
        run_count += counts[i] > 0;
    }
    struct pr_run *runs = guarded_bytes(s, 3, run_count * (int64_t)sizeof *runs);
    uint8_t *columns = (uint8_t *)guarded_floats(4, (entries + 3) / 4, s->at_end);
    columns += s->at_end ? (4 - entries % 4) % 4 : 0;
    float *values = random_floats(s, 5, 4 * entries);
    for (int64_t i = s->m - 1, r = 0; i >= 0; i--)
        if (counts[i])
            runs[r++] = (struct pr_run){(uint32_t)(4 * i), counts[i]};
    for (int64_t e = 0; e < entries; e++)
        columns[e] = (uint8_t)pr_rng_below(&rng, (uint64_t)s->n);
    memcpy(before, sums, (size_t)(4 * s->m * tile) * sizeof *sums);
    if (tile > 16) {
        s->table->units_panel(sums, tile, x, runs, run_count, columns, values);
        scalar.units_panel(before, tile, x, runs, run_count, columns, values);
        same_bits(sums, before, 4 * s->m * tile, "units_panel");
        return;
    }
    s->table->units_few(sums, tile, x, runs, run_count, columns, values);
    for (int64_t r = 0, at = 0; r < run_count; at += runs[r++].count)
        for (int64_t i = 0; i < 4 * tile; i++) {
            int64_t out = runs[r].row * tile + i;
            double sum = (double)before[out], size = fabs(sum);
            for (int64_t e = at; e < at + runs[r].count; e++) {
                double product = (double)values[4 * e + i / tile] * (double)x[columns[e] * tile + i % tile];
                sum += product;
                size += fabs(product);
            }
            within(sums[out], sum, size, runs[r].count + 1, "units_few");
        }
}

/* m rows in strips of 6 and one of the rest, over n columns of W. */
static void tile_case(const struct setting *s, int64_t tile)
{
    int64_t ldx = tile + s->m % 3, ld = tile + s->n % 2 * 5, stride = 6 * s->n + s->m % 2 * 7;
    int64_t strips = s->m / 6, rest = s->m % 6, out = s->m ? (s->m - 1) * ld + tile : 0;
    int64_t whole = strips ? (strips - 1) * stride + 6 * s->n : 0, count = rest ? strips * stride + rest * s->n : whole;
    float *x = random_floats(s, 0, s->n ? (s->n - 1) * ldx + tile : 0), *values = random_floats(s, 1, count);
    float *sums = random_floats(s, 2, out), *right = guarded_floats(3, out, 0);
    for (int start = 0; start < 2; start++) {
        memcpy(right, sums, (size_t)out * sizeof *sums);
        s->table->dense_tile(sums, ld, x, ldx, tile, values, stride, s->n, s->m, start);
        scalar.dense_tile(right, ld, x, ldx, tile, values, stride, s->n, s->m, start);
        same_bits(sums, right, out, "dense_tile");
    }
}

/* The same straight into Y, with what a row may end in; NaN and infinity in X. */
static void dense_rows_case(const struct setting *s)
{
    int64_t n = 16 + s->n + s->m % 3 * 64, columns = s->n, rows = s->m, ldx = n + s->m % 3, ldy = n + s->n % 2 * 5;
    int64_t out = rows ? (rows - 1) * ldy + n : 0, inputs = columns ? (columns - 1) * ldx + n : 0;
    float *x = random_floats(s, 0, inputs), *values = random_floats(s, 1, rows * columns);
    float *y = random_floats(s, 2, out), *right = guarded_floats(3, out, 0);
    const struct pr_epilogue_args epilogue = {
        .scale_m = s->m % 3 == 1 ? random_floats(s, 4, rows) : NULL,
        .bias_m = s->n % 3 ? random_floats(s, 5, rows) : NULL,
        .alpha = s->m % 3 == 2 ? -1.7f : 1.0f,
        .clamp = s->n % 5 != 0,
        .most = s->n % 5 == 1 ? 0.6f : INFINITY,
    };
    for (int64_t i = 0; s->m % 4 == 3 && i < inputs; i += 101)
        x[i] = i % 2 ? NAN : -INFINITY;
    memcpy(right, y, (size_t)out * sizeof *y); /* gaps between rows stay as they are */
    s->table->dense_rows(y, ldy, x, ldx, n, values, columns, rows, &epilogue);
    scalar.dense_rows(right, ldy, x, ldx, n, values, columns, rows, &epilogue);
    for (int64_t i = 0; i < out; i++)
        if (isnan(right[i]) ? !isnan(y[i]) : memcmp(y + i, right + i, sizeof *y) != 0)
            ck_abort_msg("dense_rows: number %lld is %g instead of %g", (long long)i, (double)y[i], (double)right[i]);
}

/* `count` places for runs of `tile` floats. */
static uint32_t *random_starts(const struct setting *s, int which, int64_t count, int64_t places)
{
    uint32_t *starts = guarded_bytes(s, which, count * 4);
    for (int64_t i = 0; i < count; i++)
        starts[i] = (uint32_t)pr_rng_below(&rng, (uint64_t)places);
    return starts;
}

static void dense_shifts_case(const struct setting *s, int64_t tile)
{
    int64_t ld = tile + s->n % 2 * 5, stride = 6 * s->n + s->m % 2 * 7, strips = s->m / 6, rest = s->m % 6;
    int64_t whole = strips ? (strips - 1) * stride + 6 * s->n : 0, count = rest ? strips * stride + rest * s->n : whole;
    int64_t out = s->m ? (s->m - 1) * ld + tile : 0, places = 1 + s->m;
    float *x = random_floats(s, 0, s->n ? places - 1 + tile : 0), *values = random_floats(s, 1, count);
    float *sums = random_floats(s, 2, out), *right = guarded_floats(3, out, 0);
    uint32_t *starts = random_starts(s, 4, s->n, places);
    for (int start = 0; start < 2; start++) {
        memcpy(right, sums, (size_t)out * sizeof *sums);
        s->table->dense_shifts(sums, ld, x, starts, tile, values, stride, s->n, s->m, start);
        scalar.dense_shifts(right, ld, x, starts, tile, values, stride, s->n, s->m, start);
        same_bits(sums, right, out, "dense_shifts");
        for (int64_t i = 0; start && i < s->m; i++) /* the scalar one against the sum itself */
            for (int64_t j = 0; j < tile; j++) {
                int64_t height = i / 6 < strips ? 6 : rest;
                float sum = 0;
                for (int64_t k = 0; k < s->n; k++)
                    sum = fmaf(values[i / 6 * stride + k * height + i % 6], x[starts[k] + j], sum);
                same_bits(&right[i * ld + j], &sum, 1, "dense_shifts");
            }
    }
}

static void planes_case(const struct setting *s)
{
    struct pr_shift shift = {.width = 1 + s->m, .top = s->n % 3, .rows = s->n % 5, .bottom = s->m % 2};
    shift.begin = (int64_t)pr_rng_below(&rng, (uint64_t)shift.width + 1);
    shift.end = shift.begin + (int64_t)pr_rng_below(&rng, (uint64_t)(shift.width - shift.begin) + 1);
    if (s->m % 3 == 0) { /* as convolutions have it */
        shift.begin = s->n % 3 < shift.width ? s->n % 3 : 0;
        shift.end = shift.width;
    }
    shift.stride = s->n % 4 ? 1 + s->n % 3 : 1;
    int64_t across = shift.end > shift.begin ? (shift.end - shift.begin - 1) * shift.stride + 1 : 0;
    shift.ld = across + s->m % 4;
    int64_t count = s->n % 4, plane = (shift.top + shift.rows + shift.bottom) * shift.width;
    int64_t to_step = plane + s->m % 5, from_step = shift.rows * shift.ld + s->n % 2;
    int64_t to_count = count ? (count - 1) * to_step + plane : 0;
    int64_t x_count =
        count && shift.rows && across ? (count - 1) * from_step + (shift.rows - 1) * shift.ld + across : 0;
    float *x = random_floats(s, 0, x_count), *to = random_floats(s, 1, to_count),
          *right = guarded_floats(2, to_count, 0);
    for (int64_t i = 0; i < x_count; i += 5)
        x[i] = i % 2 ? NAN : -INFINITY;
    memcpy(right, to, (size_t)to_count * sizeof *to);
    for (int64_t p = 0; p < count; p++)
        for (int64_t i = 0; i < shift.top + shift.rows + shift.bottom; i++)
            for (int64_t j = 0; j < shift.width; j++) {
                int64_t row = i - shift.top, inside = row >= 0 && row < shift.rows && j >= shift.begin && j < shift.end;
                right[p * to_step + i * shift.width + j] =
                    inside ? x[p * from_step + row * shift.ld + (j - shift.begin) * shift.stride] : 0;
            }
    s->table->shift_planes(to, to_step, x, from_step, count, &shift);
    ck_assert_mem_eq(to, right, (size_t)to_count * sizeof *to);
}

static void strip_case(const struct setting *s, int sparse)
{
    for (int64_t lanes = 16; lanes <= 64; lanes += 16) {
        int64_t groups = s->m, columns = sparse ? 4 * groups : s->m, count = s->n % 12, ldx = columns + s->n % 3;
        int64_t steps = sparse ? 2 * groups : columns, ld = lanes + s->m % 2 * 16;
        int64_t out = count ? (count - 1) * ld + lanes : 0, words = (groups + 7) / 8 * lanes;
        float *x = random_floats(s, 0, count ? (count - 1) * ldx + columns : 0);
        float *values = random_floats(s, 1, steps * lanes), *sums = random_floats(s, 2, out);
        float *right = guarded_floats(3, out, 0);
        uint32_t *positions = guarded_bytes(s, 4, words * 4);
        for (int64_t i = 0; i < words; i++)
            positions[i] = (uint32_t)pr_rng_next(&rng);
        memcpy(right, sums, (size_t)out * sizeof *sums);
        if (sparse) {
            s->table->nm24_strip(sums, ld, x, ldx, count, values, positions, groups, lanes);
            scalar.nm24_strip(right, ld, x, ldx, count, values, positions, groups, lanes);
        } else {
            s->table->dense_strip(sums, ld, x, ldx, count, values, columns, lanes);
            scalar.dense_strip(right, ld, x, ldx, count, values, columns, lanes);
        }
        same_bits(sums, right, out, sparse ? "nm24_strip" : "dense_strip");
    }
}

/* Each half of the lanes has its positions in its half of the chunk. */
static void keep_halves(uint32_t *words, int64_t steps, int lanes)
{
    for (int64_t s = 0; s < steps; s++)
        for (int64_t i = 0; i < lanes; i++) {
            uint32_t *word = &words[s / PR_PICK_STEPS(lanes) * lanes + i];
            uint32_t top = (uint32_t)lanes << (s % PR_PICK_STEPS(lanes) * PR_PICK_BITS(lanes));
            *word = i < lanes / 2 ? *word & ~top : *word | top;
        }
}

static void by_4_case(const struct setting *s, int lanes)
{
    int64_t chunks = s->m;
    float *x = random_floats(s, 0, chunks * 2 * lanes), *values = random_floats(s, 1, chunks * 4 * lanes);
    float *sums = random_floats(s, 2, 4);
    uint32_t *words = random_positions(s, 3, chunks, lanes);
    keep_halves(words, chunks, lanes);
    (lanes == 16 ? s->table->nm24_by_4_16 : s->table->nm24_by_4_8)(sums, x, values, words, chunks);
    for (int r = 0; r < 4; r++) {
        double sum = 0, size = 0;
        for (int64_t c = 0; c < chunks; c++)
            for (int64_t i = 0; i < lanes; i++) {
                double product = (double)values[(c * 4 + r) * lanes + i] *
                                 (double)x[c * 2 * lanes + position_of(words, c, i, lanes)];
                sum += product;
                size += fabs(product);
            }
        within(sums[r], sum, size, chunks * lanes, "nm24_by_4");
    }
}

/* With `finite` what is not kept has value 0; without it, it meets NaN and infinity too. */
static void windows_case(const struct setting *s, int lanes, int finite)
{
    int64_t steps = s->m, vectors = 2 + s->n % 5;
    float *x = random_floats(s, 0, vectors * lanes), *values = random_floats(s, 1, steps * lanes);
    float *sums = random_floats(s, 2, lanes);
    uint16_t *starts = guarded_bytes(s, 3, steps * 2), *kept = guarded_bytes(s, 4, steps * 2);
    const uint32_t *words = random_positions(s, 5, steps, lanes);
    if (!finite)
        x[pr_rng_below(&rng, (uint64_t)(vectors * lanes))] = NAN;
    for (int64_t t = 0; t < steps; t++) {
        starts[t] = (uint16_t)pr_rng_below(&rng, (uint64_t)vectors - 1);
        kept[t] = (uint16_t)(pr_rng_next(&rng) & ((1u << lanes) - 1));
        for (int64_t i = 0; i < lanes; i++)
            if (!(kept[t] >> i & 1) || isnan(x[starts[t] * lanes + position_of(words, t, i, lanes)])) {
                values[t * lanes + i] = 0;
                kept[t] = (uint16_t)(kept[t] & ~(1u << i));
            }
    }
    (lanes == 16 ? s->table->windows_16 : s->table->windows_8)(sums, x, starts, values, words, kept, steps, finite);
    for (int64_t i = 0; i < lanes; i++) {
        double sum = 0, size = 0;
        int64_t products = 0;
        for (int64_t t = 0; t < steps; t++)
            if (kept[t] >> i & 1) {
                double product =
                    (double)values[t * lanes + i] * (double)x[starts[t] * lanes + position_of(words, t, i, lanes)];
                sum += product;
                size += fabs(product);
                products++;
            }
        within(sums[i], sum, size, products, "windows");
    }
}

/* Items of 1, 2 or 4 different rows, some of no columns, over a panel of n columns; what no item names stays. */
static void groups_case(const struct setting *s, enum pr_slot slot, int start)
{
    int shifted = slot == PR_SLOT_singles_shifts || slot == PR_SLOT_pairs_shifts || slot == PR_SLOT_quads_shifts;
    int height = slot == PR_SLOT_singles_panel || slot == PR_SLOT_singles_shifts ? 1
                 : slot == PR_SLOT_pairs_panel || slot == PR_SLOT_pairs_shifts   ? 2
                                                                                 : 4;
    int64_t bytes = height == 1 ? PR_SINGLE_BYTES : height == 2 ? PR_PAIR_BYTES : PR_QUAD_BYTES;
    int64_t tile = 16 * (1 + s->n % 9), item_count = s->m / height, columns = 0, values = 0;
    int64_t ld = tile + s->n % 3, ldx = tile + s->m % 3;
    int64_t x_count = s->n ? (s->n - 1) * ldx + tile : 0, count = s->m ? (s->m - 1) * ld + tile : 0;
    float *x = random_floats(s, 0, x_count), *sums = random_floats(s, 1, count), *right = guarded_floats(2, count, 0);
    uint8_t *items = (uint8_t *)guarded_floats(3, (item_count * bytes + 3) / 4, s->at_end);
    if (s->at_end)
        items += (4 - item_count * bytes % 4) % 4;
    for (int64_t i = 0; i < item_count; i++) {
        uint8_t *item = items + i * bytes;
        for (int r = 0; r < height; r++)
            item[r] = (uint8_t)(s->m - 1 - i * height - r);
        for (int64_t c = height; c < bytes; c++)
            item[c] = s->n ? (uint8_t)pr_rng_below(&rng, 7) : 0;
        for (int64_t c = height; c < bytes; c++) {
            static const int8_t wide[3] = {1, 2, 1}, deep[3] = {2, 2, 1};
            static const int8_t quad[PR_QUAD_CLASSES] = {4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1};
            columns += item[c] * (height == 2 ? wide[c - 2] : 1);
            values += item[c] * (height == 1 ? 1 : height == 2 ? deep[c - 2] : quad[c - 4]);
        }
    }
    uint8_t *index = (uint8_t *)guarded_floats(4, (columns + 3) / 4, s->at_end);
    if (s->at_end)
        index += (4 - columns % 4) % 4;
    for (int64_t i = 0; i < columns; i++)
        index[i] = (uint8_t)pr_rng_below(&rng, (uint64_t)s->n);
    float *value = random_floats(s, 5, values);
    memcpy(right, sums, (size_t)count * sizeof *sums);
    const struct pr_kernels *tables[2] = {s->table, &scalar};
    uint32_t *starts = NULL;
    if (shifted) { /* any places at all */
        starts = random_starts(s, 6, s->n, x_count - tile + 1);
        for (int t = 0; t < 2; t++)
            (height == 1   ? tables[t]->singles_shifts
             : height == 2 ? tables[t]->pairs_shifts
                           : tables[t]->quads_shifts)(t ? right : sums, ld, x, starts, tile, items, item_count, index,
                                                      value, start);
        same_bits(sums, right, count, pr_slot_name(slot));
        for (int64_t k = 0; k < s->n; k++) /* and those of rows */
            starts[k] = (uint32_t)(k * ldx);
        memcpy(right, sums, (size_t)count * sizeof *sums);
        (height == 1   ? scalar.singles_panel
         : height == 2 ? scalar.pairs_panel
                       : scalar.quads_panel)(right, ld, x, ldx, tile, items, item_count, index, value, start);
        (height == 1   ? s->table->singles_shifts
         : height == 2 ? s->table->pairs_shifts
                       : s->table->quads_shifts)(sums, ld, x, starts, tile, items, item_count, index, value, start);
        same_bits(sums, right, count, pr_slot_name(slot));
        return;
    }
    for (int t = 0; t < 2; t++)
        (height == 1 ? tables[t]->singles_panel
         : height == 2
             ? tables[t]->pairs_panel
             : tables[t]->quads_panel)(t ? right : sums, ld, x, ldx, tile, items, item_count, index, value, start);
    same_bits(sums, right, count, pr_slot_name(slot));
}

static void overlaps_case(const struct setting *s)
{
    int64_t words = 1 + s->n % 4, ld = s->m + s->n % 3;
    uint64_t *masks = guarded_bytes(s, 0, (s->m ? (words - 1) * ld + s->m : 0) * 8);
    uint64_t *scores = guarded_bytes(s, 1, s->m * 8), *right = malloc((size_t)(s->m + 1) * 8), mask[4];
    for (int64_t i = 0; i < (s->m ? (words - 1) * ld + s->m : 0); i++)
        masks[i] = pr_rng_next(&rng) & pr_rng_next(&rng);
    for (int64_t i = 0; i < s->m; i++)
        right[i] = scores[i] = pr_rng_below(&rng, 8);
    for (int w = 0; w < 4; w++)
        mask[w] = pr_rng_next(&rng);
    int64_t best = s->table->add_overlaps(scores, masks, ld, words, s->m, mask), first = 0;
    for (int64_t i = 0; i < s->m; i++) {
        for (int64_t w = 0; w < words; w++)
            for (uint64_t bits = masks[w * ld + i] & mask[w]; bits; bits &= bits - 1)
                right[i]++;
        first = right[i] > right[first] ? i : first;
    }
    ck_assert_mem_eq(scores, right, (size_t)s->m * 8);
    ck_assert_int_eq(best, first);
    free(right);
}

/* m of the rows of a matrix with n columns each. */
static void sampled_case(const struct setting *s)
{
    int64_t rows = 1 + s->m / 2, ldx = s->n + s->m % 3;
    float *row = random_floats(s, 0, s->n), *x = random_floats(s, 1, s->n ? (rows - 1) * ldx + s->n : 0);
    float *sums = random_floats(s, 2, s->m), before[68];
    int32_t *columns = guarded_bytes(s, 3, s->m * 4);
    memcpy(before, sums, (size_t)s->m * sizeof *sums);
    for (int64_t e = 0; e < s->m; e++)
        columns[e] = (int32_t)pr_rng_below(&rng, (uint64_t)rows);
    s->table->sampled_row(sums, row, x, ldx, columns, s->m, s->n);
    for (int64_t e = 0; e < s->m; e++) {
        double sum = (double)before[e], size = fabs(sum);
        for (int64_t j = 0; j < s->n; j++) {
            double product = (double)row[j] * (double)x[columns[e] * ldx + j];
            sum += product;
            size += fabs(product);
        }
        within(sums[e], sum, size, s->n + 1, "sampled_row");
    }
}

/* m rows, some without a run, over a panel of n starts. */
static void shifted_case(const struct setting *s)
{
    int64_t tile = 8 * (s->m % 31), entries = 0, run_count = 0;
    float *x = random_floats(s, 0, s->n ? s->n - 1 + tile : 0), *sums = random_floats(s, 1, s->m * tile);
    float *right = guarded_floats(2, s->m * tile, 0);
    struct pr_run *runs = guarded_bytes(s, 3, s->m / 2 * (int64_t)sizeof *runs);
    for (int64_t i = 0; i < s->m / 2; i++) {
        runs[run_count++] = (struct pr_run){(uint32_t)(s->m - 1 - 2 * i), s->n ? (uint32_t)pr_rng_below(&rng, 9) : 0};
        entries += runs[i].count;
    }
    uint32_t *starts = guarded_bytes(s, 4, entries * 4);
    float *values = random_floats(s, 5, entries);
    for (int64_t e = 0; e < entries; e++)
        starts[e] = (uint32_t)pr_rng_below(&rng, (uint64_t)s->n);
    memcpy(right, sums, (size_t)(s->m * tile) * sizeof *sums);
    s->table->shifted_panel(sums, tile, x, runs, run_count, starts, values);
    scalar.shifted_panel(right, tile, x, runs, run_count, starts, values);
    same_bits(sums, right, s->m * tile, "shifted_panel");
}

static void finite_case(const struct setting *s)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    float *x = random_floats(s, 0, s->m);
    for (int64_t i = 0; i < s->m; i += 2)
        x[i] = i % 4 ? 3.4e38f : -1e-45f;
    ck_assert_int_eq(s->table->all_finite(x, s->m), 1);
    for (int64_t i = 0; i < s->m; i++) {
        float was = x[i];
        x[i] = bad[i % 3];
        if (s->table->all_finite(x, s->m))
            ck_abort_msg("all_finite does not see number %lld of %lld", (long long)i, (long long)s->m);
        x[i] = was;
    }
}

#include "slots_few.h"

/* Slots with one case each. */
static int plain_case(enum pr_slot slot, const struct setting *s)
{
    if (slot == PR_SLOT_dense_rows)
        dense_rows_case(s);
    else if (slot == PR_SLOT_taps_rows)
        taps_case(s);
    else if (slot == PR_SLOT_all_finite)
        finite_case(s);
    else
        return 0;
    return 1;
}

static void run_case(enum pr_slot slot, const struct setting *s)
{
    switch (slot) {
    case PR_SLOT_pack_x_copy:
        pack_case(s, 0);
        break;
    case PR_SLOT_pack_x_transpose:
        pack_case(s, 1);
        break;
    case PR_SLOT_store_y_copy:
        store_case(s, 0);
        break;
    case PR_SLOT_store_y_transpose:
        store_case(s, 1);
        break;
    case PR_SLOT_rows_panel:
        rows_case(s, 16 * (1 + s->n % 9));
        break;
    case PR_SLOT_few_pairs:
        few_pairs_case(s, few_tiles[s->n % 5], s->at_end);
        break;
    case PR_SLOT_few_nm24:
        few_nm24_case(s);
        break;
    case PR_SLOT_few_rows:
        few_rows_case(s, few_tiles[s->n % 5]);
        break;
    case PR_SLOT_rows_dot:
        rows_case(s, 1);
        break;
    case PR_SLOT_units_panel:
        units_case(s, 16 * (2 + s->n % 9));
        break;
    case PR_SLOT_units_few:
        units_case(s, 1);
        units_case(s, 4);
        units_case(s, 8);
        units_case(s, 16);
        break;
    case PR_SLOT_dense_strip:
        strip_case(s, 0);
        break;
    case PR_SLOT_dense_tile:
        tile_case(s, 16 * (1 + s->n % 5));
        break;
    case PR_SLOT_dense_shifts:
        dense_shifts_case(s, 16 * (1 + s->n % 5));
        break;
    case PR_SLOT_shift_planes:
        planes_case(s);
        break;
    case PR_SLOT_nm24_strip:
        strip_case(s, 1);
        break;
    case PR_SLOT_nm24_by_4_8:
        by_4_case(s, 8);
        break;
    case PR_SLOT_nm24_by_4_16:
        by_4_case(s, 16);
        break;
    case PR_SLOT_windows_8:
        windows_case(s, 8, 0);
        windows_case(s, 8, 1);
        break;
    case PR_SLOT_windows_16:
        windows_case(s, 16, 0);
        windows_case(s, 16, 1);
        break;
    case PR_SLOT_windows_tight:
        tight_case(s, 0);
        tight_case(s, 1);
        break;
    case PR_SLOT_bitmap_block:
        bitmap_case(s, 0);
        bitmap_case(s, 1);
        break;
    case PR_SLOT_singles_panel:
    case PR_SLOT_pairs_panel:
    case PR_SLOT_quads_panel:
    case PR_SLOT_singles_shifts:
    case PR_SLOT_pairs_shifts:
    case PR_SLOT_quads_shifts:
        groups_case(s, slot, 0);
        groups_case(s, slot, 1);
        break;
    case PR_SLOT_add_overlaps:
        overlaps_case(s);
        break;
    case PR_SLOT_sampled_row:
        sampled_case(s);
        break;
    case PR_SLOT_shifted_panel:
        shifted_case(s);
        break;
    default:
        if (!plain_case(slot, s) && !encoded_case(slot, s) && !masks_case(slot, s))
            ck_abort_msg("slot %s has no case in this test", pr_slot_name(slot));
    }
}

/* m and n go through 0 to 67 each, in an order that pairs them up in many ways. */
static void run_slot(enum pr_slot slot, const struct pr_kernels *table)
{
    pr_rng_seed(&rng, 42);
    for (int64_t m = 0; m < 68; m++)
        for (int turn = 0; turn < 6; turn++) {
            struct setting s = {table, m, (m * 7 + turn * 11) % 68, turn % 2};
            run_case(slot, &s);
        }
}

static const struct {
    uint32_t mask;
    const char *name; /* of the set that the mask adds */
} sets[] = {
    {PRUNE_CPU_SCALAR, "scalar"},
#ifdef __aarch64__
    {PRUNE_CPU_NEON, "neon"},
#else
    {PRUNE_CPU_AVX2, "avx2"},
    {PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512, "avx512"},
#endif
};
#define SETS ((int)(sizeof sets / sizeof *sets))

START_TEST(every_slot_under_every_mask)
{
    int ran[SETS][PR_SLOT_COUNT] = {{0}};
    pr_kernels_select(PRUNE_CPU_SCALAR, &scalar);
    for (int i = 0; i < SETS; i++) {
        int own = 0, has = (sets[i].mask & ~prune_cpu_detect()) == 0;
        for (enum pr_slot slot = 0; slot < PR_SLOT_COUNT; slot++) {
            const char *origin = pr_kernels_origin(sets[i].mask, slot);
            if (strcmp(origin, sets[i].name) != 0) {
                printf("inherited: %s under %s is that of %s\n", pr_slot_name(slot), sets[i].name, origin);
                continue;
            }
            own++;
            if (!has) {
                skip(pr_slot_name(slot), sets[i].name);
                continue;
            }
            struct pr_kernels table;
            pr_kernels_select(sets[i].mask, &table);
            run_slot(slot, &table);
            printf("tested: %s of %s\n", pr_slot_name(slot), sets[i].name);
            ran[i][slot] = 1;
        }
        if (own == 0)
            skip(sets[i].name, "this build has no kernel of its own for it");
    }
    for (int i = 0; i < SETS; i++)
        for (enum pr_slot slot = 0; slot < PR_SLOT_COUNT; slot++)
            if (strcmp(pr_kernels_origin(sets[i].mask, slot), sets[i].name) == 0 &&
                (sets[i].mask & ~prune_cpu_detect()) == 0)
                ck_assert_msg(ran[i][slot], "%s of %s can run here and did not", pr_slot_name(slot), sets[i].name);
    fflush(stdout);
}
END_TEST

/* The table depends on the mask alone, and bits that nobody knows change nothing. */
START_TEST(the_table_is_a_function_of_the_mask)
{
    struct pr_kernels a, b;
    for (int i = 0; i < SETS; i++) {
        pr_kernels_select(sets[i].mask, &a);
        pr_kernels_select(sets[i].mask | 1u << 30, &b);
        ck_assert_mem_eq(&a, &b, sizeof a);
    }
    pr_kernels_select(PRUNE_CPU_SCALAR, &a);
    ck_assert_mem_eq(&a, &pr_kernels_scalar, sizeof a);
}
END_TEST

TEST_MAIN("kernel slots", every_slot_under_every_mask, the_table_is_a_function_of_the_mask)
