/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the set-up of tests that run a service, and the copies of what it replied. */
#include "support/test.h"

#include "support/service_bench.h"

#include "base/clock.h"
#include "base/fd.h"
#include "host/folder.h"
#include "service/service_state.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Only a service that hangs needs so long. */
#define PATIENCE_NS ((uint64_t)60 * 1000000000u)

char service_bench_cache[PATH_MAX / 2];
static char top[PATH_MAX / 4];

int service_bench_set_up(void **state)
{
    (void)state;
    if (pvf__folder_make("/tmp", "pvf-test-", top, sizeof(top), NULL) != 0) {
        return -1;
    }
    (void)snprintf(service_bench_cache, sizeof(service_bench_cache), "%s/service", top);
    return 0;
}

int service_bench_tear_down(void **state)
{
    (void)state;
    pvf__folder_remove(top);
    return 0;
}

pvf_service_config service_bench_config(const char *prepare_program, const char *execute_program)
{
    pvf_service_config config;
    pvf_service_config_init(&config, sizeof(config));
    config.host = (pvf_host_config){
        .prepare_worker_path = prepare_program,
        .execute_worker_path = execute_program,
        .cache_dir = service_bench_cache,
        .spawn_timeout_ms = 30000,
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
    };
    config.execute_workers_max = 2;
    config.spawn_retry_ms = 1;
    config.spawn_tries_max = 2;
    /* The machine that tests run on may have a full disk. */
    config.cache_free_floor_bytes = 0;
    return config;
}

