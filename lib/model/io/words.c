/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/spec.h"
#include "model/io/matrix.h"

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int64_t pm_word(struct pm_words *words, const char **word)
{
    while (words->at < words->length && is_space(words->text[words->at]))
        words->line += words->text[words->at++] == '\n';
    *word = words->text + words->at;
    int64_t begin = words->at;
    while (words->at < words->length && !is_space(words->text[words->at]))
        words->at++;
    return words->at - begin;
}

/* "value 17" */
static const char *name_of(char out[80], const char *what, int64_t index)
{
    if (index < 0)
        snprintf(out, 80, "%s", what);
    else
        snprintf(out, 80, "%s %lld", what, (long long)index);
    return out;
}

static int32_t refuse(const struct pm_words *words, const char *word, int64_t length, const char *expected,
                      const char *what, int64_t index)
{
    char shown[40], name[80];
    if (length == 0)
        return pr_fail(PRUNE_E_FORMAT, "line %lld: %s is missing: it is truncated", (long long)words->line,
                       name_of(name, what, index));
    snprintf(shown, sizeof shown, "%.*s", length < 32 ? (int)length : 32, word);
    for (char *c = shown; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
            *c = '?';
    return pr_fail(PRUNE_E_FORMAT, "line %lld: %s is \"%s\"; %s is needed", (long long)words->line,
                   name_of(name, what, index), shown, expected);
}

int32_t pm_word_whole(struct pm_words *words, int64_t *value, int commas, const char *what, int64_t index)
{
    const char *word;
    int64_t length = pm_word(words, &word), number = 0, used = length;
    if (commas && used > 0 && word[used - 1] == ',')
        used--;
    int good = used > 0;
    for (int64_t i = 0; good && i < used; i++)
        good = word[i] >= '0' && word[i] <= '9' && !__builtin_mul_overflow(number, 10, &number) &&
               !__builtin_add_overflow(number, word[i] - '0', &number);
    if (!good)
        return refuse(words, word, length, "a whole number from 0 to 2^63 - 1", what, index);
    *value = number;
    return PRUNE_OK;
}

int32_t pm_word_real(struct pm_words *words, double *value, const char *what, int64_t index)
{
    const char *word;
    int64_t length = pm_word(words, &word);
    if (length == 0 || !pr_number_parse(word, (size_t)length, value))
        return refuse(words, word, length, "a finite number", what, index);
    return PRUNE_OK;
}

int32_t pm_words_end(struct pm_words *words, const char *what)
{
    const char *word;
    if (pm_word(words, &word) == 0)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_FORMAT, "line %lld: there is more after %s", (long long)words->line, what);
}

int pm_line(struct pm_words *words, const char **line, int64_t *length)
{
    if (words->at >= words->length)
        return 0;
    *line = words->text + words->at;
    const char *end = memchr(*line, '\n', (size_t)(words->length - words->at));
    *length = end ? end - *line : words->length - words->at;
    words->at += *length + (end != NULL);
    words->line++;
    if (*length > 0 && (*line)[*length - 1] == '\r')
        --*length;
    return 1;
}
