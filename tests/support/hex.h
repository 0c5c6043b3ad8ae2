/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_HEX_H
#define PVF_TESTS_SUPPORT_HEX_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes written as in the documents: hex digits, blanks anywhere, "11*32" for a byte repeated. */
struct hex_bytes {
    uint8_t data[1024];
    size_t len;
};

static inline struct hex_bytes hex_read(const char *text)
{
    struct hex_bytes ret = {.len = 0};
    while (*text != '\0') {
        if (*text == ' ' || *text == '\n' || *text == '|') {
            text++;
            continue;
        }
        char digits[3] = {text[0], text[1], '\0'};
        char *end = NULL;
        unsigned long value = strtoul(digits, &end, 16);
        unsigned long times = 1;
        text += 2;
        if (end != digits + 2) {
            abort();
        }
        if (*text == '*') {
            char *after = NULL;
            times = strtoul(text + 1, &after, 10);
            text = after;
        }
        if (times > sizeof(ret.data) - ret.len) {
            abort();
        }
        memset(ret.data + ret.len, (int)value, times);
        ret.len += times;
    }
    return ret;
}

#endif
