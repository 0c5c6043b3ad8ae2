/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first tier over scripted workers.  The preparer gives its second answer only when the test
 * lets it, and the executor tells the two artifacts apart.
 */
#include "support/test.h"

#include "base/fd.h"
#include "support/service_fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INVALID "1600000000000000 00 02 0c 626164 0000000000000000 00000000 00000000"
#define BAD_ARTIFACT "1600000000000000 00 01 0c 626164 0000000000000000 00000000 00000000"
#define TIMED_OUT "0200000000000000 01 00"
#define JOB_DIED "0a00000000000000 01 01 0c 626164 07000000"
#define NO_ANSWER "0200000000000000 07 07"
#define REFUSED_CODE "0600000000000000 01 00 0c 626164"
#define NO_FIRST_TIER "0600000000000000 01 03 0c 626164"

static struct service_fakes fakes;

static void write_beside(const char *program, const char *suffix, const void *data, size_t len)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s.%s", program, suffix);
    (void)unlink(path);
    assert_int_equal(pvf__fd_write_file(path, 0600, data, len, NULL), 0);
}

/* `first` is the first answer of the preparer, NULL: a good one; the two others the executor's. */
static void
make(const char *first, const char *answer_on_first_tier, const char *answer_on_optimised)
{
    char path[PATH_MAX];
    service_fakes_make(&fakes, "tiered", "choosy", answer_on_optimised);
    bench_set_answer(fakes.execute, "first", answer_on_first_tier);
    (void)snprintf(path, sizeof(path), "%s.answer", fakes.prepare);
    struct pvf__buf good = service_bench_read(path);
    write_beside(fakes.prepare, "first", good.data, good.len);
    pvf__buf_done(&good);
    if (first != NULL) {
        bench_set_answer(fakes.prepare, "first", first);
    }
    /* The usual one, whose checksum is right, is the first. */
    write_beside(fakes.prepare, "first-artifact", "\xde\xad\xbe\xef", 4);
    write_beside(fakes.prepare, "artifact", "good", 4);
    fakes.config.first_tier = 1;
    fakes.service = service_bench_new(&fakes.config);
}

static double metric(const char *name)
{
    char *text = NULL;
    size_t len = 0;
    char line[128];
    assert_int_equal(pvf_metrics_text(pvf_service_metrics(fakes.service), &text, &len, NULL), 0);
    (void)snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(text, line);
    assert_non_null(at);
    double value = strtod(at + strlen(line), NULL);
    free(text);
    return value;
}

static bool has_repeated(pvf_service *service, void *context)
{
    (void)service;
    return (unsigned)metric("pvf_first_tier_repeated_total") == *(const unsigned *)context;
}

static void run_until_repeated(unsigned count)
{
    service_bench_run_until(fakes.service, has_repeated, &count);
}

static bool has_artifacts(pvf_service *service, void *context)
{
    return service_bench_stats(service).cache_entries == *(const uint32_t *)context;
}

static void run_until_cached(uint32_t count)
{
    service_bench_run_until(fakes.service, has_artifacts, &count);
}

