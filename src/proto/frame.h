/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_FRAME_H
#define PVF_PROTO_FRAME_H

#include "base/buf.h"
#include "base/slice.h"
#include "pvf/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A frame is 8 bytes of length (u64, little endian) and that many bytes: one SCALE value, and
 * perhaps more, which every receiver ignores.  The protocol knows no limit; these are ours, one
 * per kind of message.  They are far above what an honest peer sends: the point is that a length
 * that a compromised peer makes up costs nothing but its own connection.
 */
#define PVF__FRAME_MAX_HANDSHAKE ((size_t)4096)
#define PVF__FRAME_MAX_PARAMS ((size_t)1 << 20)
/* Code up to 5 MiB on chain, 30 MiB in the reference's own tests. */
#define PVF__FRAME_MAX_PREPARE_REQUEST ((size_t)256 << 20)
/* 83 bytes, or the text of an error. */
#define PVF__FRAME_MAX_PREPARE_ANSWER ((size_t)64 << 20)
/* A PoV is at most 10 MiB compressed on chain; uncompressed it has no limit in the protocol. */
#define PVF__FRAME_MAX_EXECUTE_REQUEST ((size_t)512 << 20)
/* All of a guest's memory with default parameters (130 MiB), or the text of a deep stack trace. */
#define PVF__FRAME_MAX_EXECUTE_ANSWER ((size_t)256 << 20)
/* An artifact, many times the size of its code. */
#define PVF__FRAME_MAX_PREPARE_JOB ((size_t)1 << 30)
#define PVF__FRAME_MAX_EXECUTE_JOB PVF__FRAME_MAX_EXECUTE_ANSWER

#define PVF__FRAME_HEADER 8u

/* How many bytes of body a header announces. */
uint64_t pvf__frame_body_len(const uint8_t header[PVF__FRAME_HEADER]);

/*
 * Reads one frame into `ret` (what it held is replaced), at most `max` bytes of body.  One deadline
 * for all of it: `deadline_ns` of CLOCK_MONOTONIC, or UINT64_MAX.  Memory grows with what arrives,
 * not with what the header promises.  PVF_ERR_EOF when the peer ends first, PVF_ERR_LIMIT for a
 * longer frame (the connection is then of no use), PVF_ERR_TIMEOUT.
 */
PVF__NODISCARD int
pvf__frame_recv(int fd, size_t max, uint64_t deadline_ns, struct pvf__buf *ret, pvf_error *err);

/* The same from behind the header, which was read already. */
PVF__NODISCARD int pvf__frame_recv_body(int fd,
                                        const uint8_t header[PVF__FRAME_HEADER],
                                        size_t max,
                                        uint64_t deadline_ns,
                                        struct pvf__buf *ret,
                                        pvf_error *err);

/* Writes one frame by the deadline. */
PVF__NODISCARD int
pvf__frame_send(int fd, const uint8_t *body, size_t len, uint64_t deadline_ns, pvf_error *err);

/* Builds a frame in memory: the body is what is appended to `buf` between the two calls. */
void pvf__frame_begin(struct pvf__buf *buf, size_t *ret_start);
void pvf__frame_end(struct pvf__buf *buf, size_t start);

/*
 * The body of the first frame in `data`; what follows it is ignored (protocol: job pipe).
 * PVF_ERR_EOF when the frame is not complete.
 */
PVF__NODISCARD int
pvf__frame_first(const uint8_t *data, size_t len, struct pvf__slice *ret_body, pvf_error *err);

#endif
