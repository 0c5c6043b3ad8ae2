/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak against published answers, secp256k1 recovery against the reference's and by signing. */
#include "support/test.h"

#include "base/text.h"
#include "crypto/keccak.h"
#include "crypto/secp256k1.h"
#include "unit/crypto_vectors.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exactly `len` bytes, or the test ends. */
static void from_hex(const char *digits, uint8_t *out, size_t len)
{
    size_t got = 0;
    assert_true(pvf__text_from_hex(digits, out, len, &got));
    assert_int_equal(got, len);
}

static void assert_hex(const uint8_t *data, size_t len, const char *digits)
{
    char text[2 * 65 + 1];
    assert_true(len <= 65);
    pvf__text_to_hex(data, len, text);
    assert_string_equal(text, digits);
}

static void keccak_gives_the_published_answers(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *keccak_256;
        const char *keccak_512;
    } rows[] = {
        {"",
         "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
         "0eab42de4c3ceb9235fc91acffe746b29c29a8c366b7c60e4e67c466f36a4304"
         "c00fa9caf9d87976ba469bcbe06713b435f091ef2769fb160cdab33d3670680e"},
        {"abc",
         "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
         "18587dc2ea106b9a1563e32b3312421ca164c7f1f07bc922a9c83d77cea3a1e5"
         "d0c69910739025372dc14ac9642629379540c17e2a65b19d77aa511a9d00bb96"},
        {"The quick brown fox jumps over the lazy dog",
         "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15",
         "d135bb84d0439dbac432247ee573a23ea7d3c9deb2a968eb31d47c4fb45f1ef4"
         "422d6c531b5b9bd6f449ebcc449ea94d0a8f05f62130fda612da53c79659f609"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const uint8_t *data = (const uint8_t *)rows[i].text;
        uint8_t out[64];
        pvf__keccak_256(data, strlen(rows[i].text), out);
        assert_hex(out, 32, rows[i].keccak_256);
        pvf__keccak_512(data, strlen(rows[i].text), out);
        assert_hex(out, 64, rows[i].keccak_512);
    }
    uint8_t out[32];
    pvf__keccak_256(NULL, 0, out);
    assert_hex(out, 32, rows[0].keccak_256);
}

/* Lengths around each rate, every one hashed into one chain; the end was computed elsewhere. */
static void keccak_handles_every_length(void **state)
{
    (void)state;
    enum {
        LONGEST = 600
    };
    uint8_t data[LONGEST];
    for (unsigned i = 0; i < LONGEST; i++) {
        data[i] = (uint8_t)(i * 7 + 3);
    }
    static uint8_t chain[LONGEST * 96];
    for (unsigned len = 0; len < LONGEST; len++) {
        pvf__keccak_256(data, len, chain + (size_t)96 * len);
        pvf__keccak_512(data, len, chain + (size_t)96 * len + 32);
    }
    uint8_t out[32];
    pvf__keccak_256(chain, sizeof(chain), out);
    assert_hex(out, 32, "731c3c7236fd44fcc7f6b09fe2b50f0c179772e136c484e87e310d2501d1b3aa");

    const size_t big = (size_t)1 << 20;
    uint8_t *pattern = malloc(big);
    assert_non_null(pattern);
    for (size_t i = 0; i < big; i++) {
        pattern[i] = (uint8_t)(i % 251);
    }
    pvf__keccak_256(pattern, big, out);
    free(pattern);
    assert_hex(out, 32, "2fd6b833d9e25ae8d7dda1c3ed07af04df131ce89010c888534d4e825e40e875");
}

static void recovery_is_the_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(recover_vectors) / sizeof(recover_vectors[0]); i++) {
        const struct recover_vector *row = &recover_vectors[i];
        uint8_t sig[65];
        uint8_t hash[32];
        uint8_t out[65];
        from_hex(row->sig, sig, sizeof(sig));
        from_hex(row->hash, hash, sizeof(hash));
        memset(out, 0xAA, sizeof(out));
        int result = row->compressed != 0
                         ? pvf__secp256k1_recover_compressed(sig, hash, row->reduce, true, out + 1)
                         : pvf__secp256k1_recover(sig, hash, row->reduce, true, out + 1);
        if (result == PVF__SECP256K1_OK) {
            out[0] = 0;
            assert_hex(out, row->compressed != 0 ? 34 : 65, row->result);
        } else {
            /* Nothing was written. */
            assert_int_equal(out[1], 0xAA);
            assert_int_equal(out[64], 0xAA);
            out[0] = 1;
            out[1] = (uint8_t)(result - 1);
            assert_hex(out, 2, row->result);
        }
    }
}

static void verification_is_the_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(verify_vectors) / sizeof(verify_vectors[0]); i++) {
        const struct verify_vector *row = &verify_vectors[i];
        uint8_t sig[65];
        uint8_t hash[32];
        uint8_t key[33];
        from_hex(row->sig, sig, sizeof(sig));
        from_hex(row->hash, hash, sizeof(hash));
        from_hex(row->key, key, sizeof(key));
        assert_int_equal(pvf__secp256k1_verify(sig, hash, key, row->reduce), row->good);
    }
}

struct signer {
    secp256k1_context *context;
    uint8_t key[33];
    uint8_t xy[64];
    uint8_t hash[32];
    uint8_t sig[65];
};

