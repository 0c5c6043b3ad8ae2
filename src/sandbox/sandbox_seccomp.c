/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the installation of a filter.  It cannot be taken back, so everything that may fail is done
 * before.
 */
#include "sandbox/sandbox_seccomp.h"

#include "base/error.h"
#include "sandbox/seccomp_filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if PVF__SECCOMP_SANITIZED
#include <sanitizer/lsan_interface.h>

static bool filtered;

/*
 * The search for leaks at the end of a process traces it from a clone, and waits for ever when a
 * filter ends the clone.  A process without a filter is searched.
 */
int __lsan_is_turned_off(void)
{
    return filtered ? 1 : 0;
}
#endif

static int own_arch(enum pvf__seccomp_arch *ret, pvf_error *err)
{
#if defined(__x86_64__) && !defined(__ILP32__)
    (void)err;
    *ret = PVF__SECCOMP_X86_64;
    return 0;
#elif defined(__aarch64__) && defined(__AARCH64EL__) && !defined(__ILP32__)
    (void)err;
    *ret = PVF__SECCOMP_AARCH64;
    return 0;
#else
    (void)ret;
    return pvf__error_set(err, PVF_ERR_UNSUPPORTED, "no system-call lists for this architecture");
#endif
}

int pvf__sandbox_seccomp(enum pvf__seccomp_role role,
                         const struct pvf__seccomp_facts *facts,
                         pvf_error *err)
{
    struct sock_filter filter[PVF__SECCOMP_FILTER_MAX];
    size_t count = 0;
    enum pvf__seccomp_arch arch = PVF__SECCOMP_X86_64;
    int status = own_arch(&arch, err);
    if (status == 0) {
        status = pvf__seccomp_build_for(PVF__SECCOMP_SANITIZED,
                                        role,
                                        arch,
                                        facts,
                                        filter,
                                        PVF__SECCOMP_FILTER_MAX,
                                        &count,
                                        err);
    }
    if (status != 0) {
        return status;
    }
    /* With capabilities the kernel would not insist, and a program executed later could gain. */
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "no_new_privs must be set before seccomp");
    }
    const struct sock_fprog program = {.len = (unsigned short)count, .filter = filter};
    /* TSYNC: a thread that should not be there is filtered too, or the call fails. */
    long done = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (done < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "seccomp");
    }
    if (done > 0) {
        return pvf__error_set(err, PVF_ERR_INTERNAL, "thread %ld cannot take the filter", done);
    }
#if PVF__SECCOMP_SANITIZED
    filtered = true;
#endif
    return 0;
}