static void valid_on_the_first_tier_is_valid_at_once(void **state)
{
    (void)state;
    struct service_bench_reply replies[3] = {0};
    make(NULL, bench_ok_answer, INVALID);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    for (unsigned i = 0; i < 2; i++) {
        service_bench_execute(fakes.service, &candidate, &replies[i]);
        service_bench_run(fakes.service, replies, i + 1);
        service_bench_assert_verdict(&replies[i], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        assert_true(replies[i].first_tier && replies[i].prepared);
        assert_int_equal(replies[i].attempts, 1);
    }
    assert_int_equal(service_bench_stats(fakes.service).cache_entries, 0);
    service_fakes_open(fakes.prepare_gate, 1);
    run_until_cached(1);
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    service_bench_run(fakes.service, replies, 3);
    service_bench_assert_verdict(
        &replies[2], PVF_VERDICT_INVALID, PVF_REASON_REPORTED_INVALID, "bad");
    assert_false(replies[2].first_tier);
    assert_true(metric("pvf_first_tiers_total") == 1);
    assert_true(metric("pvf_first_tier_served_total") == 2);
    assert_true(metric("pvf_first_tier_repeated_total") == 0);
    assert_int_equal(service_bench_stats(fakes.service).preparations, 1);
    service_bench_reply_done(&replies[0]);
    service_bench_reply_done(&replies[1]);
    service_fakes_free(&fakes);
}

/* Whatever the first tier says that is not a valid result, nobody hears of it. */
static void all_else_waits_for_the_optimised_one(void **state)
{
    (void)state;
    const char *const answers[] = {INVALID, TIMED_OUT, JOB_DIED, BAD_ARTIFACT, NO_ANSWER, NULL};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct service_bench_reply reply = {0};
        make(NULL, answers[i], bench_ok_answer);
        const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
        service_bench_execute(fakes.service, &candidate, &reply);
        run_until_repeated(1);
        assert_int_equal(reply.count, 0);
        service_fakes_open(fakes.prepare_gate, 1);
        service_bench_run(fakes.service, &reply, 1);
        service_bench_assert_verdict(&reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        assert_false(reply.first_tier);
        assert_true(reply.prepared);
        assert_int_equal(reply.attempts, 1);
        assert_true(metric("pvf_execution_outcomes_total{reason=\"none\"}") == 1);
        assert_true(metric("pvf_execution_outcomes_total{reason=\"reported_invalid\"}") == 0);
        assert_true(metric("pvf_execution_outcomes_total{reason=\"hard_timeout\"}") == 0);
        assert_true(metric("pvf_first_tier_served_total") == 0);
        service_bench_reply_done(&reply);
        service_fakes_free(&fakes);
    }
}

/* A validator's retries are for what the optimised one says; here it says it at once. */
static void a_death_costs_no_retry(void **state)
{
    (void)state;
    struct service_bench_reply reply = {0};
    make(NULL, JOB_DIED, bench_ok_answer);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.retry = true;
    service_bench_execute(fakes.service, &candidate, &reply);
    run_until_repeated(1);
    service_fakes_open(fakes.prepare_gate, 1);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_int_equal(reply.attempts, 1);
    assert_true(metric("pvf_execution_retries_total{reason=\"job_death\"}") == 0);
    service_bench_reply_done(&reply);
    service_fakes_free(&fakes);
}

static void a_first_answer_may_say_that_there_is_none(void **state)
{
    (void)state;
    const char *const answers[] = {NO_FIRST_TIER, REFUSED_CODE, "0200000000000000 01 04"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct service_bench_reply reply = {0};
        make(answers[i], INVALID, bench_ok_answer);
        const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
        service_bench_execute(fakes.service, &candidate, &reply);
        service_fakes_open(fakes.prepare_gate, 1);
        service_bench_run(fakes.service, &reply, 1);
        service_bench_assert_verdict(&reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        assert_true(metric("pvf_first_tiers_total") == 0);
        assert_true(metric("pvf_preparation_outcomes_total{result=\"ok\"}") == 1);
        service_bench_reply_done(&reply);
        service_fakes_free(&fakes);
    }
}

/* A first answer that is none is the end of the worker, as any such answer is. */
static void a_first_answer_that_is_none_ends_the_worker(void **state)
{
    (void)state;
    struct service_bench_reply reply = {0};
    make(NO_ANSWER, INVALID, bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    service_bench_execute(fakes.service, &candidate, &reply);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply, PVF_VERDICT_INTERNAL, PVF_REASON_PREPARE, "");
    assert_true(service_bench_stats(fakes.service).worker_deaths >= 1);
    service_fakes_free(&fakes);
}

/* Code that is refused in the end is refused, whatever ran on it meanwhile. */
static void the_preparation_itself_is_what_is_told(void **state)
{
    (void)state;
    struct service_bench_reply replies[2] = {0};
    make(NULL, INVALID, bench_ok_answer);
    bench_set_answer(fakes.prepare, "answer", REFUSED_CODE);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    const pvf_code code = service_fakes_code(1);
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    run_until_repeated(1);
    service_fakes_open(fakes.prepare_gate, 1);
    service_bench_run(fakes.service, replies, 1);
    service_bench_assert_verdict(
        &replies[0], PVF_VERDICT_INTERNAL, PVF_REASON_PREPARE, "can never be prepared");
    assert_true(replies[0].prepared && !replies[0].first_tier);
    assert_int_equal(replies[0].attempts, 0);
    service_bench_precheck(fakes.service, &code, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    assert_true(!replies[1].ok && replies[1].deterministic && replies[1].stored);
    service_fakes_free(&fakes);
}

static void prechecks_and_heads_ups_have_one_answer(void **state)
{
    (void)state;
    struct service_bench_reply replies[2] = {0};
    make(NULL, INVALID, bench_ok_answer);
    const pvf_code code = service_fakes_code(1);
    const pvf_code other = service_fakes_code(2);
    service_bench_precheck(fakes.service, &code, &replies[0]);
    assert_int_equal(pvf_service_heads_up(fakes.service, &other, NULL), 0);
    service_fakes_open(fakes.prepare_gate, 2);
    service_bench_run(fakes.service, replies, 1);
    assert_true(replies[0].ok);
    run_until_cached(2);
    const pvf_candidate candidate = service_fakes_candidate(2, PVF_EXEC_BACKING);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_true(metric("pvf_first_tiers_total") == 0);
    service_bench_reply_done(&replies[1]);
    service_fakes_free(&fakes);
}

/* It is no part of the cache: the next start prepares anew. */
static void nothing_of_it_outlives_the_service(void **state)
{
    (void)state;
    struct service_bench_reply reply = {0};
    make(NULL, bench_ok_answer, INVALID);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    service_bench_execute(fakes.service, &candidate, &reply);
    service_bench_run(fakes.service, &reply, 1);
    assert_true(reply.first_tier);
    service_bench_reply_done(&reply);
    service_bench_free(fakes.service);
    fakes.service = service_bench_new(&fakes.config);
    assert_int_equal(service_bench_stats(fakes.service).cache_entries, 0);
    service_fakes_free(&fakes);
}

static void another_worker_does_not_take_the_option(void **state)
{
    (void)state;
    struct service_bench_reply reply = {0};
    service_fakes_make(&fakes, "foreign", "answer", bench_ok_answer);
    fakes.config.first_tier = 1;
    fakes.config.spawn_tries_max = 1;
    fakes.service = service_bench_new(&fakes.config);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    service_bench_execute(fakes.service, &candidate, &reply);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply,
                                 PVF_VERDICT_INTERNAL,
                                 PVF_REASON_SPAWN,
                                 "only pvf-prepare-worker knows --first-tier; leave that out");
    service_fakes_free(&fakes);
}

static void the_switch_is_on_or_off(void **state)
{
    (void)state;
    pvf_error err = PVF_ERROR_INIT;
    pvf_service *service = NULL;
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    assert_int_equal(fakes.config.first_tier, 0);
    fakes.config.first_tier = 2;
    assert_int_equal(pvf_service_new(&fakes.config, &service, &err), PVF_ERR_INVALID_ARG);
    assert_string_equal(err.text, "first_tier is 0 or 1");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    bench_fake = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_on_the_first_tier_is_valid_at_once),
        cmocka_unit_test(all_else_waits_for_the_optimised_one),
        cmocka_unit_test(a_death_costs_no_retry),
        cmocka_unit_test(a_first_answer_may_say_that_there_is_none),
        cmocka_unit_test(a_first_answer_that_is_none_ends_the_worker),
        cmocka_unit_test(the_preparation_itself_is_what_is_told),
        cmocka_unit_test(prechecks_and_heads_ups_have_one_answer),
        cmocka_unit_test(nothing_of_it_outlives_the_service),
        cmocka_unit_test(another_worker_does_not_take_the_option),
        cmocka_unit_test(the_switch_is_on_or_off),
    };
    return cmocka_run_group_tests(tests, service_fakes_set_up, service_fakes_tear_down);
}
