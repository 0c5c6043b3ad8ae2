/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: which fact of a machine explains which missing mechanism, and what to do about it.  Pure,
 * so that machines nobody has at hand can stand in a table of a test.
 */
#include "cli/doctor_advice.h"

#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Landlock came with Linux 5.13. */
#define LANDLOCK_MAJOR 5u
#define LANDLOCK_MINOR 13u
#define SECCOMP_FILTERED 2

/* What a filter must let through. */
static const char *const needed_calls[] = {
    [PVF__DOCTOR_LANDLOCK] = "landlock_create_ruleset, landlock_add_rule, landlock_restrict_self",
    [PVF__DOCTOR_SECCOMP] = "seccomp, prctl",
    [PVF__DOCTOR_CHANGE_ROOT] = "unshare, mount, umount2, pivot_root",
    [PVF__DOCTOR_SECURE_CLONE] = "clone and clone3 with namespace flags",
};

/* What the code below works with. */
struct view {
    const struct pvf__doctor_machine *machine;
    const struct pvf__doctor_failure *failure;
    int error;     /* errno, 0 when not told */
    bool filtered; /* somebody's seccomp filter is over us */
    bool refused;  /* an errno with which filters and security modules refuse */
};

const char *pvf__doctor_cause_name(enum pvf__doctor_cause cause)
{
    static const char *const names[] = {
        [PVF__DOCTOR_UNKNOWN] = "unknown",
        [PVF__DOCTOR_NOT_STARTED] = "not-started",
        [PVF__DOCTOR_NOT_BUILT] = "not-built",
        [PVF__DOCTOR_ARCHITECTURE] = "architecture",
        [PVF__DOCTOR_SYSCALL_FILTER] = "syscall-filter",
        [PVF__DOCTOR_OLD_KERNEL] = "old-kernel",
        [PVF__DOCTOR_KERNEL_CONFIG] = "kernel-config",
        [PVF__DOCTOR_BOOT_LSM] = "boot-lsm",
        [PVF__DOCTOR_USERNS_SYSCTL] = "userns-sysctl",
        [PVF__DOCTOR_USERNS_LIMIT] = "userns-limit",
        [PVF__DOCTOR_APPARMOR] = "apparmor-userns",
        [PVF__DOCTOR_SECURITY_MODULE] = "security-module",
        [PVF__DOCTOR_CONTAINER] = "container",
        [PVF__DOCTOR_CHROOT] = "chroot",
        [PVF__DOCTOR_INITIAL_ROOT] = "initial-root",
        [PVF__DOCTOR_FOLDER] = "folder",
    };
    return (size_t)cause < sizeof names / sizeof names[0] ? names[cause] : "unknown";
}

/* Rust's "(os error 1)", else a name such as "errno: EPERM", else the text of strerror. */
int pvf__doctor_errno_of(const char *text)
{
    static const int known[] = {EPERM,
                                EACCES,
                                ENOSYS,
                                EINVAL,
                                ENOSPC,
                                EOPNOTSUPP,
                                ENOENT,
                                EUSERS,
                                ENOMEM,
                                EAGAIN,
                                EROFS,
                                EBUSY,
                                ENOEXEC,
                                E2BIG,
                                ENOTDIR};
    static const char mark[] = "(os error ";
    const char *at = strstr(text, mark);
    if (at != NULL) {
        char digits[8] = {0};
        uint64_t number = 0;
        at += sizeof mark - 1;
        size_t len = strspn(at, "0123456789");
        if (len > 0 && len < sizeof digits && at[len] == ')') {
            memcpy(digits, at, len);
            if (pvf__text_parse_u64(digits, 4095, &number)) {
                return (int)number;
            }
        }
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char named[32];
        (void)snprintf(named, sizeof named, "errno: %s", strerrorname_np(known[i]));
        if (strstr(text, named) != NULL || strstr(text, strerrordesc_np(known[i])) != NULL) {
            return known[i];
        }
    }
    return 0;
}

bool pvf__doctor_is_enough(const bool available[4], bool x86_64)
{
    return x86_64 && available[PVF__DOCTOR_SECCOMP] &&
           (available[PVF__DOCTOR_LANDLOCK] || available[PVF__DOCTOR_CHANGE_ROOT]);
}

