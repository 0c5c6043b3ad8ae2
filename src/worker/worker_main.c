/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the life of a worker: what the first argument asks for, the start sequence, the request
 * loop.  Trusts the host that started it; everything inside a request goes to a job.
 */
#include "worker/worker_main.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "proto/command_line.h"
#include "proto/frame.h"
#include "worker/worker_args.h"
#include "worker/worker_check.h"
#include "worker/worker_log.h"
#include "worker/worker_start.h"
#include "worker/worker_upgrade.h"
#include "worker/worker_version.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int print_help(const struct pvf__worker_role *role, const char *version)
{
    (void)printf("%s %s\ncommit: %s\n\n"
                 "Started by a validator node; %s.\n",
                 role->command,
                 version,
                 pvf__worker_commit(),
                 role->purpose);
    return 0;
}

/* The exit code of an informing first argument, or -1 when it asks for something else. */
static int inform(const struct pvf__worker_role *role, char **argv, const char *version)
{
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        return print_help(role, version);
    }
    if (strcmp(word, PVF__WORD_VERSION) == 0 || strcmp(word, "-v") == 0) {
        (void)puts(version);
        return 0;
    }
    if (strcmp(word, "--full-version") == 0) {
        (void)printf("%s-%s\n", version, pvf__worker_commit());
        return 0;
    }
    if (strcmp(word, PVF__WORD_UPGRADES) == 0) {
        (void)printf("%u\n", PVF__UPGRADE_VERSION);
        return 0;
    }
    if (strcmp(word, "test-sleep") == 0) {
        (void)sleep(5);
        return 0;
    }
    struct pvf__worker_check check = {.filter = role->worker_filter};
    if (!pvf__worker_check_parse(argv, &check)) {
        return -1;
    }
    /* Nothing that runs at a normal end may rely on what was just given up. */
    _exit(pvf__worker_check_run(&check));
}

static void wait_for_request(struct pvf__worker *worker, const struct pvf__worker_role *role)
{
    struct pollfd item = {.fd = worker->socket, .events = POLLIN};
    if (role->rest != NULL) {
        role->rest(worker);
    }
    uint64_t deadline = pvf__clock_monotonic_ns() + role->idle_after_ns;
    if (role->idle != NULL && pvf__fd_poll_by(&item, 1, deadline, NULL) == PVF_ERR_TIMEOUT) {
        role->idle();
    }
}

/* The next request; what it points to is in `frame`, or the request's own. */
static int take_request(struct pvf__worker *worker,
                        const struct pvf__worker_role *role,
                        struct pvf__buf *frame,
                        struct pvf__worker_request *ret,
                        pvf_error *err)
{
    if (worker->upgraded) {
        return pvf__worker_upgrade_take(
            worker->socket, role->request_max, role->has_artifact, frame, ret, err);
    }
    int status = pvf__frame_recv(worker->socket, role->request_max, UINT64_MAX, frame, err);
    if (status == 0) {
        *ret = (struct pvf__worker_request){.body = {frame->data, frame->len}, .artifact_fd = -1};
    }
    return status;
}

/* Reads requests until the host ends, a request cannot be answered, or the role says stop. */
static int serve(struct pvf__worker *worker, const struct pvf__worker_role *role)
{
    struct pvf__buf frame PVF__CLEANUP_BUF = PVF__BUF_INIT(role->request_max);
    for (uint64_t count = 1;; count++) {
        pvf_error err = PVF_ERROR_INIT;
        struct pvf__worker_request request;
        frame.len = 0;
        wait_for_request(worker, role);
        int status = take_request(worker, role, &frame, &request, &err);
        if (status != 0) {
            pvf__log(PVF__LOG_DEBUG, "no further request: %s", err.text);
            if (role->no_request != NULL) {
                role->no_request(worker, &err);
            }
            return PVF__EXIT_ORDERLY;
        }
        (void)pvf__log_job_set(count);
        int code = role->request(worker, &request);
        (void)pvf__log_job_set(0);
        if (worker->upgraded) {
            pvf__worker_upgrade_done(&request);
        }
        if (code != 0) {
            return code;
        }
    }
}

static int start(int argc, char **argv, const struct pvf__worker_role *role, const char *version)
{
    struct pvf__worker_args args;
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf__worker_args_parse(argc, argv, role->own_options, &args, &err);
    for (size_t i = 0; i < PVF__WORKER_OWN_OPTIONS && status == 0; i++) {
        if (args.own_values[i] != NULL) {
            status = role->set_own_option[i](args.own_values[i], &err);
        }
    }
    if (status != 0) {
        (void)fprintf(stderr, "%s: %s\n", role->name, err.text);
        return PVF__EXIT_PANIC;
    }
    struct pvf__worker worker = {.socket = -1,
                                 .sandbox = {.null_fd = -1,
                                             .files = role->files,
                                             .worker_role = role->worker_filter,
                                             .job_role = role->job_filter,
                                             .zygote_role = role->zygote_filter}};
    status = pvf__worker_start(&worker, &args, version, role->before_fence, &err);
    if (status != 0) {
        pvf__log(PVF__LOG_ERROR, "%s", err.text);
        return PVF__EXIT_ORDERLY;
    }
    int code = role->begin != NULL ? role->begin(&worker) : 0;
    return code != 0 ? code : serve(&worker, role);
}

int pvf__worker_send(struct pvf__worker *worker, const struct pvf__buf *body)
{
    pvf_error err = PVF_ERROR_INIT;
    int status = body->failed != 0
                     ? pvf__error_set(&err, body->failed, "the answer could not be built")
                     : pvf__frame_send(worker->socket, body->data, body->len, UINT64_MAX, &err);
    if (status != 0) {
        pvf__log(PVF__LOG_ERROR, "the answer could not be sent: %s", err.text);
    }
    return status;
}

/* Our host starts workers by descriptor, whose number the kernel would show as their name. */
static void name_process(const char *path)
{
    const char *slash = strrchr(path, '/');
    /* Only for those who look at lists of processes. */
    (void)prctl(PR_SET_NAME, slash != NULL ? slash + 1 : path);
}

int pvf__worker_main(int argc, char **argv, const struct pvf__worker_role *role)
{
    char version[PVF__WORKER_VERSION_MAX];
    const char *word = argc > 1 ? argv[1] : NULL;
    name_process(argc > 0 ? argv[0] : role->name);
    pvf__worker_version(version);
    pvf__worker_log_setup(role->name, pvf__worker_log_level(getenv("RUST_LOG")));
    /* A host that is gone shows as EPIPE, not as a signal. */
    (void)signal(SIGPIPE, SIG_IGN);
    int code = argc > 1 ? inform(role, argv, version) : print_help(role, version);
    if (code >= 0) {
        return code;
    }
    if (role->inspect != NULL && strcmp(word, PVF__WORD_INSPECT) == 0) {
        return role->inspect(argc, argv);
    }
    if (strcmp(word, role->command) != 0) {
        (void)fprintf(
            stderr, "trying to run %s binary with the %s subcommand\n", role->command, word);
        return PVF__EXIT_PANIC;
    }
    return start(argc, argv, role, version);
}
