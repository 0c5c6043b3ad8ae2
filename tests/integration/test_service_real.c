/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event-driven host with real workers, end to end.  The programs are the first two arguments
 * (and the third is the fake worker), or
 * PVF_TEST_PREPARE_WORKER and PVF_TEST_EXECUTE_WORKER; without them the test is skipped.
 */
#include "support/test.h"

#include "base/fd.h"
#include "host/folder.h"
#include "proto/prepare_msg.h"
#include "proto/validation.h"
#include "support/host_bench.h"
#include "support/service_bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDER PVF_TEST_DATA "/adder/"
#define SHELL PVF_TEST_DATA "/shell-2021/"

static const char *prepare_worker;
static const char *execute_worker;
static bool ours;

/* A candidate of tests/data, and what belongs to it. */
struct sample {
    struct pvf__buf code;
    struct pvf__buf pvd;
    struct pvf__buf pov;
    struct pvf__buf want;
    pvf_candidate candidate;
};

static struct sample adder;
static struct sample shell;

static void read_sample(const char *folder, const char *code, struct sample *ret)
{
    char path[PATH_MAX];
    struct pvf__persisted_validation_data data;
    pvf_error err = PVF_ERROR_INIT;
    (void)snprintf(path, sizeof(path), "%s%s", folder, code);
    ret->code = service_bench_read(path);
    (void)snprintf(path, sizeof(path), "%spvd.scale", folder);
    ret->pvd = service_bench_read(path);
    (void)snprintf(path, sizeof(path), "%sblock_data.bin", folder);
    ret->pov = service_bench_read(path);
    (void)snprintf(path, sizeof(path), "%sexpected_result.scale", folder);
    ret->want = service_bench_read(path);
    if (pvf__persisted_validation_data_decode(ret->pvd.data, ret->pvd.len, &data, &err) != 0) {
        fail_msg("%s", err.text);
    }
    ret->candidate = (pvf_candidate){
        .code = {.code = {ret->code.data, ret->code.len}},
        .kind = PVF_EXEC_APPROVAL,
        .execution = {.parent_head = {data.parent_head.data, data.parent_head.len},
                      .relay_parent_number = data.relay_parent_number,
                      .max_pov_size = data.max_pov_size,
                      .pov = {ret->pov.data, ret->pov.len},
                      .descriptor_version = PVF_DESCRIPTOR_V2},
    };
    memcpy(ret->candidate.execution.relay_parent_storage_root, data.relay_parent_storage_root, 32);
}

static void release_sample(struct sample *sample)
{
    pvf__buf_done(&sample->code);
    pvf__buf_done(&sample->pvd);
    pvf__buf_done(&sample->pov);
    pvf__buf_done(&sample->want);
}

static int set_up(void **state)
{
    read_sample(ADDER, "code.wasm", &adder);
    read_sample(SHELL, "code.blob", &shell);
    return bench_set_up(state) != 0 ? -1 : service_bench_set_up(state);
}

static int tear_down(void **state)
{
    release_sample(&adder);
    release_sample(&shell);
    (void)bench_tear_down(state);
    return service_bench_tear_down(state);
}

/* Over what is in the cache. */
static pvf_service *next_service(void)
{
    const pvf_service_config config = service_bench_config(prepare_worker, execute_worker);
    return service_bench_new(&config);
}

static pvf_service *new_service(void)
{
    pvf__folder_remove(service_bench_cache);
    return next_service();
}

