/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts that are stored, proven, listed, used, collected and removed. */
#include "support/test.h"

#include "base/buf.h"
#include "base/fd.h"
#include "cache/cache_program.h"
#include "hash/hash.h"
#include "pvf/status.h"
#include "pvf/types.h"
#include "support/cache_bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LEN 5000u
/* The marker, the lock and the key. */
#define OWN_FILES 3

static struct cache_bench bench;
static struct pvf__cache *cache;
static struct cache_bench_fixture fixture = {.bench = &bench, .cache = &cache};

static struct pvf__cache_name store(uint8_t seed)
{
    struct pvf__cache_name name;
    assert_int_equal(cache_bench_store(&bench, cache, seed, LEN, &name), 0);
    return name;
}

static void reopen(void)
{
    pvf__cache_close(cache);
    cache = cache_bench_open(&bench);
    assert_non_null(cache);
}

/* Opens with another identity, once. */
static void reopen_as(const struct pvf__cache_identity *identity)
{
    const struct pvf__cache_config config = {
        .folder = bench.parent, .mode = PVF__CACHE_OWN, .identity = identity};
    pvf__cache_close(cache);
    cache = NULL;
    assert_int_equal(pvf__cache_open(&config, &cache, NULL), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return (unsigned)info.st_mode & 07777u;
}

static void what_is_stored_outlives_the_host(void **state)
{
    (void)state;
    struct pvf__cache_name name = store(7);
    assert_true(cache_bench_is_good(cache, &name, 7, LEN));
    reopen();
    assert_true(cache_bench_is_good(cache, &name, 7, LEN));
    assert_int_equal(pvf__cache_counts(cache)->loads[PVF__CACHE_HIT], 1);
    assert_int_equal(pvf__cache_counts(cache)->leftovers, 0);
    /* Moved, not copied, and nobody else's to read. */
    assert_int_equal(cache_bench_count(bench.parent), 1);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES + 2);
    assert_int_equal(mode_of(bench.folder), 0700);
    assert_int_equal(mode_of(cache_bench_path(&bench, &name, PVF__CACHE_KIND_ARTIFACT)), 0600);
    assert_int_equal(mode_of(cache_bench_path(&bench, &name, PVF__CACHE_KIND_META)), 0600);
}

static void a_hit_tells_what_was_known(void **state)
{
    (void)state;
    char path[128];
    struct pvf__cache_meta meta;
    struct pvf__cache_name name;
    struct pvf__cache_artifact found;
    struct pvf__cache_identity identity;
    uint8_t bytes[LEN];
    uint8_t digest[32];
    (void)snprintf(path, sizeof(path), "%s/x", bench.parent);
    assert_int_equal(cache_bench_artifact(path, 3, LEN, &meta), 0);
    assert_int_equal(pvf__cache_store(cache, path, &meta, &name, NULL), 0);
    assert_int_equal(pvf__cache_load(cache, &name, &found), PVF__CACHE_HIT);
    assert_int_equal(fcntl(found.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(found.fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(lseek(found.fd, 0, SEEK_CUR), 0);
    assert_int_equal(close(found.fd), 0);
    assert_memory_equal(found.meta.code_hash, meta.code_hash, 32);
    assert_memory_equal(found.meta.prep_hash, meta.prep_hash, 32);
    assert_memory_equal(found.meta.params_hash, meta.params_hash, 32);
    assert_memory_equal(found.meta.checksum, meta.checksum, 32);
    assert_int_equal(found.meta.cpu_us, meta.cpu_us);
    assert_int_equal(found.meta.wall_us, meta.wall_us);
    assert_int_equal(found.meta.max_rss_kib, meta.max_rss_kib);
    assert_int_equal(found.meta.peak_allocated, meta.peak_allocated);
    assert_int_equal(found.meta.code_len, meta.code_len);
    assert_true(found.meta.prechecked);
    assert_int_equal(found.meta.timeout_ms, meta.timeout_ms);
    assert_int_equal(found.meta.memory_limit, meta.memory_limit);
    assert_int_equal(found.meta.bomb_limit, meta.bomb_limit);
    assert_int_equal(found.meta.size, LEN);
    cache_bench_bytes(3, bytes, LEN);
    pvf__hash_blake2b_256(bytes, LEN, digest);
    assert_memory_equal(found.meta.digest, digest, 32);
    cache_bench_identity(&identity);
    assert_string_equal(found.meta.identity.build, identity.build);
    assert_true(found.meta.created_s > 1600000000u);
}

static void a_name_gives_the_path_to_link(void **state)
{
    (void)state;
    struct pvf__cache_name name = store(1);
    char path[PATH_MAX];
    assert_int_equal(pvf__cache_artifact_path(cache, &name, path, NULL), 0);
    assert_string_equal(path, cache_bench_path(&bench, &name, PVF__CACHE_KIND_ARTIFACT));
    assert_string_equal(pvf__cache_path(cache), bench.folder);
}

static void another_build_or_cpu_is_a_miss(void **state)
{
    (void)state;
    struct pvf__cache_artifact found;
    struct pvf__cache_identity identity;
    struct pvf__cache_name one = store(1);
    struct pvf__cache_name two = store(2);
    cache_bench_identity(&identity);
    identity.cpu[31] ^= 1;
    reopen_as(&identity);
    assert_int_equal(pvf__cache_load(cache, &one, &found), PVF__CACHE_OTHER_CPU);
    identity.cpu[31] ^= 1;
    identity.build[strlen(identity.build) - 1] ^= 1;
    reopen_as(&identity);
    assert_int_equal(pvf__cache_load(cache, &two, &found), PVF__CACHE_OTHER_BUILD);
    /* Both are gone, for us too. */
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
    assert_int_equal(pvf__cache_load(cache, &two, &found), PVF__CACHE_ABSENT);
    assert_int_equal(pvf__cache_counts(cache)->loads[PVF__CACHE_OTHER_BUILD], 1);
}

static void without_an_identity_every_build_is_listed(void **state)
{
    (void)state;
    struct pvf__cache_list list;
    struct pvf__cache_identity identity;
    (void)store(1);
    reopen_as(NULL);
    assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].result, PVF__CACHE_HIT);
    pvf__cache_list_done(&list);
    cache_bench_identity(&identity);
    identity.cpu[0] ^= 0x80;
    reopen_as(&identity);
    assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].result, PVF__CACHE_OTHER_CPU);
    pvf__cache_list_done(&list);
}

