/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes, or the disk fails, at any call that changes something.  After a cut a disk may
 * have lost what was not synced: bytes of files, and names in folders, all of them or some.
 */
#include "support/test.h"

#include "base/fd.h"
#include "support/cache_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEN 9000u
#define OWN_FILES 3
#define SEED 5
#define MOST 64u

/* How the child ended. */
enum {
    CUT = 0,
    DONE = 7,
    BROKEN = 9
};

/* What is lost at the cut, beside the calls that were not made any more. */
enum loss {
    LOST_NOTHING,
    LOST_BYTES,
    LOST_ALL_NAMES,
    LOST_SOME_NAMES
};

enum undo {
    UNDO_NAME,
    UNDO_RENAME,
    UNDO_REMOVAL,
    UNDO_FOLDER
};

static struct {
    bool on;
    unsigned calls;   /* that changed something, so far */
    unsigned cut_at;  /* before this one; 0: never */
    unsigned fail_at; /* this one; 0: never */
    int fail_errno;
    enum loss loss;
    uint32_t random;
    /* Files with bytes that were not synced, each with a descriptor of its own. */
    struct {
        ino_t inode;
        int fd;
    } dirty[MOST];
    size_t dirty_count;
    /* Names that were made, changed or removed in folders that were not synced. */
    struct {
        enum undo what;
        ino_t folder;
        int fd; /* of the folder */
        char name[64];
        char other[64];
    } names[MOST];
    size_t name_count;
    int stash; /* a folder that keeps what is removed */
} disk;

static char stash_path[96];

ssize_t real_write(int fd, const void *data, size_t len) __asm__("__real_write");
ssize_t real_pwrite(int fd, const void *data, size_t len, off_t at) __asm__("__real_pwrite");
int real_openat(int folder, const char *name, int flags, ...) __asm__("__real_openat");
int real_ftruncate(int fd, off_t len) __asm__("__real_ftruncate");
int real_fchmod(int fd, mode_t mode) __asm__("__real_fchmod");
int real_fsync(int fd) __asm__("__real_fsync");
int real_linkat(int from, const char *name, int to, const char *other, int flags) __asm__(
    "__real_linkat");
int real_renameat(int from, const char *name, int to, const char *other) __asm__("__real_renameat");
int real_unlinkat(int folder, const char *name, int flags) __asm__("__real_unlinkat");
int real_mkdir(const char *path, mode_t mode) __asm__("__real_mkdir");
int real_mkdirat(int folder, const char *name, mode_t mode) __asm__("__real_mkdirat");
int real_unlink(const char *path) __asm__("__real_unlink");
ssize_t wrap_write(int fd, const void *data, size_t len) __asm__("__wrap_write");
ssize_t wrap_pwrite(int fd, const void *data, size_t len, off_t at) __asm__("__wrap_pwrite");
int wrap_openat(int folder, const char *name, int flags, ...) __asm__("__wrap_openat");
int wrap_ftruncate(int fd, off_t len) __asm__("__wrap_ftruncate");
int wrap_fchmod(int fd, mode_t mode) __asm__("__wrap_fchmod");
int wrap_fsync(int fd) __asm__("__wrap_fsync");
int wrap_linkat(int from, const char *name, int to, const char *other, int flags) __asm__(
    "__wrap_linkat");
int wrap_renameat(int from, const char *name, int to, const char *other) __asm__("__wrap_renameat");
int wrap_unlinkat(int folder, const char *name, int flags) __asm__("__wrap_unlinkat");
int wrap_mkdir(const char *path, mode_t mode) __asm__("__wrap_mkdir");
int wrap_mkdirat(int folder, const char *name, mode_t mode) __asm__("__wrap_mkdirat");
int wrap_unlink(const char *path) __asm__("__wrap_unlink");

