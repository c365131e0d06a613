/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of real data that tests read where they are there: PRUNE_TEST_DATA says in which folder.
 */
#ifndef PM_TESTS_DATA_H
#define PM_TESTS_DATA_H

#include <unistd.h>

#include "testing.h"

/* The path of a file of the data, or NULL, said as a skip. */
static inline const char *data_path(const char *name)
{
    static char paths[4][1024];
    static int next;
    const char *base = getenv("PRUNE_TEST_DATA");
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", base && base[0] ? base : "../shared/data", name);
    if (access(paths[next], R_OK) == 0)
        return paths[next];
    skip(name, "the file is not there; PRUNE_TEST_DATA=DIR says where data are");
    return NULL;
}

#endif
