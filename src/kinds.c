/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options that come from the kinds' tables of parameters: group_m of granularity nm is --group-m. Where the command
 * has an option of that name already, the registry's own option stands before it: --method-block.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static int32_t kind_index(const struct kind_choice *choice)
{
    size_t length = strcspn(choice->spec, ":");
    for (int32_t i = 0; i < prune_kind_count(choice->registry); i++) {
        const char *name = prune_kind_name(choice->registry, i);
        if (strlen(name) == length && memcmp(name, choice->spec, length) == 0)
            return i;
    }
    return -1;
}

static int32_t parameter_index(const char *registry, int32_t kind, const char *key)
{
    for (int32_t i = 0; i < prune_kind_parameter_count(registry, kind); i++)
        if (strcmp(prune_kind_parameter_name(registry, kind, i), key) == 0)
            return i;
    return -1;
}

static struct kind_value *find_value(struct kind_choice *choice, const char *key)
{
    for (int i = 0; i < choice->count; i++)
        if (strcmp(choice->values[i].key, key) == 0)
            return &choice->values[i];
    return NULL;
}

/* The kinds that know `key`, for a sentence. */
static void owners(const char *registry, const char *key, char out[SPEC_SIZE])
{
    size_t length = 0;
    out[0] = 0;
    for (int32_t i = 0; i < prune_kind_count(registry) && length < SPEC_SIZE / 2; i++)
        if (parameter_index(registry, i, key) >= 0)
            length += (size_t)snprintf(out + length, SPEC_SIZE - length, "%s%.100s", length ? " or " : "",
                                       prune_kind_name(registry, i));
}

static void add_text(char *out, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add_text(char *out, size_t room, const char *format, ...)
{
    size_t length = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + length, room - length, format, arguments);
    va_end(arguments);
}

/* Help and default of a kind's parameter; NULL where it has no such parameter, or no default. */
static const char *help_of(const char *registry, int32_t kind, const char *key)
{
    return prune_kind_parameter_help(registry, kind, parameter_index(registry, kind, key));
}

static const char *default_of(const char *registry, int32_t kind, const char *key)
{
    return prune_kind_parameter_default(registry, kind, parameter_index(registry, kind, key));
}

static int same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The first kind from `kind` on that says `help` of `key` and, where that is asked for, has the default. */
static int32_t next_alike(const char *registry, int32_t kind, const char *key, const char *help, const char **standard)
{
    for (; kind < prune_kind_count(registry); kind++)
        if (same_text(help_of(registry, kind, key), help) &&
            (!standard || same_text(default_of(registry, kind, key), *standard)))
            return kind;
    return -1;
}

static void add_names(char *out, size_t room, const char *registry, const char *key, const char *help,
                      const char **standard)
{
    char names[SPEC_SIZE] = "";
    for (int32_t k = 0; (k = next_alike(registry, k, key, help, standard)) >= 0; k++)
        add_text(names, sizeof names, "%s%s", names[0] ? " or " : "", prune_kind_name(registry, k));
    add_text(out, room, "%s", strlen(names) > 40 ? "several kinds" : names);
}

/* "pool": whose it is, its help and its default, once for all kinds of which the same is to be said. */
static void describe(struct kind_value *value, const char *registry)
{
    const char *key = value->key;
    size_t room = sizeof value->help;
    for (int32_t kind = 0; kind < prune_kind_count(registry); kind++) {
        const char *help = help_of(registry, kind, key), *standard = default_of(registry, kind, key);
        if (!help || next_alike(registry, 0, key, help, NULL) != kind)
            continue;
        if (value->help[0])
            add_text(value->help, room, "; ");
        add_names(value->help, room, registry, key, help, NULL);
        add_text(value->help, room, ": %s", help);
        if (standard)
            add_text(value->help, room, " (%s", standard);
        for (int32_t k = kind; standard && (k = next_alike(registry, k, key, help, NULL)) >= 0; k++) {
            const char *other = default_of(registry, k, key);
            if (same_text(other, standard) || !other || next_alike(registry, 0, key, help, &other) != k)
                continue;
            add_text(value->help, room, "; ");
            add_names(value->help, room, registry, key, help, &other);
            add_text(value->help, room, " %s", other);
        }
        if (standard)
            add_text(value->help, room, ")");
    }
}

