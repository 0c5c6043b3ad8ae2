/* SPDX-License-Identifier: Apache-2.0 */
/* The table of preparations, from the bytes of every answer to the error; and the known-good job.
 */
#include "support/test.h"

#include "base/buf.h"
#include "host/known_good.h"
#include "host/prepare_outcome.h"
#include "proto/validation.h"
#include "support/hex.h"
#include "support/proto_samples.h"

#include <string.h>

static struct hex_bytes answer_of(const char *name)
{
    for (size_t i = 0; i < proto_sample_count; i++) {
        if (proto_samples[i].kind == PROTO_PREPARE_ANSWER &&
            strcmp(proto_samples[i].name, name) == 0) {
            return hex_read(proto_samples[i].frame);
        }
    }
    fail_msg("no sample %s", name);
    return (struct hex_bytes){.len = 0};
}

/* Protocol: prepare outcomes of the host. */
static void every_answer_has_its_row(void **state)
{
    (void)state;
    static const struct {
        const char *sample;
        int32_t error;
        const char *name;
        bool deterministic;
        bool keeps_worker;
        bool is_death;
    } wants[] = {
        {"prevalidation", 0, "Prevalidation", true, true, false},
        {"preparation", 1, "Preparation", true, true, false},
        {"runtime construction", 2, "RuntimeConstruction", false, true, false},
        {"job error", 3, "JobError", true, true, false},
        {"timed out", 4, "TimedOut", false, false, false},
        {"io error", 5, "IoErr", false, true, false},
        {"create file", 6, "CreateTmpFile", false, true, false},
        {"rename file", 7, "RenameTmpFile", false, true, false},
        {"out of memory", 8, "OutOfMemory", true, false, false},
        {"clear folder", 9, "ClearWorkerDir", false, true, false},
        {"job died", 10, "JobDied", false, false, true},
        {"kernel", 11, "Kernel", false, true, false},
        {"decompression", 12, "CouldNotDecompressCodeBlob", true, true, false},
    };
    assert_int_equal(sizeof(wants) / sizeof(wants[0]), PVF__PREPARE_ERROR_COUNT);
    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        struct hex_bytes frame = answer_of(wants[i].sample);
        struct pvf__prepare_answer answer;
        assert_int_equal(pvf__prepare_answer_decode(frame.data + 8, frame.len - 8, &answer, NULL),
                         0);
        enum pvf__prepare_event event =
            pvf__prepare_outcome_event(&answer, pvf__duration_from_ms(60000));
        pvf_prepare_outcome outcome = {.ok = true};
        assert_true(pvf__prepare_outcome_set(event, answer.error.text, &outcome));
        if (outcome.ok || outcome.error != wants[i].error ||
            strcmp(outcome.name, wants[i].name) != 0 ||
            outcome.deterministic != wants[i].deterministic ||
            pvf__prepare_outcome_keeps_worker(event) != wants[i].keeps_worker ||
            pvf__prepare_outcome_is_death(event) != wants[i].is_death) {
            fail_msg("%s: %d %s", wants[i].sample, outcome.error, outcome.name);
        }
        assert_string_not_equal(outcome.text, "");
    }
}

