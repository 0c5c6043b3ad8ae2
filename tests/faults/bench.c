/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what all fault tests need: folders, hosts, counts, aimed signals, code to run. */
#include "support/test.h"

#include "faults/bench.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "hash/hash.h"
#include "host/folder.h"
#include "support/new_host.h"
#include "support/wasm_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

/* Only something that hangs meets it. */
#define PATIENCE (60 * SECOND)

/* Ticks of a hundredth second: more than a job's own start takes. */
#define AT_WORK 5u

struct bench bench;

int bench_set_up(void **state)
{
    (void)state;
    if (pvf__folder_make("/tmp", "pvf-fault-", bench.top, sizeof(bench.top), NULL) != 0) {
        return -1;
    }
    (void)snprintf(bench.cache, sizeof(bench.cache), "%s/cache", bench.top);
    (void)snprintf(bench.tmp, sizeof(bench.tmp), "%s/tmp", bench.top);
    (void)snprintf(bench.artifact, sizeof(bench.artifact), "%s/artifact-file", bench.top);
    /* Cases that go on as another user reach it too. */
    if (chmod(bench.top, 0755) != 0 || mkdir(bench.cache, 0700) != 0 ||
        mkdir(bench.tmp, 0700) != 0 || setenv("TMPDIR", bench.tmp, 1) != 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
        return -1;
    }
    bench.for_the_fake.artifact_path = bench.artifact;
    pvf__hash_twox_256((const uint8_t *)"ELF", 3, bench.for_the_fake.checksum);
    return pvf__fd_write_file(bench.artifact, 0600, "ELF", 3, NULL);
}

int bench_tear_down(void **state)
{
    (void)state;
    pvf__folder_remove(bench.top);
    return 0;
}

void bench_beside(const char *program, const char *suffix, const void *data, size_t len)
{
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof(path), "%s.%s", program, suffix);
    if (data == NULL) {
        (void)unlink(path);
    } else {
        assert_int_equal(pvf__fd_write_file(path, 0600, data, len, NULL), 0);
    }
}

void bench_fake(
    const char *fake, const char *mode, const void *answer, size_t len, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/fake.%s", bench.top, mode);
    (void)unlink(out);
    assert_int_equal(symlink(fake, out), 0);
    bench_beside(out, "answer", answer, len);
}

pvf_host *bench_host(const char *prepare, const char *execute, int32_t security_mode)
{
    const pvf_host_config config = {
        .prepare_worker_path = prepare,
        .execute_worker_path = execute,
        .cache_dir = bench.cache,
        .spawn_timeout_ms = 20000,
        .quiet = true,
        .security_mode = security_mode,
    };
    return new_host_of(&config);
}

static size_t count_in(int fd, bool deep)
{
    size_t count = 0;
    DIR *list = fdopendir(fd);
    if (list == NULL) {
        (void)close(fd);
        return 0;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        count++;
        if (deep && entry->d_type == DT_DIR) {
            int below = openat(dirfd(list), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            /* What lies in a worker's folder is at most one deep. */
            count += below < 0 ? 0 : count_in(below, false);
        }
    }
    (void)closedir(list);
    return count;
}

size_t bench_count_entries(const char *path, bool deep)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? 0 : count_in(fd, deep);
}

/* A small file of /proc, terminated; false when it cannot be read. */
static bool read_proc(pid_t pid, const char *name, char *out, size_t size, size_t *ret_len)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);
    if (got < 0) {
        return false;
    }
    out[got] = '\0';
    *ret_len = (size_t)got;
    return true;
}

/* State, parent and CPU ticks; false when it is gone. */
static bool read_stat(pid_t pid, char *ret_state, pid_t *ret_parent, unsigned long *ret_ticks)
{
    char text[1024];
    size_t len;
    unsigned long user = 0;
    unsigned long system = 0;
    if (!read_proc(pid, "stat", text, sizeof(text), &len)) {
        return false;
    }
    const char *at = strrchr(text, ')');
    int found = at == NULL ? 0
                           : sscanf(at + 1,
                                    " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                    ret_state,
                                    ret_parent,
                                    &user,
                                    &system);
    *ret_ticks = found == 4 ? user + system : 0;
    return found == 4;
}

