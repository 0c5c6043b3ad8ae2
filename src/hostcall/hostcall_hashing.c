/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the interface "Hashing".  Trusts the provider. */
#include "crypto/keccak.h"
#include "hash/hash.h"
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"

/* All functions take one fat pointer, `data`. */
static int input(struct pvf__hostcall_context *context,
                 const char *function,
                 const uint64_t *args,
                 struct pvf__slice *ret)
{
    const struct pvf__frame frame = {context, "Hashing", function};
    return pvf__marshal_fat(&frame, "data", args[0], ret);
}

static int by_provider(struct pvf__hostcall_context *context,
                       const char *function,
                       enum pvf__provider_hash kind,
                       size_t size,
                       const uint64_t *args,
                       uint64_t *ret)
{
    struct pvf__slice data;
    if (input(context, function, args, &data) != 0) {
        return -1;
    }
    uint8_t digest[32];
    if (context->provider->hash((unsigned)kind, data.data, data.len, digest) != 0) {
        return pvf__marshal_panic(context, "the hash function failed");
    }
    return pvf__marshal_return(context, digest, size, ret);
}

/* Inline, so that `hash` is no pointer any more: keys of storage are hashed all the time. */
static inline int by_hash(struct pvf__hostcall_context *context,
                          const char *function,
                          void (*hash)(const uint8_t *data, size_t len, uint8_t *out),
                          size_t size,
                          const uint64_t *args,
                          uint64_t *ret)
{
    struct pvf__slice data;
    if (input(context, function, args, &data) != 0) {
        return -1;
    }
    uint8_t digest[64];
    hash(data.data, data.len, digest);
    return pvf__marshal_return(context, digest, size, ret);
}

int pvf__hostcall_hashing_keccak_256(struct pvf__hostcall_context *context,
                                     const uint64_t *args,
                                     uint64_t *ret)
{
    return by_hash(context, "keccak_256", pvf__keccak_256, 32, args, ret);
}

int pvf__hostcall_hashing_keccak_512(struct pvf__hostcall_context *context,
                                     const uint64_t *args,
                                     uint64_t *ret)
{
    return by_hash(context, "keccak_512", pvf__keccak_512, 64, args, ret);
}

int pvf__hostcall_hashing_sha2_256(struct pvf__hostcall_context *context,
                                   const uint64_t *args,
                                   uint64_t *ret)
{
    return by_provider(context, "sha2_256", PVF__PROVIDER_SHA2_256, 32, args, ret);
}

int pvf__hostcall_hashing_blake2_128(struct pvf__hostcall_context *context,
                                     const uint64_t *args,
                                     uint64_t *ret)
{
    return by_provider(context, "blake2_128", PVF__PROVIDER_BLAKE2B_128, 16, args, ret);
}

int pvf__hostcall_hashing_blake2_256(struct pvf__hostcall_context *context,
                                     const uint64_t *args,
                                     uint64_t *ret)
{
    return by_provider(context, "blake2_256", PVF__PROVIDER_BLAKE2B_256, 32, args, ret);
}

int pvf__hostcall_hashing_twox_64(struct pvf__hostcall_context *context,
                                  const uint64_t *args,
                                  uint64_t *ret)
{
    return by_hash(context, "twox_64", pvf__hash_twox_64, 8, args, ret);
}

int pvf__hostcall_hashing_twox_128(struct pvf__hostcall_context *context,
                                   const uint64_t *args,
                                   uint64_t *ret)
{
    return by_hash(context, "twox_128", pvf__hash_twox_128, 16, args, ret);
}

int pvf__hostcall_hashing_twox_256(struct pvf__hostcall_context *context,
                                   const uint64_t *args,
                                   uint64_t *ret)
{
    return by_hash(context, "twox_256", pvf__hash_twox_256, 32, args, ret);
}
