/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how numbers on a command line are read. */
#include "cli/cli_args.h"

#include "base/text.h"
#include "cli/cli_exit.h"
#include "proto/command_line.h"

#include <stdio.h>
#include <string.h>

int pvf__cli_args_number(
    const char *name, const char *text, uint64_t min, uint64_t max, const char *hint, uint64_t *ret)
{
    uint64_t value;
    if (!pvf__text_parse_u64(text, max, &value) || value < min) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             hint,
                             "--%s takes a whole number from %llu to %llu, not '%s'",
                             name,
                             (unsigned long long)min,
                             (unsigned long long)max,
                             text);
    }
    *ret = value;
    return -1;
}

int pvf__cli_args_u32(
    const char *name, const char *text, uint32_t min, uint32_t max, const char *hint, uint32_t *ret)
{
    uint64_t value = 0;
    int stop = pvf__cli_args_number(name, text, min, max, hint, &value);
    if (stop < 0) {
        *ret = (uint32_t)value;
    }
    return stop;
}

int pvf__cli_args_timeout(const char *text, const char *hint, uint64_t *ret_ms)
{
    return pvf__cli_args_number("timeout", text, 1, 86400000, hint, ret_ms);
}

int pvf__cli_args_compile_threads(const char *text, const char *hint, uint32_t *ret)
{
    return pvf__cli_args_u32("compile-threads", text, 1, PVF__COMPILE_THREADS_MAX, hint, ret);
}

int pvf__cli_args_metering(const char *text, const char *hint, enum pvf_metering *ret)
{
    if (strcmp(text, PVF__WORD_METERING_CALLEE) == 0) {
        *ret = PVF_METERING_CALLEE;
    } else if (strcmp(text, PVF__WORD_METERING_CALL_SITE) == 0) {
        *ret = PVF_METERING_CALL_SITE;
    } else {
        return pvf__cli_fail(
            PVF__CLI_USAGE, hint, "--metering is 'callee' or 'call-site', not '%s'", text);
    }
    return -1;
}

int pvf__cli_args_size(const char *name, const char *text, uint64_t *ret)
{
    static const char letters[] = "KMG";
    char digits[24];
    size_t len = strlen(text);
    unsigned shift = 0;
    uint64_t value;
    const char *letter = len > 0 ? strchr(letters, text[len - 1]) : NULL;
    if (letter != NULL) {
        shift = 10 * (unsigned)(letter - letters + 1);
        len--;
    }
    (void)snprintf(digits, sizeof digits, "%.*s", (int)(len < 23 ? len : 23), text);
    if (len >= sizeof digits || !pvf__text_parse_u64(digits, UINT64_MAX >> shift, &value)) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "for example 10G, 512M or 1048576",
                             "--%s takes a size, not '%s'",
                             name,
                             text);
    }
    *ret = value << shift;
    return -1;
}
