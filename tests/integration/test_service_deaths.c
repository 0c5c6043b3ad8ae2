/* SPDX-License-Identifier: Apache-2.0 */
/* The event-driven host when things go wrong: workers that die, hang, or cannot be started. */
#include "support/test.h"

#include "base/fd.h"
#include "host/folder.h"
#include "support/service_fakes.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INVALID                                                                                    \
    "2000000000000000 00 02 34 657865637574653a2074726170 0100000000000000 00000000 00*4"
/* The known-good job with one bit of its hash flipped. */
#define WRONG                                                                                      \
    "2600000000000000 00 00 20 15bfbb7beaa38138 00 00 00 00000000 00000000 "                       \
    "0000000000000000 c0cf6a00 05000000"

static bool no_workers(pvf_service *service, void *context)
{
    (void)context;
    pvf_service_stats stats = service_bench_stats(service);
    return stats.execute_workers == 0 && stats.prepare_workers == 0;
}

static bool execute_busy(pvf_service *service, void *context)
{
    (void)context;
    return service_bench_stats(service).execute_busy > 0;
}

static void execute_pov(pvf_service *service,
                        const char *pov,
                        enum pvf_exec_kind kind,
                        bool retry,
                        struct service_bench_reply *reply)
{
    pvf_candidate candidate = service_fakes_candidate(1, kind);
    candidate.execution.pov = (pvf_bytes){(const uint8_t *)pov, strlen(pov)};
    candidate.retry = retry;
    service_bench_execute(service, &candidate, reply);
}

/* A service whose executor dies of a PoV with "die!", and answers the known-good job as told. */
static void new_mortal(struct service_fakes *fakes, const char *known_good, const char *other)
{
    service_fakes_make(fakes, "answer", "mortal", known_good);
    bench_set_answer(fakes->execute, "other", other);
    fakes->service = service_bench_new(&fakes->config);
}

/* ---- Idle workers ---- */

