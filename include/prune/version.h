/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PRUNE_VERSION_H
#define PRUNE_VERSION_H

#include <stdint.h>

/* What every exported declaration begins with. A parser of headers may define it empty. */
#ifndef PRUNE_API
#if defined(__GNUC__)
#define PRUNE_API __attribute__((visibility("default")))
#else
#define PRUNE_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PRUNE_VERSION_MAJOR 0
#define PRUNE_VERSION_MINOR 1
#define PRUNE_VERSION_PATCH 0
#define PRUNE_VERSION_STRING "0.1.0"

/* The version of the library that is running, which may be newer than the header that was compiled against:
 * "MAJOR.MINOR.PATCH", a constant. */
PRUNE_API const char *prune_version(void);

#ifdef __cplusplus
}
#endif
#endif
