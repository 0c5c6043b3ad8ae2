/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what must be true of the core between two events, checked one by one.  Slow; for tests.
 */
#include "core/core_state.h"

#include "base/error.h"

/* The first condition that does not hold. */
struct finding {
    int line;
    const char *text; /* NULL: all hold */
};

static void must(struct finding *finding, bool holds, int line, const char *text)
{
    if (!holds && finding->text == NULL) {
        finding->line = line;
        finding->text = text;
    }
}

#define MUST(condition) must(finding, (condition), __LINE__, #condition)

/* Counted from the one side, to be compared with the other. */
struct tally {
    size_t waiting;
    size_t queued[PVF__CORE_CLASSES];
    size_t running;
    size_t deadlines;
    size_t jobs_queued;
    size_t jobs_running;
    size_t artifacts;
    uint64_t bytes;
    size_t users;
    uint32_t kinds[2];
    uint32_t busy[2];
};

static bool contains(const struct pvf__core_link *head, const struct pvf__core_link *link)
{
    for (const struct pvf__core_link *at = head->next; at != head; at = at->next) {
        if (at == link) {
            return true;
        }
    }
    return false;
}

static void check_request(const struct pvf__core *core,
                          const struct pvf__core_request *request,
                          struct tally *tally,
                          struct finding *finding)
{
    const bool replied = request->state == PVF__CORE_REQUEST_REPLIED;
    MUST(replied == pvf__core_order_waits(&request->order_reply));
    MUST(replied == (request->entry == NULL));
    if (request->deadline_place != 0) {
        MUST(!replied && request->state != PVF__CORE_REQUEST_RUNNING);
        MUST(request->deadline_place <= core->deadlines_count &&
             core->deadlines[request->deadline_place] == request);
        tally->deadlines++;
    }
    switch (request->state) {
    case PVF__CORE_REQUEST_WAITING:
        MUST(request->entry != NULL && contains(&request->entry->waiters, &request->link));
        MUST(request->deadline_ns == 0 || request->deadline_place != 0);
        tally->waiting++;
        break;
    case PVF__CORE_REQUEST_QUEUED:
        MUST(request->type == PVF__CORE_REQUEST_EXECUTE);
        MUST(request->entry != NULL &&
             (request->entry->has_artifact || pvf__core_tier_serves(request->entry, request)));
        MUST(request->deadline_ns == 0 || request->deadline_place != 0);
        tally->queued[request->cls]++;
        break;
    case PVF__CORE_REQUEST_RUNNING:
        MUST(request->worker != NULL && request->worker->request == request);
        MUST(request->worker != NULL && request->worker->state == PVF__CORE_WORKER_BUSY);
        tally->running++;
        break;
    case PVF__CORE_REQUEST_REPLIED:
        break;
    case PVF__CORE_REQUEST_LOOSE:
    default:
        MUST(request->state != PVF__CORE_REQUEST_LOOSE);
        break;
    }
}

static void
check_requests(const struct pvf__core *core, struct tally *tally, struct finding *finding)
{
    size_t count = 0;
    size_t executions = 0;
    struct pvf__core_link *link = core->all_requests.next;
    for (; link != &core->all_requests; link = link->next) {
        struct pvf__core_request *request = PVF__CORE_OWNER(link, struct pvf__core_request, all);
        check_request(core, request, tally, finding);
        executions += request->type == PVF__CORE_REQUEST_EXECUTE;
        count++;
    }
    MUST(count == core->requests.count);
    MUST(executions ==
         core->executions[0] + core->executions[1] + core->executions[2] + core->executions[3]);
    MUST(tally->deadlines == core->deadlines_count);
    MUST(core->deadlines_room >= count);
    for (size_t i = 2; i <= core->deadlines_count; i++) {
        MUST(core->deadlines[i / 2]->deadline_ns <= core->deadlines[i]->deadline_ns);
    }
}

