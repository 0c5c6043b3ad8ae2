/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the queue of preparations and what becomes of one.  An entry has at most one job; its
 * waiters are served by its result, each judged by its own limits, and those that it says nothing
 * about get another job.  A queued job always has a waiter.
 */
#include "core/core_state.h"

#include <string.h>

static struct pvf__core_link *queue_of(struct pvf__core *core, const struct pvf__core_job *job)
{
    return &core->prepare_queues[job->critical ? 1 : 0];
}

static struct pvf__core_request *waiter_at(struct pvf__core_link *link)
{
    return PVF__CORE_OWNER(link, struct pvf__core_request, link);
}

static struct pvf__core_entry *entry_at(struct pvf__core_link *link)
{
    return PVF__CORE_OWNER(link, struct pvf__core_entry, job.link);
}

/* The one whose kind and limits the job runs under: the first Critical one, or the first. */
static struct pvf__core_request *leader_of(struct pvf__core_entry *entry)
{
    for (struct pvf__core_link *link = entry->waiters.next; link != &entry->waiters;
         link = link->next) {
        if (waiter_at(link)->code.critical) {
            return waiter_at(link);
        }
    }
    return waiter_at(entry->waiters.next);
}

void pvf__core_prepare_enqueue(struct pvf__core *core, struct pvf__core_entry *entry)
{
    struct pvf__core_job *job = &entry->job;
    job->state = PVF__CORE_JOB_QUEUED;
    job->critical = leader_of(entry)->code.critical;
    job->queued_at = core->now;
    job->requeues = 0;
    job->deaths = 0;
    job->job_errors = 0;
    job->spawn_failures = 0;
    pvf__core_list_append(queue_of(core, job), &job->link);
    core->stats.prepare_enqueued++;
}

void pvf__core_prepare_raise(struct pvf__core *core, struct pvf__core_entry *entry)
{
    struct pvf__core_job *job = &entry->job;
    if (job->critical) {
        return;
    }
    job->critical = true;
    if (job->state == PVF__CORE_JOB_QUEUED) {
        pvf__core_list_remove(&job->link);
        pvf__core_list_append(queue_of(core, job), &job->link);
    }
}

void pvf__core_prepare_drop(struct pvf__core *core, struct pvf__core_entry *entry)
{
    struct pvf__core_job *job = &entry->job;
    if (job->state == PVF__CORE_JOB_QUEUED) {
        pvf__core_list_remove(&job->link);
        job->state = PVF__CORE_JOB_NONE;
    } else if (job->state == PVF__CORE_JOB_RUNNING && pvf__core_order_waits(&job->worker->order)) {
        struct pvf__core_worker *worker = job->worker;
        job->state = PVF__CORE_JOB_NONE;
        job->worker = NULL;
        pvf__core_order_withdraw(&worker->order);
        pvf__core_worker_release(core, worker, true, false);
    }
}

/* Every waiter gets an internal answer. */
static void
fail_waiters(struct pvf__core *core, struct pvf__core_entry *entry, enum pvf__core_reply reply)
{
    while (!pvf__core_list_empty(&entry->waiters)) {
        pvf__core_request_reply(core, waiter_at(entry->waiters.next), reply);
    }
}

static void requeue(struct pvf__core *core, struct pvf__core_entry *entry)
{
    struct pvf__core_job *job = &entry->job;
    job->state = PVF__CORE_JOB_QUEUED;
    pvf__core_list_prepend(queue_of(core, job), &job->link);
    core->stats.prepare_retried++;
}

static void end_not_started(struct pvf__core *core, struct pvf__core_entry *entry)
{
    if (entry->waiting == 0) {
        return;
    }
    entry->job.requeues++;
    if (entry->job.requeues > core->config.requeue_max) {
        fail_waiters(core, entry, PVF__CORE_REPLY_NOT_STARTED);
    } else {
        requeue(core, entry);
    }
}

/* Is it tried again at once, before anybody hears of it? */
static bool
tries_again(struct pvf__core *core, struct pvf__core_job *job, enum pvf__core_failure failure)
{
    if (failure == PVF__CORE_FAILURE_JOB_ERROR) {
        job->job_errors++;
        return job->job_errors < core->config.job_error_attempts;
    }
    job->job_errors = 0;
    if (failure == PVF__CORE_FAILURE_DEATH && job->deaths < core->config.death_retries) {
        job->deaths++;
        return true;
    }
    return false;
}

static void serve(struct pvf__core *core, struct pvf__core_request *request)
{
    struct pvf__core_entry *entry = request->entry;
    if (request->type != PVF__CORE_REQUEST_EXECUTE) {
        request->reply.generation = entry->generation;
        pvf__core_request_reply(core, request, PVF__CORE_REPLY_PREPARED);
        return;
    }
    pvf__core_request_serve(core, request);
}

