/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_CHECKS_H
#define PVF_HOST_CHECKS_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "pvf/host.h"

#include <stdbool.h>

/*
 * Runs a worker's four checks of this machine, each in a process of its own.  `folder` is where a
 * folder for the change-root check may be made.
 */
PVF__NODISCARD int
pvf__checks_run(const char *program, const char *folder, pvf_check ret[PVF_CHECKS], pvf_error *err);

/*
 * What workers are to be told.  With `secure`, PVF_ERR_UNSUPPORTED and a text that names what is
 * missing when the checks are not enough for it.
 */
PVF__NODISCARD int pvf__checks_decide(const pvf_check checks[PVF_CHECKS],
                                      bool secure,
                                      pvf_security_status *ret,
                                      pvf_error *err);

#endif
