/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of executions: order, workers and parameters, leaves, deadlines, cancelling, death. */
#include "support/core_rig.h"
#include "support/test.h"

#include <string.h>

static struct core_rig rig;
static struct pvf__core_code code;

/* Any configuration, and code number 1 prepared. */
static void begin(void)
{
    core_rig_begin(&rig);
    code = core_rig_code(1);
    (void)core_rig_prepare(&rig, &code);
}

static int setup(void **state)
{
    (void)state;
    core_rig_config(&rig);
    begin();
    return 0;
}

static void begin_again(void)
{
    core_rig_end(&rig);
    begin();
}

/* Runs whatever is started, one after the other; writes the classes of `count` starts. */
static void run_queue(char *ret, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        while (rig.commands[0].kind != PVF__CORE_START_EXECUTE) {
            if (rig.commands[0].kind == PVF__CORE_SPAWN) {
                (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
            } else {
                (void)core_rig_take(&rig, PVF__CORE_REPLY);
            }
        }
        const struct pvf__core_command start = core_rig_take(&rig, PVF__CORE_START_EXECUTE);
        const struct pvf__core_stats stats = core_rig_stats(&rig);
        for (unsigned cls = 0; cls < PVF__CORE_CLASSES; cls++) {
            if (stats.execute_running[cls] > 0) {
                ret[i] = "DASB"[cls];
            }
        }
        core_rig_executed(&rig, start.worker, PVF__CORE_EXECUTE_DONE);
    }
    ret[count] = '\0';
}

static void fill(const char *classes, unsigned each)
{
    for (; *classes != '\0'; classes++) {
        for (unsigned i = 0; i < each; i++) {
            (void)core_rig_execute(
                &rig, &code, (enum pvf__core_class)(strchr("DASB", *classes) - "DASB"));
        }
    }
}

/* The reference's own tests: with one worker and full queues. */
static void class_distributions(void **state)
{
    (void)state;
    const struct {
        const char *loaded;
        const char *order;
    } rows[] = {
        {"DASB", "DADDSDDADDAD"},
        {"DAB", "DADDBDDADDAD"},
        {"ASB", "ASAAABAAAASA"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin_again();
        fill(rows[i].loaded, 12);
        char order[13];
        run_queue(order, 12);
        assert_string_equal(order, rows[i].order);
        core_rig_skip(&rig);
    }
}

static void approvals_and_one_backing(void **state)
{
    (void)state;
    fill("A", 12);
    fill("B", 1);
    char order[5];
    run_queue(order, 4);
    assert_string_equal(order, "ABAA");
    core_rig_skip(&rig);
}

static void jobs_of_outdated_parents_expire(void **state)
{
    (void)state;
    const uint64_t running = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, running);
    uint64_t ids[6];
    const enum pvf__core_class classes[6] = {PVF__CORE_BACKING,
                                             PVF__CORE_BACKING_SYSTEM_PARAS,
                                             PVF__CORE_BACKING,
                                             PVF__CORE_BACKING,
                                             PVF__CORE_APPROVAL,
                                             PVF__CORE_DISPUTE};
    for (unsigned i = 0; i < 6; i++) {
        struct pvf__core_execution execution = core_rig_like(&code, classes[i]);
        execution.parent[0] = (uint8_t)(i + 1);
        ids[i] = core_rig_execution(&rig, execution);
    }
    core_rig_take_nothing(&rig); /* nothing expires before the first update */
    const uint8_t leaf[1][32] = {{3}};
    const uint8_t ancestors[1][32] = {{4}};
    assert_int_equal(pvf__core_leaves_update(rig.core, rig.now, leaf[0], ancestors, 1, NULL, 0), 0);
    core_rig_fetch(&rig);
    (void)core_rig_take_reply(&rig, ids[0], PVF__CORE_REPLY_EXPIRED);
    (void)core_rig_take_reply(&rig, ids[1], PVF__CORE_REPLY_EXPIRED);
    core_rig_take_nothing(&rig);
    /* Another leaf beside it changes nothing; the end of the first one does. */
    const uint8_t other[32] = {9};
    assert_int_equal(pvf__core_leaves_update(rig.core, rig.now, other, NULL, 0, NULL, 0), 0);
    core_rig_fetch(&rig);
    core_rig_take_nothing(&rig);
    assert_int_equal(pvf__core_leaves_update(rig.core, rig.now, NULL, NULL, 0, leaf, 1), 0);
    core_rig_fetch(&rig);
    (void)core_rig_take_reply(&rig, ids[2], PVF__CORE_REPLY_EXPIRED);
    (void)core_rig_take_reply(&rig, ids[3], PVF__CORE_REPLY_EXPIRED);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).expired, 4);
}

