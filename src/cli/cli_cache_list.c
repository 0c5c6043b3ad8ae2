/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the commands that only look: cache list and cache verify. */
#include "cli/cli_cache.h"
#include "cli/cli_report.h"
#include "pvf/status.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* "4 min", "3 h", "12 d"; a time that has not come yet is none. */
static void span_since(uint64_t then, char out[16])
{
    time_t now = time(NULL);
    uint64_t secs = now > 0 && (uint64_t)now > then ? (uint64_t)now - then : 0;
    if (secs < 120) {
        (void)snprintf(out, 16, "%u s", (unsigned)secs);
    } else if (secs < 7200) {
        (void)snprintf(out, 16, "%u min", (unsigned)(secs / 60));
    } else if (secs < 172800) {
        (void)snprintf(out, 16, "%u h", (unsigned)(secs / 3600));
    } else {
        (void)snprintf(out, 16, "%u d", (unsigned)(secs / 86400 % 1000000));
    }
}

/* The value after "KEY=" in a build's text, at most `most` characters of it. */
static void word_of(const char *build, const char *key, size_t most, char *out, size_t size)
{
    const char *at = strstr(build, key);
    size_t len = at != NULL ? strcspn(at + strlen(key), " ") : 0;
    len = len < most ? len : most;
    (void)snprintf(out, size, "%.*s", (int)len, at != NULL ? at + strlen(key) : "");
}

/* Version and the first digits of the program's digest: short, and another one for another build.
 */
static void build_text(const char *build, char out[48])
{
    char version[24];
    char program[12];
    word_of(build, "version=", sizeof version - 1, version, sizeof version);
    word_of(build, "program=", 8, program, sizeof program);
    if (version[0] == '\0' || program[0] == '\0') {
        (void)snprintf(out, 48, "%.40s", build);
        return;
    }
    (void)snprintf(out,
                   48,
                   "%s %s%s",
                   version,
                   program,
                   strstr(build, "metering=call-site") != NULL ? " call-site" : "");
}

static void print_entry(const struct pvf__cache_entry *entry, const uint8_t cpu[32])
{
    char hash[PVF__CLI_CACHE_HASH] = "-";
    char bytes[32];
    char age[16] = "-";
    char use[16];
    char build[48] = "-";
    bool known = entry->meta.identity.build[0] != '\0';
    if (known) {
        pvf__cli_cache_hash(entry->meta.code_hash, hash);
        span_since(entry->meta.created_s, age);
        build_text(entry->meta.identity.build, build);
    }
    span_since(entry->last_use_s, use);
    pvf__cli_report_bytes(entry->disk_bytes, bytes, sizeof bytes);
    (void)printf("%-18s  %9s  %7s  %8s  %-5s  %s%s%s\n",
                 hash,
                 bytes,
                 age,
                 use,
                 !known                                           ? "-"
                 : memcmp(entry->meta.identity.cpu, cpu, 32) == 0 ? "this"
                                                                  : "other",
                 build,
                 entry->result == PVF__CACHE_HIT ? "" : "  ",
                 entry->result == PVF__CACHE_HIT ? "" : pvf__cache_result_text(entry->result));
}

static int
list_json(const struct pvf__cache *cache, const struct pvf__cache_list *list, const uint8_t cpu[32])
{
    char path[PATH_MAX];
    json_t *entries = json_array();
    int failed = entries == NULL;
    (void)snprintf(path, sizeof path, "%s", pvf__cache_path(cache));
    pvf__cli_report_clean(path);
    for (size_t i = 0; failed == 0 && i < list->count; i++) {
        failed = json_array_append_new(entries, pvf__cli_cache_entry_json(&list->items[i], cpu));
    }
    if (failed != 0) {
        json_decref(entries);
        return pvf__cli_cache_print(NULL);
    }
    return pvf__cli_cache_print(json_pack("{ss, sI, so}",
                                          "cache",
                                          path,
                                          "disk_bytes",
                                          (json_int_t)list->disk_bytes,
                                          "entries",
                                          entries));
}

static int
list_rows(const struct pvf__cache *cache, const struct pvf__cache_list *list, const uint8_t cpu[32])
{
    char bytes[32];
    if (list->count > 0) {
        (void)printf("%-18s  %9s  %7s  %8s  %-5s  %s\n",
                     "code hash",
                     "size",
                     "age",
                     "last use",
                     "CPU",
                     "build");
    }
    for (size_t i = 0; i < list->count; i++) {
        print_entry(&list->items[i], cpu);
    }
    pvf__cli_report_bytes(list->disk_bytes, bytes, sizeof bytes);
    (void)printf("%zu artifacts, %s in %s\n", list->count, bytes, pvf__cache_path(cache));
    return pvf__cli_cache_flush();
}

