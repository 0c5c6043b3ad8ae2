/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of preparations and its workers: limits, order, raising, culling, death, spawning. */
#include "support/core_rig.h"
#include "support/test.h"

static struct core_rig rig;

static int setup(void **state)
{
    (void)state;
    core_rig_config(&rig);
    rig.config.prepare_hard_max = 2;
    core_rig_begin(&rig);
    return 0;
}

static uint64_t ask(unsigned n, bool critical)
{
    struct pvf__core_code code = core_rig_code(n);
    code.critical = critical;
    return core_rig_precheck(&rig, &code);
}

static void normal_conclusion_goes_on_with_the_next(void **state)
{
    (void)state;
    const uint64_t one = ask(1, false);
    const uint64_t two = ask(2, false);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    assert_int_equal(core_rig_take_start(&rig, one), worker);
    core_rig_take_nothing(&rig);
    (void)core_rig_prepared(&rig, worker);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_PREPARED);
    assert_int_equal(core_rig_take_start(&rig, two), worker);
    (void)core_rig_prepared(&rig, worker);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_PREPARED);
    core_rig_take_nothing(&rig);
}

static void no_spawn_above_soft_unless_critical(void **state)
{
    (void)state;
    const uint64_t one = ask(1, false);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    (void)ask(2, false);
    core_rig_take_nothing(&rig);
    const uint64_t three = ask(3, true);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, three);
    (void)ask(4, true);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).prepare_critical, 1);
    assert_int_equal(core_rig_stats(&rig).prepare_normal, 1);
}

static void critical_goes_first_and_each_in_order(void **state)
{
    (void)state;
    const uint64_t first = ask(1, false);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, first);
    const uint64_t n2 = ask(2, false);
    const uint64_t n3 = ask(3, false);
    const uint64_t c4 = ask(4, true);
    const uint64_t c5 = ask(5, true);
    /* The second worker comes for the Critical ones, but the first is free earlier. */
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_LOCAL);
    (void)core_rig_take_reply(&rig, first, PVF__CORE_REPLY_PREPARE_FAILED);
    assert_int_equal(core_rig_take_start(&rig, c4), worker);
    core_rig_spawned(&rig, spawn.worker);
    assert_int_equal(core_rig_take_start(&rig, c5), spawn.worker);
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_LOCAL);
    (void)core_rig_take_reply(&rig, c4, PVF__CORE_REPLY_PREPARE_FAILED);
    /* One is busy, so no Normal job runs beside it: the other worker is not kept. */
    assert_true(core_rig_take(&rig, PVF__CORE_KILL).worker == worker);
    core_rig_prepare_failed(&rig, spawn.worker, PVF__CORE_FAILURE_LOCAL);
    (void)core_rig_take_reply(&rig, c5, PVF__CORE_REPLY_PREPARE_FAILED);
    (void)core_rig_take_start(&rig, n2);
    core_rig_prepare_failed(&rig, spawn.worker, PVF__CORE_FAILURE_LOCAL);
    (void)core_rig_take_reply(&rig, n2, PVF__CORE_REPLY_PREPARE_FAILED);
    (void)core_rig_take_start(&rig, n3);
}

/* The reference leaves a dispute that joins a heads-up behind all others. */
static void a_critical_joiner_raises_the_job(void **state)
{
    (void)state;
    const uint64_t first = ask(1, false);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, first);
    (void)ask(2, false);
    const uint64_t n3 = ask(3, false);
    const struct pvf__core_code code = core_rig_code(3);
    const uint64_t dispute = core_rig_execute(&rig, &code, PVF__CORE_DISPUTE);
    (void)core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_LOCAL);
    (void)core_rig_take_reply(&rig, first, PVF__CORE_REPLY_PREPARE_FAILED);
    /* It also leads: the job runs under its limits. */
    (void)core_rig_take_start(&rig, dispute);
    (void)core_rig_prepared(&rig, worker);
    (void)core_rig_take_reply(&rig, n3, PVF__CORE_REPLY_PREPARED);
}

/* Worker 1 ends while worker 2 is being spawned; nothing is left for it. */
static void a_worker_above_soft_is_not_kept_idle(void **state)
{
    (void)state;
    const uint64_t one = ask(1, false);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = ask(2, true);
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_cancel(&rig, two);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_CANCELLED);
    (void)core_rig_prepared(&rig, worker);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_PREPARED);
    assert_true(core_rig_take(&rig, PVF__CORE_KILL).worker == worker);
    core_rig_spawned(&rig, spawn.worker);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).workers[0].idle, 1);
}