/* The full set says all at once, also to those that wait for a preparation. */
static void the_full_set_of_parents_needs_no_history(void **state)
{
    (void)state;
    const struct pvf__core_code other = core_rig_code(2);
    struct pvf__core_execution execution = core_rig_like(&other, PVF__CORE_BACKING);
    execution.parent[0] = 1;
    const uint64_t gone = core_rig_execution(&rig, execution);
    (void)core_rig_take_start(&rig, gone);
    execution.parent[0] = 2;
    const uint64_t stays = core_rig_execution(&rig, execution);
    const uint8_t parents[2][32] = {{2}, {3}};
    assert_int_equal(pvf__core_leaves_set(rig.core, rig.now, parents, 2), 0);
    core_rig_fetch(&rig);
    (void)core_rig_take_reply(&rig, gone, PVF__CORE_REPLY_EXPIRED);
    core_rig_take_nothing(&rig);
    assert_int_equal(pvf__core_leaves_set(rig.core, rig.now, NULL, 0), 0);
    core_rig_fetch(&rig);
    (void)core_rig_take_reply(&rig, stays, PVF__CORE_REPLY_EXPIRED);
}

static void who_names_no_parent_does_not_expire_by_it(void **state)
{
    (void)state;
    const uint64_t running = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, running);
    const uint64_t waiting = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    assert_int_equal(pvf__core_leaves_set(rig.core, rig.now, NULL, 0), 0);
    core_rig_fetch(&rig);
    core_rig_take_nothing(&rig);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, running, PVF__CORE_REPLY_EXECUTED);
    (void)core_rig_take_start(&rig, waiting);
}

static void a_deadline_is_the_end_in_every_class(void **state)
{
    (void)state;
    const uint64_t running = core_rig_execute(&rig, &code, PVF__CORE_DISPUTE);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, running);
    struct pvf__core_execution execution = core_rig_like(&code, PVF__CORE_DISPUTE);
    execution.deadline_ns = rig.now + 2 * PVF__CORE_SECOND;
    const uint64_t late = core_rig_execution(&rig, execution);
    execution.deadline_ns = rig.now + PVF__CORE_SECOND;
    const uint64_t early = core_rig_execution(&rig, execution);
    assert_true(pvf__core_next_deadline(rig.core) == rig.now + PVF__CORE_SECOND);
    core_rig_wait(&rig, PVF__CORE_SECOND);
    (void)core_rig_take_reply(&rig, early, PVF__CORE_REPLY_EXPIRED);
    /* Not even when the worker is free at that very moment. */
    rig.now += PVF__CORE_SECOND;
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, running, PVF__CORE_REPLY_EXECUTED);
    (void)core_rig_take_reply(&rig, late, PVF__CORE_REPLY_EXPIRED);
    core_rig_take_nothing(&rig);
}

