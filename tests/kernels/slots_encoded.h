/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cases of the slots whose values are stored in other encodings, and of N:M in groups of 2 to 16.
 */
#ifndef PR_TEST_SLOTS_ENCODED_H
#define PR_TEST_SLOTS_ENCODED_H

#include "slots.h"

#include "core/kernels/encodings.h"

/* All finite; of 16-bit floats every kind, the smallest among them. */
static inline void *encoded_values(const struct setting *s, int place, int64_t count, int64_t encoding)
{
    int64_t bytes = count * pr_encoding_bytes(encoding);
    if (encoding == PR_VALUES_F32)
        return random_floats(s, place, count);
    char *values = (char *)guarded_floats(place, (bytes + 3) / 4, s->at_end);
    if (s->at_end)
        values += (4 - bytes % 4) % 4;
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = pr_rng_next(&rng);
        uint16_t half = (uint16_t)(encoding == PR_VALUES_F16 ? bits & 0xbfff : (bits & 0x83ff) | 0x3c00);
        if (encoding == PR_VALUES_INT8)
            values[i] = (char)bits;
        else
            memcpy(values + 2 * i, &half, sizeof half);
    }
    return values;
}

static inline double decoded(const void *values, int64_t index, int64_t encoding)
{
    switch (encoding) {
    case PR_VALUES_F16:
        return (double)pr_decode_f16(((const uint16_t *)values)[index]);
    case PR_VALUES_BF16:
        return (double)pr_decode_bf16(((const uint16_t *)values)[index]);
    case PR_VALUES_INT8:
        return (double)((const int8_t *)values)[index];
    default:
        return (double)((const float *)values)[index];
    }
}

