/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_builder.h"

#include <string.h>

#define MAX ((size_t)64 * 1024 * 1024)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A buffer whose failures nobody looks at: the tests that use the module would fail. */
static void bytes(struct pvf__buf *buf, const void *data, size_t len)
{
    (void)pvf__buf_append(buf, data, len);
}

static void leb(struct pvf__buf *buf, uint32_t value)
{
    do {
        uint8_t low = value & 0x7f;
        value >>= 7;
        (void)pvf__buf_u8(buf, value != 0 ? low | 0x80 : low);
    } while (value != 0);
}

static void sleb(struct pvf__buf *buf, int32_t value)
{
    for (;;) {
        uint8_t low = (uint8_t)value & 0x7f;
        int32_t rest = (value - low) / 128; /* exact: the same as an arithmetic shift */
        bool last = (rest == 0 && low < 0x40) || (rest == -1 && low >= 0x40);
        (void)pvf__buf_u8(buf, last ? low : low | 0x80);
        if (last) {
            return;
        }
        value = rest;
    }
}

static void name(struct pvf__buf *buf, const char *text)
{
    leb(buf, (uint32_t)strlen(text));
    bytes(buf, text, strlen(text));
}

/* Appends a section of `count` entries that `body` holds, and empties it. */
static void section(struct pvf__buf *out, uint8_t id, uint32_t count, struct pvf__buf *body)
{
    struct pvf__buf head = PVF__BUF_INIT(16);
    leb(&head, count);
    (void)pvf__buf_u8(out, id);
    leb(out, (uint32_t)(head.len + body->len));
    bytes(out, head.data, head.len);
    bytes(out, body->data, body->len);
    pvf__buf_done(&head);
    pvf__buf_done(body);
}

static void types(struct pvf__buf *out)
{
    static const uint8_t all[] = {0x60, 2, 0x7f, 0x7f, 1,    0x7e, 0x60, 0,    0,
                                  0x60, 1, 0x7f, 1,    0x7f, 0x60, 1,    0x7e, 0,
                                  0x60, 1, 0x7f, 0,    0x60, 1,    0x7e, 1,    0x7f};
    struct pvf__buf body = PVF__BUF_INIT(MAX);
    bytes(&body, all, sizeof(all));
    section(out, 1, 6, &body);
}

/* Returns the number of functions imported. */
static uint32_t imports(const struct builder *builder, struct pvf__buf *out)
{
    struct pvf__buf body = PVF__BUF_INIT(MAX);
    uint32_t count = 0;
    uint32_t functions = 0;
    for (size_t i = 0; i < COUNT(builder->imports); i++) {
        const struct builder_import *import = &builder->imports[i];
        if (import->name == NULL) {
            continue;
        }
        name(&body, import->module);
        name(&body, import->name);
        if (import->table) {
            bytes(&body, "\x01\x70\x00\x01", 4);
        } else {
            (void)pvf__buf_u8(&body, 0);
            leb(&body, import->type);
            functions++;
        }
        count++;
    }
    if (count > 0) {
        section(out, 2, count, &body);
    }
    return functions;
}

static void export(
    struct pvf__buf *body, uint32_t *count, const char *as, uint8_t kind, uint32_t at)
{
    name(body, as);
    (void)pvf__buf_u8(body, kind);
    leb(body, at);
    (*count)++;
}

static void exports(const struct builder *builder, struct pvf__buf *out, uint32_t entry)
{
    enum {
        FUNCTION = 0,
        MEMORY = 2,
        GLOBAL = 3
    };
    struct pvf__buf body = PVF__BUF_INIT(MAX);
    uint32_t count = 0;
    if (builder->memory != EXPORT_NOT) {
        bool right = builder->memory == EXPORT_AS_IT_SHOULD;
        export(&body, &count, "memory", right ? MEMORY : FUNCTION, right ? 0 : entry);
    }
    if (builder->heap != EXPORT_NOT) {
        bool another = builder->heap == EXPORT_ANOTHER;
        uint32_t at = builder->heap == EXPORT_OTHER_TYPE ? 1 : 0;
        export(&body, &count, "__heap_base", another ? MEMORY : GLOBAL, another ? 0 : at);
    }
    if (builder->function != EXPORT_NOT) {
        bool another = builder->function == EXPORT_ANOTHER;
        uint32_t at = builder->function == EXPORT_OTHER_TYPE ? entry + 1 : entry;
        export(&body, &count, "validate_block", another ? MEMORY : FUNCTION, another ? 0 : at);
    }
    section(out, 7, count, &body);
}

static void function_body(struct pvf__buf *out, const struct builder_code *code)
{
    leb(out, (uint32_t)code->len + 2);
    (void)pvf__buf_u8(out, 0);
    bytes(out, code->data, code->len);
    (void)pvf__buf_u8(out, 0x0b);
}

void builder_module(const struct builder *builder, struct pvf__buf *out)
{
    struct pvf__buf body = PVF__BUF_INIT(MAX);
    pvf__buf_init(out, MAX);
    bytes(out, "\0asm\1\0\0\0", 8);
    types(out);
    uint32_t entry = imports(builder, out);

    leb(&body, TYPE_ENTRY);
    leb(&body, TYPE_NOTHING);
    section(out, 3, 2, &body);

    (void)pvf__buf_u8(&body, 0);
    leb(&body, builder->min_pages > 0 ? builder->min_pages : 1);
    section(out, 5, 1, &body);

    bytes(&body, "\x7f\x01\x41", 3);
    sleb(&body, builder->heap_base);
    bytes(&body, "\x0b\x7e\x00\x42\x07\x0b", 6);
    section(out, 6, 2, &body);

    exports(builder, out, entry);
    if (builder->start.len > 0) {
        struct pvf__buf none = PVF__BUF_INIT(MAX);
        section(out, 8, entry + 1, &none);
    }

    static const uint8_t trap[] = {0x00};
    const struct builder_code fallback = {trap, sizeof(trap)};
    function_body(&body, builder->entry.len > 0 ? &builder->entry : &fallback);
    function_body(&body, &builder->start);
    section(out, 10, 2, &body);

    if (builder->has_data) {
        bytes(&body, "\x00\x41", 2);
        sleb(&body, builder->data_offset);
        (void)pvf__buf_u8(&body, 0x0b);
        name(&body, builder->data);
        section(out, 11, 1, &body);
    }
}