static void only_what_the_worker_wrote_is_stored(void **state)
{
    (void)state;
    char path[128];
    char other[128];
    struct pvf__cache_meta meta;
    struct pvf__cache_name name;
    pvf_error err = PVF_ERROR_INIT;
    (void)snprintf(path, sizeof(path), "%s/x", bench.parent);
    (void)snprintf(other, sizeof(other), "%s/y", bench.parent);
    assert_int_equal(cache_bench_artifact(path, 3, LEN, &meta), 0);
    meta.checksum[0] ^= 1;
    assert_int_equal(pvf__cache_store(cache, path, &meta, &name, &err), PVF_ERR_CORRUPT);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(access(path, F_OK), 0);
    meta.checksum[0] ^= 1;
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(pvf__cache_store(cache, other, &meta, &name, &err), PVF_ERR_IO);
    assert_int_equal(pvf__cache_store(cache, "/tmp", &meta, &name, &err), PVF_ERR_CORRUPT);
    assert_int_equal(pvf__cache_store(cache, "/nonexistent", &meta, &name, &err), PVF_ERR_IO);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
    assert_int_equal(pvf__cache_counts(cache)->stored, 0);
    assert_int_equal(pvf__cache_store(cache, path, &meta, &name, &err), 0);
    assert_true(cache_bench_is_good(cache, &name, 3, LEN));
}

static void from_another_file_system_it_is_copied(void **state)
{
    (void)state;
    char path[] = "/dev/shm/pvf-test-cache-XXXXXX";
    struct stat here;
    struct stat there;
    struct pvf__cache_meta meta;
    struct pvf__cache_name name;
    int fd = mkstemp(path);
    if (fd < 0 || fstat(fd, &there) != 0 || stat(bench.folder, &here) != 0 ||
        here.st_dev == there.st_dev) {
        (void)printf("skipped: /dev/shm is no other file system\n");
        skip();
    }
    assert_int_equal(close(fd), 0);
    assert_int_equal(cache_bench_artifact(path, 3, LEN, &meta), 0);
    assert_int_equal(pvf__cache_store(cache, path, &meta, &name, NULL), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(cache_bench_is_good(cache, &name, 3, LEN));
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES + 2);
}

