/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Matrix Market: a banner, comments, the sizes, then an element a line (coordinate), or every value by columns (array).
 * Of a symmetric or skew-symmetric matrix the lower triangle is written.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/spec.h"
#include "model/io/matrix.h"

enum symmetry { GENERAL, SYMMETRIC, SKEW };

struct banner {
    int is_array, is_pattern, is_integer;
    enum symmetry symmetry;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Which of the `choices`, separated by blanks, the next word of the banner is. */
static int32_t choose(struct pm_words *words, const char *choices, const char *what, int *chosen)
{
    const char *word;
    char shown[24] = "";
    int64_t length = pm_word(words, &word);
    int index = 0;
    for (int64_t i = 0; i < length && i < 20; i++)
        shown[i] = word[i] >= 0x20 && word[i] < 0x7f ? lower(word[i]) : '?';
    for (const char *at = choices; *at; index++) {
        size_t size = strcspn(at, " ");
        if (length == (int64_t)size && memcmp(shown, at, size) == 0) {
            *chosen = index;
            return PRUNE_OK;
        }
        at += size;
        at += *at == ' ';
    }
    return pr_fail(PRUNE_E_FORMAT, "the banner's %s is \"%s\"; one of these is needed: %s", what, shown, choices);
}

static int32_t read_banner(struct pm_words *words, struct banner *banner)
{
    static const char mark[] = "%%MatrixMarket";
    const char *word, *line;
    int object, layout, field, symmetry;
    int64_t length;
    if (pm_word(words, &word) != sizeof mark - 1 || memcmp(word, mark, sizeof mark - 1) != 0 || word != words->text)
        return pr_fail(PRUNE_E_FORMAT, "it does not begin with %s", mark);
    PR_TRY(choose(words, "matrix", "object", &object));
    PR_TRY(choose(words, "coordinate array", "format", &layout));
    PR_TRY(choose(words, "real integer pattern double complex", "field", &field));
    PR_TRY(choose(words, "general symmetric skew-symmetric hermitian", "symmetry", &symmetry));
    if (field == 4 || symmetry == 3)
        return pr_fail(PRUNE_E_UNSUPPORTED, "complex and hermitian matrices are not read; real ones are");
    if (layout == 1 && field == 2)
        return pr_fail(PRUNE_E_FORMAT, "an array has values; it cannot be a pattern");
    if (symmetry == 2 && field == 2)
        return pr_fail(PRUNE_E_FORMAT, "a pattern has no signs; it cannot be skew-symmetric");
    if (pm_line(words, &line, &length) && length > 0)
        for (int64_t i = 0; i < length; i++)
            if (line[i] != ' ' && line[i] != '\t')
                return pr_fail(PRUNE_E_FORMAT, "line 1: there is more after the symmetry");
    *banner = (struct banner){layout == 1, field == 2, field == 1, (enum symmetry)symmetry};
    return PRUNE_OK;
}

/* Lines that are empty or begin with % say nothing. */
static void skip_comments(struct pm_words *words)
{
    for (;;) {
        struct pm_words before = *words;
        const char *line;
        int64_t length, blanks = 0;
        if (!pm_line(words, &line, &length))
            return;
        while (blanks < length && (line[blanks] == ' ' || line[blanks] == '\t'))
            blanks++;
        if (blanks < length && line[0] != '%') {
            *words = before;
            return;
        }
    }
}

/* The element and, where that is another, its mirror. */
static int32_t add(prune_matrix *matrix, const struct banner *banner, int64_t row, int64_t column, double value)
{
    if (banner->symmetry == GENERAL)
        return pm_matrix_add(matrix, 1, row, column, value);
    if (column > row || (column == row && banner->symmetry == SKEW))
        return pr_fail(PRUNE_E_FORMAT,
                       "row %lld, column %lld does not lie in the lower triangle, which a %s matrix is given by",
                       (long long)row, (long long)column,
                       banner->symmetry == SKEW ? "skew-symmetric (without diagonal)" : "symmetric");
    PR_TRY(pm_matrix_add(matrix, 1, row, column, value));
    if (row == column)
        return PRUNE_OK;
    return pm_matrix_add(matrix, 1, column, row, banner->symmetry == SKEW ? -value : value);
}

static int32_t read_value(struct pm_words *words, const struct banner *banner, double *value, int64_t index)
{
    const double exact = 9007199254740992.0; /* 2^53 */
    if (banner->is_pattern) {
        *value = 1;
        return PRUNE_OK;
    }
    PR_TRY(pm_word_real(words, value, "value", index));
    if (banner->is_integer && (*value > exact || *value < -exact || *value != (double)(int64_t)*value))
        return pr_fail(PRUNE_E_FORMAT, "line %lld: value %lld is no integer within -2^53 to 2^53",
                       (long long)words->line, (long long)index);
    return PRUNE_OK;
}

static int32_t read_coordinates(prune_matrix *matrix, struct pm_words *words, const struct banner *banner)
{
    int64_t count = 0;
    PR_TRY(pm_word_whole(words, &count, 0, "the number of elements", -1));
    if (count > words->length / 4)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes cannot hold %lld elements: it is truncated",
                       (long long)words->length, (long long)count);
    PR_TRY(pm_matrix_reserve(matrix, banner->symmetry == GENERAL ? count : 2 * count));
    for (int64_t i = 0; i < count; i++) {
        int64_t row = 0, column = 0;
        double value = 0;
        PR_TRY(pm_word_whole(words, &row, 0, "the row of element", i));
        PR_TRY(pm_word_whole(words, &column, 0, "the column of element", i));
        PR_TRY(read_value(words, banner, &value, i));
        PR_TRY(add(matrix, banner, row, column, value));
    }
    return pm_words_end(words, "the last element");
}

