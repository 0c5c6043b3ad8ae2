/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the defaults of a service, and what a configuration may say. */
#include "service/service_config.h"

#include "base/error.h"
#include "pvf/status.h"

#include <string.h>

/* Requests of our own: known-good jobs. */
#define OWN_REQUESTS 16u

/* Members come in groups that end at a multiple of 8; the programs and the cache are always there.
 */
#define SIZE_MIN offsetof(pvf_service_config, prepare_workers_soft_max)
#define SIZE_MAX_KNOWN ((size_t)4096)

static uint32_t to_seconds(uint64_t ns)
{
    return (uint32_t)(ns / PVF__CORE_SECOND);
}

static uint32_t to_ms(uint64_t ns)
{
    return (uint32_t)(ns / PVF__CORE_MS);
}

static void set_defaults(pvf_service_config *config)
{
    struct pvf__core_config core;
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
        /* A hundred of the largest PoVs that relay chains allow today. */
        .copied_max_bytes = UINT64_C(1) << 30,
    };
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void pvf_service_config_init(pvf_service_config *config, size_t struct_size)
{
    pvf_service_config defaults;
    if (config == NULL || struct_size < sizeof(config->struct_size)) {
        return;
    }
    set_defaults(&defaults);
    defaults.struct_size = struct_size;
    /* Never more than the caller has room for, and what only a newer caller knows is zero. */
    memset(config, 0, struct_size);
    memcpy(config, &defaults, (size_t)least(struct_size, sizeof(defaults)));
}

/* A caller's structure of whatever length as one of ours. */
static int take_known(const pvf_service_config *given, pvf_service_config *ret, pvf_error *err)
{
    size_t size = given->struct_size;
    if (size < SIZE_MIN || size > SIZE_MAX_KNOWN || size % sizeof(uint64_t) != 0) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "a pvf_service_config of %zu bytes: pvf_service_config_init was not "
                              "called",
                              size);
    }
    for (size_t i = sizeof(*given); i < size; i++) {
        if (((const uint8_t *)given)[i] != 0) {
            return pvf__error_set(err,
                                  PVF_ERR_UNSUPPORTED,
                                  "byte %zu of the pvf_service_config asks for something that this "
                                  "library does not know yet (it knows %zu bytes)",
                                  i,
                                  sizeof(*given));
        }
    }
    set_defaults(ret);
    memcpy(ret, given, (size_t)least(size, sizeof(*ret)));
    ret->struct_size = sizeof(*ret);
    return 0;
}

static int check(const pvf_service_config *config, pvf_error *err)
{
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
    if (config->first_tier > 1) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "first_tier is 0 or 1");
    }
    if (config->copied_max_bytes == 0) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "copied_max_bytes is 0: no request could be taken");
    }
    return 0;
}

int pvf__service_config_take(const pvf_service_config *given,
                             pvf_service_config *ret,
                             pvf_error *err)
{
    pvf_service_config config = {0};
    if (given == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a configuration is needed");
    }
    int status = take_known(given, &config, err);
    if (status == 0) {
        status = check(&config, err);
    }
    if (status == 0) {
        *ret = config;
    }
    return status;
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
