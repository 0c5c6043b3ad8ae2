/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what host and prepare worker say to each other.  Neither side trusts the other: a decoder
 * checks all that it hands out, except that hashes are what the sender says.
 */
#include "proto/prepare_msg.h"

#include "proto/proto_error.h"
#include "scale/scale.h"

/*
 * Request: code Vec<u8> | bomb_limit u32 | code_hash 32 | executor params | timeout Duration |
 * kind u8.
 */
static bool get_request(struct pvf__cursor *cursor, struct pvf__prepare_request *ret)
{
    uint8_t kind;
    if (!pvf__scale_get_bytes(cursor, &ret->code) ||
        !pvf__scale_get_u32(cursor, &ret->bomb_limit) ||
        !pvf__scale_get_fixed(cursor, ret->code_hash, sizeof(ret->code_hash)) ||
        !pvf__executor_params_get(cursor, &ret->params) ||
        !pvf__duration_get(cursor, &ret->prep_timeout) || !pvf__scale_get_tag(cursor, 2, &kind)) {
        return false;
    }
    ret->kind = (enum pvf__prep_kind)kind;
    return true;
}

int pvf__prepare_request_decode(const uint8_t *data,
                                size_t len,
                                struct pvf__prepare_request *ret,
                                pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__prepare_request request;
    pvf__cursor_init(&cursor, data, len);
    if (!get_request(&cursor, &request)) {
        return pvf__proto_malformed(&cursor, "prepare request", err);
    }
    *ret = request;
    return 0;
}

void pvf__prepare_request_put_front(struct pvf__buf *buf,
                                    const struct pvf__prepare_request *request)
{
    pvf__scale_put_length(buf, request->code.len);
}

void pvf__prepare_request_encode(const struct pvf__prepare_request *request, struct pvf__buf *buf)
{
    pvf__prepare_request_put_front(buf, request);
    (void)pvf__buf_append(buf, request->code.data, request->code.len);
    pvf__prepare_request_put_back(buf, request);
}

void pvf__prepare_request_put_back(struct pvf__buf *buf, const struct pvf__prepare_request *request)
{
    pvf__scale_put_u32(buf, request->bomb_limit);
    pvf__scale_put_fixed(buf, request->code_hash, sizeof(request->code_hash));
    pvf__executor_params_put(buf, &request->params);
    pvf__duration_put(buf, request->prep_timeout);
    pvf__scale_put_u8(buf, (uint8_t)request->kind);
}

static bool get_optional_string(struct pvf__cursor *cursor, bool *ret_some, struct pvf__slice *ret)
{
    bool some;
    if (!pvf__scale_get_option(cursor, &some) || (some && !pvf__scale_get_string(cursor, ret))) {
        return false;
    }
    *ret_some = some;
    return true;
}

static void put_optional_string(struct pvf__buf *buf, bool some, struct pvf__slice text)
{
    pvf__scale_put_option(buf, some);
    if (some) {
        pvf__scale_put_string(buf, text);
    }
}

bool pvf__prepare_error_get(struct pvf__cursor *cursor, struct pvf__prepare_error *ret)
{
    struct pvf__cursor at = *cursor;
    struct pvf__prepare_error error = {0};
    uint8_t kind;
    if (!pvf__scale_get_tag(&at, PVF__PREPARE_ERROR_COUNT, &kind)) {
        return false;
    }
    error.kind = (enum pvf__prepare_error_kind)kind;
    bool fine = true;
    if (error.kind != PVF__PREPARE_TIMED_OUT && error.kind != PVF__PREPARE_OUT_OF_MEMORY) {
        fine = pvf__scale_get_string(&at, &error.text);
    }
    if (error.kind == PVF__PREPARE_RENAME_TMP_FILE) {
        fine = fine && get_optional_string(&at, &error.has_src, &error.src) &&
               get_optional_string(&at, &error.has_dest, &error.dest);
    }
    if (error.kind == PVF__PREPARE_JOB_DIED) {
        fine = fine && pvf__scale_get_i32(&at, &error.job_pid);
    }
    if (!fine) {
        return false;
    }
    *cursor = at;
    *ret = error;
    return true;
}

