/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Harwell-Boeing (Duff, Grimes, Lewis 1992): four or five lines of head, then pointers, rows, values and right-hand
 * sides, each in lines of a Fortran format. Numbers are told apart by the width of their fields: they may touch.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/spec.h"
#include "model/io/matrix.h"

#define MOST_WIDTH 60

struct format {
    int64_t per_line, width;
    char letter; /* I, or E for every kind of real number */
};

struct head {
    int64_t lines[5]; /* in all, of pointers, of indices, of values, of right-hand sides */
    int64_t rows, columns, stored, sides;
    char type[4], side_type[4];
    struct format pointers, indices, values, right;
};

static int32_t next_line(struct pm_words *words, const char *what, const char **line, int64_t *length)
{
    if (pm_line(words, line, length))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_FORMAT, "line %lld, %s, is missing: it is truncated", (long long)words->line, what);
}

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Columns `first` to `first + width - 1` without the blanks around them. */
static int64_t field_at(const char *line, int64_t length, int64_t first, int64_t width, const char **field)
{
    int64_t end = first + width < length ? first + width : length;
    while (first < end && line[first] == ' ')
        first++;
    while (end > first && line[end - 1] == ' ')
        end--;
    *field = line + first;
    return first < end ? end - first : 0;
}

static int parse_whole(const char *text, int64_t length, int64_t *value)
{
    int64_t number = 0;
    if (length == 0)
        return 0;
    for (int64_t i = 0; i < length; i++)
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text[i] - '0', &number))
            return 0;
    *value = number;
    return 1;
}

/* A whole number in the head; where the field is empty it is 0 (`optional`), or refused. */
static int32_t head_number(const struct pm_words *words, const char *line, int64_t length, int64_t first, int optional,
                           int64_t *value)
{
    const char *field;
    int64_t bytes = field_at(line, length, first, 14, &field);
    *value = 0;
    if ((bytes == 0 && optional) || parse_whole(field, bytes, value))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_FORMAT, "line %lld: columns %lld to %lld hold no whole number, 0 or more",
                   (long long)words->line - 1, (long long)first + 1, (long long)first + 14);
}

static int64_t digits_at(const char **text, const char *end)
{
    int64_t number = 0;
    for (; *text < end && **text >= '0' && **text <= '9'; ++*text)
        number = number < 100000 ? 10 * number + (**text - '0') : number;
    return number;
}

/* (20I4), (3D21.15), (1P,4E20.12), (1P4E20.12E3) */
static int32_t parse_format(const char *line, int64_t length, int64_t first, int64_t width, struct format *format)
{
    const char *text, *end;
    int64_t bytes = field_at(line, length, first, width, &text);
    end = text + bytes;
    *format = (struct format){.per_line = 1};
    int good = bytes > 0 && *text++ == '(';
    const char *start = text;
    int64_t scale = digits_at(&text, end);
    if (good && text > start && text < end && upper(*text) == 'P') {
        text++;
        text += text < end && *text == ',';
        start = text;
        scale = digits_at(&text, end);
    }
    if (text > start)
        format->per_line = scale;
    char letter = text < end ? upper(*text++) : '\0';
    good = good && letter && strchr("IEDFG", letter);
    format->letter = letter == 'I' ? 'I' : 'E';
    format->width = digits_at(&text, end);
    if (good && text < end && *text == '.') {
        text++;
        digits_at(&text, end);
    }
    if (good && letter != 'I' && text < end && upper(*text) == 'E') {
        text++;
        digits_at(&text, end);
    }
    if (good && text + 1 == end && *text == ')' && format->per_line > 0 && format->width > 0 &&
        format->width <= MOST_WIDTH && format->per_line <= 1000)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_FORMAT, "columns %lld to %lld of line 4 hold no format such as (20I4) or (3D21.15)",
                   (long long)first + 1, (long long)(first + width));
}

