/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's skeleton: log levels, arguments, and the supervision of jobs. */
#include "support/test.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "pvf/status.h"
#include "sandbox/sandbox_descriptors.h"
#include "worker/worker_args.h"
#include "worker/worker_job_end.h"
#include "worker/worker_job_say.h"
#include "worker/worker_log.h"
#include "worker/worker_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void log_levels_are_those_of_the_reference(void **state)
{
    (void)state;
    const struct {
        const char *directives;
        int level;
    } rows[] = {
        {NULL, 1},
        {"", 1},
        {"off", 0},
        {"error", 1},
        {"info", 3},
        {"INFO", 3},
        {"trace", 5},
        {"parachain=debug", 4},
        {"parachain=info,runtime=trace", 5},
        {"warn,parachain=off", 2},
        {"parachain", 5},
        {"2", 2},
        {"parachain=nonsense", 1},
        {",,", 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(pvf__worker_log_level(rows[i].directives), rows[i].level);
    }
}

/* A worker and a job of it, whose own process number is another one. */
static void write_log_lines(void)
{
    pvf__worker_log_setup("w", PVF__LOG_WARN);
    pvf__log(PVF__LOG_WARN, "before any");
    (void)pvf__log_job_set(3);
    pid_t job = fork();
    if (job == 0) {
        pvf__log(PVF__LOG_ERROR, "two\nlines");
        _exit(0);
    }
    (void)waitpid(job, NULL, 0);
    pvf__log(PVF__LOG_INFO, "not wanted");
    (void)pvf__log_job_set(0);
}

static void log_lines_name_the_worker_and_its_request(void **state)
{
    (void)state;
    int ends[2];
    char want[200];
    char have[200] = "";
    size_t used = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t worker = fork();
    if (worker == 0) {
        int moved = dup2(ends[1], STDERR_FILENO);
        write_log_lines();
        _exit(moved == STDERR_FILENO ? 0 : 1);
    }
    assert_int_equal(close(ends[1]), 0);
    ssize_t got;
    while ((got = read(ends[0], have + used, sizeof(have) - 1 - used)) > 0) {
        used += (size_t)got;
    }
    assert_int_equal(close(ends[0]), 0);
    int ended = -1;
    assert_int_equal(waitpid(worker, &ended, 0), worker);
    assert_int_equal(ended, 0);
    (void)snprintf(want,
                   sizeof(want),
                   "w[%d] warn before any\nw[%d] #3 error two\\nlines\n",
                   (int)worker,
                   (int)worker);
    assert_string_equal(have, want);
}

/* An argument as main() gets it: a text that could be written to. */
#define TEXT(text) ((char[]){text})

static const char *const NO_OPTIONS[PVF__WORKER_OWN_OPTIONS];

static void arguments_come_in_any_order_and_the_last_counts(void **state)
{
    (void)state;
    char *good[] = {TEXT("w"),
                    TEXT("prepare-worker"),
                    TEXT("--worker-dir-path"),
                    TEXT("/d"),
                    TEXT("--socket-path"),
                    TEXT("/s"),
                    TEXT("--worker-dir-path"),
                    TEXT("/e")};
    struct pvf__worker_args args;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__worker_args_parse(8, good, NO_OPTIONS, &args, &err), 0);
    assert_string_equal(args.worker_dir, "/e");
    assert_string_equal(args.socket_path, "/s");
    assert_null(args.node_version);
    assert_int_equal(pvf__worker_args_parse(4, good, NO_OPTIONS, &args, &err), PVF_ERR_INVALID_ARG);
    assert_string_equal(err.text, "the --socket-path argument is required");
    assert_int_equal(pvf__worker_args_parse(5, good, NO_OPTIONS, &args, &err), PVF_ERR_INVALID_ARG);
    char *foreign[] = {TEXT("w"), TEXT("prepare-worker"), TEXT("--socket-path=/s"), TEXT("x")};
    assert_int_equal(pvf__worker_args_parse(4, foreign, NO_OPTIONS, &args, &err),
                     PVF_ERR_INVALID_ARG);
    assert_string_equal(err.text, "Unexpected argument found: --socket-path=/s");
    char *binary[] = {TEXT("w"), TEXT("prepare-worker"), TEXT("--socket-path"), TEXT("\xff")};
    assert_int_equal(pvf__worker_args_parse(4, binary, NO_OPTIONS, &args, &err),
                     PVF_ERR_INVALID_ARG);
}

