/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: one valid message of every shape, and the property that all codecs share. */
#include "support/proto_samples.h"

#include "proto/execute_msg.h"
#include "proto/executor_params.h"
#include "proto/handshake.h"
#include "proto/job_msg.h"
#include "proto/prepare_msg.h"
#include "proto/upgrade.h"
#include "proto/validation.h"
#include "pvf/status.h"

#include <string.h>

#define SUM "68af9aafb6cff52f 8c60bf4008dab7a0 a25864baf89c2f3d 8b0795240265a4bd "
#define ALL_PARAMS                                                                                 \
    "20 01 00200000 02 00000100 03 00000010 04 0000008000000000 05 00 60ea000000000000 "           \
    "06 01 e02e000000000000 07 08 01"
#define STATS "01 6745230100000000 cdab890000000000 01 40e2010000000000 80f0fa0200000000 08000000"
#define RESULT "08 ccdd | 00 | 04 04 01 | 04 d0070000 04 ff | 01000000 | 64000000"
#define ANSWER_END "00*12 00*4"

const struct proto_sample proto_samples[] = {
    {PROTO_HANDSHAKE, "all true", "0500000000000000 | 0101010101"},
    {PROTO_HANDSHAKE, "all false", "0500000000000000 | 0000000000"},
    {PROTO_PARAMS, "empty", "0100000000000000 | 00"},
    {PROTO_PARAMS, "every entry", "3000000000000000 | " ALL_PARAMS},
    {PROTO_PREPARE_REQUEST,
     "no parameters",
     "3b00000000000000 | 20 0061736d01000000 | 0000e001 | f6a5dbf080e9c9d7834145653bce4c8c "
     "ded62e664d7ddcdb5c526f5877006d74 | 00 | 3c00000000000000 00000000 | 01"},
    {PROTO_PREPARE_REQUEST,
     "with parameters",
     "6200000000000000 | 00 | 0000a000 | aa*32 | " ALL_PARAMS " | 0000000000000000 01000000 | 00"},
    {PROTO_PREPARE_ANSWER,
     "ok",
     "5300000000000000 | 00 | " SUM " | 0300000000000000 80b2e60e | " STATS},
    {PROTO_PREPARE_ANSWER,
     "ok without statistics",
     "3b00000000000000 | 00 | " SUM " | 0000000000000000 00000000 | 00 00 | 0000000000000000 | "
     "08000000"},
    {PROTO_PREPARE_ANSWER, "prevalidation", "0600000000000000 | 01 00 0c 626164"},
    {PROTO_PREPARE_ANSWER, "preparation", "0600000000000000 | 01 01 0c 626164"},
    {PROTO_PREPARE_ANSWER, "runtime construction", "0600000000000000 | 01 02 0c 626164"},
    {PROTO_PREPARE_ANSWER, "job error", "0600000000000000 | 01 03 0c 626164"},
    {PROTO_PREPARE_ANSWER, "timed out", "0200000000000000 | 01 04"},
    {PROTO_PREPARE_ANSWER, "io error", "0300000000000000 | 01 05 00"},
    {PROTO_PREPARE_ANSWER, "create file", "0400000000000000 | 01 06 04 65"},
    {PROTO_PREPARE_ANSWER, "rename file", "0800000000000000 | 01 07 0478 01 0461 00"},
    {PROTO_PREPARE_ANSWER, "out of memory", "0200000000000000 | 01 08"},
    {PROTO_PREPARE_ANSWER, "clear folder", "0400000000000000 | 01 09 04 65"},
    {PROTO_PREPARE_ANSWER,
     "job died",
     "1e00000000000000 | 01 0a 5c 7265636569766564207369676e616c3a20534947535953 92100000"},
    {PROTO_PREPARE_ANSWER, "kernel", "0400000000000000 | 01 0b 04 65"},
    {PROTO_PREPARE_ANSWER, "decompression", "0400000000000000 | 01 0c 04 65"},
    {PROTO_EXECUTE_REQUEST,
     "v2",
     "9c00000000000000 | 08 aabb | 64000000 | 11*32 | 0000a000 | 0c 010203 | 0200000000000000 "
     "00000000 | " SUM " | 22*32 33*32 | 01"},
    {PROTO_EXECUTE_REQUEST,
     "unknown descriptor",
     "9800000000000000 | 00 | 64000000 | 11*32 | 0000a000 | 00 | 0200000000000000 00000000 | " SUM
     " | 22*32 33*32 | 03 ff"},
    {PROTO_EXECUTE_ANSWER,
     "ok",
     "2800000000000000 | 00 | 00 | " RESULT " | 0000000000000000 c0cf6a00 | 03000000"},
    {PROTO_EXECUTE_ANSWER,
     "invalid candidate",
     "2000000000000000 | 00 02 34 657865637574653a2074726170 | 0100000000000000 00000000 | "
     "03000000"},
    {PROTO_EXECUTE_ANSWER,
     "runtime construction",
     "1400000000000000 | 00 01 04 65 | 0100000000000000 00000000 | 03000000"},
    {PROTO_EXECUTE_ANSWER, "pov decompression", "1200000000000000 | 00 03 " ANSWER_END},
    {PROTO_EXECUTE_ANSWER, "corrupted artifact", "1200000000000000 | 00 04 " ANSWER_END},
    {PROTO_EXECUTE_ANSWER, "job timed out", "0200000000000000 | 01 00"},
    {PROTO_EXECUTE_ANSWER,
     "job died",
     "1f00000000000000 | 01 01 60 7265636569766564207369676e616c3a205349474b494c4c 4d000000"},
    {PROTO_EXECUTE_ANSWER, "job error timed out", "0300000000000000 | 01 02 00"},
    {PROTO_EXECUTE_ANSWER, "job error panic", "0800000000000000 | 01 02 01 10 626f6f6d"},
    {PROTO_EXECUTE_ANSWER, "job error kernel", "0500000000000000 | 01 02 02 04 65"},
    {PROTO_EXECUTE_ANSWER, "job error thread", "0500000000000000 | 01 02 03 04 65"},
    {PROTO_EXECUTE_ANSWER, "job error monitor", "0500000000000000 | 01 02 04 04 65"},
    {PROTO_EXECUTE_ANSWER, "job error exit status", "0700000000000000 | 01 02 05 03000000"},
    {PROTO_EXECUTE_ANSWER, "internal host", "0500000000000000 | 01 03 00 04 65"},
    {PROTO_EXECUTE_ANSWER, "internal link", "0500000000000000 | 01 03 01 04 65"},
    {PROTO_EXECUTE_ANSWER,
     "internal open",
     "2a00000000000000 | 01 03 02 98 4e6f20737563682066696c65206f72206469726563746f727920286f7320 "
     "6572726f72203229"},
    {PROTO_EXECUTE_ANSWER, "internal pipe", "0500000000000000 | 01 03 03 04 65"},
    {PROTO_EXECUTE_ANSWER, "internal clear", "0600000000000000 | 01 03 04 04 65 00"},
    {PROTO_EXECUTE_ANSWER, "internal clear path", "0800000000000000 | 01 03 04 04 65 01 04 2f"},
    {PROTO_EXECUTE_ANSWER, "internal kernel", "0500000000000000 | 01 03 05 04 65"},
    {PROTO_EXECUTE_ANSWER, "internal prepare", "0400000000000000 | 01 03 06 04"},
    {PROTO_PREPARE_JOB, "ok", "2c00000000000000 | 00 | 10 deadbeef | " STATS},
    {PROTO_PREPARE_JOB, "out of memory", "0200000000000000 | 01 08"},
    {PROTO_EXECUTE_JOB, "ok", "1800000000000000 | 00 00 | " RESULT},
    {PROTO_EXECUTE_JOB, "runtime construction", "0d00000000000000 | 00 01 28 657865637574653a2078"},
    {PROTO_EXECUTE_JOB, "timed out", "0200000000000000 | 01 00"},
    {PROTO_EXECUTE_JOB, "panic", "0800000000000000 | 01 01 14 6772656174"},
    {PROTO_VALIDATION_RESULT, "result", "1600000000000000 | " RESULT},
    {PROTO_VALIDATION_RESULT,
     "result with code",
     "0f00000000000000 | 00 | 01 08 aabb | 00 | 00 | 01000000 | 64000000"},
    {PROTO_UPGRADE_HELLO, "hello", "0600000000000000 | 01 | 0101010001"},
    {PROTO_UPGRADE_READY, "nothing", "0200000000000000 | 01 00"},
    {PROTO_UPGRADE_READY,
     "one of each",
     "1300000000000000 | 01 0c | 0461 00 | 08 6262 01 | 0c 636363 02 10 77687921"},
    {PROTO_UPGRADE_REQUEST, "prepare", "0900000000000000 | 0100000000000000 | 00"},
    {PROTO_UPGRADE_REQUEST, "execute", "0c00000000000000 | ffffffff0f000000 | 0c 040708"},
    {PROTO_PVD, "pvd", "2b00000000000000 | 08 aabb | 64000000 | 11*32 | 0000a000"},
};
const size_t proto_sample_count = sizeof(proto_samples) / sizeof(proto_samples[0]);

