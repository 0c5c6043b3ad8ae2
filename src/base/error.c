/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: filling and wrapping of pvf_error.  Never allocates, so it is usable after fork. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void
fill(pvf_error *err, int code, int sys_errno, const char *format, va_list args)
{
    char why[80] = "";
    err->code = code;
    err->sys_errno = sys_errno;
    err->detail = 0;
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    if (sys_errno != 0) {
        const char *name = strerrordesc_np(sys_errno);
        (void)snprintf(why, sizeof(why), ": %s", name != NULL ? name : "unknown error");
    }
    /* Long paths may be cut, the reason not; nor a character in its midst. */
    size_t used = strlen(err->text);
    size_t room = sizeof(err->text) - 1 - strlen(why);
    if (used > room) {
        used = room;
        while (used > 0 && ((uint8_t)err->text[used] & 0xc0) == 0x80) {
            used--;
        }
    }
    memcpy(err->text + used, why, strlen(why) + 1);
}

int pvf__error_set(pvf_error *err, int code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        fill(err, code, 0, format, args);
        va_end(args);
    }
    return code;
}

int pvf__error_errno(pvf_error *err, int code, int sys_errno, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        fill(err, code, sys_errno, format, args);
        va_end(args);
    }
    return code;
}

void pvf__error_wrap(pvf_error *err, const char *format, ...)
{
    if (err == NULL) {
        return;
    }
    char joined[sizeof(err->text)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(joined, sizeof(joined), format, args);
    va_end(args);
    size_t used = strlen(joined);
    (void)snprintf(joined + used, sizeof(joined) - used, ": %s", err->text);
    memcpy(err->text, joined, sizeof(joined));
}
