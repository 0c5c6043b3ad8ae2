/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine that has run out of something, or files that are not what they were: real workers, the
 * right outcome, one clear line, and a host that goes on when the machine is well again.  Each case
 * is a process of its own, since it takes namespaces, limits or another user.
 */
#include "support/test.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "faults/bench.h"
#include "host/folder.h"
#include "support/give_up.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 60000u
#define SKIPPED 77
#define NOBODY 65534u
/* Seconds: only what hangs meets it. */
#define ALARM 120u

static const char *prepare_worker;
static const char *execute_worker;
static struct pvf__buf code;

/* What one case works with, in its own process. */
static pvf_host *host;
static pvf_prepare_outcome prepared;

static void must(bool done, const char *what)
{
    if (!done) {
        give_up(1, "%s: %s", what, strerror(errno));
    }
}

/* One line of text for a person. */
static void must_be_clear(const char *text)
{
    if (text[0] == '\0' || strchr(text, '\n') != NULL) {
        give_up(1, "no clear line: \"%s\"", text);
    }
}

/* Most of what is broken here the upgraded wire does without: folders, links, sockets. */
static bool plain = true;

static int try_host(pvf_error *err)
{
    const pvf_host_config config = {
        .prepare_worker_path = prepare_worker,
        .execute_worker_path = execute_worker,
        .cache_dir = bench.cache,
        .spawn_timeout_ms = 20000,
        .quiet = true,
        .plain_protocol = plain,
        .security_mode = PVF_SECURITY_DETECT,
    };
    int status = pvf_host_new(&config, &host, err);
    if (status != 0) {
        must_be_clear(err->text);
    }
    return status;
}

/* What came of a preparation: the name of its error, "" when it is well, or NULL, see `err`. */
static const char *prepare(pvf_prepare_outcome *ret, pvf_error *err)
{
    const pvf_prepare_request request = {.code = {code.data, code.len}, .timeout_ms = LIMIT_MS};
    if (pvf_host_prepare(host, &request, ret, err) != 0) {
        must_be_clear(err->text);
        return NULL;
    }
    if (!ret->ok) {
        must_be_clear(ret->text);
    }
    return ret->name;
}

/* It fails, the machine is to blame, and the text says so. */
static void expect_prepare_error(const char *name, const char *said)
{
    pvf_prepare_outcome outcome = {.ok = false};
    pvf_error err = PVF_ERROR_INIT;
    const char *got = prepare(&outcome, &err);
    const char *text = got != NULL ? outcome.text : err.text;
    if ((name == NULL) != (got == NULL) || (got != NULL && strcmp(got, name) != 0) ||
        outcome.deterministic || strstr(text, said) == NULL) {
        give_up(1, "preparation: %s: %s", got != NULL ? got : "no outcome", text);
    }
    pvf_prepare_outcome_done(&outcome);
}

static pvf_outcome execute(const char *path)
{
    struct bench_block block = bench_block_of(0);
    pvf_execute_request request = {
        .artifact_path = path,
        .timeout_ms = LIMIT_MS,
        .pov = {block.bytes, sizeof(block.bytes)},
    };
    memcpy(request.checksum, prepared.checksum, sizeof(request.checksum));
    pvf_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_execute(host, &request, &outcome, &err) != 0) {
        give_up(1, "execution: %s", err.text);
    }
    if (outcome.verdict != PVF_VERDICT_VALID) {
        must_be_clear(outcome.text);
    }
    return outcome;
}

static void expect(pvf_outcome outcome, int32_t verdict, int32_t reason, const char *said)
{
    if (outcome.verdict != verdict || outcome.reason != reason ||
        strstr(outcome.text, said) == NULL) {
        give_up(1,
                "%s (%s): %s",
                pvf_verdict_name(outcome.verdict),
                pvf_reason_name(outcome.reason),
                outcome.text);
    }
    pvf_outcome_done(&outcome);
}

