/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: Landlock, at the best version that the kernel and we both know.  Numbers are of
 * linux/landlock.h; the header that Debian 12 has ends at version 2.
 */
#include "sandbox/sandbox_landlock.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define ASK_VERSION 1u
#define RULE_PATH_BENEATH 1

#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_ALL_1 ((UINT64_C(1) << 13) - 1)
#define FS_REFER (UINT64_C(1) << 13)     /* version 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)  /* version 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */
#define NET_BIND_CONNECT_TCP UINT64_C(3) /* version 4 */
#define SCOPE_SOCKET_SIGNAL UINT64_C(3)  /* version 6: abstract sockets, signals */

struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

struct path_beneath {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

static const struct pvf__landlock_masks masks[PVF__LANDLOCK_ABI_MAX] = {
    {FS_ALL_1, 0, 0, 8},
    {FS_ALL_1 | FS_REFER, 0, 0, 8},
    {FS_ALL_1 | FS_REFER | FS_TRUNCATE, 0, 0, 8},
    {FS_ALL_1 | FS_REFER | FS_TRUNCATE, NET_BIND_CONNECT_TCP, 0, 16},
    {FS_ALL_1 | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV, NET_BIND_CONNECT_TCP, 0, 16},
    {FS_ALL_1 | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV,
     NET_BIND_CONNECT_TCP,
     SCOPE_SOCKET_SIGNAL,
     24},
};

struct pvf__landlock_masks pvf__landlock_masks(int abi)
{
    return masks[(abi < PVF__LANDLOCK_ABI_MAX ? abi : PVF__LANDLOCK_ABI_MAX) - 1];
}

uint64_t pvf__landlock_rights(enum pvf__sandbox_files files, int abi)
{
    uint64_t rights =
        files == PVF__SANDBOX_READS_FILES ? FS_READ_FILE : FS_WRITE_FILE | FS_TRUNCATE;
    return rights & pvf__landlock_masks(abi).files;
}

int pvf__landlock_abi(int *ret, pvf_error *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
    if (abi >= 1) {
        *ret = (int)abi;
        return 0;
    }
    const char *why = errno == ENOSYS       ? "this kernel has no Landlock"
                      : errno == EOPNOTSUPP ? "Landlock is off in this kernel's lsm= list"
                                            : "landlock_create_ruleset";
    return pvf__error_errno(err, PVF_ERR_UNSUPPORTED, errno, "%s", why);
}

static int allow(int ruleset, const char *folder, uint64_t rights, pvf_error *err)
{
    PVF__CLEANUP_FD int fd = open(folder, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "opening %s for Landlock", folder);
    }
    const struct path_beneath rule = {.allowed = rights, .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "landlock_add_rule");
    }
    return 0;
}

int pvf__sandbox_landlock(const char *folder, enum pvf__sandbox_files files, pvf_error *err)
{
    int abi = 0; /* no version, in case of failure */
    int status = pvf__landlock_abi(&abi, err);
    if (status != 0) {
        return status;
    }
    /* A kernel takes no longer argument than it knows, so the length follows the version. */
    struct pvf__landlock_masks all = pvf__landlock_masks(abi);
    const struct ruleset attr = {.files = all.files, .network = all.network, .scopes = all.scopes};
    PVF__CLEANUP_FD int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &attr, all.attr_size, 0);
    if (ruleset < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "landlock_create_ruleset");
    }
    if (folder != NULL) {
        status = allow(ruleset, folder, pvf__landlock_rights(files, abi), err);
        if (status != 0) {
            return status;
        }
    }
    if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "landlock_restrict_self");
    }
    return 0;
}