/* Where it cannot be told, every entry is of another. */
static void this_cpu(uint8_t out[32])
{
    if (pvf__cache_cpu(out, NULL) != PVF_OK) {
        memset(out, 0, 32);
    }
}

/* Opens to look; -1, or the exit code after a complaint, with nothing to close. */
static int open_list(const struct pvf__cli_cache_options *options,
                     struct pvf__cache **ret_cache,
                     struct pvf__cache_list *ret_list)
{
    pvf_error err = PVF_ERROR_INIT;
    int stop = pvf__cli_cache_open(options, PVF__CACHE_LOOK, NULL, ret_cache);
    if (stop < 0 && pvf__cache_list(*ret_cache, ret_list, &err) != PVF_OK) {
        pvf__cache_close(*ret_cache);
        stop = pvf__cli_fail(PVF__CLI_INTERNAL, "look at the disk", "%s", err.text);
    }
    return stop;
}

int pvf__cli_cache_list(const struct pvf__cli_cache_options *options)
{
    struct pvf__cache *cache = NULL;
    PVF__CLEANUP_CACHE_LIST struct pvf__cache_list list = PVF__CACHE_LIST_NONE;
    uint8_t cpu[32];
    int stop = open_list(options, &cache, &list);
    if (stop >= 0) {
        return stop;
    }
    this_cpu(cpu);
    int code = options->json ? list_json(cache, &list, cpu) : list_rows(cache, &list, cpu);
    pvf__cache_close(cache);
    return code;
}

/* What verifying found. */
struct verified {
    size_t good;
    size_t bad;
    json_t *entries; /* owned; NULL without --json */
};

static int
note(const struct pvf__cache_entry *entry, const uint8_t cpu[32], struct verified *verified)
{
    char hash[PVF__CLI_CACHE_HASH] = "-";
    if (entry->result == PVF__CACHE_HIT) {
        verified->good++;
    } else {
        verified->bad++;
    }
    if (verified->entries != NULL) {
        return json_array_append_new(verified->entries, pvf__cli_cache_entry_json(entry, cpu));
    }
    if (entry->meta.identity.build[0] != '\0') {
        pvf__cli_cache_hash(entry->meta.code_hash, hash);
    }
    /* On a terminal only what is wrong: the rest is the line of progress. */
    if (entry->result != PVF__CACHE_HIT || !isatty(STDOUT_FILENO)) {
        (void)printf(
            "%-18s  %s  %s\n", hash, entry->name.text, pvf__cache_result_text(entry->result));
    }
    return 0;
}

static int
verify_all(struct pvf__cache *cache, struct pvf__cache_list *list, struct verified *verified)
{
    int failed = 0;
    uint8_t cpu[32];
    this_cpu(cpu);
    for (size_t i = 0; failed == 0 && i < list->count; i++) {
        struct pvf__cache_entry *entry = &list->items[i];
        struct pvf__cache_artifact artifact = {.fd = -1};
        pvf__cli_cache_progress("verifying", i, list->count);
        enum pvf__cache_result result = pvf__cache_load(cache, &entry->name, &artifact);
        if (result == PVF__CACHE_HIT) {
            (void)close(artifact.fd);
        }
        /* Removed by its owner meanwhile: that is no fault. */
        if (result == PVF__CACHE_ABSENT && entry->result == PVF__CACHE_HIT) {
            continue;
        }
        entry->result = result;
        failed = note(entry, cpu, verified);
    }
    pvf__cli_cache_progress("verifying", list->count, list->count);
    return failed;
}

int pvf__cli_cache_verify(const struct pvf__cli_cache_options *options)
{
    struct pvf__cache *cache = NULL;
    PVF__CLEANUP_CACHE_LIST struct pvf__cache_list list = PVF__CACHE_LIST_NONE;
    struct verified verified = {.good = 0};
    int code = open_list(options, &cache, &list);
    if (code >= 0) {
        return code;
    }
    if (options->json) {
        verified.entries = json_array();
    }
    int failed = verify_all(cache, &list, &verified);
    if (failed != 0) {
        json_decref(verified.entries);
        code = pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "out of memory");
    } else if (options->json) {
        code = pvf__cli_cache_print(json_pack("{sI, sI, so}",
                                              "good",
                                              (json_int_t)verified.good,
                                              "bad",
                                              (json_int_t)verified.bad,
                                              "entries",
                                              verified.entries));
    } else {
        (void)printf("%zu good, %zu bad%s\n",
                     verified.good,
                     verified.bad,
                     verified.bad > 0 ? ": they will be prepared again; gc removes them" : "");
        code = pvf__cli_cache_flush();
    }
    pvf__cache_close(cache);
    return code == PVF__CLI_OK && verified.bad > 0 ? PVF__CLI_INVALID : code;
}
