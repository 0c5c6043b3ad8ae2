/* SPDX-License-Identifier: Apache-2.0 */
/* Frames on sockets and in memory: exactness, limits, one deadline. */
#include "support/test.h"

#include "base/clock.h"
#include "base/fd.h"
#include "proto/frame.h"
#include "pvf/status.h"
#include "support/hex.h"

#include <sys/socket.h>
#include <unistd.h>

static void open_pair(int ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static uint64_t in_ms(unsigned ms)
{
    return pvf__clock_monotonic_ns() + (uint64_t)ms * 1000000;
}

static void frames_keep_their_borders(void **state)
{
    (void)state;
    int ends[2];
    open_pair(ends);
    assert_int_equal(pvf__frame_send(ends[0], (const uint8_t *)"abc", 3, in_ms(5000), NULL), 0);
    assert_int_equal(pvf__frame_send(ends[0], NULL, 0, UINT64_MAX, NULL), 0);
    assert_int_equal(pvf__frame_send(ends[0], (const uint8_t *)"d", 1, in_ms(5000), NULL), 0);
    struct pvf__buf buf = PVF__BUF_INIT(0);
    assert_int_equal(pvf__frame_recv(ends[1], 3, in_ms(5000), &buf, NULL), 0);
    assert_int_equal(buf.len, 3);
    assert_memory_equal(buf.data, "abc", 3);
    assert_int_equal(pvf__frame_recv(ends[1], 3, UINT64_MAX, &buf, NULL), 0);
    assert_int_equal(buf.len, 0);
    assert_int_equal(pvf__frame_recv(ends[1], 3, in_ms(5000), &buf, NULL), 0);
    assert_int_equal(buf.len, 1);
    (void)close(ends[0]);
    assert_int_equal(pvf__frame_recv(ends[1], 3, in_ms(5000), &buf, NULL), PVF_ERR_EOF);
    pvf__buf_done(&buf);
    (void)close(ends[1]);
}

static void an_announced_length_costs_nothing(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "0500000000000000", "0000000000000080", "ffffffffffffffff", "0000000000010000"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct hex_bytes header = hex_read(headers[i]);
        int ends[2];
        open_pair(ends);
        pvf_error err = PVF_ERROR_INIT;
        struct pvf__buf buf = PVF__BUF_INIT(0);
        assert_int_equal(pvf__fd_write(ends[0], header.data, header.len, NULL), 0);
        assert_int_equal(pvf__frame_recv(ends[1], 4, in_ms(5000), &buf, &err), PVF_ERR_LIMIT);
        assert_string_not_equal(err.text, "");
        assert_null(buf.data);
        pvf__buf_done(&buf);
        (void)close(ends[0]);
        (void)close(ends[1]);
    }
}

/* 64 MiB are promised, nothing comes: at most the first step is reserved. */
static void memory_grows_with_what_arrives(void **state)
{
    (void)state;
    struct hex_bytes header = hex_read("0000000400000000");
    int ends[2];
    open_pair(ends);
    struct pvf__buf buf = PVF__BUF_INIT(0);
    assert_int_equal(pvf__fd_write(ends[0], header.data, header.len, NULL), 0);
    int status = pvf__frame_recv(ends[1], (size_t)64 << 20, in_ms(20), &buf, NULL);
    assert_int_equal(status, PVF_ERR_TIMEOUT);
    assert_true(buf.cap <= (size_t)2 << 20);
    pvf__buf_done(&buf);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* A peer that sends one byte now and then does not get more time for it. */
static void a_slow_peer_has_one_deadline(void **state)
{
    (void)state;
    struct hex_bytes start = hex_read("0400000000000000 01");
    int ends[2];
    open_pair(ends);
    struct pvf__buf buf = PVF__BUF_INIT(0);
    assert_int_equal(pvf__fd_write(ends[0], start.data, start.len, NULL), 0);
    uint64_t begin = pvf__clock_monotonic_ns();
    int status = pvf__frame_recv(ends[1], 4, in_ms(60), &buf, NULL);
    assert_int_equal(status, PVF_ERR_TIMEOUT);
    assert_true(pvf__clock_monotonic_ns() - begin >= (uint64_t)59 * 1000000);
    (void)close(ends[0]);
    assert_int_equal(pvf__frame_recv(ends[1], 4, in_ms(5000), &buf, NULL), PVF_ERR_EOF);
    pvf__buf_done(&buf);
    (void)close(ends[1]);
}

/* Nobody reads: the socket's buffer fills and the deadline ends it. */
static void sending_has_a_deadline_too(void **state)
{
    (void)state;
    int ends[2];
    open_pair(ends);
    size_t len = (size_t)8 << 20;
    uint8_t *data = calloc(1, len);
    assert_non_null(data);
    assert_int_equal(pvf__frame_send(ends[0], data, len, in_ms(30), NULL), PVF_ERR_TIMEOUT);
    (void)close(ends[1]);
    assert_int_equal(pvf__frame_send(ends[0], data, len, in_ms(5000), NULL), PVF_ERR_EOF);
    free(data);
    (void)close(ends[0]);
}

static void frames_in_memory(void **state)
{
    (void)state;
    struct pvf__buf buf = PVF__BUF_INIT(64);
    size_t start;
    pvf__frame_begin(&buf, &start);
    assert_int_equal(pvf__buf_append(&buf, "abc", 3), 0);
    pvf__frame_end(&buf, start);
    assert_int_equal(pvf__buf_append(&buf, "more", 4), 0);
    struct hex_bytes want = hex_read("0300000000000000 616263 6d6f7265");
    assert_int_equal(buf.len, want.len);
    assert_memory_equal(buf.data, want.data, want.len);
    struct pvf__slice body;
    assert_int_equal(pvf__frame_first(buf.data, buf.len, &body, NULL), 0);
    assert_int_equal(body.len, 3);
    assert_ptr_equal(body.data, buf.data + 8);
    assert_int_equal(pvf__frame_first(buf.data, 10, &body, NULL), PVF_ERR_EOF);
    assert_int_equal(pvf__frame_first(buf.data, 7, &body, NULL), PVF_ERR_EOF);
    assert_int_equal(pvf__frame_first(NULL, 0, &body, NULL), PVF_ERR_EOF);
    pvf__buf_done(&buf);

    struct pvf__buf small = PVF__BUF_INIT(4);
    pvf__frame_begin(&small, &start);
    pvf__frame_end(&small, start);
    assert_int_equal(small.failed, PVF_ERR_LIMIT);
    pvf__buf_done(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_keep_their_borders),
        cmocka_unit_test(an_announced_length_costs_nothing),
        cmocka_unit_test(memory_grows_with_what_arrives),
        cmocka_unit_test(a_slow_peer_has_one_deadline),
        cmocka_unit_test(sending_has_a_deadline_too),
        cmocka_unit_test(frames_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
