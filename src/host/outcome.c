/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the meaning of every end of an execution, as one table.  The rule behind it: what this
 * machine may have caused is never invalid, what hostile code may have caused is never internal,
 * and what can be either is possibly invalid.
 */
#include "host/outcome.h"

#include "base/error.h"
#include "hash/hash.h"
#include "pvf/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    enum pvf_verdict verdict;
    enum pvf_reason reason;
    bool retry;        /* another attempt may end otherwise */
    bool bad_artifact; /* prepare again first */
    bool keeps_worker;
    const char *words;
};

#define VALID PVF_VERDICT_VALID
#define INVALID PVF_VERDICT_INVALID
#define POSSIBLY PVF_VERDICT_POSSIBLY_INVALID
#define INTERNAL PVF_VERDICT_INTERNAL

/* clang-format off */
static const struct row rows[] = {
    /*                                  verdict   reason                          retry  bad    keep */
    [PVF__EVENT_SPAWN_FAILED]         = {INTERNAL, PVF_REASON_SPAWN,                true,  false, false,
                                         "no worker could be started"},
    [PVF__EVENT_LINK_FAILED]          = {INTERNAL, PVF_REASON_CREATE_LINK,          true,  false, false,
                                         "the artifact could not be handed to the worker"},
    [PVF__EVENT_NOT_SENT]             = {INTERNAL, PVF_REASON_HOST_COMMUNICATION,   true,  false, false,
                                         "the request could not be sent"},
    [PVF__EVENT_EXPIRED]              = {INVALID,  PVF_REASON_HARD_TIMEOUT,         false, false, false,
                                         "no answer within four times the CPU limit"},
    [PVF__EVENT_STALLED]              = {POSSIBLY, PVF_REASON_STALLED,              true,  false, false,
                                         "no answer in time, but the CPU limit was not used up"},
    [PVF__EVENT_LOST]                 = {POSSIBLY, PVF_REASON_WORKER_DEATH,         true,  false, false,
                                         "the worker was lost"},
    [PVF__EVENT_NOT_READ]             = {INTERNAL, PVF_REASON_HOST_COMMUNICATION,   true,  false, false,
                                         "the answer could not be read"},
    [PVF__EVENT_UNDECODABLE]          = {POSSIBLY, PVF_REASON_WORKER_DEATH,         true,  false, false,
                                         "the worker's answer cannot be read"},
    [PVF__EVENT_CPU_OVER]             = {INVALID,  PVF_REASON_HARD_TIMEOUT,         false, false, false,
                                         "the job used more CPU time than its limit"},
    [PVF__EVENT_SELF_TEST_FAILED]     = {INTERNAL, PVF_REASON_SELF_TEST,            true,  false, false,
                                         "after a death"},
    [PVF__EVENT_PREPARE_FAILED]       = {INTERNAL, PVF_REASON_PREPARE,              true,  false, false,
                                         "the code could not be prepared"},
    [PVF__EVENT_CODE_REFUSED]         = {INTERNAL, PVF_REASON_PREPARE,              false, false, false,
                                         "the code can never be prepared"},
    [PVF__EVENT_OVERDUE]              = {PVF_VERDICT_EXPIRED, PVF_REASON_EXPIRED,   false, false, false,
                                         "not started in time"},
    [PVF__EVENT_CANCELLED]            = {INTERNAL, PVF_REASON_CANCELLED,            false, false, false,
                                         "cancelled"},
    [PVF__EVENT_OK]                   = {VALID,    PVF_REASON_NONE,                 false, false, true,
                                         ""},
    [PVF__EVENT_INVALID_CANDIDATE]    = {INVALID,  PVF_REASON_REPORTED_INVALID,     false, false, true,
                                         "the candidate was refused"},
    [PVF__EVENT_POV_DECOMPRESSION]    = {INVALID,  PVF_REASON_POV_DECOMPRESSION,    false, false, true,
                                         "the PoV cannot be decompressed"},
    [PVF__EVENT_RUNTIME_CONSTRUCTION] = {POSSIBLY, PVF_REASON_RUNTIME_CONSTRUCTION, true,  true,  true,
                                         "the artifact cannot be set up to run"},
    [PVF__EVENT_CORRUPTED_ARTIFACT]   = {POSSIBLY, PVF_REASON_CORRUPTED_ARTIFACT,   true,  true,  true,
                                         "the artifact is not what was prepared"},
    [PVF__EVENT_JOB_TIMED_OUT]        = {INVALID,  PVF_REASON_HARD_TIMEOUT,         false, false, false,
                                         "the job reached its CPU limit"},
    [PVF__EVENT_JOB_DIED]             = {POSSIBLY, PVF_REASON_JOB_DEATH,            true,  false, false,
                                         "the job was killed"},
    [PVF__EVENT_JOB_ERROR]            = {POSSIBLY, PVF_REASON_JOB_ERROR,            true,  false, false,
                                         "the job failed"},
    [PVF__EVENT_INTERNAL_HOST]        = {INTERNAL, PVF_REASON_HOST_COMMUNICATION,   true,  false, false,
                                         "host and worker could not talk"},
    [PVF__EVENT_INTERNAL_LINK]        = {INTERNAL, PVF_REASON_CREATE_LINK,          true,  false, false,
                                         "the artifact could not be linked"},
    [PVF__EVENT_INTERNAL_OPEN]        = {INTERNAL, PVF_REASON_OPEN_FILE,            true,  false, false,
                                         "the artifact could not be read"},
    [PVF__EVENT_INTERNAL_PIPE]        = {INTERNAL, PVF_REASON_CREATE_PIPE,          true,  false, false,
                                         "the worker could not make a pipe"},
    [PVF__EVENT_INTERNAL_CLEAR]       = {INTERNAL, PVF_REASON_CLEAR_WORKER_DIR,     true,  false, false,
                                         "the worker's folder could not be emptied"},
    [PVF__EVENT_INTERNAL_KERNEL]      = {INTERNAL, PVF_REASON_KERNEL,               true,  false, false,
                                         "a system call failed in the worker"},
    [PVF__EVENT_INTERNAL_PREPARE]     = {INTERNAL, PVF_REASON_PREPARE,              true,  false, false,
                                         "the code could not be prepared"},
};
/* clang-format on */

