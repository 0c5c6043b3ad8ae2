/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_REPLAY_H
#define PVF_CLI_CLI_REPLAY_H

#include "base/buf.h"
#include "proto/executor_params.h"
#include "proto/validation.h"
#include "pvf/error.h"
#include "pvf/host.h"
#include "pvf/outcome.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* `pvf replay …`, with a command line of its own; argv[0] is "replay".  The exit code. */
int pvf__cli_replay_main(int argc, char **argv);

/* An evidence bundle (src/evidence/evidence.h) as it was read; slices point into the buffers. */
struct pvf__cli_bundle {
    json_t *manifest;
    struct pvf__buf code;
    struct pvf__buf pvd_bytes;
    struct pvf__buf pov;
    struct pvf__buf result; /* empty: none was recorded */
    struct pvf__buf params_bytes;

    pvf_prepare_request preparation;
    int32_t metering;
    bool has_execution;
    pvf_execute_request execution; /* without artifact */

    /* What was recorded. */
    bool has_outcome;
    int32_t verdict;
    int32_t reason;
    uint64_t cpu_us;
    uint64_t wall_us;
    bool has_head_hash;
    uint8_t head_hash[32];
    bool has_preparation;
    bool prepared;
    int32_t prepare_error;
};

/*
 * Reads a bundle's folder and compares every file with its digest.  PVF_ERR_IO: a file cannot be
 * read; PVF_ERR_UNSUPPORTED: of another version; PVF_ERR_MALFORMED: the manifest is no manifest;
 * PVF_ERR_CORRUPT: a file is not what the manifest says.  Call done in every case.
 */
PVF__NODISCARD int
pvf__cli_bundle_read(const char *folder, struct pvf__cli_bundle *ret, pvf_error *err);
void pvf__cli_bundle_done(struct pvf__cli_bundle *bundle);

/* A text of the manifest, or "-". */
const char *
pvf__cli_bundle_text(const struct pvf__cli_bundle *bundle, const char *object, const char *key);

#endif
