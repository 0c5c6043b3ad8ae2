/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SERVICE_SERVICE_EVIDENCE_H
#define PVF_SERVICE_SERVICE_EVIDENCE_H

#include "service/service_state.h"

#include <limits.h>

/*
 * Writes a bundle if there is a folder for it and the outcome is worth one.  Returns `out`, which
 * holds its path, or NULL.  The first: of a precheck, or of a heads-up, which nobody waits for.
 */
const char *pvf__service_evidence_preparation(const struct pvf_service *service,
                                              const struct pvf__service_request *request,
                                              const pvf_prepare_outcome *outcome,
                                              char out[PATH_MAX]);
const char *pvf__service_evidence_execution(const struct pvf_service *service,
                                            const struct pvf__service_request *request,
                                            const pvf_execute_reply *reply,
                                            char out[PATH_MAX]);

#endif
