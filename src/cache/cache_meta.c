/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the sidecar's form and its seal.  Trusts nothing in it. */
#include "cache/cache_meta.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/text.h"
#include "cache/cache_digest.h"
#include "pvf/status.h"

#include <string.h>

static const uint8_t magic[8] = {'p', 'v', 'f', '-', 'm', 'e', 't', 'a'};

#define HASH ((size_t)32)
#define MAC ((size_t)32)
#define LENGTH_AT (sizeof(magic) + 4)
#define NAME_AT (LENGTH_AT + 4)
/* From the CPU time to the bomb limit. */
#define FIGURES 57u
/* Everything but the build's text. */
#define FIXED (NAME_AT + PVF__CACHE_NAME_BYTES + 4 * HASH + FIGURES + 8 + HASH + 8 + HASH + 4 + MAC)

_Static_assert(FIXED + PVF__CACHE_BUILD_MAX - 1 <= PVF__CACHE_META_MAX, "a sidecar fits");

int pvf__cache_meta_encode(const struct pvf__cache_meta *meta,
                           const struct pvf__cache_name *name,
                           const uint8_t key[PVF__CACHE_KEY_BYTES],
                           struct pvf__buf *out,
                           pvf_error *err)
{
    uint8_t name_bytes[PVF__CACHE_NAME_BYTES];
    uint8_t mac[MAC];
    if (!pvf__cache_identity_is_valid(&meta->identity)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "an artifact needs a build's identity");
    }
    size_t start = out->len;
    uint32_t build_len = (uint32_t)strlen(meta->identity.build);
    pvf__cache_name_bytes(name, name_bytes);
    (void)pvf__buf_append(out, magic, sizeof(magic));
    (void)pvf__buf_u32le(out, PVF__CACHE_META_VERSION);
    (void)pvf__buf_u32le(out, (uint32_t)FIXED + build_len);
    (void)pvf__buf_append(out, name_bytes, sizeof(name_bytes));
    (void)pvf__buf_append(out, meta->code_hash, HASH);
    (void)pvf__buf_append(out, meta->prep_hash, HASH);
    (void)pvf__buf_append(out, meta->params_hash, HASH);
    (void)pvf__buf_append(out, meta->checksum, HASH);
    (void)pvf__buf_u64le(out, meta->cpu_us);
    (void)pvf__buf_u64le(out, meta->wall_us);
    (void)pvf__buf_u64le(out, (uint64_t)meta->max_rss_kib);
    (void)pvf__buf_u64le(out, meta->peak_allocated);
    (void)pvf__buf_u32le(out, meta->code_len);
    (void)pvf__buf_u8(out, meta->prechecked ? 1 : 0);
    (void)pvf__buf_u64le(out, meta->timeout_ms);
    (void)pvf__buf_u64le(out, meta->memory_limit);
    (void)pvf__buf_u32le(out, meta->bomb_limit);
    (void)pvf__buf_u64le(out, meta->size);
    (void)pvf__buf_append(out, meta->digest, HASH);
    (void)pvf__buf_u64le(out, meta->created_s);
    (void)pvf__buf_append(out, meta->identity.cpu, HASH);
    (void)pvf__buf_u32le(out, build_len);
    (void)pvf__buf_append(out, meta->identity.build, build_len);
    if (out->failed == 0) {
        pvf__cache_digest_mac(key, out->data + start, out->len - start, mac);
        (void)pvf__buf_append(out, mac, sizeof(mac));
    }
    if (out->failed != 0) {
        return pvf__error_set(err, out->failed, "no room for a sidecar");
    }
    return 0;
}

bool pvf__cache_meta_is_proven(const uint8_t *data,
                               size_t len,
                               const struct pvf__cache_name *name,
                               const uint8_t key[PVF__CACHE_KEY_BYTES])
{
    uint8_t name_bytes[PVF__CACHE_NAME_BYTES];
    uint8_t mac[MAC];
    if (len < FIXED || len > PVF__CACHE_META_MAX) {
        return false;
    }
    pvf__cache_name_bytes(name, name_bytes);
    pvf__cache_digest_mac(key, data, len - MAC, mac);
    return pvf__cache_digest_equal(mac, data + len - MAC) &&
           memcmp(data + NAME_AT, name_bytes, sizeof(name_bytes)) == 0;
}

