/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_VALIDATION_H
#define PVF_PROTO_VALIDATION_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/slice.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decoded slices point into the bytes that were decoded. */

struct pvf__persisted_validation_data {
    struct pvf__slice parent_head;
    uint32_t relay_parent_number;
    uint8_t relay_parent_storage_root[32];
    uint32_t max_pov_size; /* bytes */
};

PVF__NODISCARD bool pvf__persisted_validation_data_get(struct pvf__cursor *cursor,
                                                       struct pvf__persisted_validation_data *ret);
void pvf__persisted_validation_data_put(struct pvf__buf *buf,
                                        const struct pvf__persisted_validation_data *pvd);

/* A whole file; bytes after the value are refused. */
PVF__NODISCARD int pvf__persisted_validation_data_decode(const uint8_t *data,
                                                         size_t len,
                                                         struct pvf__persisted_validation_data *ret,
                                                         pvf_error *err);

/*
 * The input of a guest's validate_block:
 * parent_head Vec<u8> | block_data Vec<u8> | relay_parent_number u32 | storage root 32,
 * and for candidates with a V3 descriptor: 03 | relay_parent 32 | scheduling_parent 32.
 */
struct pvf__validation_params {
    struct pvf__slice parent_head;
    struct pvf__slice block_data; /* decompressed */
    uint32_t relay_parent_number;
    uint8_t relay_parent_storage_root[32];
    bool has_v3;
    uint8_t relay_parent[32];
    uint8_t scheduling_parent[32];
};

/*
 * Accepts the value with or without the V3 part.  What follows is not looked at: *ret_left is its
 * length.
 */
PVF__NODISCARD int pvf__validation_params_decode(const uint8_t *data,
                                                 size_t len,
                                                 struct pvf__validation_params *ret,
                                                 size_t *ret_left,
                                                 pvf_error *err);
void pvf__validation_params_encode(const struct pvf__validation_params *params,
                                   struct pvf__buf *buf);

/* The same in two parts, so that block data need not be copied: what is before and after it. */
void pvf__validation_params_put_front(struct pvf__buf *buf,
                                      const struct pvf__validation_params *params);
void pvf__validation_params_put_back(struct pvf__buf *buf,
                                     const struct pvf__validation_params *params);

/* Messages of either direction that a result may hold. */
#define PVF__VALIDATION_MESSAGES_MAX 16384u

/* The output of validate_block.  The two lists are checked but stay encoded. */
struct pvf__validation_result {
    struct pvf__slice raw; /* the value's own bytes: its one and only encoding */
    struct pvf__slice head_data;
    bool has_new_code;
    struct pvf__slice new_code;
    uint32_t upward_count;
    struct pvf__slice upward; /* `upward_count` times Vec<u8> */
    uint32_t horizontal_count;
    struct pvf__slice horizontal; /* `horizontal_count` times recipient u32, Vec<u8> */
    uint32_t processed_downward_messages;
    uint32_t hrmp_watermark;
};

PVF__NODISCARD bool pvf__validation_result_get(struct pvf__cursor *cursor,
                                               struct pvf__validation_result *ret);

/* Bytes after the value are ignored (ret->raw.len tells where it ends). */
PVF__NODISCARD int pvf__validation_result_decode(const uint8_t *data,
                                                 size_t len,
                                                 struct pvf__validation_result *ret,
                                                 pvf_error *err);

/* Encodes from the fields; `raw` is not looked at.  Equal to `raw` for every decoded value. */
void pvf__validation_result_encode(const struct pvf__validation_result *result,
                                   struct pvf__buf *buf);

#endif
