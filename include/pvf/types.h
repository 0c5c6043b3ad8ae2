/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TYPES_H
#define PVF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * HOW STRUCTURES GROW.  One that stands inside another, or that the library fills in for the
 * caller, never changes its size; what comes later takes the place of its `reserved` words, where
 * zero means what was done before.  So callers make such a structure all zero first, and a request
 * or configuration whose reserved words are not zero is refused: it asks for something that this
 * library does not know.  One that begins with `struct_size` grows at its end, and works in any
 * length of a release.  What only the library makes and callbacks see may grow at its end.
 * pvf_bytes, pvf_error, pvf_security_status and pvf_metric_label stay as they are.
 */

/* Bytes that the caller owns and keeps for the length of the call.  `data` may be NULL for none. */
typedef struct pvf_bytes {
    const uint8_t *data;
    size_t len;
} pvf_bytes;

/* What a worker is told to use against hostile code. */
typedef struct pvf_security_status {
    bool secure_validator_mode; /* a mechanism that fails ends the worker */
    bool can_enable_landlock;
    bool can_enable_seccomp;
    bool can_unshare_user_namespace_and_change_root;
    bool can_do_secure_clone;
} pvf_security_status;

/* Why code is prepared. */
enum pvf_prepare_kind {
    PVF_PREPARE_COMPILATION = 0, /* it is going to be executed */
    PVF_PREPARE_PRECHECKING = 1, /* a vote on new code: the artifact is also set up once */
};

/*
 * Where prepared code counts its stack.  The verdicts are the same, the artifacts are not.  Only
 * our own prepare worker can be told: another refuses to start.
 */
enum pvf_metering {
    PVF_METERING_DEFAULT = 0,   /* what the worker does untold: ours, in the callee */
    PVF_METERING_CALLEE = 1,    /* once in each function */
    PVF_METERING_CALL_SITE = 2, /* the reference's form: at each call; larger and slower */
};

/* How a candidate's descriptor was read; decides what the code gets to see. */
enum pvf_descriptor_version {
    PVF_DESCRIPTOR_V1 = 0,
    PVF_DESCRIPTOR_V2 = 1,
    PVF_DESCRIPTOR_V3 = 2,
    PVF_DESCRIPTOR_UNKNOWN = 3,
};

#endif
