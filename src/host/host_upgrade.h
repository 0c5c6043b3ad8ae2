/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_HOST_UPGRADE_H
#define PVF_HOST_HOST_UPGRADE_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "host/program.h"
#include "host/spawn.h"
#include "proto/handshake.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The host's side of the upgraded wire (PROTOCOL.md, "The upgrade"), besides the requests
 * themselves (host_message.h).
 */

/*
 * Does the program know it?  Runs it once; whatever else comes of that, a foreign worker's refusal
 * first of all, is a no.
 */
bool pvf__host_upgrade_is_known(const struct pvf__program *program, uint64_t deadline_ns);

/* Appends the frame that a worker is told first. */
void pvf__host_upgrade_put_hello(const pvf_security_status *security, struct pvf__buf *buf);

/*
 * Reads what it answers once its sandbox stands.  PVF_ERR_PEER when secure mode was asked for and
 * it says that something failed: it should have ended.
 */
PVF__NODISCARD int pvf__host_upgrade_hear_ready(enum pvf__worker_kind kind,
                                                pid_t pid,
                                                const pvf_security_status *security,
                                                const struct pvf__buf *body,
                                                pvf_error *err);

#endif