static void fair_order_inside_a_class_is_by_deadline(void **state)
{
    (void)state;
    rig.config.policy = PVF__CORE_POLICY_FAIR;
    begin_again();
    const uint64_t running = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, running);
    struct pvf__core_execution execution = core_rig_like(&code, PVF__CORE_APPROVAL);
    const uint64_t patient = core_rig_execution(&rig, execution);
    execution.deadline_ns = rig.now + PVF__CORE_HOUR;
    const uint64_t last = core_rig_execution(&rig, execution);
    execution.deadline_ns = rig.now + 20 * PVF__CORE_SECOND;
    const uint64_t urgent = core_rig_execution(&rig, execution);
    const uint64_t order[] = {urgent, patient, last};
    for (unsigned i = 0; i < 3; i++) {
        core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
        (void)core_rig_take(&rig, PVF__CORE_REPLY);
        assert_int_equal(core_rig_take_start(&rig, order[i]), worker);
    }
}

static struct pvf__core_execution with_params(uint8_t params)
{
    struct pvf__core_execution execution = core_rig_like(&code, PVF__CORE_APPROVAL);
    execution.code.params_hash[0] = params;
    return execution;
}

/* The reference kills an idle worker though there is room. */
static void other_params_spawn_while_there_is_room(void **state)
{
    (void)state;
    rig.config.execute_max = 2;
    begin_again();
    const uint64_t one = core_rig_execution(&rig, with_params(1));
    const uint64_t first = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    core_rig_executed(&rig, first, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    const uint64_t two = core_rig_execution(&rig, with_params(2));
    assert_int_equal(rig.commands[0].params_hash[0], 2);
    assert_true(rig.commands[0].request == two);
    const uint64_t second = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, two);
    rig.now += 1;
    core_rig_executed(&rig, second, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_EXECUTED);
    /* Full: the least recently used makes room. */
    const uint64_t three = core_rig_execution(&rig, with_params(3));
    assert_true(core_rig_take(&rig, PVF__CORE_KILL).worker == first);
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_spawned(&rig, spawn.worker);
    (void)core_rig_take_start(&rig, three);
    /* The second still serves its own. */
    const uint64_t four = core_rig_execution(&rig, with_params(2));
    assert_int_equal(core_rig_take_start(&rig, four), second);
}

static void any_worker_serves_any_params_if_told_so(void **state)
{
    (void)state;
    rig.config.params_per_job = true;
    begin_again();
    const uint64_t one = core_rig_execution(&rig, with_params(1));
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = core_rig_execution(&rig, with_params(2));
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    assert_int_equal(core_rig_take_start(&rig, two), worker);
}

/* Younger jobs that fit the worker overtake for four seconds, then it is replaced. */
static void the_oldest_job_waits_four_seconds_at_most(void **state)
{
    (void)state;
    const uint64_t one = core_rig_execution(&rig, with_params(1));
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t other = core_rig_execution(&rig, with_params(2));
    const uint64_t younger = core_rig_execution(&rig, with_params(1));
    (void)core_rig_execution(&rig, with_params(1));
    core_rig_wait(&rig, 4 * PVF__CORE_SECOND - 1);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    assert_int_equal(core_rig_take_start(&rig, younger), worker);
    core_rig_wait(&rig, 1);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, younger, PVF__CORE_REPLY_EXECUTED);
    assert_true(core_rig_take(&rig, PVF__CORE_KILL).worker == worker);
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_spawned(&rig, spawn.worker);
    (void)core_rig_take_start(&rig, other);
}

static void a_worker_gets_the_artifact_that_it_ran_last(void **state)
{
    (void)state;
    rig.config.execute_max = 2;
    begin_again();
    const struct pvf__core_code second_code = core_rig_code(2);
    (void)core_rig_prepare(&rig, &second_code);
    const uint64_t a = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t one = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, a);
    const uint64_t b = core_rig_execute(&rig, &second_code, PVF__CORE_APPROVAL);
    const uint64_t two = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, b);
    core_rig_executed(&rig, one, PVF__CORE_EXECUTE_DONE);
    rig.now += 1;
    core_rig_executed(&rig, two, PVF__CORE_EXECUTE_DONE);
    core_rig_skip(&rig);
    const uint64_t c = core_rig_execute(&rig, &second_code, PVF__CORE_APPROVAL);
    assert_int_equal(core_rig_take_start(&rig, c), two);
    const uint64_t d = core_rig_execute(&rig, &second_code, PVF__CORE_APPROVAL);
    assert_int_equal(core_rig_take_start(&rig, d), one);
}

