/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what is in the cache, without reading any artifact. */
#include "cache/cache_state.h"

#include "base/error.h"
#include "cache/cache_file.h"
#include "cache/cache_scan.h"
#include "pvf/status.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a disk block as stat counts them, whatever the file system's own are. */
#define BLOCK 512u

static uint64_t disk_bytes(const struct stat *info)
{
    /* Not written out yet, or inside its inode: then its size is the best guess. */
    return info->st_blocks > 0 ? (uint64_t)info->st_blocks * BLOCK : (uint64_t)info->st_size;
}

static void look(const struct pvf__cache *cache,
                 const struct pvf__cache_name *name,
                 struct pvf__cache_entry *ret)
{
    char file[PVF__CACHE_FILE_MAX];
    struct stat meta_info = {.st_size = 0};
    struct stat info = {.st_size = 0};
    *ret = (struct pvf__cache_entry){.name = *name};
    ret->result = pvf__cache_load_meta(cache, name, &ret->meta, &meta_info);
    pvf__cache_name_file(name, PVF__CACHE_KIND_ARTIFACT, file);
    enum pvf__cache_result artifact = pvf__cache_file_look(cache->folder, file, &info);
    ret->disk_bytes = disk_bytes(&meta_info) + disk_bytes(&info);
    ret->last_use_s = meta_info.st_mtim.tv_sec > 0 ? (uint64_t)meta_info.st_mtim.tv_sec : 0;
    if (ret->result != PVF__CACHE_HIT && ret->result != PVF__CACHE_OTHER_BUILD &&
        ret->result != PVF__CACHE_OTHER_CPU) {
        return;
    }
    if (artifact != PVF__CACHE_HIT) {
        ret->result = artifact;
    } else if ((uint64_t)info.st_size != ret->meta.size) {
        ret->result = PVF__CACHE_DAMAGED;
    }
}

static int by_use(const void *a, const void *b)
{
    const struct pvf__cache_entry *one = a;
    const struct pvf__cache_entry *two = b;
    if (one->last_use_s != two->last_use_s) {
        return one->last_use_s < two->last_use_s ? -1 : 1;
    }
    return memcmp(one->name.text, two->name.text, sizeof(one->name.text));
}

/* While somebody else owns the cache, half a pair is one that comes or goes. */
static bool counts(const struct pvf__cache *cache, const struct pvf__cache_files *files)
{
    return pvf__cache_is_owner(cache) ? files->artifact || files->meta
                                      : files->artifact && files->meta;
}

int pvf__cache_list(struct pvf__cache *cache, struct pvf__cache_list *ret, pvf_error *err)
{
    struct pvf__cache_scan scan = {.items = NULL};
    struct pvf__cache_list list = PVF__CACHE_LIST_NONE;
    int status = pvf__cache_scan(cache->folder, &scan, err);
    if (status != 0) {
        return status;
    }
    list.items = calloc(scan.count + 1, sizeof(*list.items));
    if (list.items == NULL) {
        free(scan.items);
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory to list the cache");
    }
    for (size_t i = 0; i < scan.count; i++) {
        struct pvf__cache_entry *entry = &list.items[list.count];
        if (!counts(cache, &scan.items[i])) {
            continue;
        }
        look(cache, &scan.items[i].name, entry);
        if (entry->result == PVF__CACHE_ABSENT && !pvf__cache_is_owner(cache)) {
            continue;
        }
        list.disk_bytes += entry->disk_bytes;
        list.count++;
    }
    free(scan.items);
    qsort(list.items, list.count, sizeof(*list.items), by_use);
    *ret = list;
    return 0;
}

void pvf__cache_list_done(struct pvf__cache_list *list)
{
    free(list->items);
    *list = (struct pvf__cache_list)PVF__CACHE_LIST_NONE;
}
