/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Spec strings, "KIND:key=value,key=value", and the one table of parameters from which a kind's parser, canonical
 * string, help and long options all come.
 */
#ifndef PR_BASE_SPEC_H
#define PR_BASE_SPEC_H

#include <stddef.h>

#include "base/fail.h"

enum pr_parameter_type {
    PR_WHOLE, /* an integer, within [least, most] */
    PR_REAL,  /* a finite number, within [least, most] */
    PR_WORD,  /* one of `words`, separated by "|" */
    PR_PAIR,  /* two integers, each within [least, most], written 4x1; one alone stands for both */
    PR_TEXT   /* characters of `words`, at least one and at most PR_MAX_TEXT - 1; one parameter of a kind may have it */
};

struct pr_parameter {
    const char *name;
    enum pr_parameter_type type;
    const char *standard; /* the default as text; NULL when a value must be given */
    double least, most;   /* for whole numbers at most 2^53 */
    const char *words;
    const char *help; /* one line, with unit and range */
};

/* What every kind of every registry begins with: its name, its help, its parameters (ended by one without a name). */
struct pr_kind {
    const char *name;
    const char *help;
    const struct pr_parameter *parameters; /* NULL for none */
};

#define PR_MAX_PARAMETERS 16
#define PR_MAX_TEXT 400

/* The values of a kind's parameters, in the order of its table. */
struct pr_values {
    int64_t whole[PR_MAX_PARAMETERS]; /* PR_WHOLE: the number; PR_WORD: which word, from 0 */
    double real[PR_MAX_PARAMETERS];   /* PR_REAL, and PR_WHOLE again; PR_PAIR: the second, whole the first */
    char text[PR_MAX_TEXT];           /* PR_TEXT */
};

/* Parses `spec` against `count` kinds; *kind is the index of the one named. `what` is the noun for sentences:
 * "criterion". */
int32_t pr_spec_parse(const char *spec, const char *what, const struct pr_kind *const *kinds, int32_t count,
                      int32_t *kind, struct pr_values *values);

/* Parses "key=value,key=value" (NULL and "" give the defaults) against one table. */
int32_t pr_spec_parse_list(const char *list, const char *what, const struct pr_parameter *parameters,
                           struct pr_values *values);

/* The canonical string: the kind and the values that have no default or differ from it, in the order of the table.
 * Returns the length without the NUL; at most PR_MAX_SPEC - 1. */
#define PR_MAX_SPEC 512
size_t pr_spec_print(char out[PR_MAX_SPEC], const struct pr_kind *kind, const struct pr_values *values);

/* Numbers as text, whatever the locale: the shortest that reads back as the same double; and back (1 when all of
 * text[0..length) is a finite number). Decimal digits beyond the 19th are not significant. */
#define PR_MAX_NUMBER 32
size_t pr_number_print(char out[PR_MAX_NUMBER], double value);
int pr_number_parse(const char *text, size_t length, double *value);

#endif
