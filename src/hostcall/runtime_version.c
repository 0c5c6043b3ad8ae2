/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: a runtime's version sections.  Trusts no byte: although the module was parsed before, each
 * read is bounded here again.
 */
#include "hostcall/runtime_version.h"

#include "base/cursor.h"
#include "pvf/status.h"
#include "scale/scale.h"

#include <string.h>

/* Magic and version of a module. */
#define PREAMBLE_LEN 8U

/* An entry of a list of APIs: 8 bytes of id, u32 of version. */
#define API_LEN 12U

/* The id of the API that tells how new the version's format is: BLAKE2b-64 of "Core". */
static const uint8_t core_id[8] = {0xDF, 0x6A, 0xCB, 0x68, 0x99, 0x07, 0x60, 0x9B};

/* From these versions of Core on the fields are there; before, they have fixed values. */
#define CORE_WITH_TRANSACTION 3U
#define CORE_WITH_SYSTEM 4U

struct sections {
    struct pvf__slice version;
    bool has_version;
    struct pvf__slice apis;
    bool has_apis;
};

struct version {
    struct pvf__slice spec_name;
    struct pvf__slice impl_name;
    uint32_t authoring;
    uint32_t spec;
    uint32_t impl;
    struct pvf__slice apis; /* whole entries */
    uint32_t transaction;
    uint8_t system;
};

/* u32 in LEB128; padding with zero bits is fine, as everywhere in the format. */
static bool leb_u32(struct pvf__cursor *cursor, uint32_t *ret)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte;
        if (!pvf__cursor_u8(cursor, &byte) || (shift == 28 && byte > 0x0F)) {
            return false;
        }
        value |= (uint32_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool has_name(const uint8_t *name, uint32_t len, const char *wanted)
{
    return len == strlen(wanted) && memcmp(name, wanted, len) == 0;
}

/* Notes the payload of a custom section; of sections with one name the first counts. */
static bool note_custom(struct pvf__cursor section, struct sections *sections)
{
    uint32_t name_len;
    const uint8_t *name;
    if (!leb_u32(&section, &name_len) || !pvf__cursor_claim(&section, name_len, &name)) {
        return false;
    }
    const struct pvf__slice payload = {section.at, pvf__cursor_left(&section)};
    if (!sections->has_version && has_name(name, name_len, "runtime_version")) {
        sections->version = payload;
        sections->has_version = true;
    }
    if (!sections->has_apis && has_name(name, name_len, "runtime_apis")) {
        sections->apis = payload;
        sections->has_apis = true;
    }
    return true;
}

static bool find_sections(const uint8_t *code, size_t len, struct sections *sections)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, code, len);
    const uint8_t *preamble;
    if (!pvf__cursor_claim(&cursor, PREAMBLE_LEN, &preamble)) {
        return false;
    }
    while (pvf__cursor_left(&cursor) > 0) {
        uint8_t id;
        uint32_t size;
        struct pvf__cursor section;
        if (!pvf__cursor_u8(&cursor, &id) || !leb_u32(&cursor, &size) ||
            !pvf__cursor_sub(&cursor, size, &section)) {
            return false;
        }
        if (id == 0 && !note_custom(section, sections)) {
            return false;
        }
    }
    return true;
}

/* Whether a list of APIs holds Core, and in which version; the first entry counts. */
static bool core_version(struct pvf__slice apis, uint32_t *ret)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, apis.data, apis.len);
    const uint8_t *id;
    uint32_t version;
    while (pvf__cursor_claim(&cursor, sizeof(core_id), &id) &&
           pvf__cursor_u32le(&cursor, &version)) {
        if (memcmp(id, core_id, sizeof(core_id)) == 0) {
            *ret = version;
            return true;
        }
    }
    return false;
}

static bool get_apis(struct pvf__cursor *cursor, struct pvf__slice *ret)
{
    uint32_t count;
    const uint8_t *data;
    if (!pvf__scale_get_compact(cursor, &count) || count > pvf__cursor_left(cursor) / API_LEN ||
        !pvf__cursor_claim(cursor, (size_t)count * API_LEN, &data)) {
        return false;
    }
    *ret = (struct pvf__slice){data, (size_t)count * API_LEN};
    return true;
}

/* Bytes behind the last field are ignored. */
static bool decode(const struct sections *sections, struct version *version)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, sections->version.data, sections->version.len);
    if (!pvf__scale_get_string(&cursor, &version->spec_name) ||
        !pvf__scale_get_string(&cursor, &version->impl_name) ||
        !pvf__scale_get_u32(&cursor, &version->authoring) ||
        !pvf__scale_get_u32(&cursor, &version->spec) ||
        !pvf__scale_get_u32(&cursor, &version->impl) || !get_apis(&cursor, &version->apis)) {
        return false;
    }
    uint32_t core = 0;
    if (!sections->has_apis || !core_version(sections->apis, &core)) {
        (void)core_version(version->apis, &core);
    }
    version->transaction = 1;
    version->system = 0;
    if (core >= CORE_WITH_TRANSACTION && !pvf__scale_get_u32(&cursor, &version->transaction)) {
        return false;
    }
    if (core >= CORE_WITH_SYSTEM && !pvf__scale_get_u8(&cursor, &version->system)) {
        return false;
    }
    if (sections->has_apis) {
        version->apis = sections->apis;
    }
    return true;
}

static int encode(const struct version *version, struct pvf__buf *out)
{
    PVF__CLEANUP_BUF struct pvf__buf body = PVF__BUF_INIT(out->max);
    pvf__scale_put_string(&body, version->spec_name);
    pvf__scale_put_string(&body, version->impl_name);
    pvf__scale_put_u32(&body, version->authoring);
    pvf__scale_put_u32(&body, version->spec);
    pvf__scale_put_u32(&body, version->impl);
    pvf__scale_put_compact(&body, (uint32_t)(version->apis.len / API_LEN));
    pvf__scale_put_fixed(&body, version->apis.data, version->apis.len);
    pvf__scale_put_u32(&body, version->transaction);
    pvf__scale_put_u8(&body, version->system);
    if (body.failed != 0) {
        return body.failed;
    }
    pvf__scale_put_option(out, true);
    pvf__scale_put_bytes(out, (struct pvf__slice){body.data, body.len});
    return out->failed;
}

int pvf__runtime_version_encode(const uint8_t *code, size_t len, struct pvf__buf *out)
{
    struct sections sections = {.has_version = false, .has_apis = false};
    struct version version;
    if (!find_sections(code, len, &sections) || !sections.has_version ||
        (sections.has_apis && sections.apis.len % API_LEN != 0) || !decode(&sections, &version)) {
        return PVF_ERR_MALFORMED;
    }
    return encode(&version, out);
}
