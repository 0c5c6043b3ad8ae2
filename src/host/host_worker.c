/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: one worker from handshake to death, and one request at a time with it.  Trusts the worker
 * with nothing: it may have been taken over by what it ran.
 */
#include "host/host_worker.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "host/host_upgrade.h"
#include "host/process_tree.h"
#include "host/spawn_failure.h"
#include "proto/frame.h"
#include "proto/frame_files.h"
#include "pvf/status.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Wall-clock time of a request, in CPU limits (protocol: time limits). */
#define WALL_FACTOR 4u

static int send_handshakes(struct pvf__host_worker *worker,
                           const pvf_security_status *security,
                           const struct pvf__executor_params *params,
                           uint64_t deadline_ns,
                           pvf_error *err)
{
    PVF__CLEANUP_BUF struct pvf__buf body = PVF__BUF_INIT(PVF__FRAME_MAX_HANDSHAKE);
    pvf__handshake_encode(security, &body);
    if (body.failed != 0) {
        return pvf__error_set(err, body.failed, "no memory for a handshake");
    }
    int status = pvf__frame_send(worker->spawned.socket, body.data, body.len, deadline_ns, err);
    if (status == 0 && params != NULL) {
        pvf__executor_params_hash(params, worker->params_hash);
        status = pvf__frame_send(
            worker->spawned.socket, params->raw.data, params->raw.len, deadline_ns, err);
    }
    return status;
}

void pvf__host_worker_end(struct pvf__host_worker *worker)
{
    if (worker->alive) {
        worker->alive = false;
        pvf__spawn_end(&worker->spawned);
    }
}

bool pvf__host_worker_is_dead(const struct pvf__host_worker *worker)
{
    struct pollfd items[2] = {
        {.fd = worker->spawned.process.pid_fd, .events = POLLIN},
        /* An idle worker has nothing to say; bytes or a hang-up make it useless. */
        {.fd = worker->spawned.socket, .events = POLLIN | POLLRDHUP},
    };
    return poll(items, 2, 0) > 0;
}

bool pvf__host_worker_left_unread(int socket)
{
    int why = 0;
    socklen_t len = sizeof(why);
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &why, &len) == 0 && why == ECONNRESET;
}

/*
 * The worker has ended and its connection has not: whatever it was just starting may hold that for
 * a moment longer.  What comes from there is no answer, but only the end of the connection tells
 * whether the request was taken.
 */
static int await_hang_up(int socket, pvf_error *err)
{
    static const char said[] = "the worker ended without an answer";
    /* A hang-up is reported unasked. */
    struct pollfd item = {.fd = socket};
    uint64_t deadline = pvf__clock_monotonic_ns() + PVF__HOST_WORKER_END_NS;
    if (pvf__fd_poll_by(&item, 1, deadline, NULL) == 0 && pvf__host_worker_left_unread(socket)) {
        return pvf__error_errno(err, PVF_ERR_EOF, ECONNRESET, "%s", said);
    }
    return pvf__error_set(err, PVF_ERR_EOF, "%s", said);
}

/* Until the answer begins, the worker ends (PVF_ERR_EOF) or the deadline passes. */
static int await_answer(struct pvf__spawned *spawned, uint64_t deadline_ns, pvf_error *err)
{
    for (;;) {
        struct pollfd items[3] = {
            {.fd = spawned->socket, .events = POLLIN},
            {.fd = spawned->process.pid_fd, .events = POLLIN},
            {.fd = spawned->out, .events = POLLIN},
        };
        int status = pvf__fd_poll_by(items, 3, deadline_ns, err);
        if (status == PVF_ERR_TIMEOUT) {
            return pvf__error_set(err, status, "the worker gave no answer in time");
        }
        if (status != 0) {
            return status;
        }
        if (items[0].revents != 0) {
            /* First: a worker that answers and ends has answered. */
            return 0;
        }
        if (items[1].revents != 0) {
            /* It may have answered after its socket was looked at. */
            return poll(items, 1, 0) > 0 ? 0 : await_hang_up(spawned->socket, err);
        }
        if (items[2].revents != 0) {
            pvf__spawn_drain(spawned);
        }
    }
}

