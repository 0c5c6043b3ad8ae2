/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_HANDSHAKE_H
#define PVF_PROTO_HANDSHAKE_H

#include "base/buf.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First message to each worker: what the host found out, and what is to be used. */
struct pvf__security_status {
    bool secure_validator_mode; /* a mechanism that fails ends the worker */
    bool can_enable_landlock;
    bool can_enable_seccomp;
    bool can_unshare_user_namespace_and_change_root;
    bool can_do_secure_clone;
};

/* Wire: the five bools, one byte each, in this order. */
PVF__NODISCARD int pvf__handshake_decode(const uint8_t *data,
                                         size_t len,
                                         struct pvf__security_status *ret,
                                         pvf_error *err);
void pvf__handshake_encode(const struct pvf__security_status *status, struct pvf__buf *buf);

#endif
