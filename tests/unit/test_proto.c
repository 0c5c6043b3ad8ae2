/* SPDX-License-Identifier: Apache-2.0 */
/* The messages, field by field in both directions, with the bytes written out. */
#include "support/test.h"

#include "hash/hash.h"
#include "proto/execute_msg.h"
#include "proto/frame.h"
#include "proto/handshake.h"
#include "proto/job_msg.h"
#include "proto/prepare_msg.h"
#include "pvf/status.h"
#include "support/hex.h"
#include "support/proto_samples.h"

#include <string.h>

/* The body of a named sample. */
static struct hex_bytes body_of(enum proto_kind kind, const char *name)
{
    for (size_t i = 0; i < proto_sample_count; i++) {
        if (proto_samples[i].kind == kind && strcmp(proto_samples[i].name, name) == 0) {
            struct hex_bytes frame = hex_read(proto_samples[i].frame);
            frame.len -= PVF__FRAME_HEADER;
            memmove(frame.data, frame.data + PVF__FRAME_HEADER, frame.len);
            return frame;
        }
    }
    fail_msg("no sample %s", name);
    return (struct hex_bytes){.len = 0};
}

static void assert_encoding(struct pvf__buf *buf, const struct hex_bytes *want)
{
    assert_int_equal(buf->failed, 0);
    assert_int_equal(buf->len, want->len);
    assert_memory_equal(buf->data, want->data, want->len);
    pvf__buf_done(buf);
}

static bool slice_is(struct pvf__slice slice, const void *data, size_t len)
{
    return slice.len == len && (len == 0 || memcmp(slice.data, data, len) == 0);
}

static struct pvf__slice text(const char *from)
{
    return (struct pvf__slice){(const uint8_t *)from, strlen(from)};
}

/* Each example's frame announces its own length; decoding and encoding give it back. */
static void every_sample_goes_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < proto_sample_count; i++) {
        struct hex_bytes frame = hex_read(proto_samples[i].frame);
        struct pvf__slice body;
        assert_int_equal(pvf__frame_first(frame.data, frame.len, &body, NULL), 0);
        struct pvf__buf again = PVF__BUF_INIT(1024);
        int status = proto_recode(proto_samples[i].kind, body.data, body.len, &again);
        if (status != 0 || again.len != body.len || memcmp(again.data, body.data, again.len) != 0) {
            fail_msg("%s: status %d, %zu bytes", proto_samples[i].name, status, again.len);
        }
        pvf__buf_done(&again);
    }
}

static void bytes_after_a_message_are_ignored(void **state)
{
    (void)state;
    for (size_t i = 0; i < proto_sample_count; i++) {
        struct hex_bytes frame = hex_read(proto_samples[i].frame);
        size_t len = frame.len - PVF__FRAME_HEADER;
        memset(frame.data + frame.len, 0xa5, 7);
        struct pvf__buf again = PVF__BUF_INIT(1024);
        int status =
            proto_recode(proto_samples[i].kind, frame.data + PVF__FRAME_HEADER, len + 7, &again);
        if (proto_samples[i].kind == PROTO_PVD) {
            /* A file, not a frame. */
            assert_int_equal(status, PVF_ERR_MALFORMED);
        } else {
            assert_int_equal(status, 0);
            assert_true(again.len <= len);
        }
        pvf__buf_done(&again);
    }
}

static void handshake(void **state)
{
    (void)state;
    pvf_security_status status;
    struct hex_bytes bytes = hex_read("01 00 01 00 01");
    assert_int_equal(pvf__handshake_decode(bytes.data, bytes.len, &status, NULL), 0);
    assert_true(status.secure_validator_mode);
    assert_false(status.can_enable_landlock);
    assert_true(status.can_enable_seccomp);
    assert_false(status.can_unshare_user_namespace_and_change_root);
    assert_true(status.can_do_secure_clone);
    struct pvf__buf buf = PVF__BUF_INIT(16);
    pvf__handshake_encode(&status, &buf);
    assert_encoding(&buf, &bytes);
    bytes.data[2] = 2;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__handshake_decode(bytes.data, bytes.len, &status, &err),
                     PVF_ERR_MALFORMED);
    assert_string_equal(err.text, "worker handshake: no valid value at byte 2 of 5");
}

