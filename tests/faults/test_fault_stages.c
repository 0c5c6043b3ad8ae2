/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker that is killed or stopped at each place of its life: start, handshake, idle, with a
 * request unread, at work, in the midst of its answer.  The host finds the right outcome, and the
 * next worker does the job.
 */
#include "support/test.h"

#include "base/fd.h"
#include "faults/bench.h"
#include "support/hex.h"
#include "support/new_host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* CPU limit of jobs that have to wait for a stopped worker: four times as long. */
#define LIMIT_MS 200u
/* For workers that are not stopped. */
#define PATIENT_MS 60000u
/* A worker that is stopped before it connects costs as much. */
#define SPAWN_MS 2500u

static const char *fake;

static const char execute_answer[] =
    "2800000000000000 00 00 08ccdd 00 040401 04d007000004ff 01000000 64000000 "
    "0000000000000000 c0cf6a00 03000000";
static const char prepare_answer[] =
    "5300000000000000 00 68af9aafb6cff52f8c60bf4008dab7a0a25864baf89c2f3d8b0795240265a4bd "
    "0000000000000000 80b2e60e 01 6745230100000000 cdab890000000000 01 40e2010000000000 "
    "80f0fa0200000000 08000000";

/* What the job ends with in whose midst it happens; the same for every place in some rows. */
struct place {
    const char *name;
    /* After SIGKILL. */
    int32_t verdict;
    int32_t reason;
    const char *prepare; /* "": it succeeds; NULL: there is no outcome */
    /* After SIGSTOP: the job that cannot end. */
    int32_t stopped_reason;
    bool ends_first; /* it happens after the answer, so the job after it is the one */
};

/* Nothing was concluded: another worker gets the request, and nobody notices. */
#define UNNOTICED PVF_VERDICT_VALID, PVF_REASON_NONE, ""
#define LOST PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_WORKER_DEATH, "IoErr"

static const struct place places[] = {
    {"start", PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, NULL, PVF_REASON_SPAWN, false},
    {"told", UNNOTICED, PVF_REASON_STALLED, false},
    {"asked", UNNOTICED, PVF_REASON_STALLED, false},
    {"job", LOST, PVF_REASON_STALLED, false},
    {"header", LOST, PVF_REASON_STALLED, false},
    {"body", LOST, PVF_REASON_STALLED, false},
    {"answered", UNNOTICED, PVF_REASON_STALLED, true},
};

/* Executes, or only prepares: a host with both would look into each death with a job of its own. */
static pvf_host *new_host(const char *program, bool prepares)
{
    const pvf_host_config config = {
        .prepare_worker_path = prepares ? program : NULL,
        .execute_worker_path = prepares ? NULL : program,
        .cache_dir = bench.cache,
        .spawn_timeout_ms = SPAWN_MS,
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
    };
    return new_host_of(&config);
}

static void make_fake(const char *signal, const char *place, bool prepares, char out[PATH_MAX])
{
    char mode[32];
    struct hex_bytes answer = hex_read(prepares ? prepare_answer : execute_answer);
    (void)snprintf(mode, sizeof(mode), "%s-%s", signal, place);
    bench_fake(fake, mode, answer.data, answer.len, out);
    bench_beside(out, "artifact", "artifact", 8);
    bench_beside(out, "armed", "", 0);
}

static void expect(const char *what, pvf_outcome outcome, int32_t verdict, int32_t reason)
{
    if (outcome.verdict != verdict || outcome.reason != reason) {
        fail_msg("%s: %s (%s): %s",
                 what,
                 pvf_verdict_name(outcome.verdict),
                 pvf_reason_name(outcome.reason),
                 outcome.text);
    }
    pvf_outcome_done(&outcome);
}

static pvf_outcome execute(pvf_host *host, uint64_t timeout_ms)
{
    return bench_execute(host, &bench.for_the_fake, 0, timeout_ms);
}

/* The name of the error, "" when it is well, NULL when nothing was concluded. */
static const char *prepare(pvf_host *host, uint64_t timeout_ms)
{
    static const uint8_t code[] = {0, 'a', 's', 'm'};
    const pvf_prepare_request request = {.code = {code, sizeof(code)}, .timeout_ms = timeout_ms};
    pvf_prepare_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_prepare(host, &request, &outcome, &err) != 0) {
        assert_int_equal(err.code, PVF_ERR_PEER);
        return NULL;
    }
    const char *name = outcome.name;
    assert_int_equal(outcome.ok, name[0] == '\0');
    assert_false(outcome.deterministic);
    pvf_prepare_outcome_done(&outcome);
    return name;
}

static void expect_prepared(const char *what, const char *got, const char *want)
{
    const char *one = got != NULL ? got : "nothing";
    const char *other = want != NULL ? want : "nothing";
    if (strcmp(one, other) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", what, one, other);
    }
}

/* After the last byte of an answer host and worker go on side by side, so this may take a while. */
static void assert_disarmed(const char *program)
{
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof(path), "%s.armed", program);
    for (int wait = 0; access(path, F_OK) == 0; wait++) {
        if (wait == 6000) {
            fail_msg("%s: the place was never reached", program);
        }
        (void)usleep(10000);
    }
}