static void expect_works(void)
{
    pvf_prepare_outcome again;
    pvf_error err = PVF_ERROR_INIT;
    const char *name = prepare(&again, &err);
    if (name == NULL || name[0] != '\0') {
        give_up(1, "preparation: %s", name == NULL ? err.text : again.text);
    }
    pvf_prepare_outcome_done(&again);
    expect(execute(prepared.artifact_path), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
}

static void end_worker(const char *kind)
{
    if (!bench_signal_worker(kind, SIGKILL)) {
        give_up(1, "there is no %s worker", kind);
    }
}

static void start_host(void)
{
    pvf_error err = PVF_ERROR_INIT;
    if (try_host(&err) != 0) {
        give_up(1, "%s", err.text);
    }
    const char *name = prepare(&prepared, &err);
    if (name == NULL || name[0] != '\0') {
        give_up(1, "preparation: %s", name == NULL ? err.text : prepared.text);
    }
}

static void end_host(void)
{
    pvf_prepare_outcome_done(&prepared);
    pvf_host_free(host);
    if (bench_count_entries(bench.cache, true) + bench_count_entries(bench.tmp, true) != 0) {
        give_up(1, "files were left behind");
    }
    if (waitpid(-1, NULL, WNOHANG) != -1) {
        give_up(1, "processes were left behind");
    }
}

static void write_text(const char *path, const char *text)
{
    must(pvf__fd_write_file(path, 0600, text, strlen(text), NULL) == 0, path);
}

/* Root over mounts of its own; the case is skipped where that is not allowed. */
static void enter_namespaces(void)
{
    char map[64];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        const char *must_work = getenv("PVF_SANDBOX_MUST_WORK");
        must(must_work == NULL || strcmp(must_work, "1") != 0, "user namespaces");
        (void)printf("skipped: no user namespaces: %s\n", strerror(errno));
        (void)fflush(stdout);
        _exit(SKIPPED);
    }
    (void)snprintf(map, sizeof(map), "0 %u 1", uid);
    write_text("/proc/self/uid_map", map);
    write_text("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof(map), "0 %u 1", gid);
    write_text("/proc/self/gid_map", map);
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
}

static void mount_small(const char *where, const char *options)
{
    must(mount("none", where, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0, "tmpfs");
}

/* Files of one byte each, until there is no room for one more. */
static void fill_names(const char *folder)
{
    char path[PATH_MAX];
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(path, sizeof(path), "%s/fill-%u", folder, i);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
            must(errno == ENOSPC, path);
            return;
        }
        (void)close(fd);
    }
    give_up(1, "%s cannot be filled", folder);
}

static void unfill_names(const char *folder)
{
    char path[PATH_MAX];
    for (unsigned i = 0; i < 100000; i++) {
        (void)snprintf(path, sizeof(path), "%s/fill-%u", folder, i);
        if (unlink(path) != 0) {
            return;
        }
    }
}

