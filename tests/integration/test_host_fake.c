/* SPDX-License-Identifier: Apache-2.0 */
/* The host against workers that misbehave in every way that one can think of. */
#include "support/test.h"

#include "base/clock.h"
#include "base/fd.h"
#include "pvf/pvf.h"
#include "support/host_bench.h"
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

static void a_stranger_is_sent_away(void **state)
{
    (void)state;
    bench_assert_outcome(bench_execute_with("stranger", "0200000000000000 0100", 1000),
                         PVF_VERDICT_INVALID,
                         PVF_REASON_HARD_TIMEOUT,
                         "CPU limit");
}

static void workers_that_do_not_answer(void **state)
{
    (void)state;
    bench_assert_outcome(bench_execute_with("die", NULL, 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "the worker was lost");
    bench_assert_outcome(bench_execute_with("killed", NULL, 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "the worker was lost");
    bench_assert_outcome(bench_execute_with("cut", "0800000000000000 00", 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "frame of 8 bytes");
    bench_assert_outcome(bench_execute_with("cut", "080000", 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "frame header");
}

/* Nobody waits for long for a process that has no answer to give. */
static void a_dead_worker_whose_connection_is_kept(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("mortal", NULL, program);
    pvf_host *host = bench_host(NULL, program);
    bench_assert_outcome(bench_execute_pov(host, 1000000, "clutch! die!"),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "ended without an answer (signal SEGV)");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void answers_that_are_none(void **state)
{
    (void)state;
    bench_assert_outcome(bench_execute_with("answer", "0300000000000000 020202", 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "no valid value at byte 0 of 3");
    bench_assert_outcome(bench_execute_with("answer", "0000000000000000", 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "cannot be read");
    bench_assert_outcome(bench_execute_with("answer", "ffffffffffffffff", 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "a frame of 18446744073709551615 bytes was announced");
}

/* On a busy machine even a loop may be kept from using its share: then that is what is found. */
static void expect_expiry(const char *mode)
{
    for (int i = 0; i < 20; i++) {
        pvf_outcome outcome = bench_execute_with(mode, NULL, 60);
        if (outcome.reason != PVF_REASON_STALLED) {
            bench_assert_outcome(
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
    bench_assert_outcome(bench_execute_with("hang", NULL, 60),
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
        pvf_outcome outcome = bench_execute_with("answer", proto_samples[i].frame, 2000);
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

static void workers_are_used_again(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("answer", bench_ok_answer, program);
    pvf_host *host = bench_host(program, program);
    for (int i = 0; i < 5; i++) {
        pvf_outcome outcome = bench_execute(host, 1000);
        assert_int_equal(outcome.result_len, 22);
        bench_assert_outcome(outcome, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    }
    /* Each of these ends after its answer: the next job must get a new one. */
    pvf_host_free(host);
    bench_make_fake("once", bench_ok_answer, program);
    host = bench_host(program, program);
    for (int i = 0; i < 5; i++) {
        bench_assert_outcome(bench_execute(host, 1000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    }
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void noise_and_litter_do_no_harm(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("chatter", bench_ok_answer, program);
    pvf_host *host = bench_host(program, program);
    bench_assert_outcome(bench_execute(host, 5000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    bench_make_fake("litter", bench_ok_answer, program);
    host = bench_host(program, program);
    bench_assert_outcome(bench_execute(host, 5000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void artifacts_that_are_not_there(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("answer", bench_ok_answer, program);
    pvf_host *host = bench_host(program, program);
    const pvf_execute_request request = {.artifact_path = "/nonexistent/artifact"};
    pvf_outcome outcome;
    assert_int_equal(pvf_host_execute(host, &request, &outcome, NULL), 0);
    bench_assert_outcome(
        outcome, PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK, "cannot link /nonexistent/artifact");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void preparations_succeed(void **state)
{
    (void)state;
    char program[PATH_MAX];
    static char kept[PATH_MAX];
    bench_make_preparer("answer", program);
    pvf_host *host = bench_host(program, program);
    pvf_prepare_outcome outcome = bench_prepare(host, 4000);
    assert_true(outcome.ok);
    assert_int_equal(outcome.artifact_size, 4);
    assert_int_equal(outcome.cpu_us, 3250000);
    assert_int_equal(outcome.max_rss_kib, 123456);
    assert_int_equal(outcome.code_len, 8);
    assert_int_equal(outcome.checksum[0], 0x68);
    assert_int_equal(access(outcome.artifact_path, F_OK), 0);
    assert_non_null(strstr(outcome.artifact_path, "/0x"));
    bench_path("kept.pvf", kept);
    assert_int_equal(pvf_prepare_outcome_keep(&outcome, kept, NULL), 0);
    assert_string_equal(outcome.artifact_path, kept);
    pvf_prepare_outcome_done(&outcome);
    assert_int_equal(access(kept, F_OK), 0);

    outcome = bench_prepare(host, 4000);
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", outcome.artifact_path);
    assert_int_equal(access(path, F_OK), 0);
    pvf_prepare_outcome_done(&outcome);
    assert_int_not_equal(access(path, F_OK), 0);

    /* The same answer within a smaller limit is a timeout. */
    outcome = bench_prepare(host, 3000);
    assert_false(outcome.ok);
    assert_int_equal(outcome.error, 4);
    pvf_prepare_outcome_done(&outcome);
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* What the host finds in the way, or does not find, at either end of a preparation. */
static void artifacts_out_of_place(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        const char *name;
        const char *said;
    } cases[] = {
        {"block", "CreateTmpFile", "cannot create "},
        {"noart", "RenameTmpFile", "the worker left no file at "},
        {"linkart", "IoErr", "the worker left no plain file at "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char program[PATH_MAX];
        bench_make_preparer(cases[i].mode, program);
        pvf_host *host = bench_host(program, NULL);
        pvf_prepare_outcome outcome = bench_prepare(host, 4000);
        assert_false(outcome.ok);
        assert_null(outcome.artifact_path);
        assert_string_equal(outcome.name, cases[i].name);
        if (strstr(outcome.text, cases[i].said) == NULL) {
            fail_msg("%s", outcome.text);
        }
        pvf_prepare_outcome_done(&outcome);
        if (i == 0) {
            /* The worker was kept, and its folder is empty now. */
            outcome = bench_prepare(host, 4000);
            assert_true(outcome.ok);
            pvf_prepare_outcome_done(&outcome);
        }
        pvf_host_free(host);
        bench_assert_nothing_left();
    }
}

/* No worker of two takes the request: no job has begun, so nothing is known about it. */
static void requests_that_are_not_taken(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    bench_assert_outcome(bench_execute_with("shy", NULL, 5000),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_HOST_COMMUNICATION,
                         "the request could not be sent");
    /* Nor does it count as taken while another process holds a dead worker's connection. */
    bench_assert_outcome(bench_execute_with("held", NULL, 5000),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_HOST_COMMUNICATION,
                         "the request could not be sent");
    bench_assert_outcome(bench_execute_with("block", bench_ok_answer, 5000),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_CREATE_LINK,
                         "cannot link ");
    bench_make_fake("shy", NULL, program);
    pvf_host *host = bench_host(program, NULL);
    const pvf_prepare_request request = {.kind = PVF_PREPARE_COMPILATION};
    pvf_prepare_outcome outcome;
    assert_int_equal(pvf_host_prepare(host, &request, &outcome, &err), PVF_ERR_PEER);
    assert_non_null(strstr(err.text, "no prepare worker took the request: "));
    assert_non_null(strstr(err.text, "(exit status 1)"));
    assert_int_equal(err.detail, PVF_SPAWN_NONE);
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* A folder that cannot be emptied costs the worker, not the result. */
static void results_survive_a_full_folder(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("flood", bench_ok_answer, program);
    pvf_host *host = bench_host(NULL, program);
    bench_assert_outcome(bench_execute(host, 60000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    bench_assert_nothing_left();
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
        bench_make_fake(cases[i].mode, cases[i].frame, program);
        pvf_host *host = bench_host(program, program);
        pvf_prepare_outcome outcome = bench_prepare(host, 80);
        assert_false(outcome.ok);
        assert_null(outcome.artifact_path);
        assert_string_equal(outcome.name, cases[i].name);
        if (strstr(outcome.text, cases[i].said) == NULL) {
            fail_msg("%s: %s", cases[i].name, outcome.text);
        }
        assert_int_equal(outcome.deterministic, cases[i].deterministic);
        pvf_prepare_outcome_done(&outcome);
        pvf_host_free(host);
        bench_assert_nothing_left();
    }
}

static void no_worker_is_an_error(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("exit", NULL, program);
    pvf_host *host = bench_host(program, program);
    const pvf_prepare_request request = {.kind = PVF_PREPARE_COMPILATION};
    pvf_prepare_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf_host_prepare(host, &request, &outcome, &err), PVF_ERR_PEER);
    assert_non_null(strstr(err.text, "ended before it connected"));
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* Only a prepare worker is told, and one that does not know the word is named with what to do. */
static void metering_is_refused_by_foreign_workers(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    pvf_host *host = NULL;
    const pvf_prepare_request request = {.kind = PVF_PREPARE_COMPILATION};
    pvf_prepare_outcome prepared;
    bench_make_fake("foreign", bench_ok_answer, program);
    pvf_host_config config = {
        .prepare_worker_path = program,
        .execute_worker_path = program,
        .cache_dir = bench_cache,
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
        .metering = PVF_METERING_CALL_SITE,
    };
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    assert_int_equal(pvf_host_prepare(host, &request, &prepared, &err), PVF_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "refused its arguments (exit status 101)"));
    assert_non_null(strstr(err.text, "--metering; leave that out"));
    assert_non_null(strstr(err.text, program));
    bench_assert_outcome(bench_execute(host, 1000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    /* Unasked, nothing is said that a foreign worker would refuse. */
    config.metering = PVF_METERING_DEFAULT;
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    prepared = bench_prepare(host, 1000);
    assert_string_equal(prepared.name, "IoErr");
    pvf_prepare_outcome_done(&prepared);
    pvf_host_free(host);
    /* Another end of a worker that was told is no refusal. */
    bench_make_fake("exit", NULL, program);
    config.metering = PVF_METERING_CALLEE;
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    assert_int_equal(pvf_host_prepare(host, &request, &prepared, &err), PVF_ERR_PEER);
    assert_non_null(strstr(err.text, "exit status 3"));
    pvf_host_free(host);
    config.metering = PVF_METERING_CALL_SITE + 1;
    assert_int_equal(pvf_host_new(&config, &host, &err), PVF_ERR_INVALID_ARG);
    assert_string_equal(err.text, "3 is no form of metering");
    bench_assert_nothing_left();
}

static void compile_threads_are_told_to_our_prepare_worker(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    pvf_host *host = NULL;
    pvf_prepare_outcome prepared;
    const pvf_prepare_request request = {.kind = PVF_PREPARE_COMPILATION};
    bench_make_fake("threads3", bench_ok_answer, program);
    pvf_host_config config = {
        .prepare_worker_path = program,
        .execute_worker_path = program,
        .cache_dir = bench_cache,
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
        .compile_threads = 3,
    };
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    /* They start, which is what the arguments decide. */
    assert_int_equal(pvf_host_prepare(host, &request, &prepared, &err), 0);
    pvf_prepare_outcome_done(&prepared);
    bench_assert_outcome(bench_execute(host, 1000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    bench_make_fake("foreign", bench_ok_answer, program);
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    assert_int_equal(pvf_host_prepare(host, &request, &prepared, &err), PVF_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "knows --compile-threads; leave that out"));
    pvf_host_free(host);
    config.metering = PVF_METERING_CALLEE;
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    assert_int_equal(pvf_host_prepare(host, &request, &prepared, &err), PVF_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "knows --metering and --compile-threads; leave that out"));
    pvf_host_free(host);
    config.compile_threads = 17;
    assert_int_equal(pvf_host_new(&config, &host, &err), PVF_ERR_INVALID_ARG);
    assert_string_equal(err.text, "17 threads to compile one code, the most is 16");
    bench_assert_nothing_left();
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
    bench_make_fake("yes", NULL, program);
    assert_int_equal(pvf_worker_version(program, version, sizeof(version), &err), 0);
    assert_string_equal(version, "1.2.3");
    pvf_host_config config = {
        .prepare_worker_path = program,
        .cache_dir = bench_cache,
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

    bench_make_fake("noroot", NULL, program);
    assert_int_equal(pvf_host_new(&config, &host, &err), 0);
    assert_int_equal(pvf_host_check(host, checks, &err), 0);
    assert_string_equal(checks[2].name, "change-root");
    assert_false(checks[2].available);
    assert_true(checks[2].tolerated);
    assert_string_equal(checks[2].text, "the fake says no");
    assert_true(checks[2].ran && checks[2].signal == 0);
    pvf_host_free(host);

    /* The same without a host, and what keeps a check from being run. */
    assert_int_equal(pvf_worker_check(program, bench_cache, checks, &err), 0);
    assert_true(checks[0].available && checks[0].ran && !checks[2].available);
    assert_int_equal(pvf_worker_check("/nonexistent", bench_cache, checks, &err), 0);
    assert_false(checks[1].ran || checks[1].available);
    assert_non_null(strstr(checks[1].text, "No such file or directory"));
    assert_int_equal(pvf_worker_check(program, "/nonexistent", checks, &err), 0);
    assert_true(checks[0].available && !checks[2].ran && !checks[2].available);
    assert_non_null(strstr(checks[2].text, "cannot make the folder /nonexistent/"));
    assert_int_equal(pvf_worker_check(NULL, bench_cache, checks, &err), PVF_ERR_INVALID_ARG);

    bench_make_fake("no", NULL, program);
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
    bench_assert_nothing_left();
}

static void inspections(void **state)
{
    (void)state;
    static uint8_t code[300000];
    char program[PATH_MAX];
    char *json = NULL;
    pvf_error err = PVF_ERROR_INIT;
    bench_make_fake("yes", NULL, program);
    pvf_host *host = bench_host(program, program);
    pvf_bytes none = {NULL, 0};
    assert_int_equal(pvf_host_inspect(host, (pvf_bytes){code, sizeof(code)}, none, 0, &json, &err),
                     0);
    assert_string_equal(json, "{\"bytes\": 300000}");
    free(json);
    pvf_host_free(host);
    bench_make_fake("no", NULL, program);
    host = bench_host(program, program);
    assert_int_equal(pvf_host_inspect(host, none, none, 5, &json, &err), PVF_ERR_PEER);
    assert_non_null(strstr(err.text, "exit status 1: cannot look at it"));
    pvf_host_free(host);
    /* The limits that a preparation has. */
    bench_make_fake("words", NULL, program);
    host = bench_host(program, program);
    assert_int_equal(pvf_host_inspect(host, none, none, 0, &json, &err), 0);
    assert_string_equal(json, "{\"words\": \"--executor-params 00 --bomb-limit 31457280\"}");
    free(json);
    assert_int_equal(pvf_host_inspect(host, none, none, 5, &json, &err), 0);
    assert_string_equal(json, "{\"words\": \"--executor-params 00 --bomb-limit 5\"}");
    free(json);
    pvf_host_free(host);
    bench_make_fake("garbage", NULL, program);
    host = bench_host(program, program);
    assert_int_equal(pvf_host_inspect(host, none, none, 0, &json, &err), PVF_ERR_PEER);
    assert_non_null(strstr(err.text, "gave no JSON object: not json"));
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void bad_arguments_are_named(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    pvf_host *host = NULL;
    pvf_outcome outcome;
    const pvf_host_config nothing = {.cache_dir = bench_cache};
    const pvf_host_config missing = {.prepare_worker_path = "/nonexistent/worker"};
    assert_int_equal(pvf_host_new(&nothing, &host, &err), PVF_ERR_INVALID_ARG);
    assert_int_equal(pvf_host_new(&missing, &host, &err), PVF_ERR_INVALID_ARG);
    assert_non_null(strstr(err.text, "/nonexistent/worker"));
    assert_int_equal(pvf_host_new(NULL, &host, NULL), PVF_ERR_INVALID_ARG);
    pvf_host_free(NULL);
    bench_make_fake("answer", bench_ok_answer, program);
    host = bench_host(program, program);
    pvf_execute_request request = {.artifact_path = bench_artifact, .descriptor_version = 9};
    assert_int_equal(pvf_host_execute(host, &request, &outcome, &err), PVF_ERR_INVALID_ARG);
    request.descriptor_version = 0;
    request.executor_params = (pvf_bytes){(const uint8_t *)"\x00\x00", 2};
    assert_int_equal(pvf_host_execute(host, &request, &outcome, &err), PVF_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "the list ends at byte 1 of 2"));
    request = (pvf_execute_request){.artifact_path = bench_artifact, .reserved = {[3] = 1}};
    assert_int_equal(pvf_host_execute(host, &request, &outcome, &err), PVF_ERR_INVALID_ARG);
    assert_non_null(strstr(err.text, "reserved word 3 of a pvf_execute_request"));
    pvf_prepare_outcome prepared;
    const pvf_prepare_request newer = {.reserved = {1}};
    assert_int_equal(pvf_host_prepare(host, &newer, &prepared, &err), PVF_ERR_INVALID_ARG);
    assert_non_null(strstr(err.text, "reserved word 0 of a pvf_prepare_request"));
    pvf_host_free(host);
    bench_assert_nothing_left();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_is_sent_away),
        cmocka_unit_test(workers_that_do_not_answer),
        cmocka_unit_test(a_dead_worker_whose_connection_is_kept),
        cmocka_unit_test(answers_that_are_none),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(every_answer_arrives),
        cmocka_unit_test(workers_are_used_again),
        cmocka_unit_test(noise_and_litter_do_no_harm),
        cmocka_unit_test(artifacts_that_are_not_there),
        cmocka_unit_test(preparations_succeed),
        cmocka_unit_test(artifacts_out_of_place),
        cmocka_unit_test(requests_that_are_not_taken),
        cmocka_unit_test(results_survive_a_full_folder),
        cmocka_unit_test(preparations_fail),
        cmocka_unit_test(no_worker_is_an_error),
        cmocka_unit_test(metering_is_refused_by_foreign_workers),
        cmocka_unit_test(compile_threads_are_told_to_our_prepare_worker),
        cmocka_unit_test(checks_and_versions),
        cmocka_unit_test(inspections),
        cmocka_unit_test(bad_arguments_are_named),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    bench_fake = argv[1];
    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
