/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: every default of the core, where it comes from, and what a configuration may say.
 */
#include "core/core_config.h"

#include "base/error.h"

#include <string.h>

/* Shares of the reference's window of twelve starts when all classes have work: 8, 3, 1, 0. */
static const struct pvf__core_class_config classes[PVF__CORE_CLASSES] = {
    [PVF__CORE_DISPUTE] = {.max_requests = 768,
                           .threshold = 70,
                           .weight = 8,
                           .min_share = 300,
                           .patience_ns = 60 * PVF__CORE_SECOND},
    /* Approval voting waits 120 s for a candidate. */
    [PVF__CORE_APPROVAL] = {.max_requests = 768,
                            .threshold = 80,
                            .weight = 3,
                            .min_share = 200,
                            .patience_ns = 60 * PVF__CORE_SECOND},
    [PVF__CORE_BACKING_SYSTEM_PARAS] = {.max_requests = 768,
                                        .threshold = 100,
                                        .weight = 1,
                                        .min_share = 100,
                                        .patience_ns = 12 * PVF__CORE_SECOND},
    [PVF__CORE_BACKING] = {.max_requests = 768,
                           .threshold = 100,
                           .weight = 1,
                           .min_share = 50,
                           .patience_ns = 12 * PVF__CORE_SECOND},
};

/* None waits longer than the reference's 15 minutes or retries more often than its five times. */
#define RETRIES 5u
#define COOLDOWN (15 * PVF__CORE_MINUTE)

void pvf__core_config_default(struct pvf__core_config *ret)
{
    *ret = (struct pvf__core_config){
        .prepare_soft_max = 1,
        .prepare_hard_max = 2,
        .execute_max = 4,
        .max_requests = 4096,
        .requeue_max = 3,
        .prepare_aging_ns = 10 * PVF__CORE_MINUTE,
        .prepare_idle_ns = 10 * PVF__CORE_MINUTE,
        .execute_idle_ns = 10 * PVF__CORE_MINUTE,
        .cancel_kills = true,
        .keep_waiting_ns = 4 * PVF__CORE_SECOND,
        .spawn_backoff_ns = 500 * PVF__CORE_MS,
        .spawn_backoff_cap_ns = 30 * PVF__CORE_SECOND,
        .spawn_tries = 5,
        .policy = PVF__CORE_POLICY_FAIR,
        .window = 12,
        .min_cost_ns = 5 * PVF__CORE_MS,
        .wall_factor = 4,
        .job_error_attempts = 2,
        .death_retries = 1,
        .precheck_retries = true,
        .failure_expiry_ns = COOLDOWN,
        .permanent_expiry_ns = 24 * PVF__CORE_HOUR,
        .cache_max_bytes = UINT64_C(10) << 30,
        .cache_min_idle_ns = 24 * PVF__CORE_HOUR,
        .free_floor_bytes = UINT64_C(1) << 30,
        .free_min_idle_ns = 10 * PVF__CORE_MINUTE,
        .prune_period_ns = PVF__CORE_HOUR,
    };
    memcpy(ret->classes, classes, sizeof(classes));
    for (unsigned i = 0; i < PVF__CORE_FAILURES; i++) {
        ret->backoff[i] = (struct pvf__core_backoff){
            .base_ns = 5 * PVF__CORE_SECOND, .cap_ns = PVF__CORE_MINUTE, .retries = RETRIES};
    }
    /* The code decides these two more than the machine does. */
    ret->backoff[PVF__CORE_FAILURE_CONSTRUCTION] = (struct pvf__core_backoff){
        .base_ns = PVF__CORE_MINUTE, .cap_ns = COOLDOWN, .retries = RETRIES};
    ret->backoff[PVF__CORE_FAILURE_TIMED_OUT] = ret->backoff[PVF__CORE_FAILURE_CONSTRUCTION];
    ret->backoff[PVF__CORE_FAILURE_DEATH].base_ns = PVF__CORE_SECOND;
}

void pvf__core_config_reference(struct pvf__core_config *ret)
{
    pvf__core_config_default(ret);
    ret->prepare_aging_ns = 0;
    ret->prepare_idle_ns = 0;
    ret->execute_idle_ns = 0;
    ret->cancel_kills = false;
    ret->spawn_backoff_ns = 3 * PVF__CORE_SECOND;
    ret->spawn_backoff_cap_ns = 3 * PVF__CORE_SECOND;
    ret->policy = PVF__CORE_POLICY_REFERENCE;
    ret->job_error_attempts = 1;
    ret->death_retries = 0;
    ret->precheck_retries = false;
    ret->failure_expiry_ns = 0;
    ret->permanent_expiry_ns = 0;
    ret->free_floor_bytes = 0;
    for (unsigned i = 0; i < PVF__CORE_FAILURES; i++) {
        ret->backoff[i] =
            (struct pvf__core_backoff){.base_ns = COOLDOWN, .cap_ns = COOLDOWN, .retries = RETRIES};
    }
}

/* One field and the values that it may have. */
struct range {
    const char *name;
    uint64_t value;
    uint64_t least;
    uint64_t most;
};

/* Times beyond a hundred years are a mistake, and sums of them would wrap. */
#define TIME_MAX (UINT64_C(876600) * PVF__CORE_HOUR)

