/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what host and execute worker say to each other.  The answer carries what hostile code
 * returned; it is checked again on each side.
 */
#include "proto/execute_msg.h"

#include "proto/proto_error.h"
#include "scale/scale.h"

#define JOB_RESPONSES 5u
#define JOB_ERRORS 6u
#define INTERNAL_ERRORS 7u
#define WORKER_ERRORS 4u
#define DESCRIPTOR_VERSIONS 4u

/*
 * Request: pvd | pov Vec<u8> | timeout Duration | checksum 32 | relay_parent 32 |
 * scheduling_parent 32 | descriptor version (and a byte, when unknown).
 */
static bool get_request(struct pvf__cursor *cursor, struct pvf__execute_request *ret)
{
    uint8_t version;
    if (!pvf__persisted_validation_data_get(cursor, &ret->pvd) ||
        !pvf__scale_get_bytes(cursor, &ret->pov) || !pvf__duration_get(cursor, &ret->timeout) ||
        !pvf__scale_get_fixed(cursor, ret->artifact_checksum, 32) ||
        !pvf__scale_get_fixed(cursor, ret->relay_parent, 32) ||
        !pvf__scale_get_fixed(cursor, ret->scheduling_parent, 32) ||
        !pvf__scale_get_tag(cursor, DESCRIPTOR_VERSIONS, &version)) {
        return false;
    }
    ret->descriptor_version = (enum pvf__descriptor_version)version;
    return ret->descriptor_version != PVF__DESCRIPTOR_UNKNOWN ||
           pvf__scale_get_u8(cursor, &ret->descriptor_unknown);
}

int pvf__execute_request_decode(const uint8_t *data,
                                size_t len,
                                struct pvf__execute_request *ret,
                                pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__execute_request request = {0};
    pvf__cursor_init(&cursor, data, len);
    if (!get_request(&cursor, &request)) {
        return pvf__proto_malformed(&cursor, "execute request", err);
    }
    *ret = request;
    return 0;
}

void pvf__execute_request_put_front(struct pvf__buf *buf,
                                    const struct pvf__execute_request *request)
{
    pvf__persisted_validation_data_put(buf, &request->pvd);
    pvf__scale_put_length(buf, request->pov.len);
}

void pvf__execute_request_encode(const struct pvf__execute_request *request, struct pvf__buf *buf)
{
    pvf__execute_request_put_front(buf, request);
    (void)pvf__buf_append(buf, request->pov.data, request->pov.len);
    pvf__execute_request_put_back(buf, request);
}

void pvf__execute_request_put_back(struct pvf__buf *buf, const struct pvf__execute_request *request)
{
    pvf__duration_put(buf, request->timeout);
    pvf__scale_put_fixed(buf, request->artifact_checksum, 32);
    pvf__scale_put_fixed(buf, request->relay_parent, 32);
    pvf__scale_put_fixed(buf, request->scheduling_parent, 32);
    pvf__scale_put_u8(buf, (uint8_t)request->descriptor_version);
    if (request->descriptor_version == PVF__DESCRIPTOR_UNKNOWN) {
        pvf__scale_put_u8(buf, request->descriptor_unknown);
    }
}

bool pvf__job_response_get(struct pvf__cursor *cursor, struct pvf__job_response *ret)
{
    struct pvf__cursor at = *cursor;
    struct pvf__job_response response = {0};
    struct pvf__validation_result result;
    uint8_t kind;
    if (!pvf__scale_get_tag(&at, JOB_RESPONSES, &kind)) {
        return false;
    }
    response.kind = (enum pvf__job_response_kind)kind;
    switch (response.kind) {
    case PVF__JOB_RESPONSE_OK:
        if (!pvf__validation_result_get(&at, &result)) {
            return false;
        }
        response.result = result.raw;
        break;
    case PVF__JOB_RESPONSE_RUNTIME_CONSTRUCTION:
    case PVF__JOB_RESPONSE_INVALID_CANDIDATE:
        if (!pvf__scale_get_string(&at, &response.text)) {
            return false;
        }
        break;
    case PVF__JOB_RESPONSE_POV_DECOMPRESSION_FAILURE:
    case PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT:
    default:
        break;
    }
    *cursor = at;
    *ret = response;
    return true;
}

void pvf__job_response_put(struct pvf__buf *buf, const struct pvf__job_response *response)
{
    pvf__scale_put_u8(buf, (uint8_t)response->kind);
    switch (response->kind) {
    case PVF__JOB_RESPONSE_OK:
        pvf__scale_put_fixed(buf, response->result.data, response->result.len);
        break;
    case PVF__JOB_RESPONSE_RUNTIME_CONSTRUCTION:
    case PVF__JOB_RESPONSE_INVALID_CANDIDATE:
        pvf__scale_put_string(buf, response->text);
        break;
    case PVF__JOB_RESPONSE_POV_DECOMPRESSION_FAILURE:
    case PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT:
    default:
        break;
    }
}

