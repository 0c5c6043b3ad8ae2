/* SPDX-License-Identifier: Apache-2.0 */
/* The outcome table, from the bytes of every answer to the verdict. */
#include "support/test.h"

#include "hash/hash.h"
#include "host/outcome.h"
#include "proto/frame.h"
#include "pvf/status.h"
#include "support/hex.h"
#include "support/proto_samples.h"

#include <string.h>

struct want {
    const char *sample;
    enum pvf_verdict verdict;
    enum pvf_reason reason;
    bool retry;
    bool bad_artifact;
    bool keeps_worker;
};

/* Protocol: execute outcomes of the host. */
static const struct want wants[] = {
    {"ok", PVF_VERDICT_VALID, PVF_REASON_NONE, false, false, true},
    {"invalid candidate", PVF_VERDICT_INVALID, PVF_REASON_REPORTED_INVALID, false, false, true},
    {"pov decompression", PVF_VERDICT_INVALID, PVF_REASON_POV_DECOMPRESSION, false, false, true},
    {"runtime construction",
     PVF_VERDICT_POSSIBLY_INVALID,
     PVF_REASON_RUNTIME_CONSTRUCTION,
     true,
     true,
     true},
    {"corrupted artifact",
     PVF_VERDICT_POSSIBLY_INVALID,
     PVF_REASON_CORRUPTED_ARTIFACT,
     true,
     true,
     true},
    {"job timed out", PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, false, false, false},
    {"job died", PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_JOB_DEATH, true, false, false},
    {"job error panic", PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_JOB_ERROR, true, false, false},
    {"job error kernel", PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_JOB_ERROR, true, false, false},
    {"job error exit status",
     PVF_VERDICT_POSSIBLY_INVALID,
     PVF_REASON_JOB_ERROR,
     true,
     false,
     false},
    {"job error timed out", PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_JOB_ERROR, true, false, false},
    {"internal host", PVF_VERDICT_INTERNAL, PVF_REASON_HOST_COMMUNICATION, true, false, false},
    {"internal link", PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK, true, false, false},
    {"internal open", PVF_VERDICT_INTERNAL, PVF_REASON_OPEN_FILE, true, false, false},
    {"internal pipe", PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_PIPE, true, false, false},
    {"internal clear", PVF_VERDICT_INTERNAL, PVF_REASON_CLEAR_WORKER_DIR, true, false, false},
    {"internal kernel", PVF_VERDICT_INTERNAL, PVF_REASON_KERNEL, true, false, false},
    {"internal prepare", PVF_VERDICT_INTERNAL, PVF_REASON_PREPARE, true, false, false},
};

static struct hex_bytes answer_of(const char *name)
{
    for (size_t i = 0; i < proto_sample_count; i++) {
        if (proto_samples[i].kind == PROTO_EXECUTE_ANSWER &&
            strcmp(proto_samples[i].name, name) == 0) {
            return hex_read(proto_samples[i].frame);
        }
    }
    fail_msg("no sample %s", name);
    return (struct hex_bytes){.len = 0};
}

static void every_answer_has_its_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        struct hex_bytes frame = answer_of(wants[i].sample);
        struct pvf__execute_answer answer;
        assert_int_equal(pvf__execute_answer_decode(frame.data + 8, frame.len - 8, &answer, NULL),
                         0);
        enum pvf__event event = pvf__outcome_event(&answer, pvf__duration_from_ms(2000));
        pvf_outcome outcome;
        assert_int_equal(pvf__outcome_from_answer(&answer, event, &outcome, NULL), 0);
        if (outcome.verdict != (int32_t)wants[i].verdict ||
            outcome.reason != (int32_t)wants[i].reason || outcome.retry != wants[i].retry ||
            outcome.bad_artifact != wants[i].bad_artifact ||
            pvf__outcome_keeps_worker(event) != wants[i].keeps_worker) {
            fail_msg("%s: %s, %s",
                     wants[i].sample,
                     pvf_verdict_name(outcome.verdict),
                     pvf_reason_name(outcome.reason));
        }
        assert_int_equal(outcome.text[0] == '\0', wants[i].verdict == PVF_VERDICT_VALID);
        pvf_outcome_done(&outcome);
    }
}

