/* SPDX-License-Identifier: Apache-2.0 */
/* What the host functions do, with known answers where the work is done in this tree. */
#include "support/test.h"

#include "base/log.h"
#include "support/hex.h"
#include "support/hostcall_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PANIC "host code panicked while being called by the runtime: "

static void
assert_panics(struct bench *bench, const char *name, const uint64_t args[5], const char *text)
{
    uint64_t ret = 7;
    assert_int_equal(bench_call(bench, name, args, &ret), -1);
    char full[256];
    (void)snprintf(full, sizeof(full), PANIC "%s", text);
    assert_string_equal(bench->context.trap, full);
    assert_int_equal(ret, 7);
}

static uint64_t call_ok(struct bench *bench, const char *name, const uint64_t args[5])
{
    uint64_t ret = 0;
    if (bench_call(bench, name, args, &ret) != 0) {
        fail_msg("%s: %s", name, bench->context.trap);
    }
    return ret;
}

/* Digests of "abc"; kinds that the provider computes show the fake's own mark instead. */
static void hashes_land_on_the_heap(void **state)
{
    (void)state;
    const struct {
        const char *name;
        const char *digest;
    } rows[] = {
        {"hashing_keccak_256_version_1",
         "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        {"hashing_keccak_512_version_1",
         "18587dc2ea106b9a1563e32b3312421ca164c7f1f07bc922a9c83d77cea3a1e5"
         "d0c69910739025372dc14ac9642629379540c17e2a65b19d77aa511a9d00bb96"},
        {"hashing_twox_64_version_1", "990977adf52cbc44"},
        {"hashing_twox_128_version_1", "990977adf52cbc440889329981caa9be"},
        {"hashing_twox_256_version_1",
         "990977adf52cbc440889329981caa9bef7da5770b2b8a05303b75d95360dd62b"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        bench_init(&bench, 4);
        uint64_t data = put_text(&bench, 100, "abc");
        uint64_t ptr = call_ok(&bench, rows[i].name, ARGS(data));
        assert_int_equal(ptr, BENCH_HEAP + 8);
        struct hex_bytes want = hex_read(rows[i].digest);
        assert_memory_equal(bench.guest.memory.base + ptr, want.data, want.len);
        bench_done(&bench);
    }
}

static void hash_kinds_reach_the_provider(void **state)
{
    (void)state;
    const struct {
        const char *name;
        enum pvf__provider_hash kind;
        size_t len;
    } rows[] = {
        {"hashing_sha2_256_version_1", PVF__PROVIDER_SHA2_256, 32},
        {"hashing_blake2_128_version_1", PVF__PROVIDER_BLAKE2B_128, 16},
        {"hashing_blake2_256_version_1", PVF__PROVIDER_BLAKE2B_256, 32},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        bench_init(&bench, 4);
        uint64_t data = put_text(&bench, 100, "abc");
        uint64_t ptr = call_ok(&bench, rows[i].name, ARGS(data));
        uint8_t want[32];
        (void)fake_hash(rows[i].kind, (const uint8_t *)"abc", 3, want);
        const uint8_t *got = bench.guest.memory.base + ptr;
        assert_memory_equal(got, want, rows[i].len);
        /* The order in the header tells how much was allocated. */
        assert_int_equal(8U << got[-8], rows[i].len);
        bench_done(&bench);
    }
}

static void malloc_and_free_panic(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 4);
    uint64_t ptr = call_ok(&bench, "allocator_malloc_version_1", ARGS(5));
    assert_int_equal(ptr, BENCH_HEAP + 8);
    (void)call_ok(&bench, "allocator_free_version_1", ARGS(ptr));
    assert_int_equal(call_ok(&bench, "allocator_malloc_version_1", ARGS(8)), ptr);
    (void)call_ok(&bench, "allocator_free_version_1", ARGS(ptr));
    assert_panics(&bench,
                  "allocator_free_version_1",
                  ARGS(ptr),
                  "Failed to deallocate memory: \"Other: the allocation points to an empty "
                  "header\"");
    bench_done(&bench);
    bench_init(&bench, 4);
    assert_panics(&bench,
                  "allocator_malloc_version_1",
                  ARGS(300000),
                  "Failed to allocate memory: \"Allocator ran out of space\"");
    bench_done(&bench);
}

