/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the order of a worker's start; each step says why it comes where it does. */
#include "worker/worker_start.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "proto/frame.h"
#include "sandbox/sandbox_descriptors.h"
#include "worker/worker_memory.h"
#include "worker/worker_upgrade.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * A worker of another version than its node must not answer: after an upgrade in place it would
 * raise wrong disputes.  The node asks to be told by a signal (protocol: version check).
 */
static int check_version(const struct pvf__worker_args *args, const char *version, pvf_error *err)
{
    if (args->node_version == NULL || strcmp(args->node_version, version) == 0) {
        return 0;
    }
    pid_t parent = getppid();
    if (parent > 1) {
        (void)kill(parent, SIGTERM);
    }
    return pvf__error_set(err,
                          PVF_ERR_UNSUPPORTED,
                          "node version %s, worker version %s: install the two together",
                          args->node_version,
                          version);
}

static int check_folder(const char *path, pvf_error *err)
{
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "Could not read worker dir: %s", path);
    }
    errno = 0;
    while (readdir(folder) != NULL) {
        /* Only whether it can be read is of interest. */
    }
    int failed = errno;
    (void)closedir(folder);
    if (failed != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, failed, "Could not read worker dir: %s", path);
    }
    return 0;
}

static int connect_to(const char *path, int *ret, pvf_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the socket path is longer than 107 bytes");
    }
    memcpy(address.sun_path, path, strlen(path));
    PVF__CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "socket");
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot connect to %s", path);
    }
    (void)unlink(path);
    *ret = PVF__TAKE_FD(fd);
    return 0;
}

static int take_handshake(struct pvf__worker *worker, pvf_error *err)
{
    if (worker->upgraded) {
        return pvf__worker_upgrade_greet(worker->socket, &worker->security, err);
    }
    struct pvf__buf body PVF__CLEANUP_BUF = PVF__BUF_INIT(PVF__FRAME_MAX_HANDSHAKE);
    int status = pvf__frame_recv(worker->socket, PVF__FRAME_MAX_HANDSHAKE, UINT64_MAX, &body, err);
    if (status == 0) {
        status = pvf__handshake_decode(body.data, body.len, &worker->security, err);
    }
    if (status != 0) {
        pvf__error_wrap(err, "worker handshake");
    }
    return status;
}

/* What the host decided on; the folder becomes "/" if the root changes. */
static int fence(struct pvf__worker *worker,
                 const char *folder,
                 struct pvf__sandbox_report *report,
                 pvf_error *err)
{
    struct pvf__sandbox_plan *plan = &worker->sandbox;
    char text[512];
    plan->folder = folder;
    plan->strict = worker->security.secure_validator_mode;
    plan->change_root = worker->security.can_unshare_user_namespace_and_change_root;
    plan->landlock = worker->security.can_enable_landlock;
    plan->seccomp = worker->security.can_enable_seccomp;
    plan->secure_clone = worker->security.can_do_secure_clone;
    int status = pvf__sandbox_worker(plan, report, err);
    pvf__sandbox_report_text(report, text, sizeof(text));
    pvf__log(PVF__LOG_INFO, "%s", text);
    if (status != 0) {
        return status;
    }
    for (size_t i = 0; i < PVF__SANDBOX_MECHANISMS; i++) {
        if (report->state[i] == PVF__SANDBOX_FAILED) {
            pvf__log(PVF__LOG_WARN,
                     "going on without %s: %s",
                     pvf__sandbox_name((enum pvf__sandbox_mechanism)i),
                     report->why[i]);
        }
    }
    /* A job is not asked for what its worker could not have. */
    plan->keeps_capabilities = report->state[PVF__SANDBOX_CAPABILITIES] != PVF__SANDBOX_ON;
    plan->landlock = report->state[PVF__SANDBOX_LANDLOCK] == PVF__SANDBOX_ON;
    plan->seccomp = report->state[PVF__SANDBOX_SECCOMP] == PVF__SANDBOX_ON;
    return 0;
}

static int set_paths(struct pvf__worker *worker, const char *folder, pvf_error *err)
{
    int artifact =
        snprintf(worker->artifact_path, sizeof(worker->artifact_path), "%s/artifact", folder);
    int tmp = snprintf(
        worker->tmp_artifact_path, sizeof(worker->tmp_artifact_path), "%s/tmp-artifact", folder);
    int first =
        snprintf(worker->first_tier_path, sizeof(worker->first_tier_path), "%s/first-tier", folder);
    if (artifact < 0 || tmp < 0 || (size_t)tmp >= sizeof(worker->tmp_artifact_path) || first < 0) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the worker folder's path is too long");
    }
    return 0;
}

int pvf__worker_start(struct pvf__worker *worker,
                      const struct pvf__worker_args *args,
                      const char *version,
                      void (*before_fence)(void),
                      pvf_error *err)
{
    struct pvf__sandbox_report report;
    int inherited = -1;
    int status = check_version(args, version, err);
    if (status == 0 && args->inherited_socket != NULL) {
        status = pvf__worker_upgrade_socket(args->inherited_socket, &inherited, err);
        worker->upgraded = true;
    }
    if (status == 0) {
        status = pvf__sandbox_begin(&report, inherited, err);
    }
    if (status == 0) {
        pvf__worker_memory_watch();
        status = pvf__sandbox_null_open(&worker->sandbox.null_fd, err);
    }
    if (status == 0) {
        status = check_folder(args->worker_dir, err);
    }
    if (status == 0 && worker->upgraded) {
        worker->socket = inherited;
    } else if (status == 0) {
        status = connect_to(args->socket_path, &worker->socket, err);
    }
    if (status == 0) {
        status = take_handshake(worker, err);
    }
    if (status == 0 && before_fence != NULL) {
        before_fence();
    }
    if (status == 0) {
        status = fence(worker, args->worker_dir, &report, err);
    }
    if (status == 0) {
        status = set_paths(worker, worker->sandbox.change_root ? "" : args->worker_dir, err);
    }
    return status == 0 && worker->upgraded ? pvf__worker_upgrade_ready(worker->socket, &report, err)
                                           : status;
}
