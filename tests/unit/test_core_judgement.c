/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a preparation under one kind and set of limits says about a request with others, what is
 * held against the code for good, and what is tried again at once.
 */
#include "support/core_rig.h"
#include "support/test.h"

#include <string.h>

static struct core_rig rig;

static int setup(void **state)
{
    (void)state;
    core_rig_config(&rig);
    pvf__core_config_default(&rig.config);
    rig.config.prepare_hard_max = 1;
    rig.config.prepare_idle_ns = 0;
    core_rig_begin(&rig);
    return 0;
}

static struct pvf__core_prepared measured(uint64_t cpu_ns, uint64_t memory, uint32_t code_len)
{
    return (struct pvf__core_prepared){.end = PVF__CORE_PREPARE_OK,
                                       .worker_lives = true,
                                       .size = 1024,
                                       .cpu_ns = cpu_ns,
                                       .memory = memory,
                                       .code_len = code_len};
}

/* Prepares code as measured; the artifact is in the table afterwards. */
static void prepare_as(const struct pvf__core_code *code, struct pvf__core_prepared prepared)
{
    const uint64_t request = core_rig_heads_up(&rig, code);
    if (rig.commands[0].kind == PVF__CORE_SPAWN) {
        (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    }
    assert_true(core_rig_prepared_as(&rig, core_rig_take_start(&rig, request), &prepared) != 0);
    if (rig.commands[0].kind == PVF__CORE_REMOVE) {
        (void)core_rig_take(&rig, PVF__CORE_REMOVE); /* of the one before */
    }
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED);
    core_rig_take_nothing(&rig);
}

/* Is a precheck answered from what is stored?  Leaves no job behind. */
static bool is_stored(const struct pvf__core_code *code)
{
    const uint64_t before = core_rig_stats(&rig).stored;
    const uint64_t id = ++rig.next_request;
    assert_int_equal(pvf__core_precheck(rig.core, rig.now, id, code), 0);
    const bool stored = core_rig_stats(&rig).stored > before;
    /* An answer that is on its way is not taken back. */
    assert_true(pvf__core_cancel(rig.core, rig.now, id) != stored);
    core_rig_fetch(&rig);
    if (rig.commands[0].kind == PVF__CORE_SPAWN) {
        (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    }
    const struct pvf__core_command reply = core_rig_take(&rig, PVF__CORE_REPLY);
    assert_true(reply.request == id && reply.stored == stored);
    core_rig_take_nothing(&rig);
    return stored;
}

static void a_precheck_wants_its_construction(void **state)
{
    (void)state;
    const struct pvf__core_code compile = core_rig_code(1);
    struct pvf__core_code precheck = core_rig_precheck_code(1);
    prepare_as(&compile, measured(PVF__CORE_SECOND, 1000, 1000));
    assert_false(is_stored(&precheck));
    prepare_as(&precheck, measured(PVF__CORE_SECOND, 1000, 1000));
    assert_true(is_stored(&precheck));
    assert_true(is_stored(&compile));
    /* Whether an import exists hangs on parameters that are not in the key. */
    memset(precheck.params_hash, 9, sizeof(precheck.params_hash));
    assert_false(is_stored(&precheck));
}

static void a_precheck_wants_its_time_limit(void **state)
{
    (void)state;
    struct pvf__core_code lenient = core_rig_precheck_code(1);
    lenient.cpu_limit_ns = 360 * PVF__CORE_SECOND;
    prepare_as(&lenient, measured(61 * PVF__CORE_SECOND, 1000, 1000));
    const struct pvf__core_code strict = core_rig_precheck_code(1);
    assert_true(is_stored(&lenient));
    assert_false(is_stored(&strict));
    /* Under the strict limit it passed: that counts, whatever the clock says. */
    prepare_as(&strict, measured(61 * PVF__CORE_SECOND, 1000, 1000));
    assert_true(is_stored(&strict));
}

static void a_request_wants_its_memory_and_bomb_limits(void **state)
{
    (void)state;
    struct pvf__core_code code = core_rig_code(1);
    prepare_as(&code, measured(PVF__CORE_SECOND, 5000, 2000));
    code.memory_limit = 5000;
    assert_true(is_stored(&code));
    code.memory_limit = 4999;
    assert_false(is_stored(&code));
    code.memory_limit = 0;
    code.bomb_limit = 2000;
    assert_true(is_stored(&code));
    code.bomb_limit = 1999;
    assert_false(is_stored(&code));
}

/* The stricter kind replaces the file; what ran on the old one is not disturbed. */
static void a_stricter_artifact_replaces_the_old_one(void **state)
{
    (void)state;
    const struct pvf__core_code compile = core_rig_code(1);
    const struct pvf__core_code precheck = core_rig_precheck_code(1);
    const uint64_t old = core_rig_prepare(&rig, &compile);
    const uint64_t request = core_rig_precheck(&rig, &precheck);
    const uint64_t worker = core_rig_take_start(&rig, request);
    const uint64_t execution = core_rig_execute(&rig, &compile, PVF__CORE_APPROVAL);
    (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    assert_true(rig.commands[0].generation == old);
    (void)core_rig_take_start(&rig, execution);
    const uint64_t new = core_rig_prepared(&rig, worker);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == old);
    assert_true(core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED).generation == new);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).cache_entries, 1);
}

