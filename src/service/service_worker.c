/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: one worker from its start to its last answer, as a state machine that never waits.  Trusts
 * the worker with nothing: it may have been taken over by what it ran.
 */
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host/folder.h"
#include "host/host_upgrade.h"
#include "host/process_tree.h"
#include "host/spawn_failure.h"
#include "proto/handshake.h"
#include "pvf/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* An honest worker leaves two files; more of them are cleared away without it. */
#define TIDY_ENTRIES 64u

struct pvf__service_worker *pvf__service_worker_find(const struct pvf_service *service, uint64_t id)
{
    for (struct pvf__core_link *link = service->workers.next; link != &service->workers;
         link = link->next) {
        struct pvf__service_worker *worker =
            PVF__CORE_OWNER(link, struct pvf__service_worker, link);
        if (worker->id == id) {
            return worker;
        }
    }
    return NULL;
}

/* The two frames that a worker is told first, or one. */
static int build_handshakes(const struct pvf_service *service,
                            bool upgraded,
                            const struct pvf__executor_params *params,
                            struct pvf__buf *ret,
                            pvf_error *err)
{
    size_t start;
    pvf__buf_init(ret, PVF__FRAME_MAX_HANDSHAKE + PVF__FRAME_MAX_PARAMS);
    if (upgraded) {
        pvf__host_upgrade_put_hello(&service->host->security, ret);
        return ret->failed != 0 ? pvf__error_set(err, ret->failed, "no room for a handshake") : 0;
    }
    pvf__frame_begin(ret, &start);
    pvf__handshake_encode(&service->host->security, ret);
    pvf__frame_end(ret, start);
    if (params != NULL) {
        pvf__frame_begin(ret, &start);
        (void)pvf__buf_append(ret, params->raw.data, params->raw.len);
        pvf__frame_end(ret, start);
    }
    return ret->failed != 0 ? pvf__error_set(err, ret->failed, "no room for a handshake") : 0;
}

static int
watch_start(struct pvf_service *service, struct pvf__service_worker *worker, pvf_error *err)
{
    const struct pvf__spawning *spawning = &worker->spawning;
    bool connected = spawning->listener < 0;
    enum pvf__service_source source = connected ? PVF__SERVICE_SOCKET : PVF__SERVICE_LISTENER;
    int status = pvf__service_watch(service,
                                    connected ? spawning->spawned.socket : spawning->listener,
                                    connected ? EPOLLOUT : EPOLLIN,
                                    pvf__service_number(worker->id, source),
                                    err);
    if (status == 0) {
        status = pvf__service_watch(service,
                                    spawning->spawned.process.pid_fd,
                                    EPOLLIN,
                                    pvf__service_number(worker->id, PVF__SERVICE_PROCESS),
                                    err);
    }
    if (status == 0) {
        status = pvf__service_watch(service,
                                    spawning->spawned.out,
                                    EPOLLIN,
                                    pvf__service_number(worker->id, PVF__SERVICE_STDOUT),
                                    err);
    }
    return status != 0 ? pvf__spawn_failure_mark(err, PVF_SPAWN_PROCESS, status) : 0;
}

int pvf__service_worker_spawn(struct pvf_service *service,
                              uint64_t id,
                              enum pvf__worker_kind kind,
                              const struct pvf__executor_params *params,
                              pvf_error *err)
{
    struct pvf__spawn_spec spec;
    pvf__host_spawn_spec(service->host, kind, &spec);
    struct pvf__service_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a worker");
    }
    worker->id = id;
    worker->kind = kind;
    worker->outgoing.message = (struct pvf__host_message)PVF__HOST_MESSAGE_INIT;
    int status =
        build_handshakes(service, spec.upgraded, params, &worker->outgoing.message.frame, err);
    if (status == 0) {
        status = pvf__spawn_begin(&spec, &worker->spawning, err);
    }
    if (status != 0) {
        pvf__host_message_done(&worker->outgoing.message);
        free(worker);
        return status;
    }
    worker->state = spec.upgraded ? PVF__SERVICE_TELLING : PVF__SERVICE_CONNECTING;
    worker->deadline_at = pvf__clock_monotonic_ns() + spec.timeout_ms * PVF__CORE_MS;
    pvf__core_list_append(&service->workers, &worker->link);
    status = watch_start(service, worker, err);
    if (status != 0) {
        pvf__service_bury(service, worker);
    }
    return status;
}

