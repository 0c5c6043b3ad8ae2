/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: growable byte buffers with a hard maximum. */
#include "base/buf.h"

#include "base/checked.h"
#include "pvf/status.h"

#include <string.h>

void pvf__buf_init(struct pvf__buf *buf, size_t max)
{
    *buf = (struct pvf__buf)PVF__BUF_INIT(max);
}

void pvf__buf_done(struct pvf__buf *buf)
{
    free(buf->data);
    pvf__buf_init(buf, buf->max);
}

static int fail(struct pvf__buf *buf, int status)
{
    if (buf->failed == 0) {
        buf->failed = status;
    }
    return status;
}

int pvf__buf_reserve(struct pvf__buf *buf, size_t len)
{
    size_t need;
    if (!pvf__checked_add(buf->len, len, &need) || need > buf->max) {
        return fail(buf, PVF_ERR_LIMIT);
    }
    if (need <= buf->cap && buf->data != NULL) {
        return 0;
    }
    /* Doubling keeps appends linear; the first step is small since most messages are. */
    size_t cap = buf->cap < 128 ? 256 : buf->cap;
    while (cap < need && cap <= buf->max / 2) {
        cap *= 2;
    }
    if (cap < need || cap > buf->max) {
        cap = buf->max < need ? need : buf->max;
    }
    uint8_t *data = realloc(buf->data, cap > 0 ? cap : 1);
    if (data == NULL) {
        return fail(buf, PVF_ERR_NO_MEMORY);
    }
    buf->data = data;
    buf->cap = cap;
    return 0;
}

int pvf__buf_append(struct pvf__buf *buf, const void *data, size_t len)
{
    int status = pvf__buf_reserve(buf, len);
    if (status != 0) {
        return status;
    }
    if (len > 0) {
        memcpy(buf->data + buf->len, data, len);
        buf->len += len;
    }
    return 0;
}

int pvf__buf_u8(struct pvf__buf *buf, uint8_t value)
{
    return pvf__buf_append(buf, &value, 1);
}

int pvf__buf_u32le(struct pvf__buf *buf, uint32_t value)
{
    const uint8_t bytes[4] = {
        (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    return pvf__buf_append(buf, bytes, sizeof(bytes));
}

int pvf__buf_u64le(struct pvf__buf *buf, uint64_t value)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    return pvf__buf_append(buf, bytes, sizeof(bytes));
}

int pvf__buf_zeros(struct pvf__buf *buf, size_t len)
{
    int status = pvf__buf_reserve(buf, len);
    if (status != 0) {
        return status;
    }
    if (len > 0) {
        memset(buf->data + buf->len, 0, len);
        buf->len += len;
    }
    return 0;
}
