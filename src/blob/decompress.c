/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the plain bytes of code and PoVs.  The decoder is the reference's own, because on damaged
 * input every other one gives other verdicts; it trusts nothing.
 */
#include "blob/decompress.h"

#include "base/error.h"

#include <pvf_shim.h>

int pvf__blob_decompress(
    const uint8_t *data, size_t len, size_t limit, struct pvf__blob *ret, pvf_error *err)
{
    uint8_t *out = NULL;
    size_t out_len = 0;
    size_t out_cap = 0;
    bool borrowed = false;
    switch (pvf_shim_decompress(data, len, limit, &out, &out_len, &out_cap, &borrowed)) {
    case 0:
        break;
    case 1:
        return pvf__error_set(err, PVF_ERR_MALFORMED, "Blob had invalid format");
    case 2:
        return pvf__error_set(err, PVF_ERR_LIMIT, "Possible compression bomb encountered");
    default:
        return pvf__error_set(err, PVF_ERR_INTERNAL, "the decoder failed on %zu bytes", len);
    }
    if (borrowed) {
        *ret = (struct pvf__blob){.data = data, .len = len, .own = NULL, .own_cap = 0};
    } else {
        *ret = (struct pvf__blob){.data = out, .len = out_len, .own = out, .own_cap = out_cap};
    }
    return 0;
}

void pvf__blob_done(struct pvf__blob *blob)
{
    if (blob->own != NULL) {
        pvf_shim_buffer_free(blob->own, blob->len, blob->own_cap);
    }
    *blob = (struct pvf__blob)PVF__BLOB_INIT;
}
