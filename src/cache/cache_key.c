/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the secret that seals sidecars.  A key that others could read proves nothing. */
#include "cache/cache_key.h"

#include "base/error.h"
#include "base/random.h"
#include "cache/cache_digest.h"
#include "cache/cache_file.h"
#include "pvf/status.h"

#include <string.h>

enum pvf__cache_result pvf__cache_key_read(int folder, uint8_t ret[PVF__CACHE_KEY_BYTES])
{
    struct stat info;
    PVF__CLEANUP_BUF struct pvf__buf text = PVF__BUF_INIT(PVF__CACHE_KEY_BYTES);
    enum pvf__cache_result result = pvf__cache_file_read(folder, PVF__CACHE_KEY, &text, &info);
    if (result == PVF__CACHE_HIT) {
        if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
            result = PVF__CACHE_UNSAFE;
        } else if (text.len != PVF__CACHE_KEY_BYTES) {
            result = PVF__CACHE_MALFORMED;
        } else {
            memcpy(ret, text.data, PVF__CACHE_KEY_BYTES);
        }
    }
    if (text.data != NULL) {
        pvf__cache_digest_forget(text.data, text.len);
    }
    return result;
}

int pvf__cache_key_make(int folder, uint8_t ret[PVF__CACHE_KEY_BYTES], pvf_error *err)
{
    uint8_t key[PVF__CACHE_KEY_BYTES];
    int status = pvf__random(key, sizeof(key), err);
    if (status != 0) {
        pvf__error_wrap(err, "the cache's key");
        return status;
    }
    status = pvf__cache_file_remove(folder, PVF__CACHE_KEY, err);
    if (status == 0) {
        status = pvf__cache_file_write(folder, PVF__CACHE_KEY, key, sizeof(key), err);
    }
    if (status == 0) {
        status = pvf__cache_file_sync(folder, err);
    }
    if (status == 0) {
        memcpy(ret, key, sizeof(key));
    }
    pvf__cache_digest_forget(key, sizeof(key));
    return status;
}