static void
set_why(struct pvf__doctor_advice *ret, enum pvf__doctor_cause cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
set_why(struct pvf__doctor_advice *ret, enum pvf__doctor_cause cause, const char *format, ...)
{
    va_list args;
    ret->cause = cause;
    va_start(args, format);
    (void)vsnprintf(ret->why, sizeof ret->why, format, args);
    va_end(args);
}

static void set_remedy(struct pvf__doctor_advice *ret, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void set_remedy(struct pvf__doctor_advice *ret, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(ret->remedy, sizeof ret->remedy, format, args);
    va_end(args);
}

static bool says(const struct view *view, const char *words)
{
    return strstr(view->failure->text, words) != NULL;
}

static bool begins(const struct view *view, const char *words)
{
    return strncmp(view->failure->text, words, strlen(words)) == 0;
}

/* Who put the filter over us decides where it is changed. */
static void filter_remedy(const struct pvf__doctor_machine *machine,
                          const char *calls,
                          struct pvf__doctor_advice *ret)
{
    if (machine->container[0] != '\0') {
        set_remedy(ret,
                   "run the container with a seccomp profile that allows %s (docker run "
                   "--security-opt seccomp=FILE; see 'Containers' in docs/operations.md)",
                   calls);
    } else if (machine->unit[0] != '\0') {
        set_remedy(ret,
                   "let %s allow %s: copy contrib/systemd/polkadot.service.d/pvf.conf to "
                   "/etc/systemd/system/%s.d/ and run 'systemctl daemon-reload', then restart it",
                   machine->unit,
                   calls,
                   machine->unit);
    } else {
        set_remedy(ret,
                   "start it without the filter, or let the filter allow %s (in a systemd unit: "
                   "SystemCallFilter= and RestrictNamespaces=)",
                   calls);
    }
}

static void refuse_by_filter(const struct view *view, struct pvf__doctor_advice *ret)
{
    const char *calls = view->failure->ran ? needed_calls[view->failure->mechanism]
                                           : "clone3, vfork, execve, close_range, pidfd_open";
    set_why(ret,
            PVF__DOCTOR_SYSCALL_FILTER,
            "a system-call filter (seccomp) that was installed before pvf started %s one of: %s",
            view->failure->signal == SIGSYS ? "kills the worker for" : "refuses",
            calls);
    filter_remedy(view->machine, calls, ret);
}

/* The program does not start at all, or does not end. */
static void advise_start(const struct view *view, struct pvf__doctor_advice *ret)
{
    if (view->filtered && (view->error == EPERM || view->error == ENOSYS)) {
        refuse_by_filter(view, ret);
        return;
    }
    set_why(ret, PVF__DOCTOR_NOT_STARTED, "it could not be run: %.240s", view->failure->text);
    if (view->error == EACCES) {
        set_remedy(ret,
                   "make the program executable (chmod 0755), in a folder that may be entered and "
                   "on a file system that is not mounted noexec");
    } else if (view->error == ENOENT || view->error == ENOEXEC) {
        set_remedy(ret, "install a worker program that was built for this machine");
    } else {
        set_remedy(ret, "start it by hand with --version and look at what it says");
    }
}

/* Causes that have nothing to do with the mechanism.  False: it is not one of them. */
static bool advise_any(const struct view *view, struct pvf__doctor_advice *ret)
{
    if (view->failure->signal == SIGSYS) {
        refuse_by_filter(view, ret);
    } else if (!view->failure->ran) {
        advise_start(view, ret);
    } else if (says(view, "built without")) {
        set_why(ret, PVF__DOCTOR_NOT_BUILT, "this worker program was built without it");
        set_remedy(ret, "install a build of the workers that has the sandbox");
    } else if (says(view, "x86_64")) {
        set_why(ret,
                PVF__DOCTOR_ARCHITECTURE,
                "this worker has it on x86-64 only, and this machine is %s",
                view->machine->arch);
        set_remedy(ret, "run validators on x86-64");
    } else {
        return false;
    }
    return true;
}

static bool is_older(const struct pvf__doctor_machine *machine, uint32_t major, uint32_t minor)
{
    return machine->major != 0 &&
           (machine->major < major || (machine->major == major && machine->minor < minor));
}

/* Is a word in a list with commas between? */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        size_t here = strcspn(at, ",");
        if (here == len && memcmp(at, word, len) == 0) {
            return true;
        }
    }
    return false;
}