static void a_job_stays_in_its_queue_while_a_worker_is_spawned(void **state)
{
    (void)state;
    const uint64_t backing = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    assert_int_equal(core_rig_stats(&rig).execute_queued[PVF__CORE_BACKING], 1);
    /* What came meanwhile and is more important goes first. */
    const uint64_t dispute = core_rig_execute(&rig, &code, PVF__CORE_DISPUTE);
    core_rig_take_nothing(&rig);
    core_rig_spawned(&rig, spawn.worker);
    (void)core_rig_take_start(&rig, dispute);
    core_rig_cancel(&rig, backing);
    (void)core_rig_take_reply(&rig, backing, PVF__CORE_REPLY_CANCELLED);
}

/* Else two sets of parameters could take the last place from each other for ever. */
static void a_worker_does_a_job_before_it_is_replaced(void **state)
{
    (void)state;
    struct pvf__core_execution backing = core_rig_like(&code, PVF__CORE_BACKING);
    backing.code.params_hash[0] = 1;
    const uint64_t one = core_rig_execution(&rig, backing);
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    struct pvf__core_execution dispute = core_rig_like(&code, PVF__CORE_DISPUTE);
    dispute.code.params_hash[0] = 2;
    const uint64_t two = core_rig_execution(&rig, dispute);
    core_rig_wait(&rig, 10 * PVF__CORE_SECOND);
    core_rig_take_nothing(&rig);
    core_rig_spawned(&rig, spawn.worker);
    assert_int_equal(core_rig_take_start(&rig, one), spawn.worker);
    core_rig_executed(&rig, spawn.worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    (void)core_rig_take(&rig, PVF__CORE_KILL);
    (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, two);
}

/* What was cancelled before the worker heard of it is not charged to its class. */
static void a_withdrawn_start_costs_nothing(void **state)
{
    (void)state;
    rig.config.policy = PVF__CORE_POLICY_FAIR;
    begin_again();
    const struct pvf__core_executed quick = {.worker_lives = true, .cpu_ns = PVF__CORE_MS};
    const uint64_t first = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, first);
    core_rig_executed_as(&rig, worker, &quick);
    (void)core_rig_take_reply(&rig, first, PVF__CORE_REPLY_EXECUTED);
    for (unsigned i = 0; i < 20; i++) {
        struct pvf__core_execution dispute = core_rig_like(&code, PVF__CORE_DISPUTE);
        dispute.request = ++rig.next_request;
        assert_int_equal(pvf__core_execute(rig.core, rig.now, &dispute), 0);
        core_rig_cancel(&rig, dispute.request);
        (void)core_rig_take_reply(&rig, dispute.request, PVF__CORE_REPLY_CANCELLED);
    }
    const uint64_t running = core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    (void)core_rig_take_start(&rig, running);
    (void)core_rig_execute(&rig, &code, PVF__CORE_BACKING);
    const uint64_t dispute = core_rig_execute(&rig, &code, PVF__CORE_DISPUTE);
    core_rig_executed_as(&rig, worker, &quick);
    (void)core_rig_take_reply(&rig, running, PVF__CORE_REPLY_EXECUTED);
    (void)core_rig_take_start(&rig, dispute);
}

