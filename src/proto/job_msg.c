/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what a job tells its worker.  The worker trusts none of it. */
#include "proto/job_msg.h"

#include "proto/proto_error.h"
#include "scale/scale.h"

/* Length 2, Err, OutOfMemory. */
const uint8_t pvf__job_msg_out_of_memory[PVF__JOB_MSG_OUT_OF_MEMORY_LEN] = {
    2, 0, 0, 0, 0, 0, 0, 0, 1, PVF__PREPARE_OUT_OF_MEMORY};

/* 00 | artifact Vec<u8> | memory stats | code_len u32, or 01 | PrepareError. */
int pvf__prepare_job_result_decode(const uint8_t *data,
                                   size_t len,
                                   struct pvf__prepare_job_result *ret,
                                   pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__prepare_job_result result = {0};
    pvf__cursor_init(&cursor, data, len);
    bool fine = pvf__scale_get_result(&cursor, &result.ok);
    if (fine && result.ok) {
        fine = pvf__scale_get_bytes(&cursor, &result.artifact) &&
               pvf__memory_stats_get(&cursor, &result.memory) &&
               pvf__scale_get_u32(&cursor, &result.code_len);
    } else if (fine) {
        fine = pvf__prepare_error_get(&cursor, &result.error);
    }
    if (!fine) {
        return pvf__proto_malformed(&cursor, "result of the prepare job", err);
    }
    *ret = result;
    return 0;
}

void pvf__prepare_job_result_encode(const struct pvf__prepare_job_result *result,
                                    struct pvf__buf *buf)
{
    pvf__scale_put_result(buf, result->ok);
    if (!result->ok) {
        pvf__prepare_error_put(buf, &result->error);
        return;
    }
    pvf__scale_put_bytes(buf, result->artifact);
    pvf__memory_stats_put(buf, &result->memory);
    pvf__scale_put_u32(buf, result->code_len);
}

/* 00 | JobResponse, or 01 | JobError. */
int pvf__execute_job_result_decode(const uint8_t *data,
                                   size_t len,
                                   struct pvf__execute_job_result *ret,
                                   pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__execute_job_result result = {0};
    pvf__cursor_init(&cursor, data, len);
    bool fine = pvf__scale_get_result(&cursor, &result.ok);
    if (fine) {
        fine = result.ok ? pvf__job_response_get(&cursor, &result.response)
                         : pvf__job_error_get(&cursor, &result.error);
    }
    if (!fine) {
        return pvf__proto_malformed(&cursor, "result of the execute job", err);
    }
    *ret = result;
    return 0;
}

void pvf__execute_job_result_encode(const struct pvf__execute_job_result *result,
                                    struct pvf__buf *buf)
{
    pvf__scale_put_result(buf, result->ok);
    if (result->ok) {
        pvf__job_response_put(buf, &result->response);
    } else {
        pvf__job_error_put(buf, &result->error);
    }
}