static void what_the_host_sees_itself(void **state)
{
    (void)state;
    static const struct {
        enum pvf__event event;
        enum pvf_verdict verdict;
        enum pvf_reason reason;
    } cases[] = {
        {PVF__EVENT_SPAWN_FAILED, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN},
        {PVF__EVENT_LINK_FAILED, PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK},
        {PVF__EVENT_NOT_SENT, PVF_VERDICT_INTERNAL, PVF_REASON_HOST_COMMUNICATION},
        {PVF__EVENT_EXPIRED, PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT},
        {PVF__EVENT_STALLED, PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_STALLED},
        {PVF__EVENT_LOST, PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_WORKER_DEATH},
        {PVF__EVENT_NOT_READ, PVF_VERDICT_INTERNAL, PVF_REASON_HOST_COMMUNICATION},
        {PVF__EVENT_UNDECODABLE, PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_WORKER_DEATH},
        {PVF__EVENT_CPU_OVER, PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT},
        {PVF__EVENT_SELF_TEST_FAILED, PVF_VERDICT_INTERNAL, PVF_REASON_SELF_TEST},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pvf_outcome outcome;
        pvf__outcome_set(cases[i].event, (struct pvf__slice){NULL, 0}, &outcome);
        assert_int_equal(outcome.verdict, cases[i].verdict);
        assert_int_equal(outcome.reason, cases[i].reason);
        assert_false(pvf__outcome_keeps_worker(cases[i].event));
        assert_string_not_equal(outcome.text, "");
        assert_string_not_equal(pvf_reason_name(outcome.reason), "unknown");
    }
}

/* More CPU time than the limit makes a timeout of any job response, a refusal included. */
static void cpu_time_over_the_limit_decides(void **state)
{
    (void)state;
    static const struct {
        const char *sample;
        uint64_t limit_us;
        enum pvf__event event;
    } cases[] = {
        {"ok", 7000, PVF__EVENT_OK},
        {"ok", 6999, PVF__EVENT_CPU_OVER},
        {"invalid candidate", 1000000, PVF__EVENT_INVALID_CANDIDATE},
        {"invalid candidate", 999999, PVF__EVENT_CPU_OVER},
        {"runtime construction", 999999, PVF__EVENT_CPU_OVER},
        {"corrupted artifact", 0, PVF__EVENT_CORRUPTED_ARTIFACT},
        {"job died", 0, PVF__EVENT_JOB_DIED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hex_bytes frame = answer_of(cases[i].sample);
        struct pvf__execute_answer answer;
        assert_int_equal(pvf__execute_answer_decode(frame.data + 8, frame.len - 8, &answer, NULL),
                         0);
        assert_int_equal(pvf__outcome_event(&answer, pvf__duration_from_us(cases[i].limit_us)),
                         cases[i].event);
    }
}

static void a_good_result_is_copied(void **state)
{
    (void)state;
    struct hex_bytes frame = answer_of("ok");
    struct pvf__execute_answer answer;
    pvf_outcome outcome;
    uint8_t hash[32];
    assert_int_equal(pvf__execute_answer_decode(frame.data + 8, frame.len - 8, &answer, NULL), 0);
    assert_int_equal(pvf__outcome_from_answer(&answer, PVF__EVENT_OK, &outcome, NULL), 0);
    memset(&frame, 0, sizeof(frame));
    assert_int_equal(outcome.result_len, 22);
    assert_int_equal(outcome.head_data.len, 2);
    assert_memory_equal(outcome.head_data.data, "\xcc\xdd", 2);
    pvf__hash_blake2b_256((const uint8_t *)"\xcc\xdd", 2, hash);
    assert_memory_equal(outcome.head_hash, hash, 32);
    assert_null(outcome.new_code.data);
    assert_int_equal(outcome.upward_messages, 1);
    assert_int_equal(outcome.horizontal_messages, 1);
    assert_int_equal(outcome.processed_downward_messages, 1);
    assert_int_equal(outcome.hrmp_watermark, 100);
    assert_int_equal(outcome.cpu_us, 7000);
    assert_int_equal(outcome.pov_size, 3);
    pvf_outcome_done(&outcome);
    assert_null(outcome.result);
    pvf_outcome_done(NULL);
}

/* Texts come from hostile code: one line, whole characters, always terminated. */
static void texts_are_tame(void **state)
{
    (void)state;
    char line[16];
    struct pvf__slice detail = {(const uint8_t *)"a\nb\x1b[1m", 6};
    pvf__outcome_line("w", detail, line, sizeof(line));
    assert_string_equal(line, "w: a b [1");
    detail = (struct pvf__slice){(const uint8_t *)"0123456789a\xc3\xa9z", 14};
    pvf__outcome_line("w", detail, line, sizeof(line));
    assert_string_equal(line, "w: 0123456789a");
    detail.len = 0;
    pvf__outcome_line("more words than fit in", detail, line, sizeof(line));
    assert_string_equal(line, "more words than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_its_row),
        cmocka_unit_test(what_the_host_sees_itself),
        cmocka_unit_test(cpu_time_over_the_limit_decides),
        cmocka_unit_test(a_good_result_is_copied),
        cmocka_unit_test(texts_are_tame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
