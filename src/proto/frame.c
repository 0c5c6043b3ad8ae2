/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the length prefix, on descriptors and in memory.  Does not trust the announced length. */
#include "proto/frame.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/fd.h"

/* How much memory is reserved ahead of what arrived. */
#define STEP ((size_t)1 << 20)

uint64_t pvf__frame_body_len(const uint8_t header[PVF__FRAME_HEADER])
{
    uint64_t len = 0;
    for (unsigned i = 0; i < PVF__FRAME_HEADER; i++) {
        len |= (uint64_t)header[i] << (8 * i);
    }
    return len;
}

int pvf__frame_recv(int fd, size_t max, uint64_t deadline_ns, struct pvf__buf *ret, pvf_error *err)
{
    uint8_t header[PVF__FRAME_HEADER];
    int status = pvf__fd_read_by(fd, header, sizeof(header), deadline_ns, err);
    if (status != 0) {
        pvf__error_wrap(err, "frame header");
        return status;
    }
    return pvf__frame_recv_body(fd, header, max, deadline_ns, ret, err);
}

int pvf__frame_recv_body(int fd,
                         const uint8_t header[PVF__FRAME_HEADER],
                         size_t max,
                         uint64_t deadline_ns,
                         struct pvf__buf *ret,
                         pvf_error *err)
{
    uint64_t len = pvf__frame_body_len(header);
    if (len > max) {
        return pvf__error_set(err,
                              PVF_ERR_LIMIT,
                              "a frame of %llu bytes was announced, the limit is %zu",
                              (unsigned long long)len,
                              max);
    }
    ret->len = 0;
    ret->failed = 0;
    ret->max = max;
    while (ret->len < len) {
        /* No more than has already arrived is reserved in advance. */
        size_t left = (size_t)len - ret->len;
        size_t ahead = ret->len > STEP ? ret->len : STEP;
        size_t part = left < ahead ? left : ahead;
        int status = pvf__buf_reserve(ret, part);
        if (status != 0) {
            return pvf__error_set(err, status, "no memory for a frame of %zu bytes", (size_t)len);
        }
        status = pvf__fd_read_by(fd, ret->data + ret->len, part, deadline_ns, err);
        if (status != 0) {
            pvf__error_wrap(err, "frame of %zu bytes", (size_t)len);
            return status;
        }
        ret->len += part;
    }
    return 0;
}

int pvf__frame_send(int fd, const uint8_t *body, size_t len, uint64_t deadline_ns, pvf_error *err)
{
    uint8_t header[PVF__FRAME_HEADER];
    for (unsigned i = 0; i < PVF__FRAME_HEADER; i++) {
        header[i] = (uint8_t)((uint64_t)len >> (8 * i));
    }
    int status = pvf__fd_write_by(fd, header, sizeof(header), deadline_ns, err);
    if (status == 0) {
        status = pvf__fd_write_by(fd, body, len, deadline_ns, err);
    }
    if (status != 0) {
        pvf__error_wrap(err, "sending a frame of %zu bytes", len);
    }
    return status;
}

void pvf__frame_begin(struct pvf__buf *buf, size_t *ret_start)
{
    *ret_start = buf->len;
    (void)pvf__buf_zeros(buf, PVF__FRAME_HEADER);
}

void pvf__frame_end(struct pvf__buf *buf, size_t start)
{
    if (buf->failed != 0) {
        return;
    }
    uint64_t len = buf->len - start - PVF__FRAME_HEADER;
    for (unsigned i = 0; i < PVF__FRAME_HEADER; i++) {
        buf->data[start + i] = (uint8_t)(len >> (8 * i));
    }
}

int pvf__frame_first(const uint8_t *data, size_t len, struct pvf__slice *ret_body, pvf_error *err)
{
    struct pvf__cursor cursor;
    uint64_t body_len;
    pvf__cursor_init(&cursor, data, len);
    if (!pvf__cursor_u64le(&cursor, &body_len)) {
        return pvf__error_set(
            err, PVF_ERR_EOF, "%zu bytes are no frame: the header alone has 8", len);
    }
    size_t left = pvf__cursor_left(&cursor);
    if (body_len > left) {
        return pvf__error_set(err,
                              PVF_ERR_EOF,
                              "a frame of %llu bytes was announced, only %zu came",
                              (unsigned long long)body_len,
                              left);
    }
    *ret_body = (struct pvf__slice){.data = cursor.at, .len = (size_t)body_len};
    return 0;
}
