/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The artifact table: every cell of state and event, with the reference's configuration, and where
 * ours is different on purpose, with the reason.
 */
#include "support/core_rig.h"
#include "support/test.h"

#include <string.h>

static struct core_rig rig;

/* Lets a first preparation fail; returns the worker. */
static uint64_t fail_first(const struct pvf__core_code *code, enum pvf__core_failure failure)
{
    const uint64_t request = core_rig_execute(&rig, code, PVF__CORE_APPROVAL);
    uint64_t worker = 0;
    if (rig.commands[0].kind == PVF__CORE_SPAWN) {
        (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    }
    worker = core_rig_take_start(&rig, request);
    core_rig_prepare_failed(&rig, worker, failure);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARE_FAILED);
    core_rig_take_nothing(&rig);
    return worker;
}

static void unknown_precheck_prepares_at_normal(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_precheck_code(1);
    const uint64_t request = core_rig_precheck(&rig, &code);
    assert_int_equal(core_rig_stats(&rig).prepare_normal, 1);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    assert_int_equal(core_rig_take_start(&rig, request), worker);
    const uint64_t generation = core_rig_prepared(&rig, worker);
    const struct pvf__core_command reply =
        core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED);
    assert_true(reply.generation == generation);
    assert_false(reply.stored);
    core_rig_take_nothing(&rig);
}

static void unknown_execute_prepares_at_its_priority_then_runs(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    assert_int_equal(core_rig_stats(&rig).prepare_critical, 1);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    const uint64_t generation = core_rig_prepared(&rig, core_rig_take_start(&rig, request));
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    assert_true(rig.commands[0].generation == generation);
    assert_memory_equal(&rig.commands[0].key, &code.key, sizeof(code.key));
    assert_int_equal(core_rig_take_start(&rig, request), worker);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
}

static void unknown_heads_up_prepares_at_normal(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_precheck_code(1);
    const uint64_t request = core_rig_heads_up(&rig, &code);
    assert_int_equal(core_rig_stats(&rig).prepare_normal, 1);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_prepared(&rig, core_rig_take_start(&rig, request));
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED);
}

/* The reference drops the file on the floor; ours tells the shell that nobody wants it. */
static void unknown_prepare_result_is_not_wanted(void **state)
{
    (void)state;
    const struct pvf__core_prepared ok = {.end = PVF__CORE_PREPARE_OK, .worker_lives = true};
    assert_int_equal(core_rig_prepared_as(&rig, 77, &ok), 0);
    const struct pvf__core_prepared bad = {.end = PVF__CORE_PREPARE_FAILED, .worker_lives = true};
    assert_int_equal(core_rig_prepared_as(&rig, 77, &bad), 0);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).cache_entries, 0);
}

static void unknown_removal_is_ignored(void **state)
{
    (void)state;
    pvf__core_artifact_vanished(rig.core, rig.now, 77);
    core_rig_fetch(&rig);
    core_rig_take_nothing(&rig);
}

static void prepared_precheck_is_answered_from_the_table(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_precheck_code(1);
    const uint64_t generation = core_rig_prepare(&rig, &code);
    core_rig_wait(&rig, PVF__CORE_SECOND);
    const uint64_t request = core_rig_precheck(&rig, &code);
    const struct pvf__core_command reply =
        core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED);
    assert_true(reply.stored);
    assert_true(reply.generation == generation);
    core_rig_take_nothing(&rig);
    struct pvf__core_artifact artifact;
    assert_true(pvf__core_artifact_find(rig.core, &code.key, &artifact));
    assert_int_equal(artifact.unused_ns, 0);
}

static void prepared_execute_runs(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    (void)core_rig_prepare(&rig, &code);
    core_rig_wait(&rig, PVF__CORE_SECOND);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    assert_int_equal(core_rig_take_start(&rig, request), worker);
    struct pvf__core_artifact artifact;
    assert_true(pvf__core_artifact_find(rig.core, &code.key, &artifact));
    assert_int_equal(artifact.unused_ns, 0);
    assert_true(artifact.in_use);
}