static void assert_valid(const struct service_bench_reply *reply, const struct sample *sample)
{
    service_bench_assert_verdict(reply, PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    assert_int_equal(reply->result_len, sample->want.len);
    assert_memory_equal(reply->result, sample->want.data, sample->want.len);
}

/* ---- The main job ---- */

static void precheck_then_execute(void **state)
{
    (void)state;
    struct service_bench_reply replies[4] = {0};
    pvf_service *service = new_service();
    service_bench_precheck(service, &adder.candidate.code, &replies[0]);
    service_bench_run(service, replies, 1);
    if (replies[0].status != 0 || !replies[0].ok) {
        fail_msg("%s", replies[0].text);
    }
    service_bench_execute(service, &adder.candidate, &replies[1]);
    service_bench_run(service, replies, 2);
    assert_valid(&replies[1], &adder);
    assert_false(replies[1].prepared);
    /* Without its block the candidate is refused. */
    pvf_candidate refused = adder.candidate;
    refused.execution.pov.len = 0;
    service_bench_execute(service, &refused, &replies[2]);
    service_bench_execute(service, &shell.candidate, &replies[3]);
    service_bench_run(service, replies, 4);
    service_bench_assert_verdict(&replies[2], PVF_VERDICT_INVALID, PVF_REASON_REPORTED_INVALID, "");
    assert_valid(&replies[3], &shell);
    assert_true(replies[3].prepared);
    pvf_service_stats stats = service_bench_stats(service);
    assert_int_equal(stats.preparations, 2);
    assert_int_equal(stats.executions, 3);
    assert_int_equal(stats.cache_entries, 2);
    assert_true(stats.healthy);
    for (int i = 0; i < 4; i++) {
        service_bench_reply_done(&replies[i]);
    }
    service_bench_free(service);
}

/* ---- Endless code ---- */

/* validate_block is a loop without an end. */
static const uint8_t endless_code[] = {
    /* clang-format off */
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7e,
    0x03, 0x02, 0x01, 0x00,
    0x05, 0x03, 0x01, 0x00, 0x01,
    0x06, 0x07, 0x01, 0x7f, 0x00, 0x41, 0x80, 0x10, 0x0b,
    0x07, 0x29, 0x03,
    0x06, 'm', 'e', 'm', 'o', 'r', 'y', 0x02, 0x00,
    0x0b, '_', '_', 'h', 'e', 'a', 'p', '_', 'b', 'a', 's', 'e', 0x03, 0x00,
    0x0e, 'v', 'a', 'l', 'i', 'd', 'a', 't', 'e', '_', 'b', 'l', 'o', 'c', 'k', 0x00, 0x00,
    0x0a, 0x0a, 0x01, 0x08, 0x00, 0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00, 0x0b,
    /* clang-format on */
};

static pvf_candidate endless(uint64_t timeout_ms)
{
    return (pvf_candidate){
        .code = {.code = {endless_code, sizeof(endless_code)}},
        .kind = PVF_EXEC_APPROVAL,
        .execution = {.timeout_ms = timeout_ms, .descriptor_version = PVF_DESCRIPTOR_V2},
    };
}

/* The CPU limit decides, however busy this machine is. */
static pvf_service *new_patient(uint32_t execute_workers)
{
    pvf__folder_remove(service_bench_cache);
    pvf_service_config config = service_bench_config(prepare_worker, execute_worker);
    config.execute_workers_max = execute_workers;
    config.wall_factor = 100;
    return service_bench_new(&config);
}

static void jobs_terminate_on_timeout(void **state)
{
    (void)state;
    struct service_bench_reply replies[2] = {0};
    pvf_service *service = new_patient(1);
    const pvf_candidate candidate = endless(200);
    pvf_code slow = shell.candidate.code;
    /* Code that no execution has wanted, so that nothing is stored; it takes longer than this. */
    slow.executor_params = (pvf_bytes){(const uint8_t *)"\x04\x02\x00\x90\x00\x00", 6};
    slow.timeout_ms = 1;
    service_bench_precheck(service, &slow, &replies[0]);
    service_bench_execute(service, &candidate, &replies[1]);
    service_bench_run(service, replies, 2);
    assert_true(replies[0].status == 0 && !replies[0].ok);
    assert_int_equal(replies[0].error, PVF__PREPARE_TIMED_OUT);
    assert_false(replies[0].deterministic);
    service_bench_assert_verdict(
        &replies[1], PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, "CPU limit");
    service_bench_free(service);
}

static bool two_busy(pvf_service *service, void *context)
{
    (void)context;
    return service_bench_stats(service).execute_busy == 2;
}

static void two_endless_jobs_run_in_parallel(void **state)
{
    (void)state;
    struct service_bench_reply replies[2] = {0};
    pvf_service *service = new_patient(2);
    const pvf_candidate candidate = endless(300);
    service_bench_execute(service, &candidate, &replies[0]);
    service_bench_execute(service, &candidate, &replies[1]);
    service_bench_run_until(service, two_busy, NULL);
    service_bench_run(service, replies, 2);
    for (int i = 0; i < 2; i++) {
        service_bench_assert_verdict(&replies[i], PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, "");
    }
    service_bench_free(service);
}

/* Each of these jobs costs its worker. */
static void the_queue_does_not_stall_when_workers_die(void **state)
{
    (void)state;
    struct service_bench_reply replies[9] = {0};
    pvf_service *service = new_patient(5);
    const pvf_candidate candidate = endless(60);
    for (int i = 0; i < 9; i++) {
        service_bench_execute(service, &candidate, &replies[i]);
    }
    service_bench_run(service, replies, 9);
    for (int i = 0; i < 9; i++) {
        service_bench_assert_verdict(&replies[i], PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, "");
    }
    assert_int_equal(service_bench_stats(service).preparations, 1);
    service_bench_free(service);
}

static void executor_params_vary(void **state)
{
    (void)state;
    struct service_bench_reply replies[6] = {0};
    pvf_service *service = new_patient(2);
    for (int i = 0; i < 6; i++) {
        pvf_candidate candidate = endless(60);
        if (i % 2 == 1) {
            candidate.code.executor_params =
                (pvf_bytes){(const uint8_t *)"\x04\x02\x00\x80\x00\x00", 6};
        }
        service_bench_execute(service, &candidate, &replies[i]);
    }
    service_bench_run(service, replies, 6);
    for (int i = 0; i < 6; i++) {
        service_bench_assert_verdict(&replies[i], PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, "");
    }
    assert_int_equal(service_bench_stats(service).preparations, 2);
    service_bench_free(service);
}

/* ---- Signals ---- */

static bool was_sent(pvf_service *service, void *context)
{
    return service_bench_stats(service).executions > *(const uint64_t *)context;
}

static void signals_to_worker_and_job(void **state)
{
    (void)state;
    static const struct {
        bool to_job;
        int signal;
        enum pvf_verdict verdict;
        enum pvf_reason reason;
        const char *said;
    } cases[] = {
        {true,
         SIGKILL,
         PVF_VERDICT_POSSIBLY_INVALID,
         PVF_REASON_JOB_DEATH,
         "received signal: SIGKILL"},
        {false, SIGKILL, PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_WORKER_DEATH, "signal KILL"},
        {true, SIGSTOP, PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_STALLED, "not used up"},
        /* Its job runs on meanwhile, and uses its limit up. */
        {false, SIGSTOP, PVF_VERDICT_INVALID, PVF_REASON_HARD_TIMEOUT, "four times"},
    };
    pvf__folder_remove(service_bench_cache);
    pvf_service_config config = service_bench_config(prepare_worker, execute_worker);
    /* So that it is the one that is hit. */
    config.execute_workers_max = 1;
    pvf_service *service = service_bench_new(&config);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct service_bench_reply replies[2] = {0};
        /* Stopped jobs are waited for four times as long; others end before. */
        const pvf_candidate candidate = endless(cases[i].signal == SIGSTOP ? 1000 : 20000);
        uint64_t before = service_bench_stats(service).executions;
        service_bench_execute(service, &candidate, &replies[0]);
        service_bench_run_until(service, was_sent, &before);
        pid_t worker = service_bench_worker("execute", 0);
        pid_t job = service_bench_job(service, worker);
        assert_int_equal(kill(cases[i].to_job ? job : worker, cases[i].signal), 0);
        service_bench_run(service, replies, 1);
        if (cases[i].reason != PVF_REASON_HARD_TIMEOUT || replies[0].reason != PVF_REASON_STALLED) {
            /* On a very busy machine the job cannot use its limit up. */
            service_bench_assert_verdict(
                &replies[0], cases[i].verdict, cases[i].reason, cases[i].said);
        }
        /* And everything works again. */
        service_bench_execute(service, &adder.candidate, &replies[1]);
        service_bench_run(service, replies, 2);
        assert_valid(&replies[1], &adder);
        service_bench_reply_done(&replies[1]);
    }
    assert_true(service_bench_stats(service).healthy);
    service_bench_free(service);
}

