/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EVIDENCE_EVIDENCE_MANIFEST_H
#define PVF_EVIDENCE_EVIDENCE_MANIFEST_H

#include "base/buf.h"
#include "base/slice.h"
#include "evidence/evidence.h"

/* A bundle's other files; `data` is NULL for those that it has not. */
struct pvf__evidence_files {
    struct pvf__slice pvd;
    struct pvf__slice pov;
    struct pvf__slice result;
};

/* Appends the manifest; failures stay in the buffer's `failed`. */
void pvf__evidence_manifest(const struct pvf__evidence *evidence,
                            const struct pvf__evidence_files *files,
                            struct pvf__buf *buf);

#endif
