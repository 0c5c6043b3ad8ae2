/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_ERROR_H
#define PVF_BASE_ERROR_H

#include "pvf/error.h"
#include "pvf/status.h"

#include <stdarg.h>

/* Fills *err (NULL is fine) and returns `code`, so that a failing path is one line. */
int pvf__error_set(pvf_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As pvf__error_set, with the text of `sys_errno` added at the end. */
int pvf__error_errno(pvf_error *err, int code, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "context: " before the text of an error that is already set. */
void pvf__error_wrap(pvf_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
