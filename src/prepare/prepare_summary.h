/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PREPARE_PREPARE_SUMMARY_H
#define PVF_PREPARE_PREPARE_SUMMARY_H

#include "base/json_out.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Adds what there is to say about a decompressed module; nothing when it does not parse. */
void pvf__prepare_summary(struct pvf__json_out *json, const uint8_t *code, size_t len, bool ecc);

/* Adds what there is to say about an artifact. */
void pvf__prepare_summary_artifact(struct pvf__json_out *json, const uint8_t *data, size_t len);

#endif
