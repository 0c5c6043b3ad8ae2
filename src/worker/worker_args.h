/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_ARGS_H
#define PVF_WORKER_WORKER_ARGS_H

#include "base/cleanup.h"
#include "pvf/error.h"

/* The options of a normal start; pointers into argv. */
struct pvf__worker_args {
    const char *socket_path;
    const char *worker_dir;
    const char *node_version; /* NULL when not given */
    const char *own_value;    /* of the role's own option; NULL when not given */
};

/*
 * Reads the options after the command word: pairs of option and value in any order, the last of a
 * repeated option counts (protocol: normal start).  `own_option` is an option that only this role
 * has; NULL: none.
 */
PVF__NODISCARD int pvf__worker_args_parse(
    int argc, char **argv, const char *own_option, struct pvf__worker_args *ret, pvf_error *err);

#endif
