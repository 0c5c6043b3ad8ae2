/* SPDX-License-Identifier: Apache-2.0 */
/* The event-driven host over scripted workers: requests, queues, callbacks, shutdown, the cache. */
#include "support/test.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "host/folder.h"
#include "pvf/log.h"
#include "support/service_fakes.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REFUSED_CODE "0600000000000000 01 00 0c 626164"

static bool both_busy(pvf_service *service, void *context)
{
    return service_bench_stats(service).execute_busy == *(const uint32_t *)context;
}

static void run_until_busy(pvf_service *service, uint32_t count)
{
    service_bench_run_until(service, both_busy, &count);
}

static bool is_down(pvf_service *service, void *context)
{
    (void)context;
    return pvf_service_is_down(service);
}

/* ---- Preparations ---- */

static void prechecks_of_one_code_share_a_job(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[6] = {0};
    service_fakes_new(&fakes, "gate", "answer", bench_ok_answer);
    const pvf_code code = service_fakes_code(1);
    for (int i = 0; i < 5; i++) {
        service_bench_precheck(fakes.service, &code, &replies[i]);
    }
    service_fakes_open(fakes.prepare_gate, 1);
    service_bench_run(fakes.service, replies, 5);
    for (int i = 0; i < 5; i++) {
        assert_true(replies[i].status == 0 && replies[i].ok && !replies[i].stored);
    }
    service_bench_precheck(fakes.service, &code, &replies[5]);
    service_bench_run(fakes.service, replies, 6);
    assert_true(replies[5].ok && replies[5].stored);
    assert_int_equal(service_bench_stats(fakes.service).preparations, 1);
    service_fakes_free(&fakes);
}

static void refused_code_is_remembered(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    bench_set_answer(fakes.prepare, "answer", REFUSED_CODE);
    fakes.service = service_bench_new(&fakes.config);
    const pvf_code code = service_fakes_code(1);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    for (int i = 0; i < 2; i++) {
        service_bench_precheck(fakes.service, &code, &replies[i]);
        service_bench_run(fakes.service, replies, (size_t)i + 1);
        assert_true(replies[i].status == 0 && !replies[i].ok && replies[i].deterministic);
        assert_int_equal(replies[i].error, 0);
        assert_non_null(strstr(replies[i].text, "bad"));
        assert_int_equal(replies[i].stored, i == 1);
    }
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    service_bench_run(fakes.service, replies, 3);
    service_bench_assert_verdict(
        &replies[2], PVF_VERDICT_INTERNAL, PVF_REASON_PREPARE, "can never be prepared");
    assert_true(replies[2].prepared);
    assert_int_equal(service_bench_stats(fakes.service).preparations, 1);
    service_fakes_free(&fakes);
}

static bool has_an_artifact(pvf_service *service, void *context)
{
    (void)context;
    return service_bench_stats(service).cache_entries == 1;
}

static void a_heads_up_prepares_ahead(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    assert_int_equal(pvf_service_heads_up(fakes.service, &candidate.code, NULL), 0);
    service_bench_run_until(fakes.service, has_an_artifact, NULL);
    service_bench_execute(fakes.service, &candidate, &reply);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_false(reply.prepared);
    assert_int_equal(service_bench_stats(fakes.service).preparations, 1);
    service_bench_reply_done(&reply);
    service_fakes_free(&fakes);
}

/* ---- Executions ---- */

