/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_TEXT_H
#define PVF_BASE_TEXT_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Exactly the sequences that Unicode calls well-formed UTF-8 (no surrogates, no over-long forms,
 * at most U+10FFFF), which is also what Rust's str accepts.
 */
bool pvf__text_is_utf8(const uint8_t *data, size_t len);

/* Writes 2 * len lower-case digits and a terminator. */
void pvf__text_to_hex(const uint8_t *data, size_t len, char *out);

/*
 * Reads `digits` (either case, optional 0x in front) into at most `max` bytes of `out`; *ret_len
 * is the number of bytes.  False on an odd count, a foreign character or too many bytes.
 */
PVF__NODISCARD bool
pvf__text_from_hex(const char *digits, uint8_t *out, size_t max, size_t *ret_len);

/* A decimal number, digits only, at most `max`.  False for anything else. */
PVF__NODISCARD bool pvf__text_parse_u64(const char *text, uint64_t max, uint64_t *ret);

#endif