static bool read_head(struct pvf__cursor *cursor, size_t len, struct pvf__cache_name *ret)
{
    const uint8_t *name;
    const uint8_t *found;
    uint32_t version;
    uint32_t length;
    if (!pvf__cursor_claim(cursor, sizeof(magic), &found) || !pvf__cursor_u32le(cursor, &version) ||
        !pvf__cursor_u32le(cursor, &length) ||
        !pvf__cursor_claim(cursor, PVF__CACHE_NAME_BYTES, &name) ||
        memcmp(found, magic, sizeof(magic)) != 0 || version != PVF__CACHE_META_VERSION ||
        length != len) {
        return false;
    }
    pvf__text_to_hex(name, PVF__CACHE_NAME_BYTES, ret->text);
    return true;
}

static bool read_key_and_figures(struct pvf__cursor *cursor, struct pvf__cache_meta *ret)
{
    uint64_t max_rss;
    uint8_t prechecked;
    if (!pvf__cursor_copy(cursor, ret->code_hash, HASH) ||
        !pvf__cursor_copy(cursor, ret->prep_hash, HASH) ||
        !pvf__cursor_copy(cursor, ret->params_hash, HASH) ||
        !pvf__cursor_copy(cursor, ret->checksum, HASH) ||
        !pvf__cursor_u64le(cursor, &ret->cpu_us) || !pvf__cursor_u64le(cursor, &ret->wall_us) ||
        !pvf__cursor_u64le(cursor, &max_rss) || !pvf__cursor_u64le(cursor, &ret->peak_allocated) ||
        !pvf__cursor_u32le(cursor, &ret->code_len) || !pvf__cursor_u8(cursor, &prechecked) ||
        !pvf__cursor_u64le(cursor, &ret->timeout_ms) ||
        !pvf__cursor_u64le(cursor, &ret->memory_limit) ||
        !pvf__cursor_u32le(cursor, &ret->bomb_limit) || prechecked > 1) {
        return false;
    }
    ret->max_rss_kib = (int64_t)max_rss;
    ret->prechecked = prechecked == 1;
    return true;
}

static bool read_rest(struct pvf__cursor *cursor, struct pvf__cache_meta *ret)
{
    uint32_t build_len;
    const uint8_t *build;
    if (!pvf__cursor_u64le(cursor, &ret->size) || !pvf__cursor_copy(cursor, ret->digest, HASH) ||
        !pvf__cursor_u64le(cursor, &ret->created_s) ||
        !pvf__cursor_copy(cursor, ret->identity.cpu, HASH) ||
        !pvf__cursor_u32le(cursor, &build_len) || build_len >= sizeof(ret->identity.build) ||
        !pvf__cursor_claim(cursor, build_len, &build) || pvf__cursor_left(cursor) != MAC) {
        return false;
    }
    memcpy(ret->identity.build, build, build_len);
    ret->identity.build[build_len] = '\0';
    return strlen(ret->identity.build) == build_len && pvf__cache_identity_is_valid(&ret->identity);
}

int pvf__cache_meta_decode(const uint8_t *data,
                           size_t len,
                           struct pvf__cache_name *ret_name,
                           struct pvf__cache_meta *ret,
                           pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__cache_name name;
    struct pvf__cache_meta meta = {.size = 0};
    pvf__cursor_init(&cursor, data, len);
    if (!read_head(&cursor, len, &name) || !read_key_and_figures(&cursor, &meta) ||
        !read_rest(&cursor, &meta)) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "a sidecar of %zu bytes is wrong before byte %zu",
                              len,
                              pvf__cursor_offset(&cursor));
    }
    *ret_name = name;
    *ret = meta;
    return 0;
}