static enum pvf__event response_event(enum pvf__job_response_kind kind)
{
    switch (kind) {
    case PVF__JOB_RESPONSE_OK:
        return PVF__EVENT_OK;
    case PVF__JOB_RESPONSE_RUNTIME_CONSTRUCTION:
        return PVF__EVENT_RUNTIME_CONSTRUCTION;
    case PVF__JOB_RESPONSE_INVALID_CANDIDATE:
        return PVF__EVENT_INVALID_CANDIDATE;
    case PVF__JOB_RESPONSE_POV_DECOMPRESSION_FAILURE:
        return PVF__EVENT_POV_DECOMPRESSION;
    case PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT:
    default:
        return PVF__EVENT_CORRUPTED_ARTIFACT;
    }
}

static enum pvf__event internal_event(enum pvf__internal_error_kind kind)
{
    switch (kind) {
    case PVF__INTERNAL_HOST_COMMUNICATION:
        return PVF__EVENT_INTERNAL_HOST;
    case PVF__INTERNAL_COULD_NOT_CREATE_LINK:
        return PVF__EVENT_INTERNAL_LINK;
    case PVF__INTERNAL_COULD_NOT_OPEN_FILE:
        return PVF__EVENT_INTERNAL_OPEN;
    case PVF__INTERNAL_COULD_NOT_CREATE_PIPE:
        return PVF__EVENT_INTERNAL_PIPE;
    case PVF__INTERNAL_COULD_NOT_CLEAR_WORKER_DIR:
        return PVF__EVENT_INTERNAL_CLEAR;
    case PVF__INTERNAL_NON_DETERMINISTIC_PREPARE:
        return PVF__EVENT_INTERNAL_PREPARE;
    case PVF__INTERNAL_KERNEL:
    default:
        return PVF__EVENT_INTERNAL_KERNEL;
    }
}

enum pvf__event pvf__outcome_event(const struct pvf__execute_answer *answer,
                                   struct pvf__duration cpu_limit)
{
    if (answer->ok) {
        return pvf__duration_compare(answer->duration, cpu_limit) > 0
                   ? PVF__EVENT_CPU_OVER
                   : response_event(answer->response.kind);
    }
    switch (answer->error.kind) {
    case PVF__WORKER_ERROR_JOB_TIMED_OUT:
        return PVF__EVENT_JOB_TIMED_OUT;
    case PVF__WORKER_ERROR_JOB_DIED:
        return PVF__EVENT_JOB_DIED;
    case PVF__WORKER_ERROR_JOB_ERROR:
        return PVF__EVENT_JOB_ERROR;
    case PVF__WORKER_ERROR_INTERNAL:
    default:
        return internal_event(answer->error.internal.kind);
    }
}

bool pvf__outcome_keeps_worker(enum pvf__event event)
{
    return rows[event].keeps_worker;
}

/* Bytes of a UTF-8 text that fit into `room` without cutting a character in two. */
static size_t fitting(const uint8_t *text, size_t len, size_t room)
{
    if (len <= room) {
        return len;
    }
    while (room > 0 && (text[room] & 0xc0) == 0x80) {
        room--;
    }
    return room;
}

void pvf__outcome_line(const char *words, struct pvf__slice detail, char *out, size_t size)
{
    int used = snprintf(out, size, "%s%s", words, detail.len > 0 ? ": " : "");
    if (used < 0 || (size_t)used >= size) {
        return;
    }
    size_t at = (size_t)used;
    size_t len = fitting(detail.data, detail.len, size - 1 - at);
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = detail.data[i];
        out[at++] = (char)(byte < 0x20 || byte == 0x7f ? ' ' : byte);
    }
    out[at] = '\0';
}