bool bench_is_gone(pid_t pid)
{
    char state;
    pid_t parent;
    unsigned long ticks;
    return !read_stat(pid, &state, &parent, &ticks) || state == 'Z' || state == 'X';
}

/* Calls `look` for each living child until it says so; that child, or 0. */
static pid_t find_child(pid_t parent,
                        bool (*look)(pid_t pid, unsigned long ticks, const void *context),
                        const void *context)
{
    pid_t found = 0;
    DIR *list = opendir("/proc");
    if (list == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(list); entry != NULL && found == 0; entry = readdir(list)) {
        uint64_t pid;
        char state;
        pid_t of;
        unsigned long ticks;
        if (pvf__text_parse_u64(entry->d_name, INT32_MAX, &pid) &&
            read_stat((pid_t)pid, &state, &of, &ticks) && of == parent && state != 'Z' &&
            state != 'X' && look((pid_t)pid, ticks, context)) {
            found = (pid_t)pid;
        }
    }
    (void)closedir(list);
    return found;
}

static bool is_counted(pid_t pid, unsigned long ticks, const void *context)
{
    (void)pid;
    (void)ticks;
    /* Only counts: the context is the caller's own counter. */
    ++*(size_t *)(uintptr_t)context;
    return false;
}

static bool is_worker(pid_t pid, unsigned long ticks, const void *context)
{
    char text[4096];
    char word[32];
    size_t len;
    (void)ticks;
    (void)snprintf(word, sizeof(word), "%s-worker", (const char *)context);
    if (!read_proc(pid, "cmdline", text, sizeof(text), &len)) {
        return false;
    }
    size_t first = strlen(text) + 1;
    return first < len && strcmp(text + first, word) == 0;
}

static bool is_called(pid_t pid, unsigned long ticks, const void *context)
{
    char name[32];
    size_t len;
    (void)ticks;
    return read_proc(pid, "comm", name, sizeof(name), &len) && len > 0 &&
           strncmp(name, context, len - 1) == 0 && strlen(context) == len - 1;
}

/* What an execute worker keeps ready for further jobs is none. */
static bool is_at_work(pid_t pid, unsigned long ticks, const void *context)
{
    (void)context;
    return ticks >= AT_WORK && !is_called(pid, 0, "pvf-guard") && !is_called(pid, 0, "pvf-zygote");
}

void bench_await_ahead(pid_t worker)
{
    for (unsigned wait = 0; wait < 3000; wait++) {
        if (find_child(worker, is_called, "pvf-zygote") == 0 ||
            find_child(worker, is_called, "pvf-execute-job") != 0) {
            return;
        }
        (void)usleep(10000);
    }
    fail_msg("the zygote makes no job");
}

pid_t bench_worker(pid_t parent, const char *kind)
{
    return find_child(parent, is_worker, kind);
}

pid_t bench_child_called(pid_t parent, const char *name)
{
    return find_child(parent, is_called, name);
}

size_t bench_count_children(pid_t parent)
{
    char name[64];
    char text[4096];
    size_t len = 0;
    size_t count = 0;
    (void)snprintf(name, sizeof(name), "task/%d/children", parent);
    if (!read_proc(parent, name, text, sizeof(text), &len)) {
        fail_msg("/proc/%d/%s cannot be read", parent, name);
    }
    for (size_t i = 0; i < len; i++) {
        count += text[i] == ' ';
    }
    return count;
}

bool bench_signal_worker(const char *kind, int signal)
{
    pid_t pid = bench_worker(getpid(), kind);
    return pid > 0 && kill(pid, signal) == 0;
}

pid_t bench_job(pid_t worker)
{
    return find_child(worker, is_at_work, NULL);
}

