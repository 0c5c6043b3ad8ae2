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
 * Which of two programs know it, by enum pvf__worker_kind.  Runs each once, both at the same time;
 * whatever else comes of that, a foreign worker's refusal first of all, is a no, and so is a
 * program that was not named.
 */
void pvf__host_upgrade_ask(const struct pvf__program *const programs[2],
                           uint64_t deadline_ns,
                           bool ret[2]);

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