void pvf__outcome_set(enum pvf__event event, struct pvf__slice detail, pvf_outcome *ret)
{
    const struct row *row = &rows[event];
    *ret = (pvf_outcome){
        .verdict = (int32_t)row->verdict,
        .reason = (int32_t)row->reason,
        .retry = row->retry,
        .bad_artifact = row->bad_artifact,
    };
    pvf__outcome_line(row->words, detail, ret->text, sizeof(ret->text));
}

/* A copy of the result, and what is in it.  It was checked when the answer was decoded. */
static int set_result(struct pvf__slice raw, pvf_outcome *ret, pvf_error *err)
{
    struct pvf__validation_result result;
    ret->result = malloc(raw.len > 0 ? raw.len : 1);
    if (ret->result == NULL) {
        return pvf__error_set(
            err, PVF_ERR_NO_MEMORY, "no memory for a result of %zu bytes", raw.len);
    }
    memcpy(ret->result, raw.data, raw.len);
    ret->result_len = raw.len;
    int status = pvf__validation_result_decode(ret->result, raw.len, &result, err);
    if (status != 0) {
        return status;
    }
    ret->head_data = (pvf_bytes){result.head_data.data, result.head_data.len};
    pvf__hash_blake2b_256(result.head_data.data, result.head_data.len, ret->head_hash);
    if (result.has_new_code) {
        ret->new_code = (pvf_bytes){result.new_code.data, result.new_code.len};
    }
    ret->upward_messages = result.upward_count;
    ret->horizontal_messages = result.horizontal_count;
    ret->processed_downward_messages = result.processed_downward_messages;
    ret->hrmp_watermark = result.hrmp_watermark;
    return 0;
}

int pvf__outcome_from_answer(const struct pvf__execute_answer *answer,
                             enum pvf__event event,
                             pvf_outcome *ret,
                             pvf_error *err)
{
    char line[PVF_OUTCOME_TEXT];
    struct pvf__slice detail = {0};
    if (answer->ok) {
        detail = answer->response.text;
    } else if (answer->error.kind == PVF__WORKER_ERROR_JOB_DIED) {
        detail = answer->error.died_text;
    } else if (answer->error.kind == PVF__WORKER_ERROR_JOB_ERROR) {
        pvf__job_error_text(&answer->error.job, line, sizeof(line));
        detail = pvf__slice_text(line);
    } else if (answer->error.kind == PVF__WORKER_ERROR_INTERNAL) {
        detail = answer->error.internal.text;
        if (answer->error.internal.kind == PVF__INTERNAL_NON_DETERMINISTIC_PREPARE) {
            pvf__prepare_error_text(&answer->error.internal.prepare, line, sizeof(line));
            detail = pvf__slice_text(line);
        }
    }
    pvf__outcome_set(event, detail, ret);
    if (answer->ok) {
        ret->cpu_us = pvf__duration_to_us(answer->duration);
        ret->pov_size = answer->pov_size;
    }
    return event == PVF__EVENT_OK ? set_result(answer->response.result, ret, err) : 0;
}

void pvf_outcome_done(pvf_outcome *outcome)
{
    if (outcome != NULL) {
        free(outcome->result);
        *outcome = (pvf_outcome){0};
    }
}

const char *pvf_verdict_name(int32_t verdict)
{
    static const char *const names[] = {
        "valid", "invalid", "possibly invalid", "internal", "expired"};
    return verdict >= 0 && (size_t)verdict < sizeof(names) / sizeof(names[0]) ? names[verdict]
                                                                              : "unknown";
}

const char *pvf_reason_name(int32_t reason)
{
    static const struct {
        enum pvf_reason reason;
        const char *name;
    } names[] = {
        {PVF_REASON_NONE, "none"},
        {PVF_REASON_REPORTED_INVALID, "reported invalid"},
        {PVF_REASON_HARD_TIMEOUT, "hard timeout"},
        {PVF_REASON_POV_DECOMPRESSION, "PoV decompression"},
        {PVF_REASON_WORKER_DEATH, "worker death"},
        {PVF_REASON_JOB_DEATH, "job death"},
        {PVF_REASON_JOB_ERROR, "job error"},
        {PVF_REASON_RUNTIME_CONSTRUCTION, "runtime construction"},
        {PVF_REASON_CORRUPTED_ARTIFACT, "corrupted artifact"},
        {PVF_REASON_STALLED, "stalled"},
        {PVF_REASON_HOST_COMMUNICATION, "host communication"},
        {PVF_REASON_CREATE_LINK, "artifact link"},
        {PVF_REASON_OPEN_FILE, "artifact file"},
        {PVF_REASON_CREATE_PIPE, "pipe"},
        {PVF_REASON_CLEAR_WORKER_DIR, "worker folder"},
        {PVF_REASON_KERNEL, "kernel"},
        {PVF_REASON_PREPARE, "preparation"},
        {PVF_REASON_SPAWN, "worker start"},
        {PVF_REASON_SELF_TEST, "self-test"},
        {PVF_REASON_EXPIRED, "expired"},
        {PVF_REASON_CANCELLED, "cancelled"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((int32_t)names[i].reason == reason) {
            return names[i].name;
        }
    }
    return "unknown";
}