static void refuse(struct pvf__core *core,
                   struct pvf__core_request *request,
                   const struct pvf__core_job *job,
                   const struct pvf__core_prepared *prepared)
{
    struct pvf__core_command *reply = &request->reply;
    reply->failure = prepared->failure;
    reply->deterministic = pvf__core_failure_is_permanent(core, job, prepared->failure);
    reply->error = prepared->error;
    if (prepared->text != NULL) {
        const size_t len = strnlen(prepared->text, sizeof(reply->text) - 1);
        memcpy(reply->text, prepared->text, len);
        reply->text[len] = '\0';
    }
    pvf__core_request_reply(core, request, PVF__CORE_REPLY_PREPARE_FAILED);
}

/* Answers the waiters that the result speaks to: first those for the code, then executions. */
static void answer_waiters(struct pvf__core *core,
                           struct pvf__core_entry *entry,
                           const struct pvf__core_prepared *prepared)
{
    const struct pvf__core_job job = entry->job;
    for (unsigned executions = 0; executions < 2; executions++) {
        struct pvf__core_link *link = entry->waiters.next;
        while (link != &entry->waiters) {
            struct pvf__core_request *request = waiter_at(link);
            link = link->next;
            if ((request->type == PVF__CORE_REQUEST_EXECUTE) != (executions == 1)) {
                continue;
            }
            if (prepared->end == PVF__CORE_PREPARE_OK) {
                if (pvf__core_entry_satisfies(entry, &request->code)) {
                    serve(core, request);
                }
            } else if (pvf__core_failure_concerns(
                           prepared->failure, &job.made_as, &request->code)) {
                refuse(core, request, &job, prepared);
            }
        }
    }
}

static uint64_t end_ok(struct pvf__core *core,
                       struct pvf__core_entry *entry,
                       const struct pvf__core_prepared *prepared)
{
    const struct pvf__core_artifact artifact = {
        .size = prepared->size,
        .cpu_ns = prepared->cpu_ns,
        .memory = prepared->memory,
        .code_len = prepared->code_len,
        .made_as = entry->job.made_as,
    };
    pvf__core_artifact_set(core, entry, &artifact);
    /* Who is queued for it was served by limits that hold for this one, too. */
    pvf__core_tier_drop(core, entry);
    pvf__core_failures_disproved(entry, &entry->made_as);
    answer_waiters(core, entry, prepared);
    return entry->generation;
}

static void end_failed(struct pvf__core *core,
                       struct pvf__core_entry *entry,
                       const struct pvf__core_prepared *prepared)
{
    if (tries_again(core, &entry->job, prepared->failure) && entry->waiting > 0) {
        requeue(core, entry);
        return;
    }
    pvf__core_failure_store(core, entry, prepared);
    answer_waiters(core, entry, prepared);
}

uint64_t pvf__core_prepare_end(struct pvf__core *core,
                               struct pvf__core_worker *worker,
                               const struct pvf__core_prepared *prepared)
{
    struct pvf__core_entry *entry = worker->entry;
    uint64_t generation = 0;
    entry->users++; /* it must outlive its last waiter */
    entry->job.state = PVF__CORE_JOB_NONE;
    entry->job.worker = NULL;
    const bool started = prepared->end != PVF__CORE_PREPARE_NOT_STARTED;
    pvf__core_worker_release(core, worker, prepared->worker_lives, started);
    if (prepared->end != PVF__CORE_PREPARE_OK) {
        pvf__core_execute_recall(core, entry);
    }
    switch (prepared->end) {
    case PVF__CORE_PREPARE_OK:
        core->stats.prepare_concluded++;
        generation = end_ok(core, entry, prepared);
        break;
    case PVF__CORE_PREPARE_FAILED:
        core->stats.prepare_concluded++;
        end_failed(core, entry, prepared);
        break;
    case PVF__CORE_PREPARE_NOT_STARTED:
    default:
        end_not_started(core, entry);
        break;
    }
    if (entry->waiting > 0 && entry->job.state == PVF__CORE_JOB_NONE) {
        pvf__core_prepare_enqueue(core, entry);
    }
    entry->users--;
    pvf__core_entry_settle(core, entry);
    if (generation != 0) {
        pvf__core_prune_size(core);
    }
    return generation;
}

uint64_t pvf__core_prepare_finished(struct pvf__core *core,
                                    uint64_t now,
                                    uint64_t worker,
                                    const struct pvf__core_prepared *prepared)
{
    pvf__core_begin(core, now);
    struct pvf__core_worker *found = pvf__core_worker_find(core, worker);
    if (found == NULL || found->kind != PVF__CORE_PREPARE_WORKER ||
        found->state != PVF__CORE_WORKER_BUSY || pvf__core_order_waits(&found->order)) {
        return 0;
    }
    const uint64_t generation = pvf__core_prepare_end(core, found, prepared);
    pvf__core_schedule(core);
    return generation;
}

