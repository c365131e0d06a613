/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernels: inner loops over raw pointers. They know no objects, allocate nothing and cannot fail; README.md has the
 * contract of each slot.
 */
#ifndef PR_CORE_KERNELS_H
#define PR_CORE_KERNELS_H

#include <stdint.h>

/* Widths that layouts are made of, in floats. */
#define PR_LANES 16    /* the finest piece of a strip or a tile */
#define PR_TILE_ROWS 6 /* rows of a strip of dense W, for tiles of X with lanes along its columns */
#define PR_STRIP 64    /* rows of a full strip, for forms with lanes along the rows of W */
#define PR_CHUNK 32    /* columns of W for which one word of indices holds; packed columns of X are padded to it */

/* A row's entries within one panel of columns. */
struct pr_run {
    uint32_t row; /* within the block */
    uint32_t count;
};

/* What is done to sums on their way out; README.md has the formula. Of each pair at most one is given. */
struct pr_epilogue_args {
    const float *scale_m, *scale_n; /* by row or by column of what is stored; NULL for `alpha` */
    const float *bias_m, *bias_n;
    float alpha;          /* where there is no scale */
    float beta;           /* 0: Y is not read */
    const float *earlier; /* store_y_copy: read in place of Y, rows as far apart; NULL: Y itself */
    int clamp;
    float least, most;
};

#define PR_PLAIN_EPILOGUE                                                                                              \
    {                                                                                                                  \
        .alpha = 1.0f                                                                                                  \
    }

/* The same, for few columns of X, where headers weigh more: both numbers are below 65536. */
struct pr_short_run {
    uint16_t row, count;
};

typedef void pr_pack_x_fn(float *to, int64_t width, const float *from, int64_t ld, int64_t m, int64_t n);
typedef void pr_store_y_fn(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                           const struct pr_epilogue_args *epilogue);
typedef void pr_rows_fn(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                        const uint16_t *columns, const float *values);
typedef void pr_few_rows_fn(float *sums, int64_t tile, const float *x, const struct pr_short_run *runs,
                            int64_t run_count, const uint16_t *columns, const float *values);
typedef void pr_dense_fn(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                         int64_t columns, int64_t lanes);
typedef void pr_dense_tile_fn(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t tile, const float *values,
                              int64_t stride, int64_t columns, int64_t rows, int start);
typedef void pr_dense_rows_fn(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t n, const float *values,
                              int64_t columns, int64_t rows, const struct pr_epilogue_args *epilogue);
typedef void pr_nm24_fn(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                        const uint32_t *words, int64_t groups, int64_t lanes);

typedef void pr_nm24_by_4_fn(float *sums, const float *x, const float *values, const uint32_t *words, int64_t chunks);
typedef void pr_units_fn(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                         const uint8_t *columns, const float *values);
typedef void pr_windows_fn(float *sums, const float *x, const uint16_t *starts, const float *values,
                           const uint32_t *words, const uint16_t *kept, int64_t steps, int finite);
/* Groups of rows: groups.h has the bytes of an item. With `start` the sums begin at 0 instead of what stands there. */
typedef void pr_group_fn(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t tile, const uint8_t *items,
                         int64_t item_count, const uint8_t *columns, const float *values, int start);
/* The same where column k of W meets X from x + starts[k] on. */
typedef void pr_dense_shifts_fn(float *sums, int64_t ld, const float *x, const uint32_t *starts, int64_t tile,
                                const float *values, int64_t stride, int64_t columns, int64_t rows, int start);
typedef void pr_group_shifts_fn(float *sums, int64_t ld, const float *x, const uint32_t *starts, int64_t tile,
                                const uint8_t *items, int64_t item_count, const uint8_t *columns, const float *values,
                                int start);
/* A plane of an image moved along: `top` rows of zeros, `rows` rows that the image has, `ld` floats apart there, and
 * `bottom` rows of zeros, each `width` floats, of which begin to end - 1 are the image's, `stride` floats apart. */
struct pr_shift {
    int64_t width, top, rows, bottom, begin, end, ld, stride;
};

typedef void pr_shift_planes_fn(float *to, int64_t to_step, const float *from, int64_t from_step, int64_t count,
                                const struct pr_shift *shift);
typedef int64_t pr_overlap_fn(uint64_t *scores, const uint64_t *masks, int64_t ld, int64_t words, int64_t count,
                              const uint64_t *mask);
/* The same over values of other encodings, see encodings.h. */
typedef void pr_dense_values_fn(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const void *values,
                                int64_t columns, int64_t lanes);
typedef void pr_nm_strip_fn(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const void *values,
                            const uint32_t *words, int64_t groups, int64_t lanes, int keep_n, int group_m);
typedef void pr_rows_values_fn(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                               const uint16_t *columns, const void *values);
typedef void pr_windows_values_fn(float *sums, const float *x, const uint16_t *starts, const void *values,
                                  const uint32_t *words, const uint16_t *kept, int64_t steps, int finite);
