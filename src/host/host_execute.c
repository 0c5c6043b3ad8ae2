/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: one execution from request to outcome. */
#include "host/host_job.h"

#include "base/error.h"
#include "base/reserved.h"
#include "host/folder.h"
#include "host/outcome.h"
#include "proto/execute_msg.h"
#include "proto/frame.h"
#include "pvf/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int make_message(const struct pvf_host *host,
                        const struct pvf__execute_request *wire,
                        const struct pvf__executor_params *params,
                        struct pvf__host_message *ret,
                        pvf_error *err)
{
    PVF__CLEANUP_BUF struct pvf__buf front = PVF__BUF_INIT(PVF__FRAME_MAX_EXECUTE_REQUEST);
    PVF__CLEANUP_BUF struct pvf__buf back = PVF__BUF_INIT(PVF__HOST_EXECUTE_EXTRA);
    pvf__execute_request_put_front(&front, wire);
    pvf__execute_request_put_back(&back, wire);
    const struct pvf__host_message_body body = {
        .front = &front,
        .middle = wire->pov,
        .back = &back,
        .max = PVF__FRAME_MAX_EXECUTE_REQUEST,
        .inline_max = PVF__UPGRADE_INLINE_MAX,
    };
    int status =
        pvf__host_message_make(host->upgraded[PVF__WORKER_KIND_EXECUTE], &body, params, ret, err);
    if (status != 0) {
        pvf__error_wrap(err,
                        "a request with %zu bytes of head and %zu of PoV",
                        wire->pvd.parent_head.len,
                        wire->pov.len);
    }
    return status;
}

int pvf__host_execute_request(const struct pvf_host *host,
                              const pvf_execute_request *request,
                              const struct pvf__executor_params *params,
                              struct pvf__duration timeout,
                              struct pvf__host_message *ret,
                              pvf_error *err)
{
    struct pvf__execute_request wire = {
        .pvd = {.parent_head = {request->parent_head.data, request->parent_head.len},
                .relay_parent_number = request->relay_parent_number,
                .max_pov_size = request->max_pov_size},
        .pov = {request->pov.data, request->pov.len},
        .timeout = timeout,
        .descriptor_version = (enum pvf__descriptor_version)request->descriptor_version,
        .descriptor_unknown = request->descriptor_byte,
    };
    memcpy(wire.pvd.relay_parent_storage_root, request->relay_parent_storage_root, 32);
    memcpy(wire.artifact_checksum, request->checksum, 32);
    memcpy(wire.relay_parent, request->relay_parent, 32);
    memcpy(wire.scheduling_parent, request->scheduling_parent, 32);
    return make_message(host, &wire, params, ret, err);
}

/* A hard link, or a copy. */
static int place_artifact(const char *from, const char *folder, pvf_error *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/artifact", folder);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the path of %s is too long", folder);
    }
    if (link(from, path) == 0) {
        return 0;
    }
    if (errno == EXDEV || errno == EPERM || errno == EMLINK) {
        return pvf__folder_copy_file(from, path, err);
    }
    return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot link %s to %s", from, path);
}

int pvf__host_give_artifact(const struct pvf_host *host,
                            const char *from,
                            const char *folder,
                            struct pvf__host_message *message,
                            pvf_error *err)
{
    return host->upgraded[PVF__WORKER_KIND_EXECUTE]
               ? pvf__host_message_set_artifact(message, from, err)
               : place_artifact(from, folder, err);
}

enum pvf__event pvf__host_execute_event(enum pvf__exchange_end end)
{
    switch (end) {
    case PVF__EXCHANGE_NOT_SENT:
        return PVF__EVENT_NOT_SENT;
    case PVF__EXCHANGE_EXPIRED:
        return PVF__EVENT_EXPIRED;
    case PVF__EXCHANGE_STALLED:
        return PVF__EVENT_STALLED;
    case PVF__EXCHANGE_NOT_READ:
        return PVF__EVENT_NOT_READ;
    case PVF__EXCHANGE_ANSWERED:
    case PVF__EXCHANGE_LOST:
    default:
        return PVF__EVENT_LOST;
    }
}

int pvf__host_execute_answer(const struct pvf__buf *body,
                             struct pvf__duration timeout,
                             pvf_outcome *ret,
                             enum pvf__event *ret_event,
                             pvf_error *err)
{
    struct pvf__execute_answer answer;
    pvf_error why = PVF_ERROR_INIT;
    if (pvf__execute_answer_decode(body->data, body->len, &answer, &why) != 0) {
        *ret_event = PVF__EVENT_UNDECODABLE;
        pvf__outcome_set(*ret_event, pvf__slice_text(why.text), ret);
        return 0;
    }
    *ret_event = pvf__outcome_event(&answer, timeout);
    return pvf__outcome_from_answer(&answer, *ret_event, ret, err);
}

