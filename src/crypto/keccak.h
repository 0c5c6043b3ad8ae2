/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CRYPTO_KECCAK_H
#define PVF_CRYPTO_KECCAK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Keccak as it was submitted to the SHA-3 contest: the padding starts with 0x01.  SHA3-256 and
 * SHA3-512 of FIPS 202 pad with 0x06 and give other results.  `data` may be NULL when `len` is 0.
 */
void pvf__keccak_256(const uint8_t *data, size_t len, uint8_t out[32]);
void pvf__keccak_512(const uint8_t *data, size_t len, uint8_t out[64]);

#endif
