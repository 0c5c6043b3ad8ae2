/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: a service's beginning and end.  Trusts its caller, its programs' files and this machine;
 * trusts no worker, and no file of an earlier run that it cannot prove.
 */
#include "service/service_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "host/folder.h"
#include "pvf/status.h"
#include "service/service_config.h"
#include "service/service_metrics.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* In the cache folder: the private folders of services, of which one at a time is alive. */
#define RUN_FOLDER "pvf-run"
#define PRIVATE_PREFIX "pvf-host-"

/* A folder that is ours alone, made when it is missing. */
static int make_run_folder(const char *cache_dir, char out[PATH_MAX], pvf_error *err)
{
    struct stat info;
    if (mkdir(cache_dir, 0700) != 0 && errno != EEXIST) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make the folder %s", cache_dir);
    }
    int len = snprintf(out, PATH_MAX, "%s/" RUN_FOLDER, cache_dir);
    if (len < 0 || len >= PATH_MAX) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the path of %s is too long", cache_dir);
    }
    if (mkdir(out, 0700) != 0 && errno != EEXIST) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make the folder %s", out);
    }
    if (lstat(out, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot use the folder %s", out);
    }
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 022) != 0) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "%s is no folder that only this user may write to", out);
    }
    return 0;
}

/* What services left that were ended hard.  The cache's lock says that none of them is alive. */
static void remove_leftovers(const char *run_folder, const char *ours)
{
    const char *own_name = strrchr(ours, '/') + 1;
    DIR *list = opendir(run_folder);
    if (list == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        char path[PATH_MAX];
        int len = snprintf(path, sizeof(path), "%s/%s", run_folder, entry->d_name);
        if (strncmp(entry->d_name, PRIVATE_PREFIX, strlen(PRIVATE_PREFIX)) == 0 &&
            strcmp(entry->d_name, own_name) != 0 && len > 0 && (size_t)len < sizeof(path)) {
            pvf__folder_remove(path);
        }
    }
    (void)closedir(list);
}

/* Host and cache: programs, security, folders, and the lock. */
static int
set_up_host(const pvf_service_config *config, struct pvf_service *service, pvf_error *err)
{
    char run_folder[PATH_MAX];
    pvf_host_config host = config->host;
    int status = make_run_folder(config->host.cache_dir, run_folder, err);
    if (status != 0) {
        return status;
    }
    host.cache_dir = run_folder;
    status = pvf_host_new(&host, &service->host, err);
    if (status == 0) {
        service->host->first_tier = config->first_tier != 0;
        status = pvf__service_cache_open(service, config->host.cache_dir, err);
    }
    if (status != 0) {
        return status;
    }
    remove_leftovers(run_folder, service->host->folder);
    if (access(service->host->folder, W_OK) != 0) {
        return pvf__error_errno(
            err, PVF_ERR_BUSY, errno, "another service has just cleared %s away", run_folder);
    }
    return 0;
}

static int set_up_loop(struct pvf_service *service, pvf_error *err)
{
    service->epoll = epoll_create1(EPOLL_CLOEXEC);
    service->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (service->epoll < 0 || service->timer < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "no descriptors for a service");
    }
    return pvf__service_watch(
        service, service->timer, EPOLLIN, pvf__service_number(0, PVF__SERVICE_TIMER), err);
}

