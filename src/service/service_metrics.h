/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SERVICE_SERVICE_METRICS_H
#define PVF_SERVICE_SERVICE_METRICS_H

#include "metrics/metrics.h"
#include "proto/prepare_msg.h"
#include "service/service_state.h"

#include <stdbool.h>
#include <stdint.h>

/* What is counted as it happens; all else is taken from the core when it is asked for. */

PVF__NODISCARD int pvf__service_metrics_new(struct pvf_service *service, pvf_error *err);

/* A request was taken, or was not (a negative status). */
void pvf__service_metrics_taken(const struct pvf_service *service,
                                const struct pvf__service_request *request);
void pvf__service_metrics_refused(const struct pvf_service *service, int status);

void pvf__service_metrics_prepare_started(const struct pvf_service *service,
                                          const struct pvf__service_request *request);
/* `stats` is NULL unless it is a good one. */
void pvf__service_metrics_prepared(const struct pvf_service *service,
                                   const pvf_prepare_outcome *outcome,
                                   const struct pvf__prepare_stats *stats);

void pvf__service_metrics_execute_started(const struct pvf_service *service,
                                          const struct pvf__service_request *request,
                                          const struct pvf__service_artifact *artifact);
void pvf__service_metrics_executed(const struct pvf_service *service, const pvf_outcome *outcome);
void pvf__service_metrics_retried(const struct pvf_service *service, const pvf_outcome *outcome);

/* Just before the callback. */
void pvf__service_metrics_prechecked(const struct pvf_service *service,
                                     const struct pvf__service_request *request);
void pvf__service_metrics_judged(const struct pvf_service *service,
                                 const struct pvf__service_request *request);

void pvf__service_metrics_spawn_failed(const struct pvf_service *service,
                                       enum pvf__worker_kind kind,
                                       int32_t failure);
void pvf__service_metrics_spawning_again(const struct pvf_service *service,
                                         enum pvf__worker_kind kind);
/* A worker ended without being told to; `busy`: with a job. */
void pvf__service_metrics_death(const struct pvf_service *service,
                                enum pvf__worker_kind kind,
                                bool busy);
void pvf__service_metrics_tested(const struct pvf_service *service, bool passed);
void pvf__service_metrics_evidence(const struct pvf_service *service, bool written);

#endif
