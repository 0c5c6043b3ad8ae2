/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which class is next: every row of the reference's windows, and the promises of the fair policy.
 */
#include "support/test.h"

#include "core/core.h"
#include "core/core_policy.h"

#include <string.h>

static const char letters[] = "DASB";

static unsigned mask_of(const char *classes)
{
    unsigned mask = 0;
    for (; *classes != '\0'; classes++) {
        mask |= 1u << (unsigned)(strchr(letters, *classes) - letters);
    }
    return mask;
}

static void the_reference_windows(void **state)
{
    (void)state;
    const struct {
        const char *loaded;
        const char *order;
    } rows[] = {
        {"DASB", "DADDSDDADDAD"},
        {"DAB", "DADDBDDADDAD"},
        {"DSB", "DSDDBDDSDDSD"},
        {"ASB", "ASAAABAAAASA"},
        {"DA", "DADDDDDDDDDD"},
        {"AB", "ABAAAAAAAAAA"},
        {"AS", "ASAAAAAAAAAA"},
        {"SB", "SBSSSSSSSSSS"},
        {"DB", "DBDDDDDDDDDD"},
        {"DS", "DSDDDDDDDDDD"},
        {"D", "DDDDDDDDDDDD"},
        {"B", "BBBBBBBBBBBB"},
        {"DAS", "DADDSDDADDAD"},
    };
    struct pvf__core_config config;
    pvf__core_config_reference(&config);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pvf__core_policy policy;
        pvf__core_policy_init(&policy, &config);
        assert_string_equal(policy.ops->name, "reference");
        char order[25] = "";
        /* Two windows: the second is as the first. */
        for (unsigned k = 0; k < 24; k++) {
            const unsigned mask = mask_of(rows[i].loaded);
            const enum pvf__core_class cls = policy.ops->choose(&policy, mask);
            order[k] = letters[cls];
            (void)policy.ops->started(&policy, cls, mask, PVF__CORE_SECOND);
        }
        assert_memory_equal(order, rows[i].order, 12);
        assert_memory_equal(order + 12, rows[i].order, 12);
    }
}

/* Serves saturated classes for a while; returns the thousandths of CPU time that each got. */
static void serve(const struct pvf__core_config *config,
                  const char *classes,
                  const uint64_t cost[PVF__CORE_CLASSES],
                  unsigned ret_shares[PVF__CORE_CLASSES])
{
    struct pvf__core_policy policy;
    pvf__core_policy_init(&policy, config);
    uint64_t got[PVF__CORE_CLASSES] = {0};
    uint64_t sum = 0;
    for (unsigned i = 0; i < 20000; i++) {
        const unsigned mask = mask_of(classes);
        const enum pvf__core_class cls = policy.ops->choose(&policy, mask);
        assert_true((mask & 1u << cls) != 0);
        const uint64_t charge = policy.ops->started(&policy, cls, mask, 12 * PVF__CORE_SECOND);
        policy.ops->finished(&policy, cls, charge, cost[cls]);
        got[cls] += cost[cls];
        sum += cost[cls];
    }
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        ret_shares[i] = (unsigned)(got[i] * 1000 / sum);
    }
}

/* Shares are of CPU time, not of starts: expensive jobs get fewer of them. */
static void fair_shares_are_of_cpu_time(void **state)
{
    (void)state;
    struct pvf__core_config config;
    pvf__core_config_default(&config);
    const uint64_t cost[PVF__CORE_CLASSES] = {
        12 * PVF__CORE_SECOND, PVF__CORE_SECOND, 100 * PVF__CORE_MS, 2 * PVF__CORE_SECOND};
    unsigned shares[PVF__CORE_CLASSES];
    serve(&config, "DASB", cost, shares);
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        const unsigned share = pvf__core_config_share(&config, (enum pvf__core_class)i);
        assert_in_range(shares[i], share - 10, share + 10);
        assert_true(shares[i] + 10 >= config.classes[i].min_share);
    }
    /* What an idle class leaves goes to the others, in proportion. */
    serve(&config, "AB", cost, shares);
    const unsigned a = pvf__core_config_share(&config, PVF__CORE_APPROVAL);
    const unsigned b = pvf__core_config_share(&config, PVF__CORE_BACKING);
    assert_in_range(shares[1], a * 1000 / (a + b) - 10, a * 1000 / (a + b) + 10);
    assert_int_equal(shares[0] + shares[2], 0);
}

