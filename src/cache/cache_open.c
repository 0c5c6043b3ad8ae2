/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the life of a cache that is open, and the order in which it is made ready. */
#include "cache/cache_state.h"

#include "base/error.h"
#include "base/log.h"
#include "cache/cache_digest.h"
#include "cache/cache_file.h"
#include "cache/cache_folder.h"
#include "cache/cache_key.h"
#include "cache/cache_lock.h"
#include "cache/cache_scan.h"
#include "pvf/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

const char *pvf__cache_result_text(enum pvf__cache_result result)
{
    switch (result) {
#define RESULT_TEXT(name, number, text)                                                            \
    case number:                                                                                   \
        return text;
        PVF__CACHE_RESULT_LIST(RESULT_TEXT)
#undef RESULT_TEXT
    default:
        return "unknown";
    }
}

static void remove_leftover(struct pvf__cache *cache,
                            const struct pvf__cache_name *name,
                            enum pvf__cache_kind kind)
{
    char file[PVF__CACHE_FILE_MAX];
    pvf_error err = PVF_ERROR_INIT;
    pvf__cache_name_file(name, kind, file);
    /* Still there, it is no pair and so no entry; the next owner tries again. */
    if (pvf__cache_file_remove(cache->folder, file, &err) != 0) {
        pvf__log(PVF__LOG_WARN, "%s: %s", cache->path, err.text);
        return;
    }
    cache->counts.leftovers++;
    pvf__log(PVF__LOG_INFO, "%s: removed %s, a leftover", cache->path, file);
}

/* Files that a crash left: temporary ones, and halves of pairs. */
static int remove_leftovers(struct pvf__cache *cache, pvf_error *err)
{
    struct pvf__cache_scan scan = {.items = NULL};
    int status = pvf__cache_scan(cache->folder, &scan, err);
    for (size_t i = 0; status == 0 && i < scan.count; i++) {
        const struct pvf__cache_files *files = &scan.items[i];
        if (files->temporary) {
            remove_leftover(cache, &files->name, PVF__CACHE_KIND_TEMPORARY);
        }
        if (files->artifact && !files->meta) {
            remove_leftover(cache, &files->name, PVF__CACHE_KIND_ARTIFACT);
        }
        if (files->meta && !files->artifact) {
            remove_leftover(cache, &files->name, PVF__CACHE_KIND_META);
        }
    }
    free(scan.items);
    return status;
}

static int get_key(struct pvf__cache *cache, bool make, pvf_error *err)
{
    enum pvf__cache_result result = pvf__cache_key_read(cache->folder, cache->key);
    cache->has_key = result == PVF__CACHE_HIT;
    if (cache->has_key || !make) {
        return 0;
    }
    if (result == PVF__CACHE_NOT_NOW) {
        return pvf__error_set(err, PVF_ERR_IO, "the key of %s cannot be read now", cache->path);
    }
    int status = pvf__cache_key_make(cache->folder, cache->key, err);
    if (status == 0) {
        cache->has_key = true;
        pvf__log(PVF__LOG_INFO,
                 "%s: a new key, since the old one was %s",
                 cache->path,
                 pvf__cache_result_text(result));
    }
    return status;
}

int pvf__cache_set_identity(struct pvf__cache *cache,
                            const struct pvf__cache_identity *identity,
                            pvf_error *err)
{
    if (!pvf__cache_identity_is_valid(identity)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a cache needs a whole identity");
    }
    cache->identity = *identity;
    cache->has_identity = true;
    return 0;
}

static int set_up(const struct pvf__cache_config *config, struct pvf__cache *cache, pvf_error *err)
{
    bool own = config->mode == PVF__CACHE_OWN;
    int status =
        config->identity != NULL ? pvf__cache_set_identity(cache, config->identity, err) : 0;
    if (status == 0) {
        status = pvf__cache_folder_open(config->folder, own, &cache->folder, cache->path, err);
    }
    if (status == 0 && own) {
        status = pvf__cache_lock_take(cache->folder, cache->path, &cache->lock, err);
    }
    if (status == 0 && own) {
        status = pvf__cache_folder_mark(cache->folder, err);
    }
    if (status == 0 && own) {
        status = remove_leftovers(cache, err);
    }
    return status != 0 ? status : get_key(cache, own, err);
}

int pvf__cache_open(const struct pvf__cache_config *config, struct pvf__cache **ret, pvf_error *err)
{
    struct pvf__cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a cache");
    }
    cache->folder = -1;
    cache->lock = -1;
    int status = set_up(config, cache, err);
    if (status != 0) {
        pvf__cache_close(cache);
        return status;
    }
    *ret = cache;
    return 0;
}

void pvf__cache_close(struct pvf__cache *cache)
{
    if (cache == NULL) {
        return;
    }
    if (cache->folder >= 0) {
        (void)close(cache->folder);
    }
    if (cache->lock >= 0) {
        (void)close(cache->lock);
    }
    pvf__cache_digest_forget(cache->key, sizeof(cache->key));
    free(cache);
}

const char *pvf__cache_path(const struct pvf__cache *cache)
{
    return cache->path;
}

const struct pvf__cache_counts *pvf__cache_counts(const struct pvf__cache *cache)
{
    return &cache->counts;
}

int pvf__cache_artifact_path(const struct pvf__cache *cache,
                             const struct pvf__cache_name *name,
                             char out[PATH_MAX],
                             pvf_error *err)
{
    char file[PVF__CACHE_FILE_MAX];
    pvf__cache_name_file(name, PVF__CACHE_KIND_ARTIFACT, file);
    int len = snprintf(out, PATH_MAX, "%s/%s", cache->path, file);
    if (len < 0 || len >= PATH_MAX) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the path of %s is too long", cache->path);
    }
    return 0;
}

int pvf__cache_space(const struct pvf__cache *cache, struct pvf__cache_space *ret, pvf_error *err)
{
    struct statvfs info;
    if (fstatvfs(cache->folder, &info) != 0) {
        return pvf__error_errno(
            err, PVF_ERR_IO, errno, "cannot tell the free space of %s", cache->path);
    }
    ret->free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    ret->total_bytes = (uint64_t)info.f_blocks * info.f_frsize;
    return 0;
}
