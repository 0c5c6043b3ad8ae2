/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_SCAN_H
#define PVF_CACHE_CACHE_SCAN_H

#include "cache/cache_name.h"

#include <stdbool.h>
#include <stddef.h>

/* Which files of ours the folder holds under one name. */
struct pvf__cache_files {
    struct pvf__cache_name name;
    bool artifact;
    bool meta;
    bool temporary;
};

struct pvf__cache_scan {
    struct pvf__cache_files *items; /* owned; sorted by name */
    size_t count;
};

/* Looks through the folder; its descriptor's position is not used. */
PVF__NODISCARD int pvf__cache_scan(int folder, struct pvf__cache_scan *ret, pvf_error *err);

#endif
