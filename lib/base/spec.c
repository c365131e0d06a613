/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/spec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int32_t find_word(const char *words, const char *text, size_t length)
{
    for (int32_t index = 0; words; index++) {
        const char *bar = strchr(words, '|');
        size_t n = bar ? (size_t)(bar - words) : strlen(words);
        if (n == length && memcmp(words, text, n) == 0)
            return index;
        words = bar ? bar + 1 : NULL;
    }
    return -1;
}

/* The names of a table or a list of kinds, for sentences; cut where the room ends. */
static void list_names(char *out, size_t size, const struct pr_parameter *parameters,
                       const struct pr_kind *const *kinds, int32_t count)
{
    size_t used = 0;
    out[0] = '\0';
    for (int32_t i = 0; kinds ? i < count : (parameters && parameters[i].name); i++) {
        const char *name = kinds ? kinds[i]->name : parameters[i].name;
        int n = snprintf(out + used, size - used, "%s%s", i ? ", " : "", name);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}

static int32_t out_of_range(const char *what, const struct pr_parameter *p, const char *text, int shown,
                            const char *each)
{
    char least[PR_MAX_NUMBER], most[PR_MAX_NUMBER];
    pr_number_print(least, p->least);
    pr_number_print(most, p->most);
    return pr_fail(PRUNE_E_SPEC, "%s: %s=%.*s is outside its range, %s to %s%s", what, p->name, shown, text, least,
                   most, each);
}

static int32_t parse_pair(const char *what, const struct pr_parameter *p, const char *text, size_t length,
                          int32_t index, struct pr_values *values)
{
    int shown = length > 60 ? 60 : (int)length;
    const char *x = memchr(text, 'x', length);
    const char *second = x ? x + 1 : text;
    double a, b;
    if (!pr_number_parse(text, x ? (size_t)(x - text) : length, &a) || a != floor(a) ||
        !pr_number_parse(second, length - (size_t)(second - text), &b) || b != floor(b))
        return pr_fail(PRUNE_E_SPEC, "%s: \"%.*s\" is no pair of whole numbers, such as 4x1, for key \"%s\" (%s)", what,
                       shown, text, p->name, p->help);
    if (!(a >= p->least && a <= p->most && b >= p->least && b <= p->most))
        return out_of_range(what, p, text, shown, " each");
    values->whole[index] = (int64_t)a;
    values->real[index] = b + 0.0;
    return PRUNE_OK;
}

static int32_t parse_text(const char *what, const struct pr_parameter *p, const char *text, size_t length,
                          struct pr_values *values)
{
    int shown = length > 60 ? 60 : (int)length;
    for (size_t i = 0; i < length; i++)
        if (!strchr(p->words, text[i]))
            return pr_fail(PRUNE_E_SPEC, "%s: character \"%c\" in %s=%.*s; it takes these: %s (%s)", what, text[i],
                           p->name, shown, text, p->words, p->help);
    if (length >= PR_MAX_TEXT)
        return pr_fail(PRUNE_E_SPEC, "%s: the value of key \"%s\" has %zu characters; it takes at most %d", what,
                       p->name, length, PR_MAX_TEXT - 1);
    memcpy(values->text, text, length);
    values->text[length] = '\0';
    return PRUNE_OK;
}

static int32_t parse_value(const char *what, const struct pr_parameter *p, const char *text, size_t length,
                           int32_t index, struct pr_values *values)
{
    int shown = length > 60 ? 60 : (int)length;
    if (length == 0)
        return pr_fail(PRUNE_E_SPEC, "%s: key \"%s\" has no value; write %s=... (%s)", what, p->name, p->name, p->help);
    if (p->type == PR_WORD) {
        int32_t word = find_word(p->words, text, length);
        if (word < 0)
            return pr_fail(PRUNE_E_SPEC, "%s: \"%.*s\" is no value of key \"%s\"; it takes %s", what, shown, text,
                           p->name, p->words);
        values->whole[index] = word;
        values->real[index] = word;
        return PRUNE_OK;
    }
    if (p->type == PR_PAIR)
        return parse_pair(what, p, text, length, index, values);
    if (p->type == PR_TEXT)
        return parse_text(what, p, text, length, values);
    double number;
    if (!pr_number_parse(text, length, &number) || (p->type == PR_WHOLE && number != floor(number)))
        return pr_fail(PRUNE_E_SPEC, "%s: \"%.*s\" is no %s for key \"%s\" (%s)", what, shown, text,
                       p->type == PR_WHOLE ? "whole number" : "number", p->name, p->help);
    if (!(number >= p->least && number <= p->most))
        return out_of_range(what, p, text, shown, "");
    values->real[index] = number + 0.0; /* -0 is 0: equal settings have one canonical string */
    if (p->type == PR_WHOLE)
        values->whole[index] = (int64_t)number;
    return PRUNE_OK;
}

int32_t pr_spec_parse_list(const char *list, const char *what, const struct pr_parameter *parameters,
                           struct pr_values *values)
{
    struct pr_values result;
    int given[PR_MAX_PARAMETERS] = {0};
    char names[200];
    memset(&result, 0, sizeof result);
    for (const char *p = list ? list : ""; *p;) {
        const char *end = p + strcspn(p, ",");
        const char *equals = memchr(p, '=', (size_t)(end - p));
        size_t key_length = (size_t)((equals ? equals : end) - p);
        int shown = key_length > 60 ? 60 : (int)key_length;
        int32_t i = 0;
        while (parameters && parameters[i].name &&
               (strlen(parameters[i].name) != key_length || memcmp(parameters[i].name, p, key_length) != 0))
            i++;
        list_names(names, sizeof names, parameters, NULL, 0);
        if (!parameters || !parameters[i].name)
            return pr_fail(PRUNE_E_SPEC, "%s: unknown key \"%.*s\"; it takes %s", what, shown, p,
                           names[0] ? names : "none");
        if (!equals)
            return pr_fail(PRUNE_E_SPEC, "%s: key \"%s\" has no value; write %s=... (%s)", what, parameters[i].name,
                           parameters[i].name, parameters[i].help);
        if (given[i]++)
            return pr_fail(PRUNE_E_SPEC, "%s: key \"%s\" is given twice", what, parameters[i].name);
        PR_TRY(parse_value(what, &parameters[i], equals + 1, (size_t)(end - equals - 1), i, &result));
        p = end;
        if (*p == ',' && *++p == '\0')
            return pr_fail(PRUNE_E_SPEC, "%s: a key should follow the last comma", what);
    }
    for (int32_t i = 0; parameters && parameters[i].name; i++) {
        const struct pr_parameter *parameter = &parameters[i];
        if (given[i])
            continue;
        if (!parameter->standard)
            return pr_fail(PRUNE_E_SPEC, "%s: key \"%s\" must be given (%s)", what, parameter->name, parameter->help);
        PR_TRY(parse_value(what, parameter, parameter->standard, strlen(parameter->standard), i, &result));
    }
    *values = result;
    return PRUNE_OK;
}

int32_t pr_spec_parse(const char *spec, const char *what, const struct pr_kind *const *kinds, int32_t count,
                      int32_t *kind, struct pr_values *values)
{
    char names[300], noun[160];
    if (!spec)
        return pr_fail(PRUNE_E_ARGUMENT, "the spec of the %s is NULL; it must be given", what);
    size_t length = strcspn(spec, ":");
    int32_t found = 0;
    while (found < count && (strlen(kinds[found]->name) != length || memcmp(kinds[found]->name, spec, length) != 0))
        found++;
    if (found == count) {
        list_names(names, sizeof names, NULL, kinds, count);
        return pr_fail(PRUNE_E_SPEC, "\"%.*s\" is no %s; there are %s", length > 60 ? 60 : (int)length, spec, what,
                       names);
    }
    if (spec[length] == ':' && spec[length + 1] == '\0')
        return pr_fail(PRUNE_E_SPEC, "%s %s: a key should follow the colon", what, kinds[found]->name);
    snprintf(noun, sizeof noun, "%s %s", what, kinds[found]->name);
    PR_TRY(pr_spec_parse_list(spec[length] ? spec + length + 1 : NULL, noun, kinds[found]->parameters, values));
    *kind = found;
    return PRUNE_OK;
}

/* The value of a parameter as text, in `number` or as a word with its length. */
static size_t value_text(const struct pr_parameter *p, const struct pr_values *values, int32_t i,
                         char number[PR_MAX_NUMBER], const char **text)
{
    if (p->type == PR_WORD) {
        const char *word = p->words;
        for (int64_t skip = values->whole[i]; skip > 0; skip--)
            word = strchr(word, '|') + 1;
        *text = word;
        return strcspn(word, "|");
    }
    if (p->type == PR_TEXT) {
        *text = values->text;
        return strlen(values->text);
    }
    *text = number;
    if (p->type == PR_PAIR)
        return (size_t)snprintf(number, PR_MAX_NUMBER, "%lldx%lld", (long long)values->whole[i],
                                (long long)values->real[i]);
    if (p->type == PR_WHOLE)
        return (size_t)snprintf(number, PR_MAX_NUMBER, "%lld", (long long)values->whole[i]);
    return pr_number_print(number, values->real[i]);
}

static int is_standard(const struct pr_parameter *p, const struct pr_values *values, int32_t i)
{
    double number;
    if (!p->standard)
        return 0;
    if (p->type == PR_WORD)
        return find_word(p->words, p->standard, strlen(p->standard)) == values->whole[i];
    if (p->type == PR_TEXT)
        return strcmp(p->standard, values->text) == 0;
    if (p->type == PR_PAIR)
        return 0;
    return pr_number_parse(p->standard, strlen(p->standard), &number) && number == values->real[i];
}

size_t pr_spec_print(char out[PR_MAX_SPEC], const struct pr_kind *kind, const struct pr_values *values)
{
    size_t used = (size_t)snprintf(out, PR_MAX_SPEC, "%s", kind->name);
    char separator = ':';
    for (int32_t i = 0; kind->parameters && kind->parameters[i].name; i++) {
        const struct pr_parameter *p = &kind->parameters[i];
        char number[PR_MAX_NUMBER];
        const char *text;
        if (is_standard(p, values, i))
            continue;
        size_t length = value_text(p, values, i, number, &text);
        if (used + strlen(p->name) + length + 3 > PR_MAX_SPEC)
            break;
        used += (size_t)snprintf(out + used, PR_MAX_SPEC - used, "%c%s=%.*s", separator, p->name, (int)length, text);
        separator = ',';
    }
    return used;
}
