/* SPDX-License-Identifier: Apache-2.0 */
/* Which folder is the cache, who owns it, and that nothing of anybody else's is touched. */
#include "support/test.h"

#include "base/fd.h"
#include "pvf/status.h"
#include "support/cache_bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN 3000u
#define OWN_FILES 3
#define SOMEBODY 65534u

static struct cache_bench bench;

static int set_up(void **state)
{
    (void)state;
    return cache_bench_make(&bench);
}

static int tear_down(void **state)
{
    (void)state;
    cache_bench_done(&bench);
    return 0;
}

/* Opens without identity; *ret_err says why not. */
static struct pvf__cache *try_open(enum pvf__cache_mode mode, pvf_error *ret_err)
{
    struct pvf__cache *cache = NULL;
    const struct pvf__cache_config config = {.folder = bench.parent, .mode = mode};
    *ret_err = (pvf_error)PVF_ERROR_INIT;
    return pvf__cache_open(&config, &cache, ret_err) == 0 ? cache : NULL;
}

static void refused(enum pvf__cache_mode mode, int code, const char *text)
{
    pvf_error err;
    struct pvf__cache *cache = try_open(mode, &err);
    assert_null(cache);
    if (err.code != code || strstr(err.text, text) == NULL) {
        fail_msg("%d, %s: not %d and '%s'", err.code, err.text, code, text);
    }
}

static const char *in_folder(const char *file)
{
    static char path[160];
    (void)snprintf(path, sizeof(path), "%s/%s", bench.folder, file);
    return path;
}

static void write_text(const char *path, const char *text)
{
    assert_int_equal(pvf__fd_write_file(path, 0600, text, strlen(text), NULL), 0);
}

static void make_cache(void)
{
    struct pvf__cache *cache = cache_bench_open(&bench);
    assert_non_null(cache);
    pvf__cache_close(cache);
}

static void an_owner_makes_what_is_missing(void **state)
{
    (void)state;
    struct stat info;
    assert_int_equal(rmdir(bench.parent), 0);
    make_cache();
    assert_int_equal(stat(bench.parent, &info), 0);
    assert_int_equal(info.st_mode & 07777u, 0700);
    assert_int_equal(stat(in_folder("key"), &info), 0);
    assert_int_equal(info.st_mode & 07777u, 0600);
    assert_int_equal(info.st_size, 32);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
}

static void who_only_looks_makes_nothing(void **state)
{
    (void)state;
    refused(PVF__CACHE_LOOK, PVF_ERR_INVALID_ARG, "cannot open the cache");
    assert_int_equal(cache_bench_count(bench.parent), 0);
    assert_int_equal(mkdir(bench.folder, 0700), 0);
    refused(PVF__CACHE_LOOK, PVF_ERR_INVALID_ARG, "is no artifact cache");
    assert_int_equal(cache_bench_count(bench.folder), 0);
    assert_int_equal(rmdir(bench.folder), 0);
    assert_int_equal(rmdir(bench.parent), 0);
    refused(PVF__CACHE_LOOK, PVF_ERR_INVALID_ARG, "cannot use the cache folder");
}

static void foreign_files_are_left_alone(void **state)
{
    (void)state;
    char mine[128];
    (void)snprintf(mine, sizeof(mine), "%s/mine.pvf", bench.parent);
    write_text(mine, "mine");
    make_cache();
    assert_int_equal(access(mine, F_OK), 0);
    /* In our folder too. */
    static const char *const names[] = {"notes",
                                        "x.pvf",
                                        "0x00.pvf",
                                        "0123456789abcdef0123456789abcdeF.pvf",
                                        "0123456789abcdef0123456789abcdef0.pvf",
                                        "0123456789abcdef0123456789abcdef.pvf.bak",
                                        "0123456789abcdef0123456789abcdef"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        write_text(in_folder(names[i]), "mine");
    }
    struct pvf__cache *cache = cache_bench_open(&bench);
    assert_non_null(cache);
    const struct pvf__cache_limits limits = {.max_bytes = 0, .min_free = UINT64_MAX};
    struct pvf__cache_gc gc;
    assert_int_equal(pvf__cache_gc(cache, &limits, &gc, NULL), 0);
    pvf__cache_close(cache);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(access(in_folder(names[i]), F_OK), 0);
    }
}

static void a_folder_full_of_something_else_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(bench.folder, 0700), 0);
    write_text(in_folder("holiday.pvf"), "mine");
    refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "there are files in it");
    write_text(in_folder("marker"), "somebody's");
    refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "marker is not ours");
    write_text(in_folder("marker"), "pvf artifact cache 2\n");
    refused(PVF__CACHE_OWN, PVF_ERR_UNSUPPORTED, "another format");
    assert_int_equal(cache_bench_count(bench.folder), 2);
    /* Links are no markers. */
    assert_int_equal(unlink(in_folder("marker")), 0);
    assert_int_equal(symlink("/etc/passwd", in_folder("marker")), 0);
    refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "marker is not ours");
}

