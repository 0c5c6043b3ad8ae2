/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_PROTO_SAMPLES_H
#define PVF_TESTS_SUPPORT_PROTO_SAMPLES_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Which decoder a message belongs to. */
enum proto_kind {
    PROTO_HANDSHAKE,
    PROTO_PARAMS,
    PROTO_PREPARE_REQUEST,
    PROTO_PREPARE_ANSWER,
    PROTO_EXECUTE_REQUEST,
    PROTO_EXECUTE_ANSWER,
    PROTO_PREPARE_JOB,
    PROTO_EXECUTE_JOB,
    PROTO_VALIDATION_RESULT,
    PROTO_PVD,
    PROTO_UPGRADE_HELLO,
    PROTO_UPGRADE_READY,
    PROTO_UPGRADE_REQUEST,
    PROTO_KINDS,
};

/* A valid message, as a frame in hex (support/hex.h). */
struct proto_sample {
    enum proto_kind kind;
    const char *name;
    const char *frame;
};

extern const struct proto_sample proto_samples[];
extern const size_t proto_sample_count;

/*
 * Decodes a body and encodes what was found: 0 and the encoding in `ret`, or the decoder's status.
 * Nothing may be lost on the way: the encoding equals the bytes that were decoded.
 */
int proto_recode(enum proto_kind kind, const uint8_t *data, size_t len, struct pvf__buf *ret);

/* 0 when the bytes are refused or the encoding is their beginning; 1 otherwise. */
int proto_check(enum proto_kind kind, const uint8_t *data, size_t len);

#endif