static void
spawn_failed(struct pvf_service *service, struct pvf__service_worker *worker, const pvf_error *why)
{
    uint64_t id = worker->id;
    pvf__log(PVF__LOG_WARN, "%s worker: %s", pvf__spawn_kind_name(worker->kind), why->text);
    service->spawn_error[worker->kind] = *why;
    pvf__service_metrics_spawn_failed(service, worker->kind, why->detail);
    pvf__service_bury(service, worker);
    pvf__core_spawn_failed(service->core, pvf__clock_monotonic_ns(), id);
}

static void
handshake_failed(struct pvf_service *service, struct pvf__service_worker *worker, pvf_error *why)
{
    struct pvf__spawn_spec spec;
    pvf__host_spawn_spec(service->host, worker->kind, &spec);
    pvf__error_wrap(why, "handshake with %s", spec.program->path);
    why->code = pvf__spawn_failure_mark(why, PVF_SPAWN_HANDSHAKE, why->code);
    spawn_failed(service, worker, why);
}

static void has_begun(struct pvf_service *service, struct pvf__service_worker *worker)
{
    service->spawn_error[worker->kind] = (pvf_error)PVF_ERROR_INIT;
    pvf__service_worker_rest(service, worker);
    pvf__core_worker_spawned(service->core, pvf__clock_monotonic_ns(), worker->id);
}

static void tell(struct pvf_service *service, struct pvf__service_worker *worker)
{
    pvf_error why = PVF_ERROR_INIT;
    int status = pvf__service_wire_send(worker->spawning.spawned.socket, &worker->outgoing, &why);
    if (status < 0) {
        handshake_failed(service, worker, &why);
    } else if (status == 0 && service->host->upgraded[worker->kind]) {
        worker->state = PVF__SERVICE_GREETED;
        pvf__service_wire_expect(&worker->incoming, PVF__FRAME_MAX_HANDSHAKE);
        pvf__service_watch_for(service,
                               worker->spawning.spawned.socket,
                               EPOLLIN,
                               pvf__service_number(worker->id, PVF__SERVICE_SOCKET));
    } else if (status == 0) {
        has_begun(service, worker);
    }
}

/* Upgraded: says what it says once its sandbox stands. */
static void hear_ready(struct pvf_service *service, struct pvf__service_worker *worker)
{
    pvf_error why = PVF_ERROR_INIT;
    const struct pvf__spawned *spawned = &worker->spawning.spawned;
    int status = pvf__service_wire_receive(spawned->socket, &worker->incoming, &why);
    if (status == 0) {
        status = pvf__host_upgrade_hear_ready(worker->kind,
                                              spawned->process.pid,
                                              &service->host->security,
                                              &worker->incoming.body,
                                              &why);
    }
    if (status < 0) {
        handshake_failed(service, worker, &why);
    } else if (status == 0) {
        has_begun(service, worker);
    }
}

static void accept_it(struct pvf_service *service, struct pvf__service_worker *worker)
{
    pvf_error why = PVF_ERROR_INIT;
    int status = pvf__spawn_accept(&worker->spawning, &why);
    if (status == 0) {
        status = pvf__service_watch(service,
                                    worker->spawning.spawned.socket,
                                    EPOLLOUT,
                                    pvf__service_number(worker->id, PVF__SERVICE_SOCKET),
                                    &why);
        status = status != 0 ? pvf__spawn_failure_mark(&why, PVF_SPAWN_ACCEPT, status) : 0;
    }
    if (status < 0) {
        spawn_failed(service, worker, &why);
    } else if (status == 0) {
        worker->state = PVF__SERVICE_TELLING;
        worker->deadline_at = pvf__clock_monotonic_ns() + PVF__HOST_WORKER_SEND_NS;
        tell(service, worker);
    }
}