static int32_t read_array(prune_matrix *matrix, struct pm_words *words, const struct banner *banner)
{
    int64_t index = 0, most = words->length / 2;
    if (matrix->columns > 0 && matrix->rows > 2 * most / matrix->columns + 1)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes cannot hold an array of %lld x %lld: it is truncated",
                       (long long)words->length, (long long)matrix->rows, (long long)matrix->columns);
    for (int64_t column = 1; column <= matrix->columns; column++) {
        int64_t first = banner->symmetry == GENERAL ? 1 : banner->symmetry == SYMMETRIC ? column : column + 1;
        for (int64_t row = first; row <= matrix->rows; row++) {
            double value = 0;
            PR_TRY(read_value(words, banner, &value, index++));
            PR_TRY(add(matrix, banner, row, column, value));
        }
    }
    return pm_words_end(words, "the last value");
}

static int32_t read_text(prune_matrix *matrix, struct pm_words *words)
{
    struct banner banner = {0};
    int64_t rows = 0, columns = 0;
    PR_TRY(read_banner(words, &banner));
    skip_comments(words);
    PR_TRY(pm_word_whole(words, &rows, 0, "the number of rows", -1));
    PR_TRY(pm_word_whole(words, &columns, 0, "the number of columns", -1));
    PR_TRY(pm_matrix_shape(matrix, rows, columns));
    if (banner.symmetry != GENERAL && rows != columns)
        return pr_fail(PRUNE_E_FORMAT, "%lld x %lld is not square, which a symmetric matrix is", (long long)rows,
                       (long long)columns);
    matrix->is_pattern = banner.is_pattern;
    return banner.is_array ? read_array(matrix, words, &banner) : read_coordinates(matrix, words, &banner);
}

static int32_t read_mtx(prune_matrix *matrix, const char *path)
{
    struct pm_input file;
    char *text = NULL;
    PR_TRY(pm_input_open(&file, path));
    int32_t status = pm_input_load(&file, matrix->context, &text);
    if (!status)
        status = read_text(matrix, &(struct pm_words){.text = text, .length = file.size, .line = 1});
    pr_release(matrix->context, text);
    pm_input_close(&file);
    return status;
}

static int32_t write_element(struct pm_output *output, const prune_matrix *matrix, const struct pm_element *element)
{
    char line[80], number[PR_MAX_NUMBER];
    int64_t length =
        snprintf(line, sizeof line, "%lld %lld", (long long)element->row + 1, (long long)element->column + 1);
    PR_TRY(pm_output_write(output, line, length));
    if (!matrix->is_pattern) {
        PR_TRY(pm_output_write(output, " ", 1));
        PR_TRY(pm_output_write(output, number, (int64_t)pr_number_print(number, element->value)));
    }
    return pm_output_write(output, "\n", 1);
}

static int32_t write_text(struct pm_output *output, const prune_matrix *matrix)
{
    char line[160];
    PR_TRY(
        pm_output_write(output, line,
                        snprintf(line, sizeof line, "%%%%MatrixMarket matrix coordinate %s general\n%lld %lld %lld\n",
                                 matrix->is_pattern ? "pattern" : "real", (long long)matrix->rows,
                                 (long long)matrix->columns, (long long)matrix->stored)));
    for (int64_t i = 0; i < matrix->stored; i++)
        PR_TRY(write_element(output, matrix, &matrix->elements[i]));
    return pm_output_commit(output);
}

static int32_t write_mtx(const prune_matrix *matrix, const char *path)
{
    struct pm_output output;
    PR_TRY(pm_output_open(&output, matrix->context, path));
    int32_t status = write_text(&output, matrix);
    pm_output_close(&output);
    return status;
}

extern const struct pm_matrix_format pm_matrix_mtx;
const struct pm_matrix_format pm_matrix_mtx = {"mtx", ".mtx", 1, read_mtx, write_mtx};