static int check_ranges(const struct range *rows, size_t count, pvf_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].value < rows[i].least || rows[i].value > rows[i].most) {
            return pvf__error_set(err,
                                  PVF_ERR_INVALID_ARG,
                                  "%s is %llu; it must be %llu to %llu",
                                  rows[i].name,
                                  (unsigned long long)rows[i].value,
                                  (unsigned long long)rows[i].least,
                                  (unsigned long long)rows[i].most);
        }
    }
    return 0;
}

static int check_numbers(const struct pvf__core_config *config, pvf_error *err)
{
    const struct range rows[] = {
        {"prepare_soft_max", config->prepare_soft_max, 1, PVF__CORE_WORKERS_MAX},
        {"prepare_hard_max", config->prepare_hard_max, 1, PVF__CORE_WORKERS_MAX},
        {"execute_max", config->execute_max, 1, PVF__CORE_WORKERS_MAX},
        {"max_requests", config->max_requests, 1, UINT32_MAX},
        {"requeue_max", config->requeue_max, 0, 1000},
        {"spawn_tries", config->spawn_tries, 1, 1000},
        {"spawn_backoff_ns", config->spawn_backoff_ns, PVF__CORE_MS, TIME_MAX},
        {"spawn_backoff_cap_ns", config->spawn_backoff_cap_ns, PVF__CORE_MS, TIME_MAX},
        {"prepare_aging_ns", config->prepare_aging_ns, 0, TIME_MAX},
        {"prepare_idle_ns", config->prepare_idle_ns, 0, TIME_MAX},
        {"execute_idle_ns", config->execute_idle_ns, 0, TIME_MAX},
        {"keep_waiting_ns", config->keep_waiting_ns, 0, TIME_MAX},
        {"policy", (uint64_t)config->policy, 0, PVF__CORE_POLICY_REFERENCE},
        {"window", config->window, 1, 1000000},
        {"min_cost_ns", config->min_cost_ns, 1, TIME_MAX},
        {"wall_factor", config->wall_factor, 1, 1000},
        {"job_error_attempts", config->job_error_attempts, 1, 100},
        {"death_retries", config->death_retries, 0, 100},
        {"failure_expiry_ns", config->failure_expiry_ns, 0, TIME_MAX},
        {"permanent_expiry_ns", config->permanent_expiry_ns, 0, TIME_MAX},
        {"cache_max_bytes", config->cache_max_bytes, 1, UINT64_MAX},
        {"cache_min_idle_ns", config->cache_min_idle_ns, 0, TIME_MAX},
        {"free_min_idle_ns", config->free_min_idle_ns, 0, TIME_MAX},
        {"prune_period_ns", config->prune_period_ns, PVF__CORE_MS, TIME_MAX},
    };
    return check_ranges(rows, sizeof(rows) / sizeof(rows[0]), err);
}

static int check_classes(const struct pvf__core_config *config, pvf_error *err)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        const struct pvf__core_class_config *cls = &config->classes[i];
        const struct range rows[] = {
            {"a class's max_requests", cls->max_requests, 1, UINT32_MAX},
            {"a class's threshold", cls->threshold, 1, 100},
            {"a class's weight", cls->weight, 0, 1000000},
            {"a class's min_share", cls->min_share, 0, 1000},
            {"a class's patience_ns", cls->patience_ns, 0, TIME_MAX},
        };
        const int status = check_ranges(rows, sizeof(rows) / sizeof(rows[0]), err);
        if (status != 0) {
            return status;
        }
        if (cls->weight == 0 && cls->min_share == 0) {
            return pvf__error_set(
                err,
                PVF_ERR_INVALID_ARG,
                "class %u has neither a weight nor a min_share: it would never run",
                i);
        }
        sum += cls->min_share;
    }
    if (sum > 1000) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "the min_share of all classes is %llu thousandths together",
                              (unsigned long long)sum);
    }
    return 0;
}

static int check_backoffs(const struct pvf__core_config *config, pvf_error *err)
{
    for (unsigned i = 0; i < PVF__CORE_FAILURES; i++) {
        const struct range rows[] = {
            {"a backoff's base_ns", config->backoff[i].base_ns, 0, TIME_MAX},
            {"a backoff's cap_ns", config->backoff[i].cap_ns, 0, TIME_MAX},
            {"a backoff's retries", config->backoff[i].retries, 0, UINT32_MAX},
        };
        const int status = check_ranges(rows, sizeof(rows) / sizeof(rows[0]), err);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

int pvf__core_config_check(const struct pvf__core_config *config, pvf_error *err)
{
    int status = check_numbers(config, err);
    if (status == 0 && config->prepare_soft_max > config->prepare_hard_max) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "prepare_soft_max (%u) is above prepare_hard_max (%u): Critical jobs "
                              "would get fewer workers than Normal ones",
                              config->prepare_soft_max,
                              config->prepare_hard_max);
    }
    if (status == 0) {
        status = check_classes(config, err);
    }
    if (status == 0) {
        status = check_backoffs(config, err);
    }
    return status;
}

uint32_t pvf__core_config_share(const struct pvf__core_config *config, enum pvf__core_class cls)
{
    uint64_t minimum = 0;
    uint64_t weight = 0;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        minimum += config->classes[i].min_share;
        weight += config->classes[i].weight;
    }
    uint64_t share = config->classes[cls].min_share;
    if (weight > 0 && minimum < 1000) {
        share += (1000 - minimum) * config->classes[cls].weight / weight;
    }
    return share > 0 ? (uint32_t)share : 1;
}
