/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first tier: what it serves, what never rests on it, and how it goes.  Two execute workers and
 * one that prepares.
 */
#include "support/core_rig.h"
#include "support/test.h"

static struct core_rig rig;
static struct pvf__core_code code;
static uint64_t maker; /* the prepare worker */

static int setup(void **state)
{
    (void)state;
    core_rig_config(&rig);
    rig.config.execute_max = 2;
    rig.config.job_error_attempts = 2;
    core_rig_begin(&rig);
    code = core_rig_code(1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core_rig_end(&rig);
    return 0;
}

static uint64_t tell_first_tier(void)
{
    const uint64_t generation = pvf__core_prepare_first_tier(rig.core, rig.now, maker);
    core_rig_fetch(&rig);
    return generation;
}

/* An execution whose preparation has begun. */
static uint64_t begin(enum pvf__core_class cls)
{
    const uint64_t request = core_rig_execute(&rig, &code, cls);
    maker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    assert_int_equal(core_rig_take_start(&rig, request), maker);
    core_rig_take_nothing(&rig);
    return request;
}

/* The execution that starts next, which must be of this request on this generation. */
static uint64_t take_run(uint64_t request, uint64_t generation)
{
    if (rig.count > 0 && rig.commands[0].kind == PVF__CORE_SPAWN) {
        (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    }
    const struct pvf__core_command command = core_rig_take(&rig, PVF__CORE_START_EXECUTE);
    assert_int_equal(command.request, request);
    assert_int_equal(command.generation, generation);
    return command.worker;
}

static void end(uint64_t worker, bool valid)
{
    const struct pvf__core_executed executed = {.end = PVF__CORE_EXECUTE_DONE,
                                                .worker_lives = true,
                                                .valid = valid,
                                                .cpu_ns = PVF__CORE_SECOND};
    core_rig_executed_as(&rig, worker, &executed);
}

static void take_remove(uint64_t generation)
{
    assert_int_equal(core_rig_take(&rig, PVF__CORE_REMOVE).generation, generation);
}

static void a_valid_result_is_told_before_the_optimised_one_is_there(void **state)
{
    (void)state;
    const uint64_t request = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    assert_true(first != 0);
    end(take_run(request, first), true);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
    /* Who comes later runs on it, too; it is no artifact of the cache. */
    struct pvf__core_artifact artifact;
    assert_false(pvf__core_artifact_find(rig.core, &code.key, &artifact));
    const uint64_t second = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    const uint64_t worker = take_run(second, first);
    /* The optimised one takes its place while it is in use. */
    const uint64_t optimised = core_rig_prepared(&rig, maker);
    take_remove(first);
    end(worker, true);
    (void)core_rig_take_reply(&rig, second, PVF__CORE_REPLY_EXECUTED);
    const uint64_t third = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    end(take_run(third, optimised), false);
    (void)core_rig_take_reply(&rig, third, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
    const struct pvf__core_stats stats = core_rig_stats(&rig);
    assert_int_equal(stats.first_tiers, 1);
    assert_int_equal(stats.first_tier_served, 2);
    assert_int_equal(stats.first_tier_repeated, 0);
    assert_int_equal(stats.removed, 0);
    assert_int_equal(stats.prepare_enqueued, 1);
    assert_int_equal(stats.execute_finished, 3);
}

/* Invalid, timed out, dead: all the same. */
static void what_is_not_valid_waits_for_the_optimised_one(void **state)
{
    (void)state;
    const uint64_t invalid = begin(PVF__CORE_APPROVAL);
    const uint64_t dies = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t first = tell_first_tier();
    const struct pvf__core_command spawns[2] = {core_rig_take(&rig, PVF__CORE_SPAWN),
                                                core_rig_take(&rig, PVF__CORE_SPAWN)};
    core_rig_spawned(&rig, spawns[0].worker);
    core_rig_spawned(&rig, spawns[1].worker);
    const uint64_t one = take_run(invalid, first);
    const uint64_t two = take_run(dies, first);
    end(one, false);
    core_rig_take_nothing(&rig);
    core_rig_dead(&rig, two);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).first_tier_repeated, 2);
    assert_int_equal(core_rig_stats(&rig).prepare_waiters, 2);
    const uint64_t optimised = core_rig_prepared(&rig, maker);
    take_remove(first);
    const uint64_t lives = take_run(invalid, optimised);
    (void)core_rig_take(&rig, PVF__CORE_SPAWN);
    end(lives, false);
    (void)core_rig_take_reply(&rig, invalid, PVF__CORE_REPLY_EXECUTED);
    end(take_run(dies, optimised), true);
    (void)core_rig_take_reply(&rig, dies, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).first_tier_served, 0);
    assert_int_equal(core_rig_stats(&rig).execute_requeued, 0);
}

