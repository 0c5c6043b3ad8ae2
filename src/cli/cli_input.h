/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_INPUT_H
#define PVF_CLI_CLI_INPUT_H

#include "base/buf.h"
#include "cli/cli_options.h"
#include "proto/validation.h"
#include "pvf/error.h"

/* The largest files that are read: what the wire's frames hold (proto/frame.h), with some room. */
#define PVF__CLI_MAX_CODE ((size_t)255 << 20)
#define PVF__CLI_MAX_INPUT ((size_t)255 << 20)

/* A candidate's data as the wire carries it; slices point into the two buffers. */
struct pvf__cli_candidate {
    struct pvf__buf first;
    struct pvf__buf second;
    struct pvf__persisted_validation_data pvd;
    struct pvf__slice pov; /* block data */
    bool has_max_pov_size; /* ValidationParams do not tell */
    bool has_v3;
    uint8_t relay_parent[32];
    uint8_t scheduling_parent[32];
};

/*
 * Reads what the options name.  PVF_ERR_INVALID_ARG also for ValidationParams that the wire's
 * fields cannot carry.  Call done in every case.
 */
PVF__NODISCARD int pvf__cli_input_read(const struct pvf__cli_options *options,
                                       struct pvf__cli_candidate *ret,
                                       pvf_error *err);
void pvf__cli_input_done(struct pvf__cli_candidate *candidate);

/* An empty candidate, whose buffers somebody else fills. */
void pvf__cli_input_init(struct pvf__cli_candidate *candidate);

/*
 * Decodes what is in the buffers: ValidationParams, or a bundle, in `first`; or the validation data
 * in `first` and the block data in `second`.  `name` is what errors call the bytes.
 */
PVF__NODISCARD int
pvf__cli_input_params(struct pvf__cli_candidate *candidate, const char *name, pvf_error *err);
PVF__NODISCARD int
pvf__cli_input_bundle(struct pvf__cli_candidate *candidate, const char *name, pvf_error *err);
PVF__NODISCARD int
pvf__cli_input_two(struct pvf__cli_candidate *candidate, const char *name, pvf_error *err);

#endif
