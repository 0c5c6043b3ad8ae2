/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the interface "Trie". */
#include "base/cleanup.h"
#include "hostcall/hostcall_calls.h"
#include "hostcall/marshal.h"
#include "trie/trie.h"

/* Version 1 of each function has no parameter for the state version, and means version 0. */
struct variant {
    const char *function;
    enum pvf__trie_hash hash;
    bool versioned;
};

static int read_version(const struct pvf__frame *frame,
                        const struct variant *variant,
                        const uint64_t *args,
                        unsigned index,
                        unsigned *ret)
{
    if (!variant->versioned) {
        *ret = 0;
        return 0;
    }
    uint8_t version;
    if (pvf__marshal_enum(frame, "version", args[index], 2, "sp_storage::StateVersion", &version) !=
        0) {
        return -1;
    }
    /* There are two state versions, and two numbers for the second. */
    *ret = version == 0 ? 0 : 1;
    return 0;
}

static int root(struct pvf__hostcall_context *context,
                const struct variant *variant,
                const uint64_t *args,
                uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Trie", variant->function};
    PVF__CLEANUP_FREE struct pvf__trie_pair *pairs = NULL;
    size_t count = 0;
    unsigned version = 0;
    if (pvf__marshal_pairs(&frame, "input", args[0], &pairs, &count) != 0 ||
        read_version(&frame, variant, args, 1, &version) != 0) {
        return -1;
    }
    uint8_t hash[32];
    if (pvf__trie_root(variant->hash, version, pairs, count, hash) != 0) {
        pvf__marshal_no_memory(context);
    }
    return pvf__marshal_return(context, hash, sizeof(hash), ret);
}

static int ordered_root(struct pvf__hostcall_context *context,
                        const struct variant *variant,
                        const uint64_t *args,
                        uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Trie", variant->function};
    PVF__CLEANUP_FREE struct pvf__slice *values = NULL;
    size_t count = 0;
    unsigned version = 0;
    if (pvf__marshal_list(&frame, "input", args[0], &values, &count) != 0 ||
        read_version(&frame, variant, args, 1, &version) != 0) {
        return -1;
    }
    uint8_t hash[32];
    if (pvf__trie_ordered_root(variant->hash, version, values, count, hash) != 0) {
        pvf__marshal_no_memory(context);
    }
    return pvf__marshal_return(context, hash, sizeof(hash), ret);
}

static int verify_proof(struct pvf__hostcall_context *context,
                        const struct variant *variant,
                        const uint64_t *args,
                        uint64_t *ret)
{
    const struct pvf__frame frame = {context, "Trie", variant->function};
    const uint8_t *top;
    PVF__CLEANUP_FREE struct pvf__slice *nodes = NULL;
    size_t count = 0;
    struct pvf__slice key;
    struct pvf__slice value;
    unsigned version = 0;
    if (pvf__marshal_fixed(&frame, "root", args[0], 32, &top) != 0 ||
        pvf__marshal_list(&frame, "proof", args[1], &nodes, &count) != 0 ||
        pvf__marshal_fat(&frame, "key", args[2], &key) != 0 ||
        pvf__marshal_fat(&frame, "value", args[3], &value) != 0 ||
        read_version(&frame, variant, args, 4, &version) != 0) {
        return -1;
    }
    int proven = pvf__trie_verify_proof(variant->hash, version, top, nodes, count, key, value);
    if (proven < 0) {
        pvf__marshal_no_memory(context);
    }
    *ret = proven > 0 ? 1 : 0;
    return 0;
}

#define BLAKE2(name, versioned)                                                                    \
    {                                                                                              \
        "blake2_256_" name, PVF__TRIE_BLAKE2_256, versioned                                        \
    }
#define KECCAK(name, versioned)                                                                    \
    {                                                                                              \
        "keccak_256_" name, PVF__TRIE_KECCAK_256, versioned                                        \
    }

int pvf__hostcall_trie_blake2_root_v1(struct pvf__hostcall_context *context,
                                      const uint64_t *args,
                                      uint64_t *ret)
{
    static const struct variant variant = BLAKE2("root", false);
    return root(context, &variant, args, ret);
}

int pvf__hostcall_trie_blake2_root_v2(struct pvf__hostcall_context *context,
                                      const uint64_t *args,
                                      uint64_t *ret)
{
    static const struct variant variant = BLAKE2("root", true);
    return root(context, &variant, args, ret);
}

int pvf__hostcall_trie_keccak_root_v1(struct pvf__hostcall_context *context,
                                      const uint64_t *args,
                                      uint64_t *ret)
{
    static const struct variant variant = KECCAK("root", false);
    return root(context, &variant, args, ret);
}

int pvf__hostcall_trie_keccak_root_v2(struct pvf__hostcall_context *context,
                                      const uint64_t *args,
                                      uint64_t *ret)
{
    static const struct variant variant = KECCAK("root", true);
    return root(context, &variant, args, ret);
}

int pvf__hostcall_trie_blake2_ordered_root_v1(struct pvf__hostcall_context *context,
                                              const uint64_t *args,
                                              uint64_t *ret)
{
    static const struct variant variant = BLAKE2("ordered_root", false);
    return ordered_root(context, &variant, args, ret);
}

int pvf__hostcall_trie_blake2_ordered_root_v2(struct pvf__hostcall_context *context,
                                              const uint64_t *args,
                                              uint64_t *ret)
{
    static const struct variant variant = BLAKE2("ordered_root", true);
    return ordered_root(context, &variant, args, ret);
}

int pvf__hostcall_trie_keccak_ordered_root_v1(struct pvf__hostcall_context *context,
                                              const uint64_t *args,
                                              uint64_t *ret)
{
    static const struct variant variant = KECCAK("ordered_root", false);
    return ordered_root(context, &variant, args, ret);
}

int pvf__hostcall_trie_keccak_ordered_root_v2(struct pvf__hostcall_context *context,
                                              const uint64_t *args,
                                              uint64_t *ret)
{
    static const struct variant variant = KECCAK("ordered_root", true);
    return ordered_root(context, &variant, args, ret);
}

int pvf__hostcall_trie_blake2_verify_proof_v1(struct pvf__hostcall_context *context,
                                              const uint64_t *args,
                                              uint64_t *ret)
{
    static const struct variant variant = BLAKE2("verify_proof", false);
    return verify_proof(context, &variant, args, ret);
}

int pvf__hostcall_trie_blake2_verify_proof_v2(struct pvf__hostcall_context *context,
                                              const uint64_t *args,
                                              uint64_t *ret)
{
    static const struct variant variant = BLAKE2("verify_proof", true);
    return verify_proof(context, &variant, args, ret);
}

int pvf__hostcall_trie_keccak_verify_proof_v1(struct pvf__hostcall_context *context,
                                              const uint64_t *args,
                                              uint64_t *ret)
{
    static const struct variant variant = KECCAK("verify_proof", false);
    return verify_proof(context, &variant, args, ret);
}

int pvf__hostcall_trie_keccak_verify_proof_v2(struct pvf__hostcall_context *context,
                                              const uint64_t *args,
                                              uint64_t *ret)
{
    static const struct variant variant = KECCAK("verify_proof", true);
    return verify_proof(context, &variant, args, ret);
}
