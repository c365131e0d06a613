/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows: what the forms with windows of X share. The rows of a block are sorted by length and cut into slices of L
 * lanes; a slice is a list of steps, each with a window of 2 L columns in which every lane takes its next entry, if it
 * has one there: its `kept` bit is set.
 */
#ifndef PR_CORE_SPARSE_WINDOWS_H
#define PR_CORE_SPARSE_WINDOWS_H

#include "core/sparse/forms/form.h"

#define PR_WINDOWS_BLOCK_ROWS 512 /* at most; a multiple of every L */

/* Where a slice begins; a last one says where all end. */
struct pr_slice {
    int64_t step, word; /* of L lanes */
    int64_t value;      /* where there are no gaps between values */
};

/* A matrix on its way into windows. Where `starts` is NULL it is only counted; `values` have gaps unless `tight`. */
struct pr_windows {
    int64_t lanes, block_rows;
    int tight;
    int64_t *slices; /* `slice_words` numbers for each, the first of struct pr_slice */
    int64_t slice_words;
    uint16_t *rows; /* within the block, in the order of lanes */
    uint16_t *starts, *kept;
    uint32_t *words;
    void *values; /* in the encoding of the source */
};

/* Gives the sizes of it all. */
struct pr_slice pr_windows_walk(const struct pr_source *source, const struct pr_windows *to);

/* Whether starts lie in packed X, rows of a block stand in it once, and slices (`slice_words` numbers each) cover all
 * `steps` and `words`, one after another. */
int32_t pr_windows_validate(const struct pr_header *header, const struct pr_windows *windows, int64_t steps,
                            int64_t words);

int64_t pr_windows_slice_count(int64_t rows, int64_t block_rows, int64_t lanes);

static inline uint32_t pr_windows_position(const uint32_t *words, int64_t step, int64_t lane, int64_t lanes)
{
    int64_t per_word = PR_PICK_STEPS(lanes);
    return words[step / per_word * lanes + lane] >> (step % per_word * PR_PICK_BITS(lanes)) & (uint32_t)(2 * lanes - 1);
}

#endif
