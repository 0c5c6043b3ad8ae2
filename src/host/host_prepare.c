/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: one preparation from request to artifact. */
#include "host/host_job.h"

#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "base/reserved.h"
#include "base/text.h"
#include "hash/hash.h"
#include "host/folder.h"
#include "proto/frame.h"
#include "proto/prepare_msg.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Random bytes in an artifact's name: it can collide with no other, and says nothing. */
#define NAME_BYTES 64u

void pvf__host_prepare_path(const char *folder, const char *name, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%s", folder, name); /* what is cut is found nowhere */
}

int pvf__host_prepare_tmp_file(const char *folder,
                               const char *name,
                               char out[PATH_MAX],
                               pvf_error *err)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    if (len < 0 || len >= PATH_MAX) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the path of %s is too long", folder);
    }
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot create %s", out);
    }
    (void)close(fd);
    return 0;
}

/*
 * Moves the finished file out of the worker's reach; its size and its new path go to `ret`.  What
 * went wrong is an event, with the error.
 */
static enum pvf__prepare_event
promote(const struct pvf_host *host, const char *from, pvf_prepare_outcome *ret, pvf_error *err)
{
    uint8_t name[NAME_BYTES];
    char hex[2 * NAME_BYTES + 1];
    PVF__CLEANUP_FREE char *path = NULL;
    struct stat info;
    if (pvf__random(name, sizeof(name), err) != 0) {
        return PVF__PREPARE_EVENT_RENAME_FAILED;
    }
    pvf__text_to_hex(name, sizeof(name), hex);
    if (asprintf(&path, "%s/0x%s.pvf", host->folder, hex) < 0) {
        path = NULL;
        (void)pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a path");
        return PVF__PREPARE_EVENT_RENAME_FAILED;
    }
    if (lstat(from, &info) != 0) {
        (void)pvf__error_errno(err, PVF_ERR_PEER, errno, "the worker left no file at %s", from);
        return PVF__PREPARE_EVENT_RENAME_FAILED;
    }
    /* A worker that was taken over may have put anything there; only a plain file goes on. */
    if (!S_ISREG(info.st_mode)) {
        (void)pvf__error_set(err, PVF_ERR_PEER, "the worker left no plain file at %s", from);
        return PVF__PREPARE_EVENT_NO_PLAIN_FILE;
    }
    if (rename(from, path) != 0) {
        (void)pvf__error_errno(err, PVF_ERR_IO, errno, "cannot move %s", from);
        return PVF__PREPARE_EVENT_RENAME_FAILED;
    }
    ret->artifact_size = (uint64_t)info.st_size;
    ret->artifact_path = PVF__TAKE_PTR(path);
    return PVF__PREPARE_EVENT_OK;
}

static void set_stats(const struct pvf__prepare_stats *stats, pvf_prepare_outcome *ret)
{
    ret->cpu_us = pvf__duration_to_us(stats->cpu_time);
    ret->code_len = stats->code_len;
    ret->max_rss_kib = stats->memory.has_max_rss ? stats->memory.max_rss : -1;
    ret->peak_allocated = stats->memory.peak_tracked_alloc;
}

enum pvf__prepare_event pvf__host_prepare_answer(const struct pvf_host *host,
                                                 const struct pvf__buf *body,
                                                 const char *tmp_path,
                                                 struct pvf__duration timeout,
                                                 pvf_prepare_outcome *ret,
                                                 struct pvf__prepare_stats *ret_stats,
                                                 struct pvf__slice *ret_detail,
                                                 pvf_error *err)
{
    struct pvf__prepare_answer answer;
    if (pvf__prepare_answer_decode(body->data, body->len, &answer, err) != 0) {
        return PVF__PREPARE_EVENT_UNDECODABLE;
    }
    enum pvf__prepare_event event = pvf__prepare_outcome_event(&answer, timeout);
    if (!answer.ok) {
        *ret_detail = answer.error.text;
        return event;
    }
    set_stats(&answer.stats, ret);
    if (event == PVF__PREPARE_EVENT_OK) {
        memcpy(ret->checksum, answer.checksum, sizeof(ret->checksum));
        event = promote(host, tmp_path, ret, err);
        if (event == PVF__PREPARE_EVENT_OK && ret_stats != NULL) {
            *ret_stats = answer.stats;
        }
        return event;
    }
    (void)pvf__error_set(err, PVF_ERR_TIMEOUT, "the answer came too late");
    return event;
}

