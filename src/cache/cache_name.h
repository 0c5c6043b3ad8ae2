/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_NAME_H
#define PVF_CACHE_CACHE_NAME_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdint.h>

/* Random bytes in a name: it can collide with no other, and says nothing. */
#define PVF__CACHE_NAME_BYTES 16

/* The name of a pair of files, as lower-case hex. */
struct pvf__cache_name {
    char text[2 * PVF__CACHE_NAME_BYTES + 1];
};

/* What a file in the cache's folder is, by its name alone. */
enum pvf__cache_kind {
    PVF__CACHE_KIND_OTHER, /* not ours to touch */
    PVF__CACHE_KIND_ARTIFACT,
    PVF__CACHE_KIND_META,
    PVF__CACHE_KIND_TEMPORARY,
};

/* Longest name of a file with its terminator. */
#define PVF__CACHE_FILE_MAX 48

PVF__NODISCARD int pvf__cache_name_random(struct pvf__cache_name *ret, pvf_error *err);

/* The bytes behind a name. */
void pvf__cache_name_bytes(const struct pvf__cache_name *name, uint8_t out[PVF__CACHE_NAME_BYTES]);

/* For any kind but OTHER. */
void pvf__cache_name_file(const struct pvf__cache_name *name,
                          enum pvf__cache_kind kind,
                          char out[PVF__CACHE_FILE_MAX]);

/* *ret is set unless the answer is OTHER. */
enum pvf__cache_kind pvf__cache_name_parse(const char *file, struct pvf__cache_name *ret);

#endif