static void fill_bytes(const char *path)
{
    static const char block[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    must(fd >= 0, path);
    while (write(fd, block, sizeof(block)) > 0) {
    }
    must(errno == ENOSPC, path);
    (void)close(fd);
}

static void full_disk(void)
{
    char path[PATH_MAX];
    enter_namespaces();
    mount_small(bench.cache, "size=2m");
    start_host();
    expect_works();
    (void)snprintf(path, sizeof(path), "%s/fill", bench.cache);
    fill_bytes(path);
    for (int i = 0; i < 3; i++) {
        expect_prepare_error("IoErr", "No space left on device");
        /* A link takes no room. */
        expect(execute(prepared.artifact_path), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    }
    must(unlink(path) == 0, path);
    expect_works();
    end_host();
}

static void disk_without_room_for_names(void)
{
    pvf_error err = PVF_ERROR_INIT;
    enter_namespaces();
    mount_small(bench.cache, "size=2m,nr_inodes=60");
    start_host();
    expect_works();
    fill_names(bench.cache);
    expect_prepare_error("CreateTmpFile", "No space left on device");
    expect(execute(prepared.artifact_path),
           PVF_VERDICT_INTERNAL,
           PVF_REASON_CREATE_LINK,
           "No space left on device");
    /* Its worker was ended, and took its folder along: now there is no room for another. */
    fill_names(bench.cache);
    pvf_outcome outcome = execute(prepared.artifact_path);
    if (outcome.spawn_failure != PVF_SPAWN_TMP_PATH || outcome.sys_errno != ENOSPC) {
        give_up(1, "%s", outcome.text);
    }
    expect(outcome, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, "No space left on device");
    unfill_names(bench.cache);
    expect_works();
    end_host();
    fill_names(bench.cache);
    must(try_host(&err) == PVF_ERR_IO && err.sys_errno == ENOSPC, "a host without room");
    unfill_names(bench.cache);
}

static void temporary_folder_is_full(void)
{
    pvf_error err = PVF_ERROR_INIT;
    pvf_prepare_outcome outcome;
    enter_namespaces();
    mount_small(bench.tmp, "size=1m,nr_inodes=20");
    must(try_host(&err) == 0, err.text);
    fill_names(bench.tmp);
    must(prepare(&outcome, &err) == NULL && err.detail == PVF_SPAWN_BIND &&
             err.sys_errno == ENOSPC && strstr(err.text, bench.tmp) != NULL,
         err.text);
    expect(execute(bench.artifact), PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, "No space left");
    unfill_names(bench.tmp);
    pvf_host_free(host);
    start_host();
    expect_works();
    end_host();
}

static void temporary_folders_that_do_not_work(void)
{
    char path[PATH_MAX];
    char at_limit[200];
    pvf_error err = PVF_ERROR_INIT;
    start_host();
    struct {
        const char *path;
        const char *said;
        int32_t failure;
    } const cases[] = {
        {"/nonexistent/folder", "No such file or directory", PVF_SPAWN_BIND},
        {bench.artifact, "Not a directory", PVF_SPAWN_BIND},
        {at_limit, "is too long", PVF_SPAWN_TMP_PATH},
    };
    memset(at_limit, 'x', sizeof(at_limit) - 1);
    at_limit[0] = '/';
    at_limit[sizeof(at_limit) - 1] = '\0';
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        /* What runs already needs no socket; a host that is new needs one. */
        expect_works();
        pvf_prepare_outcome_done(&prepared);
        pvf_host_free(host);
        must(try_host(&err) == 0, err.text);
        must(setenv("TMPDIR", cases[i].path, 1) == 0, "TMPDIR");
        pvf_outcome outcome = execute(bench.artifact);
        if (outcome.spawn_failure != cases[i].failure) {
            give_up(1, "%s: %s", cases[i].path, outcome.text);
        }
        expect(outcome, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, cases[i].said);
        expect_prepare_error(NULL, cases[i].said);
        must(setenv("TMPDIR", bench.tmp, 1) == 0, "TMPDIR");
        pvf_host_free(host);
        start_host();
    }
    expect_works();
    /* As long as a socket's address allows, and one byte more. */
    for (size_t over = 0; over < 2; over++) {
        size_t rest = strlen("/pvf-host-execute-0123456789");
        size_t len = sizeof(((struct sockaddr_un *)0)->sun_path) - 1 - rest + over;
        int used = snprintf(path, sizeof(path), "%s/", bench.tmp);
        memset(path + used, 'x', len - (size_t)used);
        path[len] = '\0';
        must(mkdir(path, 0700) == 0, path);
        must(setenv("TMPDIR", path, 1) == 0, "TMPDIR");
        end_worker("execute");
        if (over == 0) {
            expect(execute(prepared.artifact_path), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        } else {
            expect(execute(prepared.artifact_path),
                   PVF_VERDICT_INTERNAL,
                   PVF_REASON_SPAWN,
                   "is too long");
        }
        must(rmdir(path) == 0, path);
    }
    must(setenv("TMPDIR", bench.tmp, 1) == 0, "TMPDIR");
    end_host();
}

/* Whatever getrandom gives, when it is set: then every name is the same. */
static bool has_no_randomness;
ssize_t real_getrandom(void *out, size_t size, unsigned flags) __asm__("__real_getrandom");
ssize_t wrap_getrandom(void *out, size_t size, unsigned flags) __asm__("__wrap_getrandom");
ssize_t wrap_getrandom(void *out, size_t size, unsigned flags)
{
    if (has_no_randomness) {
        memset(out, 0, size);
        return (ssize_t)size;
    }
    return real_getrandom(out, size, flags);
}

static void socket_path_is_taken(void)
{
    char path[PATH_MAX];
    start_host();
    expect_works();
    (void)snprintf(path, sizeof(path), "%s/pvf-host-execute-aaaaaaaaaa", bench.tmp);
    write_text(path, "");
    has_no_randomness = true;
    end_worker("execute");
    pvf_outcome outcome = execute(prepared.artifact_path);
    if (outcome.spawn_failure != PVF_SPAWN_TMP_PATH) {
        give_up(1, "%s", outcome.text);
    }
    expect(outcome, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, "no free name for a socket like");
    must(access(path, F_OK) == 0, "somebody's file");
    must(unlink(path) == 0, path);
    /* The name is free again, and one is enough. */
    expect(execute(prepared.artifact_path), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
    has_no_randomness = false;
    expect_works();
    end_host();
}

/* A user without privileges; the case is skipped when that user may not run the workers. */
static void become_nobody(void)
{
    if (geteuid() == 0) {
        must(chown(bench.cache, NOBODY, NOBODY) == 0 && chown(bench.tmp, NOBODY, NOBODY) == 0,
             "folders for nobody");
        must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0,
             "to be nobody");
        /* As after a program was started by that user. */
        must(prctl(PR_SET_DUMPABLE, 1) == 0, "dumpable");
    }
    if (access(prepare_worker, X_OK) != 0 || access(execute_worker, X_OK) != 0) {
        (void)printf("skipped: %s is not for everybody\n", prepare_worker);
        (void)fflush(stdout);
        _exit(SKIPPED);
    }
}

static void set_processes(pid_t pid, rlim_t most)
{
    struct rlimit limit;
    must(prlimit(pid, RLIMIT_NPROC, NULL, &limit) == 0, "limit of processes");
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    must(prlimit(pid, RLIMIT_NPROC, &limit, NULL) == 0, "limit of processes");
}

static void no_processes(void)
{
    pvf_error err = PVF_ERROR_INIT;
    pvf_prepare_outcome outcome;
    become_nobody();
    start_host();
    expect_works();
    /* Workers that run, but can make no job. */
    set_processes(bench_worker(getpid(), "execute"), 0);
    set_processes(bench_worker(getpid(), "prepare"), 0);
    expect(execute(prepared.artifact_path),
           PVF_VERDICT_INTERNAL,
           PVF_REASON_KERNEL,
           "Resource temporarily unavailable");
    expect_prepare_error("Kernel", "Resource temporarily unavailable");
    set_processes(bench_worker(getpid(), "prepare"), RLIM_INFINITY);
    expect_works();
    /* A host that can start no worker. */
    end_worker("execute");
    end_worker("prepare");
    set_processes(0, 0);
    pvf_outcome executed = execute(prepared.artifact_path);
    if (executed.spawn_failure != PVF_SPAWN_PROCESS || executed.sys_errno != EAGAIN) {
        give_up(1, "%s", executed.text);
    }
    expect(executed, PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, "Resource temporarily unavailable");
    must(prepare(&outcome, &err) == NULL && err.detail == PVF_SPAWN_PROCESS, err.text);
    set_processes(0, RLIM_INFINITY);
    expect_works();
    end_host();
}

/* With few descriptors, and one more each time, until there are enough. */
static void few_descriptors(void)
{
    struct rlimit limit;
    unsigned failures = 0;
    start_host();
    expect_works();
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "limit of descriptors");
    const rlim_t usual = limit.rlim_cur;
    for (rlim_t most = 0; most < 40; most++) {
        pvf_prepare_outcome outcome = {.ok = false};
        pvf_error err = PVF_ERROR_INIT;
        /* Workers inherit it. */
        end_worker("execute");
        end_worker("prepare");
        limit.rlim_cur = most;
        must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "limit of descriptors");
        pvf_outcome executed = execute(prepared.artifact_path);
        const char *name = prepare(&outcome, &err);
        limit.rlim_cur = usual;
        must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "limit of descriptors");
        if (executed.verdict != PVF_VERDICT_VALID && executed.verdict != PVF_VERDICT_INTERNAL) {
            give_up(1,
                    "%u descriptors: %s (%s): %s",
                    (unsigned)most,
                    pvf_verdict_name(executed.verdict),
                    pvf_reason_name(executed.reason),
                    executed.text);
        }
        if (name != NULL && outcome.deterministic) {
            give_up(1, "%u descriptors: %s: %s", (unsigned)most, name, outcome.text);
        }
        failures += executed.verdict != PVF_VERDICT_VALID;
        pvf_outcome_done(&executed);
        pvf_prepare_outcome_done(&outcome);
        expect_works();
    }
    must(failures > 3 && failures < 40, "some are too few, some are enough");
    end_host();
}

