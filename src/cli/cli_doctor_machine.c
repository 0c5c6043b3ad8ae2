/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: reading the facts that doctor_advice.c explains.  Trusts /proc and /sys. */
#include "cli/cli_doctor_machine.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/text.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LANDLOCK_ASK_VERSION 1u
#define CAP_SYS_ADMIN_BIT 21u
/* An exit code from here on is an errno, below it Landlock's version. */
#define ANSWER_ERRNO 100
/* PROC_PID_INIT_INO of the kernel. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCu
/* Every hundredth of a second: an init reaps at once, on a busy machine a little later. */
#define ORPHAN_LOOKS 100

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

/* The beginning of a small file as text, without what ends it; false when it cannot be read. */
static bool read_text(const char *path, char *out, size_t size)
{
    struct pvf__buf buf PVF__CLEANUP_BUF = PVF__BUF_INIT(65536);
    if (pvf__fd_read_file(path, &buf, NULL) != PVF_OK) {
        return false;
    }
    size_t len = buf.len < size ? buf.len : size - 1;
    if (len > 0) {
        memcpy(out, buf.data, len);
    }
    while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == ' ')) {
        len--;
    }
    out[len] = '\0';
    return true;
}

/* -1 when there is no such file or no number in it. */
static int64_t read_number(const char *path)
{
    char text[32];
    uint64_t value = 0;
    if (!read_text(path, text, sizeof text) || !pvf__text_parse_u64(text, INT64_MAX, &value)) {
        return -1;
    }
    return (int64_t)value;
}

/* The value behind "NAME:" in /proc/self/status; -1 when it is not there. */
static int64_t status_field(const char *status, const char *name, int base)
{
    const char *at = strstr(status, name);
    if (at == NULL) {
        return -1;
    }
    at += strlen(name);
    at += strspn(at, " \t");
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(at, &end, base);
    return end == at || errno != 0 || value > INT64_MAX ? -1 : (int64_t)value;
}

static void read_status(struct pvf__doctor_machine *ret)
{
    char status[4096];
    if (!read_text("/proc/self/status", status, sizeof status)) {
        return;
    }
    ret->seccomp_mode = status_field(status, "\nSeccomp:", 10);
    ret->seccomp_filters = status_field(status, "\nSeccomp_filters:", 10);
    ret->no_new_privs = status_field(status, "\nNoNewPrivs:", 10);
    int64_t capabilities = status_field(status, "\nCapEff:", 16);
    ret->sys_admin = capabilities > 0 && (((uint64_t)capabilities >> CAP_SYS_ADMIN_BIT) & 1) != 0;
}

void pvf__doctor_machine_version(const char *release, uint32_t *ret_major, uint32_t *ret_minor)
{
    char *end = NULL;
    unsigned long major = strtoul(release, &end, 10);
    if (end == release || *end != '.' || major > 999) {
        return;
    }
    const char *rest = end + 1;
    unsigned long minor = strtoul(rest, &end, 10);
    if (end == rest || minor > 9999) {
        return;
    }
    *ret_major = (uint32_t)major;
    *ret_minor = (uint32_t)minor;
}

void pvf__doctor_machine_unit(const char *cgroups, char *out, size_t size)
{
    static const char suffix[] = ".service";
    const size_t suffix_len = sizeof suffix - 1;
    out[0] = '\0';
    for (const char *line = cgroups; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        size_t start = len;
        while (start > 0 && line[start - 1] != '/') {
            start--;
        }
        size_t name = len - start;
        if (name > suffix_len && name < size &&
            memcmp(line + len - suffix_len, suffix, suffix_len) == 0) {
            memcpy(out, line + start, name);
            out[name] = '\0';
            return;
        }
        line += len + (line[len] == '\n');
    }
}

/* Marks that container managers leave; none of them is a promise. */
static void find_container(const char *cgroups, char *out, size_t size)
{
    static const struct {
        const char *word;
        const char *name;
    } words[] = {
        {"kubepods", "kubernetes"}, {"docker", "docker"}, {"libpod", "podman"}, {"/lxc", "lxc"}};
    const char *name = "";
    if (getenv("KUBERNETES_SERVICE_HOST") != NULL) {
        name = "kubernetes";
    } else if (access("/run/.containerenv", F_OK) == 0) {
        name = "podman";
    } else if (access("/.dockerenv", F_OK) == 0) {
        name = "docker";
    } else if (read_text("/run/systemd/container", out, size) && out[0] != '\0') {
        return;
    }
    for (size_t i = 0; name[0] == '\0' && i < sizeof words / sizeof words[0]; i++) {
        if (strstr(cgroups, words[i].word) != NULL) {
            name = words[i].name;
        }
    }
    (void)snprintf(out, size, "%s", name);
}

