/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the messages of the upgraded wire.  A decoder accepts its own version alone: a host starts
 * no worker that did not name it before, so another one is a fault.
 */
#include "proto/upgrade.h"

#include "proto/proto_error.h"
#include "scale/scale.h"

#include <stdio.h>
#include <string.h>

static bool get_version(struct pvf__cursor *cursor, uint8_t *ret)
{
    struct pvf__cursor at = *cursor;
    if (!pvf__scale_get_u8(&at, ret) || *ret != PVF__UPGRADE_VERSION) {
        return false;
    }
    *cursor = at;
    return true;
}

/* Hello: version u8 | the plain handshake. */
int pvf__upgrade_hello_decode(const uint8_t *data,
                              size_t len,
                              struct pvf__upgrade_hello *ret,
                              pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__upgrade_hello hello;
    pvf__cursor_init(&cursor, data, len);
    if (!get_version(&cursor, &hello.version)) {
        return pvf__proto_malformed(&cursor, "upgraded handshake", err);
    }
    int status = pvf__handshake_decode(cursor.at, pvf__cursor_left(&cursor), &hello.security, err);
    if (status == 0) {
        *ret = hello;
    }
    return status;
}

void pvf__upgrade_hello_encode(const struct pvf__upgrade_hello *hello, struct pvf__buf *buf)
{
    pvf__scale_put_u8(buf, hello->version);
    pvf__handshake_encode(&hello->security, buf);
}

static bool get_mechanism(struct pvf__cursor *cursor, struct pvf__upgrade_mechanism *ret)
{
    uint8_t state;
    if (!pvf__scale_get_string(cursor, &ret->name) ||
        !pvf__scale_get_tag(cursor, PVF__UPGRADE_STATES, &state)) {
        return false;
    }
    ret->state = (enum pvf__upgrade_state)state;
    return ret->state != PVF__UPGRADE_FAILED || pvf__scale_get_string(cursor, &ret->why);
}

/* Ready: version u8 | Vec of (name String | state u8 | why String, when it failed). */
int pvf__upgrade_ready_decode(const uint8_t *data,
                              size_t len,
                              struct pvf__upgrade_ready *ret,
                              pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__upgrade_ready ready = {0};
    uint32_t count = 0;
    pvf__cursor_init(&cursor, data, len);
    bool fine = get_version(&cursor, &ready.version) && pvf__scale_get_compact(&cursor, &count) &&
                count <= PVF__UPGRADE_MECHANISMS_MAX;
    for (ready.count = 0; fine && ready.count < count; ready.count++) {
        fine = get_mechanism(&cursor, &ready.mechanisms[ready.count]);
    }
    if (!fine) {
        return pvf__proto_malformed(&cursor, "ready message", err);
    }
    *ret = ready;
    return 0;
}

void pvf__upgrade_ready_encode(const struct pvf__upgrade_ready *ready, struct pvf__buf *buf)
{
    pvf__scale_put_u8(buf, ready->version);
    pvf__scale_put_compact(buf, (uint32_t)ready->count);
    for (size_t i = 0; i < ready->count; i++) {
        const struct pvf__upgrade_mechanism *mechanism = &ready->mechanisms[i];
        pvf__scale_put_string(buf, mechanism->name);
        pvf__scale_put_u8(buf, (uint8_t)mechanism->state);
        if (mechanism->state == PVF__UPGRADE_FAILED) {
            pvf__scale_put_string(buf, mechanism->why);
        }
    }
}

static void append(char *out, size_t size, const char *before, struct pvf__slice text)
{
    size_t len = strlen(out);
    (void)snprintf(out + len, size - len, "%s%.*s", before, (int)text.len, (const char *)text.data);
}

void pvf__upgrade_ready_text(const struct pvf__upgrade_ready *ready, char *out, size_t size)
{
    static const char *const titles[PVF__UPGRADE_STATES] = {
        [PVF__UPGRADE_NOT_WANTED] = "; not wanted: ",
        [PVF__UPGRADE_ON] = "",
        [PVF__UPGRADE_FAILED] = "; FAILED: ",
    };
    static const enum pvf__upgrade_state order[PVF__UPGRADE_STATES] = {
        PVF__UPGRADE_ON, PVF__UPGRADE_NOT_WANTED, PVF__UPGRADE_FAILED};
    out[0] = '\0';
    for (size_t k = 0; k < PVF__UPGRADE_STATES; k++) {
        const char *before = titles[order[k]];
        for (size_t i = 0; i < ready->count; i++) {
            const struct pvf__upgrade_mechanism *mechanism = &ready->mechanisms[i];
            if (mechanism->state != order[k]) {
                continue;
            }
            append(out, size, before, mechanism->name);
            if (mechanism->why.len > 0) {
                append(out, size, " (", mechanism->why);
                append(out, size, ")", (struct pvf__slice){NULL, 0});
            }
            before = ", ";
        }
    }
}

/* Request: body_len u64 | params Vec<u8> | perhaps the body. */
int pvf__upgrade_request_decode(const uint8_t *data,
                                size_t len,
                                struct pvf__upgrade_request *ret,
                                pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__upgrade_request request;
    pvf__cursor_init(&cursor, data, len);
    if (!pvf__scale_get_u64(&cursor, &request.body_len) ||
        !pvf__scale_get_bytes(&cursor, &request.params)) {
        return pvf__proto_malformed(&cursor, "upgraded request", err);
    }
    request.body = (struct pvf__slice){cursor.at, pvf__cursor_left(&cursor)};
    *ret = request;
    return 0;
}

void pvf__upgrade_request_encode(const struct pvf__upgrade_request *request, struct pvf__buf *buf)
{
    pvf__scale_put_u64(buf, request->body_len);
    pvf__scale_put_bytes(buf, request->params);
    (void)pvf__buf_append(buf, request->body.data, request->body.len);
}
