/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A cursor over JSON text (RFC 8259) that takes what the caller expects next and refuses everything else. It allocates
 * nothing and does not recurse, so neither depth nor size of a hostile header costs anything.
 *
 * Why not jansson: its lexer (2.14) does not look whether its buffer could grow. When memory runs out inside a token of
 * more than 15 bytes, it drops bytes of a name without an error, or reads past the end of the token. And it takes -0
 * for an integer.
 */
#ifndef PM_JSON_H
#define PM_JSON_H

#include <stdint.h>

struct pm_json {
    char *text; /* strings are decoded in place */
    int64_t length, at;
};

/* Skips white space; 1 and one byte further when the next byte is `c`, else 0. */
int pm_json_take(struct pm_json *json, char c);

/* The same, or PRUNE_E_FORMAT; `where` completes "... is expected ". */
int32_t pm_json_expect(struct pm_json *json, char c, const char *where);

/* A string, decoded into the text itself and NUL-terminated. Refused: what is not UTF-8, control characters, NUL,
 * surrogates without their pair. */
int32_t pm_json_string(struct pm_json *json, char **string, const char *where);

/* A whole number 0 to 2^63 - 1 written with digits alone. */
int32_t pm_json_whole(struct pm_json *json, int64_t *value, const char *where);

/* Passes over a value of any kind, nested up to 64 deep. */
int32_t pm_json_skip(struct pm_json *json);

/* Nothing but white space may be left. */
int32_t pm_json_end(struct pm_json *json);

#endif
