/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: looking at the worker programs' files and at the folder for temporary files. */
#include "cli/cli_doctor_files.h"

#include "base/buf.h"
#include "base/fd.h"
#include "cli/cli_report.h"
#include "host/folder.h"
#include "pvf/host.h"
#include "pvf/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#define VERSION_FILE "pvf-node-version"
/* What spawn adds: "/pvf-host-prepare-" and ten characters; sun_path holds the terminator too. */
#define SOCKET_NAME_LEN (sizeof "/pvf-host-prepare-0123456789" - 1)
#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)
/* An artifact has some megabytes, and there are at least two copies of it for a moment. */
#define TRIAL_SIZE ((size_t)1 << 20)
#define LEAST_FREE ((uint64_t)64 << 20)

const char *pvf__doctor_mode_text(uint32_t mode, bool *is_problem)
{
    bool sticky = S_ISDIR(mode) && (mode & S_ISVTX) != 0;
    *is_problem = false;
    if ((mode & S_IWOTH) != 0 && !sticky) {
        *is_problem = true;
        return "may be written by everybody";
    }
    return (mode & S_IWGRP) != 0 && !sticky ? "may be written by its group" : "";
}

/* Who can write a program, or its folder, decides what a validator runs. */
static void look_at_mode(const char *path, struct pvf__doctor_program *ret)
{
    struct stat info;
    bool is_problem = false;
    if (stat(path, &info) != 0) {
        (void)snprintf(ret->problem,
                       sizeof ret->problem,
                       "%.200s cannot be looked at: %s",
                       path,
                       strerrordesc_np(errno));
        return;
    }
    if (!S_ISDIR(info.st_mode)) {
        ret->mode = info.st_mode & 07777;
        ret->owner = info.st_uid;
    }
    const char *text = pvf__doctor_mode_text(info.st_mode, &is_problem);
    if (is_problem) {
        (void)snprintf(ret->problem, sizeof ret->problem, "%.200s %s: chmod o-w it", path, text);
    } else if (text[0] != '\0') {
        (void)snprintf(ret->warning, sizeof ret->warning, "%.200s %s", path, text);
    } else if (info.st_uid != 0 && info.st_uid != geteuid()) {
        (void)snprintf(ret->warning,
                       sizeof ret->warning,
                       "%.200s belongs to user %u, neither root nor you",
                       path,
                       (unsigned)info.st_uid);
    }
}

/* A version file that is there but not heeded surprises whoever wrote it. */
static void look_at_version_file(const char *folder, struct pvf__doctor_program *ret)
{
    char path[PATH_MAX];
    char want[sizeof ret->version] = {0};
    struct pvf__buf buf PVF__CLEANUP_BUF = PVF__BUF_INIT(4096);
    int len = snprintf(path, sizeof path, "%s/" VERSION_FILE, folder);
    if (len < 0 || (size_t)len >= sizeof path || access(path, F_OK) != 0) {
        return;
    }
    if (pvf__fd_read_file(path, &buf, NULL) == PVF_OK && buf.len > 0 && buf.len < sizeof want) {
        memcpy(want, buf.data, buf.len);
        want[strcspn(want, "\n")] = '\0';
    }
    if (strcmp(want, ret->version) != 0) {
        (void)snprintf(ret->warning,
                       sizeof ret->warning,
                       "%.160s is not heeded: one line, mode 0644, owned by root or the program's "
                       "owner",
                       path);
    }
}

void pvf__doctor_program_look(const char *path, struct pvf__doctor_program *ret)
{
    pvf_error err = PVF_ERROR_INIT;
    memset(ret, 0, sizeof *ret);
    ret->path = path;
    if (realpath(path, ret->real) == NULL) {
        (void)snprintf(ret->real, sizeof ret->real, "%s", path);
    }
    ret->runs = pvf_worker_version(path, ret->version, sizeof ret->version, &err) == PVF_OK;
    if (!ret->runs) {
        (void)snprintf(ret->version_error, sizeof ret->version_error, "%s", err.text);
    }
    char folder[PATH_MAX];
    memcpy(folder, ret->real, sizeof folder);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
        if (ret->runs) {
            look_at_version_file(folder, ret);
        }
        look_at_mode(folder, ret);
    }
    if (ret->problem[0] == '\0') {
        look_at_mode(ret->real, ret);
    }
}

static void try_folder(struct pvf__doctor_temporary *ret)
{
    static uint8_t content[TRIAL_SIZE];
    char folder[PATH_MAX];
    char file[PATH_MAX + 8];
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__folder_make(ret->path, "pvf-doctor-", folder, sizeof folder, &err) != PVF_OK) {
        (void)snprintf(ret->problem, sizeof ret->problem, "%s", err.text);
        return;
    }
    (void)snprintf(file, sizeof file, "%s/trial", folder);
    if (pvf__fd_write_file(file, 0600, content, sizeof content, &err) != PVF_OK) {
        (void)snprintf(ret->problem, sizeof ret->problem, "%s", err.text);
    }
    pvf__folder_remove(folder);
}

void pvf__doctor_temporary_look(const char *path, struct pvf__doctor_temporary *ret)
{
    struct statvfs info;
    struct stat folder;
    bool is_problem = false;
    memset(ret, 0, sizeof *ret);
    ret->path = path;
    if (strlen(path) + SOCKET_NAME_LEN > SOCKET_PATH_MAX) {
        (void)snprintf(ret->problem,
                       sizeof ret->problem,
                       "its name has %zu bytes; with more than %zu no socket can be made in it",
                       strlen(path),
                       SOCKET_PATH_MAX - SOCKET_NAME_LEN);
        return;
    }
    if (stat(path, &folder) != 0 || statvfs(path, &info) != 0) {
        (void)snprintf(
            ret->problem, sizeof ret->problem, "it cannot be used: %s", strerrordesc_np(errno));
        return;
    }
    ret->free_bytes = (uint64_t)info.f_bavail * (uint64_t)info.f_frsize;
    ret->noexec = (info.f_flag & ST_NOEXEC) != 0;
    const char *text = pvf__doctor_mode_text(folder.st_mode, &is_problem);
    if (is_problem) {
        (void)snprintf(ret->problem, sizeof ret->problem, "it %s, without the sticky bit", text);
        return;
    }
    try_folder(ret);
    if (ret->problem[0] == '\0' && ret->free_bytes < LEAST_FREE) {
        char have[32];
        pvf__cli_report_bytes(ret->free_bytes, have, sizeof have);
        (void)snprintf(
            ret->problem, sizeof ret->problem, "only %s are free, 64 MiB are needed", have);
    }
}
