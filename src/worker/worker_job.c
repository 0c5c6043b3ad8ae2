/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the supervision of a job: limits, death, reaping.  Trusts nothing that the job sends; the
 * job's CPU time is the kernel's figure for its process, never the job's own.
 */
#include "worker/worker_job.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "proto/exit_codes.h"
#include "worker/worker_job_end.h"
#include "worker/worker_job_make.h"
#include "worker/worker_job_say.h"
#include "worker/worker_memory.h"
#include "worker/worker_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_US 1000u
#define US_PER_MS 1000u

/*
 * CPU time that a job may take until its input is ready.  No honest decompression comes near it;
 * the reference has no limit there but the host's clock.
 */
#define READY_LIMIT_US UINT64_C(10000000)

struct watch {
    const struct pvf__job_spec *spec;
    struct pvf__job_report *report;
    int pipe_fd;
    int pid_fd;
    clockid_t cpu_clock;
    bool has_clock;
    struct pvf__job_heard heard;
    uint64_t uncounted_us; /* spent before the job was ready */
    bool killed;
    bool said_farewell;
};

static void kill_job(struct watch *watch)
{
    if (!watch->killed) {
        pvf__job_kill(watch->report->pid, watch->pid_fd);
        watch->killed = true;
    }
}

/* Takes what the pipe holds now; true when it will never hold more. */
static bool drain(struct watch *watch)
{
    struct pvf__buf *payload = &watch->report->payload;
    for (;;) {
        size_t room = payload->cap - payload->len;
        if (room == 0) {
            if (pvf__buf_reserve(payload, 1) != 0) {
                watch->report->payload_over = true;
                kill_job(watch);
                return true;
            }
            room = payload->cap - payload->len;
        }
        ssize_t got = read(watch->pipe_fd, payload->data + payload->len, room);
        if (got > 0) {
            payload->len += (size_t)got;
        } else if (got < 0 && errno == EAGAIN) {
            return false;
        } else if (got == 0 || errno != EINTR) {
            return true;
        }
    }
}

/* CPU microseconds of the running job; 0 when its clock cannot be read (any more). */
static uint64_t cpu_us(const struct watch *watch)
{
    struct timespec used;
    if (!watch->has_clock || clock_gettime(watch->cpu_clock, &used) != 0) {
        return 0;
    }
    return (uint64_t)used.tv_sec * 1000000u + (uint64_t)used.tv_nsec / NS_PER_US;
}

/*
 * Hears the job's first words.  Its own figure of what is not to be counted is exact if it is
 * honest, and never more than it has really used.
 */
static void hear(struct watch *watch)
{
    bool was_ready = watch->heard.ready;
    const struct pvf__buf *payload = &watch->report->payload;
    pvf__job_say_hear((struct pvf__slice){payload->data, payload->len}, &watch->heard);
    if (watch->heard.ready && !was_ready) {
        uint64_t used = cpu_us(watch);
        watch->uncounted_us = watch->heard.cpu_us < used ? watch->heard.cpu_us : used;
    }
}

/* CPU time at which the job is over. */
static uint64_t limit_us(const struct watch *watch)
{
    uint64_t limit = watch->spec->cpu_limit_us;
    if (!watch->heard.ready) {
        return READY_LIMIT_US;
    }
    return limit > UINT64_MAX - watch->uncounted_us ? UINT64_MAX : limit + watch->uncounted_us;
}

/* Asked once: the answer comes from a file. */
static uint64_t processors(void)
{
    static uint64_t known;
    if (known == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        known = online > 1 ? (uint64_t)online : 1;
    }
    return known;
}

/*
 * How long the job may be left alone: it cannot use more CPU time than this on as many processors
 * as it has.  At least a millisecond, so that the end of the budget is not a busy wait.
 */
static int patience_ms(const struct watch *watch)
{
    uint64_t used = cpu_us(watch);
    uint64_t limit = limit_us(watch);
    uint64_t left = limit > used ? limit - used : 0;
    left = left / processors() / US_PER_MS + 1;
    return left > (uint64_t)INT_MAX ? INT_MAX : (int)left;
}