/* A preparation that dies once is begun again, and nobody hears of it. */
static bool is_preparing(pvf_service *service, void *context)
{
    (void)context;
    return service_bench_stats(service).preparations == 1;
}

static void put_leb(struct pvf__buf *out, size_t value)
{
    do {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        pvf__buf_u8(out, value > 0 ? byte | 0x80 : byte);
    } while (value > 0);
}

static void put_section(struct pvf__buf *out, uint8_t id, const struct pvf__buf *payload)
{
    pvf__buf_u8(out, id);
    put_leb(out, payload->len);
    pvf__buf_append(out, payload->data, payload->len);
}

/* Code that takes seconds to compile: a thousand functions of a thousand operations. */
static struct pvf__buf slow_code(void)
{
    static const size_t functions = 1000;
    static const size_t rounds = 400;
    static const uint8_t round[] = {0x41, 0x05, 0x6c, 0x20, 0x00, 0x6a};
    struct pvf__buf out = PVF__BUF_INIT((size_t)16 << 20);
    struct pvf__buf part = PVF__BUF_INIT((size_t)16 << 20);
    pvf__buf_append(&out, endless_code, 8);
    pvf__buf_append(&out, "\x01\x0c\x02\x60\x02\x7f\x7f\x01\x7e\x60\x01\x7f\x01\x7f", 14);
    put_leb(&part, functions + 1);
    pvf__buf_u8(&part, 0);
    for (size_t i = 0; i < functions; i++) {
        pvf__buf_u8(&part, 1);
    }
    put_section(&out, 3, &part);
    /* Memory, global and exports are those of the endless code. */
    pvf__buf_append(&out, endless_code + 21, sizeof(endless_code) - 21 - 12);
    part.len = 0;
    put_leb(&part, functions + 1);
    pvf__buf_append(&part, "\x04\x00\x42\x00\x0b", 5);
    for (size_t i = 0; i < functions; i++) {
        put_leb(&part, 3 + rounds * sizeof(round) + 1);
        pvf__buf_append(&part, "\x00\x20\x00", 3);
        for (size_t k = 0; k < rounds; k++) {
            pvf__buf_append(&part, round, sizeof(round));
        }
        pvf__buf_u8(&part, 0x0b);
    }
    put_section(&out, 10, &part);
    assert_int_equal(out.failed | part.failed, 0);
    pvf__buf_done(&part);
    return out;
}

