/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how a worker of our own host is spoken to.  Trusts no descriptor before it looked at it. */
#include "worker/worker_upgrade.h"

#include "base/error.h"
#include "base/sealed.h"
#include "base/text.h"
#include "proto/command_line.h"
#include "proto/frame.h"
#include "proto/frame_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* No host puts it higher; a number is all that a worker knows about it. */
#define SOCKET_MAX 1023u

int pvf__worker_upgrade_socket(const char *text, int *ret, pvf_error *err)
{
    uint64_t number;
    int type = 0;
    socklen_t len = sizeof(type);
    if (!pvf__text_parse_u64(text, SOCKET_MAX, &number) || number <= STDERR_FILENO) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              PVF__WORD_INHERITED_SOCKET " is a number from %d to %u, not %s",
                              STDERR_FILENO + 1,
                              SOCKET_MAX,
                              text);
    }
    int fd = (int)number;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "descriptor %d is no stream socket", fd);
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "descriptor %d", fd);
    }
    *ret = fd;
    return 0;
}

int pvf__worker_upgrade_greet(int socket, pvf_security_status *ret, pvf_error *err)
{
    struct pvf__buf body PVF__CLEANUP_BUF = PVF__BUF_INIT(PVF__FRAME_MAX_HANDSHAKE);
    struct pvf__upgrade_hello hello;
    int status = pvf__frame_recv(socket, PVF__FRAME_MAX_HANDSHAKE, UINT64_MAX, &body, err);
    if (status == 0) {
        status = pvf__upgrade_hello_decode(body.data, body.len, &hello, err);
    }
    if (status != 0) {
        pvf__error_wrap(err, "upgraded handshake");
        return status;
    }
    *ret = hello.security;
    return 0;
}

static enum pvf__upgrade_state state_of(enum pvf__sandbox_state state)
{
    switch (state) {
    case PVF__SANDBOX_ON:
        return PVF__UPGRADE_ON;
    case PVF__SANDBOX_FAILED:
        return PVF__UPGRADE_FAILED;
    case PVF__SANDBOX_NOT_WANTED:
    default:
        return PVF__UPGRADE_NOT_WANTED;
    }
}

int pvf__worker_upgrade_ready(int socket, const struct pvf__sandbox_report *report, pvf_error *err)
{
    struct pvf__buf body PVF__CLEANUP_BUF = PVF__BUF_INIT(PVF__FRAME_MAX_HANDSHAKE);
    struct pvf__upgrade_ready ready = {.version = PVF__UPGRADE_VERSION,
                                       .count = PVF__SANDBOX_MECHANISMS};
    _Static_assert(PVF__SANDBOX_MECHANISMS <= PVF__UPGRADE_MECHANISMS_MAX, "too many mechanisms");
    for (size_t i = 0; i < PVF__SANDBOX_MECHANISMS; i++) {
        ready.mechanisms[i] = (struct pvf__upgrade_mechanism){
            .name = pvf__slice_text(pvf__sandbox_name((enum pvf__sandbox_mechanism)i)),
            .state = state_of(report->state[i]),
            .why = pvf__slice_text(report->why[i]),
        };
    }
    pvf__upgrade_ready_encode(&ready, &body);
    if (body.failed != 0) {
        return pvf__error_set(err, body.failed, "the ready message could not be built");
    }
    return pvf__frame_send(socket, body.data, body.len, UINT64_MAX, err);
}

/* What a host opened: it can be read, not written, and is what its size says. */
static int check_artifact(int fd, pvf_error *err)
{
    struct stat info;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_PEER, errno, "the descriptor of the artifact");
    }
    if (!S_ISREG(info.st_mode) || (flags & (O_ACCMODE | O_PATH)) != O_RDONLY) {
        return pvf__error_set(
            err, PVF_ERR_PEER, "the artifact is no regular file that is open for reading only");
    }
    return 0;
}

/* The body is mapped from `sealed`, or, if that is -1, all that is left of the frame. */
static int find_body(const struct pvf__upgrade_request *request,
                     size_t body_max,
                     int sealed,
                     struct pvf__worker_request *ret,
                     pvf_error *err)
{
    if (request->body_len > body_max) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "a request of %llu bytes was announced, the limit is %zu",
                              (unsigned long long)request->body_len,
                              body_max);
    }
    if (sealed >= 0) {
        ret->is_mapped = true;
        return pvf__sealed_map(sealed, request->body_len, &ret->body, err);
    }
    if (request->body.len != request->body_len) {
        return pvf__error_set(err,
                              PVF_ERR_PEER,
                              "a request of %zu bytes instead of %llu",
                              request->body.len,
                              (unsigned long long)request->body_len);
    }
    ret->body = request->body;
    return 0;
}

int pvf__worker_upgrade_take(int socket,
                             size_t body_max,
                             bool has_artifact,
                             struct pvf__buf *frame,
                             struct pvf__worker_request *ret,
                             pvf_error *err)
{
    int files[PVF__FD_PASS_MAX];
    size_t count = 0;
    size_t least = has_artifact ? 1 : 0;
    struct pvf__upgrade_request request;
    struct pvf__worker_request taken = {.artifact_fd = -1};
    int status = pvf__frame_recv_files(
        socket, PVF__UPGRADE_REQUEST_MAX, frame, least, least + 1, files, &count, err);
    if (status != 0) {
        return status;
    }
    PVF__CLEANUP_FD int sealed = count > least ? files[0] : -1;
    PVF__CLEANUP_FD int artifact = has_artifact ? files[count - 1] : -1;
    status = pvf__upgrade_request_decode(frame->data, frame->len, &request, err);
    if (status == 0 && has_artifact) {
        status = check_artifact(artifact, err);
    }
    if (status == 0) {
        status = find_body(&request, body_max, sealed, &taken, err);
    }
    if (status == 0) {
        taken.params = request.params;
        taken.artifact_fd = PVF__TAKE_FD(artifact);
        /* A mapping stays without its descriptor. */
        *ret = taken;
    }
    return status;
}

void pvf__worker_upgrade_done(struct pvf__worker_request *request)
{
    if (request->is_mapped) {
        pvf__sealed_unmap(&request->body);
    }
    pvf__close_fd(&request->artifact_fd);
}
