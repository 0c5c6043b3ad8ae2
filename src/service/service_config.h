/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SERVICE_SERVICE_CONFIG_H
#define PVF_SERVICE_SERVICE_CONFIG_H

#include "base/cleanup.h"
#include "core/core_config.h"
#include "pvf/error.h"
#include "pvf/service.h"

/* What the core does not look at itself. */
PVF__NODISCARD int pvf__service_config_check(const pvf_service_config *config, pvf_error *err);

/* The core's part of it; checked by the core. */
PVF__NODISCARD int pvf__service_config_core(const pvf_service_config *config,
                                            const uint64_t seed[2],
                                            struct pvf__core_config *ret,
                                            pvf_error *err);

#endif
