/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOSTCALL_PROVIDER_H
#define PVF_HOSTCALL_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pvf__provider_hash {
    PVF__PROVIDER_SHA2_256 = 0,    /* 32 bytes */
    PVF__PROVIDER_BLAKE2B_128 = 1, /* 16 bytes */
    PVF__PROVIDER_BLAKE2B_256 = 2, /* 32 bytes */
};

/*
 * Curve operations, numbered in the order of the guest's interface.  Those of two inputs take
 * (bases, scalars), (base, scalar) or (points of G1, points of G2).
 */
enum pvf__provider_curve {
    PVF__PROVIDER_BLS12_381_MULTI_MILLER_LOOP = 0,
    PVF__PROVIDER_BLS12_381_FINAL_EXPONENTIATION = 1, /* reads `a` only */
    PVF__PROVIDER_BLS12_381_MSM_G1 = 2,
    PVF__PROVIDER_BLS12_381_MSM_G2 = 3,
    PVF__PROVIDER_BLS12_381_MUL_G1 = 4,
    PVF__PROVIDER_BLS12_381_MUL_G2 = 5,
    PVF__PROVIDER_BANDERSNATCH_MSM = 6,
    PVF__PROVIDER_BANDERSNATCH_MUL = 7,
    PVF__PROVIDER_PALLAS_MSM = 8,
    PVF__PROVIDER_PALLAS_MUL = 9,
    PVF__PROVIDER_VESTA_MSM = 10,
    PVF__PROVIDER_VESTA_MUL = 11,
};

/*
 * What the host functions take from libraries outside this tree: crypto whose edge cases are
 * consensus, and decompression.  Reached through pointers, so that this folder links none of it.
 * Every function is required.  Inputs may lie in guest memory; no function keeps a pointer or
 * writes through an input, and none reads one whose length is 0.  -1 says that the library failed
 * in a way that ends the guest (a panic there is a trap of the guest in the reference).
 */
struct pvf__crypto_provider {
    /* 1 valid, 0 not: ZIP-215. */
    int (*ed25519_verify)(const uint8_t sig[64],
                          const uint8_t *msg,
                          size_t len,
                          const uint8_t key[32]);
    /* 1 valid, 0 not: version 2 of the guest's function, or version 1 if `deprecated`. */
    int (*sr25519_verify)(const uint8_t sig[64],
                          const uint8_t *msg,
                          size_t len,
                          const uint8_t key[32],
                          bool deprecated);
    /* 0; `kind` of enum pvf__provider_hash, `out` of its size. */
    int (*hash)(unsigned kind, const uint8_t *data, size_t len, uint8_t *out);
    /*
     * `op` of enum pvf__provider_curve.  The guest's result code: 0 done, 1 `out` too short, 2
     * undecodable, 3 lengths differ, 4 degenerate, 255 other.  `out` overlaps no input.
     */
    int (*curve)(unsigned op,
                 const uint8_t *a,
                 size_t a_len,
                 const uint8_t *b,
                 size_t b_len,
                 uint8_t *out,
                 size_t out_len);
    /*
     * The compression container.  0: plain bytes in *out, `data` itself if *borrowed, else to be
     * given to buffer_free.  Positive: damaged, or more than `limit` bytes.
     */
    int (*decompress)(const uint8_t *data,
                      size_t len,
                      size_t limit,
                      uint8_t **out,
                      size_t *out_len,
                      size_t *out_cap,
                      bool *borrowed);
    void (*buffer_free)(uint8_t *data, size_t len, size_t cap);
};

#endif
