/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what proves that bytes are the ones that were stored.  BLAKE2b by libsodium. */
#include "cache/cache_digest.h"

#include "base/error.h"
#include "pvf/status.h"

#include <errno.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/utils.h>
#include <sys/types.h>

#define BLOCK ((size_t)256 * 1024)

int pvf__cache_digest_file(
    int fd, uint64_t size, uint8_t out[32], uint64_t *ret_size, pvf_error *err)
{
    crypto_generichash_blake2b_state state;
    PVF__CLEANUP_FREE uint8_t *block = malloc(BLOCK);
    if (block == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory to read an artifact");
    }
    uint64_t done = 0;
    /* These fail only for sizes out of range, and all of them are constants. */
    (void)crypto_generichash_blake2b_init(&state, NULL, 0, 32);
    while (done <= size) {
        ssize_t got = pread(fd, block, BLOCK, (off_t)done);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return pvf__error_errno(err, PVF_ERR_IO, errno, "cannot read an artifact");
        }
        if (got > 0) {
            (void)crypto_generichash_blake2b_update(&state, block, (unsigned long long)got);
            done += (uint64_t)got;
        }
    }
    (void)crypto_generichash_blake2b_final(&state, out, 32);
    *ret_size = done;
    return 0;
}

void pvf__cache_digest_mac(const uint8_t key[32], const uint8_t *data, size_t len, uint8_t out[32])
{
    (void)crypto_generichash_blake2b(out, 32, data, len, key, 32);
}

bool pvf__cache_digest_equal(const uint8_t a[32], const uint8_t b[32])
{
    return sodium_memcmp(a, b, 32) == 0;
}

void pvf__cache_digest_forget(void *secret, size_t len)
{
    sodium_memzero(secret, len);
}