static void the_keystore_is_absent(void **state)
{
    (void)state;
    const char *const kinds[] = {"ed25519", "sr25519", "ecdsa"};
    static const char absent[] = "No `keystore` associated for the current context!";
    char name[64];
    struct bench bench;
    bench_init(&bench, 4);
    uint64_t none = put(&bench, 100, "\0", 1);
    uint64_t bad_seed = put(&bench, 110, "\x01\x04\xFF", 3);
    uint64_t bad_scale = put(&bench, 120, "\x02", 1);
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof(name), "crypto_%s_public_keys_version_1", kinds[i]);
        assert_panics(&bench, name, ARGS(0), absent);
        (void)snprintf(name, sizeof(name), "crypto_%s_sign_version_1", kinds[i]);
        assert_panics(&bench, name, ARGS(0, 0, 0), absent);
        (void)snprintf(name, sizeof(name), "crypto_%s_generate_version_1", kinds[i]);
        assert_panics(&bench, name, ARGS(0, none), absent);
        assert_panics(&bench, name, ARGS(0, bad_seed), "Seed is valid utf8!: it is not");
        uint64_t ret;
        assert_int_equal(bench_call(&bench, name, ARGS(0, bad_scale), &ret), -1);
        assert_non_null(strstr(bench.context.trap,
                               "could not SCALE-decode "
                               "'core::option::Option<alloc::vec::Vec<u8>>' when marshalling"));
        assert_non_null(strstr(bench.context.trap, "unexpected first byte decoding Option"));
    }
    assert_panics(&bench, "crypto_ecdsa_sign_prehashed_version_1", ARGS(0, 0, 0), absent);
    bench_done(&bench);
}