static void a_start_that_was_interrupted_goes_on(void **state)
{
    (void)state;
    pvf_error err;
    assert_int_equal(mkdir(bench.folder, 0700), 0);
    write_text(in_folder("lock"), "");
    write_text(in_folder("0123456789abcdef0123456789abcdef.tmp"), "pvf arti");
    struct pvf__cache *cache = try_open(PVF__CACHE_OWN, &err);
    assert_non_null(cache);
    assert_int_equal(pvf__cache_counts(cache)->leftovers, 1);
    pvf__cache_close(cache);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
}

static void unsafe_folders_are_refused(void **state)
{
    (void)state;
    char elsewhere[128];
    make_cache();
    assert_int_equal(chmod(bench.folder, 0770), 0);
    refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "others may write to");
    refused(PVF__CACHE_LOOK, PVF_ERR_INVALID_ARG, "others may write to");
    assert_int_equal(chmod(bench.folder, 0702), 0);
    refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "others may write to");
    assert_int_equal(chmod(bench.folder, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(bench.folder, SOMEBODY, SOMEBODY), 0);
        refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "belongs to user 65534");
        assert_int_equal(chown(bench.folder, 0, 0), 0);
    } else {
        (void)printf("not tried: only root can give a folder away\n");
    }
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", bench.parent);
    assert_int_equal(rename(bench.folder, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, bench.folder), 0);
    refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "cannot open the cache");
    assert_int_equal(unlink(bench.folder), 0);
    write_text(bench.folder, "a file");
    refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "cannot open the cache");
}

