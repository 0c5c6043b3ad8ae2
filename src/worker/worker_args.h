/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_ARGS_H
#define PVF_WORKER_WORKER_ARGS_H

#include "base/cleanup.h"
#include "pvf/error.h"

/* Most options that one role has for itself. */
#define PVF__WORKER_OWN_OPTIONS 3

/* The options of a normal start; pointers into argv. */
struct pvf__worker_args {
    const char *socket_path;      /* NULL: the socket is inherited */
    const char *inherited_socket; /* its descriptor, in digits; NULL: there is a path */
    const char *worker_dir;
    const char *node_version;                        /* NULL when not given */
    const char *own_values[PVF__WORKER_OWN_OPTIONS]; /* in the role's order; NULL: not given */
};

/*
 * Reads the options after the command word: pairs of option and value in any order, the last of a
 * repeated option counts (protocol: normal start).  `own_options` are those that only this role
 * has; NULL where it has fewer.
 */
PVF__NODISCARD int pvf__worker_args_parse(int argc,
                                          char **argv,
                                          const char *const own_options[PVF__WORKER_OWN_OPTIONS],
                                          struct pvf__worker_args *ret,
                                          pvf_error *err);

#endif