static int32_t check_type(struct head *head)
{
    const char *type = head->type;
    if (strlen(type) != 3 || !strchr("RPC", type[0]) || !strchr("USHZR", type[1]) || !strchr("AE", type[2]))
        return pr_fail(PRUNE_E_FORMAT, "\"%s\" is no type of a matrix; RUA is one", type);
    if (type[0] == 'C' || type[1] == 'H')
        return pr_fail(PRUNE_E_UNSUPPORTED, "a complex matrix (%s) is not read; real ones are", type);
    if (type[2] == 'E')
        return pr_fail(PRUNE_E_UNSUPPORTED, "an unassembled matrix (%s) is not read; assembled ones are", type);
    if (strchr("SZ", type[1]) && head->rows != head->columns)
        return pr_fail(PRUNE_E_FORMAT, "%lld x %lld is not square, which a symmetric matrix (%s) is",
                       (long long)head->rows, (long long)head->columns, type);
    return PRUNE_OK;
}

static void copy_type(char out[4], const char *line, int64_t length)
{
    const char *field;
    int64_t bytes = field_at(line, length, 0, 3, &field);
    for (int64_t i = 0; i < bytes; i++)
        out[i] = field[i] > 0x20 && field[i] < 0x7f ? upper(field[i]) : '?';
    out[bytes] = '\0';
}

static int32_t read_side_head(struct pm_words *words, struct head *head, const char *formats, int64_t formats_length)
{
    const char *line;
    int64_t length;
    if (head->lines[4] == 0)
        return PRUNE_OK;
    PR_TRY(parse_format(formats, formats_length, 52, 20, &head->right));
    PR_TRY(next_line(words, "which describes the right-hand sides", &line, &length));
    copy_type(head->side_type, line, length);
    PR_TRY(head_number(words, line, length, 14, 0, &head->sides));
    if (head->side_type[0] == 'M')
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "right-hand sides stored as the matrix (M) are not read; full ones (F) are");
    if (head->side_type[0] != 'F')
        return pr_fail(PRUNE_E_FORMAT, "\"%s\" is no type of right-hand sides; F is one", head->side_type);
    if (head->right.letter != 'E')
        return pr_fail(PRUNE_E_FORMAT, "the right-hand sides' format is one of whole numbers; a D or E is needed");
    return PRUNE_OK;
}

static int32_t read_head(struct pm_words *words, struct head *head)
{
    const char *line, *formats;
    int64_t length, formats_length, unused;
    PR_TRY(next_line(words, "the title", &line, &length));
    PR_TRY(next_line(words, "with the numbers of lines", &line, &length));
    for (int i = 0; i < 5; i++)
        PR_TRY(head_number(words, line, length, 14 * i, i == 4, &head->lines[i]));
    PR_TRY(next_line(words, "with type and sizes", &line, &length));
    copy_type(head->type, line, length);
    PR_TRY(head_number(words, line, length, 14, 0, &head->rows));
    PR_TRY(head_number(words, line, length, 28, 0, &head->columns));
    PR_TRY(head_number(words, line, length, 42, 0, &head->stored));
    PR_TRY(head_number(words, line, length, 56, 1, &unused));
    PR_TRY(check_type(head));
    PR_TRY(next_line(words, "with the formats", &formats, &formats_length));
    PR_TRY(parse_format(formats, formats_length, 0, 16, &head->pointers));
    PR_TRY(parse_format(formats, formats_length, 16, 16, &head->indices));
    if (head->pointers.letter != 'I' || head->indices.letter != 'I')
        return pr_fail(PRUNE_E_FORMAT, "line 4: pointers and indices need a format of whole numbers (I)");
    if (head->type[0] == 'R') {
        PR_TRY(parse_format(formats, formats_length, 32, 20, &head->values));
        if (head->values.letter != 'E')
            return pr_fail(PRUNE_E_FORMAT, "line 4: the values need a format of real numbers (D, E, F or G)");
    }
    PR_TRY(read_side_head(words, head, formats, formats_length));
    if (head->stored > words->length || head->columns > words->length)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes cannot hold %lld columns and %lld elements: it is truncated",
                       (long long)words->length, (long long)head->columns, (long long)head->stored);
    return PRUNE_OK;
}

