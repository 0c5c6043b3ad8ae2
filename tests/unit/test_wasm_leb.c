/* SPDX-License-Identifier: Apache-2.0 */
/* LEB128: what is read, what is refused, and that writing gives the shortest form. */
#include "support/test.h"

#include "support/hex.h"
#include "wasm/wasm_leb.h"

enum type {
    U32,
    S32,
    S64
};

struct row {
    enum type type;
    const char *bytes;
    enum pvf__wasm_leb result;
    int64_t value;
};

static const struct row rows[] = {
    {U32, "00", PVF__WASM_LEB_SHORTEST, 0},
    {U32, "7f", PVF__WASM_LEB_SHORTEST, 127},
    {U32, "8001", PVF__WASM_LEB_SHORTEST, 128},
    {U32, "8000", PVF__WASM_LEB_LOOSE, 0},
    {U32, "ff8000", PVF__WASM_LEB_LOOSE, 127},
    {U32, "8080808000", PVF__WASM_LEB_LOOSE, 0},
    {U32, "ffffffff0f", PVF__WASM_LEB_SHORTEST, 4294967295},
    {U32, "ffffffff10", PVF__WASM_LEB_INVALID, 0},
    {U32, "ffffffff1f", PVF__WASM_LEB_INVALID, 0},
    {U32, "8080808080", PVF__WASM_LEB_INVALID, 0},
    {U32, "808080808000", PVF__WASM_LEB_INVALID, 0},
    {U32, "", PVF__WASM_LEB_EOF, 0},
    {U32, "80", PVF__WASM_LEB_EOF, 0},
    {U32, "80808080", PVF__WASM_LEB_EOF, 0},
    {S32, "3f", PVF__WASM_LEB_SHORTEST, 63},
    {S32, "40", PVF__WASM_LEB_SHORTEST, -64},
    {S32, "7f", PVF__WASM_LEB_SHORTEST, -1},
    {S32, "c000", PVF__WASM_LEB_SHORTEST, 64},
    {S32, "8000", PVF__WASM_LEB_LOOSE, 0},
    {S32, "c07f", PVF__WASM_LEB_LOOSE, -64},
    {S32, "bf7f", PVF__WASM_LEB_SHORTEST, -65},
    {S32, "ffffffff07", PVF__WASM_LEB_SHORTEST, 2147483647},
    {S32, "8080808078", PVF__WASM_LEB_SHORTEST, -2147483648LL},
    {S32, "ffffffff7f", PVF__WASM_LEB_LOOSE, -1},
    {S32, "ffffffff08", PVF__WASM_LEB_INVALID, 0},
    {S32, "ffffffff77", PVF__WASM_LEB_INVALID, 0},
    {S32, "ffffffff87", PVF__WASM_LEB_INVALID, 0},
    {S32, "ffff", PVF__WASM_LEB_EOF, 0},
    {S64, "808080808080808080|7f", PVF__WASM_LEB_SHORTEST, INT64_MIN},
    {S64, "ffffffffffffffffff|00", PVF__WASM_LEB_SHORTEST, INT64_MAX},
    {S64, "ffffffffffffffffff|7f", PVF__WASM_LEB_LOOSE, -1},
    {S64, "808080808080808080|00", PVF__WASM_LEB_LOOSE, 0},
    {S64, "808080808080808080|01", PVF__WASM_LEB_INVALID, 0},
    {S64, "808080808080808080|40", PVF__WASM_LEB_INVALID, 0},
    {S64, "ffffffffffffffffff|ff", PVF__WASM_LEB_INVALID, 0},
    {S64, "ffffffffffffffffff", PVF__WASM_LEB_EOF, 0},
    {S64, "80808080808001", PVF__WASM_LEB_SHORTEST, (int64_t)1 << 42},
};

static enum pvf__wasm_leb read_any(enum type type, struct pvf__cursor *cursor, int64_t *ret)
{
    uint32_t u32 = 0;
    int32_t s32 = 0;
    enum pvf__wasm_leb result = PVF__WASM_LEB_EOF;
    if (type == U32) {
        result = pvf__wasm_leb_u32(cursor, &u32);
        *ret = u32;
    } else if (type == S32) {
        result = pvf__wasm_leb_s32(cursor, &s32);
        *ret = s32;
    } else {
        result = pvf__wasm_leb_s64(cursor, ret);
    }
    return result;
}

static void every_form_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct hex_bytes bytes = hex_read(rows[i].bytes);
        struct pvf__cursor cursor;
        pvf__cursor_init(&cursor, bytes.data, bytes.len);
        int64_t value = 0;
        enum pvf__wasm_leb result = read_any(rows[i].type, &cursor, &value);
        if (result != rows[i].result) {
            fail_msg("%s: %d", rows[i].bytes, (int)result);
        }
        bool read = result <= PVF__WASM_LEB_LOOSE;
        assert_int_equal(pvf__cursor_offset(&cursor), read ? bytes.len : 0);
        if (read) {
            assert_true(value == rows[i].value);
        }
    }
}

static void unsigned_numbers_come_back(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        for (int delta = -2; delta <= 2; delta++) {
            uint32_t value = ((uint32_t)1 << bit) + (uint32_t)delta;
            uint8_t bytes[PVF__WASM_LEB_MAX32];
            size_t len = pvf__wasm_leb_put_u32(bytes, value);
            assert_int_equal(len, pvf__wasm_leb_size_u32(value));
            struct pvf__cursor cursor;
            pvf__cursor_init(&cursor, bytes, len);
            uint32_t back = 0;
            assert_int_equal(pvf__wasm_leb_u32(&cursor, &back), PVF__WASM_LEB_SHORTEST);
            assert_int_equal(back, value);
        }
    }
}

static void signed_numbers_come_back(void **state)
{
    (void)state;
    struct pvf__buf buf = PVF__BUF_INIT(64);
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int delta = -2; delta <= 2; delta++) {
            int64_t value = (int64_t)(((uint64_t)1 << bit) + (uint64_t)(int64_t)delta);
            buf.len = 0;
            assert_int_equal(pvf__wasm_leb_write_s64(&buf, value), 0);
            struct pvf__cursor cursor;
            pvf__cursor_init(&cursor, buf.data, buf.len);
            int64_t back = 0;
            assert_int_equal(pvf__wasm_leb_s64(&cursor, &back), PVF__WASM_LEB_SHORTEST);
            assert_true(back == value);
            if (value >= INT32_MIN && value <= INT32_MAX) {
                uint8_t bytes[PVF__WASM_LEB_MAX32];
                assert_int_equal(pvf__wasm_leb_put_s32(bytes, (int32_t)value), buf.len);
                assert_memory_equal(bytes, buf.data, buf.len);
            }
        }
    }
    pvf__buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_read_or_refused),
        cmocka_unit_test(unsigned_numbers_come_back),
        cmocka_unit_test(signed_numbers_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
