/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the names of files in the cache, and which of them are ours. */
#include "cache/cache_name.h"

#include "base/random.h"
#include "base/text.h"
#include "pvf/status.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define DIGITS ((size_t)2 * PVF__CACHE_NAME_BYTES)

static const char *const suffixes[] = {
    [PVF__CACHE_KIND_ARTIFACT] = ".pvf",
    [PVF__CACHE_KIND_META] = ".meta",
    [PVF__CACHE_KIND_TEMPORARY] = ".tmp",
};

int pvf__cache_name_random(struct pvf__cache_name *ret, pvf_error *err)
{
    uint8_t bytes[PVF__CACHE_NAME_BYTES];
    int status = pvf__random(bytes, sizeof(bytes), err);
    if (status == 0) {
        pvf__text_to_hex(bytes, sizeof(bytes), ret->text);
    }
    return status;
}

void pvf__cache_name_bytes(const struct pvf__cache_name *name, uint8_t out[PVF__CACHE_NAME_BYTES])
{
    size_t len = 0;
    /* A name consists of digits; one that was never set is like one of zeros. */
    if (!pvf__text_from_hex(name->text, out, PVF__CACHE_NAME_BYTES, &len) ||
        len != PVF__CACHE_NAME_BYTES) {
        memset(out, 0, PVF__CACHE_NAME_BYTES);
    }
}

void pvf__cache_name_file(const struct pvf__cache_name *name,
                          enum pvf__cache_kind kind,
                          char out[PVF__CACHE_FILE_MAX])
{
    (void)snprintf(out, PVF__CACHE_FILE_MAX, "%s%s", name->text, suffixes[kind]);
}

enum pvf__cache_kind pvf__cache_name_parse(const char *file, struct pvf__cache_name *ret)
{
    if (strspn(file, "0123456789abcdef") != DIGITS) {
        return PVF__CACHE_KIND_OTHER;
    }
    for (int kind = PVF__CACHE_KIND_ARTIFACT; kind <= PVF__CACHE_KIND_TEMPORARY; kind++) {
        if (strcmp(file + DIGITS, suffixes[kind]) == 0) {
            memcpy(ret->text, file, DIGITS);
            ret->text[DIGITS] = '\0';
            return (enum pvf__cache_kind)kind;
        }
    }
    return PVF__CACHE_KIND_OTHER;
}
