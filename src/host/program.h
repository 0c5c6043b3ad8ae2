/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_PROGRAM_H
#define PVF_HOST_PROGRAM_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/*
 * A worker program as it was when it was opened.  Every start runs this very file, so a host never
 * mixes two builds, whatever an upgrade does to the path meanwhile.
 */
struct pvf__program {
    char *path; /* NULL: none */
    int fd;     /* O_PATH, close-on-exec; -1: none */
    bool is_script;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

#define PVF__PROGRAM_NONE                                                                          \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Opens a program; PVF_ERR_INVALID_ARG for what cannot be run. */
PVF__NODISCARD int pvf__program_open(const char *path, struct pvf__program *ret, pvf_error *err);

/*
 * Is it still what stands at its path, unchanged?  PVF_ERR_INTERNAL with a text that says what
 * happened to it.
 */
PVF__NODISCARD int pvf__program_check(const struct pvf__program *program, pvf_error *err);

/*
 * What pvf__process_start is to run: the descriptor, or -1 for a script, whose interpreter would
 * find it closed.  A script is a developer's wrapper; it is started by its path.
 */
int pvf__program_descriptor(const struct pvf__program *program);

void pvf__program_close(struct pvf__program *program);

#endif