void pvf__core_prepare_spawn_failed(struct pvf__core *core)
{
    for (uint32_t i = 0; i < core->slots; i++) {
        const struct pvf__core_worker *worker = &core->workers[i];
        if (worker->kind == PVF__CORE_PREPARE_WORKER &&
            (worker->state == PVF__CORE_WORKER_IDLE || worker->state == PVF__CORE_WORKER_BUSY)) {
            return;
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        struct pvf__core_link *link = core->prepare_queues[i].next;
        while (link != &core->prepare_queues[i]) {
            struct pvf__core_entry *entry = entry_at(link);
            link = link->next;
            entry->job.spawn_failures++;
            if (entry->job.spawn_failures >= core->config.spawn_tries ||
                core->alarms[PVF__CORE_ALARM_PREPARE_SPAWN].on) {
                entry->users++;
                pvf__core_prepare_drop(core, entry);
                fail_waiters(core, entry, PVF__CORE_REPLY_NO_WORKER);
                entry->users--;
                pvf__core_entry_settle(core, entry);
            }
        }
    }
}

/* What one pass has counted on so far. */
struct pass {
    uint32_t occupied; /* busy workers, and those to come that a job counts on */
    uint32_t coming;   /* workers that are being spawned and no job counts on */
    uint32_t total;
};

static struct pvf__core_worker *idle_worker(struct pvf__core *core)
{
    struct pvf__core_worker *best = NULL;
    for (uint32_t i = 0; i < core->slots; i++) {
        struct pvf__core_worker *worker = &core->workers[i];
        if (worker->kind == PVF__CORE_PREPARE_WORKER && worker->state == PVF__CORE_WORKER_IDLE &&
            (best == NULL || worker->idle_since < best->idle_since)) {
            best = worker;
        }
    }
    return best;
}

static void
start(struct pvf__core *core, struct pvf__core_worker *worker, struct pvf__core_entry *entry)
{
    const struct pvf__core_request *leader = leader_of(entry);
    pvf__core_list_remove(&entry->job.link);
    entry->job.state = PVF__CORE_JOB_RUNNING;
    entry->job.worker = worker;
    entry->job.made_as = leader->code;
    entry->job.had_first_tier = false;
    pvf__core_worker_start(core, worker, entry, leader);
}

/* Places the jobs of one queue as far as `limit` workers go; false: no worker is left. */
static bool
pass_queue(struct pvf__core *core, struct pass *pass, struct pvf__core_link *queue, uint32_t limit)
{
    struct pvf__core_link *link = queue->next;
    while (link != queue && pass->occupied < limit) {
        struct pvf__core_entry *entry = entry_at(link);
        link = link->next;
        struct pvf__core_worker *worker = idle_worker(core);
        if (worker != NULL) {
            start(core, worker, entry);
        } else if (pass->coming > 0) {
            pass->coming--;
        } else if (pass->total < limit &&
                   pvf__core_worker_spawn(core, PVF__CORE_PREPARE_WORKER, leader_of(entry)) !=
                       NULL) {
            pass->total++;
        } else {
            return false;
        }
        pass->occupied++;
    }
    return true;
}

static void age(struct pvf__core *core)
{
    struct pvf__core_link *normal = &core->prepare_queues[0];
    while (core->config.prepare_aging_ns > 0 && !pvf__core_list_empty(normal) &&
           core->now - entry_at(normal->next)->job.queued_at >= core->config.prepare_aging_ns) {
        pvf__core_prepare_raise(core, entry_at(normal->next));
    }
}

void pvf__core_prepare_pass(struct pvf__core *core)
{
    core->spawners[PVF__CORE_PREPARE_WORKER].wanted = false;
    age(core);
    struct pass pass = {0};
    for (uint32_t i = 0; i < core->slots; i++) {
        const struct pvf__core_worker *worker = &core->workers[i];
        if (worker->kind == PVF__CORE_PREPARE_WORKER) {
            pass.occupied += worker->state == PVF__CORE_WORKER_BUSY;
            pass.coming += worker->state == PVF__CORE_WORKER_SPAWNING;
        }
    }
    pass.total = pvf__core_workers_count(core, PVF__CORE_PREPARE_WORKER);
    if (pass_queue(core, &pass, &core->prepare_queues[1], core->config.prepare_hard_max)) {
        (void)pass_queue(core, &pass, &core->prepare_queues[0], core->config.prepare_soft_max);
    }
    /* A worker above the soft limit that found nothing to do is not kept. */
    struct pvf__core_worker *idle = idle_worker(core);
    while (idle != NULL && pass.total > core->config.prepare_soft_max) {
        pvf__core_worker_kill(core, idle);
        pass.total--;
        idle = idle_worker(core);
    }
}

uint64_t pvf__core_prepare_deadline(const struct pvf__core *core)
{
    const struct pvf__core_link *normal = &core->prepare_queues[0];
    if (core->config.prepare_aging_ns == 0 || pvf__core_list_empty(normal)) {
        return UINT64_MAX;
    }
    return PVF__CORE_OWNER(normal->next, struct pvf__core_entry, job.link)->job.queued_at +
           core->config.prepare_aging_ns;
}
