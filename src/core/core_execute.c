/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the queues of executions, what becomes of a job, and what it is charged.
 */
#include "core/core_state.h"

#include <string.h>

static struct pvf__core_request *request_at(struct pvf__core_link *link)
{
    return PVF__CORE_OWNER(link, struct pvf__core_request, link);
}

static bool before(const struct pvf__core_request *a, const struct pvf__core_request *b)
{
    return a->order[0] != b->order[0] ? a->order[0] < b->order[0] : a->order[1] < b->order[1];
}

/* Its place in the queue is given once: what comes back goes where it was. */
static void give_order(struct pvf__core *core, struct pvf__core_request *request)
{
    if (request->order[1] != 0) {
        return;
    }
    request->queued_at = core->now;
    core->stats.execute_enqueued++;
    if (core->policy.ops->by_deadline) {
        request->order[0] =
            request->deadline_ns != 0
                ? request->deadline_ns
                : request->arrived_at + core->config.classes[request->cls].patience_ns;
        request->order[1] = request->arrived;
    } else {
        request->order[1] = ++core->next_number;
    }
}

void pvf__core_execute_enqueue(struct pvf__core *core, struct pvf__core_request *request)
{
    struct pvf__core_link *queue = &core->execute_queues[request->cls];
    give_order(core, request);
    request->state = PVF__CORE_REQUEST_QUEUED;
    struct pvf__core_link *place = queue;
    while (place->prev != queue && before(request, request_at(place->prev))) {
        place = place->prev;
    }
    pvf__core_list_before(place, &request->link);
    request->entry->users++;
    if (core->execute_queued[request->cls]++ == 0) {
        core->policy.ops->joined(&core->policy, request->cls);
    }
    pvf__core_deadlines_put(core, request);
}

void pvf__core_execute_dequeue(struct pvf__core *core, struct pvf__core_request *request)
{
    pvf__core_list_remove(&request->link);
    core->execute_queued[request->cls]--;
    request->entry->users--;
    request->state = PVF__CORE_REQUEST_LOOSE;
}

void pvf__core_execute_unprepared(struct pvf__core *core, struct pvf__core_entry *entry)
{
    entry->users++;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        struct pvf__core_link *link = core->execute_queues[i].next;
        while (link != &core->execute_queues[i]) {
            struct pvf__core_request *request = request_at(link);
            link = link->next;
            if (request->entry == entry) {
                pvf__core_execute_dequeue(core, request);
                pvf__core_entry_place(core, request);
            }
        }
    }
    entry->users--;
    pvf__core_entry_settle(core, entry);
}

void pvf__core_execute_recall(struct pvf__core *core, struct pvf__core_entry *entry)
{
    for (unsigned i = 0; i < PVF__CORE_CLASSES && entry->first_generation != 0; i++) {
        struct pvf__core_link *link = core->execute_queues[i].next;
        while (link != &core->execute_queues[i]) {
            struct pvf__core_request *request = request_at(link);
            link = link->next;
            if (request->entry == entry && pvf__core_tier_is_used(request)) {
                pvf__core_execute_dequeue(core, request);
                pvf__core_request_wait(core, request);
                entry->job.critical = entry->job.critical || request->code.critical;
            }
        }
    }
    pvf__core_tier_drop(core, entry);
}

bool pvf__core_execute_fits(const struct pvf__core *core,
                            const struct pvf__core_worker *worker,
                            const uint8_t params_hash[32])
{
    return worker->kind == PVF__CORE_EXECUTE_WORKER &&
           (core->config.params_per_job ||
            memcmp(worker->params_hash, params_hash, sizeof(worker->params_hash)) == 0);
}

/* What a job that took a worker's time has cost: a stalled one uses no CPU, but holds a worker. */
static uint64_t
cost_of(const struct pvf__core *core, const struct pvf__core_worker *worker, uint64_t cpu_ns)
{
    uint64_t cost = (core->now - worker->started_at) / core->config.wall_factor;
    if (cost < cpu_ns) {
        cost = cpu_ns;
    }
    if (cost < core->config.min_cost_ns) {
        cost = core->config.min_cost_ns;
    }
    return cost < worker->cpu_limit_ns ? cost : worker->cpu_limit_ns;
}

static void finish(struct pvf__core *core, const struct pvf__core_worker *worker, uint64_t cost)
{
    core->policy.ops->finished(&core->policy, worker->cls, worker->charge, cost);
}

void pvf__core_execute_abandon(struct pvf__core *core, struct pvf__core_worker *worker)
{
    const bool begun = !pvf__core_order_waits(&worker->order);
    finish(core, worker, begun ? cost_of(core, worker, 0) : 0);
    worker->entry->users--;
    pvf__core_entry_settle(core, worker->entry);
    worker->entry = NULL;
    worker->request = NULL;
}

void pvf__core_execute_cancel(struct pvf__core *core, struct pvf__core_request *request)
{
    struct pvf__core_worker *worker = request->worker;
    const bool begun = !pvf__core_order_waits(&worker->order);
    if (begun && !core->config.cancel_kills) {
        return;
    }
    pvf__core_request_detach(core, request);
    request->state = PVF__CORE_REQUEST_LOOSE;
    pvf__core_execute_abandon(core, worker);
    if (begun) {
        pvf__core_worker_kill(core, worker);
    } else {
        pvf__core_order_withdraw(&worker->order);
        pvf__core_worker_release(core, worker, true, false);
    }
}

/* Back to the front, or to a new preparation, or at the end of its tries. */
static void
again(struct pvf__core *core, struct pvf__core_request *request, struct pvf__core_entry *entry)
{
    if (request == NULL) {
        return;
    }
    request->requeues++;
    if (request->requeues > core->config.requeue_max) {
        pvf__core_request_reply(core, request, PVF__CORE_REPLY_NOT_STARTED);
        return;
    }
    core->stats.execute_requeued++;
    request->worker = NULL;
    request->entry = entry;
    pvf__core_entry_place(core, request);
}

