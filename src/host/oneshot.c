/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: short runs of a worker program outside the protocol: checks, versions, inspection.  Its
 * output is data, never more than what it said it would keep.
 */
#include "host/oneshot.h"

#include "base/error.h"
#include "base/fd.h"
#include "host/process.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/*
 * Makes three pipes and starts the program on their other ends.  A socket pair serves as stdin so
 * that writing to a program that has ended raises no SIGPIPE in the embedder.
 */
static int
start(int program_fd, const char *const argv[], struct pvf__oneshot_running *ret, pvf_error *err)
{
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    int errors[2] = {-1, -1};
    const char *const envp[] = {"RUST_LOG=", NULL};
    int status = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
        pipe2(errors, O_CLOEXEC) != 0 || set_nonblocking(in[1]) != 0 ||
        set_nonblocking(out[0]) != 0 || set_nonblocking(errors[0]) != 0) {
        status = pvf__error_errno(err, PVF_ERR_IO, errno, "no pipes for %s", argv[0]);
    } else {
        const int stdio[3] = {in[0], out[1], errors[1]};
        status = pvf__process_start(program_fd, argv, envp, stdio, 3, &ret->process, err);
    }
    if (status == 0) {
        ret->in = PVF__TAKE_FD(in[1]);
        ret->out = PVF__TAKE_FD(out[0]);
        ret->errors = PVF__TAKE_FD(errors[0]);
    }
    for (int i = 0; i < 2; i++) {
        pvf__close_fd(&in[i]);
        pvf__close_fd(&out[i]);
        pvf__close_fd(&errors[i]);
    }
    return status;
}

/* Sends what fits; closes the end when all is sent or nobody reads any more. */
static void feed(int *end, struct pvf__slice *input)
{
    while (input->len > 0) {
        ssize_t done = send(*end, input->data, input->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0 && errno == EAGAIN) {
            return;
        }
        if (done < 0) {
            break;
        }
        input->data += done;
        input->len -= (size_t)done;
    }
    pvf__close_fd(end);
}

/*
 * Takes what is there; closes the end at its end.  What is beyond the buffer's limit is an error
 * when it `must_fit`, and forgotten otherwise.
 */
static int take(int *end, struct pvf__buf *buf, bool must_fit, pvf_error *err)
{
    for (;;) {
        uint8_t part[4096];
        ssize_t got = read(*end, part, sizeof(part));
        if (got > 0) {
            size_t room = buf->max - buf->len;
            size_t want = (size_t)got < room ? (size_t)got : room;
            if (pvf__buf_append(buf, part, want) != 0) {
                return pvf__error_set(err, buf->failed, "no memory for the output of a process");
            }
            if (must_fit && want < (size_t)got) {
                return pvf__error_set(err,
                                      PVF_ERR_LIMIT,
                                      "the process wrote more than %zu bytes to its stdout",
                                      buf->max);
            }
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else if (got < 0 && errno == EAGAIN) {
            return 0;
        } else {
            pvf__close_fd(end);
            return 0;
        }
    }
}

/* Carries input and output until the program has closed both of its outputs. */
static int carry(struct pvf__oneshot_running *running, pvf_error *err)
{
    struct pvf__oneshot *run = &running->so_far;
    while (running->out >= 0 || running->errors >= 0) {
        struct pollfd items[3] = {
            {.fd = running->in, .events = POLLOUT},
            {.fd = running->out, .events = POLLIN},
            {.fd = running->errors, .events = POLLIN},
        };
        int status = pvf__fd_poll_by(items, 3, running->deadline_ns, err);
        if (status == PVF_ERR_TIMEOUT) {
            return pvf__error_set(err, status, "the process did not end in time");
        }
        if (status != 0) {
            return status;
        }
        if (items[0].revents != 0) {
            feed(&running->in, &running->input);
        }
        if (items[1].revents != 0) {
            status = take(&running->out, &run->out, true, err);
        }
        if (status == 0 && items[2].revents != 0) {
            status = take(&running->errors, &run->errors, false, err);
        }
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

int pvf__oneshot_start(int program_fd,
                       const char *const argv[],
                       struct pvf__slice input,
                       size_t out_max,
                       uint64_t deadline_ns,
                       struct pvf__oneshot_running *ret,
                       pvf_error *err)
{
    struct pvf__oneshot_running running = {
        .so_far = {.out = PVF__BUF_INIT(out_max), .errors = PVF__BUF_INIT(PVF__ONESHOT_STDERR_MAX)},
        .process = PVF__PROCESS_NONE,
        .input = input,
        .deadline_ns = deadline_ns,
        .in = -1,
        .out = -1,
        .errors = -1,
    };
    int status = start(program_fd, argv, &running, err);
    if (status == 0) {
        *ret = running;
    }
    return status;
}

int pvf__oneshot_finish(struct pvf__oneshot_running *running,
                        const char *name,
                        const char *word,
                        struct pvf__oneshot *ret,
                        pvf_error *err)
{
    struct pvf__oneshot *run = &running->so_far;
    int status = carry(running, err);
    pvf__close_fd(&running->in);
    if (status == 0) {
        status = pvf__process_wait(&running->process, running->deadline_ns, &run->status, err);
    }
    pvf__process_kill(&running->process);
    pvf__close_fd(&running->out);
    pvf__close_fd(&running->errors);
    if (status != 0) {
        pvf__error_wrap(err, "%s %s", name, word);
        pvf__oneshot_done(run);
        return status;
    }
    *ret = *run;
    return 0;
}

int pvf__oneshot_run(int program_fd,
                     const char *const argv[],
                     struct pvf__slice input,
                     size_t out_max,
                     uint64_t deadline_ns,
                     struct pvf__oneshot *ret,
                     pvf_error *err)
{
    struct pvf__oneshot_running running;
    int status = pvf__oneshot_start(program_fd, argv, input, out_max, deadline_ns, &running, err);
    return status != 0
               ? status
               : pvf__oneshot_finish(&running, argv[0], argv[1] != NULL ? argv[1] : "", ret, err);
}

void pvf__oneshot_done(struct pvf__oneshot *run)
{
    pvf__buf_done(&run->out);
    pvf__buf_done(&run->errors);
}

bool pvf__oneshot_succeeded(const struct pvf__oneshot *run)
{
    return WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0;
}

void pvf__oneshot_line(const struct pvf__buf *buf, char *out, size_t size)
{
    size_t len = 0;
    while (len < buf->len && len + 1 < size && buf->data[len] != '\n') {
        uint8_t byte = buf->data[len];
        out[len] = (char)(byte >= 0x20 && byte != 0x7f ? byte : '?');
        len++;
    }
    while (len > 0 && out[len - 1] == ' ') {
        len--;
    }
    out[len] = '\0';
}
