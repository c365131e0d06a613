/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files that cannot be read or written: the sentence says why, the target stays as it was, nothing is left behind.
 */
#define _DEFAULT_SOURCE /* mount */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "allocator.h"
#include "files.h"

static const char old[] = "what was here before";

/* Nothing but `count` files in the scratch folder, and `path` as it was. */
static void expect_untouched(const char *path, int count)
{
    ck_assert(holds(path, old, sizeof old));
    ck_assert_int_eq(entries_of(scratch_folder), count);
}

static prune_archive *archive_of(int64_t count)
{
    prune_archive *archive;
    prune_tensor *tensor;
    OK(prune_archive_create(&archive, NULL));
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 1, &count));
    OK(prune_archive_add(archive, "w", tensor));
    prune_tensor_free(tensor);
    return archive;
}

static void cannot_write(const char *path, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    const int64_t count = 3;
    prune_archive *archive;
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, context, PRUNE_F32, 1, &count));
    OK(prune_archive_create(&archive, context));
    int64_t blocks = allocator.live;
    FAILS(prune_archive_write(archive, path), status, word);
    FAILS(prune_npy_write(tensor, path), status, word);
    ck_assert_int_eq(allocator.live, blocks);
    prune_archive_free(archive);
    prune_tensor_free(tensor);
    ck_assert_int_eq(allocator.live, 0);
    prune_context_free(context);
}

static void cannot_read(const char *path, int32_t status, const char *word)
{
    prune_archive *archive = UNTOUCHED;
    prune_tensor *tensor = UNTOUCHED;
    FAILS(prune_archive_read(&archive, NULL, path), status, word);
    FAILS(prune_npy_read(&tensor, NULL, path), status, word);
    FAILS(prune_idx_read(&tensor, NULL, path), status, word);
    ck_assert_ptr_eq(archive, UNTOUCHED);
    ck_assert_ptr_eq(tensor, UNTOUCHED);
}

/* Runs `test` in a child; in it, 0 is success and anything else the line that failed. */
static void in_child(int (*test)(const char *), const char *path)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(test(path));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d, 0x%x: see in_child",
                  WEXITSTATUS(status), (unsigned)status);
}

/* What a child checks: 1 unless the write fails so. */
static int write_fails(const char *path, int32_t status, const char *word)
{
    prune_archive *archive;
    prune_tensor *tensor;
    const int64_t count = 100000;
    if (prune_archive_create(&archive, NULL) || prune_tensor_create(&tensor, NULL, PRUNE_F32, 1, &count))
        return 2;
    memset(prune_tensor_data(tensor), 1, (size_t)count * 4); /* zeros would become a hole */
    if (prune_archive_add(archive, "w", tensor))
        return 2;
    int32_t first = prune_archive_write(archive, path);
    int said = strstr(prune_error(), word) != NULL;
    int32_t second = prune_npy_write(tensor, path);
    if (first != status || second != status || !said || !strstr(prune_error(), word))
        fprintf(stderr, "%s, %s: %s\n", prune_status_name(first), prune_status_name(second), prune_error());
    prune_tensor_free(tensor);
    prune_archive_free(archive);
    return first != status || second != status || !said || !strstr(prune_error(), word);
}

static int becomes_nobody(void)
{
    return setgroups(0, NULL) || setgid(65534) || setuid(65534);
}

START_TEST(no_file_of_that_name)
{
    fresh_folder();
    cannot_read(scratch("absent"), PRUNE_E_NOTFOUND, "absent");
    cannot_read(scratch("absent/x"), PRUNE_E_NOTFOUND, "No such file");
    cannot_read("", PRUNE_E_NOTFOUND, "cannot open");
    save(scratch("file"), old, sizeof old);
    cannot_read(scratch("file/x"), PRUNE_E_NOTFOUND, "Not a directory");
}
END_TEST

START_TEST(no_folder_of_that_name)
{
    fresh_folder();
    cannot_write(scratch("absent/x"), PRUNE_E_NOTFOUND, "folder");
    save(scratch("file"), old, sizeof old);
    cannot_write(scratch("file/x"), PRUNE_E_NOTFOUND, "Not a directory");
    cannot_write("", PRUNE_E_ARGUMENT, "empty");
    cannot_write(scratch("absent/"), PRUNE_E_IO, "\"/\"");
    expect_untouched(scratch("file"), 1);
}
END_TEST

