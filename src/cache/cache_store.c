/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: how a pair of files comes, is used, and goes.  The sidecar is written last and removed
 * first, so that a crash leaves a whole pair or an artifact without one, which is none.
 */
#include "cache/cache_state.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "cache/cache_digest.h"
#include "cache/cache_file.h"
#include "hash/hash.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Larger than any that a worker can send. */
#define ARTIFACT_MAX ((size_t)1 << 30)

/* An artifact where the worker left it. */
struct source {
    const char *path;
    int fd; /* owned by the caller */
    struct stat info;
    struct pvf__buf bytes;
};

static int read_source(struct source *source, const struct pvf__cache_meta *meta, pvf_error *err)
{
    uint8_t checksum[32];
    source->fd = open(source->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &source->info) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot open %s", source->path);
    }
    if (!S_ISREG(source->info.st_mode)) {
        return pvf__error_set(err, PVF_ERR_CORRUPT, "%s is no plain file", source->path);
    }
    int status = pvf__fd_read_all(source->fd, source->path, &source->bytes, err);
    if (status != 0) {
        return status;
    }
    pvf__hash_twox_256(source->bytes.data, source->bytes.len, checksum);
    if (!pvf__cache_digest_equal(checksum, meta->checksum)) {
        return pvf__error_set(err, PVF_ERR_CORRUPT, "%s has another checksum", source->path);
    }
    return 0;
}

/* A second name for the very file, which is then synced; only of our own. */
static int link_source(int folder, const struct source *source, const char *file, pvf_error *err)
{
    struct stat linked;
    if (source->info.st_uid != geteuid()) {
        return PVF_ERR_UNSUPPORTED;
    }
    if (linkat(AT_FDCWD, source->path, folder, file, 0) != 0) {
        /* Another file system, or one without links: then it is copied. */
        return errno == EXDEV || errno == EPERM || errno == EMLINK || errno == EOPNOTSUPP
                   ? PVF_ERR_UNSUPPORTED
                   : pvf__error_errno(err, PVF_ERR_IO, errno, "cannot link %s", source->path);
    }
    if (fstatat(folder, file, &linked, AT_SYMLINK_NOFOLLOW) != 0 ||
        linked.st_dev != source->info.st_dev || linked.st_ino != source->info.st_ino) {
        return pvf__error_set(err, PVF_ERR_CORRUPT, "%s was replaced", source->path);
    }
    if (fchmod(source->fd, 0600) != 0 || fsync(source->fd) != 0) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot sync %s", source->path);
    }
    return 0;
}

static int put_artifact(int folder, const struct source *source, const char *file, pvf_error *err)
{
    int status = link_source(folder, source, file, err);
    if (status == PVF_ERR_UNSUPPORTED) {
        status = pvf__cache_file_create(folder, file, source->bytes.data, source->bytes.len, err);
    }
    return status;
}

static int put_meta(const struct pvf__cache *cache,
                    const struct pvf__cache_name *name,
                    const struct pvf__cache_meta *meta,
                    pvf_error *err)
{
    char file[PVF__CACHE_FILE_MAX];
    PVF__CLEANUP_BUF struct pvf__buf bytes = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    int status = pvf__cache_meta_encode(meta, name, cache->key, &bytes, err);
    if (status == 0) {
        pvf__cache_name_file(name, PVF__CACHE_KIND_META, file);
        status = pvf__cache_file_write(cache->folder, file, bytes.data, bytes.len, err);
    }
    return status != 0 ? status : pvf__cache_file_sync(cache->folder, err);
}

static int
remove_pair(const struct pvf__cache *cache, const struct pvf__cache_name *name, pvf_error *err)
{
    char file[PVF__CACHE_FILE_MAX];
    pvf_error second = PVF_ERROR_INIT;
    pvf__cache_name_file(name, PVF__CACHE_KIND_META, file);
    int status = pvf__cache_file_remove(cache->folder, file, err);
    pvf__cache_name_file(name, PVF__CACHE_KIND_ARTIFACT, file);
    int failed = pvf__cache_file_remove(cache->folder, file, &second);
    return status != 0 || failed == 0 ? status : pvf__error_set(err, failed, "%s", second.text);
}

static int store(struct pvf__cache *cache,
                 struct source *source,
                 const struct pvf__cache_meta *known,
                 const struct pvf__cache_name *name,
                 pvf_error *err)
{
    char file[PVF__CACHE_FILE_MAX];
    struct pvf__cache_meta meta = *known;
    int status = read_source(source, known, err);
    if (status != 0) {
        return status;
    }
    meta.identity = cache->identity;
    meta.size = source->bytes.len;
    meta.created_s = (uint64_t)time(NULL);
    pvf__hash_blake2b_256(source->bytes.data, source->bytes.len, meta.digest);
    pvf__cache_name_file(name, PVF__CACHE_KIND_ARTIFACT, file);
    status = put_artifact(cache->folder, source, file, err);
    if (status == 0) {
        status = put_meta(cache, name, &meta, err);
    }
    if (status != 0) {
        /* What cannot be removed now is a leftover for the next owner, or a pair that is good. */
        (void)remove_pair(cache, name, NULL);
    }
    return status;
}

int pvf__cache_store(struct pvf__cache *cache,
                     const char *path,
                     const struct pvf__cache_meta *meta,
                     struct pvf__cache_name *ret_name,
                     pvf_error *err)
{
    struct pvf__cache_name name;
    struct source source = {.path = path, .fd = -1, .bytes = PVF__BUF_INIT(ARTIFACT_MAX)};
    if (!pvf__cache_is_owner(cache) || !cache->has_identity) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "only an owner with an identity stores");
    }
    int status = pvf__cache_name_random(&name, err);
    if (status != 0) {
        return status;
    }
    status = store(cache, &source, meta, &name, err);
    if (source.fd >= 0) {
        (void)close(source.fd);
    }
    pvf__buf_done(&source.bytes);
    if (status != 0) {
        return status;
    }
    /* Stored it is; a second name elsewhere costs nothing. */
    (void)unlink(path);
    cache->counts.stored++;
    *ret_name = name;
    return 0;
}

int pvf__cache_remove(struct pvf__cache *cache, const struct pvf__cache_name *name, pvf_error *err)
{
    if (!pvf__cache_is_owner(cache)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "only an owner removes");
    }
    int status = remove_pair(cache, name, err);
    if (status == 0) {
        cache->counts.removed++;
    }
    return status;
}

void pvf__cache_touch(struct pvf__cache *cache, const struct pvf__cache_name *name, uint64_t unix_s)
{
    char file[PVF__CACHE_FILE_MAX];
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = (time_t)unix_s},
    };
    pvf__cache_name_file(name, PVF__CACHE_KIND_META, file);
    if (utimensat(cache->folder, file, times, AT_SYMLINK_NOFOLLOW) != 0) {
        pvf__log(PVF__LOG_DEBUG, "%s: %s: %s", cache->path, file, strerrordesc_np(errno));
    }
}