/* A class that was idle for long is served next, but saves nothing up. */
static void a_fair_class_saves_nothing_up(void **state)
{
    (void)state;
    struct pvf__core_config config;
    pvf__core_config_default(&config);
    struct pvf__core_policy policy;
    pvf__core_policy_init(&policy, &config);
    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t charge =
            policy.ops->started(&policy, PVF__CORE_BACKING, mask_of("B"), PVF__CORE_SECOND);
        policy.ops->finished(&policy, PVF__CORE_BACKING, charge, PVF__CORE_SECOND);
    }
    policy.ops->joined(&policy, PVF__CORE_DISPUTE);
    unsigned starts = 0;
    while (policy.ops->choose(&policy, mask_of("DB")) == PVF__CORE_DISPUTE) {
        const uint64_t charge =
            policy.ops->started(&policy, PVF__CORE_DISPUTE, mask_of("DB"), PVF__CORE_SECOND);
        policy.ops->finished(&policy, PVF__CORE_DISPUTE, charge, PVF__CORE_SECOND);
        starts++;
    }
    /* About as many as its share is larger, not the thousand that it missed. */
    assert_in_range(starts, 1, 16);
}

/* Deterministic worst cases against the bound of core.h: W workers, costs from nothing to L. */
static void nobody_starves_longer_than_the_bound(void **state)
{
    (void)state;
    struct pvf__core_config config;
    pvf__core_config_default(&config);
    const uint64_t limit = 12 * PVF__CORE_SECOND;
    uint64_t random = 1;
    uint64_t worst = 0;
    for (unsigned victim = 0; victim < PVF__CORE_CLASSES; victim++) {
        struct pvf__core_policy policy;
        pvf__core_policy_init(&policy, &config);
        struct {
            enum pvf__core_class cls;
            uint64_t charge;
            uint64_t cost;
        } running[4];
        uint64_t waited = 0;
        for (unsigned i = 0; i < 100000; i++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            const unsigned slot = (unsigned)(random >> 40) % 4;
            if (i >= 4) {
                policy.ops->finished(
                    &policy, running[slot].cls, running[slot].charge, running[slot].cost);
                waited += (unsigned)running[slot].cls != victim ? running[slot].cost : 0;
            }
            const unsigned at = i < 4 ? i : slot;
            const enum pvf__core_class cls = policy.ops->choose(&policy, 15);
            running[at].cls = cls;
            running[at].charge = policy.ops->started(&policy, cls, 15, limit);
            running[at].cost = (random >> 20) % 3 == 0 ? limit : config.min_cost_ns;
            worst = waited > worst ? waited : worst;
            assert_true(waited <= pvf__core_starvation_bound_ns(
                                      &config, (enum pvf__core_class)victim, limit));
            if ((unsigned)cls == victim) {
                waited = 0;
            }
        }
    }
    assert_true(worst > limit); /* the test does press */
}

/* The same promise is broken by the reference: that the test above can fail. */
static void the_reference_starves_backing(void **state)
{
    (void)state;
    struct pvf__core_config config;
    pvf__core_config_reference(&config);
    struct pvf__core_policy policy;
    pvf__core_policy_init(&policy, &config);
    for (unsigned i = 0; i < 100000; i++) {
        const enum pvf__core_class cls = policy.ops->choose(&policy, mask_of("DASB"));
        assert_int_not_equal(cls, PVF__CORE_BACKING);
        (void)policy.ops->started(&policy, cls, mask_of("DASB"), PVF__CORE_SECOND);
    }
}

/* Thousands of years of CPU time: virtual times begin anew and nothing changes. */
static void virtual_time_does_not_wrap(void **state)
{
    (void)state;
    struct pvf__core_config config;
    pvf__core_config_default(&config);
    const uint64_t huge = UINT64_C(1) << 62;
    const uint64_t cost[PVF__CORE_CLASSES] = {huge, huge, huge, huge};
    unsigned starts[PVF__CORE_CLASSES] = {0};
    struct pvf__core_policy policy;
    pvf__core_policy_init(&policy, &config);
    for (unsigned i = 0; i < 10000; i++) {
        const enum pvf__core_class cls = policy.ops->choose(&policy, 15);
        const uint64_t charge = policy.ops->started(&policy, cls, 15, huge);
        policy.ops->finished(&policy, cls, charge, cost[cls]);
        starts[cls]++;
    }
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        const unsigned share = pvf__core_config_share(&config, (enum pvf__core_class)i);
        assert_in_range(starts[i], share * 9, share * 11);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_windows),
        cmocka_unit_test(fair_shares_are_of_cpu_time),
        cmocka_unit_test(a_fair_class_saves_nothing_up),
        cmocka_unit_test(nobody_starves_longer_than_the_bound),
        cmocka_unit_test(the_reference_starves_backing),
        cmocka_unit_test(virtual_time_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
