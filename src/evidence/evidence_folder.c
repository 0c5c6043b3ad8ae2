/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: how folders and files of evidence are opened, made and removed.  Trusts the path that was
 * configured to be meant; everything below is named relative to a descriptor, and no link is
 * followed.
 */
#include "evidence/evidence_folder.h"

#include "base/dir.h"
#include "base/error.h"
#include "base/fd.h"
#include "evidence/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* When others may write to it. */
#define ADVICE "evidence needs a folder of its own"

int pvf__evidence_folder_open(const char *path, struct pvf__evidence_folder *ret, pvf_error *err)
{
    char full[PATH_MAX];
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make the folder %s", path);
    }
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || realpath(path, full) == NULL) {
        return pvf__error_errno(
            err, PVF_ERR_INVALID_ARG, errno, "cannot use the evidence folder %s", path);
    }
    int status = pvf__dir_check_owner(fd, full, ADVICE, err);
    if (status != 0) {
        return status;
    }
    if (mkdirat(fd, PVF__EVIDENCE_CODES, 0700) != 0 && errno != EEXIST) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make a folder in %s", full);
    }
    PVF__CLEANUP_FD int codes =
        openat(fd, PVF__EVIDENCE_CODES, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (codes < 0) {
        return pvf__error_errno(
            err, PVF_ERR_INVALID_ARG, errno, "cannot open the folder of codes in %s", full);
    }
    status = pvf__dir_check_owner(codes, full, ADVICE, err);
    if (status == 0) {
        memcpy(ret->path, full, sizeof(full));
        ret->fd = PVF__TAKE_FD(fd);
        ret->codes = PVF__TAKE_FD(codes);
    }
    return status;
}

void pvf__evidence_folder_close(const struct pvf__evidence_folder *folder)
{
    if (folder->fd >= 0) {
        (void)close(folder->fd);
    }
    if (folder->codes >= 0) {
        (void)close(folder->codes);
    }
}

int pvf__evidence_file_make(
    int folder, const char *file, const void *data, size_t len, pvf_error *err)
{
    PVF__CLEANUP_FD int fd =
        openat(folder, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    /* The umask may have taken even the owner's rights. */
    if (fd < 0 || fchmod(fd, 0600) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make the file %s", file);
    }
    int status = pvf__fd_write(fd, data, len, err);
    if (status != 0) {
        pvf__error_wrap(err, "cannot write %s", file);
        return status;
    }
    int closed = close(PVF__TAKE_FD(fd));
    if (closed != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot write %s", file);
    }
    return 0;
}

bool pvf__evidence_remove(int folder, const char *name)
{
    PVF__CLEANUP_FD int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? pvf__dir_list(fd) : NULL;
    if (list != NULL) {
        /* Without its manifest it is no bundle any more, whatever of it cannot be removed. */
        (void)unlinkat(fd, PVF__EVIDENCE_MANIFEST, 0);
        for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
                (void)unlinkat(fd, entry->d_name, 0);
            }
        }
        (void)closedir(list);
    }
    return unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}
