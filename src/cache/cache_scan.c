/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: reading the cache's folder. */
#include "cache/cache_scan.h"

#include "base/dir.h"
#include "base/error.h"
#include "pvf/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Far more than a disk full of artifacts; who put them there did not mean a cache. */
#define MOST ((size_t)1 << 20)

static int grow(struct pvf__cache_scan *scan, size_t *cap, pvf_error *err)
{
    if (scan->count == MOST) {
        return pvf__error_set(err, PVF_ERR_LIMIT, "the cache holds more than %zu files", MOST);
    }
    if (scan->count < *cap) {
        return 0;
    }
    size_t more = *cap == 0 ? 64 : *cap * 2;
    struct pvf__cache_files *items = realloc(scan->items, more * sizeof(*items));
    if (items == NULL) {
        (void)pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory to list the cache");
        return PVF_ERR_NO_MEMORY;
    }
    scan->items = items;
    *cap = more;
    return 0;
}

static int read_list(DIR *list, struct pvf__cache_scan *scan, pvf_error *err)
{
    size_t cap = 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(list);
        if (entry == NULL) {
            return errno == 0 ? 0
                              : pvf__error_errno(err, PVF_ERR_IO, errno, "cannot list the cache");
        }
        struct pvf__cache_files files = {.artifact = false};
        enum pvf__cache_kind kind = pvf__cache_name_parse(entry->d_name, &files.name);
        if (kind == PVF__CACHE_KIND_OTHER) {
            continue;
        }
        int status = grow(scan, &cap, err);
        if (status != 0) {
            return status;
        }
        files.artifact = kind == PVF__CACHE_KIND_ARTIFACT;
        files.meta = kind == PVF__CACHE_KIND_META;
        files.temporary = kind == PVF__CACHE_KIND_TEMPORARY;
        scan->items[scan->count++] = files;
    }
}

static int by_name(const void *a, const void *b)
{
    const struct pvf__cache_files *one = a;
    const struct pvf__cache_files *two = b;
    return memcmp(one->name.text, two->name.text, sizeof(one->name.text));
}

/* Makes one item of those with the same name. */
static void merge(struct pvf__cache_scan *scan)
{
    size_t kept = 0;
    for (size_t i = 0; i < scan->count; i++) {
        struct pvf__cache_files *last = kept > 0 ? &scan->items[kept - 1] : NULL;
        if (last != NULL && by_name(last, &scan->items[i]) == 0) {
            last->artifact = last->artifact || scan->items[i].artifact;
            last->meta = last->meta || scan->items[i].meta;
            last->temporary = last->temporary || scan->items[i].temporary;
        } else {
            scan->items[kept++] = scan->items[i];
        }
    }
    scan->count = kept;
}

int pvf__cache_scan(int folder, struct pvf__cache_scan *ret, pvf_error *err)
{
    struct pvf__cache_scan scan = {.items = NULL};
    DIR *list = pvf__dir_list(folder);
    if (list == NULL) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot list the cache");
    }
    int status = read_list(list, &scan, err);
    (void)closedir(list);
    if (status != 0) {
        free(scan.items);
        return status;
    }
    if (scan.count > 0) {
        qsort(scan.items, scan.count, sizeof(scan.items[0]), by_name);
        merge(&scan);
    }
    *ret = scan;
    return 0;
}
