/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of measurements as text: what `prune bench --calibrate` writes, and what a context takes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "base/spec.h"
#include "core/sparse/choice/speed.h"
#include "prune/advice.h"

#define HEAD "prune-speeds 1"
#define MOST_WORDS 9
#define MOST_ENTRIES 100000

struct word {
    const char *text;
    size_t length;
};

struct reader {
    prune_context *context;
    struct pr_speeds *speeds;
    struct pr_speed *entries; /* NULL while counting */
    int64_t line;
};

static int is(struct word word, const char *text)
{
    return word.length == strlen(text) && memcmp(word.text, text, word.length) == 0;
}

static int32_t wrong(const struct reader *reader, const char *what)
{
    return pr_fail(PRUNE_E_FORMAT, "line %lld of the speeds: %s", (long long)reader->line, what);
}

static int index_of(struct word word, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (is(word, names[i]))
            return i;
    return -1;
}

static int form_of(struct word word)
{
    for (int i = 0; i < pr_form_count; i++)
        if (is(word, pr_forms[i]->name))
            return i;
    return -1;
}

/* "csr", "dense", "nm", and "nm/4" for groups of 4. */
static int format_of(struct word word, int *group_m)
{
    const char *slash = memchr(word.text, '/', word.length);
    double group;
    if (!slash)
        return index_of(word, pr_source_names, PR_SOURCE_COUNT);
    struct word name = {word.text, (size_t)(slash - word.text)};
    if (!is(name, pr_source_names[PR_SOURCE_NM]) ||
        !pr_number_parse(slash + 1, word.length - name.length - 1, &group) || !(group >= 1 && group <= 256))
        return -1;
    *group_m = (int)group;
    return PR_SOURCE_NM;
}

static int positive(struct word word, double most, double *value)
{
    return pr_number_parse(word.text, word.length, value) && *value > 0 && *value <= most;
}

static int32_t read_cache(struct reader *reader, const struct word *words, int count)
{
    double l2, l3;
    if (count != 3 || !positive(words[1], 1e12, &l2) || !positive(words[2], 1e12, &l3))
        return wrong(reader, "\"cache L2 L3\" must give two sizes in bytes, above 0");
    reader->speeds->l2_bytes = (int64_t)l2;
    reader->speeds->l3_bytes = (int64_t)l3;
    return PRUNE_OK;
}

/* speed FORMAT FORM ISA LEVEL N DENSITY PICOSECONDS BYTES */
static int32_t read_speed(struct reader *reader, const struct word *words, int count)
{
    double n, density, picoseconds, bytes;
    if (count != 9)
        return wrong(reader, "\"speed\" must be followed by format, form, ISA, level, n, density, picoseconds, bytes");
    int isa = index_of(words[3], pr_isa_names, PR_ISA_COUNT);
    int level = index_of(words[4], pr_level_names, PR_LEVEL_COUNT);
    if (isa < 0)
        return wrong(reader, "the instruction set must be scalar, neon, avx2 or avx512");
    if (level < 0)
        return wrong(reader, "the level must be l2, l3 or memory");
    if (!positive(words[5], 1e9, &n) || !positive(words[6], 1, &density) || !positive(words[7], 1e9, &picoseconds) ||
        !positive(words[8], 1e6, &bytes))
        return wrong(reader, "n, density (up to 1), picoseconds and bytes must be numbers above 0");
    int group_m = 0, format = format_of(words[1], &group_m), form = form_of(words[2]);
    if (format < 0 || form < 0)
        return PRUNE_OK;
    if (reader->entries)
        reader->entries[reader->speeds->count] = (struct pr_speed){
            (uint8_t)format, (uint8_t)form,  (uint8_t)isa,       (uint8_t)level, (uint16_t)group_m,
            (float)n,        (float)density, (float)picoseconds, (float)bytes,
        };
    reader->speeds->count++;
    return PRUNE_OK;
}

static int split(const char *text, const char *end, struct word words[MOST_WORDS + 1])
{
    int count = 0;
    while (text < end) {
        while (text < end && *text == ' ')
            text++;
        const char *begin = text;
        while (text < end && *text != ' ')
            text++;
        if (text > begin && count <= MOST_WORDS)
            words[count++] = (struct word){begin, (size_t)(text - begin)};
    }
    return count;
}

static int32_t read_line(struct reader *reader, const char *text, const char *end)
{
    struct word words[MOST_WORDS + 1];
    if (end > text && end[-1] == '\r')
        end--;
    int count = split(text, end, words);
    if (reader->line == 1)
        return count == 2 && is(words[0], "prune-speeds") && is(words[1], "1")
                   ? PRUNE_OK
                   : wrong(reader, "the first line must be \"" HEAD "\"");
    if (count == 0 || words[0].text[0] == '#')
        return PRUNE_OK;
    if (is(words[0], "cache"))
        return read_cache(reader, words, count);
    if (is(words[0], "speed"))
        return read_speed(reader, words, count);
    return wrong(reader, "a line must begin with speed, cache or #");
}

static int32_t read_all(struct reader *reader, const char *text, int64_t bytes)
{
    const char *end = text + bytes;
    reader->speeds->count = 0;
    reader->line = 0;
    do {
        const char *newline = text < end ? memchr(text, '\n', (size_t)(end - text)) : NULL;
        const char *stop = newline ? newline : end;
        reader->line++;
        PR_TRY(read_line(reader, text, stop));
        if (reader->speeds->count > MOST_ENTRIES)
            return wrong(reader, "more than 100000 speeds");
        text = stop + 1;
    } while (text < end);
    return PRUNE_OK;
}

int32_t prune_context_set_speeds(prune_context *context, const char *text, int64_t bytes)
{
    PR_TRY(pr_context_require_open(context, __func__));
    if (text && bytes < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: bytes is %lld; it must be 0 or more", __func__, (long long)bytes);
    struct pr_speeds *speeds = NULL;
    if (text) {
        struct pr_speeds counted = {0};
        struct reader reader = {.context = context, .speeds = &counted};
        PR_TRY(read_all(&reader, text, bytes));
        /* One block, from malloc as the context itself: its allocator may still change. */
        speeds = calloc(1, sizeof *speeds + (size_t)counted.count * sizeof(struct pr_speed));
        if (!speeds)
            return pr_fail(PRUNE_E_NOMEM, "no memory for %lld speeds", (long long)counted.count);
        reader.speeds = speeds;
        reader.entries = (struct pr_speed *)(speeds + 1);
        int32_t status = read_all(&reader, text, bytes);
        if (status) {
            free(speeds);
            return status;
        }
        speeds->entries = reader.entries;
    }
    free(context->speeds);
    context->speeds = speeds;
    return PRUNE_OK;
}