static void check_artifact(const struct pvf__core *core,
                           const struct pvf__core_entry *entry,
                           struct tally *tally,
                           struct finding *finding)
{
    MUST(entry->has_artifact == pvf__core_list_linked(&entry->recent));
    for (unsigned i = 0; i < PVF__CORE_REMOVALS; i++) {
        const struct pvf__core_removal *removal = &entry->removals[i];
        MUST((removal->generation != 0) == pvf__core_order_waits(&removal->order));
        MUST(removal->entry == entry);
        MUST(removal->generation == 0 ||
             (removal->generation != entry->first_generation &&
              (!entry->has_artifact || removal->generation != entry->generation)));
    }
    if (entry->first_generation != 0) {
        MUST(entry->job.state == PVF__CORE_JOB_RUNNING && entry->job.had_first_tier);
        MUST(entry->job.made_as.kind == PVF__CORE_COMPILATION);
        MUST(entry->first_generation <= core->next_number);
    }
    if (entry->has_artifact) {
        MUST(entry->generation != 0 && entry->generation <= core->next_number);
        MUST(entry->needed_at <= (int64_t)core->now);
        tally->artifacts++;
        tally->bytes += entry->size;
    }
}

static void check_entry(const struct pvf__core *core,
                        struct pvf__core_entry *entry,
                        struct tally *tally,
                        struct finding *finding)
{
    MUST(pvf__core_entry_find(core, &entry->key) == entry);
    size_t waiting = 0;
    for (struct pvf__core_link *link = entry->waiters.next; link != &entry->waiters;
         link = link->next) {
        const struct pvf__core_request *request =
            PVF__CORE_OWNER(link, struct pvf__core_request, link);
        MUST(request->entry == entry && request->state == PVF__CORE_REQUEST_WAITING);
        MUST(!request->code.critical || entry->job.critical);
        waiting++;
    }
    MUST(waiting == entry->waiting);
    const struct pvf__core_job *job = &entry->job;
    MUST(waiting == 0 || job->state != PVF__CORE_JOB_NONE);
    MUST(pvf__core_list_linked(&job->link) == (job->state == PVF__CORE_JOB_QUEUED));
    if (job->state == PVF__CORE_JOB_QUEUED) {
        MUST(waiting > 0);
        MUST(contains(&core->prepare_queues[job->critical ? 1 : 0], &job->link));
        tally->jobs_queued++;
    } else if (job->state == PVF__CORE_JOB_RUNNING) {
        MUST(job->worker != NULL && job->worker->entry == entry &&
             job->worker->kind == PVF__CORE_PREPARE_WORKER);
        MUST(job->worker != NULL && (waiting > 0 || !pvf__core_order_waits(&job->worker->order)));
        tally->jobs_running++;
    }
    /* Else it would have been freed. */
    MUST(entry->has_artifact || entry->users > 0 || waiting > 0 ||
         job->state != PVF__CORE_JOB_NONE || pvf__core_entry_removes(entry) ||
         pvf__core_failures_any(entry));
    tally->users += entry->users;
    check_artifact(core, entry, tally, finding);
}

static void
check_entries(const struct pvf__core *core, struct tally *tally, struct finding *finding)
{
    size_t count = 0;
    for (size_t i = 0; i <= core->entries.mask; i++) {
        for (struct pvf__core_node *node = core->entries.buckets[i]; node != NULL;
             node = node->next) {
            check_entry(core, PVF__CORE_OWNER(node, struct pvf__core_entry, node), tally, finding);
            count++;
        }
    }
    MUST(count == core->entries.count);
    MUST(tally->artifacts == core->artifacts && tally->artifacts == core->generations.count);
    MUST(tally->bytes == core->bytes);
    size_t listed = 0;
    for (struct pvf__core_link *link = core->recent.next; link != &core->recent;
         link = link->next) {
        const struct pvf__core_entry *entry = PVF__CORE_OWNER(link, struct pvf__core_entry, recent);
        MUST(link->prev == &core->recent ||
             PVF__CORE_OWNER(link->prev, struct pvf__core_entry, recent)->needed_at <=
                 entry->needed_at);
        listed++;
    }
    MUST(listed == tally->artifacts);
}

static void
check_worker(const struct pvf__core_worker *worker, struct tally *tally, struct finding *finding)
{
    const bool order = pvf__core_order_waits(&worker->order);
    const bool kill = pvf__core_order_waits(&worker->order_kill);
    MUST(kill == (worker->state == PVF__CORE_WORKER_KILLED));
    MUST((worker->id == 0) == (worker->state == PVF__CORE_WORKER_FREE));
    MUST(!order || worker->state == PVF__CORE_WORKER_SPAWNING ||
         worker->state == PVF__CORE_WORKER_BUSY);
    if (worker->state == PVF__CORE_WORKER_FREE || worker->state == PVF__CORE_WORKER_KILLED) {
        return;
    }
    tally->kinds[worker->kind]++;
    if (worker->state != PVF__CORE_WORKER_BUSY) {
        MUST(worker->entry == NULL && worker->request == NULL);
        return;
    }
    tally->busy[worker->kind]++;
    MUST(worker->entry != NULL);
    if (worker->entry == NULL) {
        return;
    }
    if (worker->kind == PVF__CORE_PREPARE_WORKER) {
        MUST(worker->entry->job.worker == worker);
        MUST(worker->entry->job.state == PVF__CORE_JOB_RUNNING);
    } else {
        MUST(worker->entry->users > 0);
        MUST(worker->request == NULL || worker->request->worker == worker);
        MUST(worker->request == NULL || !worker->first_tier || !worker->request->needs_optimised);
    }
}