static void an_own_option_is_known_to_its_role_only(void **state)
{
    (void)state;
    const char *const own[PVF__WORKER_OWN_OPTIONS] = {"--first", "--metering"};
    const char *const other[PVF__WORKER_OWN_OPTIONS] = {"--other", NULL};
    char *said[] = {TEXT("w"),
                    TEXT("prepare-worker"),
                    TEXT("--metering"),
                    TEXT("call-site"),
                    TEXT("--socket-path"),
                    TEXT("/s"),
                    TEXT("--worker-dir-path"),
                    TEXT("/d")};
    struct pvf__worker_args args;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__worker_args_parse(8, said, own, &args, &err), 0);
    assert_string_equal(args.own_values[1], "call-site");
    assert_null(args.own_values[0]);
    assert_string_equal(args.socket_path, "/s");
    assert_string_equal(args.worker_dir, "/d");
    assert_int_equal(pvf__worker_args_parse(3, said, own, &args, &err), PVF_ERR_INVALID_ARG);
    assert_string_equal(err.text, "the --metering argument needs a value");
    assert_int_equal(pvf__worker_args_parse(8, said, NO_OPTIONS, &args, &err), PVF_ERR_INVALID_ARG);
    assert_string_equal(err.text, "Unexpected argument found: --metering");
    assert_int_equal(pvf__worker_args_parse(8, said, other, &args, &err), PVF_ERR_INVALID_ARG);
    char *plain[] = {TEXT("w"),
                     TEXT("prepare-worker"),
                     TEXT("--socket-path"),
                     TEXT("/s"),
                     TEXT("--worker-dir-path"),
                     TEXT("/d")};
    assert_int_equal(pvf__worker_args_parse(6, plain, own, &args, &err), 0);
    assert_null(args.own_values[1]);
}

/* Jobs: what each does is its context; none asserts, since it is another process. */
enum deed {
    SPEAK,
    SPIN,
    DIE,
    DIE_REAL_TIME,
    FLOOD,
    SLEEP,
    LEAVE_CHILD,
    COUNT_FDS,
    WORK_BEFORE,
    FAREWELL,
    FAREWELL_AND_BURN,
    FAREWELL_BEYOND_TIME,
};

/* A frame of three bytes, and what comes after it from a job that ends in order. */
static const uint8_t last_words[] = {3, 0, 0, 0, 0, 0, 0, 0, 'b', 'y', 'e', 5};

/* Uses CPU time of this process up to so many microseconds in all. */
static uint64_t use_cpu(uint64_t us)
{
    struct timespec used;
    uint64_t now;
    do {
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        now = (uint64_t)used.tv_sec * 1000000u + (uint64_t)used.tv_nsec / 1000u;
    } while (now < us);
    return now;
}

static int do_deed(void *context, int pipe_fd)
{
    bool before = *(const enum deed *)context == WORK_BEFORE;
    if (pvf__job_say_ready(pipe_fd, 7, before ? use_cpu(200000) : 0, NULL) != 0) {
        return 98;
    }
    switch (*(const enum deed *)context) {
    case SPEAK:
        return write(pipe_fd, "hello", 5) == 5 ? 3 : 4;
    case WORK_BEFORE:
        return 0;
    case SPIN:
        for (;;) {
        }
    case DIE:
        (void)raise(SIGKILL);
        return 0;
    case DIE_REAL_TIME:
        (void)raise(SIGRTMIN + 3);
        return 0;
    case FAREWELL_BEYOND_TIME:
        (void)use_cpu(100000);
        pvf__clock_settle_process_cpu();
        return write(pipe_fd, last_words, sizeof(last_words)) < 0;
    case FAREWELL:
        (void)use_cpu(20000);
        pvf__clock_settle_process_cpu();
        if (write(pipe_fd, last_words, sizeof(last_words)) < 0) {
            return 4;
        }
        pvf__job_wait_for_dismissal(pipe_fd);
        return 0;
    case FAREWELL_AND_BURN:
        if (write(pipe_fd, last_words, sizeof(last_words)) < 0) {
            return 4;
        }
        for (;;) {
        }
    case FLOOD:
        for (;;) {
            char data[4096] = {0};
            if (write(pipe_fd, data, sizeof(data)) < 0) {
                return 0;
            }
        }
    case SLEEP:
        (void)pause();
        return 0;
    case LEAVE_CHILD:
        /* The child keeps the pipe open; the job's end must count all the same. */
        if (fork() == 0) {
            (void)alarm(5);
            (void)pause();
            _exit(0);
        }
        return write(pipe_fd, "bye", 3) == 3 ? 0 : 4;
    case COUNT_FDS: {
        int open_fds = 0;
        for (int fd = 3; fd < 256; fd++) {
            open_fds += fd != pipe_fd && fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
        }
        return open_fds;
    }
    default:
        return 99;
    }
}

