/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: which folder is the cache.  Trusts the path that was configured to be meant, but not to be
 * right: a folder with anything in it that is not marked as ours is left alone.
 */
#include "cache/cache_folder.h"

#include "base/dir.h"
#include "base/error.h"
#include "cache/cache_file.h"
#include "cache/cache_lock.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char marker_text[] = "pvf artifact cache 1\n";

/* The part that all formats share. */
#define MARKER_PREFIX (sizeof(marker_text) - 3)

/* When others may write to it. */
#define MAKE_SURE "remove it, or chmod 700 after you made sure that nobody did"

static int absolute(const char *parent, char out[PATH_MAX], pvf_error *err)
{
    char full[PATH_MAX];
    if (realpath(parent, full) == NULL) {
        return pvf__error_errno(
            err, PVF_ERR_INVALID_ARG, errno, "cannot use the cache folder %s", parent);
    }
    int len = snprintf(out, PATH_MAX, "%s/%s", full, PVF__CACHE_FOLDER);
    if (len < 0 || len >= PATH_MAX) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the path of %s is too long", parent);
    }
    return 0;
}

static int make_parent(const char *parent, pvf_error *err)
{
    if (mkdir(parent, 0700) != 0 && errno != EEXIST) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make the folder %s", parent);
    }
    return 0;
}

static int make_folder(int parent, const char *path, pvf_error *err)
{
    if (mkdirat(parent, PVF__CACHE_FOLDER, 0700) != 0) {
        return errno == EEXIST
                   ? 0
                   : pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make the folder %s", path);
    }
    return pvf__cache_file_sync(parent, err);
}

/* Is there nothing but what a first start leaves that was interrupted? */
static int check_new(int folder, const char *path, pvf_error *err)
{
    DIR *list = pvf__dir_list(folder);
    if (list == NULL) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot list %s", path);
    }
    int status = 0;
    for (struct dirent *entry = readdir(list); entry != NULL && status == 0;
         entry = readdir(list)) {
        struct pvf__cache_name name;
        const char *file = entry->d_name;
        if (strcmp(file, ".") != 0 && strcmp(file, "..") != 0 &&
            strcmp(file, PVF__CACHE_LOCK) != 0 &&
            pvf__cache_name_parse(file, &name) != PVF__CACHE_KIND_TEMPORARY) {
            status = pvf__error_set(err,
                                    PVF_ERR_INVALID_ARG,
                                    "%.160s is no artifact cache, yet there are files in it",
                                    path);
        }
    }
    (void)closedir(list);
    return status;
}

static int check_marker(int folder, const char *path, bool make, pvf_error *err)
{
    struct stat info;
    PVF__CLEANUP_BUF struct pvf__buf text = PVF__BUF_INIT(64);
    enum pvf__cache_result result = pvf__cache_file_read(folder, PVF__CACHE_MARKER, &text, &info);
    if (result == PVF__CACHE_ABSENT) {
        return make ? check_new(folder, path, err)
                    : pvf__error_set(err, PVF_ERR_INVALID_ARG, "%s is no artifact cache", path);
    }
    if (result == PVF__CACHE_NOT_NOW) {
        return pvf__error_set(err, PVF_ERR_IO, "%s cannot be read now", path);
    }
    if (result != PVF__CACHE_HIT || text.len < MARKER_PREFIX ||
        memcmp(text.data, marker_text, MARKER_PREFIX) != 0) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "%s is no artifact cache: its marker is not ours", path);
    }
    if (text.len != sizeof(marker_text) - 1 || memcmp(text.data, marker_text, text.len) != 0) {
        return pvf__error_set(err,
                              PVF_ERR_UNSUPPORTED,
                              "%.160s is an artifact cache of another format: take another folder",
                              path);
    }
    return 0;
}

int pvf__cache_folder_open(
    const char *parent, bool make, int *ret_fd, char out[PATH_MAX], pvf_error *err)
{
    int status = make ? make_parent(parent, err) : 0;
    if (status == 0) {
        status = absolute(parent, out, err);
    }
    if (status != 0) {
        return status;
    }
    PVF__CLEANUP_FD int above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above < 0) {
        return pvf__error_errno(err, PVF_ERR_INVALID_ARG, errno, "cannot open %s", parent);
    }
    status = make ? make_folder(above, out, err) : 0;
    if (status != 0) {
        return status;
    }
    PVF__CLEANUP_FD int fd =
        openat(above, PVF__CACHE_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return pvf__error_errno(err, PVF_ERR_INVALID_ARG, errno, "cannot open the cache %s", out);
    }
    status = pvf__dir_check_owner(fd, out, MAKE_SURE, err);
    if (status == 0) {
        status = check_marker(fd, out, make, err);
    }
    if (status == 0) {
        *ret_fd = PVF__TAKE_FD(fd);
    }
    return status;
}

int pvf__cache_folder_mark(int folder, pvf_error *err)
{
    struct stat info;
    if (fstatat(folder, PVF__CACHE_MARKER, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        return 0;
    }
    int status =
        pvf__cache_file_write(folder, PVF__CACHE_MARKER, marker_text, sizeof(marker_text) - 1, err);
    return status != 0 ? status : pvf__cache_file_sync(folder, err);
}
