/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_IDENTITY_H
#define PVF_CACHE_CACHE_IDENTITY_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest text of a build with its terminator. */
#define PVF__CACHE_BUILD_MAX 512

/*
 * Who can make, and run, an artifact: everything but the code and its parameters that decides what
 * is in one.  Two artifacts are exchangeable only when both parts are equal.
 */
struct pvf__cache_identity {
    uint8_t cpu[32];                  /* see pvf__cache_cpu */
    char build[PVF__CACHE_BUILD_MAX]; /* printable ASCII, not empty */
};

struct pvf__cache;

/* What a build's text is made of.  Texts are printable ASCII without blanks. */
struct pvf__cache_worker {
    const char *program; /* path of the prepare worker: its bytes count, not its name or time */
    const char *version; /* as the worker reports it */
    int32_t metering;    /* enum pvf_metering that it is told; untold is ours, in the callee */
    struct pvf__cache *cache; /* knows the program perhaps; or NULL: it is read */
    const char *more; /* anything else that shapes artifacts and is not in the file; or NULL */
};

/*
 * The identity of a prepare worker on this machine.  The digest of its file covers commit, engine
 * and the engine's settings, since workers have these compiled in.  A host passes /proc/self/fd/N
 * of the program that it opened, so that the file it runs is the one that is read.
 * PVF_ERR_UNSUPPORTED for a script, which says nothing about the program behind it, and for a
 * processor whose features cannot be told: then nothing may be kept.
 */
PVF__NODISCARD int pvf__cache_identity_make(const struct pvf__cache_worker *worker,
                                            struct pvf__cache_identity *ret,
                                            pvf_error *err);

bool pvf__cache_identity_is_valid(const struct pvf__cache_identity *identity);

/*
 * Fingerprint of the instruction sets that this processor has and the kernel allows.  Only what a
 * compiler may use counts: neither the model nor what microcode and kernels add and take away.
 */
PVF__NODISCARD int pvf__cache_cpu(uint8_t out[32], pvf_error *err);

/* The same of given words, as this processor's family has them; for tests. */
void pvf__cache_cpu_of(const char *family, const uint32_t *words, size_t count, uint8_t out[32]);

#endif