static void killed_while_executing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char program[PATH_MAX];
        struct bench_counts before;
        bench_count(&before);
        make_fake("kill", places[i].name, false, program);
        pvf_host *host = new_host(program, false);
        expect(places[i].name, execute(host, PATIENT_MS), places[i].verdict, places[i].reason);
        assert_disarmed(program);
        for (int again = 0; again < 2; again++) {
            expect(places[i].name, execute(host, PATIENT_MS), PVF_VERDICT_VALID, PVF_REASON_NONE);
        }
        pvf_host_free(host);
        bench_assert_as_before(&before);
    }
}

static void stopped_while_executing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char program[PATH_MAX];
        struct bench_counts before;
        bench_count(&before);
        make_fake("stop", places[i].name, false, program);
        pvf_host *host = new_host(program, false);
        if (places[i].ends_first) {
            expect(places[i].name, execute(host, PATIENT_MS), PVF_VERDICT_VALID, PVF_REASON_NONE);
            assert_disarmed(program);
        }
        pvf_outcome outcome = execute(host, LIMIT_MS);
        assert_int_not_equal(outcome.verdict, PVF_VERDICT_INVALID);
        expect(places[i].name, outcome, outcome.verdict, places[i].stopped_reason);
        assert_disarmed(program);
        expect(places[i].name, execute(host, PATIENT_MS), PVF_VERDICT_VALID, PVF_REASON_NONE);
        pvf_host_free(host);
        bench_assert_as_before(&before);
    }
}

static void killed_while_preparing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char program[PATH_MAX];
        struct bench_counts before;
        bench_count(&before);
        make_fake("kill", places[i].name, true, program);
        pvf_host *host = new_host(program, true);
        expect_prepared(places[i].name, prepare(host, PATIENT_MS), places[i].prepare);
        assert_disarmed(program);
        for (int again = 0; again < 2; again++) {
            expect_prepared(places[i].name, prepare(host, PATIENT_MS), "");
        }
        pvf_host_free(host);
        bench_assert_as_before(&before);
    }
}

static void stopped_while_preparing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char program[PATH_MAX];
        struct bench_counts before;
        bench_count(&before);
        make_fake("stop", places[i].name, true, program);
        pvf_host *host = new_host(program, true);
        if (places[i].ends_first) {
            expect_prepared(places[i].name, prepare(host, PATIENT_MS), "");
            assert_disarmed(program);
        }
        const char *want = places[i].prepare == NULL ? NULL : "TimedOut";
        pvf_error err = PVF_ERROR_INIT;
        if (want != NULL) {
            expect_prepared(places[i].name, prepare(host, LIMIT_MS), want);
        } else {
            const pvf_prepare_request request = {.timeout_ms = LIMIT_MS};
            pvf_prepare_outcome outcome;
            assert_int_equal(pvf_host_prepare(host, &request, &outcome, &err), PVF_ERR_TIMEOUT);
            assert_int_equal(err.detail, PVF_SPAWN_ACCEPT_TIMEOUT);
        }
        assert_disarmed(program);
        expect_prepared(places[i].name, prepare(host, PATIENT_MS), "");
        pvf_host_free(host);
        bench_assert_as_before(&before);
    }
}

/*
 * Between connection and handshake it is a race who notices what; whichever it is, nobody is
 * blamed, and the next job is done.
 */
static void killed_before_its_handshake(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char program[PATH_MAX];
        struct bench_counts before;
        bench_count(&before);
        make_fake("kill", "connected", false, program);
        pvf_host *host = new_host(program, false);
        pvf_outcome outcome = execute(host, PATIENT_MS);
        if (outcome.verdict == PVF_VERDICT_INTERNAL) {
            assert_int_equal(outcome.reason, PVF_REASON_SPAWN);
            assert_int_equal(outcome.spawn_failure, PVF_SPAWN_HANDSHAKE);
        } else {
            assert_int_equal(outcome.verdict, PVF_VERDICT_VALID);
        }
        pvf_outcome_done(&outcome);
        expect("connected", execute(host, PATIENT_MS), PVF_VERDICT_VALID, PVF_REASON_NONE);
        pvf_host_free(host);
        bench_assert_as_before(&before);
    }
}

/* A request that does not fit into the socket of a stopped worker is given to another. */
static void stopped_with_half_a_request(void **state)
{
    (void)state;
    static uint8_t pov[(size_t)4 << 20];
    char program[PATH_MAX];
    struct bench_counts before;
    bench_count(&before);
    make_fake("stop", "asked", false, program);
    pvf_host *host = new_host(program, false);
    const pvf_execute_request request = {
        .artifact_path = bench.artifact, .timeout_ms = 2 * LIMIT_MS, .pov = {pov, sizeof(pov)}};
    pvf_outcome outcome;
    assert_int_equal(pvf_host_execute(host, &request, &outcome, NULL), 0);
    assert_disarmed(program);
    expect("half a request", outcome, PVF_VERDICT_VALID, PVF_REASON_NONE);
    pvf_host_free(host);
    bench_assert_as_before(&before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_while_executing),
        cmocka_unit_test(stopped_while_executing),
        cmocka_unit_test(killed_while_preparing),
        cmocka_unit_test(stopped_while_preparing),
        cmocka_unit_test(killed_before_its_handshake),
        cmocka_unit_test(stopped_with_half_a_request),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    fake = argv[1];
    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
