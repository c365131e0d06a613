/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products whose values are stored narrower than float. Included once for each encoding, with
 *   VALUE        the type of a stored value
 *   LOAD(p)      a vector of them, as floats
 *   ONE(p)       one of them, as a float
 *   OWN(name)    the name of a function of this encoding
 *   SHARED(name) the name of an instance of this encoding and instruction set
 * Include a vocabulary (vec_*.h), loops.h and encoded_*.h first. No include guard on purpose.
 */

/* What streams from memory is asked for this many bytes ahead. */
#ifndef AHEAD
#define AHEAD 2048
#define FETCH(from, bytes)                                                                                             \
    UNROLL for (int b_ = 0; b_ < (int)(bytes); b_ += 64) __builtin_prefetch((const char *)(from) + AHEAD + b_)
#define PANEL_BYTES 16384 /* of a strip, used again for other columns of X while they are in the first-level cache */
#endif

/* `vectors` of a strip times `n` columns of X, added to the sums. */
INLINE void OWN(dense_block)(float *sums, int64_t ld, const float *x, int64_t ldx, const VALUE *values, int64_t columns,
                             int64_t lanes, const int vectors, const int n)
{
    vec sum[4][4];
    UNROLL for (int j = 0; j < n; j++) UNROLL for (int i = 0; i < vectors; i++) sum[j][i] =
        v_load(sums + j * ld + i * VL);
    for (int64_t k = 0; k < columns; k++, values += lanes) {
        vec value[4];
        FETCH(values, vectors * VL * (int)sizeof(VALUE));
        UNROLL for (int i = 0; i < vectors; i++) value[i] = LOAD(values + i * VL);
        UNROLL for (int j = 0; j < n; j++)
        {
            vec one = v_all(x[j * ldx + k]);
            UNROLL for (int i = 0; i < vectors; i++) sum[j][i] = v_fma(value[i], one, sum[j][i]);
        }
    }
    UNROLL for (int j = 0; j < n; j++) UNROLL for (int i = 0; i < vectors; i++)
        v_store(sums + j * ld + i * VL, sum[j][i]);
}

/* Calls BLOCK(vectors, n) with constants for all of a strip and all columns of X. */
#ifndef STRIP_BLOCKS
#define STRIP_BLOCKS                                                                                                   \
    for (int64_t i = 0; i < lanes;) {                                                                                  \
        int64_t j = 0;                                                                                                 \
        if (lanes - i >= 4 * VL) {                                                                                     \
            for (; j + MOST_COLUMNS <= n; j += MOST_COLUMNS)                                                           \
                BLOCK(4, MOST_COLUMNS);                                                                                \
            for (; MOST_COLUMNS > 2 && j + 2 <= n; j += 2)                                                             \
                BLOCK(4, 2);                                                                                           \
            if (j < n)                                                                                                 \
                BLOCK(4, 1);                                                                                           \
            i += 4 * VL;                                                                                               \
        } else {                                                                                                       \
            for (; j < n; j++)                                                                                         \
                BLOCK(1, 1);                                                                                           \
            i += VL;                                                                                                   \
        }                                                                                                              \
    }
static inline void clear_sums(float *sums, int64_t ld, int64_t n, int64_t lanes)
{
    for (int64_t j = 0; j < n; j++)
        memset(sums + j * ld, 0, (size_t)lanes * sizeof *sums);
}
#endif

void SHARED(dense_strip)(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const void *stored,
                         int64_t columns, int64_t lanes)
{
    const VALUE *values = stored;
    int64_t panel = n <= MOST_COLUMNS ? columns : PANEL_BYTES / (lanes * (int64_t)sizeof(VALUE));
    clear_sums(sums, ld, n, lanes);
    for (int64_t first = 0; first < columns; first += panel, values += panel * lanes) {
        int64_t count = columns - first < panel ? columns - first : panel;
#define BLOCK(vectors, count_n)                                                                                        \
    OWN(dense_block)(sums + j * ld + i, ld, x + j * ldx + first, ldx, values + i, count, lanes, vectors, count_n)
        STRIP_BLOCKS
#undef BLOCK
    }
}

/* One stored position of each row's group; the words give their lowest bits and move on. */
INLINE void OWN(nm_step)(vec *sum, words *word, const window *x, const VALUE *values, const int group_m,
                         const int vectors, const int n)
{
    FETCH(values, vectors * VL * (int)sizeof(VALUE));
    UNROLL for (int i = 0; i < vectors; i++)
    {
        vec value = LOAD(values + i * VL);
        UNROLL for (int j = 0; j < n; j++) sum[j * 4 + i] =
            v_fma(value, w_pick(x[j], word[i], group_m), sum[j * 4 + i]);
        word[i] = v_shift_right(word[i], group_m == 2 ? 1 : group_m == 4 ? 2 : 4);
    }
}

