/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_ARGS_H
#define PVF_CLI_CLI_ARGS_H

#include "base/cleanup.h"

#include <stdint.h>

/*
 * Values of options.  -1, or the exit code after a complaint that names the option; `hint` says
 * where to look.
 */
PVF__NODISCARD int pvf__cli_args_number(const char *name,
                                        const char *text,
                                        uint64_t min,
                                        uint64_t max,
                                        const char *hint,
                                        uint64_t *ret);

/* The same for uint32_t. */
PVF__NODISCARD int pvf__cli_args_u32(const char *name,
                                     const char *text,
                                     uint32_t min,
                                     uint32_t max,
                                     const char *hint,
                                     uint32_t *ret);

/* Bytes: a number, perhaps with K, M or G for a power of 1024. */
PVF__NODISCARD int pvf__cli_args_size(const char *name, const char *text, uint64_t *ret);

#endif
