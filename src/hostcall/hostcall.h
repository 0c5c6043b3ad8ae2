/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOSTCALL_HOSTCALL_H
#define PVF_HOSTCALL_HOSTCALL_H

#include "guest/allocator.h"
#include "guest/guest.h"
#include "hostcall/provider.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Every function that a PVF may import from the module `env` and that does something; any other
 * name is a stub of the linker's.  What a call does to guest memory, to the guest's heap and to its
 * result is consensus; the texts of traps and the log are not.
 */

/* Long enough for the longest text that any function makes. */
#define PVF__HOSTCALL_TRAP 512

/* Room for functions with the most parameters: verify_proof of version 2. */
#define PVF__HOSTCALL_PARAMS 5

/* What one execution's host calls share; zero it, then fill in the first five.  One thread. */
struct pvf__hostcall_context {
    /* Both NULL while the start function runs: what needs them then traps. */
    struct pvf__guest_memory *memory;
    struct pvf__allocator *allocator;
    const struct pvf__crypto_provider *provider;
    /* The answer of max_level, 0 off … 5 trace.  A node's own setting, so not consensus. */
    uint32_t max_log_level;
    /*
     * Ends the process and never returns: this machine had no memory for a call.  That is nobody's
     * verdict, so it may not look like a trap.  NULL is abort().
     */
    void (*no_memory)(void);
    /* The batch of signatures; kept from the start function to the call. */
    bool batch_started;
    bool batch_good;
    char trap[PVF__HOSTCALL_TRAP]; /* text of the trap, after a call returned -1 */
};

/*
 * `args` holds the parameters in order, an i32 zero-extended.  0, with the result in *ret if there
 * is one (an i32 zero-extended); or -1: trap with the text of context->trap.
 */
typedef int (*pvf__hostcall_fn)(struct pvf__hostcall_context *context,
                                const uint64_t *args,
                                uint64_t *ret);

struct pvf__hostcall {
    const char *name;
    const char *params; /* a letter each: i for i32, I for i64 */
    const char *result; /* "", "i" or "I" */
    bool ecc;           /* provided only with the executor parameter for RFC-163 */
    pvf__hostcall_fn call;
};

/* NULL for a name that is not provided.  `name` need not be terminated. */
const struct pvf__hostcall *pvf__hostcall_find(const char *name, size_t len, bool ecc_enabled);

/* All functions, those of RFC-163 too, sorted by name. */
size_t pvf__hostcall_count(void);
const struct pvf__hostcall *pvf__hostcall_at(size_t index);

#endif
