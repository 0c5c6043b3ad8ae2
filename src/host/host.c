/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: a host's life: configuration, security decision, its folder, its two workers.  Trusts its
 * caller, its programs' files and this machine; trusts no worker.
 */
#include "host/host_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/reserved.h"
#include "base/text.h"
#include "host/checks.h"
#include "host/folder.h"
#include "host/host_upgrade.h"
#include "host/oneshot.h"
#include "host/spawn_failure.h"
#include "proto/command_line.h"
#include "pvf/status.h"
#include "pvf/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_SPAWN_TIMEOUT_MS 10000u
#define INSPECT_MAX ((size_t)16 << 20)
#define INSPECT_TIMEOUT_NS ((uint64_t)600 * 1000000000u)

const char *pvf_version(void)
{
    return PVF_VERSION;
}

static int copy_text(const char *from, char **ret, pvf_error *err)
{
    if (from == NULL) {
        return 0;
    }
    char *copy = strdup(from);
    if (copy == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for the host's configuration");
    }
    *ret = copy;
    return 0;
}

/* A worker program must be there, and have the version that is asked for. */
static int open_program(const char *program,
                        const char *node_version,
                        struct pvf__program *ret,
                        pvf_error *err)
{
    char version[128];
    if (program == NULL) {
        return 0;
    }
    int status = pvf__program_open(program, ret, err);
    if (status != 0 || node_version == NULL) {
        return status;
    }
    /* A worker that finds a mismatch itself sends SIGTERM to its parent: to us. */
    status = pvf_worker_version(program, version, sizeof(version), err);
    if (status == 0 && strcmp(version, node_version) != 0) {
        return pvf__error_set(err,
                              PVF_ERR_UNSUPPORTED,
                              "%s has version %s, but %s is asked for",
                              program,
                              version,
                              node_version);
    }
    return status;
}

static int copy_config(const pvf_host_config *config, struct pvf_host *host, pvf_error *err)
{
    host->spawn_timeout_ms =
        config->spawn_timeout_ms != 0 ? config->spawn_timeout_ms : DEFAULT_SPAWN_TIMEOUT_MS;
    host->quiet = config->quiet;
    host->metering = (enum pvf_metering)config->metering;
    host->compile_threads = config->compile_threads;
    int status = copy_text(config->node_version, &host->node_version, err);
    if (status == 0) {
        status = copy_text(config->log_directives, &host->log_directives, err);
    }
    return status;
}

/* A private folder inside the one that was given, so that nothing of anybody else is touched. */
static int make_folder(const char *parent, char out[PATH_MAX], pvf_error *err)
{
    char full[PATH_MAX];
    if (parent == NULL) {
        parent = pvf__folder_temporary();
    } else if (mkdir(parent, 0700) != 0 && errno != EEXIST) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make the folder %s", parent);
    }
    /* Absolute, since workers and their root are not where the caller is. */
    if (realpath(parent, full) == NULL) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot use the folder %s", parent);
    }
    return pvf__folder_make(full, "pvf-host-", out, PATH_MAX, err);
}

static int decide_security(const pvf_host_config *config, struct pvf_host *host, pvf_error *err)
{
    pvf_check checks[PVF_CHECKS];
    if (config->security_mode == PVF_SECURITY_AS_GIVEN) {
        host->security = config->security;
        return 0;
    }
    bool secure = config->security_mode == PVF_SECURITY_REQUIRE;
    int status = pvf_host_check(host, checks, err);
    return status != 0 ? status : pvf__checks_decide(checks, secure, &host->security, err);
}

/* Once: what a program knows does not change, since it is always the same file. */
static void ask_for_upgrade(const pvf_host_config *config, struct pvf_host *host)
{
    const struct pvf__program *const programs[] = {
        [PVF__WORKER_KIND_PREPARE] = &host->prepare_program,
        [PVF__WORKER_KIND_EXECUTE] = &host->execute_program,
    };
    if (!config->plain_protocol) {
        pvf__host_upgrade_ask(programs,
                              pvf__clock_monotonic_ns() +
                                  (uint64_t)host->spawn_timeout_ms * 1000000u,
                              host->upgraded);
    }
}

static int set_up(const pvf_host_config *config, struct pvf_host *host, pvf_error *err)
{
    if (config->prepare_worker_path == NULL && config->execute_worker_path == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a host needs a worker program");
    }
    if (config->security_mode < PVF_SECURITY_DETECT ||
        config->security_mode > PVF_SECURITY_AS_GIVEN) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "%d is no security mode", config->security_mode);
    }
    if (config->metering < PVF_METERING_DEFAULT || config->metering > PVF_METERING_CALL_SITE) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "%d is no form of metering", config->metering);
    }
    if (config->compile_threads > PVF__COMPILE_THREADS_MAX) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "%u threads to compile one code, the most is %u",
                              config->compile_threads,
                              PVF__COMPILE_THREADS_MAX);
    }
    int status = PVF__RESERVED_CHECK(config->reserved, "pvf_host_config", err);
    if (status == 0) {
        status = copy_config(config, host, err);
    }
    if (status == 0) {
        status = open_program(
            config->prepare_worker_path, host->node_version, &host->prepare_program, err);
    }
    if (status == 0) {
        status = open_program(
            config->execute_worker_path, host->node_version, &host->execute_program, err);
    }
    if (status == 0) {
        char folder[PATH_MAX];
        status = make_folder(config->cache_dir, folder, err);
        if (status == 0) {
            memcpy(host->folder, folder, sizeof(folder));
        }
    }
    if (status == 0) {
        ask_for_upgrade(config, host);
        status = decide_security(config, host, err);
    }
    return status;
}

