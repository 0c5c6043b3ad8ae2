/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EVIDENCE_EVIDENCE_H
#define PVF_EVIDENCE_EVIDENCE_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "pvf/host.h"
#include "pvf/outcome.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Evidence bundles: all that is needed to repeat a job elsewhere, and what came of it here. Whoever
 * calls decides which outcomes are worth one.
 *
 * In the folder that was configured:
 *
 *   NAME/            a bundle; NAME is the time in UTC and eight random hex digits, so that the
 *                    oldest is the first by name
 *     manifest.json  what it is, digests of the other files, the outcome, machine facts
 *     code           as on chain, perhaps compressed
 *     pvd.scale      PersistedValidationData          (of an execution)
 *     pov            block data, perhaps compressed   (of an execution)
 *     result.scale   ValidationResult                 (of a valid execution)
 *   code/HASH        every code that some bundle holds, once: the bundles' are hard links to it
 *   NAME.tmp/        a bundle that is being written; a crash leaves it
 *
 * So a bundle can be copied as it is, and the code of a thousand bundles takes the room of one.
 * Files have mode 0600, folders 0700.  Files with other names are never touched.
 *
 * A bundle gets its name when it is complete.  Nothing is synced, since the caller has others to
 * serve: after a crash of the machine the last bundles may be damaged, which their digests show.
 * Several processes may write to one folder.
 */

/* Format of the manifest; a reader refuses any other. */
#define PVF__EVIDENCE_FORMAT "pvf-evidence"
#define PVF__EVIDENCE_VERSION 1u

/* Names of the files in a bundle. */
#define PVF__EVIDENCE_MANIFEST "manifest.json"
#define PVF__EVIDENCE_CODE "code"
#define PVF__EVIDENCE_PVD "pvd.scale"
#define PVF__EVIDENCE_POV "pov"
#define PVF__EVIDENCE_RESULT "result.scale"

/* Bundles in a folder, whatever their size: listing them is part of writing one. */
#define PVF__EVIDENCE_BUNDLES_MAX 1024u

/* A worker program as the host knows it. */
struct pvf__evidence_program {
    const char *path;           /* NULL: none */
    const char *version;        /* NULL: not known */
    uint64_t size;              /* of its file */
    const uint8_t *blake2b_256; /* of its file, 32 bytes; NULL: not known, nor is the size */
};

struct pvf__evidence {
    const char *kind; /* of the request, such as "backing" or "precheck"; NULL: not known */
    pvf_bytes code;
    uint8_t code_hash[32];
    pvf_bytes executor_params; /* SCALE list; none: the empty list */
    uint32_t bomb_limit;       /* bytes; 0: 31457280 */
    uint64_t prepare_timeout_ms;
    int32_t prepare_kind; /* enum pvf_prepare_kind */

    /* The candidate; NULL when there was none, or none was reached.  Its code and parameters are
     * those above; artifact_path and checksum are ignored. */
    const pvf_execute_request *execution;
    uint32_t attempts;
    uint64_t queued_us;

    const pvf_outcome *outcome;             /* of the execution; NULL without one */
    const pvf_prepare_outcome *preparation; /* NULL: not known */

    struct pvf__evidence_program prepare_worker;
    struct pvf__evidence_program execute_worker;
    pvf_security_status security;
    int32_t metering; /* enum pvf_metering */
};

/*
 * Writes a bundle into `folder`, which is made (0700) when it is missing, and removes the oldest
 * ones so that all together take at most `max_bytes`.  The bundle's path goes to `out`.
 * PVF_ERR_INVALID_ARG: the folder is not fit (not ours, or others may write to it), or there is
 * neither outcome nor preparation.  PVF_ERR_LIMIT: this one alone is larger than `max_bytes`.  A
 * failure leaves no bundle.
 */
PVF__NODISCARD int pvf__evidence_write(const char *folder,
                                       uint64_t max_bytes,
                                       const struct pvf__evidence *evidence,
                                       char out[PATH_MAX],
                                       pvf_error *err);

#endif
