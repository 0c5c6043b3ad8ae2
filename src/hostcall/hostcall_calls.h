/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOSTCALL_HOSTCALL_CALLS_H
#define PVF_HOSTCALL_HOSTCALL_CALLS_H

#include "hostcall/hostcall.h"

/*
 * The functions behind the table of hostcall.c: one file per interface of the guest, and the names
 * of a file's functions start with the file's.  Each is a pvf__hostcall_fn.
 */
#define PVF__HOSTCALL_DECLARE(name)                                                                \
    int pvf__hostcall_##name(                                                                      \
        struct pvf__hostcall_context *context, const uint64_t *args, uint64_t *ret);

/* hostcall_misc.c */
PVF__HOSTCALL_DECLARE(misc_print_num)
PVF__HOSTCALL_DECLARE(misc_print_utf8)
PVF__HOSTCALL_DECLARE(misc_print_hex)

/* hostcall_version.c */
PVF__HOSTCALL_DECLARE(version_of_blob)

/* hostcall_keystore.c */
PVF__HOSTCALL_DECLARE(keystore_ed25519_public_keys)
PVF__HOSTCALL_DECLARE(keystore_sr25519_public_keys)
PVF__HOSTCALL_DECLARE(keystore_ecdsa_public_keys)
PVF__HOSTCALL_DECLARE(keystore_ed25519_generate)
PVF__HOSTCALL_DECLARE(keystore_sr25519_generate)
PVF__HOSTCALL_DECLARE(keystore_ecdsa_generate)
PVF__HOSTCALL_DECLARE(keystore_ed25519_sign)
PVF__HOSTCALL_DECLARE(keystore_sr25519_sign)
PVF__HOSTCALL_DECLARE(keystore_ecdsa_sign)
PVF__HOSTCALL_DECLARE(keystore_ecdsa_sign_prehashed)

/* hostcall_verify.c */
PVF__HOSTCALL_DECLARE(verify_ed25519)
PVF__HOSTCALL_DECLARE(verify_ed25519_batch)
PVF__HOSTCALL_DECLARE(verify_sr25519_v1)
PVF__HOSTCALL_DECLARE(verify_sr25519_v2)
PVF__HOSTCALL_DECLARE(verify_sr25519_batch)
PVF__HOSTCALL_DECLARE(verify_ecdsa_v1)
PVF__HOSTCALL_DECLARE(verify_ecdsa_v2)
PVF__HOSTCALL_DECLARE(verify_ecdsa_prehashed)
PVF__HOSTCALL_DECLARE(verify_ecdsa_batch)
PVF__HOSTCALL_DECLARE(verify_start_batch)
PVF__HOSTCALL_DECLARE(verify_finish_batch)

/* hostcall_recover.c */
PVF__HOSTCALL_DECLARE(recover_v1)
PVF__HOSTCALL_DECLARE(recover_v2)
PVF__HOSTCALL_DECLARE(recover_compressed_v1)
PVF__HOSTCALL_DECLARE(recover_compressed_v2)

/* hostcall_hashing.c */
PVF__HOSTCALL_DECLARE(hashing_keccak_256)
PVF__HOSTCALL_DECLARE(hashing_keccak_512)
PVF__HOSTCALL_DECLARE(hashing_sha2_256)
PVF__HOSTCALL_DECLARE(hashing_blake2_128)
PVF__HOSTCALL_DECLARE(hashing_blake2_256)
PVF__HOSTCALL_DECLARE(hashing_twox_64)
PVF__HOSTCALL_DECLARE(hashing_twox_128)
PVF__HOSTCALL_DECLARE(hashing_twox_256)

/* hostcall_heap.c */
PVF__HOSTCALL_DECLARE(heap_malloc)
PVF__HOSTCALL_DECLARE(heap_free)

/* hostcall_logging.c */
PVF__HOSTCALL_DECLARE(logging_log)
PVF__HOSTCALL_DECLARE(logging_max_level)

/* hostcall_trie.c */
PVF__HOSTCALL_DECLARE(trie_blake2_root_v1)
PVF__HOSTCALL_DECLARE(trie_blake2_root_v2)
PVF__HOSTCALL_DECLARE(trie_blake2_ordered_root_v1)
PVF__HOSTCALL_DECLARE(trie_blake2_ordered_root_v2)
PVF__HOSTCALL_DECLARE(trie_blake2_verify_proof_v1)
PVF__HOSTCALL_DECLARE(trie_blake2_verify_proof_v2)
PVF__HOSTCALL_DECLARE(trie_keccak_root_v1)
PVF__HOSTCALL_DECLARE(trie_keccak_root_v2)
PVF__HOSTCALL_DECLARE(trie_keccak_ordered_root_v1)
PVF__HOSTCALL_DECLARE(trie_keccak_ordered_root_v2)
PVF__HOSTCALL_DECLARE(trie_keccak_verify_proof_v1)
PVF__HOSTCALL_DECLARE(trie_keccak_verify_proof_v2)

/* hostcall_ecc.c */
PVF__HOSTCALL_DECLARE(ecc_bls12_381_multi_miller_loop)
PVF__HOSTCALL_DECLARE(ecc_bls12_381_final_exponentiation)
PVF__HOSTCALL_DECLARE(ecc_bls12_381_msm_g1)
PVF__HOSTCALL_DECLARE(ecc_bls12_381_msm_g2)
PVF__HOSTCALL_DECLARE(ecc_bls12_381_mul_g1)
PVF__HOSTCALL_DECLARE(ecc_bls12_381_mul_g2)
PVF__HOSTCALL_DECLARE(ecc_bandersnatch_msm)
PVF__HOSTCALL_DECLARE(ecc_bandersnatch_mul)
PVF__HOSTCALL_DECLARE(ecc_pallas_msm)
PVF__HOSTCALL_DECLARE(ecc_pallas_mul)
PVF__HOSTCALL_DECLARE(ecc_vesta_msm)
PVF__HOSTCALL_DECLARE(ecc_vesta_mul)

#undef PVF__HOSTCALL_DECLARE

#endif
