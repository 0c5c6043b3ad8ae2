/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how a request travels, on either wire.  Reads nothing from a worker. */
#include "host/host_message.h"

#include "base/error.h"
#include "base/sealed.h"
#include "proto/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

size_t pvf__host_message_files(const struct pvf__host_message *message, int ret[PVF__UPGRADE_FILES])
{
    size_t count = 0;
    if (message->body_fd >= 0) {
        ret[count++] = message->body_fd;
    }
    if (message->artifact_fd >= 0) {
        ret[count++] = message->artifact_fd;
    }
    return count;
}

void pvf__host_message_done(struct pvf__host_message *message)
{
    pvf__buf_done(&message->frame);
    pvf__close_fd(&message->body_fd);
    pvf__close_fd(&message->artifact_fd);
}

/* A whole frame: what is told before the body, if anything, and these parts; one allocation. */
static int make_frame(const struct pvf__upgrade_request *before,
                      const struct pvf__slice *parts,
                      size_t count,
                      size_t len,
                      struct pvf__buf *frame)
{
    size_t start;
    size_t room = PVF__FRAME_HEADER + len;
    room += before != NULL ? PVF__UPGRADE_EXTRA + before->params.len : 0;
    pvf__buf_init(frame, room);
    if (pvf__buf_reserve(frame, room) == 0) {
        pvf__frame_begin(frame, &start);
        if (before != NULL) {
            pvf__upgrade_request_encode(before, frame);
        }
        for (size_t i = 0; i < count; i++) {
            (void)pvf__buf_append(frame, parts[i].data, parts[i].len);
        }
        pvf__frame_end(frame, start);
    }
    return frame->failed;
}

static int make(bool upgraded,
                const struct pvf__host_message_body *body,
                const struct pvf__executor_params *params,
                struct pvf__host_message *ret,
                pvf_error *err)
{
    const struct pvf__slice parts[] = {
        {body->front->data, body->front->len}, body->middle, {body->back->data, body->back->len}};
    const size_t count = sizeof(parts) / sizeof(parts[0]);
    size_t len = 0;
    if (body->front->failed != 0 || body->back->failed != 0) {
        return pvf__error_set(
            err, body->front->failed != 0 ? body->front->failed : body->back->failed, "no room");
    }
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > body->max - len) {
            return pvf__error_set(
                err, PVF_ERR_LIMIT, "a request of more than the limit of %zu bytes", body->max);
        }
        len += parts[i].len;
    }
    const struct pvf__upgrade_request before = {
        .body_len = len,
        .params = params != NULL ? params->raw : (struct pvf__slice){NULL, 0},
    };
    bool sealed = upgraded && len > body->inline_max;
    int status = sealed ? make_frame(&before, NULL, 0, 0, &ret->frame)
                        : make_frame(upgraded ? &before : NULL, parts, count, len, &ret->frame);
    if (status != 0) {
        return pvf__error_set(err, status, "no memory for a request of %zu bytes", len);
    }
    return sealed ? pvf__sealed_make("pvf-request", parts, count, &ret->body_fd, err) : 0;
}

int pvf__host_message_make(bool upgraded,
                           const struct pvf__host_message_body *body,
                           const struct pvf__executor_params *params,
                           struct pvf__host_message *ret,
                           pvf_error *err)
{
    int status = make(upgraded, body, params, ret, err);
    if (status != 0) {
        pvf__host_message_done(ret);
    }
    return status;
}

int pvf__host_message_set_artifact(struct pvf__host_message *message,
                                   const char *path,
                                   pvf_error *err)
{
    struct stat info;
    /* As the worker opens it on the plain wire: a link to it is not followed, a pipe not awaited.
     */
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open %s", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return pvf__error_set(err, PVF_ERR_IO, "%s is no regular file", path);
    }
    pvf__close_fd(&message->artifact_fd);
    message->artifact_fd = PVF__TAKE_FD(fd);
    return 0;
}