static void a_killed_preparation_is_begun_again(void **state)
{
    (void)state;
    for (int at_worker = 0; at_worker < 2; at_worker++) {
        struct service_bench_reply reply = {0};
        struct pvf__buf bytes = slow_code();
        const pvf_code code = {.code = {bytes.data, bytes.len}};
        pvf_service *service = new_service();
        service_bench_precheck(service, &code, &reply);
        pvf__buf_done(&bytes);
        service_bench_run_until(service, is_preparing, NULL);
        pid_t worker = service_bench_worker("prepare", 0);
        pid_t job = service_bench_job(service, worker);
        assert_int_equal(kill(at_worker ? worker : job, SIGKILL), 0);
        service_bench_run(service, &reply, 1);
        if (!reply.ok) {
            fail_msg("%s", reply.text);
        }
        assert_int_equal(service_bench_stats(service).preparations, 2);
        service_bench_free(service);
    }
}

/* ---- Artifacts ---- */

/* With the right checksum, and of no use: a preparer of four bytes, and a real executor. */
static void a_wrong_artifact_with_its_checksum(void **state)
{
    (void)state;
    char preparer[PATH_MAX];
    struct service_bench_reply replies[2] = {0};
    if (bench_fake == NULL) {
        skip();
    }
    pvf__folder_remove(service_bench_cache);
    bench_make_preparer("answer", preparer);
    const pvf_service_config config = service_bench_config(preparer, execute_worker);
    pvf_service *service = service_bench_new(&config);
    service_bench_execute(service, &adder.candidate, &replies[0]);
    service_bench_run(service, replies, 1);
    service_bench_assert_verdict(
        &replies[0], PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_RUNTIME_CONSTRUCTION, "");
    assert_true(replies[0].bad_artifact);
    /* It is gone, and made again by who asks next. */
    assert_int_equal(service_bench_stats(service).cache_entries, 0);
    service_bench_precheck(service, &adder.candidate.code, &replies[1]);
    service_bench_run(service, replies, 2);
    assert_true(replies[1].ok && !replies[1].stored);
    service_bench_free(service);
}