static void prepared_execute_without_its_file_prepares_again(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t old = core_rig_prepare(&rig, &code);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    assert_int_equal(core_rig_take_start(&rig, request), worker);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_ARTIFACT_GONE);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == old);
    const uint64_t generation = core_rig_prepared(&rig, core_rig_take_start(&rig, request));
    assert_true(generation != old);
    assert_true(rig.commands[0].generation == generation);
    assert_int_equal(core_rig_take_start(&rig, request), worker);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
}

static void prepared_heads_up_counts_as_needed(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_precheck_code(1);
    (void)core_rig_prepare(&rig, &code);
    core_rig_wait(&rig, PVF__CORE_SECOND);
    const uint64_t request = core_rig_heads_up(&rig, &code);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED);
    core_rig_take_nothing(&rig);
    struct pvf__core_artifact artifact;
    assert_true(pvf__core_artifact_find(rig.core, &code.key, &artifact));
    assert_int_equal(artifact.unused_ns, 0);
}

/* The order and the answer come in one step: the requester's precheck finds nothing old. */
static void prepared_removal_precedes_the_reply(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t generation = core_rig_prepare(&rig, &code);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, request);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_BAD_ARTIFACT);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == generation);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
    (void)core_rig_prepare(&rig, &code);
}

/* Two jobs on one bad artifact: the second report is about a file that is gone already. */
static void preparing_removal_of_an_old_generation_is_ignored(void **state)
{
    (void)state;
    core_rig_end(&rig);
    rig.config.execute_max = 2;
    core_rig_begin(&rig);
    const struct pvf__core_code code = core_rig_code(1);
    (void)core_rig_prepare(&rig, &code);
    const uint64_t first = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t one = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, first);
    const uint64_t second = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t two = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, second);
    core_rig_executed(&rig, one, PVF__CORE_EXECUTE_BAD_ARTIFACT);
    (void)core_rig_take(&rig, PVF__CORE_REMOVE);
    (void)core_rig_take_reply(&rig, first, PVF__CORE_REPLY_EXECUTED);
    const uint64_t precheck = core_rig_precheck(&rig, &code);
    const uint64_t preparer = core_rig_take_start(&rig, precheck);
    core_rig_executed(&rig, two, PVF__CORE_EXECUTE_BAD_ARTIFACT);
    (void)core_rig_take_reply(&rig, second, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
    (void)core_rig_prepared(&rig, preparer);
    (void)core_rig_take_reply(&rig, precheck, PVF__CORE_REPLY_PREPARED);
    core_rig_take_nothing(&rig);
}

/* A late report about the old file must not remove the good new one. */
static void prepared_removal_of_an_old_generation_is_ignored(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t old = core_rig_prepare(&rig, &code);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, request);
    pvf__core_artifact_vanished(rig.core, rig.now, old);
    core_rig_fetch(&rig);
    (void)core_rig_take(&rig, PVF__CORE_REMOVE);
    const uint64_t new = core_rig_prepare(&rig, &code);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_BAD_ARTIFACT);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
    pvf__core_artifact_vanished(rig.core, rig.now, old);
    core_rig_fetch(&rig);
    core_rig_take_nothing(&rig);
    struct pvf__core_artifact artifact;
    assert_true(pvf__core_artifact_find(rig.core, &code.key, &artifact));
    assert_true(artifact.generation == new);
}

/* Executions that wait for a worker when their artifact goes wait for a new one instead. */
static void prepared_removal_sends_the_queue_back(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t old = core_rig_prepare(&rig, &code);
    const uint64_t first = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, first);
    const uint64_t second = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_BAD_ARTIFACT);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == old);
    (void)core_rig_take_reply(&rig, first, PVF__CORE_REPLY_EXECUTED);
    (void)core_rig_prepared(&rig, core_rig_take_start(&rig, second));
    assert_int_equal(core_rig_take_start(&rig, second), worker);
}

