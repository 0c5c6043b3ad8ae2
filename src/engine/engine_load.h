/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_LOAD_H
#define PVF_ENGINE_ENGINE_LOAD_H

#include "base/cleanup.h"
#include "base/slice.h"
#include "engine/engine_config.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An artifact in memory, its imports linked and their types checked: all that comes before an
 * instance, and all that a precheck does after compiling.  Read-only once made: one may serve
 * many runs, and the children of a fork.
 */
struct pvf__engine_module;

/* Stands before the text of every failure of class RuntimeConstruction. */
#define PVF__ENGINE_CONSTRUCTION "Other error happened while constructing the runtime: "

/*
 * Maps the artifact in `fd`, which may be closed afterwards.  Its bytes become code as they are:
 * the caller has checked that they are an artifact of this engine, and that nobody can change
 * them any more.  `ecc`: with the RFC-163 host functions.  *ret is the caller's to give to
 * pvf__engine_module_delete, before the engine.  Every failure is of class RuntimeConstruction;
 * its text comes without PVF__ENGINE_CONSTRUCTION.
 */
PVF__NODISCARD int pvf__engine_load_fd(
    struct pvf__engine *engine, int fd, bool ecc, struct pvf__engine_module **ret, pvf_error *err);

/* The same from bytes, which are copied. */
PVF__NODISCARD int pvf__engine_load_bytes(struct pvf__engine *engine,
                                          const uint8_t *artifact,
                                          size_t len,
                                          bool ecc,
                                          struct pvf__engine_module **ret,
                                          pvf_error *err);

/* Where the artifact is mapped. */
struct pvf__slice pvf__engine_module_image(const struct pvf__engine_module *module);

/*
 * Has the pages of the artifact in this process's tables before they are used.  Cheap only where
 * they are huge (engine_pages.h).
 */
void pvf__engine_module_touch(const struct pvf__engine_module *module);

/* NULL is fine. */
void pvf__engine_module_delete(struct pvf__engine_module *module);

#endif
