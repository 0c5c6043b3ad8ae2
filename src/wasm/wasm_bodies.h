/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_BODIES_H
#define PVF_WASM_BODIES_H

#include <stddef.h>
#include <stdint.h>

/* The largest answer of the function below. */
#define PVF__WASM_BODIES_MOST ((size_t)16)

/*
 * How many functions of a rewritten module may be compiled at once if what is worked on shall stay
 * within `budget` bytes of code, whichever functions meet: at least 1, and `most` or
 * PVF__WASM_BODIES_MOST at most.  1 for what is no module.
 */
size_t pvf__wasm_bodies_at_once(const uint8_t *module, size_t len, size_t most, size_t budget);

#endif
