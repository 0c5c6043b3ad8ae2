/* SPDX-License-Identifier: Apache-2.0 */
/* A sidecar, cut at every byte and with every bit flipped. */
#include "support/test.h"

#include "cache/cache_meta.h"
#include "pvf/status.h"

#include <string.h>

static const uint8_t key[PVF__CACHE_KEY_BYTES] = {1, 2, 3};
static struct pvf__cache_name name = {.text = "00112233445566778899aabbccddeeff"};

static void encode_sample(struct pvf__buf *out)
{
    struct pvf__cache_meta meta = {
        .cpu_us = 1234567,
        .max_rss_kib = 65536,
        .prechecked = true,
        .size = 3145728,
        .identity = {.build = "version=1.25.1 metering=callee program=00"},
    };
    assert_int_equal(pvf__cache_meta_encode(&meta, &name, key, out, NULL), 0);
}

/* False when bytes that are taken are not those that would be written. */
static bool is_refused_or_kept(const uint8_t *data, size_t len)
{
    struct pvf__cache_name found;
    struct pvf__cache_meta meta;
    struct pvf__buf again = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    if (pvf__cache_meta_decode(data, len, &found, &meta, NULL) != 0) {
        return true;
    }
    bool same = pvf__cache_meta_encode(&meta, &found, key, &again, NULL) == 0 && again.len == len &&
                memcmp(again.data, data, len - 32) == 0;
    pvf__buf_done(&again);
    return same;
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct pvf__buf whole = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    encode_sample(&whole);
    for (size_t cut = 0; cut < whole.len; cut++) {
        struct pvf__cache_name found;
        struct pvf__cache_meta meta;
        /* A copy of the exact size, so that a sanitizer sees a read past the end. */
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        assert_non_null(copy);
        memcpy(copy, whole.data, cut);
        assert_int_equal(pvf__cache_meta_decode(copy, cut, &found, &meta, NULL), PVF_ERR_MALFORMED);
        assert_false(pvf__cache_meta_is_proven(copy, cut, &name, key));
        free(copy);
    }
    /* One byte more is another sidecar, too. */
    assert_int_equal(pvf__buf_u8(&whole, 0), 0);
    assert_false(pvf__cache_meta_is_proven(whole.data, whole.len, &name, key));
    pvf__buf_done(&whole);
}

static void every_flip_breaks_the_seal(void **state)
{
    (void)state;
    struct pvf__buf whole = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    encode_sample(&whole);
    assert_true(pvf__cache_meta_is_proven(whole.data, whole.len, &name, key));
    for (size_t bit = 0; bit < 8 * whole.len; bit++) {
        whole.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (pvf__cache_meta_is_proven(whole.data, whole.len, &name, key)) {
            fail_msg("proven with bit %zu flipped", bit);
        }
        if (!is_refused_or_kept(whole.data, whole.len)) {
            fail_msg("read as something else with bit %zu flipped", bit);
        }
        whole.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pvf__buf_done(&whole);
}

static void every_value_of_every_byte_is_refused_or_kept(void **state)
{
    (void)state;
    struct pvf__buf whole = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    encode_sample(&whole);
    for (size_t at = 0; at < whole.len; at++) {
        uint8_t kept = whole.data[at];
        for (unsigned value = 0; value < 256; value++) {
            whole.data[at] = (uint8_t)value;
            if (!is_refused_or_kept(whole.data, whole.len)) {
                fail_msg("read as something else with %u at %zu", value, at);
            }
        }
        whole.data[at] = kept;
    }
    pvf__buf_done(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_flip_breaks_the_seal),
        cmocka_unit_test(every_value_of_every_byte_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
