/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EVIDENCE_EVIDENCE_FOLDER_H
#define PVF_EVIDENCE_EVIDENCE_FOLDER_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "pvf/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* The folder of the codes, in that of the bundles. */
#define PVF__EVIDENCE_CODES "code"

/* The folder of the bundles, open. */
struct pvf__evidence_folder {
    char path[PATH_MAX]; /* absolute; for messages and for what the caller is told */
    int fd;
    int codes; /* the folder of the codes */
};

#define PVF__EVIDENCE_FOLDER_NONE                                                                  \
    {                                                                                              \
        .path = "", .fd = -1, .codes = -1                                                          \
    }

/* Makes what is missing.  Refuses folders that are not ours or that others may write to. */
PVF__NODISCARD int
pvf__evidence_folder_open(const char *path, struct pvf__evidence_folder *ret, pvf_error *err);
void pvf__evidence_folder_close(const struct pvf__evidence_folder *folder);
#define PVF__CLEANUP_EVIDENCE_FOLDER __attribute__((cleanup(pvf__evidence_folder_close)))

/* Makes a file that was not there, mode 0600. */
PVF__NODISCARD int
pvf__evidence_file_make(int folder, const char *file, const void *data, size_t len, pvf_error *err);

/* Removes a folder and the files in it; folders inside are left, and then so is it. */
bool pvf__evidence_remove(int folder, const char *name);

#endif
