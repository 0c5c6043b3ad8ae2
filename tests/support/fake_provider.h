/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_FAKE_PROVIDER_H
#define PVF_TESTS_SUPPORT_FAKE_PROVIDER_H

#include "hash/hash.h"
#include "hostcall/provider.h"

#include <stdlib.h>
#include <string.h>

/*
 * Stands in for the crypto libraries.  Every function reads all of its inputs and writes all of its
 * output, so that a sanitizer sees a wrong length, and its verdict is in the first input's first
 * byte, so that a test chooses it.
 */
static inline unsigned fake_sum(const uint8_t *data, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += data[i];
    }
    return sum;
}

/* 1 for a signature that starts with 1, -1 for one that starts with 255. */
static inline int
fake_ed25519(const uint8_t sig[64], const uint8_t *msg, size_t len, const uint8_t key[32])
{
    (void)(fake_sum(sig, 64) + fake_sum(msg, len) + fake_sum(key, 32));
    return sig[0] == 255 ? -1 : sig[0] == 1;
}

/* As fake_ed25519; 2 is good for the deprecated form only. */
static inline int fake_sr25519(
    const uint8_t sig[64], const uint8_t *msg, size_t len, const uint8_t key[32], bool deprecated)
{
    return deprecated && sig[0] == 2 ? 1 : fake_ed25519(sig, msg, len, key);
}

/* BLAKE2b-256 for all kinds, with the kind added to the first byte. */
static inline int fake_hash(unsigned kind, const uint8_t *data, size_t len, uint8_t *out)
{
    uint8_t digest[32];
    pvf__hash_blake2b_256(data, len, digest);
    digest[0] = (uint8_t)(digest[0] + kind);
    memcpy(out, digest, kind == PVF__PROVIDER_BLAKE2B_128 ? 16 : 32);
    return 0;
}

/*
 * The first byte of `a` is the code, 254 a trap.  The result is 96 bytes of the operation's number,
 * and is left in `out` even when the code is not 0.
 */
static inline int fake_curve(unsigned op,
                             const uint8_t *a,
                             size_t a_len,
                             const uint8_t *b,
                             size_t b_len,
                             uint8_t *out,
                             size_t out_len)
{
    (void)(fake_sum(a, a_len) + fake_sum(b, b_len));
    memset(out, (int)op, out_len < 96 ? out_len : 96);
    if (a_len == 0) {
        return 2;
    }
    if (a[0] == 0 && out_len < 96) {
        return 1;
    }
    return a[0] == 254 ? -1 : a[0];
}

/* Magic of the fake container: the rest is what comes out.  "X" in front is a damaged one. */
static inline int fake_decompress(const uint8_t *data,
                                  size_t len,
                                  size_t limit,
                                  uint8_t **out,
                                  size_t *out_len,
                                  size_t *out_cap,
                                  bool *borrowed)
{
    if (len > 0 && data[0] == 'X') {
        return 1;
    }
    if (len > 0 && data[0] == 'P') {
        return -1;
    }
    if (len == 0 || data[0] != 'Z') {
        /* The interface takes no const; nobody writes there. */
        *out = (uint8_t *)(uintptr_t)data;
        *out_len = len;
        *borrowed = true;
        return 0;
    }
    if (len - 1 > limit) {
        return 2;
    }
    uint8_t *copy = malloc(len);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data + 1, len - 1);
    *out = copy;
    *out_len = len - 1;
    *out_cap = len;
    *borrowed = false;
    return 0;
}

static inline void fake_buffer_free(uint8_t *data, size_t len, size_t cap)
{
    if (cap != len + 1) {
        abort();
    }
    free(data);
}

static const struct pvf__crypto_provider fake_provider = {
    .ed25519_verify = fake_ed25519,
    .sr25519_verify = fake_sr25519,
    .hash = fake_hash,
    .curve = fake_curve,
    .decompress = fake_decompress,
    .buffer_free = fake_buffer_free,
};

#endif
