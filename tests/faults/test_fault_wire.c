/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers seen from the wire, with signals and hang-ups in the midst of jobs and answers: what is
 * stopped goes on where it was, what is killed takes its job along, and a worker without a host
 * ends.
 */
#include "support/test.h"

#include "base/clock.h"
#include "base/fd.h"
#include "faults/bench.h"
#include "faults/kept.h"
#include "host/folder.h"
#include "proto/execute_msg.h"
#include "proto/frame.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENT_MS 60000u
/* How long a stopped process is seen to say nothing; one that talks would do so at once. */
#define SILENCE_MS 300
/* A busy machine may end a job before it is seen at work. */
#define TRIES 40
#define BIG_HEAD ((size_t)4 << 20)

static const char *prepare_worker;
static const char *execute_worker;

/* A host, for its security status and its artifact, and a worker of its kind. */
struct scene {
    pvf_host *host;
    pvf_prepare_outcome prepared;
    struct kept kept;
    struct bench_counts before;
};

static void open_scene(struct scene *scene, int32_t security_mode)
{
    struct pvf__buf code;
    bench_count(&scene->before);
    bench_code(&code);
    scene->host = bench_host(prepare_worker, execute_worker, security_mode);
    scene->prepared = bench_prepare(scene->host, &code, PATIENT_MS);
    assert_true(scene->prepared.ok);
    pvf__buf_done(&code);
    kept_start_execute(&scene->kept, execute_worker, scene->host, &scene->prepared);
}

static void close_scene(struct scene *scene)
{
    kept_end(&scene->kept);
    pvf_prepare_outcome_done(&scene->prepared);
    pvf_host_free(scene->host);
    bench_assert_as_before(&scene->before);
}

static pid_t worker_of(const struct scene *scene)
{
    return scene->kept.worker.spawned.process.pid;
}

static void send_job(struct scene *scene, uint64_t rounds)
{
    kept_send_execute(&scene->kept, &scene->prepared, rounds, PATIENT_MS);
}

static bool is_silent(const struct scene *scene)
{
    struct pollfd item = {.fd = scene->kept.worker.spawned.socket, .events = POLLIN};
    return poll(&item, 1, SILENCE_MS) == 0;
}

static void assert_ends(pid_t pid)
{
    uint64_t deadline = pvf__clock_monotonic_ns() + UINT64_C(60000000000);
    while (!bench_is_gone(pid)) {
        assert_true(pvf__clock_monotonic_ns() < deadline);
        (void)usleep(2000);
    }
}

/* How a worker ends that the test lets go. */
static int exit_of(struct scene *scene)
{
    int status = -1;
    struct pvf__process *process = &scene->kept.worker.spawned.process;
    uint64_t deadline = pvf__clock_monotonic_ns() + UINT64_C(60000000000);
    assert_int_equal(pvf__process_wait(process, deadline, &status, NULL), 0);
    return status;
}

static void hang_up(struct scene *scene)
{
    (void)close(scene->kept.worker.spawned.socket);
    scene->kept.worker.spawned.socket = -1;
}

static void assert_answer_is_good(struct scene *scene)
{
    struct pvf__execute_answer answer;
    const struct pvf__buf *body = &scene->kept.answer;
    kept_receive(&scene->kept);
    assert_int_equal(pvf__execute_answer_decode(body->data, body->len, &answer, NULL), 0);
    assert_true(answer.ok);
    assert_int_equal(answer.response.kind, PVF__JOB_RESPONSE_OK);
}

