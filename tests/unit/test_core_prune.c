/* SPDX-License-Identifier: Apache-2.0 */
/* Which artifacts go, and when: by size, by free space, never one in use or needed a moment ago. */
#include "support/core_rig.h"
#include "support/test.h"

static struct core_rig rig;

static int setup(void **state)
{
    (void)state;
    core_rig_config(&rig);
    rig.config.cache_max_bytes = 1024;
    rig.config.cache_min_idle_ns = PVF__CORE_MINUTE;
    rig.config.prune_period_ns = PVF__CORE_HOUR;
    rig.config.free_floor_bytes = 5000;
    rig.config.free_min_idle_ns = PVF__CORE_SECOND;
    core_rig_begin(&rig);
    return 0;
}

/* Two artifacts of 1024 bytes, one refreshed by a heads-up: only the other goes, and only once. */
static void pruning_by_size(void **state)
{
    (void)state;
    const struct pvf__core_code one = core_rig_code(1);
    const struct pvf__core_code two = core_rig_code(2);
    (void)core_rig_prepare(&rig, &one);
    core_rig_wait(&rig, 1);
    const uint64_t second = core_rig_prepare(&rig, &two);
    core_rig_wait(&rig, PVF__CORE_SECOND);
    const uint64_t request = core_rig_heads_up(&rig, &one);
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED);
    core_rig_wait(&rig, 2 * PVF__CORE_HOUR);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == second);
    core_rig_take_nothing(&rig);
    core_rig_wait(&rig, 10 * PVF__CORE_HOUR);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).cache_bytes, 1024);
    assert_int_equal(core_rig_stats(&rig).removed, 1);
}

static void pruning_is_stopped_by_the_idle_time(void **state)
{
    (void)state;
    rig.config.cache_min_idle_ns = 24 * PVF__CORE_HOUR;
    core_rig_end(&rig);
    core_rig_begin(&rig);
    for (unsigned i = 1; i <= 5; i++) {
        const struct pvf__core_code code = core_rig_code(i);
        (void)core_rig_prepare(&rig, &code);
    }
    core_rig_wait(&rig, 23 * PVF__CORE_HOUR);
    core_rig_take_nothing(&rig);
    assert_int_equal(core_rig_stats(&rig).cache_bytes, 5 * 1024);
    core_rig_wait(&rig, 2 * PVF__CORE_HOUR);
    assert_int_equal(core_rig_stats(&rig).cache_bytes, 1024);
}

/* The reference counted the folder's own size and never removed anything. */
static void a_new_artifact_makes_room_at_once(void **state)
{
    (void)state;
    const struct pvf__core_code one = core_rig_code(1);
    const struct pvf__core_code two = core_rig_code(2);
    const uint64_t first = core_rig_prepare(&rig, &one);
    core_rig_wait(&rig, PVF__CORE_MINUTE);
    const uint64_t request = core_rig_heads_up(&rig, &two);
    (void)core_rig_prepared(&rig, core_rig_take_start(&rig, request));
    (void)core_rig_take_reply(&rig, request, PVF__CORE_REPLY_PREPARED);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == first);
}

static void what_is_in_use_stays(void **state)
{
    (void)state;
    const struct pvf__core_code one = core_rig_code(1);
    const struct pvf__core_code two = core_rig_code(2);
    (void)core_rig_prepare(&rig, &one);
    const uint64_t request = core_rig_execute(&rig, &one, PVF__CORE_APPROVAL);
    const uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, request);
    (void)core_rig_prepare(&rig, &two);
    core_rig_wait(&rig, 10 * PVF__CORE_HOUR);
    /* Older, but it runs; so the other one went. */
    struct pvf__core_artifact artifact;
    assert_true(pvf__core_artifact_find(rig.core, &one.key, &artifact));
    assert_false(pvf__core_artifact_find(rig.core, &two.key, &artifact));
    core_rig_skip(&rig);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_DONE);
}

static void loaded_artifacts_go_by_their_age(void **state)
{
    (void)state;
    uint64_t generations[3];
    const uint64_t ages[3] = {10, 30, 20};
    for (unsigned i = 0; i < 3; i++) {
        const struct pvf__core_code code = core_rig_code(i + 1);
        const struct pvf__core_artifact artifact = {
            .key = code.key, .size = 500, .unused_ns = ages[i] * PVF__CORE_HOUR, .made_as = code};
        assert_int_equal(pvf__core_artifact_loaded(rig.core, rig.now, &artifact, &generations[i]),
                         0);
    }
    core_rig_fetch(&rig);
    core_rig_wait(&rig, PVF__CORE_HOUR);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == generations[1]);
    core_rig_take_nothing(&rig);
}

static void little_free_space_removes_sooner_and_alarms(void **state)
{
    (void)state;
    rig.config.cache_max_bytes = 1u << 30;
    core_rig_end(&rig);
    core_rig_begin(&rig);
    uint64_t generations[3];
    for (unsigned i = 0; i < 3; i++) {
        const struct pvf__core_code code = core_rig_code(i + 1);
        generations[i] = core_rig_prepare(&rig, &code);
        core_rig_wait(&rig, PVF__CORE_SECOND);
    }
    /* 4000 free and 5000 wanted: one of 1024 bytes is enough. */
    pvf__core_free_space(rig.core, rig.now, 4000);
    core_rig_fetch(&rig);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == generations[0]);
    core_rig_take_nothing(&rig);
    pvf__core_free_space(rig.core, rig.now, 0);
    core_rig_fetch(&rig);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == generations[1]);
    assert_true(core_rig_take(&rig, PVF__CORE_REMOVE).generation == generations[2]);
    const struct pvf__core_command alarm = core_rig_take(&rig, PVF__CORE_ALARM);
    assert_int_equal(alarm.alarm, PVF__CORE_ALARM_FREE_SPACE);
    assert_true(alarm.alarm_on);
    pvf__core_free_space(rig.core, rig.now, 5000);
    core_rig_fetch(&rig);
    assert_false(core_rig_take(&rig, PVF__CORE_ALARM).alarm_on);
    core_rig_take_nothing(&rig);
}

/* An alarm that went before anybody heard of it is not told. */
static void an_alarm_that_has_passed_is_not_told(void **state)
{
    (void)state;
    pvf__core_free_space(rig.core, rig.now, 0);
    pvf__core_free_space(rig.core, rig.now, 5000);
    core_rig_fetch(&rig);
    core_rig_take_nothing(&rig);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, core_rig_tear_down, &rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pruning_by_size),
        TEST(pruning_is_stopped_by_the_idle_time),
        TEST(a_new_artifact_makes_room_at_once),
        TEST(what_is_in_use_stays),
        TEST(loaded_artifacts_go_by_their_age),
        TEST(little_free_space_removes_sooner_and_alarms),
        TEST(an_alarm_that_has_passed_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
