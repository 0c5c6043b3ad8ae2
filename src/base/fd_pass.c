/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: control messages of sockets that carry descriptors.  Trusts the other side's not. */
#include "base/fd_pass.h"

#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * PVF__FD_PASS_MAX)];
};

ssize_t pvf__fd_pass_send(int socket, const void *data, size_t len, const int *fds, size_t count)
{
    union control control = {0};
    union {
        const void *from;
        void *to;
    } bytes = {.from = data};
    struct iovec part = {.iov_base = bytes.to, .iov_len = len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > PVF__FD_PASS_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* All that came, in any number of messages; false when something else did. */
static bool collect(struct msghdr *message, int fds[PVF__FD_PASS_MAX], size_t *count)
{
    bool fine = true;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            fine = false;
            continue;
        }
        size_t found = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < found; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
            if (*count < PVF__FD_PASS_MAX) {
                fds[(*count)++] = fd;
            } else {
                (void)close(fd);
                fine = false;
            }
        }
    }
    return fine;
}

int pvf__fd_pass_take(int socket,
                      void *data,
                      size_t len,
                      size_t max,
                      size_t *ret_len,
                      int ret_fds[PVF__FD_PASS_MAX],
                      size_t *ret_count,
                      pvf_error *err)
{
    union control control = {0};
    struct iovec part = {.iov_base = data, .iov_len = len};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int fds[PVF__FD_PASS_MAX];
    size_t count = 0;
    ssize_t got;
    do {
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return pvf__error_errno(
            err, errno == ECONNRESET ? PVF_ERR_EOF : PVF_ERR_IO, errno, "recvmsg");
    }
    bool fine = collect(&message, fds, &count) && (message.msg_flags & MSG_CTRUNC) == 0;
    if (got > 0 && fine && count <= max) {
        *ret_len = (size_t)got;
        *ret_count = count;
        memcpy(ret_fds, fds, count * sizeof(fds[0]));
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
    if (got == 0) {
        return pvf__error_set(err, PVF_ERR_EOF, "the other side ended the connection");
    }
    return pvf__error_set(
        err, PVF_ERR_PEER, "more descriptors than %zu, or something else beside the bytes", max);
}
