/* SPDX-License-Identifier: Apache-2.0 */
/* Every sample message, cut at every byte and with every bit flipped. */
#include "support/test.h"

#include "proto/frame.h"
#include "pvf/status.h"
#include "support/hex.h"
#include "support/proto_samples.h"

#include <string.h>

/* The bytes that the message itself takes, without what follows it. */
static size_t own_len(enum proto_kind kind, const uint8_t *data, size_t len)
{
    struct pvf__buf again = PVF__BUF_INIT(4096);
    assert_int_equal(proto_recode(kind, data, len, &again), 0);
    size_t own = again.len;
    pvf__buf_done(&again);
    return own;
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < proto_sample_count; i++) {
        struct hex_bytes frame = hex_read(proto_samples[i].frame);
        const uint8_t *body = frame.data + PVF__FRAME_HEADER;
        size_t own = own_len(proto_samples[i].kind, body, frame.len - PVF__FRAME_HEADER);
        for (size_t cut = 0; cut < own; cut++) {
            struct pvf__buf ret = PVF__BUF_INIT(4096);
            /* A copy of the exact size, so that a sanitizer sees a read past the end. */
            uint8_t *copy = malloc(cut > 0 ? cut : 1);
            assert_non_null(copy);
            memcpy(copy, body, cut);
            int status = proto_recode(proto_samples[i].kind, copy, cut, &ret);
            if (status != PVF_ERR_MALFORMED) {
                fail_msg("%s cut at %zu: %d", proto_samples[i].name, cut, status);
            }
            free(copy);
            pvf__buf_done(&ret);
        }
        for (size_t cut = 0; cut < frame.len; cut++) {
            struct pvf__slice first;
            assert_int_equal(pvf__frame_first(frame.data, cut, &first, NULL), PVF_ERR_EOF);
        }
    }
}

static void every_flip_is_refused_or_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < proto_sample_count; i++) {
        struct hex_bytes frame = hex_read(proto_samples[i].frame);
        uint8_t *body = frame.data + PVF__FRAME_HEADER;
        size_t len = frame.len - PVF__FRAME_HEADER;
        for (size_t bit = 0; bit < 8 * len; bit++) {
            body[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (proto_check(proto_samples[i].kind, body, len) != 0) {
                fail_msg("%s with bit %zu flipped", proto_samples[i].name, bit);
            }
            body[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* Each byte as each other message's decoder sees it, and all values of the first three. */
static void foreign_messages_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < proto_sample_count; i++) {
        struct hex_bytes frame = hex_read(proto_samples[i].frame);
        uint8_t *body = frame.data + PVF__FRAME_HEADER;
        size_t len = frame.len - PVF__FRAME_HEADER;
        for (int kind = 0; kind < PROTO_KINDS; kind++) {
            assert_int_equal(proto_check((enum proto_kind)kind, body, len), 0);
            for (size_t at = 0; at < 3 && at < len; at++) {
                uint8_t kept = body[at];
                for (unsigned value = 0; value < 256; value++) {
                    body[at] = (uint8_t)value;
                    assert_int_equal(proto_check((enum proto_kind)kind, body, len), 0);
                }
                body[at] = kept;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_flip_is_refused_or_kept),
        cmocka_unit_test(foreign_messages_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
