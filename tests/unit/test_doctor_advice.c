/* SPDX-License-Identifier: Apache-2.0 */
/* From facts to causes: machines that nobody has at hand, as rows of a table. */
#include "cli/cli_doctor.h"
#include "cli/cli_doctor_machine.h"
#include "cli/doctor_advice.h"
#include "pvf/status.h"
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Debian 12 as it is installed; each row changes what matters. */
static struct pvf__doctor_machine debian(void)
{
    struct pvf__doctor_machine machine = {
        .release = "6.1.0-31-amd64",
        .arch = "x86_64",
        .major = 6,
        .minor = 1,
        .landlock_abi = 2,
        .userns_clone = 1,
        .max_user_namespaces = 96000,
        .apparmor_userns = -1,
        .lsm = "lockdown,capability,landlock,yama,apparmor",
        .seccomp_filters = 0,
        .seccomp_mode = 0,
        .no_new_privs = 0,
    };
    return machine;
}

static void old_kernel(struct pvf__doctor_machine *machine)
{
    (void)snprintf(machine->release, sizeof machine->release, "5.4.0-200-generic");
    machine->major = 5;
    machine->minor = 4;
    machine->landlock_abi = -ENOSYS;
    machine->lsm[0] = '\0';
}

static void no_landlock_at_boot(struct pvf__doctor_machine *machine)
{
    (void)snprintf(machine->lsm, sizeof machine->lsm, "lockdown,capability,yama");
    machine->landlock_abi = -EOPNOTSUPP;
}

static void no_landlock_built(struct pvf__doctor_machine *machine)
{
    machine->lsm[0] = '\0';
    machine->landlock_abi = -ENOSYS;
}

static void filtered(struct pvf__doctor_machine *machine)
{
    machine->seccomp_mode = 2;
    machine->seccomp_filters = 1;
}

static void in_unit(struct pvf__doctor_machine *machine)
{
    filtered(machine);
    (void)snprintf(machine->unit, sizeof machine->unit, "polkadot.service");
}

static void in_docker(struct pvf__doctor_machine *machine)
{
    filtered(machine);
    (void)snprintf(machine->container, sizeof machine->container, "docker");
}

static void in_open_docker(struct pvf__doctor_machine *machine)
{
    (void)snprintf(machine->container, sizeof machine->container, "docker");
}

static void for_root_only(struct pvf__doctor_machine *machine)
{
    machine->userns_clone = 0;
}

static void none_allowed(struct pvf__doctor_machine *machine)
{
    machine->max_user_namespaces = 0;
}

static void ubuntu_24(struct pvf__doctor_machine *machine)
{
    machine->apparmor_userns = 1;
}

static void ubuntu_24_unit(struct pvf__doctor_machine *machine)
{
    in_unit(machine);
    machine->apparmor_userns = 1;
}

static void in_chroot(struct pvf__doctor_machine *machine)
{
    machine->changed_root = true;
}

static void on_arm(struct pvf__doctor_machine *machine)
{
    (void)snprintf(machine->arch, sizeof machine->arch, "aarch64");
}

#define LANDLOCK PVF__DOCTOR_LANDLOCK
#define SECCOMP PVF__DOCTOR_SECCOMP
#define ROOT PVF__DOCTOR_CHANGE_ROOT
#define CLONE PVF__DOCTOR_SECURE_CLONE
#define REFERENCE_EPERM " (os error 1)"

