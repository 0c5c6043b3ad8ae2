/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the meeting of host and worker: its folder, its socket, its start.  A path in a shared
 * folder is open to strangers, so whoever connects must be the very process that was started.
 */
#include "host/spawn.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "host/folder.h"
#include "host/spawn_failure.h"
#include "proto/command_line.h"
#include "proto/exit_codes.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_NAME_TRIES 50
#define SOCKET_NAME_LEN 10
/* Times 4 KiB: the whole of a pipe. */
#define DRAIN_READS 16
/* What an inherited socket is called there: the one after the standard descriptors. */
#define SOCKET_NUMBER "3"

const char *pvf__spawn_kind_name(enum pvf__worker_kind kind)
{
    return kind == PVF__WORKER_KIND_PREPARE ? "prepare" : "execute";
}

/* A fresh socket path "pvf-host-KIND-XXXXXXXXXX" in the folder for temporary files. */
static int fill_address(enum pvf__worker_kind kind, struct sockaddr_un *address, pvf_error *err)
{
    const char *folder = pvf__folder_temporary();
    char name[SOCKET_NAME_LEN + 1];
    int status = pvf__folder_random_name(name, SOCKET_NAME_LEN, err);
    if (status != 0) {
        return status;
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(address->sun_path,
                       sizeof(address->sun_path),
                       "%s/pvf-host-%s-%s",
                       folder,
                       pvf__spawn_kind_name(kind),
                       name);
    if (len < 0 || (size_t)len >= sizeof(address->sun_path)) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "TMPDIR=%.100s… is too long: a socket's path has at most %zu bytes",
                              folder,
                              sizeof(address->sun_path) - 1);
    }
    return 0;
}

static int bind_failed(int status, pvf_error *err)
{
    return pvf__spawn_failure_mark(err, PVF_SPAWN_BIND, status);
}

/* A listening socket on a path of its own, open to this user only. */
static int
listen_on_path(enum pvf__worker_kind kind, struct sockaddr_un *address, int *ret, pvf_error *err)
{
    PVF__CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode of the path is the socket's own at the time of bind. */
    if (fd < 0 || fchmod(fd, 0600) != 0) {
        return bind_failed(pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make a socket"), err);
    }
    for (int i = 0; i < SOCKET_NAME_TRIES; i++) {
        int status = fill_address(kind, address, err);
        if (status != 0) {
            return pvf__spawn_failure_mark(err, PVF_SPAWN_TMP_PATH, status);
        }
        if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
            if (listen(fd, 4) != 0) {
                int why = errno;
                (void)unlink(address->sun_path);
                status = pvf__error_errno(
                    err, PVF_ERR_IO, why, "cannot listen on %s", address->sun_path);
                return bind_failed(status, err);
            }
            *ret = PVF__TAKE_FD(fd);
            return 0;
        }
        if (errno != EADDRINUSE) {
            status = pvf__error_errno(
                err, PVF_ERR_IO, errno, "cannot bind a socket to %s", address->sun_path);
            return bind_failed(status, err);
        }
    }
    int status =
        pvf__error_set(err, PVF_ERR_IO, "no free name for a socket like %s", address->sun_path);
    return pvf__spawn_failure_mark(err, PVF_SPAWN_TMP_PATH, status);
}

/*
 * Arguments and environment exactly as the reference's host gives them, but for what only our own
 * workers are told.  `files` are the standard descriptors, and the socket when there is no path.
 */
static int start_process(const struct pvf__spawn_spec *spec,
                         const char *socket_path,
                         const int files[PVF__PROCESS_FILES],
                         struct pvf__spawned *ret,
                         pvf_error *err)
{
    char command[32];
    (void)snprintf(
        command, sizeof(command), "%s" PVF__WORD_COMMAND_SUFFIX, pvf__spawn_kind_name(spec->kind));
    const char *log = spec->log_directives != NULL ? spec->log_directives : "";
    PVF__CLEANUP_FREE char *environment = NULL;
    if (asprintf(&environment, "RUST_LOG=%s", log) < 0) {
        environment = NULL;
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory to start a worker");
    }
    char threads[16];
    const char *argv[16];
    size_t count = 0;
    argv[count++] = spec->program->path;
    argv[count++] = command;
    if (spec->node_version != NULL) {
        argv[count++] = PVF__WORD_NODE_VERSION;
        argv[count++] = spec->node_version;
    }
    argv[count++] = spec->upgraded ? PVF__WORD_INHERITED_SOCKET : PVF__WORD_SOCKET_PATH;
    argv[count++] = spec->upgraded ? SOCKET_NUMBER : socket_path;
    argv[count++] = PVF__WORD_WORKER_DIR;
    argv[count++] = ret->dir;
    if (spec->metering != NULL) {
        argv[count++] = PVF__WORD_METERING;
        argv[count++] = spec->metering;
    }
    if (spec->compile_threads != 0) {
        (void)snprintf(threads, sizeof(threads), "%u", spec->compile_threads);
        argv[count++] = PVF__WORD_COMPILE_THREADS;
        argv[count++] = threads;
    }
    if (spec->first_tier) {
        argv[count++] = PVF__WORD_FIRST_TIER;
        argv[count++] = PVF__WORD_FIRST_TIER_ON;
    }
    argv[count] = NULL;
    const char *const envp[] = {environment, NULL};
    return pvf__process_start(pvf__program_descriptor(spec->program),
                              argv,
                              envp,
                              files,
                              spec->upgraded ? PVF__PROCESS_FILES : PVF__PROCESS_FILES - 1,
                              &ret->process,
                              err);
}

