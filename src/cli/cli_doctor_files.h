/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_DOCTOR_FILES_H
#define PVF_CLI_CLI_DOCTOR_FILES_H

#include "base/cleanup.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was found out about a worker program's file. */
struct pvf__doctor_program {
    const char *path;
    char real[PATH_MAX]; /* after all links: where the file pvf-node-version is looked for */
    char version[128];   /* empty when it told none */
    char version_error[256];
    uint32_t mode;
    uint32_t owner;
    bool runs;         /* it told its version */
    char problem[320]; /* why nobody should start it; empty: nothing */
    char warning[320]; /* what is odd about it */
};

void pvf__doctor_program_look(const char *path, struct pvf__doctor_program *ret);

/* What was found out about the folder for temporary files. */
struct pvf__doctor_temporary {
    const char *path;
    uint64_t free_bytes;
    bool noexec; /* does no harm: workers map code from memory */
    char problem[320];
};

void pvf__doctor_temporary_look(const char *path, struct pvf__doctor_temporary *ret);

/* Who may write: "" when nobody but the owner, root, or (for folders) everybody with the sticky
 * bit.  `is_problem` tells others from the group. */
const char *pvf__doctor_mode_text(uint32_t mode, bool *is_problem);

#endif
