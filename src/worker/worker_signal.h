/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_SIGNAL_H
#define PVF_WORKER_WORKER_SIGNAL_H

#include "worker/worker_job.h"

#include <stddef.h>

/*
 * What the host reads of a job that died: "received signal: SIGKILL", or an account of a wait
 * status that is no exit.  Any signal counts as a death, a real-time one too: hostile code must
 * not be able to choose a death that looks like this machine's own failure.
 */
void pvf__worker_signal_text(int wait_status, char *out, size_t size);

/* The same for a job's death; a SIGKILL for want of memory is told from any other. */
void pvf__worker_death_text(const struct pvf__job_report *report, char *out, size_t size);

#endif
