/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_HANDSHAKE_H
#define PVF_PROTO_HANDSHAKE_H

#include "base/buf.h"
#include "pvf/error.h"
#include "pvf/types.h"

#include <stddef.h>
#include <stdint.h>

/* First message to each worker.  Wire: the five bools, one byte each, in the struct's order. */
PVF__NODISCARD int
pvf__handshake_decode(const uint8_t *data, size_t len, pvf_security_status *ret, pvf_error *err);
void pvf__handshake_encode(const pvf_security_status *status, struct pvf__buf *buf);

#endif
