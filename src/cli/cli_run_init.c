/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: being process 1, as `pvf run` is in a container without an init.  The kernel makes process
 * 1 the parent of every orphan, and jobs are orphans when their worker is killed: whoever does not
 * reap them runs out of processes.  The service may not reap what is not its own, so it runs as a
 * child, and this process does nothing but reap and pass signals on.
 */
#include "cli/cli_run.h"

#include "cli/cli_exit.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* As a shell tells a death by a signal. */
#define SIGNALLED 128

/* The exit code when the service has ended; -1 as long as it lives. */
static int reap_all(pid_t service)
{
    int status;
    int code = -1;
    pid_t done;
    while ((done = waitpid(-1, &status, WNOHANG)) > 0 || (done < 0 && errno == EINTR)) {
        if (done == service) {
            code = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
        }
    }
    return code;
}

static int be_init(pid_t service, const sigset_t *signals)
{
    /* Whoever waits for their ends waits for the service's. */
    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO);
    for (;;) {
        int code = reap_all(service);
        if (code >= 0) {
            /* The kernel kills what is left. */
            return code;
        }
        int number = 0;
        if (sigwait(signals, &number) == 0 && number != SIGCHLD) {
            (void)kill(service, number);
        }
    }
}

int pvf__run_init(void)
{
    sigset_t signals;
    sigset_t before;
    if (getpid() != 1) {
        return -1;
    }
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    /* Before the fork, so that none is missed. */
    if (sigprocmask(SIG_BLOCK, &signals, &before) != 0) {
        return pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "signals cannot be watched");
    }
    pid_t service = fork();
    if (service < 0) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "see the limit of processes, or run it under an init",
                             "the service could not be started");
    }
    if (service == 0) {
        (void)sigprocmask(SIG_SETMASK, &before, NULL);
        return -1;
    }
    return be_init(service, &signals);
}