/* With `whole`, the positions of a group never begin in one word and end in the next. */
INLINE void OWN(nm_block)(float *sums, int64_t ld, const float *x, int64_t ldx, const VALUE *values,
                          const uint32_t *positions, int64_t groups, int64_t lanes, const int keep_n, const int group_m,
                          const int whole, const int vectors, const int n)
{
    const int steps = 32 / (group_m == 2 ? 1 : group_m == 4 ? 2 : 4);
    vec sum[16];
    words word[4];
    window four[4];
    int left = 0;
    UNROLL for (int j = 0; j < n; j++) UNROLL for (int i = 0; i < vectors; i++) sum[j * 4 + i] =
        v_load(sums + j * ld + i * VL);
    UNROLL for (int i = 0; i < vectors; i++) word[i] = v_words(positions + i * VL);
    const int at_once = steps / keep_n; /* groups that share a word */
    if (whole)
        for (; groups >= at_once; groups -= at_once, positions += lanes) {
            FETCH(positions, vectors * VL * 4);
            UNROLL for (int i = 0; i < vectors; i++) word[i] = v_words(positions + i * VL);
            UNROLL for (int g = 0; g < at_once; g++, x += group_m)
            {
                UNROLL for (int j = 0; j < n; j++) four[j] = w_load(x + j * ldx, group_m);
                UNROLL for (int k = 0; k < keep_n; k++, values += lanes)
                    OWN(nm_step)(sum, word, four, values, group_m, vectors, n);
            }
        }
    for (; groups > 0; groups--, x += group_m) {
        UNROLL for (int j = 0; j < n; j++) four[j] = w_load(x + j * ldx, group_m);
        for (int k = 0; k < keep_n; k++, values += lanes, left--) {
            if (left == 0) {
                UNROLL for (int i = 0; i < vectors; i++) word[i] = v_words(positions + i * VL);
                positions += lanes;
                left = steps;
            }
            OWN(nm_step)(sum, word, four, values, group_m, vectors, n);
        }
    }
    UNROLL for (int j = 0; j < n; j++) UNROLL for (int i = 0; i < vectors; i++)
        v_store(sums + j * ld + i * VL, sum[j * 4 + i]);
}

/* A strip, in panels that begin with a whole word; 1:4, 2:4, 2:8 and 4:8 have loops of their own. */
#define NM_STRIP(name, keep, group_m, whole)                                                                           \
    static void OWN(name)(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const VALUE *values,        \
                          const uint32_t *positions, int64_t groups, int64_t lanes, int keep_n)                        \
    {                                                                                                                  \
        const int64_t steps = 32 / (group_m == 2 ? 1 : group_m == 4 ? 2 : 4);                                          \
        int64_t panel = PANEL_BYTES / (lanes * (int64_t)sizeof(VALUE) * keep_n) / steps * steps;                       \
        panel = n <= MOST_COLUMNS ? groups : panel < steps ? steps : panel;                                            \
        for (int64_t first = 0; first < groups; first += panel) {                                                      \
            int64_t count = groups - first < panel ? groups - first : panel;                                           \
            STRIP_BLOCKS                                                                                               \
            values += panel * keep_n * lanes;                                                                          \
            positions += panel * keep_n / steps * lanes;                                                               \
        }                                                                                                              \
    }
#define BLOCK_OF(keep, group_m, whole, vectors, count_n)                                                               \
    OWN(nm_block)                                                                                                      \
    (sums + j * ld + i, ld, x + j * ldx + first * group_m, ldx, values + i, positions + i, count, lanes, keep,         \
     group_m, whole, vectors, count_n)
#define BLOCK(vectors, count_n) BLOCK_OF(keep_n, 2, 0, vectors, count_n)
NM_STRIP(nm_2, keep_n, 2, 0)
#undef BLOCK
#define BLOCK(vectors, count_n) BLOCK_OF(keep_n, 4, 0, vectors, count_n)
NM_STRIP(nm_4, keep_n, 4, 0)
#undef BLOCK
#define BLOCK(vectors, count_n) BLOCK_OF(keep_n, 8, 0, vectors, count_n)
NM_STRIP(nm_8, keep_n, 8, 0)
#undef BLOCK
#define BLOCK(vectors, count_n) BLOCK_OF(keep_n, 16, 0, vectors, count_n)
NM_STRIP(nm_16, keep_n, 16, 0)
#undef BLOCK
#define BLOCK(vectors, count_n) BLOCK_OF(1, 4, 1, vectors, count_n)
NM_STRIP(nm_1_of_4, 1, 4, 1)
#undef BLOCK
#define BLOCK(vectors, count_n) BLOCK_OF(2, 4, 1, vectors, count_n)
NM_STRIP(nm_2_of_4, 2, 4, 1)
#undef BLOCK
#define BLOCK(vectors, count_n) BLOCK_OF(2, 8, 1, vectors, count_n)
NM_STRIP(nm_2_of_8, 2, 8, 1)
#undef BLOCK
#define BLOCK(vectors, count_n) BLOCK_OF(4, 8, 1, vectors, count_n)
NM_STRIP(nm_4_of_8, 4, 8, 1)
#undef BLOCK
#undef BLOCK_OF
#undef NM_STRIP

