/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_RANDOM_H
#define PVF_BASE_RANDOM_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stddef.h>

/* At most this many bytes come from the kernel whole, or not at all. */
#define PVF__RANDOM_MAX ((size_t)256)

/* Fills `out` with random bytes that nobody can foretell, at most PVF__RANDOM_MAX. */
PVF__NODISCARD int pvf__random(void *out, size_t len, pvf_error *err);

#endif
