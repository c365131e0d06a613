/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cases of the slots for few columns of X; test_slots.c runs them.
 */
#ifndef PR_TEST_SLOTS_FEW_H
#define PR_TEST_SLOTS_FEW_H

static const int64_t few_tiles[] = {4, 8, 16, 24, 32};

/* m rows, some without a run, over a panel of n columns. Sums may be taken in any order. */
static void few_rows_case(const struct setting *s, int64_t tile)
{
    int64_t entries = 0, run_count = 0;
    float *x = random_floats(s, 0, s->n * tile), *sums = random_floats(s, 1, s->m * tile);
    float *before = guarded_floats(2, s->m * tile, 0);
    uint16_t counts[70];
    for (int64_t i = 0; i < s->m; i++) {
        counts[i] = (uint16_t)(s->n ? pr_rng_below(&rng, (uint64_t)s->n + 1) : 0);
        entries += counts[i];
        run_count += counts[i] > 0;
    }
    struct pr_short_run *runs = guarded_bytes(s, 3, run_count * (int64_t)sizeof *runs);
    uint16_t *columns = guarded_bytes(s, 4, entries * 2);
    float *values = random_floats(s, 5, entries);
    for (int64_t i = s->m - 1, r = 0; i >= 0; i--)
        if (counts[i])
            runs[r++] = (struct pr_short_run){(uint16_t)i, counts[i]};
    for (int64_t e = 0; e < entries; e++)
        columns[e] = (uint16_t)pr_rng_below(&rng, (uint64_t)s->n);
    memcpy(before, sums, (size_t)(s->m * tile) * sizeof *sums);
    s->table->few_rows(sums, tile, x, runs, run_count, columns, values);
    for (int64_t r = 0, first = 0; r < run_count; first += runs[r++].count)
        for (int64_t j = 0; j < tile; j++) {
            double sum = (double)before[runs[r].row * tile + j], size = fabs(sum);
            for (int64_t e = first; e < first + runs[r].count; e++) {
                sum += (double)values[e] * (double)x[columns[e] * tile + j];
                size += fabs((double)values[e] * (double)x[columns[e] * tile + j]);
            }
            within(sums[runs[r].row * tile + j], sum, size, runs[r].count + 1, "few_rows");
        }
    for (int64_t i = 0; i < s->m * tile; i++)
        if (!counts[i / tile] && memcmp(sums + i, before + i, sizeof *sums) != 0)
            ck_abort_msg("few_rows wrote the sums of row %lld, which has no run", (long long)(i / tile));
}

/* 2:4 in strips, X in groups of four columns of W, a tile a little wider than the columns that are asked for. */
static void few_nm24_case(const struct setting *s)
{
    for (int64_t lanes = 16; lanes <= 64; lanes += 16) {
        int64_t groups = s->m, count = s->n % 20, ldx = 4 * (count + s->n % 3), ld = lanes + s->m % 2 * 16;
        int64_t out = count ? (count - 1) * ld + lanes : 0, words = (groups + 7) / 8 * lanes;
        float *x = random_floats(s, 0, groups && count ? (groups - 1) * ldx + 4 * count : 0);
        float *values = random_floats(s, 1, 2 * groups * lanes), *sums = random_floats(s, 2, out);
        float *right = guarded_floats(3, out, 0);
        uint32_t *positions = guarded_bytes(s, 4, words * 4);
        for (int64_t i = 0; i < words; i++)
            positions[i] = (uint32_t)pr_rng_next(&rng);
        memcpy(right, sums, (size_t)out * sizeof *sums);
        s->table->few_nm24(sums, ld, x, ldx, count, values, positions, groups, lanes);
        scalar.few_nm24(right, ld, x, ldx, count, values, positions, groups, lanes);
        same_bits(sums, right, out, "few_nm24");
    }
}

static uint8_t *random_bytes(const struct setting *s, int place, int64_t count, uint64_t below)
{
    uint8_t *bytes =
        (uint8_t *)guarded_floats(place, (count + 3) / 4, s->at_end) + (s->at_end ? (4 - count % 4) % 4 : 0);
    for (int64_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)pr_rng_below(&rng, below);
    return bytes;
}

/* Adds an entry to the sum and the size of one row in double. */
static void add_entry(double *sum, double *size, const float *x, int64_t tile, float value)
{
    for (int64_t j = 0; j < tile; j++) {
        sum[j] += (double)value * (double)x[j];
        size[j] += fabs((double)value * (double)x[j]);
    }
}

/* Pairs of different rows, some of no columns, over a panel of n columns; what no pair names stays. */
static void few_pairs_case(const struct setting *s, int64_t tile, int start)
{
    enum { MOST = 68 * 32 };
    int64_t pairs = s->m / 2, columns = 0, values = 0, count = s->m * tile;
    static double sum[MOST], size[MOST];
    float *x = random_floats(s, 0, s->n * tile), *sums = random_floats(s, 1, count);
    uint8_t *items = random_bytes(s, 2, pairs * PR_PAIR_BYTES, s->n ? 15 : 1);
    for (int64_t i = 0; i < pairs; i++) {
        uint8_t *item = items + i * PR_PAIR_BYTES;
        item[0] = (uint8_t)(s->m - 1 - 2 * i);
        item[1] = (uint8_t)(s->m - 2 - 2 * i);
        columns += item[2] + 2 * item[3] + item[4];
        values += 2 * item[2] + 2 * item[3] + item[4];
    }
    const uint8_t *index = random_bytes(s, 3, columns, s->n ? (uint64_t)s->n : 1);
    const float *value = random_floats(s, 4, values);
    for (int64_t i = 0; i < count; i++) {
        sum[i] = start && (s->m % 2 == 0 || i >= tile) ? 0 : (double)sums[i];
        size[i] = fabs(sum[i]);
    }
    for (int64_t i = 0, c = 0, v = 0; i < pairs; i++) {
        const uint8_t *item = items + i * PR_PAIR_BYTES;
        int64_t a = item[0] * tile, b = item[1] * tile;
        for (int e = 0; e < item[2]; e++, c++, v += 2) {
            add_entry(sum + a, size + a, x + index[c] * tile, tile, value[v]);
            add_entry(sum + b, size + b, x + index[c] * tile, tile, value[v + 1]);
        }
        for (int e = 0; e < 2 * item[3] + item[4]; e++, c++, v++) {
            int64_t row = e < 2 * item[3] && e % 2 ? b : a;
            add_entry(sum + row, size + row, x + index[c] * tile, tile, value[v]);
        }
    }
    s->table->few_pairs(sums, tile, x, tile, tile, items, pairs, index, value, start);
    for (int64_t i = 0; i < count; i++)
        within(sums[i], sum[i], size[i], 45, "few_pairs");
}

#endif
