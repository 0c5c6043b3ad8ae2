/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the recovery of secp256k1 keys in the interface "Crypto". */
#include "crypto/secp256k1.h"
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"

/*
 * Result in SCALE: 00 and the key, or 01 and the error's number, which is that of
 * enum pvf__secp256k1_result less one.
 */
static int give_result(struct pvf__hostcall_context *context,
                       int result,
                       uint8_t *encoded,
                       size_t key_len,
                       uint64_t *ret)
{
    if (result == PVF__SECP256K1_OK) {
        encoded[0] = 0;
        return pvf__marshal_return_fat(context, encoded, 1 + key_len, ret);
    }
    encoded[0] = 1;
    encoded[1] = (uint8_t)(result - 1);
    return pvf__marshal_return_fat(context, encoded, 2, ret);
}

static int read_args(const struct pvf__frame *frame,
                     const uint64_t *args,
                     const uint8_t **ret_sig,
                     const uint8_t **ret_hash)
{
    if (pvf__marshal_fixed(frame, "sig", args[0], 65, ret_sig) != 0 ||
        pvf__marshal_fixed(frame, "msg", args[1], 32, ret_hash) != 0) {
        return -1;
    }
    return 0;
}

static int
recover(struct pvf__hostcall_context *context, bool reduce, const uint64_t *args, uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Crypto", "secp256k1_ecdsa_recover"};
    const uint8_t *sig;
    const uint8_t *hash;
    if (read_args(&frame, args, &sig, &hash) != 0) {
        return -1;
    }
    uint8_t encoded[1 + 64];
    int result = pvf__secp256k1_recover(sig, hash, reduce, true, encoded + 1);
    return give_result(context, result, encoded, 64, ret);
}

static int recover_compressed(struct pvf__hostcall_context *context,
                              bool reduce,
                              const uint64_t *args,
                              uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Crypto", "secp256k1_ecdsa_recover_compressed"};
    const uint8_t *sig;
    const uint8_t *hash;
    if (read_args(&frame, args, &sig, &hash) != 0) {
        return -1;
    }
    uint8_t encoded[1 + 33];
    int result = pvf__secp256k1_recover_compressed(sig, hash, reduce, true, encoded + 1);
    return give_result(context, result, encoded, 33, ret);
}

int pvf__hostcall_recover_v1(struct pvf__hostcall_context *context,
                             const uint64_t *args,
                             uint64_t *ret)
{
    return recover(context, true, args, ret);
}

int pvf__hostcall_recover_v2(struct pvf__hostcall_context *context,
                             const uint64_t *args,
                             uint64_t *ret)
{
    return recover(context, false, args, ret);
}

int pvf__hostcall_recover_compressed_v1(struct pvf__hostcall_context *context,
                                        const uint64_t *args,
                                        uint64_t *ret)
{
    return recover_compressed(context, true, args, ret);
}

int pvf__hostcall_recover_compressed_v2(struct pvf__hostcall_context *context,
                                        const uint64_t *args,
                                        uint64_t *ret)
{
    return recover_compressed(context, false, args, ret);
}
