/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_OPTIONS_H
#define PVF_CLI_CLI_OPTIONS_H

#include "base/cleanup.h"
#include "pvf/types.h"

#include <stdbool.h>
#include <stdint.h>

enum pvf__cli_command {
    PVF__CLI_PRECHECK,
    PVF__CLI_PREPARE,
    PVF__CLI_VALIDATE,
    PVF__CLI_INSPECT,
    PVF__CLI_DOCTOR,
};

enum pvf__cli_format {
    PVF__CLI_ROWS, /* for people */
    PVF__CLI_JSON,
    PVF__CLI_TSV, /* one line for scripts */
};

/* The command line; texts are the program's own arguments. */
struct pvf__cli_options {
    enum pvf__cli_command command;
    enum pvf__cli_format format;
    const char *code;   /* NULL only for doctor, and validate with --artifact */
    const char *output; /* -o: artifact, or result */
    const char *artifact;
    const char *pvd;
    const char *pov;
    const char *params;
    const char *bundle;
    const char *expect;
    const char *executor_params;
    const char *workers;
    const char *prepare_worker; /* doctor, as is the next */
    const char *execute_worker;
    bool has_v3;
    uint8_t relay_parent[32];
    uint8_t scheduling_parent[32];
    bool approval; /* time limit of approval instead of backing */
    bool precheck; /* prepare as the command precheck does: construct the runtime once, 60 s */
    enum pvf_metering metering;
    uint32_t compile_threads; /* 0: the worker decides */
    bool plain_protocol;
    bool has_timeout;
    uint64_t timeout_ms;
    uint32_t bomb_limit;
    uint32_t max_code_size;
    uint32_t repeat;
};

/* What the relay chains use: ten times the largest code (3 MiB). */
#define PVF__CLI_BOMB_LIMIT (30u * 1024 * 1024)
#define PVF__CLI_MAX_CODE_SIZE (3u * 1024 * 1024)

/*
 * Returns -1 and fills *ret, or the exit code when there is nothing more to do (help, version, or
 * a wrong command line, which is then explained on stderr).
 */
PVF__NODISCARD int pvf__cli_options_parse(int argc, char **argv, struct pvf__cli_options *ret);

#endif
