/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: exact reads and writes, with and without a deadline; whole files. */
#include "base/fd.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>

int pvf__fd_poll_by(struct pollfd *items, nfds_t count, uint64_t deadline_ns, pvf_error *err)
{
    for (;;) {
        int timeout = deadline_ns == UINT64_MAX ? -1 : pvf__clock_ms_until(deadline_ns);
        int ready = poll(items, count, timeout);
        if (ready > 0) {
            return 0;
        }
        if (ready == 0 && pvf__clock_ms_until(deadline_ns) == 0) {
            return pvf__error_set(err, PVF_ERR_TIMEOUT, "the other side was too slow");
        }
        if (ready < 0 && errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "poll failed");
        }
    }
}

static int wait_ready(int fd, short events, uint64_t deadline_ns, pvf_error *err)
{
    struct pollfd item = {.fd = fd, .events = events};
    return pvf__fd_poll_by(&item, 1, deadline_ns, err);
}

int pvf__fd_read_by(int fd, void *data, size_t len, uint64_t deadline_ns, pvf_error *err)
{
    uint8_t *at = data;
    while (len > 0) {
        if (deadline_ns != UINT64_MAX) {
            int status = wait_ready(fd, POLLIN, deadline_ns, err);
            if (status != 0) {
                return status;
            }
        }
        ssize_t got = read(fd, at, len);
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        } else if (got == 0) {
            return pvf__error_set(err, PVF_ERR_EOF, "the other side ended the connection");
        } else if (errno == EAGAIN) {
            int status = wait_ready(fd, POLLIN, deadline_ns, err);
            if (status != 0) {
                return status;
            }
        } else if (errno == ECONNRESET) {
            return pvf__error_errno(err, PVF_ERR_EOF, errno, "read failed");
        } else if (errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "read failed");
        }
    }
    return 0;
}

static ssize_t write_some(int fd, const void *data, size_t len, bool can_wait)
{
    /* MSG_NOSIGNAL and MSG_DONTWAIT exist for sockets only; other descriptors say ENOTSOCK. */
    ssize_t done = send(fd, data, len, MSG_NOSIGNAL | (can_wait ? 0 : MSG_DONTWAIT));
    if (done < 0 && errno == ENOTSOCK) {
        done = write(fd, data, len);
    }
    return done;
}

int pvf__fd_write_by(int fd, const void *data, size_t len, uint64_t deadline_ns, pvf_error *err)
{
    const uint8_t *at = data;
    while (len > 0) {
        ssize_t done = write_some(fd, at, len, deadline_ns == UINT64_MAX);
        if (done >= 0) {
            at += done;
            len -= (size_t)done;
        } else if (errno == EAGAIN) {
            int status = wait_ready(fd, POLLOUT, deadline_ns, err);
            if (status != 0) {
                return status;
            }
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return pvf__error_errno(err, PVF_ERR_EOF, errno, "write failed");
        } else if (errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "write failed");
        }
    }
    return 0;
}

int pvf__fd_read(int fd, void *data, size_t len, pvf_error *err)
{
    return pvf__fd_read_by(fd, data, len, UINT64_MAX, err);
}

int pvf__fd_write(int fd, const void *data, size_t len, pvf_error *err)
{
    return pvf__fd_write_by(fd, data, len, UINT64_MAX, err);
}

int pvf__fd_read_all(int fd, const char *name, struct pvf__buf *buf, pvf_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot read %s", name);
    }
    if (S_ISDIR(info.st_mode)) {
        return pvf__error_errno(err, PVF_ERR_IO, EISDIR, "cannot read %s", name);
    }
    /* One byte more than its size, so that the end is met without growing the buffer. */
    size_t step = S_ISREG(info.st_mode) && info.st_size > 0 ? (size_t)info.st_size + 1 : 65536;
    for (;;) {
        size_t room = buf->max - buf->len;
        if (room == 0) {
            uint8_t probe;
            ssize_t more = read(fd, &probe, 1);
            if (more == 0) {
                return 0;
            }
            return pvf__error_set(
                err, PVF_ERR_LIMIT, "%s is larger than the limit of %zu bytes", name, buf->max);
        }
        size_t want = step < room ? step : room;
        int status = pvf__buf_reserve(buf, want);
        if (status != 0) {
            return pvf__error_set(err, status, "no memory to read %s", name);
        }
        ssize_t got = read(fd, buf->data + buf->len, want);
        if (got == 0) {
            return 0;
        }
        if (got > 0) {
            buf->len += (size_t)got;
        } else if (errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot read %s", name);
        }
    }
}

int pvf__fd_read_file(const char *path, struct pvf__buf *buf, pvf_error *err)
{
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open %s", path);
    }
    return pvf__fd_read_all(fd, path, buf, err);
}

int pvf__fd_write_file(
    const char *path, unsigned mode, const void *data, size_t len, pvf_error *err)
{
    PVF__CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, mode);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot create %s", path);
    }
    int status = pvf__fd_write(fd, data, len, err);
    if (status != 0) {
        pvf__error_wrap(err, "cannot write %s", path);
        return status;
    }
    int closed = close(PVF__TAKE_FD(fd));
    if (closed != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot write %s", path);
    }
    return 0;
}