void SHARED(nm_strip)(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const void *values,
                      const uint32_t *positions, int64_t groups, int64_t lanes, int keep_n, int group_m)
{
    clear_sums(sums, ld, n, lanes);
    if (groups == 0)
        return;
    (group_m == 2   ? OWN(nm_2)
     : group_m == 4 ? keep_n == 1   ? OWN(nm_1_of_4)
                      : keep_n == 2 ? OWN(nm_2_of_4)
                                    : OWN(nm_4)
     : group_m == 8 ? keep_n == 2   ? OWN(nm_2_of_8)
                      : keep_n == 4 ? OWN(nm_4_of_8)
                                    : OWN(nm_8)
                    : OWN(nm_16))(sums, ld, x, ldx, n, values, positions, groups, lanes, keep_n);
}

/* `count` vectors of a tile, beginning at `first`, for all rows of a cell. */
INLINE void OWN(rows_vectors)(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                              const uint16_t *columns, const VALUE *values, int64_t first, const int count)
{
    x += first;
    sums += first;
    for (int64_t r = 0; r < run_count; r++) {
        float *to = sums + runs[r].row * tile;
        vec sum[4];
        UNROLL for (int i = 0; i < count; i++) sum[i] = v_load(to + i * VL);
        for (uint32_t e = runs[r].count; e > 0; e--) {
            const float *row = x + *columns++ * tile;
            HIDE(row);
            vec value = v_all(ONE(values));
            values++;
            UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(value, v_load(row + i * VL), sum[i]);
        }
        UNROLL for (int i = 0; i < count; i++) v_store(to + i * VL, sum[i]);
    }
}

void SHARED(rows_panel)(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                        const uint16_t *columns, const void *values)
{
    int64_t first = 0;
    for (; first + 4 * VL <= tile; first += 4 * VL)
        OWN(rows_vectors)(sums, tile, x, runs, run_count, columns, values, first, 4);
    for (; first + 2 * VL <= tile; first += 2 * VL)
        OWN(rows_vectors)(sums, tile, x, runs, run_count, columns, values, first, 2);
    for (; first < tile; first += VL)
        OWN(rows_vectors)(sums, tile, x, runs, run_count, columns, values, first, 1);
}

void SHARED(rows_dot)(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                      const uint16_t *columns, const void *stored)
{
    const VALUE *values = stored;
    (void)tile;
    for (int64_t r = 0; r < run_count; r++) {
        float sum[4] = {0};
        uint32_t count = runs[r].count;
        for (; count >= 4; count -= 4, columns += 4, values += 4)
            UNROLL for (int i = 0; i < 4; i++) sum[i] = __builtin_fmaf(ONE(values + i), x[columns[i]], sum[i]);
        for (; count > 0; count--, values++)
            sum[0] = __builtin_fmaf(ONE(values), x[*columns++], sum[0]);
        sums[runs[r].row] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}

INLINE vec OWN(window_step)(vec sum, const float *from, words word, const int step, const VALUE *values,
                            const uint16_t *kept, const int check)
{
    vec picked = v_pick_of_two(v_load(from), v_load(from + VL), word, step);
    if (check)
        picked = v_keep(picked, *kept);
    return v_fma(LOAD(values), picked, sum);
}

INLINE void OWN(windows_slice)(float *sums, const float *x, const uint16_t *starts, const VALUE *values,
                               const uint32_t *positions, const uint16_t *kept, int64_t steps, const int check)
{
    vec sum[2] = {v_zero(), v_zero()};
    int64_t s = 0;
    for (; s + PICK_STEPS <= steps; s += PICK_STEPS, positions += VL, values += PICK_STEPS * VL) {
        words word = v_words(positions);
        FETCH(values, PICK_STEPS * VL * (int)sizeof(VALUE));
        __builtin_prefetch((const char *)positions + AHEAD);
        UNROLL for (int t = 0; t < PICK_STEPS; t++)
        {
            sum[t % 2] = OWN(window_step)(sum[t % 2], x + starts[s + t] * (int64_t)VL, word, t, values + t * VL,
                                          kept + s + t, check);
        }
    }
    if (s < steps) {
        words word = v_words(positions);
        for (; s < steps; s++, values += VL) {
            sum[0] = OWN(window_step)(sum[0], x + starts[s] * (int64_t)VL, word, 0, values, kept + s, check);
            word = v_shift_right(word, PICK_BITS);
        }
    }
    v_store(sums, v_add(sum[0], sum[1]));
}

void SHARED(WINDOWS)(float *sums, const float *x, const uint16_t *starts, const void *values, const uint32_t *positions,
                     const uint16_t *kept, int64_t steps, int finite)
{
    if (finite)
        OWN(windows_slice)(sums, x, starts, values, positions, kept, steps, 0);
    else
        OWN(windows_slice)(sums, x, starts, values, positions, kept, steps, 1);
}

#undef VALUE
#undef LOAD
#undef ONE
#undef OWN
#undef SHARED
