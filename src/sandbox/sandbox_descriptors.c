/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: which descriptors a process of ours has. */
#include "sandbox/sandbox_descriptors.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST 3u /* after the standard ones */

/* For kernels before 5.9 and filters that refuse the call. */
static void close_one_by_one(unsigned first, unsigned last)
{
    struct rlimit limit;
    unsigned end = 65536;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < end) {
        end = (unsigned)limit.rlim_cur;
    }
    for (unsigned fd = first; fd <= last && fd < end; fd++) {
        (void)close((int)fd);
    }
}

static int close_from_to(unsigned first, unsigned last, pvf_error *err)
{
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0) {
        return 0;
    }
    if (errno != ENOSYS && errno != EPERM) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "close_range");
    }
    close_one_by_one(first, last);
    return 0;
}

/* The smallest of them that is not below `from`, or -1. */
static int next_kept(const int *keep, size_t count, unsigned from)
{
    int next = -1;
    for (size_t i = 0; i < count; i++) {
        if (keep[i] >= 0 && (unsigned)keep[i] >= from && (next < 0 || keep[i] < next)) {
            next = keep[i];
        }
    }
    return next;
}

int pvf__sandbox_keep_only(const int *keep, size_t count, pvf_error *err)
{
    unsigned from = FIRST;
    for (;;) {
        int next = next_kept(keep, count, from);
        if (next < 0) {
            return close_from_to(from, ~0u, err);
        }
        int status = (unsigned)next > from ? close_from_to(from, (unsigned)next - 1, err) : 0;
        if (status != 0) {
            return status;
        }
        from = (unsigned)next + 1;
    }
}

int pvf__sandbox_null_open(int *ret, pvf_error *err)
{
    PVF__CLEANUP_FD int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "neither /dev/null nor a pipe");
        }
        (void)close(ends[1]);
        fd = ends[0];
    }
    if (fd < (int)FIRST) {
        int above = fcntl(fd, F_DUPFD_CLOEXEC, (int)FIRST);
        if (above < 0) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "moving a descriptor");
        }
        (void)close(fd);
        fd = above;
    }
    *ret = PVF__TAKE_FD(fd);
    return 0;
}

int pvf__sandbox_null_stdio(int null_fd, pvf_error *err)
{
    for (int fd = 0; fd < (int)FIRST; fd++) {
        if (dup2(null_fd, fd) < 0) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "replacing descriptor %d", fd);
        }
    }
    return 0;
}