static void what_is_not_valid_when_the_optimised_one_is_there_runs_on_that(void **state)
{
    (void)state;
    const uint64_t request = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    const uint64_t worker = take_run(request, first);
    const uint64_t optimised = core_rig_prepared(&rig, maker);
    take_remove(first);
    end(worker, false);
    end(take_run(request, optimised), false);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
}

static void a_queued_one_runs_on_what_is_there_when_it_starts(void **state)
{
    (void)state;
    const uint64_t request = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    const uint64_t optimised = core_rig_prepared(&rig, maker);
    take_remove(first);
    core_rig_spawned(&rig, spawn.worker);
    end(take_run(request, optimised), true);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
    assert_int_equal(core_rig_stats(&rig).first_tier_served, 0);
}

static void it_answers_no_precheck(void **state)
{
    (void)state;
    const uint64_t request = begin(PVF__CORE_BACKING);
    const uint64_t lenient = core_rig_precheck(&rig, &code);
    const uint64_t first = tell_first_tier();
    (void)take_run(request, first);
    core_rig_take_nothing(&rig);
    const struct pvf__core_code strict = core_rig_precheck_code(1);
    const uint64_t late = core_rig_precheck(&rig, &strict);
    core_rig_take_nothing(&rig);
    (void)core_rig_prepared(&rig, maker);
    take_remove(first);
    (void)core_rig_take_reply(&rig, lenient, PVF__CORE_REPLY_PREPARED);
    /* This one wants a trial, too: a job of its own, which makes no first tier. */
    assert_int_equal(core_rig_take_start(&rig, late), maker);
    assert_int_equal(tell_first_tier(), 0);
    (void)core_rig_prepared(&rig, maker);
    core_rig_skip(&rig);
}

/* Whose limits are stricter than those it was made under waits to see what it takes. */
static void it_serves_nobody_who_asks_for_less(void **state)
{
    (void)state;
    code.memory_limit = 1u << 30;
    const uint64_t request = begin(PVF__CORE_BACKING);
    struct pvf__core_code strict[3] = {code, code, code};
    strict[0].cpu_limit_ns--;
    strict[1].memory_limit--;
    strict[2].bomb_limit--;
    for (unsigned i = 0; i < 3; i++) {
        (void)core_rig_execute(&rig, &strict[i], PVF__CORE_BACKING);
    }
    const uint64_t first = tell_first_tier();
    end(take_run(request, first), true);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).prepare_waiters, 3);
}

static void there_is_one_in_a_job_and_none_outside(void **state)
{
    (void)state;
    (void)begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    assert_true(first != 0);
    assert_int_equal(tell_first_tier(), 0);
    (void)core_rig_prepared(&rig, maker);
    assert_int_equal(tell_first_tier(), 0);
    maker = 9999;
    assert_int_equal(tell_first_tier(), 0);
}

/* The preparation's own end is what counts for all who have no result yet. */
static void a_failed_preparation_takes_it_along(void **state)
{
    (void)state;
    const uint64_t runs = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    const uint64_t worker = take_run(runs, first);
    const uint64_t other = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_prepare_failed(&rig, maker, PVF__CORE_FAILURE_PREPARATION);
    take_remove(first);
    assert_true(core_rig_take_reply(&rig, other, PVF__CORE_REPLY_PREPARE_FAILED).deterministic);
    core_rig_spawned(&rig, spawn.worker);
    /* Even a valid result does not stand against that. */
    end(worker, true);
    const struct pvf__core_command reply =
        core_rig_take_reply(&rig, runs, PVF__CORE_REPLY_PREPARE_FAILED);
    assert_true(reply.deterministic && reply.stored);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).first_tier_served, 0);
}

static void a_failure_for_now_leaves_what_is_valid(void **state)
{
    (void)state;
    const uint64_t one = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    const uint64_t worker = take_run(one, first);
    core_rig_prepare_failed(&rig, maker, PVF__CORE_FAILURE_LOCAL);
    take_remove(first);
    end(worker, true);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
}

/* Who was queued for the first one waits, and may lead the job that is tried again. */
static void a_job_that_is_tried_again_makes_another(void **state)
{
    (void)state;
    const uint64_t request = begin(PVF__CORE_APPROVAL);
    const uint64_t first = tell_first_tier();
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_prepare_failed(&rig, maker, PVF__CORE_FAILURE_JOB_ERROR);
    take_remove(first);
    assert_int_equal(core_rig_take_start(&rig, request), maker);
    core_rig_spawned(&rig, spawn.worker);
    core_rig_take_nothing(&rig);
    const uint64_t again = tell_first_tier();
    assert_true(again != 0 && again != first);
    end(take_run(request, again), true);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
    assert_int_equal(core_rig_stats(&rig).prepare_retried, 1);
}

