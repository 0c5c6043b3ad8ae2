/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_PROTO_ERROR_H
#define PVF_PROTO_PROTO_ERROR_H

#include "base/cursor.h"
#include "base/error.h"

/* PVF_ERR_MALFORMED, saying which message broke and where; decoders of whole messages end so. */
static inline int
pvf__proto_malformed(const struct pvf__cursor *cursor, const char *message, pvf_error *err)
{
    size_t at = pvf__cursor_offset(cursor);
    size_t len = at + pvf__cursor_left(cursor);
    return pvf__error_set(
        err, PVF_ERR_MALFORMED, "%s: no valid value at byte %zu of %zu", message, at, len);
}

#endif