static void preparing_requests_join(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_precheck_code(1);
    const struct pvf__core_code compile = core_rig_code(1);
    const uint64_t first = core_rig_precheck(&rig, &code);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, first);
    (void)core_rig_execute(&rig, &compile, PVF__CORE_APPROVAL);
    (void)core_rig_heads_up(&rig, &code);
    (void)core_rig_precheck(&rig, &code);
    (void)core_rig_execute(&rig, &compile, PVF__CORE_BACKING);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).prepare_enqueued, 1);
    assert_int_equal(core_rig_stats(&rig).coalesced, 4);
    (void)core_rig_prepared(&rig, worker);
    /* First those who ask about the code, in order of arrival, then the executions. */
    (void)core_rig_take_reply(&rig, first, PVF__CORE_REPLY_PREPARED);
    (void)core_rig_take_reply(&rig, first + 2, PVF__CORE_REPLY_PREPARED);
    (void)core_rig_take_reply(&rig, first + 3, PVF__CORE_REPLY_PREPARED);
    (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, first + 1);
    assert_int_equal(core_rig_stats(&rig).execute_queued[PVF__CORE_BACKING], 1);
}

static void preparing_failure_is_told_to_all(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t first = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, first);
    (void)core_rig_precheck(&rig, &code);
    (void)core_rig_precheck(&rig, &code);
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_TIMED_OUT);
    for (unsigned i = 1; i <= 3; i++) {
        const struct pvf__core_command reply =
            core_rig_take_reply(&rig, first + i % 3, PVF__CORE_REPLY_PREPARE_FAILED);
        assert_int_equal(reply.failure, PVF__CORE_FAILURE_TIMED_OUT);
        assert_int_equal(reply.error, 40 + PVF__CORE_FAILURE_TIMED_OUT);
        assert_string_equal(reply.text, "it did not work");
        assert_false(reply.deterministic);
        assert_false(reply.stored);
    }
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).failures, 1);
}

static void preparing_cancelled_execution_does_not_run(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, request);
    core_rig_cancel(&rig, request);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_CANCELLED);
    (void)core_rig_prepared(&rig, worker);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).cache_entries, 1);
}

static void failed_precheck_never_retries(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    (void)fail_first(&code, PVF__CORE_FAILURE_TIMED_OUT);
    core_rig_wait(&rig, PVF__CORE_HOUR);
    const uint64_t request = core_rig_precheck(&rig, &code);
    const struct pvf__core_command reply =
        core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARE_FAILED);
    assert_true(reply.stored);
    assert_string_equal(reply.text, "it did not work");
    core_rig_take_nothing(&rig);
}

static void failed_execute_retries_after_the_cooldown(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    (void)fail_first(&code, PVF__CORE_FAILURE_TIMED_OUT);
    core_rig_wait(&rig, 15 * PVF__CORE_MINUTE - 1);
    const uint64_t early = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    (void)core_rig_take_reply(&rig, early, PVF__CORE_REPLY_PREPARE_FAILED);
    core_rig_take_nothing(&rig);
    core_rig_wait(&rig, 1);
    const uint64_t late = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    (void)core_rig_prepared(&rig, core_rig_take_start(&rig, late));
    (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, late);
    assert_int_equal(core_rig_stats(&rig).failures, 0);
}

static void failed_heads_up_retries_after_the_cooldown(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    (void)fail_first(&code, PVF__CORE_FAILURE_LOCAL);
    const uint64_t early = core_rig_heads_up(&rig, &code);
    (void)core_rig_take_reply(&rig, early, PVF__CORE_REPLY_PREPARE_FAILED);
    core_rig_take_nothing(&rig);
    core_rig_wait(&rig, 15 * PVF__CORE_MINUTE);
    const uint64_t late = core_rig_heads_up(&rig, &code);
    (void)core_rig_take_start(&rig, late);
}

static void failed_six_times_is_never_tried_again(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    for (unsigned i = 0; i < 6; i++) {
        (void)fail_first(&code, PVF__CORE_FAILURE_TIMED_OUT);
        core_rig_wait(&rig, 15 * PVF__CORE_MINUTE);
    }
    core_rig_wait(&rig, 100 * PVF__CORE_HOUR);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARE_FAILED);
    core_rig_take_nothing(&rig);
}

static void failed_deterministic_is_never_tried_again(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    (void)fail_first(&code, PVF__CORE_FAILURE_PREVALIDATION);
    core_rig_wait(&rig, 100 * PVF__CORE_HOUR);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const struct pvf__core_command reply =
        core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARE_FAILED);
    assert_true(reply.deterministic);
    core_rig_take_nothing(&rig);
}

