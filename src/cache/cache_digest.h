/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_DIGEST_H
#define PVF_CACHE_CACHE_DIGEST_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * BLAKE2b-256 of a file from its start to its end, without holding it in memory; the descriptor's
 * position is not used.  Of a file that is longer than `size` only a little more is read.
 * *ret_size is the number of bytes read.
 */
PVF__NODISCARD int
pvf__cache_digest_file(int fd, uint64_t size, uint8_t out[32], uint64_t *ret_size, pvf_error *err);

/* BLAKE2b-256 with a key of 32 bytes. */
void pvf__cache_digest_mac(const uint8_t key[32], const uint8_t *data, size_t len, uint8_t out[32]);

/* Compares 32 bytes in a time that does not tell where they differ. */
bool pvf__cache_digest_equal(const uint8_t a[32], const uint8_t b[32]);

/* Overwrites a secret. */
void pvf__cache_digest_forget(void *secret, size_t len);

#endif