static void folders_that_are_forbidden(void)
{
    pvf_error err = PVF_ERROR_INIT;
    become_nobody();
    must(chmod(bench.cache, 0) == 0, bench.cache);
    must(try_host(&err) == PVF_ERR_IO && err.sys_errno == EACCES &&
             strstr(err.text, bench.cache) != NULL,
         err.text);
    must(chmod(bench.cache, 0700) == 0, bench.cache);
    start_host();
    expect_works();
    /* The artifact itself: its owner may link it, the worker may not read it. */
    must(chmod(prepared.artifact_path, 0) == 0, prepared.artifact_path);
    expect(execute(prepared.artifact_path),
           PVF_VERDICT_INTERNAL,
           PVF_REASON_OPEN_FILE,
           "Permission denied");
    must(chmod(prepared.artifact_path, 0600) == 0, prepared.artifact_path);
    expect_works();
    must(chmod(bench.tmp, 0) == 0, bench.tmp);
    end_worker("execute");
    expect(execute(prepared.artifact_path),
           PVF_VERDICT_INTERNAL,
           PVF_REASON_SPAWN,
           "Permission denied");
    must(chmod(bench.tmp, 0700) == 0, bench.tmp);
    expect_works();
    end_host();
}

static void cache_folder_is_read_only(void)
{
    pvf_error err = PVF_ERROR_INIT;
    const unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV;
    enter_namespaces();
    mount_small(bench.cache, "size=2m");
    start_host();
    expect_works();
    must(mount(NULL, bench.cache, NULL, flags | MS_RDONLY, NULL) == 0, "read-only");
    expect_prepare_error("CreateTmpFile", "Read-only file system");
    expect(execute(prepared.artifact_path),
           PVF_VERDICT_INTERNAL,
           PVF_REASON_CREATE_LINK,
           "Read-only file system");
    expect(execute(prepared.artifact_path),
           PVF_VERDICT_INTERNAL,
           PVF_REASON_SPAWN,
           "Read-only file system");
    must(mount(NULL, bench.cache, NULL, flags, NULL) == 0, "writable again");
    expect_works();
    pvf_prepare_outcome_done(&prepared);
    pvf_host_free(host);
    must(mount(NULL, bench.cache, NULL, flags | MS_RDONLY, NULL) == 0, "read-only");
    must(try_host(&err) == PVF_ERR_IO && err.sys_errno == EROFS, err.text);
}

