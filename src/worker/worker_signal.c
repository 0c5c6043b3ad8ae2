/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the text about a job's death. */
#include "worker/worker_signal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void pvf__worker_signal_text(int wait_status, char *out, size_t size)
{
    if (!WIFSIGNALED(wait_status)) {
        (void)snprintf(out, size, "unexpected status from wait: 0x%x", (unsigned)wait_status);
        return;
    }
    const char *name = sigabbrev_np(WTERMSIG(wait_status));
    if (name != NULL) {
        (void)snprintf(out, size, "received signal: SIG%s", name);
    } else {
        (void)snprintf(out, size, "received signal: SIGRT%d", WTERMSIG(wait_status));
    }
}

void pvf__worker_death_text(const struct pvf__job_report *report, char *out, size_t size)
{
    pvf__worker_signal_text(report->wait_status, out, size);
    if (report->memory_was_short) {
        size_t len = strlen(out);
        (void)snprintf(out + len, size - len, " (this machine ran out of memory)");
    }
}