/* Decoder and encoder of one kind; the struct lives only in between. */
#define RECODE(type, name)                                                                         \
    do {                                                                                           \
        struct type value;                                                                         \
        int status = pvf__##name##_decode(data, len, &value, NULL);                                \
        if (status == 0) {                                                                         \
            pvf__##name##_encode(&value, ret);                                                     \
        }                                                                                          \
        return status != 0 ? status : ret->failed;                                                 \
    } while (0)

static int recode_params(const uint8_t *data, size_t len, struct pvf__buf *ret)
{
    struct pvf__executor_params params;
    int status = pvf__executor_params_decode(data, len, &params, NULL);
    if (status != 0) {
        return status;
    }
    /* Entry by entry, so that nothing rests on the raw bytes; the count is compact. */
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, params.raw.data, params.raw.len);
    unsigned head = params.raw.data[0] & 3u;
    const uint8_t *count;
    size_t count_len = head == 0 ? 1 : head == 1 ? 2 : head == 2 ? 4 : 5;
    if (!pvf__cursor_claim(&cursor, count_len, &count)) {
        return PVF_ERR_INTERNAL;
    }
    (void)pvf__buf_append(ret, count, count_len);
    for (uint32_t i = 0; i < params.count; i++) {
        struct pvf__executor_param param;
        if (!pvf__executor_param_get(&cursor, &param)) {
            return PVF_ERR_INTERNAL;
        }
        pvf__executor_param_put(ret, &param);
    }
    return ret->failed;
}

