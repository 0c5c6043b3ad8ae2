/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the sets of executor parameters, each decoded once for all jobs that have it. */
#include "execute/execute_params.h"

#include "base/buf.h"
#include "base/error.h"
#include "engine/engine_stack.h"
#include "proto/frame.h"

#include <string.h>
#include <sys/sysinfo.h>

/* They change once in a session of hours; while they do, jobs of both come. */
#define SETS 4

struct entry {
    struct pvf__execute_set set; /* its number 0: free */
    struct pvf__buf raw;
    uint64_t last_use;
};

static struct {
    struct entry entries[SETS];
    uint32_t numbers;
    uint64_t clock;
} self;

/*
 * What a job may map for writing: its guest's memory and stack as the parameters allow, and for
 * tables and all else as much as this machine has, so that no guest meets this limit first.
 */
static uint64_t job_data_max(const struct pvf__executor_params *params)
{
    uint64_t guest = (uint64_t)params->max_memory_pages << 16;
    struct sysinfo machine;
    uint64_t rest = sysinfo(&machine) == 0 ? (uint64_t)machine.totalram * machine.mem_unit : 0;
    return rest == 0 ? 0 : guest + pvf__engine_stack_size(params->native_max) + rest;
}

static bool holds(const struct entry *entry, struct pvf__slice list)
{
    return entry->set.number != 0 && entry->raw.len == list.len &&
           memcmp(entry->raw.data, list.data, list.len) == 0;
}

/* A free one, or the one that was not used for longest. */
static struct entry *take_place(void)
{
    struct entry *best = &self.entries[0];
    for (size_t i = 1; i < SETS; i++) {
        if (self.entries[i].last_use < best->last_use) {
            best = &self.entries[i];
        }
    }
    pvf__buf_done(&best->raw);
    *best = (struct entry){.raw = PVF__BUF_INIT(PVF__FRAME_MAX_PARAMS)};
    return best;
}

int pvf__execute_params_get(struct pvf__slice list,
                            const struct pvf__execute_set **ret,
                            pvf_error *err)
{
    for (size_t i = 0; i < SETS && list.len > 0; i++) {
        if (holds(&self.entries[i], list)) {
            self.entries[i].last_use = ++self.clock;
            *ret = &self.entries[i].set;
            return 0;
        }
    }
    struct entry *entry = take_place();
    int status = pvf__buf_append(&entry->raw, list.data, list.len);
    if (status != 0) {
        return pvf__error_set(err, status, "no room for executor parameters");
    }
    status = pvf__executor_params_decode(entry->raw.data, entry->raw.len, &entry->set.params, err);
    if (status != 0) {
        return status;
    }
    entry->set.data_max = job_data_max(&entry->set.params);
    entry->set.number = ++self.numbers;
    entry->last_use = ++self.clock;
    *ret = &entry->set;
    return 0;
}

bool pvf__execute_params_has(uint32_t number)
{
    for (size_t i = 0; i < SETS; i++) {
        if (self.entries[i].set.number == number) {
            return true;
        }
    }
    return false;
}
