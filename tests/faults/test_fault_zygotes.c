/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever happens to a zygote, to its guard or to the job that waits in it, up to where that job
 * is given its candidate: the candidate's verdict is that of a job made the plain way, nothing
 * waits without end, and no process is left behind.
 */
#include "support/test.h"

#include "base/clock.h"
#include "base/fd.h"
#include "faults/bench.h"
#include "faults/kept.h"
#include "proto/execute_msg.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENT_MS 60000u
/* Two uses until there is a zygote, three failures until there is none any more, and two more. */
#define REQUESTS 7

static const char *prepare_worker;
static const char *execute_worker;
static const char *hurt_worker;

struct scene {
    pvf_host *host;
    pvf_prepare_outcome prepared;
    struct kept kept;
    pid_t worker;
    struct bench_counts before;
};

/* `deed`: what happens in it (hurt.c); NULL: the real worker. */
static void open_scene(struct scene *scene, const char *deed)
{
    struct pvf__buf code;
    char program[PATH_MAX];
    bench_count(&scene->before);
    bench_code(&code);
    scene->host = bench_host(prepare_worker, execute_worker, PVF_SECURITY_DETECT);
    scene->prepared = bench_prepare(scene->host, &code, PATIENT_MS);
    assert_true(scene->prepared.ok);
    pvf__buf_done(&code);
    if (deed != NULL) {
        (void)snprintf(program, sizeof(program), "%s/%s", bench.top, deed);
        assert_int_equal(symlink(hurt_worker, program), 0);
    } else {
        (void)snprintf(program, sizeof(program), "%s", execute_worker);
    }
    kept_start_execute(&scene->kept, program, scene->host, &scene->prepared);
    scene->worker = scene->kept.worker.spawned.process.pid;
}

static void close_scene(struct scene *scene)
{
    kept_end(&scene->kept);
    pvf_prepare_outcome_done(&scene->prepared);
    pvf_host_free(scene->host);
    bench_assert_as_before(&scene->before);
}

static void receive(struct scene *scene, const char *deed, enum pvf__job_response_kind want)
{
    struct pvf__execute_answer answer;
    const struct pvf__buf *body = &scene->kept.answer;
    kept_receive(&scene->kept);
    assert_int_equal(pvf__execute_answer_decode(body->data, body->len, &answer, NULL), 0);
    if (!answer.ok || answer.response.kind != want) {
        fail_msg("%s: answer %d, kind %d",
                 deed,
                 answer.ok,
                 answer.ok ? (int)answer.response.kind : (int)answer.error.kind);
    }
}

static void ask(struct scene *scene, const char *deed)
{
    kept_send_execute(&scene->kept, &scene->prepared, 1, PATIENT_MS);
    receive(scene, deed, PVF__JOB_RESPONSE_OK);
}

/* Once this is answered, all that comes after the answer before is done. */
static void settle(struct scene *scene, const char *deed)
{
    pvf_prepare_outcome other = scene->prepared;
    other.checksum[0] ^= 1;
    kept_send_execute(&scene->kept, &other, 0, PATIENT_MS);
    receive(scene, deed, PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT);
}

static void deeds(void **state)
{
    static const char *const names[] = {
        "guard-stops-alone",
        "guard-stops-unnamed",
        "midwife-hangs",
        "zygote-makes-nothing",
        "job-ends-unheard",
        "job-ends-unfenced",
        "job-hangs-unfenced",
        "job-killed-heard",
        "job-stopped-heard",
        "job-of-before-heard",
        "job-killed-waiting",
        "job-stopped-waiting",
        "job-killed-last",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct scene scene;
        open_scene(&scene, names[i]);
        for (unsigned request = 0; request < REQUESTS; request++) {
            ask(&scene, names[i]);
        }
        settle(&scene, names[i]);
        if (bench_count_children(scene.worker) != 0) {
            fail_msg("%s: %zu processes are left", names[i], bench_count_children(scene.worker));
        }
        close_scene(&scene);
    }
}

/* A process in the namespace of another that only this test can reap, and who does so when told. */
struct lodger {
    pid_t landlord;
    int tell;
};

__attribute__((noreturn)) static void be_landlord(int namespace, int ready, int told)
{
    char byte = 0;
    if (setns(namespace, CLONE_NEWPID) != 0) {
        _exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        for (;;) {
            (void)pause();
        }
    }
    if (pid < 0 || write(ready, &byte, 1) != 1 || read(told, &byte, 1) != 0) {
        _exit(1);
    }
    _exit(waitpid(pid, NULL, 0) == pid ? 0 : 1);
}

