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

/* For those who run the checks themselves, by number. */
const char *pvf__checks_name(unsigned which);
const char *pvf__checks_option(unsigned which);
/* Does it want the path of a fresh folder as its second argument? */
bool pvf__checks_needs_folder(unsigned which);

/* Once all are known: which of those that said no secure mode may do without. */
void pvf__checks_tolerate(pvf_check checks[PVF_CHECKS]);

/*
 * What workers are to be told.  With `secure`, PVF_ERR_UNSUPPORTED and a text that names what is
 * missing when the checks are not enough for it.
 */
PVF__NODISCARD int pvf__checks_decide(const pvf_check checks[PVF_CHECKS],
                                      bool secure,
                                      pvf_security_status *ret,
                                      pvf_error *err);

/*
 * What two worker programs call themselves, both asked at the same time; "" for one that does not
 * say.
 */
void pvf__checks_versions(const char *const programs[2], char *const ret[2], size_t size);

#endif
