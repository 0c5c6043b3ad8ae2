/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real workers and their jobs, killed and stopped at every stage: the right outcome each time,
 * never a verdict about what this machine did, and a host that goes on.
 */
#include "support/test.h"

#include "faults/bench.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* CPU limits; a stopped process costs four times as much of a test's time. */
#define SHORT_MS 500u
#define LONG_MS 60000u

/* CPU time of a job that ends well: long enough to be met at work, well below its limit. */
#define SOME_US 250000u

/* A machine that is busy may end a short job before anybody sees it at work. */
#define TRIES 40

static const char *prepare_worker;
static const char *execute_worker;
static struct pvf__buf code;
static struct pvf__buf slow;

struct fixture {
    pvf_host *host;
    pvf_prepare_outcome prepared;
    struct bench_counts before;
};

static void open_fixture(struct fixture *fixture, int32_t security_mode)
{
    bench_count(&fixture->before);
    fixture->host = bench_host(prepare_worker, execute_worker, security_mode);
    fixture->prepared = bench_prepare(fixture->host, &code, LONG_MS);
    if (!fixture->prepared.ok) {
        fail_msg("%s: %s", fixture->prepared.name, fixture->prepared.text);
    }
}

static void close_fixture(struct fixture *fixture)
{
    pvf_prepare_outcome_done(&fixture->prepared);
    pvf_host_free(fixture->host);
    bench_assert_as_before(&fixture->before);
}

/* Nobody used the CPU limit up, so nobody is to blame. */
static void expect_stalled(pvf_outcome outcome)
{
    assert_int_not_equal(outcome.verdict, PVF_VERDICT_INVALID);
    bench_expect(outcome, outcome.verdict, PVF_REASON_STALLED);
}

/* The host does both of its jobs as if nothing had happened. */
static void expect_works(struct fixture *fixture)
{
    bench_expect(bench_execute(fixture->host, &fixture->prepared, 0, LONG_MS),
                 PVF_VERDICT_VALID,
                 PVF_REASON_NONE);
    pvf_prepare_outcome again = bench_prepare(fixture->host, &code, LONG_MS);
    if (!again.ok) {
        fail_msg("%s: %s", again.name, again.text);
    }
    assert_memory_equal(again.checksum, fixture->prepared.checksum, sizeof(again.checksum));
    pvf_prepare_outcome_done(&again);
}

/* One execution with a signal in its midst. */
static pvf_outcome
execute_hit(struct fixture *fixture, struct bench_hit *hit, uint64_t rounds, uint64_t timeout_ms)
{
    for (int i = 0; i < TRIES; i++) {
        bench_hit_begin(hit);
        pvf_outcome outcome = bench_execute(fixture->host, &fixture->prepared, rounds, timeout_ms);
        if (bench_hit_end(hit)) {
            /* However it ended, the job did not outlive it. */
            for (int wait = 0; wait < 6000 && !bench_is_gone(hit->job); wait++) {
                (void)usleep(10000);
            }
            assert_true(bench_is_gone(hit->job));
            return outcome;
        }
        pvf_outcome_done(&outcome);
    }
    fail_msg("no job was ever seen at work");
    return (pvf_outcome){0};
}

/* As many rounds as take SOME_US here. */
static uint64_t some_rounds(struct fixture *fixture)
{
    const uint64_t sample = 100000000;
    pvf_outcome outcome = bench_execute(fixture->host, &fixture->prepared, sample, LONG_MS);
    uint64_t used = outcome.cpu_us;
    assert_true(used > 0);
    bench_expect(outcome, PVF_VERDICT_VALID, PVF_REASON_NONE);
    return sample * SOME_US / used;
}

static void executions(int32_t security_mode)
{
    struct fixture fixture;
    struct bench_hit hit = {.kind = "execute", .at_job = true, .signal = SIGKILL};
    open_fixture(&fixture, security_mode);
    /* A death is looked into with a known-good job, which this machine passes. */
    bench_expect(execute_hit(&fixture, &hit, BENCH_ENDLESS, LONG_MS),
                 PVF_VERDICT_POSSIBLY_INVALID,
                 PVF_REASON_JOB_DEATH);
    expect_works(&fixture);

    hit.at_job = false;
    bench_expect(execute_hit(&fixture, &hit, BENCH_ENDLESS, LONG_MS),
                 PVF_VERDICT_POSSIBLY_INVALID,
                 PVF_REASON_WORKER_DEATH);
    expect_works(&fixture);

    hit.at_job = true;
    hit.signal = SIGSTOP;
    expect_stalled(execute_hit(&fixture, &hit, BENCH_ENDLESS, SHORT_MS));
    expect_works(&fixture);

    /* The job ends well, but nobody hears of it. */
    hit.at_job = false;
    expect_stalled(execute_hit(&fixture, &hit, some_rounds(&fixture), 2 * SHORT_MS));
    expect_works(&fixture);

    /*
     * A stopped worker cannot watch its job, and the host judges by the kernel's clock.  On a busy
     * machine even a loop may be kept from using its share.
     */
    pvf_outcome outcome;
    int tries = 0;
    do {
        assert_true(++tries < TRIES);
        outcome = execute_hit(&fixture, &hit, BENCH_ENDLESS, SHORT_MS);
    } while (outcome.reason == PVF_REASON_STALLED);
    bench_expect(outcome, PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT);
    expect_works(&fixture);
    close_fixture(&fixture);
}

