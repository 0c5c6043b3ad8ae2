/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the rule about a worker's environment. */
#include "sandbox/sandbox_environment.h"

#include "base/error.h"

#include <string.h>
#include <unistd.h>

#define ALLOWED "RUST_LOG="

int pvf__sandbox_environment(pvf_error *err)
{
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, ALLOWED, strlen(ALLOWED)) != 0) {
            return pvf__error_set(err,
                                  PVF_ERR_UNSUPPORTED,
                                  "not all env vars were cleared when spawning the process");
        }
    }
    return 0;
}
