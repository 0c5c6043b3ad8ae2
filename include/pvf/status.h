/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_STATUS_H
#define PVF_STATUS_H

#include "pvf/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Status numbers of every fallible function: 0 is success, a failure is negative.  The numbers are
 * part of the ABI: they are never reused and never change.  Verdicts about candidates are not
 * failures and are not listed here.
 */
#define PVF_STATUS_LIST(X)                                                                         \
    X(PVF_OK, 0, "success")                                                                        \
    X(PVF_ERR_INVALID_ARG, -1, "invalid argument")                                                 \
    X(PVF_ERR_NO_MEMORY, -2, "out of memory")                                                      \
    X(PVF_ERR_IO, -3, "input or output failed")                                                    \
    X(PVF_ERR_EOF, -4, "unexpected end of input")                                                  \
    X(PVF_ERR_TIMEOUT, -5, "time limit reached")                                                   \
    X(PVF_ERR_LIMIT, -6, "a limit was exceeded")                                                   \
    X(PVF_ERR_MALFORMED, -7, "malformed input")                                                    \
    X(PVF_ERR_UNSUPPORTED, -8, "not supported")                                                    \
    X(PVF_ERR_CORRUPT, -9, "stored data is corrupt")                                               \
    X(PVF_ERR_INTERNAL, -10, "internal error")                                                     \
    X(PVF_ERR_PEER, -11, "the other process misbehaved")                                           \
    X(PVF_ERR_BUSY, -12, "in use by another process")

enum pvf_status {
#define PVF_STATUS_ENUM(name, number, text) name = (number),
    PVF_STATUS_LIST(PVF_STATUS_ENUM)
#undef PVF_STATUS_ENUM
};

/* A short English text for a status number; "unknown status" for any other.  Never NULL. */
PVF_API const char *pvf_status_text(int status);

/* The name of a status number as written above, such as "PVF_ERR_IO".  Never NULL. */
PVF_API const char *pvf_status_name(int status);

#ifdef __cplusplus
}
#endif

#endif
