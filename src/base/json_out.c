/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the writing of JSON. */
#include "base/json_out.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put(struct pvf__json_out *json, const char *text)
{
    (void)pvf__buf_append(json->buf, text, strlen(text));
}

static void escaped(struct pvf__json_out *json, const uint8_t *text, size_t len)
{
    bool plain = pvf__text_is_utf8(text, len);
    (void)pvf__buf_u8(json->buf, '"');
    for (size_t i = 0; i < len; i++) {
        char code[8];
        if (text[i] < 0x20 || text[i] == '"' || text[i] == '\\' || text[i] == 0x7F) {
            (void)snprintf(code, sizeof(code), "\\u%04x", text[i]);
            put(json, code);
        } else if (plain || text[i] < 0x80) {
            (void)pvf__buf_u8(json->buf, text[i]);
        }
    }
    (void)pvf__buf_u8(json->buf, '"');
}

/* The comma and the key before a value. */
static void begin(struct pvf__json_out *json, const char *key)
{
    if (json->need_comma) {
        (void)pvf__buf_u8(json->buf, ',');
    }
    json->need_comma = true;
    if (key != NULL) {
        escaped(json, (const uint8_t *)key, strlen(key));
        (void)pvf__buf_u8(json->buf, ':');
    }
}

void pvf__json_out_open(struct pvf__json_out *json, const char *key, char bracket)
{
    begin(json, key);
    (void)pvf__buf_u8(json->buf, (uint8_t)bracket);
    json->need_comma = false;
}

void pvf__json_out_close(struct pvf__json_out *json, char bracket)
{
    (void)pvf__buf_u8(json->buf, (uint8_t)bracket);
    json->need_comma = true;
}

void pvf__json_out_number(struct pvf__json_out *json, const char *key, uint64_t value)
{
    char digits[24];
    begin(json, key);
    (void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    put(json, digits);
}

void pvf__json_out_bool(struct pvf__json_out *json, const char *key, bool value)
{
    begin(json, key);
    put(json, value ? "true" : "false");
}

void pvf__json_out_null(struct pvf__json_out *json, const char *key)
{
    begin(json, key);
    put(json, "null");
}

void pvf__json_out_text(struct pvf__json_out *json, const char *key, const void *text, size_t len)
{
    begin(json, key);
    escaped(json, text, len);
}

void pvf__json_out_string(struct pvf__json_out *json, const char *key, const char *text)
{
    pvf__json_out_text(json, key, text, strlen(text));
}

void pvf__json_out_decimal(struct pvf__json_out *json, const char *key, double value)
{
    char digits[64];
    if (!isfinite(value) || value > 1e15 || value < -1e15) {
        pvf__json_out_null(json, key);
        return;
    }
    begin(json, key);
    (void)snprintf(digits, sizeof(digits), "%.4f", value);
    put(json, digits);
}

void pvf__json_out_hex(struct pvf__json_out *json, const char *key, const uint8_t *data, size_t len)
{
    begin(json, key);
    put(json, "\"0x");
    for (size_t i = 0; i < len; i++) {
        char digits[3];
        pvf__text_to_hex(data + i, 1, digits);
        put(json, digits);
    }
    put(json, "\"");
}
