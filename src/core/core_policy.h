/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CORE_CORE_POLICY_H
#define PVF_CORE_CORE_POLICY_H

#include "core/core_config.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Which class of executions is next.  A policy knows no requests and no workers: only which classes
 * have something queued, what was started, and what it cost.
 */
struct pvf__core_policy;

struct pvf__core_policy_ops {
    const char *name;
    bool by_deadline; /* order inside a class: by deadline, or by arrival in the queue */
    void (*init)(struct pvf__core_policy *policy, const struct pvf__core_config *config);
    /* The queue of the class was empty and is no more. */
    void (*joined)(struct pvf__core_policy *policy, enum pvf__core_class cls);
    /* One of the classes in `mask` (bit 1 << class), which is not empty. */
    enum pvf__core_class (*choose)(const struct pvf__core_policy *policy, unsigned mask);
    /*
     * An execution with this CPU limit starts; `mask` has all classes with something queued, it
     * included.  Returns what is charged for now; give it back to `finished`.
     */
    uint64_t (*started)(struct pvf__core_policy *policy,
                        enum pvf__core_class cls,
                        unsigned mask,
                        uint64_t limit_ns);
    /* It is over, or never began (cost 0). */
    void (*finished)(struct pvf__core_policy *policy,
                     enum pvf__core_class cls,
                     uint64_t charge,
                     uint64_t cost_ns);
};

struct pvf__core_policy {
    const struct pvf__core_policy_ops *ops;
    /* Reference. */
    uint32_t starts[PVF__CORE_CLASSES];
    uint32_t thresholds[PVF__CORE_CLASSES];
    uint32_t window;
    /* Fair.  Virtual time is nanoseconds of CPU time per thousandth of share. */
    uint64_t used[PVF__CORE_CLASSES];
    uint64_t now; /* no class with something queued began below it */
    uint64_t estimate[PVF__CORE_CLASSES];
    uint32_t share[PVF__CORE_CLASSES];
};

extern const struct pvf__core_policy_ops pvf__core_policy_reference;
extern const struct pvf__core_policy_ops pvf__core_policy_fair;

static inline void pvf__core_policy_init(struct pvf__core_policy *policy,
                                         const struct pvf__core_config *config)
{
    *policy = (struct pvf__core_policy){
        .ops = config->policy == PVF__CORE_POLICY_REFERENCE ? &pvf__core_policy_reference
                                                            : &pvf__core_policy_fair,
    };
    policy->ops->init(policy, config);
}

#endif
