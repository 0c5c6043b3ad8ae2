/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what the kernel remembers about a process: signals, death of the parent, dumps. */
#include "sandbox/sandbox_process.h"

#include "base/error.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ORDERLY_END 1

/* Not used by the engine, nor by anything that a guest can cause. */
#define HOST_DEATH_SIGNAL SIGUSR2

static pid_t host;

static void look_for_host(int number)
{
    (void)number;
    if (getppid() != host) {
        _exit(ORDERLY_END);
    }
}

int pvf__sandbox_signals(pvf_error *err)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++) {
        /* SIGKILL, SIGSTOP and the C library's own two refuse; nobody can have changed them. */
        (void)signal(number, SIG_DFL);
    }
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigemptyset(&none) != 0 ||
        sigprocmask(SIG_SETMASK, &none, NULL) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "resetting signals");
    }
    return 0;
}

int pvf__sandbox_end_with_host(pvf_error *err)
{
    struct sigaction action = {.sa_handler = look_for_host, .sa_flags = SA_RESTART};
    if (host == 0) {
        host = getppid();
    }
    if (sigaction(HOST_DEATH_SIGNAL, &action, NULL) != 0 ||
        prctl(PR_SET_PDEATHSIG, HOST_DEATH_SIGNAL) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "asking for the host's death");
    }
    if (getppid() != host) {
        return pvf__error_set(err, PVF_ERR_PEER, "the host is gone");
    }
    return 0;
}

int pvf__sandbox_end_with_worker(pvf_error *err)
{
    if (signal(HOST_DEATH_SIGNAL, SIG_DFL) == SIG_ERR || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "asking for the worker's death");
    }
    return 0;
}

int pvf__sandbox_non_dumpable(pvf_error *err)
{
    if (prctl(PR_SET_DUMPABLE, 0) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "PR_SET_DUMPABLE");
    }
    return 0;
}

int pvf__sandbox_no_new_privs(pvf_error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "PR_SET_NO_NEW_PRIVS");
    }
    return 0;
}