static void
check_workers(const struct pvf__core *core, struct tally *tally, struct finding *finding)
{
    for (uint32_t i = 0; i < core->slots; i++) {
        check_worker(&core->workers[i], tally, finding);
    }
    MUST(tally->kinds[PVF__CORE_PREPARE_WORKER] <= core->config.prepare_hard_max);
    MUST(tally->kinds[PVF__CORE_EXECUTE_WORKER] <= core->config.execute_max);
    MUST(tally->busy[PVF__CORE_PREPARE_WORKER] == tally->jobs_running);
    MUST(tally->busy[PVF__CORE_EXECUTE_WORKER] >= tally->running);
}

static void
check_queues(const struct pvf__core *core, const struct tally *tally, struct finding *finding)
{
    size_t users = tally->busy[PVF__CORE_EXECUTE_WORKER];
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        const struct pvf__core_link *head = &core->execute_queues[i];
        const struct pvf__core_request *last = NULL;
        size_t count = 0;
        for (struct pvf__core_link *link = head->next; link != head; link = link->next) {
            const struct pvf__core_request *request =
                PVF__CORE_OWNER(link, struct pvf__core_request, link);
            MUST(request->state == PVF__CORE_REQUEST_QUEUED && (unsigned)request->cls == i);
            MUST(last == NULL || last->order[0] < request->order[0] ||
                 (last->order[0] == request->order[0] && last->order[1] < request->order[1]));
            last = request;
            count++;
        }
        MUST(count == tally->queued[i] && count == core->execute_queued[i]);
        users += count;
    }
    MUST(users == tally->users);
}

/* Does this idle worker have to be busy? */
static bool idles_wrongly(const struct pvf__core *core, const struct pvf__core_worker *worker)
{
    if (worker->state != PVF__CORE_WORKER_IDLE) {
        return false;
    }
    if (worker->kind == PVF__CORE_PREPARE_WORKER) {
        return !pvf__core_list_empty(&core->prepare_queues[1]);
    }
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        const struct pvf__core_link *head = &core->execute_queues[i];
        for (struct pvf__core_link *link = head->next; link != head; link = link->next) {
            const struct pvf__core_request *request =
                PVF__CORE_OWNER(link, struct pvf__core_request, link);
            if (pvf__core_execute_fits(core, worker, request->code.params_hash)) {
                return true;
            }
        }
    }
    return false;
}

/* Whatever waits is waited for: by a worker, by a timer, or by a command that is still to come. */
static void
check_progress(const struct pvf__core *core, const struct tally *tally, struct finding *finding)
{
    if (core->stopped) {
        return;
    }
    for (uint32_t i = 0; i < core->slots; i++) {
        MUST(!idles_wrongly(core, &core->workers[i]));
    }
    size_t queued = 0;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        queued += tally->queued[i];
    }
    MUST(queued == 0 || tally->kinds[PVF__CORE_EXECUTE_WORKER] > 0 ||
         core->spawners[PVF__CORE_EXECUTE_WORKER].wanted);
    MUST(tally->jobs_queued == 0 || tally->kinds[PVF__CORE_PREPARE_WORKER] > 0 ||
         core->spawners[PVF__CORE_PREPARE_WORKER].wanted);
}

int pvf__core_check(const struct pvf__core *core, pvf_error *err)
{
    struct finding finding = {0};
    struct tally tally = {0};
    check_requests(core, &tally, &finding);
    check_entries(core, &tally, &finding);
    check_workers(core, &tally, &finding);
    check_queues(core, &tally, &finding);
    check_progress(core, &tally, &finding);
    if (finding.text != NULL) {
        return pvf__error_set(
            err, PVF_ERR_INTERNAL, "core_check.c:%d: not so: %s", finding.line, finding.text);
    }
    return 0;
}
