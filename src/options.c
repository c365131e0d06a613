/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Command lines: every option is a row of a table, from which parsing and --help come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define HELP_COLUMN 28
#define HELP_WIDTH 88

static struct option *find(struct options *options, const char *name, size_t length)
{
    for (int i = 0; i < options->count; i++) {
        const char *known = options->items[i].name;
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return &options->items[i];
    }
    return NULL;
}

void options_add(struct options *options, const struct option *table)
{
    for (; table->type != OPTION_END && options->count < MAX_OPTIONS; table++)
        if (!find(options, table->name, strlen(table->name)))
            options->items[options->count++] = *table;
}

int options_have(struct options *options, const char *name)
{
    return find(options, name, strlen(name)) != NULL;
}

void options_add_common(struct options *options, struct common *common)
{
    common->threads = 1;
    options_add(options, (struct option[]){
                             {OPTION_FLAG, "json", 0, &common->json, NULL,
                              "print one JSON document (with \"schema\": 1) instead of text", 0, 0},
                             {OPTION_WHOLE, "threads", 0, &common->threads, "N",
                              "threads for sparse products and selection (1); OpenBLAS always has one", 1, 256},
                             {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                         });
}

/* Prints words from `column` on, going to a new line at HELP_COLUMN before HELP_WIDTH. */
static void print_wrapped(const char *text, int column)
{
    for (int first = 1; *text; first = 0) {
        int length = (int)strcspn(text, " ");
        if (!first && column + 1 + length > HELP_WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (!first) {
            putchar(' ');
            column++;
        }
        printf("%.*s", length, text);
        column += length;
        text += length;
        text += *text == ' ';
    }
    putchar('\n');
}

static void print_option(const struct option *option)
{
    char letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    int column = printf("  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
                        option->argument ? option->argument : "");
    int gap = column < HELP_COLUMN - 1 ? HELP_COLUMN - column : 2;
    printf("%*s", gap, "");
    print_wrapped(option->help, column + gap);
}

static void print_usage(const struct command *command)
{
    const char *start = "usage: ";
    for (const char *line = command->usage; *line;) {
        int length = (int)strcspn(line, "\n");
        printf("%sprune %s %.*s\n", start, command->name, length, line);
        start = "       ";
        line += length + (line[length] == '\n');
    }
}

static void print_help(const struct options *options, const struct command *command)
{
    print_usage(command);
    printf("\n%s\n\nOptions:\n", command->text);
    for (int i = 0; i < options->count; i++)
        print_option(&options->items[i]);
    print_option(&(struct option){OPTION_FLAG, "help", 'h', NULL, NULL, "print this", 0, 0});
}

static int take_whole(const struct option *option, const char *text)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || errno || number < option->least || number > option->most)
        return complain(USAGE, "--%s takes a whole number from %lld to %lld, not \"%s\"", option->name,
                        (long long)option->least, (long long)option->most, text);
    *(int64_t *)option->value = number;
    return DONE;
}

static int take_word(struct words *words, const char *text)
{
    const char **items = realloc(words->items, sizeof *items * (size_t)(words->count + 1));
    if (!items)
        return complain(NO_MEMORY, "out of memory for the command line");
    words->items = items;
    words->items[words->count++] = text;
    return DONE;
}

static int take(const struct option *option, const char *text)
{
    switch (option->type) {
    case OPTION_WHOLE:
        return take_whole(option, text);
    case OPTION_LIST:
        return take_word(option->value, text);
    default:
        *(const char **)option->value = text;
        return DONE;
    }
}

/* One option at argv[*at]; *at moves on to its last word. */
static int parse_option(struct options *options, const struct command *command, int argc, char **argv, int *at)
{
    const char *word = argv[*at];
    struct option *option = NULL;
    const char *value = NULL;
    if (word[1] == '-') {
        size_t length = strcspn(word + 2, "=");
        option = find(options, word + 2, length);
        if (word[2 + length] == '=')
            value = word + 2 + length + 1;
    } else {
        for (int i = 0; i < options->count; i++)
            if (options->items[i].letter == word[1])
                option = &options->items[i];
        if (option && word[2])
            value = word + 2;
    }
    if (!option)
        return complain(USAGE, "%s has no option \"%s\"; `prune %s --help` lists its options", command->name, word,
                        command->name);
    if (option->type == OPTION_FLAG) {
        if (value)
            return complain(USAGE, "--%s takes no value; write it alone", option->name);
        *(int *)option->value = 1;
        return DONE;
    }
    if (!value && *at + 1 >= argc)
        return complain(USAGE, "--%s needs a value: --%s %s", option->name, option->name, option->argument);
    if (!value)
        value = argv[++*at];
    return take(option, value);
}

static int asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int options_parse(struct options *options, const struct command *command, int argc, char **argv)
{
    int code = DONE;
    int at = 1;
    for (; at < argc && code == DONE && strcmp(argv[at], "--") != 0; at++) {
        if (asks_for_help(argv[at])) {
            print_help(options, command);
            options->help = 1;
            return DONE;
        }
        if (argv[at][0] == '-' && argv[at][1])
            code = parse_option(options, command, argc, argv, &at);
        else
            code = take_word(&options->operands, argv[at]);
    }
    for (at++; at < argc && code == DONE; at++)
        code = take_word(&options->operands, argv[at]);
    return code;
}

void options_free(struct options *options)
{
    for (int i = 0; i < options->count; i++)
        if (options->items[i].type == OPTION_LIST)
            free(((struct words *)options->items[i].value)->items);
    free(options->operands.items);
}

int options_operands(const struct options *options, const struct command *command, int least, int most,
                     const char *what)
{
    int count = options->operands.count;
    if (count < least)
        return complain(USAGE, "%s needs %s; see `prune %s --help`", command->name, what, command->name);
    if (most >= 0 && count > most)
        return complain(USAGE, "%s takes %s; \"%s\" is too much", command->name, most == 0 ? "no file" : what,
                        options->operands.items[most]);
    return DONE;
}

int option_missing(const struct command *command, const char *option)
{
    return complain(USAGE, "%s needs %s; see `prune %s --help`", command->name, option, command->name);
}

void options_add_output(struct options *options, const char **output, const char *argument)
{
    options_add(options, (struct option[]){
                             {OPTION_TEXT, "output", 'o', output, argument, "the file to write", 0, 0},
                             {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                         });
}

int options_run(struct options *options, const struct command *command, int argc, char **argv,
                int (*work)(void *job, const char *weights), void *job)
{
    const struct option *output = find(options, "output", strlen("output"));
    int code = options_parse(options, command, argc, argv);
    if (!code && !options->help) {
        code = options_operands(options, command, 1, 1, "one file of weights");
        if (!code && !*(const char **)output->value)
            code = complain(USAGE, "%s needs -o %s, the file to write; see `prune %s --help`", command->name,
                            output->argument, command->name);
        if (!code)
            code = work(job, options->operands.items[0]);
    }
    options_free(options);
    return code;
}
