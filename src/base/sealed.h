/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_SEALED_H
#define PVF_BASE_SEALED_H

#include "base/cleanup.h"
#include "base/slice.h"
#include "pvf/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Memory that nobody can change any more, in a descriptor: written once, then sealed against
 * writing, shrinking and growing.  It can be handed to another process without a copy, and whoever
 * gets it can see that it is sealed.
 */

/* A descriptor of the parts, one after another; `name` is for who looks at lists of descriptors. */
PVF__NODISCARD int pvf__sealed_make(
    const char *name, const struct pvf__slice *parts, size_t count, int *ret, pvf_error *err);

/*
 * Maps what came from another process, for reading.  PVF_ERR_PEER when it is no memory that is
 * sealed against all three, or does not have exactly `len` bytes: then nothing was mapped, since
 * memory that can shrink is a SIGBUS.
 */
PVF__NODISCARD int pvf__sealed_map(int fd, uint64_t len, struct pvf__slice *ret, pvf_error *err);

/* Afterwards the slice is empty. */
void pvf__sealed_unmap(struct pvf__slice *mapped);

#endif
