/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: capabilities. */
#include "base/error.h"
#include "sandbox/sandbox_process.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SETS _LINUX_CAPABILITY_U32S_3

/* Highest capability number that any kernel may have, and a little more. */
#define NUMBERS 64

/* The bounding set: what an executed file could give back.  Needs CAP_SETPCAP; without it, and
 * without new privileges, nothing can be given back anyway. */
static void empty_bounding_set(bool keep_sys_admin)
{
    for (unsigned long number = 0; number < NUMBERS; number++) {
        if (keep_sys_admin && number == CAP_SYS_ADMIN) {
            continue;
        }
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) {
            return;
        }
    }
}

int pvf__sandbox_capabilities(bool keep_sys_admin, pvf_error *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct have[SETS];
    if (syscall(SYS_capget, &header, have) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "capget");
    }
    empty_bounding_set(keep_sys_admin);
    struct __user_cap_data_struct want[SETS] = {0};
    if (keep_sys_admin) {
        __u32 bit = CAP_TO_MASK(CAP_SYS_ADMIN);
        want[CAP_TO_INDEX(CAP_SYS_ADMIN)] = (struct __user_cap_data_struct){
            .effective = have[CAP_TO_INDEX(CAP_SYS_ADMIN)].permitted & bit,
            .permitted = have[CAP_TO_INDEX(CAP_SYS_ADMIN)].permitted & bit,
        };
    }
    if (syscall(SYS_capset, &header, want) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "capset");
    }
    /* Kernels before 4.3 know no ambient set. */
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "PR_CAP_AMBIENT");
    }
    return 0;
}
