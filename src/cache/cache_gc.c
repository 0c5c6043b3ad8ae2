/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: making room where no artifact table decides: by last use alone. */
#include "cache/cache_state.h"

#include "base/log.h"

/* What a collection works with. */
struct collection {
    struct pvf__cache *cache;
    const struct pvf__cache_limits *limits;
    struct pvf__cache_gc *result;
    uint64_t free_bytes;
};

static int drop(struct collection *at, const struct pvf__cache_entry *entry, pvf_error *err)
{
    pvf_error why = PVF_ERROR_INIT;
    struct pvf__cache_space space = {.free_bytes = at->free_bytes + entry->disk_bytes};
    if (!at->limits->dry_run) {
        if (pvf__cache_remove(at->cache, &entry->name, &why) != 0) {
            pvf__log(PVF__LOG_WARN, "%s: %s", pvf__cache_path(at->cache), why.text);
            return 0;
        }
        /* Asked anew: a file that is still in use gives nothing back. */
        int status = pvf__cache_space(at->cache, &space, err);
        if (status != 0) {
            return status;
        }
    }
    at->result->removed++;
    at->result->removed_bytes += entry->disk_bytes;
    at->result->kept--;
    at->result->kept_bytes -= entry->disk_bytes;
    at->free_bytes = space.free_bytes;
    return 0;
}

static bool is_useless(const struct pvf__cache_entry *entry)
{
    return entry->result != PVF__CACHE_HIT && entry->result != PVF__CACHE_NOT_NOW;
}

static int collect(struct collection *at, const struct pvf__cache_list *list, pvf_error *err)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < list->count; i++) {
        if (is_useless(&list->items[i])) {
            status = drop(at, &list->items[i], err);
        }
    }
    for (size_t i = 0; status == 0 && i < list->count; i++) {
        if (at->result->kept_bytes <= at->limits->max_bytes &&
            at->free_bytes >= at->limits->min_free) {
            break;
        }
        if (!is_useless(&list->items[i])) {
            status = drop(at, &list->items[i], err);
        }
    }
    return status;
}

int pvf__cache_gc(struct pvf__cache *cache,
                  const struct pvf__cache_limits *limits,
                  struct pvf__cache_gc *ret,
                  pvf_error *err)
{
    struct pvf__cache_space space;
    PVF__CLEANUP_CACHE_LIST struct pvf__cache_list list = PVF__CACHE_LIST_NONE;
    int status = pvf__cache_space(cache, &space, err);
    if (status == 0) {
        status = pvf__cache_list(cache, &list, err);
    }
    if (status != 0) {
        return status;
    }
    struct pvf__cache_gc result = {.kept = list.count, .kept_bytes = list.disk_bytes};
    struct collection at = {
        .cache = cache, .limits = limits, .result = &result, .free_bytes = space.free_bytes};
    status = collect(&at, &list, err);
    if (status == 0) {
        result.floor_missed = at.free_bytes < limits->min_free;
        *ret = result;
    }
    return status;
}