/* What a machine is like, what a worker says there, and what the doctor makes of it. */
static const struct {
    void (*change)(struct pvf__doctor_machine *);
    enum pvf__doctor_mechanism mechanism;
    const char *text;
    enum pvf__doctor_cause cause;
    const char *remedy; /* a part of it */
} rows[] = {
    {old_kernel,
     LANDLOCK,
     "this kernel has no Landlock: Function not implemented",
     PVF__DOCTOR_OLD_KERNEL,
     "5.13 or later"},
    {old_kernel,
     LANDLOCK,
     "Could not fully enable: NotEnforced",
     PVF__DOCTOR_OLD_KERNEL,
     "5.13 or later"},
    {no_landlock_at_boot,
     LANDLOCK,
     "Landlock is off in this kernel's lsm= list: Operation not supported",
     PVF__DOCTOR_BOOT_LSM,
     "'lsm=landlock,lockdown,capability,yama'"},
    {no_landlock_at_boot,
     LANDLOCK,
     "Could not fully enable: NotEnforced",
     PVF__DOCTOR_BOOT_LSM,
     "update-grub"},
    {no_landlock_built,
     LANDLOCK,
     "Could not fully enable: NotEnforced",
     PVF__DOCTOR_KERNEL_CONFIG,
     "CONFIG_SECURITY_LANDLOCK=y"},
    {in_unit,
     LANDLOCK,
     "landlock_create_ruleset: Operation not permitted",
     PVF__DOCTOR_SYSCALL_FILTER,
     "/etc/systemd/system/polkadot.service.d/"},
    {in_docker,
     LANDLOCK,
     "this kernel has no Landlock: Function not implemented",
     PVF__DOCTOR_SYSCALL_FILTER,
     "landlock_restrict_self (docker run"},
    {NULL,
     LANDLOCK,
     "landlock_add_rule: Permission denied",
     PVF__DOCTOR_SECURITY_MODULE,
     "journalctl"},
    {NULL, LANDLOCK, "Could not fully enable: PartiallyEnforced", PVF__DOCTOR_UNKNOWN, ""},

    {filtered,
     SECCOMP,
     "Error calling `seccomp`: Operation not permitted" REFERENCE_EPERM,
     PVF__DOCTOR_SYSCALL_FILTER,
     "allow seccomp, prctl"},
    {NULL,
     SECCOMP,
     "seccomp: Invalid argument",
     PVF__DOCTOR_KERNEL_CONFIG,
     "CONFIG_SECCOMP_FILTER=y"},
    {NULL, SECCOMP, "seccomp: Operation not permitted", PVF__DOCTOR_SECURITY_MODULE, "journalctl"},
    {on_arm,
     SECCOMP,
     "only supported on CPUs from the x86_64 family (usually Intel or AMD)",
     PVF__DOCTOR_ARCHITECTURE,
     "x86-64"},
    {NULL,
     SECCOMP,
     "not available: this worker is built without this mechanism",
     PVF__DOCTOR_NOT_BUILT,
     "build of the workers"},

    {for_root_only,
     ROOT,
     "unshare user and mount namespaces: Operation not permitted" REFERENCE_EPERM,
     PVF__DOCTOR_USERNS_SYSCTL,
     "kernel.unprivileged_userns_clone=1"},
    {none_allowed,
     ROOT,
     "unshare user and mount namespaces: No space left on device (os error 28)",
     PVF__DOCTOR_USERNS_LIMIT,
     "user.max_user_namespaces=16384"},
    {NULL,
     ROOT,
     "unshare user and mount namespaces: No space left on device",
     PVF__DOCTOR_USERNS_LIMIT,
     "user.max_user_namespaces=16384"},
    {NULL,
     ROOT,
     "unshare user and mount namespaces: Invalid argument",
     PVF__DOCTOR_KERNEL_CONFIG,
     "CONFIG_USER_NS"},
    {ubuntu_24,
     ROOT,
     "mount MS_PRIVATE: Permission denied (os error 13)",
     PVF__DOCTOR_APPARMOR,
     "contrib/apparmor/pvf-workers"},
    {ubuntu_24_unit,
     ROOT,
     "mount MS_PRIVATE: Operation not permitted",
     PVF__DOCTOR_APPARMOR,
     "apparmor_restrict_unprivileged_userns=0"},
    {ubuntu_24_unit,
     ROOT,
     "unshare user and mount namespaces: Operation not permitted",
     PVF__DOCTOR_SYSCALL_FILTER,
     "polkadot.service allow unshare, mount, umount2, pivot_root"},
    {in_docker,
     ROOT,
     "unshare user and mount namespaces: Operation not permitted",
     PVF__DOCTOR_SYSCALL_FILTER,
     "seccomp=FILE"},
    {in_open_docker,
     ROOT,
     "mount MS_PRIVATE: Permission denied",
     PVF__DOCTOR_CONTAINER,
     "apparmor=unconfined"},
    {in_chroot,
     ROOT,
     "unshare user and mount namespaces: Operation not permitted",
     PVF__DOCTOR_CHROOT,
     "outside of the chroot"},
    {NULL, ROOT, "pivot_root: Invalid argument", PVF__DOCTOR_INITIAL_ROOT, "switch_root"},
    {NULL,
     ROOT,
     "unshare user and mount namespaces: Permission denied",
     PVF__DOCTOR_SECURITY_MODULE,
     "journalctl"},
    {NULL, ROOT, "assertion failed: the new root is not mounted noexec", PVF__DOCTOR_UNKNOWN, ""},

    {filtered,
     CLONE,
     "could not clone, errno: EPERM: Operation not permitted",
     PVF__DOCTOR_SYSCALL_FILTER,
     "clone and clone3 with namespace flags"},
    {filtered,
     CLONE,
     "could not clone: Function not implemented",
     PVF__DOCTOR_SYSCALL_FILTER,
     "RestrictNamespaces="},
    {ubuntu_24,
     CLONE,
     "could not clone, errno: EPERM: Operation not permitted",
     PVF__DOCTOR_APPARMOR,
     "install -m 644"},
    {none_allowed,
     CLONE,
     "could not clone, errno: ENOSPC: No space left on device",
     PVF__DOCTOR_USERNS_LIMIT,
     "sysctl -w"},
    {for_root_only,
     CLONE,
     "could not clone: Operation not permitted",
     PVF__DOCTOR_USERNS_SYSCTL,
     "sysctl -w"},
};