/* One attempt with one worker. */
static int attempt(struct pvf_host *host,
                   const struct pvf__executor_params *params,
                   const char *artifact_path,
                   struct pvf__host_message *request,
                   const struct pvf__exchange *exchange,
                   struct pvf__duration timeout,
                   pvf_outcome *ret,
                   enum pvf__event *ret_event,
                   pvf_error *err)
{
    pvf_error why = PVF_ERROR_INIT;
    uint64_t wall_us = 0;
    int status = 0;
    PVF__CLEANUP_BUF struct pvf__buf answer = PVF__BUF_INIT(exchange->answer_max);
    PVF__CLEANUP_WORKER struct pvf__host_worker worker = {.alive = false};
    if (pvf__host_take(host, PVF__WORKER_KIND_EXECUTE, params, &worker, &why) != 0) {
        *ret_event = PVF__EVENT_SPAWN_FAILED;
        pvf__outcome_set(*ret_event, pvf__slice_text(why.text), ret);
        ret->spawn_failure = why.detail;
        ret->sys_errno = why.sys_errno;
        return 0;
    }
    if (pvf__host_give_artifact(host, artifact_path, worker.spawned.dir, request, &why) != 0) {
        *ret_event = PVF__EVENT_LINK_FAILED;
        pvf__outcome_set(*ret_event, pvf__slice_text(why.text), ret);
    } else {
        enum pvf__exchange_end end =
            pvf__host_worker_exchange(&worker, exchange, &answer, &wall_us, &why);
        if (end == PVF__EXCHANGE_ANSWERED) {
            status = pvf__host_execute_answer(&answer, timeout, ret, ret_event, err);
        } else {
            *ret_event = pvf__host_execute_event(end);
            pvf__outcome_set(*ret_event, pvf__slice_text(why.text), ret);
        }
        ret->wall_us = wall_us;
    }
    if (pvf__outcome_keeps_worker(*ret_event)) {
        pvf__host_give_back(host, &worker);
    }
    return status;
}

static int check_request(const pvf_host *host, const pvf_execute_request *request, pvf_error *err)
{
    if (host == NULL || request == NULL || request->artifact_path == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a host and an artifact are needed");
    }
    if (host->execute_program.path == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "this host has no execute worker");
    }
    if (request->descriptor_version < PVF_DESCRIPTOR_V1 ||
        request->descriptor_version > PVF_DESCRIPTOR_UNKNOWN) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "%d is no descriptor version", request->descriptor_version);
    }
    return PVF__RESERVED_CHECK(request->reserved, "pvf_execute_request", err);
}

int pvf__host_execute_once(struct pvf_host *host,
                           const pvf_execute_request *request,
                           pvf_outcome *ret,
                           pvf_error *err)
{
    struct pvf__executor_params params;
    pvf__executor_params_init(&params);
    int status = check_request(host, request, err);
    if (status == 0) {
        status = pvf__host_params(request->executor_params, &params, err);
    }
    if (status != 0) {
        return status;
    }
    struct pvf__duration timeout = pvf__duration_from_ms(
        request->timeout_ms != 0 ? request->timeout_ms : params.approval_timeout_ms);
    PVF__CLEANUP_MESSAGE struct pvf__host_message message = PVF__HOST_MESSAGE_INIT;
    pvf_error why = PVF_ERROR_INIT;
    status = pvf__host_execute_request(host, request, &params, timeout, &message, &why);
    if (status == PVF_ERR_IO) {
        pvf__outcome_set(PVF__EVENT_NOT_SENT, pvf__slice_text(why.text), ret);
        return 0;
    }
    if (status != 0) {
        if (err != NULL) {
            *err = why;
        }
        return status;
    }
    const struct pvf__exchange exchange = {
        .request = &message,
        .cpu_limit_us = pvf__duration_to_us(timeout),
        .answer_max = PVF__FRAME_MAX_EXECUTE_ANSWER,
    };
    pvf_outcome outcome = {0};
    enum pvf__event event = PVF__EVENT_NOT_SENT;
    for (int i = 0; i < PVF__HOST_SEND_TRIES && event == PVF__EVENT_NOT_SENT && status == 0; i++) {
        status = attempt(host,
                         &params,
                         request->artifact_path,
                         &message,
                         &exchange,
                         timeout,
                         &outcome,
                         &event,
                         err);
    }
    if (status != 0) {
        pvf_outcome_done(&outcome);
        return status;
    }
    *ret = outcome;
    return 0;
}

int pvf_host_execute(pvf_host *host,
                     const pvf_execute_request *request,
                     pvf_outcome *ret,
                     pvf_error *err)
{
    pvf_outcome outcome = {0};
    if (ret == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "room for an outcome is needed");
    }
    int status = pvf__host_execute_once(host, request, &outcome, err);
    if (status != 0) {
        return status;
    }
    pvf__host_judge_death(host, request, &outcome);
    *ret = outcome;
    return 0;
}
