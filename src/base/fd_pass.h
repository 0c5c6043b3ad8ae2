/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_FD_PASS_H
#define PVF_BASE_FD_PASS_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * Descriptors through a socket.  In a stream they travel with the first of the bytes that are sent.
 * Where messages have borders, each call is for one: what does not fit into `len` is lost.
 */

/* Most that one call sends or takes. */
#define PVF__FD_PASS_MAX 4u

/*
 * Sends some of `data`, at least a byte, without waiting, and with it the descriptors, which stay
 * the caller's: how many bytes went, or -1 and errno.
 */
ssize_t pvf__fd_pass_send(int socket, const void *data, size_t len, const int *fds, size_t count);

/*
 * Takes some bytes, at most `len`, and the descriptors that came with the first of them, all of
 * them close-on-exec and the caller's.  Waits.  PVF_ERR_EOF at the other side's end; PVF_ERR_PEER,
 * and all descriptors closed, when there are more than `max`, or anything else that was not asked
 * for.
 */
PVF__NODISCARD int pvf__fd_pass_take(int socket,
                                     void *data,
                                     size_t len,
                                     size_t max,
                                     size_t *ret_len,
                                     int ret_fds[PVF__FD_PASS_MAX],
                                     size_t *ret_count,
                                     pvf_error *err);

#endif
