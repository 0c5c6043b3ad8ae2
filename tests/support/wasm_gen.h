/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_WASM_GEN_H
#define PVF_TESTS_SUPPORT_WASM_GEN_H

#include "base/buf.h"

#include <stdint.h>

/*
 * Appends a random PVF: a few functions that call each other directly and through a table, loop,
 * branch to the function's label, return early, trap, and read and write the counter that
 * rewriting adds (as the global behind the last one, so that the blob itself is no valid Wasm).
 * Every step feeds a running hash, which is the head data that validate_block returns; so two
 * forms of metering behave the same when they give the same head data or both trap.  Work is
 * bounded by a fuel global.  Exports: memory, __heap_base, validate_block, and `probe`, which is
 * the same work as () -> i64 for engines without a host.  The same seed gives the same bytes.
 */
void wasm_gen_module(uint64_t seed, struct pvf__buf *out);

#endif
