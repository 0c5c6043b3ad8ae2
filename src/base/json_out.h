/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_JSON_OUT_H
#define PVF_BASE_JSON_OUT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes JSON, nothing more: commas by itself, text escaped.  Text that is no UTF-8 loses the
 * offending bytes.  `key` is NULL inside arrays.  Failures stay in the buffer's `failed`.
 */
struct pvf__json_out {
    struct pvf__buf *buf;
    bool need_comma;
};

void pvf__json_out_open(struct pvf__json_out *json, const char *key, char bracket);
void pvf__json_out_close(struct pvf__json_out *json, char bracket);
void pvf__json_out_number(struct pvf__json_out *json, const char *key, uint64_t value);
void pvf__json_out_bool(struct pvf__json_out *json, const char *key, bool value);
void pvf__json_out_null(struct pvf__json_out *json, const char *key);
void pvf__json_out_text(struct pvf__json_out *json, const char *key, const void *text, size_t len);
void pvf__json_out_string(struct pvf__json_out *json, const char *key, const char *text);

/* With four digits behind the point; what is no number becomes null. */
void pvf__json_out_decimal(struct pvf__json_out *json, const char *key, double value);

/* "0x…" */
void pvf__json_out_hex(struct pvf__json_out *json,
                       const char *key,
                       const uint8_t *data,
                       size_t len);

#endif
