/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: turning the user's files into the fields of an execute request.  Only the outermost SCALE
 * frame is read; block data and head data stay opaque.
 */
#include "cli/cli_input.h"

#include "base/error.h"
#include "base/fd.h"
#include "scale/scale.h"

#include <string.h>

/* What block data starts with when it is compressed: a worker decompresses exactly then. */
static const uint8_t compressed_mark[8] = {0x52, 0xBC, 0x53, 0x76, 0x46, 0xDB, 0x8E, 0x05};

/* The relay chains' own limit; workers do not look at it. */
#define MAX_POV_SIZE (10u * 1024 * 1024)

static struct pvf__slice all_of(const struct pvf__buf *buf)
{
    return (struct pvf__slice){.data = buf->data, .len = buf->len};
}

int pvf__cli_input_params(struct pvf__cli_candidate *candidate, const char *name, pvf_error *err)
{
    struct pvf__validation_params params;
    size_t left = 0;
    int status = pvf__validation_params_decode(
        candidate->first.data, candidate->first.len, &params, &left, err);
    if (status != PVF_OK) {
        pvf__error_wrap(err, "%s", name);
        return status;
    }
    if (left > 0) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "%s: %zu bytes follow the ValidationParams at byte %zu: a worker's "
                              "request has no field for them",
                              name,
                              left,
                              candidate->first.len - left);
    }
    if (params.block_data.len >= sizeof compressed_mark &&
        memcmp(params.block_data.data, compressed_mark, sizeof compressed_mark) == 0) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "%s: its block data looks compressed: a worker would decompress it, "
                              "so the guest would not see these bytes",
                              name);
    }
    candidate->pvd.parent_head = params.parent_head;
    candidate->pvd.relay_parent_number = params.relay_parent_number;
    memcpy(candidate->pvd.relay_parent_storage_root, params.relay_parent_storage_root, 32);
    candidate->pvd.max_pov_size = MAX_POV_SIZE;
    candidate->pov = params.block_data;
    candidate->has_v3 = params.has_v3;
    memcpy(candidate->relay_parent, params.relay_parent, 32);
    memcpy(candidate->scheduling_parent, params.scheduling_parent, 32);
    return PVF_OK;
}

int pvf__cli_input_bundle(struct pvf__cli_candidate *candidate, const char *name, pvf_error *err)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, candidate->first.data, candidate->first.len);
    if (!pvf__scale_get_bytes(&cursor, &candidate->pov)) {
        return pvf__error_set(err, PVF_ERR_MALFORMED, "%s: no PoV at byte 0", name);
    }
    if (!pvf__persisted_validation_data_get(&cursor, &candidate->pvd)) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "%s: no PersistedValidationData at byte %zu of %zu",
                              name,
                              pvf__cursor_offset(&cursor),
                              candidate->first.len);
    }
    if (pvf__cursor_left(&cursor) > 0) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "%s: %zu bytes follow the PersistedValidationData",
                              name,
                              pvf__cursor_left(&cursor));
    }
    candidate->has_max_pov_size = true;
    return PVF_OK;
}

int pvf__cli_input_two(struct pvf__cli_candidate *candidate, const char *name, pvf_error *err)
{
    int status = pvf__persisted_validation_data_decode(
        candidate->first.data, candidate->first.len, &candidate->pvd, err);
    if (status != PVF_OK) {
        pvf__error_wrap(err, "%s", name);
    }
    candidate->pov = all_of(&candidate->second);
    candidate->has_max_pov_size = true;
    return status;
}

void pvf__cli_input_init(struct pvf__cli_candidate *candidate)
{
    memset(candidate, 0, sizeof *candidate);
    pvf__buf_init(&candidate->first, PVF__CLI_MAX_INPUT);
    pvf__buf_init(&candidate->second, PVF__CLI_MAX_INPUT);
}

int pvf__cli_input_read(const struct pvf__cli_options *options,
                        struct pvf__cli_candidate *ret,
                        pvf_error *err)
{
    const char *first = options->params   ? options->params
                        : options->bundle ? options->bundle
                                          : options->pvd;
    pvf__cli_input_init(ret);
    int status = pvf__fd_read_file(first, &ret->first, err);
    if (status != PVF_OK) {
        return status;
    }
    if (options->params) {
        return pvf__cli_input_params(ret, first, err);
    }
    ret->has_v3 = options->has_v3;
    memcpy(ret->relay_parent, options->relay_parent, 32);
    memcpy(ret->scheduling_parent, options->scheduling_parent, 32);
    if (options->bundle) {
        return pvf__cli_input_bundle(ret, first, err);
    }
    status = pvf__fd_read_file(options->pov, &ret->second, err);
    return status == PVF_OK ? pvf__cli_input_two(ret, first, err) : status;
}

void pvf__cli_input_done(struct pvf__cli_candidate *candidate)
{
    pvf__buf_done(&candidate->first);
    pvf__buf_done(&candidate->second);
}