static ino_t inode_of(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

static void add_dirty(int fd, int own)
{
    if (disk.dirty_count < MOST) {
        disk.dirty[disk.dirty_count].inode = inode_of(fd);
        disk.dirty[disk.dirty_count++].fd = own;
    }
}

static void add_name(enum undo what, int folder, const char *name, const char *other)
{
    if (disk.name_count == MOST) {
        _exit(BROKEN);
    }
    size_t i = disk.name_count++;
    disk.names[i].what = what;
    disk.names[i].folder = inode_of(folder);
    disk.names[i].fd = dup(folder);
    (void)snprintf(disk.names[i].name, sizeof(disk.names[i].name), "%s", name);
    (void)snprintf(disk.names[i].other, sizeof(disk.names[i].other), "%s", other);
}

static void undo_name(size_t i)
{
    const char *name = disk.names[i].name;
    int folder = disk.names[i].fd;
    switch (disk.names[i].what) {
    case UNDO_NAME:
        (void)real_unlinkat(folder, name, 0);
        break;
    case UNDO_RENAME:
        (void)real_renameat(folder, disk.names[i].other, folder, name);
        break;
    case UNDO_REMOVAL:
        (void)real_linkat(disk.stash, disk.names[i].other, folder, name, 0);
        break;
    case UNDO_FOLDER:
    default:
        /* Only an empty one goes, as only then nothing in it was synced. */
        (void)real_unlinkat(folder, name, AT_REMOVEDIR);
        break;
    }
}

static void lose_power(void)
{
    disk.on = false;
    if (disk.loss == LOST_NOTHING) {
        return;
    }
    for (size_t i = 0; i < disk.dirty_count; i++) {
        struct stat info;
        if (fstat(disk.dirty[i].fd, &info) == 0) {
            (void)real_ftruncate(disk.dirty[i].fd, info.st_size / 2);
        }
    }
    if (disk.loss == LOST_BYTES) {
        return;
    }
    for (size_t i = disk.name_count; i > 0; i--) {
        disk.random = disk.random * 1664525u + 1013904223u;
        if (disk.loss == LOST_ALL_NAMES || (disk.random >> 16) % 2 == 0) {
            undo_name(i - 1);
        }
    }
}

/* True when the call is to fail instead of being made. */
static bool next_call(void)
{
    if (!disk.on) {
        return false;
    }
    disk.calls++;
    if (disk.calls == disk.cut_at) {
        lose_power();
        _exit(CUT);
    }
    if (disk.calls == disk.fail_at) {
        errno = disk.fail_errno;
        return true;
    }
    return false;
}

ssize_t wrap_write(int fd, const void *data, size_t len)
{
    /* A disk may take a part, too. */
    if (disk.on && len > 1) {
        len = len / 2 + 1;
    }
    return next_call() ? -1 : real_write(fd, data, len);
}

ssize_t wrap_pwrite(int fd, const void *data, size_t len, off_t at)
{
    return next_call() ? -1 : real_pwrite(fd, data, len, at);
}

int wrap_openat(int folder, const char *name, int flags, ...)
{
    if ((flags & O_CREAT) == 0) {
        return real_openat(folder, name, flags);
    }
    struct stat info;
    bool fresh = fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0;
    if (next_call()) {
        return -1;
    }
    int fd = real_openat(folder, name, flags, 0600);
    if (fd >= 0 && disk.on && fresh) {
        add_dirty(fd, dup(fd));
        add_name(UNDO_NAME, folder, name, "");
    }
    return fd;
}

int wrap_ftruncate(int fd, off_t len)
{
    return next_call() ? -1 : real_ftruncate(fd, len);
}

int wrap_fchmod(int fd, mode_t mode)
{
    return next_call() ? -1 : real_fchmod(fd, mode);
}

int wrap_fsync(int fd)
{
    if (next_call()) {
        return -1;
    }
    int status = real_fsync(fd);
    ino_t inode = inode_of(fd);
    size_t kept = 0;
    for (size_t i = 0; disk.on && i < disk.dirty_count; i++) {
        if (disk.dirty[i].inode != inode) {
            disk.dirty[kept++] = disk.dirty[i];
        }
    }
    disk.dirty_count = kept;
    kept = 0;
    for (size_t i = 0; disk.on && i < disk.name_count; i++) {
        if (disk.names[i].folder != inode) {
            disk.names[kept++] = disk.names[i];
        }
    }
    disk.name_count = kept;
    return status;
}

int wrap_linkat(int from, const char *name, int to, const char *other, int flags)
{
    if (next_call()) {
        return -1;
    }
    int status = real_linkat(from, name, to, other, flags);
    if (status == 0 && disk.on) {
        add_name(UNDO_NAME, to, other, "");
    }
    return status;
}

int wrap_renameat(int from, const char *name, int to, const char *other)
{
    if (next_call()) {
        return -1;
    }
    int status = real_renameat(from, name, to, other);
    if (status == 0 && disk.on) {
        add_name(UNDO_RENAME, to, name, other);
    }
    return status;
}

int wrap_unlinkat(int folder, const char *name, int flags)
{
    char kept[64];
    if (next_call()) {
        return -1;
    }
    (void)snprintf(kept, sizeof(kept), "%u", disk.calls);
    bool stashed = disk.on && flags == 0 && real_linkat(folder, name, disk.stash, kept, 0) == 0;
    int status = real_unlinkat(folder, name, flags);
    if (status == 0 && stashed) {
        add_name(UNDO_REMOVAL, folder, name, kept);
    }
    return status;
}

int wrap_mkdir(const char *path, mode_t mode)
{
    return next_call() ? -1 : real_mkdir(path, mode);
}

int wrap_mkdirat(int folder, const char *name, mode_t mode)
{
    if (next_call()) {
        return -1;
    }
    int status = real_mkdirat(folder, name, mode);
    if (status == 0 && disk.on) {
        add_name(UNDO_FOLDER, folder, name, "");
    }
    return status;
}

int wrap_unlink(const char *path)
{
    return next_call() ? -1 : real_unlink(path);
}

static struct cache_bench bench;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(stash_path, sizeof(stash_path), "/tmp/pvf-test-stash-XXXXXX");
    return mkdtemp(stash_path) != NULL && cache_bench_make(&bench) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    struct cache_bench stash;
    (void)snprintf(stash.parent, sizeof(stash.parent), "%.60s", stash_path);
    cache_bench_done(&stash);
    cache_bench_done(&bench);
    return 0;
}

