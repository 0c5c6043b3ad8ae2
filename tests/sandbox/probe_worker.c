/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both workers with another heart: all of the start, the fence, the supervision and the judgement
 * are the real ones, but a job runs what its request names instead of a validation function.  The
 * two functions below take the place of the real jobs when this is linked.  For tests only.
 *
 *   probe_worker prepare-worker|execute-worker …   a worker; its checks work too; an execute worker
 *                                                  has zygotes with "--zygotes MS", and ends them
 *                                                  when no request came for so long
 *   probe_worker outside NAME [ARG]                the same probe in a plain process; the answer
 *                                                  goes to stdout
 *   probe_worker victim                            waits to be harmed, without any capability
 *   probe_worker names                             every probe
 *   probe_worker checksum FILE                     of an artifact
 *
 * A job's PoV, or code, is "NAME ARG".  "say CODE HEX" writes any bytes to the pipe instead of the
 * words that are due there, and exits so; "stay HEX" does not exit, but burns.  A zygote whose
 * artifact begins with "zygote NAME ARG\n" runs that while it loads it; "tell-zygote" in one of its
 * jobs says what came of it.  What a job says begins with "ahead: " when it was made ahead of need.
 */
#include "sandbox/probe.h"

#include "base/error.h"
#include "base/fd.h"
#include "execute/execute_job.h"
#include "execute/execute_worker.h"
#include "execute/zygote.h"
#include "hash/hash.h"
#include "prepare/prepare_job.h"
#include "prepare/prepare_worker.h"
#include "proto/command_line.h"
#include "proto/frame.h"
#include "proto/job_msg.h"
#include "sandbox/sandbox_process.h"
#include "worker/worker_job_say.h"
#include "worker/worker_main.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_MAX 1024

/* An artifact that takes its zygote over. */
#define HIJACK "zygote "

static const struct probe_list *const lists[] = {&probe_files,
                                                 &probe_processes,
                                                 &probe_rights,
                                                 &probe_network,
                                                 &probe_kernel,
                                                 &probe_limits,
                                                 &probe_zygote};

/* Of a zygote, and so of its jobs. */
static struct {
    bool is_one;
    char said[TEXT_MAX];
    int artifact_fd;
} zygote = {.said = "no zygote", .artifact_fd = -1};

int probe_result(long result)
{
    return result >= 0 ? 0 : errno;
}

pid_t probe_pid(const struct probe_env *env)
{
    return (pid_t)strtol(env->arg, NULL, 10);
}

static const struct probe *find(const char *name)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (size_t k = 0; k < lists[i]->count; k++) {
            if (strcmp(lists[i]->probes[k].name, name) == 0) {
                return &lists[i]->probes[k];
            }
        }
    }
    return NULL;
}

/* "done", with what was seen, or the name of the error. */
static void run(const struct probe *probe, struct probe_env *env, char out[TEXT_MAX])
{
    int refusal = probe->run(env);
    const char *name = refusal == 0 ? NULL : strerrorname_np(refusal);
    if (refusal == 0) {
        (void)snprintf(out, TEXT_MAX, "done%s", env->note);
    } else {
        (void)snprintf(out, TEXT_MAX, "%s", name != NULL ? name : "an error without a name");
    }
}