/* The reference kills it though a Critical job waits, and starts no other. */
static void a_worker_above_soft_works_on_while_critical_jobs_wait(void **state)
{
    (void)state;
    const uint64_t one = ask(1, true);
    const uint64_t first = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = ask(2, true);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, two);
    const uint64_t three = ask(3, true);
    (void)core_rig_prepared(&rig, first);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_PREPARED);
    assert_int_equal(core_rig_take_start(&rig, three), first);
    core_rig_take_nothing(&rig);
}

static void mass_death_does_not_stall(void **state)
{
    (void)state;
    const uint64_t one = ask(1, true);
    const uint64_t first = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = ask(2, true);
    const uint64_t second = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, two);
    const uint64_t three = ask(3, false);
    core_rig_dead(&rig, first);
    core_rig_dead(&rig, second);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_PREPARE_FAILED);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_PREPARE_FAILED);
    core_rig_wait(&rig, 10 * PVF__CORE_SECOND);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, three);
}

static void a_ripped_worker_is_not_replaced_without_work(void **state)
{
    (void)state;
    const uint64_t one = ask(1, false);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    (void)core_rig_prepared(&rig, worker);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_PREPARED);
    core_rig_dead(&rig, worker);
    core_rig_wait(&rig, PVF__CORE_MINUTE);
    core_rig_take_nothing(&rig);
}

static void not_started(uint64_t worker)
{
    const struct pvf__core_prepared prepared = {.end = PVF__CORE_PREPARE_NOT_STARTED};
    assert_int_equal(core_rig_prepared_as(&rig, worker, &prepared), 0);
}

static void a_job_that_was_not_started_goes_back_to_the_front(void **state)
{
    (void)state;
    const uint64_t one = ask(1, false);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    (void)ask(2, false);
    not_started(worker);
    core_rig_wait(&rig, 10 * PVF__CORE_SECOND);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    assert_int_equal(core_rig_stats(&rig).failures, 0);
}

static void a_job_is_not_put_back_for_ever(void **state)
{
    (void)state;
    const uint64_t one = ask(1, false);
    for (unsigned i = 0; i <= rig.config.requeue_max; i++) {
        const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
        (void)core_rig_take_start(&rig, one);
        not_started(worker);
        core_rig_wait(&rig, 10 * PVF__CORE_SECOND);
    }
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_NOT_STARTED);
    core_rig_take_nothing(&rig);
}

static void waiters_are_told_when_no_worker_starts(void **state)
{
    (void)state;
    const uint64_t one = ask(1, false);
    for (unsigned i = 0; i < rig.config.spawn_tries; i++) {
        core_rig_spawn_failed(&rig, core_rig_take(&rig, PVF__CORE_SPAWN).worker);
        if (i + 1 < rig.config.spawn_tries) {
            core_rig_take_nothing(&rig);
        }
        core_rig_wait(&rig, 10 * PVF__CORE_SECOND);
    }
    const struct pvf__core_command alarm = core_rig_take(&rig, PVF__CORE_ALARM);
    assert_int_equal(alarm.alarm, PVF__CORE_ALARM_PREPARE_SPAWN);
    assert_true(alarm.alarm_on);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_NO_WORKER);
    core_rig_take_nothing(&rig);
    /* While the alarm is on one failure is enough; a success ends it. */
    const uint64_t two = ask(2, false);
    core_rig_spawn_failed(&rig, core_rig_take(&rig, PVF__CORE_SPAWN).worker);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_NO_WORKER);
    core_rig_wait(&rig, PVF__CORE_MINUTE);
    const uint64_t three = ask(3, false);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    assert_false(core_rig_take(&rig, PVF__CORE_ALARM).alarm_on);
    (void)core_rig_take_start(&rig, three);
    /* And the count begins anew. */
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_LOCAL);
    (void)core_rig_take_reply(&rig, three, PVF__CORE_REPLY_PREPARE_FAILED);
    core_rig_dead(&rig, worker);
    (void)ask(4, false);
    core_rig_spawn_failed(&rig, core_rig_take(&rig, PVF__CORE_SPAWN).worker);
    core_rig_take_nothing(&rig);
}

