/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_CACHE_H
#define PVF_CLI_CLI_CACHE_H

#include "cache/cache.h"
#include "cli/cli_exit.h"
#include "cli/cli_options.h"
#include "pvf/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `pvf cache …`, with a command line of its own; argv[0] is "cache".  The exit code. */
int pvf__cli_cache_main(int argc, char **argv);

enum pvf__cli_cache_command {
    PVF__CLI_CACHE_LIST,
    PVF__CLI_CACHE_VERIFY,
    PVF__CLI_CACHE_GC,
    PVF__CLI_CACHE_WARM,
    PVF__CLI_CACHE_EXPORT,
};

struct pvf__cli_cache_options {
    enum pvf__cli_cache_command command;
    const char *folder;
    bool json;
    char **operands; /* CODE… or HASH */
    int operand_count;
    const char *output;
    uint64_t max_size; /* UINT64_MAX: no limit */
    uint64_t min_free;
    bool dry_run;
    const char *executor_params;
    const char *workers;
    uint32_t bomb_limit;
    enum pvf_metering metering;
    uint32_t compile_threads; /* 0: the worker decides */
    bool precheck;
    uint64_t timeout_ms; /* 0: as the parameters say */
};

/* As pvf__cli_options_parse. */
PVF__NODISCARD int
pvf__cli_cache_options_parse(int argc, char **argv, struct pvf__cli_cache_options *ret);

/* Opens the cache that the options name; -1, or the exit code after a complaint. */
PVF__NODISCARD int pvf__cli_cache_open(const struct pvf__cli_cache_options *options,
                                       enum pvf__cache_mode mode,
                                       const struct pvf__cache_identity *identity,
                                       struct pvf__cache **ret);

/* The commands; each prints its own result and returns the exit code. */
int pvf__cli_cache_list(const struct pvf__cli_cache_options *options);
int pvf__cli_cache_verify(const struct pvf__cli_cache_options *options);
int pvf__cli_cache_gc(const struct pvf__cli_cache_options *options);
int pvf__cli_cache_warm(const struct pvf__cli_cache_options *options);
int pvf__cli_cache_export(const struct pvf__cli_cache_options *options);

/* Prints to stdout and frees; PVF__CLI_OK, or the exit code after a complaint. */
PVF__NODISCARD int pvf__cli_cache_print(json_t *json);

/* After lines for people: were they written? */
PVF__NODISCARD int pvf__cli_cache_flush(void);

/* What is known about an entry; NULL when there is no memory. */
json_t *pvf__cli_cache_entry_json(const struct pvf__cache_entry *entry, const uint8_t cpu[32]);

/* "0x62631e64fcf53d18": enough to name one. */
#define PVF__CLI_CACHE_HASH 19
void pvf__cli_cache_hash(const uint8_t hash[32], char out[PVF__CLI_CACHE_HASH]);

/* On a terminal one line on stderr that is rewritten; `done` equal to `all` removes it. */
void pvf__cli_cache_progress(const char *what, size_t done, size_t all);

#endif
