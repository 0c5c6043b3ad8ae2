/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_ARGS_H
#define PVF_CLI_CLI_ARGS_H

#include "base/cleanup.h"
#include "pvf/host.h"

#include <stdint.h>

/* The most that --repeat takes. */
#define PVF__CLI_ARGS_REPEATS 100000u

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

/* Milliseconds, up to a day. */
PVF__NODISCARD int pvf__cli_args_timeout(const char *text, const char *hint, uint64_t *ret_ms);

PVF__NODISCARD int pvf__cli_args_compile_threads(const char *text, const char *hint, uint32_t *ret);

/* "callee" or "call-site". */
PVF__NODISCARD int
pvf__cli_args_metering(const char *text, const char *hint, enum pvf_metering *ret);

/* Bytes: a number, perhaps with K, M or G for a power of 1024. */
PVF__NODISCARD int pvf__cli_args_size(const char *name, const char *text, uint64_t *ret);

#endif
