/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_MEMORY_H
#define PVF_WORKER_WORKER_MEMORY_H

#include <stdbool.h>

/*
 * Whether the kernel kills for want of memory, which looks like anybody's SIGKILL.  It counts its
 * kills for the whole machine, containers included.
 */

/* Before the root changes.  Without /proc nothing is ever seen. */
void pvf__worker_memory_watch(void);

/* Has it killed since the last call, or since the watch began? */
bool pvf__worker_memory_was_short(void);

#endif
