/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the reference's choice of a class.  Starts are counted in a window; a class has reached its
 * share when its starts are at least its threshold, in percent, of those of it and all lower ranks.
 * The highest rank that has not is next; if all have, the highest.
 */
#include "core/core_policy.h"

static void init(struct pvf__core_policy *policy, const struct pvf__core_config *config)
{
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        policy->thresholds[i] = config->classes[i].threshold;
    }
    policy->window = config->window;
}

static void joined(struct pvf__core_policy *policy, enum pvf__core_class cls)
{
    (void)policy;
    (void)cls;
}

static bool reached(const struct pvf__core_policy *policy, unsigned cls)
{
    uint64_t sum = 0;
    for (unsigned i = cls; i < PVF__CORE_CLASSES; i++) {
        sum += policy->starts[i];
    }
    return sum > 0 &&
           UINT64_C(100) * policy->starts[cls] / sum >= (uint64_t)policy->thresholds[cls];
}

static enum pvf__core_class choose(const struct pvf__core_policy *policy, unsigned mask)
{
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        if ((mask & 1u << i) != 0 && !reached(policy, i)) {
            return (enum pvf__core_class)i;
        }
    }
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        if ((mask & 1u << i) != 0) {
            return (enum pvf__core_class)i;
        }
    }
    return PVF__CORE_BACKING;
}

static uint64_t
started(struct pvf__core_policy *policy, enum pvf__core_class cls, unsigned mask, uint64_t limit_ns)
{
    (void)mask;
    (void)limit_ns;
    policy->starts[cls]++;
    uint32_t sum = 0;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        sum += policy->starts[i];
    }
    if (sum >= policy->window) {
        for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
            policy->starts[i] = 0;
        }
    }
    return 0;
}

static void finished(struct pvf__core_policy *policy,
                     enum pvf__core_class cls,
                     uint64_t charge,
                     uint64_t cost_ns)
{
    (void)policy;
    (void)cls;
    (void)charge;
    (void)cost_ns;
}

const struct pvf__core_policy_ops pvf__core_policy_reference = {
    .name = "reference",
    .by_deadline = false,
    .init = init,
    .joined = joined,
    .choose = choose,
    .started = started,
    .finished = finished,
};
