/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ERROR_H
#define PVF_ERROR_H

#include <stdint.h>

/*
 * What went wrong, for a person.  The caller owns it, usually on the stack; a function that fails
 * fills it without allocating, a function that succeeds leaves it untouched.  Every function that
 * takes one takes NULL too.
 */
typedef struct pvf_error {
    int32_t code;      /* one of PVF_ERR_* */
    int32_t sys_errno; /* errno of the failed system call, or 0 */
    int32_t detail;    /* enum pvf_spawn_failure when no worker could be started, or 0 */
    char text[244];    /* one line, always terminated; what, where, and the limit */
} pvf_error;

#define PVF_ERROR_INIT                                                                             \
    {                                                                                              \
        0, 0, 0,                                                                                   \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#endif