static void the_list_is_in_order_of_use(void **state)
{
    (void)state;
    struct pvf__cache_list list;
    struct pvf__cache_name one = store(1);
    struct pvf__cache_name two = store(2);
    struct pvf__cache_name three = store(3);
    pvf__cache_touch(cache, &one, 3000000);
    pvf__cache_touch(cache, &two, 1000000);
    pvf__cache_touch(cache, &three, 2000000);
    reopen();
    assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
    assert_int_equal(list.count, 3);
    assert_string_equal(list.items[0].name.text, two.text);
    assert_string_equal(list.items[1].name.text, three.text);
    assert_string_equal(list.items[2].name.text, one.text);
    assert_int_equal(list.items[2].last_use_s, 3000000);
    assert_int_equal(list.items[1].meta.code_hash[0], 3);
    assert_int_equal(list.items[1].result, PVF__CACHE_HIT);
    /* Real sizes of both files. */
    assert_true(list.items[0].disk_bytes >= LEN);
    assert_int_equal(list.disk_bytes, 3 * list.items[0].disk_bytes);
    pvf__cache_list_done(&list);
    /* To touch what is gone does nothing. */
    assert_int_equal(pvf__cache_remove(cache, &one, NULL), 0);
    assert_int_equal(pvf__cache_remove(cache, &one, NULL), 0);
    pvf__cache_touch(cache, &one, 1);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES + 4);
}

static void a_removed_artifact_stays_with_who_uses_it(void **state)
{
    (void)state;
    uint8_t byte;
    struct pvf__cache_artifact found;
    struct pvf__cache_name name = store(1);
    assert_int_equal(pvf__cache_load(cache, &name, &found), PVF__CACHE_HIT);
    assert_int_equal(pvf__cache_remove(cache, &name, NULL), 0);
    assert_int_equal(pread(found.fd, &byte, 1, LEN - 1), 1);
    assert_int_equal(close(found.fd), 0);
}

static void collecting_starts_with_the_oldest(void **state)
{
    (void)state;
    struct pvf__cache_gc gc;
    struct pvf__cache_list list;
    struct pvf__cache_name one = store(1);
    struct pvf__cache_name two = store(2);
    struct pvf__cache_name three = store(3);
    pvf__cache_touch(cache, &one, 3000000);
    pvf__cache_touch(cache, &two, 1000000);
    pvf__cache_touch(cache, &three, 2000000);
    assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
    uint64_t each = list.items[0].disk_bytes;
    pvf__cache_list_done(&list);

    struct pvf__cache_limits limits = {.max_bytes = 3 * each};
    assert_int_equal(pvf__cache_gc(cache, &limits, &gc, NULL), 0);
    assert_int_equal(gc.removed, 0);
    assert_int_equal(gc.kept, 3);
    limits = (struct pvf__cache_limits){.max_bytes = 3 * each - 1, .dry_run = true};
    assert_int_equal(pvf__cache_gc(cache, &limits, &gc, NULL), 0);
    assert_int_equal(gc.removed, 1);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES + 6);
    limits.dry_run = false;
    assert_int_equal(pvf__cache_gc(cache, &limits, &gc, NULL), 0);
    assert_int_equal(gc.removed, 1);
    assert_int_equal(gc.removed_bytes, each);
    assert_int_equal(gc.kept_bytes, 2 * each);
    assert_false(gc.floor_missed);
    assert_int_equal(access(cache_bench_path(&bench, &two, PVF__CACHE_KIND_META), F_OK), -1);
    assert_int_equal(access(cache_bench_path(&bench, &three, PVF__CACHE_KIND_META), F_OK), 0);
    /* A floor that no removal reaches empties it, and says so. */
    limits = (struct pvf__cache_limits){.max_bytes = UINT64_MAX, .min_free = UINT64_MAX};
    assert_int_equal(pvf__cache_gc(cache, &limits, &gc, NULL), 0);
    assert_int_equal(gc.kept, 0);
    assert_true(gc.floor_missed);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
    assert_int_equal(access(cache_bench_path(&bench, &one, PVF__CACHE_KIND_META), F_OK), -1);
}

static void free_space_is_that_of_its_disk(void **state)
{
    (void)state;
    struct pvf__cache_space space;
    assert_int_equal(pvf__cache_space(cache, &space, NULL), 0);
    assert_true(space.free_bytes <= space.total_bytes);
    assert_true(space.total_bytes > 0);
}

