/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the verification of signatures in the interface "Crypto", and the state of the batch.
 * "Batch" is a name of the past: each signature is verified at once, and the batch only remembers
 * whether all were good.
 */
#include "crypto/secp256k1.h"
#include "hash/hash.h"
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"

struct signed_message {
    const uint8_t *sig;
    struct pvf__slice msg;
    const uint8_t *key;
};

/* The parameters of all functions here but one: sig, msg, pub_key. */
static int read_signed(const struct pvf__frame *frame,
                       const uint64_t *args,
                       uint32_t sig_len,
                       uint32_t key_len,
                       struct signed_message *ret)
{
    if (pvf__marshal_fixed(frame, "sig", args[0], sig_len, &ret->sig) != 0 ||
        pvf__marshal_fat(frame, "msg", args[1], &ret->msg) != 0 ||
        pvf__marshal_fixed(frame, "pub_key", args[2], key_len, &ret->key) != 0) {
        return -1;
    }
    return 0;
}

/* Turns the provider's verdict into the guest's. */
static int answer(struct pvf__hostcall_context *context, int verdict, uint64_t *ret)
{
    if (verdict < 0) {
        return pvf__marshal_panic(context, "the verification failed");
    }
    *ret = verdict > 0 ? 1 : 0;
    return 0;
}

int pvf__hostcall_verify_ed25519(struct pvf__hostcall_context *context,
                                 const uint64_t *args,
                                 uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Crypto", "ed25519_verify"};
    struct signed_message in;
    if (read_signed(&frame, args, 64, 32, &in) != 0) {
        return -1;
    }
    int verdict = context->provider->ed25519_verify(in.sig, in.msg.data, in.msg.len, in.key);
    return answer(context, verdict, ret);
}

/* Traps for every signature: the reference's function borrows twice what may be borrowed once. */
int pvf__hostcall_verify_ed25519_batch(struct pvf__hostcall_context *context,
                                       const uint64_t *args,
                                       uint64_t *ret)
{
    (void)ret;
    const struct pvf__frame frame = {context, "Crypto", "ed25519_batch_verify"};
    struct signed_message in;
    if (read_signed(&frame, args, 64, 32, &in) != 0) {
        return -1;
    }
    return pvf__marshal_panic(context, "RefCell already borrowed");
}

static int verify_sr25519(struct pvf__hostcall_context *context,
                          const char *function,
                          bool deprecated,
                          const uint64_t *args,
                          uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Crypto", function};
    struct signed_message in;
    if (read_signed(&frame, args, 64, 32, &in) != 0) {
        return -1;
    }
    int verdict =
        context->provider->sr25519_verify(in.sig, in.msg.data, in.msg.len, in.key, deprecated);
    return answer(context, verdict, ret);
}

int pvf__hostcall_verify_sr25519_v1(struct pvf__hostcall_context *context,
                                    const uint64_t *args,
                                    uint64_t *ret)
{
    return verify_sr25519(context, "sr25519_verify", true, args, ret);
}

int pvf__hostcall_verify_sr25519_v2(struct pvf__hostcall_context *context,
                                    const uint64_t *args,
                                    uint64_t *ret)
{
    return verify_sr25519(context, "sr25519_verify", false, args, ret);
}

/* Lets the batch, if one was started, remember a verdict. */
static void note(struct pvf__hostcall_context *context, uint64_t verdict)
{
    context->batch_good = context->batch_good && verdict != 0;
}

int pvf__hostcall_verify_sr25519_batch(struct pvf__hostcall_context *context,
                                       const uint64_t *args,
                                       uint64_t *ret)
{
    if (verify_sr25519(context, "sr25519_batch_verify", false, args, ret) != 0) {
        return -1;
    }
    note(context, *ret);
    return 0;
}

/* `reduce`: r and s of any size are taken modulo the group order, as in version 1. */
static int verify_ecdsa(struct pvf__hostcall_context *context,
                        const char *function,
                        bool reduce,
                        const uint64_t *args,
                        uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Crypto", function};
    struct signed_message in;
    if (read_signed(&frame, args, 65, 33, &in) != 0) {
        return -1;
    }
    uint8_t hash[32];
    pvf__hash_blake2b_256(in.msg.data, in.msg.len, hash);
    *ret = pvf__secp256k1_verify(in.sig, hash, in.key, reduce) ? 1 : 0;
    return 0;
}

int pvf__hostcall_verify_ecdsa_v1(struct pvf__hostcall_context *context,
                                  const uint64_t *args,
                                  uint64_t *ret)
{
    return verify_ecdsa(context, "ecdsa_verify", true, args, ret);
}

int pvf__hostcall_verify_ecdsa_v2(struct pvf__hostcall_context *context,
                                  const uint64_t *args,
                                  uint64_t *ret)
{
    return verify_ecdsa(context, "ecdsa_verify", false, args, ret);
}

int pvf__hostcall_verify_ecdsa_batch(struct pvf__hostcall_context *context,
                                     const uint64_t *args,
                                     uint64_t *ret)
{
    if (verify_ecdsa(context, "ecdsa_batch_verify", false, args, ret) != 0) {
        return -1;
    }
    note(context, *ret);
    return 0;
}

int pvf__hostcall_verify_ecdsa_prehashed(struct pvf__hostcall_context *context,
                                         const uint64_t *args,
                                         uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Crypto", "ecdsa_verify_prehashed"};
    const uint8_t *sig;
    const uint8_t *hash;
    const uint8_t *key;
    if (pvf__marshal_fixed(&frame, "sig", args[0], 65, &sig) != 0 ||
        pvf__marshal_fixed(&frame, "msg", args[1], 32, &hash) != 0 ||
        pvf__marshal_fixed(&frame, "pub_key", args[2], 33, &key) != 0) {
        return -1;
    }
    *ret = pvf__secp256k1_verify(sig, hash, key, false) ? 1 : 0;
    return 0;
}

int pvf__hostcall_verify_start_batch(struct pvf__hostcall_context *context,
                                     const uint64_t *args,
                                     uint64_t *ret)
{
    (void)args;
    (void)ret;
    if (context->batch_started) {
        return pvf__marshal_panic(context,
                                  "Failed to register required extension: `VerificationExt`: "
                                  "ExtensionAlreadyRegistered");
    }
    context->batch_started = true;
    context->batch_good = true;
    return 0;
}

int pvf__hostcall_verify_finish_batch(struct pvf__hostcall_context *context,
                                      const uint64_t *args,
                                      uint64_t *ret)
{
    (void)args;
    if (!context->batch_started) {
        return pvf__marshal_panic(
            context, "`finish_batch_verify` should only be called after `start_batch_verify`");
    }
    *ret = context->batch_good ? 1 : 0;
    context->batch_started = false;
    return 0;
}
