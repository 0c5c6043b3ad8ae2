/* SPDX-License-Identifier: Apache-2.0 */
/* When an execution is tried again, and what is said at the end. */
#include "support/test.h"

#include "core/core_retry.h"

#define BEGIN (100 * PVF__CORE_SECOND)
#define LIMIT (12 * PVF__CORE_SECOND)

static void begin(struct pvf__core_retry *retry, enum pvf__core_class cls)
{
    struct pvf__core_retry_config config;
    pvf__core_retry_default(&config);
    pvf__core_retry_begin(retry, &config, cls, LIMIT, BEGIN);
}

/* Every kind of end, first time and second time, for every class. */
static void each_kind_of_end(void **state)
{
    (void)state;
    const struct {
        enum pvf__core_attempt attempt;
        enum pvf__core_retry_action first; /* approval, dispute */
        enum pvf__core_verdict last;
        enum pvf__core_verdict backing;
    } rows[] = {
        {PVF__CORE_ATTEMPT_VALID,
         PVF__CORE_RETRY_RETURN,
         PVF__CORE_VERDICT_VALID,
         PVF__CORE_VERDICT_VALID},
        {PVF__CORE_ATTEMPT_INVALID,
         PVF__CORE_RETRY_RETURN,
         PVF__CORE_VERDICT_INVALID,
         PVF__CORE_VERDICT_INVALID},
        {PVF__CORE_ATTEMPT_PREPARATION,
         PVF__CORE_RETRY_RETURN,
         PVF__CORE_VERDICT_NONE,
         PVF__CORE_VERDICT_NONE},
        {PVF__CORE_ATTEMPT_EXPIRED,
         PVF__CORE_RETRY_RETURN,
         PVF__CORE_VERDICT_NONE,
         PVF__CORE_VERDICT_NONE},
        {PVF__CORE_ATTEMPT_DEATH,
         PVF__CORE_RETRY_WAIT,
         PVF__CORE_VERDICT_INVALID,
         PVF__CORE_VERDICT_NONE},
        {PVF__CORE_ATTEMPT_JOB_ERROR,
         PVF__CORE_RETRY_WAIT,
         PVF__CORE_VERDICT_INVALID,
         PVF__CORE_VERDICT_NONE},
        {PVF__CORE_ATTEMPT_BAD_ARTIFACT,
         PVF__CORE_RETRY_PREPARE,
         PVF__CORE_VERDICT_INVALID,
         PVF__CORE_VERDICT_NONE},
        {PVF__CORE_ATTEMPT_INTERNAL,
         PVF__CORE_RETRY_WAIT,
         PVF__CORE_VERDICT_NONE,
         PVF__CORE_VERDICT_NONE},
    };
    assert_int_equal(sizeof(rows) / sizeof(rows[0]), PVF__CORE_ATTEMPTS);
    for (size_t i = 0; i < PVF__CORE_ATTEMPTS; i++) {
        for (unsigned cls = 0; cls < PVF__CORE_CLASSES; cls++) {
            const bool backing = cls >= PVF__CORE_BACKING_SYSTEM_PARAS;
            struct pvf__core_retry retry;
            begin(&retry, (enum pvf__core_class)cls);
            struct pvf__core_retry_step step =
                pvf__core_retry_ended(&retry, BEGIN + 1, rows[i].attempt);
            if (backing) {
                assert_int_equal(step.action, PVF__CORE_RETRY_RETURN);
                assert_int_equal(step.verdict, rows[i].backing);
                continue;
            }
            assert_int_equal(step.action, rows[i].first);
            if (step.action == PVF__CORE_RETRY_PREPARE) {
                step = pvf__core_retry_prepared(&retry, BEGIN + 2, true);
                assert_int_equal(step.action, PVF__CORE_RETRY_WAIT);
                assert_true(step.at == BEGIN + 2); /* without sleeping */
            } else if (step.action == PVF__CORE_RETRY_WAIT) {
                assert_true(step.at == BEGIN + 1 + 3 * PVF__CORE_SECOND);
            }
            if (step.action != PVF__CORE_RETRY_RETURN) {
                step = pvf__core_retry_ended(&retry, step.at + 1, rows[i].attempt);
            }
            assert_int_equal(step.action, PVF__CORE_RETRY_RETURN);
            assert_int_equal(step.verdict, rows[i].last);
            assert_false(step.out_of_time);
        }
    }
}

