/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file format of matrices is one file that exports one struct pm_matrix_format, and a line of matrix_formats.def. Its
 * reader fills in elements in any order; sorting and the search for what stands twice are done once, for all.
 */
#ifndef PM_MATRIX_H
#define PM_MATRIX_H

#include "model/io/io.h"
#include "prune/matrix.h"

#define PM_MOST_EXTENT INT32_MAX

struct pm_element {
    int32_t row, column; /* from 0 */
    double value;        /* 1 in a pattern */
};

struct prune_matrix {
    prune_context *context;
    int64_t rows, columns;
    int64_t stored, room;
    struct pm_element *elements; /* by row, then column */
    int is_pattern;
    prune_tensor *right_sides;
};

struct pm_matrix_format {
    const char *name;
    const char *ends; /* of file names, separated by blanks */
    int base;         /* what the format calls the first row */
    int32_t (*read)(prune_matrix *matrix, const char *path);
    int32_t (*write)(const prune_matrix *matrix, const char *path); /* NULL: it is only read */
};

/* Sets the extents; they must be within 0 to PM_MOST_EXTENT. */
int32_t pm_matrix_shape(prune_matrix *matrix, int64_t rows, int64_t columns);
/* Makes room for `count` elements in all. */
int32_t pm_matrix_reserve(prune_matrix *matrix, int64_t count);
/* Adds one; `base` is what the format counts from. PRUNE_E_FORMAT when it lies outside. */
int32_t pm_matrix_add(prune_matrix *matrix, int base, int64_t row, int64_t column, double value);

/* Text, word by word: a word ends at white space. */
struct pm_words {
    const char *text;
    int64_t length, at, line; /* lines count from 1 */
};
/* The next word; its length is 0 at the end. */
int64_t pm_word(struct pm_words *words, const char **word);
/* A whole number within 0 to 2^63 - 1; `what` and `index` (left out when negative) say of what. A comma behind it is
 * skipped where `commas` is not 0. */
int32_t pm_word_whole(struct pm_words *words, int64_t *value, int commas, const char *what, int64_t index);
/* A finite number. */
int32_t pm_word_real(struct pm_words *words, double *value, const char *what, int64_t index);
/* Nothing but white space may follow. */
int32_t pm_words_end(struct pm_words *words, const char *what);
/* The rest of the line, moving behind its end; 0 when there is no line any more. A carriage return is no part of it. */
int pm_line(struct pm_words *words, const char **line, int64_t *length);

#endif
