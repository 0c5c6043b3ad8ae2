/* SPDX-License-Identifier: Apache-2.0 */
/* The upgraded wire's own messages, and frames with descriptors. */
#include "support/test.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/sealed.h"
#include "proto/frame.h"
#include "proto/frame_files.h"
#include "proto/upgrade.h"
#include "pvf/status.h"
#include "support/open_files.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void only_the_own_version_is_read(void **state)
{
    (void)state;
    struct pvf__upgrade_hello hello;
    struct pvf__upgrade_ready ready;
    pvf_error err = PVF_ERROR_INIT;
    for (unsigned version = 0; version < 256; version++) {
        const uint8_t said[] = {(uint8_t)version, 0, 0, 0, 0, 0};
        int want = version == PVF__UPGRADE_VERSION ? 0 : PVF_ERR_MALFORMED;
        assert_int_equal(pvf__upgrade_hello_decode(said, sizeof(said), &hello, &err), want);
        assert_int_equal(pvf__upgrade_ready_decode(said, sizeof(said), &ready, &err), want);
    }
    assert_string_equal(err.text, "ready message: no valid value at byte 0 of 6");
}

static void the_list_has_an_end(void **state)
{
    (void)state;
    uint8_t said[2 + 2 * (PVF__UPGRADE_MECHANISMS_MAX + 1)] = {PVF__UPGRADE_VERSION};
    struct pvf__upgrade_ready ready;
    said[1] = PVF__UPGRADE_MECHANISMS_MAX << 2;
    assert_int_equal(pvf__upgrade_ready_decode(said, sizeof(said), &ready, NULL), 0);
    assert_int_equal(ready.count, PVF__UPGRADE_MECHANISMS_MAX);
    said[1] = (PVF__UPGRADE_MECHANISMS_MAX + 1) << 2;
    assert_int_equal(pvf__upgrade_ready_decode(said, sizeof(said), &ready, NULL),
                     PVF_ERR_MALFORMED);
}

static void a_person_reads_what_is_on(void **state)
{
    (void)state;
    const struct pvf__upgrade_ready ready = {
        .version = PVF__UPGRADE_VERSION,
        .count = 4,
        .mechanisms = {{.name = {(const uint8_t *)"a", 1}, .state = PVF__UPGRADE_ON},
                       {.name = {(const uint8_t *)"b", 1},
                        .state = PVF__UPGRADE_FAILED,
                        .why = {(const uint8_t *)"why", 3}},
                       {.name = {(const uint8_t *)"c", 1}, .state = PVF__UPGRADE_NOT_WANTED},
                       {.name = {(const uint8_t *)"d", 1}, .state = PVF__UPGRADE_ON}},
    };
    char text[64];
    pvf__upgrade_ready_text(&ready, text, sizeof(text));
    assert_string_equal(text, "a, d; not wanted: c; FAILED: b (why)");
    pvf__upgrade_ready_text(&ready, text, 8);
    assert_string_equal(text, "a, d; n");
}

struct wire {
    int ends[2];
    struct pvf__buf frame;
    int files[PVF__FD_PASS_MAX];
};

static void open_wire(struct wire *wire, size_t body)
{
    size_t start;
    *wire = (struct wire){.frame = PVF__BUF_INIT(body + PVF__FRAME_HEADER)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wire->ends), 0);
    pvf__frame_begin(&wire->frame, &start);
    assert_int_equal(pvf__buf_zeros(&wire->frame, body), 0);
    pvf__frame_end(&wire->frame, start);
    for (size_t i = 0; i < PVF__FD_PASS_MAX; i++) {
        assert_int_equal(pvf__sealed_make("test", NULL, 0, &wire->files[i], NULL), 0);
    }
}

static void close_wire(struct wire *wire)
{
    (void)close(wire->ends[0]);
    (void)close(wire->ends[1]);
    for (size_t i = 0; i < PVF__FD_PASS_MAX; i++) {
        (void)close(wire->files[i]);
    }
    pvf__buf_done(&wire->frame);
}

static void frames_come_with_their_descriptors(void **state)
{
    (void)state;
    size_t before = open_files();
    struct wire wire;
    struct pvf__buf body = PVF__BUF_INIT(0);
    open_wire(&wire, 100);
    for (size_t sent = 0; sent <= PVF__FD_PASS_MAX; sent++) {
        for (size_t want = 0; want <= PVF__FD_PASS_MAX; want++) {
            int came[PVF__FD_PASS_MAX] = {-1, -1, -1, -1};
            int other[2];
            /* One that was refused is of no more use. */
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
            assert_int_equal(
                pvf__frame_send_files(other[0], &wire.frame, wire.files, sent, UINT64_MAX, NULL),
                0);
            size_t least = want > 0 ? want - 1 : 0;
            size_t count = 99;
            int status =
                pvf__frame_recv_files(other[1], 100, &body, least, want, came, &count, NULL);
            bool fits = sent >= least && sent <= want;
            assert_int_equal(status, fits ? 0 : PVF_ERR_PEER);
            assert_int_equal(count, fits ? sent : 99);
            for (size_t i = 0; i < PVF__FD_PASS_MAX; i++) {
                assert_int_equal(came[i] >= 0, fits && i < sent);
                if (came[i] >= 0) {
                    (void)close(came[i]);
                }
            }
            (void)close(other[0]);
            (void)close(other[1]);
        }
    }
    pvf__buf_done(&body);
    close_wire(&wire);
    assert_int_equal(open_files(), before);
}

