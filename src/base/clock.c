/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: reading of clocks. */
#include "base/clock.h"

#include <limits.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

static uint64_t read_clock(clockid_t id)
{
    struct timespec now = {0};
    /* Both clocks always exist on Linux; the call has no other way to fail. */
    (void)clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t pvf__clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void pvf__clock_settle_process_cpu(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
}

uint64_t pvf__clock_process_cpu_ns(void)
{
    pvf__clock_settle_process_cpu();
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t pvf__clock_after(uint64_t from_ns, uint64_t ns)
{
    uint64_t sum;
    return __builtin_add_overflow(from_ns, ns, &sum) || sum == UINT64_MAX ? UINT64_MAX - 1 : sum;
}

int pvf__clock_ms_until(uint64_t deadline_ns)
{
    uint64_t now = pvf__clock_monotonic_ns();
    if (deadline_ns <= now) {
        return 0;
    }
    uint64_t ms = (deadline_ns - now - 1) / NS_PER_MS + 1;
    return ms > (uint64_t)INT_MAX ? INT_MAX : (int)ms;
}