typedef void pr_bitmap_fn(float *sums, const float *x, const uint32_t *masks, const float *values, int64_t blocks,
                          int finite);
typedef void pr_columns_fn(float *sums, const float *x, int64_t columns, const int64_t *starts, const uint16_t *rows,
                           const float *values);
typedef void pr_codebook_fn(float *sums, const float *x, const uint32_t *gaps, const uint32_t *codes, int64_t steps,
                            const float *codebook, int gap_bits, int code_bits);
typedef int pr_all_finite_fn(const float *x, int64_t count);
typedef void pr_sampled_fn(float *sums, const float *row, const float *x, int64_t ldx, const int32_t *columns,
                           int64_t count, int64_t n);
struct pr_taps; /* of a depthwise convolution: taps.h */
typedef void pr_taps_fn(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, int64_t n,
                        const struct pr_taps *taps);
typedef void pr_shifted_fn(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                           const uint32_t *starts, const float *values);

/* Masks from weights by magnitude (f32) and from scores (f64): masks.h has what a split counts. */
struct pr_split;
typedef int pr_keep_of_4_f32_fn(uint64_t *words, const float *values, int64_t count, int keep_n);
typedef int pr_keep_of_4_f64_fn(uint64_t *words, const double *values, int64_t count, int keep_n);
typedef void pr_split_f32_fn(struct pr_split *split, float *kept, const float *values, int64_t count, float low,
                             float high);
typedef void pr_split_f64_fn(struct pr_split *split, double *kept, const double *values, int64_t count, double low,
                             double high);
typedef int64_t pr_keep_above_f32_fn(uint64_t *words, const float *values, int64_t count, float limit);
typedef int64_t pr_keep_above_f64_fn(uint64_t *words, const double *values, int64_t count, double limit);

/* Positions in a window of two vectors, packed into one word for each lane: bits of one, and how many fit. */
#define PR_PICK_BITS(lanes) ((lanes) == 16 ? 5 : 4)
#define PR_PICK_STEPS(lanes) ((lanes) == 16 ? 6 : 8)

struct pr_kernels {
#define PR_KERNEL(slot, type, order) type *slot;
#include "core/kernels/kernels.def"
#undef PR_KERNEL
};

enum pr_slot {
#define PR_KERNEL(slot, type, order) PR_SLOT_##slot,
#include "core/kernels/kernels.def"
#undef PR_KERNEL
    PR_SLOT_COUNT
};

enum pr_order { PR_EXACT, PR_ORDERED, PR_FREE };

/* The table for a CPU mask (PRUNE_CPU_* bits): the scalar one, overlaid by each instruction set that the mask has and
 * this build knows; with PRUNE_CPU_REPRODUCIBLE without their free slots, but for those that keep the scalar order. A
 * function of the mask alone: it does not ask the CPU. */
void pr_kernels_select(uint32_t cpu_mask, struct pr_kernels *out);

/* Which instruction set a slot's instance comes from under a mask: "scalar", "avx2", "avx512", "neon". */
const char *pr_kernels_origin(uint32_t cpu_mask, enum pr_slot slot);

const char *pr_slot_name(enum pr_slot slot);
enum pr_order pr_slot_order(enum pr_slot slot);

/* One table for each instruction set; NULL in the slots that it leaves alone, none in the scalar one. */
extern const struct pr_kernels pr_kernels_scalar;
extern pr_units_fn pr_units_panel_scalar;
extern pr_dense_tile_fn pr_dense_tile_scalar;
extern pr_dense_rows_fn pr_dense_rows_scalar;
extern pr_dense_shifts_fn pr_dense_shifts_scalar;
#ifdef PR_HAVE_AVX2
extern pr_units_fn pr_units_panel_avx2, pr_units_few_avx2;
extern pr_dense_tile_fn pr_dense_tile_avx2;
extern pr_dense_rows_fn pr_dense_rows_avx2;
extern pr_dense_shifts_fn pr_dense_shifts_avx2;
extern const struct pr_kernels pr_kernels_avx2;
extern const struct pr_kernels pr_kernels_avx2_in_order; /* free slots in the scalar order */
#endif
#ifdef PR_HAVE_NEON
extern pr_dense_rows_fn pr_dense_rows_neon;
extern pr_dense_shifts_fn pr_dense_shifts_neon;
extern const struct pr_kernels pr_kernels_neon;
#endif
#ifdef PR_HAVE_AVX512
extern pr_units_fn pr_units_panel_avx512, pr_units_few_avx512;
extern pr_dense_tile_fn pr_dense_tile_avx512;
extern pr_dense_rows_fn pr_dense_rows_avx512;
extern pr_dense_shifts_fn pr_dense_shifts_avx512;
extern const struct pr_kernels pr_kernels_avx512;
#endif

#endif
