/* SPDX-License-Identifier: Apache-2.0 */
/* SCALE: every decoder against its encoder, and the strictness of each. */
#include "support/test.h"

#include "pvf/status.h"
#include "scale/scale.h"
#include "support/hex.h"

#include <string.h>

static struct pvf__cursor cursor_over(const struct hex_bytes *bytes)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, bytes->data, bytes->len);
    return cursor;
}

static void compact_values_have_one_form(void **state)
{
    (void)state;
    static const struct {
        uint32_t value;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {1, "04"},
        {63, "fc"},
        {64, "01 01"},
        {16383, "fd ff"},
        {16384, "02 00 01 00"},
        {(1u << 30) - 1, "fe ff ff ff"},
        {1u << 30, "03 00 00 00 40"},
        {UINT32_MAX, "03 ff ff ff ff"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hex_bytes want = hex_read(cases[i].hex);
        struct pvf__buf buf = PVF__BUF_INIT(16);
        pvf__scale_put_compact(&buf, cases[i].value);
        assert_int_equal(buf.len, want.len);
        assert_memory_equal(buf.data, want.data, want.len);
        struct pvf__cursor cursor = cursor_over(&want);
        uint32_t value = 0;
        assert_true(pvf__scale_get_compact(&cursor, &value));
        assert_int_equal(value, cases[i].value);
        assert_int_equal(pvf__cursor_left(&cursor), 0);
        for (size_t cut = 0; cut < want.len; cut++) {
            pvf__cursor_init(&cursor, want.data, cut);
            assert_false(pvf__scale_get_compact(&cursor, &value));
            assert_int_equal(pvf__cursor_offset(&cursor), 0);
        }
        pvf__buf_done(&buf);
    }
}

static void compact_values_that_are_too_long_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "fd 00",             /* 63 in two bytes */
        "01 00",             /* 0 in two bytes */
        "fe ff 00 00",       /* 16383 in four bytes */
        "03 ff ff ff 3f",    /* 2^30 - 1 in the big form */
        "07 00 00 00 40 00", /* five bytes in the big form */
        "ff 00 00 00 40",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hex_bytes bytes = hex_read(cases[i]);
        struct pvf__cursor cursor = cursor_over(&bytes);
        uint32_t value = 77;
        assert_false(pvf__scale_get_compact(&cursor, &value));
        assert_int_equal(value, 77);
        assert_int_equal(pvf__cursor_offset(&cursor), 0);
    }
}

static void fixed_integers_go_both_ways(void **state)
{
    (void)state;
    struct pvf__buf buf = PVF__BUF_INIT(64);
    pvf__scale_put_u8(&buf, 0x01);
    pvf__scale_put_u16(&buf, 0x0302);
    pvf__scale_put_u32(&buf, 0x07060504);
    pvf__scale_put_u64(&buf, 0x0f0e0d0c0b0a0908);
    pvf__scale_put_i32(&buf, -2);
    pvf__scale_put_i64(&buf, INT64_MIN);
    struct hex_bytes want = hex_read("01 0203 04050607 08090a0b0c0d0e0f feffffff 0000000000000080");
    assert_int_equal(buf.len, want.len);
    assert_memory_equal(buf.data, want.data, want.len);
    struct pvf__cursor cursor = cursor_over(&want);
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    int32_t i32;
    int64_t i64;
    assert_true(pvf__scale_get_u8(&cursor, &u8));
    assert_true(pvf__scale_get_u16(&cursor, &u16));
    assert_true(pvf__scale_get_u32(&cursor, &u32));
    assert_true(pvf__scale_get_u64(&cursor, &u64));
    assert_true(pvf__scale_get_i32(&cursor, &i32));
    assert_true(pvf__scale_get_i64(&cursor, &i64));
    assert_int_equal(u8, 1);
    assert_int_equal(u16, 0x0302);
    assert_int_equal(u32, 0x07060504);
    assert_true(u64 == 0x0f0e0d0c0b0a0908);
    assert_int_equal(i32, -2);
    assert_true(i64 == INT64_MIN);
    assert_false(pvf__scale_get_u8(&cursor, &u8));
    assert_false(pvf__scale_get_u16(&cursor, &u16));
    assert_false(pvf__scale_get_i32(&cursor, &i32));
    assert_false(pvf__scale_get_i64(&cursor, &i64));
    pvf__buf_done(&buf);
}

