/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how files in the cache's folder are opened, written and removed.  Trusts no name in it. */
#include "cache/cache_file.h"

#include "base/error.h"
#include "base/fd.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum pvf__cache_result pvf__cache_file_result(int sys_errno)
{
    switch (sys_errno) {
    case ENOENT:
        return PVF__CACHE_ABSENT;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EINTR:
    case EAGAIN:
        return PVF__CACHE_NOT_NOW;
    case EIO:
        return PVF__CACHE_DAMAGED;
    default:
        return PVF__CACHE_UNSAFE;
    }
}

static bool is_safe(const struct stat *info)
{
    return S_ISREG(info->st_mode) && info->st_uid == geteuid() &&
           (info->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

enum pvf__cache_result pvf__cache_file_look(int folder, const char *file, struct stat *ret_info)
{
    if (fstatat(folder, file, ret_info, AT_SYMLINK_NOFOLLOW) != 0) {
        return pvf__cache_file_result(errno);
    }
    return is_safe(ret_info) ? PVF__CACHE_HIT : PVF__CACHE_UNSAFE;
}

enum pvf__cache_result
pvf__cache_file_open(int folder, const char *file, int *ret_fd, struct stat *ret_info)
{
    struct stat info;
    /* Looked at first: opening a device or a pipe may have effects. */
    enum pvf__cache_result result = pvf__cache_file_look(folder, file, &info);
    if (result != PVF__CACHE_HIT) {
        return result;
    }
    PVF__CLEANUP_FD int fd =
        openat(folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return pvf__cache_file_result(errno);
    }
    if (!is_safe(&info)) {
        return PVF__CACHE_UNSAFE;
    }
    *ret_fd = PVF__TAKE_FD(fd);
    *ret_info = info;
    return PVF__CACHE_HIT;
}

enum pvf__cache_result
pvf__cache_file_read(int folder, const char *file, struct pvf__buf *buf, struct stat *ret_info)
{
    PVF__CLEANUP_FD int fd = -1;
    pvf_error err = PVF_ERROR_INIT;
    enum pvf__cache_result result = pvf__cache_file_open(folder, file, &fd, ret_info);
    if (result != PVF__CACHE_HIT) {
        return result;
    }
    switch (pvf__fd_read_all(fd, file, buf, &err)) {
    case PVF_OK:
        return PVF__CACHE_HIT;
    case PVF_ERR_LIMIT:
        return PVF__CACHE_MALFORMED;
    case PVF_ERR_IO:
        return pvf__cache_file_result(err.sys_errno);
    default:
        return PVF__CACHE_NOT_NOW;
    }
}

int pvf__cache_file_create(
    int folder, const char *file, const void *data, size_t len, pvf_error *err)
{
    PVF__CLEANUP_FD int fd =
        openat(folder, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fchmod(fd, 0600) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make a file in the cache");
    }
    int status = pvf__fd_write(fd, data, len, err);
    if (status == 0 && fsync(fd) != 0) {
        status = pvf__error_errno(err, PVF_ERR_IO, errno, "cannot sync a file of the cache");
    }
    int closed = close(PVF__TAKE_FD(fd));
    if (status == 0 && closed != 0) {
        status = pvf__error_errno(err, PVF_ERR_IO, errno, "cannot write a file of the cache");
    }
    return status;
}

int pvf__cache_file_write(
    int folder, const char *file, const void *data, size_t len, pvf_error *err)
{
    struct pvf__cache_name name;
    char beside[PVF__CACHE_FILE_MAX];
    int status = pvf__cache_name_random(&name, err);
    if (status != 0) {
        return status;
    }
    pvf__cache_name_file(&name, PVF__CACHE_KIND_TEMPORARY, beside);
    status = pvf__cache_file_create(folder, beside, data, len, err);
    if (status == 0 && renameat(folder, beside, folder, file) != 0) {
        status = pvf__error_errno(err, PVF_ERR_IO, errno, "cannot rename to %s", file);
    }
    if (status != 0) {
        /* What stays here is removed by the next owner. */
        (void)unlinkat(folder, beside, 0);
    }
    return status;
}

int pvf__cache_file_remove(int folder, const char *file, pvf_error *err)
{
    if (unlinkat(folder, file, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    if (errno == EISDIR && unlinkat(folder, file, AT_REMOVEDIR) == 0) {
        return 0;
    }
    return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot remove %s from the cache", file);
}

int pvf__cache_file_sync(int folder, pvf_error *err)
{
    if (fsync(folder) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot sync the cache's folder");
    }
    return 0;
}
