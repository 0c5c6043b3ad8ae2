/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how bundles are called. */
#include "evidence/evidence_name.h"

#include "base/error.h"
#include "base/random.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char shape[] = "00000000T000000.000000Z-hhhhhhhh";

_Static_assert(sizeof(shape) - 1 == PVF__EVIDENCE_NAME_LEN, "the shape is that of a name");

int pvf__evidence_name_make(char out[PVF__EVIDENCE_NAME_SIZE], pvf_error *err)
{
    struct timespec now;
    struct tm parts;
    uint32_t number;
    int status = pvf__random(&number, sizeof(number), err);
    if (status != 0) {
        return status;
    }
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || gmtime_r(&now.tv_sec, &parts) == NULL ||
        parts.tm_year < 0 || parts.tm_year > 9999 - 1900) {
        return pvf__error_set(err, PVF_ERR_IO, "the clock shows no date");
    }
    (void)snprintf(out,
                   PVF__EVIDENCE_NAME_SIZE,
                   "%04u%02u%02uT%02u%02u%02u.%06uZ-%08x",
                   (unsigned)(parts.tm_year + 1900) % 10000u,
                   (unsigned)(parts.tm_mon + 1) % 100u,
                   (unsigned)parts.tm_mday % 100u,
                   (unsigned)parts.tm_hour % 100u,
                   (unsigned)parts.tm_min % 100u,
                   (unsigned)parts.tm_sec % 100u,
                   (unsigned)(now.tv_nsec / 1000) % 1000000u,
                   (unsigned)number);
    return 0;
}

static bool is_hex(char letter)
{
    return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}

bool pvf__evidence_name_is(const char *name, bool *ret_temporary)
{
    for (size_t i = 0; i < PVF__EVIDENCE_NAME_LEN; i++) {
        bool fits = shape[i] == '0'   ? name[i] >= '0' && name[i] <= '9'
                    : shape[i] == 'h' ? is_hex(name[i])
                                      : name[i] == shape[i];
        if (!fits) {
            return false; /* the terminator fits nowhere, so nothing behind it is read */
        }
    }
    const char *rest = name + PVF__EVIDENCE_NAME_LEN;
    *ret_temporary = strcmp(rest, PVF__EVIDENCE_TEMPORARY) == 0;
    return *ret_temporary || rest[0] == '\0';
}

bool pvf__evidence_name_is_code(const char *name)
{
    size_t len = 0;
    while (is_hex(name[len])) {
        len++;
    }
    return len == 64 && name[len] == '\0';
}