static void connecting(struct pvf_service *service,
                       struct pvf__service_worker *worker,
                       enum pvf__service_source source)
{
    if (source == PVF__SERVICE_LISTENER) {
        accept_it(service, worker);
    } else if (source == PVF__SERVICE_PROCESS) {
        struct pvf__spawn_spec spec;
        pvf_error why = PVF_ERROR_INIT;
        pvf__host_spawn_spec(service->host, worker->kind, &spec);
        (void)pvf__spawn_died(&spec, &worker->spawning, &why);
        spawn_failed(service, worker, &why);
    }
}

void pvf__service_worker_rest(struct pvf_service *service, struct pvf__service_worker *worker)
{
    worker->state = PVF__SERVICE_IDLE;
    worker->job.caller = 0;
    worker->deadline_at = UINT64_MAX;
    /* An idle worker has nothing to say; bytes or a hang-up make it useless. */
    pvf__service_watch_for(service,
                           worker->spawning.spawned.socket,
                           EPOLLIN | EPOLLRDHUP,
                           pvf__service_number(worker->id, PVF__SERVICE_SOCKET));
}

static void idle_died(struct pvf_service *service, struct pvf__service_worker *worker)
{
    uint64_t id = worker->id;
    pvf__log(PVF__LOG_WARN, "an idle %s worker has ended", pvf__spawn_kind_name(worker->kind));
    service->worker_deaths++;
    pvf__service_metrics_death(service, worker->kind, false);
    pvf__service_bury(service, worker);
    pvf__core_worker_dead(service->core, pvf__clock_monotonic_ns(), id);
}

/* ---- A job ---- */

/* One deadline for the job, from its first byte to its last. */
static uint64_t job_deadline(const struct pvf_service *service,
                             const struct pvf__service_worker *worker)
{
    uint64_t limit;
    if (__builtin_mul_overflow(
            worker->job.cpu_limit_us, (uint64_t)service->wall_factor * 1000u, &limit)) {
        limit = UINT64_MAX - 1;
    }
    return pvf__clock_after(worker->job.begun_at, limit);
}

/* What the worker had used when the job began is known from now on, or never will be. */
static void look(const struct pvf_service *service, struct pvf__service_worker *worker)
{
    struct pvf__service_job *job = &worker->job;
    job->looked = true;
    job->has_cpu_before =
        pvf__process_tree_cpu(worker->spawning.spawned.process.pid, &job->cpu_before_us);
    worker->deadline_at = job_deadline(service, worker);
}

static void
ended(struct pvf_service *service, struct pvf__service_worker *worker, enum pvf__exchange_end end)
{
    if (worker->kind == PVF__WORKER_KIND_PREPARE) {
        pvf__service_prepare_ended(service, worker, end, &worker->job.why);
    } else {
        pvf__service_execute_ended(service, worker, end, &worker->job.why);
    }
}

/* The connection is of no more use; how the process ended, if it did, is worth a moment. */
static void
hung_up(struct pvf_service *service, struct pvf__service_worker *worker, enum pvf__exchange_end end)
{
    worker->state = PVF__SERVICE_ENDING;
    worker->deadline_at = pvf__clock_monotonic_ns() + PVF__HOST_WORKER_END_NS;
    worker->job.end = end;
    /* Out of the set first: a hang-up is always reported. */
    pvf__service_watch_for(service, worker->spawning.spawned.socket, 0, 0);
    (void)close(PVF__TAKE_FD(worker->spawning.spawned.socket));
}

