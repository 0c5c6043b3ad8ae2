/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_UPGRADE_H
#define PVF_WORKER_WORKER_UPGRADE_H

#include "proto/upgrade.h"
#include "sandbox/sandbox.h"
#include "worker/worker.h"

/*
 * A worker's side of the upgraded wire: where the plain one reads frames, here requests are mapped.
 * Everything is looked at before it is used, though only our own host speaks this way: what is not
 * as PROTOCOL.md says ends the worker as a malformed frame of the plain protocol does.
 */

/* The inherited descriptor with this number; it is no other program's business from now on. */
PVF__NODISCARD int pvf__worker_upgrade_socket(const char *text, int *ret, pvf_error *err);

/* The host's first message. */
PVF__NODISCARD int pvf__worker_upgrade_greet(int socket, pvf_security_status *ret, pvf_error *err);

/* The answer to it, once the sandbox stands. */
PVF__NODISCARD int
pvf__worker_upgrade_ready(int socket, const struct pvf__sandbox_report *report, pvf_error *err);

/*
 * Waits for a request with or without an artifact, and a body of at most `body_max` bytes.  It
 * points into `frame`, or is the request's own until pvf__worker_upgrade_done.
 */
PVF__NODISCARD int pvf__worker_upgrade_take(int socket,
                                            size_t body_max,
                                            bool has_artifact,
                                            struct pvf__buf *frame,
                                            struct pvf__worker_request *ret,
                                            pvf_error *err);

void pvf__worker_upgrade_done(struct pvf__worker_request *request);

#endif
