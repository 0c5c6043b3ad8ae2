/* SPDX-License-Identifier: Apache-2.0 */
/* The host against workers that misbehave in every way that one can think of. */
#include "support/test.h"

#include "base/clock.h"
#include "base/fd.h"
#include "host/folder.h"
#include "pvf/pvf.h"
#include "support/hex.h"
#include "support/proto_samples.h"

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *fake;         /* the program */
static char top[PATH_MAX / 4];   /* a folder for each run */
static char cache[PATH_MAX / 2]; /* where hosts work */
static char artifact[PATH_MAX / 2];

static void path_of(const char *name, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%s", top, name);
}

static int set_up(void **state)
{
    (void)state;
    if (pvf__folder_make("/tmp", "pvf-test-", top, sizeof(top), NULL) != 0) {
        return -1;
    }
    (void)snprintf(cache, sizeof(cache), "%s/cache", top);
    (void)snprintf(artifact, sizeof(artifact), "%s/artifact-file", top);
    return pvf__fd_write_file(artifact, 0600, "ELF", 3, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    pvf__folder_remove(top);
    return 0;
}

/* The fake in a mode, with what it is to answer (a frame in hex, or NULL). */
static void make_fake(const char *mode, const char *frame, char out[PATH_MAX])
{
    char name[64];
    char answer[PATH_MAX + 16];
    (void)snprintf(name, sizeof(name), "fake.%s", mode);
    path_of(name, out);
    (void)unlink(out);
    assert_int_equal(symlink(fake, out), 0);
    (void)snprintf(answer, sizeof(answer), "%s.answer", out);
    (void)unlink(answer);
    if (frame != NULL) {
        struct hex_bytes bytes = hex_read(frame);
        assert_int_equal(pvf__fd_write_file(answer, 0600, bytes.data, bytes.len, NULL), 0);
    }
}

static pvf_host *new_host(const char *program)
{
    const pvf_host_config config = {
        .prepare_worker_path = program,
        .execute_worker_path = program,
        .cache_dir = cache,
        .spawn_timeout_ms = 1500,
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
    };
    pvf_host *host = NULL;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_new(&config, &host, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return host;
}

/* After a host is gone: its folder is empty, and it has no children. */
static void assert_nothing_left(void)
{
    DIR *list = opendir(cache);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (entry->d_name[0] != '.') {
            fail_msg("%s was left behind", entry->d_name);
        }
    }
    (void)closedir(list);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static pvf_outcome execute(pvf_host *host, uint64_t timeout_ms)
{
    static const uint8_t pov[] = {1, 2, 3};
    const pvf_execute_request request = {
        .artifact_path = artifact,
        .timeout_ms = timeout_ms,
        .pov = {pov, sizeof(pov)},
        .descriptor_version = PVF_DESCRIPTOR_V2,
    };
    pvf_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_execute(host, &request, &outcome, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return outcome;
}

static pvf_prepare_outcome prepare(pvf_host *host, uint64_t timeout_ms)
{
    static const uint8_t code[] = {0, 'a', 's', 'm'};
    const pvf_prepare_request request = {
        .code = {code, sizeof(code)},
        .timeout_ms = timeout_ms,
        .kind = PVF_PREPARE_PRECHECKING,
    };
    pvf_prepare_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_prepare(host, &request, &outcome, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return outcome;
}

/* A fake in a mode executes once; its outcome. */
static pvf_outcome execute_with(const char *mode, const char *frame, uint64_t timeout_ms)
{
    char program[PATH_MAX];
    make_fake(mode, frame, program);
    pvf_host *host = new_host(program);
    pvf_outcome outcome = execute(host, timeout_ms);
    pvf_host_free(host);
    assert_nothing_left();
    return outcome;
}

static void assert_outcome(pvf_outcome outcome,
                           enum pvf_verdict verdict,
                           enum pvf_reason reason,
                           const char *said)
{
    if (outcome.verdict != (int32_t)verdict || outcome.reason != (int32_t)reason ||
        strstr(outcome.text, said) == NULL) {
        fail_msg("%s, %s: %s",
                 pvf_verdict_name(outcome.verdict),
                 pvf_reason_name(outcome.reason),
                 outcome.text);
    }
    pvf_outcome_done(&outcome);
}

static void workers_that_do_not_start(void **state)
{
    (void)state;
    uint64_t begin = pvf__clock_monotonic_ns();
    assert_outcome(execute_with("exit", NULL, 1000),
                   PVF_VERDICT_INTERNAL,
                   PVF_REASON_SPAWN,
                   "ended before it connected: exit status 3");
    assert_outcome(
        execute_with("abort", NULL, 1000), PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, "signal ABRT");
    /* Both were noticed at once, not after the time for connecting. */
    assert_true(pvf__clock_monotonic_ns() - begin < (uint64_t)1500 * 1000000);
    assert_outcome(execute_with("silent", NULL, 1000),
                   PVF_VERDICT_INTERNAL,
                   PVF_REASON_SPAWN,
                   "did not connect within 1500 ms");
}

static void a_stranger_is_sent_away(void **state)
{
    (void)state;
    assert_outcome(execute_with("stranger", "0200000000000000 0100", 1000),
                   PVF_VERDICT_INVALID,
                   PVF_REASON_HARD_TIMEOUT,
                   "CPU limit");
}

static void workers_that_do_not_answer(void **state)
{
    (void)state;
    assert_outcome(execute_with("die", NULL, 1000),
                   PVF_VERDICT_POSSIBLY_INVALID,
                   PVF_REASON_WORKER_DEATH,
                   "the worker was lost");
    assert_outcome(execute_with("killed", NULL, 1000),
                   PVF_VERDICT_POSSIBLY_INVALID,
                   PVF_REASON_WORKER_DEATH,
                   "the worker was lost");
    assert_outcome(execute_with("cut", "0800000000000000 00", 1000),
                   PVF_VERDICT_POSSIBLY_INVALID,
                   PVF_REASON_WORKER_DEATH,
                   "frame of 8 bytes");
    assert_outcome(execute_with("cut", "080000", 1000),
                   PVF_VERDICT_POSSIBLY_INVALID,
                   PVF_REASON_WORKER_DEATH,
                   "frame header");
}

static void answers_that_are_none(void **state)
{
    (void)state;
    assert_outcome(execute_with("answer", "0300000000000000 020202", 1000),
                   PVF_VERDICT_POSSIBLY_INVALID,
                   PVF_REASON_WORKER_DEATH,
                   "no valid value at byte 0 of 3");
    assert_outcome(execute_with("answer", "0000000000000000", 1000),
                   PVF_VERDICT_POSSIBLY_INVALID,
                   PVF_REASON_WORKER_DEATH,
                   "cannot be read");
    assert_outcome(execute_with("answer", "ffffffffffffffff", 1000),
                   PVF_VERDICT_POSSIBLY_INVALID,
                   PVF_REASON_WORKER_DEATH,
                   "a frame of 18446744073709551615 bytes was announced");
}

/* On a busy machine even a loop may be kept from using its share: then that is what is found. */
static void expect_expiry(const char *mode)
{
    for (int i = 0; i < 20; i++) {
        pvf_outcome outcome = execute_with(mode, NULL, 60);
        if (outcome.reason != PVF_REASON_STALLED) {
            assert_outcome(
                outcome, PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, "four times the CPU limit");
            return;
        }
        pvf_outcome_done(&outcome);
    }
    fail_msg("%s: it was never let run", mode);
}

/* Whoever burns the time is to blame; whoever sleeps may be the victim of this machine. */
static void time_runs_out(void **state)
{
    (void)state;
    assert_outcome(execute_with("hang", NULL, 60),
                   PVF_VERDICT_POSSIBLY_INVALID,
                   PVF_REASON_STALLED,
                   "CPU limit was not used up");
    expect_expiry("spin");
    expect_expiry("jobspin");
}

/* Each answer of the samples arrives with its verdict; trailing bytes are part of no verdict. */
static void every_answer_arrives(void **state)
{
    (void)state;
    for (size_t i = 0; i < proto_sample_count; i++) {
        if (proto_samples[i].kind != PROTO_EXECUTE_ANSWER) {
            continue;
        }
        pvf_outcome outcome = execute_with("answer", proto_samples[i].frame, 2000);
        bool is_error = strncmp(proto_samples[i].frame + 17, "| 01", 4) == 0;
        bool is_internal = strncmp(proto_samples[i].name, "internal", 8) == 0;
        assert_int_equal(outcome.verdict == PVF_VERDICT_INTERNAL, is_internal);
        assert_int_equal(outcome.verdict == PVF_VERDICT_VALID,
                         strcmp(proto_samples[i].name, "ok") == 0);
        if (is_error) {
            assert_null(outcome.result);
        }
        assert_true(outcome.wall_us > 0);
        pvf_outcome_done(&outcome);
    }
}

static const char ok_answer[] = "2800000000000000 00 00 08ccdd 00 040401 04d007000004ff 01000000 "
                                "64000000 0000000000000000 c0cf6a00 03000000";

static void workers_are_used_again(void **state)
{
    (void)state;
    char program[PATH_MAX];
    make_fake("answer", ok_answer, program);
    pvf_host *host = new_host(program);
    for (int i = 0; i < 5; i++) {
        pvf_outcome outcome = execute(host, 1000);
        assert_int_equal(outcome.result_len, 22);
        assert_outcome(outcome, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    }
    /* Each of these ends after its answer: the next job must get a new one. */
    pvf_host_free(host);
    make_fake("once", ok_answer, program);
    host = new_host(program);
    for (int i = 0; i < 5; i++) {
        assert_outcome(execute(host, 1000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    }
    pvf_host_free(host);
    assert_nothing_left();
}

static void noise_and_litter_do_no_harm(void **state)
{
    (void)state;
    char program[PATH_MAX];
    make_fake("chatter", ok_answer, program);
    pvf_host *host = new_host(program);
    assert_outcome(execute(host, 5000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    make_fake("litter", ok_answer, program);
    host = new_host(program);
    assert_outcome(execute(host, 5000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    assert_nothing_left();
}

static void artifacts_that_are_not_there(void **state)
{
    (void)state;
    char program[PATH_MAX];
    make_fake("answer", ok_answer, program);
    pvf_host *host = new_host(program);
    const pvf_execute_request request = {.artifact_path = "/nonexistent/artifact"};
    pvf_outcome outcome;
    assert_int_equal(pvf_host_execute(host, &request, &outcome, NULL), 0);
    assert_outcome(
        outcome, PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK, "cannot link /nonexistent/artifact");
    pvf_host_free(host);
    assert_nothing_left();
}

static void preparations_succeed(void **state)
{
    (void)state;
    char program[PATH_MAX];
    static char content[PATH_MAX + 16];
    static char kept[PATH_MAX];
    make_fake(
        "answer",
        "5300000000000000 00 68af9aafb6cff52f8c60bf4008dab7a0a25864baf89c2f3d8b0795240265a4bd "
        "0300000000000000 80b2e60e 01 6745230100000000 cdab890000000000 01 40e2010000000000 "
        "80f0fa0200000000 08000000",
        program);
    (void)snprintf(content, sizeof(content), "%s.artifact", program);
    assert_int_equal(pvf__fd_write_file(content, 0600, "\xde\xad\xbe\xef", 4, NULL), 0);
    pvf_host *host = new_host(program);
    pvf_prepare_outcome outcome = prepare(host, 4000);
    assert_true(outcome.ok);
    assert_int_equal(outcome.artifact_size, 4);
    assert_int_equal(outcome.cpu_us, 3250000);
    assert_int_equal(outcome.max_rss_kib, 123456);
    assert_int_equal(outcome.code_len, 8);
    assert_int_equal(outcome.checksum[0], 0x68);
    assert_int_equal(access(outcome.artifact_path, F_OK), 0);
    assert_non_null(strstr(outcome.artifact_path, "/0x"));
    path_of("kept.pvf", kept);
    assert_int_equal(pvf_prepare_outcome_keep(&outcome, kept, NULL), 0);
    assert_string_equal(outcome.artifact_path, kept);
    pvf_prepare_outcome_done(&outcome);
    assert_int_equal(access(kept, F_OK), 0);

    outcome = prepare(host, 4000);
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", outcome.artifact_path);
    assert_int_equal(access(path, F_OK), 0);
    pvf_prepare_outcome_done(&outcome);
    assert_int_not_equal(access(path, F_OK), 0);

    /* The same answer within a smaller limit is a timeout. */
    outcome = prepare(host, 3000);
    assert_false(outcome.ok);
    assert_int_equal(outcome.error, 4);
    pvf_prepare_outcome_done(&outcome);
    pvf_host_free(host);
    (void)unlink(content);
    assert_nothing_left();
}

static void preparations_fail(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        const char *frame;
        const char *name;
        const char *said;
        bool deterministic;
    } cases[] = {
        {"answer", "0600000000000000 01 00 0c 626164", "Prevalidation", "bad", true},
        {"answer", "0600000000000000 01 01 0c 626164", "Preparation", "bad", true},
        {"answer", "0600000000000000 01 02 0c 626164", "RuntimeConstruction", "bad", false},
        {"answer", "0600000000000000 01 03 0c 626164", "JobError", "bad", true},
        {"answer", "0200000000000000 01 04", "TimedOut", "time limit", false},
        {"answer", "0600000000000000 01 05 0c 626164", "IoErr", "bad", false},
        {"answer", "0200000000000000 01 08", "OutOfMemory", "memory limit", true},
        {"answer", "0a00000000000000 01 0a 0c 626164 07000000", "JobDied", "bad", false},
        {"answer", "0400000000000000 01 0b 04 65", "Kernel", "e", false},
        {"answer", "0400000000000000 01 0c 04 65", "CouldNotDecompressCodeBlob", "e", true},
        {"answer", "0200000000000000 01 0d", "IoErr", "no valid value at byte 1", false},
        {"die", NULL, "IoErr", "", false},
        {"hang", NULL, "TimedOut", "no answer in time", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char program[PATH_MAX];
        make_fake(cases[i].mode, cases[i].frame, program);
        pvf_host *host = new_host(program);
        pvf_prepare_outcome outcome = prepare(host, 80);
        assert_false(outcome.ok);
        assert_null(outcome.artifact_path);
        assert_string_equal(outcome.name, cases[i].name);
        if (strstr(outcome.text, cases[i].said) == NULL) {
            fail_msg("%s: %s", cases[i].name, outcome.text);
        }
        assert_int_equal(outcome.deterministic, cases[i].deterministic);
        pvf_prepare_outcome_done(&outcome);
        pvf_host_free(host);
        assert_nothing_left();
    }
}

static void no_worker_is_an_error(void **state)
{
    (void)state;
    char program[PATH_MAX];
    make_fake("exit", NULL, program);
    pvf_host *host = new_host(program);
    const pvf_prepare_request request = {.kind = PVF_PREPARE_COMPILATION};
    pvf_prepare_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf_host_prepare(host, &request, &outcome, &err), PVF_ERR_PEER);
    assert_non_null(strstr(err.text, "ended before it connected"));
    pvf_host_free(host);
    assert_nothing_left();
}

static void checks_and_versions(void **state)
{
    (void)state;
    char program[PATH_MAX];
    char version[32];
    pvf_error err = PVF_ERROR_INIT;
    pvf_host *host = NULL;
    pvf_check checks[PVF_CHECKS];
    pvf_security_status status;
    make_fake("yes", NULL, program);
    assert_int_equal(pvf_worker_version(program, version, sizeof(version), &err), 0);
    assert_string_equal(version, "1.2.3");
    pvf_host_config config = {
        .prepare_worker_path = program,
        .cache_dir = cache,
        .node_version = "1.2.3",
        .security_mode = PVF_SECURITY_REQUIRE,
    };
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    pvf_host_security(host, &status);
    assert_true(status.secure_validator_mode && status.can_enable_landlock &&
                status.can_enable_seccomp && status.can_do_secure_clone &&
                status.can_unshare_user_namespace_and_change_root);
    pvf_host_free(host);

    config.node_version = "1.2.4";
    assert_int_equal(pvf_host_new(&config, &host, &err), PVF_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "has version 1.2.3, but 1.2.4 is asked for"));
    config.node_version = NULL;

    make_fake("noroot", NULL, program);
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    assert_int_equal(pvf_host_check(host, checks, &err), 0);
    assert_string_equal(checks[2].name, "change-root");
    assert_false(checks[2].available);
    assert_true(checks[2].tolerated);
    assert_string_equal(checks[2].text, "the fake says no");
    pvf_host_free(host);

    make_fake("no", NULL, program);
    assert_int_equal(pvf_host_new(&config, &host, &err), PVF_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "no landlock: the fake says no"));
    config.security_mode = PVF_SECURITY_DETECT;
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    pvf_host_security(host, &status);
    assert_false(status.secure_validator_mode || status.can_enable_landlock);
    pvf_host_free(host);
    assert_int_equal(pvf_worker_version(program, version, sizeof(version), &err), PVF_ERR_PEER);
    assert_int_equal(pvf_worker_version("/nonexistent", version, sizeof(version), &err),
                     PVF_ERR_IO);
    assert_nothing_left();
}

static void inspections(void **state)
{
    (void)state;
    static uint8_t code[300000];
    char program[PATH_MAX];
    char *json = NULL;
    pvf_error err = PVF_ERROR_INIT;
    make_fake("yes", NULL, program);
    pvf_host *host = new_host(program);
    pvf_bytes none = {NULL, 0};
    assert_int_equal(pvf_host_inspect(host, (pvf_bytes){code, sizeof(code)}, none, 0, &json, &err),
                     0);
    assert_string_equal(json, "{\"bytes\": 300000}");
    free(json);
    pvf_host_free(host);
    make_fake("no", NULL, program);
    host = new_host(program);
    assert_int_equal(pvf_host_inspect(host, none, none, 5, &json, &err), PVF_ERR_PEER);
    assert_non_null(strstr(err.text, "exit status 1: cannot look at it"));
    pvf_host_free(host);
    make_fake("garbage", NULL, program);
    host = new_host(program);
    assert_int_equal(pvf_host_inspect(host, none, none, 0, &json, &err), PVF_ERR_PEER);
    assert_non_null(strstr(err.text, "gave no JSON object: not json"));
    pvf_host_free(host);
    assert_nothing_left();
}

static void bad_arguments_are_named(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    pvf_host *host = NULL;
    pvf_outcome outcome;
    const pvf_host_config nothing = {.cache_dir = cache};
    const pvf_host_config missing = {.prepare_worker_path = "/nonexistent/worker"};
    assert_int_equal(pvf_host_new(&nothing, &host, &err), PVF_ERR_INVALID_ARG);
    assert_int_equal(pvf_host_new(&missing, &host, &err), PVF_ERR_INVALID_ARG);
    assert_non_null(strstr(err.text, "/nonexistent/worker"));
    assert_int_equal(pvf_host_new(NULL, &host, NULL), PVF_ERR_INVALID_ARG);
    pvf_host_free(NULL);
    make_fake("answer", ok_answer, program);
    host = new_host(program);
    pvf_execute_request request = {.artifact_path = artifact, .descriptor_version = 9};
    assert_int_equal(pvf_host_execute(host, &request, &outcome, &err), PVF_ERR_INVALID_ARG);
    request.descriptor_version = 0;
    request.executor_params = (pvf_bytes){(const uint8_t *)"\x00\x00", 2};
    assert_int_equal(pvf_host_execute(host, &request, &outcome, &err), PVF_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "the list ends at byte 1 of 2"));
    pvf_host_free(host);
    assert_nothing_left();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_that_do_not_start),
        cmocka_unit_test(a_stranger_is_sent_away),
        cmocka_unit_test(workers_that_do_not_answer),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(every_answer_arrives),
        cmocka_unit_test(workers_are_used_again),
        cmocka_unit_test(noise_and_litter_do_no_harm),
        cmocka_unit_test(artifacts_that_are_not_there),
        cmocka_unit_test(preparations_succeed),
        cmocka_unit_test(preparations_fail),
        cmocka_unit_test(no_worker_is_an_error),
        cmocka_unit_test(checks_and_versions),
        cmocka_unit_test(inspections),
        cmocka_unit_test(bad_arguments_are_named),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    fake = argv[1];
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