/* Adds how the process ended, if it has. */
static void say_how_it_ended(struct pvf__service_worker *worker)
{
    int status = 0;
    char how[64];
    pvf_error *why = &worker->job.why;
    struct pvf__process *process = &worker->spawning.spawned.process;
    if (process->pid >= 0 && pvf__process_reap(process, &status)) {
        size_t used = strlen(why->text);
        pvf__process_status_text(status, how, sizeof(how));
        (void)snprintf(why->text + used, sizeof(why->text) - used, " (%s)", how);
    }
}

/* Its process has ended, or the moment is over. */
static void ending(struct pvf_service *service, struct pvf__service_worker *worker)
{
    say_how_it_ended(worker);
    ended(service, worker, worker->job.end);
}

/*
 * The process has ended and its connection has not: whatever it was just starting may hold that for
 * a moment longer.  What comes from there is no answer, but only the end of the connection tells
 * whether the request was taken.
 */
static void await_hang_up(struct pvf_service *service, struct pvf__service_worker *worker)
{
    (void)pvf__error_set(&worker->job.why, PVF_ERR_EOF, "the worker ended without an answer");
    say_how_it_ended(worker);
    worker->state = PVF__SERVICE_ORPHANED;
    worker->deadline_at = pvf__clock_monotonic_ns() + PVF__HOST_WORKER_END_NS;
    /* A hang-up is reported unasked. */
    pvf__service_watch_for(service,
                           worker->spawning.spawned.socket,
                           0,
                           pvf__service_number(worker->id, PVF__SERVICE_SOCKET));
}

/* The connection has ended, or the moment is over. */
static void orphaned(struct pvf_service *service, struct pvf__service_worker *worker)
{
    bool unread = pvf__host_worker_left_unread(worker->spawning.spawned.socket);
    ended(service, worker, unread ? PVF__EXCHANGE_NOT_SENT : PVF__EXCHANGE_LOST);
}

static void receive(struct pvf_service *service, struct pvf__service_worker *worker)
{
    pvf_error *why = &worker->job.why;
    int status = pvf__service_wire_receive(worker->spawning.spawned.socket, &worker->incoming, why);
    if (status == 0 && pvf__service_tier_take(service, worker)) {
        /* The second answer may be there already. */
        status = pvf__service_wire_receive(worker->spawning.spawned.socket, &worker->incoming, why);
    }
    if (status == 0) {
        ended(service, worker, PVF__EXCHANGE_ANSWERED);
    } else if (status == PVF_ERR_EOF) {
        /*
         * The kernel says "reset" instead of "end" when the worker ended with a part of the request
         * still unread: it has not begun with the job.
         */
        hung_up(service,
                worker,
                why->sys_errno == ECONNRESET ? PVF__EXCHANGE_NOT_SENT : PVF__EXCHANGE_LOST);
    } else if (status == PVF_ERR_LIMIT) {
        ended(service, worker, PVF__EXCHANGE_LOST);
    } else if (status < 0) {
        ended(service, worker, PVF__EXCHANGE_NOT_READ);
    }
}

static void await_answer(const struct pvf_service *service, struct pvf__service_worker *worker)
{
    worker->state = PVF__SERVICE_RECEIVING;
    worker->deadline_at = pvf__clock_monotonic_ns() + PVF__HOST_WORKER_LOOK_NS;
    if (worker->deadline_at >= job_deadline(service, worker)) {
        look(service, worker);
    }
}

void pvf__service_worker_await(struct pvf_service *service,
                               struct pvf__service_worker *worker,
                               size_t answer_max)
{
    pvf__service_wire_expect(&worker->incoming, answer_max);
    worker->job.begun_at = pvf__clock_monotonic_ns();
    worker->job.looked = false;
    await_answer(service, worker);
}