void pvf__prepare_error_put(struct pvf__buf *buf, const struct pvf__prepare_error *error)
{
    pvf__scale_put_u8(buf, (uint8_t)error->kind);
    if (error->kind != PVF__PREPARE_TIMED_OUT && error->kind != PVF__PREPARE_OUT_OF_MEMORY) {
        pvf__scale_put_string(buf, error->text);
    }
    if (error->kind == PVF__PREPARE_RENAME_TMP_FILE) {
        put_optional_string(buf, error->has_src, error->src);
        put_optional_string(buf, error->has_dest, error->dest);
    }
    if (error->kind == PVF__PREPARE_JOB_DIED) {
        pvf__scale_put_i32(buf, error->job_pid);
    }
}

/* Option<{resident u64, allocated u64}> | max_rss Option<i64> | peak u64, as on Linux. */
bool pvf__memory_stats_get(struct pvf__cursor *cursor, struct pvf__memory_stats *ret)
{
    struct pvf__cursor at = *cursor;
    struct pvf__memory_stats stats = {0};
    if (!pvf__scale_get_option(&at, &stats.has_tracker) ||
        (stats.has_tracker && (!pvf__scale_get_u64(&at, &stats.resident) ||
                               !pvf__scale_get_u64(&at, &stats.allocated))) ||
        !pvf__scale_get_option(&at, &stats.has_max_rss) ||
        (stats.has_max_rss && !pvf__scale_get_i64(&at, &stats.max_rss)) ||
        !pvf__scale_get_u64(&at, &stats.peak_tracked_alloc)) {
        return false;
    }
    *cursor = at;
    *ret = stats;
    return true;
}

void pvf__memory_stats_put(struct pvf__buf *buf, const struct pvf__memory_stats *stats)
{
    pvf__scale_put_option(buf, stats->has_tracker);
    if (stats->has_tracker) {
        pvf__scale_put_u64(buf, stats->resident);
        pvf__scale_put_u64(buf, stats->allocated);
    }
    pvf__scale_put_option(buf, stats->has_max_rss);
    if (stats->has_max_rss) {
        pvf__scale_put_i64(buf, stats->max_rss);
    }
    pvf__scale_put_u64(buf, stats->peak_tracked_alloc);
}

/* Answer: 00 | checksum 32 | cpu Duration | memory stats | code_len u32, or 01 | PrepareError. */
static bool get_answer(struct pvf__cursor *cursor, struct pvf__prepare_answer *ret)
{
    if (!pvf__scale_get_result(cursor, &ret->ok)) {
        return false;
    }
    if (!ret->ok) {
        return pvf__prepare_error_get(cursor, &ret->error);
    }
    return pvf__scale_get_fixed(cursor, ret->checksum, sizeof(ret->checksum)) &&
           pvf__duration_get(cursor, &ret->stats.cpu_time) &&
           pvf__memory_stats_get(cursor, &ret->stats.memory) &&
           pvf__scale_get_u32(cursor, &ret->stats.code_len);
}

int pvf__prepare_answer_decode(const uint8_t *data,
                               size_t len,
                               struct pvf__prepare_answer *ret,
                               pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__prepare_answer answer = {0};
    pvf__cursor_init(&cursor, data, len);
    if (!get_answer(&cursor, &answer)) {
        return pvf__proto_malformed(&cursor, "prepare answer", err);
    }
    *ret = answer;
    return 0;
}

void pvf__prepare_answer_encode(const struct pvf__prepare_answer *answer, struct pvf__buf *buf)
{
    pvf__scale_put_result(buf, answer->ok);
    if (!answer->ok) {
        pvf__prepare_error_put(buf, &answer->error);
        return;
    }
    pvf__scale_put_fixed(buf, answer->checksum, sizeof(answer->checksum));
    pvf__duration_put(buf, answer->stats.cpu_time);
    pvf__memory_stats_put(buf, &answer->stats.memory);
    pvf__scale_put_u32(buf, answer->stats.code_len);
}
