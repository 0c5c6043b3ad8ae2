/* SPDX-License-Identifier: Apache-2.0 */
/* The sidecar: its bytes, and names of files. */
#include "support/test.h"

#include "cache/cache_meta.h"
#include "hash/hash.h"
#include "pvf/status.h"
#include "support/hex.h"

#include <stdio.h>
#include <string.h>

static const struct pvf__cache_name sample_name = {.text = "000102030405060708090a0b0c0d0e0f"};

static void fill_sample(struct pvf__cache_meta *ret)
{
    *ret = (struct pvf__cache_meta){
        .cpu_us = 1,
        .wall_us = 2,
        .max_rss_kib = -1,
        .peak_allocated = 3,
        .code_len = 4,
        .prechecked = true,
        .timeout_ms = 5,
        .memory_limit = 6,
        .bomb_limit = 7,
        .size = 8,
        .created_s = 9,
        .identity = {.build = "b"},
    };
    memset(ret->code_hash, 0x11, 32);
    memset(ret->prep_hash, 0x22, 32);
    memset(ret->params_hash, 0x77, 32);
    memset(ret->checksum, 0x33, 32);
    memset(ret->digest, 0x44, 32);
    memset(ret->identity.cpu, 0x55, 32);
}

/* A sidecar, written by hand. */
static const char sample[] = "7076662d6d657461 01000000 4e010000 000102030405060708090a0b0c0d0e0f"
                             " 11*32 22*32 77*32 33*32 "
                             "0100000000000000 0200000000000000 ff*8 0300000000000000 04000000 01"
                             "0500000000000000 0600000000000000 07000000"
                             "0800000000000000 44*32 0900000000000000 55*32 01000000 62";

static void the_form_is_as_documented(void **state)
{
    (void)state;
    uint8_t key[32];
    struct pvf__cache_meta meta;
    struct hex_bytes want = hex_read(sample);
    struct pvf__buf out = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    memset(key, 0x66, sizeof(key));
    fill_sample(&meta);
    assert_int_equal(pvf__cache_meta_encode(&meta, &sample_name, key, &out, NULL), 0);
    assert_int_equal(out.len, want.len + 32);
    assert_memory_equal(out.data, want.data, want.len);
    assert_true(pvf__cache_meta_is_proven(out.data, out.len, &sample_name, key));
    pvf__buf_done(&out);
}

/* The MAC of all of it, as Python's hashlib.blake2b(data, key=b"\x66" * 32, digest_size=32) has it.
 */
static void the_seal_is_keyed_blake2b(void **state)
{
    (void)state;
    static const char mac[] = "48a91bef95332175cf3391cedc5c79028a88d0550cb80f8383c053b05657f928";
    uint8_t key[32];
    struct pvf__cache_meta meta;
    struct hex_bytes want = hex_read(mac);
    struct pvf__buf out = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    memset(key, 0x66, sizeof(key));
    fill_sample(&meta);
    assert_int_equal(pvf__cache_meta_encode(&meta, &sample_name, key, &out, NULL), 0);
    assert_memory_equal(out.data + out.len - 32, want.data, 32);
    pvf__buf_done(&out);
}