static const char *artifact_path(void)
{
    static char path[96];
    (void)snprintf(path, sizeof(path), "%s/artifact", bench.parent);
    return path;
}

/* Switches the calls' count on; the worker's file is not synced yet. */
static void arm(void)
{
    PVF__CLEANUP_FD int artifact = open(artifact_path(), O_RDWR | O_CLOEXEC);
    disk.stash = open(stash_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (artifact >= 0) {
        add_dirty(artifact, dup(artifact));
    }
    disk.on = true;
}

/* What a host does that has a new artifact; in a child. */
static int open_and_store(void)
{
    struct pvf__cache_meta meta;
    struct pvf__cache_name name;
    if (cache_bench_artifact(artifact_path(), SEED, LEN, &meta) != 0) {
        return BROKEN;
    }
    arm();
    struct pvf__cache *cache = cache_bench_open(&bench);
    int status = cache != NULL ? pvf__cache_store(cache, artifact_path(), &meta, &name, NULL) : -1;
    /* The cut may come a moment later: what is stored is stored. */
    lose_power();
    return status == 0 ? DONE : BROKEN;
}

/* One child with the power cut before the n-th call; how it ended. */
static int run_child(int (*work)(void), unsigned n, enum loss loss, uint32_t seed)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        disk.cut_at = n;
        disk.loss = loss;
        disk.random = seed;
        _exit(work());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Opens after a cut: everything that is listed is whole, and nothing else is there. */
static size_t good_entries_after(unsigned n)
{
    struct pvf__cache_list list;
    struct pvf__cache *cache = cache_bench_open(&bench);
    if (cache == NULL) {
        fail_msg("cut at %u: the cache cannot be opened", n);
    }
    assert_int_equal(pvf__cache_list(cache, &list, NULL), 0);
    size_t count = list.count;
    for (size_t i = 0; i < count; i++) {
        if (!cache_bench_is_good(cache, &list.items[i].name, SEED, LEN)) {
            fail_msg("cut at %u: an entry is %s", n, pvf__cache_result_text(list.items[i].result));
        }
    }
    if (cache_bench_count(bench.folder) != OWN_FILES + 2 * (int)count) {
        fail_msg("cut at %u: %d files for %zu entries", n, cache_bench_count(bench.folder), count);
    }
    pvf__cache_list_done(&list);
    pvf__cache_close(cache);
    return count;
}

static void start_anew(void)
{
    cache_bench_done(&bench);
    assert_int_equal(cache_bench_make(&bench), 0);
}

static const struct {
    enum loss loss;
    uint32_t seed;
} losses[] = {
    {LOST_NOTHING, 0},
    {LOST_BYTES, 0},
    {LOST_ALL_NAMES, 0},
    {LOST_SOME_NAMES, 1},
    {LOST_SOME_NAMES, 22},
    {LOST_SOME_NAMES, 333},
    {LOST_SOME_NAMES, 4444},
};

/* From an empty folder to the first artifact. */
static void cut_while_storing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        int end = CUT;
        unsigned n = 0;
        while (end == CUT) {
            start_anew();
            n++;
            end = run_child(open_and_store, n, losses[i].loss, losses[i].seed + n);
            size_t count = good_entries_after(n);
            assert_true(count <= 1);
            if (end != CUT) {
                /* Stored before the power went: it is there. */
                assert_int_equal(end, DONE);
                assert_int_equal(count, 1);
            }
        }
        /* Two folders, lock, pid, marker, key, artifact, sidecar: not a run of nothing. */
        assert_true(n > 20);
    }
}

