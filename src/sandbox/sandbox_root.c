/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the change of the root folder (protocol: change root). */
#include "sandbox/sandbox_root.h"

#include "base/error.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A mount flag and how statvfs(2) shows it. */
struct flag {
    unsigned long mount;
    unsigned long shown;
    const char *name;
};

static const struct flag flags[] = {
    {MS_NOEXEC, ST_NOEXEC, "noexec"},
    {MS_NODEV, ST_NODEV, "nodev"},
    {MS_NOSUID, ST_NOSUID, "nosuid"},
    {MS_RDONLY, ST_RDONLY, "ro"},
};

#define FLAGS (sizeof(flags) / sizeof(flags[0]))

static int failed(pvf_error *err, const char *step)
{
    return pvf__error_errno(err, PVF_ERR_IO, errno, "%s", step);
}

/* What must hold at the end: all but the last always, that one as asked for. */
static unsigned long wanted(bool read_only)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < FLAGS; i++) {
        if (flags[i].mount != MS_RDONLY || read_only) {
            sum |= flags[i].mount;
        }
    }
    return sum;
}

/*
 * A bind mount takes the flags of what it shows, whatever the call says: only a remount sets them.
 * Flags that were there must be named again, since in a user namespace they are locked; that of
 * access times is kept when none is named.
 */
static int harden(bool read_only, pvf_error *err)
{
    struct statvfs info;
    unsigned long all = wanted(read_only);
    if (statvfs(".", &info) != 0) {
        return failed(err, "statvfs of the worker dir");
    }
    for (size_t i = 0; i < FLAGS; i++) {
        if ((info.f_flag & flags[i].shown) != 0) {
            all |= flags[i].mount;
        }
    }
    if (mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | all, NULL) != 0) {
        return failed(err, "mount MS_REMOUNT");
    }
    return 0;
}

static int verify(bool read_only, pvf_error *err)
{
    struct statvfs info;
    unsigned long all = wanted(read_only);
    if (statvfs("/", &info) != 0) {
        return failed(err, "statvfs of the new root");
    }
    for (size_t i = 0; i < FLAGS; i++) {
        if ((all & flags[i].mount) != 0 && (info.f_flag & flags[i].shown) == 0) {
            return pvf__error_set(
                err, PVF_ERR_UNSUPPORTED, "the new root is not mounted %s", flags[i].name);
        }
    }
    return 0;
}

static int at_root(const char *complaint, pvf_error *err)
{
    char folder[2];
    if (getcwd(folder, sizeof(folder)) == NULL || strcmp(folder, "/") != 0) {
        return pvf__error_set(err, PVF_ERR_UNSUPPORTED, "assertion failed: %s", complaint);
    }
    return 0;
}

/* The folder becomes a mount of its own, which pivot_root(2) demands. */
static int mount_folder(const char *folder, bool read_only, pvf_error *err)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        return failed(err, "mount MS_PRIVATE");
    }
    if (mount(folder, folder, NULL, MS_BIND | MS_REC, NULL) != 0) {
        return failed(err, "mount MS_BIND");
    }
    if (chdir(folder) != 0) {
        return failed(err, "chdir to worker dir path");
    }
    return harden(read_only, err);
}

/* Both roots on the same place, the old one on top: what is unmounted is the old one. */
static int pivot(pvf_error *err)
{
    if (syscall(SYS_pivot_root, ".", ".") != 0) {
        return failed(err, "pivot_root");
    }
    if (umount2(".", MNT_DETACH) != 0) {
        return failed(err, "umount the old root mount point");
    }
    int status = at_root("expected current dir after pivot_root to be `/`", err);
    if (status != 0) {
        return status;
    }
    if (chdir("..") != 0) {
        return failed(err, "chdir ..");
    }
    return at_root("expected not to be able to break out of new root by doing `..`", err);
}

int pvf__sandbox_change_root(const char *folder, bool read_only, pvf_error *err)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return failed(err, "unshare user and mount namespaces");
    }
    int status = mount_folder(folder, read_only, err);
    if (status == 0) {
        status = pivot(err);
    }
    return status != 0 ? status : verify(read_only, err);
}
