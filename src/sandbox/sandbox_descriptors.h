/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_DESCRIPTORS_H
#define PVF_SANDBOX_SANDBOX_DESCRIPTORS_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stddef.h>

/* Closes every descriptor but 0, 1, 2 and these; any of them may be -1. */
PVF__NODISCARD int pvf__sandbox_keep_only(const int *keep, size_t count, pvf_error *err);

/*
 * Opens the null device for later use, above the standard descriptors, close-on-exec.  Where there
 * is no such device (a bare container) it is the read end of a pipe without a writer, which reads
 * as empty and cannot be written.
 */
PVF__NODISCARD int pvf__sandbox_null_open(int *ret, pvf_error *err);

/* Puts `null_fd` in the place of 0, 1 and 2. */
PVF__NODISCARD int pvf__sandbox_null_stdio(int null_fd, pvf_error *err);

#endif
