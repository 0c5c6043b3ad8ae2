/* SPDX-License-Identifier: Apache-2.0 */
/* The upgraded wire from the host's side: whom it speaks it with, and workers that misbehave. */
#include "support/test.h"

#include "pvf/pvf.h"
#include "support/host_bench.h"
#include "support/open_files.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fakes check how they were started, and what came with the request. */
static void who_knows_it_is_spoken_to_so(void **state)
{
    (void)state;
    char preparer[PATH_MAX];
    char executor[PATH_MAX];
    struct stat info;
    bench_make_preparer("up-answer", preparer);
    bench_make_fake("up-answer", bench_ok_answer, executor);
    pvf_host *host = bench_host(preparer, executor);
    for (int i = 0; i < 3; i++) {
        pvf_prepare_outcome prepared = bench_prepare(host, 20000);
        assert_true(prepared.ok);
        assert_int_equal(stat(prepared.artifact_path, &info), 0);
        assert_int_equal(info.st_size, 4);
        pvf_prepare_outcome_done(&prepared);
        bench_assert_outcome(bench_execute(host, 2000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    }
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* Each of these is spoken to on the plain wire, and does its job. */
static void others_are_not(void **state)
{
    (void)state;
    static const char *const modes[] = {"answer",
                                        "says-two",
                                        "says-eleven",
                                        "says-words",
                                        "says-and-fails",
                                        "says-much",
                                        "says-nothing"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        bench_assert_outcome(bench_execute_with(modes[i], bench_ok_answer, 2000),
                             PVF_VERDICT_VALID,
                             PVF_REASON_NONE,
                             "");
    }
}

static void it_can_be_turned_off(void **state)
{
    (void)state;
    char program[PATH_MAX];
    /* A fake that is started so where it is not told to checks the plain arguments. */
    bench_make_fake("up-answer", bench_ok_answer, program);
    const pvf_host_config config = {
        .execute_worker_path = program,
        .cache_dir = bench_cache,
        .quiet = true,
        .plain_protocol = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
    };
    pvf_host *host = NULL;
    assert_int_equal(pvf_host_new(&config, &host, NULL), 0);
    bench_assert_outcome(bench_execute(host, 2000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* Verdicts as on the plain wire. */
static void workers_that_die_or_hang(void **state)
{
    (void)state;
    bench_assert_outcome(bench_execute_with("up-die", NULL, 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "the worker was lost");
    bench_assert_outcome(bench_execute_with("up-killed", NULL, 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "signal KILL");
    bench_assert_outcome(bench_execute_with("up-cut", "0800000000000000 00", 1000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "frame of 8 bytes");
    bench_assert_outcome(bench_execute_with("up-hang", NULL, 60),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_STALLED,
                         "CPU limit was not used up");
    /* It leaves the request unread, descriptors and all; so does the next. */
    bench_assert_outcome(bench_execute_with("up-shy", NULL, 1000),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_HOST_COMMUNICATION,
                         "");
}

static void starts_that_fail(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        const char *said;
    } cases[] = {
        {"up-exit", "(exit status 3)"},
        {"up-endready", "(exit status 1)"},
        {"up-cutready", "(exit status 1)"},
        {"up-noready", "no answer in time"},
        {"up-oldready", "ready message: no valid value at byte 0"},
        {"up-longready", "a frame of 4097 bytes was announced, the limit is 4096"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t before = open_files();
        pvf_outcome outcome = bench_execute_with(cases[i].mode, bench_ok_answer, 1000);
        assert_int_equal(outcome.spawn_failure, PVF_SPAWN_HANDSHAKE);
        bench_assert_outcome(outcome, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, cases[i].said);
        assert_int_equal(open_files(), before);
    }
}

/* The fake says that one of its mechanisms failed. */
static void secure_mode_wants_all_of_the_fence(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("up-answer", bench_ok_answer, program);
    pvf_host_config config = {
        .execute_worker_path = program,
        .cache_dir = bench_cache,
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
        .security = {.can_enable_landlock = true},
    };
    for (int i = 0; i < 2; i++) {
        pvf_host *host = NULL;
        config.security.secure_validator_mode = i == 1;
        assert_int_equal(pvf_host_new(&config, &host, NULL), 0);
        bench_assert_outcome(bench_execute(host, 1000),
                             i == 0 ? PVF_VERDICT_VALID : PVF_VERDICT_INTERNAL,
                             i == 0 ? PVF_REASON_NONE : PVF_REASON_SPAWN,
                             i == 0 ? "" : "FAILED: landlock");
        pvf_host_free(host);
        bench_assert_nothing_left();
    }
}

/* Whatever a worker sends, and whenever it dies, the host has what it had. */
static void descriptors_stay_flat(void **state)
{
    (void)state;
    static const char *const modes[] = {
        "up-filesready", "up-files", "up-die", "up-shy", "up-answer", "answer"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char program[PATH_MAX];
        bench_make_fake(modes[i], bench_ok_answer, program);
        size_t before = open_files();
        pvf_host *host = bench_host(NULL, program);
        size_t after_first = 0;
        for (int k = 0; k < 10; k++) {
            pvf_outcome outcome = bench_execute(host, 1000);
            pvf_outcome_done(&outcome);
            after_first = k == 0 ? open_files() : after_first;
            assert_int_equal(open_files(), after_first);
        }
        pvf_host_free(host);
        assert_int_equal(open_files(), before);
    }
    bench_assert_outcome(bench_execute_with("up-filesready", bench_ok_answer, 1000),
                         PVF_VERDICT_VALID,
                         PVF_REASON_NONE,
                         "");
    bench_assert_outcome(bench_execute_with("up-files", bench_ok_answer, 1000),
                         PVF_VERDICT_VALID,
                         PVF_REASON_NONE,
                         "");
}

static void artifacts_that_cannot_be_given(void **state)
{
    (void)state;
    static const uint8_t pov[] = {1};
    char program[PATH_MAX];
    char path[PATH_MAX];
    bench_make_fake("up-answer", bench_ok_answer, program);
    pvf_host *host = bench_host(NULL, program);
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"nowhere", "link", "pipe", "folder"};
        bench_path(names[i], path);
        assert_true(i != 1 || symlink(bench_artifact, path) == 0);
        assert_true(i != 2 || mkfifo(path, 0600) == 0);
        assert_true(i != 3 || mkdir(path, 0700) == 0);
        const pvf_execute_request request = {
            .artifact_path = path,
            .timeout_ms = 1000,
            .pov = {pov, sizeof(pov)},
            .descriptor_version = PVF_DESCRIPTOR_V2,
        };
        pvf_outcome outcome;
        assert_int_equal(pvf_host_execute(host, &request, &outcome, NULL), 0);
        bench_assert_outcome(outcome, PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK, "");
    }
    pvf_host_free(host);
    bench_assert_nothing_left();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_knows_it_is_spoken_to_so),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(it_can_be_turned_off),
        cmocka_unit_test(workers_that_die_or_hang),
        cmocka_unit_test(starts_that_fail),
        cmocka_unit_test(secure_mode_wants_all_of_the_fence),
        cmocka_unit_test(descriptors_stay_flat),
        cmocka_unit_test(artifacts_that_cannot_be_given),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    bench_fake = argv[1];
    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
