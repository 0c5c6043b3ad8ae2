/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: how many functions may be compiled at once.  The compiler's memory grows with the functions
 * that are in work, so the bound is one of code: whichever meet, the largest of them are no more
 * than the budget.  Trusts nothing about the module.
 */
#include "wasm/wasm_bodies.h"

#include "wasm/wasm_module.h"
#include "wasm/wasm_reader.h"

#define HEADER_LEN 8

/* The largest bodies so far, from the largest down; 0 where there are fewer than `most`. */
struct largest {
    size_t lens[PVF__WASM_BODIES_MOST];
    size_t count;
    size_t most;
};

static void note(struct largest *largest, size_t len)
{
    size_t at = largest->most;
    for (; at > 0 && largest->lens[at - 1] < len; at--) {
        if (at < largest->most) {
            largest->lens[at] = largest->lens[at - 1];
        }
    }
    if (at < largest->most) {
        largest->lens[at] = len;
    }
    largest->count += largest->count < largest->most ? 1 : 0;
}

static int note_bodies(struct largest *largest, struct pvf__wasm_reader *section)
{
    uint32_t count;
    int status = pvf__wasm_reader_u32(section, &count);
    for (uint32_t i = 0; i < count && status == 0; i++) {
        struct pvf__slice body;
        status = pvf__wasm_reader_block(section, &body);
        if (status == 0) {
            note(largest, body.len);
        }
    }
    return status;
}

static int note_module(struct largest *largest, const uint8_t *module, size_t len)
{
    struct pvf__wasm_fault unused;
    struct pvf__wasm_reader reader;
    struct pvf__slice part;
    pvf__wasm_reader_init(&reader, module, len, &unused);
    int status = pvf__wasm_reader_bytes(&reader, HEADER_LEN, &part);
    while (status == 0 && !pvf__wasm_reader_done(&reader)) {
        uint8_t id;
        status = pvf__wasm_reader_byte(&reader, &id);
        if (status == 0) {
            status = pvf__wasm_reader_block(&reader, &part);
        }
        if (status == 0 && id == PVF__WASM_SEC_CODE) {
            struct pvf__wasm_reader section;
            pvf__wasm_reader_over(&section, &reader, part);
            status = note_bodies(largest, &section);
        }
    }
    return status;
}

size_t pvf__wasm_bodies_at_once(const uint8_t *module, size_t len, size_t most, size_t budget)
{
    struct largest largest = {.most = most < PVF__WASM_BODIES_MOST ? most : PVF__WASM_BODIES_MOST};
    if (largest.most < 2 || note_module(&largest, module, len) != 0) {
        return 1;
    }
    size_t together = 0;
    size_t at_once = 0;
    while (at_once < largest.count && largest.lens[at_once] <= budget - together) {
        together += largest.lens[at_once];
        at_once++;
    }
    return at_once > 1 ? at_once : 1;
}