START_TEST(a_name_longer_than_names_can_be)
{
    fresh_folder();
    char name[400];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cannot_write(scratch(name), PRUNE_E_IO, "too long");
    cannot_read(scratch(name), PRUNE_E_IO, "too long");
    name[255] = '\0'; /* as long as they can be: the temporary file's must not be longer */
    prune_archive *archive = archive_of(3);
    OK(prune_archive_write(archive, scratch(name)));
    prune_archive_free(archive);
    ck_assert_int_eq(entries_of(scratch_folder), 1);
}
END_TEST

START_TEST(folders_fifos_sockets_and_devices)
{
    fresh_folder();
    const char *fifo = scratch("fifo"), *folder = scratch("folder"), *path = scratch("socket");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    cannot_read(folder, PRUNE_E_IO, "a directory");
    cannot_write(folder, PRUNE_E_IO, "a directory");
    cannot_read(fifo, PRUNE_E_IO, "a FIFO");
    cannot_write(fifo, PRUNE_E_IO, "a FIFO");
    cannot_read("/dev/zero", PRUNE_E_IO, "a device");
    cannot_write("/dev/full", PRUNE_E_IO, "a device");
    cannot_write("/dev/null", PRUNE_E_IO, "a device");
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (server >= 0 && bind(server, (struct sockaddr *)&address, sizeof address) == 0)
        cannot_write(path, PRUNE_E_IO, "a socket");
    close(server);
}
END_TEST

static int nobody_cannot(const char *path)
{
    prune_archive *archive = NULL;
    if (becomes_nobody())
        return 3;
    int32_t status = prune_archive_read(&archive, NULL, path);
    if (status != PRUNE_E_IO || archive || !strstr(prune_error(), "ermission denied"))
        return 4;
    return write_fails(path, PRUNE_E_IO, "ermission denied");
}

/* A file of another user: in a folder of that user, and in one where everybody may write. */
START_TEST(a_file_that_another_user_protects)
{
    fresh_folder();
    const char *path = scratch("theirs");
    save(path, old, sizeof old);
    ck_assert_int_eq(chmod(path, 0600), 0);
    if (getuid() != 0) {
        skip("a_file_that_another_user_protects", "only root can become another user");
        return;
    }
    ck_assert_int_eq(chmod(scratch_folder, 0755), 0);
    in_child(nobody_cannot, path);
    ck_assert_int_eq(chmod(scratch_folder, 0777), 0);
    in_child(nobody_cannot, path);
    ck_assert_int_eq(chmod(scratch_folder, 0700), 0);
    expect_untouched(path, 1);
}
END_TEST

static int nobody_cannot_create(const char *path)
{
    return becomes_nobody() ? 3 : write_fails(path, PRUNE_E_IO, "ermission denied");
}

START_TEST(a_folder_of_another_user)
{
    fresh_folder();
    const char *path = scratch("new");
    if (getuid() != 0) {
        skip("a_folder_of_another_user", "only root can become another user");
        return;
    }
    ck_assert_int_eq(chmod(scratch_folder, 0755), 0);
    in_child(nobody_cannot_create, path);
    ck_assert_int_eq(entries_of(scratch_folder), 0);
}
END_TEST

static int limited(const char *path)
{
    const struct rlimit limit = {100000, 100000};
    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit) ? 3 : write_fails(path, PRUNE_E_IO, "File too large");
}

START_TEST(a_limit_on_file_sizes)
{
    fresh_folder();
    const char *path = scratch("old");
    save(path, old, sizeof old);
    in_child(limited, path);
    expect_untouched(path, 1);
    in_child(limited, scratch("new"));
    expect_untouched(path, 1);
}
END_TEST

static int disk_is_full(const char *path)
{
    return write_fails(path, PRUNE_E_IO, "No space left");
}

START_TEST(a_full_disk)
{
    fresh_folder();
    char folder[1024], path[1040];
    snprintf(folder, sizeof folder, "%s", scratch("disk"));
    snprintf(path, sizeof path, "%s/old", folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    if (mount("tmpfs", folder, "tmpfs", 0, "size=64k")) {
        skip("a_full_disk", "a small tmpfs cannot be mounted here");
        return;
    }
    save(path, old, sizeof old);
    int failed = 0, status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(disk_is_full(path));
    failed =
        waitpid(child, &status, 0) != child || status != 0 || !holds(path, old, sizeof old) || entries_of(folder) != 1;
    umount2(folder, MNT_DETACH); /* in any case */
    ck_assert_int_eq(failed, 0);
}
END_TEST

static mode_t mode_of(const char *path)
{
    struct stat facts;
    ck_assert_int_eq(lstat(path, &facts), 0);
    return facts.st_mode & 07777;
}

START_TEST(permissions_are_kept)
{
    fresh_folder();
    static const mode_t modes[] = {0600, 0644, 0664, 0640, 0666, 0777};
    const char *path = scratch("file");
    prune_archive *archive = archive_of(3);
    save(path, old, sizeof old);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        OK(prune_archive_write(archive, path));
        ck_assert_uint_eq(mode_of(path), modes[i]);
    }
    mode_t before = umask(027);
    OK(prune_archive_write(archive, scratch("new")));
    ck_assert_uint_eq(mode_of(scratch("new")), 0640);
    ck_assert_uint_eq(umask(before), 027);
    ck_assert_int_eq(entries_of(scratch_folder), 2);
    prune_archive_free(archive);
}
END_TEST

