/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the end of workers.  A kill is sent at once; the kernel takes its time, and a folder may
 * hold what hostile code put there, so both are cleared away in steps while the loop goes on.
 */
#include "service/service_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "host/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Entries of a folder that one step removes. */
#define STEP_ENTRIES 256u

static void close_all(struct pvf__service_worker *worker)
{
    struct pvf__spawned *spawned = &worker->spawning.spawned;
    pvf__spawn_stop_listening(&worker->spawning);
    pvf__close_fd(&spawned->socket);
    pvf__close_fd(&spawned->out);
    pvf__host_message_done(&worker->outgoing.message);
    pvf__buf_done(&worker->incoming.body);
}

static void forget(struct pvf__service_worker *worker)
{
    pvf__core_list_remove(&worker->link);
    pvf_prepare_outcome_done(&worker->job.prepared);
    free(worker);
}

void pvf__service_bury(struct pvf_service *service, struct pvf__service_worker *worker)
{
    struct pvf__process *process = &worker->spawning.spawned.process;
    close_all(worker);
    pvf__process_kill_only(process);
    worker->state = PVF__SERVICE_DEAD;
    /* Its process tells when it is gone; one that was reaped already goes on with its folder. */
    worker->deadline_at = process->pid >= 0 ? UINT64_MAX : pvf__clock_monotonic_ns();
    pvf__service_wake(service);
}

bool pvf__service_grave_step(struct pvf_service *service, struct pvf__service_worker *worker)
{
    int how;
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__spawned *spawned = &worker->spawning.spawned;
    if (spawned->process.pid >= 0 && !pvf__process_reap(&spawned->process, &how)) {
        return true;
    }
    int status = pvf__folder_empty_some(spawned->dir, STEP_ENTRIES, &err);
    if (status == 1) {
        worker->deadline_at = pvf__clock_monotonic_ns();
        pvf__service_wake(service);
        return true;
    }
    if (status != 0) {
        pvf__log(PVF__LOG_WARN, "%s", err.text);
    }
    if (rmdir(spawned->dir) != 0 && errno != ENOENT) {
        pvf__log(PVF__LOG_WARN, "cannot remove %s: %s", spawned->dir, strerrordesc_np(errno));
    }
    forget(worker);
    return false;
}

void pvf__service_bury_all(struct pvf_service *service)
{
    /* All are killed before any is waited for. */
    for (struct pvf__core_link *link = service->workers.next; link != &service->workers;
         link = link->next) {
        struct pvf__service_worker *worker =
            PVF__CORE_OWNER(link, struct pvf__service_worker, link);
        close_all(worker);
        pvf__process_kill_only(&worker->spawning.spawned.process);
    }
    while (!pvf__core_list_empty(&service->workers)) {
        struct pvf__service_worker *worker =
            PVF__CORE_OWNER(service->workers.next, struct pvf__service_worker, link);
        pvf__spawn_end(&worker->spawning.spawned);
        forget(worker);
    }
}
