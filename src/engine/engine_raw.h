/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_RAW_H
#define PVF_ENGINE_ENGINE_RAW_H

/* The insides of this folder's handles.  Only files of this folder include it. */

#include <stddef.h>
#include <wasm.h>
#include <wasmtime.h>

struct pvf__engine {
    wasm_engine_t *raw;
    size_t compile_threads;
};

/* A loaded and linked artifact.  `module` and `pre` count on each other's code; both are owned. */
struct pvf__engine_module {
    struct pvf__engine *engine; /* lent */
    wasmtime_module_t *module;
    wasmtime_instance_pre_t *pre;
};

#endif
