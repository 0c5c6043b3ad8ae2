/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_NEW_HOST_H
#define PVF_TESTS_SUPPORT_NEW_HOST_H

#include "pvf/pvf.h"
#include "support/test.h"

/* A host, or the end of the test. */
static inline pvf_host *new_host_of(const pvf_host_config *config)
{
    pvf_host *host = NULL;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_new(config, &host, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return host;
}

#endif
