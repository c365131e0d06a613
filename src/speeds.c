/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define MOST_BYTES (1 << 24)

int speeds_path(char path[4096])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (cache && *cache == '/') /* a relative one is to be ignored, says its specification */
        length = snprintf(path, 4096, "%s/prune/speeds", cache);
    else if (home && *home == '/')
        length = snprintf(path, 4096, "%s/.cache/prune/speeds", home);
    if (length < 0 || length >= 4096)
        return complain(USAGE, "there is no cache folder: neither XDG_CACHE_HOME nor HOME names one; use -o FILE");
    return DONE;
}

void speeds_load(prune_context *context)
{
    char path[4096];
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (!(cache && *cache == '/') && !(home && *home == '/'))
        return;
    FILE *file = speeds_path(path) ? NULL : fopen(path, "r");
    if (!file)
        return;
    char *text = malloc(MOST_BYTES);
    size_t bytes = text ? fread(text, 1, MOST_BYTES, file) : 0;
    if (text && prune_context_set_speeds(context, text, (int64_t)bytes))
        fprintf(stderr, "prune: %s is not used: %s; `prune bench --calibrate` writes a new one\n", path, prune_error());
    free(text);
    fclose(file);
}
