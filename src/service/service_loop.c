/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the one set of descriptors and the one timer, and a turn of the loop.  A turn never waits,
 * and never does more than its share, so that an embedder's own loop stays alive.
 */
#include "service/service_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "pvf/status.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS_MAX 64
/* Commands and callbacks of one turn; a callback that asks for more must not keep us for ever. */
#define COMMANDS_MAX 1024u

uint64_t pvf__service_number(uint64_t id, enum pvf__service_source source)
{
    return id << PVF__SERVICE_SOURCE_BITS | (uint64_t)source;
}

int pvf__service_watch(
    struct pvf_service *service, int fd, uint32_t events, uint64_t number, pvf_error *err)
{
    struct epoll_event event = {.events = events, .data = {.u64 = number}};
    if (epoll_ctl(service->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot watch a descriptor");
    }
    return 0;
}

void pvf__service_watch_for(struct pvf_service *service, int fd, uint32_t events, uint64_t number)
{
    struct epoll_event event = {.events = events, .data = {.u64 = number}};
    /* Neither can fail for a descriptor that is in the set. */
    (void)epoll_ctl(service->epoll, number != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_DEL, fd, &event);
}

/* When something is wanted at the latest. */
static uint64_t next_deadline(const struct pvf_service *service)
{
    uint64_t earliest = pvf__core_next_deadline(service->core);
    const uint64_t others[] = {
        pvf__service_retry_deadline(service),
        pvf__service_recheck_deadline(service),
        service->requests_count > 0 ? service->space_at : UINT64_MAX,
        pvf__core_list_empty(&service->finished) ? UINT64_MAX : 0,
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        earliest = others[i] < earliest ? others[i] : earliest;
    }
    for (struct pvf__core_link *link = service->workers.next; link != &service->workers;
         link = link->next) {
        const struct pvf__service_worker *worker =
            PVF__CORE_OWNER(link, struct pvf__service_worker, link);
        earliest = worker->deadline_at < earliest ? worker->deadline_at : earliest;
    }
    return earliest;
}

/* 0 fires at once, UINT64_MAX never. */
static void set_timer(const struct pvf_service *service, uint64_t at)
{
    struct itimerspec when = {0};
    if (at != UINT64_MAX) {
        /* All zero would disarm it. */
        at = at > 0 ? at : 1;
        when.it_value.tv_sec = (time_t)(at / PVF__CORE_SECOND);
        when.it_value.tv_nsec = (long)(at % PVF__CORE_SECOND);
    }
    (void)timerfd_settime(service->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void pvf__service_wake(struct pvf_service *service)
{
    /* Inside a turn the timer is set at its end. */
    if (!service->inside) {
        set_timer(service, 0);
    }
}

static void handle(struct pvf_service *service, uint64_t number)
{
    const uint64_t mask = (UINT64_C(1) << PVF__SERVICE_SOURCE_BITS) - 1;
    enum pvf__service_source source = (enum pvf__service_source)(number & mask);
    if (source == PVF__SERVICE_TIMER) {
        uint64_t fired;
        (void)!read(service->timer, &fired, sizeof(fired));
    } else if (source == PVF__SERVICE_CHECK) {
        pvf__service_recheck_event(service);
    } else {
        /* One that was let go of while an event of it was on its way is not found. */
        struct pvf__service_worker *worker =
            pvf__service_worker_find(service, number >> PVF__SERVICE_SOURCE_BITS);
        if (worker != NULL) {
            pvf__service_worker_event(service, worker, source);
        }
    }
}

static int take_events(struct pvf_service *service, pvf_error *err)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(service->epoll, events, EVENTS_MAX, 0);
    if (count < 0 && errno != EINTR) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "the service cannot wait for events");
    }
    for (int i = 0; i < count; i++) {
        handle(service, events[i].data.u64);
    }
    return 0;
}