static void a_deleted_artifact_is_prepared_again(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct service_bench_reply replies[2] = {0};
    pvf_service *service = new_service();
    service_bench_execute(service, &adder.candidate, &replies[0]);
    service_bench_run(service, replies, 1);
    service_bench_artifact_path(path);
    assert_int_equal(unlink(path), 0);
    service_bench_execute(service, &adder.candidate, &replies[1]);
    service_bench_run(service, replies, 2);
    for (int i = 0; i < 2; i++) {
        assert_valid(&replies[i], &adder);
        assert_true(replies[i].prepared);
        service_bench_reply_done(&replies[i]);
    }
    service_bench_free(service);
}

static void an_artifact_corrupted_on_disk_is_replaced(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct service_bench_reply replies[4] = {0};
    pvf_service *service = new_service();
    service_bench_execute(service, &adder.candidate, &replies[0]);
    service_bench_run(service, replies, 1);
    service_bench_artifact_path(path);
    assert_int_equal(pvf__fd_write_file(path, 0600, "corrupt", 7, NULL), 0);
    service_bench_execute(service, &adder.candidate, &replies[1]);
    service_bench_run(service, replies, 2);
    service_bench_assert_verdict(
        &replies[1], PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_CORRUPTED_ARTIFACT, "");
    assert_int_equal(service_bench_stats(service).cache_entries, 0);
    assert_int_equal(access(path, F_OK), -1);
    service_bench_precheck(service, &adder.candidate.code, &replies[2]);
    service_bench_run(service, replies, 3);
    assert_true(replies[2].ok && !replies[2].stored);
    service_bench_execute(service, &adder.candidate, &replies[3]);
    service_bench_run(service, replies, 4);
    assert_valid(&replies[3], &adder);
    service_bench_reply_done(&replies[0]);
    service_bench_reply_done(&replies[3]);
    service_bench_free(service);
}

/* With `retry` the caller does not even see it. */
static void a_corrupted_artifact_is_retried(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct service_bench_reply replies[2] = {0};
    pvf_service *service = new_service();
    service_bench_execute(service, &adder.candidate, &replies[0]);
    service_bench_run(service, replies, 1);
    service_bench_artifact_path(path);
    assert_int_equal(pvf__fd_write_file(path, 0600, "corrupt", 7, NULL), 0);
    pvf_candidate candidate = adder.candidate;
    candidate.retry = true;
    service_bench_execute(service, &candidate, &replies[1]);
    service_bench_run(service, replies, 2);
    for (int i = 0; i < 2; i++) {
        assert_valid(&replies[i], &adder);
        service_bench_reply_done(&replies[i]);
    }
    service_bench_free(service);
}

static void the_cache_outlives_the_service(void **state)
{
    (void)state;
    struct service_bench_reply replies[4] = {0};
    pvf_service *service = new_service();
    service_bench_precheck(service, &adder.candidate.code, &replies[0]);
    service_bench_execute(service, &shell.candidate, &replies[1]);
    service_bench_run(service, replies, 2);
    service_bench_reply_done(&replies[1]);
    service_bench_free(service);
    service = next_service();
    service_bench_precheck(service, &adder.candidate.code, &replies[0]);
    service_bench_execute(service, &shell.candidate, &replies[1]);
    service_bench_execute(service, &adder.candidate, &replies[2]);
    service_bench_run(service, replies, 3);
    assert_true(replies[0].ok && replies[0].stored);
    assert_valid(&replies[1], &shell);
    assert_valid(&replies[2], &adder);
    assert_int_equal(service_bench_stats(service).preparations, 0);
    service_bench_reply_done(&replies[1]);
    service_bench_reply_done(&replies[2]);
    service_bench_free(service);
}

/* ---- Limits and parameters ---- */