static void
lose_artifact(struct pvf__core *core, struct pvf__core_entry *entry, uint64_t generation)
{
    if (entry->has_artifact && entry->generation == generation) {
        pvf__core_artifact_drop(core, entry);
        pvf__core_execute_unprepared(core, entry);
    } else if (entry->first_generation == generation) {
        pvf__core_tier_drop(core, entry);
        pvf__core_execute_unprepared(core, entry);
    }
}

/*
 * What a first tier says counts only if it is a valid result: its code is slower and needs more
 * stack, so that all else may be its own.  And not even that once the code has turned out to be one
 * that cannot be prepared.
 */
static bool counts(struct pvf__core *core,
                   struct pvf__core_request *request,
                   struct pvf__core_entry *entry,
                   const struct pvf__core_executed *executed)
{
    if (executed->end != PVF__CORE_EXECUTE_DONE || !executed->valid) {
        return false;
    }
    if (request == NULL || pvf__core_entry_satisfies(entry, &request->code)) {
        return true;
    }
    const struct pvf__core_record *record = pvf__core_failure_blocks(core, entry, request);
    return record == NULL || !record->permanent;
}

static void done(struct pvf__core *core, struct pvf__core_request *request)
{
    core->stats.execute_finished++;
    if (request != NULL) {
        pvf__core_request_reply(core, request, PVF__CORE_REPLY_EXECUTED);
    }
}

/* It ran on a first tier: told, or to be repeated on the optimised artifact. */
static void done_on_first_tier(struct pvf__core *core,
                               struct pvf__core_request *request,
                               struct pvf__core_entry *entry,
                               const struct pvf__core_executed *executed)
{
    if (counts(core, request, entry, executed)) {
        core->stats.first_tier_served++;
        done(core, request);
        return;
    }
    core->stats.first_tier_repeated++;
    if (request != NULL) {
        request->needs_optimised = true;
        pvf__core_entry_place(core, request);
    }
}

void pvf__core_execute_end(struct pvf__core *core,
                           struct pvf__core_worker *worker,
                           const struct pvf__core_executed *executed)
{
    struct pvf__core_request *request = worker->request;
    struct pvf__core_entry *entry = worker->entry;
    const uint64_t generation = worker->generation;
    const bool first_tier = worker->first_tier;
    const bool ran =
        executed->end == PVF__CORE_EXECUTE_DONE || executed->end == PVF__CORE_EXECUTE_BAD_ARTIFACT;
    finish(core, worker, ran ? cost_of(core, worker, executed->cpu_ns) : 0);
    worker->entry = NULL;
    worker->request = NULL;
    if (request != NULL) {
        request->worker = NULL;
        request->state = PVF__CORE_REQUEST_LOOSE;
    }
    pvf__core_worker_release(core, worker, executed->worker_lives, ran);
    switch (executed->end) {
    case PVF__CORE_EXECUTE_DONE:
    case PVF__CORE_EXECUTE_BAD_ARTIFACT:
        if (executed->end == PVF__CORE_EXECUTE_BAD_ARTIFACT) {
            lose_artifact(core, entry, generation);
        }
        if (first_tier) {
            done_on_first_tier(core, request, entry, executed);
        } else {
            done(core, request);
        }
        break;
    case PVF__CORE_EXECUTE_ARTIFACT_GONE:
        lose_artifact(core, entry, generation);
        again(core, request, entry);
        break;
    case PVF__CORE_EXECUTE_NOT_STARTED:
    default:
        again(core, request, entry);
        break;
    }
    entry->users--; /* the worker's own, which has held the entry until now */
    pvf__core_entry_settle(core, entry);
}

void pvf__core_execute_finished(struct pvf__core *core,
                                uint64_t now,
                                uint64_t worker,
                                const struct pvf__core_executed *executed)
{
    pvf__core_begin(core, now);
    struct pvf__core_worker *found = pvf__core_worker_find(core, worker);
    if (found == NULL || found->kind != PVF__CORE_EXECUTE_WORKER ||
        found->state != PVF__CORE_WORKER_BUSY || pvf__core_order_waits(&found->order)) {
        return;
    }
    pvf__core_execute_end(core, found, executed);
    pvf__core_schedule(core);
}

static bool has_living_worker(const struct pvf__core *core, const uint8_t params_hash[32])
{
    for (uint32_t i = 0; i < core->slots; i++) {
        const struct pvf__core_worker *worker = &core->workers[i];
        if ((worker->state == PVF__CORE_WORKER_IDLE || worker->state == PVF__CORE_WORKER_BUSY) &&
            pvf__core_execute_fits(core, worker, params_hash)) {
            return true;
        }
    }
    return false;
}

void pvf__core_execute_spawn_failed(struct pvf__core *core, const uint8_t params_hash[32])
{
    if (has_living_worker(core, params_hash)) {
        return;
    }
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        struct pvf__core_link *link = core->execute_queues[i].next;
        while (link != &core->execute_queues[i]) {
            struct pvf__core_request *request = request_at(link);
            link = link->next;
            if (!core->config.params_per_job &&
                memcmp(request->code.params_hash, params_hash, 32) != 0) {
                continue;
            }
            request->spawn_failures++;
            if (request->spawn_failures >= core->config.spawn_tries ||
                core->alarms[PVF__CORE_ALARM_EXECUTE_SPAWN].on) {
                pvf__core_request_reply(core, request, PVF__CORE_REPLY_NO_WORKER);
            }
        }
    }
}