static int recode_pvd(const uint8_t *data, size_t len, struct pvf__buf *ret)
{
    struct pvf__persisted_validation_data pvd;
    int status = pvf__persisted_validation_data_decode(data, len, &pvd, NULL);
    if (status == 0) {
        pvf__persisted_validation_data_put(ret, &pvd);
    }
    return status != 0 ? status : ret->failed;
}

/* Whether what follows is its body only the descriptors say. */
static int recode_upgrade_request(const uint8_t *data, size_t len, struct pvf__buf *ret)
{
    struct pvf__upgrade_request request;
    int status = pvf__upgrade_request_decode(data, len, &request, NULL);
    if (status == 0) {
        request.body.len = 0;
        pvf__upgrade_request_encode(&request, ret);
    }
    return status != 0 ? status : ret->failed;
}

int proto_recode(enum proto_kind kind, const uint8_t *data, size_t len, struct pvf__buf *ret)
{
    switch (kind) {
    case PROTO_HANDSHAKE:
        RECODE(pvf_security_status, handshake);
    case PROTO_PREPARE_REQUEST:
        RECODE(pvf__prepare_request, prepare_request);
    case PROTO_PREPARE_ANSWER:
        RECODE(pvf__prepare_answer, prepare_answer);
    case PROTO_EXECUTE_REQUEST:
        RECODE(pvf__execute_request, execute_request);
    case PROTO_EXECUTE_ANSWER:
        RECODE(pvf__execute_answer, execute_answer);
    case PROTO_PREPARE_JOB:
        RECODE(pvf__prepare_job_result, prepare_job_result);
    case PROTO_EXECUTE_JOB:
        RECODE(pvf__execute_job_result, execute_job_result);
    case PROTO_VALIDATION_RESULT:
        RECODE(pvf__validation_result, validation_result);
    case PROTO_UPGRADE_HELLO:
        RECODE(pvf__upgrade_hello, upgrade_hello);
    case PROTO_UPGRADE_READY:
        RECODE(pvf__upgrade_ready, upgrade_ready);
    case PROTO_UPGRADE_REQUEST:
        return recode_upgrade_request(data, len, ret);
    case PROTO_PVD:
        return recode_pvd(data, len, ret);
    case PROTO_PARAMS:
        return recode_params(data, len, ret);
    case PROTO_KINDS:
    default:
        return PVF_ERR_INVALID_ARG;
    }
}

int proto_check(enum proto_kind kind, const uint8_t *data, size_t len)
{
    struct pvf__buf again = PVF__BUF_INIT(len);
    int status = proto_recode(kind, data, len, &again);
    int bad = 0;
    if (status == 0) {
        bad = again.len > len || (again.len > 0 && memcmp(again.data, data, again.len) != 0);
    } else {
        /* PVF_ERR_LIMIT would mean that the encoding is longer than what was decoded. */
        bad = status != PVF_ERR_MALFORMED;
    }
    pvf__buf_done(&again);
    return bad;
}
