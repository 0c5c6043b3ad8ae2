/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: which bytes a worker program is, without reading them at every start.  Trusts the file
 * system about inodes and times, as the host does when it starts a program.
 */
#include "cache/cache_program.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "cache/cache_digest.h"
#include "cache/cache_file.h"
#include "cache/cache_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KIND_LEN 16u
/* File systems count time in steps, the coarsest of them in seconds. */
#define SETTLED_S 2

/* What is remembered: magic, kind, seven numbers, the digest, and the MAC of all that. */
static const char magic[8] = "pvf-prog";
#define FACTS_LEN (sizeof(magic) + KIND_LEN + 7 * sizeof(uint64_t))
#define RECORD_LEN (FACTS_LEN + 32 + 32)

/* By what a file is known again. */
static void describe(const char *kind, const struct stat *info, uint8_t out[FACTS_LEN])
{
    const uint64_t numbers[7] = {
        (uint64_t)info->st_dev,
        (uint64_t)info->st_ino,
        (uint64_t)info->st_size,
        (uint64_t)info->st_mtim.tv_sec,
        (uint64_t)info->st_mtim.tv_nsec,
        (uint64_t)info->st_ctim.tv_sec,
        (uint64_t)info->st_ctim.tv_nsec,
    };
    memset(out, 0, FACTS_LEN);
    memcpy(out, magic, sizeof(magic));
    memcpy(out + sizeof(magic), kind, strnlen(kind, KIND_LEN - 1));
    /* For this machine alone, so in its own order of bytes. */
    memcpy(out + sizeof(magic) + KIND_LEN, numbers, sizeof(numbers));
}

static void name_of(const char *kind, char out[PVF__CACHE_FILE_MAX])
{
    (void)snprintf(out, PVF__CACHE_FILE_MAX, "program-%.15s", kind);
}

static bool recall(const struct pvf__cache *cache,
                   const char *kind,
                   const uint8_t facts[FACTS_LEN],
                   uint8_t out[32])
{
    char file[PVF__CACHE_FILE_MAX];
    uint8_t mac[32];
    struct stat info;
    PVF__CLEANUP_BUF struct pvf__buf record = PVF__BUF_INIT(RECORD_LEN);
    name_of(kind, file);
    if (pvf__cache_file_read(cache->folder, file, &record, &info) != PVF__CACHE_HIT ||
        record.len != RECORD_LEN || memcmp(record.data, facts, FACTS_LEN) != 0) {
        return false;
    }
    pvf__cache_digest_mac(cache->key, record.data, FACTS_LEN + 32, mac);
    if (!pvf__cache_digest_equal(mac, record.data + FACTS_LEN + 32)) {
        return false;
    }
    memcpy(out, record.data + FACTS_LEN, 32);
    return true;
}

static void remember(const struct pvf__cache *cache,
                     const char *kind,
                     const uint8_t facts[FACTS_LEN],
                     const uint8_t digest[32])
{
    char file[PVF__CACHE_FILE_MAX];
    uint8_t record[RECORD_LEN];
    pvf_error err = PVF_ERROR_INIT;
    memcpy(record, facts, FACTS_LEN);
    memcpy(record + FACTS_LEN, digest, 32);
    pvf__cache_digest_mac(cache->key, record, FACTS_LEN + 32, record + FACTS_LEN + 32);
    name_of(kind, file);
    /* Without it the file is read again next time. */
    if (pvf__cache_file_write(cache->folder, file, record, sizeof(record), &err) != 0) {
        pvf__log(PVF__LOG_DEBUG, "%s: %s", cache->path, err.text);
    }
}

static bool is_settled(const struct stat *info)
{
    struct timespec now;
    return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
           now.tv_sec - info->st_ctim.tv_sec > SETTLED_S;
}

int pvf__cache_program_digest(struct pvf__cache *cache,
                              const char *kind,
                              const char *path,
                              uint8_t out[32],
                              uint64_t *ret_size,
                              pvf_error *err)
{
    struct stat info;
    uint8_t facts[FACTS_LEN];
    bool remembers = cache != NULL && pvf__cache_is_owner(cache) && cache->has_key;
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return pvf__error_errno(
            err, PVF_ERR_IO, errno, "the worker program %s cannot be read", path);
    }
    if (!S_ISREG(info.st_mode)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "%s is no program", path);
    }
    /* Taken before it is read: a change in between is found by the next start. */
    describe(kind, &info, facts);
    if (remembers && recall(cache, kind, facts, out)) {
        *ret_size = (uint64_t)info.st_size;
        return 0;
    }
    int status = pvf__cache_digest_file(fd, (uint64_t)info.st_size, out, ret_size, err);
    if (status == 0 && *ret_size != (uint64_t)info.st_size) {
        status = pvf__error_set(err, PVF_ERR_IO, "%s changes while it is read", path);
    }
    if (status == 0 && cache != NULL) {
        cache->counts.programs_read++;
    }
    if (status == 0 && remembers && is_settled(&info)) {
        remember(cache, kind, facts, out);
    }
    return status;
}