/* Notes the CPU time of a job that has said all; true when that is within its limit. */
static bool take_farewell(struct watch *watch)
{
    const struct pvf__buf *payload = &watch->report->payload;
    size_t used = watch->heard.used;
    if (!watch->spec->has_farewell || watch->killed || !watch->heard.ready ||
        !pvf__job_say_is_over((struct pvf__slice){payload->data + used, payload->len - used})) {
        return false;
    }
    uint64_t total = cpu_us(watch);
    watch->report->cpu_us = total > watch->uncounted_us ? total - watch->uncounted_us : 0;
    return total > 0 && total < limit_us(watch);
}

/* Takes what the pipe holds now; false when it will never hold more. */
static bool listen(struct watch *watch)
{
    bool is_open = !drain(watch);
    hear(watch);
    watch->said_farewell = is_open && take_farewell(watch);
    return is_open;
}

/* Waits for the job's end or farewell; the payload is complete afterwards. */
static void watch_job(struct watch *watch)
{
    bool pipe_open = true;
    bool host_open = watch->spec->host_socket >= 0;
    for (;;) {
        struct pollfd items[3] = {
            {.fd = watch->pid_fd, .events = POLLIN},
            {.fd = pipe_open ? watch->pipe_fd : -1, .events = POLLIN},
            {.fd = host_open ? watch->spec->host_socket : -1, .events = POLLRDHUP},
        };
        int ready = poll(items, 3, watch->killed ? -1 : patience_ms(watch));
        if (ready < 0 && errno != EINTR) {
            /* Cannot happen with these arguments; not watching would be worse than ending it. */
            kill_job(watch);
            return;
        }
        if (ready > 0 && items[1].revents != 0) {
            pipe_open = listen(watch);
        }
        if (watch->said_farewell) {
            return;
        }
        if (ready > 0 && items[0].revents != 0) {
            break;
        }
        if (ready > 0 && items[2].revents != 0) {
            watch->report->host_gone = true;
            host_open = false;
            kill_job(watch);
        }
        if (!watch->killed && cpu_us(watch) >= limit_us(watch)) {
            watch->report->timed_out = true;
            kill_job(watch);
        }
    }
    if (pipe_open) {
        /* Dead: what it wrote is in the pipe, even if something it made holds the other end. */
        (void)drain(watch);
        hear(watch);
    }
}

static int reap(struct watch *watch, pvf_error *err)
{
    struct rusage usage;
    for (;;) {
        pid_t pid = wait4(watch->report->pid, &watch->report->wait_status, 0, &usage);
        if (pid == watch->report->pid) {
            break;
        }
        if (pid < 0 && errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "waitpid");
        }
    }
    uint64_t total = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
                     (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    watch->report->cpu_us = total > watch->uncounted_us ? total - watch->uncounted_us : 0;
    int status = watch->report->wait_status;
    if (!watch->killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        watch->report->memory_was_short = pvf__worker_memory_was_short();
    }
    if (watch->heard.ready && watch->report->cpu_us >= watch->spec->cpu_limit_us) {
        watch->report->timed_out = true;
    }
    return 0;
}

/*
 * A job that did not say that it is fenced has not touched a hostile byte: whatever ended it, this
 * machine did.
 */
static int not_fenced(const struct pvf__job_report *report, pvf_error *err)
{
    struct pvf__slice reason =
        pvf__job_say_reason((struct pvf__slice){report->payload.data, report->payload.len});
    if (reason.len > 0) {
        return pvf__error_set(err,
                              PVF_ERR_UNSUPPORTED,
                              "the job could not be fenced: %.*s",
                              (int)reason.len,
                              (const char *)reason.data);
    }
    char text[64];
    pvf__worker_signal_text(report->wait_status, text, sizeof(text));
    return pvf__error_set(err, PVF_ERR_PEER, "the job ended before it was fenced: %s", text);
}