/* Each kind has a budget of its own. */
static void budgets_are_per_kind(void **state)
{
    (void)state;
    struct pvf__core_retry retry;
    begin(&retry, PVF__CORE_APPROVAL);
    uint64_t now = BEGIN;
    const enum pvf__core_attempt ends[] = {
        PVF__CORE_ATTEMPT_DEATH, PVF__CORE_ATTEMPT_JOB_ERROR, PVF__CORE_ATTEMPT_INTERNAL};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const struct pvf__core_retry_step step =
            pvf__core_retry_ended(&retry, now += PVF__CORE_SECOND, ends[i]);
        assert_int_equal(step.action, PVF__CORE_RETRY_WAIT);
    }
    const struct pvf__core_retry_step step =
        pvf__core_retry_ended(&retry, now + 1, PVF__CORE_ATTEMPT_DEATH);
    assert_int_equal(step.verdict, PVF__CORE_VERDICT_INVALID);
    begin(&retry, PVF__CORE_APPROVAL);
    (void)pvf__core_retry_ended(&retry, BEGIN, PVF__CORE_ATTEMPT_INTERNAL);
    assert_int_equal(pvf__core_retry_ended(&retry, BEGIN, PVF__CORE_ATTEMPT_VALID).verdict,
                     PVF__CORE_VERDICT_VALID);
}

static void a_failed_preparation_is_no_verdict(void **state)
{
    (void)state;
    struct pvf__core_retry retry;
    begin(&retry, PVF__CORE_DISPUTE);
    (void)pvf__core_retry_ended(&retry, BEGIN, PVF__CORE_ATTEMPT_BAD_ARTIFACT);
    const struct pvf__core_retry_step step = pvf__core_retry_prepared(&retry, BEGIN, false);
    assert_int_equal(step.action, PVF__CORE_RETRY_RETURN);
    assert_int_equal(step.verdict, PVF__CORE_VERDICT_NONE);
}

/* The reference votes invalid after a slow compile, since the second try has no time left. */
static void who_is_out_of_time_says_nothing(void **state)
{
    (void)state;
    struct pvf__core_retry_config config;
    pvf__core_retry_default(&config);
    config.wall_budget_ns = 20 * PVF__CORE_SECOND;
    struct pvf__core_retry retry;
    pvf__core_retry_begin(&retry, &config, PVF__CORE_APPROVAL, LIMIT, BEGIN);
    struct pvf__core_retry_step step =
        pvf__core_retry_ended(&retry, BEGIN + 17 * PVF__CORE_SECOND, PVF__CORE_ATTEMPT_DEATH);
    assert_int_equal(step.action, PVF__CORE_RETRY_WAIT);
    pvf__core_retry_begin(&retry, &config, PVF__CORE_APPROVAL, LIMIT, BEGIN);
    step =
        pvf__core_retry_ended(&retry, BEGIN + 17 * PVF__CORE_SECOND + 1, PVF__CORE_ATTEMPT_DEATH);
    assert_int_equal(step.action, PVF__CORE_RETRY_RETURN);
    assert_int_equal(step.verdict, PVF__CORE_VERDICT_NONE);
    assert_true(step.out_of_time);
    pvf__core_retry_begin(&retry, &config, PVF__CORE_APPROVAL, LIMIT, BEGIN);
    step = pvf__core_retry_ended(&retry, BEGIN, PVF__CORE_ATTEMPT_BAD_ARTIFACT);
    assert_int_equal(step.action, PVF__CORE_RETRY_PREPARE);
    step = pvf__core_retry_prepared(&retry, BEGIN + 21 * PVF__CORE_SECOND, true);
    assert_int_equal(step.verdict, PVF__CORE_VERDICT_NONE);
    assert_true(step.out_of_time);
}

/* Attempts that all take four times their CPU limit do not use the default budget up. */
static void hostile_code_cannot_make_us_abstain(void **state)
{
    (void)state;
    const enum pvf__core_attempt kinds[] = {
        PVF__CORE_ATTEMPT_DEATH, PVF__CORE_ATTEMPT_JOB_ERROR, PVF__CORE_ATTEMPT_BAD_ARTIFACT};
    for (unsigned order = 0; order < 27 * 27; order++) {
        struct pvf__core_retry retry;
        begin(&retry, PVF__CORE_APPROVAL);
        uint64_t now = BEGIN;
        unsigned choice = order;
        for (unsigned i = 0;; i++) {
            assert_true(i < 6);
            now += 4 * LIMIT;
            struct pvf__core_retry_step step =
                pvf__core_retry_ended(&retry, now, kinds[choice % 3]);
            choice /= 3;
            if (step.action == PVF__CORE_RETRY_PREPARE) {
                step = pvf__core_retry_prepared(&retry, now, true);
            }
            if (step.action == PVF__CORE_RETRY_RETURN) {
                assert_int_equal(step.verdict, PVF__CORE_VERDICT_INVALID);
                break;
            }
            now = step.at;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_end),
        cmocka_unit_test(budgets_are_per_kind),
        cmocka_unit_test(a_failed_preparation_is_no_verdict),
        cmocka_unit_test(who_is_out_of_time_says_nothing),
        cmocka_unit_test(hostile_code_cannot_make_us_abstain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