static void take_time(struct pvf_service *service)
{
    uint64_t now = pvf__clock_monotonic_ns();
    struct pvf__core_link *link = service->workers.next;
    while (link != &service->workers) {
        struct pvf__service_worker *worker =
            PVF__CORE_OWNER(link, struct pvf__service_worker, link);
        link = link->next;
        if (worker->deadline_at <= now) {
            pvf__service_worker_overdue(service, worker);
        }
    }
    if (pvf__service_recheck_deadline(service) <= now) {
        pvf__service_recheck_overdue(service);
    }
    if (service->space_at <= now && service->requests_count > 0) {
        pvf__service_space(service, now);
    }
    pvf__service_retry_due(service, now);
    if (pvf__core_next_deadline(service->core) <= now) {
        pvf__core_tick(service->core, now);
    }
}

/* Commands and callbacks; true when some are left for the next turn. */
static bool carry_out(struct pvf_service *service)
{
    struct pvf__core_command command;
    for (unsigned i = 0; i < COMMANDS_MAX; i++) {
        if (!pvf__core_list_empty(&service->finished)) {
            struct pvf__service_request *request =
                PVF__CORE_OWNER(service->finished.next, struct pvf__service_request, link);
            pvf__service_reply_execution(service, request);
        } else if (pvf__core_next_command(service->core, &command)) {
            pvf__service_carry_out(service, &command);
        } else {
            return false;
        }
    }
    return true;
}

int pvf_service_process(pvf_service *service, pvf_error *err)
{
    if (service == NULL || service->inside) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "a service is needed, and not inside a callback of its own");
    }
    service->inside = true;
    int status = take_events(service, err);
    bool more = false;
    if (status == 0) {
        take_time(service);
        more = carry_out(service);
    }
    service->broken |= status != 0;
    service->inside = false;
    set_timer(service, more ? 0 : next_deadline(service));
    return status;
}

int pvf_service_fd(const pvf_service *service)
{
    return service->epoll;
}

int pvf_service_timeout_ms(const pvf_service *service)
{
    struct itimerspec when;
    /* The timer knows best: it is what the descriptor goes by. */
    if (timerfd_gettime(service->timer, &when) != 0 ||
        (when.it_value.tv_sec == 0 && when.it_value.tv_nsec == 0)) {
        struct pollfd item = {.fd = service->timer, .events = POLLIN};
        return poll(&item, 1, 0) > 0 ? 0 : -1;
    }
    uint64_t left = (uint64_t)when.it_value.tv_sec * 1000 +
                    ((uint64_t)when.it_value.tv_nsec + 999999) / 1000000;
    return left < INT_MAX ? (int)left : INT_MAX;
}

int pvf_service_run_once(pvf_service *service, int timeout_ms, pvf_error *err)
{
    if (service == NULL || service->inside) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "a service is needed, and not inside a callback of its own");
    }
    struct pollfd item = {.fd = service->epoll, .events = POLLIN};
    /* A signal, and the time being over, are a turn, too. */
    if (poll(&item, 1, timeout_ms) < 0 && errno != EINTR) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "the service cannot wait");
    }
    return pvf_service_process(service, err);
}

int pvf_service_wait(pvf_service *service, pvf_request_id request, int timeout_ms, pvf_error *err)
{
    if (service == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a service is needed");
    }
    uint64_t deadline = timeout_ms < 0
                            ? UINT64_MAX
                            : pvf__clock_monotonic_ns() + (uint64_t)timeout_ms * PVF__CORE_MS;
    while (pvf__service_request_find(service, request) != NULL) {
        int left = deadline == UINT64_MAX ? -1 : pvf__clock_ms_until(deadline);
        if (left == 0 && pvf__clock_monotonic_ns() >= deadline) {
            return pvf__error_set(err, PVF_ERR_TIMEOUT, "the request is not answered yet");
        }
        int status = pvf_service_run_once(service, left, err);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}
