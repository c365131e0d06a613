/* SPDX-License-Identifier: BSD-2-Clause */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "model/io/io.h"

#define BUFFER_BYTES 65536
#define LINK_BYTES 4096
#define MOST_LINKS 40 /* as Linux allows in one path */
#define TEMPORARY ".prune-%016llx.tmp"
#define TEMPORARY_BYTES 32

/* The length of the folder's part of a path, its last slash included. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* Replaces *path, a symbolic link, by what it says. */
static int32_t follow(prune_context *context, char **path)
{
    char *link, *joined;
    PR_TRY(pr_alloc(context, LINK_BYTES, 1, &link));
    ssize_t length = readlink(*path, link, LINK_BYTES);
    if (length < 0 || length == LINK_BYTES) {
        int error = length < 0 ? errno : ENAMETOOLONG;
        pr_release(context, link);
        return pm_fail_errno(PRUNE_E_IO, "cannot read the symbolic link", error);
    }
    size_t folder = link[0] == '/' ? 0 : folder_length(*path);
    int32_t status = pr_alloc(context, (int64_t)folder + length + 1, 1, &joined);
    if (!status) {
        memcpy(joined, *path, folder);
        memcpy(joined + folder, link, (size_t)length);
        joined[folder + (size_t)length] = '\0';
        pr_release(context, *path);
        *path = joined;
    }
    pr_release(context, link);
    return status;
}

/* Finds what `path` stands for in the end; it need not exist. */
static int32_t resolve(prune_context *context, const char *path, char **target)
{
    struct stat facts;
    char *current;
    PR_TRY(pr_copy_text(context, path, &current));
    int32_t status = PRUNE_OK;
    for (int i = 0; !status && lstat(current, &facts) == 0 && S_ISLNK(facts.st_mode); i++)
        status = i < MOST_LINKS ? follow(context, &current) : pm_fail_errno(PRUNE_E_IO, "cannot follow it", ELOOP);
    if (status)
        pr_release(context, current);
    else
        *target = current;
    return status;
}

/* Something that another process or thread is unlikely to choose as well; O_EXCL settles the rest. */
static unsigned long long draw(const void *salt, int attempt)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t x = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 30 ^ (uint64_t)getpid() << 44 ^ (uintptr_t)salt;
    x += 0x9e3779b97f4a7c15u * (uint64_t)(attempt + 1);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Its name does not contain the target's, which may be as long as names can be. */
