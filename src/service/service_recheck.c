/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the machine's checks while the service runs.  A setting that was changed after the start
 * makes every worker end at its first step; so when workers do not come up the checks are run
 * again, one process after another, and what they say now counts.
 */
#include "service/service_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "host/checks.h"
#include "host/folder.h"
#include "host/process.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

/* For each of the checks, which take milliseconds. */
#define TIMEOUT_NS (20 * PVF__CORE_SECOND)
#define PAUSE_NS (5 * PVF__CORE_SECOND)

struct pvf__service_check {
    unsigned which;
    pvf_check results[PVF_CHECKS];
    struct pvf__process process;
    char folder[PATH_MAX]; /* "": none */
    uint64_t deadline_at;
};

static int start(struct pvf_service *service, struct pvf__service_check *check, pvf_error *err)
{
    const struct pvf__program *program = &service->host->prepare_program;
    const char *const envp[] = {"RUST_LOG=", NULL};
    PVF__CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open /dev/null");
    }
    int status = pvf__program_check(program, err);
    if (status == 0 && pvf__checks_needs_folder(check->which)) {
        status = pvf__folder_make(
            service->host->folder, "check-can-unshare-", check->folder, sizeof(check->folder), err);
        if (status != 0) {
            check->folder[0] = '\0';
        }
    }
    if (status != 0) {
        return status;
    }
    const char *const argv[] = {program->path,
                                pvf__checks_option(check->which),
                                check->folder[0] != '\0' ? check->folder : NULL,
                                NULL};
    const int stdio[3] = {null, null, null};
    status = pvf__process_start(
        pvf__program_descriptor(program), argv, envp, stdio, 3, &check->process, err);
    if (status == 0) {
        status = pvf__service_watch(service,
                                    check->process.pid_fd,
                                    EPOLLIN,
                                    pvf__service_number(0, PVF__SERVICE_CHECK),
                                    err);
    }
    return status;
}

static void clear(struct pvf__service_check *check)
{
    pvf__process_kill(&check->process);
    if (check->folder[0] != '\0') {
        pvf__folder_remove(check->folder);
        check->folder[0] = '\0';
    }
}

/* All four have an answer: it counts from the next worker on. */
static void decide(struct pvf_service *service, struct pvf__service_check *check)
{
    pvf_error why = PVF_ERROR_INIT;
    pvf_security_status status;
    bool secure = service->security_mode == PVF_SECURITY_REQUIRE;
    pvf__checks_tolerate(check->results);
    service->insecure = pvf__checks_decide(check->results, secure, &status, &why) != 0;
    if (service->insecure) {
        service->insecure_why = why;
        pvf__log(PVF__LOG_ERROR, "%s", why.text);
    } else if (memcmp(&status, &service->host->security, sizeof(status)) != 0) {
        pvf__log(PVF__LOG_WARN, "what this machine can do against hostile code has changed");
        service->host->security = status;
    }
}

/* The next check that can be started; after the last one, the decision. */
static void go_on(struct pvf_service *service)
{
    struct pvf__service_check *check = service->check;
    for (; check->which < PVF_CHECKS; check->which++) {
        pvf_error why = PVF_ERROR_INIT;
        pvf_check *result = &check->results[check->which];
        result->name = pvf__checks_name(check->which);
        check->deadline_at = pvf__clock_monotonic_ns() + TIMEOUT_NS;
        if (start(service, check, &why) == 0) {
            return;
        }
        (void)snprintf(result->text, sizeof(result->text), "%s", why.text);
        clear(check);
    }
    decide(service, check);
    pvf__service_recheck_end(service);
}

void pvf__service_recheck_begin(struct pvf_service *service)
{
    uint64_t now = pvf__clock_monotonic_ns();
    if (service->check != NULL || service->security_mode == PVF_SECURITY_AS_GIVEN ||
        (service->checked_at != 0 && now - service->checked_at < PAUSE_NS)) {
        return;
    }
    service->check = calloc(1, sizeof(*service->check));
    if (service->check != NULL) {
        service->check->process = (struct pvf__process)PVF__PROCESS_NONE;
        go_on(service);
    }
}

void pvf__service_recheck_event(struct pvf_service *service)
{
    struct pvf__service_check *check = service->check;
    int how = 0;
    if (check == NULL || check->process.pid < 0 || !pvf__process_reap(&check->process, &how)) {
        return;
    }
    pvf_check *result = &check->results[check->which];
    result->ran = true;
    result->available = WIFEXITED(how) && WEXITSTATUS(how) == 0;
    if (!result->available) {
        pvf__process_status_text(how, result->text, sizeof(result->text));
    }
    clear(check);
    check->which++;
    go_on(service);
}

uint64_t pvf__service_recheck_deadline(const struct pvf_service *service)
{
    return service->check != NULL ? service->check->deadline_at : UINT64_MAX;
}

void pvf__service_recheck_overdue(struct pvf_service *service)
{
    struct pvf__service_check *check = service->check;
    pvf_check *result = &check->results[check->which];
    (void)snprintf(result->text, sizeof(result->text), "it did not end in time");
    clear(check);
    check->which++;
    go_on(service);
}

void pvf__service_recheck_end(struct pvf_service *service)
{
    if (service->check != NULL) {
        clear(service->check);
        free(service->check);
        service->check = NULL;
        service->checked_at = pvf__clock_monotonic_ns();
    }
}