/* One byte waits there. */
static int readable_end(void)
{
    static int ends[2] = {-1, -1};
    if (ends[0] < 0) {
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(write(ends[1], "x", 1), 1);
    }
    return ends[0];
}

static struct pvf__job_report run(enum deed deed, uint64_t cpu_ms, int host_socket)
{
    struct pvf__sandbox_plan plan = {.null_fd = -1}; /* nothing that the host decides on */
    assert_int_equal(pvf__sandbox_null_open(&plan.null_fd, NULL), 0);
    struct pvf__job_spec spec = {
        .run = do_deed,
        .context = &deed,
        .cpu_limit_us = cpu_ms * 1000,
        .payload_max = 1 << 20,
        .has_farewell = deed != SPEAK,
        .host_socket = host_socket,
        .keep_fd = -1,
        .sandbox = &plan,
    };
    struct pvf__job_report report;
    enum pvf__job_failure failure;
    assert_int_equal(pvf__job_run(&spec, &report, &failure, NULL), 0);
    /* A job that its host gave up may not have come so far. */
    assert_true(report.input_len == 7 || report.host_gone);
    if (report.ending_fd >= 0) {
        /* Taken at its word, and still a process. */
        assert_true(WIFEXITED(report.wait_status));
        assert_int_equal(WEXITSTATUS(report.wait_status), 0);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
    }
    bool is_leaving = report.ending_fd >= 0;
    pvf__job_dismiss(&spec, &report);
    assert_int_equal(report.ending_fd, -1);
    assert_int_equal(report.dismissal_fd, -1);
    if (deed == FAREWELL_AND_BURN) {
        /* Whoever has something else to do does not wait for it. */
        assert_int_equal(pvf__job_see_off(readable_end()), PVF__JOB_STILL_LEAVING);
        assert_int_equal(pvf__job_see_off(-1), PVF__JOB_ENDED_BADLY);
    } else {
        assert_int_equal(pvf__job_see_off(-1), is_leaving ? PVF__JOB_ENDED_WELL : PVF__JOB_NOBODY);
    }
    assert_int_equal(pvf__job_see_off(-1), PVF__JOB_NOBODY);
    (void)close(plan.null_fd);
    /* Nothing is left behind. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return report;
}

static void a_job_is_heard_and_reaped(void **state)
{
    (void)state;
    struct pvf__job_report report = run(SPEAK, 10000, -1);
    assert_true(WIFEXITED(report.wait_status));
    assert_int_equal(WEXITSTATUS(report.wait_status), 3);
    assert_int_equal(report.frame.len, 5);
    assert_memory_equal(report.frame.data, "hello", 5);
    assert_false(report.timed_out);
    pvf__buf_done(&report.payload);
}

static void a_job_that_spins_is_ended_by_its_cpu_clock(void **state)
{
    (void)state;
    struct pvf__job_report report = run(SPIN, 50, -1);
    assert_true(report.timed_out);
    assert_true(report.cpu_us >= 50000);
    pvf__buf_done(&report.payload);
}

static void work_before_readiness_does_not_count(void **state)
{
    (void)state;
    struct pvf__job_report report = run(WORK_BEFORE, 100, -1);
    assert_false(report.timed_out);
    assert_true(WIFEXITED(report.wait_status));
    assert_true(report.cpu_us < 100000);
    pvf__buf_done(&report.payload);
}

static void a_farewell_is_as_good_as_an_end(void **state)
{
    (void)state;
    struct pvf__job_report report = run(FAREWELL, 10000, -1);
    assert_true(WIFEXITED(report.wait_status));
    assert_int_equal(WEXITSTATUS(report.wait_status), 0);
    assert_int_equal(report.frame.len, sizeof(last_words));
    assert_memory_equal(report.frame.data, last_words, sizeof(last_words));
    /* Up to date, and no more than it can have used. */
    assert_true(report.cpu_us >= 10000);
    assert_true(report.cpu_us < 10000000);
    pvf__buf_done(&report.payload);
}

