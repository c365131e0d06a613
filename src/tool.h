/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the commands of the tool share: exit codes, options, output, progress.
 */
#ifndef TOOL_H
#define TOOL_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "prune/model.h"
#include "prune/prune.h"

/* Exit codes, as prune(1) lists them. */
enum {
    DONE = 0,
    NEGATIVE = 1, /* the question was answered with no */
    USAGE = 2,
    BAD_INPUT = 3,
    IO_FAILED = 4,
    NO_MEMORY = 5,
    DIVERGED = 6
};

/* What a library status means as an exit code. */
int exit_of(int32_t status);

/* Prints "prune: SENTENCE" to stderr and returns `code`. */
int complain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with the library's sentence; `about`, if any, goes in front. */
int complain_status(int32_t status, const char *about);

/* A command: one file cmd_NAME.c, one line in the table of main.c. */
struct command {
    const char *name;
    const char *summary;
    const char *usage; /* without "prune NAME", alternatives on lines of their own */
    const char *text;  /* paragraphs of --help below the usage */
    int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command cmd_train, cmd_model, cmd_score, cmd_mask, cmd_apply, cmd_recover, cmd_order, cmd_verify,
    cmd_pack, cmd_eval, cmd_run, cmd_compare, cmd_inspect, cmd_report, cmd_bench, cmd_convert, cmd_list;

/* options.c */

enum option_type { OPTION_END, OPTION_FLAG, OPTION_TEXT, OPTION_LIST, OPTION_WHOLE };

struct words {
    const char **items;
    int count;
};

/* One option. `value` is an int (1 when given), a const char * (the text), a struct words (every text given, in order),
 * or an int64_t within [least, most]. */
struct option {
    enum option_type type;
    const char *name;
    char letter; /* 0: none */
    void *value;
    const char *argument;
    const char *help;
    int64_t least, most;
};

/* Every option of a command: fixed tables and those of kinds. */
#define MAX_OPTIONS 96
struct options {
    struct option items[MAX_OPTIONS];
    int count;
    struct words operands;
    int help;
};

/* A name that is there already stays with its first owner. */
void options_add(struct options *options, const struct option *table);
int options_have(struct options *options, const char *name);

/* Reads the command line; on --help prints it and sets help. DONE, USAGE or NO_MEMORY. */
int options_parse(struct options *options, const struct command *command, int argc, char **argv);
void options_free(struct options *options);

/* Options that every command with a context takes. */
struct common {
    int json;
    int64_t threads;
};
void options_add_common(struct options *options, struct common *common);

/* Checks the number of operands: USAGE, saying what is missing or too much. */
int options_operands(const struct options *options, const struct command *command, int least, int most,
                     const char *what);
int option_missing(const struct command *command, const char *option);

/* The option -o; `argument` as --help shows it. */
void options_add_output(struct options *options, const char **output, const char *argument);

/* What commands from one file of weights to one other have in common: parses, wants both, works, and frees the
 * options. */
int options_run(struct options *options, const struct command *command, int argc, char **argv,
                int (*work)(void *job, const char *weights), void *job);

/* kinds.c: the options of a registry's kinds */

struct kind_value {
    char option[48]; /* the key with - for _; with the choice's option before it where that was taken */
    char help[600];
    const char *key;
    const char *text;
};

struct kind_choice {
    const char *registry;
    const char *option; /* "criterion" */
    const char *spec;   /* what --criterion says, or the default */
    const char *standard;
    struct kind_value values[40];
    int count;
    char help[600];
};

void kind_choice_add(struct kind_choice *choice, struct options *options, const char *registry, const char *option,
                     const char *standard);

#define SPEC_SIZE 512
/* The spec string out of --criterion and the options of that kind; USAGE for an option that belongs to another kind. */
int kind_choice_spec(const struct kind_choice *choice, char spec[SPEC_SIZE]);

/* Whether the kind was named, or some option of it given. */
int kind_choice_asked(const struct kind_choice *choice);

/* Whether some option of the choice was given. */
int kind_choice_given(const struct kind_choice *choice);

/* Appends ",key=value" (or "key=value" to an empty or fresh list); USAGE when the value holds a , : or =. */
int spec_append(char spec[SPEC_SIZE], const char *key, const char *value, const char *option);

/* progress.c */

/* A context with the tool's progress and `threads` threads. */
int context_open(prune_context **context, const struct common *common);
void progress_label(const char *label);
void progress_show(const char *what, int64_t done, int64_t total);
void progress_end(void);
double now(void);

/* The write of a file: signals that would end the process wait until the file is whole. */
void write_begin(void);
void write_end(void);

/* speeds.c: the table of speeds in the user's cache folder, which `prune bench --calibrate` writes */

/* Its name; USAGE where there is no home. */
int speeds_path(char path[4096]);
/* Gives it to the context, if there is one; one that cannot be used is warned of and left alone. */
void speeds_load(prune_context *context);

/* output.c */

int use_colour(FILE *stream);

/* Prints and frees a document, adding "schema" and "command" in front. */
int print_json(json_t *fields, const char *command);
json_t *json_text(const char *text);

/* A table of texts for people: first column left, others right; row 0 is the head. */
struct table {
    char **cells;
    int columns, count, room;
};
int table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(const struct table *table, FILE *stream);
void table_free(struct table *table);

#define AMOUNT_SIZE 40
const char *amount_count(char out[AMOUNT_SIZE], int64_t count);     /* 266,610 */
const char *amount_energy(char out[AMOUNT_SIZE], double picojoule); /* "170.6 uJ" */
const char *amount_time(char out[AMOUNT_SIZE], double seconds);     /* "12.3 us" */

/* data.c */

#define STANDARD_DATA "/usr/share/datasets/fashion-mnist"
int data_read(prune_tensor **images, prune_tensor **labels, prune_context *context, const char *folder,
              const char *split);

/* facts.c: what a network weighs and costs */

struct facts {
    int64_t parameters, parameters_kept;
    int64_t weights, weights_kept;
    int64_t macs; /* dense */
    int64_t macs_done;
    double words;       /* 32-bit words of weights, indices and biases as they are stored */
    double activations; /* words read and written */
    double energy;      /* picojoule */
    int64_t file_bytes;
    char format[SPEC_SIZE]; /* of the first packed weight; "dense" */
};
int facts_of(struct facts *facts, prune_network *network, const char *path);

/* Of one layer's weight: how many it has and keeps. Sparse or dense. */
int weight_counts(prune_network *network, const char *name, int64_t *count, int64_t *kept);

/* network.c */
int network_read(prune_network **network, prune_context *context, const char *path);
int network_write(const prune_network *network, const char *path);
int name_ends(const char *name, const char *end);

#endif