/* Removes all below a folder, and it too, by the tool that an operator would use. */
static void remove_tree(const char *pattern)
{
    char command[PATH_MAX + 32];
    (void)snprintf(command, sizeof(command), "rm -rf %s", pattern);
    /* NOLINTNEXTLINE(cert-env33-c): the path is the test's own. */
    must(system(command) == 0, command);
}

static void folders_vanish(void)
{
    char pattern[PATH_MAX];
    char kept[PATH_MAX];
    pvf_error err = PVF_ERROR_INIT;
    start_host();
    (void)snprintf(kept, sizeof(kept), "%s/kept", bench.top);
    must(pvf_prepare_outcome_keep(&prepared, kept, &err) == 0, err.text);
    expect_works();
    /* Those of the workers: they are of no use then, and others follow. */
    (void)snprintf(pattern, sizeof(pattern), "%s/pvf-host-*/worker-dir-*", bench.cache);
    remove_tree(pattern);
    expect(execute(kept), PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK, "No such file");
    expect_prepare_error("CreateTmpFile", "No such file");
    expect_works();
    /* The host's own. */
    (void)snprintf(pattern, sizeof(pattern), "%s/pvf-host-*", bench.cache);
    remove_tree(pattern);
    expect(execute(kept), PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK, "No such file");
    expect(execute(kept), PVF_VERDICT_INTERNAL, PVF_REASON_SPAWN, "No such file");
    expect_prepare_error("CreateTmpFile", "No such file");
    expect_prepare_error(NULL, "No such file");
    must(unlink(kept) == 0, kept);
    end_host();
}

/* What may stand where an artifact was. */
struct damage {
    const char *what;
    void (*make)(const char *path, const struct pvf__buf *artifact);
    int32_t verdict;
    int32_t reason;
    /* When the artifact is on another file system and copied, if that differs. */
    int32_t copied_reason;
};

static void make_nothing(const char *path, const struct pvf__buf *artifact)
{
    (void)path;
    (void)artifact;
}

