/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_RESERVED_H
#define PVF_BASE_RESERVED_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The reserved words of a public structure, which a caller was told to leave zero.  Any other means
 * that it was not made all zero, or that the caller asks for something newer: PVF_ERR_INVALID_ARG.
 */
PVF__NODISCARD int
pvf__reserved_check(const uint64_t *words, size_t count, const char *structure, pvf_error *err);

/* For an array: its own length. */
#define PVF__RESERVED_CHECK(words, structure, err)                                                 \
    pvf__reserved_check((words), sizeof(words) / sizeof((words)[0]), (structure), (err))

#endif
