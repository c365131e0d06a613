/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune: the command line of libprune. This file knows which commands there are and what an exit code means.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static const struct command *const commands[] = {
    &cmd_train, &cmd_model, &cmd_score,   &cmd_mask,    &cmd_apply,  &cmd_recover, &cmd_order,   &cmd_verify, &cmd_pack,
    &cmd_eval,  &cmd_run,   &cmd_compare, &cmd_inspect, &cmd_report, &cmd_bench,   &cmd_convert, &cmd_list,
};
#define COMMANDS (sizeof commands / sizeof *commands)

int exit_of(int32_t status)
{
    switch (status) {
    case PRUNE_OK:
        return DONE;
    case PRUNE_E_ARGUMENT:
    case PRUNE_E_SPEC:
        return USAGE;
    case PRUNE_E_NOMEM:
        return NO_MEMORY;
    case PRUNE_E_IO:
    case PRUNE_E_NOTFOUND:
        return IO_FAILED;
    case PRUNE_E_DIVERGED:
    case PRUNE_E_CANCELLED:
        return DIVERGED;
    default:
        return BAD_INPUT;
    }
}

int complain(int code, const char *format, ...)
{
    progress_end();
    fputs(use_colour(stderr) ? "\033[1mprune:\033[0m " : "prune: ", stderr);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

int complain_status(int32_t status, const char *about)
{
    return complain(exit_of(status), "%s%s%s", about ? about : "", about ? ": " : "", prune_error());
}

static void print_overview(FILE *stream)
{
    fputs("usage: prune COMMAND [OPTION...] [FILE...]\n\n", stream);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(stream, "  %-10s%s\n", commands[i]->name, commands[i]->summary);
    fputs("  help      how to use a command: prune help COMMAND, or prune COMMAND --help\n"
          "  version   the version of the tool and of the libraries it runs with\n\n"
          "Exit code: 0 done, 1 the answer is no, 2 wrong usage, 3 bad data or file format,\n"
          "4 reading or writing failed, 5 out of memory, 6 the training diverged.\n",
          stream);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    return complain(USAGE, "there is no command \"%s\"; `prune help` lists the commands", name);
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stdout);
        return DONE;
    }
    const struct command *command = find(argv[1]);
    if (!command)
        return unknown(argv[1]);
    char *ask[] = {argv[1], (char[]){"--help"}, NULL};
    return command->run(command, 2, ask);
}

static int version(void)
{
    printf("prune %s (libprune %s, OpenBLAS %s)\n", PRUNE_VERSION_STRING, prune_version(), prune_blas_version());
    return DONE;
}

static int run(int argc, char **argv)
{
    const char *name = argc < 2 ? "" : argv[1];
    if (argc < 2) {
        complain(USAGE, "a command is missing; say one of these:");
        print_overview(stderr);
        return USAGE;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return version();
    const struct command *command = find(name);
    return command ? command->run(command, argc - 1, argv + 1) : unknown(name);
}

/* A file that is opened must never become standard output because that was closed; one that cannot be written takes its
 * place. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    /* A file that grows past the limit is then an error of write like a full disk. */
    signal(SIGXFSZ, SIG_IGN);
    prune_blas_set_threads(1);
    int code = run(argc, argv);
    progress_end();
    int failed = ferror(stdout);
    if ((fflush(stdout) != 0 || failed) && code <= NEGATIVE)
        return complain(IO_FAILED, "the standard output cannot be written: %s", strerror(errno));
    return code;
}