enum pvf__prepare_event pvf__host_prepare_event(enum pvf__exchange_end end)
{
    switch (end) {
    case PVF__EXCHANGE_NOT_SENT:
        return PVF__PREPARE_EVENT_NOT_SENT;
    case PVF__EXCHANGE_EXPIRED:
        return PVF__PREPARE_EVENT_EXPIRED;
    case PVF__EXCHANGE_STALLED:
        return PVF__PREPARE_EVENT_STALLED;
    case PVF__EXCHANGE_NOT_READ:
        return PVF__PREPARE_EVENT_NOT_READ;
    case PVF__EXCHANGE_ANSWERED:
    case PVF__EXCHANGE_LOST:
    default:
        return PVF__PREPARE_EVENT_LOST;
    }
}

/* One attempt with one worker; false when the request did not reach it, see `err`. */
static bool attempt(struct pvf_host *host,
                    struct pvf__host_worker *worker,
                    const struct pvf__exchange *exchange,
                    struct pvf__duration timeout,
                    pvf_prepare_outcome *ret,
                    pvf_error *err)
{
    char tmp_path[PATH_MAX];
    pvf_error why = PVF_ERROR_INIT;
    enum pvf__prepare_event event = PVF__PREPARE_EVENT_TMP_FILE_FAILED;
    struct pvf__slice detail = {0};
    PVF__CLEANUP_BUF struct pvf__buf answer = PVF__BUF_INIT(exchange->answer_max);
    if (pvf__host_prepare_tmp_file(worker->spawned.dir, PVF__HOST_TMP_ARTIFACT, tmp_path, &why) ==
        0) {
        enum pvf__exchange_end end =
            pvf__host_worker_exchange(worker, exchange, &answer, &ret->wall_us, &why);
        event = end == PVF__EXCHANGE_ANSWERED
                    ? pvf__host_prepare_answer(
                          host, &answer, tmp_path, timeout, ret, NULL, &detail, &why)
                    : pvf__host_prepare_event(end);
    }
    bool concluded =
        pvf__prepare_outcome_set(event, detail.len > 0 ? detail : pvf__slice_text(why.text), ret);
    if (!concluded) {
        (void)pvf__error_set(err, PVF_ERR_PEER, "no prepare worker took the request: %s", why.text);
    }
    if (pvf__prepare_outcome_is_death(event)) {
        host->death_seen = true;
    }
    if (pvf__prepare_outcome_keeps_worker(event)) {
        pvf__host_give_back(host, worker);
    }
    return concluded;
}

static int check_request(const pvf_host *host, const pvf_prepare_request *request, pvf_error *err)
{
    if (host == NULL || request == NULL || (request->code.data == NULL && request->code.len > 0)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a host and code are needed");
    }
    if (host->prepare_program.path == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "this host has no prepare worker");
    }
    if (request->kind != PVF_PREPARE_COMPILATION && request->kind != PVF_PREPARE_PRECHECKING) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "%d is no kind of preparation", request->kind);
    }
    return PVF__RESERVED_CHECK(request->reserved, "pvf_prepare_request", err);
}

static int make_message(const struct pvf_host *host,
                        const struct pvf__prepare_request *wire,
                        struct pvf__host_message *ret,
                        pvf_error *err)
{
    PVF__CLEANUP_BUF struct pvf__buf front = PVF__BUF_INIT(PVF__HOST_PREPARE_EXTRA);
    PVF__CLEANUP_BUF struct pvf__buf back =
        PVF__BUF_INIT(PVF__HOST_PREPARE_EXTRA + wire->params.raw.len);
    pvf__prepare_request_put_front(&front, wire);
    pvf__prepare_request_put_back(&back, wire);
    const struct pvf__host_message_body body = {
        .front = &front,
        .middle = wire->code,
        .back = &back,
        .max = PVF__FRAME_MAX_PREPARE_REQUEST,
        .inline_max = 0, /* rare, and long: memory counts, not the copy */
    };
    int status =
        pvf__host_message_make(host->upgraded[PVF__WORKER_KIND_PREPARE], &body, NULL, ret, err);
    if (status != 0) {
        pvf__error_wrap(err, "a request with %zu bytes of code", wire->code.len);
    }
    return status;
}

