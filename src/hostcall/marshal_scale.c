/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the shapes of SCALE arguments and the words for bad ones.  Trusts no byte of them. */
#include "hostcall/marshal_scale.h"

#include "base/cursor.h"
#include "scale/scale.h"

#include <stdlib.h>

const char pvf__marshal_scale_no_memory[] = "out of memory";

static const char short_input[] = "Not enough data to fill buffer";

/* Bytes of a compact integer that starts with `first`; the longest form that fits into 32 bits. */
static size_t compact_len(uint8_t first)
{
    static const uint8_t lens[4] = {1, 2, 4, 5};
    return lens[first & 3];
}

static const char *get_compact(struct pvf__cursor *cursor, uint32_t *ret)
{
    size_t left = pvf__cursor_left(cursor);
    if (pvf__scale_get_compact(cursor, ret)) {
        return NULL;
    }
    return left == 0 || left < compact_len(*cursor->at) ? short_input
                                                        : "out of range decoding Compact<u32>";
}

static const char *get_bytes(struct pvf__cursor *cursor, struct pvf__slice *ret)
{
    uint32_t len = 0;
    const char *why = get_compact(cursor, &len);
    if (why != NULL) {
        return why;
    }
    const uint8_t *data;
    if (!pvf__cursor_claim(cursor, len, &data)) {
        return "Not enough data to decode vector";
    }
    *ret = (struct pvf__slice){.data = data, .len = len};
    return NULL;
}

const char *
pvf__marshal_scale_option(struct pvf__slice input, bool *ret_some, struct pvf__slice *ret)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, input.data, input.len);
    bool some;
    if (!pvf__scale_get_option(&cursor, &some)) {
        return pvf__cursor_left(&cursor) == 0 ? short_input
                                              : "unexpected first byte decoding Option";
    }
    if (some) {
        const char *why = get_bytes(&cursor, ret);
        if (why != NULL) {
            return why;
        }
    }
    *ret_some = some;
    return NULL;
}

/*
 * Room for the items that a count announces.  Every item takes `min` bytes or more of what is left,
 * so a count beyond that is refused before anything is allocated.  The pages of the array are
 * touched only as items are read.
 */
static const char *begin_items(
    struct pvf__cursor *cursor, size_t min, size_t item, uint32_t *ret_count, void **ret_items)
{
    const char *why = get_compact(cursor, ret_count);
    if (why != NULL) {
        return why;
    }
    *ret_items = NULL;
    if (*ret_count > pvf__cursor_left(cursor) / min) {
        return short_input;
    }
    if (*ret_count > 0) {
        *ret_items = malloc(*ret_count * item);
        if (*ret_items == NULL) {
            return pvf__marshal_scale_no_memory;
        }
    }
    return NULL;
}

const char *
pvf__marshal_scale_list(struct pvf__slice input, struct pvf__slice **ret, size_t *ret_count)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, input.data, input.len);
    uint32_t count = 0;
    void *array = NULL;
    const char *why = begin_items(&cursor, 1, sizeof(struct pvf__slice), &count, &array);
    if (why != NULL) {
        return why;
    }
    struct pvf__slice *items = array;
    for (uint32_t i = 0; i < count && why == NULL; i++) {
        why = get_bytes(&cursor, &items[i]);
    }
    if (why != NULL) {
        free(items);
        return why;
    }
    *ret = items;
    *ret_count = count;
    return NULL;
}

const char *
pvf__marshal_scale_pairs(struct pvf__slice input, struct pvf__trie_pair **ret, size_t *ret_count)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, input.data, input.len);
    uint32_t count = 0;
    void *array = NULL;
    const char *why = begin_items(&cursor, 2, sizeof(struct pvf__trie_pair), &count, &array);
    if (why != NULL) {
        return why;
    }
    struct pvf__trie_pair *items = array;
    for (uint32_t i = 0; i < count && why == NULL; i++) {
        why = get_bytes(&cursor, &items[i].key);
        if (why == NULL) {
            why = get_bytes(&cursor, &items[i].value);
        }
    }
    if (why != NULL) {
        free(items);
        return why;
    }
    *ret = items;
    *ret_count = count;
    return NULL;
}
