/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: small conversions between text and bytes. */
#include "base/text.h"

#include <string.h>

/* Bytes of the well-formed sequence at `at`, or 0. */
static size_t utf8_sequence(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    if (first < 0x80) {
        return 1;
    }
    size_t len = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (first < 0xC2 || first > 0xF4 || left < len) {
        return 0;
    }
    /* The second byte's range is what keeps out over-long forms, surrogates and the rest. */
    uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool pvf__text_is_utf8(const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t step = utf8_sequence(data, len);
        if (step == 0) {
            return false;
        }
        data += step;
        len -= step;
    }
    return true;
}

void pvf__text_to_hex(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}

/* 0..15, or 16 for a character that is no digit. */
static unsigned hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return (unsigned)(c - 'A') + 10;
    }
    return 16;
}

bool pvf__text_from_hex(const char *digits, uint8_t *out, size_t max, size_t *ret_len)
{
    if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
        digits += 2;
    }
    size_t count = strlen(digits);
    if (count % 2 != 0 || count / 2 > max) {
        return false;
    }
    for (size_t i = 0; i < count / 2; i++) {
        unsigned high = hex_digit(digits[2 * i]);
        unsigned low = hex_digit(digits[2 * i + 1]);
        if (high > 15 || low > 15) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    *ret_len = count / 2;
    return true;
}

bool pvf__text_parse_u64(const char *text, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    if (text[0] == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value)) {
            return false;
        }
    }
    if (value > max) {
        return false;
    }
    *ret = value;
    return true;
}
