/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files for tests: a folder of the process's own that goes when it ends, whole files from and to memory.
 */
#ifndef PM_TESTS_FILES_H
#define PM_TESTS_FILES_H

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prune/file.h"
#include "testing.h"

static char scratch_folder[256];
static pid_t scratch_owner;
static int scratch_registered;

static void remove_folder(const char *folder)
{
    char path[1024];
    struct dirent *entry;
    DIR *list = opendir(folder);
    while (list && (entry = readdir(list))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (unlink(path))
            remove_folder(path);
    }
    if (list)
        closedir(list);
    rmdir(folder);
}

static void remove_scratch(void)
{
    if (scratch_owner == getpid())
        remove_folder(scratch_folder);
}

/* The path of `name` in the folder; four are kept apart. */
static inline const char *scratch(const char *name)
{
    static char paths[4][1024];
    static int next;
    if (scratch_owner == 0) {
        const char *base = getenv("TMPDIR");
        snprintf(scratch_folder, sizeof scratch_folder, "%s/prune-test-XXXXXX", base && base[0] ? base : "/tmp");
        ck_assert_ptr_nonnull(mkdtemp(scratch_folder));
        scratch_owner = getpid();
        if (!scratch_registered++)
            atexit(remove_scratch);
    }
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", scratch_folder, name);
    return paths[next];
}

/* An empty folder, for tests that count what is in it: without fork all tests of a program share one. */
static inline void fresh_folder(void)
{
    remove_scratch();
    scratch_owner = 0;
    scratch("");
}

/* How many entries the folder has. */
static inline int entries_of(const char *folder)
{
    int count = -2;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

struct content {
    unsigned char *bytes;
    size_t length;
};

static inline void save(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static inline struct content load(const char *path)
{
    struct stat facts;
    struct content content = {NULL, 0};
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    ck_assert_int_eq(fstat(fileno(file), &facts), 0);
    content.length = (size_t)facts.st_size;
    content.bytes = malloc(content.length + 1);
    ck_assert_uint_eq(fread(content.bytes, 1, content.length, file), content.length);
    fclose(file);
    return content;
}

static inline int holds(const char *path, const void *bytes, size_t length)
{
    struct content content = load(path);
    int same = content.length == length && memcmp(content.bytes, bytes, length) == 0;
    free(content.bytes);
    return same;
}

#endif