static void an_identity_is_of_the_programs_bytes(void **state)
{
    (void)state;
    char path[128];
    struct pvf__cache_identity one;
    struct pvf__cache_identity two;
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__cache_worker worker = {.program = "/proc/self/exe", .version = "1.25.1"};
    assert_int_equal(pvf__cache_identity_make(&worker, &one, NULL), 0);
    assert_int_equal(pvf__cache_identity_make(&worker, &two, NULL), 0);
    assert_memory_equal(&one, &two, sizeof(one));
    assert_true(strncmp(one.build, "version=1.25.1 metering=callee program=", 39) == 0);
    assert_int_equal(strlen(one.build), 39 + 64);

    (void)snprintf(path, sizeof(path), "%s/x", bench.parent);
    worker.program = path;
    assert_int_equal(pvf__fd_write_file(path, 0700, "\177ELF 1", 6, NULL), 0);
    assert_int_equal(pvf__cache_identity_make(&worker, &one, NULL), 0);
    assert_int_equal(pvf__fd_write_file(path, 0700, "\177ELF 2", 6, NULL), 0);
    assert_int_equal(pvf__cache_identity_make(&worker, &two, NULL), 0);
    assert_string_not_equal(one.build, two.build);
    assert_memory_equal(one.cpu, two.cpu, sizeof(one.cpu));
    assert_int_equal(pvf__fd_write_file(path, 0700, "#!/bin/sh\n", 10, NULL), 0);
    assert_int_equal(pvf__cache_identity_make(&worker, &two, &err), PVF_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "is a script"));
    worker.program = "/tmp";
    assert_int_equal(pvf__cache_identity_make(&worker, &two, &err), PVF_ERR_INVALID_ARG);
    worker.program = "/nonexistent";
    assert_int_equal(pvf__cache_identity_make(&worker, &two, &err), PVF_ERR_IO);
    worker = (struct pvf__cache_worker){.program = "/proc/self/exe", .version = "1.25.1"};
    assert_int_equal(pvf__cache_identity_make(&worker, &one, &err), 0);
    worker.metering = PVF_METERING_CALLEE;
    assert_int_equal(pvf__cache_identity_make(&worker, &two, &err), 0);
    assert_string_equal(one.build, two.build);
    worker.metering = PVF_METERING_CALL_SITE;
    assert_int_equal(pvf__cache_identity_make(&worker, &two, &err), 0);
    assert_string_not_equal(one.build, two.build);
    worker.more = "engine=49";
    assert_int_equal(pvf__cache_identity_make(&worker, &one, &err), 0);
    assert_string_not_equal(one.build, two.build);
    worker.more = "two words";
    assert_int_equal(pvf__cache_identity_make(&worker, &two, &err), PVF_ERR_INVALID_ARG);
    worker = (struct pvf__cache_worker){.program = "/proc/self/exe", .version = "1 metering=x"};
    assert_int_equal(pvf__cache_identity_make(&worker, &two, &err), PVF_ERR_INVALID_ARG);
}

/* Digests a program; true when its file was read for it. */
static bool reads(const char *kind, const char *program, uint8_t ret[32])
{
    uint64_t size = 0;
    struct stat info;
    const uint64_t before = pvf__cache_counts(cache)->programs_read;
    memset(ret, 0, 32);
    assert_int_equal(pvf__cache_program_digest(cache, kind, program, ret, &size, NULL), 0);
    assert_int_equal(stat(program, &info), 0);
    assert_int_equal(size, info.st_size);
    return pvf__cache_counts(cache)->programs_read != before;
}

static void a_program_that_is_known_is_not_read_again(void **state)
{
    (void)state;
    /* Nobody has changed it in the last seconds. */
    static const char program[] = "/bin/sh";
    uint8_t right[32];
    uint8_t digest[32];
    PVF__CLEANUP_BUF struct pvf__buf bytes = PVF__BUF_INIT((size_t)64 << 20);
    assert_int_equal(pvf__fd_read_file(program, &bytes, NULL), 0);
    pvf__hash_blake2b_256(bytes.data, bytes.len, right);
    assert_true(reads("prepare", program, digest));
    assert_memory_equal(digest, right, 32);
    assert_false(reads("prepare", program, digest));
    assert_memory_equal(digest, right, 32);
    reopen();
    assert_false(reads("prepare", program, digest));
    assert_memory_equal(digest, right, 32);
    /* Another program, and the same one in another part. */
    assert_true(reads("prepare", "/proc/self/exe", digest));
    assert_memory_not_equal(digest, right, 32);
    assert_true(reads("prepare", program, digest));
    assert_true(reads("execute", program, digest));
    assert_memory_equal(digest, right, 32);
}