static int digit(char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = letter != '\0' ? strchr(digits, letter) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static void say_bytes(const char *hex, int pipe_fd)
{
    static uint8_t bytes[TEXT_MAX];
    size_t len = 0;
    while (len < sizeof(bytes) && digit(hex[0]) >= 0 && digit(hex[1]) >= 0) {
        bytes[len++] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
        hex += 2;
    }
    (void)!write(pipe_fd, bytes, len);
}

/* "CODE HEX": the bytes and nothing else, then the end. */
static int say(const char *arg, int pipe_fd)
{
    char *hex;
    long code = strtol(arg, &hex, 10);
    say_bytes(hex + (*hex == ' '), pipe_fd);
    return (int)code;
}

/* Runs what the request names; false when it has written all that is to be written. */
static bool run_request(
    struct pvf__slice request, int artifact_fd, int pipe_fd, char out[TEXT_MAX], int *ret_code)
{
    static char text[TEXT_MAX * 4];
    struct probe_env env = {.artifact_fd = artifact_fd, .pipe_fd = pipe_fd};
    size_t len = request.len < sizeof(text) - 1 ? request.len : sizeof(text) - 1;
    memcpy(text, request.data, len);
    char *space = strchr(text, ' ');
    if (space != NULL) {
        *space = '\0';
    }
    env.arg = space != NULL ? space + 1 : "";
    if (strcmp(text, "say") == 0) {
        *ret_code = say(env.arg, pipe_fd);
        return false;
    }
    if (strcmp(text, "stay") == 0) {
        say_bytes(env.arg, pipe_fd);
        for (;;) {
            /* Hostile code goes on as long as it may. */
        }
    }
    if (pvf__job_say_ready(pipe_fd, request.len, 0, NULL) != 0) {
        *ret_code = 1;
        return false;
    }
    const struct probe *probe = find(text);
    if (strcmp(text, "tell-zygote") == 0) {
        (void)snprintf(out, TEXT_MAX, "%s", zygote.said);
    } else if (probe == NULL) {
        (void)snprintf(out, TEXT_MAX, "there is no such probe");
    } else {
        run(probe, &env, out);
    }
    return true;
}

static int send_frame(struct pvf__buf *frame, size_t start, int pipe_fd)
{
    pvf__frame_end(frame, start);
    return frame->failed != 0 || pvf__fd_write(pipe_fd, frame->data, frame->len, NULL) != 0;
}

/* What hostile code would do that the artifact carries. */
static void be_hijacked(int artifact_fd)
{
    static char text[TEXT_MAX];
    const char *content = mmap(NULL, TEXT_MAX, PROT_READ, MAP_PRIVATE, artifact_fd, 0);
    if (content == MAP_FAILED || strncmp(content, HIJACK, strlen(HIJACK)) != 0) {
        (void)snprintf(zygote.said, sizeof(zygote.said), "an honest zygote");
        return;
    }
    (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(content, "\n"), content);
    char *name = text + strlen(HIJACK);
    char *space = strchr(name, ' ');
    if (space != NULL) {
        *space = '\0';
    }
    struct probe_env env = {
        .arg = space != NULL ? space + 1 : "", .artifact_fd = artifact_fd, .pipe_fd = -1};
    const struct probe *probe = find(name);
    if (probe != NULL) {
        run(probe, &env, zygote.said);
    }
}

int pvf__execute_job_load(const struct pvf__executor_params *params,
                          int artifact_fd,
                          pvf_error *err)
{
    (void)params;
    zygote.is_one = true;
    be_hijacked(artifact_fd);
    /* As the engine has one of its own. */
    zygote.artifact_fd = fcntl(artifact_fd, F_DUPFD_CLOEXEC, 3);
    return zygote.artifact_fd >= 0
               ? 0
               : pvf__error_errno(err, PVF_ERR_IO, errno, "the artifact's descriptor");
}

static int send_verdict(const char *text, int pipe_fd)
{
    static char words[TEXT_MAX + sizeof("ahead: ")];
    struct pvf__buf frame = PVF__BUF_INIT(2 * TEXT_MAX);
    size_t start;
    (void)snprintf(words, sizeof(words), "%s%s", zygote.is_one ? "ahead: " : "", text);
    const struct pvf__execute_job_result result = {
        .ok = true,
        .response = {.kind = PVF__JOB_RESPONSE_INVALID_CANDIDATE, .text = pvf__slice_text(words)},
    };
    pvf__frame_begin(&frame, &start);
    pvf__execute_job_result_encode(&result, &frame);
    return send_frame(&frame, start, pipe_fd);
}

void probe_say_verdict(const char *text, int pipe_fd)
{
    if (pvf__job_say_ready(pipe_fd, 0, 0, NULL) == 0) {
        (void)send_verdict(text, pipe_fd);
    }
}

void pvf__execute_job_prepare(const struct pvf__executor_params *params)
{
    (void)params;
}

void pvf__execute_job_instantiate(bool in_huge_pages)
{
    (void)in_huge_pages;
}

int pvf__execute_job_run(const struct pvf__execute_job *job, int pipe_fd)
{
    static char text[TEXT_MAX];
    int code;
    int artifact_fd = zygote.is_one ? zygote.artifact_fd : job->artifact_fd;
    if (!run_request(job->request->pov, artifact_fd, pipe_fd, text, &code)) {
        return code;
    }
    return send_verdict(text, pipe_fd);
}

int pvf__prepare_job_run(const struct pvf__prepare_job *job, int pipe_fd)
{
    static char text[TEXT_MAX];
    struct pvf__buf frame = PVF__BUF_INIT(2 * TEXT_MAX);
    size_t start;
    int code;
    if (!run_request(job->request->code, -1, pipe_fd, text, &code)) {
        return code;
    }
    const struct pvf__prepare_job_result result = {
        .error = {.kind = PVF__PREPARE_PREVALIDATION, .text = pvf__slice_text(text)},
    };
    pvf__frame_begin(&frame, &start);
    pvf__prepare_job_result_encode(&result, &frame);
    (void)send_frame(&frame, start, pipe_fd);
    return 1;
}

/* Root of namespaces of its own, so that nothing here is changed and any user can do it. */
static int become_root(void)
{
    char map[64];
    uid_t user = geteuid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) != 0) {
        return -1;
    }
    int len = snprintf(map, sizeof(map), "0 %u 1", user);
    FILE *file = fopen("/proc/self/uid_map", "we");
    if (file == NULL) {
        return -1;
    }
    size_t done = fwrite(map, 1, (size_t)len, file);
    return fclose(file) == 0 && done == (size_t)len ? 0 : -1;
}