/*
 * Is a whole frame there?  Then reading it cannot take until a deadline.  Nothing is read from an
 * empty socket: that would use up the error that it may have ended with.
 */
static bool is_whole(int socket)
{
    uint8_t header[PVF__FRAME_HEADER];
    int there = 0;
    return ioctl(socket, FIONREAD, &there) == 0 && there >= (int)sizeof(header) &&
           recv(socket, header, sizeof(header), MSG_PEEK | MSG_DONTWAIT) ==
               (ssize_t)sizeof(header) &&
           pvf__frame_body_len(header) <= (uint64_t)there - sizeof(header);
}

/* What a worker had used when its job began. */
struct use {
    bool known;
    uint64_t cpu_us;
};

/* Until the answer begins, as above; looks at what the worker has used if that may be wanted. */
static int await_and_look(struct pvf__spawned *spawned,
                          uint64_t deadline_ns,
                          struct use *ret_use,
                          pvf_error *err)
{
    pvf_error why = PVF_ERROR_INIT;
    uint64_t look_at = pvf__clock_monotonic_ns() + PVF__HOST_WORKER_LOOK_NS;
    int status = PVF_ERR_TIMEOUT;
    if (look_at < deadline_ns) {
        status = await_answer(spawned, look_at, &why);
    }
    if (status == 0 && is_whole(spawned->socket)) {
        return 0;
    }
    if (status != 0 && status != PVF_ERR_TIMEOUT) {
        *err = why;
        return status;
    }
    ret_use->known = pvf__process_tree_cpu(spawned->process.pid, &ret_use->cpu_us);
    return status == 0 ? 0 : await_answer(spawned, deadline_ns, err);
}

enum pvf__exchange_end
pvf__host_worker_judge_expiry(pid_t pid, bool has_before, uint64_t before_us, uint64_t cpu_limit_us)
{
    uint64_t now_us;
    if (has_before && pvf__process_tree_cpu(pid, &now_us) && now_us >= before_us &&
        now_us - before_us < cpu_limit_us) {
        return PVF__EXCHANGE_STALLED;
    }
    return PVF__EXCHANGE_EXPIRED;
}

/* Adds how the worker ended; one that only hung up, and lives, is not waited for. */
static void say_how_it_ended(struct pvf__spawned *spawned, pvf_error *err)
{
    int status = 0;
    char how[64];
    pvf_error ignored = PVF_ERROR_INIT;
    if (pvf__process_wait(&spawned->process,
                          pvf__clock_monotonic_ns() + PVF__HOST_WORKER_END_NS,
                          &status,
                          &ignored) == 0) {
        size_t used = strlen(err->text);
        pvf__process_status_text(status, how, sizeof(how));
        (void)snprintf(err->text + used, sizeof(err->text) - used, " (%s)", how);
    }
}

/* Upgraded: what it is told first, and its answer once its sandbox stands. */
static int greet(struct pvf__host_worker *worker,
                 const struct pvf__spawn_spec *spec,
                 const pvf_security_status *security,
                 pvf_error *err)
{
    struct pvf__spawned *spawned = &worker->spawned;
    uint64_t deadline = pvf__clock_monotonic_ns() + (uint64_t)spec->timeout_ms * 1000000u;
    PVF__CLEANUP_BUF struct pvf__buf hello = PVF__BUF_INIT(PVF__FRAME_MAX_HANDSHAKE);
    PVF__CLEANUP_BUF struct pvf__buf ready = PVF__BUF_INIT(PVF__FRAME_MAX_HANDSHAKE);
    pvf__host_upgrade_put_hello(security, &hello);
    if (hello.failed != 0) {
        return pvf__error_set(err, hello.failed, "no memory for a handshake");
    }
    int status = pvf__fd_write_by(spawned->socket, hello.data, hello.len, deadline, err);
    if (status == 0) {
        status = await_answer(spawned, deadline, err);
    }
    if (status == 0) {
        status = pvf__frame_recv(spawned->socket, PVF__FRAME_MAX_HANDSHAKE, deadline, &ready, err);
    }
    if (status == PVF_ERR_EOF && err != NULL) {
        say_how_it_ended(spawned, err);
    }
    return status != 0 ? status
                       : pvf__host_upgrade_hear_ready(
                             spec->kind, spawned->process.pid, security, &ready, err);
}

