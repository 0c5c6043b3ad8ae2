/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: compilation.  Trusts nothing about the module: the engine validates it, and a panic of
 * the compiler comes back as an error.
 */
#include "engine/engine_compile.h"

#include "base/error.h"
#include "engine/engine_raw.h"
#include "engine/engine_text.h"

#include <pvf_shim.h>

int pvf__engine_compile(struct pvf__engine *engine,
                        const uint8_t *wasm,
                        size_t len,
                        struct pvf__engine_artifact *ret,
                        pvf_error *err)
{
    wasm_byte_vec_t bytes;
    bool panicked = false;
    wasmtime_error_t *error =
        pvf_engine_precompile(engine->raw, wasm, len, engine->compile_threads, &bytes, &panicked);
    if (error != NULL) {
        int code = panicked ? PVF_ERR_INTERNAL : PVF_ERR_MALFORMED;
        return pvf__text_to_err(err, code, "cannot precompile module", error);
    }
    ret->data = (uint8_t *)bytes.data;
    ret->len = bytes.size;
    return 0;
}

void pvf__engine_artifact_done(struct pvf__engine_artifact *artifact)
{
    wasm_byte_vec_t bytes = {artifact->len, (wasm_byte_t *)artifact->data};
    if (artifact->data != NULL) {
        wasm_byte_vec_delete(&bytes);
    }
    artifact->data = NULL;
    artifact->len = 0;
}
