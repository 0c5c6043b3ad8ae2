/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: that the bundles of a folder stay within their bounds.  Another process may write or remove
 * there meanwhile: a file that has gone is no fault, and the next writer counts again.
 */
#include "evidence/evidence_room.h"

#include "base/dir.h"
#include "base/error.h"
#include "evidence/evidence.h"
#include "evidence/evidence_name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Bundles that are looked at: the folder is ours, so more are a fault and wait for the next time.
 */
#define MOST ((size_t)2 * PVF__EVIDENCE_BUNDLES_MAX)

/* A bundle is written in seconds; who has not finished one for so long never will. */
#define ABANDONED_S 3600

#define BLOCK 4096u

struct bundle {
    char name[PVF__EVIDENCE_NAME_SIZE];
    uint64_t bytes; /* its folder and the files that only it has */
};

struct bundles {
    struct bundle *items;
    size_t count;
    uint64_t bytes;      /* of all, and of the codes */
    uint64_t code_bytes; /* of the codes alone */
};

static uint64_t room_of(uint64_t size)
{
    return (size + BLOCK - 1) / BLOCK * BLOCK;
}

static uint64_t measure(int folder, const char *name)
{
    uint64_t bytes = BLOCK;
    PVF__CLEANUP_FD int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? pvf__dir_list(fd) : NULL;
    if (list == NULL) {
        return bytes;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        struct stat info;
        /* What has a second link is a code, which is counted where the codes are. */
        if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
            info.st_nlink == 1) {
            bytes += room_of((uint64_t)info.st_size);
        }
    }
    (void)closedir(list);
    return bytes;
}

static bool is_abandoned(int folder, const char *name)
{
    struct stat info;
    struct timespec now;
    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           clock_gettime(CLOCK_REALTIME, &now) == 0 &&
           (info.st_mtim.tv_sec < now.tv_sec - ABANDONED_S ||
            info.st_mtim.tv_sec > now.tv_sec + ABANDONED_S);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct bundle *)a)->name, ((const struct bundle *)b)->name);
}

/* Unfinished ones count, unless they can be removed. */
static void take(int folder, const char *name, bool temporary, struct bundles *ret)
{
    if (temporary && is_abandoned(folder, name) && pvf__evidence_remove(folder, name)) {
        return;
    }
    uint64_t bytes = measure(folder, name);
    ret->bytes += bytes;
    if (!temporary && ret->count < MOST) {
        struct bundle *bundle = &ret->items[ret->count++];
        memcpy(bundle->name, name, strlen(name) + 1);
        bundle->bytes = bytes;
    }
}

/* Drops the codes that have no other link, and adds up the rest. */
static void sweep_codes(const struct pvf__evidence_folder *folder, struct bundles *bundles)
{
    uint64_t bytes = 0;
    DIR *list = pvf__dir_list(folder->codes);
    if (list == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        struct stat info;
        if (!pvf__evidence_name_is_code(entry->d_name) ||
            fstatat(folder->codes, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        if (info.st_nlink > 1 || unlinkat(folder->codes, entry->d_name, 0) != 0) {
            bytes += room_of((uint64_t)info.st_size);
        }
    }
    (void)closedir(list);
    bundles->bytes = bundles->bytes - bundles->code_bytes + bytes;
    bundles->code_bytes = bytes;
}

static int count(const struct pvf__evidence_folder *folder, struct bundles *ret, pvf_error *err)
{
    DIR *list = pvf__dir_list(folder->fd);
    if (list == NULL) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot list %s", folder->path);
    }
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        bool temporary;
        if (pvf__evidence_name_is(entry->d_name, &temporary)) {
            take(folder->fd, entry->d_name, temporary, ret);
        }
    }
    (void)closedir(list);
    qsort(ret->items, ret->count, sizeof(ret->items[0]), by_name);
    sweep_codes(folder, ret);
    return 0;
}

static int too_much(const struct pvf__evidence_folder *folder,
                    uint64_t bytes,
                    uint64_t max_bytes,
                    pvf_error *err)
{
    return pvf__error_set(err,
                          PVF_ERR_LIMIT,
                          "no room for a bundle in %.120s: %llu bytes that have to stay, and at "
                          "most %llu",
                          folder->path,
                          (unsigned long long)bytes,
                          (unsigned long long)max_bytes);
}

int pvf__evidence_room_make(const struct pvf__evidence_folder *folder,
                            uint64_t max_bytes,
                            const char *own,
                            size_t code_len,
                            pvf_error *err)
{
    PVF__CLEANUP_FREE struct bundle *items = calloc(MOST, sizeof(*items));
    struct bundles bundles = {.items = items};
    if (items == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory to list evidence");
    }
    /* A code that has no second link is counted twice, which only refuses a little early. */
    uint64_t least = measure(folder->fd, own) + room_of(code_len);
    int status =
        least > max_bytes ? too_much(folder, least, max_bytes, err) : count(folder, &bundles, err);
    size_t left = bundles.count;
    for (size_t i = 0; status == 0 && i < bundles.count; i++) {
        if (bundles.bytes <= max_bytes && left < PVF__EVIDENCE_BUNDLES_MAX) {
            break;
        }
        if (pvf__evidence_remove(folder->fd, bundles.items[i].name)) {
            bundles.bytes -= bundles.items[i].bytes;
            left--;
            sweep_codes(folder, &bundles);
        }
    }
    if (status == 0 && bundles.bytes > max_bytes) {
        return too_much(folder, bundles.bytes, max_bytes, err);
    }
    return status;
}
