/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library with its n-th allocation failing, for every n: a failure that says so or an outcome
 * that blames nobody, nothing lost, and a host that works when memory is back.  The linker sends
 * our own calls of the allocator, and those of the C library that allocate for us, through here.
 */
#include "support/test.h"

#include "base/fd.h"
#include "faults/bench.h"
#include "support/hex.h"

#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LIMIT_MS 60000u

/* Far above what is needed; a run that never ends would be a fault of the test. */
#define MOST 2000u

void *real_malloc(size_t size) __asm__("__real_malloc");
void *real_calloc(size_t count, size_t size) __asm__("__real_calloc");
void *real_realloc(void *old, size_t size) __asm__("__real_realloc");
void real_free(void *old) __asm__("__real_free");
char *real_strdup(const char *text) __asm__("__real_strdup");
char *real_strndup(const char *text, size_t len) __asm__("__real_strndup");
DIR *real_fdopendir(int fd) __asm__("__real_fdopendir");
int real_adddup2(posix_spawn_file_actions_t *actions,
                 int from,
                 int to) __asm__("__real_posix_spawn_file_actions_adddup2");
int real_addclosefrom(posix_spawn_file_actions_t *actions,
                      int from) __asm__("__real_posix_spawn_file_actions_addclosefrom_np");

void *wrap_malloc(size_t size) __asm__("__wrap_malloc");
void *wrap_calloc(size_t count, size_t size) __asm__("__wrap_calloc");
void *wrap_realloc(void *old, size_t size) __asm__("__wrap_realloc");
void wrap_free(void *old) __asm__("__wrap_free");
char *wrap_strdup(const char *text) __asm__("__wrap_strdup");
char *wrap_strndup(const char *text, size_t len) __asm__("__wrap_strndup");
int wrap_asprintf(char **ret, const char *format, ...) __asm__("__wrap_asprintf")
    __attribute__((format(printf, 2, 3)));
int wrap_asprintf_checked(char **ret, int flag, const char *format, ...) __asm__(
    "__wrap___asprintf_chk") __attribute__((format(printf, 3, 4)));
DIR *wrap_fdopendir(int fd) __asm__("__wrap_fdopendir");
int wrap_adddup2(posix_spawn_file_actions_t *actions,
                 int from,
                 int to) __asm__("__wrap_posix_spawn_file_actions_adddup2");
int wrap_addclosefrom(posix_spawn_file_actions_t *actions,
                      int from) __asm__("__wrap_posix_spawn_file_actions_addclosefrom_np");

static struct {
    bool armed;
    bool for_good;  /* all after the n-th fail too */
    unsigned left;  /* allocations until the n-th */
    unsigned fired; /* how many failed */
    long live;      /* blocks that we own */
} memory;

static bool is_refused(void)
{
    if (!memory.armed || (memory.left > 0 && --memory.left > 0)) {
        return false;
    }
    if (memory.fired > 0 && !memory.for_good) {
        return false;
    }
    memory.fired++;
    errno = ENOMEM;
    return true;
}

static void *count(void *block)
{
    memory.live += block != NULL;
    return block;
}

void *wrap_malloc(size_t size)
{
    return is_refused() ? NULL : count(real_malloc(size));
}

void *wrap_calloc(size_t number, size_t size)
{
    return is_refused() ? NULL : count(real_calloc(number, size));
}

void *wrap_realloc(void *old, size_t size)
{
    if (is_refused()) {
        return NULL;
    }
    return old == NULL ? count(real_malloc(size)) : real_realloc(old, size);
}

void wrap_free(void *old)
{
    memory.live -= old != NULL;
    real_free(old);
}

char *wrap_strdup(const char *text)
{
    return is_refused() ? NULL : count(real_strdup(text));
}

char *wrap_strndup(const char *text, size_t len)
{
    return is_refused() ? NULL : count(real_strndup(text, len));
}

__attribute__((format(printf, 2, 0))) static int print(char **ret, const char *format, va_list args)
{
    int len = is_refused() ? -1 : vasprintf(ret, format, args);
    memory.live += len >= 0;
    return len;
}