bool pvf__job_error_get(struct pvf__cursor *cursor, struct pvf__job_error *ret)
{
    struct pvf__cursor at = *cursor;
    struct pvf__job_error error = {0};
    uint8_t kind;
    if (!pvf__scale_get_tag(&at, JOB_ERRORS, &kind)) {
        return false;
    }
    error.kind = (enum pvf__job_error_kind)kind;
    if (error.kind == PVF__JOB_ERROR_UNEXPECTED_EXIT_STATUS) {
        if (!pvf__scale_get_i32(&at, &error.exit_status)) {
            return false;
        }
    } else if (error.kind != PVF__JOB_ERROR_TIMED_OUT) {
        if (!pvf__scale_get_string(&at, &error.text)) {
            return false;
        }
    }
    *cursor = at;
    *ret = error;
    return true;
}

void pvf__job_error_put(struct pvf__buf *buf, const struct pvf__job_error *error)
{
    pvf__scale_put_u8(buf, (uint8_t)error->kind);
    if (error->kind == PVF__JOB_ERROR_UNEXPECTED_EXIT_STATUS) {
        pvf__scale_put_i32(buf, error->exit_status);
    } else if (error->kind != PVF__JOB_ERROR_TIMED_OUT) {
        pvf__scale_put_string(buf, error->text);
    }
}

static bool get_internal(struct pvf__cursor *cursor, struct pvf__internal_error *ret)
{
    uint8_t kind;
    if (!pvf__scale_get_tag(cursor, INTERNAL_ERRORS, &kind)) {
        return false;
    }
    ret->kind = (enum pvf__internal_error_kind)kind;
    if (ret->kind == PVF__INTERNAL_NON_DETERMINISTIC_PREPARE) {
        return pvf__prepare_error_get(cursor, &ret->prepare);
    }
    if (!pvf__scale_get_string(cursor, &ret->text)) {
        return false;
    }
    if (ret->kind != PVF__INTERNAL_COULD_NOT_CLEAR_WORKER_DIR) {
        return true;
    }
    return pvf__scale_get_option(cursor, &ret->has_path) &&
           (!ret->has_path || pvf__scale_get_string(cursor, &ret->path));
}

static void put_internal(struct pvf__buf *buf, const struct pvf__internal_error *error)
{
    pvf__scale_put_u8(buf, (uint8_t)error->kind);
    if (error->kind == PVF__INTERNAL_NON_DETERMINISTIC_PREPARE) {
        pvf__prepare_error_put(buf, &error->prepare);
        return;
    }
    pvf__scale_put_string(buf, error->text);
    if (error->kind == PVF__INTERNAL_COULD_NOT_CLEAR_WORKER_DIR) {
        pvf__scale_put_option(buf, error->has_path);
        if (error->has_path) {
            pvf__scale_put_string(buf, error->path);
        }
    }
}

static bool get_worker_error(struct pvf__cursor *cursor, struct pvf__worker_error *ret)
{
    uint8_t kind;
    if (!pvf__scale_get_tag(cursor, WORKER_ERRORS, &kind)) {
        return false;
    }
    ret->kind = (enum pvf__worker_error_kind)kind;
    switch (ret->kind) {
    case PVF__WORKER_ERROR_JOB_DIED:
        return pvf__scale_get_string(cursor, &ret->died_text) &&
               pvf__scale_get_i32(cursor, &ret->job_pid);
    case PVF__WORKER_ERROR_JOB_ERROR:
        return pvf__job_error_get(cursor, &ret->job);
    case PVF__WORKER_ERROR_INTERNAL:
        return get_internal(cursor, &ret->internal);
    case PVF__WORKER_ERROR_JOB_TIMED_OUT:
    default:
        return true;
    }
}

static void put_worker_error(struct pvf__buf *buf, const struct pvf__worker_error *error)
{
    pvf__scale_put_u8(buf, (uint8_t)error->kind);
    switch (error->kind) {
    case PVF__WORKER_ERROR_JOB_DIED:
        pvf__scale_put_string(buf, error->died_text);
        pvf__scale_put_i32(buf, error->job_pid);
        break;
    case PVF__WORKER_ERROR_JOB_ERROR:
        pvf__job_error_put(buf, &error->job);
        break;
    case PVF__WORKER_ERROR_INTERNAL:
        put_internal(buf, &error->internal);
        break;
    case PVF__WORKER_ERROR_JOB_TIMED_OUT:
    default:
        break;
    }
}

/* Answer: 00 | JobResponse | duration | pov_size u32, or 01 | WorkerError. */
int pvf__execute_answer_decode(const uint8_t *data,
                               size_t len,
                               struct pvf__execute_answer *ret,
                               pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__execute_answer answer = {0};
    pvf__cursor_init(&cursor, data, len);
    bool fine = pvf__scale_get_result(&cursor, &answer.ok);
    if (fine && answer.ok) {
        fine = pvf__job_response_get(&cursor, &answer.response) &&
               pvf__duration_get(&cursor, &answer.duration) &&
               pvf__scale_get_u32(&cursor, &answer.pov_size);
    } else if (fine) {
        fine = get_worker_error(&cursor, &answer.error);
    }
    if (!fine) {
        return pvf__proto_malformed(&cursor, "execute answer", err);
    }
    *ret = answer;
    return 0;
}

void pvf__execute_answer_encode(const struct pvf__execute_answer *answer, struct pvf__buf *buf)
{
    pvf__scale_put_result(buf, answer->ok);
    if (!answer->ok) {
        put_worker_error(buf, &answer->error);
        return;
    }
    pvf__job_response_put(buf, &answer->response);
    pvf__duration_put(buf, answer->duration);
    pvf__scale_put_u32(buf, answer->pov_size);
}