int pvf__host_prepare_request(const struct pvf_host *host,
                              const pvf_prepare_request *request,
                              const struct pvf__executor_params *params,
                              struct pvf__duration timeout,
                              pvf_prepare_outcome *outcome,
                              struct pvf__host_message *ret,
                              pvf_error *err)
{
    struct pvf__prepare_request wire = {
        .code = {request->code.data, request->code.len},
        .bomb_limit = request->bomb_limit != 0 ? request->bomb_limit : PVF__HOST_BOMB_LIMIT,
        .params = *params,
        .prep_timeout = timeout,
        .kind = (enum pvf__prep_kind)request->kind,
    };
    pvf__hash_blake2b_256(request->code.data, request->code.len, wire.code_hash);
    memcpy(outcome->code_hash, wire.code_hash, sizeof(wire.code_hash));
    int status = pvf__executor_params_prep_hash(params, outcome->prep_hash);
    if (status != 0) {
        return pvf__error_set(err, status, "the executor parameters cannot be hashed");
    }
    return make_message(host, &wire, ret, err);
}

int pvf_host_prepare(pvf_host *host,
                     const pvf_prepare_request *request,
                     pvf_prepare_outcome *ret,
                     pvf_error *err)
{
    struct pvf__executor_params params;
    pvf__executor_params_init(&params);
    if (ret == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "room for an outcome is needed");
    }
    int status = check_request(host, request, err);
    if (status == 0) {
        status = pvf__host_params(request->executor_params, &params, err);
    }
    if (status != 0) {
        return status;
    }
    uint64_t timeout_ms = request->timeout_ms;
    if (timeout_ms == 0) {
        timeout_ms = request->kind == PVF_PREPARE_PRECHECKING ? params.precheck_timeout_ms
                                                              : params.prepare_timeout_ms;
    }
    struct pvf__duration timeout = pvf__duration_from_ms(timeout_ms);
    pvf_prepare_outcome outcome = {.error = -1, .name = "", .max_rss_kib = -1};
    PVF__CLEANUP_MESSAGE struct pvf__host_message message = PVF__HOST_MESSAGE_INIT;
    status = pvf__host_prepare_request(host, request, &params, timeout, &outcome, &message, err);
    const struct pvf__exchange exchange = {
        .request = &message,
        .cpu_limit_us = pvf__duration_to_us(timeout),
        .answer_max = PVF__FRAME_MAX_PREPARE_ANSWER,
    };
    bool sent = false;
    for (int i = 0; i < PVF__HOST_SEND_TRIES && !sent && status == 0; i++) {
        PVF__CLEANUP_WORKER struct pvf__host_worker worker = {.alive = false};
        status = pvf__host_take(host, PVF__WORKER_KIND_PREPARE, NULL, &worker, err);
        if (status == 0) {
            sent = attempt(host, &worker, &exchange, timeout, &outcome, err);
        }
    }
    if (status != 0 || !sent) {
        return status != 0 ? status : PVF_ERR_PEER;
    }
    *ret = outcome;
    return 0;
}

void pvf_prepare_outcome_done(pvf_prepare_outcome *outcome)
{
    if (outcome == NULL) {
        return;
    }
    if (outcome->artifact_path != NULL && !outcome->kept) {
        /* Gone already when the host was freed first. */
        (void)unlink(outcome->artifact_path);
    }
    free(outcome->artifact_path);
    *outcome = (pvf_prepare_outcome){0};
}

int pvf_prepare_outcome_keep(pvf_prepare_outcome *outcome, const char *path, pvf_error *err)
{
    if (outcome == NULL || path == NULL || outcome->artifact_path == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "there is no artifact to keep");
    }
    PVF__CLEANUP_FREE char *copy = strdup(path);
    if (copy == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a path");
    }
    if (rename(outcome->artifact_path, path) != 0) {
        if (errno != EXDEV) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot move the artifact to %s", path);
        }
        /* Beside its place first, so that the name never stands for half a file. */
        PVF__CLEANUP_FREE char *beside = NULL;
        if (asprintf(&beside, "%s.part", path) < 0) {
            beside = NULL;
            return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a path");
        }
        (void)unlink(beside);
        int status = pvf__folder_copy_file(outcome->artifact_path, beside, err);
        if (status != 0) {
            return status;
        }
        if (rename(beside, path) != 0) {
            int why = errno;
            (void)unlink(beside);
            return pvf__error_errno(err, PVF_ERR_IO, why, "cannot move the artifact to %s", path);
        }
        (void)unlink(outcome->artifact_path);
    }
    free(outcome->artifact_path);
    outcome->artifact_path = PVF__TAKE_PTR(copy);
    outcome->kept = true;
    return 0;
}
