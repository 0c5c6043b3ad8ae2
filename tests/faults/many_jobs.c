/* SPDX-License-Identifier: Apache-2.0 */
/*
 * many_jobs PREPARE EXECUTE [JOBS]: what a host and its workers have before and after many jobs of
 * every ending, with all the security that this machine has, as tables: descriptors, processes,
 * mounts and files must be equal, memory may grow by little.
 */
#include "support/test.h"

#include "base/fd.h"
#include "base/text.h"
#include "faults/bench.h"
#include "faults/kept.h"
#include "proto/execute_msg.h"
#include "proto/prepare_msg.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENT_MS 60000u
/* CPU limit of jobs that are meant to meet it. */
#define SHORT_MS 40u
#define WARM_UP 100u
/* Of the jobs one in so many also ends by a death; deaths take much longer than other ends. */
#define DEATHS_PART 25u
/* KiB: what allocators and the C library's caches may still grow by after the warm-up. */
#define MEMORY_BOUND 2048

#if defined(__SANITIZE_ADDRESS__)
#define HAS_QUARANTINE true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_QUARANTINE true
#endif
#endif
#ifndef HAS_QUARANTINE
#define HAS_QUARANTINE false
#endif

static const char *prepare_worker;
static const char *execute_worker;
static unsigned jobs = 1000;

/* What one process has. */
enum figure {
    DESCRIPTORS,
    PROCESSES,
    MOUNTS,
    MEMORY, /* the last three in KiB; this one is compared: resident, anonymous */
    RESIDENT,
    PROPORTIONAL,
    FIGURES,
};
static const char *const figure_names[FIGURES] = {
    "descriptors",
    "child processes",
    "mounts",
    "anonymous memory, KiB",
    "resident memory, KiB",
    "proportional memory, KiB",
};

struct figures {
    long of[FIGURES];
};

struct snapshot {
    struct figures host;
    struct figures prepare;
    struct figures execute;
    long cache_files;
    long tmp_files;
};

/* A file of /proc; empty when this user may not read it. */
static struct pvf__buf read_proc(pid_t pid, const char *name)
{
    char path[64];
    struct pvf__buf buf = PVF__BUF_INIT((size_t)1 << 20);
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    (void)(pvf__fd_read_file(path, &buf, NULL) == 0 && pvf__buf_u8(&buf, 0) == 0);
    return buf;
}

/* The number after "NAME:" in a file of /proc; -1 when it is not told. */
static long field(pid_t pid, const char *file, const char *name)
{
    long value = -1;
    struct pvf__buf text = read_proc(pid, file);
    const char *at = text.len > 0 ? strstr((const char *)text.data, name) : NULL;
    if (at != NULL && sscanf(at + strlen(name), ": %ld", &value) != 1) {
        value = -1;
    }
    pvf__buf_done(&text);
    return value;
}

static long count_lines(pid_t pid, const char *file)
{
    long lines = 0;
    struct pvf__buf text = read_proc(pid, file);
    for (size_t i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n';
    }
    pvf__buf_done(&text);
    return lines;
}

static long count_words(pid_t pid)
{
    char file[64];
    long words = 0;
    (void)snprintf(file, sizeof(file), "task/%d/children", pid);
    struct pvf__buf text = read_proc(pid, file);
    for (size_t i = 0; i < text.len; i++) {
        words += text.data[i] == ' ';
    }
    pvf__buf_done(&text);
    return words;
}