int pvf__host_worker_start(struct pvf__host_worker *worker,
                           const struct pvf__spawn_spec *spec,
                           const pvf_security_status *security,
                           const struct pvf__executor_params *params,
                           pvf_error *err)
{
    int status = pvf__spawn_worker(spec, &worker->spawned, err);
    if (status != 0) {
        return status;
    }
    if (spec->upgraded) {
        status = greet(worker, spec, security, err);
    } else {
        status = send_handshakes(
            worker, security, params, pvf__clock_monotonic_ns() + PVF__HOST_WORKER_SEND_NS, err);
    }
    if (status != 0) {
        pvf__error_wrap(err, "handshake with %s", spec->program->path);
        pvf__spawn_end(&worker->spawned);
        return pvf__spawn_failure_mark(err, PVF_SPAWN_HANDSHAKE, status);
    }
    worker->kind = spec->kind;
    worker->alive = true;
    return 0;
}

static uint64_t wall_limit_ns(uint64_t cpu_limit_us)
{
    uint64_t ns;
    return __builtin_mul_overflow(cpu_limit_us, WALL_FACTOR * 1000u, &ns) ? UINT64_MAX - 1 : ns;
}

enum pvf__exchange_end pvf__host_worker_exchange(struct pvf__host_worker *worker,
                                                 const struct pvf__exchange *exchange,
                                                 struct pvf__buf *ret,
                                                 uint64_t *ret_wall_us,
                                                 pvf_error *err)
{
    struct pvf__spawned *spawned = &worker->spawned;
    uint64_t begin = pvf__clock_monotonic_ns();
    uint64_t deadline = pvf__clock_after(begin, wall_limit_ns(exchange->cpu_limit_us));
    uint64_t send_deadline = pvf__clock_after(begin, PVF__HOST_WORKER_SEND_NS);
    struct use before = {.known = false};
    int files[PVF__UPGRADE_FILES];
    size_t count = pvf__host_message_files(exchange->request, files);
    int status = pvf__frame_send_files(spawned->socket,
                                       &exchange->request->frame,
                                       files,
                                       count,
                                       deadline < send_deadline ? deadline : send_deadline,
                                       err);
    if (status != 0) {
        *ret_wall_us = (pvf__clock_monotonic_ns() - begin) / 1000u;
        if (status != PVF_ERR_TIMEOUT) {
            say_how_it_ended(spawned, err);
        }
        return PVF__EXCHANGE_NOT_SENT;
    }
    status = await_and_look(spawned, deadline, &before, err);
    if (status == 0) {
        status = pvf__frame_recv(spawned->socket, exchange->answer_max, deadline, ret, err);
    }
    *ret_wall_us = (pvf__clock_monotonic_ns() - begin) / 1000u;
    if (status == 0) {
        return PVF__EXCHANGE_ANSWERED;
    }
    if (status == PVF_ERR_TIMEOUT) {
        return pvf__host_worker_judge_expiry(
            spawned->process.pid, before.known, before.cpu_us, exchange->cpu_limit_us);
    }
    int why = err->sys_errno;
    if (status == PVF_ERR_NO_MEMORY || (status == PVF_ERR_IO && why != ECONNRESET)) {
        return PVF__EXCHANGE_NOT_READ;
    }
    if (status == PVF_ERR_EOF || why == ECONNRESET) {
        say_how_it_ended(spawned, err);
    }
    /*
     * The kernel says "reset" instead of "end" when the worker ended with a part of the request
     * still unread: it has not begun with the job.
     */
    return why == ECONNRESET ? PVF__EXCHANGE_NOT_SENT : PVF__EXCHANGE_LOST;
}
