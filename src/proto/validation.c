/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the input and the output of validate_block.  The output comes from hostile code; which of
 * its bytes are accepted is part of consensus.
 */
#include "proto/validation.h"

#include "proto/proto_error.h"
#include "scale/scale.h"

/* Tag of the part that a V3 descriptor adds to the input. */
#define V3_TAG 3u

bool pvf__persisted_validation_data_get(struct pvf__cursor *cursor,
                                        struct pvf__persisted_validation_data *ret)
{
    struct pvf__cursor at = *cursor;
    struct pvf__persisted_validation_data pvd;
    if (!pvf__scale_get_bytes(&at, &pvd.parent_head) ||
        !pvf__scale_get_u32(&at, &pvd.relay_parent_number) ||
        !pvf__scale_get_fixed(&at, pvd.relay_parent_storage_root, 32) ||
        !pvf__scale_get_u32(&at, &pvd.max_pov_size)) {
        return false;
    }
    *cursor = at;
    *ret = pvd;
    return true;
}

void pvf__persisted_validation_data_put(struct pvf__buf *buf,
                                        const struct pvf__persisted_validation_data *pvd)
{
    pvf__scale_put_bytes(buf, pvd->parent_head);
    pvf__scale_put_u32(buf, pvd->relay_parent_number);
    pvf__scale_put_fixed(buf, pvd->relay_parent_storage_root, 32);
    pvf__scale_put_u32(buf, pvd->max_pov_size);
}

int pvf__persisted_validation_data_decode(const uint8_t *data,
                                          size_t len,
                                          struct pvf__persisted_validation_data *ret,
                                          pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__persisted_validation_data pvd;
    pvf__cursor_init(&cursor, data, len);
    if (!pvf__persisted_validation_data_get(&cursor, &pvd)) {
        return pvf__proto_malformed(&cursor, "persisted validation data", err);
    }
    if (pvf__cursor_left(&cursor) != 0) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "persisted validation data: it ends at byte %zu, but %zu more follow",
                              pvf__cursor_offset(&cursor),
                              pvf__cursor_left(&cursor));
    }
    *ret = pvd;
    return 0;
}

int pvf__validation_params_decode(const uint8_t *data,
                                  size_t len,
                                  struct pvf__validation_params *ret,
                                  size_t *ret_left,
                                  pvf_error *err)
{
    struct pvf__cursor cursor;
    struct pvf__validation_params params = {0};
    pvf__cursor_init(&cursor, data, len);
    if (!pvf__scale_get_bytes(&cursor, &params.parent_head) ||
        !pvf__scale_get_bytes(&cursor, &params.block_data) ||
        !pvf__scale_get_u32(&cursor, &params.relay_parent_number) ||
        !pvf__scale_get_fixed(&cursor, params.relay_parent_storage_root, 32)) {
        return pvf__proto_malformed(&cursor, "validation parameters", err);
    }
    struct pvf__cursor at = cursor;
    uint8_t tag;
    if (pvf__scale_get_u8(&at, &tag) && tag == V3_TAG &&
        pvf__scale_get_fixed(&at, params.relay_parent, 32) &&
        pvf__scale_get_fixed(&at, params.scheduling_parent, 32)) {
        params.has_v3 = true;
        cursor = at;
    }
    *ret = params;
    *ret_left = pvf__cursor_left(&cursor);
    return 0;
}

void pvf__validation_params_put_front(struct pvf__buf *buf,
                                      const struct pvf__validation_params *params)
{
    if (params->block_data.len > UINT32_MAX) {
        buf->failed = buf->failed != 0 ? buf->failed : PVF_ERR_LIMIT;
        return;
    }
    pvf__scale_put_bytes(buf, params->parent_head);
    pvf__scale_put_compact(buf, (uint32_t)params->block_data.len);
}

