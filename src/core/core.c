/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the core as a whole: its beginning and end, the frame around every event, and time.
 */
#include "core/core_state.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static void init_lists(struct pvf__core *core)
{
    pvf__core_list_init(&core->all_requests);
    pvf__core_list_init(&core->recent);
    pvf__core_list_init(&core->orders);
    for (unsigned i = 0; i < 2; i++) {
        pvf__core_list_init(&core->prepare_queues[i]);
    }
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        pvf__core_list_init(&core->execute_queues[i]);
    }
    for (unsigned i = 0; i < PVF__CORE_ALARMS; i++) {
        pvf__core_order_init(&core->alarms[i].order, PVF__CORE_ALARM);
    }
    for (uint32_t i = 0; i < core->slots; i++) {
        pvf__core_order_init(&core->workers[i].order, PVF__CORE_SPAWN);
        pvf__core_order_init(&core->workers[i].order_kill, PVF__CORE_KILL);
    }
}

int pvf__core_new(const struct pvf__core_config *config, struct pvf__core **ret, pvf_error *err)
{
    const int status = pvf__core_config_check(config, err);
    if (status != 0) {
        return status;
    }
    struct pvf__core *core = calloc(1, sizeof(*core));
    if (core == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for the core");
    }
    core->config = *config;
    core->jitter = config->seed[0] ^ config->seed[1];
    /*
     * Twice as many as can live: a killed worker keeps its slot until the KILL is fetched.  No more
     * than can live wait for that, since who came after the first of them is not spawned before it.
     */
    core->slots = 2 * (config->prepare_hard_max + config->execute_max);
    core->workers = calloc(core->slots, sizeof(*core->workers));
    if (core->workers == NULL || pvf__core_table_init(&core->requests) != 0 ||
        pvf__core_table_init(&core->entries) != 0 ||
        pvf__core_table_init(&core->generations) != 0) {
        pvf__core_table_done(&core->requests);
        pvf__core_table_done(&core->entries);
        free(core->workers);
        free(core);
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for the core");
    }
    init_lists(core);
    pvf__core_policy_init(&core->policy, config);
    core->prune_at = UINT64_MAX; /* until the first event tells the time */
    *ret = core;
    return 0;
}

static void free_entry(struct pvf__core *core, struct pvf__core_entry *entry)
{
    (void)core;
    free(entry);
}

void pvf__core_free(struct pvf__core *core)
{
    if (core == NULL) {
        return;
    }
    while (!pvf__core_list_empty(&core->all_requests)) {
        pvf__core_request_free(
            core, PVF__CORE_OWNER(core->all_requests.next, struct pvf__core_request, all));
    }
    pvf__core_entries_each(core, free_entry);
    pvf__core_table_done(&core->requests);
    pvf__core_table_done(&core->entries);
    pvf__core_table_done(&core->generations);
    pvf__core_leaves_free(core->leaves, core->leaves_count);
    free(core->deadlines);
    free(core->workers);
    free(core);
}

void pvf__core_begin(struct pvf__core *core, uint64_t now)
{
    if (now > core->now) {
        core->now = now;
    }
    if (core->prune_at == UINT64_MAX) {
        core->prune_at = core->now + core->config.prune_period_ns;
    }
}

void pvf__core_schedule(struct pvf__core *core)
{
    if (core->stopped) {
        return;
    }
    pvf__core_deadlines_expire(core);
    pvf__core_prepare_pass(core);
    pvf__core_execute_pass(core);
}

void pvf__core_tick(struct pvf__core *core, uint64_t now)
{
    pvf__core_begin(core, now);
    if (core->stopped) {
        return;
    }
    if (core->prune_at <= core->now) {
        pvf__core_prune_tick(core);
        core->prune_at = core->now + core->config.prune_period_ns;
    }
    /* Before idle workers are ended: they may have something to do. */
    pvf__core_schedule(core);
    pvf__core_workers_expire(core);
}

uint64_t pvf__core_next_deadline(const struct pvf__core *core)
{
    if (core->stopped) {
        return UINT64_MAX;
    }
    const uint64_t deadlines[] = {
        core->prune_at,
        pvf__core_deadlines_next(core),
        pvf__core_prepare_deadline(core),
        pvf__core_workers_deadline(core),
    };
    uint64_t earliest = UINT64_MAX;
    for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++) {
        earliest = deadlines[i] < earliest ? deadlines[i] : earliest;
    }
    return earliest;
}

static void stop_worker(struct pvf__core *core, struct pvf__core_worker *worker)
{
    if (worker->state == PVF__CORE_WORKER_BUSY) {
        if (worker->kind == PVF__CORE_EXECUTE_WORKER) {
            pvf__core_execute_abandon(core, worker);
        } else {
            struct pvf__core_entry *entry = worker->entry;
            worker->entry = NULL;
            entry->job.state = PVF__CORE_JOB_NONE;
            entry->job.worker = NULL;
            pvf__core_tier_drop(core, entry);
            pvf__core_entry_settle(core, entry);
        }
    }
    if (worker->state != PVF__CORE_WORKER_FREE && worker->state != PVF__CORE_WORKER_KILLED) {
        pvf__core_worker_kill(core, worker);
    }
}

void pvf__core_stop(struct pvf__core *core, uint64_t now)
{
    pvf__core_begin(core, now);
    core->stopped = true;
    struct pvf__core_link *link = core->all_requests.next;
    while (link != &core->all_requests) {
        struct pvf__core_request *request = PVF__CORE_OWNER(link, struct pvf__core_request, all);
        link = link->next;
        if (request->state != PVF__CORE_REQUEST_REPLIED) {
            core->stats.cancelled++;
            pvf__core_request_reply(core, request, PVF__CORE_REPLY_CANCELLED);
        }
    }
    for (uint32_t i = 0; i < core->slots; i++) {
        stop_worker(core, &core->workers[i]);
    }
}

uint64_t pvf__core_starvation_bound_ns(const struct pvf__core_config *config,
                                       enum pvf__core_class cls,
                                       uint64_t largest_cpu_limit_ns)
{
    /* One over the share, rounded up: that is at most 1001. */
    const uint32_t inverse = 1000 / pvf__core_config_share(config, cls) + 1;
    const uint64_t factor = ((uint64_t)inverse + 3) * config->execute_max;
    return largest_cpu_limit_ns > UINT64_MAX / factor ? UINT64_MAX : factor * largest_cpu_limit_ns;
}