/* Fields of one format, line after line. */
struct fields {
    struct pm_words *words;
    const struct format *format;
    const char *what, *line;
    int64_t length, used; /* of the line; fields taken of it */
    int64_t count;        /* taken in all */
};

static int32_t next_field(struct fields *fields, const char **field, int64_t *bytes)
{
    if (fields->count == 0 || fields->used == fields->format->per_line) {
        if (!pm_line(fields->words, &fields->line, &fields->length))
            return pr_fail(PRUNE_E_FORMAT, "%s %lld is missing: it is truncated", fields->what,
                           (long long)fields->count);
        fields->used = 0;
    }
    *bytes = field_at(fields->line, fields->length, fields->used * fields->format->width, fields->format->width, field);
    fields->used++;
    fields->count++;
    return PRUNE_OK;
}

static int32_t bad_field(const struct fields *fields, const char *needed)
{
    return pr_fail(PRUNE_E_FORMAT, "line %lld: %s %lld, field %lld of %lld columns, is not %s",
                   (long long)fields->words->line - 1, fields->what, (long long)fields->count - 1,
                   (long long)fields->used, (long long)fields->format->width, needed);
}

static int32_t field_whole(struct fields *fields, int64_t *value)
{
    const char *field;
    int64_t bytes;
    PR_TRY(next_field(fields, &field, &bytes));
    return parse_whole(field, bytes, value) ? PRUNE_OK : bad_field(fields, "a whole number");
}

/* Fortran writes exponents with D, and leaves the letter out where three digits need its place: 1.5+100. A number
 * without a point would be scaled by its format, which nobody means. */
static int32_t field_real(struct fields *fields, double *value)
{
    char text[MOST_WIDTH + 2];
    const char *field;
    int64_t bytes, length = 0;
    int has_point = 0, has_exponent = 0;
    PR_TRY(next_field(fields, &field, &bytes));
    for (int64_t i = 0; i < bytes; i++) {
        char c = upper(field[i]);
        has_point |= c == '.';
        if (!has_exponent && i > 0 && (c == '+' || c == '-')) {
            text[length++] = 'E';
            has_exponent = 1;
        }
        if (c == 'D' || c == 'E') {
            c = 'E';
            has_exponent = 1;
        }
        text[length++] = c;
    }
    if (!has_point || !pr_number_parse(text, (size_t)length, value))
        return bad_field(fields, "a finite number with a decimal point");
    return PRUNE_OK;
}

static int32_t read_pointers(struct pm_words *words, const struct head *head, int64_t *pointers)
{
    struct fields fields = {.words = words, .format = &head->pointers, .what = "column pointer"};
    for (int64_t i = 0; i <= head->columns; i++) {
        PR_TRY(field_whole(&fields, &pointers[i]));
        if (pointers[i] < (i ? pointers[i - 1] : 1) || pointers[i] > head->stored + 1 || (i == 0 && pointers[0] != 1))
            return pr_fail(PRUNE_E_FORMAT, "column pointer %lld is %lld; they ascend from 1 to %lld", (long long)i,
                           (long long)pointers[i], (long long)head->stored + 1);
    }
    if (pointers[head->columns] != head->stored + 1)
        return pr_fail(PRUNE_E_FORMAT, "the column pointers end at %lld; %lld elements need %lld",
                       (long long)pointers[head->columns], (long long)head->stored, (long long)head->stored + 1);
    return PRUNE_OK;
}

static int32_t add(prune_matrix *matrix, char symmetry, int64_t row, int64_t column)
{
    if (strchr("SZ", symmetry) && (row < column || (symmetry == 'Z' && row == column)))
        return pr_fail(PRUNE_E_FORMAT, "row %lld, column %lld lies outside the lower triangle%s", (long long)row,
                       (long long)column, symmetry == 'Z' ? " without its diagonal" : "");
    return pm_matrix_add(matrix, 1, row, column, 1);
}

