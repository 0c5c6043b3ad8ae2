/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the table of host functions. */
#include "hostcall/hostcall.h"

#include "hostcall/hostcall_calls.h"

#include <string.h>

/*
 * Sorted by name, as strcmp sorts: the search halves it.  Names and signatures are those that the
 * reference links; a module that imports a name with another signature is refused by the linker.
 */
#define ALWAYS(name, params, result, call)                                                         \
    {                                                                                              \
        "ext_" name, params, result, false, pvf__hostcall_##call                                   \
    }
#define ECC(name, params, result, call)                                                            \
    {                                                                                              \
        "ext_host_calls_" name, params, result, true, pvf__hostcall_##call                         \
    }
static const struct pvf__hostcall table[] = {
    ALWAYS("allocator_free_version_1", "i", "", heap_free),
    ALWAYS("allocator_malloc_version_1", "i", "i", heap_malloc),
    ALWAYS("crypto_ecdsa_batch_verify_version_1", "iIi", "i", verify_ecdsa_batch),
    ALWAYS("crypto_ecdsa_generate_version_1", "iI", "i", keystore_ecdsa_generate),
    ALWAYS("crypto_ecdsa_public_keys_version_1", "i", "I", keystore_ecdsa_public_keys),
    ALWAYS("crypto_ecdsa_sign_prehashed_version_1", "iii", "I", keystore_ecdsa_sign_prehashed),
    ALWAYS("crypto_ecdsa_sign_version_1", "iiI", "I", keystore_ecdsa_sign),
    ALWAYS("crypto_ecdsa_verify_prehashed_version_1", "iii", "i", verify_ecdsa_prehashed),
    ALWAYS("crypto_ecdsa_verify_version_1", "iIi", "i", verify_ecdsa_v1),
    ALWAYS("crypto_ecdsa_verify_version_2", "iIi", "i", verify_ecdsa_v2),
    ALWAYS("crypto_ed25519_batch_verify_version_1", "iIi", "i", verify_ed25519_batch),
    ALWAYS("crypto_ed25519_generate_version_1", "iI", "i", keystore_ed25519_generate),
    ALWAYS("crypto_ed25519_public_keys_version_1", "i", "I", keystore_ed25519_public_keys),
    ALWAYS("crypto_ed25519_sign_version_1", "iiI", "I", keystore_ed25519_sign),
    ALWAYS("crypto_ed25519_verify_version_1", "iIi", "i", verify_ed25519),
    ALWAYS("crypto_finish_batch_verify_version_1", "", "i", verify_finish_batch),
    ALWAYS("crypto_secp256k1_ecdsa_recover_compressed_version_1", "ii", "I", recover_compressed_v1),
    ALWAYS("crypto_secp256k1_ecdsa_recover_compressed_version_2", "ii", "I", recover_compressed_v2),
    ALWAYS("crypto_secp256k1_ecdsa_recover_version_1", "ii", "I", recover_v1),
    ALWAYS("crypto_secp256k1_ecdsa_recover_version_2", "ii", "I", recover_v2),
    ALWAYS("crypto_sr25519_batch_verify_version_1", "iIi", "i", verify_sr25519_batch),
    ALWAYS("crypto_sr25519_generate_version_1", "iI", "i", keystore_sr25519_generate),
    ALWAYS("crypto_sr25519_public_keys_version_1", "i", "I", keystore_sr25519_public_keys),
    ALWAYS("crypto_sr25519_sign_version_1", "iiI", "I", keystore_sr25519_sign),
    ALWAYS("crypto_sr25519_verify_version_1", "iIi", "i", verify_sr25519_v1),
    ALWAYS("crypto_sr25519_verify_version_2", "iIi", "i", verify_sr25519_v2),
    ALWAYS("crypto_start_batch_verify_version_1", "", "", verify_start_batch),
    ALWAYS("hashing_blake2_128_version_1", "I", "i", hashing_blake2_128),
    ALWAYS("hashing_blake2_256_version_1", "I", "i", hashing_blake2_256),
    ALWAYS("hashing_keccak_256_version_1", "I", "i", hashing_keccak_256),
    ALWAYS("hashing_keccak_512_version_1", "I", "i", hashing_keccak_512),
    ALWAYS("hashing_sha2_256_version_1", "I", "i", hashing_sha2_256),
    ALWAYS("hashing_twox_128_version_1", "I", "i", hashing_twox_128),
    ALWAYS("hashing_twox_256_version_1", "I", "i", hashing_twox_256),
    ALWAYS("hashing_twox_64_version_1", "I", "i", hashing_twox_64),
    ECC("bls12_381_final_exponentiation_version_1", "I", "i", ecc_bls12_381_final_exponentiation),
    ECC("bls12_381_msm_g1_version_1", "III", "i", ecc_bls12_381_msm_g1),
    ECC("bls12_381_msm_g2_version_1", "III", "i", ecc_bls12_381_msm_g2),
    ECC("bls12_381_mul_g1_version_1", "III", "i", ecc_bls12_381_mul_g1),
    ECC("bls12_381_mul_g2_version_1", "III", "i", ecc_bls12_381_mul_g2),
    ECC("bls12_381_multi_miller_loop_version_1", "III", "i", ecc_bls12_381_multi_miller_loop),
    ECC("ed_on_bls12_381_bandersnatch_msm_version_1", "III", "i", ecc_bandersnatch_msm),
    ECC("ed_on_bls12_381_bandersnatch_mul_version_1", "III", "i", ecc_bandersnatch_mul),
    ECC("pallas_msm_version_1", "III", "i", ecc_pallas_msm),
    ECC("pallas_mul_version_1", "III", "i", ecc_pallas_mul),
    ECC("vesta_msm_version_1", "III", "i", ecc_vesta_msm),
    ECC("vesta_mul_version_1", "III", "i", ecc_vesta_mul),
    ALWAYS("logging_log_version_1", "iII", "", logging_log),
    ALWAYS("logging_max_level_version_1", "", "i", logging_max_level),
    ALWAYS("misc_print_hex_version_1", "I", "", misc_print_hex),
    ALWAYS("misc_print_num_version_1", "I", "", misc_print_num),
    ALWAYS("misc_print_utf8_version_1", "I", "", misc_print_utf8),
    ALWAYS("misc_runtime_version_version_1", "I", "I", version_of_blob),
    ALWAYS("trie_blake2_256_ordered_root_version_1", "I", "i", trie_blake2_ordered_root_v1),
    ALWAYS("trie_blake2_256_ordered_root_version_2", "Ii", "i", trie_blake2_ordered_root_v2),
    ALWAYS("trie_blake2_256_root_version_1", "I", "i", trie_blake2_root_v1),
    ALWAYS("trie_blake2_256_root_version_2", "Ii", "i", trie_blake2_root_v2),
    ALWAYS("trie_blake2_256_verify_proof_version_1", "iIII", "i", trie_blake2_verify_proof_v1),
    ALWAYS("trie_blake2_256_verify_proof_version_2", "iIIIi", "i", trie_blake2_verify_proof_v2),
    ALWAYS("trie_keccak_256_ordered_root_version_1", "I", "i", trie_keccak_ordered_root_v1),
    ALWAYS("trie_keccak_256_ordered_root_version_2", "Ii", "i", trie_keccak_ordered_root_v2),
    ALWAYS("trie_keccak_256_root_version_1", "I", "i", trie_keccak_root_v1),
    ALWAYS("trie_keccak_256_root_version_2", "Ii", "i", trie_keccak_root_v2),
    ALWAYS("trie_keccak_256_verify_proof_version_1", "iIII", "i", trie_keccak_verify_proof_v1),
    ALWAYS("trie_keccak_256_verify_proof_version_2", "iIIIi", "i", trie_keccak_verify_proof_v2),
};
#undef ALWAYS
#undef ECC

#define COUNT (sizeof(table) / sizeof(table[0]))

size_t pvf__hostcall_count(void)
{
    return COUNT;
}

const struct pvf__hostcall *pvf__hostcall_at(size_t index)
{
    return index < COUNT ? &table[index] : NULL;
}

/* As strcmp of `name`, which has no terminator, and `known`. */
static int compare(const char *name, size_t len, const char *known)
{
    size_t known_len = strlen(known);
    int order = memcmp(name, known, len < known_len ? len : known_len);
    if (order != 0) {
        return order;
    }
    return len < known_len ? -1 : len > known_len ? 1 : 0;
}

const struct pvf__hostcall *pvf__hostcall_find(const char *name, size_t len, bool ecc_enabled)
{
    if (len == 0) {
        return NULL;
    }
    size_t low = 0;
    size_t high = COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, len, table[middle].name);
        if (order == 0) {
            return table[middle].ecc && !ecc_enabled ? NULL : &table[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
