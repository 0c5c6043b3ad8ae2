/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_KEY_H
#define PVF_CACHE_CACHE_KEY_H

#include "cache/cache.h"

#define PVF__CACHE_KEY "key"

/*
 * Reads the key.  PVF__CACHE_HIT, or why there is none: it is absent, has another length, or others
 * may have read or written it.
 */
PVF__NODISCARD enum pvf__cache_result pvf__cache_key_read(int folder,
                                                          uint8_t ret[PVF__CACHE_KEY_BYTES]);

/* Makes a new key in place of whatever is there. */
PVF__NODISCARD int
pvf__cache_key_make(int folder, uint8_t ret[PVF__CACHE_KEY_BYTES], pvf_error *err);

#endif
