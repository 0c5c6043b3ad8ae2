/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: weighted fair queueing.  Each class has a virtual time: what it was charged, divided by its
 * share.  The class with the least is next.  A class that had nothing queued begins at the virtual
 * time of the system, so that it saves nothing up while it is idle.
 *
 * Why nobody starves (core.h has the bound B).  W jobs run at most, none costs more than L.  Let
 * used(x) be the virtual time of x, and low(x) the same without what is charged for jobs that run:
 * it never falls, and used(x) <= low(x) + W L / share(x).  The system's time `now` only takes
 * values that some class with something queued was not below, so low(x) >= now - W L / share(x) for
 * every such class.  Let c wait.  When it last started it had at most `now`, so it has at most now
 * + W L / share(c) until it starts again.  Another class d starts only while used(d) <= used(c):
 * until its last start in that time low(d) has grown by at most W L (1 / share(c) + 1 / share(d)),
 * that is a cost of share(d) W L / share(c) + W L.  Over the three other classes, and with W L for
 * what then still runs, it is less than W L (1 / share(c) + 3).
 */
#include "core/core_policy.h"

/* Far from the end of 64 bits; reached after thousands of years of CPU time. */
#define REBASE_AT (UINT64_C(1) << 62)

static void init(struct pvf__core_policy *policy, const struct pvf__core_config *config)
{
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        policy->share[i] = pvf__core_config_share(config, (enum pvf__core_class)i);
    }
}

static void joined(struct pvf__core_policy *policy, enum pvf__core_class cls)
{
    if (policy->used[cls] < policy->now) {
        policy->used[cls] = policy->now;
    }
}

static enum pvf__core_class choose(const struct pvf__core_policy *policy, unsigned mask)
{
    enum pvf__core_class best = PVF__CORE_BACKING;
    bool found = false;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        if ((mask & 1u << i) != 0 && (!found || policy->used[i] < policy->used[best])) {
            best = (enum pvf__core_class)i;
            found = true;
        }
    }
    return best;
}

static uint64_t
virtual_time(const struct pvf__core_policy *policy, enum pvf__core_class cls, uint64_t cost_ns)
{
    return cost_ns / policy->share[cls];
}

static void rebase(struct pvf__core_policy *policy)
{
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        policy->used[i] = policy->used[i] > policy->now ? policy->used[i] - policy->now : 0;
    }
    policy->now = 0;
}

static uint64_t
started(struct pvf__core_policy *policy, enum pvf__core_class cls, unsigned mask, uint64_t limit_ns)
{
    const uint64_t least = policy->used[choose(policy, mask | 1u << cls)];
    if (least > policy->now) {
        policy->now = least;
    }
    if (policy->now > REBASE_AT) {
        rebase(policy);
    }
    /* Before anything is known of a class: a quarter of what it may use. */
    uint64_t guess = policy->estimate[cls] > 0 ? policy->estimate[cls] : limit_ns / 4;
    if (guess > limit_ns) {
        guess = limit_ns;
    }
    const uint64_t charge = virtual_time(policy, cls, guess);
    policy->used[cls] += charge;
    return charge;
}

static void finished(struct pvf__core_policy *policy,
                     enum pvf__core_class cls,
                     uint64_t charge,
                     uint64_t cost_ns)
{
    const uint64_t rest = policy->used[cls] > charge ? policy->used[cls] - charge : 0;
    policy->used[cls] = rest + virtual_time(policy, cls, cost_ns);
    if (cost_ns > 0) {
        const uint64_t old = policy->estimate[cls];
        policy->estimate[cls] = old > 0 ? old - old / 8 + cost_ns / 8 : cost_ns;
    }
}

const struct pvf__core_policy_ops pvf__core_policy_fair = {
    .name = "fair",
    .by_deadline = true,
    .init = init,
    .joined = joined,
    .choose = choose,
    .started = started,
    .finished = finished,
};