static void advise_landlock(const struct view *view, struct pvf__doctor_advice *ret)
{
    const struct pvf__doctor_machine *machine = view->machine;
    int error = view->error;
    if (error == 0 && machine->landlock_abi < 0 && machine->landlock_abi != -EINTR) {
        error =
            -machine->landlock_abi; /* the reference's worker says only that it is not in force */
    }
    if (is_older(machine, LANDLOCK_MAJOR, LANDLOCK_MINOR)) {
        set_why(ret,
                PVF__DOCTOR_OLD_KERNEL,
                "Landlock came with Linux %u.%u; this is %s",
                LANDLOCK_MAJOR,
                LANDLOCK_MINOR,
                machine->release);
        set_remedy(ret, "boot a kernel of version 5.13 or later (Debian 12, Ubuntu 22.04)");
    } else if (view->filtered && (error == EPERM || error == EACCES || error == ENOSYS)) {
        refuse_by_filter(view, ret);
    } else if (error == EOPNOTSUPP ||
               (machine->lsm[0] != '\0' && !has_word(machine->lsm, "landlock"))) {
        set_why(ret,
                PVF__DOCTOR_BOOT_LSM,
                "the kernel has Landlock, but it was not switched on at boot%s%s",
                machine->lsm[0] != '\0' ? "; security modules in use: " : "",
                machine->lsm);
        set_remedy(ret,
                   "add 'lsm=landlock,%s' to the kernel's command line (GRUB_CMDLINE_LINUX in "
                   "/etc/default/grub, then update-grub) and reboot",
                   machine->lsm[0] != '\0' ? machine->lsm
                                           : "LIST, with what is in "
                                             "/sys/kernel/security/lsm for LIST");
    } else if (error == ENOSYS) {
        set_why(ret,
                PVF__DOCTOR_KERNEL_CONFIG,
                "Linux %s was built without Landlock",
                machine->release);
        set_remedy(ret, "boot a kernel with CONFIG_SECURITY_LANDLOCK=y");
    } else if (error == EACCES || error == EPERM) {
        set_why(ret, PVF__DOCTOR_SECURITY_MODULE, "a security module refuses Landlock");
        set_remedy(ret, "look for the refusal with 'journalctl -k -g denied' and allow it");
    }
}

static void advise_seccomp(const struct view *view, struct pvf__doctor_advice *ret)
{
    if (view->filtered && view->refused) {
        refuse_by_filter(view, ret);
    } else if (view->error == EINVAL || view->error == ENOSYS) {
        set_why(ret,
                PVF__DOCTOR_KERNEL_CONFIG,
                "Linux %s was built without seccomp filters",
                view->machine->release);
        set_remedy(ret, "boot a kernel with CONFIG_SECCOMP_FILTER=y");
    } else if (view->refused) {
        set_why(ret, PVF__DOCTOR_SECURITY_MODULE, "a security module refuses seccomp");
        set_remedy(ret, "look for the refusal with 'journalctl -k -g denied' and allow it");
    }
}

