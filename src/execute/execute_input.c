/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the guest's input.  Reads a hostile PoV: runs in the job. */
#include "execute/execute_input.h"

#include "base/error.h"
#include "proto/frame.h"
#include "proto/validation.h"

#include <string.h>

/* Everything behind the PoV is of fixed size, and small. */
#define BACK_MAX 4096

int pvf__execute_input_make(const struct pvf__execute_request *request,
                            struct pvf__execute_input *ret,
                            pvf_error *err)
{
    *ret = (struct pvf__execute_input){.pov = PVF__BLOB_INIT};
    pvf__buf_init(&ret->front, PVF__FRAME_MAX_EXECUTE_REQUEST);
    pvf__buf_init(&ret->back, BACK_MAX);
    int status = pvf__blob_decompress(
        request->pov.data, request->pov.len, PVF__BLOB_POV_LIMIT, &ret->pov, err);
    if (status != 0) {
        return status;
    }
    struct pvf__validation_params params = {
        .parent_head = request->pvd.parent_head,
        .block_data = {.data = ret->pov.data, .len = ret->pov.len},
        .relay_parent_number = request->pvd.relay_parent_number,
        .has_v3 = request->descriptor_version == PVF__DESCRIPTOR_V3,
    };
    memcpy(params.relay_parent_storage_root, request->pvd.relay_parent_storage_root, 32);
    memcpy(params.relay_parent, request->relay_parent, 32);
    memcpy(params.scheduling_parent, request->scheduling_parent, 32);
    pvf__validation_params_put_front(&ret->front, &params);
    pvf__validation_params_put_back(&ret->back, &params);
    if (ret->front.failed != 0 || ret->back.failed != 0) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for the input");
    }
    ret->pov_len = ret->pov.len;
    ret->parts[0] = (struct pvf__slice){ret->front.data, ret->front.len};
    ret->parts[1] = params.block_data;
    ret->parts[2] = (struct pvf__slice){ret->back.data, ret->back.len};
    return 0;
}
