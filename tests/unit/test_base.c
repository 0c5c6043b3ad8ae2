/* SPDX-License-Identifier: Apache-2.0 */
/* The ground floor: bounded reading, capped buffers, text, files, deadlines, checksums. */
#include "support/test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/random.h"
#include "base/text.h"
#include "hash/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void cursor_never_passes_its_end(void **state)
{
    (void)state;
    const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, data, sizeof(data));
    uint8_t byte;
    uint32_t word;
    uint64_t big;
    assert_true(pvf__cursor_u8(&cursor, &byte));
    assert_true(pvf__cursor_u32le(&cursor, &word));
    assert_int_equal(word, 0x05040302);
    assert_int_equal(pvf__cursor_left(&cursor), 4);
    assert_false(pvf__cursor_u64le(&cursor, &big));
    assert_int_equal(pvf__cursor_offset(&cursor), 5);
    struct pvf__cursor part;
    assert_false(pvf__cursor_sub(&cursor, 5, &part));
    assert_true(pvf__cursor_sub(&cursor, 4, &part));
    assert_int_equal(pvf__cursor_offset(&part), 0);
    assert_false(pvf__cursor_u8(&cursor, &byte));
    const uint8_t *claimed;
    assert_false(pvf__cursor_claim(&part, SIZE_MAX, &claimed));
    pvf__cursor_init(&cursor, NULL, 0);
    assert_false(pvf__cursor_u8(&cursor, &byte));
    assert_true(pvf__cursor_copy(&cursor, NULL, 0));
}

static void buf_stops_at_its_maximum(void **state)
{
    (void)state;
    struct pvf__buf buf = PVF__BUF_INIT(10);
    assert_int_equal(pvf__buf_append(&buf, "12345678", 8), 0);
    assert_int_equal(pvf__buf_append(&buf, "abc", 3), PVF_ERR_LIMIT);
    assert_int_equal(buf.len, 8);
    assert_int_equal(pvf__buf_append(&buf, "ab", 2), 0);
    assert_int_equal(buf.failed, PVF_ERR_LIMIT);
    assert_memory_equal(buf.data, "12345678ab", 10);
    assert_int_equal(pvf__buf_reserve(&buf, SIZE_MAX), PVF_ERR_LIMIT);
    pvf__buf_done(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.failed, 0);

    pvf__buf_init(&buf, 1 << 20);
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(pvf__buf_u32le(&buf, i), 0);
    }
    assert_int_equal(buf.len, 20000);
    assert_int_equal(buf.data[19996] | buf.data[19997] << 8, 4999);
    pvf__buf_done(&buf);
}

static void utf8_is_as_strict_as_unicode(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        bool good;
    } rows[] = {
        {"", true},
        {"plain", true},
        {"\xC2\x80", true},
        {"\xC1\xBF", false}, /* over-long */
        {"\xE0\xA0\x80", true},
        {"\xE0\x9F\xBF", false}, /* over-long */
        {"\xED\x9F\xBF", true},
        {"\xED\xA0\x80", false}, /* surrogate */
        {"\xF0\x90\x80\x80", true},
        {"\xF0\x8F\xBF\xBF", false}, /* over-long */
        {"\xF4\x8F\xBF\xBF", true},
        {"\xF4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\x80", false},
        {"\xE2\x82", false}, /* cut */
        {"a\xFF", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)rows[i].bytes;
        assert_int_equal(pvf__text_is_utf8(bytes, strlen(rows[i].bytes)), rows[i].good);
    }
}