static void verdicts_are_the_providers(void **state)
{
    (void)state;
    const struct {
        const char *name;
        uint8_t first; /* of the signature: what the fake goes by */
        int verdict;   /* -1: trap */
    } rows[] = {
        {"crypto_ed25519_verify_version_1", 1, 1},
        {"crypto_ed25519_verify_version_1", 0, 0},
        {"crypto_ed25519_verify_version_1", 255, -1},
        {"crypto_sr25519_verify_version_1", 2, 1},
        {"crypto_sr25519_verify_version_2", 2, 0},
        {"crypto_sr25519_verify_version_1", 1, 1},
        {"crypto_sr25519_verify_version_2", 1, 1},
        {"crypto_sr25519_verify_version_2", 255, -1},
        {"crypto_sr25519_batch_verify_version_1", 2, 0},
        {"crypto_sr25519_batch_verify_version_1", 1, 1},
        {"crypto_ecdsa_verify_version_1", 1, 0},
        {"crypto_ecdsa_verify_version_2", 1, 0},
        {"crypto_ecdsa_verify_prehashed_version_1", 1, 0},
        {"crypto_ecdsa_batch_verify_version_1", 1, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        bench_init(&bench, 4);
        bench.guest.memory.base[1000] = rows[i].first;
        uint64_t ret = 7;
        int status = bench_call(&bench, rows[i].name, ARGS(1000, fat(0, 3), 2000), &ret);
        assert_int_equal(status, rows[i].verdict < 0 ? -1 : 0);
        assert_int_equal(ret, rows[i].verdict < 0 ? 7 : rows[i].verdict);
        bench_done(&bench);
    }
}

static void a_batch_remembers(void **state)
{
    (void)state;
    static const char start[] = "crypto_start_batch_verify_version_1";
    static const char finish[] = "crypto_finish_batch_verify_version_1";
    static const char verify[] = "crypto_sr25519_batch_verify_version_1";
    static const char other[] = "crypto_ecdsa_batch_verify_version_1";
    struct bench bench;
    bench_init(&bench, 4);
    bench.guest.memory.base[1000] = 1;
    assert_panics(&bench,
                  finish,
                  ARGS(0),
                  "`finish_batch_verify` should only be called after `start_batch_verify`");
    assert_int_equal(call_ok(&bench, verify, ARGS(2000, 0, 3000)), 0);
    (void)call_ok(&bench, start, ARGS(0));
    assert_int_equal(call_ok(&bench, verify, ARGS(1000, 0, 3000)), 1);
    assert_panics(&bench,
                  start,
                  ARGS(0),
                  "Failed to register required extension: `VerificationExt`: "
                  "ExtensionAlreadyRegistered");
    assert_int_equal(call_ok(&bench, finish, ARGS(0)), 1);
    (void)call_ok(&bench, start, ARGS(0));
    assert_int_equal(call_ok(&bench, verify, ARGS(2000, 0, 3000)), 0);
    assert_int_equal(call_ok(&bench, verify, ARGS(1000, 0, 3000)), 1);
    assert_int_equal(call_ok(&bench, finish, ARGS(0)), 0);
    (void)call_ok(&bench, start, ARGS(0));
    assert_int_equal(call_ok(&bench, other, ARGS(1000, 0, 3000)), 0);
    assert_int_equal(call_ok(&bench, finish, ARGS(0)), 0);
    (void)call_ok(&bench, start, ARGS(0));
    assert_int_equal(call_ok(&bench, finish, ARGS(0)), 1);
    assert_panics(&bench,
                  "crypto_ed25519_batch_verify_version_1",
                  ARGS(1000, 0, 3000),
                  "RefCell already borrowed");
    bench_done(&bench);
}

static void recovery_errors_are_encoded(void **state)
{
    (void)state;
    const struct {
        uint8_t fill; /* of r and s */
        uint8_t v;
        uint8_t v2[2];
        uint8_t v1[2];
    } rows[] = {
        {0x11, 4, {1, 1}, {1, 1}},  /* BadV */
        {0x11, 26, {1, 1}, {1, 1}}, /* still 26 */
        {0xFF, 31, {1, 1}, {1, 1}}, /* BadV comes before BadRS */
        {0xFF, 0, {1, 0}, {1, 2}},  /* BadRS; reduced, no point has that x */
        {0x01, 0, {0, 0}, {0, 0}},
        {0x01, 28, {0, 0}, {0, 0}},
        {0x00, 27, {1, 2}, {1, 2}}, /* BadSignature */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        bench_init(&bench, 4);
        memset(bench.guest.memory.base + 1000, rows[i].fill, 64);
        bench.guest.memory.base[1064] = rows[i].v;
        const char *const names[] = {"crypto_secp256k1_ecdsa_recover_version_1",
                                     "crypto_secp256k1_ecdsa_recover_version_2",
                                     "crypto_secp256k1_ecdsa_recover_compressed_version_1",
                                     "crypto_secp256k1_ecdsa_recover_compressed_version_2"};
        for (size_t k = 0; k < 4; k++) {
            const uint8_t *want = k % 2 == 0 ? rows[i].v1 : rows[i].v2;
            uint64_t ret = call_ok(&bench, names[k], ARGS(1000, 2000));
            uint64_t len = want[0] != 0 ? 2 : k < 2 ? 65 : 34;
            const uint8_t *got = bench.guest.memory.base + (uint32_t)ret;
            assert_int_equal(ret >> 32, len);
            assert_memory_equal(got, want, want[0] != 0 ? 2 : 1);
        }
        bench_done(&bench);
    }
}

/* The tries of the known answers: empty key, 01, 0102, 0103. */
static void trie_functions_know_the_answers(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 8);
    struct hex_bytes pairs = hex_read("10 00 00 04 01 04 61 08 01 02 80 62*32 08 01 03 84 63*33");
    uint64_t input = put(&bench, 100, pairs.data, (uint32_t)pairs.len);
    struct hex_bytes v0 =
        hex_read("733d9e4027b560be55381bc0866cdb598183809a4418cf7f5d0a1ffd32a5a847");
    struct hex_bytes v1 =
        hex_read("5e1bb5c96ad770e9a561cb85f610840ad71dee10439212511ec4c1d9a405b03e");
    const struct {
        const char *name;
        uint64_t version;
        const struct hex_bytes *want;
    } rows[] = {
        {"trie_blake2_256_root_version_1", 1, &v0},
        {"trie_blake2_256_root_version_2", 0, &v0},
        {"trie_blake2_256_root_version_2", 1, &v1},
        {"trie_blake2_256_root_version_2", 2, &v1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t ptr = call_ok(&bench, rows[i].name, ARGS(input, rows[i].version));
        assert_memory_equal(bench.guest.memory.base + ptr, rows[i].want->data, 32);
    }
    struct hex_bytes list = hex_read("0c 04 78 00 a0 7a*40");
    input = put(&bench, 400, list.data, (uint32_t)list.len);
    struct hex_bytes ordered =
        hex_read("6219aad6230e5d1d598de1b131528ea8f0ccf206ea256a5b95af4810dd7d06fb");
    uint64_t ptr = call_ok(&bench, "trie_blake2_256_ordered_root_version_2", ARGS(input, 1));
    assert_memory_equal(bench.guest.memory.base + ptr, ordered.data, 32);

    struct hex_bytes proof = hex_read(
        "10 14 c001000000 1c c1010100046100 94 "
        "800c00807e43f9d57dbdfbd9a5b26b2a2d6d1caae1b4ec3b5c2b7c11e3c9f1d8d3eeebbe00 08 4000");
    uint64_t nodes = put(&bench, 600, proof.data, (uint32_t)proof.len);
    struct hex_bytes pair = hex_read("0103 63*33");
    (void)put(&bench, 800, pair.data, (uint32_t)pair.len);
    (void)put(&bench, 900, v1.data, 32);
    const char *const verify = "trie_blake2_256_verify_proof_version_2";
    assert_int_equal(call_ok(&bench, verify, ARGS(900, nodes, fat(800, 2), fat(802, 33), 1)), 1);
    assert_int_equal(call_ok(&bench, verify, ARGS(900, nodes, fat(800, 2), fat(802, 32), 1)), 0);
    assert_int_equal(call_ok(&bench, verify, ARGS(901, nodes, fat(800, 2), fat(802, 33), 1)), 0);
    bench_done(&bench);
}

static const char msm[] = "host_calls_pallas_msm_version_1";
static const char final[] = "host_calls_bls12_381_final_exponentiation_version_1";

static void curve_results_are_written_back(void **state)
{
    (void)state;
    const struct {
        uint8_t first; /* of the first input: the code */
        uint32_t len;  /* of the output */
        uint64_t code;
    } rows[] = {{0, 96, 0},
                {0, 1000, 0},
                {0, 95, 1},
                {0, 0, 1},
                {2, 96, 2},
                {3, 96, 3},
                {4, 200, 4},
                {255, 96, 255}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        bench_init(&bench, 4);
        uint8_t *base = bench.guest.memory.base;
        base[100] = rows[i].first;
        memset(base + 2000, 0xAA, 2000);
        uint64_t code =
            call_ok(&bench, msm, ARGS(fat(100, 10), fat(200, 10), fat(2000, rows[i].len)));
        assert_int_equal(code, rows[i].code);
        for (uint32_t k = 0; k < 2000; k++) {
            /* All of the buffer is written: zeros behind the result, or everywhere. */
            unsigned want = k >= rows[i].len              ? 0xAA
                            : rows[i].code == 0 && k < 96 ? PVF__PROVIDER_PALLAS_MSM
                                                          : 0;
            assert_int_equal(base[2000 + k], want);
        }
        bench_done(&bench);
    }
}

static void curve_buffers_may_overlap(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 4);
    uint8_t *base = bench.guest.memory.base;
    memset(base + 100, 0, 300);
    /* Output over both inputs, which are also the same bytes. */
    uint64_t code = call_ok(&bench, msm, ARGS(fat(100, 200), fat(100, 200), fat(90, 120)));
    assert_int_equal(code, 0);
    assert_int_equal(base[90], PVF__PROVIDER_PALLAS_MSM);
    assert_int_equal(base[185], PVF__PROVIDER_PALLAS_MSM);
    assert_int_equal(base[186], 0);
    bench_done(&bench);
}

