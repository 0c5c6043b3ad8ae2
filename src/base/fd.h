/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_FD_H
#define PVF_BASE_FD_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "pvf/error.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Exact input and output on descriptors.  EINTR is retried.  The `..._by` forms wait on a
 * non-blocking or blocking descriptor until `deadline_ns` of CLOCK_MONOTONIC (UINT64_MAX: for
 * ever) and fail with PVF_ERR_TIMEOUT after it.  Reading fails with PVF_ERR_EOF when the other
 * side ends first.  No call raises SIGPIPE on a socket.
 */
PVF__NODISCARD int pvf__fd_read(int fd, void *data, size_t len, pvf_error *err);
PVF__NODISCARD int pvf__fd_write(int fd, const void *data, size_t len, pvf_error *err);
PVF__NODISCARD int
pvf__fd_read_by(int fd, void *data, size_t len, uint64_t deadline_ns, pvf_error *err);
PVF__NODISCARD int
pvf__fd_write_by(int fd, const void *data, size_t len, uint64_t deadline_ns, pvf_error *err);

/*
 * Waits until one of the items is ready (0, see their `revents`) or until `deadline_ns`
 * (PVF_ERR_TIMEOUT).
 */
PVF__NODISCARD int
pvf__fd_poll_by(struct pollfd *items, nfds_t count, uint64_t deadline_ns, pvf_error *err);

/*
 * Appends the whole file to `buf`, at most buf->max bytes in all (PVF_ERR_LIMIT beyond); no
 * folders.  The error names `path`.
 */
PVF__NODISCARD int pvf__fd_read_file(const char *path, struct pvf__buf *buf, pvf_error *err);

/* The same for a descriptor, also a socket, until its end; the error calls it `name`. */
PVF__NODISCARD int pvf__fd_read_all(int fd, const char *name, struct pvf__buf *buf, pvf_error *err);

/* Creates or truncates `path` with `mode` and writes all of `data`; the error names `path`. */
PVF__NODISCARD int
pvf__fd_write_file(const char *path, unsigned mode, const void *data, size_t len, pvf_error *err);

#endif
