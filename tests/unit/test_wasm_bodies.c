/* SPDX-License-Identifier: Apache-2.0 */
/* How many functions may be compiled at once: the largest count, and nothing is read past the end.
 */
#include "support/test.h"

#include "base/buf.h"
#include "wasm/wasm_bodies.h"
#include "wasm/wasm_leb.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A module of bodies of these lengths, behind a custom section; what is in them is never read. */
static void build(const size_t *lens, size_t count, struct pvf__buf *out)
{
    struct pvf__buf section = PVF__BUF_INIT((size_t)1 << 24);
    int status = pvf__wasm_leb_write_u32(&section, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        status |= pvf__wasm_leb_write_u32(&section, (uint32_t)lens[i]);
        status |= pvf__buf_zeros(&section, lens[i]);
    }
    status |= pvf__buf_append(out, "\0asm\1\0\0\0\0\2\1x\x0a", 13);
    status |= pvf__wasm_leb_write_u32(out, (uint32_t)section.len);
    status |= pvf__buf_append(out, section.data, section.len);
    assert_int_equal(status, 0);
    pvf__buf_done(&section);
}

static void the_largest_bodies_fit_the_budget(void **state)
{
    (void)state;
    static const size_t lens[] = {10, 300, 20, 300, 100, 5, 299};
    static const struct {
        size_t most;
        size_t budget;
        size_t want;
    } rows[] = {
        {0, 1000, 1},
        {1, 1000, 1},
        {2, 1000, 2},
        {3, 1000, 3},
        {3, 899, 3},
        {3, 898, 2},
        {4, 999, 4},
        {4, 998, 3},
        {2, 600, 2},
        {2, 599, 1},
        {2, 300, 1},
        {2, 0, 1},
        {7, 1034, 7},
        {7, 1033, 6},
        {100, 100000, 7},
        {SIZE_MAX, SIZE_MAX, 7},
    };
    struct pvf__buf module = PVF__BUF_INIT((size_t)1 << 24);
    build(lens, COUNT(lens), &module);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t got =
            pvf__wasm_bodies_at_once(module.data, module.len, rows[i].most, rows[i].budget);
        if (got != rows[i].want) {
            print_error("row %zu: %zu\n", i, got);
            fail();
        }
    }
    pvf__buf_done(&module);
}

static void many_bodies_have_an_upper_bound(void **state)
{
    (void)state;
    size_t lens[40];
    for (size_t i = 0; i < COUNT(lens); i++) {
        lens[i] = i;
    }
    struct pvf__buf module = PVF__BUF_INIT((size_t)1 << 24);
    build(lens, COUNT(lens), &module);
    assert_int_equal(pvf__wasm_bodies_at_once(module.data, module.len, 1000, 1000),
                     PVF__WASM_BODIES_MOST);
    pvf__buf_done(&module);
}

static void what_is_cut_gets_one_thread(void **state)
{
    (void)state;
    static const size_t lens[] = {3, 4};
    struct pvf__buf module = PVF__BUF_INIT((size_t)1 << 24);
    build(lens, COUNT(lens), &module);
    /* Each in memory of its own, whose end is the cut. */
    for (size_t len = 0; len < module.len; len++) {
        uint8_t *cut = malloc(len + 1);
        assert_non_null(cut);
        memcpy(cut + 1, module.data, len);
        assert_int_equal(pvf__wasm_bodies_at_once(cut + 1, len, 4, 1000), 1);
        free(cut);
    }
    assert_int_equal(pvf__wasm_bodies_at_once(module.data, module.len, 4, 1000), 2);
    assert_int_equal(pvf__wasm_bodies_at_once(NULL, 0, 4, 1000), 1);
    pvf__buf_done(&module);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_bodies_fit_the_budget),
        cmocka_unit_test(many_bodies_have_an_upper_bound),
        cmocka_unit_test(what_is_cut_gets_one_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