static void prepare_request(void **state)
{
    (void)state;
    static const uint8_t code[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    struct hex_bytes want = body_of(PROTO_PREPARE_REQUEST, "no parameters");
    struct pvf__prepare_request request = {
        .code = {code, sizeof(code)},
        .bomb_limit = 31457280,
        .prep_timeout = {.secs = 60},
        .kind = PVF__PREP_PRECHECKING,
    };
    pvf__hash_blake2b_256(code, sizeof(code), request.code_hash);
    pvf__executor_params_init(&request.params);
    struct pvf__buf buf = PVF__BUF_INIT(256);
    pvf__prepare_request_encode(&request, &buf);
    assert_encoding(&buf, &want);

    struct pvf__prepare_request back;
    assert_int_equal(pvf__prepare_request_decode(want.data, want.len, &back, NULL), 0);
    assert_true(slice_is(back.code, code, sizeof(code)));
    assert_ptr_equal(back.code.data, want.data + 1);
    assert_int_equal(back.bomb_limit, 31457280);
    assert_memory_equal(back.code_hash, request.code_hash, 32);
    assert_int_equal(back.params.count, 0);
    assert_int_equal(back.prep_timeout.secs, 60);
    assert_int_equal(back.kind, PVF__PREP_PRECHECKING);

    want = body_of(PROTO_PREPARE_REQUEST, "with parameters");
    assert_int_equal(pvf__prepare_request_decode(want.data, want.len, &back, NULL), 0);
    assert_int_equal(back.params.count, 8);
    assert_int_equal(back.params.raw.len, 48);
    assert_int_equal(back.params.approval_timeout_ms, 12000);
    assert_int_equal(back.kind, PVF__PREP_COMPILATION);
}

static void prepare_answer(void **state)
{
    (void)state;
    struct hex_bytes want = body_of(PROTO_PREPARE_ANSWER, "ok");
    struct pvf__prepare_answer answer = {
        .ok = true,
        .stats = {.cpu_time = {.secs = 3, .nanos = 250000000},
                  .memory = {.has_tracker = true,
                             .resident = 0x01234567,
                             .allocated = 0x0089abcd,
                             .has_max_rss = true,
                             .max_rss = 123456,
                             .peak_tracked_alloc = 50000000},
                  .code_len = 8},
    };
    pvf__hash_twox_256((const uint8_t *)"\xde\xad\xbe\xef", 4, answer.checksum);
    struct pvf__buf buf = PVF__BUF_INIT(256);
    pvf__prepare_answer_encode(&answer, &buf);
    assert_int_equal(buf.len, 83);
    assert_encoding(&buf, &want);
    struct pvf__prepare_answer back;
    assert_int_equal(pvf__prepare_answer_decode(want.data, want.len, &back, NULL), 0);
    assert_true(back.ok);
    assert_memory_equal(back.checksum, answer.checksum, 32);
    assert_int_equal(back.stats.cpu_time.nanos, 250000000);
    assert_int_equal(back.stats.memory.max_rss, 123456);
    assert_int_equal(back.stats.memory.allocated, 0x0089abcd);
    assert_int_equal(back.stats.code_len, 8);
}

static void prepare_errors(void **state)
{
    (void)state;
    struct pvf__prepare_answer answer = {
        .error = {.kind = PVF__PREPARE_JOB_DIED,
                  .text = text("received signal: SIGSYS"),
                  .job_pid = 4242},
    };
    struct hex_bytes want = body_of(PROTO_PREPARE_ANSWER, "job died");
    struct pvf__buf buf = PVF__BUF_INIT(256);
    pvf__prepare_answer_encode(&answer, &buf);
    assert_encoding(&buf, &want);
    char line[80];
    pvf__prepare_error_text(&answer.error, line, sizeof(line));
    assert_string_equal(line, "the preparation job was killed (pid 4242): received signal: SIGSYS");
    pvf__prepare_error_text(&answer.error, line, 16);
    assert_string_equal(line, "the preparation");

    answer.error = (struct pvf__prepare_error){
        .kind = PVF__PREPARE_RENAME_TMP_FILE, .text = text("x"), .has_src = true, .src = text("a")};
    want = body_of(PROTO_PREPARE_ANSWER, "rename file");
    pvf__prepare_answer_encode(&answer, &buf);
    assert_encoding(&buf, &want);
    struct pvf__prepare_answer back;
    assert_int_equal(pvf__prepare_answer_decode(want.data, want.len, &back, NULL), 0);
    assert_true(back.error.has_src);
    assert_false(back.error.has_dest);
    assert_true(slice_is(back.error.src, "a", 1));

    answer.error = (struct pvf__prepare_error){.kind = PVF__PREPARE_OUT_OF_MEMORY};
    want = body_of(PROTO_PREPARE_ANSWER, "out of memory");
    pvf__prepare_answer_encode(&answer, &buf);
    assert_encoding(&buf, &want);
    assert_memory_equal(pvf__job_msg_out_of_memory + 8, want.data, 2);
}

/* Which kinds mean that the code is to blame, for ever (protocol: PrepareError). */
static void deterministic_prepare_errors(void **state)
{
    (void)state;
    static const bool want[PVF__PREPARE_ERROR_COUNT] = {
        true, true, false, true, false, false, false, false, true, false, false, false, true};
    for (unsigned kind = 0; kind < PVF__PREPARE_ERROR_COUNT; kind++) {
        assert_int_equal(pvf__prepare_error_is_deterministic((enum pvf__prepare_error_kind)kind),
                         want[kind]);
        assert_string_not_equal(pvf__prepare_error_name((enum pvf__prepare_error_kind)kind),
                                "unknown");
    }
    assert_string_equal(pvf__prepare_error_name(PVF__PREPARE_COULD_NOT_DECOMPRESS),
                        "CouldNotDecompressCodeBlob");
}

static void execute_request(void **state)
{
    (void)state;
    struct hex_bytes want = body_of(PROTO_EXECUTE_REQUEST, "v2");
    struct pvf__execute_request request = {
        .pvd = {.parent_head = {(const uint8_t *)"\xaa\xbb", 2},
                .relay_parent_number = 100,
                .max_pov_size = 10485760},
        .pov = {(const uint8_t *)"\1\2\3", 3},
        .timeout = {.secs = 2},
        .descriptor_version = PVF__DESCRIPTOR_V2,
    };
    memset(request.pvd.relay_parent_storage_root, 0x11, 32);
    memset(request.relay_parent, 0x22, 32);
    memset(request.scheduling_parent, 0x33, 32);
    pvf__hash_twox_256((const uint8_t *)"\xde\xad\xbe\xef", 4, request.artifact_checksum);
    struct pvf__buf buf = PVF__BUF_INIT(512);
    pvf__execute_request_encode(&request, &buf);
    assert_encoding(&buf, &want);
    struct pvf__execute_request back;
    assert_int_equal(pvf__execute_request_decode(want.data, want.len, &back, NULL), 0);
    assert_true(slice_is(back.pvd.parent_head, "\xaa\xbb", 2));
    assert_true(slice_is(back.pov, "\1\2\3", 3));
    assert_int_equal(back.pvd.relay_parent_number, 100);
    assert_int_equal(back.pvd.max_pov_size, 10485760);
    assert_int_equal(back.timeout.secs, 2);
    assert_memory_equal(back.relay_parent, request.relay_parent, 32);
    assert_memory_equal(back.scheduling_parent, request.scheduling_parent, 32);
    assert_int_equal(back.descriptor_version, PVF__DESCRIPTOR_V2);
    want = body_of(PROTO_EXECUTE_REQUEST, "unknown descriptor");
    assert_int_equal(pvf__execute_request_decode(want.data, want.len, &back, NULL), 0);
    assert_int_equal(back.descriptor_version, PVF__DESCRIPTOR_UNKNOWN);
    assert_int_equal(back.descriptor_unknown, 0xff);
}

static void execute_answer(void **state)
{
    (void)state;
    struct hex_bytes bytes = body_of(PROTO_EXECUTE_ANSWER, "ok");
    struct pvf__execute_answer answer;
    assert_int_equal(pvf__execute_answer_decode(bytes.data, bytes.len, &answer, NULL), 0);
    assert_true(answer.ok);
    assert_int_equal(answer.response.kind, PVF__JOB_RESPONSE_OK);
    assert_int_equal(answer.response.result.len, 22);
    assert_ptr_equal(answer.response.result.data, bytes.data + 2);
    assert_int_equal(answer.duration.nanos, 7000000);
    assert_int_equal(answer.pov_size, 3);

    bytes = body_of(PROTO_EXECUTE_ANSWER, "invalid candidate");
    assert_int_equal(pvf__execute_answer_decode(bytes.data, bytes.len, &answer, NULL), 0);
    assert_int_equal(answer.response.kind, PVF__JOB_RESPONSE_INVALID_CANDIDATE);
    assert_true(slice_is(answer.response.text, "execute: trap", 13));

    bytes = body_of(PROTO_EXECUTE_ANSWER, "job died");
    assert_int_equal(pvf__execute_answer_decode(bytes.data, bytes.len, &answer, NULL), 0);
    assert_false(answer.ok);
    assert_int_equal(answer.error.kind, PVF__WORKER_ERROR_JOB_DIED);
    assert_int_equal(answer.error.job_pid, 77);
    assert_true(slice_is(answer.error.died_text, "received signal: SIGKILL", 24));

    bytes = body_of(PROTO_EXECUTE_ANSWER, "job error exit status");
    assert_int_equal(pvf__execute_answer_decode(bytes.data, bytes.len, &answer, NULL), 0);
    char line[80];
    pvf__job_error_text(&answer.error.job, line, sizeof(line));
    assert_string_equal(line, "the job ended with exit status 3");

    bytes = body_of(PROTO_EXECUTE_ANSWER, "internal open");
    assert_int_equal(pvf__execute_answer_decode(bytes.data, bytes.len, &answer, NULL), 0);
    assert_int_equal(answer.error.internal.kind, PVF__INTERNAL_COULD_NOT_OPEN_FILE);
    pvf__internal_error_text(&answer.error.internal, line, sizeof(line));
    assert_string_equal(line,
                        "the artifact could not be read: No such file or directory (os error 2)");
}

static void execute_errors(void **state)
{
    (void)state;
    struct pvf__execute_answer answer = {
        .error = {.kind = PVF__WORKER_ERROR_JOB_ERROR,
                  .job = {.kind = PVF__JOB_ERROR_PANIC, .text = text("boom")}},
    };
    struct hex_bytes want = body_of(PROTO_EXECUTE_ANSWER, "job error panic");
    struct pvf__buf buf = PVF__BUF_INIT(256);
    pvf__execute_answer_encode(&answer, &buf);
    assert_encoding(&buf, &want);
    answer.error = (struct pvf__worker_error){
        .kind = PVF__WORKER_ERROR_INTERNAL,
        .internal = {.kind = PVF__INTERNAL_COULD_NOT_CLEAR_WORKER_DIR, .text = text("e")}};
    want = body_of(PROTO_EXECUTE_ANSWER, "internal clear");
    pvf__execute_answer_encode(&answer, &buf);
    assert_encoding(&buf, &want);
    answer = (struct pvf__execute_answer){
        .ok = true, .response = {.kind = PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT}};
    want = body_of(PROTO_EXECUTE_ANSWER, "corrupted artifact");
    pvf__execute_answer_encode(&answer, &buf);
    assert_encoding(&buf, &want);
}

static void job_frames(void **state)
{
    (void)state;
    struct pvf__prepare_job_result prepare = {
        .ok = true,
        .artifact = {(const uint8_t *)"\xde\xad\xbe\xef", 4},
        .memory = {.has_tracker = true,
                   .resident = 0x01234567,
                   .allocated = 0x0089abcd,
                   .has_max_rss = true,
                   .max_rss = 123456,
                   .peak_tracked_alloc = 50000000},
        .code_len = 8,
    };
    struct hex_bytes want = body_of(PROTO_PREPARE_JOB, "ok");
    struct pvf__buf buf = PVF__BUF_INIT(256);
    pvf__prepare_job_result_encode(&prepare, &buf);
    assert_encoding(&buf, &want);

    struct hex_bytes bytes = body_of(PROTO_EXECUTE_JOB, "ok");
    struct pvf__execute_job_result execute;
    assert_int_equal(pvf__execute_job_result_decode(bytes.data, bytes.len, &execute, NULL), 0);
    assert_true(execute.ok);
    struct pvf__slice result = execute.response.result;
    struct pvf__validation_result parsed;
    assert_int_equal(pvf__validation_result_decode(result.data, result.len, &parsed, NULL), 0);
    assert_true(slice_is(parsed.head_data, "\xcc\xdd", 2));
    assert_false(parsed.has_new_code);
    assert_int_equal(parsed.upward_count, 1);
    assert_true(slice_is(parsed.upward, "\4\1", 2));
    assert_int_equal(parsed.horizontal_count, 1);
    assert_int_equal(parsed.horizontal.len, 6);
    assert_int_equal(parsed.processed_downward_messages, 1);
    assert_int_equal(parsed.hrmp_watermark, 100);

    bytes = body_of(PROTO_EXECUTE_JOB, "timed out");
    assert_int_equal(pvf__execute_job_result_decode(bytes.data, bytes.len, &execute, NULL), 0);
    assert_false(execute.ok);
    assert_int_equal(execute.error.kind, PVF__JOB_ERROR_TIMED_OUT);
}

/* 16384 messages are accepted, one more is refused, in each of the two lists. */
static void results_have_bounded_lists(void **state)
{
    (void)state;
    for (unsigned list = 0; list < 2; list++) {
        size_t item = list == 0 ? 1 : 5;
        for (unsigned extra = 0; extra < 2; extra++) {
            struct pvf__buf buf = PVF__BUF_INIT(1 << 20);
            uint32_t count = PVF__VALIDATION_MESSAGES_MAX + extra;
            (void)pvf__buf_zeros(&buf, 2 + list);
            (void)pvf__buf_u32le(&buf, count << 2 | 2);
            (void)pvf__buf_zeros(&buf, count * item + 1 - list + 8);
            struct pvf__validation_result result;
            int status = pvf__validation_result_decode(buf.data, buf.len, &result, NULL);
            assert_int_equal(status, extra == 0 ? 0 : PVF_ERR_MALFORMED);
            if (status == 0) {
                assert_int_equal(result.raw.len, buf.len);
            }
            pvf__buf_done(&buf);
        }
    }
}

static void validation_params(void **state)
{
    (void)state;
    struct pvf__validation_params params = {
        .parent_head = {(const uint8_t *)"\xaa\xbb", 2},
        .block_data = {(const uint8_t *)"\1\2\3", 3},
        .relay_parent_number = 100,
    };
    memset(params.relay_parent_storage_root, 0x11, 32);
    struct hex_bytes want = hex_read("08 aabb 0c 010203 64000000 11*32");
    assert_int_equal(want.len, 43);
    struct pvf__buf buf = PVF__BUF_INIT(256);
    pvf__validation_params_encode(&params, &buf);
    assert_encoding(&buf, &want);
    params.has_v3 = true;
    memset(params.relay_parent, 0x22, 32);
    memset(params.scheduling_parent, 0x33, 32);
    want = hex_read("08 aabb 0c 010203 64000000 11*32 03 22*32 33*32");
    pvf__validation_params_encode(&params, &buf);
    assert_encoding(&buf, &want);

    struct pvf__validation_params back;
    size_t left = 7;
    assert_int_equal(pvf__validation_params_decode(want.data, want.len, &back, &left, NULL), 0);
    assert_true(back.has_v3);
    assert_int_equal(left, 0);
    assert_memory_equal(back.scheduling_parent, params.scheduling_parent, 32);
    assert_true(slice_is(back.block_data, "\1\2\3", 3));
    assert_int_equal(pvf__validation_params_decode(want.data, 44, &back, &left, NULL), 0);
    assert_false(back.has_v3);
    assert_int_equal(left, 1);
    assert_int_equal(pvf__validation_params_decode(want.data, 42, &back, &left, NULL),
                     PVF_ERR_MALFORMED);
}

static void durations(void **state)
{
    (void)state;
    struct pvf__duration a = pvf__duration_from_ms(2500);
    assert_int_equal(a.secs, 2);
    assert_int_equal(a.nanos, 500000000);
    assert_int_equal(pvf__duration_to_us(a), 2500000);
    assert_int_equal(pvf__duration_to_us((struct pvf__duration){0, 1}), 1);
    assert_int_equal(pvf__duration_to_us((struct pvf__duration){0, 1000}), 1);
    assert_int_equal(pvf__duration_to_ns(pvf__duration_from_us(7)), 7000);
    assert_true(pvf__duration_to_us((struct pvf__duration){UINT64_MAX, 0}) == UINT64_MAX);
    assert_true(pvf__duration_to_ns((struct pvf__duration){UINT64_MAX / 1000, 0}) == UINT64_MAX);
    assert_true(pvf__duration_compare(a, pvf__duration_from_ms(2499)) > 0);
    assert_true(pvf__duration_compare(a, pvf__duration_from_ms(2501)) < 0);
    assert_true(pvf__duration_compare(pvf__duration_from_ms(1999), a) < 0);
    assert_int_equal(pvf__duration_compare(a, a), 0);
    struct hex_bytes bytes = hex_read("0000000000000000 00ca9a3b");
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, bytes.data, bytes.len);
    assert_false(pvf__duration_get(&cursor, &a));
    assert_int_equal(pvf__cursor_offset(&cursor), 0);
    bytes.data[8] = 0xff;
    bytes.data[9] = 0xc9;
    pvf__cursor_init(&cursor, bytes.data, bytes.len);
    assert_true(pvf__duration_get(&cursor, &a));
    assert_int_equal(a.nanos, 999999999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_goes_both_ways),
        cmocka_unit_test(bytes_after_a_message_are_ignored),
        cmocka_unit_test(handshake),
        cmocka_unit_test(prepare_request),
        cmocka_unit_test(prepare_answer),
        cmocka_unit_test(prepare_errors),
        cmocka_unit_test(deterministic_prepare_errors),
        cmocka_unit_test(execute_request),
        cmocka_unit_test(execute_answer),
        cmocka_unit_test(execute_errors),
        cmocka_unit_test(job_frames),
        cmocka_unit_test(results_have_bounded_lists),
        cmocka_unit_test(validation_params),
        cmocka_unit_test(durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
