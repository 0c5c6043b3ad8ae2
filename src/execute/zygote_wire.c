/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the messages between a worker and a zygote.  The worker believes nothing of a hello but its
 * sender, which the kernel puts there: to name somebody else takes a user with a name, and nobody
 * behind a changed root has one (test_zygote_wire.c).
 */
#include "execute/zygote_wire.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/fd_pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int pvf__zygote_wire_open(int ret_ends[2], pvf_error *err)
{
    int ends[2];
    int on = 1;
    /* It keeps the borders of messages: nothing comes in pieces. */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "socketpair");
    }
    if (setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
        int why = errno;
        (void)close(ends[0]);
        (void)close(ends[1]);
        return pvf__error_errno(err, PVF_ERR_IO, why, "SO_PASSCRED");
    }
    ret_ends[0] = ends[0];
    ret_ends[1] = ends[1];
    return 0;
}

int pvf__zygote_wire_order(int end, const int fds[PVF__ZYGOTE_ORDER], pvf_error *err)
{
    static const char byte = 0;
    if (pvf__fd_pass_send(end, &byte, sizeof(byte), fds, PVF__ZYGOTE_ORDER) != 1) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "sendmsg");
    }
    return 0;
}

int pvf__zygote_wire_hear(int end, pid_t *ret, pvf_error *err)
{
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct ucred sender;
    /* Room for the sender alone: the kernel closes descriptors that do not fit. */
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(sender))];
    } control = {0};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(end, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "recvmsg");
    }
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (got != 1 || (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0 || header == NULL ||
        header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS ||
        header->cmsg_len != CMSG_LEN(sizeof(sender))) {
        return pvf__error_set(err, PVF_ERR_PEER, "no hello of a job");
    }
    memcpy(&sender, CMSG_DATA(header), sizeof(sender));
    if (sender.pid <= 0) {
        return pvf__error_set(err, PVF_ERR_PEER, "a hello of nobody");
    }
    *ret = sender.pid;
    return 0;
}

/* One message and the descriptors in it; false when there is none. */
static bool drop_one(int end)
{
    char waste;
    struct iovec data = {.iov_base = &waste, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    return recvmsg(end, &message, MSG_DONTWAIT) >= 0 || errno == EINTR;
}

bool pvf__zygote_wire_is_quiet(int end)
{
    return !drop_one(end);
}

void pvf__zygote_wire_drain(int end)
{
    while (drop_one(end)) {
        /* Both ends are ours alone: it comes to an end. */
    }
}

bool pvf__zygote_wire_take(int end, int ret_fds[PVF__ZYGOTE_ORDER])
{
    /* Room for one byte more than an order has, to see when it is none. */
    char bytes[2];
    size_t len;
    int fds[PVF__FD_PASS_MAX];
    size_t count;
    if (pvf__fd_pass_take(end, bytes, sizeof(bytes), PVF__ZYGOTE_ORDER, &len, fds, &count, NULL) !=
        0) {
        return false;
    }
    if (len != 1 || count != PVF__ZYGOTE_ORDER) {
        for (size_t i = 0; i < count; i++) {
            (void)close(fds[i]);
        }
        return false;
    }
    memcpy(ret_fds, fds, count * sizeof(fds[0]));
    return true;
}

int pvf__zygote_wire_hello(int end, pvf_error *err)
{
    static const char byte = 0;
    return pvf__fd_write(end, &byte, 1, err);
}
