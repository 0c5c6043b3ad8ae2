/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: names and texts of the status numbers. */
#include "pvf/status.h"

const char *pvf_status_text(int status)
{
    switch (status) {
#define PVF_STATUS_TEXT(name, number, text)                                                        \
    case number:                                                                                   \
        return text;
        PVF_STATUS_LIST(PVF_STATUS_TEXT)
#undef PVF_STATUS_TEXT
    default:
        return "unknown status";
    }
}

const char *pvf_status_name(int status)
{
    switch (status) {
#define PVF_STATUS_NAME(name, number, text)                                                        \
    case number:                                                                                   \
        return #name;
        PVF_STATUS_LIST(PVF_STATUS_NAME)
#undef PVF_STATUS_NAME
    default:
        return "unknown status";
    }
}
