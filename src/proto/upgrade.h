/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_UPGRADE_H
#define PVF_PROTO_UPGRADE_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "proto/frame.h"
#include "proto/handshake.h"
#include "pvf/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What a host of ours and a worker of ours say to each other that nobody else's do (PROTOCOL.md,
 * "The upgrade"): around the messages of the plain protocol, whose bodies stay as they are but
 * travel as sealed memory.  Ownership and trailing bytes as in proto/prepare_msg.h.
 */
#define PVF__UPGRADE_VERSION 1u

/*
 * Most descriptors of a request.  The body of the plain request is sealed memory, the first, or it
 * is part of the frame; of an execution the artifact, open for reading only, is the last.
 */
#define PVF__UPGRADE_FILES 2u

/*
 * Longest body in a frame.  Two copies through memory that both sides have warm cost less than
 * pages that are made for one request; only so much memory nobody should keep.
 */
#define PVF__UPGRADE_INLINE_MAX ((size_t)16 << 20)

/* Bytes of a request's frame besides its parameters and its body are fewer. */
#define PVF__UPGRADE_EXTRA 64u

/* Longest frame of a request. */
#define PVF__UPGRADE_REQUEST_MAX                                                                   \
    (PVF__UPGRADE_INLINE_MAX + PVF__FRAME_MAX_PARAMS + PVF__UPGRADE_EXTRA)

/* Host to worker, in place of the handshake. */
struct pvf__upgrade_hello {
    uint8_t version;
    pvf_security_status security;
};

/* The state of a mechanism of the sandbox, in the words of the worker. */
enum pvf__upgrade_state {
    PVF__UPGRADE_NOT_WANTED = 0,
    PVF__UPGRADE_ON = 1,
    PVF__UPGRADE_FAILED = 2,
};
#define PVF__UPGRADE_STATES 3u

struct pvf__upgrade_mechanism {
    struct pvf__slice name;
    enum pvf__upgrade_state state;
    struct pvf__slice why; /* FAILED */
};
#define PVF__UPGRADE_MECHANISMS_MAX 32u

/* Worker to host, once the sandbox stands. */
struct pvf__upgrade_ready {
    uint8_t version;
    size_t count;
    struct pvf__upgrade_mechanism mechanisms[PVF__UPGRADE_MECHANISMS_MAX];
};

/* Host to worker: the frame of a request. */
struct pvf__upgrade_request {
    uint64_t body_len;
    struct pvf__slice params; /* execute: an encoded list of executor parameters; else empty */
    struct pvf__slice body;   /* decoded: what is left of the frame; encoded: what is in it */
};

PVF__NODISCARD int pvf__upgrade_hello_decode(const uint8_t *data,
                                             size_t len,
                                             struct pvf__upgrade_hello *ret,
                                             pvf_error *err);
void pvf__upgrade_hello_encode(const struct pvf__upgrade_hello *hello, struct pvf__buf *buf);

PVF__NODISCARD int pvf__upgrade_ready_decode(const uint8_t *data,
                                             size_t len,
                                             struct pvf__upgrade_ready *ret,
                                             pvf_error *err);
void pvf__upgrade_ready_encode(const struct pvf__upgrade_ready *ready, struct pvf__buf *buf);

/* "a, b; not wanted: c; FAILED: d (why)" for a person: cut at `size`, always terminated. */
void pvf__upgrade_ready_text(const struct pvf__upgrade_ready *ready, char *out, size_t size);

PVF__NODISCARD int pvf__upgrade_request_decode(const uint8_t *data,
                                               size_t len,
                                               struct pvf__upgrade_request *ret,
                                               pvf_error *err);
void pvf__upgrade_request_encode(const struct pvf__upgrade_request *request, struct pvf__buf *buf);

#endif