#define CHOOSE(table, slot, encoding)                                                                                  \
    ((encoding) == PR_VALUES_F16    ? (table)->slot##_f16                                                              \
     : (encoding) == PR_VALUES_BF16 ? (table)->slot##_bf16                                                             \
                                    : (table)->slot##_int8)

static inline void dense_values_case(const struct setting *s, int64_t encoding)
{
    for (int64_t lanes = 16; lanes <= 64; lanes += 16) {
        int64_t columns = s->m * 3, count = s->n % 12, ldx = columns + s->n % 3, ld = lanes + s->m % 2 * 16;
        int64_t out = count ? (count - 1) * ld + lanes : 0;
        float *x = random_floats(s, 0, count ? (count - 1) * ldx + columns : 0), *sums = random_floats(s, 1, out);
        float *right = guarded_floats(2, out, 0);
        const void *values = encoded_values(s, 3, columns * lanes, encoding);
        memcpy(right, sums, (size_t)out * sizeof *sums);
        CHOOSE(s->table, dense_strip, encoding)(sums, ld, x, ldx, count, values, columns, lanes);
        CHOOSE(&scalar, dense_strip, encoding)(right, ld, x, ldx, count, values, columns, lanes);
        same_bits(sums, right, out, "dense_strip");
    }
}

/* Every keep_n of every group_m comes up; groups enough that panels begin anew. */
static inline void nm_strip_case(const struct setting *s, int64_t encoding)
{
    static const int sizes[] = {2, 4, 8, 16};
    for (int64_t lanes = 16; lanes <= 64; lanes += 16) {
        int group_m = sizes[(s->m + s->n + lanes / 16) % 4];
        int keep_n = 1 + (int)pr_rng_below(&rng, (uint64_t)group_m);
        if (pr_rng_below(&rng, 2)) /* those with loops of their own */
            keep_n = group_m <= 4 ? 1 + (int)pr_rng_below(&rng, 2) : 2 << pr_rng_below(&rng, 2);
        int64_t groups = s->m * 2, columns = group_m * groups, count = s->n % 12, ldx = columns + s->n % 3;
        int64_t steps = keep_n * groups, ld = lanes + s->m % 2 * 16, out = count ? (count - 1) * ld + lanes : 0;
        int64_t per_word = 32 / pr_nm_bits(group_m), words = (steps + per_word - 1) / per_word * lanes;
        float *x = random_floats(s, 0, count ? (count - 1) * ldx + columns : 0), *sums = random_floats(s, 1, out);
        float *right = guarded_floats(2, out, 0);
        const void *values = encoded_values(s, 3, steps * lanes, encoding);
        uint32_t *positions = guarded_bytes(s, 4, words * 4);
        for (int64_t i = 0; i < words; i++)
            positions[i] = (uint32_t)pr_rng_next(&rng);
        memcpy(right, sums, (size_t)out * sizeof *sums);
        pr_nm_strip_fn *kernel =
            encoding == PR_VALUES_F32 ? s->table->nm_strip_f32 : CHOOSE(s->table, nm_strip, encoding);
        pr_nm_strip_fn *plain = encoding == PR_VALUES_F32 ? scalar.nm_strip_f32 : CHOOSE(&scalar, nm_strip, encoding);
        kernel(sums, ld, x, ldx, count, values, positions, groups, lanes, keep_n, group_m);
        plain(right, ld, x, ldx, count, values, positions, groups, lanes, keep_n, group_m);
        same_bits(sums, right, out, "nm_strip");
    }
}

static inline void rows_values_case(const struct setting *s, int64_t tile, int64_t encoding)
{
    int64_t entries = 0;
    float *x = random_floats(s, 0, s->n * tile), *sums = random_floats(s, 1, s->m * tile);
    float *right = guarded_floats(2, s->m * tile, 0);
    struct pr_run *runs = guarded_bytes(s, 3, s->m * (int64_t)sizeof *runs);
    for (int64_t i = 0; i < s->m; i++) {
        runs[i] = (struct pr_run){(uint32_t)(s->m - 1 - i), (uint32_t)(s->n ? pr_rng_below(&rng, (uint64_t)s->n) : 0)};
        entries += runs[i].count;
    }
    uint16_t *columns = guarded_bytes(s, 4, entries * 2);
    for (int64_t e = 0; e < entries; e++)
        columns[e] = (uint16_t)pr_rng_below(&rng, (uint64_t)s->n);
    const void *values = encoded_values(s, 5, entries, encoding);
    memcpy(right, sums, (size_t)(s->m * tile) * sizeof *sums);
    if (tile > 1) {
        CHOOSE(s->table, rows_panel, encoding)(sums, tile, x, runs, s->m, columns, values);
        CHOOSE(&scalar, rows_panel, encoding)(right, tile, x, runs, s->m, columns, values);
        same_bits(sums, right, s->m * tile, "rows_panel");
        return;
    }
    CHOOSE(s->table, rows_dot, encoding)(sums, 1, x, runs, s->m, columns, values);
    for (int64_t r = 0, e = 0; r < s->m; r++) {
        double sum = (double)right[runs[r].row], size = fabs(sum);
        for (uint32_t i = 0; i < runs[r].count; i++, e++) {
            double product = decoded(values, e, encoding) * (double)x[columns[e]];
            sum += product;
            size += fabs(product);
        }
        within(sums[runs[r].row], sum, size, runs[r].count + 1, "rows_dot");
    }
}

static inline void windows_values_case(const struct setting *s, int lanes, int64_t encoding, int finite)
{
    int64_t steps = s->m, vectors = 2 + s->n % 5, bytes = pr_encoding_bytes(encoding);
    float *x = random_floats(s, 0, vectors * lanes), *sums = random_floats(s, 1, lanes);
    char *values = encoded_values(s, 2, steps * lanes, encoding);
    uint16_t *starts = guarded_bytes(s, 3, steps * 2), *kept = guarded_bytes(s, 4, steps * 2);
    const uint32_t *words = random_positions(s, 5, steps, lanes);
    if (!finite)
        x[pr_rng_below(&rng, (uint64_t)(vectors * lanes))] = NAN;
    for (int64_t t = 0; t < steps; t++) {
        starts[t] = (uint16_t)pr_rng_below(&rng, (uint64_t)vectors - 1);
        kept[t] = (uint16_t)(pr_rng_next(&rng) & ((1u << lanes) - 1));
        for (int64_t i = 0; i < lanes; i++)
            if (!(kept[t] >> i & 1) || isnan(x[starts[t] * lanes + position_of(words, t, i, lanes)])) {
                memset(values + (t * lanes + i) * bytes, 0, (size_t)bytes);
                kept[t] = (uint16_t)(kept[t] & ~(1u << i));
            }
    }
    pr_windows_values_fn *kernel =
        lanes == 16 ? CHOOSE(s->table, windows_16, encoding) : CHOOSE(s->table, windows_8, encoding);
    kernel(sums, x, starts, values, words, kept, steps, finite);
    for (int64_t i = 0; i < lanes; i++) {
        double sum = 0, size = 0;
        for (int64_t t = 0; t < steps; t++)
            if (kept[t] >> i & 1) {
                double product = decoded(values, t * lanes + i, encoding) *
                                 (double)x[starts[t] * lanes + position_of(words, t, i, lanes)];
                sum += product;
                size += fabs(product);
            }
        within(sums[i], sum, size, steps, "windows");
    }
}

/* m columns of up to n rows, whose X is 0 in every third. */
static inline void columns_case(const struct setting *s)
{
    int64_t *starts = guarded_bytes(s, 0, (s->m + 1) * 8), entries = 0;
    float *x = random_floats(s, 1, s->m), *sums = random_floats(s, 2, s->n), *right = guarded_floats(3, s->n, 0);
    for (int64_t k = 0; k <= s->m; k++) {
        starts[k] = entries;
        entries += s->n && k < s->m ? (int64_t)pr_rng_below(&rng, (uint64_t)s->n + 1) : 0;
    }
    for (int64_t k = 0; k < s->m; k += 3)
        x[k] = k % 2 ? -0.0f : 0.0f;
    uint16_t *rows = guarded_bytes(s, 4, entries * 2);
    float *values = random_floats(s, 5, entries);
    for (int64_t k = 0; k < s->m; k++)
        for (int64_t e = starts[k], row = 0; e < starts[k + 1]; e++, row++)
            rows[e] = (uint16_t)row;
    for (int64_t e = 0; s->m && e < starts[1]; e++)
        values[e] = INFINITY; /* meets a zero of X, which is skipped */
    memcpy(right, sums, (size_t)s->n * sizeof *sums);
    s->table->columns_add(sums, x, s->m, starts, rows, values);
    scalar.columns_add(right, x, s->m, starts, rows, values);
    same_bits(sums, right, s->n, "columns_add");
    for (int64_t i = 0; i < s->n; i++)
        ck_assert(isfinite(sums[i]));
}

/* X ends where the entries do; what comes after them in the words, and every entry of code 0, reads nothing. */
static inline void codebook_case(const struct setting *s)
{
    static const int sizes[] = {4, 8};
#ifdef PR_NO_MASKED_GATHERS /* qemu 7.2 computes those of x86 differently from every processor */
    if (s->table->codebook_slice != scalar.codebook_slice)
        return;
#endif
    for (int kind = 0; kind < 4; kind++) {
        int gap_bits = sizes[kind % 2], code_bits = sizes[kind / 2];
        int64_t steps = s->m / 8 * 8, width = 0;
        uint32_t *gaps = guarded_bytes(s, 0, steps * gap_bits / 8 * PR_LANES);
        uint32_t *codes = guarded_bytes(s, 1, steps * code_bits / 8 * PR_LANES);
        for (int64_t i = 0; i < steps * gap_bits / 32 * PR_LANES; i++)
            gaps[i] = (uint32_t)pr_rng_next(&rng) & (s->n % 2 ? 0x33333333 : 0xffffffff);
        for (int64_t i = 0; i < steps * code_bits / 32 * PR_LANES; i++)
            codes[i] = (uint32_t)(pr_rng_next(&rng) & pr_rng_next(&rng));
        for (int64_t i = 0; i < PR_LANES; i++)
            for (int64_t t = 0, at = -1; t < steps; t++) {
                at += pr_lane_number(gaps, t, i, gap_bits) + 1;
                if (pr_lane_number(codes, t, i, code_bits) && at >= width)
                    width = at + 1;
            }
        float *x = random_floats(s, 2, width), *sums = random_floats(s, 3, PR_LANES), right[PR_LANES];
        float *book = random_floats(s, 4, 1 << code_bits);
        book[0] = 0;
        s->table->codebook_slice(sums, x, gaps, codes, steps, book, gap_bits, code_bits);
        scalar.codebook_slice(right, x, gaps, codes, steps, book, gap_bits, code_bits);
        same_bits(sums, right, PR_LANES, "codebook_slice");
    }
}

/* Whether the slot is one of these. */
static inline int encoded_case(enum pr_slot slot, const struct setting *s)
{
#define CASES(name, encoding)                                                                                          \
    case PR_SLOT_nm_strip_##name:                                                                                      \
        nm_strip_case(s, encoding);                                                                                    \
        return 1;                                                                                                      \
    case PR_SLOT_dense_strip_##name:                                                                                   \
        dense_values_case(s, encoding);                                                                                \
        return 1;                                                                                                      \
    case PR_SLOT_rows_panel_##name:                                                                                    \
        rows_values_case(s, 16 * (1 + s->n % 9), encoding);                                                            \
        return 1;                                                                                                      \
    case PR_SLOT_rows_dot_##name:                                                                                      \
        rows_values_case(s, 1, encoding);                                                                              \
        return 1;                                                                                                      \
    case PR_SLOT_windows_8_##name:                                                                                     \
        windows_values_case(s, 8, encoding, 0);                                                                        \
        windows_values_case(s, 8, encoding, 1);                                                                        \
        return 1;                                                                                                      \
    case PR_SLOT_windows_16_##name:                                                                                    \
        windows_values_case(s, 16, encoding, 0);                                                                       \
        windows_values_case(s, 16, encoding, 1);                                                                       \
        return 1;
    switch (slot) {
    case PR_SLOT_columns_add:
        columns_case(s);
        return 1;
    case PR_SLOT_codebook_slice:
        codebook_case(s);
        return 1;
    case PR_SLOT_nm_strip_f32:
        nm_strip_case(s, PR_VALUES_F32);
        return 1;
        CASES(f16, PR_VALUES_F16)
        CASES(bf16, PR_VALUES_BF16)
        CASES(int8, PR_VALUES_INT8)
    default:
        return 0;
    }
#undef CASES
}

#endif
