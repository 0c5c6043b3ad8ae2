/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HASH_HASH_H
#define PVF_HASH_HASH_H

#include <stddef.h>
#include <stdint.h>

/* `data` may be NULL when `len` is 0. */

/* BLAKE2b with a 32-byte result: code hashes, head hashes, the hashes of executor params. */
void pvf__hash_blake2b_256(const uint8_t *data, size_t len, uint8_t out[32]);

/*
 * Substrate's "twox": XXH64 with seeds 0, 1, 2 …, each result little endian, one after another.
 * 256 bits (four seeds) are the checksum of an artifact.  One pass over the data.
 */
void pvf__hash_twox_64(const uint8_t *data, size_t len, uint8_t out[8]);
void pvf__hash_twox_128(const uint8_t *data, size_t len, uint8_t out[16]);
void pvf__hash_twox_256(const uint8_t *data, size_t len, uint8_t out[32]);

#endif
