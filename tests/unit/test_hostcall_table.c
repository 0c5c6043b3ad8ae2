/* SPDX-License-Identifier: Apache-2.0 */
/* The list of host functions: every name and signature that the reference links, and no other. */
#include "support/test.h"

#include "hostcall/hostcall.h"

#include <string.h>

struct row {
    const char *name;
    const char *params;
    const char *result;
};

/* As recorded from the reference (its host call vectors' functions.csv), in its order. */
static const struct row always[] = {
    {"ext_misc_print_hex_version_1", "I", ""},
    {"ext_misc_print_num_version_1", "I", ""},
    {"ext_misc_print_utf8_version_1", "I", ""},
    {"ext_misc_runtime_version_version_1", "I", "I"},
    {"ext_crypto_ecdsa_batch_verify_version_1", "iIi", "i"},
    {"ext_crypto_ecdsa_generate_version_1", "iI", "i"},
    {"ext_crypto_ecdsa_public_keys_version_1", "i", "I"},
    {"ext_crypto_ecdsa_sign_version_1", "iiI", "I"},
    {"ext_crypto_ecdsa_sign_prehashed_version_1", "iii", "I"},
    {"ext_crypto_ecdsa_verify_version_1", "iIi", "i"},
    {"ext_crypto_ecdsa_verify_version_2", "iIi", "i"},
    {"ext_crypto_ecdsa_verify_prehashed_version_1", "iii", "i"},
    {"ext_crypto_ed25519_batch_verify_version_1", "iIi", "i"},
    {"ext_crypto_ed25519_generate_version_1", "iI", "i"},
    {"ext_crypto_ed25519_public_keys_version_1", "i", "I"},
    {"ext_crypto_ed25519_sign_version_1", "iiI", "I"},
    {"ext_crypto_ed25519_verify_version_1", "iIi", "i"},
    {"ext_crypto_finish_batch_verify_version_1", "", "i"},
    {"ext_crypto_secp256k1_ecdsa_recover_version_1", "ii", "I"},
    {"ext_crypto_secp256k1_ecdsa_recover_version_2", "ii", "I"},
    {"ext_crypto_secp256k1_ecdsa_recover_compressed_version_1", "ii", "I"},
    {"ext_crypto_secp256k1_ecdsa_recover_compressed_version_2", "ii", "I"},
    {"ext_crypto_sr25519_batch_verify_version_1", "iIi", "i"},
    {"ext_crypto_sr25519_generate_version_1", "iI", "i"},
    {"ext_crypto_sr25519_public_keys_version_1", "i", "I"},
    {"ext_crypto_sr25519_sign_version_1", "iiI", "I"},
    {"ext_crypto_sr25519_verify_version_1", "iIi", "i"},
    {"ext_crypto_sr25519_verify_version_2", "iIi", "i"},
    {"ext_crypto_start_batch_verify_version_1", "", ""},
    {"ext_hashing_blake2_128_version_1", "I", "i"},
    {"ext_hashing_blake2_256_version_1", "I", "i"},
    {"ext_hashing_keccak_256_version_1", "I", "i"},
    {"ext_hashing_keccak_512_version_1", "I", "i"},
    {"ext_hashing_sha2_256_version_1", "I", "i"},
    {"ext_hashing_twox_128_version_1", "I", "i"},
    {"ext_hashing_twox_256_version_1", "I", "i"},
    {"ext_hashing_twox_64_version_1", "I", "i"},
    {"ext_allocator_free_version_1", "i", ""},
    {"ext_allocator_malloc_version_1", "i", "i"},
    {"ext_logging_log_version_1", "iII", ""},
    {"ext_logging_max_level_version_1", "", "i"},
    {"ext_trie_blake2_256_ordered_root_version_1", "I", "i"},
    {"ext_trie_blake2_256_ordered_root_version_2", "Ii", "i"},
    {"ext_trie_blake2_256_root_version_1", "I", "i"},
    {"ext_trie_blake2_256_root_version_2", "Ii", "i"},
    {"ext_trie_blake2_256_verify_proof_version_1", "iIII", "i"},
    {"ext_trie_blake2_256_verify_proof_version_2", "iIIIi", "i"},
    {"ext_trie_keccak_256_ordered_root_version_1", "I", "i"},
    {"ext_trie_keccak_256_ordered_root_version_2", "Ii", "i"},
    {"ext_trie_keccak_256_root_version_1", "I", "i"},
    {"ext_trie_keccak_256_root_version_2", "Ii", "i"},
    {"ext_trie_keccak_256_verify_proof_version_1", "iIII", "i"},
    {"ext_trie_keccak_256_verify_proof_version_2", "iIIIi", "i"},
};