static int set_up(const pvf_service_config *config, struct pvf_service *service, pvf_error *err)
{
    struct pvf__core_config core;
    int status = pvf__random(service->seed, sizeof(service->seed), err);
    if (status == 0) {
        status = pvf__service_config_core(config, service->seed, &core, err);
    }
    if (status != 0) {
        return status;
    }
    service->wall_factor = config->wall_factor;
    service->requests_max = config->requests_max;
    service->copied_max_bytes = config->copied_max_bytes;
    service->security_mode = config->host.security_mode;
    service->cache_max_bytes = config->cache_max_bytes;
    service->evidence_max_bytes = config->evidence_max_bytes;
    if (config->evidence_dir != NULL) {
        service->evidence_dir = strdup(config->evidence_dir);
        if (service->evidence_dir == NULL) {
            return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a service");
        }
    }
    pvf__core_retry_default(&service->retry_config);
    service->retry_config.wall_factor = config->wall_factor;
    if (pvf__core_table_init(&service->by_id) != 0 ||
        pvf__core_table_init(&service->by_core_id) != 0 ||
        pvf__core_table_init(&service->codes) != 0 ||
        pvf__core_table_init(&service->artifacts) != 0) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a service");
    }
    status = set_up_loop(service, err);
    if (status == 0) {
        status = set_up_host(config, service, err);
    }
    if (status == 0) {
        core.params_per_job = service->host->upgraded[PVF__WORKER_KIND_EXECUTE];
        status = pvf__core_new(&core, &service->core, err);
    }
    if (status == 0) {
        status = pvf__service_cache_load(service, err);
    }
    if (status == 0) {
        pvf__service_programs_describe(service);
        status = pvf__service_metrics_new(service, err);
    }
    return status;
}

int pvf_service_new(const pvf_service_config *given, pvf_service **ret, pvf_error *err)
{
    pvf_service_config config;
    if (ret == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "room for a service is needed");
    }
    int status = pvf__service_config_take(given, &config, err);
    if (status != 0) {
        return status;
    }
    struct pvf_service *service = calloc(1, sizeof(*service));
    if (service == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a service");
    }
    service->epoll = -1;
    service->timer = -1;
    pvf__core_list_init(&service->requests);
    pvf__core_list_init(&service->held);
    pvf__core_list_init(&service->waiting);
    pvf__core_list_init(&service->finished);
    pvf__core_list_init(&service->workers);
    status = set_up(&config, service, err);
    if (status != 0) {
        pvf_service_free(service);
        return status;
    }
    pvf__service_wake(service);
    *ret = service;
    return 0;
}

void pvf_service_free(pvf_service *service)
{
    if (service == NULL) {
        return;
    }
    /* Nobody is woken any more. */
    service->inside = true;
    pvf__service_recheck_end(service);
    pvf__service_bury_all(service);
    while (!pvf__core_list_empty(&service->requests)) {
        struct pvf__service_request *request =
            PVF__CORE_OWNER(service->requests.next, struct pvf__service_request, all);
        pvf__service_request_leave(service, request);
        pvf__service_request_free(service, request);
    }
    pvf__service_artifacts_free(service);
    pvf__core_free(service->core);
    pvf__core_table_done(&service->by_id);
    pvf__core_table_done(&service->by_core_id);
    pvf__core_table_done(&service->codes);
    pvf__core_table_done(&service->artifacts);
    pvf_host_free(service->host);
    pvf__cache_close(service->cache);
    pvf__metrics_free(service->metrics);
    free(service->evidence_dir);
    if (service->timer >= 0) {
        (void)close(service->timer);
    }
    if (service->epoll >= 0) {
        (void)close(service->epoll);
    }
    free(service);
}

void pvf_service_security(const pvf_service *service, pvf_security_status *ret)
{
    pvf_host_security(service->host, ret);
}

void pvf_service_shutdown(pvf_service *service, bool orderly)
{
    if (service == NULL) {
        return;
    }
    service->closing = true;
    struct pvf__core_link *link = service->requests.next;
    while (link != &service->requests) {
        struct pvf__service_request *request =
            PVF__CORE_OWNER(link, struct pvf__service_request, all);
        link = link->next;
        /* What will be needed soon will not be, after this. */
        if ((!orderly && request->kind != PVF__SERVICE_SELF_TEST) ||
            request->kind == PVF__SERVICE_HEADS_UP) {
            pvf__service_cancel(service, request);
        }
    }
    if (!orderly) {
        pvf__core_stop(service->core, pvf__clock_monotonic_ns());
    }
    pvf__service_wake(service);
}

bool pvf_service_is_down(const pvf_service *service)
{
    return service == NULL || (service->closing && service->requests_count == 0);
}
