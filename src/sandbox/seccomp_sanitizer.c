/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a sanitizer's runtime does besides.  Empty in builds without one, so that nothing in
 * an installed program can switch it on.
 */
#include "sandbox/seccomp_policy.h"

const struct pvf__seccomp_call pvf__seccomp_sanitizer_calls[] = {
    {"exit", {60, 93}, {PVF__SECCOMP_YES, PVF__SECCOMP_YES, PVF__SECCOMP_YES, PVF__SECCOMP_YES}},
};
const size_t pvf__seccomp_sanitizer_calls_count = 1;
