/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the commands cache gc and cache export. */
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli_cache.h"
#include "cli/cli_params.h"
#include "cli/cli_report.h"
#include "pvf/status.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int report_gc(const struct pvf__cli_cache_options *options, const struct pvf__cache_gc *gc)
{
    char removed[32];
    char kept[32];
    if (options->json) {
        return pvf__cli_cache_print(json_pack("{sb, sI, sI, sI, sI, sb}",
                                              "dry_run",
                                              options->dry_run,
                                              "removed",
                                              (json_int_t)gc->removed,
                                              "removed_bytes",
                                              (json_int_t)gc->removed_bytes,
                                              "kept",
                                              (json_int_t)gc->kept,
                                              "kept_bytes",
                                              (json_int_t)gc->kept_bytes,
                                              "floor_missed",
                                              gc->floor_missed));
    }
    pvf__cli_report_bytes(gc->removed_bytes, removed, sizeof removed);
    pvf__cli_report_bytes(gc->kept_bytes, kept, sizeof kept);
    (void)printf("%s %zu artifacts (%s), %zu (%s) stay\n",
                 options->dry_run ? "would remove" : "removed",
                 gc->removed,
                 removed,
                 gc->kept,
                 kept);
    if (gc->floor_missed) {
        (void)printf("there is still less free than --min-free: something else fills the disk\n");
    }
    return pvf__cli_cache_flush();
}

int pvf__cli_cache_gc(const struct pvf__cli_cache_options *options)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__cache *cache = NULL;
    struct pvf__cache_gc gc;
    const struct pvf__cache_limits limits = {
        .max_bytes = options->max_size,
        .min_free = options->min_free,
        .dry_run = options->dry_run,
    };
    int code = pvf__cli_cache_open(
        options, options->dry_run ? PVF__CACHE_LOOK : PVF__CACHE_OWN, NULL, &cache);
    if (code >= 0) {
        return code;
    }
    if (pvf__cache_gc(cache, &limits, &gc, &err) == PVF_OK) {
        code = report_gc(options, &gc);
    } else {
        code = pvf__cli_fail(PVF__CLI_INTERNAL, "look at the disk", "%s", err.text);
    }
    pvf__cache_close(cache);
    return code;
}

/* What the user named: the start of a code hash, and perhaps the parameters. */
struct wanted {
    char digits[65];
    bool has_prep_hash;
    uint8_t prep_hash[32];
};

static int read_wanted(const struct pvf__cli_cache_options *options, struct wanted *ret)
{
    const char *text = options->operands[0];
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
    }
    size_t len = strlen(text);
    if (len < 8 || len > 64 || strspn(text, "0123456789abcdefABCDEF") != len) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "'pvf cache list' shows them",
                             "'%s' is no code hash: 8 to 64 hex digits",
                             options->operands[0]);
    }
    for (size_t i = 0; i <= len; i++) {
        ret->digits[i] = text[i];
        if (text[i] >= 'A' && text[i] <= 'F') {
            ret->digits[i] = (char)(text[i] - 'A' + 'a');
        }
    }
    if (options->executor_params == NULL) {
        return -1;
    }
    pvf_error err = PVF_ERROR_INIT;
    PVF__CLEANUP_BUF struct pvf__buf scale = PVF__BUF_INIT((size_t)1 << 20);
    struct pvf__executor_params params;
    int status = pvf__cli_params_read(options->executor_params, &scale, &params, &err);
    if (status == PVF_OK) {
        status = pvf__executor_params_prep_hash(&params, ret->prep_hash);
    }
    ret->has_prep_hash = true;
    return status == PVF_OK
               ? -1
               : pvf__cli_fail(PVF__CLI_USAGE, NULL, "--executor-params: %s", err.text);
}

/* The last used one of those that match; *ret_codes is the number of different codes among them. */
static const struct pvf__cache_entry *
find(const struct pvf__cache_list *list, const struct wanted *wanted, size_t *ret_codes)
{
    const struct pvf__cache_entry *found = NULL;
    *ret_codes = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct pvf__cache_entry *entry = &list->items[i];
        char hex[65];
        pvf__text_to_hex(entry->meta.code_hash, 32, hex);
        if (entry->result != PVF__CACHE_HIT ||
            strncmp(hex, wanted->digits, strlen(wanted->digits)) != 0 ||
            (wanted->has_prep_hash && memcmp(entry->meta.prep_hash, wanted->prep_hash, 32) != 0)) {
            continue;
        }
        if (found == NULL || memcmp(found->meta.code_hash, entry->meta.code_hash, 32) != 0) {
            (*ret_codes)++;
        }
        found = entry;
    }
    return found;
}

static int
copy_out(struct pvf__cache *cache, const struct pvf__cache_entry *entry, const char *output)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__cache_artifact artifact = {.fd = -1};
    PVF__CLEANUP_BUF struct pvf__buf bytes = PVF__BUF_INIT((size_t)1 << 30);
    char hex[65];
    enum pvf__cache_result result = pvf__cache_load(cache, &entry->name, &artifact);
    if (result != PVF__CACHE_HIT) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "'pvf cache warm' makes it anew",
                             "the artifact is not good: %s",
                             pvf__cache_result_text(result));
    }
    int status = pvf__fd_read_all(artifact.fd, "the artifact", &bytes, &err);
    (void)close(artifact.fd);
    if (status == PVF_OK) {
        status = pvf__fd_write_file(output, 0666, bytes.data, bytes.len, &err);
    }
    if (status != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "is the folder there, writable, and not full?",
                             "the artifact could not be written: %s",
                             err.text);
    }
    pvf__text_to_hex(artifact.meta.checksum, 32, hex);
    (void)printf("%-18s %s\n%-18s 0x%s\n", "written", output, "checksum", hex);
    return pvf__cli_cache_flush();
}

int pvf__cli_cache_export(const struct pvf__cli_cache_options *options)
{
    pvf_error err = PVF_ERROR_INIT;
    struct wanted wanted = {.has_prep_hash = false};
    struct pvf__cache *cache = NULL;
    PVF__CLEANUP_CACHE_LIST struct pvf__cache_list list = PVF__CACHE_LIST_NONE;
    size_t codes;
    int code = read_wanted(options, &wanted);
    if (code < 0) {
        code = pvf__cli_cache_open(options, PVF__CACHE_LOOK, NULL, &cache);
    }
    if (code >= 0) {
        return code;
    }
    if (pvf__cache_list(cache, &list, &err) != PVF_OK) {
        code = pvf__cli_fail(PVF__CLI_INTERNAL, "look at the disk", "%s", err.text);
    } else {
        const struct pvf__cache_entry *entry = find(&list, &wanted, &codes);
        if (entry == NULL) {
            code = pvf__cli_fail(PVF__CLI_USAGE,
                                 "'pvf cache list' shows what there is",
                                 "no good artifact of code 0x%s",
                                 wanted.digits);
        } else if (codes > 1) {
            code = pvf__cli_fail(PVF__CLI_USAGE,
                                 "give more of its digits",
                                 "0x%s is the start of several codes",
                                 wanted.digits);
        } else {
            code = copy_out(cache, entry, options->output);
        }
    }
    pvf__cache_close(cache);
    return code;
}
