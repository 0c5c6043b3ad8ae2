/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the slots of workers of both kinds, and when one may be spawned again after failures.
 */
#include "core/core_state.h"

#include <assert.h>
#include <string.h>

struct pvf__core_worker *pvf__core_worker_find(const struct pvf__core *core, uint64_t id)
{
    for (uint32_t i = 0; i < core->slots && id != 0; i++) {
        struct pvf__core_worker *worker = &core->workers[i];
        if (worker->id == id && worker->state != PVF__CORE_WORKER_KILLED) {
            return worker;
        }
    }
    return NULL;
}

uint32_t pvf__core_workers_count(const struct pvf__core *core, enum pvf__core_worker_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->slots; i++) {
        const enum pvf__core_worker_state state = core->workers[i].state;
        count += core->workers[i].kind == kind && state != PVF__CORE_WORKER_FREE &&
                 state != PVF__CORE_WORKER_KILLED;
    }
    return count;
}

static struct pvf__core_worker *free_slot(struct pvf__core *core)
{
    for (uint32_t i = 0; i < core->slots; i++) {
        if (core->workers[i].state == PVF__CORE_WORKER_FREE) {
            return &core->workers[i];
        }
    }
    return NULL;
}

static void empty(struct pvf__core_worker *worker)
{
    worker->state = PVF__CORE_WORKER_FREE;
    worker->id = 0;
}

struct pvf__core_worker *pvf__core_worker_spawn(struct pvf__core *core,
                                                enum pvf__core_worker_kind kind,
                                                const struct pvf__core_request *request)
{
    struct pvf__core_spawner *spawner = &core->spawners[kind];
    if (core->now < spawner->next_at) {
        spawner->wanted = true;
        return NULL;
    }
    struct pvf__core_worker *worker = free_slot(core);
    assert(worker != NULL);
    *worker = (struct pvf__core_worker){
        .state = PVF__CORE_WORKER_SPAWNING,
        .kind = kind,
        .id = ++core->next_number,
        .fresh = true,
    };
    pvf__core_order_init(&worker->order, PVF__CORE_SPAWN);
    pvf__core_order_init(&worker->order_kill, PVF__CORE_KILL);
    if (kind == PVF__CORE_EXECUTE_WORKER) {
        worker->request_id = request->id;
        memcpy(worker->params_hash, request->code.params_hash, sizeof(worker->params_hash));
    }
    pvf__core_order(core, &worker->order);
    core->stats.spawning[kind]++;
    return worker;
}

void pvf__core_worker_start(struct pvf__core *core,
                            struct pvf__core_worker *worker,
                            struct pvf__core_entry *entry,
                            const struct pvf__core_request *request)
{
    worker->state = PVF__CORE_WORKER_BUSY;
    worker->entry = entry;
    worker->request_id = request->id;
    worker->started_at = core->now;
    worker->order.kind = worker->kind == PVF__CORE_PREPARE_WORKER ? PVF__CORE_START_PREPARE
                                                                  : PVF__CORE_START_EXECUTE;
    pvf__core_order(core, &worker->order);
}

void pvf__core_worker_kill(struct pvf__core *core, struct pvf__core_worker *worker)
{
    const bool known =
        worker->state != PVF__CORE_WORKER_SPAWNING || !pvf__core_order_waits(&worker->order);
    core->stats.retired[worker->kind] += worker->state != PVF__CORE_WORKER_SPAWNING;
    pvf__core_order_withdraw(&worker->order);
    if (known) {
        worker->state = PVF__CORE_WORKER_KILLED;
        pvf__core_order(core, &worker->order_kill);
    } else {
        empty(worker);
    }
}