/* The reference forgets the failures with the entry; a report about no artifact is no reason to. */
static void failed_removal_is_ignored(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t generation = core_rig_prepare(&rig, &code);
    pvf__core_artifact_vanished(rig.core, rig.now, generation);
    core_rig_fetch(&rig);
    (void)core_rig_take(&rig, PVF__CORE_REMOVE);
    (void)fail_first(&code, PVF__CORE_FAILURE_TIMED_OUT);
    pvf__core_artifact_vanished(rig.core, rig.now, generation);
    core_rig_fetch(&rig);
    assert_int_equal(core_rig_stats(&rig).failures, 1);
    assert_true(pvf__core_failures_forget(rig.core, &code.key));
    assert_false(pvf__core_failures_forget(rig.core, &code.key));
    (void)core_rig_prepare(&rig, &code);
}

static void a_success_forgets_the_count(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    for (unsigned i = 0; i < 4; i++) {
        (void)fail_first(&code, PVF__CORE_FAILURE_TIMED_OUT);
        core_rig_wait(&rig, 15 * PVF__CORE_MINUTE);
    }
    const uint64_t generation = core_rig_prepare(&rig, &code);
    pvf__core_artifact_vanished(rig.core, rig.now, generation);
    core_rig_fetch(&rig);
    (void)core_rig_take(&rig, PVF__CORE_REMOVE);
    for (unsigned i = 0; i < 6; i++) {
        (void)fail_first(&code, PVF__CORE_FAILURE_TIMED_OUT);
        core_rig_wait(&rig, 15 * PVF__CORE_MINUTE);
    }
}

static void loaded_artifacts_serve_and_are_known_once(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    struct pvf__core_artifact artifact = {.key = code.key,
                                          .size = 10,
                                          .unused_ns = 5000 * PVF__CORE_SECOND,
                                          .cpu_ns = PVF__CORE_SECOND,
                                          .made_as = code};
    uint64_t generation = 0;
    assert_int_equal(pvf__core_artifact_loaded(rig.core, rig.now, &artifact, &generation), 0);
    assert_true(generation != 0);
    uint64_t again = 1;
    assert_int_equal(pvf__core_artifact_loaded(rig.core, rig.now, &artifact, &again), 0);
    assert_int_equal(again, 0);
    /* Older than the clock itself. */
    assert_true(pvf__core_artifact_find(rig.core, &code.key, &artifact));
    assert_true(artifact.unused_ns == 5000 * PVF__CORE_SECOND);
    const uint64_t request = core_rig_precheck(&rig, &code);
    const struct pvf__core_command reply =
        core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED);
    assert_true(reply.generation == generation);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_prestate_setup_teardown(name, core_rig_set_up, core_rig_tear_down, &rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unknown_precheck_prepares_at_normal),
        TEST(unknown_execute_prepares_at_its_priority_then_runs),
        TEST(unknown_heads_up_prepares_at_normal),
        TEST(unknown_prepare_result_is_not_wanted),
        TEST(unknown_removal_is_ignored),
        TEST(prepared_precheck_is_answered_from_the_table),
        TEST(prepared_execute_runs),
        TEST(prepared_execute_without_its_file_prepares_again),
        TEST(prepared_heads_up_counts_as_needed),
        TEST(prepared_removal_precedes_the_reply),
        TEST(preparing_removal_of_an_old_generation_is_ignored),
        TEST(prepared_removal_of_an_old_generation_is_ignored),
        TEST(prepared_removal_sends_the_queue_back),
        TEST(preparing_requests_join),
        TEST(preparing_failure_is_told_to_all),
        TEST(preparing_cancelled_execution_does_not_run),
        TEST(failed_precheck_never_retries),
        TEST(failed_execute_retries_after_the_cooldown),
        TEST(failed_heads_up_retries_after_the_cooldown),
        TEST(failed_six_times_is_never_tried_again),
        TEST(failed_deterministic_is_never_tried_again),
        TEST(failed_removal_is_ignored),
        TEST(a_success_forgets_the_count),
        TEST(loaded_artifacts_serve_and_are_known_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
