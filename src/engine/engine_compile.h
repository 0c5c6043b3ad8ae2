/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_COMPILE_H
#define PVF_ENGINE_ENGINE_COMPILE_H

#include "base/cleanup.h"
#include "engine/engine_config.h"
#include "pvf/error.h"

#include <stddef.h>
#include <stdint.h>

/* Compiled code as it is stored.  `data` is its own; give it to pvf__engine_artifact_done. */
struct pvf__engine_artifact {
    uint8_t *data;
    size_t len;
};

/*
 * Compiles a rewritten module.  PVF_ERR_MALFORMED: the module is refused, for a reason that is
 * the same on every machine.  PVF_ERR_INTERNAL: the compiler itself failed.  Nothing is mapped
 * executable.
 */
PVF__NODISCARD int pvf__engine_compile(struct pvf__engine *engine,
                                       const uint8_t *wasm,
                                       size_t len,
                                       struct pvf__engine_artifact *ret,
                                       pvf_error *err);

/* Frees the bytes; an artifact of zeros is fine. */
void pvf__engine_artifact_done(struct pvf__engine_artifact *artifact);

#endif
