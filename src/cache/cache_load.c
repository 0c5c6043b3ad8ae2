/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the proof that a pair of files is what this cache stored, and is of use here and now. */
#include "cache/cache_state.h"

#include "base/log.h"
#include "cache/cache_digest.h"
#include "cache/cache_file.h"
#include "pvf/status.h"

#include <string.h>

/* The MAC comes first: what it does not cover is not looked at, but for showing it to people. */
static enum pvf__cache_result judge_meta(const struct pvf__cache *cache,
                                         const struct pvf__cache_name *name,
                                         const struct pvf__buf *bytes,
                                         struct pvf__cache_meta *ret)
{
    struct pvf__cache_name named;
    bool proven =
        cache->has_key && pvf__cache_meta_is_proven(bytes->data, bytes->len, name, cache->key);
    if (pvf__cache_meta_decode(bytes->data, bytes->len, &named, ret, NULL) != 0) {
        return PVF__CACHE_MALFORMED;
    }
    if (!proven) {
        return PVF__CACHE_UNPROVEN;
    }
    if (cache->has_identity && strcmp(ret->identity.build, cache->identity.build) != 0) {
        return PVF__CACHE_OTHER_BUILD;
    }
    if (cache->has_identity &&
        memcmp(ret->identity.cpu, cache->identity.cpu, sizeof(ret->identity.cpu)) != 0) {
        return PVF__CACHE_OTHER_CPU;
    }
    return PVF__CACHE_HIT;
}

enum pvf__cache_result pvf__cache_load_meta(const struct pvf__cache *cache,
                                            const struct pvf__cache_name *name,
                                            struct pvf__cache_meta *ret,
                                            struct stat *ret_info)
{
    char file[PVF__CACHE_FILE_MAX];
    PVF__CLEANUP_BUF struct pvf__buf bytes = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    pvf__cache_name_file(name, PVF__CACHE_KIND_META, file);
    enum pvf__cache_result result = pvf__cache_file_read(cache->folder, file, &bytes, ret_info);
    return result == PVF__CACHE_HIT ? judge_meta(cache, name, &bytes, ret) : result;
}

/* The artifact itself: its size, then every byte of it. */
static enum pvf__cache_result prove_artifact(const struct pvf__cache *cache,
                                             const struct pvf__cache_name *name,
                                             const struct pvf__cache_meta *meta,
                                             int *ret_fd)
{
    char file[PVF__CACHE_FILE_MAX];
    struct stat info;
    uint8_t digest[32];
    uint64_t size;
    pvf_error err = PVF_ERROR_INIT;
    PVF__CLEANUP_FD int fd = -1;
    pvf__cache_name_file(name, PVF__CACHE_KIND_ARTIFACT, file);
    enum pvf__cache_result result = pvf__cache_file_open(cache->folder, file, &fd, &info);
    if (result != PVF__CACHE_HIT) {
        return result;
    }
    if ((uint64_t)info.st_size != meta->size) {
        return PVF__CACHE_DAMAGED;
    }
    int status = pvf__cache_digest_file(fd, meta->size, digest, &size, &err);
    if (status != 0) {
        return status == PVF_ERR_IO ? pvf__cache_file_result(err.sys_errno) : PVF__CACHE_NOT_NOW;
    }
    if (size != meta->size || !pvf__cache_digest_equal(digest, meta->digest)) {
        return PVF__CACHE_DAMAGED;
    }
    *ret_fd = PVF__TAKE_FD(fd);
    return PVF__CACHE_HIT;
}

enum pvf__cache_result pvf__cache_load(struct pvf__cache *cache,
                                       const struct pvf__cache_name *name,
                                       struct pvf__cache_artifact *ret)
{
    struct pvf__cache_artifact artifact = {.fd = -1};
    struct stat info;
    enum pvf__cache_result result = pvf__cache_load_meta(cache, name, &artifact.meta, &info);
    if (result == PVF__CACHE_HIT) {
        result = prove_artifact(cache, name, &artifact.meta, &artifact.fd);
    }
    cache->counts.loads[result]++;
    if (result == PVF__CACHE_HIT) {
        *ret = artifact;
        return result;
    }
    pvf__log(PVF__LOG_INFO,
             "%s: %s is %s: a miss",
             cache->path,
             name->text,
             pvf__cache_result_text(result));
    if (pvf__cache_is_owner(cache) && result != PVF__CACHE_NOT_NOW) {
        pvf_error err = PVF_ERROR_INIT;
        if (pvf__cache_remove(cache, name, &err) != 0) {
            pvf__log(PVF__LOG_WARN, "%s: %s", cache->path, err.text);
        }
    }
    return result;
}