static void two_workers_run_in_parallel(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_new(&fakes, "answer", "gate", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    for (int i = 0; i < 3; i++) {
        service_bench_execute(fakes.service, &candidate, &replies[i]);
    }
    run_until_busy(fakes.service, 2);
    assert_int_equal(service_bench_stats(fakes.service).execute_queued[PVF_EXEC_APPROVAL], 1);
    service_fakes_open(fakes.execute_gate, 3);
    service_bench_run(fakes.service, replies, 3);
    for (int i = 0; i < 3; i++) {
        service_bench_assert_verdict(&replies[i], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        assert_true(replies[i].prepared);
        assert_int_equal(replies[i].attempts, 1);
        service_bench_reply_done(&replies[i]);
    }
    assert_int_equal(service_bench_stats(fakes.service).preparations, 1);
    service_fakes_free(&fakes);
}

static void cancelled_in_queue_and_at_work(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_make(&fakes, "answer", "gate", bench_ok_answer);
    fakes.config.execute_workers_max = 1;
    fakes.service = service_bench_new(&fakes.config);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    run_until_busy(fakes.service, 1);
    assert_true(pvf_service_cancel(fakes.service, replies[1].id));
    service_bench_run(fakes.service, &replies[1], 1);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_INTERNAL, PVF_REASON_CANCELLED, "");
    assert_false(pvf_service_cancel(fakes.service, replies[1].id));
    assert_int_equal(replies[0].count, 0);
    assert_true(pvf_service_cancel(fakes.service, replies[0].id));
    service_bench_run(fakes.service, &replies[0], 1);
    service_bench_assert_verdict(&replies[0], PVF_VERDICT_INTERNAL, PVF_REASON_CANCELLED, "");
    assert_false(pvf_service_cancel(fakes.service, 12345));
    /* The worker went with its job; the next one is good. */
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    service_fakes_open(fakes.execute_gate, 1);
    service_bench_run(fakes.service, &replies[2], 1);
    service_bench_assert_verdict(&replies[2], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    service_bench_reply_done(&replies[2]);
    service_fakes_free(&fakes);
}

static void a_cancelled_precheck_leaves_its_artifact(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    service_fakes_new(&fakes, "gate", "answer", bench_ok_answer);
    const pvf_code code = service_fakes_code(1);
    service_bench_precheck(fakes.service, &code, &reply);
    while (service_bench_stats(fakes.service).preparations == 0) {
        assert_int_equal(pvf_service_run_once(fakes.service, 1000, NULL), 0);
    }
    assert_true(pvf_service_cancel(fakes.service, reply.id));
    service_bench_run(fakes.service, &reply, 1);
    assert_int_equal(reply.status, PVF_ERR_EOF);
    assert_false(reply.has_outcome);
    service_fakes_open(fakes.prepare_gate, 1);
    service_bench_run_until(fakes.service, has_an_artifact, NULL);
    service_fakes_free(&fakes);
}

static void late_requests_expire(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[4] = {0};
    static const uint8_t viable[1][32] = {{1}};
    service_fakes_make(&fakes, "answer", "gate", bench_ok_answer);
    fakes.config.execute_workers_max = 1;
    fakes.service = service_bench_new(&fakes.config);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    memcpy(candidate.scheduling_leaf, viable[0], 32);
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    run_until_busy(fakes.service, 1);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    candidate.scheduling_leaf[0] = 2;
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    candidate = service_fakes_candidate(1, PVF_EXEC_DISPUTE);
    candidate.deadline_ms = 1;
    service_bench_execute(fakes.service, &candidate, &replies[3]);
    assert_int_equal(pvf_service_active_leaves(fakes.service, viable, 1, NULL), 0);
    service_bench_run(fakes.service, &replies[2], 2);
    service_bench_assert_verdict(&replies[2], PVF_VERDICT_EXPIRED, PVF_REASON_EXPIRED, "");
    service_bench_assert_verdict(&replies[3], PVF_VERDICT_EXPIRED, PVF_REASON_EXPIRED, "");
    assert_int_equal(replies[3].attempts, 0);
    service_fakes_open(fakes.execute_gate, 2);
    service_bench_run(fakes.service, replies, 2);
    for (int i = 0; i < 2; i++) {
        service_bench_assert_verdict(&replies[i], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        service_bench_reply_done(&replies[i]);
    }
    service_fakes_free(&fakes);
}

/* ---- The end ---- */

static void an_orderly_end_finishes_what_lives(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    pvf_error err = PVF_ERROR_INIT;
    service_fakes_new(&fakes, "answer", "gate", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    assert_false(pvf_service_is_down(fakes.service));
    pvf_service_shutdown(fakes.service, true);
    assert_int_equal(
        pvf_service_precheck(
            fakes.service, &candidate.code, service_bench_on_precheck, NULL, NULL, &err),
        PVF_ERR_INVALID_ARG);
    assert_non_null(strstr(err.text, "takes no requests"));
    service_fakes_open(fakes.execute_gate, 2);
    service_bench_run_until(fakes.service, is_down, NULL);
    for (int i = 0; i < 2; i++) {
        service_bench_assert_verdict(&replies[i], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        service_bench_reply_done(&replies[i]);
    }
    service_fakes_free(&fakes);
}

static void an_end_at_once_cancels_what_lives(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_new(&fakes, "gate", "gate", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    const pvf_candidate waiting = service_fakes_candidate(2, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    service_fakes_open(fakes.prepare_gate, 1);
    run_until_busy(fakes.service, 1);
    service_bench_execute(fakes.service, &waiting, &replies[1]);
    service_bench_precheck(fakes.service, &waiting.code, &replies[2]);
    pvf_service_shutdown(fakes.service, true);
    pvf_service_shutdown(fakes.service, false);
    service_bench_run_until(fakes.service, is_down, NULL);
    service_bench_assert_verdict(&replies[0], PVF_VERDICT_INTERNAL, PVF_REASON_CANCELLED, "");
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_INTERNAL, PVF_REASON_CANCELLED, "");
    assert_true(replies[2].count == 1 && replies[2].status == PVF_ERR_EOF);
    service_fakes_free(&fakes);
}

/* Whoever is still waiting when it is freed hears nothing. */
static void freed_with_everything_under_way(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_new(&fakes, "gate", "gate", bench_ok_answer);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    service_fakes_open(fakes.prepare_gate, 1);
    run_until_busy(fakes.service, 1);
    candidate = service_fakes_candidate(2, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_precheck(fakes.service, &candidate.code, &replies[2]);
    service_fakes_free(&fakes);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(replies[i].count, 0);
    }
}

/* ---- The caller's side ---- */

static void the_descriptor_is_enough(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    service_fakes_make(&fakes, "answer", "hang", NULL);
    fakes.service = service_bench_new(&fakes.config);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    /* Its end is a matter of time alone. */
    candidate.execution.timeout_ms = 20;
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    struct pollfd item = {.fd = pvf_service_fd(fakes.service), .events = POLLIN};
    while (replies[0].count == 0 || replies[1].count == 0) {
        assert_int_equal(poll(&item, 1, 60000), 1);
        assert_int_equal(pvf_service_process(fakes.service, NULL), 0);
    }
    assert_true(replies[0].ok);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_STALLED, "");
    service_fakes_free(&fakes);
}

static void more_than_the_limit_are_refused(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    pvf_error err = PVF_ERROR_INIT;
    service_fakes_make(&fakes, "gate", "answer", bench_ok_answer);
    fakes.config.requests_max = 2;
    fakes.service = service_bench_new(&fakes.config);
    const pvf_code code = service_fakes_code(1);
    service_bench_precheck(fakes.service, &code, &replies[0]);
    service_bench_precheck(fakes.service, &code, &replies[1]);
    assert_int_equal(
        pvf_service_precheck(fakes.service, &code, service_bench_on_precheck, NULL, NULL, &err),
        PVF_ERR_LIMIT);
    assert_int_equal(pvf_service_heads_up(fakes.service, &code, &err), PVF_ERR_LIMIT);
    service_fakes_open(fakes.prepare_gate, 1);
    service_bench_run(fakes.service, replies, 2);
    service_bench_precheck(fakes.service, &code, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_fakes_free(&fakes);
}

/* A figure as it is scraped. */
static double figure_of(pvf_service *service, const char *series)
{
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(pvf_metrics_text(pvf_service_metrics(service), &text, &len, NULL), 0);
    /* A line of its own; what explains the series begins with a sign. */
    char line[128];
    int line_len = snprintf(line, sizeof(line), "\n%s ", series);
    const char *at = strstr(text, line);
    assert_non_null(at);
    double value = strtod(at + line_len, NULL);
    free(text);
    return value;
}

static void assert_no_room(pvf_service *service, const pvf_candidate *candidate, const char *what)
{
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(
        pvf_service_execute(service, candidate, service_bench_on_execute, NULL, NULL, &err),
        PVF_ERR_LIMIT);
    if (strstr(err.text, "copied_max_bytes") == NULL || strstr(err.text, what) == NULL) {
        fail_msg("%s", err.text);
    }
}

static void copies_are_bounded_and_given_back(void **state)
{
    (void)state;
    static const uint8_t pov[1000] = {0};
    static const char refused[] = "pvf_requests_refused_total{reason=\"copied_bytes\"}";
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_make(&fakes, "gate", "answer", bench_ok_answer);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    const size_t code_len = candidate.code.code.len;
    const size_t head_len = candidate.execution.parent_head.len;
    candidate.execution.pov = (pvf_bytes){pov, sizeof(pov)};
    fakes.config.copied_max_bytes = 2 * (sizeof(pov) + head_len) + code_len;
    fakes.service = service_bench_new(&fakes.config);
    /* The same code is held once, so two of them fit exactly. */
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    assert_int_equal(service_bench_stats(fakes.service).copied_bytes,
                     fakes.config.copied_max_bytes);
    candidate.execution.parent_head.len = 0;
    candidate.execution.pov.len = 1;
    assert_no_room(fakes.service, &candidate, "head and PoV");
    const pvf_candidate other = service_fakes_candidate(2, PVF_EXEC_APPROVAL);
    assert_no_room(fakes.service, &other, "code");
    assert_int_equal(service_bench_stats(fakes.service).copied_bytes,
                     fakes.config.copied_max_bytes);
    assert_true(figure_of(fakes.service, refused) == 2);
    assert_true(figure_of(fakes.service, "pvf_requests_refused_total{reason=\"limit\"}") == 0);
    assert_true(figure_of(fakes.service, "pvf_requests_copied_bytes") ==
                (double)fakes.config.copied_max_bytes);
    /* What the caller keeps is no copy. */
    candidate.code.borrow = true;
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    assert_int_equal(service_bench_stats(fakes.service).copied_bytes,
                     fakes.config.copied_max_bytes);
    assert_true(pvf_service_cancel(fakes.service, replies[1].id));
    service_fakes_open(fakes.prepare_gate, 1);
    service_bench_run(fakes.service, replies, 3);
    assert_int_equal(service_bench_stats(fakes.service).copied_bytes, 0);
    for (size_t i = 0; i < 3; i++) {
        service_bench_reply_done(&replies[i]);
    }
    /* There is room again. */
    replies[0] = (struct service_bench_reply){0};
    candidate.code.borrow = false;
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_bench_assert_verdict(&replies[0], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    service_bench_reply_done(&replies[0]);
    service_fakes_free(&fakes);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    struct service_fakes fakes;
    pvf_error err = PVF_ERROR_INIT;
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
#define REFUSED(status)                                                                            \
    assert_int_equal(pvf_service_execute(                                                          \
                         fakes.service, &candidate, service_bench_on_execute, NULL, NULL, &err),   \
                     (status))
    candidate.kind = 4;
    REFUSED(PVF_ERR_INVALID_ARG);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.execution.descriptor_version = 9;
    REFUSED(PVF_ERR_INVALID_ARG);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.execution.pov.data = NULL;
    REFUSED(PVF_ERR_INVALID_ARG);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.execution.timeout_ms = UINT64_MAX;
    REFUSED(PVF_ERR_LIMIT);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.execution.pov.len = SIZE_MAX;
    REFUSED(PVF_ERR_LIMIT);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.code.executor_params = (pvf_bytes){(const uint8_t *)"\x04", 1};
    REFUSED(PVF_ERR_MALFORMED);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.reserved[0] = 1;
    REFUSED(PVF_ERR_INVALID_ARG);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.code.reserved[3] = 1;
    REFUSED(PVF_ERR_INVALID_ARG);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    candidate.execution.reserved[2] = 1;
    REFUSED(PVF_ERR_INVALID_ARG);
#undef REFUSED
    assert_int_equal(pvf_service_execute(fakes.service, NULL, NULL, NULL, NULL, &err),
                     PVF_ERR_INVALID_ARG);
    assert_int_equal(service_bench_stats(fakes.service).requests, 0);
    service_fakes_free(&fakes);
}

static void bad_configurations_are_refused(void **state)
{
    (void)state;
    struct service_fakes fakes;
    pvf_service *service = NULL;
    pvf_error err = PVF_ERROR_INIT;
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_service_config good = fakes.config;
    pvf_service_config bad = good;
#define REFUSED(word)                                                                              \
    do {                                                                                           \
        assert_int_equal(pvf_service_new(&bad, &service, &err), PVF_ERR_INVALID_ARG);              \
        if (strstr(err.text, (word)) == NULL) {                                                    \
            fail_msg("%s", err.text);                                                              \
        }                                                                                          \
        bad = good;                                                                                \
    } while (0)
    bad.struct_size = 1;
    REFUSED("pvf_service_config_init");
    bad.struct_size = sizeof(bad) - 1;
    REFUSED("pvf_service_config_init");
    bad.host.reserved[7] = 1;
    REFUSED("reserved word 7 of a pvf_host_config");
    bad.prepare_workers_soft_max = 0;
    REFUSED("prepare_soft_max");
    bad.prepare_workers_soft_max = 3;
    REFUSED("soft");
    bad.execute_workers_max = 0;
    REFUSED("execute_max");
    bad.requests_max = 0;
    REFUSED("requests_max");
    bad.copied_max_bytes = 0;
    REFUSED("copied_max_bytes");
    bad.policy = 7;
    REFUSED("policy");
    bad.host.cache_dir = NULL;
    REFUSED("cache_dir");
    bad.host.execute_worker_path = NULL;
    REFUSED("worker program");
#undef REFUSED
    assert_null(service);
}

/* A program that was compiled with an older header: its structure ends earlier. */
static void an_older_and_shorter_configuration_works(void **state)
{
    (void)state;
    struct service_fakes fakes;
    pvf_error err = PVF_ERROR_INIT;
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    const size_t size = offsetof(pvf_service_config, evidence_dir);
    PVF__CLEANUP_FREE pvf_service_config *old = malloc(sizeof(*old));
    assert_non_null(old);
    /* What lies behind it in the program's memory is neither written nor believed. */
    memset(old, 0xa5, sizeof(*old));
    pvf_service_config_init(old, size);
    assert_int_equal(old->struct_size, size);
    assert_int_equal(*((const uint8_t *)old + size), 0xa5);
    memcpy(old, &fakes.config, size);
    old->struct_size = size;
    if (pvf_service_new(old, &fakes.service, &err) != 0) {
        fail_msg("%s", err.text);
    }
    struct service_bench_reply reply = {0};
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &reply);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    service_bench_reply_done(&reply);
    service_fakes_free(&fakes);
}

/* A program that was compiled with a newer header. */
static void a_newer_and_longer_configuration_works_unless_it_asks_for_more(void **state)
{
    (void)state;
    struct service_fakes fakes;
    pvf_error err = PVF_ERROR_INIT;
    struct {
        pvf_service_config config;
        uint64_t unknown[2];
    } newer;
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    memset(&newer, 0xa5, sizeof(newer));
    pvf_service_config_init(&newer.config, sizeof(newer));
    assert_int_equal(newer.unknown[0] | newer.unknown[1], 0);
    newer.config = fakes.config;
    newer.config.struct_size = sizeof(newer);
    newer.unknown[1] = 1;
    assert_int_equal(pvf_service_new(&newer.config, &fakes.service, &err), PVF_ERR_UNSUPPORTED);
    newer.unknown[1] = 0;
    if (pvf_service_new(&newer.config, &fakes.service, &err) != 0) {
        fail_msg("%s", err.text);
    }
    service_fakes_free(&fakes);
}

/* The lines about one request, in their order. */
struct lines {
    uint64_t job;
    size_t count;
    char text[16][128];
};

static void keep_line(void *context, const pvf_log_record *record)
{
    struct lines *lines = context;
    if (record->job == lines->job && lines->count < 16) {
        (void)snprintf(lines->text[lines->count++], sizeof(lines->text[0]), "%s", record->text);
    }
}

static void a_request_can_be_followed_in_the_log(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    struct lines lines = {0};
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &reply);
    pvf_log_setup(keep_line, &lines, PVF_LOG_DEBUG);
    lines.job = reply.id;
    service_bench_run(fakes.service, &reply, 1);
    service_bench_reply_done(&reply);
    static const char *const said[] = {"job %d is request 1 of prepare worker ",
                                       "preparation: good",
                                       "job %d is request 1 of execute worker ",
                                       "execution: valid",
                                       "answered: valid, attempts 1"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        char want[64];
        const char *part = strstr(said[i], "%d");
        (void)snprintf(want, sizeof(want), "%s", said[i]);
        if (part != NULL) {
            (void)snprintf(want, sizeof(want), "job %d%s", (int)lines.job, part + 2);
        }
        if (i >= lines.count || strncmp(lines.text[i], want, strlen(want)) != 0) {
            fail_msg("line %zu of %zu is not %s but %s", i, lines.count, want, lines.text[i]);
        }
    }
    assert_int_equal(lines.count, sizeof(said) / sizeof(said[0]));
    pvf_log_setup(NULL, NULL, PVF_LOG_OFF);
    service_fakes_free(&fakes);
}

/* Workers that execute are started for a request: why that fails is about it, too. */
static void a_failed_start_is_about_its_request(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    struct lines lines = {0};
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    assert_int_equal(unlink(fakes.execute), 0);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &reply);
    lines.job = reply.id;
    pvf_log_setup(keep_line, &lines, PVF_LOG_WARN);
    service_bench_run(fakes.service, &reply, 1);
    pvf_log_setup(NULL, NULL, PVF_LOG_OFF);
    assert_true(lines.count > 0);
    assert_non_null(strstr(lines.text[0], "execute worker: "));
    service_bench_reply_done(&reply);
    service_fakes_free(&fakes);
}

/* What a callback does to the service that calls it. */
struct busybody {
    pvf_request_id victim;
    struct service_bench_reply *withdrawn;
    struct service_bench_reply *next;
    pvf_request_id self;
    unsigned calls;
    int process_status;
};

static void meddle(pvf_service *service, const pvf_precheck_reply *reply)
{
    struct busybody *body = reply->user;
    const pvf_candidate candidate = service_fakes_candidate(2, PVF_EXEC_APPROVAL);
    body->calls++;
    body->process_status = pvf_service_process(service, NULL);
    assert_false(pvf_service_cancel(service, reply->request));
    /* It waited for the same job: its answer is decided, too. */
    assert_false(pvf_service_cancel(service, body->victim));
    service_bench_execute(service, &candidate, body->withdrawn);
    assert_true(pvf_service_cancel(service, body->withdrawn->id));
    service_bench_execute(service, &candidate, body->next);
}

static void callbacks_may_submit_and_cancel(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_new(&fakes, "gate", "answer", bench_ok_answer);
    const pvf_code code = service_fakes_code(1);
    struct busybody body = {.next = &replies[1], .withdrawn = &replies[2]};
    assert_int_equal(pvf_service_precheck(fakes.service, &code, meddle, &body, &body.self, NULL),
                     0);
    service_bench_precheck(fakes.service, &code, &replies[0]);
    body.victim = replies[0].id;
    service_fakes_open(fakes.prepare_gate, 2);
    while (replies[1].count == 0) {
        assert_int_equal(pvf_service_run_once(fakes.service, 1000, NULL), 0);
    }
    assert_int_equal(body.calls, 1);
    assert_int_equal(body.process_status, PVF_ERR_INVALID_ARG);
    assert_int_equal(replies[0].count, 1);
    assert_int_equal(replies[0].status, 0);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    service_bench_assert_verdict(&replies[2], PVF_VERDICT_INTERNAL, PVF_REASON_CANCELLED, "");
    service_bench_reply_done(&replies[1]);
    service_bench_reply_done(&replies[2]);
    service_fakes_free(&fakes);
}

/* One that is answered at once, and asks again from its callback, for ever. */
static void ask_again(pvf_service *service, const pvf_precheck_reply *reply)
{
    unsigned *calls = reply->user;
    const pvf_code code = service_fakes_code(1);
    (*calls)++;
    assert_int_equal(pvf_service_precheck(service, &code, ask_again, calls, NULL, NULL), 0);
}

static void a_turn_ends_whatever_callbacks_do(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    unsigned calls = 0;
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_code code = service_fakes_code(1);
    service_bench_precheck(fakes.service, &code, &reply);
    service_bench_run(fakes.service, &reply, 1);
    assert_int_equal(pvf_service_precheck(fakes.service, &code, ask_again, &calls, NULL, NULL), 0);
    assert_int_equal(pvf_service_process(fakes.service, NULL), 0);
    assert_true(calls > 0);
    assert_int_equal(pvf_service_timeout_ms(fakes.service), 0);
    service_fakes_free(&fakes);
}

static void what_is_borrowed_may_go_after_the_callback(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    service_fakes_new(&fakes, "gate", "gate", bench_ok_answer);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    uint8_t *memory = malloc(7);
    assert_non_null(memory);
    memcpy(memory, candidate.code.code.data, 4);
    memcpy(memory + 4, "pov", 3);
    candidate.code.code.data = memory;
    candidate.execution.pov.data = memory + 4;
    candidate.code.borrow = true;
    service_bench_execute(fakes.service, &candidate, &replies[0]);
    while (service_bench_stats(fakes.service).preparations == 0) {
        assert_int_equal(pvf_service_run_once(fakes.service, 1000, NULL), 0);
    }
    /* Cancelled while its code is being prepared: the caller takes its memory back. */
    assert_true(pvf_service_cancel(fakes.service, replies[0].id));
    service_bench_run(fakes.service, replies, 1);
    free(memory);
    candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_fakes_open(fakes.prepare_gate, 1);
    service_fakes_open(fakes.execute_gate, 1);
    service_bench_run(fakes.service, &replies[1], 1);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_int_equal(service_bench_stats(fakes.service).preparations, 1);
    service_bench_reply_done(&replies[1]);
    service_fakes_free(&fakes);
}

/* ---- The cache ---- */

static void the_next_service_compiles_nothing(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_bench_free(fakes.service);

    fakes.service = service_bench_new(&fakes.config);
    assert_int_equal(service_bench_stats(fakes.service).cache_entries, 1);
    service_bench_precheck(fakes.service, &candidate.code, &replies[1]);
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    service_bench_run(fakes.service, replies, 3);
    assert_true(replies[1].ok && replies[1].stored);
    service_bench_assert_verdict(&replies[2], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_false(replies[2].prepared);
    assert_int_equal(service_bench_stats(fakes.service).preparations, 0);
    service_bench_reply_done(&replies[2]);
    service_fakes_free(&fakes);
}

static void a_folder_has_one_service(void **state)
{
    (void)state;
    struct service_fakes fakes;
    struct service_bench_reply reply = {0};
    pvf_service *second = NULL;
    pvf_error err = PVF_ERROR_INIT;
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    assert_int_equal(pvf_service_new(&fakes.config, &second, &err), PVF_ERR_BUSY);
    assert_null(second);
    /* The first one did not notice. */
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_execute(fakes.service, &candidate, &reply);
    service_bench_run(fakes.service, &reply, 1);
    service_bench_assert_verdict(&reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    service_bench_reply_done(&reply);
    service_fakes_free(&fakes);
}

static void a_deleted_artifact_is_prepared_again(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_bench_artifact_path(path);
    assert_int_equal(unlink(path), 0);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_true(replies[1].prepared);
    assert_int_equal(service_bench_stats(fakes.service).preparations, 2);
    service_bench_reply_done(&replies[1]);
    service_fakes_free(&fakes);
}

static void a_damaged_artifact_of_an_earlier_run_is_prepared_again(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct service_fakes fakes;
    struct service_bench_reply replies[2] = {0};
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_bench_free(fakes.service);
    service_bench_artifact_path(path);
    assert_int_equal(pvf__fd_write_file(path, 0600, "\xde\xad\xbe\xee", 4, NULL), 0);
    fakes.service = service_bench_new(&fakes.config);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_int_equal(service_bench_stats(fakes.service).preparations, 1);
    service_bench_reply_done(&replies[1]);
    service_fakes_free(&fakes);
}

/* What a service that was ended hard leaves in its folder goes at the next start. */
static void leftovers_are_cleared_away(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    struct service_fakes fakes;
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    fakes.service = service_bench_new(&fakes.config);
    service_bench_free(fakes.service);
    (void)snprintf(folder, sizeof(folder), "%s/pvf-run", service_bench_cache);
    char left[PATH_MAX];
    assert_int_equal(pvf__folder_make(folder, "pvf-host-", left, sizeof(left), NULL), 0);
    assert_int_equal(pvf__folder_make(folder, "mine-", left, sizeof(left), NULL), 0);
    fakes.service = service_bench_new(&fakes.config);
    assert_int_equal(service_bench_entries(folder, "pvf-host-"), 1);
    assert_int_equal(access(left, F_OK), 0);
    assert_int_equal(rmdir(left), 0);
    service_fakes_free(&fakes);
}

/* ---- What it leaves and tells ---- */

#define INVALID                                                                                    \
    "2000000000000000 00 02 34 657865637574653a2074726170 0100000000000000 00000000 00*4"

static void verdicts_that_are_not_valid_leave_evidence(void **state)
{
    (void)state;
    char folder[PATH_MAX / 2];
    char manifest[PATH_MAX];
    struct service_fakes fakes;
    struct service_bench_reply replies[4] = {0};
    service_fakes_make(&fakes, "answer", "answer", INVALID);
    (void)snprintf(folder, sizeof(folder), "%s-evidence", service_bench_cache);
    fakes.config.evidence_dir = folder;
    fakes.service = service_bench_new(&fakes.config);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_BACKING);
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    assert_true(pvf_service_cancel(fakes.service, replies[2].id));
    service_bench_run(fakes.service, replies, 3);
    service_bench_assert_verdict(
        &replies[1], PVF_VERDICT_INVALID, PVF_REASON_REPORTED_INVALID, "trap");
    assert_string_equal(replies[2].evidence, "");
    assert_int_equal(strncmp(replies[1].evidence, folder, strlen(folder)), 0);
    (void)snprintf(manifest, sizeof(manifest), "%s/manifest.json", replies[1].evidence);
    struct pvf__buf text = service_bench_read(manifest);
    assert_non_null(memmem(text.data, text.len, "backing", strlen("backing")));
    pvf__buf_done(&text);
    bench_set_answer(fakes.execute, "answer", bench_ok_answer);
    service_bench_execute(fakes.service, &candidate, &replies[3]);
    service_bench_run(fakes.service, replies, 4);
    assert_string_equal(replies[3].evidence, "");
    /* The bundle, and the folder of code. */
    assert_int_equal(service_bench_entries(folder, ""), 2);
    service_bench_reply_done(&replies[3]);
    service_fakes_free(&fakes);
}

static void assert_says(const char *bundle, const char *word)
{
    char manifest[PATH_MAX];
    (void)snprintf(manifest, sizeof(manifest), "%s/manifest.json", bundle);
    PVF__CLEANUP_BUF struct pvf__buf text = service_bench_read(manifest);
    if (memmem(text.data, text.len, word, strlen(word)) == NULL) {
        fail_msg("%s is not in: %.*s", word, (int)text.len, (const char *)text.data);
    }
}

static bool is_at_rest(pvf_service *service, void *context)
{
    (void)context;
    return service_bench_stats(service).requests == 0;
}

static void preparations_that_fail_leave_evidence(void **state)
{
    (void)state;
    char folder[PATH_MAX / 2];
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    bench_set_answer(fakes.prepare, "answer", REFUSED_CODE);
    (void)snprintf(folder, sizeof(folder), "%s-evidence", service_bench_cache);
    pvf__folder_remove(folder);
    fakes.config.evidence_dir = folder;
    fakes.service = service_bench_new(&fakes.config);
    pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    assert_false(replies[0].ok);
    assert_says(replies[0].evidence, "\"kind\":\"precheck\"");
    assert_says(replies[0].evidence, "\"precheck\":true");
    assert_says(replies[0].evidence, "\"preparation\":{\"ok\":false");
    /* Which programs they were. */
    assert_says(replies[0].evidence, "\"blake2b_256\"");
    /* What is known already was told with its evidence once. */
    service_bench_precheck(fakes.service, &candidate.code, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    assert_true(replies[1].stored);
    assert_string_equal(replies[1].evidence, "");
    assert_int_equal(service_bench_entries(folder, ""), 2);
    /* An execution that meets it has its candidate in the bundle as well. */
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    service_bench_run(fakes.service, replies, 3);
    assert_int_equal(replies[2].reason, PVF_REASON_PREPARE);
    assert_says(replies[2].evidence, "\"kind\":\"approval\"");
    assert_says(replies[2].evidence, "\"preparation\":{\"ok\":false");
    service_bench_reply_done(&replies[2]);
    /* Nobody waits for this one, so its bundle is all there is. */
    const pvf_code other = service_fakes_code(2);
    assert_int_equal(pvf_service_heads_up(fakes.service, &other, NULL), 0);
    service_bench_run_until(fakes.service, is_at_rest, NULL);
    assert_int_equal(service_bench_entries(folder, ""), 4);
    service_fakes_free(&fakes);
}

/* The text has this line as a whole. */
static void assert_figure(const char *text, const char *line)
{
    char whole[256];
    char name[256];
    (void)snprintf(whole, sizeof(whole), "\n%s\n", line);
    if (strstr(text, whole) == NULL) {
        (void)snprintf(name, sizeof(name), "\n%.*s", (int)strcspn(line, " "), line);
        const char *found = strstr(text, name);
        fail_msg("no \"%s\" but \"%.80s\"", line, found != NULL ? found + 1 : "");
    }
}

static void figures_are_kept(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    struct service_fakes fakes;
    struct service_bench_reply replies[3] = {0};
    service_fakes_new(&fakes, "answer", "answer", bench_ok_answer);
    const pvf_candidate candidate = service_fakes_candidate(1, PVF_EXEC_APPROVAL);
    service_bench_precheck(fakes.service, &candidate.code, &replies[0]);
    service_bench_run(fakes.service, replies, 1);
    service_bench_execute(fakes.service, &candidate, &replies[1]);
    service_bench_run(fakes.service, replies, 2);
    service_bench_execute(fakes.service, &candidate, &replies[2]);
    assert_true(pvf_service_cancel(fakes.service, replies[2].id));
    service_bench_run(fakes.service, replies, 3);
    assert_int_equal(pvf_service_heads_up(fakes.service, NULL, NULL), PVF_ERR_INVALID_ARG);
    assert_int_equal(pvf_metrics_text(pvf_service_metrics(fakes.service), &text, &len, NULL), 0);
    static const char *const lines[] = {
        "pvf_up 1",
        "pvf_healthy 1",
        "pvf_requests_total{request=\"precheck\"} 1",
        "pvf_requests_total{request=\"execute\"} 2",
        "pvf_requests_refused_total{reason=\"invalid_argument\"} 1",
        "pvf_requests_cancelled_total 1",
        "pvf_requests_stored_total 2",
        "polkadot_pvf_prepare_concluded 1",
        "polkadot_pvf_execute_finished 1",
        "polkadot_pvf_worker_spawned{flavor=\"prepare\"} 1",
        "pvf_workers{flavor=\"execute\",state=\"idle\"} 1",
        "pvf_preparation_outcomes_total{result=\"ok\"} 1",
        "pvf_execution_verdicts_total{kind=\"approval\",verdict=\"valid\"} 1",
        "pvf_execution_verdicts_total{kind=\"approval\",verdict=\"internal\"} 1",
        "polkadot_parachain_validation_requests_total{validity=\"valid\"} 1",
        "polkadot_pvf_preparation_time_count 1",
        "polkadot_pvf_execution_queued_time_count 1",
        "pvf_artifact_size_bytes_sum 4",
        "pvf_cache_entries 1",
        "pvf_cache_bytes 4",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_figure(text, lines[i]);
    }
    free(text);
    service_bench_reply_done(&replies[1]);
    service_fakes_free(&fakes);
}

/* ---- Many ---- */

#define MANY 200

static void of_many_requests_none_is_lost(void **state)
{
    (void)state;
    static struct service_bench_reply replies[MANY];
    struct service_fakes fakes;
    unsigned valid = 0;
    memset(replies, 0, sizeof(replies));
    service_fakes_make(&fakes, "answer", "answer", bench_ok_answer);
    fakes.config.prepare_workers_soft_max = 2;
    fakes.service = service_bench_new(&fakes.config);
    for (unsigned i = 0; i < MANY; i++) {
        const pvf_candidate candidate = service_fakes_candidate(i % 7, (enum pvf_exec_kind)(i % 4));
        if (i % 5 == 0) {
            service_bench_precheck(fakes.service, &candidate.code, &replies[i]);
        } else {
            service_bench_execute(fakes.service, &candidate, &replies[i]);
        }
        if (i % 11 == 0) {
            assert_int_equal(pvf_service_heads_up(fakes.service, &candidate.code, NULL), 0);
        }
        if (i % 13 == 3) {
            (void)pvf_service_cancel(fakes.service, replies[i - 2].id);
        }
        if (i % 17 == 0) {
            assert_int_equal(pvf_service_process(fakes.service, NULL), 0);
        }
    }
    service_bench_run(fakes.service, replies, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        if (i % 5 != 0) {
            assert_true(replies[i].verdict == PVF_VERDICT_VALID ||
                        replies[i].reason == PVF_REASON_CANCELLED);
            valid += replies[i].verdict == PVF_VERDICT_VALID;
        }
        service_bench_reply_done(&replies[i]);
    }
    assert_true(valid >= MANY / 2);
    /* At most twice: for an execution, then with the trial that a precheck asks for. */
    assert_in_range(service_bench_stats(fakes.service).preparations, 7, 14);
    service_fakes_free(&fakes);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prechecks_of_one_code_share_a_job),
        cmocka_unit_test(refused_code_is_remembered),
        cmocka_unit_test(a_heads_up_prepares_ahead),
        cmocka_unit_test(two_workers_run_in_parallel),
        cmocka_unit_test(cancelled_in_queue_and_at_work),
        cmocka_unit_test(a_cancelled_precheck_leaves_its_artifact),
        cmocka_unit_test(late_requests_expire),
        cmocka_unit_test(an_orderly_end_finishes_what_lives),
        cmocka_unit_test(an_end_at_once_cancels_what_lives),
        cmocka_unit_test(freed_with_everything_under_way),
        cmocka_unit_test(the_descriptor_is_enough),
        cmocka_unit_test(more_than_the_limit_are_refused),
        cmocka_unit_test(copies_are_bounded_and_given_back),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(bad_configurations_are_refused),
        cmocka_unit_test(an_older_and_shorter_configuration_works),
        cmocka_unit_test(a_newer_and_longer_configuration_works_unless_it_asks_for_more),
        cmocka_unit_test(a_request_can_be_followed_in_the_log),
        cmocka_unit_test(a_failed_start_is_about_its_request),
        cmocka_unit_test(callbacks_may_submit_and_cancel),
        cmocka_unit_test(a_turn_ends_whatever_callbacks_do),
        cmocka_unit_test(what_is_borrowed_may_go_after_the_callback),
        cmocka_unit_test(the_next_service_compiles_nothing),
        cmocka_unit_test(a_folder_has_one_service),
        cmocka_unit_test(a_deleted_artifact_is_prepared_again),
        cmocka_unit_test(a_damaged_artifact_of_an_earlier_run_is_prepared_again),
        cmocka_unit_test(leftovers_are_cleared_away),
        cmocka_unit_test(verdicts_that_are_not_valid_leave_evidence),
        cmocka_unit_test(preparations_that_fail_leave_evidence),
        cmocka_unit_test(figures_are_kept),
        cmocka_unit_test(of_many_requests_none_is_lost),
    };
    if (argc != 2) {
        return 2;
    }
    bench_fake = argv[1];
    return cmocka_run_group_tests(tests, service_fakes_set_up, service_fakes_tear_down);
}