static void name_option(struct kind_value *value, const char *prefix, const char *key, struct options *options)
{
    for (int prefixed = 0; prefixed < 2; prefixed++) {
        snprintf(value->option, sizeof value->option, "%s%s%s", prefixed ? prefix : "", prefixed ? "-" : "", key);
        for (char *c = value->option; *c; c++)
            if (*c == '_')
                *c = '-';
        if (!options_have(options, value->option))
            return;
    }
}

static void add_parameter(struct kind_choice *choice, struct options *options, int32_t kind, int32_t parameter)
{
    const char *key = prune_kind_parameter_name(choice->registry, kind, parameter);
    if (find_value(choice, key) || choice->count == (int)(sizeof choice->values / sizeof *choice->values))
        return;
    struct kind_value *value = &choice->values[choice->count++];
    value->key = key;
    describe(value, choice->registry);
    name_option(value, choice->option, key, options);
    options_add(options, (struct option[]){
                             {OPTION_TEXT, value->option, 0, &value->text, "X", value->help, 0, 0},
                             {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                         });
}

void kind_choice_add(struct kind_choice *choice, struct options *options, const char *registry, const char *option,
                     const char *standard)
{
    memset(choice, 0, sizeof *choice);
    choice->registry = registry;
    choice->option = option;
    choice->spec = choice->standard = standard;
    size_t length = 0, room = sizeof choice->help;
    for (int32_t kind = 0; kind < prune_kind_count(registry) && length < room; kind++)
        length += (size_t)snprintf(choice->help + length, room - length, "%s%s", kind ? ", " : "",
                                   prune_kind_name(registry, kind));
    if (length < room)
        snprintf(choice->help + length, room - length, " (%s)", standard);
    options_add(options, (struct option[]){
                             {OPTION_TEXT, option, 0, &choice->spec, "KIND", choice->help, 0, 0},
                             {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                         });
    for (int32_t kind = 0; kind < prune_kind_count(registry); kind++)
        for (int32_t i = 0; i < prune_kind_parameter_count(registry, kind); i++)
            add_parameter(choice, options, kind, i);
}

int kind_choice_asked(const struct kind_choice *choice)
{
    return choice->spec != choice->standard || kind_choice_given(choice);
}

int kind_choice_given(const struct kind_choice *choice)
{
    for (int i = 0; i < choice->count; i++)
        if (choice->values[i].text)
            return 1;
    return 0;
}

int spec_append(char spec[SPEC_SIZE], const char *key, const char *value, const char *option)
{
    if (!*value || strpbrk(value, ",:="))
        return complain(USAGE, "--%s takes one number or word, not \"%s\"", option, value);
    size_t length = strlen(spec);
    const char *comma = length == 0 || spec[length - 1] == ':' ? "" : ",";
    int more = snprintf(spec + length, SPEC_SIZE - length, "%s%s=%s", comma, key, value);
    if (more < 0 || (size_t)more >= SPEC_SIZE - length)
        return complain(USAGE, "the value of --%s is too long", option);
    return DONE;
}

int kind_choice_spec(const struct kind_choice *choice, char spec[SPEC_SIZE])
{
    int32_t kind = kind_index(choice);
    if (kind < 0)
        return complain(USAGE, "there is no %s \"%s\"; `prune list %s` shows them", choice->option, choice->spec,
                        choice->registry);
    if (strlen(choice->spec) >= SPEC_SIZE)
        return complain(USAGE, "the value of --%s is too long", choice->option);
    strcpy(spec, choice->spec);
    int opened = strchr(spec, ':') != NULL;
    for (int i = 0; i < choice->count; i++) {
        const struct kind_value *value = &choice->values[i];
        if (!value->text)
            continue;
        if (parameter_index(choice->registry, kind, value->key) < 0) {
            char who[SPEC_SIZE];
            owners(choice->registry, value->key, who);
            return complain(USAGE, "--%s does not go with --%s %s; it belongs to %s", value->option, choice->option,
                            prune_kind_name(choice->registry, kind), who);
        }
        if (!opened && strlen(spec) + 1 < SPEC_SIZE)
            strcat(spec, ":");
        opened = 1;
        int code = spec_append(spec, value->key, value->text, value->option);
        if (code)
            return code;
    }
    return DONE;
}
