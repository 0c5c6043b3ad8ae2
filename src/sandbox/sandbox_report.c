/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the words about what is on. */
#include "base/error.h"
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>

static const char *const names[PVF__SANDBOX_MECHANISMS] = {
    [PVF__SANDBOX_DESCRIPTORS] = "descriptors",
    [PVF__SANDBOX_SIGNALS] = "signals",
    [PVF__SANDBOX_ENVIRONMENT] = "environment",
    [PVF__SANDBOX_LIMITS] = "limits",
    [PVF__SANDBOX_PARENT_DEATH] = "parent-death",
    [PVF__SANDBOX_NON_DUMPABLE] = "non-dumpable",
    [PVF__SANDBOX_CHANGE_ROOT] = "change-root",
    [PVF__SANDBOX_CAPABILITIES] = "capabilities",
    [PVF__SANDBOX_NO_NEW_PRIVS] = "no-new-privs",
    [PVF__SANDBOX_LANDLOCK] = "landlock",
    [PVF__SANDBOX_SECCOMP] = "seccomp",
};

const char *pvf__sandbox_name(enum pvf__sandbox_mechanism mechanism)
{
    return names[mechanism];
}

/* Appends, never beyond `size`; what does not fit is cut. */
static void append(char *out, size_t size, const char *text)
{
    size_t len = strlen(out);
    (void)snprintf(out + len, size - len, "%s", text);
}

static void append_state(const struct pvf__sandbox_report *report,
                         enum pvf__sandbox_state state,
                         const char *title,
                         char *out,
                         size_t size)
{
    const char *before = title;
    for (size_t i = 0; i < PVF__SANDBOX_MECHANISMS; i++) {
        if (report->state[i] != state) {
            continue;
        }
        append(out, size, before);
        append(out, size, names[i]);
        if (report->why[i][0] != '\0') {
            append(out, size, " (");
            append(out, size, report->why[i]);
            append(out, size, ")");
        }
        before = ", ";
    }
}

void pvf__sandbox_report_text(const struct pvf__sandbox_report *report, char *out, size_t size)
{
    out[0] = '\0';
    append_state(report, PVF__SANDBOX_ON, "on: ", out, size);
    append_state(report, PVF__SANDBOX_NOT_WANTED, "; not wanted: ", out, size);
    append_state(report, PVF__SANDBOX_FAILED, "; FAILED: ", out, size);
}