static pvf_prepare_outcome
prepare_hit(struct fixture *fixture, struct bench_hit *hit, uint64_t timeout_ms)
{
    for (int i = 0; i < TRIES; i++) {
        bench_hit_begin(hit);
        pvf_prepare_outcome outcome = bench_prepare(fixture->host, &slow, timeout_ms);
        if (bench_hit_end(hit)) {
            return outcome;
        }
        pvf_prepare_outcome_done(&outcome);
    }
    fail_msg("no job was ever seen at work");
    return (pvf_prepare_outcome){.ok = false};
}

static void expect_prepare_error(pvf_prepare_outcome outcome, const char *name)
{
    if (outcome.ok || outcome.deterministic || strcmp(outcome.name, name) != 0) {
        fail_msg("ok %d, %s: %s", outcome.ok, outcome.name, outcome.text);
    }
    pvf_prepare_outcome_done(&outcome);
}

static void preparations(int32_t security_mode)
{
    struct fixture fixture;
    struct bench_hit hit = {.kind = "prepare", .at_job = true, .signal = SIGKILL};
    open_fixture(&fixture, security_mode);
    expect_prepare_error(prepare_hit(&fixture, &hit, LONG_MS), "JobDied");
    expect_works(&fixture);
    hit.at_job = false;
    expect_prepare_error(prepare_hit(&fixture, &hit, LONG_MS), "IoErr");
    expect_works(&fixture);
    hit.signal = SIGSTOP;
    expect_prepare_error(prepare_hit(&fixture, &hit, SHORT_MS), "TimedOut");
    expect_works(&fixture);
    hit.at_job = true;
    expect_prepare_error(prepare_hit(&fixture, &hit, SHORT_MS), "TimedOut");
    expect_works(&fixture);
    close_fixture(&fixture);
}

/* Between two jobs: a dead worker costs nothing, a stopped one an attempt. */
static void idle(int32_t security_mode)
{
    struct fixture fixture;
    open_fixture(&fixture, security_mode);
    expect_works(&fixture);
    assert_true(bench_signal_worker("execute", SIGKILL));
    assert_true(bench_signal_worker("prepare", SIGKILL));
    expect_works(&fixture);
    assert_true(bench_signal_worker("execute", SIGSTOP));
    expect_stalled(bench_execute(fixture.host, &fixture.prepared, 0, SHORT_MS));
    assert_true(bench_signal_worker("prepare", SIGSTOP));
    expect_prepare_error(bench_prepare(fixture.host, &code, SHORT_MS), "TimedOut");
    expect_works(&fixture);
    /* Also a stopped worker ends with its host. */
    assert_true(bench_signal_worker("execute", SIGSTOP));
    close_fixture(&fixture);
}

static void executions_without_security(void **state)
{
    (void)state;
    executions(PVF_SECURITY_AS_GIVEN);
}

static void executions_with_what_the_machine_can_do(void **state)
{
    (void)state;
    executions(PVF_SECURITY_DETECT);
}

static void preparations_without_security(void **state)
{
    (void)state;
    preparations(PVF_SECURITY_AS_GIVEN);
}

static void preparations_with_what_the_machine_can_do(void **state)
{
    (void)state;
    preparations(PVF_SECURITY_DETECT);
}

static void idle_without_security(void **state)
{
    (void)state;
    idle(PVF_SECURITY_AS_GIVEN);
}

static void idle_with_what_the_machine_can_do(void **state)
{
    (void)state;
    idle(PVF_SECURITY_DETECT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(executions_without_security),
        cmocka_unit_test(executions_with_what_the_machine_can_do),
        cmocka_unit_test(preparations_without_security),
        cmocka_unit_test(preparations_with_what_the_machine_can_do),
        cmocka_unit_test(idle_without_security),
        cmocka_unit_test(idle_with_what_the_machine_can_do),
    };
    if (argc < 3) {
        (void)printf("skipped: no workers\n");
        return 77;
    }
    prepare_worker = argv[1];
    execute_worker = argv[2];
    bench_code(&code);
    bench_slow_code(&slow);
    int failed = cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
    pvf__buf_done(&code);
    pvf__buf_done(&slow);
    return failed;
}