/* Fails the only job of a precheck or heads-up until somebody hears of it. */
static struct pvf__core_command fail_with(const struct pvf__core_code *code,
                                          enum pvf__core_failure failure)
{
    const uint64_t request = core_rig_heads_up(&rig, code);
    if (rig.commands[0].kind == PVF__CORE_SPAWN) {
        (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    }
    while (rig.commands[0].kind == PVF__CORE_START_PREPARE) {
        core_rig_prepare_failed(&rig, core_rig_take_start(&rig, request), failure);
    }
    return core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARE_FAILED);
}

static void a_failure_concerns_only_who_is_as_strict(void **state)
{
    (void)state;
    struct pvf__core_code strict = core_rig_precheck_code(1);
    strict.memory_limit = 1000;
    strict.bomb_limit = 1000;
    struct pvf__core_code compile = strict;
    compile.kind = PVF__CORE_COMPILATION;
    struct pvf__core_code more_time = strict;
    more_time.cpu_limit_ns++;
    struct pvf__core_code more_memory = strict;
    more_memory.memory_limit++;
    struct pvf__core_code no_limit = strict;
    no_limit.memory_limit = 0;
    struct pvf__core_code more_bytes = strict;
    more_bytes.bomb_limit++;
    struct pvf__core_code other_params = strict;
    other_params.params_hash[0] = 1;
    const struct {
        enum pvf__core_failure failure;
        bool compile;
        bool more_time;
        bool more_memory;
        bool more_bytes;
        bool other_params;
    } rows[PVF__CORE_FAILURES] = {
        {PVF__CORE_FAILURE_PREVALIDATION, true, true, true, true, true},
        {PVF__CORE_FAILURE_PREPARATION, true, true, true, true, true},
        {PVF__CORE_FAILURE_DECOMPRESSION, true, true, true, false, true},
        {PVF__CORE_FAILURE_OUT_OF_MEMORY, false, true, false, true, true},
        {PVF__CORE_FAILURE_JOB_ERROR, false, true, true, true, true},
        {PVF__CORE_FAILURE_CONSTRUCTION, false, true, true, true, false},
        {PVF__CORE_FAILURE_TIMED_OUT, false, false, true, true, true},
        {PVF__CORE_FAILURE_DEATH, false, true, true, true, true},
        {PVF__CORE_FAILURE_STALLED, true, true, true, true, true},
        {PVF__CORE_FAILURE_LOCAL, true, true, true, true, true},
        {PVF__CORE_FAILURE_NO_SPACE, true, true, true, true, true},
    };
    for (size_t i = 0; i < PVF__CORE_FAILURES; i++) {
        (void)fail_with(&strict, rows[i].failure);
        assert_true(is_stored(&strict));
        assert_int_equal(is_stored(&compile), rows[i].compile);
        assert_int_equal(is_stored(&more_time), rows[i].more_time);
        assert_int_equal(is_stored(&more_memory), rows[i].more_memory);
        assert_int_equal(is_stored(&no_limit), rows[i].more_memory);
        assert_int_equal(is_stored(&more_bytes), rows[i].more_bytes);
        assert_int_equal(is_stored(&other_params), rows[i].other_params);
        assert_true(pvf__core_failures_forget(rig.core, &strict.key));
    }
}

/* The waiters of one job are judged one by one; who is left over gets a job of its own. */
static void a_precheck_timeout_does_not_fail_an_execution(void **state)
{
    (void)state;
    const struct pvf__core_code precheck = core_rig_precheck_code(1);
    const struct pvf__core_code compile = core_rig_code(1);
    const uint64_t first = core_rig_precheck(&rig, &precheck);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, first);
    const uint64_t second = core_rig_execute(&rig, &compile, PVF__CORE_APPROVAL);
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_TIMED_OUT);
    (void)core_rig_take_reply(&rig, first, PVF__CORE_REPLY_PREPARE_FAILED);
    (void)core_rig_prepared(&rig, core_rig_take_start(&rig, second));
    (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, second);
    /* And the next precheck still hears of it. */
    const uint64_t third = core_rig_precheck(&rig, &precheck);
    assert_true(core_rig_take_reply(&rig, third, PVF__CORE_REPLY_PREPARE_FAILED).stored);
}