pvf_service *service_bench_new(const pvf_service_config *config)
{
    pvf_service *service = NULL;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_service_new(config, &service, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return service;
}

void service_bench_free(pvf_service *service)
{
    char folder[PATH_MAX];
    pvf_service_free(service);
    (void)snprintf(folder, sizeof(folder), "%s/pvf-run", service_bench_cache);
    assert_int_equal(service_bench_entries(folder, ""), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

void service_bench_on_precheck(pvf_service *service, const pvf_precheck_reply *reply)
{
    struct service_bench_reply *to = reply->user;
    (void)service;
    to->count++;
    assert_int_equal(reply->request, to->id);
    assert_non_null(reply->text);
    to->status = reply->status;
    to->stored = reply->stored;
    (void)snprintf(to->text, sizeof(to->text), "%s", reply->text);
    (void)snprintf(
        to->evidence, sizeof(to->evidence), "%s", reply->evidence != NULL ? reply->evidence : "");
    to->has_outcome = reply->outcome != NULL;
    if (to->has_outcome) {
        to->ok = reply->outcome->ok;
        to->error = reply->outcome->error;
        to->deterministic = reply->outcome->deterministic;
        (void)snprintf(to->text, sizeof(to->text), "%s", reply->outcome->text);
    }
}

void service_bench_on_execute(pvf_service *service, const pvf_execute_reply *reply)
{
    struct service_bench_reply *to = reply->user;
    const pvf_outcome *outcome = reply->outcome;
    (void)service;
    to->count++;
    assert_int_equal(reply->request, to->id);
    assert_non_null(outcome);
    to->verdict = outcome->verdict;
    to->reason = outcome->reason;
    to->bad_artifact = outcome->bad_artifact;
    to->spawn_failure = outcome->spawn_failure;
    to->attempts = reply->attempts;
    to->first_tier = reply->first_tier;
    to->prepared = reply->preparation != NULL;
    (void)snprintf(to->text, sizeof(to->text), "%s", outcome->text);
    (void)snprintf(
        to->evidence, sizeof(to->evidence), "%s", reply->evidence != NULL ? reply->evidence : "");
    free(to->result);
    to->result = NULL;
    to->result_len = outcome->result_len;
    if (outcome->result != NULL) {
        to->result = malloc(outcome->result_len);
        assert_non_null(to->result);
        memcpy(to->result, outcome->result, outcome->result_len);
    }
}

void service_bench_precheck(pvf_service *service,
                            const pvf_code *code,
                            struct service_bench_reply *reply)
{
    pvf_error err = PVF_ERROR_INIT;
    *reply = (struct service_bench_reply){0};
    if (pvf_service_precheck(service, code, service_bench_on_precheck, reply, &reply->id, &err) !=
        0) {
        fail_msg("%s", err.text);
    }
    assert_true(reply->id != 0);
}

void service_bench_execute(pvf_service *service,
                           const pvf_candidate *candidate,
                           struct service_bench_reply *reply)
{
    pvf_error err = PVF_ERROR_INIT;
    *reply = (struct service_bench_reply){0};
    if (pvf_service_execute(
            service, candidate, service_bench_on_execute, reply, &reply->id, &err) != 0) {
        fail_msg("%s", err.text);
    }
    assert_true(reply->id != 0);
}

static void turn(pvf_service *service, int timeout_ms, uint64_t deadline)
{
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_service_run_once(service, timeout_ms, &err) != 0) {
        fail_msg("%s", err.text);
    }
    if (pvf__core_check(service->core, &err) != 0) {
        fail_msg("%s", err.text);
    }
    if (pvf__clock_monotonic_ns() > deadline) {
        pvf_service_stats stats = service_bench_stats(service);
        fail_msg("it hangs: %u requests; %s", stats.requests, stats.alarm);
    }
}

void service_bench_run(pvf_service *service,
                       const struct service_bench_reply *replies,
                       size_t count)
{
    uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE_NS;
    for (size_t i = 0; i < count; i++) {
        while (replies[i].count == 0) {
            turn(service, 1000, deadline);
        }
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(replies[i].count, 1);
    }
}

void service_bench_run_until(pvf_service *service,
                             bool (*holds)(pvf_service *service, void *context),
                             void *context)
{
    uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE_NS;
    while (!holds(service, context)) {
        turn(service, 1000, deadline);
    }
}

void service_bench_reply_done(struct service_bench_reply *reply)
{
    free(reply->result);
    *reply = (struct service_bench_reply){0};
}

void service_bench_assert_verdict(const struct service_bench_reply *reply,
                                  enum pvf_verdict verdict,
                                  enum pvf_reason reason,
                                  const char *said)
{
    if (reply->count != 1 || reply->verdict != (int32_t)verdict ||
        reply->reason != (int32_t)reason || strstr(reply->text, said) == NULL) {
        fail_msg("%u times: %s, %s: %s",
                 reply->count,
                 pvf_verdict_name(reply->verdict),
                 pvf_reason_name(reply->reason),
                 reply->text);
    }
}

pvf_service_stats service_bench_stats(const pvf_service *service)
{
    pvf_service_stats stats = {.struct_size = sizeof(stats)};
    pvf_service_stats_get(service, &stats);
    return stats;
}

size_t service_bench_entries(const char *folder, const char *prefix)
{
    size_t count = 0;
    DIR *list = opendir(folder);
    if (list == NULL) {
        assert_int_equal(errno, ENOENT);
        return 0;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        count += entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    (void)closedir(list);
    return count;
}

/* Was it started as "KIND-worker"? */
static bool is_worker(const char *pid, const char *kind)
{
    char path[64];
    char want[32];
    struct pvf__buf line = PVF__BUF_INIT(65536);
    (void)snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
    (void)snprintf(want, sizeof(want), "%s-worker", kind);
    bool found =
        pvf__fd_read_file(path, &line, NULL) == 0 &&
        memmem(line.data, line.len, want, strlen(want) + 1) != NULL &&
        memmem(line.data, line.len, "--worker-dir-path", sizeof("--worker-dir-path")) != NULL;
    pvf__buf_done(&line);
    return found;
}

/* As text, with blanks between; empty when there are none. */
static void read_children(pid_t pid, char *out, int size)
{
    char path[64];
    out[0] = '\0';
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    (void)!fgets(out, size, file);
    (void)fclose(file);
}

/* Has it used a few clock ticks?  Before its first it is being set up. */
static bool is_at_work(pid_t pid)
{
    char path[64];
    char text[1024] = "";
    unsigned long user = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    (void)!fgets(text, sizeof(text), file);
    (void)fclose(file);
    /* Fields 3 to 14 after the name, which may hold anything. */
    char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    if (at != NULL) {
        user = strtoul(at, NULL, 10);
    }
    return user >= 3;
}

/* 0: none yet.  A worker may have more than one child, made ahead for later. */
static pid_t find_job(pid_t worker)
{
    char text[4096];
    char *rest = NULL;
    read_children(worker, text, sizeof(text));
    for (char *pid = strtok_r(text, " ", &rest); pid != NULL; pid = strtok_r(NULL, " ", &rest)) {
        if (is_at_work((pid_t)strtol(pid, NULL, 10))) {
            return (pid_t)strtol(pid, NULL, 10);
        }
    }
    return 0;
}

pid_t service_bench_job(pvf_service *service, pid_t worker)
{
    uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE_NS;
    pid_t job = find_job(worker);
    while (job == 0) {
        turn(service, 1, deadline);
        job = find_job(worker);
    }
    return job;
}

void service_bench_artifact_path(char out[PATH_MAX])
{
    char folder[PATH_MAX / 2 + 16];
    out[0] = '\0';
    (void)snprintf(folder, sizeof(folder), "%s/pvf-cache", service_bench_cache);
    DIR *list = opendir(folder);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        const char *end = strrchr(entry->d_name, '.');
        if (end != NULL && strcmp(end, ".pvf") == 0) {
            assert_int_equal(out[0], '\0');
            (void)snprintf(out, PATH_MAX, "%s/%s", folder, entry->d_name);
        }
    }
    (void)closedir(list);
    assert_true(out[0] != '\0');
}

pid_t service_bench_worker(const char *kind, size_t n)
{
    char text[4096];
    char *rest = NULL;
    read_children(getpid(), text, sizeof(text));
    for (char *pid = strtok_r(text, " ", &rest); pid != NULL; pid = strtok_r(NULL, " ", &rest)) {
        if (is_worker(pid, kind) && n-- == 0) {
            return (pid_t)strtol(pid, NULL, 10);
        }
    }
    return 0;
}

static bool has_open(pid_t pid, const char *path)
{
    char folder[64];
    bool found = false;
    (void)snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)pid);
    DIR *list = opendir(folder);
    for (struct dirent *entry = list != NULL ? readdir(list) : NULL; entry != NULL && !found;
         entry = readdir(list)) {
        char target[PATH_MAX] = "";
        found = readlinkat(dirfd(list), entry->d_name, target, sizeof(target) - 1) > 0 &&
                strcmp(target, path) == 0;
    }
    if (list != NULL) {
        (void)closedir(list);
    }
    return found;
}

void service_bench_wait_for_file(pid_t pid, const char *path)
{
    uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE_NS;
    while (!has_open(pid, path)) {
        assert_true(pvf__clock_monotonic_ns() < deadline);
        (void)poll(NULL, 0, 1);
    }
}

struct pvf__buf service_bench_read(const char *path)
{
    struct pvf__buf buf = PVF__BUF_INIT((size_t)64 << 20);
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__fd_read_file(path, &buf, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return buf;
}
