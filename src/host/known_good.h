/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_KNOWN_GOOD_H
#define PVF_HOST_KNOWN_GOOD_H

#include "pvf/host.h"
#include "pvf/types.h"

/*
 * A job whose answer is known: the smallest PVF that computes something, one candidate for it and
 * the ValidationResult that every sane machine finds.  All of it is static.
 */

/* The code, uncompressed. */
pvf_bytes pvf__known_good_code(void);

/* A candidate that the code accepts; the caller adds the artifact and its checksum. */
void pvf__known_good_candidate(pvf_execute_request *ret);

/* The SCALE ValidationResult of that candidate. */
pvf_bytes pvf__known_good_result(void);

#endif
