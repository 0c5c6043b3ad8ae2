/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the probes of rights: to gain some, or to lose what holds a job. */
#include "sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One more than a job may have. */
#define DESCRIPTORS 17

static int mount_something(struct probe_env *env)
{
    (void)env;
    return probe_result(mount("none", "/", "tmpfs", 0, NULL));
}

static int make_user_namespace(struct probe_env *env)
{
    (void)env;
    return probe_result(unshare(CLONE_NEWUSER));
}

static int make_network_namespace(struct probe_env *env)
{
    (void)env;
    return probe_result(unshare(CLONE_NEWNET));
}

static int enter_namespace(struct probe_env *env)
{
    (void)env;
    int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    int refusal = errno;
    /* Asked for in any case: it is the call that must not be there. */
    int status = probe_result(setns(fd, CLONE_NEWUTS));
    return fd < 0 ? refusal : status;
}

static int change_root(struct probe_env *env)
{
    (void)env;
    return probe_result(chroot("/"));
}

static int pivot(struct probe_env *env)
{
    (void)env;
    int status = probe_result(syscall(SYS_pivot_root, ".", "."));
    /* "/" is no mount of its own here, and that is asked after the right. */
    return status == EINVAL || status == EBUSY ? 0 : status;
}

static int regain_capabilities(struct probe_env *env)
{
    (void)env;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    /* A zygote has the first of them. */
    const unsigned wanted = CAP_TO_MASK(CAP_SYS_ADMIN) | CAP_TO_MASK(CAP_SYS_CHROOT);
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
        {.effective = wanted, .permitted = wanted}};
    return probe_result(syscall(SYS_capset, &header, data));
}

static int raise_limit(struct probe_env *env)
{
    (void)env;
    const struct rlimit limit = {DESCRIPTORS, DESCRIPTORS};
    return probe_result(setrlimit(RLIMIT_NOFILE, &limit));
}

static int be_dumpable(struct probe_env *env)
{
    (void)env;
    return probe_result(prctl(PR_SET_DUMPABLE, 1));
}

static int outlive_worker(struct probe_env *env)
{
    (void)env;
    return probe_result(prctl(PR_SET_PDEATHSIG, 0));
}

static unsigned long long limit_of(int what)
{
    struct rlimit limit = {0};
    (void)getrlimit((__rlimit_resource_t)what, &limit);
    return limit.rlim_max;
}

/* "0=null 1=null 2=null 4=pipe": every descriptor that it has. */
static void note_descriptors(struct probe_env *env)
{
    struct stat info;
    for (int fd = 0; fd < 64; fd++) {
        if (fstat(fd, &info) == 0) {
            const char *what = S_ISCHR(info.st_mode)    ? "device"
                               : S_ISFIFO(info.st_mode) ? "pipe"
                               : S_ISREG(info.st_mode)  ? "file"
                                                        : "other";
            size_t len = strlen(env->note);
            (void)snprintf(env->note + len, sizeof(env->note) - len, " %s", what);
        }
    }
}

/* What is always on, from inside. */
int probe_look(struct probe_env *env)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    int death = -1;
    (void)prctl(PR_GET_PDEATHSIG, &death);
    if (syscall(SYS_capget, &header, data) != 0) {
        return errno;
    }
    (void)snprintf(env->note,
                   sizeof(env->note),
                   " capabilities %x %x, death signal %d, dumpable %d, no new privileges %d, core "
                   "%llu, descriptors %llu:",
                   data[0].permitted | data[0].effective | data[0].inheritable,
                   data[1].permitted | data[1].effective | data[1].inheritable,
                   death,
                   prctl(PR_GET_DUMPABLE),
                   prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
                   limit_of(RLIMIT_CORE),
                   limit_of(RLIMIT_NOFILE));
    note_descriptors(env);
    return 0;
}

static const struct probe list[] = {
    {"mount", mount_something, true},
    {"make-user-namespace", make_user_namespace, false},
    {"make-network-namespace", make_network_namespace, true},
    {"enter-namespace", enter_namespace, true},
    {"change-root", change_root, true},
    {"pivot-root", pivot, true},
    {"regain-capabilities", regain_capabilities, true},
    {"raise-limit", raise_limit, false},
    {"be-dumpable", be_dumpable, false},
    {"outlive-worker", outlive_worker, false},
    {"look", probe_look, false},
};
PROBE_LIST(list, probe_rights);