static void waiters_are_told_when_no_worker_starts(void **state)
{
    (void)state;
    const uint64_t one = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    for (unsigned i = 0; i < rig.config.spawn_tries; i++) {
        core_rig_spawn_failed(&rig, core_rig_take(&rig, PVF__CORE_SPAWN).worker);
        core_rig_wait(&rig, 10 * PVF__CORE_SECOND);
    }
    assert_int_equal(core_rig_take(&rig, PVF__CORE_ALARM).alarm, PVF__CORE_ALARM_EXECUTE_SPAWN);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_NO_WORKER);
    core_rig_take_nothing(&rig);
}

/* Whoever has a living worker of its parameters is served by that one in the end. */
static void only_those_without_a_worker_are_told(void **state)
{
    (void)state;
    rig.config.execute_max = 2;
    begin_again();
    const uint64_t one = core_rig_execution(&rig, with_params(1));
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = core_rig_execution(&rig, with_params(1));
    for (unsigned i = 0; i < rig.config.spawn_tries; i++) {
        core_rig_spawn_failed(&rig, core_rig_take(&rig, PVF__CORE_SPAWN).worker);
        core_rig_wait(&rig, 10 * PVF__CORE_SECOND);
    }
    assert_int_equal(core_rig_take(&rig, PVF__CORE_ALARM).alarm, PVF__CORE_ALARM_EXECUTE_SPAWN);
    (void)core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    (void)core_rig_take_start(&rig, two);
    /* Other parameters have none, and hear of it. */
    const uint64_t three = core_rig_execution(&rig, with_params(2));
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_EXECUTED);
    assert_true(core_rig_take(&rig, PVF__CORE_KILL).worker == worker);
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    core_rig_spawn_failed(&rig, spawn.worker);
    (void)core_rig_take_reply(&rig, three, PVF__CORE_REPLY_NO_WORKER);
}

static void cancelled_before_it_starts_it_never_runs(void **state)
{
    (void)state;
    const uint64_t one = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    core_rig_cancel(&rig, two);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_CANCELLED);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    core_rig_take_nothing(&rig);
}

static void cancelled_while_it_runs_its_result_is_dropped(void **state)
{
    (void)state;
    const uint64_t one = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    core_rig_cancel(&rig, one);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_CANCELLED);
    assert_int_equal(core_rig_stats(&rig).workers[1].busy, 1);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).workers[1].idle, 1);
}

static void cancelled_while_it_runs_it_is_killed_if_told_so(void **state)
{
    (void)state;
    rig.config.cancel_kills = true;
    begin_again();
    const uint64_t one = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    core_rig_cancel(&rig, one);
    assert_true(core_rig_take(&rig, PVF__CORE_KILL).worker == worker);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_CANCELLED);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE); /* crosses, and is nothing */
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).workers[1].idle, 0);
}

/* The shell may cancel between the decision and the fetch of a start. */
static void cancelled_before_its_start_is_fetched_it_is_withdrawn(void **state)
{
    (void)state;
    const uint64_t one = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const struct pvf__core_command spawn = core_rig_take(&rig, PVF__CORE_SPAWN);
    pvf__core_worker_spawned(rig.core, rig.now, spawn.worker);
    core_rig_cancel(&rig, one);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_CANCELLED);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).workers[1].idle, 1);
}

static void what_was_never_sent_goes_back_to_the_front(void **state)
{
    (void)state;
    const uint64_t one = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    (void)core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const struct pvf__core_executed executed = {.end = PVF__CORE_EXECUTE_NOT_STARTED,
                                                .worker_lives = true};
    for (unsigned i = 0; i < rig.config.requeue_max; i++) {
        core_rig_executed_as(&rig, worker, &executed);
        assert_int_equal(core_rig_take_start(&rig, one), worker);
    }
    core_rig_executed_as(&rig, worker, &executed);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_NOT_STARTED);
    (void)core_rig_take_start(&rig, one + 1);
}

static void a_death_ends_its_job_and_nothing_else(void **state)
{
    (void)state;
    const uint64_t one = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    const uint64_t two = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    core_rig_dead(&rig, worker);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    assert_true(core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER) != worker);
    (void)core_rig_take_start(&rig, two);
}

