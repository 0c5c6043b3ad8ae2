/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what the caller knows of the chain: which blocks backing may still build on. */
#include "service/service_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "pvf/status.h"

int pvf_service_active_leaves(pvf_service *service,
                              const uint8_t (*hashes)[32],
                              size_t count,
                              pvf_error *err)
{
    if (service == NULL || (hashes == NULL && count > 0)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "a service and hashes are needed");
    }
    int status = pvf__core_leaves_set(service->core, pvf__clock_monotonic_ns(), hashes, count);
    if (status != 0) {
        return pvf__error_set(err, status, "%zu leaves cannot be taken", count);
    }
    pvf__service_wake(service);
    return 0;
}
