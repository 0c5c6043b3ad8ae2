/* SPDX-License-Identifier: Apache-2.0 */
/* What a host makes of a death: whose fault it may be, and what must be proven first. */
#include "support/test.h"

#include "base/fd.h"
#include "pvf/pvf.h"
#include "support/host_bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define INVALID                                                                                    \
    "2000000000000000 00 02 34 657865637574653a2074726170 0100000000000000 00000000 00*4"
#define DIED "1f00000000000000 01 01 60 7265636569766564207369676e616c3a205349474b494c4c 4d000000"
/* The known-good job with one bit of its hash flipped. */
#define WRONG                                                                                      \
    "2600000000000000 00 00 20 15bfbb7beaa38138 00 00 00 00000000 00000000 "                       \
    "0000000000000000 c0cf6a00 05000000"

/* A host over a mortal fake and a good preparer. */
static pvf_host *new_mortal(const char *known_good, const char *other, char program[PATH_MAX])
{
    char preparer[PATH_MAX];
    bench_make_fake("mortal", known_good, program);
    bench_set_answer(program, "other", other);
    bench_make_preparer("answer", preparer);
    return bench_host(preparer, program);
}

static void a_passed_test_leaves_the_blame(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_host *host = new_mortal(bench_known_good_answer, DIED, program);
    bench_assert_outcome(bench_execute_pov(host, 5000, "die!"),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "signal SEGV");
    bench_assert_outcome(bench_execute(host, 5000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_JOB_DEATH,
                         "the job was killed: received signal: SIGKILL");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void a_failed_test_blames_the_machine(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_host *host = new_mortal(WRONG, DIED, program);
    bench_assert_outcome(bench_execute_pov(host, 5000, "die!"),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_SELF_TEST,
                         "fails a known-good job (execution: the result is wrong); look into");
    bench_assert_outcome(
        bench_execute(host, 5000), PVF_VERDICT_INTERNAL, PVF_REASON_SELF_TEST, "known-good");
    pvf_host_free(host);

    /* The other half of the known-good job. */
    char dying[PATH_MAX];
    bench_make_fake("die", NULL, dying);
    host = bench_host(dying, program);
    bench_assert_outcome(bench_execute_pov(host, 5000, "die!"),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_SELF_TEST,
                         "fails a known-good job (preparation: ");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* Until a known-good job has passed, nothing is invalid; valid is valid. */
static void a_death_is_remembered(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_host *host = new_mortal(WRONG, INVALID, program);
    bench_assert_outcome(bench_execute(host, 5000),
                         PVF_VERDICT_INVALID,
                         PVF_REASON_REPORTED_INVALID,
                         "execute: trap");
    bench_assert_outcome(bench_execute_pov(host, 5000, "die!"),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_SELF_TEST,
                         "the result is wrong");
    bench_assert_outcome(bench_execute(host, 5000),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_SELF_TEST,
                         "the result is wrong");
    bench_set_answer(program, "other", bench_ok_answer);
    bench_assert_outcome(bench_execute(host, 5000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    bench_set_answer(program, "other", INVALID);
    bench_set_answer(program, "answer", bench_known_good_answer);
    bench_assert_outcome(bench_execute(host, 5000),
                         PVF_VERDICT_INVALID,
                         PVF_REASON_REPORTED_INVALID,
                         "execute: trap");
    /* It has passed: the next verdict needs none. */
    bench_set_answer(program, "answer", WRONG);
    bench_assert_outcome(bench_execute(host, 5000),
                         PVF_VERDICT_INVALID,
                         PVF_REASON_REPORTED_INVALID,
                         "execute: trap");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void a_death_in_preparation_counts_too(void **state)
{
    (void)state;
    char dying[PATH_MAX];
    char program[PATH_MAX];
    bench_make_fake("die", NULL, dying);
    bench_make_fake("mortal", bench_known_good_answer, program);
    bench_set_answer(program, "other", INVALID);
    pvf_host *host = bench_host(dying, program);
    pvf_prepare_outcome prepared = bench_prepare(host, 5000);
    assert_string_equal(prepared.name, "IoErr");
    assert_non_null(strstr(prepared.text, "exit status 1"));
    pvf_prepare_outcome_done(&prepared);
    bench_assert_outcome(bench_execute(host, 5000),
                         PVF_VERDICT_INTERNAL,
                         PVF_REASON_SELF_TEST,
                         "fails a known-good job (preparation: ");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void a_damaged_artifact_is_found(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_host *host = new_mortal(bench_known_good_answer, DIED, program);
    pvf_outcome outcome = bench_execute_pov(host, 5000, "damage!");
    assert_true(outcome.bad_artifact);
    assert_true(outcome.retry);
    bench_assert_outcome(outcome,
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_CORRUPTED_ARTIFACT,
                         "its checksum is wrong after this: the worker was lost");
    /* Still damaged; and on a machine that fails as well, that is what is said. */
    bench_assert_outcome(bench_execute(host, 5000),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_CORRUPTED_ARTIFACT,
                         "its checksum is wrong after this: the job was killed");
    bench_set_answer(program, "answer", WRONG);
    bench_assert_outcome(
        bench_execute(host, 5000), PVF_VERDICT_INTERNAL, PVF_REASON_SELF_TEST, "known-good");
    pvf_host_free(host);
    bench_assert_nothing_left();
    assert_int_equal(pvf__fd_write_file(bench_artifact, 0600, "ELF", 3, NULL), 0);
}

static void without_a_prepare_worker_it_is_said(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("mortal", bench_known_good_answer, program);
    bench_set_answer(program, "other", INVALID);
    pvf_host *host = bench_host(NULL, program);
    bench_assert_outcome(
        bench_execute(host, 5000), PVF_VERDICT_INVALID, PVF_REASON_REPORTED_INVALID, "trap");
    bench_assert_outcome(bench_execute_pov(host, 5000, "die!"),
                         PVF_VERDICT_POSSIBLY_INVALID,
                         PVF_REASON_WORKER_DEATH,
                         "without a prepare worker for a known-good job");
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf_host_self_test(host, &err), PVF_ERR_INVALID_ARG);
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void the_test_alone(void **state)
{
    (void)state;
    char program[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    pvf_host *host = new_mortal(bench_known_good_answer, NULL, program);
    assert_int_equal(pvf_host_self_test(host, &err), 0);
    assert_string_equal(err.text, "");
    bench_set_answer(program, "answer", WRONG);
    assert_int_equal(pvf_host_self_test(host, &err), PVF_ERR_INTERNAL);
    assert_non_null(strstr(err.text, "test the memory"));
    bench_set_answer(program, "answer", INVALID);
    assert_int_equal(pvf_host_self_test(host, &err), PVF_ERR_INTERNAL);
    assert_non_null(strstr(err.text, "execution: the candidate was refused"));
    assert_int_equal(pvf_host_self_test(NULL, &err), PVF_ERR_INVALID_ARG);
    pvf_host_free(host);
    bench_assert_nothing_left();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_passed_test_leaves_the_blame),
        cmocka_unit_test(a_failed_test_blames_the_machine),
        cmocka_unit_test(a_death_is_remembered),
        cmocka_unit_test(a_death_in_preparation_counts_too),
        cmocka_unit_test(a_damaged_artifact_is_found),
        cmocka_unit_test(without_a_prepare_worker_it_is_said),
        cmocka_unit_test(the_test_alone),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    bench_fake = argv[1];
    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
