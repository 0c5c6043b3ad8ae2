/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_WASM_PARTS_H
#define PVF_TESTS_SUPPORT_WASM_PARTS_H

#include "base/buf.h"
#include "support/hex.h"
#include "wasm/wasm_emit.h"

#include <stdlib.h>

/*
 * A module by its sections' payloads in hex (hex.h), without lengths; NULL leaves a section out.
 * `bodies` are the function bodies (groups of locals and instructions); the code section with its
 * count and lengths is made of them, in the place between `element` and `data`.
 */
struct wasm_parts {
    const char *custom; /* with its name; stands in front */
    const char *type;
    const char *import;
    const char *function;
    const char *table;
    const char *memory;
    const char *global;
    const char *export;
    const char *start;
    const char *element;
    const char *data_count;
    const char *bodies[6];
    const char *data;
    const char *trailing; /* a whole section, or any bytes, at the end */
};

static inline void wasm_parts_section(struct pvf__buf *out, uint8_t id, const char *payload)
{
    if (payload != NULL) {
        struct hex_bytes bytes = hex_read(payload);
        (void)pvf__buf_u8(out, id);
        size_t opened = pvf__wasm_emit_open(out);
        (void)pvf__buf_append(out, bytes.data, bytes.len);
        pvf__wasm_emit_close(out, opened);
    }
}

static inline void wasm_parts_code(struct pvf__buf *out, const struct wasm_parts *parts)
{
    uint8_t count = 0;
    while (count < 6 && parts->bodies[count] != NULL) {
        count++;
    }
    if (count == 0) {
        return;
    }
    (void)pvf__buf_u8(out, 10);
    size_t section = pvf__wasm_emit_open(out);
    (void)pvf__buf_u8(out, count);
    for (uint8_t i = 0; i < count; i++) {
        struct hex_bytes body = hex_read(parts->bodies[i]);
        size_t opened = pvf__wasm_emit_open(out);
        (void)pvf__buf_append(out, body.data, body.len);
        pvf__wasm_emit_close(out, opened);
    }
    pvf__wasm_emit_close(out, section);
}

/* Appends the module. */
static inline void wasm_parts_write(struct pvf__buf *out, const struct wasm_parts *parts)
{
    static const uint8_t header[] = {0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00};
    (void)pvf__buf_append(out, header, sizeof(header));
    wasm_parts_section(out, 0, parts->custom);
    wasm_parts_section(out, 1, parts->type);
    wasm_parts_section(out, 2, parts->import);
    wasm_parts_section(out, 3, parts->function);
    wasm_parts_section(out, 4, parts->table);
    wasm_parts_section(out, 5, parts->memory);
    wasm_parts_section(out, 6, parts->global);
    wasm_parts_section(out, 7, parts->export);
    wasm_parts_section(out, 8, parts->start);
    wasm_parts_section(out, 9, parts->element);
    wasm_parts_section(out, 12, parts->data_count);
    wasm_parts_code(out, parts);
    wasm_parts_section(out, 11, parts->data);
    if (parts->trailing != NULL) {
        struct hex_bytes bytes = hex_read(parts->trailing);
        (void)pvf__buf_append(out, bytes.data, bytes.len);
    }
    if (out->failed != 0) {
        abort();
    }
}

#endif
