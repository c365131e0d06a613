/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Progress and time. On a terminal one line that rewrites itself; elsewhere a plain line now and then, so that a log of
 * a long training shows that it lives.
 */
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

#define TERMINAL_PERIOD 0.1
#define PLAIN_PERIOD 10.0

static struct {
    double last;
    int shown; /* a line is on the terminal */
    char label[80];
} state;

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int32_t show(void *user, const char *what, int64_t done, int64_t total)
{
    (void)user;
    int terminal = isatty(STDERR_FILENO);
    double time = now();
    if (time - state.last < (terminal ? TERMINAL_PERIOD : PLAIN_PERIOD))
        return 0;
    state.last = time;
    double percent = total > 0 ? 100.0 * (double)done / (double)total : 0.0;
    fprintf(stderr, "%s%s%s%s %.0f %%%s", terminal ? "\r\033[K" : "", state.label, *state.label ? ": " : "", what,
            percent, terminal ? "" : "\n");
    fflush(stderr);
    state.shown = terminal;
    return 0;
}

void progress_show(const char *what, int64_t done, int64_t total)
{
    show(NULL, what, done, total);
}

void progress_label(const char *label)
{
    snprintf(state.label, sizeof state.label, "%s", label);
}

void progress_end(void)
{
    if (state.shown)
        fputs("\r\033[K", stderr);
    state.shown = 0;
}

int context_open(prune_context **context, const struct common *common)
{
    state.last = now();
    int32_t status = prune_context_create(context);
    if (!status)
        status = prune_context_set_threads(*context, (int32_t)common->threads);
    if (!status)
        status = prune_context_set_progress(*context, show, NULL);
    if (!status)
        speeds_load(*context);
    return status ? complain_status(status, NULL) : DONE;
}

/* A signal blocked in this thread would reach another one, such as OpenBLAS's: it is caught and sent again. */
static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
#define ENDING ((int)(sizeof ending / sizeof *ending))
static struct sigaction before[ENDING];
static volatile sig_atomic_t caught;

static void remember(int number)
{
    caught = number;
}

void write_begin(void)
{
    caught = 0;
    for (int i = 0; i < ENDING; i++) {
        sigaction(ending[i], NULL, &before[i]);
        if (before[i].sa_handler == SIG_IGN)
            continue;
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = remember;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        sigaction(ending[i], &action, NULL);
    }
}

void write_end(void)
{
    for (int i = 0; i < ENDING; i++)
        sigaction(ending[i], &before[i], NULL);
    if (caught)
        raise(caught);
}