static void causes_and_remedies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pvf__doctor_machine machine = debian();
        struct pvf__doctor_advice advice;
        const struct pvf__doctor_failure failure = {
            .mechanism = rows[i].mechanism, .ran = true, .text = rows[i].text};
        if (rows[i].change != NULL) {
            rows[i].change(&machine);
        }
        pvf__doctor_advise(&machine, &failure, &advice);
        if (advice.cause != rows[i].cause || strstr(advice.remedy, rows[i].remedy) == NULL ||
            advice.why[0] == '\0' || strlen(advice.why) + 1 == sizeof advice.why ||
            strlen(advice.remedy) + 1 == sizeof advice.remedy) {
            fail_msg("row %zu, '%s': %s: %s; %s",
                     i,
                     rows[i].text,
                     pvf__doctor_cause_name(advice.cause),
                     advice.why,
                     advice.remedy);
        }
    }
}

/* Root in its own right is not asked by that setting of Debian's. */
static void rights_lift_a_setting(void **state)
{
    (void)state;
    struct pvf__doctor_machine machine = debian();
    struct pvf__doctor_advice advice;
    const struct pvf__doctor_failure failure = {.mechanism = ROOT,
                                                .ran = true,
                                                .text = "unshare user and mount namespaces: "
                                                        "Operation not permitted"};
    for_root_only(&machine);
    machine.sys_admin = true;
    pvf__doctor_advise(&machine, &failure, &advice);
    assert_int_equal(advice.cause, PVF__DOCTOR_SECURITY_MODULE);
}

static void checks_that_were_killed(void **state)
{
    (void)state;
    struct pvf__doctor_machine machine = debian();
    struct pvf__doctor_advice advice;
    struct pvf__doctor_failure failure = {
        .mechanism = ROOT, .ran = true, .signal = SIGSYS, .text = "signal SYS"};
    in_unit(&machine);
    pvf__doctor_advise(&machine, &failure, &advice);
    assert_int_equal(advice.cause, PVF__DOCTOR_SYSCALL_FILTER);
    assert_non_null(strstr(advice.why, "kills the worker"));
    failure.signal = SIGKILL;
    failure.text = "signal KILL";
    pvf__doctor_advise(&machine, &failure, &advice);
    assert_int_equal(advice.cause, PVF__DOCTOR_UNKNOWN);
}

static void programs_that_do_not_start(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct pvf__doctor_machine *);
        enum pvf__doctor_mechanism mechanism;
        const char *text;
        enum pvf__doctor_cause cause;
        const char *remedy;
    } starts[] = {
        {NULL, SECCOMP, "cannot start /x: Permission denied", PVF__DOCTOR_NOT_STARTED, "noexec"},
        {NULL,
         SECCOMP,
         "cannot start /x: Exec format error",
         PVF__DOCTOR_NOT_STARTED,
         "built for this machine"},
        {in_docker,
         LANDLOCK,
         "cannot watch /x: Operation not permitted",
         PVF__DOCTOR_SYSCALL_FILTER,
         "pidfd_open"},
        {NULL,
         ROOT,
         "cannot make the folder /tmp/check-can-unshare-abc123: No space left on device",
         PVF__DOCTOR_FOLDER,
         "TMPDIR"},
        {NULL, CLONE, "/x: the process did not end in time", PVF__DOCTOR_NOT_STARTED, "by hand"},
    };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct pvf__doctor_machine machine = debian();
        struct pvf__doctor_advice advice;
        const struct pvf__doctor_failure failure = {.mechanism = starts[i].mechanism,
                                                    .text = starts[i].text};
        if (starts[i].change != NULL) {
            starts[i].change(&machine);
        }
        pvf__doctor_advise(&machine, &failure, &advice);
        if (advice.cause != starts[i].cause || strstr(advice.remedy, starts[i].remedy) == NULL) {
            fail_msg("'%s': %s; %s",
                     starts[i].text,
                     pvf__doctor_cause_name(advice.cause),
                     advice.remedy);
        }
    }
}