static void advise_apparmor(struct pvf__doctor_advice *ret)
{
    set_why(ret,
            PVF__DOCTOR_APPARMOR,
            "AppArmor gives programs without a profile no rights in user namespaces "
            "(kernel.apparmor_restrict_unprivileged_userns = 1)");
    set_remedy(ret,
               "install -m 644 contrib/apparmor/pvf-workers /etc/apparmor.d/ && apparmor_parser "
               "-r /etc/apparmor.d/pvf-workers (put the paths of your workers in); or for all "
               "programs: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
}

/* Settings that forbid user namespaces outright.  False: none of them does. */
static bool advise_settings(const struct view *view, struct pvf__doctor_advice *ret)
{
    const struct pvf__doctor_machine *machine = view->machine;
    if (machine->max_user_namespaces == 0 || view->error == ENOSPC || view->error == EUSERS) {
        set_why(ret,
                PVF__DOCTOR_USERNS_LIMIT,
                "no more user namespaces may be made (user.max_user_namespaces = %lld%s)",
                (long long)machine->max_user_namespaces,
                machine->nested_userns ? ", in a user namespace that has its own limit" : "");
        set_remedy(ret,
                   "sysctl -w user.max_user_namespaces=16384, and the same line in "
                   "/etc/sysctl.d/80-pvf.conf to keep it%s",
                   machine->nested_userns ? "; here on the host, or for this container" : "");
        return true;
    }
    if (machine->userns_clone == 0 && !machine->sys_admin) {
        set_why(ret,
                PVF__DOCTOR_USERNS_SYSCTL,
                "user namespaces are reserved for root (kernel.unprivileged_userns_clone = 0)");
        set_remedy(ret,
                   "sysctl -w kernel.unprivileged_userns_clone=1, and the same line in "
                   "/etc/sysctl.d/80-pvf.conf to keep it");
        return true;
    }
    if (begins(view, "pivot_root") && view->error == EINVAL) {
        set_why(ret,
                PVF__DOCTOR_INITIAL_ROOT,
                "pivot_root cannot leave this root: it is the initial ram file system, or no "
                "mount point");
        set_remedy(ret, "run from a real root file system (in an initramfs: switch_root)");
        return true;
    }
    if (view->error == EINVAL || (view->error == ENOSYS && !view->filtered)) {
        set_why(ret,
                PVF__DOCTOR_KERNEL_CONFIG,
                "Linux %s was built without user namespaces, or without another kind that is used",
                machine->release);
        set_remedy(ret, "boot a kernel with CONFIG_USER_NS, PID_NS, NET_NS, IPC_NS and UTS_NS=y");
        return true;
    }
    return false;
}

/* Change of the root folder, and clone with namespaces. */
static void advise_namespaces(const struct view *view, struct pvf__doctor_advice *ret)
{
    const struct pvf__doctor_machine *machine = view->machine;
    /* AppArmor lets the namespace be made and takes the rights inside; a filter refuses calls. */
    bool inside = begins(view, "mount") || begins(view, "pivot_root");
    if (advise_settings(view, ret) || !view->refused) {
        return;
    }
    if (view->filtered && !(inside && machine->apparmor_userns == 1)) {
        refuse_by_filter(view, ret);
    } else if (machine->apparmor_userns == 1) {
        advise_apparmor(ret);
    } else if (machine->changed_root) {
        set_why(ret, PVF__DOCTOR_CHROOT, "inside chroot(2) the kernel gives no user namespaces");
        set_remedy(ret, "start it outside of the chroot");
    } else if (machine->container[0] != '\0') {
        set_why(ret,
                PVF__DOCTOR_CONTAINER,
                "the container (%s) does not allow it, by a security module or for lack of a right",
                machine->container);
        set_remedy(ret,
                   "docker run --security-opt apparmor=unconfined, in Kubernetes "
                   "appArmorProfile.type: Unconfined; see 'Containers' in docs/operations.md");
    } else {
        set_why(ret,
                PVF__DOCTOR_SECURITY_MODULE,
                "a security module (SELinux, AppArmor or another%s%s) refuses it",
                machine->lsm[0] != '\0' ? "; in use: " : "",
                machine->lsm);
        set_remedy(ret, "look for the refusal with 'journalctl -k -g denied' and allow it");
    }
}

void pvf__doctor_advise(const struct pvf__doctor_machine *machine,
                        const struct pvf__doctor_failure *failure,
                        struct pvf__doctor_advice *ret)
{
    struct view view = {
        .machine = machine,
        .failure = failure,
        .error = pvf__doctor_errno_of(failure->text),
        .filtered = machine->seccomp_mode == SECCOMP_FILTERED,
    };
    view.refused = view.error == EPERM || view.error == EACCES || view.error == ENOSYS;
    memset(ret, 0, sizeof *ret);
    set_why(ret, PVF__DOCTOR_UNKNOWN, "the worker's own words are all that is known");
    set_remedy(ret, "compare with a Debian 12 machine, and look at 'journalctl -k'");
    if (!failure->ran && failure->mechanism == PVF__DOCTOR_CHANGE_ROOT &&
        (says(&view, "make the folder") || says(&view, "a path in"))) {
        set_why(ret,
                PVF__DOCTOR_FOLDER,
                "the folder for the trial could not be made: %.200s",
                failure->text);
        set_remedy(ret, "set TMPDIR to a folder that exists, can be written, and has room");
        return;
    }
    if (advise_any(&view, ret)) {
        return;
    }
    switch (failure->mechanism) {
    case PVF__DOCTOR_LANDLOCK:
        advise_landlock(&view, ret);
        break;
    case PVF__DOCTOR_SECCOMP:
        advise_seccomp(&view, ret);
        break;
    case PVF__DOCTOR_CHANGE_ROOT:
    case PVF__DOCTOR_SECURE_CLONE:
    default:
        advise_namespaces(&view, ret);
        break;
    }
}