static void workers_killed_while_idle_are_replaced(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    assert_int_equal(kill(service_bench_worker("execute", 0), SIGKILL), 0);
    assert_int_equal(kill(service_bench_worker("prepare", 0), SIGKILL), 0);
    /* It is noticed at once, without a job for them. */
    service_bench_run_until(fakes.service, no_workers, NULL);
    assert_int_equal(service_bench_stats(fakes.service).worker_deaths, 2);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    /* And when it is not noticed yet: the request goes to another, and nobody hears of it. */
    assert_int_equal(kill(service_bench_worker("execute", 0), SIGKILL), 0);
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    service_bench_run(fakes.service, replies, 3);
    for (int i = 0; i < 3; i++) {
        service_bench_assert_verdict(&replies[i], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        service_bench_reply_done(&replies[i]);
    }
    service_fakes_free(&fakes);
}

/* ---- Workers at work ---- */

static bool has_died(pvf_service *service, void *context)
{
    (void)context;
    return service_bench_stats(service).worker_deaths == 1;
}

static void a_worker_killed_at_work_is_a_death(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    service_fakes_new(&fakes, "answer", "gate", bench_known_good_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    service_bench_execute(fakes.service, &candidate, &reply);
    service_bench_run_until(fakes.service, execute_busy, NULL);
    /* Not before it has read the request: a death with that unread is none of the candidate's. */
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s.gate", fakes.execute);
    pid_t worker = service_bench_worker("execute", 0);
    service_bench_wait_for_file(worker, path);
    assert_int_equal(kill(worker, SIGKILL), 0);
    service_bench_run_until(fakes.service, has_died, NULL);
    /* For the known-good job; one that is dying could still have taken it. */
    service_fakes_open(fakes.execute_gate, 1);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(
        &reply, PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_WORKER_DEATH, "signal KILL");
    assert_true(service_bench_stats(fakes.service).healthy);
    service_fakes_free(&fakes);
}

static void a_passed_test_leaves_the_blame(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    new_mortal(&fakes, bench_known_good_answer, INVALID);
    execute_pov(fakes.service, "die!", PVF_EXEC_APPROVAL, false, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_bench_assert_verdict(
        &replies[0], PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_WORKER_DEATH, "signal SEGV");
    /* The known-good job compiled and ran, and left nothing in the cache. */
    pvf_service_stats stats = service_bench_stats(fakes.service);
    assert_int_equal(stats.preparations, 2);
    assert_int_equal(stats.executions, 2);
    assert_int_equal(stats.cache_entries, 1);
    execute_pov(fakes.service, "x", PVF_EXEC_APPROVAL, false, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    service_bench_assert_verdict(
        &replies[1], PVF_VERDICT_INVALID, PVF_REASON_REPORTED_INVALID, "trap");
    assert_int_equal(service_bench_stats(fakes.service).executions, 3);
    service_fakes_free(&fakes);
}

static void a_failed_test_takes_the_blame_away(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[4] = {0};
    new_mortal(&fakes, WRONG, INVALID);
    execute_pov(fakes.service, "die!", PVF_EXEC_APPROVAL, false, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_bench_assert_verdict(
        &replies[0], PVF_VERDICT_INTERNAL, PVF_REASON_SELF_TEST, "the result is wrong");
    pvf_service_stats stats = service_bench_stats(fakes.service);
    assert_false(stats.healthy);
    assert_non_null(strstr(stats.alarm, "known-good job"));
    /* Nothing is called invalid as long as that lasts … */
    execute_pov(fakes.service, "x", PVF_EXEC_APPROVAL, false, &replies[1]);
    execute_pov(fakes.service, "y", PVF_EXEC_BACKING, false, &replies[2]);
    service_bench_run(fakes.service, replies, 3);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_INTERNAL, PVF_REASON_SELF_TEST, "");
    service_bench_assert_verdict(&replies[2], PVF_VERDICT_INTERNAL, PVF_REASON_SELF_TEST, "");
    /* … and when the machine is good again, so are its verdicts. */
    bench_set_answer(fakes.execute, "answer", bench_known_good_answer);
    execute_pov(fakes.service, "x", PVF_EXEC_APPROVAL, false, &replies[3]);
    service_bench_run(fakes.service, replies, 4);
    service_bench_assert_verdict(
        &replies[3], PVF_VERDICT_INVALID, PVF_REASON_REPORTED_INVALID, "trap");
    assert_true(service_bench_stats(fakes.service).healthy);
    service_fakes_free(&fakes);
}

static void a_damaged_artifact_is_found_out(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    new_mortal(&fakes, bench_known_good_answer, bench_ok_answer);
    execute_pov(fakes.service, "damage!", PVF_EXEC_APPROVAL, false, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_bench_assert_verdict(
        &replies[0], PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_CORRUPTED_ARTIFACT, "checksum");
    assert_true(replies[0].bad_artifact);
    /* The file is gone; the next request has a new one. */
    execute_pov(fakes.service, "x", PVF_EXEC_APPROVAL, false, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_true(replies[1].prepared);
    service_bench_reply_done(&replies[1]);
    service_fakes_free(&fakes);
}

/* A job that dies each time: tried twice for approval, and then invalid; once for backing. */
static void deaths_are_tried_again_for_approval(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    new_mortal(&fakes, bench_known_good_answer, bench_ok_answer);
    execute_pov(fakes.service, "die!", PVF_EXEC_APPROVAL, true, &replies[0]);
    execute_pov(fakes.service, "die!", PVF_EXEC_BACKING, true, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    /* By itself, since the others would find the file damaged, too. */
    execute_pov(fakes.service, "damage!", PVF_EXEC_DISPUTE, true, &replies[2]);
    service_bench_run(fakes.service, replies, 3);
    service_bench_assert_verdict(
        &replies[0], PVF_VERDICT_INVALID, PVF_REASON_WORKER_DEATH, "signal SEGV");
    assert_int_equal(replies[0].attempts, 2);
    service_bench_assert_verdict(
        &replies[1], PVF_VERDICT_INTERNAL, PVF_REASON_WORKER_DEATH, "signal SEGV");
    assert_int_equal(replies[1].attempts, 1);
    service_bench_assert_verdict(
        &replies[2], PVF_VERDICT_INVALID, PVF_REASON_CORRUPTED_ARTIFACT, "checksum");
    assert_int_equal(replies[2].attempts, 2);
    service_fakes_free(&fakes);
}

/* Waiting for its next attempt, it can be cancelled. */
static bool both_dead(pvf_service *service, void *context)
{
    (void)context;
    return service_bench_stats(service).executions == 2;
}

static void a_retry_can_be_cancelled(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    new_mortal(&fakes, bench_known_good_answer, bench_ok_answer);
    execute_pov(fakes.service, "die!", PVF_EXEC_APPROVAL, true, &reply);
    service_bench_run_until(fakes.service, both_dead, NULL);
    assert_int_equal(reply.count, 0);
    assert_true(pvf_service_cancel(fakes.service, reply.id));
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply, PVF_VERDICT_INTERNAL, PVF_REASON_CANCELLED, "");
    service_fakes_free(&fakes);
}

static void jobs_end_with_their_time(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        enum pvf_verdict verdict;
        enum pvf_reason reason;
        const char *said;
    } cases[] = {
        {"hang", PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_STALLED, "not used up"},
        {"spin", PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, "four times"},
        {"jobspin", PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, "four times"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct service_fakes fakes;
        struct service_bench_reply reply = {0};
        service_fakes_new(&fakes, "answer", cases[i].mode, NULL);
        pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
        /* A spinner gets a quarter of one core even on a busy machine. */
        candidate.execution.timeout_ms = 50;
        service_bench_execute(fakes.service, &candidate, &reply);
        service_bench_run(fakes.service, &reply, 1);
        if (reply.reason != PVF_REASON_STALLED) {
            service_bench_assert_verdict(&reply, cases[i].verdict, cases[i].reason, cases[i].said);
        } else {
            /* On a machine that is busier still nobody is blamed. */
            assert_int_equal(reply.verdict, PVF_VERDICT_POSSIBLY_INVALID);
        }
        service_fakes_free(&fakes);
    }
}

/* Preparations that die are tried once more at once; what remains is this machine's failure. */
static void preparations_that_die_fail(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    service_fakes_new(&fakes, "die", "answer", bench_known_good_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    assert_true(replies[0].status == 0 && !replies[0].ok && !replies[0].deterministic);
    assert_int_equal(service_bench_stats(fakes.service).preparations, 2);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_INTERNAL, PVF_REASON_PREPARE, "");
    service_fakes_free(&fakes);
}

/* ---- Folders ---- */

static void a_flooded_folder_costs_the_worker_not_the_result(void **state)
{
    (void)state;
    static const char *const modes[] = {"flood", "litter", "chatter"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct service_fakes fakes;
        struct service_bench_reply reply = {0};
        char folder[PATH_MAX];
        service_fakes_new(&fakes, "answer", modes[i], bench_ok_answer);
        const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
        service_bench_execute(fakes.service, &candidate, &reply);
        service_bench_run(fakes.service, &reply, 1);
        service_bench_assert_verdict(&reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        (void)snprintf(folder, sizeof(folder), "%s/pvf-run", service_bench_cache);
        if (strcmp(modes[i], "chatter") != 0) {
            assert_int_equal(service_bench_stats(fakes.service).execute_workers, 0);
        }
        service_bench_reply_done(&reply);
        service_fakes_free(&fakes);
    }
}

/* ---- Starts ---- */

static void starts_that_fail_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        enum pvf_spawn_failure failure;
        const char *said;
    } cases[] = {
        {"exit", PVF_SPAWN_DIED, "exit status 3"},
        {"abort", PVF_SPAWN_DIED, "signal ABRT"},
        {"silent", PVF_SPAWN_ACCEPT_TIMEOUT, "did not connect"},
        {"deaf", PVF_SPAWN_HANDSHAKE, "handshake"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct service_fakes fakes;
        struct service_bench_reply replies[2] = {0};
        char preparer[PATH_MAX];
        service_fakes_make(&fakes, "answer", cases[i].mode, NULL);
        bench_make_fake_as("broken", cases[i].mode, NULL, preparer);
        if (cases[i].failure == PVF_SPAWN_ACCEPT_TIMEOUT) {
            fakes.config.host.spawn_timeout_ms = 20;
        }
        fakes.service = service_bench_new(&fakes.config);
        const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
        if (cases[i].failure == PVF_SPAWN_ACCEPT_TIMEOUT) {
            /* The good preparer is under the same limit, and this machine may be busy. */
            service_bench_free(fakes.service);
            fakes.config.host.prepare_worker_path = preparer;
            fakes.service = service_bench_new(&fakes.config);
        }
        service_bench_execute(fakes.service, &candidate, &replies[0]);
        service_bench_run(fakes.service, replies, 1);
        service_bench_assert_verdict(
            &replies[0], PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, cases[i].said);
        assert_int_equal(replies[0].spawn_failure, cases[i].failure);
        pvf_service_stats stats = service_bench_stats(fakes.service);
        assert_false(stats.healthy);
        assert_non_null(strstr(stats.alarm, cases[i].said));
        service_fakes_free(&fakes);

        fakes.config.host.prepare_worker_path = preparer;
        fakes.service = service_bench_new(&fakes.config);
        service_bench_precheck(fakes.service, &candidate.code, &replies[1]);
        service_bench_run(fakes.service, &replies[1], 1);
        assert_int_equal(replies[1].status, PVF_ERR_PEER);
        assert_non_null(strstr(replies[1].text, cases[i].said));
        service_bench_free(fakes.service);
    }
}

static void a_binary_that_is_gone_is_told(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    pvf_service *service = NULL;
    pvf_error err = PVF_ERROR_INIT;
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    fakes.service = service_bench_new(&fakes.config);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    assert_int_equal(unlink(fakes.execute), 0);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    service_bench_assert_verdict(
        &replies[1], PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, "was removed");
    assert_int_equal(replies[1].spawn_failure, PVF_SPAWN_PROGRAM_CHANGED);
    service_fakes_free(&fakes);
    assert_int_equal(pvf_service_new(&fakes.config, &service, &err), PVF_ERR_INVALID_ARG);
    assert_non_null(strstr(err.text, "cannot be run"));
}

/*
 * No worker takes the request: it never began, and that is no verdict; nor does it become one when
 * another process holds the dead worker's connection for a moment.
 */
static void requests_that_are_never_taken(void **state)
{
    (void)state;
    static const char *const modes[] = {"shy", "held"};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct service_fakes fakes;
        struct service_bench_reply reply = {0};
        service_fakes_new(&fakes, "answer", modes[i], NULL);
        const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
        service_bench_execute(fakes.service, &candidate, &reply);
        service_bench_run(fakes.service, &reply, 1);
        service_bench_assert_verdict(
            &reply, PVF_VERDICT_INTERNAL, PVF_REASON_HOST_COMMUNICATION, "could not be sent");
        service_fakes_free(&fakes);
    }
}

/* Nobody waits for long for a process that has no answer to give. */
static void a_dead_worker_whose_connection_is_kept(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    new_mortal(&fakes, bench_known_good_answer, INVALID);
    execute_pov(fakes.service, "clutch! die!", PVF_EXEC_BACKING, false, &reply);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply,
                                 PVF_VERDICT_POSSIBLY_INVALID,
                                 PVF_REASON_WORKER_DEATH,
                                 "ended without an answer (signal SEGV)");
    service_fakes_free(&fakes);
}

/* Secure mode needs seccomp: the machine that loses it starts no workers, and says so. */
static bool is_insecure(pvf_service *service, void *context)
{
    (void)context;
    return strstr(service_bench_stats(service).alarm, "securely") != NULL;
}

static void the_machine_is_looked_at_again(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    pvf_security_status security;
    service_fakes_make(&fakes, "answer", "exit", NULL);
    fakes.config.host.security_mode = PVF_SECURITY_REQUIRE;
    fakes.service = service_bench_new(&fakes.config);
    pvf_service_security(fakes.service, &security);
    assert_true(security.secure_validator_mode && security.can_enable_seccomp);
    /* From now on the checks of this fake say no. */
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s.insecure", fakes.prepare);
    assert_int_equal(pvf__fd_write_file(path, 0600, "", 0, NULL), 0);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &reply);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, "");
    service_bench_run_until(fakes.service, is_insecure, NULL);
    assert_int_equal(unlink(path), 0);
    service_fakes_free(&fakes);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_killed_while_idle_are_replaced),
        cmocka_unit_test(a_worker_killed_at_work_is_a_death),
        cmocka_unit_test(a_passed_test_leaves_the_blame),
        cmocka_unit_test(a_failed_test_takes_the_blame_away),
        cmocka_unit_test(a_damaged_artifact_is_found_out),
        cmocka_unit_test(deaths_are_tried_again_for_approval),
        cmocka_unit_test(a_retry_can_be_cancelled),
        cmocka_unit_test(jobs_end_with_their_time),
        cmocka_unit_test(preparations_that_die_fail),
        cmocka_unit_test(a_flooded_folder_costs_the_worker_not_the_result),
        cmocka_unit_test(starts_that_fail_are_told),
        cmocka_unit_test(a_binary_that_is_gone_is_told),
        cmocka_unit_test(requests_that_are_never_taken),
        cmocka_unit_test(a_dead_worker_whose_connection_is_kept),
        cmocka_unit_test(the_machine_is_looked_at_again),
    };
    if (argc != 2) {
        return 2;
    }
    bench_fake = argv[1];
    return cmocka_run_group_tests(tests, service_fakes_set_up, service_fakes_tear_down);
}
