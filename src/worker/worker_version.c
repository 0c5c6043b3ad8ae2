/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the worker's version string.  Trusts a file only as far as its owner and mode allow. */
#include "worker/worker_version.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "pvf-node-version"

/* Same owner as the program, or root; writable by the owner alone. */
static bool is_trusted(int fd)
{
    struct stat file;
    struct stat program;
    return fstat(fd, &file) == 0 && stat("/proc/self/exe", &program) == 0 &&
           S_ISREG(file.st_mode) && (file.st_uid == program.st_uid || file.st_uid == 0) &&
           (file.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Printable ASCII without blanks, one line, not empty. */
static bool take_line(char *line)
{
    size_t len = strcspn(line, "\n");
    if (len == 0 || (line[len] == '\n' && line[len + 1] != '\0')) {
        return false;
    }
    line[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        if (line[i] <= ' ' || line[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool read_beside(char ret[PVF__WORKER_VERSION_MAX])
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - sizeof(FILE_NAME));
    if (len <= 0) {
        return false;
    }
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return false;
    }
    memcpy(slash + 1, FILE_NAME, sizeof(FILE_NAME));
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || !is_trusted(fd)) {
        return false;
    }
    char line[PVF__WORKER_VERSION_MAX] = {0};
    ssize_t got = read(fd, line, sizeof(line) - 1);
    if (got <= 0 || strlen(line) != (size_t)got || !take_line(line)) {
        return false;
    }
    memcpy(ret, line, sizeof(line));
    return true;
}

void pvf__worker_version(char ret[PVF__WORKER_VERSION_MAX])
{
    if (!read_beside(ret)) {
        (void)snprintf(ret, PVF__WORKER_VERSION_MAX, "%s", PVF_WORKER_VERSION);
    }
}

const char *pvf__worker_commit(void)
{
    return PVF_COMMIT;
}