static void make_empty(const char *path, const struct pvf__buf *artifact)
{
    (void)artifact;
    write_text(path, "");
}

static void make_half(const char *path, const struct pvf__buf *artifact)
{
    must(pvf__fd_write_file(path, 0600, artifact->data, artifact->len / 2, NULL) == 0, path);
}

static void make_longer(const char *path, const struct pvf__buf *artifact)
{
    must(pvf__fd_write_file(path, 0600, artifact->data, artifact->len, NULL) == 0, path);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    must(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, path);
}

static void make_flipped(const char *path, const struct pvf__buf *artifact)
{
    artifact->data[artifact->len / 2] ^= 1;
    must(pvf__fd_write_file(path, 0600, artifact->data, artifact->len, NULL) == 0, path);
    artifact->data[artifact->len / 2] ^= 1;
}

static void make_folder(const char *path, const struct pvf__buf *artifact)
{
    (void)artifact;
    must(mkdir(path, 0700) == 0, path);
}

static void make_link(const char *path, const struct pvf__buf *artifact)
{
    (void)artifact;
    must(symlink(bench.artifact, path) == 0, path);
}

static void make_fifo(const char *path, const struct pvf__buf *artifact)
{
    (void)artifact;
    must(mkfifo(path, 0600) == 0, path);
}

#define CORRUPT PVF_VERDICT_POSSIBLY_INVALID, PVF_REASON_CORRUPTED_ARTIFACT
static const struct damage damages[] = {
    {"nothing", make_nothing, PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK, 0},
    {"empty", make_empty, CORRUPT, 0},
    {"half", make_half, CORRUPT, 0},
    {"longer", make_longer, CORRUPT, 0},
    {"flipped", make_flipped, CORRUPT, 0},
    {"folder", make_folder, PVF_VERDICT_INTERNAL, PVF_REASON_CREATE_LINK, 0},
    {"link", make_link, PVF_VERDICT_INTERNAL, PVF_REASON_OPEN_FILE, PVF_REASON_CORRUPTED_ARTIFACT},
    {"fifo", make_fifo, PVF_VERDICT_INTERNAL, PVF_REASON_OPEN_FILE, PVF_REASON_CREATE_LINK},
};

static void damage_artifact(const char *folder, bool copied)
{
    char path[PATH_MAX];
    struct pvf__buf artifact = PVF__BUF_INIT((size_t)16 << 20);
    (void)snprintf(path, sizeof(path), "%s/victim", folder);
    must(pvf__fd_read_file(prepared.artifact_path, &artifact, NULL) == 0, "the artifact");
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        const struct damage *damage = &damages[i];
        must(pvf__fd_write_file(path, 0600, artifact.data, artifact.len, NULL) == 0, path);
        expect(execute(path), PVF_VERDICT_VALID, PVF_REASON_NONE, "");
        must(unlink(path) == 0, path);
        damage->make(path, &artifact);
        pvf_outcome outcome = execute(path);
        int32_t reason =
            copied && damage->copied_reason != 0 ? damage->copied_reason : damage->reason;
        /* A copy of something else is a wrong artifact, nothing that failed. */
        int32_t verdict = reason == PVF_REASON_CORRUPTED_ARTIFACT ? PVF_VERDICT_POSSIBLY_INVALID
                                                                  : damage->verdict;
        if (outcome.verdict != verdict || outcome.reason != reason ||
            outcome.bad_artifact != (reason == PVF_REASON_CORRUPTED_ARTIFACT)) {
            give_up(1,
                    "%s: %s (%s): %s",
                    damage->what,
                    pvf_verdict_name(outcome.verdict),
                    pvf_reason_name(outcome.reason),
                    outcome.text);
        }
        pvf_outcome_done(&outcome);
        must(remove(path) == 0 || damage->make == make_nothing, path);
    }
    pvf__buf_done(&artifact);
}

static void artifacts_are_damaged(void)
{
    start_host();
    damage_artifact(bench.top, false);
    expect_works();
    end_host();
}

static void artifacts_on_another_file_system_are_damaged(void)
{
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "%s/other", bench.top);
    must(mkdir(folder, 0700) == 0 || errno == EEXIST, folder);
    enter_namespaces();
    mount_small(folder, "size=4m");
    start_host();
    damage_artifact(folder, true);
    expect_works();
    end_host();
}

