/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_DOCTOR_ADVICE_H
#define PVF_CLI_DOCTOR_ADVICE_H

#include <stdbool.h>
#include <stdint.h>

/* The four mechanisms, in the order of pvf_worker_check. */
enum pvf__doctor_mechanism {
    PVF__DOCTOR_LANDLOCK,
    PVF__DOCTOR_SECCOMP,
    PVF__DOCTOR_CHANGE_ROOT,
    PVF__DOCTOR_SECURE_CLONE,
};

/* What this machine says about itself.  -1 in a number: the file is not there. */
struct pvf__doctor_machine {
    char release[72]; /* of the kernel */
    char arch[32];
    uint32_t major; /* of the release; 0.0 when it cannot be read */
    uint32_t minor;
    int32_t landlock_abi; /* what the kernel answers here: version, -errno, -EINTR when not known */
    int64_t userns_clone; /* kernel.unprivileged_userns_clone */
    int64_t max_user_namespaces; /* user.max_user_namespaces */
    int64_t apparmor_userns;     /* kernel.apparmor_restrict_unprivileged_userns */
    char lsm[128];               /* the security modules in use; empty when not known */
    int64_t seccomp_mode;        /* of this process: 2 when somebody's filter is over it */
    int64_t seccomp_filters;
    int64_t no_new_privs;
    bool sys_admin;     /* CAP_SYS_ADMIN, in whatever user namespace */
    bool nested_userns; /* this is not the machine's first user namespace */
    bool orphans_stay;  /* whoever gets orphans here does not reap them */
    bool changed_root;  /* "/" is no mount point: chroot(2) hides the real one */
    char container[32]; /* "docker", "podman", "kubernetes", …; empty: none seen */
    char unit[96];      /* the systemd service around us; empty: none */
};

/* A check that said no. */
struct pvf__doctor_failure {
    enum pvf__doctor_mechanism mechanism; /* no matter when it did not run */
    bool ran;         /* false: the program could not be started, or did not end */
    int32_t signal;   /* that ended it, or 0 */
    const char *text; /* what it said, or why it was not started */
};

enum pvf__doctor_cause {
    PVF__DOCTOR_UNKNOWN,
    PVF__DOCTOR_NOT_STARTED,     /* the program cannot be run at all */
    PVF__DOCTOR_NOT_BUILT,       /* this worker was made without the mechanism */
    PVF__DOCTOR_ARCHITECTURE,    /* secure mode exists on x86-64 only */
    PVF__DOCTOR_SYSCALL_FILTER,  /* somebody's seccomp filter refuses or kills */
    PVF__DOCTOR_OLD_KERNEL,      /* came with a later version */
    PVF__DOCTOR_KERNEL_CONFIG,   /* the kernel was built without it */
    PVF__DOCTOR_BOOT_LSM,        /* built, but not among the security modules chosen at boot */
    PVF__DOCTOR_USERNS_SYSCTL,   /* kernel.unprivileged_userns_clone = 0 */
    PVF__DOCTOR_USERNS_LIMIT,    /* user.max_user_namespaces reached, or 0 */
    PVF__DOCTOR_APPARMOR,        /* kernel.apparmor_restrict_unprivileged_userns = 1 */
    PVF__DOCTOR_SECURITY_MODULE, /* SELinux, AppArmor or another refuses */
    PVF__DOCTOR_CONTAINER,       /* refused inside a container, by no filter that we see */
    PVF__DOCTOR_CHROOT,          /* no user namespaces from within chroot(2) */
    PVF__DOCTOR_INITIAL_ROOT,    /* pivot_root cannot leave an initial ram file system */
    PVF__DOCTOR_FOLDER,          /* the folder for the trial cannot be made */
};

struct pvf__doctor_advice {
    enum pvf__doctor_cause cause;
    char why[320];    /* one or two sentences */
    char remedy[448]; /* a command, or a setting and where it belongs */
};

/*
 * From facts to cause and remedy.  Pure: it looks at nothing but its arguments.  It reads the texts
 * of our workers and of the reference's; a text that it does not know leaves the cause unknown.
 */
void pvf__doctor_advise(const struct pvf__doctor_machine *machine,
                        const struct pvf__doctor_failure *failure,
                        struct pvf__doctor_advice *ret);

/* "syscall-filter": a name for programs, stable. */
const char *pvf__doctor_cause_name(enum pvf__doctor_cause cause);

/* The errno that a worker's text tells, in any of the forms that workers use; 0 when none. */
int pvf__doctor_errno_of(const char *text);

/* Enough for a secure validator: seccomp, and Landlock or a changed root; secure clone is a plus.
 */
bool pvf__doctor_is_enough(const bool available[4], bool x86_64);

#endif