/* A change to a cache that has one artifact, with the power cut at call `n`. */
static int cut_with_one_stored(int (*change)(void), size_t loss, unsigned n)
{
    struct pvf__cache_name name;
    start_anew();
    struct pvf__cache *cache = cache_bench_open(&bench);
    assert_non_null(cache);
    assert_int_equal(cache_bench_store(&bench, cache, SEED, LEN, &name), 0);
    pvf__cache_close(cache);
    return run_child(change, n, losses[loss].loss, losses[loss].seed + n);
}

/* The second artifact, in a cache that has one: the first one stays in any case. */
static void cut_while_storing_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        int end = CUT;
        unsigned n = 0;
        while (end == CUT) {
            n++;
            end = cut_with_one_stored(open_and_store, i, n);
            size_t count = good_entries_after(n);
            assert_true(count == 1 || count == 2);
            assert_true(end == CUT || count == 2);
        }
        assert_int_equal(end, DONE);
    }
}

static int open_and_remove(void)
{
    struct pvf__cache_list list;
    struct pvf__cache *cache = cache_bench_open(&bench);
    if (cache == NULL || pvf__cache_list(cache, &list, NULL) != 0 || list.count != 1) {
        return BROKEN;
    }
    arm();
    int status = pvf__cache_remove(cache, &list.items[0].name, NULL);
    lose_power();
    return status == 0 ? DONE : BROKEN;
}

static void cut_while_removing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        int end = CUT;
        unsigned n = 0;
        while (end == CUT) {
            n++;
            end = cut_with_one_stored(open_and_remove, i, n);
            assert_true(good_entries_after(n) <= 1);
        }
        assert_int_equal(end, DONE);
        assert_int_equal(n, 3);
    }
}

/*
 * A call fails and the host lives on: stored or not, the list is right, the next one works, and
 * what could not be stored is still where the worker left it.
 */
static void fail_at_any_call(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EIO, EINTR};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        unsigned n = 0;
        unsigned refused = 0;
        bool reached = true;
        while (reached) {
            struct pvf__cache_meta meta;
            struct pvf__cache_name name;
            start_anew();
            struct pvf__cache *cache = cache_bench_open(&bench);
            assert_non_null(cache);
            assert_int_equal(cache_bench_artifact(artifact_path(), SEED, LEN, &meta), 0);
            memset(&disk, 0, sizeof(disk));
            disk.fail_at = ++n;
            disk.fail_errno = errors[i];
            disk.on = true;
            int status = pvf__cache_store(cache, artifact_path(), &meta, &name, NULL);
            disk.on = false;
            reached = disk.calls >= n;
            refused += status != 0;
            assert_true(status == 0 || access(artifact_path(), F_OK) == 0);
            assert_true(status != 0 || cache_bench_is_good(cache, &name, SEED, LEN));
            assert_int_equal(cache_bench_store(&bench, cache, SEED, LEN, &name), 0);
            assert_true(cache_bench_is_good(cache, &name, SEED, LEN));
            pvf__cache_close(cache);
            size_t count = good_entries_after(n);
            assert_true(count == 1 + (size_t)(status == 0));
        }
        assert_true(refused > 5);
    }
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(cut_while_storing),
        ROW(cut_while_storing_another),
        ROW(cut_while_removing),
        ROW(fail_at_any_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