/*
 * A job that was made ahead of need may be dying of something else when it is given its candidate,
 * which nobody can see yet.
 */
static bool has_begun(int offer_fd, const struct pvf__job_report *report)
{
    struct pollfd item = {.fd = offer_fd, .events = POLLIN};
    int status = report->wait_status;
    bool is_well = WIFEXITED(status) && WEXITSTATUS(status) == PVF__EXIT_OK;
    /* That nobody has the other end any more is an event as well, and always there. */
    return is_well || poll(&item, 1, 0) <= 0 || (item.revents & POLLIN) == 0;
}

static int run_job(const struct pvf__job_spec *spec,
                   pvf__job_make_fn *make,
                   struct pvf__job_report *ret,
                   bool *ret_begun,
                   enum pvf__job_failure *ret_failure,
                   pvf_error *err)
{
    struct pvf__job_report report = {.pid = -1,
                                     .ending_fd = -1,
                                     .dismissal_fd = -1,
                                     .payload = PVF__BUF_INIT(spec->payload_max + 1 +
                                                              PVF__JOB_SAY_READY_LEN +
                                                              PVF__JOB_SAY_FAREWELL_LEN)};
    struct pvf__job_made made;
    int status = make(spec, &made, ret_failure, err);
    if (status != 0) {
        return status;
    }
    PVF__CLEANUP_FD int read_end = made.read_end;
    PVF__CLEANUP_FD int pid_fd = made.pid_fd;
    PVF__CLEANUP_FD int offer_fd = made.offer_fd;
    report.pid = made.pid;
    struct watch watch = {.spec = spec,
                          .report = &report,
                          .pipe_fd = read_end,
                          .pid_fd = pid_fd,
                          .heard = {.fenced = made.fenced}};
    watch.has_clock = clock_getcpuclockid(report.pid, &watch.cpu_clock) == 0;
    if (fcntl(read_end, F_SETFL, O_NONBLOCK) != 0) {
        kill_job(&watch);
    }
    watch_job(&watch);
    if (watch.said_farewell) {
        report.ending_fd = PVF__TAKE_FD(pid_fd);
        report.dismissal_fd = PVF__TAKE_FD(read_end);
    } else {
        pvf__job_kill_group(report.pid, spec->sandbox->secure_clone);
        status = reap(&watch, err);
        pvf__job_reap_group(report.pid, spec->sandbox->secure_clone);
    }
    if (status != 0) {
        pvf__buf_done(&report.payload);
        *ret_failure = PVF__JOB_FAILED_WAIT;
        return status;
    }
    if (!watch.heard.fenced && !report.host_gone) {
        status = not_fenced(&report, err);
        pvf__buf_done(&report.payload);
        *ret_failure = PVF__JOB_FAILED_FENCE;
        return status;
    }
    *ret_begun = has_begun(offer_fd, &report);
    report.input_len = watch.heard.input_len;
    report.frame = (struct pvf__slice){report.payload.data + watch.heard.used,
                                       report.payload.len - watch.heard.used};
    *ret = report;
    return 0;
}

int pvf__job_run(const struct pvf__job_spec *spec,
                 struct pvf__job_report *ret,
                 enum pvf__job_failure *ret_failure,
                 pvf_error *err)
{
    pvf__job_make_fn *make = spec->make != NULL ? spec->make : pvf__job_make;
    struct pvf__job_report report = {.made_again = false};
    bool begun = true;
    int status = run_job(spec, make, &report, &begun, ret_failure, err);
    if (status == 0 && !begun && !report.host_gone) {
        pvf__log(PVF__LOG_DEBUG, "a job ended before it took its candidate: another is made");
        pvf__buf_done(&report.payload);
        status = run_job(spec, pvf__job_make, &report, &begun, ret_failure, err);
        report.made_again = true;
    }
    if (status == 0) {
        *ret = report;
    }
    return status;
}
