/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EVIDENCE_EVIDENCE_MACHINE_H
#define PVF_EVIDENCE_EVIDENCE_MACHINE_H

#include "base/json_out.h"

/* Puts an object "machine" of what may explain a time-out or a death: hardware, load, memory. */
void pvf__evidence_machine(struct pvf__json_out *json);

#endif
