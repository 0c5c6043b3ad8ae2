/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_TEXT_H
#define PVF_ENGINE_ENGINE_TEXT_H

/* Messages of the engine as the reference words them.  Only files of this folder include it. */

#include "pvf/error.h"

#include <stddef.h>
#include <wasm.h>
#include <wasmtime.h>

/*
 * Writes a message and its causes to `out` (`size` bytes with the terminator, cut): "message:
 * cause: cause".  `message` is in the form in which the engine hands out errors: causes stand
 * below a heading, one a line, numbered when they are several.
 */
void pvf__text_flatten(const char *message, size_t len, char *out, size_t size);

/*
 * Of the same form, the last cause to `out` (the message itself when it has none), and what stands
 * above the heading to `head` (empty when there is no heading).
 */
void pvf__text_split(
    const char *message, size_t len, char *out, size_t size, char *head, size_t head_size);

/* "context: message: cause …" to `out`; takes `error`. */
void pvf__text_from_error(const char *context, wasmtime_error_t *error, char *out, size_t size);

/* As pvf__text_from_error, for a trap; takes `trap`. */
void pvf__text_from_trap(const char *context, wasm_trap_t *trap, char *out, size_t size);

/*
 * The text of a call that was ended by a trap: "Execution aborted due to trap: … WASM backtrace:
 * …".  Exactly one of the two is not NULL, and is taken.
 */
void pvf__text_abort(wasmtime_error_t *error, wasm_trap_t *trap, char *out, size_t size);

/* Sets *err as pvf__error_set does, on one line; takes `error`; returns `code`. */
int pvf__text_to_err(pvf_error *err, int code, const char *context, wasmtime_error_t *error);

#endif
