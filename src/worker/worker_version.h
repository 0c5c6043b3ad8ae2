/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_VERSION_H
#define PVF_WORKER_WORKER_VERSION_H

#include <stddef.h>

/* Longest version string, with its terminator. */
#define PVF__WORKER_VERSION_MAX 128

/*
 * The node version that this worker says it belongs to: the single line of the file
 * "pvf-node-version" beside the program if there is one that nobody but its owner can write and
 * that the program's owner or root owns, else the version given at build time.  One build can so
 * serve several node releases, after an operator said so.
 */
void pvf__worker_version(char ret[PVF__WORKER_VERSION_MAX]);

/* The commit that the build came from, or "unknown". */
const char *pvf__worker_commit(void);

#endif