static void numbers_and_hex_refuse_what_is_not_one(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(pvf__text_parse_u64("18446744073709551615", UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_false(pvf__text_parse_u64("18446744073709551616", UINT64_MAX, &value));
    assert_false(pvf__text_parse_u64("", UINT64_MAX, &value));
    assert_false(pvf__text_parse_u64("-1", UINT64_MAX, &value));
    assert_false(pvf__text_parse_u64("11", 10, &value));
    uint8_t bytes[4];
    size_t len = 9;
    assert_true(pvf__text_from_hex("0xDEadbe", bytes, sizeof(bytes), &len));
    assert_int_equal(len, 3);
    assert_false(pvf__text_from_hex("abc", bytes, sizeof(bytes), &len));
    assert_false(pvf__text_from_hex("zz", bytes, sizeof(bytes), &len));
    assert_false(pvf__text_from_hex("0011223344", bytes, sizeof(bytes), &len));
    char text[9];
    pvf__text_to_hex(bytes, 3, text);
    assert_string_equal(text, "deadbe");
}

/* A path may be longer than the text, and then it is the path that is cut. */
static void errors_keep_their_reason(void **state)
{
    (void)state;
    char path[400];
    pvf_error err = PVF_ERROR_INIT;
    static const char reason[] = ": No such file or directory";
    for (size_t len = 1; len < sizeof(path) - 2; len++) {
        /* Characters of two bytes, none of which may be cut in two. */
        for (size_t i = 0; i < len; i++) {
            path[i] = (i + len) % 2 == 0 ? '\xc3' : '\xa4';
        }
        path[len] = '\0';
        (void)pvf__error_errno(&err, PVF_ERR_IO, ENOENT, "/%s", path + len % 2);
        size_t used = strlen(err.text);
        assert_true(used < sizeof(err.text));
        assert_true(used > strlen(reason));
        assert_string_equal(err.text + used - strlen(reason), reason);
        assert_true(pvf__text_is_utf8((const uint8_t *)err.text, used));
    }
    /* A number that has no name is no reason to fail. */
    (void)pvf__error_errno(&err, PVF_ERR_IO, 99999, "x");
    assert_string_equal(err.text, "x: unknown error");
}

static void errors_keep_the_first_context_in_front(void **state)
{
    (void)state;
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__error_errno(&err, PVF_ERR_IO, ENOENT, "cannot open %s", "x"), PVF_ERR_IO);
    pvf__error_wrap(&err, "reading the code");
    assert_string_equal(err.text, "reading the code: cannot open x: No such file or directory");
    assert_int_equal(err.sys_errno, ENOENT);
    assert_int_equal(pvf__error_set(NULL, PVF_ERR_LIMIT, "nobody listens"), PVF_ERR_LIMIT);
    assert_string_equal(pvf_status_name(PVF_ERR_LIMIT), "PVF_ERR_LIMIT");
    assert_string_equal(pvf_status_text(-99), "unknown status");
}

static void random_bytes_differ(void **state)
{
    (void)state;
    uint8_t one[PVF__RANDOM_MAX] = {0};
    uint8_t two[PVF__RANDOM_MAX] = {0};
    assert_int_equal(pvf__random(one, sizeof(one), NULL), 0);
    assert_int_equal(pvf__random(two, sizeof(two), NULL), 0);
    assert_memory_not_equal(one, two, sizeof(one) / 2);
    assert_memory_not_equal(one + sizeof(one) / 2, two + sizeof(two) / 2, sizeof(one) / 2);
}

static void no_deadline_is_later_than_the_last(void **state)
{
    (void)state;
    assert_int_equal(pvf__clock_after(5, 7), 12);
    assert_int_equal(pvf__clock_after(UINT64_MAX - 9, 8), UINT64_MAX - 1);
    assert_int_equal(pvf__clock_after(UINT64_MAX - 9, 9), UINT64_MAX - 1);
    assert_int_equal(pvf__clock_after(UINT64_MAX - 9, 10), UINT64_MAX - 1);
}

static void reading_ends_at_the_deadline_and_at_the_end(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    uint8_t data[4];
    uint64_t soon = pvf__clock_monotonic_ns() + 20000000;
    assert_int_equal(pvf__fd_read_by(pair[0], data, 4, soon, NULL), PVF_ERR_TIMEOUT);
    assert_int_equal(pvf__fd_write(pair[1], "ab", 2, NULL), 0);
    soon = pvf__clock_monotonic_ns() + 20000000;
    assert_int_equal(pvf__fd_read_by(pair[0], data, 4, soon, NULL), PVF_ERR_TIMEOUT);
    assert_int_equal(pvf__fd_write(pair[1], "abcd", 4, NULL), 0);
    assert_int_equal(pvf__fd_read_by(pair[0], data, 4, UINT64_MAX, NULL), 0);
    (void)close(pair[1]);
    assert_int_equal(pvf__fd_read(pair[0], data, 1, NULL), PVF_ERR_EOF);
    assert_int_equal(pvf__fd_write(pair[0], data, 1, NULL), PVF_ERR_EOF);
    (void)close(pair[0]);
}

static void writing_to_a_reader_that_sleeps_ends_at_the_deadline(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    static uint8_t much[1 << 22];
    uint64_t soon = pvf__clock_monotonic_ns() + 20000000;
    assert_int_equal(pvf__fd_write_by(pair[0], much, sizeof(much), soon, NULL), PVF_ERR_TIMEOUT);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

static void files_are_read_whole_or_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/pvf-test-base-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    assert_true(fd >= 0);
    (void)close(fd);
    pvf_error err = PVF_ERROR_INIT;
    assert_int_equal(pvf__fd_write_file(path, 0600, "0123456789", 10, &err), 0);
    struct pvf__buf buf = PVF__BUF_INIT(10);
    assert_int_equal(pvf__fd_read_file(path, &buf, &err), 0);
    assert_int_equal(buf.len, 10);
    pvf__buf_done(&buf);
    pvf__buf_init(&buf, 9);
    assert_int_equal(pvf__fd_read_file(path, &buf, &err), PVF_ERR_LIMIT);
    assert_non_null(strstr(err.text, "limit of 9 bytes"));
    pvf__buf_done(&buf);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(pvf__fd_read_file(path, &buf, &err), PVF_ERR_IO);
    assert_int_equal(pvf__fd_read_file("/tmp", &buf, &err), PVF_ERR_IO);
    pvf__buf_done(&buf);
}

/* The known answers of the artifact checksum in the wire protocol's description. */
static void twox_256_has_the_known_answers(void **state)
{
    (void)state;
    uint8_t counting[100];
    for (unsigned i = 0; i < sizeof(counting); i++) {
        counting[i] = (uint8_t)i;
    }
    const struct {
        const void *data;
        size_t len;
        const char *want;
    } rows[] = {
        {NULL, 0, "99e9d85137db46ef4bbea33613baafd56f963c64b1f3685a4eb4abd67ff6203a"},
        {"abc", 3, "990977adf52cbc440889329981caa9bef7da5770b2b8a05303b75d95360dd62b"},
        {"\xde\xad\xbe\xef", 4, "68af9aafb6cff52f8c60bf4008dab7a0a25864baf89c2f3d8b0795240265a4bd"},
        {counting, 100, "9765163280e5c16a23708a09a2a3193d44c1d7fcf25cd859033ed69339cbc25d"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t out[32];
        char text[65];
        pvf__hash_twox_256(rows[i].data, rows[i].len, out);
        pvf__text_to_hex(out, 32, text);
        assert_string_equal(text, rows[i].want);
    }
}

static void blake2b_256_has_the_known_answer(void **state)
{
    (void)state;
    uint8_t out[32];
    char text[65];
    pvf__hash_blake2b_256((const uint8_t *)"\0asm\1\0\0\0", 8, out);
    pvf__text_to_hex(out, 32, text);
    assert_string_equal(text, "f6a5dbf080e9c9d7834145653bce4c8cded62e664d7ddcdb5c526f5877006d74");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_never_passes_its_end),
        cmocka_unit_test(buf_stops_at_its_maximum),
        cmocka_unit_test(utf8_is_as_strict_as_unicode),
        cmocka_unit_test(numbers_and_hex_refuse_what_is_not_one),
        cmocka_unit_test(errors_keep_their_reason),
        cmocka_unit_test(errors_keep_the_first_context_in_front),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(no_deadline_is_later_than_the_last),
        cmocka_unit_test(reading_ends_at_the_deadline_and_at_the_end),
        cmocka_unit_test(writing_to_a_reader_that_sleeps_ends_at_the_deadline),
        cmocka_unit_test(files_are_read_whole_or_refused),
        cmocka_unit_test(twox_256_has_the_known_answers),
        cmocka_unit_test(blake2b_256_has_the_known_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
