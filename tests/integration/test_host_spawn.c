/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a worker fails to start, told apart by number; and programs that change. */
#include "support/test.h"

#include "base/buf.h"
#include "base/fd.h"
#include "host/folder.h"
#include "host/oneshot.h"
#include "host/program.h"
#include "pvf/pvf.h"
#include "support/host_bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM_MAX ((size_t)256 << 20)

/* One start of an execute worker that must fail, and of a prepare worker that fails alike. */
static void
expect_failure(pvf_host *host, enum pvf_spawn_failure failure, int sys_errno, const char *said)
{
    pvf_outcome outcome = bench_execute(host, 1000);
    assert_int_equal(outcome.spawn_failure, failure);
    assert_int_equal(outcome.sys_errno, sys_errno);
    assert_true(outcome.retry);
    bench_assert_outcome(outcome, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, said);

    const pvf_prepare_request request = {.kind = PVF_PREPARE_COMPILATION};
    pvf_prepare_outcome prepared;
    pvf_error err = PVF_ERROR_INIT;
    assert_true(pvf_host_prepare(host, &request, &prepared, &err) < 0);
    assert_int_equal(err.detail, failure);
    assert_int_equal(err.sys_errno, sys_errno);
    if (strstr(err.text, said) == NULL) {
        fail_msg("%s", err.text);
    }
    assert_string_not_equal(pvf_spawn_failure_name((int32_t)failure), "unknown");
}

static void
fails_with(const char *mode, enum pvf_spawn_failure failure, int sys_errno, const char *said)
{
    char program[PATH_MAX];
    bench_make_fake(mode, NULL, program);
    pvf_host *host = bench_host(program, program);
    expect_failure(host, failure, sys_errno, said);
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void workers_that_do_not_connect(void **state)
{
    (void)state;
    fails_with(
        "silent", PVF_SPAWN_ACCEPT_TIMEOUT, 0, "did not connect within 1500 ms; see its log");
    fails_with("deaf", PVF_SPAWN_HANDSHAKE, EPIPE, "handshake with ");
}

/* With ten minutes for connecting, so that a death which is not seen at once is a test that hangs.
 */
static void early_deaths_are_seen_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *mode;
        const char *said;
    } cases[] = {
        {"exit", "ended before it connected: exit status 3; its log says why"},
        {"abort", "ended before it connected: signal ABRT"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char program[PATH_MAX];
        bench_make_fake(cases[i].mode, NULL, program);
        const pvf_host_config config = {
            .prepare_worker_path = program,
            .execute_worker_path = program,
            .cache_dir = bench_cache,
            .spawn_timeout_ms = 600000,
            .quiet = true,
            .security_mode = PVF_SECURITY_AS_GIVEN,
        };
        pvf_host *host = NULL;
        assert_int_equal(pvf_host_new(&config, &host, NULL), 0);
        expect_failure(host, PVF_SPAWN_DIED, 0, cases[i].said);
        pvf_host_free(host);
        bench_assert_nothing_left();
    }
}

static void no_place_for_folder_or_socket(void **state)
{
    (void)state;
    char program[PATH_MAX];
    char folder[PATH_MAX];
    char long_folder[PATH_MAX];
    bench_make_fake("answer", bench_ok_answer, program);
    pvf_host *host = bench_host(program, program);

    bench_path("nowhere", folder);
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    expect_failure(host, PVF_SPAWN_BIND, ENOENT, "cannot bind a socket to ");
    (void)snprintf(long_folder, sizeof(long_folder), "%s/%0*d", folder, 100, 0);
    assert_int_equal(setenv("TMPDIR", long_folder, 1), 0);
    expect_failure(host, PVF_SPAWN_TMP_PATH, 0, "at most 107 bytes; the cache folder");
    assert_int_equal(unsetenv("TMPDIR"), 0);

    /* Somebody cleans up below a living host. */
    assert_int_equal(pvf__folder_empty(bench_cache, NULL), 0);
    expect_failure(host, PVF_SPAWN_TMP_PATH, ENOENT, "cannot make the folder ");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* The sockets that a user of this test owns in a folder. */
static size_t count_sockets(const char *folder)
{
    size_t count = 0;
    DIR *list = opendir(folder);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        count += strncmp(entry->d_name, "pvf-host-", 9) == 0;
    }
    (void)closedir(list);
    return count;
}

