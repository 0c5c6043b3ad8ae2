/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_STATE_H
#define PVF_CACHE_CACHE_STATE_H

#include "cache/cache.h"

#include <sys/stat.h>

/* Inside of src/cache. */
struct pvf__cache {
    char path[PATH_MAX]; /* absolute; for messages and links only */
    int folder;          /* everything in it is named relative to this */
    int lock;            /* held; -1 when we only look */
    bool has_key;        /* always, for an owner */
    uint8_t key[PVF__CACHE_KEY_BYTES];
    bool has_identity;
    struct pvf__cache_identity identity;
    struct pvf__cache_counts counts;
};

static inline bool pvf__cache_is_owner(const struct pvf__cache *cache)
{
    return cache->lock >= 0;
}

/*
 * Reads and judges a sidecar: all that can be said without the artifact.  For PVF__CACHE_HIT,
 * _OTHER_BUILD, _OTHER_CPU and _UNPROVEN *ret is set.
 */
PVF__NODISCARD enum pvf__cache_result pvf__cache_load_meta(const struct pvf__cache *cache,
                                                           const struct pvf__cache_name *name,
                                                           struct pvf__cache_meta *ret,
                                                           struct stat *ret_info);

#endif
