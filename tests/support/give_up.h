/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_GIVE_UP_H
#define PVF_TESTS_SUPPORT_GIVE_UP_H

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Says why, and ends the process at once: for children, which may not use cmocka. */
__attribute__((noreturn, format(printf, 2, 3))) static inline void
give_up(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    _exit(status);
}

#endif
