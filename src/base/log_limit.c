/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how often one line may be said. */
#include "base/log_limit.h"

static struct pvf__log_bucket *find(struct pvf__log_limit *limit, const void *site, uint64_t now_ns)
{
    struct pvf__log_bucket *quietest = &limit->buckets[0];
    for (size_t i = 0; i < PVF__LOG_LIMIT_SITES; i++) {
        struct pvf__log_bucket *bucket = &limit->buckets[i];
        if (bucket->site == site) {
            return bucket;
        }
        if (quietest->site != NULL &&
            (bucket->site == NULL || bucket->asked_ns < quietest->asked_ns)) {
            quietest = bucket;
        }
    }
    *quietest = (struct pvf__log_bucket){.site = site,
                                         .tokens = PVF__LOG_LIMIT_BURST,
                                         .filled_ns = now_ns,
                                         .asked_ns = now_ns,
                                         .left_out = 0};
    return quietest;
}

static void fill(struct pvf__log_bucket *bucket, uint64_t now_ns)
{
    if (now_ns <= bucket->filled_ns) {
        return;
    }
    uint64_t more = (now_ns - bucket->filled_ns) / PVF__LOG_LIMIT_INTERVAL_NS;
    if (more >= PVF__LOG_LIMIT_BURST - bucket->tokens) {
        bucket->tokens = PVF__LOG_LIMIT_BURST;
        bucket->filled_ns = now_ns;
    } else {
        bucket->tokens += more;
        bucket->filled_ns += more * PVF__LOG_LIMIT_INTERVAL_NS;
    }
}

bool pvf__log_limit_take(struct pvf__log_limit *limit,
                         const void *site,
                         uint64_t now_ns,
                         uint64_t *ret_left_out)
{
    struct pvf__log_bucket *bucket = find(limit, site, now_ns);
    fill(bucket, now_ns);
    bucket->asked_ns = now_ns > bucket->asked_ns ? now_ns : bucket->asked_ns;
    if (bucket->tokens == 0) {
        bucket->left_out++;
        return false;
    }
    bucket->tokens--;
    *ret_left_out = bucket->left_out;
    bucket->left_out = 0;
    return true;
}

const void *pvf__log_limit_tell(struct pvf__log_limit *limit, uint64_t *ret_left_out)
{
    for (size_t i = 0; i < PVF__LOG_LIMIT_SITES; i++) {
        struct pvf__log_bucket *bucket = &limit->buckets[i];
        if (bucket->left_out > 0) {
            *ret_left_out = bucket->left_out;
            bucket->left_out = 0;
            return bucket->site;
        }
    }
    return NULL;
}
