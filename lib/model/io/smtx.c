/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Deep Learning Matrix Collection's patterns: "rows, columns, nonzeros", then rows + 1 offsets, then the columns.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "model/io/matrix.h"

static int32_t read_columns(prune_matrix *matrix, struct pm_words *words, const int64_t *offsets)
{
    for (int64_t row = 0; row < matrix->rows; row++)
        for (int64_t i = offsets[row]; i < offsets[row + 1]; i++) {
            int64_t column = 0;
            PR_TRY(pm_word_whole(words, &column, 0, "the column of nonzero", i));
            PR_TRY(pm_matrix_add(matrix, 0, row, column, 1));
        }
    return pm_words_end(words, "the columns");
}

static int32_t read_offsets(struct pm_words *words, int64_t *offsets, int64_t rows, int64_t count)
{
    for (int64_t row = 0; row <= rows; row++) {
        PR_TRY(pm_word_whole(words, &offsets[row], 0, "row offset", row));
        if (row == 0 ? offsets[0] != 0 : offsets[row] < offsets[row - 1] || offsets[row] > count)
            return pr_fail(PRUNE_E_FORMAT, "row offset %lld is %lld; they ascend from 0 to the %lld nonzeros",
                           (long long)row, (long long)offsets[row], (long long)count);
    }
    if (offsets[rows] != count)
        return pr_fail(PRUNE_E_FORMAT, "the row offsets end at %lld; the first line says %lld nonzeros",
                       (long long)offsets[rows], (long long)count);
    return PRUNE_OK;
}

static int32_t read_text(prune_matrix *matrix, struct pm_words *words)
{
    int64_t rows = 0, columns = 0, count = 0, *offsets;
    PR_TRY(pm_word_whole(words, &rows, 1, "the number of rows", -1));
    PR_TRY(pm_word_whole(words, &columns, 1, "the number of columns", -1));
    PR_TRY(pm_word_whole(words, &count, 0, "the number of nonzeros", -1));
    PR_TRY(pm_matrix_shape(matrix, rows, columns));
    if (rows > words->length / 2 || count > words->length / 2)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes cannot hold %lld row offsets and %lld columns: it is truncated",
                       (long long)words->length, (long long)rows + 1, (long long)count);
    matrix->is_pattern = 1;
    PR_TRY(pm_matrix_reserve(matrix, count));
    PR_TRY(pr_alloc(matrix->context, rows + 1, (int64_t)sizeof *offsets, &offsets));
    int32_t status = read_offsets(words, offsets, rows, count);
    if (!status)
        status = read_columns(matrix, words, offsets);
    pr_release(matrix->context, offsets);
    return status;
}

static int32_t read_smtx(prune_matrix *matrix, const char *path)
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

static int32_t write_number(struct pm_output *output, int64_t number)
{
    char digits[24];
    return pm_output_write(output, digits, snprintf(digits, sizeof digits, "%lld ", (long long)number));
}

static int32_t write_text(struct pm_output *output, const prune_matrix *matrix)
{
    char line[80];
    int64_t at = 0;
    PR_TRY(pm_output_write(output, line,
                           snprintf(line, sizeof line, "%lld, %lld, %lld\n0 ", (long long)matrix->rows,
                                    (long long)matrix->columns, (long long)matrix->stored)));
    for (int64_t row = 0; row < matrix->rows; row++) {
        while (at < matrix->stored && matrix->elements[at].row == row)
            at++;
        PR_TRY(write_number(output, at));
    }
    PR_TRY(pm_output_write(output, "\n", 1));
    for (at = 0; at < matrix->stored; at++)
        PR_TRY(write_number(output, matrix->elements[at].column));
    PR_TRY(pm_output_write(output, "\n", 1));
    return pm_output_commit(output);
}

static int32_t write_smtx(const prune_matrix *matrix, const char *path)
{
    struct pm_output output;
    PR_TRY(pm_output_open(&output, matrix->context, path));
    int32_t status = write_text(&output, matrix);
    pm_output_close(&output);
    return status;
}

extern const struct pm_matrix_format pm_matrix_smtx;
const struct pm_matrix_format pm_matrix_smtx = {"smtx", ".smtx", 0, read_smtx, write_smtx};