/* A job dies, and meanwhile the artifact became something that cannot be read. */
static void an_artifact_becomes_a_fifo_under_a_death(void)
{
    char path[PATH_MAX];
    struct bench_hit hit = {.kind = "execute", .at_job = true, .signal = SIGKILL};
    struct bench_block block = bench_block_of(BENCH_ENDLESS);
    pvf_error err = PVF_ERROR_INIT;
    start_host();
    (void)snprintf(path, sizeof(path), "%s/victim", bench.top);
    must(pvf_prepare_outcome_keep(&prepared, path, &err) == 0, err.text);
    pvf_execute_request request = {
        .artifact_path = path,
        .timeout_ms = LIMIT_MS,
        .pov = {block.bytes, sizeof(block.bytes)},
    };
    memcpy(request.checksum, prepared.checksum, sizeof(request.checksum));
    hit.replace_by_fifo = path;
    bench_hit_begin(&hit);
    pvf_outcome outcome;
    must(pvf_host_execute(host, &request, &outcome, &err) == 0, err.text);
    must(bench_hit_end(&hit), "the job was hit");
    if (outcome.verdict == PVF_VERDICT_VALID || outcome.verdict == PVF_VERDICT_INVALID) {
        give_up(1, "%s: %s", pvf_verdict_name(outcome.verdict), outcome.text);
    }
    pvf_outcome_done(&outcome);
    must(unlink(path) == 0, path);
    end_host();
}

/* Runs a case in a process of its own. */
static void run(void (*body)(void))
{
    int status = 0;
    (void)fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm(ALARM);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    /* What a case left behind after it was given up is not the next one's. */
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    assert_int_equal(pvf__folder_empty(bench.cache, NULL), 0);
    assert_int_equal(pvf__folder_empty(bench.tmp, NULL), 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        skip();
    }
    assert_int_equal(status, 0);
}

#define CASE(name)                                                                                 \
    static void name##_case(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        plain = true;                                                                              \
        run(name);                                                                                 \
    }
#define UPGRADED_CASE(name)                                                                        \
    static void name##_upgraded_case(void **state)                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        plain = false;                                                                             \
        run(name);                                                                                 \
    }

CASE(full_disk)
CASE(disk_without_room_for_names)
CASE(temporary_folder_is_full)
CASE(temporary_folders_that_do_not_work)
CASE(socket_path_is_taken)
CASE(no_processes)
CASE(few_descriptors)
CASE(folders_that_are_forbidden)
CASE(cache_folder_is_read_only)
CASE(folders_vanish)
CASE(artifacts_are_damaged)
CASE(artifacts_on_another_file_system_are_damaged)
CASE(an_artifact_becomes_a_fifo_under_a_death)
UPGRADED_CASE(full_disk)
UPGRADED_CASE(no_processes)
UPGRADED_CASE(few_descriptors)
UPGRADED_CASE(an_artifact_becomes_a_fifo_under_a_death)

int main(int argc, char **argv)
{
    /* Those that give folders away to another user come last. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_disk_case),
        cmocka_unit_test(disk_without_room_for_names_case),
        cmocka_unit_test(temporary_folder_is_full_case),
        cmocka_unit_test(temporary_folders_that_do_not_work_case),
        cmocka_unit_test(socket_path_is_taken_case),
        cmocka_unit_test(few_descriptors_case),
        cmocka_unit_test(cache_folder_is_read_only_case),
        cmocka_unit_test(folders_vanish_case),
        cmocka_unit_test(artifacts_are_damaged_case),
        cmocka_unit_test(artifacts_on_another_file_system_are_damaged_case),
        cmocka_unit_test(an_artifact_becomes_a_fifo_under_a_death_case),
        cmocka_unit_test(full_disk_upgraded_case),
        cmocka_unit_test(few_descriptors_upgraded_case),
        cmocka_unit_test(an_artifact_becomes_a_fifo_under_a_death_upgraded_case),
        cmocka_unit_test(no_processes_upgraded_case),
        cmocka_unit_test(no_processes_case),
        cmocka_unit_test(folders_that_are_forbidden_case),
    };
    if (argc < 3) {
        (void)printf("skipped: no workers\n");
        return 77;
    }
    prepare_worker = argv[1];
    execute_worker = argv[2];
    bench_code(&code);
    int failed = cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
    pvf__buf_done(&code);
    return failed;
}