/* The job or the worker stands still for a while in the midst of a job that ends well. */
static void stop_and_continue(int32_t security_mode, bool at_job)
{
    struct scene scene;
    uint64_t rounds = 50000000;
    int tries = 0;
    open_scene(&scene, security_mode);
    for (bool was_silent = false; !was_silent; rounds += rounds / 2) {
        pid_t worker = worker_of(&scene);
        pid_t job = 0;
        struct pollfd item = {.fd = scene.kept.worker.spawned.socket, .events = POLLIN};
        assert_true(++tries < TRIES);
        send_job(&scene, rounds);
        while (job == 0 && poll(&item, 1, 0) == 0) {
            job = bench_job(worker);
        }
        if (job != 0 && kill(at_job ? job : worker, SIGSTOP) == 0) {
            was_silent = is_silent(&scene);
            (void)kill(at_job ? job : worker, SIGCONT);
        }
        assert_answer_is_good(&scene);
    }
    close_scene(&scene);
}

static void stopped_processes_go_on(void **state)
{
    (void)state;
    stop_and_continue(PVF_SECURITY_AS_GIVEN, true);
    stop_and_continue(PVF_SECURITY_AS_GIVEN, false);
    stop_and_continue(PVF_SECURITY_DETECT, true);
    stop_and_continue(PVF_SECURITY_DETECT, false);
}

/* The host hangs up: a stopped job is no obstacle, and a stopped worker ends when it goes on. */
static void hang_up_on_stopped(int32_t security_mode, bool at_job)
{
    struct scene scene;
    open_scene(&scene, security_mode);
    send_job(&scene, BENCH_ENDLESS);
    pid_t job = kept_job(&scene.kept);
    assert_int_equal(kill(at_job ? job : worker_of(&scene), SIGSTOP), 0);
    hang_up(&scene);
    if (!at_job) {
        assert_int_equal(kill(worker_of(&scene), SIGCONT), 0);
    }
    int status = exit_of(&scene);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_ends(job);
    close_scene(&scene);
}

static void hosts_hang_up_on_stopped_processes(void **state)
{
    (void)state;
    hang_up_on_stopped(PVF_SECURITY_AS_GIVEN, true);
    hang_up_on_stopped(PVF_SECURITY_AS_GIVEN, false);
    hang_up_on_stopped(PVF_SECURITY_DETECT, true);
    hang_up_on_stopped(PVF_SECURITY_DETECT, false);
}

/* The first bytes of an answer that does not fit into the socket; the worker is in its midst. */
static void read_beginning(struct scene *scene)
{
    uint8_t bytes[PVF__FRAME_HEADER + 16];
    uint64_t deadline = pvf__clock_monotonic_ns() + UINT64_C(60000000000);
    send_job(scene, BENCH_BIG_HEAD);
    assert_int_equal(
        pvf__fd_read_by(scene->kept.worker.spawned.socket, bytes, sizeof(bytes), deadline, NULL),
        0);
    assert_true((bytes[0] | bytes[1] << 8 | bytes[2] << 16) > (int)BIG_HEAD);
}

/* What still comes; less than the answer. */
static void read_to_the_end(struct scene *scene)
{
    size_t sum = 0;
    ssize_t got;
    static uint8_t part[65536];
    while ((got = read(scene->kept.worker.spawned.socket, part, sizeof(part))) > 0) {
        sum += (size_t)got;
    }
    assert_true(sum < BIG_HEAD);
}

static void killed_in_an_answer(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene, PVF_SECURITY_DETECT);
    read_beginning(&scene);
    assert_int_equal(kill(worker_of(&scene), SIGKILL), 0);
    /* First: whoever reads meanwhile makes room for the rest, as long as the signal is on its way.
     */
    int status = exit_of(&scene);
    assert_true(WIFSIGNALED(status));
    read_to_the_end(&scene);
    close_scene(&scene);
}

static void hosts_hang_up_in_an_answer(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene, PVF_SECURITY_DETECT);
    read_beginning(&scene);
    hang_up(&scene);
    int status = exit_of(&scene);
    /* Not by SIGPIPE. */
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    close_scene(&scene);
}