/* A host that owns the cache until it is told to end. */
static pid_t start_owner(int *ret_end)
{
    int ready[2];
    int end[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(end[1]);
        struct pvf__cache *cache = cache_bench_open(&bench);
        byte = cache != NULL ? 1 : 0;
        bool told = write(ready[1], &byte, 1) == 1;
        bool ended = read(end[0], &byte, 1) == 0;
        /* Not closed: the kernel has to let go of the lock. */
        _exit(cache != NULL && told && ended ? 0 : 1);
    }
    (void)close(ready[1]);
    (void)close(end[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    (void)close(ready[0]);
    *ret_end = end[1];
    return child;
}

static void a_second_host_is_told_who_has_it(void **state)
{
    (void)state;
    int end;
    int status;
    char text[32];
    pvf_error err;
    pid_t owner = start_owner(&end);
    (void)snprintf(text, sizeof(text), "process %d (test_cache_fold) uses the cache", (int)owner);
    refused(PVF__CACHE_OWN, PVF_ERR_BUSY, text);
    refused(PVF__CACHE_OWN, PVF_ERR_BUSY, "name another folder");
    /* To look is always possible, to change is not. */
    struct pvf__cache *cache = try_open(PVF__CACHE_LOOK, &err);
    assert_non_null(cache);
    struct pvf__cache_list list;
    struct pvf__cache_name name = {.text = "0123456789abcdef0123456789abcdef"};
    assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
    assert_int_equal(list.count, 0);
    pvf__cache_list_done(&list);
    assert_int_equal(pvf__cache_remove(cache, &name, NULL), PVF_ERR_INVALID_ARG);
    const struct pvf__cache_meta meta = {.size = 0};
    assert_int_equal(pvf__cache_store(cache, "/tmp/x", &meta, &name, NULL), PVF_ERR_INVALID_ARG);
    pvf__cache_close(cache);
    assert_int_equal(close(end), 0);
    assert_int_equal(waitpid(owner, &status, 0), owner);
    assert_int_equal(status, 0);
    make_cache();
}

static void a_killed_owner_leaves_no_lock(void **state)
{
    (void)state;
    int end;
    int status;
    pid_t owner = start_owner(&end);
    assert_int_equal(kill(owner, SIGKILL), 0);
    assert_int_equal(waitpid(owner, &status, 0), owner);
    assert_int_equal(close(end), 0);
    make_cache();
}

static void a_lock_without_a_pid_locks_too(void **state)
{
    (void)state;
    int end;
    int status;
    pid_t owner = start_owner(&end);
    assert_int_equal(truncate(in_folder("lock"), 0), 0);
    refused(PVF__CACHE_OWN, PVF_ERR_BUSY, "another process uses the cache");
    assert_int_equal(close(end), 0);
    assert_int_equal(waitpid(owner, &status, 0), owner);
    assert_int_equal(unlink(in_folder("lock")), 0);
    assert_int_equal(symlink("key", in_folder("lock")), 0);
    refused(PVF__CACHE_OWN, PVF_ERR_IO, "cannot open the lock");
    assert_int_equal(unlink(in_folder("lock")), 0);
    assert_int_equal(mkfifo(in_folder("lock"), 0600), 0);
    refused(PVF__CACHE_OWN, PVF_ERR_INVALID_ARG, "is no file of ours");
}

/* After `spoil` the key is another, and what was stored under the old one is a miss. */
static void key_is_made_anew(void (*spoil)(void))
{
    struct pvf__cache_name name;
    struct pvf__cache_artifact found;
    struct pvf__cache_list list;
    struct stat info;
    struct pvf__cache *cache = cache_bench_open(&bench);
    assert_non_null(cache);
    assert_int_equal(cache_bench_store(&bench, cache, 1, LEN, &name), 0);
    pvf__cache_close(cache);
    spoil();
    cache = cache_bench_open(&bench);
    assert_non_null(cache);
    assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].result, PVF__CACHE_UNPROVEN);
    pvf__cache_list_done(&list);
    assert_int_equal(pvf__cache_load(cache, &name, &found), PVF__CACHE_UNPROVEN);
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES);
    assert_int_equal(lstat(in_folder("key"), &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(info.st_mode & 07777u, 0600);
    /* And all is well from here on. */
    assert_int_equal(cache_bench_store(&bench, cache, 2, LEN, &name), 0);
    pvf__cache_close(cache);
    cache = cache_bench_open(&bench);
    assert_non_null(cache);
    assert_true(cache_bench_is_good(cache, &name, 2, LEN));
    assert_int_equal(pvf__cache_remove(cache, &name, NULL), 0);
    pvf__cache_close(cache);
}

static void lose_key(void)
{
    assert_int_equal(unlink(in_folder("key")), 0);
}

static void cut_key(void)
{
    assert_int_equal(truncate(in_folder("key"), 31), 0);
}

static void lengthen_key(void)
{
    assert_int_equal(truncate(in_folder("key"), 33), 0);
}

static void change_key(void)
{
    write_text(in_folder("key"), "0123456789abcdef0123456789abcdef");
}

static void show_key(void)
{
    assert_int_equal(chmod(in_folder("key"), 0640), 0);
}

static void link_key(void)
{
    lose_key();
    assert_int_equal(symlink("/dev/zero", in_folder("key")), 0);
}

static void make_key_a_folder(void)
{
    lose_key();
    assert_int_equal(mkdir(in_folder("key"), 0700), 0);
}

static void give_key_away(void)
{
    if (geteuid() == 0) {
        assert_int_equal(chown(in_folder("key"), SOMEBODY, SOMEBODY), 0);
    } else {
        lose_key();
    }
}

static void a_lost_or_unsafe_key_makes_misses(void **state)
{
    (void)state;
    void (*const spoils[])(void) = {lose_key,
                                    cut_key,
                                    lengthen_key,
                                    change_key,
                                    show_key,
                                    link_key,
                                    make_key_a_folder,
                                    give_key_away};
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        key_is_made_anew(spoils[i]);
    }
}

static void who_only_looks_says_so_without_a_key(void **state)
{
    (void)state;
    pvf_error err;
    struct pvf__cache_name name;
    struct pvf__cache_list list;
    struct pvf__cache_artifact found;
    struct pvf__cache *cache = cache_bench_open(&bench);
    assert_non_null(cache);
    assert_int_equal(cache_bench_store(&bench, cache, 1, LEN, &name), 0);
    pvf__cache_close(cache);
    lose_key();
    cache = try_open(PVF__CACHE_LOOK, &err);
    assert_non_null(cache);
    assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].result, PVF__CACHE_UNPROVEN);
    assert_int_equal(list.items[0].meta.code_hash[0], 1);
    pvf__cache_list_done(&list);
    assert_int_equal(pvf__cache_load(cache, &name, &found), PVF__CACHE_UNPROVEN);
    pvf__cache_close(cache);
    /* Nothing was changed. */
    assert_int_equal(cache_bench_count(bench.folder), OWN_FILES - 1 + 2);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(an_owner_makes_what_is_missing),
        ROW(who_only_looks_makes_nothing),
        ROW(foreign_files_are_left_alone),
        ROW(a_folder_full_of_something_else_is_refused),
        ROW(a_start_that_was_interrupted_goes_on),
        ROW(unsafe_folders_are_refused),
        ROW(a_second_host_is_told_who_has_it),
        ROW(a_killed_owner_leaves_no_lock),
        ROW(a_lock_without_a_pid_locks_too),
        ROW(a_lost_or_unsafe_key_makes_misses),
        ROW(who_only_looks_says_so_without_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
