/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_CLOCK_H
#define PVF_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t pvf__clock_monotonic_ns(void);

/*
 * Where a process has a limit of CPU time, its clock lags behind by up to a tick while it runs, for
 * itself and for others (Linux keeps a sum for the limit).  Brings it up to date for both.
 */
void pvf__clock_settle_process_cpu(void);

/* CPU nanoseconds that this process has used in all its threads. */
uint64_t pvf__clock_process_cpu_ns(void);

/* `ns` after `from_ns`, at most one less than UINT64_MAX, which means "no deadline". */
uint64_t pvf__clock_after(uint64_t from_ns, uint64_t ns);

/*
 * Milliseconds from now until `deadline_ns` of CLOCK_MONOTONIC, rounded up, never negative and
 * never above INT_MAX: ready for poll(2).
 */
int pvf__clock_ms_until(uint64_t deadline_ns);

#endif
