/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: folders that a worker may write to, and getting rid of them.  What lies in them was perhaps
 * put there by hostile code: no link is followed, and no depth costs stack or descriptors.
 */
#include "host/folder.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "pvf/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_TRIES 50
/* Entries that one emptying removes at most; an honest worker leaves two. */
#define ENTRIES_MAX 100000u

int pvf__folder_random_name(char *out, size_t len, pvf_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const uint8_t count = sizeof(letters) - 1;
    const uint8_t fair = (uint8_t)(256 / count * count);
    for (size_t i = 0; i < len;) {
        uint8_t byte;
        int status = pvf__random(&byte, 1, err);
        if (status != 0) {
            return status;
        }
        if (byte < fair) {
            out[i++] = letters[byte % count];
        }
    }
    out[len] = '\0';
    return 0;
}

const char *pvf__folder_temporary(void)
{
    const char *folder = getenv("TMPDIR");
    return folder != NULL && folder[0] == '/' ? folder : "/tmp";
}

int pvf__folder_make(const char *parent, const char *prefix, char *out, size_t size, pvf_error *err)
{
    for (int i = 0; i < NAME_TRIES; i++) {
        char name[7];
        int status = pvf__folder_random_name(name, sizeof(name) - 1, err);
        if (status != 0) {
            return status;
        }
        int len = snprintf(out, size, "%s/%s%s", parent, prefix, name);
        if (len < 0 || (size_t)len >= size) {
            return pvf__error_set(
                err, PVF_ERR_LIMIT, "a path in %s would be longer than %zu bytes", parent, size);
        }
        if (mkdir(out, 0700) == 0) {
            return 0;
        }
        if (errno != EEXIST) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot make the folder %s", out);
        }
    }
    return pvf__error_set(err, PVF_ERR_IO, "%s has no free name for %s", parent, prefix);
}

static DIR *open_list(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0) {
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) {
        return NULL;
    }
    DIR *list = fdopendir(fd);
    if (list == NULL) {
        (void)close(fd);
    }
    return list;
}

/* Progress of one emptying. */
struct sweep {
    int top;            /* the folder itself */
    size_t removed;     /* entries so far */
    size_t removed_max; /* more are left for another time */
    size_t next_name;   /* for folders that are moved up */
};

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Moves a folder to the top level, where it is emptied in its turn. */
static int move_up(struct sweep *sweep, int parent, const char *name)
{
    for (int i = 0; i < NAME_TRIES; i++) {
        char fresh[32];
        (void)snprintf(fresh, sizeof(fresh), ".sweep-%zu", sweep->next_name++);
        /* Moving a folder needs the right to write to it; the worker may have taken that away. */
        if (fchmodat(parent, name, 0700, 0) != 0 && errno == ENOENT) {
            return 0;
        }
        /* Does not replace: a folder can only be renamed onto an empty one. */
        if (renameat(parent, name, sweep->top, fresh) == 0 || errno == ENOENT) {
            return 0;
        }
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) {
            return errno;
        }
    }
    return EEXIST;
}

/* One entry: removed (0, also when it is gone), a folder that is not empty (ENOTEMPTY), or why not.
 */
static int remove_entry(struct sweep *sweep, int parent, const char *name)
{
    if (++sweep->removed > sweep->removed_max) {
        return E2BIG;
    }
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    if (errno != EISDIR) {
        return errno;
    }
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
        return 0;
    }
    return errno == EEXIST ? ENOTEMPTY : errno;
}

/* The next entry but the two dots; NULL at the end, or with errno. */
static const char *next_name(DIR *list)
{
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(list);
    } while (entry != NULL && is_dots(entry->d_name));
    return entry != NULL ? entry->d_name : NULL;
}

