/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SERVICE_SERVICE_CONFIG_H
#define PVF_SERVICE_SERVICE_CONFIG_H

#include "base/cleanup.h"
#include "core/core_config.h"
#include "pvf/error.h"
#include "pvf/service.h"

/*
 * The configuration as this library knows it, checked but for what the core looks at itself.  A
 * shorter one of an older header has the defaults for the rest; a longer one is taken as long as
 * what is not known here is zero.
 */
PVF__NODISCARD int
pvf__service_config_take(const pvf_service_config *given, pvf_service_config *ret, pvf_error *err);

/* The core's part of it; checked by the core. */
PVF__NODISCARD int pvf__service_config_core(const pvf_service_config *config,
                                            const uint64_t seed[2],
                                            struct pvf__core_config *ret,
                                            pvf_error *err);

#endif
