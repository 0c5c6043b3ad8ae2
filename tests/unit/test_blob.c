/* SPDX-License-Identifier: Apache-2.0 */
/* The compression container: what is taken as it is, what is refused, and with which status. */
#include "support/test.h"

#include "blob/decompress.h"
#include "pvf/status.h"

#include <stdlib.h>
#include <string.h>

/* The container's magic, and zstd frames made by hand: no checksum, no dictionary. */
#define MAGIC "\x52\xBC\x53\x76\x46\xDB\x8E\x05"
/* A frame of the raw block "abc": single segment, content size 3. */
#define FRAME                                                                                      \
    "\x28\xB5\x2F\xFD\x20\x03\x19\x00\x00"                                                         \
    "abc"
/* A skippable frame of two bytes. */
#define SKIPPED                                                                                    \
    "\x50\x2A\x4D\x18\x02\x00\x00\x00"                                                             \
    "zz"
/* A frame of 128 KiB of one byte: run-length block, window of 128 KiB. */
#define RUN                                                                                        \
    "\x28\xB5\x2F\xFD\x00\x38\x03\x00\x10"                                                         \
    "r"

static void containers_are_opened_or_refused(void **state)
{
    (void)state;
#define ROW(text, limit, status, plain)                                                            \
    {                                                                                              \
        text, sizeof(text) - 1, limit, status, plain                                               \
    }
    const struct {
        const char *blob;
        size_t len;
        size_t limit;
        int status;
        const char *plain;
    } rows[] = {
        ROW("", 0, 0, ""),
        ROW("plain, of any length", 1, 0, "plain, of any length"),
        ROW("\x52\xBC\x53\x76\x46\xDB\x8E", 0, 0, "\x52\xBC\x53\x76\x46\xDB\x8E"),
        ROW(MAGIC, 10, PVF_ERR_MALFORMED, NULL),
        ROW(MAGIC FRAME, 10, 0, "abc"),
        ROW(MAGIC FRAME, 3, 0, "abc"),
        ROW(MAGIC FRAME, 2, PVF_ERR_LIMIT, NULL),
        ROW(MAGIC FRAME FRAME, 6, 0, "abcabc"),
        ROW(MAGIC FRAME SKIPPED FRAME, 6, 0, "abcabc"),
        ROW(MAGIC SKIPPED, 6, 0, ""),
        ROW(MAGIC FRAME "x", 10, PVF_ERR_MALFORMED, NULL),
        ROW(MAGIC "\x28\xB5\x2F\xFD\x20\x03\x19\x00\x00"
                  "ab",
            10,
            PVF_ERR_MALFORMED,
            NULL),
        /* A format from before version 0.8, which other builds of the library still read. */
        ROW(MAGIC "\x27\xB5\x2F\xFD\x20\x03\x19\x00\x00"
                  "abc",
            10,
            PVF_ERR_MALFORMED,
            NULL),
        ROW(MAGIC RUN, 131071, PVF_ERR_LIMIT, NULL),
        /* A bomb, whatever follows it. */
        ROW(MAGIC RUN "garbage", 1000, PVF_ERR_LIMIT, NULL),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pvf__blob blob = PVF__BLOB_INIT;
        pvf_error err = PVF_ERROR_INIT;
        const uint8_t *data = (const uint8_t *)rows[i].blob;
        int status = pvf__blob_decompress(data, rows[i].len, rows[i].limit, &blob, &err);
        if (status != rows[i].status) {
            print_error("row %zu: %d: %s\n", i, status, err.text);
            fail();
        }
        if (status == 0) {
            assert_int_equal(blob.len, strlen(rows[i].plain));
            assert_memory_equal(blob.data, rows[i].plain, blob.len);
        } else {
            assert_null(blob.data);
            assert_string_equal(err.text,
                                status == PVF_ERR_LIMIT ? "Possible compression bomb encountered"
                                                        : "Blob had invalid format");
        }
        pvf__blob_done(&blob);
        assert_null(blob.data);
    }
}

static void plain_bytes_are_borrowed(void **state)
{
    (void)state;
    const uint8_t plain[] = {1, 2, 3};
    struct pvf__blob blob = PVF__BLOB_INIT;
    assert_int_equal(pvf__blob_decompress(plain, 3, 0, &blob, NULL), 0);
    assert_ptr_equal(blob.data, plain);
    assert_int_equal(blob.len, 3);
    pvf__blob_done(&blob);
    pvf__blob_done(&blob);
}

static void the_limit_itself_may_be_reached(void **state)
{
    (void)state;
    struct pvf__blob blob = PVF__BLOB_INIT;
    const char text[] = MAGIC RUN;
    const uint8_t *data = (const uint8_t *)text;
    assert_int_equal(pvf__blob_decompress(data, sizeof(text) - 1, 131072, &blob, NULL), 0);
    assert_int_equal(blob.len, 131072);
    assert_int_equal(blob.data[0], 'r');
    assert_int_equal(blob.data[131071], 'r');
    pvf__blob_done(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_are_opened_or_refused),
        cmocka_unit_test(plain_bytes_are_borrowed),
        cmocka_unit_test(the_limit_itself_may_be_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
