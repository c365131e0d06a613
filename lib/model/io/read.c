/* SPDX-License-Identifier: BSD-2-Clause */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "model/io/io.h"

int32_t pm_require_regular(unsigned mode)
{
    if (S_ISREG(mode))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_IO, "it is %s; a regular file is needed",
                   S_ISDIR(mode)    ? "a directory"
                   : S_ISFIFO(mode) ? "a FIFO"
                   : S_ISSOCK(mode) ? "a socket"
                                    : "a device");
}

int32_t pm_fail_errno(int32_t status, const char *what, int error)
{
    char reason[96];
    if (strerror_r(error, reason, sizeof reason))
        return pr_fail(status, "%s: error %d", what, error);
    return pr_fail(status, "%s: %s", what, reason);
}

int32_t pm_input_open(struct pm_input *input, const char *path)
{
    struct stat facts;
    /* Without O_NONBLOCK opening a FIFO waits for a writer. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return pm_fail_errno(errno == ENOENT || errno == ENOTDIR ? PRUNE_E_NOTFOUND : PRUNE_E_IO,
                             "cannot open it for reading", errno);
    int32_t status = PRUNE_OK;
    if (fstat(file, &facts))
        status = pm_fail_errno(PRUNE_E_IO, "cannot ask for its size", errno);
    else
        status = pm_require_regular(facts.st_mode);
    if (status) {
        close(file);
        return status;
    }
    *input = (struct pm_input){.file = file, .size = (int64_t)facts.st_size};
    return PRUNE_OK;
}

int32_t pm_input_read(const struct pm_input *input, int64_t offset, void *to, int64_t bytes)
{
    char *next = to;
    if (input->memory) {
        if (bytes > 0)
            memcpy(to, input->memory + offset, (size_t)bytes);
        return PRUNE_OK;
    }
    while (bytes > 0) {
        size_t piece = bytes > (1 << 30) ? (size_t)1 << 30 : (size_t)bytes;
        ssize_t got = pread(input->file, next, piece, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pm_fail_errno(PRUNE_E_IO, "reading failed", errno);
        if (got == 0)
            return pr_fail(PRUNE_E_IO,
                           "it ended at byte %lld while being read; %lld more were there when it was opened",
                           (long long)offset, (long long)bytes);
        next += got;
        offset += got;
        bytes -= got;
    }
    return PRUNE_OK;
}

int32_t pm_input_load(const struct pm_input *input, prune_context *context, char **text)
{
    char *loaded;
    PR_TRY(pr_alloc(context, input->size, 1, &loaded));
    int32_t status = pm_input_read(input, 0, loaded, input->size);
    if (status)
        pr_release(context, loaded);
    else
        *text = loaded;
    return status;
}

void pm_input_close(struct pm_input *input)
{
    close(input->file);
    input->file = -1;
}
