/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_LINK_H
#define PVF_ENGINE_ENGINE_LINK_H

/* The imports of a module.  Only files of this folder include it. */

#include "base/cleanup.h"
#include "guest/allocator.h"
#include "guest/guest.h"
#include "hostcall/hostcall.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <wasm.h>
#include <wasmtime.h>

/*
 * What a host function finds as the data of its store.  It must not move while the store lives.
 * `calls.memory` and `calls.allocator` stay NULL until the start function has run.
 */
struct pvf__link_state {
    struct pvf__hostcall_context calls;
    struct pvf__guest_memory memory;
    struct pvf__allocator allocator;
    wasmtime_context_t *context;
    wasmtime_memory_t raw_memory;
};

/* Makes the memory of a state (`context`) show the guest's memory as it is now. */
void pvf__link_look(void *context);

/*
 * Defines every import of `module` in `linker`: the host functions that exist (with RFC 163's
 * only if `ecc`), and for all others a stub that traps.  PVF_ERR_MALFORMED: an import that can
 * be neither.
 */
PVF__NODISCARD int pvf__link_imports(wasmtime_linker_t *linker,
                                     const wasmtime_module_t *module,
                                     bool ecc,
                                     pvf_error *err);

#endif