static void errnos_in_texts(void **state)
{
    (void)state;
    assert_int_equal(pvf__doctor_errno_of("x: anything (os error 38)"), ENOSYS);
    assert_int_equal(pvf__doctor_errno_of("could not clone, errno: EPERM: whatever"), EPERM);
    assert_int_equal(pvf__doctor_errno_of("mount MS_BIND: No such file or directory"), ENOENT);
    assert_int_equal(pvf__doctor_errno_of("x (os error 99999999999)"), 0);
    assert_int_equal(pvf__doctor_errno_of("x (os error )"), 0);
    assert_int_equal(pvf__doctor_errno_of(""), 0);
}

/* Every combination of the four, against the rule as it is written down. */
static void the_rule_of_secure_mode(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 16; bits++) {
        const bool available[4] = {bits & 1, bits & 2, bits & 4, bits & 8};
        bool rule = (bits & 2) != 0 && (bits & 5) != 0;
        assert_int_equal(pvf__doctor_is_enough(available, true), rule);
        assert_false(pvf__doctor_is_enough(available, false));
    }
}

static void names_are_stable_and_different(void **state)
{
    (void)state;
    for (int i = 0; i <= PVF__DOCTOR_FOLDER; i++) {
        const char *name = pvf__doctor_cause_name((enum pvf__doctor_cause)i);
        assert_non_null(name);
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(name, pvf__doctor_cause_name((enum pvf__doctor_cause)k));
        }
    }
    assert_string_equal(pvf__doctor_cause_name(PVF__DOCTOR_SYSCALL_FILTER), "syscall-filter");
}

static void kernel_versions(void **state)
{
    (void)state;
    uint32_t major = 0;
    uint32_t minor = 0;
    pvf__doctor_machine_version("6.18.44-fc-v669", &major, &minor);
    assert_true(major == 6 && minor == 18);
    pvf__doctor_machine_version("5.4", &major, &minor);
    assert_true(major == 5 && minor == 4);
    pvf__doctor_machine_version("strange", &major, &minor);
    pvf__doctor_machine_version("7", &major, &minor);
    assert_true(major == 5 && minor == 4);
}

static void units_in_control_groups(void **state)
{
    (void)state;
    char unit[96];
    pvf__doctor_machine_unit("0::/system.slice/polkadot.service\n", unit, sizeof unit);
    assert_string_equal(unit, "polkadot.service");
    pvf__doctor_machine_unit(
        "1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/\n", unit, sizeof unit);
    assert_string_equal(unit, "");
    pvf__doctor_machine_unit(
        "2:cpu:/\n1:name=systemd:/system.slice/a@b.service\n0::/", unit, sizeof unit);
    assert_string_equal(unit, "a@b.service");
    pvf__doctor_machine_unit("0::/system.slice/.service\n", unit, sizeof unit);
    assert_string_equal(unit, "");
    pvf__doctor_machine_unit("", unit, sizeof unit);
    assert_string_equal(unit, "");
}

/* A machine on which all is well, for the judge. */
static void make_well(struct pvf__doctor *doctor)
{
    memset(doctor, 0, sizeof *doctor);
    doctor->machine = debian();
    doctor->temporary.path = "/tmp";
    doctor->same_version = true;
    doctor->tried = true;
    doctor->self_test = true;
    for (size_t i = 0; i < PVF__DOCTOR_WORKERS; i++) {
        doctor->programs[i].path = "/usr/lib/polkadot/worker";
        doctor->programs[i].runs = true;
        for (size_t k = 0; k < PVF_CHECKS; k++) {
            doctor->checks[i][k] = (pvf_check){.name = "it", .available = true, .ran = true};
        }
    }
}

