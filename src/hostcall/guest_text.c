/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what of a guest's text may reach the log. */
#include "hostcall/guest_text.h"

#include <stdbool.h>

/* Bytes of the character that starts with `first`, in text that is known to be UTF-8. */
static size_t width_of(uint8_t first)
{
    if (first < 0x80) {
        return 1;
    }
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/*
 * ASCII and Latin-1 controls; the line and paragraph separators and what reverses the direction of
 * writing (U+2028 … U+202E, U+2066 … U+2069).
 */
static bool is_control(const uint8_t *at, size_t width)
{
    if (width == 1) {
        return at[0] < 0x20 || at[0] == 0x7F;
    }
    if (width == 2) {
        return at[0] == 0xC2 && at[1] < 0xA0;
    }
    if (width != 3 || at[0] != 0xE2) {
        return false;
    }
    return (at[1] == 0x80 && at[2] >= 0xA8 && at[2] <= 0xAE) ||
           (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9);
}

void pvf__guest_text_clean(struct pvf__slice text, char *out, size_t size)
{
    size_t used = 0;
    size_t at = 0;
    while (at < text.len) {
        size_t width = width_of(text.data[at]);
        if (width > text.len - at || width >= size - used) {
            break;
        }
        if (is_control(text.data + at, width)) {
            out[used++] = ' ';
        } else {
            for (size_t i = 0; i < width; i++) {
                out[used++] = (char)text.data[at + i];
            }
        }
        at += width;
    }
    out[used] = '\0';
}
