/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the identity of a worker program.  Trusts the file system about inodes and times; a change
 * that keeps size and time is not noticed.
 */
#include "host/program.h"

#include "base/error.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_script(const char *path)
{
    char magic[2];
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    /* What cannot be read may still be run. */
    return fd >= 0 && read(fd, magic, sizeof(magic)) == 2 && memcmp(magic, "#!", 2) == 0;
}

int pvf__program_open(const char *path, struct pvf__program *ret, pvf_error *err)
{
    struct stat info;
    PVF__CLEANUP_FD int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0 || access(path, X_OK) != 0) {
        return pvf__error_errno(
            err, PVF_ERR_INVALID_ARG, errno, "the worker program %s cannot be run", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "%s is no program", path);
    }
    char *copy = strdup(path);
    if (copy == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a path");
    }
    *ret = (struct pvf__program){
        .path = copy,
        .fd = PVF__TAKE_FD(fd),
        .is_script = is_script(path),
        .device = info.st_dev,
        .inode = info.st_ino,
        .size = info.st_size,
        .modified = info.st_mtim,
    };
    return 0;
}

static bool is_unchanged(const struct pvf__program *program, const struct stat *info)
{
    return info->st_size == program->size && info->st_mtim.tv_sec == program->modified.tv_sec &&
           info->st_mtim.tv_nsec == program->modified.tv_nsec;
}

int pvf__program_check(const struct pvf__program *program, pvf_error *err)
{
    struct stat opened;
    struct stat named;
    if (fstat(program->fd, &opened) != 0) {
        return pvf__error_errno(
            err, PVF_ERR_INTERNAL, errno, "the worker program %s is lost", program->path);
    }
    if (!is_unchanged(program, &opened)) {
        return pvf__error_set(err,
                              PVF_ERR_INTERNAL,
                              "the worker program %s was changed in place while in use",
                              program->path);
    }
    if (stat(program->path, &named) != 0) {
        return pvf__error_errno(
            err, PVF_ERR_INTERNAL, errno, "the worker program %s was removed", program->path);
    }
    if (named.st_dev != program->device || named.st_ino != program->inode) {
        return pvf__error_set(err,
                              PVF_ERR_INTERNAL,
                              "the worker program %s was replaced by another file",
                              program->path);
    }
    return 0;
}

int pvf__program_descriptor(const struct pvf__program *program)
{
    return program->is_script ? -1 : program->fd;
}

void pvf__program_close(struct pvf__program *program)
{
    pvf__close_fd(&program->fd);
    free(program->path);
    program->path = NULL;
}
