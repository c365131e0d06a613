/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kinds: what there is to choose from, as lists that a program can walk.
 *
 * A kind is named by a spec string, "KIND" or "KIND:key=value,key=value": "l1", "lp:p=1.5", "nm:keep_n=2,group_m=4".
 * Keys may come in any order, each at most once; spaces are not allowed; numbers are written with digits, "." and "e",
 * whatever the locale. PRUNE_E_SPEC names what was not understood and lists what would be.
 *
 * Registries of libprune: "criteria", "granularities", "allocations", "conformances" (how other programs count),
 * "schedules", "orders" (channel orders), "recoveries", "regularizers", "formats" (sparse formats).
 */
#ifndef PRUNE_KINDS_H
#define PRUNE_KINDS_H

#include <stdint.h>

#include "prune/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many kinds a registry has; -1 for a name that is no registry. */
PRUNE_API int32_t prune_kind_count(const char *registry);

/* Name and one line of help of kind `index`; NULL outside the list. Constants. */
PRUNE_API const char *prune_kind_name(const char *registry, int32_t index);
PRUNE_API const char *prune_kind_help(const char *registry, int32_t index);

/* The parameters of kind `index`: how many (-1 outside the list), and of parameter `parameter` its key, its default as
 * text (NULL when a value must be given), and one line of help with unit and range; NULL outside the list. Constants.
 */
PRUNE_API int32_t prune_kind_parameter_count(const char *registry, int32_t index);
PRUNE_API const char *prune_kind_parameter_name(const char *registry, int32_t index, int32_t parameter);
PRUNE_API const char *prune_kind_parameter_default(const char *registry, int32_t index, int32_t parameter);
PRUNE_API const char *prune_kind_parameter_help(const char *registry, int32_t index, int32_t parameter);

#ifdef __cplusplus
}
#endif
#endif