/* SplitMix64: the same seed gives the same delays. */
static uint64_t next_jitter(struct pvf__core *core)
{
    core->jitter += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t value = core->jitter;
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* After the n-th failure in a row: half to whole of base * 2^(n-1), at most the cap. */
static void back_off(struct pvf__core *core, struct pvf__core_spawner *spawner)
{
    const uint32_t count =
        spawner->failures > spawner->deaths ? spawner->failures : spawner->deaths;
    const uint64_t cap = core->config.spawn_backoff_cap_ns;
    uint64_t delay = core->config.spawn_backoff_ns;
    for (uint32_t i = 1; i < count && delay < cap; i++) {
        delay *= 2;
    }
    if (delay > cap) {
        delay = cap;
    }
    spawner->next_at = core->now + delay / 2 + next_jitter(core) % (delay / 2 + 1);
}

static enum pvf__core_alarm spawn_alarm(enum pvf__core_worker_kind kind)
{
    return kind == PVF__CORE_PREPARE_WORKER ? PVF__CORE_ALARM_PREPARE_SPAWN
                                            : PVF__CORE_ALARM_EXECUTE_SPAWN;
}

static enum pvf__core_alarm death_alarm(enum pvf__core_worker_kind kind)
{
    return kind == PVF__CORE_PREPARE_WORKER ? PVF__CORE_ALARM_PREPARE_DEATHS
                                            : PVF__CORE_ALARM_EXECUTE_DEATHS;
}

static void died_unused(struct pvf__core *core, enum pvf__core_worker_kind kind)
{
    struct pvf__core_spawner *spawner = &core->spawners[kind];
    spawner->deaths++;
    back_off(core, spawner);
    if (spawner->deaths >= core->config.spawn_tries) {
        pvf__core_alarm(core, death_alarm(kind), true);
    }
}

void pvf__core_worker_release(struct pvf__core *core,
                              struct pvf__core_worker *worker,
                              bool lives,
                              bool worked)
{
    worker->entry = NULL;
    worker->request = NULL;
    if (worked) {
        worker->fresh = false;
        core->spawners[worker->kind].deaths = 0;
        pvf__core_alarm(core, death_alarm(worker->kind), false);
    }
    if (lives) {
        worker->state = PVF__CORE_WORKER_IDLE;
        worker->idle_since = core->now;
        return;
    }
    core->stats.retired[worker->kind]++;
    if (worker->fresh) {
        died_unused(core, worker->kind);
    }
    empty(worker);
}

void pvf__core_worker_spawn_ended(struct pvf__core *core, struct pvf__core_worker *worker, bool ok)
{
    const enum pvf__core_worker_kind kind = worker->kind;
    struct pvf__core_spawner *spawner = &core->spawners[kind];
    if (ok) {
        core->stats.spawned[kind]++;
        spawner->failures = 0;
        if (spawner->deaths == 0) {
            spawner->next_at = 0;
        }
        pvf__core_alarm(core, spawn_alarm(kind), false);
        worker->state = PVF__CORE_WORKER_IDLE;
        worker->idle_since = core->now;
        return;
    }
    core->stats.spawn_failed[kind]++;
    spawner->failures++;
    back_off(core, spawner);
    if (spawner->failures >= core->config.spawn_tries) {
        pvf__core_alarm(core, spawn_alarm(kind), true);
    }
    uint8_t params_hash[32];
    memcpy(params_hash, worker->params_hash, sizeof(params_hash));
    empty(worker);
    if (kind == PVF__CORE_PREPARE_WORKER) {
        pvf__core_prepare_spawn_failed(core);
    } else {
        pvf__core_execute_spawn_failed(core, params_hash);
    }
}

static void spawn_ended(struct pvf__core *core, uint64_t now, uint64_t worker, bool ok)
{
    pvf__core_begin(core, now);
    struct pvf__core_worker *found = pvf__core_worker_find(core, worker);
    if (found != NULL && found->state == PVF__CORE_WORKER_SPAWNING &&
        !pvf__core_order_waits(&found->order)) {
        pvf__core_worker_spawn_ended(core, found, ok);
        pvf__core_schedule(core);
    }
}

void pvf__core_worker_spawned(struct pvf__core *core, uint64_t now, uint64_t worker)
{
    spawn_ended(core, now, worker, true);
}

void pvf__core_spawn_failed(struct pvf__core *core, uint64_t now, uint64_t worker)
{
    spawn_ended(core, now, worker, false);
}

static void died_busy(struct pvf__core *core, struct pvf__core_worker *worker)
{
    const bool begun = !pvf__core_order_waits(&worker->order);
    pvf__core_order_withdraw(&worker->order);
    if (worker->kind == PVF__CORE_PREPARE_WORKER) {
        const struct pvf__core_prepared prepared = {
            .end = begun ? PVF__CORE_PREPARE_FAILED : PVF__CORE_PREPARE_NOT_STARTED,
            .failure = PVF__CORE_FAILURE_DEATH,
        };
        (void)pvf__core_prepare_end(core, worker, &prepared); /* no artifact comes of it */
    } else {
        const struct pvf__core_executed executed = {
            .end = begun ? PVF__CORE_EXECUTE_DONE : PVF__CORE_EXECUTE_NOT_STARTED,
        };
        pvf__core_execute_end(core, worker, &executed);
    }
}

void pvf__core_worker_dead(struct pvf__core *core, uint64_t now, uint64_t worker)
{
    pvf__core_begin(core, now);
    struct pvf__core_worker *found = pvf__core_worker_find(core, worker);
    if (found == NULL) {
        return;
    }
    switch (found->state) {
    case PVF__CORE_WORKER_SPAWNING:
        if (pvf__core_order_waits(&found->order)) {
            return;
        }
        pvf__core_worker_spawn_ended(core, found, false);
        break;
    case PVF__CORE_WORKER_IDLE:
        pvf__core_worker_release(core, found, false, false);
        break;
    case PVF__CORE_WORKER_BUSY:
        died_busy(core, found);
        break;
    case PVF__CORE_WORKER_FREE:
    case PVF__CORE_WORKER_KILLED:
    default:
        break;
    }
    pvf__core_schedule(core);
}

static uint64_t idle_limit(const struct pvf__core *core, const struct pvf__core_worker *worker)
{
    const uint64_t limit = worker->kind == PVF__CORE_PREPARE_WORKER ? core->config.prepare_idle_ns
                                                                    : core->config.execute_idle_ns;
    return worker->state == PVF__CORE_WORKER_IDLE && limit > 0 ? worker->idle_since + limit
                                                               : UINT64_MAX;
}

void pvf__core_workers_expire(struct pvf__core *core)
{
    for (uint32_t i = 0; i < core->slots; i++) {
        if (idle_limit(core, &core->workers[i]) <= core->now) {
            pvf__core_worker_kill(core, &core->workers[i]);
        }
    }
}

uint64_t pvf__core_workers_deadline(const struct pvf__core *core)
{
    uint64_t earliest = UINT64_MAX;
    for (uint32_t i = 0; i < core->slots; i++) {
        const uint64_t limit = idle_limit(core, &core->workers[i]);
        earliest = limit < earliest ? limit : earliest;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (core->spawners[i].wanted && core->spawners[i].next_at < earliest) {
            earliest = core->spawners[i].next_at;
        }
    }
    return earliest;
}
