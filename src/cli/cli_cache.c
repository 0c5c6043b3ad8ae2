/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: what the commands of `pvf cache` share. */
#include "cli/cli_cache.h"

#include "base/text.h"
#include "pvf/log.h"
#include "pvf/status.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What to do instead while a host has the cache: it decides alone what goes and what comes. */
static const char *beside_a_host(enum pvf__cli_cache_command command)
{
    return command == PVF__CLI_CACHE_WARM
               ? "send that host a heads-up of the code instead; list, verify and export work now"
               : "a host keeps within its own limits (pvf run --cache-max); --dry-run, list, "
                 "verify "
                 "and export work now";
}

int pvf__cli_cache_open(const struct pvf__cli_cache_options *options,
                        enum pvf__cache_mode mode,
                        const struct pvf__cache_identity *identity,
                        struct pvf__cache **ret)
{
    pvf_error err = PVF_ERROR_INIT;
    const struct pvf__cache_config config = {
        .folder = options->folder, .mode = mode, .identity = identity};
    switch (pvf__cache_open(&config, ret, &err)) {
    case PVF_OK:
        return -1;
    case PVF_ERR_BUSY:
        return pvf__cli_fail(PVF__CLI_INTERNAL, beside_a_host(options->command), "%s", err.text);
    case PVF_ERR_INVALID_ARG:
    case PVF_ERR_UNSUPPORTED:
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name the folder that a host has as its cache", "%s", err.text);
    default:
        return pvf__cli_fail(PVF__CLI_INTERNAL, "look at the disk", "%s", err.text);
    }
}

int pvf__cli_cache_flush(void)
{
    return fflush(stdout) == 0 && !ferror(stdout)
               ? PVF__CLI_OK
               : pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "standard output cannot be written");
}

int pvf__cli_cache_print(json_t *json)
{
    if (json == NULL) {
        return pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "out of memory");
    }
    int status = json_dumpf(json, stdout, JSON_INDENT(2));
    json_decref(json);
    (void)putchar('\n');
    return status != 0 ? pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "standard output cannot be written")
                       : pvf__cli_cache_flush();
}

void pvf__cli_cache_hash(const uint8_t hash[32], char out[PVF__CLI_CACHE_HASH])
{
    out[0] = '0';
    out[1] = 'x';
    pvf__text_to_hex(hash, 8, out + 2);
}

static json_t *hex(const uint8_t bytes[32])
{
    char text[67] = "0x";
    pvf__text_to_hex(bytes, 32, text + 2);
    return json_string(text);
}

json_t *pvf__cli_cache_entry_json(const struct pvf__cache_entry *entry, const uint8_t cpu[32])
{
    const struct pvf__cache_meta *meta = &entry->meta;
    json_t *json = json_pack("{ss, ss, sI, sI}",
                             "name",
                             entry->name.text,
                             "state",
                             pvf__cache_result_text(entry->result),
                             "disk_bytes",
                             (json_int_t)entry->disk_bytes,
                             "last_use",
                             (json_int_t)entry->last_use_s);
    if (json == NULL || meta->identity.build[0] == '\0') {
        return json;
    }
    int failed = json_object_set_new(json, "code_hash", hex(meta->code_hash));
    failed |= json_object_set_new(json, "prep_hash", hex(meta->prep_hash));
    failed |= json_object_set_new(json, "checksum", hex(meta->checksum));
    failed |= json_object_set_new(json, "digest", hex(meta->digest));
    failed |= json_object_set_new(json, "cpu", hex(meta->identity.cpu));
    failed |= json_object_set_new(
        json, "this_cpu", json_boolean(memcmp(meta->identity.cpu, cpu, 32) == 0));
    failed |= json_object_set_new(json, "build", json_string(meta->identity.build));
    failed |= json_object_set_new(json, "size", json_integer((json_int_t)meta->size));
    failed |= json_object_set_new(json, "created", json_integer((json_int_t)meta->created_s));
    failed |= json_object_set_new(json, "prechecked", json_boolean(meta->prechecked));
    failed |= json_object_set_new(json, "code_len", json_integer((json_int_t)meta->code_len));
    failed |= json_object_set_new(json, "cpu_us", json_integer((json_int_t)meta->cpu_us));
    failed |= json_object_set_new(json, "wall_us", json_integer((json_int_t)meta->wall_us));
    failed |= json_object_set_new(json, "max_rss_kib", json_integer((json_int_t)meta->max_rss_kib));
    failed |=
        json_object_set_new(json, "peak_allocated", json_integer((json_int_t)meta->peak_allocated));
    if (failed != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

void pvf__cli_cache_progress(const char *what, size_t done, size_t all)
{
    const char *term = getenv("TERM");
    if (!isatty(STDERR_FILENO) || (term && strcmp(term, "dumb") == 0)) {
        return;
    }
    if (done == all) {
        (void)fprintf(stderr, "\r%*s\r", (int)strlen(what) + 44, "");
    } else {
        (void)fprintf(stderr, "\r%s %zu of %zu", what, done + 1, all);
    }
}

/* What the cache has to say beside its results: only what could not be done. */
static void say(void *unused, const pvf_log_record *record)
{
    (void)unused;
    (void)fprintf(stderr, "pvf: %s\n", record->text);
}

int pvf__cli_cache_main(int argc, char **argv)
{
    static int (*const commands[])(const struct pvf__cli_cache_options *) = {
        pvf__cli_cache_list,
        pvf__cli_cache_verify,
        pvf__cli_cache_gc,
        pvf__cli_cache_warm,
        pvf__cli_cache_export,
    };
    struct pvf__cli_cache_options options;
    int stop = pvf__cli_cache_options_parse(argc, argv, &options);
    if (stop >= 0) {
        return stop;
    }
    /* A reader of our output that goes away is an error of a write, not a death. */
    (void)signal(SIGPIPE, SIG_IGN);
    pvf_log_setup(say, NULL, PVF_LOG_WARN);
    return commands[options.command](&options);
}
