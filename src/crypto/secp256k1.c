/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the border to libsecp256k1.  Signatures, hashes and keys are a stranger's bytes; the
 * library ends the process on a recovery id outside 0..3, so that one is checked here.
 */
#include "crypto/secp256k1.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>

#define MAX_RECOVERY_ID 3
#define LEGACY_V 27

/* n, the order of the group, big endian (SEC 2, version 2.0, 2.4.1). */
static const uint8_t order[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                  0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xBA, 0xAE, 0xDC, 0xE6, 0xAF, 0x48,
                                  0xA0, 0x3B, 0xBF, 0xD2, 0x5E, 0x8C, 0xD0, 0x36, 0x41, 0x41};

/* One subtraction is enough: 2n is above every 32-byte number. */
static void reduce_scalar(uint8_t scalar[32])
{
    if (memcmp(scalar, order, sizeof(order)) < 0) {
        return;
    }
    unsigned borrow = 0;
    for (unsigned i = 32; i-- > 0;) {
        unsigned taken = order[i] + borrow;
        borrow = scalar[i] < taken ? 1 : 0;
        scalar[i] = (uint8_t)(scalar[i] - taken);
    }
}

static int recover_point(const uint8_t sig[65],
                         const uint8_t hash[32],
                         bool reduce,
                         bool legacy_v,
                         secp256k1_pubkey *ret)
{
    int id = sig[64];
    if (legacy_v && id >= LEGACY_V) {
        id -= LEGACY_V;
    }
    if (id > MAX_RECOVERY_ID) {
        return PVF__SECP256K1_BAD_V;
    }
    uint8_t compact[64];
    memcpy(compact, sig, sizeof(compact));
    if (reduce) {
        reduce_scalar(compact);
        reduce_scalar(compact + 32);
    }
    /* The static context allocates nothing and serves everything that needs no secret. */
    secp256k1_ecdsa_recoverable_signature parsed;
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(
            secp256k1_context_static, &parsed, compact, id) == 0) {
        return PVF__SECP256K1_BAD_RS;
    }
    if (secp256k1_ecdsa_recover(secp256k1_context_static, ret, &parsed, hash) == 0) {
        return PVF__SECP256K1_BAD_SIGNATURE;
    }
    return PVF__SECP256K1_OK;
}

int pvf__secp256k1_recover(
    const uint8_t sig[65], const uint8_t hash[32], bool reduce, bool legacy_v, uint8_t xy[64])
{
    secp256k1_pubkey point;
    int result = recover_point(sig, hash, reduce, legacy_v, &point);
    if (result == PVF__SECP256K1_OK) {
        uint8_t form[65];
        size_t len = sizeof(form);
        /* Always 1 for a key that the library itself made. */
        (void)secp256k1_ec_pubkey_serialize(
            secp256k1_context_static, form, &len, &point, SECP256K1_EC_UNCOMPRESSED);
        memcpy(xy, form + 1, 64);
    }
    return result;
}

int pvf__secp256k1_recover_compressed(
    const uint8_t sig[65], const uint8_t hash[32], bool reduce, bool legacy_v, uint8_t key[33])
{
    secp256k1_pubkey point;
    int result = recover_point(sig, hash, reduce, legacy_v, &point);
    if (result == PVF__SECP256K1_OK) {
        size_t len = 33;
        (void)secp256k1_ec_pubkey_serialize(
            secp256k1_context_static, key, &len, &point, SECP256K1_EC_COMPRESSED);
    }
    return result;
}

bool pvf__secp256k1_verify(const uint8_t sig[65],
                           const uint8_t hash[32],
                           const uint8_t key[33],
                           bool reduce)
{
    uint8_t recovered[33];
    return pvf__secp256k1_recover_compressed(sig, hash, reduce, false, recovered) ==
               PVF__SECP256K1_OK &&
           memcmp(recovered, key, sizeof(recovered)) == 0;
}