/* Those are the "preparation" error of an execution and stay; all others are internal. */
static void only_the_codes_own_failures_are_deterministic(void **state)
{
    (void)state;
    struct pvf__core_code code = core_rig_code(1);
    code.memory_limit = 1000;
    const bool deterministic[PVF__CORE_FAILURES] = {
        [PVF__CORE_FAILURE_PREVALIDATION] = true,
        [PVF__CORE_FAILURE_PREPARATION] = true,
        [PVF__CORE_FAILURE_DECOMPRESSION] = true,
        [PVF__CORE_FAILURE_OUT_OF_MEMORY] = true,
        [PVF__CORE_FAILURE_JOB_ERROR] = true,
    };
    for (unsigned i = 0; i < PVF__CORE_FAILURES; i++) {
        assert_int_equal(fail_with(&code, (enum pvf__core_failure)i).deterministic,
                         deterministic[i]);
        core_rig_wait(&rig, PVF__CORE_HOUR);
        assert_int_equal(is_stored(&code), deterministic[i]);
        (void)pvf__core_failures_forget(rig.core, &code.key);
    }
}

/* Out of memory without a limit is this machine's trouble. */
static void out_of_memory_is_held_against_its_limit_only(void **state)
{
    (void)state;
    struct pvf__core_code code = core_rig_code(1);
    assert_false(fail_with(&code, PVF__CORE_FAILURE_OUT_OF_MEMORY).deterministic);
}

static void a_job_error_is_believed_when_attempts_agree(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, request);
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_JOB_ERROR);
    (void)core_rig_take_start(&rig, request);
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_JOB_ERROR);
    assert_true(core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARE_FAILED).deterministic);
}

/* One that is followed by something else was not the code's. */
static void a_job_error_alone_is_forgotten(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, request);
    core_rig_prepare_failed(&rig, worker, PVF__CORE_FAILURE_JOB_ERROR);
    (void)core_rig_take_start(&rig, request);
    (void)core_rig_prepared(&rig, worker);
    (void)core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, request);
    assert_int_equal(core_rig_stats(&rig).failures, 0);
}

static void a_death_is_tried_again_once_at_once(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t request = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, request);
    core_rig_dead(&rig, worker);
    core_rig_wait(&rig, PVF__CORE_SECOND);
    worker = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, request);
    core_rig_dead(&rig, worker);
    const struct pvf__core_command reply =
        core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARE_FAILED);
    assert_int_equal(reply.failure, PVF__CORE_FAILURE_DEATH);
    assert_false(reply.deterministic);
    /* A second later it may be tried again; a precheck may too. */
    core_rig_wait(&rig, PVF__CORE_SECOND);
    const uint64_t later = core_rig_precheck(&rig, &code);
    (void)core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, later);
}

/* 5, 10, 20, 40, 60 seconds, and then nothing until the failure is forgotten. */
static void local_trouble_backs_off_to_a_cap(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t waits[] = {5, 10, 20, 40, 60};
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        (void)fail_with(&code, PVF__CORE_FAILURE_LOCAL);
        core_rig_wait(&rig, waits[i] * PVF__CORE_SECOND - 1);
        assert_true(is_stored(&code));
        core_rig_wait(&rig, 1);
    }
    (void)fail_with(&code, PVF__CORE_FAILURE_LOCAL);
    core_rig_wait(&rig, 15 * PVF__CORE_MINUTE - 1);
    assert_true(is_stored(&code));
    core_rig_wait(&rig, 1);
    assert_false(is_stored(&code));
}

static void failures_expire(void **state)
{
    (void)state;
    const struct pvf__core_code one = core_rig_code(1);
    const struct pvf__core_code two = core_rig_code(2);
    (void)fail_with(&one, PVF__CORE_FAILURE_LOCAL);
    (void)fail_with(&two, PVF__CORE_FAILURE_PREVALIDATION);
    assert_int_equal(core_rig_stats(&rig).failures, 2);
    core_rig_wait(&rig, 2 * PVF__CORE_HOUR);
    assert_int_equal(core_rig_stats(&rig).failures, 1);
    core_rig_wait(&rig, 24 * PVF__CORE_HOUR);
    assert_int_equal(core_rig_stats(&rig).failures, 0);
}

static void a_full_disk_is_forgotten_when_there_is_room(void **state)
{
    (void)state;
    const struct pvf__core_code code = core_rig_code(1);
    (void)fail_with(&code, PVF__CORE_FAILURE_NO_SPACE);
    assert_true(is_stored(&code));
    pvf__core_free_space(rig.core, rig.now, rig.config.free_floor_bytes);
    core_rig_fetch(&rig);
    assert_false(is_stored(&code));
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, core_rig_tear_down, &rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_precheck_wants_its_construction),
        TEST(a_precheck_wants_its_time_limit),
        TEST(a_request_wants_its_memory_and_bomb_limits),
        TEST(a_stricter_artifact_replaces_the_old_one),
        TEST(a_failure_concerns_only_who_is_as_strict),
        TEST(a_precheck_timeout_does_not_fail_an_execution),
        TEST(only_the_codes_own_failures_are_deterministic),
        TEST(out_of_memory_is_held_against_its_limit_only),
        TEST(a_job_error_is_believed_when_attempts_agree),
        TEST(a_job_error_alone_is_forgotten),
        TEST(a_death_is_tried_again_once_at_once),
        TEST(local_trouble_backs_off_to_a_cap),
        TEST(failures_expire),
        TEST(a_full_disk_is_forgotten_when_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