/* Is the other end the process that we started, under our own user? */
static bool is_our_worker(int fd, pid_t pid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == pid &&
           peer.uid == geteuid();
}

void pvf__spawn_drain(struct pvf__spawned *spawned)
{
    char waste[4096];
    ssize_t got = 1;
    for (int i = 0; i < DRAIN_READS && (got > 0 || (got < 0 && errno == EINTR)); i++) {
        got = read(spawned->out, waste, sizeof(waste));
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        /* Closed: only death is left to wait for, and the socket. */
        (void)close(PVF__TAKE_FD(spawned->out));
    }
}

/* What this start says that only our own prepare worker understands, in words; empty: nothing. */
static void own_words(const struct pvf__spawn_spec *spec, char *out, size_t size)
{
    const struct {
        bool said;
        const char *word;
    } rows[] = {
        {spec->metering != NULL, PVF__WORD_METERING},
        {spec->compile_threads != 0, PVF__WORD_COMPILE_THREADS},
        {spec->first_tier, PVF__WORD_FIRST_TIER},
    };
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].said) {
            size_t used = strlen(out);
            (void)snprintf(out + used, size - used, "%s%s", used > 0 ? " and " : "", rows[i].word);
        }
    }
}

int pvf__spawn_died(const struct pvf__spawn_spec *spec,
                    struct pvf__spawning *spawning,
                    pvf_error *err)
{
    int status = 0;
    char text[64];
    int waited = pvf__process_wait(&spawning->spawned.process, UINT64_MAX, &status, err);
    if (waited != 0) {
        return waited;
    }
    pvf__process_status_text(status, text, sizeof(text));
    char own[96];
    own_words(spec, own, sizeof(own));
    if (own[0] != '\0' && WIFEXITED(status) && WEXITSTATUS(status) == PVF__EXIT_PANIC) {
        /* The text has its own advice. */
        status = pvf__error_set(err,
                                PVF_ERR_UNSUPPORTED,
                                "the worker refused its arguments (%s): only pvf-prepare-worker "
                                "knows %s; leave that out, or use that worker instead of %s",
                                text,
                                own,
                                spec->program->path);
        if (err != NULL) {
            err->detail = PVF_SPAWN_DIED;
        }
        return status;
    }
    status = pvf__error_set(
        err, PVF_ERR_PEER, "%s ended before it connected: %s", spec->program->path, text);
    return pvf__spawn_failure_mark(err, PVF_SPAWN_DIED, status);
}

/* Takes a connection; 1 when there is nobody, or a stranger, who is sent away. */
static int take_connection(int listener, struct pvf__spawned *spawned, pvf_error *err)
{
    PVF__CLEANUP_FD int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) {
            return 1;
        }
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot take a worker's connection");
    }
    if (!is_our_worker(fd, spawned->process.pid)) {
        pvf__log(PVF__LOG_WARN, "a stranger connected to a worker's socket; ignored");
        return 1;
    }
    spawned->socket = PVF__TAKE_FD(fd);
    return 0;
}

int pvf__spawn_accept(struct pvf__spawning *spawning, pvf_error *err)
{
    int status = take_connection(spawning->listener, &spawning->spawned, err);
    if (status == 0) {
        pvf__spawn_stop_listening(spawning);
    }
    return status < 0 ? pvf__spawn_failure_mark(err, PVF_SPAWN_ACCEPT, status) : status;
}

int pvf__spawn_timed_out(const struct pvf__spawn_spec *spec, pvf_error *err)
{
    int status = pvf__error_set(err,
                                PVF_ERR_TIMEOUT,
                                "%s did not connect within %u ms",
                                spec->program->path,
                                spec->timeout_ms);
    return pvf__spawn_failure_mark(err, PVF_SPAWN_ACCEPT_TIMEOUT, status);
}

void pvf__spawn_stop_listening(struct pvf__spawning *spawning)
{
    if (spawning->listener >= 0) {
        (void)close(PVF__TAKE_FD(spawning->listener));
        /* The worker removes it too; whoever is second finds nothing. */
        (void)unlink(spawning->address.sun_path);
    }
}

