/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's memory: every allocation of every event fails once and nothing has changed; the
 * configuration's limits; the hash that keeps strangers from making chains long.  Linked with
 * --wrap=calloc.
 */
#include "support/core_rig.h"
#include "support/test.h"

#include "core/core_table.h"

#include <stdlib.h>
#include <string.h>

static long calls_until_failure = -1;
static unsigned long calls;

/* The names that the linker's --wrap wants. */
void *real_calloc(size_t count, size_t size) __asm__("__real_calloc");
void *wrap_calloc(size_t count, size_t size) __asm__("__wrap_calloc");

void *wrap_calloc(size_t count, size_t size)
{
    calls++;
    if (calls_until_failure == 0) {
        return NULL;
    }
    calls_until_failure -= calls_until_failure > 0;
    return real_calloc(count, size);
}

static struct core_rig rig;

enum what {
    PRECHECK,
    EXECUTE,
    HEADS_UP,
    LOADED,
    LEAVES_SET,
    LEAVES_UPDATE,
    KINDS,
};

static int tell(enum what what)
{
    const struct pvf__core_code code = core_rig_code(200);
    struct pvf__core_execution execution = core_rig_like(&code, PVF__CORE_APPROVAL);
    execution.request = 9000;
    execution.deadline_ns = rig.now + PVF__CORE_HOUR;
    const struct pvf__core_artifact artifact = {.key = code.key, .size = 1, .made_as = code};
    const uint8_t parents[2][32] = {{1}, {2}};
    uint64_t generation;
    switch (what) {
    case PRECHECK:
        return pvf__core_precheck(rig.core, rig.now, 9000, &code);
    case EXECUTE:
        return pvf__core_execute(rig.core, rig.now, &execution);
    case HEADS_UP:
        return pvf__core_heads_up(rig.core, rig.now, 9000, &code);
    case LOADED:
        return pvf__core_artifact_loaded(rig.core, rig.now, &artifact, &generation);
    case LEAVES_SET:
        return pvf__core_leaves_set(rig.core, rig.now, parents, 2);
    case LEAVES_UPDATE:
    case KINDS:
    default:
        return pvf__core_leaves_update(rig.core, rig.now, parents[0], parents + 1, 1, NULL, 0);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (unsigned what = 0; what < KINDS; what++) {
        unsigned failures = 0;
        for (long n = 0;; n++) {
            core_rig_config(&rig);
            core_rig_begin(&rig);
            const struct pvf__core_stats before = core_rig_stats(&rig);
            calls_until_failure = n;
            const int status = tell((enum what)what);
            calls_until_failure = -1;
            core_rig_fetch(&rig);
            if (status == 0) {
                core_rig_end(&rig);
                break;
            }
            assert_int_equal(status, PVF_ERR_NO_MEMORY);
            const struct pvf__core_stats after = core_rig_stats(&rig);
            assert_memory_equal(&before, &after, sizeof(before));
            core_rig_take_nothing(&rig);
            /* And it works when there is memory. */
            assert_int_equal(tell((enum what)what), 0);
            core_rig_fetch(&rig);
            core_rig_end(&rig);
            failures++;
        }
        assert_true(failures > 0);
    }
}

static void a_core_without_memory_is_none(void **state)
{
    (void)state;
    core_rig_config(&rig);
    for (long n = 0;; n++) {
        struct pvf__core *core = NULL;
        calls_until_failure = n;
        const int status = pvf__core_new(&rig.config, &core, NULL);
        calls_until_failure = -1;
        if (status == 0) {
            assert_true(n > 3);
            pvf__core_free(core);
            break;
        }
        assert_int_equal(status, PVF_ERR_NO_MEMORY);
        assert_null(core);
    }
}

/* From the request to its reply, with spawns, jobs, removals and deaths in between. */
static void no_other_event_allocates(void **state)
{
    (void)state;
    core_rig_config(&rig);
    core_rig_begin(&rig);
    const struct pvf__core_code code = core_rig_code(1);
    const uint64_t one = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const uint64_t two = core_rig_execute(&rig, &code, PVF__CORE_APPROVAL);
    const unsigned long before = calls;
    const uint64_t preparer = core_rig_take_spawn(&rig, PVF__CORE_PREPARE_WORKER);
    (void)core_rig_take_start(&rig, one);
    (void)core_rig_prepared(&rig, preparer);
    uint64_t worker = core_rig_take_spawn(&rig, PVF__CORE_EXECUTE_WORKER);
    (void)core_rig_take_start(&rig, one);
    core_rig_executed(&rig, worker, PVF__CORE_EXECUTE_BAD_ARTIFACT);
    (void)core_rig_take(&rig, PVF__CORE_REMOVE);
    (void)core_rig_take_reply(&rig, one, PVF__CORE_REPLY_EXECUTED);
    (void)core_rig_take_start(&rig, two);
    core_rig_prepare_failed(&rig, preparer, PVF__CORE_FAILURE_LOCAL);
    (void)core_rig_take_reply(&rig, two, PVF__CORE_REPLY_PREPARE_FAILED);
    core_rig_dead(&rig, worker);
    pvf__core_free_space(rig.core, rig.now, 1);
    core_rig_wait(&rig, 3 * PVF__CORE_HOUR);
    assert_int_equal(calls, before);
    core_rig_end(&rig);
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    core_rig_config(&rig);
    rig.config.max_requests = 2;
    core_rig_begin(&rig);
    struct pvf__core_code code = core_rig_code(1);
    assert_int_equal(pvf__core_precheck(rig.core, rig.now, 0, &code), PVF_ERR_INVALID_ARG);
    assert_int_equal(pvf__core_precheck(rig.core, rig.now, 1, &code), 0);
    assert_int_equal(pvf__core_precheck(rig.core, rig.now, 1, &code), PVF_ERR_INVALID_ARG);
    assert_int_equal(pvf__core_precheck(rig.core, rig.now, 2, &code), 0);
    assert_int_equal(pvf__core_precheck(rig.core, rig.now, 3, &code), PVF_ERR_LIMIT);
    code.cpu_limit_ns = 0;
    assert_int_equal(pvf__core_precheck(rig.core, rig.now, 4, &code), PVF_ERR_INVALID_ARG);
    struct pvf__core_execution execution = core_rig_like(&code, PVF__CORE_APPROVAL);
    execution.request = 4;
    assert_int_equal(pvf__core_execute(rig.core, rig.now, &execution), PVF_ERR_INVALID_ARG);
    core_rig_end(&rig);
    /* Backing that piles up leaves room for disputes. */
    core_rig_config(&rig);
    rig.config.classes[PVF__CORE_BACKING].max_requests = 1;
    core_rig_begin(&rig);
    code = core_rig_code(1);
    execution = core_rig_like(&code, PVF__CORE_BACKING);
    execution.request = 1;
    assert_int_equal(pvf__core_execute(rig.core, rig.now, &execution), 0);
    execution.request = 2;
    assert_int_equal(pvf__core_execute(rig.core, rig.now, &execution), PVF_ERR_LIMIT);
    execution.cls = PVF__CORE_DISPUTE;
    assert_int_equal(pvf__core_execute(rig.core, rig.now, &execution), 0);
    core_rig_cancel(&rig, 1);
    execution.request = 3;
    execution.cls = PVF__CORE_BACKING;
    assert_int_equal(pvf__core_execute(rig.core, rig.now, &execution), 0);
    core_rig_end(&rig);
}

static void limits_that_cannot_work_are_refused(void **state)
{
    (void)state;
    struct pvf__core_config config;
    pvf__core_config_default(&config);
    pvf_error error = PVF_ERROR_INIT;
    assert_int_equal(pvf__core_config_check(&config, &error), 0);
    pvf__core_config_reference(&config);
    assert_int_equal(pvf__core_config_check(&config, &error), 0);
#define REFUSED(field, value, word)                                                                \
    do {                                                                                           \
        pvf__core_config_default(&config);                                                         \
        config.field = (value);                                                                    \
        assert_int_equal(pvf__core_config_check(&config, &error), PVF_ERR_INVALID_ARG);            \
        assert_non_null(strstr(error.text, word));                                                 \
    } while (0)
    REFUSED(prepare_soft_max, 0, "prepare_soft_max");
    REFUSED(prepare_hard_max, 0, "prepare_hard_max");
    REFUSED(prepare_soft_max, 3, "is above prepare_hard_max (2)");
    REFUSED(execute_max, 0, "execute_max");
    REFUSED(execute_max, PVF__CORE_WORKERS_MAX + 1, "256");
    REFUSED(spawn_tries, 0, "spawn_tries");
    REFUSED(wall_factor, 0, "wall_factor");
    REFUSED(min_cost_ns, 0, "min_cost_ns");
    REFUSED(prune_period_ns, 0, "prune_period_ns");
    REFUSED(keep_waiting_ns, UINT64_MAX, "keep_waiting_ns");
    REFUSED(classes[3].min_share, 900, "1500 thousandths");
    REFUSED(classes[1].threshold, 0, "threshold");
    REFUSED(backoff[7].cap_ns, UINT64_MAX, "cap_ns");
#undef REFUSED
    pvf__core_config_default(&config);
    config.classes[2].min_share = 0;
    config.classes[2].weight = 0;
    assert_int_equal(pvf__core_config_check(&config, &error), PVF_ERR_INVALID_ARG);
    assert_non_null(strstr(error.text, "class 2"));
    struct pvf__core *core = NULL;
    assert_int_equal(pvf__core_new(&config, &core, &error), PVF_ERR_INVALID_ARG);
    assert_null(core);
}

/* The vectors of SipHash-2-4's authors: key 00 01 … 0f, inputs 00 01 … of each length. */
static void the_hash_is_siphash(void **state)
{
    (void)state;
    const uint64_t seed[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t bytes[16];
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_true(pvf__core_table_hash(seed, bytes, 0) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(pvf__core_table_hash(seed, bytes, 8) == UINT64_C(0x93f5f5799a932462));
    assert_true(pvf__core_table_hash(seed, bytes, 15) == UINT64_C(0xa129ca6149be45e5));
}

static void tables_grow_or_do_without(void **state)
{
    (void)state;
    static struct pvf__core_node nodes[1000];
    struct pvf__core_table table;
    for (unsigned run = 0; run < 2; run++) {
        assert_int_equal(pvf__core_table_init(&table), 0);
        calls_until_failure = run == 0 ? -1 : 0;
        for (unsigned i = 0; i < 1000; i++) {
            pvf__core_table_put(&table, &nodes[i], i % 500);
        }
        calls_until_failure = -1;
        assert_int_equal(table.mask > 64, run == 0);
        for (unsigned i = 0; i < 1000; i++) {
            struct pvf__core_node *node = pvf__core_table_first(&table, i % 500);
            assert_true(node == &nodes[i] || pvf__core_table_next(node) == &nodes[i]);
        }
        for (unsigned i = 0; i < 1000; i++) {
            pvf__core_table_remove(&table, &nodes[i]);
        }
        assert_int_equal(table.count, 0);
        assert_null(pvf__core_table_first(&table, 3));
        pvf__core_table_done(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_core_without_memory_is_none),
        cmocka_unit_test(no_other_event_allocates),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(limits_that_cannot_work_are_refused),
        cmocka_unit_test(the_hash_is_siphash),
        cmocka_unit_test(tables_grow_or_do_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
