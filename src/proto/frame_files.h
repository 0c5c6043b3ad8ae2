/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_FRAME_FILES_H
#define PVF_PROTO_FRAME_FILES_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd_pass.h"
#include "pvf/error.h"

#include <stddef.h>
#include <stdint.h>

/* Frames with descriptors, which travel with the first byte of the header (proto/upgrade.h). */

/* Sends a whole frame, header included, and the descriptors by the deadline. */
PVF__NODISCARD int pvf__frame_send_files(int fd,
                                         const struct pvf__buf *frame,
                                         const int *files,
                                         size_t count,
                                         uint64_t deadline_ns,
                                         pvf_error *err);

/*
 * Waits for one frame with `least` to `most` descriptors, which are the caller's then, and
 * close-on-exec.  Fails as pvf__frame_recv does, and with PVF_ERR_PEER for any other number of
 * them; then all are closed, and the connection is of no use.
 */
PVF__NODISCARD int pvf__frame_recv_files(int fd,
                                         size_t max,
                                         struct pvf__buf *ret,
                                         size_t least,
                                         size_t most,
                                         int ret_files[PVF__FD_PASS_MAX],
                                         size_t *ret_count,
                                         pvf_error *err);

#endif
