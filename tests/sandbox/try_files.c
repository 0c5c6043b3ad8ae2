/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the probes of files: to see, to read, to write, and the artifact above all. */
#include "sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Length of the artifact that the driver makes; a truncation to it changes nothing. */
#define ARTIFACT_LEN 4096

#define ROOM_FOR_HANDLE 128

static int open_as(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int refusal = errno;
    if (fd < 0) {
        return refusal;
    }
    (void)close(fd);
    return 0;
}

static int open_file(struct probe_env *env)
{
    return open_as(env->arg, O_RDONLY);
}

static int open_parent(struct probe_env *env)
{
    (void)env;
    return open_as("../../../../../../../../../../../../../../etc/passwd", O_RDONLY);
}

static int open_self_mem(struct probe_env *env)
{
    (void)env;
    return open_as("/proc/self/mem", O_RDWR);
}

/* Not the form that the C library uses. */
static int open_by_other_call(struct probe_env *env)
{
    struct {
        unsigned long long flags;
        unsigned long long mode;
        unsigned long long resolve;
    } how = {.flags = O_RDONLY | O_CLOEXEC};
    return probe_result(syscall(SYS_openat2, AT_FDCWD, env->arg, &how, sizeof(how)));
}

/* A path to a file that needs no name of it. */
static int open_by_handle(struct probe_env *env)
{
    union {
        struct file_handle handle;
        char room[sizeof(struct file_handle) + ROOM_FOR_HANDLE];
    } file = {.handle = {.handle_bytes = ROOM_FOR_HANDLE}};
    int mount_id;
    if (name_to_handle_at(AT_FDCWD, env->arg, &file.handle, &mount_id, 0) != 0) {
        return errno;
    }
    int mount_fd = open("/", O_RDONLY | O_CLOEXEC);
    if (mount_fd < 0) {
        return errno;
    }
    int status = probe_result(open_by_handle_at(mount_fd, &file.handle, O_RDONLY | O_CLOEXEC));
    (void)close(mount_fd);
    return status;
}

static int write_file(struct probe_env *env)
{
    return open_as(env->arg, O_WRONLY);
}

static int create_file(struct probe_env *env)
{
    int status = open_as(env->arg, O_WRONLY | O_CREAT | O_EXCL);
    if (status == 0) {
        (void)unlink(env->arg);
    }
    return status;
}

static int make_folder(struct probe_env *env)
{
    int status = probe_result(mkdir(env->arg, 0700));
    if (status == 0) {
        (void)rmdir(env->arg);
    }
    return status;
}

static int truncate_file(struct probe_env *env)
{
    return probe_result(truncate(env->arg, ARTIFACT_LEN));
}

static int change_mode(struct probe_env *env)
{
    return probe_result(chmod(env->arg, 0600));
}

static int see_file(struct probe_env *env)
{
    struct stat info;
    return probe_result(stat(env->arg, &info));
}

/* A filter sees the flag, and not whether the path is empty. */
static int see_file_by_flag(struct probe_env *env)
{
    struct stat info;
    return probe_result(fstatat(AT_FDCWD, env->arg, &info, AT_EMPTY_PATH));
}

static int read_link(struct probe_env *env)
{
    char target[64];
    (void)env;
    return probe_result(readlink("/proc/self/exe", target, sizeof(target)));
}

static int write_fd(struct probe_env *env)
{
    return probe_result(write(env->artifact_fd, "x", 1));
}

static int map_fd(struct probe_env *env)
{
    void *at = mmap(NULL, ARTIFACT_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, env->artifact_fd, 0);
    if (at == MAP_FAILED) {
        return errno;
    }
    return probe_result(munmap(at, ARTIFACT_LEN));
}

static int truncate_fd(struct probe_env *env)
{
    return probe_result(ftruncate(env->artifact_fd, ARTIFACT_LEN / 2));
}

static int seal_fd(struct probe_env *env)
{
    return probe_result(fcntl(env->artifact_fd, F_ADD_SEALS, F_SEAL_GROW));
}

/* A second descriptor, with rights that the first may not have. */
static int reopen_fd(struct probe_env *env)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", env->artifact_fd);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int status = probe_result(write(fd, "x", 1));
    (void)close(fd);
    return status;
}

/* Not a refusal at all: how the root is mounted. */
static int see_root(struct probe_env *env)
{
    struct statvfs info;
    if (statvfs("/", &info) != 0) {
        return errno;
    }
    static const struct {
        unsigned long flag;
        const char *name;
    } flags[] = {
        {ST_RDONLY, " ro"}, {ST_NOSUID, " nosuid"}, {ST_NODEV, " nodev"}, {ST_NOEXEC, " noexec"}};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if ((info.f_flag & flags[i].flag) != 0) {
            size_t len = strlen(env->note);
            (void)snprintf(env->note + len, sizeof(env->note) - len, "%s", flags[i].name);
        }
    }
    return 0;
}

static const struct probe list[] = {
    {"open", open_file, false},
    {"open-parent", open_parent, false},
    {"open-self-mem", open_self_mem, false},
    {"open-by-other-call", open_by_other_call, false},
    {"open-by-handle", open_by_handle, false},
    {"write-file", write_file, false},
    {"create-file", create_file, false},
    {"make-folder", make_folder, false},
    {"truncate-file", truncate_file, false},
    {"change-mode", change_mode, false},
    {"see-file", see_file, false},
    {"see-file-by-flag", see_file_by_flag, false},
    {"read-link", read_link, false},
    {"write-fd", write_fd, false},
    {"map-fd", map_fd, false},
    {"truncate-fd", truncate_fd, false},
    {"seal-fd", seal_fd, false},
    {"reopen-fd", reopen_fd, false},
    {"see-root", see_root, false},
};
PROBE_LIST(list, probe_files);