int wrap_asprintf(char **ret, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = print(ret, format, args);
    va_end(args);
    return len;
}

int wrap_asprintf_checked(char **ret, int flag, const char *format, ...)
{
    va_list args;
    (void)flag;
    va_start(args, format);
    int len = print(ret, format, args);
    va_end(args);
    return len;
}

DIR *wrap_fdopendir(int fd)
{
    return is_refused() ? NULL : real_fdopendir(fd);
}

int wrap_adddup2(posix_spawn_file_actions_t *actions, int from, int to)
{
    return is_refused() ? ENOMEM : real_adddup2(actions, from, to);
}

int wrap_addclosefrom(posix_spawn_file_actions_t *actions, int from)
{
    return is_refused() ? ENOMEM : real_addclosefrom(actions, from);
}

static const char prepare_answer[] =
    "5300000000000000 00 68af9aafb6cff52f8c60bf4008dab7a0a25864baf89c2f3d8b0795240265a4bd "
    "0000000000000000 80b2e60e 01 6745230100000000 cdab890000000000 01 40e2010000000000 "
    "80f0fa0200000000 08000000";
static const char execute_answer[] =
    "2800000000000000 00 00 08ccdd 00 040401 04d007000004ff 01000000 64000000 "
    "0000000000000000 c0cf6a00 03000000";

static char prepare_program[PATH_MAX];
static char execute_program[PATH_MAX];

static int set_up(void **state)
{
    struct hex_bytes prepared = hex_read(prepare_answer);
    struct hex_bytes executed = hex_read(execute_answer);
    const char *fake = *state;
    if (bench_set_up(state) != 0) {
        return -1;
    }
    bench_fake(fake, "answer", prepared.data, prepared.len, prepare_program);
    bench_beside(prepare_program, "artifact", "\xde\xad\xbe\xef", 4);
    /* Answers too, but for jobs that it is armed for. */
    bench_fake(fake, "kill-job", executed.data, executed.len, execute_program);
    return 0;
}

/* Is this how lack of memory may show? */
static void check_status(int status, const pvf_error *err)
{
    bool is_memory = status == PVF_ERR_NO_MEMORY || err->sys_errno == ENOMEM;
    if (status != 0 && (!is_memory || err->code != status || err->text[0] == '\0' ||
                        strchr(err->text, '\n') != NULL)) {
        memory.armed = false;
        fail_msg("%s: %s", pvf_status_name(status), err->text);
    }
}

static int new_host(pvf_host **ret)
{
    const pvf_host_config config = {
        .prepare_worker_path = prepare_program,
        .execute_worker_path = execute_program,
        .cache_dir = bench.cache,
        .node_version = "1.2.3",
        .log_directives = "debug",
        .spawn_timeout_ms = 20000,
        .quiet = true,
        .security_mode = PVF_SECURITY_DETECT,
    };
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf_host_new(&config, ret, &err);
    check_status(status, &err);
    return status;
}

/* True when it is prepared; *ret is the caller's to release either way. */
static bool prepare(pvf_host *host, pvf_prepare_outcome *ret)
{
    static const uint8_t code[] = {0, 'a', 's', 'm'};
    const pvf_prepare_request request = {.code = {code, sizeof(code)}, .timeout_ms = LIMIT_MS};
    pvf_error err = PVF_ERROR_INIT;
    *ret = (pvf_prepare_outcome){.ok = false};
    int status = pvf_host_prepare(host, &request, ret, &err);
    check_status(status, &err);
    assert_false(ret->deterministic);
    return status == 0 && ret->ok;
}