static void sign(struct signer *signer, uint8_t seed)
{
    uint8_t secret[32];
    memset(secret, seed, sizeof(secret));
    for (unsigned i = 0; i < 32; i++) {
        signer->hash[i] = (uint8_t)(seed * 31U + i);
    }
    secp256k1_ecdsa_recoverable_signature made;
    int id = -1;
    assert_int_equal(
        secp256k1_ecdsa_sign_recoverable(signer->context, &made, signer->hash, secret, NULL, NULL),
        1);
    assert_int_equal(secp256k1_ecdsa_recoverable_signature_serialize_compact(
                         signer->context, signer->sig, &id, &made),
                     1);
    signer->sig[64] = (uint8_t)id;
    secp256k1_pubkey point;
    assert_int_equal(secp256k1_ec_pubkey_create(signer->context, &point, secret), 1);
    uint8_t form[65];
    size_t len = sizeof(form);
    assert_int_equal(secp256k1_ec_pubkey_serialize(
                         signer->context, form, &len, &point, SECP256K1_EC_UNCOMPRESSED),
                     1);
    memcpy(signer->xy, form + 1, 64);
    signer->key[0] = (form[64] & 1) != 0 ? 3 : 2;
    memcpy(signer->key + 1, form + 1, 32);
}

/* n - value, big endian. */
static void negate(uint8_t scalar[32])
{
    uint8_t order[32];
    from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", order, 32);
    int borrow = 0;
    for (int i = 31; i >= 0; i--) {
        int digit = order[i] - scalar[i] - borrow;
        borrow = digit < 0;
        scalar[i] = (uint8_t)(digit & 255);
    }
}

static void one_signature_in_all_its_forms(const struct signer *signer)
{
    uint8_t sig[65];
    uint8_t out[64];
    memcpy(sig, signer->sig, sizeof(sig));
    assert_int_equal(pvf__secp256k1_recover(sig, signer->hash, false, false, out), 0);
    assert_memory_equal(out, signer->xy, 64);
    assert_true(pvf__secp256k1_verify(sig, signer->hash, signer->key, true));

    /* v by the old count: taken by recovery that is told so, never by verification. */
    sig[64] = (uint8_t)(sig[64] + 27);
    assert_int_equal(pvf__secp256k1_recover(sig, signer->hash, false, true, out), 0);
    assert_memory_equal(out, signer->xy, 64);
    assert_int_equal(pvf__secp256k1_recover(sig, signer->hash, false, false, out),
                     PVF__SECP256K1_BAD_V);
    assert_false(pvf__secp256k1_verify(sig, signer->hash, signer->key, true));

    /* The high s of the same signature, with the other parity, is as good. */
    memcpy(sig, signer->sig, sizeof(sig));
    negate(sig + 32);
    sig[64] ^= 1;
    assert_true(pvf__secp256k1_verify(sig, signer->hash, signer->key, false));

    /* Another key, hash or form of the key is not. */
    uint8_t key[33];
    memcpy(key, signer->key, sizeof(key));
    key[0] ^= 1;
    assert_false(pvf__secp256k1_verify(signer->sig, signer->hash, key, false));
    key[0] = 4;
    assert_false(pvf__secp256k1_verify(signer->sig, signer->hash, key, false));
    uint8_t hash[32];
    memcpy(hash, signer->hash, sizeof(hash));
    hash[31] ^= 1;
    assert_false(pvf__secp256k1_verify(signer->sig, hash, signer->key, false));
}

static void signatures_recover_to_their_key(void **state)
{
    (void)state;
    secp256k1_selftest();
    struct signer signer = {.context = secp256k1_context_create(SECP256K1_CONTEXT_NONE)};
    assert_non_null(signer.context);
    for (uint8_t seed = 1; seed < 40; seed++) {
        sign(&signer, seed);
        one_signature_in_all_its_forms(&signer);
    }
    secp256k1_context_destroy(signer.context);
}

/* Every v, with r and s good, too large and zero: the order of the checks shows. */
static void checks_come_in_the_references_order(void **state)
{
    (void)state;
    uint8_t hash[32] = {1};
    uint8_t xy[64];
    for (unsigned v = 0; v < 256; v++) {
        uint8_t sig[65];
        memset(sig, 0xFF, sizeof(sig));
        sig[64] = (uint8_t)v;
        const bool plain = v < 4;
        const bool legacy = plain || (v >= 27 && v < 31);
        assert_int_equal(pvf__secp256k1_recover(sig, hash, false, false, xy),
                         plain ? PVF__SECP256K1_BAD_RS : PVF__SECP256K1_BAD_V);
        assert_int_equal(pvf__secp256k1_recover(sig, hash, false, true, xy),
                         legacy ? PVF__SECP256K1_BAD_RS : PVF__SECP256K1_BAD_V);
        memset(sig, 0, 64);
        assert_int_equal(pvf__secp256k1_recover(sig, hash, false, true, xy),
                         legacy ? PVF__SECP256K1_BAD_SIGNATURE : PVF__SECP256K1_BAD_V);
        /* The order itself is zero once reduced. */
        negate(sig);
        negate(sig + 32);
        assert_int_equal(pvf__secp256k1_recover(sig, hash, true, true, xy),
                         legacy ? PVF__SECP256K1_BAD_SIGNATURE : PVF__SECP256K1_BAD_V);
        assert_int_equal(pvf__secp256k1_recover(sig, hash, false, true, xy),
                         legacy ? PVF__SECP256K1_BAD_RS : PVF__SECP256K1_BAD_V);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keccak_gives_the_published_answers),
        cmocka_unit_test(keccak_handles_every_length),
        cmocka_unit_test(recovery_is_the_references),
        cmocka_unit_test(verification_is_the_references),
        cmocka_unit_test(signatures_recover_to_their_key),
        cmocka_unit_test(checks_come_in_the_references_order),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
