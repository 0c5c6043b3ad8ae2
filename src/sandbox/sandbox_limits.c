/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: resource limits. */
#include "sandbox/sandbox_limits.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Socket, standard ones, pipe, pidfd, sealed artifacts, and room. */
#define WORKER_DESCRIPTORS 64

/* What a job has already, and what its libraries open for themselves in memory. */
#define JOB_DESCRIPTORS 16

struct limit {
    int what;
    rlim_t value;
    const char *name;
};

/* Never above what we have: only root may raise a hard limit. */
static int lower(const struct limit *limit, pvf_error *err)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)limit->what, &now) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "reading limit %s", limit->name);
    }
    rlim_t value = limit->value < now.rlim_max ? limit->value : now.rlim_max;
    now = (struct rlimit){.rlim_cur = value, .rlim_max = value};
    if (setrlimit((__rlimit_resource_t)limit->what, &now) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "setting limit %s", limit->name);
    }
    return 0;
}

static int lower_all(const struct limit *limits, size_t count, pvf_error *err)
{
    for (size_t i = 0; i < count; i++) {
        int status = lower(&limits[i], err);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

/* Best effort: without /proc the kernel chooses by size, as it would anyway. */
static void be_first_without_memory(void)
{
    static const char highest[] = "1000";
    PVF__CLEANUP_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t done = write(fd, highest, sizeof(highest) - 1);
        (void)done;
    }
}

int pvf__sandbox_worker_limits(pvf_error *err)
{
    static const struct limit limits[] = {
        {RLIMIT_CORE, 0, "core"},
        {RLIMIT_NOFILE, WORKER_DESCRIPTORS, "nofile"},
        {RLIMIT_MEMLOCK, 0, "memlock"},
        {RLIMIT_MSGQUEUE, 0, "msgqueue"},
    };
    be_first_without_memory();
    return lower_all(limits, sizeof(limits) / sizeof(limits[0]), err);
}

/* A sanitizer keeps terabytes of notes about memory, which would count too. */
static rlim_t data_limit(uint64_t bytes)
{
    return bytes == 0 || PVF__SECCOMP_SANITIZED ? RLIM_INFINITY : bytes;
}

int pvf__sandbox_job_limits(const struct pvf__sandbox_job_limits *limits, pvf_error *err)
{
    const struct limit list[] = {
        {RLIMIT_CORE, 0, "core"},
        {RLIMIT_NOFILE, JOB_DESCRIPTORS, "nofile"},
        {RLIMIT_CPU, limits->cpu_s != 0 ? limits->cpu_s : RLIM_INFINITY, "cpu"},
        {RLIMIT_DATA, data_limit(limits->data_bytes), "data"},
    };
    return lower_all(list, sizeof(list) / sizeof(list[0]), err);
}
