/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: which execution goes to which worker, and when one is started or replaced.  The policy
 * chooses the class, the queue's order the job.  An idle worker serves only jobs of its executor
 * parameters: one that ran the same artifact last is preferred.  Without one, a worker is spawned
 * while there is room, and takes the place of the least recently used idle one when there is none.
 * The job stays in its queue meanwhile.
 */
#include "core/core_state.h"

/* One pass over the queues: what is before a cursor was started, or counts on a coming worker. */
struct pass {
    struct pvf__core_link *cursor[PVF__CORE_CLASSES];
    uint32_t left[PVF__CORE_CLASSES];
};

static struct pvf__core_request *request_at(struct pvf__core_link *link)
{
    return PVF__CORE_OWNER(link, struct pvf__core_request, link);
}

static bool is_idle(const struct pvf__core_worker *worker)
{
    return worker->kind == PVF__CORE_EXECUTE_WORKER && worker->state == PVF__CORE_WORKER_IDLE;
}

/* The artifact that it would run on if it were started now. */
static uint64_t generation_for(const struct pvf__core_request *request)
{
    return pvf__core_tier_is_used(request) ? request->entry->first_generation
                                           : request->entry->generation;
}

static struct pvf__core_worker *idle_for(struct pvf__core *core,
                                         const struct pvf__core_request *request)
{
    const uint64_t generation = generation_for(request);
    struct pvf__core_worker *best = NULL;
    for (uint32_t i = 0; i < core->slots; i++) {
        struct pvf__core_worker *worker = &core->workers[i];
        if (!is_idle(worker) || !pvf__core_execute_fits(core, worker, request->code.params_hash)) {
            continue;
        }
        if (worker->last_generation == generation) {
            return worker;
        }
        if (best == NULL || worker->idle_since < best->idle_since) {
            best = worker;
        }
    }
    return best;
}

static struct pvf__core_worker *least_recently_used(struct pvf__core *core)
{
    struct pvf__core_worker *best = NULL;
    for (uint32_t i = 0; i < core->slots; i++) {
        struct pvf__core_worker *worker = &core->workers[i];
        if (is_idle(worker) && (best == NULL || worker->idle_since < best->idle_since)) {
            best = worker;
        }
    }
    return best;
}

static void
start(struct pvf__core *core, struct pvf__core_request *request, struct pvf__core_worker *worker)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        mask |= core->execute_queued[i] > 0 ? 1u << i : 0;
    }
    worker->charge =
        core->policy.ops->started(&core->policy, request->cls, mask, request->cpu_limit_ns);
    worker->cls = request->cls;
    worker->cpu_limit_ns = request->cpu_limit_ns;
    worker->first_tier = pvf__core_tier_is_used(request);
    worker->generation = generation_for(request);
    worker->last_generation = worker->generation;
    worker->request = request;
    pvf__core_execute_dequeue(core, request);
    request->entry->users++; /* now the worker's */
    pvf__core_deadlines_remove(core, request);
    request->state = PVF__CORE_REQUEST_RUNNING;
    request->worker = worker;
    core->stats.selected[request->cls]++;
    pvf__core_worker_start(core, worker, request->entry, request);
}

static struct pvf__core_request *
first_fitting(struct pvf__core *core, const struct pvf__core_worker *worker, unsigned cls)
{
    struct pvf__core_link *queue = &core->execute_queues[cls];
    for (struct pvf__core_link *link = queue->next; link != queue; link = link->next) {
        if (pvf__core_execute_fits(core, worker, request_at(link)->code.params_hash)) {
            return request_at(link);
        }
    }
    return NULL;
}

/* A worker that was spawned for somebody does a job before it may be replaced: there is progress.
 */
