/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What commands print: JSON for programs, tables and amounts for people.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

int use_colour(FILE *stream)
{
    const char *no = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    return !(no && *no) && terminal && strcmp(terminal, "dumb") != 0 && isatty(fileno(stream));
}

json_t *json_text(const char *text)
{
    json_t *json = json_string(text);
    if (json)
        return json;
    /* A file name may be any bytes; JSON is UTF-8. */
    size_t length = strlen(text);
    char *plain = malloc(length + 1);
    if (!plain)
        return NULL;
    for (size_t i = 0; i <= length; i++)
        plain[i] = (char)((unsigned char)text[i] < 0x80 ? text[i] : '?');
    json = json_string(plain);
    free(plain);
    return json;
}

static int no_memory(void)
{
    return complain(NO_MEMORY, "out of memory for the output");
}

int print_json(json_t *fields, const char *command)
{
    json_t *document = fields ? json_pack("{s:i, s:s}", "schema", 1, "command", command) : NULL;
    int bad = !document || json_object_update(document, fields) != 0;
    char *text = bad ? NULL : json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    json_decref(document);
    json_decref(fields);
    if (!text)
        return no_memory();
    puts(text);
    free(text);
    return DONE;
}

int table_cell(struct table *table, const char *format, ...)
{
    if (table->count == table->room) {
        int room = table->room ? 2 * table->room : 64;
        char **cells = realloc(table->cells, sizeof *cells * (size_t)room);
        if (!cells)
            return no_memory();
        table->cells = cells;
        table->room = room;
    }
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *copy = malloc(strlen(text) + 1);
    if (!copy)
        return no_memory();
    table->cells[table->count++] = strcpy(copy, text);
    return DONE;
}

/* Columns as UTF-8 shows them. */
static int text_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

void table_print(const struct table *table, FILE *stream)
{
    int columns = table->columns;
    int bold = use_colour(stream);
    for (int i = 0; i < table->count; i++) {
        int column = i % columns;
        int width = 0;
        for (int j = column; j < table->count; j += columns)
            if (text_width(table->cells[j]) > width)
                width = text_width(table->cells[j]);
        int gap = width - text_width(table->cells[i]);
        if (i == 0 && bold)
            fputs("\033[1m", stream);
        if (column == 0)
            fprintf(stream, "%s%*s", table->cells[i], gap, "");
        else
            fprintf(stream, "  %*s%s", gap, "", table->cells[i]);
        if (i == columns - 1 && bold)
            fputs("\033[0m", stream);
        if (column == columns - 1)
            fputc('\n', stream);
    }
}

void table_free(struct table *table)
{
    for (int i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    memset(table, 0, sizeof *table);
}

const char *amount_count(char out[AMOUNT_SIZE], int64_t count)
{
    char digits[AMOUNT_SIZE];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)count);
    int at = 0;
    for (int i = 0; i < length && at < AMOUNT_SIZE - 2; i++) {
        out[at++] = digits[i];
        if (digits[i] != '-' && i + 1 < length && (length - i - 1) % 3 == 0)
            out[at++] = ',';
    }
    out[at] = 0;
    return out;
}

const char *amount_energy(char out[AMOUNT_SIZE], double picojoule)
{
    if (picojoule < 1e6)
        snprintf(out, AMOUNT_SIZE, "%.2f nJ", picojoule * 1e-3);
    else if (picojoule < 1e9)
        snprintf(out, AMOUNT_SIZE, "%.1f uJ", picojoule * 1e-6);
    else
        snprintf(out, AMOUNT_SIZE, "%.1f mJ", picojoule * 1e-9);
    return out;
}

const char *amount_time(char out[AMOUNT_SIZE], double seconds)
{
    if (seconds < 1e-3)
        snprintf(out, AMOUNT_SIZE, "%.2f us", seconds * 1e6);
    else
        snprintf(out, AMOUNT_SIZE, "%.2f ms", seconds * 1e3);
    return out;
}