static struct figures look_at(pid_t pid)
{
    char path[64];
    struct figures ret = {{0}};
    assert_true(pid > 0);
    (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    ret.of[DESCRIPTORS] = (long)bench_count_entries(path, false);
    ret.of[PROCESSES] = count_words(pid);
    ret.of[MOUNTS] = count_lines(pid, "mountinfo");
    ret.of[MEMORY] = field(pid, "status", "RssAnon");
    ret.of[RESIDENT] = field(pid, "status", "VmRSS");
    ret.of[PROPORTIONAL] = field(pid, "smaps_rollup", "Pss");
    return ret;
}

/*
 * Jobs of workers that were killed are children of ours, which nobody else reaps; the host's two
 * workers live.  The last one may still be dying.
 */
static void reap_orphans(void)
{
    for (int wait = 0; wait < 3000; wait++) {
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (count_words(getpid()) <= 2) {
            return;
        }
        (void)usleep(10000);
    }
}

static struct snapshot look(void)
{
    reap_orphans();
    return (struct snapshot){
        .host = look_at(getpid()),
        .prepare = look_at(bench_worker(getpid(), "prepare")),
        .execute = look_at(bench_worker(getpid(), "execute")),
        .cache_files = (long)bench_count_entries(bench.cache, true),
        .tmp_files = (long)bench_count_entries(bench.tmp, true),
    };
}

/* A row of the table; true when it is as it must be. */
static bool row(const char *who, const char *what, long before, long after, long bound)
{
    bool is_good = after - before <= bound && (bound > 0 || after == before);
    print_message("%-16s %-26s %9ld %9ld  %s\n", who, what, before, after, is_good ? "" : "WRONG");
    return is_good;
}

static bool rows(const char *who, const struct figures *before, const struct figures *after)
{
    bool is_good = true;
    for (unsigned i = 0; i < FIGURES; i++) {
        /* Others that map the same programs share in the last one; it is told, not judged. */
        long bound = i < MEMORY ? 0 : i == PROPORTIONAL || HAS_QUARANTINE ? 1L << 40 : MEMORY_BOUND;
        is_good &= row(who, figure_names[i], before->of[i], after->of[i], bound);
    }
    return is_good;
}

static void heading(const char *what, unsigned count)
{
    print_message("\n%s: %u jobs\n%-43s %9s %9s\n", what, count, "", "before", "after");
}

struct setting {
    pvf_host *host;
    struct pvf__buf code;
    struct pvf__buf slow;
    pvf_prepare_outcome prepared;
};

static void bad_pov(struct setting *setting)
{
    /* It says that it is compressed, and is not. */
    static const uint8_t pov[] = {0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05, 0x00};
    pvf_execute_request request = {
        .artifact_path = setting->prepared.artifact_path,
        .timeout_ms = PATIENT_MS,
        .pov = {pov, sizeof(pov)},
    };
    pvf_outcome outcome;
    memcpy(request.checksum, setting->prepared.checksum, sizeof(request.checksum));
    assert_int_equal(pvf_host_execute(setting->host, &request, &outcome, NULL), 0);
    bench_expect(outcome, PVF_VERDICT_INVALID, PVF_REASON_POV_DECOMPRESSION);
}

static void wrong_artifact(struct setting *setting)
{
    pvf_prepare_outcome other = setting->prepared;
    other.checksum[0] ^= 1;
    bench_expect(bench_execute(setting->host, &other, 0, PATIENT_MS),
                 PVF_VERDICT_POSSIBLY_INVALID,
                 PVF_REASON_CORRUPTED_ARTIFACT);
}

/* The i-th job of those after which a worker lives on. */
static void peaceful_job(struct setting *setting, unsigned i)
{
    static const uint8_t no_code[] = {1, 2, 3};
    const struct pvf__buf none = {.data = (uint8_t *)(uintptr_t)no_code, .len = sizeof(no_code)};
    pvf_prepare_outcome prepared;
    switch (i % 20) {
    case 3:
    case 13:
        bench_expect(bench_execute(setting->host, &setting->prepared, BENCH_TRAP, PATIENT_MS),
                     PVF_VERDICT_INVALID,
                     PVF_REASON_REPORTED_INVALID);
        break;
    case 5:
    case 15:
        bad_pov(setting);
        break;
    case 7:
        wrong_artifact(setting);
        break;
    case 9:
        prepared = bench_prepare(setting->host, &setting->code, PATIENT_MS);
        assert_true(prepared.ok);
        pvf_prepare_outcome_done(&prepared);
        break;
    case 11:
        prepared = bench_prepare(setting->host, &none, PATIENT_MS);
        assert_true(prepared.deterministic);
        pvf_prepare_outcome_done(&prepared);
        break;
    case 17:
        bench_expect(bench_execute(setting->host, &setting->prepared, BENCH_BIG_HEAD, PATIENT_MS),
                     PVF_VERDICT_VALID,
                     PVF_REASON_NONE);
        break;
    default:
        bench_expect(bench_execute(setting->host, &setting->prepared, i, PATIENT_MS),
                     PVF_VERDICT_VALID,
                     PVF_REASON_NONE);
        break;
    }
}

/* After its answers an execute worker prepares for the next job of the same artifact: it has done
 * so once it finds another checksum. */
static void come_to_rest(struct setting *setting)
{
    for (unsigned i = 0; i < 3; i++) {
        peaceful_job(setting, 0);
    }
    wrong_artifact(setting);
    bench_await_ahead(bench_worker(getpid(), "execute"));
}

/* The i-th job of those after which the host ends the worker. */
static void violent_job(struct setting *setting, unsigned i)
{
    struct bench_hit hit = {.kind = i % 3 == 2 ? "prepare" : "execute", .signal = SIGKILL};
    hit.at_job = i % 4 != 3;
    if (i % 3 == 0) {
        pvf_outcome outcome =
            bench_execute(setting->host, &setting->prepared, BENCH_ENDLESS, SHORT_MS);
        /* On a busy machine even a loop may be kept from using its share. */
        bool is_stalled = outcome.reason == PVF_REASON_STALLED;
        bench_expect(outcome,
                     is_stalled ? outcome.verdict : PVF_VERDICT_INVALID,
                     is_stalled ? PVF_REASON_STALLED : PVF_REASON_HARD_TIMEOUT);
        return;
    }
    bench_hit_begin(&hit);
    if (i % 3 == 1) {
        bench_expect(bench_execute(setting->host, &setting->prepared, BENCH_ENDLESS, PATIENT_MS),
                     PVF_VERDICT_POSSIBLY_INVALID,
                     hit.at_job ? PVF_REASON_JOB_DEATH : PVF_REASON_WORKER_DEATH);
    } else {
        pvf_prepare_outcome prepared = bench_prepare(setting->host, &setting->slow, PATIENT_MS);
        assert_string_equal(prepared.name, hit.at_job ? "JobDied" : "IoErr");
        pvf_prepare_outcome_done(&prepared);
    }
    assert_true(bench_hit_end(&hit));
}

static void open_setting(struct setting *setting)
{
    bench_code(&setting->code);
    bench_slow_code(&setting->slow);
    setting->host = bench_host(prepare_worker, execute_worker, PVF_SECURITY_DETECT);
    setting->prepared = bench_prepare(setting->host, &setting->code, PATIENT_MS);
    assert_true(setting->prepared.ok);
}

static void close_setting(struct setting *setting)
{
    pvf_prepare_outcome_done(&setting->prepared);
    pvf_host_free(setting->host);
    pvf__buf_done(&setting->code);
    pvf__buf_done(&setting->slow);
}

static bool compare(const struct snapshot *before, const struct snapshot *after)
{
    bool is_good = rows("host", &before->host, &after->host);
    is_good &= rows("prepare worker", &before->prepare, &after->prepare);
    is_good &= rows("execute worker", &before->execute, &after->execute);
    is_good &= row("cache folder", "files", before->cache_files, after->cache_files, 0);
    is_good &= row("TMPDIR", "files", before->tmp_files, after->tmp_files, 0);
    return is_good;
}

/* The same two workers do it all. */
static void peaceful_jobs(void **state)
{
    (void)state;
    struct setting setting;
    struct bench_counts at_first;
    bench_count(&at_first);
    open_setting(&setting);
    for (unsigned i = 0; i < WARM_UP; i++) {
        peaceful_job(&setting, i);
    }
    pid_t worker = bench_worker(getpid(), "execute");
    come_to_rest(&setting);
    struct snapshot before = look();
    for (unsigned i = 0; i < jobs; i++) {
        peaceful_job(&setting, i);
    }
    come_to_rest(&setting);
    struct snapshot after = look();
    heading("one pair of workers", jobs);
    bool is_good = compare(&before, &after);
    assert_int_equal(bench_worker(getpid(), "execute"), worker);
    close_setting(&setting);
    bench_assert_as_before(&at_first);
    assert_true(is_good);
}

/* Workers come and go; the host stays, and the last workers are as the first. */
static void violent_jobs(void **state)
{
    (void)state;
    struct setting setting;
    struct bench_counts at_first;
    const unsigned count = jobs / DEATHS_PART / 3 * 3;
    bench_count(&at_first);
    open_setting(&setting);
    for (unsigned i = 0; i < 12; i++) {
        violent_job(&setting, i);
    }
    for (unsigned i = 0; i < WARM_UP; i++) {
        peaceful_job(&setting, i);
    }
    come_to_rest(&setting);
    struct snapshot before = look();
    for (unsigned i = 0; i < count; i++) {
        violent_job(&setting, i);
    }
    for (unsigned i = 0; i < WARM_UP; i++) {
        peaceful_job(&setting, i);
    }
    come_to_rest(&setting);
    struct snapshot after = look();
    heading("a new worker after each", count);
    bool is_good = compare(&before, &after);
    close_setting(&setting);
    bench_assert_as_before(&at_first);
    assert_true(is_good);
}

/* Every third job is killed, every third reaches its limit, and the rest end well. */
static void kept_execute_job(struct kept *kept, const struct setting *setting, unsigned i)
{
    struct pvf__execute_answer answer;
    bool ends = i % 3 == 2;
    kept_send_execute(
        kept, &setting->prepared, ends ? 0 : BENCH_ENDLESS, i % 3 == 1 ? SHORT_MS : PATIENT_MS);
    if (i % 3 == 0) {
        assert_int_equal(kill(kept_job(kept), SIGKILL), 0);
    }
    kept_receive(kept);
    assert_int_equal(pvf__execute_answer_decode(kept->answer.data, kept->answer.len, &answer, NULL),
                     0);
    assert_int_equal(answer.ok, ends);
    if (!ends) {
        assert_int_equal(answer.error.kind,
                         i % 3 == 0 ? PVF__WORKER_ERROR_JOB_DIED : PVF__WORKER_ERROR_JOB_TIMED_OUT);
    }
}

static void kept_come_to_rest(struct kept *kept, const struct setting *setting)
{
    struct pvf__execute_answer answer;
    pvf_prepare_outcome other = setting->prepared;
    other.checksum[0] ^= 1;
    kept_send_execute(kept, &other, 0, PATIENT_MS);
    kept_receive(kept);
    assert_int_equal(pvf__execute_answer_decode(kept->answer.data, kept->answer.len, &answer, NULL),
                     0);
    assert_int_equal(answer.response.kind, PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT);
    bench_await_ahead(kept->worker.spawned.process.pid);
}

static void kept_prepare_job(struct kept *kept, const struct setting *setting, unsigned i)
{
    struct pvf__prepare_answer answer;
    bool ends = i % 3 == 2;
    kept_send_prepare(
        kept, ends ? &setting->code : &setting->slow, i % 3 == 1 ? SHORT_MS : PATIENT_MS);
    if (i % 3 == 0) {
        assert_int_equal(kill(kept_job(kept), SIGKILL), 0);
    }
    kept_receive(kept);
    assert_int_equal(pvf__prepare_answer_decode(kept->answer.data, kept->answer.len, &answer, NULL),
                     0);
    assert_int_equal(answer.ok, ends);
    if (!ends) {
        assert_int_equal(answer.error.kind,
                         i % 3 == 0 ? PVF__PREPARE_JOB_DIED : PVF__PREPARE_TIMED_OUT);
    }
}

static void kept_workers(void **state)
{
    (void)state;
    struct setting setting;
    struct bench_counts at_first;
    struct kept executes;
    struct kept prepares;
    const unsigned count = jobs / DEATHS_PART / 3 * 3;
    bench_count(&at_first);
    open_setting(&setting);
    kept_start_execute(&executes, execute_worker, setting.host, &setting.prepared);
    kept_start_prepare(&prepares, prepare_worker, setting.host);
    pid_t execute_pid = executes.worker.spawned.process.pid;
    pid_t prepare_pid = prepares.worker.spawned.process.pid;
    for (unsigned i = 0; i < 12; i++) {
        kept_execute_job(&executes, &setting, i);
        kept_prepare_job(&prepares, &setting, i);
    }
    kept_come_to_rest(&executes, &setting);
    struct figures execute_before = look_at(execute_pid);
    struct figures prepare_before = look_at(prepare_pid);
    for (unsigned i = 0; i < count; i++) {
        kept_execute_job(&executes, &setting, i);
        kept_prepare_job(&prepares, &setting, i);
    }
    kept_come_to_rest(&executes, &setting);
    struct figures execute_after = look_at(execute_pid);
    struct figures prepare_after = look_at(prepare_pid);
    heading("workers that are kept after deaths and timeouts", 2 * count);
    bool is_good = rows("execute worker", &execute_before, &execute_after);
    is_good &= rows("prepare worker", &prepare_before, &prepare_after);
    kept_end(&executes);
    kept_end(&prepares);
    close_setting(&setting);
    bench_assert_as_before(&at_first);
    assert_true(is_good);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peaceful_jobs),
        cmocka_unit_test(violent_jobs),
        cmocka_unit_test(kept_workers),
    };
    uint64_t number = jobs;
    if (argc < 3) {
        (void)printf("skipped: no workers\n");
        return 77;
    }
    if (argc > 3 && !pvf__text_parse_u64(argv[3], 1000000, &number)) {
        (void)fprintf(stderr, "usage: %s PREPARE EXECUTE [JOBS]\n", argv[0]);
        return 2;
    }
    prepare_worker = argv[1];
    execute_worker = argv[2];
    jobs = (unsigned)number;
    return cmocka_run_group_tests(tests, bench_set_up, bench_tear_down);
}
