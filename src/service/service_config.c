/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the defaults of a service, and what a configuration may say. */
#include "service/service_config.h"

#include "base/error.h"
#include "pvf/status.h"

/* Requests of our own: known-good jobs. */
#define OWN_REQUESTS 16u

static uint32_t to_seconds(uint64_t ns)
{
    return (uint32_t)(ns / PVF__CORE_SECOND);
}

static uint32_t to_ms(uint64_t ns)
{
    return (uint32_t)(ns / PVF__CORE_MS);
}

void pvf_service_config_init(pvf_service_config *config)
{
    struct pvf__core_config core;
    if (config == NULL) {
        return;
    }
    pvf__core_config_default(&core);
    *config = (pvf_service_config){
        .struct_size = sizeof(*config),
        .prepare_workers_soft_max = core.prepare_soft_max,
        .prepare_workers_hard_max = core.prepare_hard_max,
        .execute_workers_max = core.execute_max,
        .policy = PVF_POLICY_FAIR,
        .cache_max_bytes = core.cache_max_bytes,
        .cache_free_floor_bytes = core.free_floor_bytes,
        .cache_min_idle_s = to_seconds(core.cache_min_idle_ns),
        .prune_interval_s = to_seconds(core.prune_period_ns),
        .failure_cooldown_s = 900,
        .failure_retries_max = 5,
        .spawn_retry_ms = to_ms(core.spawn_backoff_ns),
        .spawn_tries_max = core.spawn_tries,
        .wall_factor = core.wall_factor,
        .keep_waiting_ms = to_ms(core.keep_waiting_ns),
        .cancel_kills = core.cancel_kills,
        .requests_max = core.max_requests,
        .evidence_max_bytes = UINT64_C(1) << 30,
    };
}

int pvf__service_config_check(const pvf_service_config *config, pvf_error *err)
{
    if (config == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a configuration is needed");
    }
    if (config->struct_size != sizeof(*config)) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "the configuration has %zu bytes, this library's has %zu: "
                              "pvf_service_config_init was not called, or the header is another",
                              config->struct_size,
                              sizeof(*config));
    }
    if (config->host.prepare_worker_path == NULL || config->host.execute_worker_path == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a service needs both worker programs");
    }
    if (config->host.cache_dir == NULL) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "a service needs a folder for its cache (host.cache_dir)");
    }
    if (config->policy < PVF_POLICY_FAIR || config->policy > PVF_POLICY_REFERENCE) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "%d is no policy", config->policy);
    }
    if (config->requests_max == 0 || config->requests_max > UINT32_MAX - OWN_REQUESTS) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "requests_max is %u; it must be 1 to %u",
                              config->requests_max,
                              UINT32_MAX - OWN_REQUESTS);
    }
    return 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

int pvf__service_config_core(const pvf_service_config *config,
                             const uint64_t seed[2],
                             struct pvf__core_config *ret,
                             pvf_error *err)
{
    struct pvf__core_config core;
    pvf__core_config_default(&core);
    core.prepare_soft_max = config->prepare_workers_soft_max;
    core.prepare_hard_max = config->prepare_workers_hard_max;
    core.execute_max = config->execute_workers_max;
    core.max_requests = config->requests_max + OWN_REQUESTS;
    core.policy =
        config->policy == PVF_POLICY_REFERENCE ? PVF__CORE_POLICY_REFERENCE : PVF__CORE_POLICY_FAIR;
    core.cache_max_bytes = config->cache_max_bytes;
    core.free_floor_bytes = config->cache_free_floor_bytes;
    core.cache_min_idle_ns = config->cache_min_idle_s * PVF__CORE_SECOND;
    core.prune_period_ns = config->prune_interval_s * PVF__CORE_SECOND;
    core.spawn_backoff_ns = config->spawn_retry_ms * PVF__CORE_MS;
    core.spawn_tries = config->spawn_tries_max;
    core.wall_factor = config->wall_factor;
    core.keep_waiting_ns = config->keep_waiting_ms * PVF__CORE_MS;
    core.cancel_kills = config->cancel_kills;
    for (unsigned i = 0; i < PVF__CORE_FAILURES; i++) {
        struct pvf__core_backoff *backoff = &core.backoff[i];
        /* The longest pause is the caller's; the shorter ones before it stay as they are. */
        backoff->cap_ns = least(backoff->cap_ns, config->failure_cooldown_s * PVF__CORE_SECOND);
        backoff->base_ns = least(backoff->base_ns, backoff->cap_ns);
        backoff->retries = config->failure_retries_max;
    }
    core.seed[0] = seed[0];
    core.seed[1] = seed[1];
    int status = pvf__core_config_check(&core, err);
    if (status == 0) {
        *ret = core;
    }
    return status;
}