static const struct row ecc[] = {
    {"ext_host_calls_bls12_381_final_exponentiation_version_1", "I", "i"},
    {"ext_host_calls_bls12_381_msm_g1_version_1", "III", "i"},
    {"ext_host_calls_bls12_381_msm_g2_version_1", "III", "i"},
    {"ext_host_calls_bls12_381_mul_g1_version_1", "III", "i"},
    {"ext_host_calls_bls12_381_mul_g2_version_1", "III", "i"},
    {"ext_host_calls_bls12_381_multi_miller_loop_version_1", "III", "i"},
    {"ext_host_calls_ed_on_bls12_381_bandersnatch_msm_version_1", "III", "i"},
    {"ext_host_calls_ed_on_bls12_381_bandersnatch_mul_version_1", "III", "i"},
    {"ext_host_calls_pallas_msm_version_1", "III", "i"},
    {"ext_host_calls_pallas_mul_version_1", "III", "i"},
    {"ext_host_calls_vesta_msm_version_1", "III", "i"},
    {"ext_host_calls_vesta_mul_version_1", "III", "i"},
};

#define ALWAYS (sizeof(always) / sizeof(always[0]))
#define ECC (sizeof(ecc) / sizeof(ecc[0]))

static void check_row(const struct row *row, bool is_ecc)
{
    const struct pvf__hostcall *call = pvf__hostcall_find(row->name, strlen(row->name), true);
    assert_non_null(call);
    assert_string_equal(call->name, row->name);
    assert_string_equal(call->params, row->params);
    assert_string_equal(call->result, row->result);
    assert_int_equal(call->ecc, is_ecc);
    assert_true(strlen(call->params) <= PVF__HOSTCALL_PARAMS);
    assert_true(call->call != NULL);
    const struct pvf__hostcall *plain = pvf__hostcall_find(row->name, strlen(row->name), false);
    assert_ptr_equal(plain, is_ecc ? NULL : call);
}

static void all_functions_are_there(void **state)
{
    (void)state;
    assert_int_equal(ALWAYS, 53);
    assert_int_equal(ECC, 12);
    assert_int_equal(pvf__hostcall_count(), 65);
    for (size_t i = 0; i < ALWAYS; i++) {
        check_row(&always[i], false);
    }
    for (size_t i = 0; i < ECC; i++) {
        check_row(&ecc[i], true);
    }
}

static void the_table_is_sorted_and_without_doubles(void **state)
{
    (void)state;
    for (size_t i = 1; i < pvf__hostcall_count(); i++) {
        const struct pvf__hostcall *before = pvf__hostcall_at(i - 1);
        const struct pvf__hostcall *after = pvf__hostcall_at(i);
        assert_true(strcmp(before->name, after->name) < 0);
        for (size_t k = 0; k < i; k++) {
            assert_true(pvf__hostcall_at(k)->call != after->call);
        }
    }
    assert_null(pvf__hostcall_at(pvf__hostcall_count()));
}

static void other_names_are_not(void **state)
{
    (void)state;
    const char *const names[] = {
        "",
        "e",
        "ext_",
        "ext_allocator_malloc_version_",
        "ext_allocator_malloc_version_10",
        "ext_allocator_malloc_version_2",
        "EXT_allocator_malloc_version_1",
        "ext_storage_get_version_1",
        "ext_default_child_storage_get_version_1",
        "ext_offchain_index_set_version_1",
        "ext_panic_handler_abort_on_panic_version_1",
        "ext_wasm_tracing_enabled_version_1",
        "ext_crypto_ed25519_verify_version_2",
        "ext_crypto_sr25519_verify_version_3",
        "ext_crypto_ecdsa_verify_version_3",
        "ext_trie_blake2_256_root_version_3",
        "ext_crypto_bls381_generate_version_1",
        "\xFF",
        "zzz",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_null(pvf__hostcall_find(names[i], strlen(names[i]), true));
    }
    /* A name of the module may hold a zero byte, and more behind it. */
    assert_null(pvf__hostcall_find("ext_allocator_free_version_1\0x", 30, true));
    assert_null(pvf__hostcall_find("ext_allocator_free_version_1", 27, true));
    assert_non_null(pvf__hostcall_find("ext_allocator_free_version_1 and more", 28, true));
    assert_null(pvf__hostcall_find(NULL, 0, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_functions_are_there),
        cmocka_unit_test(the_table_is_sorted_and_without_doubles),
        cmocka_unit_test(other_names_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