static void curve_failures_trap(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 4);
    uint8_t *base = bench.guest.memory.base;
    base[100] = 254;
    memset(base + 2000, 0xAA, 96);
    assert_panics(&bench,
                  "host_calls_bls12_381_multi_miller_loop_version_1",
                  ARGS(fat(100, 1), fat(0, 1), fat(2000, 96)),
                  "itertools: .zip_eq() reached end of one iterator before the other");
    assert_int_equal(base[2000], 0xAA);
    uint64_t ret;
    assert_int_equal(
        bench_call(&bench, msm, ARGS(fat(0, 1), fat(0, 1), fat(BENCH_SIZE - 95, 96)), &ret), -1);
    assert_string_equal(bench.context.trap, "Other: memory write is out of bounds");
    assert_int_equal(bench_call(&bench, msm, ARGS(0, 0, fat(0, 0xFFFFFFFF)), &ret), -1);
    bench_done(&bench);
}

static void final_exponentiation_works_in_place(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 4);
    uint8_t *base = bench.guest.memory.base;
    base[2000] = 255;
    base[2001] = 7;
    assert_int_equal(call_ok(&bench, final, ARGS(fat(2000, 576))), 255);
    assert_int_equal(base[2001], 7);
    base[2000] = 0;
    base[2576] = 9;
    assert_int_equal(call_ok(&bench, final, ARGS(fat(2000, 577))), 0);
    assert_int_equal(base[2001], PVF__PROVIDER_BLS12_381_FINAL_EXPONENTIATION);
    assert_int_equal(base[2576], 9);
    bench_done(&bench);
}