START_TEST(owner_and_group_are_kept)
{
    fresh_folder();
    struct stat facts;
    const char *path = scratch("file");
    prune_archive *archive = archive_of(3);
    save(path, old, sizeof old);
    if (getuid() != 0 || chown(path, 1234, 4321)) {
        skip("owner_and_group_are_kept", "only root can give files away");
    } else {
        OK(prune_archive_write(archive, path));
        ck_assert_int_eq(stat(path, &facts), 0);
        ck_assert_uint_eq(facts.st_uid, 1234);
        ck_assert_uint_eq(facts.st_gid, 4321);
    }
    prune_archive_free(archive);
}
END_TEST

/* The group 4321 could read the file; the writer is not in it, so its own group must not read it instead. */
static int as_nobody_in_the_folder(const char *path)
{
    prune_archive *archive;
    struct stat facts;
    if (becomes_nobody() || prune_archive_create(&archive, NULL) || prune_archive_write(archive, path))
        return 3;
    prune_archive_free(archive);
    return stat(path, &facts) || facts.st_gid != 65534 || (facts.st_mode & 0777) != 0606;
}

START_TEST(a_group_that_cannot_be_kept_gives_its_rights_to_none)
{
    fresh_folder();
    const char *path = scratch("file");
    if (getuid() != 0) {
        skip("a_group_that_cannot_be_kept_gives_its_rights_to_none", "only root can become another user");
        return;
    }
    save(path, old, sizeof old);
    ck_assert_int_eq(chown(path, 65534, 4321), 0);
    ck_assert_int_eq(chmod(path, 0666), 0);
    ck_assert_int_eq(chmod(scratch_folder, 0777), 0);
    in_child(as_nobody_in_the_folder, path);
}
END_TEST

START_TEST(a_symbolic_link_stays_and_its_target_is_replaced)
{
    fresh_folder();
    struct stat facts;
    prune_archive *archive = archive_of(3), *back;
    ck_assert_int_eq(mkdir(scratch("there"), 0700), 0);
    save(scratch("there/file"), old, sizeof old);
    ck_assert_int_eq(symlink("there/file", scratch("link")), 0);
    ck_assert_int_eq(symlink(scratch("link"), scratch("second")), 0);
    OK(prune_archive_write(archive, scratch("second")));
    ck_assert_int_eq(lstat(scratch("link"), &facts), 0);
    ck_assert(S_ISLNK(facts.st_mode));
    ck_assert_int_eq(lstat(scratch("second"), &facts), 0);
    ck_assert(S_ISLNK(facts.st_mode));
    ck_assert_int_eq(lstat(scratch("there/file"), &facts), 0);
    ck_assert(S_ISREG(facts.st_mode));
    OK(prune_archive_read(&back, NULL, scratch("there/file")));
    prune_archive_free(back);
    /* One that points to nothing yet, and one to itself. */
    ck_assert_int_eq(symlink("there/new", scratch("dangling")), 0);
    OK(prune_archive_write(archive, scratch("dangling")));
    ck_assert_int_eq(access(scratch("there/new"), R_OK), 0);
    ck_assert_int_eq(symlink("loop", scratch("loop")), 0);
    cannot_write(scratch("loop"), PRUNE_E_IO, "symbolic links");
    ck_assert_int_eq(symlink("there", scratch("folder")), 0);
    cannot_write(scratch("folder"), PRUNE_E_IO, "a directory");
    ck_assert_int_eq(entries_of(scratch("there")), 2);
    prune_archive_free(archive);
}
END_TEST

