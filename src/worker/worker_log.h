/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_LOG_H
#define PVF_WORKER_WORKER_LOG_H

#include "base/log.h"

/*
 * The highest level that a RUST_LOG value lets through: comma-separated directives, each a level,
 * `target=level`, or a target alone (every level of it).  NULL, empty, or nothing understood means
 * errors only.  A guest sees this number through its logging interface, so it must be the
 * reference's (protocol: environment of a worker).
 */
enum pvf__log_level pvf__worker_log_level(const char *directives);

/*
 * Sends log lines to stderr as "NAME[pid] LEVEL line", or "NAME[pid] #N LEVEL line" while the Nth
 * request is worked on.  The process is the one that calls this, also in the lines of its jobs,
 * whose own number counts only in their namespace.  `name` must live as long as the process.
 */
void pvf__worker_log_setup(const char *name, enum pvf__log_level max_level);

#endif
