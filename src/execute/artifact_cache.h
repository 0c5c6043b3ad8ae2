/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_ARTIFACT_CACHE_H
#define PVF_EXECUTE_ARTIFACT_CACHE_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Verified copies of artifacts in sealed memory: nothing can change under a job that maps one, a
 * file that shrinks cannot raise SIGBUS, and copying and hashing is paid once per artifact instead
 * of once per job.  The worker itself never maps one for execution.
 */
enum pvf__artifact_verdict {
    PVF__ARTIFACT_GOOD,
    PVF__ARTIFACT_CORRUPT, /* the checksum is another */
};

/*
 * The copy of a file that is open for reading, if its checksum is `checksum`.  *ret_fd stays the
 * cache's, and valid until the next call; *ret_number is the copy's own, never 0, never used twice.
 * Fails only when the file cannot be read or copied.
 */
PVF__NODISCARD int pvf__artifact_cache_get(int file,
                                           const uint8_t checksum[32],
                                           enum pvf__artifact_verdict *ret_verdict,
                                           int *ret_fd,
                                           uint32_t *ret_number,
                                           pvf_error *err);

/* Is the copy with this number still kept? */
bool pvf__artifact_cache_has(uint32_t number);

#endif