void pvf__validation_params_put_back(struct pvf__buf *buf,
                                     const struct pvf__validation_params *params)
{
    pvf__scale_put_u32(buf, params->relay_parent_number);
    pvf__scale_put_fixed(buf, params->relay_parent_storage_root, 32);
    if (params->has_v3) {
        pvf__scale_put_u8(buf, V3_TAG);
        pvf__scale_put_fixed(buf, params->relay_parent, 32);
        pvf__scale_put_fixed(buf, params->scheduling_parent, 32);
    }
}

void pvf__validation_params_encode(const struct pvf__validation_params *params,
                                   struct pvf__buf *buf)
{
    pvf__validation_params_put_front(buf, params);
    (void)pvf__buf_append(buf, params->block_data.data, params->block_data.len);
    pvf__validation_params_put_back(buf, params);
}

/* A bounded list of messages; each has a recipient in front of its bytes or has none. */
static bool get_messages(struct pvf__cursor *at,
                         bool has_recipient,
                         uint32_t *ret_count,
                         struct pvf__slice *ret_list)
{
    uint32_t count;
    if (!pvf__scale_get_compact(at, &count) || count > PVF__VALIDATION_MESSAGES_MAX) {
        return false;
    }
    const uint8_t *start = at->at;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t recipient;
        struct pvf__slice message;
        if ((has_recipient && !pvf__scale_get_u32(at, &recipient)) ||
            !pvf__scale_get_bytes(at, &message)) {
            return false;
        }
    }
    *ret_count = count;
    *ret_list = (struct pvf__slice){.data = start, .len = (size_t)(at->at - start)};
    return true;
}

/*
 * head_data Vec<u8> | new code Option<Vec<u8>> | upward | horizontal | processed u32 |
 * watermark u32.  On failure `at` stands near the fault.
 */
static bool get_result(struct pvf__cursor *at, struct pvf__validation_result *ret)
{
    const uint8_t *start = at->at;
    struct pvf__validation_result result = {0};
    if (!pvf__scale_get_bytes(at, &result.head_data) ||
        !pvf__scale_get_option(at, &result.has_new_code) ||
        (result.has_new_code && !pvf__scale_get_bytes(at, &result.new_code)) ||
        !get_messages(at, false, &result.upward_count, &result.upward) ||
        !get_messages(at, true, &result.horizontal_count, &result.horizontal) ||
        !pvf__scale_get_u32(at, &result.processed_downward_messages) ||
        !pvf__scale_get_u32(at, &result.hrmp_watermark)) {
        return false;
    }
    result.raw = (struct pvf__slice){.data = start, .len = (size_t)(at->at - start)};
    *ret = result;
    return true;
}

bool pvf__validation_result_get(struct pvf__cursor *cursor, struct pvf__validation_result *ret)
{
    struct pvf__cursor at = *cursor;
    if (!get_result(&at, ret)) {
        return false;
    }
    *cursor = at;
    return true;
}

int pvf__validation_result_decode(const uint8_t *data,
                                  size_t len,
                                  struct pvf__validation_result *ret,
                                  pvf_error *err)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, data, len);
    if (!get_result(&cursor, ret)) {
        return pvf__proto_malformed(&cursor, "validation result", err);
    }
    return 0;
}

void pvf__validation_result_encode(const struct pvf__validation_result *result,
                                   struct pvf__buf *buf)
{
    pvf__scale_put_bytes(buf, result->head_data);
    pvf__scale_put_option(buf, result->has_new_code);
    if (result->has_new_code) {
        pvf__scale_put_bytes(buf, result->new_code);
    }
    pvf__scale_put_compact(buf, result->upward_count);
    pvf__scale_put_fixed(buf, result->upward.data, result->upward.len);
    pvf__scale_put_compact(buf, result->horizontal_count);
    pvf__scale_put_fixed(buf, result->horizontal.data, result->horizontal.len);
    pvf__scale_put_u32(buf, result->processed_downward_messages);
    pvf__scale_put_u32(buf, result->hrmp_watermark);
}