static void what_the_host_sees_itself(void **state)
{
    (void)state;
    static const struct {
        enum pvf__prepare_event event;
        const char *name;
        bool keeps_worker;
        bool is_death;
    } cases[] = {
        {PVF__PREPARE_EVENT_TMP_FILE_FAILED, "CreateTmpFile", true, false},
        {PVF__PREPARE_EVENT_EXPIRED, "TimedOut", false, false},
        {PVF__PREPARE_EVENT_STALLED, "TimedOut", false, false},
        {PVF__PREPARE_EVENT_LOST, "IoErr", false, true},
        {PVF__PREPARE_EVENT_NOT_READ, "IoErr", false, false},
        {PVF__PREPARE_EVENT_UNDECODABLE, "IoErr", false, true},
        {PVF__PREPARE_EVENT_CPU_OVER, "TimedOut", false, false},
        {PVF__PREPARE_EVENT_NO_PLAIN_FILE, "IoErr", false, false},
        {PVF__PREPARE_EVENT_RENAME_FAILED, "RenameTmpFile", true, false},
    };
    pvf_prepare_outcome outcome;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        outcome = (pvf_prepare_outcome){.ok = true};
        assert_true(pvf__prepare_outcome_set(cases[i].event, pvf__slice_text("why not"), &outcome));
        assert_false(outcome.ok);
        assert_string_equal(outcome.name, cases[i].name);
        /* What this machine may have caused is no vote against the code. */
        assert_false(outcome.deterministic);
        assert_non_null(strstr(outcome.text, ": why not"));
        assert_int_equal(pvf__prepare_outcome_keeps_worker(cases[i].event), cases[i].keeps_worker);
        assert_int_equal(pvf__prepare_outcome_is_death(cases[i].event), cases[i].is_death);
    }
    outcome = (pvf_prepare_outcome){.error = -1, .name = ""};
    assert_true(
        pvf__prepare_outcome_set(PVF__PREPARE_EVENT_OK, (struct pvf__slice){NULL, 0}, &outcome));
    assert_true(outcome.ok && pvf__prepare_outcome_keeps_worker(PVF__PREPARE_EVENT_OK));
    assert_string_equal(outcome.text, "");
    /* The one event after which the job may be given to another worker. */
    assert_false(pvf__prepare_outcome_set(
        PVF__PREPARE_EVENT_NOT_SENT, (struct pvf__slice){NULL, 0}, &outcome));
    assert_false(pvf__prepare_outcome_keeps_worker(PVF__PREPARE_EVENT_NOT_SENT));
}

static void cpu_time_over_the_limit_decides(void **state)
{
    (void)state;
    struct hex_bytes frame = answer_of("ok");
    struct pvf__prepare_answer answer;
    assert_int_equal(pvf__prepare_answer_decode(frame.data + 8, frame.len - 8, &answer, NULL), 0);
    assert_int_equal(pvf__prepare_outcome_event(&answer, pvf__duration_from_us(3250000)),
                     PVF__PREPARE_EVENT_OK);
    assert_int_equal(pvf__prepare_outcome_event(&answer, pvf__duration_from_us(3249999)),
                     PVF__PREPARE_EVENT_CPU_OVER);
}

/* The constant result is the hash of the constant candidate, computed here a second time. */
static void the_known_result_is_right(void **state)
{
    (void)state;
    pvf_execute_request request;
    struct pvf__validation_result result;
    PVF__CLEANUP_BUF struct pvf__buf input = PVF__BUF_INIT(1024);
    pvf__known_good_candidate(&request);
    const struct pvf__validation_params params = {
        .parent_head = {request.parent_head.data, request.parent_head.len},
        .block_data = {request.pov.data, request.pov.len},
        .relay_parent_number = request.relay_parent_number,
    };
    pvf__validation_params_encode(&params, &input);
    assert_int_equal(input.failed, 0);
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < input.len; i++) {
        hash = (hash ^ input.data[i]) * 0x100000001b3;
    }
    pvf_bytes want = pvf__known_good_result();
    assert_int_equal(pvf__validation_result_decode(want.data, want.len, &result, NULL), 0);
    assert_int_equal(result.raw.len, want.len);
    assert_int_equal(result.head_data.len, 8);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(result.head_data.data[i], (hash >> (8 * i)) & 0xff);
    }
    assert_false(result.has_new_code);
    assert_true(pvf__known_good_code().len < 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_its_row),
        cmocka_unit_test(what_the_host_sees_itself),
        cmocka_unit_test(cpu_time_over_the_limit_decides),
        cmocka_unit_test(the_known_result_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