static void a_bad_one_is_dropped_and_all_wait(void **state)
{
    (void)state;
    const uint64_t one = begin(PVF__CORE_BACKING);
    const uint64_t two = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    const struct pvf__core_command spawns[2] = {core_rig_take(&rig, PVF__CORE_SPAWN),
                                                core_rig_take(&rig, PVF__CORE_SPAWN)};
    core_rig_spawned(&rig, spawns[0].worker);
    const uint64_t worker = take_run(one, first);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_BAD_ARTIFACT);
    (void)core_rig_take(&rig, PVF__CORE_REMOVE);
    /* The second was queued, and has no worker of its own any more to wait for. */
    core_rig_spawned(&rig, spawns[1].worker);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).prepare_waiters, 2);
    const uint64_t optimised = core_rig_prepared(&rig, maker);
    const uint64_t workers[2] = {take_run(one, optimised), take_run(two, optimised)};
    end(workers[0], true);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    end(workers[1], true);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_EXECUTED);
}

static void one_whose_file_is_gone_is_dropped_silently(void **state)
{
    (void)state;
    const uint64_t request = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    core_rig_executed(&rig, take_run(request, first), PVF__CORE_EXECUTE_ARTIFACT_GONE);
    take_remove(first);
    core_rig_take_nothing(&rig);
    const uint64_t optimised = core_rig_prepared(&rig, maker);
    end(take_run(request, optimised), true);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
}

/* What never reached a worker proves nothing against the first tier. */
static void a_job_that_never_began_may_run_on_it_again(void **state)
{
    (void)state;
    const uint64_t request = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    core_rig_executed(&rig, take_run(request, first), PVF__CORE_EXECUTE_NOT_STARTED);
    end(take_run(request, first), true);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXECUTED);
}

static void who_cancels_leaves_it_to_others(void **state)
{
    (void)state;
    rig.config.cancel_kills = true;
    core_rig_end(&rig);
    core_rig_begin(&rig);
    const uint64_t runs = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    const uint64_t worker = take_run(runs, first);
    core_rig_cancel(&rig, runs);
    assert_int_equal(core_rig_take(&rig, PVF__CORE_KILL).worker, worker);
    (void)core_rig_take_reply(&rig, runs, PVF__CORE_REPLY_CANCELLED);
    const uint64_t other = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    end(take_run(other, first), true);
    (void)core_rig_take_reply(&rig, other, PVF__CORE_REPLY_EXECUTED);
}

static void a_deadline_passes_while_it_waits_again(void **state)
{
    (void)state;
    struct pvf__core_execution execution = core_rig_like(&code, PVF__CORE_BACKING);
    execution.deadline_ns = rig.now + 10 * PVF__CORE_SECOND;
    const uint64_t request = core_rig_execution(&rig, execution);
    maker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, request);
    const uint64_t first = tell_first_tier();
    end(take_run(request, first), false);
    core_rig_wait(&rig, 11 * PVF__CORE_SECOND);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_EXPIRED);
    core_rig_take_nothing(&rig);
}

static void the_end_removes_it(void **state)
{
    (void)state;
    const uint64_t request = begin(PVF__CORE_BACKING);
    const uint64_t first = tell_first_tier();
    (void)take_run(request, first);
    pvf__core_stop(rig.core, rig.now);
    core_rig_fetch(&rig);
    bool removed = false;
    for (size_t i = 0; i < rig.count; i++) {
        removed = removed ||
                  (rig.commands[i].kind == PVF__CORE_REMOVE && rig.commands[i].generation == first);
    }
    assert_true(removed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_valid_result_is_told_before_the_optimised_one_is_there),
        TEST(what_is_not_valid_waits_for_the_optimised_one),
        TEST(what_is_not_valid_when_the_optimised_one_is_there_runs_on_that),
        TEST(a_queued_one_runs_on_what_is_there_when_it_starts),
        TEST(it_answers_no_precheck),
        TEST(it_serves_nobody_who_asks_for_less),
        TEST(there_is_one_in_a_job_and_none_outside),
        TEST(a_failed_preparation_takes_it_along),
        TEST(a_failure_for_now_leaves_what_is_valid),
        TEST(a_job_that_is_tried_again_makes_another),
        TEST(a_bad_one_is_dropped_and_all_wait),
        TEST(one_whose_file_is_gone_is_dropped_silently),
        TEST(a_job_that_never_began_may_run_on_it_again),
        TEST(who_cancels_leaves_it_to_others),
        TEST(a_deadline_passes_while_it_waits_again),
        TEST(the_end_removes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