/* Whoever goes on is killed; its first word was still its last. */
static void after_a_farewell_there_is_an_end(void **state)
{
    (void)state;
    struct pvf__job_report report = run(FAREWELL_AND_BURN, 600000, -1);
    assert_memory_equal(report.frame.data, last_words, sizeof(last_words));
    pvf__buf_done(&report.payload);
}

static void a_farewell_beyond_the_limit_is_none(void **state)
{
    (void)state;
    struct pvf__job_report report = run(FAREWELL_BEYOND_TIME, 40, -1);
    assert_true(report.timed_out);
    pvf__buf_done(&report.payload);
}

static void a_farewell_follows_one_whole_frame(void **state)
{
    (void)state;
    assert_true(pvf__job_say_is_over((struct pvf__slice){last_words, sizeof(last_words)}));
    for (size_t len = 0; len < sizeof(last_words); len++) {
        assert_false(pvf__job_say_is_over((struct pvf__slice){last_words, len}));
        /* Each length that the frame could have instead, and each other last word. */
        uint8_t other[sizeof(last_words) + 1];
        memcpy(other, last_words, sizeof(last_words));
        other[0] = (uint8_t)(len == 3 ? 255 : len);
        assert_false(pvf__job_say_is_over((struct pvf__slice){other, sizeof(last_words)}));
    }
    for (unsigned last = 0; last < 256; last++) {
        uint8_t other[sizeof(last_words) + 1];
        memcpy(other, last_words, sizeof(last_words));
        other[sizeof(last_words) - 1] = (uint8_t)last;
        other[sizeof(last_words)] = 5;
        assert_int_equal(pvf__job_say_is_over((struct pvf__slice){other, sizeof(last_words)}),
                         last == 5);
        assert_false(pvf__job_say_is_over((struct pvf__slice){other, sizeof(other)}));
    }
}