static bool root_is_changed(void)
{
    struct statx info;
    if (statx(AT_FDCWD, "/", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info) != 0 ||
        (info.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0) {
        return false;
    }
    return (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0;
}

static bool is_nested(void)
{
    char map[256];
    unsigned long inside = 0;
    unsigned long outside = 0;
    unsigned long count = 0;
    if (!read_text("/proc/self/uid_map", map, sizeof map)) {
        return false;
    }
    char *end = map;
    inside = strtoul(end, &end, 10);
    outside = strtoul(end, &end, 10);
    count = strtoul(end, &end, 10);
    return inside != 0 || outside != 0 || count != UINT32_MAX;
}

/*
 * Landlock's version, or a negative errno, asked in a process of its own: a filter may kill for the
 * question.  -EINTR, which the call never gives, when it was not answered.
 */
static int32_t ask_landlock(void)
{
    pid_t pid = fork();
    if (pid < 0) {
        return -EINTR;
    }
    if (pid == 0) {
        long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_ASK_VERSION);
        _exit(abi < 0 ? ANSWER_ERRNO + errno : abi < ANSWER_ERRNO ? (int)abi : ANSWER_ERRNO - 1);
    }
    int status = 0;
    pid_t done;
    do {
        done = waitpid(pid, &status, 0);
    } while (done < 0 && errno == EINTR);
    if (done < 0 || !WIFEXITED(status)) {
        return -EINTR;
    }
    int answer = WEXITSTATUS(status);
    return answer < ANSWER_ERRNO ? answer : ANSWER_ERRNO - answer;
}

/* Ends when nobody holds the other end any more; as an orphan, since its parent has ended. */
static void be_orphan(int parent_done)
{
    char byte;
    (void)!read(parent_done, &byte, 1);
    _exit(0);
}

/* An orphan's process, which waits until `ret_hold` is closed; -1 when none could be made. */
static pid_t make_orphan(int *ret_hold)
{
    int hold[2];
    int tell[2];
    pid_t orphan = -1;
    if (pipe2(hold, O_CLOEXEC) != 0) {
        return -1;
    }
    PVF__CLEANUP_FD int read_end = hold[0];
    PVF__CLEANUP_FD int write_end = hold[1];
    if (pipe2(tell, O_CLOEXEC) != 0) {
        return -1;
    }
    PVF__CLEANUP_FD int told = tell[0];
    PVF__CLEANUP_FD int teller = tell[1];
    pid_t between = fork();
    if (between == 0) {
        (void)close(PVF__TAKE_FD(write_end));
        pid_t pid = fork();
        if (pid == 0) {
            be_orphan(read_end);
        }
        _exit(write(teller, &pid, sizeof pid) == (ssize_t)sizeof pid ? 0 : 1);
    }
    while (between > 0 && waitpid(between, NULL, 0) < 0 && errno == EINTR) {
    }
    (void)close(PVF__TAKE_FD(teller));
    if (between < 0 || read(told, &orphan, sizeof orphan) != (ssize_t)sizeof orphan) {
        return -1;
    }
    *ret_hold = PVF__TAKE_FD(write_end);
    return orphan;
}

/* The machine's own first process is an init; what is tried would stay where it is none. */
static bool is_first_pid_namespace(void)
{
    struct stat info;
    return stat("/proc/self/ns/pid", &info) == 0 && info.st_ino == FIRST_PID_NAMESPACE;
}

/* Is an orphan that has ended still there after a while? */
static bool orphans_stay(void)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    int hold = -1;
    pid_t orphan = is_first_pid_namespace() ? -1 : make_orphan(&hold);
    if (orphan <= 0) {
        return false;
    }
    (void)close(hold);
    for (int i = 0; i < ORPHAN_LOOKS; i++) {
        if (kill(orphan, 0) != 0 && errno == ESRCH) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

void pvf__doctor_machine_read(struct pvf__doctor_machine *ret)
{
    struct utsname names;
    char cgroups[4096] = "";
    memset(ret, 0, sizeof *ret);
    if (uname(&names) == 0) {
        (void)snprintf(ret->release, sizeof ret->release, "%s", names.release);
        (void)snprintf(ret->arch, sizeof ret->arch, "%s", names.machine);
    }
    pvf__doctor_machine_version(ret->release, &ret->major, &ret->minor);
    ret->landlock_abi = ask_landlock();
    ret->userns_clone = read_number("/proc/sys/kernel/unprivileged_userns_clone");
    ret->max_user_namespaces = read_number("/proc/sys/user/max_user_namespaces");
    ret->apparmor_userns = read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    if (!read_text("/sys/kernel/security/lsm", ret->lsm, sizeof ret->lsm)) {
        ret->lsm[0] = '\0';
    }
    ret->seccomp_mode = -1;
    ret->seccomp_filters = -1;
    ret->no_new_privs = -1;
    read_status(ret);
    ret->nested_userns = is_nested();
    ret->changed_root = root_is_changed();
    ret->orphans_stay = orphans_stay();
    (void)read_text("/proc/self/cgroup", cgroups, sizeof cgroups);
    find_container(cgroups, ret->container, sizeof ret->container);
    pvf__doctor_machine_unit(cgroups, ret->unit, sizeof ret->unit);
}
