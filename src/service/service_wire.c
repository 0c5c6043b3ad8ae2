/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: frames in pieces.  Does not trust the announced length, nor the peer to ever end. */
#include "service/service_wire.h"

#include "base/error.h"
#include "base/fd_pass.h"
#include "pvf/status.h"

#include <errno.h>
#include <sys/socket.h>

/* How much one call moves at most; level-triggered polling goes on with the rest. */
#define TURN_MAX ((size_t)4 << 20)
/* How much memory is reserved ahead of what arrived. */
#define STEP ((size_t)1 << 20)

int pvf__service_wire_send(int fd, struct pvf__service_outgoing *outgoing, pvf_error *err)
{
    const struct pvf__host_message *message = &outgoing->message;
    int files[PVF__UPGRADE_FILES];
    size_t count = pvf__host_message_files(message, files);
    size_t moved = 0;
    while (outgoing->sent < message->frame.len) {
        if (moved >= TURN_MAX) {
            return 1;
        }
        ssize_t done = pvf__fd_pass_send(fd,
                                         message->frame.data + outgoing->sent,
                                         message->frame.len - outgoing->sent,
                                         files,
                                         outgoing->sent == 0 ? count : 0);
        if (done >= 0) {
            outgoing->sent += (size_t)done;
            moved += (size_t)done;
        } else if (errno == EAGAIN) {
            return 1;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return pvf__error_errno(err, PVF_ERR_EOF, errno, "the worker takes no bytes");
        } else if (errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot send to the worker");
        }
    }
    pvf__host_message_done(&outgoing->message);
    outgoing->sent = 0;
    return 0;
}

void pvf__service_wire_expect(struct pvf__service_incoming *incoming, size_t max)
{
    pvf__buf_done(&incoming->body);
    *incoming = (struct pvf__service_incoming){.body = PVF__BUF_INIT(max)};
}

/* At most `len` bytes: how many came, 0 for none yet, or a failure. */
static ssize_t take(int fd, uint8_t *data, size_t len, pvf_error *err)
{
    for (;;) {
        ssize_t got = recv(fd, data, len, MSG_DONTWAIT);
        if (got > 0) {
            return got;
        }
        if (got == 0) {
            return pvf__error_set(err, PVF_ERR_EOF, "the worker ended the connection");
        }
        if (errno == EAGAIN) {
            return 0;
        }
        if (errno == ECONNRESET) {
            return pvf__error_errno(err, PVF_ERR_EOF, errno, "the worker ended the connection");
        }
        if (errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot read from the worker");
        }
    }
}

/* The header in pieces, then what it says; 0, 1 or a failure. */
static int take_header(int fd, struct pvf__service_incoming *incoming, pvf_error *err)
{
    while (incoming->header_len < PVF__FRAME_HEADER) {
        ssize_t got = take(fd,
                           incoming->header + incoming->header_len,
                           PVF__FRAME_HEADER - incoming->header_len,
                           err);
        if (got <= 0) {
            return got == 0 ? 1 : (int)got;
        }
        incoming->header_len += (size_t)got;
    }
    uint64_t len = pvf__frame_body_len(incoming->header);
    if (len > incoming->body.max) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "a frame of %llu bytes was announced, the limit is %zu",
                              (unsigned long long)len,
                              incoming->body.max);
    }
    incoming->want = (size_t)len;
    return 0;
}

int pvf__service_wire_receive(int fd, struct pvf__service_incoming *incoming, pvf_error *err)
{
    struct pvf__buf *body = &incoming->body;
    size_t moved = 0;
    if (incoming->header_len < PVF__FRAME_HEADER) {
        int status = take_header(fd, incoming, err);
        if (status != 0) {
            return status;
        }
    }
    while (body->len < incoming->want) {
        if (moved >= TURN_MAX) {
            return 1;
        }
        /* No more than has already arrived is reserved in advance. */
        size_t left = incoming->want - body->len;
        size_t ahead = body->len > STEP ? body->len : STEP;
        size_t part = left < ahead ? left : ahead;
        int status = pvf__buf_reserve(body, part);
        if (status != 0) {
            return pvf__error_set(
                err, status, "no memory for an answer of %zu bytes", incoming->want);
        }
        ssize_t got = take(fd, body->data + body->len, part, err);
        if (got <= 0) {
            return got == 0 ? 1 : (int)got;
        }
        body->len += (size_t)got;
        moved += (size_t)got;
    }
    return 0;
}
