/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_WASM_PROPERTY_H
#define PVF_TESTS_SUPPORT_WASM_PROPERTY_H

#include <stddef.h>
#include <stdint.h>

/*
 * What must hold for any bytes: parsing, costs, both forms and the summary agree about accepting;
 * a refusal is one of the two kinds and fills the fault; what is written passes the grammar again
 * and is in the shortest encoding.  NULL, or what does not hold.
 */
const char *wasm_property_broken(const uint8_t *data, size_t len);

#endif
