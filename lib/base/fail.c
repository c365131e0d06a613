/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>

int32_t pr_fail(int32_t status, const char *format, ...)
{
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    return prune_fail(status, sentence);
}

int32_t pr_fail_in(int32_t status, const char *format, ...)
{
    char prefix[512], sentence[1100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    snprintf(sentence, sizeof sentence, "%s: %s", prefix, prune_error());
    return prune_fail(status, sentence);
}