static void transmit(struct pvf_service *service, struct pvf__service_worker *worker)
{
    pvf_error *why = &worker->job.why;
    int status = pvf__service_wire_send(worker->spawning.spawned.socket, &worker->outgoing, why);
    if (status == 0) {
        await_answer(service, worker);
        pvf__service_watch_for(service,
                               worker->spawning.spawned.socket,
                               EPOLLIN,
                               pvf__service_number(worker->id, PVF__SERVICE_SOCKET));
    } else if (status == PVF_ERR_EOF) {
        hung_up(service, worker, PVF__EXCHANGE_NOT_SENT);
    } else if (status < 0) {
        ended(service, worker, PVF__EXCHANGE_NOT_SENT);
    }
}

void pvf__service_worker_begin(struct pvf_service *service,
                               struct pvf__service_worker *worker,
                               struct pvf__host_message *request,
                               size_t answer_max)
{
    struct pvf__service_job *job = &worker->job;
    pvf__host_message_done(&worker->outgoing.message);
    worker->outgoing = (struct pvf__service_outgoing){.message = *request};
    *request = (struct pvf__host_message)PVF__HOST_MESSAGE_INIT;
    pvf__service_wire_expect(&worker->incoming, answer_max);
    job->why = (pvf_error)PVF_ERROR_INIT;
    job->begun_at = pvf__clock_monotonic_ns();
    job->looked = false;
    worker->state = PVF__SERVICE_SENDING;
    worker->requests++;
    pvf__log_job_given(job->caller,
                       pvf__spawn_kind_name(worker->kind),
                       (int)worker->spawning.spawned.process.pid,
                       worker->requests);
    uint64_t whole = job_deadline(service, worker);
    uint64_t sending = pvf__clock_after(job->begun_at, PVF__HOST_WORKER_SEND_NS);
    worker->deadline_at = whole < sending ? whole : sending;
    pvf__service_watch_for(service,
                           worker->spawning.spawned.socket,
                           EPOLLOUT,
                           pvf__service_number(worker->id, PVF__SERVICE_SOCKET));
    transmit(service, worker);
}

static void at_work(struct pvf_service *service,
                    struct pvf__service_worker *worker,
                    enum pvf__service_source source)
{
    if (worker->state == PVF__SERVICE_SENDING) {
        if (source == PVF__SERVICE_SOCKET) {
            transmit(service, worker);
        } else {
            (void)pvf__error_set(&worker->job.why, PVF_ERR_EOF, "the worker has ended");
            hung_up(service, worker, PVF__EXCHANGE_NOT_SENT);
            ending(service, worker);
        }
        return;
    }
    /* First: a worker that answers and ends has answered. */
    receive(service, worker);
    if (source == PVF__SERVICE_PROCESS && worker->state == PVF__SERVICE_RECEIVING) {
        await_hang_up(service, worker);
    } else if (source == PVF__SERVICE_PROCESS && worker->state == PVF__SERVICE_ENDING) {
        ending(service, worker);
    }
}

/* Connected, and not of use yet. */
static void at_start(struct pvf_service *service,
                     struct pvf__service_worker *worker,
                     enum pvf__service_source source)
{
    if (source == PVF__SERVICE_PROCESS) {
        pvf_error why = PVF_ERROR_INIT;
        (void)pvf__error_set(&why, PVF_ERR_PEER, "it has ended");
        handshake_failed(service, worker, &why);
    } else if (worker->state == PVF__SERVICE_TELLING) {
        tell(service, worker);
    } else {
        hear_ready(service, worker);
    }
}

