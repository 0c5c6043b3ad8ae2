/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the way from an artifact to something that can be instantiated.  Trusts the artifact's
 * code (the caller verified it), not what the module in it imports.
 */
#include "engine/engine_load.h"

#include "base/error.h"
#include "engine/engine_link.h"
#include "engine/engine_pages.h"
#include "engine/engine_raw.h"
#include "engine/engine_text.h"
#include "engine/engine_warm.h"

#include <pvf_shim.h>
#include <stdlib.h>

/* Takes `raw`, also on failure. */
static int finish(struct pvf__engine *engine,
                  wasmtime_module_t *raw,
                  bool ecc,
                  struct pvf__engine_module **ret,
                  pvf_error *err)
{
    struct pvf__engine_module *module = malloc(sizeof(*module));
    if (module == NULL) {
        wasmtime_module_delete(raw);
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a module");
    }
    *module = (struct pvf__engine_module){.engine = engine, .module = raw, .pre = NULL};
    wasmtime_linker_t *linker = wasmtime_linker_new(engine->raw);
    int status = pvf__link_imports(linker, raw, ecc, err);
    if (status == 0) {
        wasmtime_error_t *error = wasmtime_linker_instantiate_pre(linker, raw, &module->pre);
        if (error != NULL) {
            status =
                pvf__text_to_err(err, PVF_ERR_MALFORMED, "cannot preinstantiate module", error);
        }
    }
    wasmtime_linker_delete(linker);
    if (status != 0) {
        pvf__engine_module_delete(module);
        return status;
    }
    *ret = module;
    return 0;
}

static int refused(wasmtime_error_t *error, pvf_error *err)
{
    return pvf__text_to_err(err, PVF_ERR_CORRUPT, "cannot deserialize module", error);
}

int pvf__engine_load_fd(
    struct pvf__engine *engine, int fd, bool ecc, struct pvf__engine_module **ret, pvf_error *err)
{
    wasmtime_module_t *raw = NULL;
    struct pvf__engine_fillers fillers;
    pvf__engine_pages_place(fd, &fillers);
    wasmtime_error_t *error = pvf_engine_module_from_fd(engine->raw, fd, &raw);
    pvf__engine_pages_placed(&fillers);
    return error != NULL ? refused(error, err) : finish(engine, raw, ecc, ret, err);
}

int pvf__engine_load_bytes(struct pvf__engine *engine,
                           const uint8_t *artifact,
                           size_t len,
                           bool ecc,
                           struct pvf__engine_module **ret,
                           pvf_error *err)
{
    wasmtime_module_t *raw = NULL;
    wasmtime_error_t *error = wasmtime_module_deserialize(engine->raw, artifact, len, &raw);
    return error != NULL ? refused(error, err) : finish(engine, raw, ecc, ret, err);
}

struct pvf__slice pvf__engine_module_image(const struct pvf__engine_module *module)
{
    void *start;
    void *end;
    wasmtime_module_image_range(module->module, &start, &end);
    return (struct pvf__slice){start, (size_t)((const uint8_t *)end - (const uint8_t *)start)};
}

void pvf__engine_module_touch(const struct pvf__engine_module *module)
{
    struct pvf__slice image = pvf__engine_module_image(module);
    pvf__engine_warm_touch(image.data, image.len);
}

void pvf__engine_module_delete(struct pvf__engine_module *module)
{
    if (module == NULL) {
        return;
    }
    if (module->pre != NULL) {
        wasmtime_instance_pre_delete(module->pre);
    }
    wasmtime_module_delete(module->module);
    free(module);
}