static void serve_fresh(struct pvf__core *core)
{
    for (uint32_t i = 0; i < core->slots; i++) {
        struct pvf__core_worker *worker = &core->workers[i];
        if (!is_idle(worker) || !worker->fresh) {
            continue;
        }
        struct pvf__core_request *first[PVF__CORE_CLASSES];
        unsigned mask = 0;
        for (unsigned cls = 0; cls < PVF__CORE_CLASSES; cls++) {
            first[cls] = first_fitting(core, worker, cls);
            mask |= first[cls] != NULL ? 1u << cls : 0;
        }
        if (mask != 0) {
            start(core, first[core->policy.ops->choose(&core->policy, mask)], worker);
        }
    }
}

/* A younger job of the class that an idle worker fits, while the first has not waited too long. */
static struct pvf__core_request *overtaker(struct pvf__core *core,
                                           struct pvf__core_request *first,
                                           struct pvf__core_worker **ret_worker)
{
    struct pvf__core_link *queue = &core->execute_queues[first->cls];
    if (core->now - first->queued_at >= core->config.keep_waiting_ns) {
        return NULL;
    }
    for (struct pvf__core_link *link = first->link.next; link != queue; link = link->next) {
        struct pvf__core_worker *worker = idle_for(core, request_at(link));
        if (worker != NULL) {
            *ret_worker = worker;
            return request_at(link);
        }
    }
    return NULL;
}

/* Counts on a worker of its parameters that is being spawned and that nobody counts on yet. */
static bool count_on_coming(struct pvf__core *core, const struct pvf__core_request *request)
{
    for (uint32_t i = 0; i < core->slots; i++) {
        struct pvf__core_worker *worker = &core->workers[i];
        if (worker->state == PVF__CORE_WORKER_SPAWNING && worker->pass != core->pass &&
            pvf__core_execute_fits(core, worker, request->code.params_hash)) {
            worker->pass = core->pass;
            return true;
        }
    }
    return false;
}

/* Spawns one, in place of an idle one if need be; false: not now. */
static bool spawn_for(struct pvf__core *core, const struct pvf__core_request *request)
{
    struct pvf__core_worker *victim = NULL;
    if (pvf__core_workers_count(core, PVF__CORE_EXECUTE_WORKER) >= core->config.execute_max) {
        victim = least_recently_used(core);
        if (victim == NULL) {
            return false;
        }
    }
    struct pvf__core_worker *worker =
        pvf__core_worker_spawn(core, PVF__CORE_EXECUTE_WORKER, request);
    if (worker == NULL) {
        return false;
    }
    worker->pass = core->pass;
    if (victim != NULL) {
        /* Ended before the other is started: never one more than there may be. */
        pvf__core_order_withdraw(&worker->order);
        pvf__core_worker_kill(core, victim);
        pvf__core_order(core, &worker->order);
    }
    return true;
}

static void advance(struct pass *pass, unsigned cls)
{
    pass->cursor[cls] = pass->cursor[cls]->next;
    pass->left[cls]--;
}

/* Deals with one job; false: there is none that anything can be done for. */
static bool step(struct pvf__core *core, struct pass *pass)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        mask |= pass->left[i] > 0 ? 1u << i : 0;
    }
    if (mask == 0) {
        return false;
    }
    const unsigned cls = core->policy.ops->choose(&core->policy, mask);
    struct pvf__core_request *request = request_at(pass->cursor[cls]);
    struct pvf__core_worker *worker = idle_for(core, request);
    if (worker != NULL) {
        advance(pass, cls);
        start(core, request, worker);
        return true;
    }
    const bool any_idle = least_recently_used(core) != NULL;
    if (any_idle) {
        struct pvf__core_request *younger = overtaker(core, request, &worker);
        if (younger != NULL) {
            pass->left[cls]--;
            start(core, younger, worker);
            return true;
        }
    }
    if (count_on_coming(core, request) || spawn_for(core, request) || any_idle) {
        advance(pass, cls);
        return true;
    }
    return false;
}

void pvf__core_execute_pass(struct pvf__core *core)
{
    core->pass++;
    core->spawners[PVF__CORE_EXECUTE_WORKER].wanted = false;
    serve_fresh(core);
    struct pass pass;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        pass.cursor[i] = core->execute_queues[i].next;
        pass.left[i] = core->execute_queued[i];
    }
    while (step(core, &pass)) {
    }
}
