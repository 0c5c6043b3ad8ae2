/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the ways in which a worker fails to start: their names, and what to do about each. */
#include "host/spawn_failure.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *advice;
} rows[] = {
    [PVF_SPAWN_NONE] = {"none", ""},
    [PVF_SPAWN_TMP_PATH] = {"temporary path",
                            "the cache folder and $TMPDIR must be there, writable, and short"},
    [PVF_SPAWN_BIND] = {"bind", "$TMPDIR must be a writable folder on a file system with sockets"},
    [PVF_SPAWN_ACCEPT] = {"accept", "see the limit of open files (ulimit -n)"},
    [PVF_SPAWN_PROCESS] = {"process", "see its mode, and the limits of processes and memory"},
    [PVF_SPAWN_ACCEPT_TIMEOUT] = {"accept timeout",
                                  "see its log, and whether this machine is overloaded"},
    [PVF_SPAWN_DIED] = {"died before connecting", "its log says why; does --version run?"},
    [PVF_SPAWN_HANDSHAKE] = {"handshake", "its log says why it hung up"},
    [PVF_SPAWN_PROGRAM_CHANGED] = {"program changed",
                                   "restart the host, with workers of one build"},
};

static const size_t row_count = sizeof(rows) / sizeof(rows[0]);

int pvf__spawn_failure_mark(pvf_error *err, enum pvf_spawn_failure failure, int status)
{
    if (err != NULL) {
        size_t used = strlen(err->text);
        err->detail = (int32_t)failure;
        (void)snprintf(err->text + used, sizeof(err->text) - used, "; %s", rows[failure].advice);
    }
    return status;
}

const char *pvf_spawn_failure_name(int32_t failure)
{
    return failure >= 0 && (size_t)failure < row_count ? rows[failure].name : "unknown";
}
