/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "prune/status.h"
#include "prune/version.h"

/* The only mutable state outside objects: one sentence a thread. */
static _Thread_local char sentence_of_thread[512];

const char *prune_error(void)
{
    return sentence_of_thread;
}

int32_t prune_fail(int32_t status, const char *sentence)
{
    if (!sentence)
        sentence = "";
    size_t length = strnlen(sentence, sizeof sentence_of_thread - 1);
    memmove(sentence_of_thread, sentence, length);
    sentence_of_thread[length] = '\0';
    return status;
}

const char *prune_status_name(int32_t status)
{
    switch (status) {
    case PRUNE_OK:
        return "PRUNE_OK";
    case PRUNE_E_ARGUMENT:
        return "PRUNE_E_ARGUMENT";
    case PRUNE_E_SHAPE:
        return "PRUNE_E_SHAPE";
    case PRUNE_E_DTYPE:
        return "PRUNE_E_DTYPE";
    case PRUNE_E_SPEC:
        return "PRUNE_E_SPEC";
    case PRUNE_E_VALUE:
        return "PRUNE_E_VALUE";
    case PRUNE_E_FORMAT:
        return "PRUNE_E_FORMAT";
    case PRUNE_E_UNSUPPORTED:
        return "PRUNE_E_UNSUPPORTED";
    case PRUNE_E_INFEASIBLE:
        return "PRUNE_E_INFEASIBLE";
    case PRUNE_E_OVERFLOW:
        return "PRUNE_E_OVERFLOW";
    case PRUNE_E_NOMEM:
        return "PRUNE_E_NOMEM";
    case PRUNE_E_IO:
        return "PRUNE_E_IO";
    case PRUNE_E_NOTFOUND:
        return "PRUNE_E_NOTFOUND";
    case PRUNE_E_CANCELLED:
        return "PRUNE_E_CANCELLED";
    case PRUNE_E_DIVERGED:
        return "PRUNE_E_DIVERGED";
    default:
        return "PRUNE_E_?";
    }
}

const char *prune_version(void)
{
    return PRUNE_VERSION_STRING;
}