/* The path is gone whatever happened: after success, an early death, a worker that never came. */
static void sockets_are_removed(void **state)
{
    (void)state;
    static const char *const modes[] = {"answer", "exit", "silent", "deaf"};
    char folder[PATH_MAX];
    bench_path("sockets", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char program[PATH_MAX];
        bench_make_fake(modes[i], bench_ok_answer, program);
        pvf_host *host = bench_host(NULL, program);
        pvf_outcome outcome = bench_execute(host, 1000);
        assert_int_equal(outcome.verdict == PVF_VERDICT_VALID, i == 0);
        pvf_outcome_done(&outcome);
        assert_int_equal(count_sockets(folder), 0);
        pvf_host_free(host);
    }
    assert_int_equal(unsetenv("TMPDIR"), 0);
    bench_assert_nothing_left();
}

/* From here on accept4 fails as it does without a free descriptor.  For a child: no way back. */
static bool break_accept(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_accept4, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = 4, .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* 0 when the failure is the one that is wanted; assertions have no place in a child. */
static int accept_in_child(pvf_host *host)
{
    const pvf_execute_request request = {.artifact_path = bench_artifact};
    pvf_outcome outcome;
    if (!break_accept() || pvf_host_execute(host, &request, &outcome, NULL) != 0) {
        return 2;
    }
    bool good = outcome.verdict == PVF_VERDICT_INTERNAL && outcome.reason == PVF_REASON_SPAWN &&
                outcome.spawn_failure == PVF_SPAWN_ACCEPT && outcome.sys_errno == EMFILE &&
                strstr(outcome.text, "open files") != NULL;
    pvf_outcome_done(&outcome);
    return good ? 0 : 1;
}

static void connections_that_cannot_be_taken(void **state)
{
    (void)state;
    char program[PATH_MAX];
    bench_make_fake("answer", bench_ok_answer, program);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const pvf_host_config config = {.execute_worker_path = program,
                                        .cache_dir = bench_cache,
                                        .quiet = true,
                                        .security_mode = PVF_SECURITY_AS_GIVEN};
        pvf_host *host = NULL;
        int code = pvf_host_new(&config, &host, NULL) == 0 ? accept_in_child(host) : 3;
        pvf_host_free(host);
        _exit(code);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    bench_assert_nothing_left();
}

/* A program of its own, which may be changed; the mode is the end of its name. */
static void copy_fake(const char *mode, char out[PATH_MAX])
{
    char name[64];
    PVF__CLEANUP_BUF struct pvf__buf program = PVF__BUF_INIT(PROGRAM_MAX);
    (void)snprintf(name, sizeof(name), "copy.%s", mode);
    bench_path(name, out);
    (void)unlink(out);
    assert_int_equal(pvf__fd_read_file(bench_fake, &program, NULL), 0);
    assert_int_equal(pvf__fd_write_file(out, 0700, program.data, program.len, NULL), 0);
    bench_set_answer(out, "answer", bench_ok_answer);
}

static void programs_that_cannot_be_started(void **state)
{
    (void)state;
    char program[PATH_MAX];
    copy_fake("answer", program);
    pvf_host *host = bench_host(program, program);
    assert_int_equal(chmod(program, 0600), 0);
    expect_failure(host, PVF_SPAWN_PROCESS, EACCES, "cannot start ");
    assert_int_equal(chmod(program, 0700), 0);
    bench_assert_outcome(bench_execute(host, 5000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* A worker that is idle when its program is replaced ends at the first new start at the latest. */
static void replaced_programs_are_not_run(void **state)
{
    (void)state;
    char program[PATH_MAX];
    char other[PATH_MAX];
    copy_fake("once", program);
    pvf_host *host = bench_host(program, program);
    bench_assert_outcome(bench_execute(host, 5000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    copy_fake("other", other);
    assert_int_equal(rename(other, program), 0);
    expect_failure(host,
                   PVF_SPAWN_PROGRAM_CHANGED,
                   0,
                   "was replaced by another file; restart the host, with workers of one build");
    pvf_check checks[PVF_CHECKS];
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf_host_check(host, checks, &err), PVF_ERR_INTERNAL);
    assert_int_equal(err.detail, PVF_SPAWN_PROGRAM_CHANGED);
    pvf_host_free(host);

    /* The same file again, but touched. */
    copy_fake("answer", program);
    host = bench_host(program, program);
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, program, times, 0), 0);
    expect_failure(host, PVF_SPAWN_PROGRAM_CHANGED, 0, "was changed in place while in use");
    pvf_host_free(host);

    host = bench_host(program, program);
    assert_int_equal(truncate(program, 64), 0);
    assert_int_equal(utimensat(AT_FDCWD, program, times, 0), 0);
    expect_failure(host, PVF_SPAWN_PROGRAM_CHANGED, 0, "was changed in place while in use");
    pvf_host_free(host);

    copy_fake("answer", program);
    host = bench_host(program, program);
    assert_int_equal(unlink(program), 0);
    expect_failure(host, PVF_SPAWN_PROGRAM_CHANGED, ENOENT, "was removed");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

/* Between the look at the path and the start there is no gap: what runs is what was opened. */
static void what_was_opened_is_run(void **state)
{
    (void)state;
    static const char script[] = "#!/bin/sh\necho another\n";
    char program[PATH_MAX];
    char line[32];
    struct pvf__program opened = PVF__PROGRAM_NONE;
    struct pvf__oneshot done;
    copy_fake("answer", program);
    assert_int_equal(pvf__program_open(program, &opened, NULL), 0);
    assert_int_equal(pvf__program_check(&opened, NULL), 0);
    assert_int_equal(unlink(program), 0);
    assert_int_equal(pvf__fd_write_file(program, 0700, script, strlen(script), NULL), 0);
    assert_int_equal(pvf__program_check(&opened, NULL), PVF_ERR_INTERNAL);

    const char *const argv[] = {program, "--version", NULL};
    for (int i = 0; i < 2; i++) {
        int fd = i == 0 ? pvf__program_descriptor(&opened) : -1;
        assert_int_equal(
            pvf__oneshot_run(fd, argv, (struct pvf__slice){NULL, 0}, 64, UINT64_MAX, &done, NULL),
            0);
        pvf__oneshot_line(&done.out, line, sizeof(line));
        assert_string_equal(line, i == 0 ? "1.2.3" : "another");
        pvf__oneshot_done(&done);
    }
    pvf__program_close(&opened);
}

/* A wrapper of a developer; its interpreter would find a descriptor closed. */
static void scripts_are_started_by_path(void **state)
{
    (void)state;
    char program[PATH_MAX];
    char script[PATH_MAX];
    static char text[2 * PATH_MAX];
    bench_make_fake("answer", bench_ok_answer, program);
    bench_path("wrapper", script);
    (void)snprintf(text, sizeof(text), "#!/bin/sh\nexec env -i RUST_LOG= '%s' \"$@\"\n", program);
    assert_int_equal(pvf__fd_write_file(script, 0700, text, strlen(text), NULL), 0);
    pvf_host *host = bench_host(NULL, script);
    bench_assert_outcome(bench_execute(host, 5000), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    pvf_host_free(host);
    bench_assert_nothing_left();
}

static void names_of_failures(void **state)
{
    (void)state;
    assert_string_equal(pvf_spawn_failure_name(PVF_SPAWN_NONE), "none");
    assert_string_equal(pvf_spawn_failure_name(PVF_SPAWN_PROGRAM_CHANGED), "program changed");
    assert_string_equal(pvf_spawn_failure_name(PVF_SPAWN_PROGRAM_CHANGED + 1), "unknown");
    assert_string_equal(pvf_spawn_failure_name(-1), "unknown");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_that_do_not_connect),
        cmocka_unit_test(early_deaths_are_seen_at_once),
        cmocka_unit_test(no_place_for_folder_or_socket),
        cmocka_unit_test(sockets_are_removed),
        cmocka_unit_test(connections_that_cannot_be_taken),
        cmocka_unit_test(programs_that_cannot_be_started),
        cmocka_unit_test(replaced_programs_are_not_run),
        cmocka_unit_test(what_was_opened_is_run),
        cmocka_unit_test(scripts_are_started_by_path),
        cmocka_unit_test(names_of_failures),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    bench_fake = argv[1];
    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