static void judge(struct pvf__doctor *doctor, size_t problems, size_t warnings, const char *part)
{
    pvf__doctor_judge(doctor);
    if (doctor->problem_count != problems || doctor->warning_count != warnings) {
        fail_msg("%zu problems, %zu warnings; wanted %zu and %zu for '%s'",
                 doctor->problem_count,
                 doctor->warning_count,
                 problems,
                 warnings,
                 part);
    }
    if (problems > 0) {
        assert_non_null(strstr(doctor->problems[0], part));
    } else if (warnings > 0) {
        assert_non_null(strstr(doctor->warnings[0], part));
    }
}

static void what_is_a_problem(void **state)
{
    (void)state;
    static struct pvf__doctor doctor;
    make_well(&doctor);
    judge(&doctor, 0, 0, "");

    /* The node asks the prepare worker, and the execute worker has to do it. */
    doctor.checks[1][LANDLOCK].available = false;
    judge(&doctor, 1, 0, "nodes ask only the latter");
    doctor.checks[0][LANDLOCK].available = false;
    judge(&doctor, 0, 0, "");
    doctor.checks[0][CLONE].available = false;
    judge(&doctor, 0, 1, "only the execute worker");
    doctor.checks[1][CLONE].available = false;
    doctor.checks[0][ROOT].available = false;
    doctor.checks[1][ROOT].available = false;
    judge(&doctor, 2, 0, "neither Landlock nor a changed root");

    make_well(&doctor);
    doctor.checks[0][SECCOMP].available = false;
    doctor.checks[1][SECCOMP].available = false;
    judge(&doctor, 2, 0, "no seccomp");

    make_well(&doctor);
    on_arm(&doctor.machine);
    judge(&doctor, 1, 0, "aarch64");

    make_well(&doctor);
    doctor.same_version = false;
    judge(&doctor, 1, 0, "install both from one build");

    make_well(&doctor);
    (void)snprintf(doctor.temporary.problem, sizeof doctor.temporary.problem, "full");
    judge(&doctor, 1, 0, "/tmp: full");

    make_well(&doctor);
    doctor.self_test = false;
    judge(&doctor, 1, 0, "trial run failed");

    make_well(&doctor);
    doctor.machine.orphans_stay = true;
    judge(&doctor, 0, 1, "nobody reaps orphans");

    make_well(&doctor);
    (void)snprintf(doctor.programs[0].problem, sizeof doctor.programs[0].problem, "open to all");
    (void)snprintf(doctor.programs[1].warning, sizeof doctor.programs[1].warning, "odd");
    judge(&doctor, 1, 1, "prepare worker: open to all");

    make_well(&doctor);
    doctor.programs[1].runs = false;
    doctor.tried = false;
    doctor.self_test = false;
    judge(&doctor, 1, 0, "the execute worker does not run");
}

static void who_may_write(void **state)
{
    (void)state;
    bool is_problem = true;
    assert_string_equal(pvf__doctor_mode_text(0100755, &is_problem), "");
    assert_false(is_problem);
    assert_string_not_equal(pvf__doctor_mode_text(0100757, &is_problem), "");
    assert_true(is_problem);
    assert_string_not_equal(pvf__doctor_mode_text(0100775, &is_problem), "");
    assert_false(is_problem);
    assert_string_equal(pvf__doctor_mode_text(0041777, &is_problem), "");
    assert_false(is_problem);
    assert_string_not_equal(pvf__doctor_mode_text(0040777, &is_problem), "");
    assert_true(is_problem);
    /* The sticky bit of a file protects nothing. */
    assert_string_not_equal(pvf__doctor_mode_text(0101777, &is_problem), "");
    assert_true(is_problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes_and_remedies),
        cmocka_unit_test(rights_lift_a_setting),
        cmocka_unit_test(checks_that_were_killed),
        cmocka_unit_test(programs_that_do_not_start),
        cmocka_unit_test(errnos_in_texts),
        cmocka_unit_test(the_rule_of_secure_mode),
        cmocka_unit_test(names_are_stable_and_different),
        cmocka_unit_test(kernel_versions),
        cmocka_unit_test(units_in_control_groups),
        cmocka_unit_test(what_is_a_problem),
        cmocka_unit_test(who_may_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