START_TEST(a_name_without_a_folder)
{
    fresh_folder();
    prune_archive *archive = archive_of(3);
    scratch("");
    int here = open(".", O_RDONLY | O_DIRECTORY);
    ck_assert_int_eq(chdir(scratch_folder), 0);
    int32_t status = prune_archive_write(archive, "plain");
    ck_assert_int_eq(fchdir(here), 0);
    close(here);
    OK(status);
    ck_assert_int_eq(access(scratch("plain"), R_OK), 0);
    ck_assert_int_eq(entries_of(scratch_folder), 1);
    prune_archive_free(archive);
}
END_TEST

/* A reader that holds the old file open keeps reading the old file. */
START_TEST(the_old_file_is_not_written_into)
{
    fresh_folder();
    char start[sizeof old];
    prune_archive *archive = archive_of(3);
    save(scratch("file"), old, sizeof old);
    int file = open(scratch("file"), O_RDONLY);
    OK(prune_archive_write(archive, scratch("file")));
    ck_assert_int_eq(read(file, start, sizeof start), sizeof start);
    ck_assert_str_eq(start, old);
    close(file);
    prune_archive_free(archive);
}
END_TEST

static int without_files(const char *path)
{
    const struct rlimit limit = {3, 3};
    prune_archive *archive = NULL;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        return 3;
    if (prune_archive_read(&archive, NULL, path) != PRUNE_E_IO || archive ||
        !strstr(prune_error(), "Too many open files"))
        return 4;
    return write_fails(path, PRUNE_E_IO, "Too many open files");
}

static int with_standard_streams_closed(const char *path)
{
    prune_archive *archive = NULL;
    close(0);
    close(1);
    close(2);
    return prune_archive_create(&archive, NULL) || prune_archive_write(archive, path);
}

START_TEST(no_file_descriptors_left_or_low_ones)
{
    fresh_folder();
    const char *path = scratch("file");
    save(path, old, sizeof old);
    in_child(without_files, path);
    expect_untouched(path, 1);
    in_child(with_standard_streams_closed, path);
    ck_assert_int_eq(entries_of(scratch_folder), 1);
}
END_TEST

static int open_descriptors(void)
{
    int count = 0;
    for (int file = 0; file < 1024; file++)
        count += fcntl(file, F_GETFD) >= 0;
    return count;
}

/* Neither success nor failure may leave a descriptor open. */
START_TEST(descriptors_are_closed)
{
    fresh_folder();
    prune_archive *archive = archive_of(3), *back;
    prune_tensor *tensor;
    int before = open_descriptors();
    OK(prune_archive_write(archive, scratch("file")));
    OK(prune_archive_read(&back, NULL, scratch("file")));
    cannot_read(scratch("absent"), PRUNE_E_NOTFOUND, "absent");
    cannot_read(scratch_folder, PRUNE_E_IO, "directory");
    cannot_write(scratch_folder, PRUNE_E_IO, "directory");
    cannot_write(scratch("absent/x"), PRUNE_E_NOTFOUND, "folder");
    ck_assert_int_eq(prune_npy_read(&tensor, NULL, scratch("file")), PRUNE_E_FORMAT);
    ck_assert_int_eq(prune_idx_read(&tensor, NULL, scratch("file")), PRUNE_E_FORMAT);
    ck_assert_int_eq(open_descriptors(), before);
    prune_archive_free(back);
    prune_archive_free(archive);
}
END_TEST

START_TEST(a_long_path_is_shortened_in_the_sentence)
{
    fresh_folder();
    char name[240];
    memset(name, 'n', sizeof name);
    memcpy(name + 230, ".npy\n", 6);
    prune_tensor *tensor = UNTOUCHED;
    FAILS(prune_npy_read(&tensor, NULL, scratch(name)), PRUNE_E_NOTFOUND, "...");
    ck_assert_ptr_nonnull(strstr(prune_error(), ".npy?: cannot open it"));
    ck_assert_uint_lt(strlen(prune_error()), 200);
}
END_TEST

TEST_MAIN("atomic", no_file_of_that_name, no_folder_of_that_name, a_name_longer_than_names_can_be,
          folders_fifos_sockets_and_devices, a_file_that_another_user_protects, a_folder_of_another_user,
          a_limit_on_file_sizes, a_full_disk, permissions_are_kept, owner_and_group_are_kept,
          a_group_that_cannot_be_kept_gives_its_rights_to_none, a_symbolic_link_stays_and_its_target_is_replaced,
          a_name_without_a_folder, the_old_file_is_not_written_into, no_file_descriptors_left_or_low_ones,
          descriptors_are_closed, a_long_path_is_shortened_in_the_sentence)
