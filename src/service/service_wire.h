/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SERVICE_SERVICE_WIRE_H
#define PVF_SERVICE_SERVICE_WIRE_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "host/host_message.h"
#include "proto/frame.h"
#include "pvf/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Frames in pieces, over a socket that nobody waits for.  One call moves as much as the other side
 * takes or has sent, but no more than a few MiB, so that nobody can keep the loop for himself.
 */

/* What goes out: whole frames, headers included, and what travels with the first byte. */
struct pvf__service_outgoing {
    struct pvf__host_message message; /* owned */
    size_t sent;
};

/* 0: all is sent, and let go of; 1: more another time; PVF_ERR_EOF: nobody reads. */
PVF__NODISCARD int
pvf__service_wire_send(int fd, struct pvf__service_outgoing *outgoing, pvf_error *err);

/* One frame that comes in; pvf__service_wire_expect before the first byte. */
struct pvf__service_incoming {
    uint8_t header[PVF__FRAME_HEADER];
    size_t header_len;    /* bytes of it so far */
    size_t want;          /* bytes of the body, once the header is whole */
    struct pvf__buf body; /* owned; its limit is that of the message */
};

void pvf__service_wire_expect(struct pvf__service_incoming *incoming, size_t max);

/*
 * 0: the frame is whole; 1: more another time; PVF_ERR_EOF when the other side ended (sys_errno
 * ECONNRESET: with bytes of ours still unread), PVF_ERR_LIMIT for a longer frame,
 * PVF_ERR_NO_MEMORY, PVF_ERR_IO.
 */
PVF__NODISCARD int
pvf__service_wire_receive(int fd, struct pvf__service_incoming *incoming, pvf_error *err);

#endif
