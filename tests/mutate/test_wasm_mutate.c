/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damaged modules: every truncation, every byte changed in several ways, random edits.  Whatever
 * comes of it, the properties of support/wasm_property.h hold.
 */
#include "support/test.h"

#include "support/hex.h"
#include "support/wasm_answers.h"
#include "support/wasm_gen.h"
#include "support/wasm_property.h"
#include "wasm/wasm_rewrite.h"

static unsigned accepted;
static unsigned tried;

/* A copy of the exact size, so that a sanitizer sees its border. */
static void try_bytes(const uint8_t *data, size_t len, const char *how, size_t at)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    const char *broken = wasm_property_broken(copy, len);
    if (broken != NULL) {
        fail_msg("%s at %zu: %s", how, at, broken);
    }
    struct pvf__wasm_fault fault;
    accepted += pvf__wasm_check(copy, len, &fault) == 0;
    tried++;
    free(copy);
}

static void mutate(struct pvf__buf *blob)
{
    for (size_t len = 0; len <= blob->len; len++) {
        try_bytes(blob->data, len, "cut", len);
    }
    static const uint8_t values[] = {0x00, 0x01, 0x02, 0x0B, 0x40, 0x41, 0x7F, 0x80, 0xFF};
    for (size_t at = 0; at < blob->len; at++) {
        uint8_t before = blob->data[at];
        for (unsigned bit = 0; bit < 8; bit++) {
            blob->data[at] = (uint8_t)(before ^ 1U << bit);
            try_bytes(blob->data, blob->len, "bit", at);
        }
        for (size_t i = 0; i < sizeof(values); i++) {
            blob->data[at] = values[i];
            try_bytes(blob->data, blob->len, "value", at);
        }
        blob->data[at] = before;
    }
    assert_int_equal(pvf__buf_u8(blob, 0), 0);
    try_bytes(blob->data, blob->len, "one more", blob->len);
}

static void damaged_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wasm_answers) / sizeof(wasm_answers[0]); i++) {
        struct pvf__buf blob = PVF__BUF_INIT(1 << 16);
        struct hex_bytes input = hex_read(wasm_answers[i].input);
        assert_int_equal(pvf__buf_append(&blob, input.data, input.len), 0);
        mutate(&blob);
        pvf__buf_done(&blob);
    }
    (void)printf("%u of %u damaged modules were accepted\n", accepted, tried);
    assert_true(accepted > 100 && accepted < tried);
}

static uint64_t random_state = 1;

static size_t draw(size_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(random_state >> 33) % below;
}

/* Generated modules with one to four bytes changed. */
static void damaged_generated_modules(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct pvf__buf blob = PVF__BUF_INIT(1 << 20);
        struct pvf__buf copy = PVF__BUF_INIT(1 << 20);
        wasm_gen_module(seed, &blob);
        try_bytes(blob.data, blob.len, "whole", 0);
        for (unsigned round = 0; round < 40; round++) {
            copy.len = 0;
            assert_int_equal(pvf__buf_append(&copy, blob.data, blob.len), 0);
            for (size_t edits = 1 + draw(4); edits > 0; edits--) {
                copy.data[draw(copy.len)] = (uint8_t)draw(256);
            }
            try_bytes(copy.data, copy.len, "edits", round);
        }
        pvf__buf_done(&copy);
        pvf__buf_done(&blob);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_answers),
        cmocka_unit_test(damaged_generated_modules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