static void a_job_that_cannot_be_fenced_is_no_job(void **state)
{
    (void)state;
    enum deed deed = SPEAK;
    const struct pvf__sandbox_plan plan = {.null_fd = -1}; /* nothing to put on 0, 1 and 2 */
    const struct pvf__job_spec spec = {
        .run = do_deed,
        .context = &deed,
        .cpu_limit_us = 10000000,
        .payload_max = 1 << 20,
        .host_socket = -1,
        .keep_fd = -1,
        .sandbox = &plan,
    };
    struct pvf__job_report report;
    enum pvf__job_failure failure;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_not_equal(pvf__job_run(&spec, &report, &failure, &err), 0);
    assert_int_equal(failure, PVF__JOB_FAILED_FENCE);
    assert_non_null(strstr(err.text, "replacing descriptor 0"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void first_words_are_heard_in_any_pieces(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 3, 5, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 'x'};
    struct pvf__job_heard heard = {0};
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        pvf__job_say_hear((struct pvf__slice){bytes, len}, &heard);
        assert_int_equal(heard.fenced, len >= 1);
        assert_int_equal(heard.ready, len >= 1 + PVF__JOB_SAY_READY_LEN);
        assert_false(heard.nonsense);
    }
    assert_int_equal(heard.used, sizeof(bytes) - 1);
    assert_int_equal(heard.input_len, 5);
    assert_int_equal(heard.cpu_us, 9);
    for (unsigned first = 0; first < 256; first++) {
        const uint8_t words[] = {(uint8_t)first, 'n', 'o'};
        struct pvf__job_heard other = {0};
        pvf__job_say_hear((struct pvf__slice){words, sizeof(words)}, &other);
        assert_int_equal(other.fenced, first == 1);
        assert_true(other.nonsense); /* "n" is no second word either */
        assert_int_equal(pvf__job_say_reason((struct pvf__slice){words, sizeof(words)}).len,
                         first == 2 ? 2 : 0);
    }
}

static void a_job_that_waits_says_two_words(void **state)
{
    (void)state;
    const struct {
        const char *said;
        int status; /* once the other end is closed */
    } rows[] = {
        {"\x01\x04", 0},
        {"\x01\x04\x03", 0},
        {"\x01\x03", PVF_ERR_PEER},
        {"\x04\x01", PVF_ERR_PEER},
        {"\x02\x04", PVF_ERR_PEER},
        {"\x01", PVF_ERR_EOF},
        {"", PVF_ERR_EOF},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(pvf__fd_write(ends[1], rows[i].said, strlen(rows[i].said), NULL), 0);
        if (strlen(rows[i].said) < 2) {
            assert_int_equal(pvf__job_say_take_waiting(ends[0], 1, NULL), PVF_ERR_TIMEOUT);
            assert_int_equal(pvf__fd_write(ends[1], rows[i].said, strlen(rows[i].said), NULL), 0);
        }
        (void)close(ends[1]);
        assert_int_equal(pvf__job_say_take_waiting(ends[0], UINT64_MAX, NULL), rows[i].status);
        (void)close(ends[0]);
    }
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pvf__job_say_fenced(ends[1], NULL), 0);
    assert_int_equal(pvf__job_say_waiting(ends[1], NULL), 0);
    assert_int_equal(pvf__job_say_take_waiting(ends[0], UINT64_MAX, NULL), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void any_signal_is_a_death(void **state)
{
    (void)state;
    char text[64];
    struct pvf__job_report report = run(DIE, 10000, -1);
    pvf__worker_signal_text(report.wait_status, text, sizeof(text));
    assert_string_equal(text, "received signal: SIGKILL");
    pvf__buf_done(&report.payload);
    report = run(DIE_REAL_TIME, 10000, -1);
    assert_true(WIFSIGNALED(report.wait_status));
    pvf__worker_signal_text(report.wait_status, text, sizeof(text));
    assert_memory_equal(text, "received signal: SIGRT", 22);
    pvf__buf_done(&report.payload);
}

static void a_flood_is_cut_off(void **state)
{
    (void)state;
    struct pvf__job_report report = run(FLOOD, 10000, -1);
    assert_true(report.payload_over);
    assert_true(report.payload.len <=
                (1 << 20) + 1 + PVF__JOB_SAY_READY_LEN + PVF__JOB_SAY_FAREWELL_LEN);
    pvf__buf_done(&report.payload);
}

static void a_job_ends_when_the_host_hangs_up(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    (void)close(pair[1]);
    struct pvf__job_report report = run(SLEEP, 10000, pair[0]);
    assert_true(report.host_gone);
    (void)close(pair[0]);
    pvf__buf_done(&report.payload);
}

static void a_child_that_holds_the_pipe_does_not_hold_the_worker(void **state)
{
    (void)state;
    uint64_t begin = pvf__clock_monotonic_ns();
    struct pvf__job_report report = run(LEAVE_CHILD, 600000, -1);
    assert_memory_equal(report.frame.data, "bye", 3);
    assert_true(pvf__clock_monotonic_ns() - begin < UINT64_C(60000000000));
    pvf__buf_done(&report.payload);
}

static void a_job_inherits_nothing_but_its_pipe(void **state)
{
    (void)state;
    int leaked = dup(STDERR_FILENO); /* not close-on-exec: a fork would keep it */
    assert_true(leaked > 2);
    struct pvf__job_report report = run(COUNT_FDS, 10000, -1);
    assert_int_equal(WEXITSTATUS(report.wait_status), 0);
    (void)close(leaked);
    pvf__buf_done(&report.payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_levels_are_those_of_the_reference),
        cmocka_unit_test(log_lines_name_the_worker_and_its_request),
        cmocka_unit_test(arguments_come_in_any_order_and_the_last_counts),
        cmocka_unit_test(an_own_option_is_known_to_its_role_only),
        cmocka_unit_test(a_job_is_heard_and_reaped),
        cmocka_unit_test(a_job_that_spins_is_ended_by_its_cpu_clock),
        cmocka_unit_test(work_before_readiness_does_not_count),
        cmocka_unit_test(a_job_that_cannot_be_fenced_is_no_job),
        cmocka_unit_test(a_farewell_is_as_good_as_an_end),
        cmocka_unit_test(after_a_farewell_there_is_an_end),
        cmocka_unit_test(a_farewell_beyond_the_limit_is_none),
        cmocka_unit_test(a_farewell_follows_one_whole_frame),
        cmocka_unit_test(first_words_are_heard_in_any_pieces),
        cmocka_unit_test(any_signal_is_a_death),
        cmocka_unit_test(a_job_that_waits_says_two_words),
        cmocka_unit_test(a_flood_is_cut_off),
        cmocka_unit_test(a_job_ends_when_the_host_hangs_up),
        cmocka_unit_test(a_child_that_holds_the_pipe_does_not_hold_the_worker),
        cmocka_unit_test(a_job_inherits_nothing_but_its_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