/* Every curve function reaches the operation of its own number. */
static void curve_functions_have_their_numbers(void **state)
{
    (void)state;
    const char *const names[] = {
        "bls12_381_multi_miller_loop",
        NULL, /* final_exponentiation has other parameters */
        "bls12_381_msm_g1",
        "bls12_381_msm_g2",
        "bls12_381_mul_g1",
        "bls12_381_mul_g2",
        "ed_on_bls12_381_bandersnatch_msm",
        "ed_on_bls12_381_bandersnatch_mul",
        "pallas_msm",
        "pallas_mul",
        "vesta_msm",
        "vesta_mul",
    };
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i] == NULL) {
            continue;
        }
        struct bench bench;
        bench_init(&bench, 4);
        char name[96];
        (void)snprintf(name, sizeof(name), "host_calls_%s_version_1", names[i]);
        assert_int_equal(call_ok(&bench, name, ARGS(fat(0, 1), fat(0, 1), fat(2000, 96))), 0);
        assert_int_equal(bench.guest.memory.base[2050], i);
        bench_done(&bench);
    }
}

static char last_line[1100];
static enum pvf__log_level last_level;

static void keep_line(void *context, enum pvf__log_level level, const char *line)
{
    (void)context;
    last_level = level;
    (void)snprintf(last_line, sizeof(last_line), "%s", line);
}

