/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_SIGNAL_H
#define PVF_WORKER_WORKER_SIGNAL_H

#include <stddef.h>

/*
 * What the host reads of a job that died: "received signal: SIGKILL", or an account of a wait
 * status that is no exit.  Any signal counts as a death, a real-time one too: hostile code must
 * not be able to choose a death that looks like this machine's own failure.
 */
void pvf__worker_signal_text(int wait_status, char *out, size_t size);

#endif