/* Twenty-one and more executions released at once, and a report about the artifact: no deadlock. */
static void a_burst_with_a_corrupt_artifact_ends(void **state)
{
    (void)state;
    const struct pvf__core_code other = core_rig_code(2);
    const uint64_t first = core_rig_execute(&rig, &other, PVF__CORE_APPROVAL);
    const uint64_t preparer = core_rig_take_start(&rig, first);
    for (unsigned i = 0; i < 40; i++) {
        (void)core_rig_execute(&rig, &other, PVF__CORE_APPROVAL);
    }
    (void)core_rig_prepared(&rig, preparer);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, first);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_BAD_ARTIFACT);
    (void)core_rig_take(&rig, PVF__CORE_REMOVE);
    (void)core_rig_take_reply(&rig, first, PVF__CORE_REPLY_EXECUTED);
    (void)core_rig_prepared(&rig, core_rig_take_start(&rig, first + 1));
    for (unsigned i = 1; i <= 40; i++) {
        (void)core_rig_take_start(&rig, first + i);
        core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
        (void)core_rig_take_reply(&rig, first + i, PVF__CORE_REPLY_EXECUTED);
    }
    core_rig_take_nothing(&rig);
}

static void stop_answers_and_kills_everything(void **state)
{
    (void)state;
    const struct pvf__core_code other = core_rig_code(2);
    const uint64_t running = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, running);
    const uint64_t queued = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t waiting = core_rig_execute(&rig, &other, PVF__CORE_APPROVAL);
    (void)core_rig_take_start(&rig, waiting);
    pvf__core_stop(rig.core, rig.now);
    core_rig_fetch(&rig);
    (void)core_rig_take_reply(&rig, running, PVF__CORE_REPLY_CANCELLED);
    (void)core_rig_take_reply(&rig, queued, PVF__CORE_REPLY_CANCELLED);
    (void)core_rig_take_reply(&rig, waiting, PVF__CORE_REPLY_CANCELLED);
    (void)core_rig_take(&rig, PVF__CORE_KILL);
    (void)core_rig_take(&rig, PVF__CORE_KILL);
    core_rig_take_nothing(&rig);
    assert_int_equal(pvf__core_precheck(rig.core, rig.now, 1000, &code), PVF_ERR_INVALID_ARG);
    assert_true(pvf__core_next_deadline(rig.core) == UINT64_MAX);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, core_rig_tear_down, &rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(class_distributions),
        TEST(approvals_and_one_backing),
        TEST(jobs_of_outdated_parents_expire),
        TEST(the_full_set_of_parents_needs_no_history),
        TEST(who_names_no_parent_does_not_expire_by_it),
        TEST(a_deadline_is_the_end_in_every_class),
        TEST(fair_order_inside_a_class_is_by_deadline),
        TEST(other_params_spawn_while_there_is_room),
        TEST(any_worker_serves_any_params_if_told_so),
        TEST(the_oldest_job_waits_four_seconds_at_most),
        TEST(a_worker_gets_the_artifact_that_it_ran_last),
        TEST(a_job_stays_in_its_queue_while_a_worker_is_spawned),
        TEST(a_worker_does_a_job_before_it_is_replaced),
        TEST(a_withdrawn_start_costs_nothing),
        TEST(waiters_are_told_when_no_worker_starts),
        TEST(only_those_without_a_worker_are_told),
        TEST(cancelled_before_it_starts_it_never_runs),
        TEST(cancelled_while_it_runs_its_result_is_dropped),
        TEST(cancelled_while_it_runs_it_is_killed_if_told_so),
        TEST(cancelled_before_its_start_is_fetched_it_is_withdrawn),
        TEST(what_was_never_sent_goes_back_to_the_front),
        TEST(a_death_ends_its_job_and_nothing_else),
        TEST(a_burst_with_a_corrupt_artifact_ends),
        TEST(stop_answers_and_kills_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
