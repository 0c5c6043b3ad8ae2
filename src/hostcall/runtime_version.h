/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOSTCALL_RUNTIME_VERSION_H
#define PVF_HOSTCALL_RUNTIME_VERSION_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Appends to `out` what the custom sections `runtime_version` and `runtime_apis` of a module say,
 * as the SCALE value Some(bytes of a RuntimeVersion).  The module has passed pvf__wasm_check.  0;
 * PVF_ERR_MALFORMED when the first section is missing or either does not decode, `out` then
 * unspecified; PVF_ERR_NO_MEMORY or PVF_ERR_LIMIT.
 */
PVF__NODISCARD int
pvf__runtime_version_encode(const uint8_t *code, size_t len, struct pvf__buf *out);

#endif
