/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: descriptors beside a frame.  Does not trust the other side's number of them. */
#include "proto/frame_files.h"

#include "base/error.h"
#include "base/fd.h"
#include "proto/frame.h"

#include <errno.h>
#include <string.h>

int pvf__frame_send_files(int fd,
                          const struct pvf__buf *frame,
                          const int *files,
                          size_t count,
                          uint64_t deadline_ns,
                          pvf_error *err)
{
    ssize_t done = pvf__fd_pass_send(fd, frame->data, frame->len, files, count);
    while (done < 0) {
        if (errno == EAGAIN) {
            struct pollfd item = {.fd = fd, .events = POLLOUT};
            int status = pvf__fd_poll_by(&item, 1, deadline_ns, err);
            if (status != 0) {
                return status;
            }
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return pvf__error_errno(err, PVF_ERR_EOF, errno, "sending descriptors");
        } else if (errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "sending descriptors");
        }
        done = pvf__fd_pass_send(fd, frame->data, frame->len, files, count);
    }
    return pvf__fd_write_by(fd, frame->data + done, frame->len - (size_t)done, deadline_ns, err);
}

int pvf__frame_recv_files(int fd,
                          size_t max,
                          struct pvf__buf *ret,
                          size_t least,
                          size_t most,
                          int ret_files[PVF__FD_PASS_MAX],
                          size_t *ret_count,
                          pvf_error *err)
{
    uint8_t header[PVF__FRAME_HEADER];
    int files[PVF__FD_PASS_MAX];
    size_t came = 0;
    size_t len = 0;
    int status = pvf__fd_pass_take(fd, header, sizeof(header), most, &len, files, &came, err);
    if (status != 0) {
        return status;
    }
    /* What comes with a later byte is nobody's: read(2) lets the kernel close it. */
    status = pvf__fd_read(fd, header + len, sizeof(header) - len, err);
    if (status == 0) {
        status = pvf__frame_recv_body(fd, header, max, UINT64_MAX, ret, err);
    }
    if (status == 0 && came < least) {
        status = pvf__error_set(err,
                                PVF_ERR_PEER,
                                "a frame with %zu descriptors, at least %zu are needed",
                                came,
                                least);
    }
    if (status != 0) {
        for (size_t i = 0; i < came; i++) {
            (void)close(files[i]);
        }
        return status;
    }
    memcpy(ret_files, files, came * sizeof(files[0]));
    *ret_count = came;
    return 0;
}