static void a_seal_is_for_one_key_and_one_name(void **state)
{
    (void)state;
    uint8_t key[32];
    struct pvf__cache_meta meta;
    struct pvf__cache_name other = sample_name;
    struct pvf__buf out = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    memset(key, 0x66, sizeof(key));
    fill_sample(&meta);
    assert_int_equal(pvf__cache_meta_encode(&meta, &sample_name, key, &out, NULL), 0);
    other.text[31] = 'e';
    assert_false(pvf__cache_meta_is_proven(out.data, out.len, &other, key));
    assert_false(pvf__cache_meta_is_proven(out.data, out.len - 1, &sample_name, key));
    for (size_t bit = 0; bit < 256; bit++) {
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(pvf__cache_meta_is_proven(out.data, out.len, &sample_name, key));
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pvf__buf_done(&out);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    uint8_t key[32] = {0};
    struct pvf__cache_meta meta;
    struct pvf__cache_meta found;
    struct pvf__cache_name name;
    fill_sample(&meta);
    /* Builds of every length. */
    for (size_t len = 1; len < PVF__CACHE_BUILD_MAX; len++) {
        struct pvf__buf out = PVF__BUF_INIT(PVF__CACHE_META_MAX);
        memset(meta.identity.build, 'x', len);
        meta.identity.build[len] = '\0';
        assert_int_equal(pvf__cache_meta_encode(&meta, &sample_name, key, &out, NULL), 0);
        assert_int_equal(pvf__cache_meta_decode(out.data, out.len, &name, &found, NULL), 0);
        assert_string_equal(name.text, sample_name.text);
        assert_string_equal(found.identity.build, meta.identity.build);
        assert_int_equal(found.max_rss_kib, -1);
        assert_int_equal(found.created_s, 9);
        pvf__buf_done(&out);
    }
}

static void no_identity_no_sidecar(void **state)
{
    (void)state;
    uint8_t key[32] = {0};
    struct pvf__cache_meta meta;
    struct pvf__buf out = PVF__BUF_INIT(PVF__CACHE_META_MAX);
    fill_sample(&meta);
    static const char *const builds[] = {"", "two\nlines", "\x7f", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
        (void)snprintf(meta.identity.build, sizeof(meta.identity.build), "%s", builds[i]);
        assert_int_equal(pvf__cache_meta_encode(&meta, &sample_name, key, &out, NULL),
                         PVF_ERR_INVALID_ARG);
    }
    memset(meta.identity.build, 'x', sizeof(meta.identity.build));
    assert_int_equal(pvf__cache_meta_encode(&meta, &sample_name, key, &out, NULL),
                     PVF_ERR_INVALID_ARG);
    assert_int_equal(out.len, 0);
    pvf__buf_done(&out);
}

static void names_say_what_a_file_is(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum pvf__cache_kind kind;
    } rows[] = {
        {"000102030405060708090a0b0c0d0e0f.pvf", PVF__CACHE_KIND_ARTIFACT},
        {"000102030405060708090a0b0c0d0e0f.meta", PVF__CACHE_KIND_META},
        {"000102030405060708090a0b0c0d0e0f.tmp", PVF__CACHE_KIND_TEMPORARY},
        {"000102030405060708090a0b0c0d0e0f", PVF__CACHE_KIND_OTHER},
        {"000102030405060708090a0b0c0d0e0f.PVF", PVF__CACHE_KIND_OTHER},
        {"000102030405060708090a0b0c0d0e0F.pvf", PVF__CACHE_KIND_OTHER},
        {"000102030405060708090a0b0c0d0e0.pvf", PVF__CACHE_KIND_OTHER},
        {"0000102030405060708090a0b0c0d0e0f.pvf", PVF__CACHE_KIND_OTHER},
        {"000102030405060708090a0b0c0d0e0f.pvf.meta", PVF__CACHE_KIND_OTHER},
        {"marker", PVF__CACHE_KIND_OTHER},
        {"", PVF__CACHE_KIND_OTHER},
        {".", PVF__CACHE_KIND_OTHER},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pvf__cache_name name = {.text = "?"};
        char file[PVF__CACHE_FILE_MAX];
        assert_int_equal(pvf__cache_name_parse(rows[i].file, &name), rows[i].kind);
        if (rows[i].kind == PVF__CACHE_KIND_OTHER) {
            assert_string_equal(name.text, "?");
            continue;
        }
        assert_string_equal(name.text, sample_name.text);
        pvf__cache_name_file(&name, rows[i].kind, file);
        assert_string_equal(file, rows[i].file);
    }
}

static void names_are_random(void **state)
{
    (void)state;
    struct pvf__cache_name one;
    struct pvf__cache_name two;
    uint8_t bytes[PVF__CACHE_NAME_BYTES];
    assert_int_equal(pvf__cache_name_random(&one, NULL), 0);
    assert_int_equal(pvf__cache_name_random(&two, NULL), 0);
    assert_string_not_equal(one.text, two.text);
    assert_int_equal(strlen(one.text), 32);
    pvf__cache_name_bytes(&sample_name, bytes);
    for (uint8_t i = 0; i < sizeof(bytes); i++) {
        assert_int_equal(bytes[i], i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_as_documented),
        cmocka_unit_test(the_seal_is_keyed_blake2b),
        cmocka_unit_test(a_seal_is_for_one_key_and_one_name),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(no_identity_no_sidecar),
        cmocka_unit_test(names_say_what_a_file_is),
        cmocka_unit_test(names_are_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