static void spawns_back_off_and_jitter_by_the_seed(void **state)
{
    (void)state;
    core_rig_end(&rig);
    rig.config.spawn_backoff_ns = PVF__CORE_SECOND;
    rig.config.spawn_backoff_cap_ns = 8 * PVF__CORE_SECOND;
    rig.config.spawn_tries = 100;
    uint64_t waited[2][6];
    for (unsigned run = 0; run < 2; run++) {
        core_rig_begin(&rig);
        (void)ask(1, false);
        for (unsigned i = 0; i < 6; i++) {
            core_rig_spawn_failed(&rig, core_rig_take(&rig, PVF__CORE_SPAWN).worker);
            const uint64_t base = PVF__CORE_SECOND << (i < 3 ? i : 3);
            waited[run][i] = pvf__core_next_deadline(rig.core) - rig.now;
            assert_in_range(waited[run][i], base / 2, base);
            core_rig_wait(&rig, base);
        }
        core_rig_skip(&rig);
        if (run == 0) {
            core_rig_end(&rig);
        }
    }
    assert_memory_equal(waited[0], waited[1], sizeof(waited[0]));
}

static void a_normal_job_ages(void **state)
{
    (void)state;
    core_rig_end(&rig);
    rig.config.prepare_aging_ns = PVF__CORE_MINUTE;
    core_rig_begin(&rig);
    const uint64_t one = ask(1, false);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = ask(2, false);
    core_rig_wait(&rig, PVF__CORE_MINUTE - 1);
    core_rig_take_nothing(&rig);
    core_rig_wait(&rig, 1);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, two);
}

static void a_cancelled_job_that_nobody_else_wants_is_dropped(void **state)
{
    (void)state;
    const uint64_t one = ask(1, false);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = ask(2, false);
    const uint64_t also_two = ask(2, false);
    core_rig_cancel(&rig, two);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_CANCELLED);
    assert_int_equal(core_rig_stats(&rig).prepare_normal, 1);
    core_rig_cancel(&rig, also_two);
    (void)core_rig_take_reply(&rig, also_two, PVF__CORE_REPLY_CANCELLED);
    assert_int_equal(core_rig_stats(&rig).prepare_normal, 0);
    core_rig_take_nothing(&rig);
}

static void idle_workers_are_ended(void **state)
{
    (void)state;
    core_rig_end(&rig);
    rig.config.prepare_idle_ns = PVF__CORE_MINUTE;
    core_rig_begin(&rig);
    const struct pvf__core_code code = core_rig_code(1);
    (void)core_rig_prepare(&rig, &code);
    core_rig_wait(&rig, PVF__CORE_MINUTE - 1);
    core_rig_take_nothing(&rig);
    core_rig_wait(&rig, 1);
    (void)core_rig_take(&rig, PVF__CORE_KILL);
}

static void dying_unused_workers_raise_an_alarm(void **state)
{
    (void)state;
    (void)ask(1, false);
    core_rig_end(&rig);
    rig.config.requeue_max = 100;
    core_rig_begin(&rig);
    rig.count = 0;
    const uint64_t one = ask(1, false);
    for (unsigned i = 0; i < rig.config.spawn_tries; i++) {
        const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
        (void)core_rig_take_start(&rig, one);
        not_started(worker);
        core_rig_wait(&rig, 10 * PVF__CORE_SECOND);
    }
    const struct pvf__core_command alarm = core_rig_take(&rig, PVF__CORE_ALARM);
    assert_int_equal(alarm.alarm, PVF__CORE_ALARM_PREPARE_DEATHS);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    (void)core_rig_prepared(&rig, worker);
    assert_false(core_rig_take(&rig, PVF__CORE_ALARM).alarm_on);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_PREPARED);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, core_rig_tear_down, &rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(normal_conclusion_goes_on_with_the_next),
        TEST(no_spawn_above_soft_unless_critical),
        TEST(critical_goes_first_and_each_in_order),
        TEST(a_critical_joiner_raises_the_job),
        TEST(a_worker_above_soft_is_not_kept_idle),
        TEST(a_worker_above_soft_works_on_while_critical_jobs_wait),
        TEST(mass_death_does_not_stall),
        TEST(a_ripped_worker_is_not_replaced_without_work),
        TEST(a_job_that_was_not_started_goes_back_to_the_front),
        TEST(a_job_is_not_put_back_for_ever),
        TEST(waiters_are_told_when_no_worker_starts),
        TEST(spawns_back_off_and_jitter_by_the_seed),
        TEST(a_normal_job_ages),
        TEST(a_cancelled_job_that_nobody_else_wants_is_dropped),
        TEST(idle_workers_are_ended),
        TEST(dying_unused_workers_raise_an_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
