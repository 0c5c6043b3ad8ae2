/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the worker's sealed copies of artifacts.  A copy is found by the requested checksum and
 * the file's identity together: the checksum is not cryptographic, so alone it is no identity.
 */
#include "execute/artifact_cache.h"

#include "base/error.h"
#include "hash/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

/* A validator serves few runtimes per worker at a time; copies cost their size in memory. */
#define ENTRIES 4
#define BYTES_MAX ((uint64_t)512 << 20)

struct entry {
    bool used;
    int fd;
    uint8_t checksum[32];
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec mtime;
    uint32_t number;
    uint64_t last_use;
};

static struct {
    struct entry entries[ENTRIES];
    uint64_t clock;
    uint32_t numbers;
} cache;

static void drop(struct entry *entry)
{
    (void)close(entry->fd);
    *entry = (struct entry){.used = false};
}

static bool matches(const struct entry *entry, const uint8_t checksum[32], const struct stat *file)
{
    return entry->used && entry->device == file->st_dev && entry->inode == file->st_ino &&
           entry->size == file->st_size && entry->mtime.tv_sec == file->st_mtim.tv_sec &&
           entry->mtime.tv_nsec == file->st_mtim.tv_nsec &&
           memcmp(entry->checksum, checksum, 32) == 0;
}

static struct entry *find(const uint8_t checksum[32], const struct stat *file)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (matches(&cache.entries[i], checksum, file)) {
            return &cache.entries[i];
        }
    }
    return NULL;
}

/* A free place within the memory budget; the least recently used make room. */
static struct entry *make_room(uint64_t size)
{
    for (;;) {
        struct entry *place = NULL;
        struct entry *oldest = NULL;
        uint64_t total = size;
        for (size_t i = 0; i < ENTRIES; i++) {
            struct entry *entry = &cache.entries[i];
            if (!entry->used) {
                place = entry;
                continue;
            }
            total += (uint64_t)entry->size;
            if (oldest == NULL || entry->last_use < oldest->last_use) {
                oldest = entry;
            }
        }
        if (place != NULL && (total <= BYTES_MAX || oldest == NULL)) {
            return place;
        }
        drop(oldest);
    }
}

/* Copies the whole file into sealed memory. */
static int copy_sealed(int file, off_t size, int *ret, pvf_error *err)
{
    PVF__CLEANUP_FD int copy = memfd_create("artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "memfd_create");
    }
    /* By its own position: that of the descriptor may be another process's too. */
    for (off_t done = 0; done < size;) {
        off_t at = done;
        ssize_t step = sendfile(copy, file, &at, (size_t)(size - done));
        if (step < 0 && errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "copying the artifact");
        }
        if (step == 0) {
            return pvf__error_set(err, PVF_ERR_IO, "the artifact shrank while it was read");
        }
        done += step > 0 ? step : 0;
    }
    if (fcntl(copy, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "sealing the artifact");
    }
    *ret = PVF__TAKE_FD(copy);
    return 0;
}

static int checksum_of(int copy, off_t size, uint8_t out[32], pvf_error *err)
{
    if (size == 0) {
        pvf__hash_twox_256(NULL, 0, out);
        return 0;
    }
    void *data = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, copy, 0);
    if (data == MAP_FAILED) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "mapping the artifact");
    }
    pvf__hash_twox_256(data, (size_t)size, out);
    (void)munmap(data, (size_t)size);
    return 0;
}

static int load(int file,
                const struct stat *info,
                const uint8_t checksum[32],
                enum pvf__artifact_verdict *ret_verdict,
                int *ret_fd,
                uint32_t *ret_number,
                pvf_error *err)
{
    struct entry *place = make_room((uint64_t)info->st_size);
    PVF__CLEANUP_FD int copy = -1;
    uint8_t actual[32];
    int status = copy_sealed(file, info->st_size, &copy, err);
    if (status == 0) {
        status = checksum_of(copy, info->st_size, actual, err);
    }
    if (status != 0) {
        return status;
    }
    if (memcmp(actual, checksum, sizeof(actual)) != 0) {
        *ret_verdict = PVF__ARTIFACT_CORRUPT;
        return 0;
    }
    *place = (struct entry){
        .used = true,
        .fd = PVF__TAKE_FD(copy),
        .device = info->st_dev,
        .inode = info->st_ino,
        .size = info->st_size,
        .mtime = info->st_mtim,
        .number = ++cache.numbers,
        .last_use = ++cache.clock,
    };
    memcpy(place->checksum, checksum, 32);
    *ret_verdict = PVF__ARTIFACT_GOOD;
    *ret_fd = place->fd;
    *ret_number = place->number;
    return 0;
}

int pvf__artifact_cache_get(int file,
                            const uint8_t checksum[32],
                            enum pvf__artifact_verdict *ret_verdict,
                            int *ret_fd,
                            uint32_t *ret_number,
                            pvf_error *err)
{
    struct stat info;
    if (fstat(file, &info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot look at the artifact");
    }
    if (!S_ISREG(info.st_mode)) {
        return pvf__error_set(err, PVF_ERR_IO, "the artifact is no regular file");
    }
    struct entry *known = find(checksum, &info);
    if (known != NULL) {
        known->last_use = ++cache.clock;
        *ret_verdict = PVF__ARTIFACT_GOOD;
        *ret_fd = known->fd;
        *ret_number = known->number;
        return 0;
    }
    return load(file, &info, checksum, ret_verdict, ret_fd, ret_number, err);
}

bool pvf__artifact_cache_has(uint32_t number)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (cache.entries[i].used && cache.entries[i].number == number) {
            return true;
        }
    }
    return false;
}