static void tags_are_strict(void **state)
{
    (void)state;
    struct hex_bytes bytes = hex_read("00 01 02");
    struct pvf__cursor cursor = cursor_over(&bytes);
    bool flag = true;
    uint8_t tag = 9;
    assert_true(pvf__scale_get_bool(&cursor, &flag));
    assert_false(flag);
    assert_true(pvf__scale_get_option(&cursor, &flag));
    assert_true(flag);
    assert_false(pvf__scale_get_bool(&cursor, &flag));
    assert_false(pvf__scale_get_result(&cursor, &flag));
    assert_false(pvf__scale_get_tag(&cursor, 2, &tag));
    assert_int_equal(pvf__cursor_offset(&cursor), 2);
    assert_true(pvf__scale_get_tag(&cursor, 3, &tag));
    assert_int_equal(tag, 2);
    assert_false(pvf__scale_get_tag(&cursor, 3, &tag));
    cursor = cursor_over(&bytes);
    assert_true(pvf__scale_get_result(&cursor, &flag));
    assert_true(flag);
    assert_true(pvf__scale_get_result(&cursor, &flag));
    assert_false(flag);
}

static void bytes_and_text(void **state)
{
    (void)state;
    struct pvf__buf buf = PVF__BUF_INIT(64);
    const char text[] = "h\xc3\xa9";
    pvf__scale_put_string(&buf, (struct pvf__slice){(const uint8_t *)text, 3});
    pvf__scale_put_bytes(&buf, (struct pvf__slice){NULL, 0});
    pvf__scale_put_option(&buf, true);
    pvf__scale_put_result(&buf, false);
    struct hex_bytes want = hex_read("0c 68 c3 a9 00 01 01");
    assert_int_equal(buf.len, want.len);
    assert_memory_equal(buf.data, want.data, want.len);
    struct pvf__cursor cursor = cursor_over(&want);
    struct pvf__slice slice;
    assert_true(pvf__scale_get_string(&cursor, &slice));
    assert_int_equal(slice.len, 3);
    assert_ptr_equal(slice.data, want.data + 1);
    assert_true(pvf__scale_get_bytes(&cursor, &slice));
    assert_int_equal(slice.len, 0);
    pvf__buf_done(&buf);

    struct hex_bytes bad = hex_read("08 c3 28");
    cursor = cursor_over(&bad);
    assert_false(pvf__scale_get_string(&cursor, &slice));
    assert_int_equal(pvf__cursor_offset(&cursor), 0);
    assert_true(pvf__scale_get_bytes(&cursor, &slice));

    struct hex_bytes cut = hex_read("03 ff ff ff ff 00");
    cursor = cursor_over(&cut);
    assert_false(pvf__scale_get_bytes(&cursor, &slice));
    assert_int_equal(pvf__cursor_offset(&cursor), 0);
}

static void an_encoder_may_be_asked_once_at_the_end(void **state)
{
    (void)state;
    struct pvf__buf buf = PVF__BUF_INIT(4);
    pvf__scale_put_u32(&buf, 1);
    assert_int_equal(buf.failed, 0);
    pvf__scale_put_compact(&buf, 1);
    assert_int_equal(buf.failed, PVF_ERR_LIMIT);
    pvf__buf_done(&buf);
    pvf__scale_put_bytes(&buf, (struct pvf__slice){NULL, (size_t)UINT32_MAX + 1});
    assert_int_equal(buf.failed, PVF_ERR_LIMIT);
    pvf__buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_values_have_one_form),
        cmocka_unit_test(compact_values_that_are_too_long_are_refused),
        cmocka_unit_test(fixed_integers_go_both_ways),
        cmocka_unit_test(tags_are_strict),
        cmocka_unit_test(bytes_and_text),
        cmocka_unit_test(an_encoder_may_be_asked_once_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