/*
 * A header in single bytes.  Descriptors that come with the first count, those of the body do not;
 * what the kernel does with those between is its own affair, but none may be left.
 */
static void a_header_may_come_in_pieces(void **state)
{
    (void)state;
    size_t before = open_files();
    for (size_t with = 0; with <= PVF__FRAME_HEADER; with++) {
        struct wire wire;
        struct pvf__buf body = PVF__BUF_INIT(0);
        int came[PVF__FD_PASS_MAX] = {-1};
        open_wire(&wire, 3);
        for (size_t i = 0; i < wire.frame.len; i++) {
            const uint8_t *byte = wire.frame.data + i;
            size_t count = i == with ? 1 : 0;
            assert_int_equal(pvf__fd_pass_send(wire.ends[0], byte, 1, wire.files, count), 1);
        }
        size_t got = 0;
        int status = pvf__frame_recv_files(wire.ends[1], 3, &body, 1, 1, came, &got, NULL);
        assert_true(status == 0 || status == PVF_ERR_PEER);
        assert_true(with != 0 || status == 0);
        assert_true(with != PVF__FRAME_HEADER || status == PVF_ERR_PEER);
        if (status == 0) {
            (void)close(came[0]);
        }
        pvf__buf_done(&body);
        close_wire(&wire);
    }
    assert_int_equal(open_files(), before);
}

static void frames_that_end_early_leave_nothing(void **state)
{
    (void)state;
    size_t before = open_files();
    struct wire wire;
    open_wire(&wire, 20);
    for (size_t cut = 1; cut < wire.frame.len; cut++) {
        struct pvf__buf body = PVF__BUF_INIT(0);
        int came[PVF__FD_PASS_MAX];
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        assert_int_equal(pvf__fd_pass_send(ends[0], wire.frame.data, cut, wire.files, 2), (int)cut);
        (void)close(ends[0]);
        size_t got = 0;
        assert_int_equal(pvf__frame_recv_files(ends[1], 20, &body, 2, 2, came, &got, NULL),
                         PVF_ERR_EOF);
        (void)close(ends[1]);
        pvf__buf_done(&body);
    }
    struct pvf__buf body = PVF__BUF_INIT(0);
    int came[PVF__FD_PASS_MAX];
    assert_int_equal(
        pvf__frame_send_files(wire.ends[0], &wire.frame, wire.files, 2, UINT64_MAX, NULL), 0);
    size_t got = 0;
    assert_int_equal(pvf__frame_recv_files(wire.ends[1], 19, &body, 2, 2, came, &got, NULL),
                     PVF_ERR_LIMIT);
    pvf__buf_done(&body);
    close_wire(&wire);
    assert_int_equal(open_files(), before);
}

/* A socket that is full is waited for until the deadline. */
static void sending_has_a_deadline(void **state)
{
    (void)state;
    struct wire wire;
    open_wire(&wire, (size_t)4 << 20);
    uint64_t deadline = pvf__clock_monotonic_ns() + 30000000;
    assert_int_equal(
        pvf__frame_send_files(wire.ends[0], &wire.frame, wire.files, 2, deadline, NULL),
        PVF_ERR_TIMEOUT);
    assert_int_equal(
        pvf__frame_send_files(wire.ends[0], &wire.frame, wire.files, 2, deadline, NULL),
        PVF_ERR_TIMEOUT);
    (void)close(wire.ends[1]);
    wire.ends[1] = -1;
    assert_int_equal(
        pvf__frame_send_files(wire.ends[0], &wire.frame, wire.files, 2, UINT64_MAX, NULL),
        PVF_ERR_EOF);
    close_wire(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_own_version_is_read),
        cmocka_unit_test(the_list_has_an_end),
        cmocka_unit_test(a_person_reads_what_is_on),
        cmocka_unit_test(frames_come_with_their_descriptors),
        cmocka_unit_test(a_header_may_come_in_pieces),
        cmocka_unit_test(frames_that_end_early_leave_nothing),
        cmocka_unit_test(sending_has_a_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
