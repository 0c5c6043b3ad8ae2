/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_EXECUTE_INPUT_H
#define PVF_EXECUTE_EXECUTE_INPUT_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "blob/decompress.h"
#include "proto/execute_msg.h"
#include "pvf/error.h"

/*
 * What validate_block is given, in parts, so that the PoV is copied only once: into the guest.
 * There is one in a job, and nothing frees it: the process ends.
 */
#define PVF__EXECUTE_INPUT_PARTS 3

struct pvf__execute_input {
    struct pvf__slice parts[PVF__EXECUTE_INPUT_PARTS];
    size_t pov_len; /* decompressed */
    struct pvf__blob pov;
    struct pvf__buf front;
    struct pvf__buf back;
};

/*
 * Decompresses the PoV and puts the input together; *ret points into the request. PVF_ERR_MALFORMED
 * and PVF_ERR_LIMIT depend on the PoV alone; anything else is no verdict on it.
 */
PVF__NODISCARD int pvf__execute_input_make(const struct pvf__execute_request *request,
                                           struct pvf__execute_input *ret,
                                           pvf_error *err);

#endif
