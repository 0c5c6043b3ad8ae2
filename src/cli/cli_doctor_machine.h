/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_DOCTOR_MACHINE_H
#define PVF_CLI_CLI_DOCTOR_MACHINE_H

#include "cli/doctor_advice.h"

#include <stddef.h>

/* What /proc, /sys and the kernel say about this machine and about what is over this process. */
void pvf__doctor_machine_read(struct pvf__doctor_machine *ret);

/* "6.1.0-13-amd64" is 6 and 1.  Leaves both alone when it begins otherwise. */
void pvf__doctor_machine_version(const char *release, uint32_t *ret_major, uint32_t *ret_minor);

/* The service in the text of /proc/self/cgroup, or "": only what the process is in directly. */
void pvf__doctor_machine_unit(const char *cgroups, char *out, size_t size);

#endif
