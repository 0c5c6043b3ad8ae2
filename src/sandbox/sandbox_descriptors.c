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

int pvf__sandbox_keep_only(int a, int b, pvf_error *err)
{
    int low = a < b ? a : b;
    int high = a < b ? b : a;
    unsigned next = FIRST;
    int status = 0;
    if (low >= (int)FIRST) {
        status = close_from_to(next, (unsigned)low - 1, err);
        next = (unsigned)low + 1;
    }
    if (status == 0 && high >= (int)FIRST && high != low) {
        status = close_from_to(next, (unsigned)high - 1, err);
        next = (unsigned)high + 1;
    }
    return status != 0 ? status : close_from_to(next, ~0u, err);
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