static int outside(const char *name, const char *arg)
{
    static char text[TEXT_MAX];
    struct probe_env env = {.arg = arg, .artifact_fd = -1, .pipe_fd = -1};
    const struct probe *probe = find(name);
    if (probe == NULL) {
        (void)fprintf(stderr, "there is no probe %s\n", name);
        return 2;
    }
    env.artifact_fd = memfd_create("artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (env.artifact_fd < 0 || ftruncate(env.artifact_fd, 4096) != 0 ||
        (probe->as_root && become_root() != 0)) {
        (void)puts("not tried");
        return 0;
    }
    run(probe, &env, text);
    (void)puts(text);
    (void)fflush(stdout);
    _exit(0);
}

static int names(void)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (size_t k = 0; k < lists[i]->count; k++) {
            (void)puts(lists[i]->probes[k].name);
        }
    }
    return 0;
}

static int checksum(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    void *data = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    uint8_t digest[32];
    if (data == MAP_FAILED) {
        perror(path);
        return 1;
    }
    pvf__hash_twox_256(data, (size_t)size, digest);
    for (size_t i = 0; i < sizeof(digest); i++) {
        (void)printf("%02x", digest[i]);
    }
    return 0;
}

static int victim(void)
{
    /* A process without capabilities may then trace it, as one of an ordinary user might. */
    if (pvf__sandbox_capabilities(false, NULL) != 0) {
        return 1;
    }
    (void)puts("ready");
    (void)fflush(stdout);
    for (;;) {
        (void)pause();
    }
}

static int have_zygotes(const char *value, pvf_error *err);

static struct pvf__worker_role execute = {
    .name = "execute-probe",
    .command = "execute" PVF__WORD_COMMAND_SUFFIX,
    .purpose = "tries to escape",
    .request_max = PVF__FRAME_MAX_EXECUTE_REQUEST,
    .files = PVF__SANDBOX_READS_FILES,
    .worker_filter = PVF__SECCOMP_EXECUTE_WORKER,
    .job_filter = PVF__SECCOMP_EXECUTE_JOB,
    .own_options = {"--zygotes"},
    .set_own_option = {have_zygotes},
    .begin = pvf__execute_worker_begin,
    .request = pvf__execute_worker_request,
    .no_request = pvf__execute_worker_no_request,
};

/* All in which the real worker's role differs: without it, all jobs are plain. */
static int have_zygotes(const char *value, pvf_error *err)
{
    (void)err;
    execute.zygote_filter = PVF__SECCOMP_EXECUTE_ZYGOTE;
    execute.before_fence = pvf__zygotes_open;
    execute.rest = pvf__execute_worker_rest;
    execute.idle = pvf__execute_worker_idle;
    execute.idle_after_ns = strtoull(value, NULL, 10) * UINT64_C(1000000);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct pvf__worker_role prepare = {
        .name = "prepare-probe",
        .command = "prepare" PVF__WORD_COMMAND_SUFFIX,
        .purpose = "tries to escape",
        .request_max = PVF__FRAME_MAX_PREPARE_REQUEST,
        .files = PVF__SANDBOX_WRITES_FILES,
        .worker_filter = PVF__SECCOMP_PREPARE_WORKER,
        .job_filter = PVF__SECCOMP_PREPARE_JOB,
        .request = pvf__prepare_worker_request,
    };
    if (argc >= 3 && strcmp(argv[1], "outside") == 0) {
        return outside(argv[2], argc > 3 ? argv[3] : "");
    }
    if (argc == 2 && strcmp(argv[1], "victim") == 0) {
        return victim();
    }
    if (argc == 2 && strcmp(argv[1], "names") == 0) {
        return names();
    }
    if (argc == 3 && strcmp(argv[1], "checksum") == 0) {
        return checksum(argv[2]);
    }
    bool prepares = argc > 1 && strcmp(argv[1], prepare.command) == 0;
    return pvf__worker_main(argc, argv, prepares ? &prepare : &execute);
}