static int
accept_worker(const struct pvf__spawn_spec *spec, struct pvf__spawning *spawning, pvf_error *err)
{
    struct pvf__spawned *spawned = &spawning->spawned;
    uint64_t deadline = pvf__clock_monotonic_ns() + (uint64_t)spec->timeout_ms * 1000000u;
    for (;;) {
        struct pollfd items[3] = {
            {.fd = spawning->listener, .events = POLLIN},
            {.fd = spawned->process.pid_fd, .events = POLLIN},
            {.fd = spawned->out, .events = POLLIN},
        };
        int status = pvf__fd_poll_by(items, 3, deadline, err);
        if (status == PVF_ERR_TIMEOUT) {
            return pvf__spawn_timed_out(spec, err);
        }
        if (status < 0) {
            return pvf__spawn_failure_mark(err, PVF_SPAWN_ACCEPT, status);
        }
        if (items[0].revents != 0) {
            status = pvf__spawn_accept(spawning, err);
            if (status != 1) {
                return status;
            }
        } else if (items[1].revents != 0) {
            return pvf__spawn_died(spec, spawning, err);
        } else if (items[2].revents != 0) {
            pvf__spawn_drain(spawned);
        }
    }
}

/* A connection that no path leads to; the worker's end goes to *ret_theirs. */
static int connect_ahead(struct pvf__spawned *spawned, int *ret_theirs, pvf_error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make a socket");
    }
    spawned->socket = ends[0];
    *ret_theirs = ends[1];
    return 0;
}

/* Makes the worker's standard descriptors, and its socket if it inherits that; starts it. */
static int start(const struct pvf__spawn_spec *spec,
                 const char *socket_path,
                 struct pvf__spawned *ret,
                 pvf_error *err)
{
    int out[2];
    PVF__CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open /dev/null");
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make a pipe");
    }
    PVF__CLEANUP_FD int write_end = out[1];
    ret->out = out[0];
    if (fcntl(ret->out, F_SETFL, O_NONBLOCK) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make a pipe");
    }
    PVF__CLEANUP_FD int theirs = -1;
    int status = spec->upgraded ? connect_ahead(ret, &theirs, err) : 0;
    if (status != 0) {
        return status;
    }
    bool has_stderr = fcntl(STDERR_FILENO, F_GETFD) >= 0;
    const int files[PVF__PROCESS_FILES] = {
        null, write_end, has_stderr && !spec->quiet ? STDERR_FILENO : null, theirs};
    return start_process(spec, socket_path, files, ret, err);
}

int pvf__spawn_begin(const struct pvf__spawn_spec *spec, struct pvf__spawning *ret, pvf_error *err)
{
    *ret = (struct pvf__spawning){
        .spawned = {.process = PVF__PROCESS_NONE, .socket = -1, .out = -1},
        .listener = -1,
    };
    struct pvf__spawned *spawned = &ret->spawned;
    int status = pvf__program_check(spec->program, err);
    if (status != 0) {
        return pvf__spawn_failure_mark(err, PVF_SPAWN_PROGRAM_CHANGED, status);
    }
    char prefix[32];
    (void)snprintf(prefix, sizeof(prefix), "worker-dir-%s-", pvf__spawn_kind_name(spec->kind));
    status = pvf__folder_make(spec->cache_dir, prefix, spawned->dir, sizeof(spawned->dir), err);
    if (status != 0) {
        spawned->dir[0] = '\0';
        return pvf__spawn_failure_mark(err, PVF_SPAWN_TMP_PATH, status);
    }
    status = spec->upgraded ? 0 : listen_on_path(spec->kind, &ret->address, &ret->listener, err);
    if (status == 0) {
        status = start(spec, ret->address.sun_path, spawned, err);
        if (status != 0) {
            status = pvf__spawn_failure_mark(err, PVF_SPAWN_PROCESS, status);
        }
    }
    if (status != 0) {
        pvf__spawn_stop_listening(ret);
        pvf__spawn_end(spawned);
    }
    return status;
}

int pvf__spawn_worker(const struct pvf__spawn_spec *spec, struct pvf__spawned *ret, pvf_error *err)
{
    struct pvf__spawning spawning;
    int status = pvf__spawn_begin(spec, &spawning, err);
    if (status != 0) {
        return status;
    }
    status = spec->upgraded ? 0 : accept_worker(spec, &spawning, err);
    pvf__spawn_stop_listening(&spawning);
    if (status != 0) {
        pvf__spawn_end(&spawning.spawned);
        return status;
    }
    *ret = spawning.spawned;
    return 0;
}

void pvf__spawn_end(struct pvf__spawned *spawned)
{
    pvf__process_kill(&spawned->process);
    pvf__close_fd(&spawned->socket);
    pvf__close_fd(&spawned->out);
    if (spawned->dir[0] != '\0') {
        pvf__folder_remove(spawned->dir);
        spawned->dir[0] = '\0';
    }
}