/* The other half of a symmetric matrix. */
static int32_t mirror(prune_matrix *matrix, char symmetry)
{
    int64_t count = matrix->stored;
    if (!strchr("SZ", symmetry))
        return PRUNE_OK;
    PR_TRY(pm_matrix_reserve(matrix, 2 * count));
    for (int64_t i = 0; i < count; i++) {
        struct pm_element element = matrix->elements[i];
        if (element.row != element.column)
            matrix->elements[matrix->stored++] =
                (struct pm_element){element.column, element.row, symmetry == 'Z' ? -element.value : element.value};
    }
    return PRUNE_OK;
}

static int32_t read_elements(prune_matrix *matrix, struct pm_words *words, const struct head *head, int64_t *pointers)
{
    struct fields rows = {.words = words, .format = &head->indices, .what = "row index"};
    struct fields values = {.words = words, .format = &head->values, .what = "value"};
    PR_TRY(read_pointers(words, head, pointers));
    PR_TRY(pm_matrix_reserve(matrix, head->stored));
    for (int64_t column = 0; column < head->columns; column++)
        for (int64_t i = pointers[column]; i < pointers[column + 1]; i++) {
            int64_t row = 0;
            PR_TRY(field_whole(&rows, &row));
            PR_TRY(add(matrix, head->type[1], row, column + 1));
        }
    for (int64_t i = 0; head->type[0] == 'R' && i < head->stored; i++)
        PR_TRY(field_real(&values, &matrix->elements[i].value));
    return mirror(matrix, head->type[1]);
}

static int32_t read_right_sides(prune_matrix *matrix, struct pm_words *words, const struct head *head)
{
    struct fields fields = {.words = words, .format = &head->right, .what = "right-hand side value"};
    int64_t total = 0, shape[] = {head->sides, head->rows};
    if (head->lines[4] == 0)
        return PRUNE_OK;
    PR_TRY(pr_mul(head->sides, head->rows, &total));
    if (total > words->length)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes cannot hold %lld right-hand sides of %lld: it is truncated",
                       (long long)words->length, (long long)head->sides, (long long)head->rows);
    PR_TRY(prune_tensor_create(&matrix->right_sides, matrix->context, PRUNE_F64, 2, shape));
    double *values = prune_tensor_data(matrix->right_sides);
    for (int64_t i = 0; i < total; i++)
        PR_TRY(field_real(&fields, &values[i]));
    /* Starting vectors and solutions, which are none of the matrix. */
    int64_t others = (strchr(head->side_type, 'G') != NULL) + (strchr(head->side_type, 'X') != NULL);
    for (int64_t i = 0; i < others * total; i++) {
        double value;
        PR_TRY(field_real(&fields, &value));
    }
    return PRUNE_OK;
}

static int32_t read_text(prune_matrix *matrix, struct pm_words *words)
{
    struct head head = {.sides = 0};
    int64_t *pointers;
    PR_TRY(read_head(words, &head));
    PR_TRY(pm_matrix_shape(matrix, head.rows, head.columns));
    matrix->is_pattern = head.type[0] == 'P';
    PR_TRY(pr_alloc(matrix->context, head.columns + 1, (int64_t)sizeof *pointers, &pointers));
    int32_t status = read_elements(matrix, words, &head, pointers);
    pr_release(matrix->context, pointers);
    if (!status)
        status = read_right_sides(matrix, words, &head);
    return status ? status : pm_words_end(words, "the last number");
}

static int32_t read_hb(prune_matrix *matrix, const char *path)
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

extern const struct pm_matrix_format pm_matrix_hb;
const struct pm_matrix_format pm_matrix_hb = {"hb", ".rua .rsa .rza .rra .pua .psa .pza .pra .hb", 1, read_hb, NULL};