static int32_t create_temporary(struct pm_output *output, mode_t mode)
{
    char *name;
    size_t folder = folder_length(output->target);
    if (output->target[folder] == '\0')
        return pr_fail(PRUNE_E_IO, "the path ends in \"/\"; the name of a file is needed");
    PR_TRY(pr_alloc(output->context, (int64_t)folder + TEMPORARY_BYTES, 1, &name));
    memcpy(name, output->target, folder);
    for (int attempt = 0; attempt < 100 && output->file < 0; attempt++) {
        snprintf(name + folder, TEMPORARY_BYTES, TEMPORARY, draw(output, attempt));
        output->file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (output->file < 0 && errno != EEXIST && errno != EINTR)
            break;
    }
    if (output->file < 0) {
        int error = errno;
        pr_release(output->context, name);
        return pm_fail_errno(error == ENOENT || error == ENOTDIR ? PRUNE_E_NOTFOUND : PRUNE_E_IO,
                             "cannot create a file in that folder", error);
    }
    output->temporary = name;
    name[folder] = '\0';
    output->folder = open(folder > 0 ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    name[folder] = '.';
    return PRUNE_OK;
}

/* The temporary file was created for its owner alone, and is opened to others only as far as the old one was. */
static int32_t keep_permissions(const struct pm_output *output, const struct stat *old)
{
    struct stat new;
    mode_t mode = old->st_mode & 0777;
    if (fstat(output->file, &new))
        return pm_fail_errno(PRUNE_E_IO, "cannot ask for the permissions", errno);
    if ((new.st_uid != old->st_uid || new.st_gid != old->st_gid) && fchown(output->file, old->st_uid, old->st_gid) &&
        new.st_gid != old->st_gid && fchown(output->file, (uid_t)-1, old->st_gid))
        mode &= (mode_t)~070; /* another group must not get what the old group had */
    if (fchmod(output->file, mode))
        return pm_fail_errno(PRUNE_E_IO, "cannot set the permissions", errno);
    return PRUNE_OK;
}

static int32_t open_output(struct pm_output *output, const char *path)
{
    struct stat old;
    if (!path[0])
        return pr_fail(PRUNE_E_ARGUMENT, "the path is empty; the name of a file is needed");
    int exists = stat(path, &old) == 0;
    if (exists)
        PR_TRY(pm_require_regular(old.st_mode));
    else if (errno != ENOENT)
        return pm_fail_errno(errno == ENOTDIR ? PRUNE_E_NOTFOUND : PRUNE_E_IO, "cannot write it", errno);
    /* rename would replace it all the same. */
    if (exists && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
        return pm_fail_errno(PRUNE_E_IO, "cannot write it", errno);
    PR_TRY(pr_alloc(output->context, BUFFER_BYTES, 1, &output->buffer));
    PR_TRY(resolve(output->context, path, &output->target));
    PR_TRY(create_temporary(output, exists ? 0600 : 0666));
    return exists ? keep_permissions(output, &old) : PRUNE_OK;
}

int32_t pm_output_open(struct pm_output *output, prune_context *context, const char *path)
{
    *output = (struct pm_output){.context = context, .file = -1, .folder = -1};
    int32_t status = open_output(output, path);
    if (status)
        pm_output_close(output);
    return status;
}

static int32_t write_all(const struct pm_output *output, const char *data, int64_t bytes)
{
    while (bytes > 0) {
        ssize_t done = write(output->file, data, bytes > (1 << 30) ? (size_t)1 << 30 : (size_t)bytes);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return pm_fail_errno(PRUNE_E_IO, "writing failed, nothing was replaced", errno);
        data += done;
        bytes -= done;
    }
    return PRUNE_OK;
}

static int32_t flush(struct pm_output *output)
{
    PR_TRY(write_all(output, output->buffer, output->used));
    output->used = 0;
    return PRUNE_OK;
}

int32_t pm_output_write(struct pm_output *output, const void *data, int64_t bytes)
{
    if (output->used + bytes > BUFFER_BYTES)
        PR_TRY(flush(output));
    if (bytes > BUFFER_BYTES)
        return write_all(output, data, bytes);
    if (bytes > 0)
        memcpy(output->buffer + output->used, data, (size_t)bytes);
    output->used += bytes;
    return PRUNE_OK;
}

int32_t pm_output_elements(struct pm_output *output, const void *data, int64_t size, int64_t count)
{
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ || size == 1)
        return pm_output_write(output, data, size * count);
    const char *next = data;
    for (int64_t i = 0; i < count; i++, next += size) {
        char element[8];
        memcpy(element, next, (size_t)size);
        pm_to_native(element, size, 1, 0);
        PR_TRY(pm_output_write(output, element, size));
    }
    return PRUNE_OK;
}

int32_t pm_output_seek(struct pm_output *output, int64_t offset)
{
    PR_TRY(flush(output));
    if (lseek(output->file, (off_t)offset, SEEK_SET) < 0)
        return pm_fail_errno(PRUNE_E_IO, "writing failed, nothing was replaced", errno);
    return PRUNE_OK;
}

int32_t pm_output_extend(struct pm_output *output, int64_t bytes)
{
    int result;
    PR_TRY(flush(output));
    do
        result = ftruncate(output->file, (off_t)bytes);
    while (result && errno == EINTR);
    return result ? pm_fail_errno(PRUNE_E_IO, "writing failed, nothing was replaced", errno) : PRUNE_OK;
}

static int sync_file(int file)
{
    int result;
    do
        result = fsync(file);
    while (result && errno == EINTR);
    return result;
}

int32_t pm_output_commit(struct pm_output *output)
{
    PR_TRY(flush(output));
    if (sync_file(output->file))
        return pm_fail_errno(PRUNE_E_IO, "writing failed, nothing was replaced", errno);
    int closed = close(output->file);
    output->file = -1;
    if (closed && errno != EINTR)
        return pm_fail_errno(PRUNE_E_IO, "writing failed, nothing was replaced", errno);
    if (rename(output->temporary, output->target))
        return pm_fail_errno(PRUNE_E_IO, "cannot replace it", errno);
    pr_release(output->context, output->temporary);
    output->temporary = NULL;
    /* A folder that may not be read, and file systems that know no fsync of one (EINVAL), do without. */
    if (output->folder >= 0 && sync_file(output->folder) && errno != EINVAL)
        return pm_fail_errno(PRUNE_E_IO, "it was replaced, but making that durable failed", errno);
    return PRUNE_OK;
}

void pm_output_close(struct pm_output *output)
{
    if (output->file >= 0)
        close(output->file);
    if (output->folder >= 0)
        close(output->folder);
    if (output->temporary)
        unlink(output->temporary);
    pr_release(output->context, output->temporary);
    pr_release(output->context, output->target);
    pr_release(output->context, output->buffer);
}
