/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CRYPTO_SECP256K1_H
#define PVF_CRYPTO_SECP256K1_H

#include <stdbool.h>
#include <stdint.h>

/*
 * ECDSA public key recovery, with the edge cases of Polkadot's host functions.  A signature is
 * r, s (big endian, 32 bytes each) and one byte v, the recovery id.  A high s is never refused.
 */

/* Verdicts, not failures.  Less one, the wrong ones are the numbers that a guest sees in SCALE. */
enum pvf__secp256k1_result {
    PVF__SECP256K1_OK = 0,
    PVF__SECP256K1_BAD_RS = 1,        /* r or s is not below the group order; never if `reduce` */
    PVF__SECP256K1_BAD_V = 2,         /* v is none of 0 to 3; looked at before everything else */
    PVF__SECP256K1_BAD_SIGNATURE = 3, /* no key gives this signature */
};

/*
 * `reduce` takes r and s modulo the group order, as version 1 of the host functions does.
 * `legacy_v` subtracts 27 from a v above 26, once.  The hash is taken modulo the group order.
 * Returns enum pvf__secp256k1_result; `xy` (both coordinates, big endian) is written on OK only.
 */
int pvf__secp256k1_recover(
    const uint8_t sig[65], const uint8_t hash[32], bool reduce, bool legacy_v, uint8_t xy[64]);

/* The same with the 33-byte form of the key. */
int pvf__secp256k1_recover_compressed(
    const uint8_t sig[65], const uint8_t hash[32], bool reduce, bool legacy_v, uint8_t key[33]);

/*
 * Whether recovery gives exactly the bytes of `key`.  The key is never parsed: 33 bytes that are
 * no key are merely unequal.  v must be 0 to 3 as it stands.
 */
bool pvf__secp256k1_verify(const uint8_t sig[65],
                           const uint8_t hash[32],
                           const uint8_t key[33],
                           bool reduce);

#endif