/* Empties a folder that is a direct entry of the top; what is in it and not empty goes up there. */
static int sweep_child(struct sweep *sweep, const char *child)
{
    DIR *list = open_list(sweep->top, child);
    if (list == NULL) {
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : errno;
    }
    int failed = 0;
    const char *name;
    (void)fchmod(dirfd(list), 0700);
    while (failed == 0 && (name = next_name(list)) != NULL) {
        failed = remove_entry(sweep, dirfd(list), name);
        if (failed == ENOTEMPTY) {
            failed = move_up(sweep, dirfd(list), name);
        }
    }
    failed = failed != 0 ? failed : errno;
    (void)closedir(list);
    return failed;
}

/* Removes what is in the top; *ret_again: some of it may have come after it was looked at. */
static int sweep_top(struct sweep *sweep, DIR *top, bool *ret_again)
{
    const char *name;
    int failed = 0;
    *ret_again = false;
    rewinddir(top);
    while (failed == 0 && (name = next_name(top)) != NULL) {
        failed = remove_entry(sweep, sweep->top, name);
        if (failed == ENOTEMPTY) {
            *ret_again = true;
            failed = sweep_child(sweep, name);
            if (failed == 0) {
                /* If that fails it is met again. */
                (void)unlinkat(sweep->top, name, AT_REMOVEDIR);
            }
        }
    }
    return failed != 0 ? failed : errno;
}

int pvf__folder_empty_some(const char *path, size_t entries, pvf_error *err)
{
    DIR *top = open_list(AT_FDCWD, path);
    if (top == NULL) {
        return errno == ENOENT ? 0
                               : pvf__error_errno(err, PVF_ERR_IO, errno, "cannot list %s", path);
    }
    struct sweep sweep = {.top = dirfd(top), .removed_max = entries};
    /* Not the names of an earlier step.  Without random numbers there are tries enough. */
    (void)!getrandom(&sweep.next_name, sizeof(sweep.next_name), GRND_NONBLOCK);
    bool again = false;
    int failed;
    do {
        failed = sweep_top(&sweep, top, &again);
    } while (failed == 0 && again);
    (void)closedir(top);
    if (failed == E2BIG) {
        return 1;
    }
    if (failed != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, failed, "cannot empty %s", path);
    }
    return 0;
}

int pvf__folder_empty(const char *path, pvf_error *err)
{
    int status = pvf__folder_empty_some(path, ENTRIES_MAX, err);
    return status != 1 ? status
                       : pvf__error_set(
                             err, PVF_ERR_LIMIT, "%s held more than %u entries", path, ENTRIES_MAX);
}

void pvf__folder_remove(const char *path)
{
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__folder_empty(path, &err) != 0) {
        pvf__log(PVF__LOG_WARN, "%s", err.text);
    }
    if (rmdir(path) != 0 && errno != ENOENT) {
        pvf__log(PVF__LOG_WARN, "cannot remove %s: %s", path, strerrordesc_np(errno));
    }
}

int pvf__folder_copy_file(const char *from, const char *to, pvf_error *err)
{
    struct stat info;
    /* A FIFO would keep us waiting for somebody who writes. */
    PVF__CLEANUP_FD int in = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (in < 0 || fstat(in, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open %s", from);
    }
    if (!S_ISREG(info.st_mode)) {
        return pvf__error_set(err, PVF_ERR_IO, "%s is no plain file", from);
    }
    PVF__CLEANUP_FD int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot create %s", to);
    }
    for (;;) {
        ssize_t done = sendfile(out, in, NULL, (size_t)1 << 30);
        if (done == 0) {
            break;
        }
        if (done < 0 && errno != EINTR) {
            int why = errno;
            (void)unlink(to);
            return pvf__error_errno(err, PVF_ERR_IO, why, "cannot copy %s to %s", from, to);
        }
    }
    if (close(PVF__TAKE_FD(out)) != 0) {
        int why = errno;
        (void)unlink(to);
        return pvf__error_errno(err, PVF_ERR_IO, why, "cannot write %s", to);
    }
    return 0;
}
