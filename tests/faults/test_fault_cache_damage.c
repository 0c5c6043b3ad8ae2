/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs in the cache that are not what was stored: each ends in a clean miss. */
#include "support/test.h"

#include "base/fd.h"
#include "pvf/status.h"
#include "support/cache_bench.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN 20000u
#define OWN_FILES 3
#define SEED 9
#define SOMEBODY 65534u

static struct cache_bench bench;
static struct pvf__cache *cache;
static struct cache_bench_fixture fixture = {.bench = &bench, .cache = &cache};

/* A good pair whose files are put back before each trial. */
struct pair {
    struct pvf__cache_name name;
    char paths[2][192]; /* artifact, sidecar */
    struct pvf__buf bytes[2];
};

static void pair_make(struct pair *pair)
{
    static const enum pvf__cache_kind kinds[] = {PVF__CACHE_KIND_ARTIFACT, PVF__CACHE_KIND_META};
    assert_int_equal(cache_bench_store(&bench, cache, SEED, LEN, &pair->name), 0);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(pair->paths[i],
                       sizeof(pair->paths[i]),
                       "%s",
                       cache_bench_path(&bench, &pair->name, kinds[i]));
        pvf__buf_init(&pair->bytes[i], LEN + 4096);
        assert_int_equal(pvf__fd_read_file(pair->paths[i], &pair->bytes[i], NULL), 0);
    }
}

static void pair_restore(const struct pair *pair)
{
    for (size_t i = 0; i < 2; i++) {
        (void)remove(pair->paths[i]);
        assert_int_equal(
            pvf__fd_write_file(pair->paths[i], 0600, pair->bytes[i].data, pair->bytes[i].len, NULL),
            0);
    }
}

static void pair_done(struct pair *pair)
{
    pvf__buf_done(&pair->bytes[0]);
    pvf__buf_done(&pair->bytes[1]);
}

/* Loading ends in this miss, after which nothing of the pair is there. */
static void misses(const struct pair *pair, enum pvf__cache_result want)
{
    struct pvf__cache_artifact found = {.fd = -2};
    enum pvf__cache_result got = pvf__cache_load(cache, &pair->name, &found);
    if (got != want) {
        fail_msg("%s, not %s", pvf__cache_result_text(got), pvf__cache_result_text(want));
    }
    assert_int_equal(found.fd, -2);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
    assert_int_equal(pvf__cache_load(cache, &pair->name, &found), PVF__CACHE_ABSENT);
}

