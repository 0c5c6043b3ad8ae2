/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SECCOMP_FILTER_H
#define PVF_SANDBOX_SECCOMP_FILTER_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "sandbox/seccomp_policy.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

/* Enough for any role; a test says so. */
#define PVF__SECCOMP_FILTER_MAX 512

/*
 * Writes the filter of `role` on `arch`, whatever this machine is.  `facts` may be NULL for a
 * worker.  `for_sanitizer` puts the sanitizer's table in front.
 */
PVF__NODISCARD int pvf__seccomp_build_for(bool for_sanitizer,
                                          enum pvf__seccomp_role role,
                                          enum pvf__seccomp_arch arch,
                                          const struct pvf__seccomp_facts *facts,
                                          struct sock_filter *out,
                                          size_t max,
                                          size_t *ret_count,
                                          pvf_error *err);

/* The strict filter: what is installed in builds without a sanitizer. */
PVF__NODISCARD int pvf__seccomp_build(enum pvf__seccomp_role role,
                                      enum pvf__seccomp_arch arch,
                                      const struct pvf__seccomp_facts *facts,
                                      struct sock_filter *out,
                                      size_t max,
                                      size_t *ret_count,
                                      pvf_error *err);

#endif