static void stopped_in_an_answer(void **state)
{
    (void)state;
    struct scene scene;
    size_t left = BIG_HEAD;
    static uint8_t part[65536];
    open_scene(&scene, PVF_SECURITY_DETECT);
    read_beginning(&scene);
    assert_int_equal(kill(worker_of(&scene), SIGSTOP), 0);
    /* As much as the socket held, then nothing, then the rest. */
    struct pollfd item = {.fd = scene.kept.worker.spawned.socket, .events = POLLIN};
    while (poll(&item, 1, SILENCE_MS) > 0) {
        ssize_t got = read(item.fd, part, sizeof(part));
        assert_true(got > 0 && (size_t)got < left);
        left -= (size_t)got;
    }
    assert_int_equal(kill(worker_of(&scene), SIGCONT), 0);
    while (left > 0) {
        ssize_t got = read(item.fd, part, left < sizeof(part) ? left : sizeof(part));
        assert_true(got > 0);
        left -= (size_t)got;
    }
    /* The few bytes that come after the head. */
    assert_int_equal(poll(&item, 1, 60000), 1);
    assert_true(read(item.fd, part, sizeof(part)) > 0);
    assert_true(is_silent(&scene));
    send_job(&scene, 0);
    assert_answer_is_good(&scene);
    close_scene(&scene);
}

/* A host's whole process is killed: no worker and no job goes on without it. */
static void hosts_are_killed(void **state)
{
    (void)state;
    struct scene scene;
    open_scene(&scene, PVF_SECURITY_DETECT);
    struct bench_counts before;
    bench_count(&before);
    pid_t host = fork();
    assert_true(host >= 0);
    if (host == 0) {
        struct bench_block block = bench_block_of(BENCH_ENDLESS);
        const pvf_host_config config = {
            .execute_worker_path = execute_worker,
            .cache_dir = bench.cache,
            .quiet = true,
            .security_mode = PVF_SECURITY_DETECT,
        };
        pvf_execute_request request = {
            .artifact_path = scene.prepared.artifact_path,
            .timeout_ms = PATIENT_MS,
            .pov = {block.bytes, sizeof(block.bytes)},
        };
        pvf_outcome outcome;
        pvf_host *other = NULL;
        memcpy(request.checksum, scene.prepared.checksum, sizeof(request.checksum));
        _exit(pvf_host_new(&config, &other, NULL) != 0 ||
              pvf_host_execute(other, &request, &outcome, NULL) != 0);
    }
    pid_t worker = 0;
    pid_t job = 0;
    while (job == 0) {
        worker = bench_worker(host, "execute");
        job = worker != 0 ? bench_job(worker) : 0;
        assert_int_equal(waitpid(host, NULL, WNOHANG), 0);
        (void)usleep(2000);
    }
    assert_int_equal(kill(host, SIGKILL), 0);
    assert_int_equal(waitpid(host, NULL, 0), host);
    assert_ends(worker);
    assert_ends(job);
    /* Orphans are ours. */
    (void)waitpid(worker, NULL, 0);
    (void)waitpid(job, NULL, 0);
    struct bench_counts after;
    bench_count(&after);
    assert_int_equal(after.children, before.children);
    kept_end(&scene.kept);
    pvf_prepare_outcome_done(&scene.prepared);
    pvf_host_free(scene.host);
    /* All but the folder of the killed host, for which nobody is left. */
    assert_int_equal(bench_count_entries(bench.cache, false), 1);
    assert_int_equal(pvf__folder_empty(bench.cache, NULL), 0);
    bench_assert_as_before(&scene.before);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_processes_go_on),
        cmocka_unit_test(hosts_hang_up_on_stopped_processes),
        cmocka_unit_test(killed_in_an_answer),
        cmocka_unit_test(hosts_hang_up_in_an_answer),
        cmocka_unit_test(stopped_in_an_answer),
        cmocka_unit_test(hosts_are_killed),
    };
    if (argc < 3) {
        (void)printf("skipped: no workers\n");
        return 77;
    }
    prepare_worker = argv[1];
    execute_worker = argv[2];
    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