/* False when this user may not. */
static bool lodge(struct lodger *lodger, pid_t at)
{
    char path[64];
    char byte;
    int ready[2];
    int told[2];
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", at);
    PVF__CLEANUP_FD int namespace = open(path, O_RDONLY | O_CLOEXEC);
    if (namespace < 0) {
        return false;
    }
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    lodger->landlord = fork();
    assert_true(lodger->landlord >= 0);
    if (lodger->landlord == 0) {
        (void)close(ready[0]);
        (void)close(told[1]);
        be_landlord(namespace, ready[1], told[0]);
    }
    (void)close(ready[1]);
    (void)close(told[0]);
    bool is_there = read(ready[0], &byte, 1) == 1;
    (void)close(ready[0]);
    lodger->tell = told[1];
    if (!is_there) {
        (void)close(lodger->tell);
        (void)waitpid(lodger->landlord, NULL, 0);
    }
    return is_there;
}

static void move_out(struct lodger *lodger)
{
    int status = -1;
    (void)close(lodger->tell);
    assert_int_equal(waitpid(lodger->landlord, &status, 0), lodger->landlord);
    assert_int_equal(status, 0);
}

static void await_end(pid_t pid)
{
    uint64_t deadline = pvf__clock_monotonic_ns() + UINT64_C(60000000000);
    while (!bench_is_gone(pid)) {
        assert_true(pvf__clock_monotonic_ns() < deadline);
        (void)usleep(2000);
    }
}

static void await_family(const struct scene *scene)
{
    uint64_t deadline = pvf__clock_monotonic_ns() + UINT64_C(60000000000);
    while (bench_child_called(scene->worker, "pvf-execute-job") == 0 ||
           bench_count_children(scene->worker) != 3) {
        assert_true(pvf__clock_monotonic_ns() < deadline);
        (void)usleep(2000);
    }
}

/* The first process of a namespace cannot end before all others in it are reaped. */
static void a_guard_that_cannot_end(void **state)
{
    struct scene scene;
    struct lodger lodger;
    (void)state;
    open_scene(&scene, NULL);
    ask(&scene, "at first");
    ask(&scene, "at first");
    await_family(&scene);
    pid_t guard = bench_child_called(scene.worker, "pvf-guard");
    if (!lodge(&lodger, guard)) {
        (void)printf("skipped: this user may not enter the namespaces of a worker's jobs\n");
        close_scene(&scene);
        return;
    }
    pid_t zygote = bench_child_called(scene.worker, "pvf-zygote");
    assert_int_equal(kill(guard, SIGKILL), 0);
    await_end(zygote);
    for (unsigned request = 0; request < 3; request++) {
        ask(&scene, "a guard that cannot end");
    }
    settle(&scene, "a guard that cannot end");
    assert_false(bench_is_gone(guard));
    assert_int_equal(bench_child_called(scene.worker, "pvf-zygote"), 0);
    move_out(&lodger);
    /* Now it can; the next request finds it dead, and another is made. */
    await_end(guard);
    ask(&scene, "afterwards");
    await_family(&scene);
    assert_int_not_equal(bench_child_called(scene.worker, "pvf-guard"), guard);
    ask(&scene, "afterwards");
    close_scene(&scene);
}

static bool has_fence(void)
{
    pvf_security_status status;
    pvf_host *host = bench_host(prepare_worker, execute_worker, PVF_SECURITY_DETECT);
    pvf_host_security(host, &status);
    pvf_host_free(host);
    return status.can_enable_seccomp && status.can_unshare_user_namespace_and_change_root &&
           status.can_do_secure_clone;
}

static int set_up(void **state)
{
    int status = bench_set_up(state);
    if (status == 0 && !has_fence()) {
        const char *must_work = getenv("PVF_SANDBOX_MUST_WORK");
        (void)printf("skipped: this machine has no whole fence\n");
        exit(must_work != NULL && strcmp(must_work, "1") == 0 ? 1 : 77);
    }
    return status;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deeds),
        cmocka_unit_test(a_guard_that_cannot_end),
    };
    if (argc < 4) {
        (void)printf("skipped: no workers\n");
        return 77;
    }
    prepare_worker = argv[1];
    execute_worker = argv[2];
    hurt_worker = argv[3];
    return cmocka_run_group_tests(tests, set_up, bench_tear_down);
}
