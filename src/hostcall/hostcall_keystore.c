/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the functions of the interface "Crypto" that want private keys.  A PVF has none: they read
 * their arguments and trap.
 */
#include "base/text.h"
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"

/* Bytes of the name of a kind of keys. */
#define ID_LEN 4

static int no_keystore(struct pvf__hostcall_context *context)
{
    return pvf__marshal_panic(context, "No `keystore` associated for the current context!");
}

static int
public_keys(struct pvf__hostcall_context *context, const char *function, const uint64_t *args)
{
    const struct pvf__frame frame = {context, "Crypto", function};
    const uint8_t *id;
    if (pvf__marshal_fixed(&frame, "id", args[0], ID_LEN, &id) != 0) {
        return -1;
    }
    return no_keystore(context);
}

static int
generate(struct pvf__hostcall_context *context, const char *function, const uint64_t *args)
{
    const struct pvf__frame frame = {context, "Crypto", function};
    const uint8_t *id;
    bool some;
    struct pvf__slice seed = {NULL, 0};
    if (pvf__marshal_fixed(&frame, "id", args[0], ID_LEN, &id) != 0 ||
        pvf__marshal_option(&frame, "seed", args[1], &some, &seed) != 0) {
        return -1;
    }
    if (some && !pvf__text_is_utf8(seed.data, seed.len)) {
        return pvf__marshal_panic(context, "Seed is valid utf8!: it is not");
    }
    return no_keystore(context);
}

static int sign(struct pvf__hostcall_context *context,
                const char *function,
                uint32_t key_len,
                const uint64_t *args)
{
    const struct pvf__frame frame = {context, "Crypto", function};
    const uint8_t *id;
    const uint8_t *key;
    struct pvf__slice msg;
    if (pvf__marshal_fixed(&frame, "id", args[0], ID_LEN, &id) != 0 ||
        pvf__marshal_fixed(&frame, "pub_key", args[1], key_len, &key) != 0 ||
        pvf__marshal_fat(&frame, "msg", args[2], &msg) != 0) {
        return -1;
    }
    return no_keystore(context);
}

int pvf__hostcall_keystore_ed25519_public_keys(struct pvf__hostcall_context *context,
                                               const uint64_t *args,
                                               uint64_t *ret)
{
    (void)ret;
    return public_keys(context, "ed25519_public_keys", args);
}

int pvf__hostcall_keystore_sr25519_public_keys(struct pvf__hostcall_context *context,
                                               const uint64_t *args,
                                               uint64_t *ret)
{
    (void)ret;
    return public_keys(context, "sr25519_public_keys", args);
}

int pvf__hostcall_keystore_ecdsa_public_keys(struct pvf__hostcall_context *context,
                                             const uint64_t *args,
                                             uint64_t *ret)
{
    (void)ret;
    return public_keys(context, "ecdsa_public_keys", args);
}

int pvf__hostcall_keystore_ed25519_generate(struct pvf__hostcall_context *context,
                                            const uint64_t *args,
                                            uint64_t *ret)
{
    (void)ret;
    return generate(context, "ed25519_generate", args);
}

int pvf__hostcall_keystore_sr25519_generate(struct pvf__hostcall_context *context,
                                            const uint64_t *args,
                                            uint64_t *ret)
{
    (void)ret;
    return generate(context, "sr25519_generate", args);
}

int pvf__hostcall_keystore_ecdsa_generate(struct pvf__hostcall_context *context,
                                          const uint64_t *args,
                                          uint64_t *ret)
{
    (void)ret;
    return generate(context, "ecdsa_generate", args);
}

int pvf__hostcall_keystore_ed25519_sign(struct pvf__hostcall_context *context,
                                        const uint64_t *args,
                                        uint64_t *ret)
{
    (void)ret;
    return sign(context, "ed25519_sign", 32, args);
}

int pvf__hostcall_keystore_sr25519_sign(struct pvf__hostcall_context *context,
                                        const uint64_t *args,
                                        uint64_t *ret)
{
    (void)ret;
    return sign(context, "sr25519_sign", 32, args);
}

int pvf__hostcall_keystore_ecdsa_sign(struct pvf__hostcall_context *context,
                                      const uint64_t *args,
                                      uint64_t *ret)
{
    (void)ret;
    return sign(context, "ecdsa_sign", 33, args);
}

int pvf__hostcall_keystore_ecdsa_sign_prehashed(struct pvf__hostcall_context *context,
                                                const uint64_t *args,
                                                uint64_t *ret)
{
    (void)ret;
    const struct pvf__frame frame = {context, "Crypto", "ecdsa_sign_prehashed"};
    const uint8_t *bytes;
    if (pvf__marshal_fixed(&frame, "id", args[0], ID_LEN, &bytes) != 0 ||
        pvf__marshal_fixed(&frame, "pub_key", args[1], 33, &bytes) != 0 ||
        pvf__marshal_fixed(&frame, "msg", args[2], 32, &bytes) != 0) {
        return -1;
    }
    return no_keystore(context);
}
