/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_PARAMS_H
#define PVF_CLI_CLI_PARAMS_H

#include "base/buf.h"
#include "proto/executor_params.h"
#include "pvf/error.h"

/*
 * Reads executor parameters as --executor-params takes them: SCALE as hex, JSON
 *   [{"MaxMemoryPages": 8192}, {"PvfExecTimeout": ["Backing", 2500]}, "WasmExtBulkMemory",
 *    {"EnabledHostFunction": "EccRfc163"}]
 * (names as the runtime spells them, or with a small first letter; numbers also as strings), or
 * the name of a file that holds one of the two.  NULL is the empty list.  The encoded list is
 * appended to `scale`, which must be empty and which ret->raw points into.
 */
PVF__NODISCARD int pvf__cli_params_read(const char *text,
                                        struct pvf__buf *scale,
                                        struct pvf__executor_params *ret,
                                        pvf_error *err);

#endif
