/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_META_H
#define PVF_CACHE_CACHE_META_H

#include "base/buf.h"
#include "cache/cache_identity.h"
#include "cache/cache_name.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is known about an artifact.  Its key is (code_hash, prep_hash).  Figures and limits are
 * those of the preparation: whoever asks later judges them by limits of its own.
 */
struct pvf__cache_meta {
    uint8_t code_hash[32];
    uint8_t prep_hash[32];
    uint8_t params_hash[32]; /* of all executor parameters: `prechecked` holds under these */
    uint8_t checksum[32];    /* of the wire protocol: what an execute request names */
    uint64_t cpu_us;
    uint64_t wall_us;
    int64_t max_rss_kib; /* -1: unknown */
    uint64_t peak_allocated;
    uint32_t code_len; /* after decompression */
    bool prechecked;   /* the runtime was constructed once */
    uint64_t timeout_ms;
    uint64_t memory_limit; /* of prechecking, in bytes; 0: none */
    uint32_t bomb_limit;
    /* ------ pvf__cache_store fills in the rest ------ */
    struct pvf__cache_identity identity;
    uint64_t size;
    uint8_t digest[32]; /* BLAKE2b-256 of the artifact */
    uint64_t created_s; /* since 1970 */
};

#define PVF__CACHE_META_VERSION 1u

/* A sidecar is never larger; a larger one is not read. */
#define PVF__CACHE_META_MAX 1024u

#define PVF__CACHE_KEY_BYTES 32u

/*
 * Appends a sidecar.  All numbers are little endian:
 *
 *   8   "pvf-meta"                    8   CPU time, us          8   size of the artifact
 *   4   version                       8   wall time, us         32  its BLAKE2b-256
 *   4   length of the whole sidecar   8   peak memory, KiB      8   made at, s since 1970
 *   16  name of the pair              8   allocated, bytes      32  CPU fingerprint
 *   32  code hash                     4   code, bytes           4   length of the build's text
 *   32  preparation hash              1   1: prechecked         …   the build's text
 *   32  hash of all parameters        8   time limit, ms        32  MAC of everything before it
 *   32  checksum                      8   memory limit, bytes
 *                                     4   bomb limit, bytes
 *
 * (columns one after another).  The MAC is BLAKE2b-256 with the key.  PVF_ERR_INVALID_ARG when the
 * identity is none.
 */
PVF__NODISCARD int pvf__cache_meta_encode(const struct pvf__cache_meta *meta,
                                          const struct pvf__cache_name *name,
                                          const uint8_t key[PVF__CACHE_KEY_BYTES],
                                          struct pvf__buf *out,
                                          pvf_error *err);

/* Does the MAC hold, and is it the sidecar of this name? */
bool pvf__cache_meta_is_proven(const uint8_t *data,
                               size_t len,
                               const struct pvf__cache_name *name,
                               const uint8_t key[PVF__CACHE_KEY_BYTES]);

/*
 * Reads a sidecar without looking at its MAC.  PVF_ERR_MALFORMED for anything that
 * pvf__cache_meta_encode does not write.
 */
PVF__NODISCARD int pvf__cache_meta_decode(const uint8_t *data,
                                          size_t len,
                                          struct pvf__cache_name *ret_name,
                                          struct pvf__cache_meta *ret,
                                          pvf_error *err);

#endif