/* PrecheckingMaxMemory. */
/* Meanwhile, on the first tier, or afterwards: the same results. */
static void new_code_runs_before_it_is_optimised(void **state)
{
    (void)state;
    struct service_bench_reply replies[4] = {0};
    pvf_service_config config = service_bench_config(prepare_worker, execute_worker);
    if (!ours) {
        skip();
    }
    pvf__folder_remove(service_bench_cache);
    config.first_tier = 1;
    pvf_service *service = service_bench_new(&config);
    pvf_candidate refused = shell.candidate;
    refused.execution.pov.len--;
    service_bench_execute(service, &shell.candidate, &replies[0]);
    service_bench_execute(service, &refused, &replies[1]);
    service_bench_precheck(service, &shell.candidate.code, &replies[2]);
    service_bench_run(service, replies, 3);
    assert_valid(&replies[0], &shell);
    assert_int_equal(replies[0].attempts, 1);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_INVALID, PVF_REASON_REPORTED_INVALID, "");
    assert_false(replies[1].first_tier);
    assert_int_equal(replies[1].attempts, 1);
    assert_true(replies[2].ok);
    service_bench_execute(service, &shell.candidate, &replies[3]);
    service_bench_run(service, replies, 4);
    assert_valid(&replies[3], &shell);
    assert_false(replies[3].first_tier);
    for (int i = 0; i < 4; i++) {
        service_bench_reply_done(&replies[i]);
    }
    service_bench_free(service);
}

static void the_memory_limit_counts(void **state)
{
    (void)state;
    struct service_bench_reply replies[2] = {0};
    pvf_code code = adder.candidate.code;
    if (!ours) {
        skip();
    }
    pvf_service *service = new_service();
    code.executor_params =
        (pvf_bytes){(const uint8_t *)"\x04\x04\x00\x00\x08\x00\x00\x00\x00\x00", 10};
    service_bench_precheck(service, &code, &replies[0]);
    service_bench_run(service, replies, 1);
    assert_true(replies[0].status == 0 && !replies[0].ok);
    assert_int_equal(replies[0].error, PVF__PREPARE_OUT_OF_MEMORY);
    /* A larger limit is another question. */
    code.executor_params =
        (pvf_bytes){(const uint8_t *)"\x04\x04\x00\x00\x00\x08\x00\x00\x00\x00", 10};
    service_bench_precheck(service, &code, &replies[1]);
    service_bench_run(service, replies, 2);
    if (!replies[1].ok) {
        fail_msg("%s", replies[1].text);
    }
    service_bench_free(service);
}

static void only_some_params_change_the_artifact(void **state)
{
    (void)state;
    struct service_bench_reply replies[3] = {0};
    pvf_service *service = new_service();
    pvf_candidate candidate = adder.candidate;
    service_bench_execute(service, &candidate, &replies[0]);
    service_bench_run(service, replies, 1);
    /* PvfExecTimeout(Approval). */
    candidate.code.executor_params =
        (pvf_bytes){(const uint8_t *)"\x04\x06\x01\x10\x27\x00\x00\x00\x00\x00\x00", 11};
    service_bench_execute(service, &candidate, &replies[1]);
    service_bench_run(service, replies, 2);
    assert_int_equal(service_bench_stats(service).preparations, 1);
    /* StackLogicalMax. */
    candidate.code.executor_params = (pvf_bytes){(const uint8_t *)"\x04\x02\x00\x80\x00\x00", 6};
    service_bench_execute(service, &candidate, &replies[2]);
    service_bench_run(service, replies, 3);
    assert_int_equal(service_bench_stats(service).preparations, 2);
    for (int i = 0; i < 3; i++) {
        assert_valid(&replies[i], &adder);
        service_bench_reply_done(&replies[i]);
    }
    service_bench_free(service);
}

