/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_LOG_LIMIT_H
#define PVF_BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A token bucket for each of a fixed number of sites; no clock of its own and no allocation.  When
 * there are more sites than places, the one that was longest quiet makes room, and starts afresh if
 * it comes back.
 */
#define PVF__LOG_LIMIT_SITES 64

/* So many lines of one site at once, and one more each interval. */
#define PVF__LOG_LIMIT_BURST 20u
#define PVF__LOG_LIMIT_INTERVAL_NS UINT64_C(1000000000)

struct pvf__log_bucket {
    const void *site; /* NULL: free */
    uint64_t tokens;
    uint64_t filled_ns; /* when the latest token came in */
    uint64_t asked_ns;
    uint64_t left_out; /* since a line last went through */
};

/* All zero at the start. */
struct pvf__log_limit {
    struct pvf__log_bucket buckets[PVF__LOG_LIMIT_SITES];
};

/*
 * May a line of this site go out?  If so, *ret_left_out lines were left out before it.  Time that
 * goes back counts as standing still.
 */
bool pvf__log_limit_take(struct pvf__log_limit *limit,
                         const void *site,
                         uint64_t now_ns,
                         uint64_t *ret_left_out);

/* A site with lines left out, and how many; they count as told.  NULL: none. */
const void *pvf__log_limit_tell(struct pvf__log_limit *limit, uint64_t *ret_left_out);

#endif
