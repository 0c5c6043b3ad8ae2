/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the progress line.  Jobs are waited for in a blocking call, so a thread of its own draws;
 * without one (or without a terminal) there is simply no line.
 */
#include "cli/cli_progress.h"

#include "base/clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stop = PTHREAD_COND_INITIALIZER;
static pthread_t drawer;
static bool running;
static bool stopping;
static const char *label;

static void *draw(void *unused)
{
    uint64_t start = pvf__clock_monotonic_ns();
    bool drawn = false;
    (void)unused;
    (void)pthread_mutex_lock(&lock);
    while (!stopping) {
        struct timespec at;
        if (clock_gettime(CLOCK_REALTIME, &at) != 0) {
            break;
        }
        at.tv_sec += 1;
        (void)pthread_cond_timedwait(&stop, &lock, &at);
        if (!stopping) {
            uint64_t secs = (pvf__clock_monotonic_ns() - start) / 1000000000u;
            (void)fprintf(stderr, "\r%s ... %llu s", label, (unsigned long long)secs);
            drawn = true;
        }
    }
    if (drawn) {
        (void)fprintf(stderr, "\r%*s\r", (int)strlen(label) + 24, "");
    }
    (void)pthread_mutex_unlock(&lock);
    return NULL;
}

void pvf__cli_progress_begin(const char *what)
{
    const char *term = getenv("TERM");
    if (running || !isatty(STDERR_FILENO) || (term && strcmp(term, "dumb") == 0)) {
        return;
    }
    /* Signals are the main thread's. */
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    label = what;
    stopping = false;
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return;
    }
    running = pthread_create(&drawer, NULL, draw, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void pvf__cli_progress_end(void)
{
    if (!running) {
        return;
    }
    (void)pthread_mutex_lock(&lock);
    stopping = true;
    (void)pthread_cond_signal(&stop);
    (void)pthread_mutex_unlock(&lock);
    (void)pthread_join(drawer, NULL);
    running = false;
}