static size_t count_children(void)
{
    size_t count = 0;
    (void)find_child(getpid(), is_counted, &count);
    return count;
}

void bench_count(struct bench_counts *ret)
{
    ret->descriptors = bench_count_entries("/proc/self/fd", false);
    ret->children = count_children();
    ret->files = bench_count_entries(bench.cache, true) + bench_count_entries(bench.tmp, true);
}

static void pause_a_little(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};
    (void)nanosleep(&moment, NULL);
}

void bench_assert_as_before(const struct bench_counts *before)
{
    struct bench_counts now;
    uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE;
    do {
        /* Orphans are ours; hosts that still live have children that do too. */
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
        bench_count(&now);
        if (now.children <= before->children) {
            break;
        }
        pause_a_little();
    } while (pvf__clock_monotonic_ns() < deadline);
    if (now.descriptors != before->descriptors || now.children != before->children ||
        now.files != before->files) {
        fail_msg("descriptors %zu, then %zu; children %zu, then %zu; files %zu, then %zu",
                 before->descriptors,
                 now.descriptors,
                 before->children,
                 now.children,
                 before->files,
                 now.files);
    }
}

static void *aim(void *context)
{
    struct bench_hit *hit = context;
    while (!atomic_load(&hit->stop)) {
        pid_t worker = bench_worker(getpid(), hit->kind);
        pid_t job = worker != 0 ? bench_job(worker) : 0;
        if (job != 0) {
            if (hit->replace_by_fifo != NULL) {
                (void)unlink(hit->replace_by_fifo);
                (void)mkfifo(hit->replace_by_fifo, 0600);
            }
            if (kill(hit->at_job ? job : worker, hit->signal) == 0) {
                hit->worker = worker;
                hit->job = job;
            }
            return NULL;
        }
        pause_a_little();
    }
    return NULL;
}

void bench_hit_begin(struct bench_hit *hit)
{
    hit->worker = 0;
    hit->job = 0;
    atomic_store(&hit->stop, false);
    assert_int_equal(pthread_create(&hit->thread, NULL, aim, hit), 0);
}

bool bench_hit_end(struct bench_hit *hit)
{
    atomic_store(&hit->stop, true);
    assert_int_equal(pthread_join(hit->thread, NULL), 0);
    return hit->worker != 0;
}

/*
 * (module
 *   (memory (export "memory") 100)
 *   (global (export "__heap_base") i32 (i32.const 65536))
 *   (data (i32.const 1024) "\04w")           ;; a head of one byte
 *   (data (i32.const 2048) "\02\00\00\01")   ;; a head of 4 MiB
 *   (func (export "validate_block") (param $at i32) (param $len i32) (result i64)
 *     (local $n i64)
 *     ;; an empty head (1 byte) and the length of the block data (1 byte) stand before it
 *     (local.set $n (i64.load offset=2 align=1 (local.get $at)))
 *     (if (i64.eq (local.get $n) (i64.const -2)) (then unreachable))
 *     (if (i64.eq (local.get $n) (i64.const -3))
 *       (then (return (i64.const 0x40000f00000800)))) ;; 4194319 bytes at 2048
 *     (block $done
 *       (loop $next
 *         (br_if $done (i64.eqz (local.get $n)))
 *         (local.set $n (i64.sub (local.get $n) (i64.const 1)))
 *         (br $next)))
 *     (i64.const 0xd00000400)))                       ;; 13 bytes at 1024
 */
static const struct wasm_parts code_parts = {
    .type = "01 60 02 7f 7f 01 7e",
    .function = "01 00",
    .memory = "01 00 64",
    .global = "01 7f 00 41 8080 04 0b",
    .export = "03 06 6d656d6f7279 02 00 0b 5f5f686561705f62617365 03 00 "
              "0e 76616c69646174655f626c6f636b 00 00",
    .bodies = {"01 01 7e 2000 2900 02 2102 2002 427e 51 0440 00 0b "
               "2002 427d 51 0440 42 80 90 80 80 f0 81 80 20 0f 0b "
               "0240 0340 2002 50 0d01 2002 4201 7d 2102 0c00 0b 0b "
               "42 80 88 80 80 d0 01 0b"},
    .data = "02 00 41 8008 0b 02 0477 00 41 8010 0b 04 02000001",
};