static void log_lines_are_harmless(void **state)
{
    (void)state;
    const struct {
        uint64_t level;
        const char *target;
        const char *message;
        const char *line; /* NULL: nothing is logged */
        int status;
    } rows[] = {
        {0, "target", "hello", "target: hello", 0},
        {2, "t", "", "t: ", 0},
        {258, "t", "low byte", "t: low byte", 0},
        {2, "", "two\nlines\x1b[31m\x7f", ": two lines [31m ", 0},
        {2,
         "t",
         "\xC2\x85\xE2\x80\xA8\xE2\x80\xAE\xE2\x81\xA6\xC3\xA9\xE2\x82\xAC",
         "t:     é€",
         0},
        {2, "t", "\xFF\xFE", NULL, 0},
        {4, "t", "traced", NULL, 0},
        {5, "t", "m", NULL, -1},
        {1, "\xFF", "m", NULL, -1},
    };
    pvf__log_setup(keep_line, NULL, PVF__LOG_DEBUG);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        bench_init(&bench, 4);
        last_line[0] = '\0';
        uint64_t target = put_text(&bench, 100, rows[i].target);
        uint64_t message = put_text(&bench, 200, rows[i].message);
        uint64_t ret;
        assert_int_equal(
            bench_call(&bench, "logging_log_version_1", ARGS(rows[i].level, target, message), &ret),
            rows[i].status);
        assert_string_equal(last_line, rows[i].line != NULL ? rows[i].line : "");
        bench_done(&bench);
    }
    pvf__log_setup(NULL, NULL, PVF__LOG_OFF);
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    pvf__log_setup(keep_line, NULL, PVF__LOG_DEBUG);
    struct bench bench;
    bench_init(&bench, 4);
    for (uint32_t i = 0; i < 3000; i += 3) {
        memcpy(bench.guest.memory.base + 1000 + i, "\xE2\x82\xAC", 3);
    }
    uint64_t text = fat(1000, 3000);
    (void)call_ok(&bench, "logging_log_version_1", ARGS(2, text, text));
    assert_int_equal(last_level, PVF__LOG_INFO);
    size_t len = strlen(last_line);
    assert_true(len < 1024);
    assert_memory_equal(last_line + len - 3, "\xE2\x82\xAC", 3);
    assert_memory_equal(last_line + 63, ": \xE2\x82\xAC", 5);
    (void)call_ok(&bench, "misc_print_utf8_version_1", ARGS(text));
    assert_memory_equal(last_line, "runtime: \xE2\x82\xAC", 12);
    (void)call_ok(&bench, "misc_print_hex_version_1", ARGS(text));
    assert_memory_equal(last_line, "runtime: 0xe282ac", 17);
    assert_true(strlen(last_line) < 1024);
    (void)call_ok(&bench, "misc_print_num_version_1", ARGS(UINT64_MAX));
    assert_string_equal(last_line, "runtime: 18446744073709551615");
    last_line[0] = '\0';
    (void)call_ok(&bench, "misc_print_utf8_version_1", ARGS(put(&bench, 0, "\x80", 1)));
    assert_string_equal(last_line, "");
    bench_done(&bench);
    pvf__log_setup(NULL, NULL, PVF__LOG_OFF);
}

static void max_level_is_the_contexts(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 4);
    for (uint32_t level = 0; level <= 5; level++) {
        bench.context.max_log_level = level;
        assert_int_equal(call_ok(&bench, "logging_max_level_version_1", ARGS(0)), level);
    }
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_land_on_the_heap),
        cmocka_unit_test(hash_kinds_reach_the_provider),
        cmocka_unit_test(malloc_and_free_panic),
        cmocka_unit_test(the_keystore_is_absent),
        cmocka_unit_test(verdicts_are_the_providers),
        cmocka_unit_test(a_batch_remembers),
        cmocka_unit_test(recovery_errors_are_encoded),
        cmocka_unit_test(trie_functions_know_the_answers),
        cmocka_unit_test(curve_results_are_written_back),
        cmocka_unit_test(curve_buffers_may_overlap),
        cmocka_unit_test(curve_failures_trap),
        cmocka_unit_test(final_exponentiation_works_in_place),
        cmocka_unit_test(curve_functions_have_their_numbers),
        cmocka_unit_test(log_lines_are_harmless),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(max_level_is_the_contexts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
