/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a sanitizer's runtime does besides.  Without effect in builds without one, so that
 * nothing in an installed program can switch it on.
 */
#include "sandbox/seccomp_policy.h"

#define YES PVF__SECCOMP_YES
#define ALL_ROLES                                                                                  \
    {                                                                                              \
        YES, YES, YES, YES, YES                                                                    \
    }

const struct pvf__seccomp_call pvf__seccomp_sanitizer_calls[] = {
#if PVF__SECCOMP_SANITIZED
    /* Its locks give up the processor for a moment. */
    {"clock_nanosleep", {230, 115}, ALL_ROLES},
    {"nanosleep", {35, 101}, ALL_ROLES},
#else
    /* An array needs an element; this one says what the policy says without it. */
    {"exit_group", {231, 94}, ALL_ROLES},
#endif
};
const size_t pvf__seccomp_sanitizer_calls_count =
    sizeof(pvf__seccomp_sanitizer_calls) / sizeof(pvf__seccomp_sanitizer_calls[0]);