static void what_is_known_of_a_program_is_sealed(void **state)
{
    (void)state;
    static const char program[] = "/bin/sh";
    char path[160];
    uint8_t right[32];
    uint8_t digest[32];
    PVF__CLEANUP_BUF struct pvf__buf record = PVF__BUF_INIT(1024);
    assert_true(reads("prepare", program, right));
    (void)snprintf(path, sizeof(path), "%s/program-prepare", pvf__cache_path(cache));
    assert_int_equal(pvf__fd_read_file(path, &record, NULL), 0);
    for (size_t i = 0; i <= record.len; i++) {
        if (i < record.len) {
            record.data[i] ^= 0x40;
        }
        /* At last one that is cut. */
        const size_t len = i < record.len ? record.len : record.len - 1;
        assert_int_equal(pvf__fd_write_file(path, 0600, record.data, len, NULL), 0);
        assert_true(reads("prepare", program, digest));
        assert_memory_equal(digest, right, 32);
        if (i < record.len) {
            record.data[i] ^= 0x40;
        }
    }
    /* As it was, it counts; under another key it does not. */
    assert_int_equal(pvf__fd_write_file(path, 0600, record.data, record.len, NULL), 0);
    assert_false(reads("prepare", program, digest));
    (void)snprintf(path, sizeof(path), "%s/key", pvf__cache_path(cache));
    assert_int_equal(unlink(path), 0);
    reopen();
    assert_true(reads("prepare", program, digest));
}

/* Its next change could get the same time. */
static void a_program_that_was_just_changed_is_read_again(void **state)
{
    (void)state;
    char path[128];
    uint8_t one[32];
    uint8_t two[32];
    (void)snprintf(path, sizeof(path), "%s/x", bench.parent);
    assert_int_equal(pvf__fd_write_file(path, 0700, "\177ELF 1", 6, NULL), 0);
    assert_true(reads("prepare", path, one));
    assert_true(reads("prepare", path, two));
    assert_memory_equal(one, two, 32);
    assert_int_equal(pvf__fd_write_file(path, 0700, "\177ELF 2", 6, NULL), 0);
    assert_true(reads("prepare", path, two));
    assert_memory_not_equal(one, two, 32);
}

static void another_feature_is_another_processor(void **state)
{
    (void)state;
    uint8_t one[32];
    uint8_t two[32];
    uint32_t words[17] = {0};
    assert_int_equal(pvf__cache_cpu(one, NULL), 0);
    assert_int_equal(pvf__cache_cpu(two, NULL), 0);
    assert_memory_equal(one, two, 32);
    pvf__cache_cpu_of("x86-64", words, 17, one);
    for (size_t bit = 0; bit < (size_t)17 * 32; bit++) {
        words[bit / 32] ^= 1u << bit % 32;
        pvf__cache_cpu_of("x86-64", words, 17, two);
        assert_memory_not_equal(one, two, 32);
        words[bit / 32] ^= 1u << bit % 32;
    }
    pvf__cache_cpu_of("aarch64", words, 17, two);
    assert_memory_not_equal(one, two, 32);
}

int main(void)
{
#define ROW(name)                                                                                  \
    cmocka_unit_test_prestate_setup_teardown(                                                      \
        name, cache_bench_set_up, cache_bench_tear_down, &fixture)
    const struct CMUnitTest tests[] = {
        ROW(what_is_stored_outlives_the_host),
        ROW(a_hit_tells_what_was_known),
        ROW(a_name_gives_the_path_to_link),
        ROW(another_build_or_cpu_is_a_miss),
        ROW(without_an_identity_every_build_is_listed),
        ROW(only_what_the_worker_wrote_is_stored),
        ROW(from_another_file_system_it_is_copied),
        ROW(the_list_is_in_order_of_use),
        ROW(a_removed_artifact_stays_with_who_uses_it),
        ROW(collecting_starts_with_the_oldest),
        ROW(free_space_is_that_of_its_disk),
        ROW(an_identity_is_of_the_programs_bytes),
        ROW(a_program_that_is_known_is_not_read_again),
        ROW(what_is_known_of_a_program_is_sealed),
        ROW(a_program_that_was_just_changed_is_read_again),
        ROW(another_feature_is_another_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
