/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the border between guest code and host functions.  Imports are the guest's: any name, any
 * type, any number of times.  What is defined here has the host's type for names that the host
 * knows, so that the engine itself finds wrong types when it links.
 */
#include "engine/engine_link.h"

#include "base/error.h"
#include "engine/engine_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MODULE "env"

/* A name in an error message is cut at this. */
#define NAME_SHOWN 100

/* An import that the host does not provide; owned by the linker that it is defined in. */
struct missing {
    size_t len;
    char text[];
};

void pvf__link_look(void *context)
{
    struct pvf__link_state *state = context;
    state->memory.base = wasmtime_memory_data(state->context, &state->raw_memory);
    state->memory.size = wasmtime_memory_data_size(state->context, &state->raw_memory);
}

static wasm_trap_t *
call_host(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *values, size_t count)
{
    const struct pvf__hostcall *call = env;
    wasmtime_context_t *context = wasmtime_caller_context(caller);
    struct pvf__link_state *state = wasmtime_context_get_data(context);
    state->context = context;
    uint64_t args[PVF__HOSTCALL_PARAMS];
    for (size_t i = 0; i < PVF__HOSTCALL_PARAMS && i < count && call->params[i] != '\0'; i++) {
        args[i] = call->params[i] == 'i' ? (uint32_t)values[i].i32 : (uint64_t)values[i].i64;
    }
    uint64_t ret = 0;
    if (call->call(&state->calls, args, &ret) != 0) {
        const char *text = state->calls.trap;
        return wasmtime_trap_new(text, strnlen(text, sizeof(state->calls.trap)));
    }
    if (call->result[0] == 'i') {
        values[0].i64 = (int64_t)(ret & UINT32_MAX);
    } else if (call->result[0] == 'I') {
        values[0].i64 = (int64_t)ret;
    }
    return NULL;
}

static wasm_trap_t *
call_missing(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *values, size_t count)
{
    (void)caller;
    (void)values;
    (void)count;
    const struct missing *missing = env;
    return wasmtime_trap_new(missing->text, missing->len);
}

/* "iI" to value types; the vector is the caller's. */
static void types_of(const char *letters, wasm_valtype_vec_t *out)
{
    wasm_valtype_t *types[PVF__HOSTCALL_PARAMS];
    size_t count = 0;
    for (; letters[count] != '\0' && count < PVF__HOSTCALL_PARAMS; count++) {
        types[count] = letters[count] == 'i' ? wasm_valtype_new_i32() : wasm_valtype_new_i64();
    }
    wasm_valtype_vec_new(out, count, types);
}

static wasmtime_error_t *
define_host(wasmtime_linker_t *linker, const wasm_name_t *name, const struct pvf__hostcall *call)
{
    wasm_valtype_vec_t params;
    wasm_valtype_vec_t results;
    types_of(call->params, &params);
    types_of(call->result, &results);
    wasm_functype_t *type = wasm_functype_new(&params, &results);
    /* Loses its const on the way: the engine hands the pointer back and writes nothing there. */
    void *env;
    memcpy(&env, &call, sizeof(env));
    wasmtime_error_t *error = wasmtime_linker_define_func_unchecked(linker,
                                                                    HOST_MODULE,
                                                                    strlen(HOST_MODULE),
                                                                    name->data,
                                                                    name->size,
                                                                    type,
                                                                    call_host,
                                                                    env,
                                                                    NULL);
    wasm_functype_delete(type);
    return error;
}

/* NULL in *ret_error and PVF_ERR_NO_MEMORY when there is no room for the stub. */
static int define_missing(wasmtime_linker_t *linker,
                          const wasm_name_t *name,
                          const wasm_functype_t *type,
                          wasmtime_error_t **ret_error)
{
    static const char before[] = "call to a missing function " HOST_MODULE ":";
    size_t before_len = sizeof(before) - 1;
    struct missing *missing = malloc(sizeof(*missing) + before_len + name->size);
    if (missing == NULL) {
        return PVF_ERR_NO_MEMORY;
    }
    memcpy(missing->text, before, before_len);
    if (name->size > 0) {
        memcpy(missing->text + before_len, name->data, name->size);
    }
    missing->len = before_len + name->size;
    *ret_error = wasmtime_linker_define_func_unchecked(linker,
                                                       HOST_MODULE,
                                                       strlen(HOST_MODULE),
                                                       name->data,
                                                       name->size,
                                                       type,
                                                       call_missing,
                                                       missing,
                                                       free);
    return 0;
}

static int shown(const wasm_name_t *name)
{
    return name->size > NAME_SHOWN ? NAME_SHOWN : (int)name->size;
}

static bool is_host_module(const wasm_name_t *module)
{
    return module->size == strlen(HOST_MODULE) &&
           memcmp(module->data, HOST_MODULE, module->size) == 0;
}

static int
link_one(wasmtime_linker_t *linker, const wasm_importtype_t *import, bool ecc, pvf_error *err)
{
    const wasm_name_t *module = wasm_importtype_module(import);
    const wasm_name_t *name = wasm_importtype_name(import);
    const wasm_externtype_t *type = wasm_importtype_type(import);
    const char *problem = NULL;
    if (!is_host_module(module)) {
        problem = "host doesn't provide any imports from non-env module";
    } else if (wasm_externtype_kind(type) != WASM_EXTERN_FUNC) {
        problem = "host doesn't provide any non function imports";
    }
    if (problem != NULL) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "%s: %.*s:%.*s",
                              problem,
                              shown(module),
                              module->data,
                              shown(name),
                              name->data);
    }
    wasmtime_error_t *error = NULL;
    const struct pvf__hostcall *call = pvf__hostcall_find(name->data, name->size, ecc);
    if (call != NULL) {
        error = define_host(linker, name, call);
    } else if (define_missing(linker, name, wasm_externtype_as_functype_const(type), &error) != 0) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for an import");
    }
    if (error != NULL) {
        return pvf__text_to_err(err, PVF_ERR_MALFORMED, "cannot define an import", error);
    }
    return 0;
}

int pvf__link_imports(wasmtime_linker_t *linker,
                      const wasmtime_module_t *module,
                      bool ecc,
                      pvf_error *err)
{
    /* A name may be imported many times; the last type of a missing one is that of its stub. */
    wasmtime_linker_allow_shadowing(linker, true);
    wasm_importtype_vec_t imports;
    wasmtime_module_imports(module, &imports);
    int status = 0;
    for (size_t i = 0; i < imports.size && status == 0; i++) {
        status = link_one(linker, imports.data[i], ecc, err);
    }
    wasm_importtype_vec_delete(&imports);
    return status;
}
