/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the examples' input: a PVF of 38 KB and a candidate for it, read from tests/data/adder.  A
 * real embedder gets these bytes from the relay chain and from the candidate's collator.
 */
#ifndef ADDER_H
#define ADDER_H

#include <pvf/pvf.h>

#include <stdio.h>
#include <string.h>

/* pvd.scale, a SCALE PersistedValidationData; its head is so short that two bytes tell its length.
 */
struct adder_pvd {
    uint8_t head_len[2];
    uint8_t head[72];
    uint8_t relay_parent_number[4];
    uint8_t relay_parent_storage_root[32];
    uint8_t max_pov_size[4];
};

struct adder {
    uint8_t code[65536];
    uint8_t block_data[16];
    struct adder_pvd pvd;
};

static inline uint32_t adder_u32(const uint8_t bytes[4])
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* How many bytes there were, at most `size`. */
static inline size_t adder_read(const char *folder, const char *name, void *to, size_t size)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    size_t len = file != NULL ? fread(to, 1, size, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    return len;
}

/* The candidate points into `to`.  False: the folder is not tests/data/adder. */
static inline bool adder_load(const char *folder, struct adder *to, pvf_candidate *ret)
{
    size_t len = adder_read(folder, "code.wasm", to->code, sizeof(to->code));
    if (len == 0 ||
        adder_read(folder, "block_data.bin", to->block_data, sizeof(to->block_data)) !=
            sizeof(to->block_data) ||
        adder_read(folder, "pvd.scale", &to->pvd, sizeof(to->pvd)) != sizeof(to->pvd)) {
        (void)fprintf(stderr, "%s is not tests/data/adder\n", folder);
        return false;
    }
    memset(ret, 0, sizeof(*ret));
    ret->kind = PVF_EXEC_APPROVAL;
    ret->retry = true; /* as a validator would */
    ret->code.code.data = to->code;
    ret->code.code.len = len;
    ret->execution.parent_head.data = to->pvd.head;
    ret->execution.parent_head.len = sizeof(to->pvd.head);
    ret->execution.relay_parent_number = adder_u32(to->pvd.relay_parent_number);
    memcpy(ret->execution.relay_parent_storage_root, to->pvd.relay_parent_storage_root, 32);
    ret->execution.max_pov_size = adder_u32(to->pvd.max_pov_size);
    ret->execution.pov.data = to->block_data;
    ret->execution.pov.len = sizeof(to->block_data);
    ret->execution.descriptor_version = PVF_DESCRIPTOR_V2;
    return true;
}

#endif