static void damage(const struct pair *pair, size_t file, size_t at, uint8_t bits)
{
    uint8_t byte = pair->bytes[file].data[at] ^ bits;
    PVF__CLEANUP_FD int fd = open(pair->paths[file], O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

static void put_back_it_is_a_hit(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    pair_restore(&pair);
    assert_true(cache_bench_is_good(cache, &pair.name, SEED, LEN));
    pair_done(&pair);
}

static void a_flip_in_any_byte_of_the_sidecar(void **state)
{
    (void)state;
    struct pair pair;
    struct pvf__cache_artifact found;
    pair_make(&pair);
    for (size_t at = 0; at < pair.bytes[1].len; at++) {
        pair_restore(&pair);
        damage(&pair, 1, at, (uint8_t)(1u << at % 8));
        enum pvf__cache_result got = pvf__cache_load(cache, &pair.name, &found);
        if (got != PVF__CACHE_UNPROVEN && got != PVF__CACHE_MALFORMED) {
            fail_msg("byte %zu: %s", at, pvf__cache_result_text(got));
        }
        assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
    }
    pair_done(&pair);
}

static void a_flip_in_the_artifact(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    for (size_t at = 0; at < LEN; at += at < 64 || at >= LEN - 100 ? 1 : 331) {
        pair_restore(&pair);
        damage(&pair, 0, at, (uint8_t)(1u << at % 8));
        misses(&pair, PVF__CACHE_DAMAGED);
    }
    pair_done(&pair);
}

static void files_that_are_cut_or_longer(void **state)
{
    (void)state;
    struct pair pair;
    struct pvf__cache_artifact found;
    pair_make(&pair);
    for (size_t len = 0; len <= pair.bytes[1].len + 1; len++) {
        pair_restore(&pair);
        assert_int_equal(truncate(pair.paths[1], (off_t)len), 0);
        if (len != pair.bytes[1].len) {
            misses(&pair, PVF__CACHE_MALFORMED);
        }
    }
    static const size_t lens[] = {0, 1, 4095, 4096, LEN - 1, LEN + 1, 2 * LEN};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        pair_restore(&pair);
        assert_int_equal(truncate(pair.paths[0], (off_t)lens[i]), 0);
        misses(&pair, PVF__CACHE_DAMAGED);
    }
    /* Far too large to be read into memory. */
    pair_restore(&pair);
    assert_int_equal(truncate(pair.paths[1], (off_t)1 << 40), 0);
    assert_int_equal(pvf__cache_load(cache, &pair.name, &found), PVF__CACHE_MALFORMED);
    pair_done(&pair);
}

static void half_a_pair(void **state)
{
    (void)state;
    struct pair pair;
    pair_make(&pair);
    for (size_t i = 0; i < 2; i++) {
        pair_restore(&pair);
        assert_int_equal(unlink(pair.paths[i]), 0);
        misses(&pair, PVF__CACHE_ABSENT);
    }
    pair_done(&pair);
}

/* The sidecar of one artifact, and the bytes of another: both are sealed, but not for each other.
 */
static void files_that_are_swapped(void **state)
{
    (void)state;
    struct pair one;
    struct pair two;
    pair_make(&one);
    pair_make(&two);
    assert_int_equal(rename(two.paths[1], one.paths[1]), 0);
    assert_int_equal(unlink(two.paths[0]), 0);
    misses(&one, PVF__CACHE_UNPROVEN);
    pair_done(&one);
    pair_done(&two);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    PVF__CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_true(strlen(path) < sizeof(address.sun_path));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

/* Something else with the same content behind it, or in its place. */
static void files_that_are_no_plain_files_of_ours(void **state)
{
    (void)state;
    struct pair pair;
    char elsewhere[128];
    pair_make(&pair);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", bench.parent);
    for (size_t i = 0; i < 2; i++) {
        pair_restore(&pair);
        assert_int_equal(rename(pair.paths[i], elsewhere), 0);
        assert_int_equal(symlink(elsewhere, pair.paths[i]), 0);
        misses(&pair, PVF__CACHE_UNSAFE);
        /* What the link meant is not ours to remove. */
        assert_int_equal(unlink(elsewhere), 0);

        pair_restore(&pair);
        assert_int_equal(unlink(pair.paths[i]), 0);
        assert_int_equal(mkfifo(pair.paths[i], 0600), 0);
        misses(&pair, PVF__CACHE_UNSAFE);

        pair_restore(&pair);
        assert_int_equal(unlink(pair.paths[i]), 0);
        assert_int_equal(mkdir(pair.paths[i], 0700), 0);
        misses(&pair, PVF__CACHE_UNSAFE);

        pair_restore(&pair);
        assert_int_equal(unlink(pair.paths[i]), 0);
        make_socket(pair.paths[i]);
        misses(&pair, PVF__CACHE_UNSAFE);

        pair_restore(&pair);
        assert_int_equal(chmod(pair.paths[i], 0620), 0);
        misses(&pair, PVF__CACHE_UNSAFE);
        pair_restore(&pair);
        assert_int_equal(chmod(pair.paths[i], 0602), 0);
        misses(&pair, PVF__CACHE_UNSAFE);

        if (geteuid() == 0) {
            pair_restore(&pair);
            assert_int_equal(chown(pair.paths[i], SOMEBODY, SOMEBODY), 0);
            misses(&pair, PVF__CACHE_UNSAFE);
        }
    }
    pair_done(&pair);
}

/* A folder with something in it cannot be removed; it does no harm. */
static void a_full_folder_in_place_of_a_file(void **state)
{
    (void)state;
    struct pair pair;
    char inside[224];
    struct pvf__cache_artifact found;
    struct pvf__cache_name name;
    pair_make(&pair);
    assert_int_equal(unlink(pair.paths[0]), 0);
    assert_int_equal(mkdir(pair.paths[0], 0700), 0);
    (void)snprintf(inside, sizeof(inside), "%s/mine", pair.paths[0]);
    assert_int_equal(pvf__fd_write_file(inside, 0600, "mine", 4, NULL), 0);
    assert_int_equal(pvf__cache_load(cache, &pair.name, &found), PVF__CACHE_UNSAFE);
    assert_int_equal(access(inside, F_OK), 0);
    pvf__cache_close(cache);
    cache = cache_bench_open(&bench);
    assert_non_null(cache);
    assert_int_equal(cache_bench_store(&bench, cache, 1, LEN, &name), 0);
    assert_true(cache_bench_is_good(cache, &name, 1, LEN));
    const struct pvf__cache_limits limits = {.max_bytes = UINT64_MAX};
    struct pvf__cache_gc gc;
    assert_int_equal(pvf__cache_gc(cache, &limits, &gc, NULL), 0);
    assert_true(cache_bench_is_good(cache, &name, 1, LEN));
    pair_done(&pair);
}

/* The list judges like a load does, but for the artifact's bytes, and removes nothing. */
static void the_list_sees_what_is_wrong(void **state)
{
    (void)state;
    struct pair pair;
    struct pvf__cache_list list;
    pair_make(&pair);
    for (int i = 0; i < 4; i++) {
        static const enum pvf__cache_result results[] = {
            PVF__CACHE_DAMAGED, PVF__CACHE_UNPROVEN, PVF__CACHE_ABSENT, PVF__CACHE_UNSAFE};
        pair_restore(&pair);
        switch (i) {
        case 0:
            assert_int_equal(truncate(pair.paths[0], 5), 0);
            break;
        case 1:
            damage(&pair, 1, pair.bytes[1].len - 1, 1);
            break;
        case 2:
            assert_int_equal(unlink(pair.paths[0]), 0);
            break;
        default:
            assert_int_equal(chmod(pair.paths[1], 0666), 0);
            break;
        }
        assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_int_equal(list.items[0].result, results[i]);
        pvf__cache_list_done(&list);
    }
    assert_int_equal(pvf__cache_counts(cache)->removed, 0);
    /* Collecting is what removes it. */
    const struct pvf__cache_limits limits = {.max_bytes = UINT64_MAX};
    struct pvf__cache_gc gc;
    assert_int_equal(pvf__cache_gc(cache, &limits, &gc, NULL), 0);
    assert_int_equal(gc.removed, 1);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
    pair_done(&pair);
}

/* Without descriptors nothing can be said, and nothing is removed. */
static void out_of_descriptors_is_no_damage(void **state)
{
    (void)state;
    struct rlimit before;
    struct rlimit none;
    struct pair pair;
    struct pvf__cache_artifact found;
    pair_make(&pair);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    enum pvf__cache_result got = pvf__cache_load(cache, &pair.name, &found);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(got, PVF__CACHE_NOT_NOW);
    assert_true(cache_bench_is_good(cache, &pair.name, SEED, LEN));
    pair_done(&pair);
}

/* What the child of the next test found. */
enum {
    FINE,
    WRONG,
    NO_MOUNT,
    REFUSED
};

/*
 * On a disk of `blocks` pages: stores twice, the first time with room for some of it.  Whatever
 * failed, what is listed is good and what was not stored is still where it was.
 */
static int on_a_small_disk(const struct cache_bench *small, const char *artifact, unsigned blocks)
{
    char options[64];
    struct pvf__cache_meta meta;
    struct pvf__cache_name name;
    struct pvf__cache_list list;
    struct pvf__cache_identity identity;
    struct pvf__cache *on_it = NULL;
    (void)snprintf(options, sizeof(options), "size=%u,mode=700", blocks * 4096);
    if (mount("none", small->parent, "tmpfs", MS_NODEV | MS_NOSUID, options) != 0) {
        return NO_MOUNT;
    }
    cache_bench_identity(&identity);
    const struct pvf__cache_config config = {
        .folder = small->parent, .mode = PVF__CACHE_OWN, .identity = &identity};
    if (pvf__cache_open(&config, &on_it, NULL) != 0) {
        /* Not even room for a key. */
        int left = cache_bench_count(small->folder);
        return umount(small->parent) == 0 && left <= OWN_FILES ? REFUSED : WRONG;
    }
    pvf_error err = PVF_ERROR_INIT;
    bool good = cache_bench_artifact(artifact, SEED, LEN, &meta) == 0;
    int status = pvf__cache_store(on_it, artifact, &meta, &name, &err);
    good = good && (status == 0 || (status == PVF_ERR_IO && access(artifact, F_OK) == 0));
    good = good && pvf__cache_list(on_it, &list, NULL) == 0 && list.count == (status == 0);
    good = good && (status != 0 || cache_bench_is_good(on_it, &name, SEED, LEN));
    good = good && cache_bench_count(small->folder) == OWN_FILES + (status == 0 ? 2 : 0);
    pvf__cache_close(on_it);
    good = good && umount(small->parent) == 0;
    return !good ? WRONG : status == 0 ? FINE : REFUSED;
}

static bool write_proc(const char *path, const char *text)
{
    return pvf__fd_write_file(path, 0600, text, strlen(text), NULL) == 0;
}

/* Who is not root may mount in a user namespace, where it stays who it was. */
static bool may_mount(void)
{
    char users[48];
    char groups[48];
    if (geteuid() == 0) {
        return unshare(CLONE_NEWNS) == 0;
    }
    (void)snprintf(users, sizeof(users), "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    (void)snprintf(groups, sizeof(groups), "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
    return unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0 && write_proc("/proc/self/uid_map", users) &&
           write_proc("/proc/self/setgroups", "deny") && write_proc("/proc/self/gid_map", groups);
}

static int in_own_namespace(const struct cache_bench *small, const char *artifact)
{
    int seen[4] = {0};
    if (!may_mount() || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        return NO_MOUNT;
    }
    for (unsigned blocks = 1; blocks <= 16; blocks++) {
        seen[on_a_small_disk(small, artifact, blocks)]++;
    }
    if (seen[NO_MOUNT] > 0) {
        return NO_MOUNT;
    }
    /* Both ends of the range were met, or nothing was tried. */
    return seen[WRONG] == 0 && seen[FINE] > 0 && seen[REFUSED] > 1 ? FINE : WRONG;
}

static void a_full_disk(void **state)
{
    (void)state;
    char artifact[96];
    struct cache_bench small;
    int status;
    (void)snprintf(artifact, sizeof(artifact), "%s/artifact", bench.parent);
    assert_int_equal(cache_bench_make(&small), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(in_own_namespace(&small, artifact));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    cache_bench_done(&small);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_MOUNT) {
        (void)printf("skipped: no file system can be mounted here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), FINE);
}

int main(void)
{
#define ROW(name)                                                                                  \
    cmocka_unit_test_prestate_setup_teardown(                                                      \
        name, cache_bench_set_up, cache_bench_tear_down, &fixture)
    const struct CMUnitTest tests[] = {
        ROW(put_back_it_is_a_hit),
        ROW(a_flip_in_any_byte_of_the_sidecar),
        ROW(a_flip_in_the_artifact),
        ROW(files_that_are_cut_or_longer),
        ROW(half_a_pair),
        ROW(files_that_are_swapped),
        ROW(files_that_are_no_plain_files_of_ours),
        ROW(a_full_folder_in_place_of_a_file),
        ROW(the_list_sees_what_is_wrong),
        ROW(out_of_descriptors_is_no_damage),
        ROW(a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