static void oversized_code_and_pov(void **state)
{
    (void)state;
    struct service_bench_reply replies[3] = {0};
    pvf_service *service = new_service();
    pvf_candidate candidate = shell.candidate;
    candidate.code.bomb_limit = 1000;
    candidate.code.executor_params = (pvf_bytes){(const uint8_t *)"\x04\x02\x00\x91\x00\x00", 6};
    service_bench_precheck(service, &candidate.code, &replies[0]);
    service_bench_execute(service, &candidate, &replies[1]);
    candidate = adder.candidate;
    candidate.execution.pov = (pvf_bytes){(const uint8_t *)"\x52\xbc\x53\x76\x46\xdb\x8e\x05", 8};
    service_bench_execute(service, &candidate, &replies[2]);
    service_bench_run(service, replies, 3);
    assert_true(!replies[0].ok && replies[0].deterministic);
    assert_int_equal(replies[0].error, PVF__PREPARE_COULD_NOT_DECOMPRESS);
    service_bench_assert_verdict(&replies[1], PVF_VERDICT_INTERNAL, PVF_REASON_PREPARE, "never");
    service_bench_assert_verdict(
        &replies[2], PVF_VERDICT_INVALID, PVF_REASON_POV_DECOMPRESSION, "");
    service_bench_free(service);
}

static void a_missing_cache_folder_is_made(void **state)
{
    (void)state;
    struct service_bench_reply reply = {0};
    pvf_security_status security;
    pvf__folder_remove(service_bench_cache);
    pvf_service_config config = service_bench_config(prepare_worker, execute_worker);
    config.host.security_mode = PVF_SECURITY_DETECT;
    pvf_service *service = service_bench_new(&config);
    pvf_service_security(service, &security);
    service_bench_execute(service, &adder.candidate, &reply);
    service_bench_run(service, &reply, 1);
    assert_valid(&reply, &adder);
    service_bench_reply_done(&reply);
    service_bench_free(service);
}

#define MANY 100

static void a_hundred_executions_one_after_another(void **state)
{
    (void)state;
    pvf_service *service = new_service();
    for (int i = 0; i < MANY; i++) {
        struct service_bench_reply reply = {0};
        service_bench_execute(service, &adder.candidate, &reply);
        service_bench_run(service, &reply, 1);
        assert_valid(&reply, &adder);
        service_bench_reply_done(&reply);
    }
    service_bench_free(service);
}

static void a_hundred_executions_at_once(void **state)
{
    (void)state;
    static struct service_bench_reply replies[MANY];
    memset(replies, 0, sizeof(replies));
    pvf_service *service = new_service();
    for (int i = 0; i < MANY; i++) {
        service_bench_execute(service, &adder.candidate, &replies[i]);
    }
    service_bench_run(service, replies, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_valid(&replies[i], &adder);
        service_bench_reply_done(&replies[i]);
    }
    service_bench_free(service);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precheck_then_execute),
        cmocka_unit_test(jobs_terminate_on_timeout),
        cmocka_unit_test(two_endless_jobs_run_in_parallel),
        cmocka_unit_test(the_queue_does_not_stall_when_workers_die),
        cmocka_unit_test(executor_params_vary),
        cmocka_unit_test(signals_to_worker_and_job),
        cmocka_unit_test(a_killed_preparation_is_begun_again),
        cmocka_unit_test(a_wrong_artifact_with_its_checksum),
        cmocka_unit_test(a_deleted_artifact_is_prepared_again),
        cmocka_unit_test(an_artifact_corrupted_on_disk_is_replaced),
        cmocka_unit_test(a_corrupted_artifact_is_retried),
        cmocka_unit_test(the_cache_outlives_the_service),
        cmocka_unit_test(new_code_runs_before_it_is_optimised),
        cmocka_unit_test(the_memory_limit_counts),
        cmocka_unit_test(only_some_params_change_the_artifact),
        cmocka_unit_test(oversized_code_and_pov),
        cmocka_unit_test(a_missing_cache_folder_is_made),
        cmocka_unit_test(a_hundred_executions_one_after_another),
        cmocka_unit_test(a_hundred_executions_at_once),
    };
    ours = argc > 3;
    bench_fake = ours ? argv[3] : NULL;
    prepare_worker = ours ? argv[1] : getenv("PVF_TEST_PREPARE_WORKER");
    execute_worker = ours ? argv[2] : getenv("PVF_TEST_EXECUTE_WORKER");
    if (prepare_worker == NULL || execute_worker == NULL || access(prepare_worker, X_OK) != 0 ||
        access(execute_worker, X_OK) != 0) {
        (void)printf("skipped: no workers\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