void bench_code(struct pvf__buf *ret)
{
    pvf__buf_init(ret, 4096);
    wasm_parts_write(ret, &code_parts);
}

/* 100 functions of 6000 additions and multiplications each, besides the entry. */
void bench_slow_code(struct pvf__buf *ret)
{
    static const uint8_t step[] = {0x20, 0x00, 0x41, 0x07, 0x6a, 0x20, 0x01, 0x6c, 0x21, 0x00};
    static const uint8_t end[] = {0x42, 0x00, 0x0b};
    struct wasm_parts head = code_parts;
    const uint8_t count = 100;
    head.function = NULL;
    head.export = NULL;
    head.memory = NULL;
    head.global = NULL;
    head.bodies[0] = NULL;
    head.data = NULL;
    pvf__buf_init(ret, (size_t)16 << 20);
    wasm_parts_write(ret, &head);
    (void)pvf__buf_u8(ret, 3);
    size_t section = pvf__wasm_emit_open(ret);
    (void)pvf__buf_u8(ret, count);
    (void)pvf__buf_zeros(ret, count);
    pvf__wasm_emit_close(ret, section);
    wasm_parts_section(ret, 5, code_parts.memory);
    wasm_parts_section(ret, 6, code_parts.global);
    wasm_parts_section(ret, 7, code_parts.export);
    (void)pvf__buf_u8(ret, 10);
    section = pvf__wasm_emit_open(ret);
    (void)pvf__buf_u8(ret, count);
    for (uint8_t i = 0; i < count; i++) {
        size_t body = pvf__wasm_emit_open(ret);
        (void)pvf__buf_u8(ret, 0);
        for (int k = 0; k < 6000; k++) {
            (void)pvf__buf_append(ret, step, sizeof(step));
        }
        (void)pvf__buf_append(ret, end, sizeof(end));
        pvf__wasm_emit_close(ret, body);
    }
    pvf__wasm_emit_close(ret, section);
    assert_int_equal(ret->failed, 0);
}

pvf_prepare_outcome bench_prepare(pvf_host *host, const struct pvf__buf *code, uint64_t timeout_ms)
{
    const pvf_prepare_request request = {
        .code = {code->data, code->len},
        .timeout_ms = timeout_ms,
        .kind = PVF_PREPARE_COMPILATION,
    };
    pvf_prepare_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_prepare(host, &request, &outcome, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return outcome;
}

struct bench_block bench_block_of(uint64_t rounds)
{
    struct bench_block block = {{0}};
    for (unsigned i = 0; i < 8; i++) {
        block.bytes[i] = (uint8_t)(rounds >> (8 * i));
    }
    return block;
}

pvf_outcome bench_execute(pvf_host *host,
                          const pvf_prepare_outcome *prepared,
                          uint64_t rounds,
                          uint64_t timeout_ms)
{
    struct bench_block block = bench_block_of(rounds);
    pvf_execute_request request = {
        .artifact_path = prepared->artifact_path,
        .timeout_ms = timeout_ms,
        .pov = {block.bytes, sizeof(block.bytes)},
        .descriptor_version = PVF_DESCRIPTOR_V2,
    };
    memcpy(request.checksum, prepared->checksum, sizeof(request.checksum));
    pvf_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_execute(host, &request, &outcome, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return outcome;
}

void bench_expect(pvf_outcome outcome, int32_t verdict, int32_t reason)
{
    if (outcome.verdict != verdict || outcome.reason != reason) {
        fail_msg("%s (%s): %s",
                 pvf_verdict_name(outcome.verdict),
                 pvf_reason_name(outcome.reason),
                 outcome.text);
    }
    pvf_outcome_done(&outcome);
}