void pvf__service_worker_event(struct pvf_service *service,
                               struct pvf__service_worker *worker,
                               enum pvf__service_source source)
{
    PVF__LOG_JOB(worker->job.caller);
    if (source == PVF__SERVICE_STDOUT) {
        if (worker->spawning.spawned.out >= 0) {
            pvf__spawn_drain(&worker->spawning.spawned);
        }
        return;
    }
    if (source == PVF__SERVICE_LISTENER && worker->state != PVF__SERVICE_CONNECTING) {
        /* It was closed while this was on its way. */
        return;
    }
    switch (worker->state) {
    case PVF__SERVICE_CONNECTING:
        connecting(service, worker, source);
        break;
    case PVF__SERVICE_TELLING:
    case PVF__SERVICE_GREETED:
        at_start(service, worker, source);
        break;
    case PVF__SERVICE_IDLE:
        idle_died(service, worker);
        break;
    case PVF__SERVICE_SENDING:
    case PVF__SERVICE_RECEIVING:
        at_work(service, worker, source);
        break;
    case PVF__SERVICE_ENDING:
        if (source == PVF__SERVICE_PROCESS) {
            ending(service, worker);
        }
        break;
    case PVF__SERVICE_ORPHANED:
        if (source == PVF__SERVICE_PROCESS) {
            say_how_it_ended(worker);
        } else {
            orphaned(service, worker);
        }
        break;
    case PVF__SERVICE_DEAD:
    default:
        (void)pvf__service_grave_step(service, worker);
        break;
    }
}

void pvf__service_worker_overdue(struct pvf_service *service, struct pvf__service_worker *worker)
{
    struct pvf__service_job *job = &worker->job;
    struct pvf__spawn_spec spec;
    pvf_error why = PVF_ERROR_INIT;
    PVF__LOG_JOB(job->caller);
    switch (worker->state) {
    case PVF__SERVICE_CONNECTING:
        pvf__host_spawn_spec(service->host, worker->kind, &spec);
        (void)pvf__spawn_timed_out(&spec, &why);
        spawn_failed(service, worker, &why);
        break;
    case PVF__SERVICE_TELLING:
        (void)pvf__error_set(&why, PVF_ERR_TIMEOUT, "it takes no bytes");
        handshake_failed(service, worker, &why);
        break;
    case PVF__SERVICE_GREETED:
        (void)pvf__error_set(&why, PVF_ERR_TIMEOUT, "it was not ready in time");
        handshake_failed(service, worker, &why);
        break;
    case PVF__SERVICE_SENDING:
        (void)pvf__error_set(&job->why, PVF_ERR_TIMEOUT, "the worker took no bytes in time");
        ended(service, worker, PVF__EXCHANGE_NOT_SENT);
        break;
    case PVF__SERVICE_RECEIVING:
        if (!job->looked) {
            look(service, worker);
            if (worker->deadline_at > pvf__clock_monotonic_ns()) {
                break;
            }
        }
        (void)pvf__error_set(&job->why, PVF_ERR_TIMEOUT, "the worker gave no answer in time");
        ended(service,
              worker,
              pvf__host_worker_judge_expiry(worker->spawning.spawned.process.pid,
                                            job->has_cpu_before,
                                            job->cpu_before_us,
                                            job->cpu_limit_us));
        break;
    case PVF__SERVICE_ENDING:
        ending(service, worker);
        break;
    case PVF__SERVICE_ORPHANED:
        orphaned(service, worker);
        break;
    case PVF__SERVICE_DEAD:
        (void)pvf__service_grave_step(service, worker);
        break;
    case PVF__SERVICE_IDLE:
    default:
        worker->deadline_at = UINT64_MAX;
        break;
    }
}

bool pvf__service_worker_tidy(struct pvf__service_worker *worker)
{
    pvf_error err = PVF_ERROR_INIT;
    const char *dir = worker->spawning.spawned.dir;
    int status = pvf__folder_empty_some(dir, TIDY_ENTRIES, &err);
    if (status == 1) {
        (void)pvf__error_set(
            &err, PVF_ERR_LIMIT, "%s holds more than %u entries", dir, TIDY_ENTRIES);
    }
    if (status != 0) {
        /* What was found out about the job stands; only the worker is given up. */
        pvf__log(PVF__LOG_WARN, "%s; the worker is ended", err.text);
    }
    return status == 0;
}
