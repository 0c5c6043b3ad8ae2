/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what is asked of an open folder: what is in it, and whose it is. */
#include "base/dir.h"

#include "base/error.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

DIR *pvf__dir_list(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (list == NULL && fd >= 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
    }
    return list;
}

int pvf__dir_check_owner(int folder, const char *path, const char *advice, pvf_error *err)
{
    struct stat info;
    if (fstat(folder, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot look at %s", path);
    }
    if (info.st_uid != geteuid()) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "%.160s belongs to user %u, not to user %u who runs this",
                              path,
                              (unsigned)info.st_uid,
                              (unsigned)geteuid());
    }
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "others may write to %.120s: %s", path, advice);
    }
    return 0;
}