/* What this machine lacks is no death of anybody's. */
static bool execute(pvf_host *host, const pvf_prepare_outcome *prepared, bool may_die)
{
    static const uint8_t pov[] = {1, 2, 3};
    pvf_execute_request request = {
        .artifact_path = prepared->artifact_path,
        .timeout_ms = LIMIT_MS,
        .pov = {pov, sizeof(pov)},
    };
    memcpy(request.checksum, prepared->checksum, sizeof(request.checksum));
    pvf_outcome outcome = {.verdict = PVF_VERDICT_INTERNAL};
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf_host_execute(host, &request, &outcome, &err);
    check_status(status, &err);
    bool is_death =
        outcome.verdict == PVF_VERDICT_POSSIBLY_INVALID || outcome.reason == PVF_REASON_SELF_TEST;
    if (outcome.verdict == PVF_VERDICT_INVALID || (is_death && !may_die)) {
        memory.armed = false;
        fail_msg("%s (%s): %s",
                 pvf_verdict_name(outcome.verdict),
                 pvf_reason_name(outcome.reason),
                 outcome.text);
    }
    bool valid = status == 0 && outcome.verdict == PVF_VERDICT_VALID;
    pvf_outcome_done(&outcome);
    return valid;
}

static void inspect(pvf_host *host)
{
    char *json = NULL;
    pvf_error err = PVF_ERROR_INIT;
    check_status(pvf_host_inspect(
                     host, (pvf_bytes){(const uint8_t *)"x", 1}, (pvf_bytes){0}, 0, &json, &err),
                 &err);
    free(json);
}

/* A host's life with all that allocates; `dies`: with a worker that dies of its job. */
static void live(bool dies)
{
    pvf_host *host = NULL;
    pvf_prepare_outcome prepared;
    char kept[PATH_MAX];
    memory.armed = true;
    int status = new_host(&host);
    if (status != 0) {
        memory.armed = false;
        return;
    }
    /* Memory may be short for moments: what failed once is asked for again. */
    if (prepare(host, &prepared) && !dies) {
        pvf_error err = PVF_ERROR_INIT;
        (void)snprintf(kept, sizeof(kept), "%s/kept", bench.tmp);
        check_status(pvf_prepare_outcome_keep(&prepared, kept, &err), &err);
    }
    if (prepared.ok) {
        if (dies) {
            bench_beside(execute_program, "armed", "", 0);
        }
        (void)execute(host, &prepared, dies);
    }
    inspect(host);
    memory.armed = false;
    if (prepared.kept) {
        (void)remove(prepared.artifact_path);
    }
    pvf_prepare_outcome_done(&prepared);
    bench_beside(execute_program, "armed", NULL, 0);
    if (memory.fired > 0) {
        assert_true(prepare(host, &prepared));
        assert_true(execute(host, &prepared, false));
        pvf_prepare_outcome_done(&prepared);
    }
    pvf_host_free(host);
}

static void fail_each(bool for_good, bool dies)
{
    struct bench_counts before;
    unsigned number = 0;
    bench_count(&before);
    do {
        long live_before = memory.live;
        number++;
        memory.for_good = for_good;
        memory.left = number;
        memory.fired = 0;
        live(dies);
        if (memory.live != live_before) {
            fail_msg("allocation %u: %ld blocks more", number, memory.live - live_before);
        }
        bench_assert_as_before(&before);
    } while (memory.fired > 0 && number < MOST);
    print_message("%u allocations\n", number - 1);
    assert_in_range(number, 20, MOST - 1);
}

static void one_fails(void **state)
{
    (void)state;
    fail_each(false, false);
}

static void all_fail_from_one_on(void **state)
{
    (void)state;
    fail_each(true, false);
}

static void one_fails_around_a_death(void **state)
{
    (void)state;
    fail_each(false, true);
}

static void all_fail_around_a_death(void **state)
{
    (void)state;
    fail_each(true, true);
}

static void *fake_program;

static int set_up_with_fake(void **state)
{
    *state = fake_program;
    return set_up(state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_fails),
        cmocka_unit_test(all_fail_from_one_on),
        cmocka_unit_test(one_fails_around_a_death),
        cmocka_unit_test(all_fail_around_a_death),
    };
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FAKE_WORKER\n", argv[0]);
        return 2;
    }
    fake_program = argv[1];
    return cmocka_run_group_tests(tests, set_up_with_fake, bench_tear_down);
}