int pvf_host_new(const pvf_host_config *config, pvf_host **ret, pvf_error *err)
{
    if (config == NULL || ret == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a configuration is needed");
    }
    struct pvf_host *host = calloc(1, sizeof(*host));
    if (host == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a host");
    }
    host->prepare_program.fd = -1;
    host->execute_program.fd = -1;
    int status = set_up(config, host, err);
    if (status != 0) {
        pvf_host_free(host);
        return status;
    }
    *ret = host;
    return 0;
}

void pvf_host_free(pvf_host *host)
{
    if (host == NULL) {
        return;
    }
    pvf__host_worker_end(&host->prepare);
    pvf__host_worker_end(&host->execute);
    if (host->folder[0] != '\0') {
        pvf__folder_remove(host->folder);
    }
    pvf__program_close(&host->prepare_program);
    pvf__program_close(&host->execute_program);
    free(host->node_version);
    free(host->log_directives);
    free(host);
}

void pvf_host_security(const pvf_host *host, pvf_security_status *ret)
{
    *ret = host->security;
}

int pvf_host_check(pvf_host *host, pvf_check ret[PVF_CHECKS], pvf_error *err)
{
    if (host == NULL || ret == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a host is needed");
    }
    const struct pvf__program *program =
        host->prepare_program.path != NULL ? &host->prepare_program : &host->execute_program;
    int status = pvf__program_check(program, err);
    if (status != 0) {
        return pvf__spawn_failure_mark(err, PVF_SPAWN_PROGRAM_CHANGED, status);
    }
    return pvf__checks_run(program->path, host->folder, ret, err);
}

int pvf__host_params(pvf_bytes bytes, struct pvf__executor_params *ret, pvf_error *err)
{
    if (bytes.len == 0) {
        pvf__executor_params_init(ret);
        return 0;
    }
    struct pvf__executor_params params;
    int status = pvf__executor_params_decode(bytes.data, bytes.len, &params, err);
    if (status != 0) {
        return status;
    }
    if (params.raw.len != bytes.len) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "executor parameters: the list ends at byte %zu of %zu",
                              params.raw.len,
                              bytes.len);
    }
    *ret = params;
    return 0;
}

/* Exit status 0 and one JSON object, or an error that says what came instead. */
static int take_json(struct pvf__oneshot *done, const char *program, char **ret, pvf_error *err)
{
    struct pvf__buf *out = &done->out;
    char text[128];
    if (!pvf__oneshot_succeeded(done)) {
        char how[64];
        pvf__process_status_text(done->status, how, sizeof(how));
        pvf__oneshot_line(&done->errors, text, sizeof(text));
        return pvf__error_set(
            err, PVF_ERR_PEER, "%s inspect: %s%s%s", program, how, text[0] ? ": " : "", text);
    }
    while (out->len > 0 && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == ' ')) {
        out->len--;
    }
    if (out->len < 2 || out->data[0] != '{' || out->data[out->len - 1] != '}' ||
        !pvf__text_is_utf8(out->data, out->len) || memchr(out->data, '\0', out->len) != NULL) {
        pvf__oneshot_line(out, text, sizeof(text));
        return pvf__error_set(
            err, PVF_ERR_PEER, "%s inspect gave no JSON object: %s", program, text);
    }
    char *json = strndup((const char *)out->data, out->len);
    if (json == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for %zu bytes", out->len);
    }
    *ret = json;
    return 0;
}

int pvf_host_inspect(pvf_host *host,
                     pvf_bytes code,
                     pvf_bytes executor_params,
                     uint32_t bomb_limit,
                     char **ret,
                     pvf_error *err)
{
    struct pvf__executor_params params;
    if (host == NULL || ret == NULL || host->prepare_program.path == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a host with a prepare worker is needed");
    }
    pvf__executor_params_init(&params);
    int status = pvf__host_params(executor_params, &params, err);
    if (status != 0) {
        return status;
    }
    PVF__CLEANUP_FREE char *hex = malloc(2 * params.raw.len + 1);
    if (hex == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory to inspect code");
    }
    pvf__text_to_hex(params.raw.data, params.raw.len, hex);
    char limit[16];
    /* Always said: a worker's own default is another. */
    (void)snprintf(limit, sizeof(limit), "%u", bomb_limit != 0 ? bomb_limit : PVF__HOST_BOMB_LIMIT);
    const char *const argv[] = {host->prepare_program.path,
                                PVF__WORD_INSPECT,
                                PVF__WORD_EXECUTOR_PARAMS,
                                hex,
                                PVF__WORD_BOMB_LIMIT,
                                limit,
                                NULL};
    struct pvf__oneshot done;
    status = pvf__oneshot_run(pvf__program_descriptor(&host->prepare_program),
                              argv,
                              (struct pvf__slice){code.data, code.len},
                              INSPECT_MAX,
                              pvf__clock_monotonic_ns() + INSPECT_TIMEOUT_NS,
                              &done,
                              err);
    if (status == 0) {
        status = take_json(&done, host->prepare_program.path, ret, err);
        pvf__oneshot_done(&done);
    }
    return status;
}
