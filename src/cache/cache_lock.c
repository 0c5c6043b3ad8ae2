/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: one owner per cache.  The kernel's lock decides; the pid in the file is for people, and may
 * be an old one for a moment.
 */
#include "cache/cache_lock.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "cache/cache_file.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A lock file that is removed between opening and locking locks nothing: try again. */
#define TRIES 10

/* " (NAME)" of a process, or nothing: it may be in another container. */
static void name_of(unsigned pid, char *out, size_t size)
{
    char path[32];
    PVF__CLEANUP_BUF struct pvf__buf comm = PVF__BUF_INIT(64);
    (void)snprintf(path, sizeof(path), "/proc/%u/comm", pid);
    out[0] = '\0';
    if (pvf__fd_read_file(path, &comm, NULL) == 0 && comm.len > 1) {
        (void)snprintf(out, size, " (%.*s)", (int)(comm.len - 1), (const char *)comm.data);
    }
}

static int busy(int fd, const char *path, pvf_error *err)
{
    char text[24] = "";
    uint64_t pid;
    char name[32];
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (!pvf__text_parse_u64(text, INT32_MAX, &pid)) {
        return pvf__error_set(
            err,
            PVF_ERR_BUSY,
            "another process uses the cache %.120s: end it, or name another folder",
            path);
    }
    name_of((unsigned)pid, name, sizeof(name));
    return pvf__error_set(err,
                          PVF_ERR_BUSY,
                          "process %u%s uses the cache %.120s: end it, or name another folder",
                          (unsigned)pid,
                          name,
                          path);
}

static int write_pid(int fd, pvf_error *err)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot write the cache's lock file");
    }
    return 0;
}

/* Does the name still stand for the file that was locked? */
static bool is_current(int folder, int fd)
{
    struct stat locked;
    struct stat named;
    return fstat(fd, &locked) == 0 &&
           fstatat(folder, PVF__CACHE_LOCK, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

int pvf__cache_lock_take(int folder, const char *path, int *ret_fd, pvf_error *err)
{
    for (int i = 0; i < TRIES; i++) {
        struct stat info;
        PVF__CLEANUP_FD int fd = openat(
            folder, PVF__CACHE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (fd < 0 || fstat(fd, &info) != 0) {
            return pvf__error_errno(
                err, PVF_ERR_IO, errno, "cannot open the lock of the cache %s", path);
        }
        if (!S_ISREG(info.st_mode) || info.st_uid != geteuid()) {
            return pvf__error_set(
                err, PVF_ERR_INVALID_ARG, "the lock of the cache %s is no file of ours", path);
        }
        while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) {
                return busy(fd, path, err);
            }
            if (errno != EINTR) {
                return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot lock the cache %s", path);
            }
        }
        if (is_current(folder, fd)) {
            int status = write_pid(fd, err);
            if (status == 0) {
                *ret_fd = PVF__TAKE_FD(fd);
            }
            return status;
        }
    }
    return pvf__error_set(
        err, PVF_ERR_BUSY, "the lock of the cache %s is removed again and again", path);
}
