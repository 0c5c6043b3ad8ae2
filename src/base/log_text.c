/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what text has to look like in a log.  Trusts no text: paths and peers write it. */
#include "base/log_text.h"

#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bytes that a character starting with `first` should have. */
static size_t width_of(uint8_t first)
{
    if (first < 0xC2 || first > 0xF4) {
        return 1;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* Nothing but bytes that continue a character? */
static bool is_rest(const uint8_t *at, size_t len)
{
    size_t i = 0;
    while (i < len && (at[i] & 0xC0) == 0x80) {
        i++;
    }
    return i == len;
}

/* For a well-formed character of several bytes. */
static bool is_harmless(const uint8_t *at, size_t width)
{
    if (width == 2) {
        return at[0] != 0xC2 || at[1] >= 0xA0;
    }
    if (width == 3 && at[0] == 0xE2) {
        bool lines = at[1] == 0x80 && at[2] >= 0xA8 && at[2] <= 0xAE;
        bool marks = at[1] == 0x80 && (at[2] == 0x8E || at[2] == 0x8F);
        bool isolates = at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9;
        return !lines && !marks && !isolates;
    }
    return true;
}

/* Writes what stands for one byte into `out`; at most 4 characters and a terminator. */
static size_t escape_byte(uint8_t byte, char out[5])
{
    static const char named[] = "\nn\rr\tt\\\\";
    for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
        if ((uint8_t)named[i] == byte) {
            out[0] = '\\';
            out[1] = named[i + 1];
            return 2;
        }
    }
    if (byte >= 0x20 && byte < 0x7F) {
        out[0] = (char)byte;
        return 1;
    }
    (void)snprintf(out, 5, "\\x%02X", (unsigned)byte);
    return 4;
}

void pvf__log_text_escape(const char *text, char *out, size_t size)
{
    const uint8_t *at = (const uint8_t *)text;
    size_t left = strlen(text);
    size_t used = 0;
    while (left > 0) {
        char part[20];
        size_t width = width_of(at[0]);
        if (width > left && is_rest(at + 1, left - 1)) {
            break;
        }
        size_t len = 0;
        if (width > 1 && width <= left && pvf__text_is_utf8(at, width)) {
            if (is_harmless(at, width)) {
                memcpy(part, at, width);
                len = width;
            } else {
                for (size_t i = 0; i < width; i++) {
                    len += escape_byte(at[i], part + len);
                }
            }
        } else {
            width = 1;
            len = escape_byte(at[0], part);
        }
        if (len >= size - used) {
            break;
        }
        memcpy(out + used, part, len);
        used += len;
        at += width;
        left -= width;
    }
    out[used] = '\0';
}
